"""A trigger: the message to automation tools that a transition, a step or a deadline causes.

The trigger is made in the commit that causes it, and stored as the bytes that will be sent, so that
a repeat is byte-identical. Its id identifies its subject, so that consumers recognize a repeat.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """The topics that Warmlead publishes and subscribes to."""

    LEAD_EVENTS = "lead-events"
    QUARANTINE = "quarantine"
    MQL = "mql"
    NURTURE = "nurture"
    LIFECYCLE = "lifecycle"
    KPI = "kpi"


LEAD_EVENTS_TYPE = "warmlead.lead_events.v1"
"""The attribute ``type`` of what ``lead-events`` carries, so that subscriptions may filter."""

TRIGGER_TOPICS = (Topic.MQL, Topic.NURTURE, Topic.LIFECYCLE)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A message to be published once the commit that holds it has succeeded.

    ``attributes`` hold no personal data, so that subscriptions may filter on them.
    """

    id: str
    topic: Topic
    at: datetime
    body: str
    attributes: tuple[tuple[str, str], ...]

    @property
    def lead_id(self) -> str:
        """The id of the lead of which it speaks, as it was when it was made."""
        return dict(self.attributes).get("lead_id", "")


def trigger_id(lead_id: str, kind: str, cycle: int) -> str:
    """The id of the trigger of this kind in a lead's cycle (1, 2, …): one per stage move."""
    text = f"{lead_id}\n{kind}\n{cycle}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
