"""What travels between Warmlead's own functions: events for leads, and input set aside.

One message holds the events of one lead, so that a batch of a hundred page views is one
message and one commit.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Automation, Event, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.trigger import LEAD_EVENTS_TYPE, Topic
from warmlead.ports import EventBus, Message


class LeadEvents(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The events that one request brought for one lead."""

    v: Literal[1] = 1
    events: Annotated[list[Event], msgspec.Meta(min_length=1)]


class Quarantined(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Input that could not be counted, with the reason, and all that a replay needs.

    Either ``event`` is there (it could not be applied), or ``raw`` as the sender sent it, and
    whether its request was ``automated``; or neither, where more of a request was set aside than
    is kept, and ``message`` says how much (see ``and_more``).
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
    automated: Automation | None = None


_EVENTS = msgspec.json.Decoder(LeadEvents)
_ENTRY = msgspec.json.Decoder(Quarantined)
_PLACE = re.compile(r" - at `(\$[a-z0-9_.\[\]]*)`\Z")


def by_lead(events: Sequence[Event], ids: LeadIds) -> list[Message]:
    """One message for each lead that the events name by their strongest identifier."""
    grouped: dict[str, list[Event]] = {}
    for event in events:
        grouped.setdefault(ids.of(identifiers_of(event)[0]), []).append(event)
    return [
        Message(
            msgspec.json.encode(LeadEvents(events=group)),
            {
                "type": LEAD_EVENTS_TYPE,
                "lead_id": lead_id,
                "source": group[0].source,
                "events": str(len(group)),
            },
        )
        for lead_id, group in grouped.items()
    ]


def read_events(body: bytes) -> list[Event]:
    """The events in a message; raises ``RejectedError`` if it is not one of ours."""
    try:
        return _EVENTS.decode(body).events
    except ValueError as error:  # msgspec's, and Python's for what is not UTF-8
        place = _PLACE.search(str(error))
        raise RejectedError(
            Reason.MESSAGE_INVALID,
            f"not a message of lead events{f': the fault is at {place[1]}' if place else ''}",
        ) from None  # the original may quote what is in the message


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


def and_more(count: int, reason: Reason, source: str, now: datetime, why: str) -> Quarantined:
    """The entry that says how many more there were like those before it; nothing of them is kept.

    ``why`` says for what, and where they are to be found.
    """
    message = f"and {count} more of the same request: {why}"
    return Quarantined(reason=reason, message=message, source=source, received_at=now)


def to_quarantine(entry: Quarantined) -> Message:
    """The message that sets the entry aside."""
    attributes = {"reason": str(entry.reason), "source": entry.source}
    return Message(msgspec.json.encode(entry), attributes)


def read_quarantined(body: bytes) -> Quarantined:
    """The entry in a message of the quarantine; raises ``ValueError`` if it is not one."""
    return _ENTRY.decode(body)
