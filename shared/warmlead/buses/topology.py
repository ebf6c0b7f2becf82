"""Warmlead's topics and subscriptions, with their retries and retention.

The bus of one machine has the same subscriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from warmlead.domain.trigger import LEAD_EVENTS_TYPE, Topic

DAY_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a topic.

    ``pushes_to`` names a function; without one the messages wait until somebody pulls them.
    ``wants`` are the values that these attributes must have, if a message has them: one that was
    published by hand has none. After ``attempts`` (5 to 100) a message goes to the topic
    ``dead_letters``; with 0 it is never given up.
    """

    name: str
    topic: str
    pushes_to: str = ""
    wants: Mapping[str, str] = field(default_factory=dict)
    ack_deadline_s: int = 60
    first_pause_s: int = 2
    longest_pause_s: int = 600
    attempts: int = 0
    keeps_s: int = 7 * DAY_S

    @property
    def dead_letters(self) -> str:
        """The topic of messages that were given up, and its subscription; may be none."""
        return f"{self.name}-dead" if self.attempts else ""

    @property
    def filter(self) -> str:
        """``wants`` in Pub/Sub's language (https://cloud.google.com/pubsub/docs/filtering)."""
        conditions = (
            f"(NOT attributes:{key} OR attributes.{key} = {_quoted(text)})"
            for key, text in self.wants.items()
        )
        return " AND ".join(conditions)

    def is_for(self, attributes: Mapping[str, str]) -> bool:
        """Whether a message is wanted: the filter in code, because the emulator does not filter."""
        return all(attributes.get(key, text) == text for key, text in self.wants.items())


SCORE = Subscription(
    "score",
    Topic.LEAD_EVENTS,
    pushes_to="score",
    wants={"type": LEAD_EVENTS_TYPE},
    attempts=100,
)
"""A hundred attempts last for 15 hours: Firestore may be down for that long."""

QUARANTINE = Subscription("quarantine", Topic.QUARANTINE, keeps_s=31 * DAY_S)
"""What is in quarantine waits for a person."""

SUBSCRIPTIONS = (SCORE, QUARANTINE)
TOPICS = tuple(Topic)


def topics_of_subscriptions() -> Mapping[str, str]:
    """The subscriptions by name, each with its topic: all that the bus of one machine needs."""
    return {subscription.name: subscription.topic for subscription in SUBSCRIPTIONS}


def dead_letters_of(subscription: Subscription) -> Subscription:
    """The subscription that keeps messages that another has given up."""
    name = subscription.dead_letters
    return Subscription(name, name, keeps_s=31 * DAY_S)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
