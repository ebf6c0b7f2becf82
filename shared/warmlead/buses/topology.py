"""Topics and subscriptions: which there are, and how they are made in Pub/Sub.

The bus of one machine has the same subscriptions. In Pub/Sub they are made with Google's own
client, for the emulator and for trying out; its import is heavy, and waits until it is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warmlead.domain.trigger import LEAD_EVENTS_TYPE, TRIGGER_TOPICS, Topic

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

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

DELIVER = tuple(
    Subscription(f"deliver-{topic}", topic, pushes_to="deliver", attempts=100)
    for topic in (*TRIGGER_TOPICS, Topic.KPI)
)
"""Messages to tools. Each destination has a queue of its own behind them: ``DispatchStore``."""

SUBSCRIPTIONS = (SCORE, QUARANTINE, *DELIVER)
TOPICS = tuple(Topic)

ARCHIVED = (Topic.LEAD_EVENTS, Topic.LIFECYCLE, Topic.MQL)
"""The topics of which BigQuery keeps every message; see ``infra/modules/archive``."""

UNDELETABLE = timedelta(minutes=90)
"""How long BigQuery may refuse to delete a new row, which is in its streaming buffer.

https://cloud.google.com/bigquery/docs/error-messages
"""


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


ATTEMPTS_OF_THE_EMULATOR = 5
"""The emulator tries again every second, so a hundred attempts would be used up soon."""

LONGEST_OF_THE_EMULATOR = timedelta(days=7)
"""It keeps messages no longer; Pub/Sub does, up to 31 days."""


@dataclass(frozen=True, slots=True)
class PushConfig:
    """Where a function is pushed to, and as whom: ``account`` and ``audience`` go together."""

    url: str
    account: str = ""
    audience: str = ""


def create_topology(
    project: str,
    push: Mapping[str, PushConfig],
    *,
    emulator: str = "",
    topics: Sequence[str] = TOPICS,
    subscriptions: Sequence[Subscription] = SUBSCRIPTIONS,
) -> None:
    """Creates what is missing, and points the pushes to ``push``, by function.

    Blocks. ``emulator`` is its host:port; without it the project is a real one. Raises
    ``google.api_core.exceptions.GoogleAPICallError``, and ``KeyError`` for a function that a
    subscription pushes to and ``push`` does not have.
    """
    dead = [dead_letters_of(each) for each in subscriptions if each.attempts]
    publisher, subscriber = _clients(emulator)
    with publisher, subscriber:
        for topic in [*topics, *(each.topic for each in dead)]:
            name = publisher.topic_path(project, topic)
            _unless_there(publisher.create_topic, {"name": name})
        for each in [*subscriptions, *dead]:
            request = subscription_request(project, each, push, emulated=bool(emulator))
            if not _unless_there(subscriber.create_subscription, request):
                config = request.get("push_config", {})
                subscriber.modify_push_config(
                    request={"subscription": request["name"], "push_config": config}
                )


def _unless_there(create: Callable[..., object], request: Mapping[str, Any]) -> bool:
    """Whether it had not been there before."""
    from google.api_core.exceptions import AlreadyExists  # noqa: PLC0415  # heavy

    try:
        create(request=request)
    except AlreadyExists:
        return False
    return True


def subscription_request(
    project: str, subscription: Subscription, push: Mapping[str, PushConfig], *, emulated: bool
) -> dict[str, Any]:
    """The request that creates a subscription; ``emulated`` is for the emulator."""
    keeps = timedelta(seconds=subscription.keeps_s)
    if emulated:
        keeps = min(keeps, LONGEST_OF_THE_EMULATOR)
    request: dict[str, Any] = {
        "name": f"projects/{project}/subscriptions/{subscription.name}",
        "topic": f"projects/{project}/topics/{subscription.topic}",
        "ack_deadline_seconds": subscription.ack_deadline_s,
        "message_retention_duration": keeps,
        "expiration_policy": {},  # never; the default is after 31 days without work
        "filter": subscription.filter,
    }
    if subscription.pushes_to:
        request["push_config"] = _push_config(push[subscription.pushes_to])
    if subscription.attempts:
        attempts = ATTEMPTS_OF_THE_EMULATOR if emulated else subscription.attempts
        request["dead_letter_policy"] = {
            "dead_letter_topic": f"projects/{project}/topics/{subscription.dead_letters}",
            "max_delivery_attempts": attempts,
        }
    if not emulated:  # together with dead letters it makes the emulator stop delivering
        request["retry_policy"] = {
            "minimum_backoff": timedelta(seconds=subscription.first_pause_s),
            "maximum_backoff": timedelta(seconds=subscription.longest_pause_s),
        }
    return request


def _push_config(push: PushConfig) -> dict[str, Any]:
    config: dict[str, Any] = {"push_endpoint": push.url}
    if push.account:
        config["oidc_token"] = {"service_account_email": push.account, "audience": push.audience}
    return config


def _clients(emulator: str) -> "tuple[PublisherClient, SubscriberClient]":
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # noqa: PLC0415  # heavy

    if not emulator:
        return PublisherClient(), SubscriberClient()
    import grpc  # noqa: PLC0415  # heavy

    return tuple(
        client(
            transport=client.get_transport_class("grpc")(channel=grpc.insecure_channel(emulator))
        )
        for client in (PublisherClient, SubscriberClient)
    )
