"""What travels between Warmlead's own functions: events for leads, and input set aside.

One message holds the events of one lead, so that a batch of a hundred page views is one
message and one commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.trigger import Topic
from warmlead.ports import EventBus, Message


class _Own(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeadEvents(_Own):
    """The events that one request brought for one lead."""

    v: Literal[1] = 1
    events: Annotated[list[Event], Field(min_length=1)]


class Quarantined(_Own):
    """Input that could not be counted, with the reason, and all that a replay needs.

    Either ``event`` is there (it could not be applied), or ``raw`` as the sender sent it.
    """

    v: Literal[1] = 1
    reason: Reason
    message: str
    source: str
    received_at: datetime
    event: Event | None = None
    raw: str | None = None
    path: str | None = None
    trust: Trust | None = None


def by_lead(events: Sequence[Event], ids: LeadIds) -> list[Message]:
    """One message for each lead that the events name by their strongest identifier."""
    grouped: dict[str, list[Event]] = {}
    for event in events:
        grouped.setdefault(ids.of(identifiers_of(event)[0]), []).append(event)
    return [
        Message(
            LeadEvents(events=group).model_dump_json(exclude_defaults=True).encode(),
            {"lead_id": lead_id, "source": group[0].source, "events": str(len(group))},
        )
        for lead_id, group in grouped.items()
    ]


def read_events(body: bytes) -> list[Event]:
    """The events in a message; raises ``RejectedError`` if it is not one of ours."""
    try:
        return LeadEvents.model_validate_json(body).events
    except ValidationError as error:
        raise RejectedError(
            Reason.MESSAGE_INVALID,
            f"not a message of lead events: {error.error_count()} faults, "
            f"the first is {error.errors()[0]['type']}",
        ) from None


async def set_aside(body: bytes, error: RejectedError, *, bus: EventBus, now: datetime) -> None:
    """Puts a message that is none of ours into quarantine, for a person to look at."""
    entry = Quarantined(
        reason=error.reason,
        message=error.message,
        source=Topic.LEAD_EVENTS,
        received_at=now,
        raw=body.decode("utf-8", "replace"),
    )
    await bus.publish(Topic.QUARANTINE, [to_quarantine(entry)])


def to_quarantine(entry: Quarantined) -> Message:
    """The message that sets the entry aside."""
    attributes = {"reason": str(entry.reason), "source": entry.source}
    return Message(entry.model_dump_json(exclude_defaults=True).encode(), attributes)
