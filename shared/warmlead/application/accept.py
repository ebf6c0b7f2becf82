"""Accepts a sender's request: verified, translated, published. Needs no database."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Automation, Event, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.trigger import LEAD_EVENTS_TYPE, Topic
from warmlead.ports import (
    Accepted,
    CompletedSource,
    EventBus,
    Message,
    RawRequest,
    Refused,
    Source,
    Translation,
)


class LeadEvents(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The events that one request brought for one lead.

    A new field, here or in an event, takes the next ``v``: then a release that does not know it
    leaves the message to one that does. The attributes stay, because subscriptions filter by them.
    """

    v: Literal[1] = 1
    events: Annotated[list[Event], msgspec.Meta(min_length=1)]


class Quarantined(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Input that could not be counted, with the reason, and all that a replay needs.

    Either ``event`` is there (it could not be applied), or ``raw`` as the sender sent it, and
    whether its request was ``automated``; or neither, if the entry only counts further items of a
    request; then ``message`` has their number (see ``and_more``).
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


class _Versioned(msgspec.Struct):
    v: int = 1


_EVENTS = msgspec.json.Decoder(LeadEvents)
_VERSION = msgspec.json.Decoder(_Versioned)
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
    """The events in a message; raises ``RejectedError`` if it is not a message of lead events."""
    try:
        return _EVENTS.decode(body).events
    except ValueError as error:  # msgspec's, and Python's for what is not UTF-8
        place = _PLACE.search(str(error))
        raise RejectedError(
            Reason.MESSAGE_INVALID,
            f"not a message of lead events{f': the fault is at {place[1]}' if place else ''}",
        ) from None  # the original may quote what is in the message


async def set_aside(body: bytes, error: RejectedError, *, bus: EventBus, now: datetime) -> None:
    """Puts a message that is not Warmlead's into quarantine, for a person to look at.

    Raises ``UnavailableError`` for one that a newer release wrote: that will read it.
    """
    if _is_newer(body):
        raise UnavailableError("a newer release wrote this message")
    entry = Quarantined(
        reason=error.reason,
        message=error.message,
        source=Topic.LEAD_EVENTS,
        received_at=now,
        raw=body.decode("utf-8", "replace"),
    )
    await bus.publish(Topic.QUARANTINE, [to_quarantine(entry)])


def _is_newer(body: bytes) -> bool:
    try:
        return _VERSION.decode(body).v > 1
    except ValueError:
        return False


def and_more(count: int, reason: Reason, source: str, now: datetime, why: str) -> Quarantined:
    """The entry that counts further items like those before it; the items are not kept.

    ``why`` is the reason, and the place where they can be found.
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


MAX_SET_ASIDE_BYTES = 256 * 1024
"""Limit of an item that is set aside; a larger one is cut."""


MAX_SET_ASIDE = 100
"""The limit of items of a public request that are set aside; further ones are counted."""

MAX_SET_ASIDE_OF_ALL_BYTES = 128 * 1024
"""Limit of all items of a public request together; the first is kept in any case."""

_KEPT_NOWHERE = (
    f"of a public request {MAX_SET_ASIDE} are kept, of {MAX_SET_ASIDE_OF_ALL_BYTES // 1024} KB"
    " together, those with an address first"
)
_ADDRESS = re.compile(rb"[^\s@\"'<>(),:;=&]@[\w\x80-\xff\\][\w\x80-\xff\\-]{0,62}\.[^\s\"'.@]")
"""What may be read as an address. Linear: between two ``@`` at most 64 bytes are looked at."""


async def accept(request: RawRequest, source: Source, *, bus: EventBus, ids: LeadIds) -> Accepted:
    """Publishes the request's events, one message a lead, and sets unusable items aside.

    When it returns, all is durable. Raises ``RejectedError``, with no effect at all, if the request
    cannot be trusted or read, or has only unusable items that its source does not keep; and
    ``UnavailableError`` if the sender should try again.
    """
    trust = source.verify(request)
    if isinstance(source, CompletedSource):
        request = await source.completed(request)
    translation = source.translate(request, trust)
    if translation.refused and not translation.events and not translation.keeps_refused:
        raise _only_refused(translation.refused)
    events = [event for _, event in translation.events]
    if events:
        await bus.publish(Topic.LEAD_EVENTS, by_lead(events, ids))
    if translation.refused:
        await bus.publish(Topic.QUARANTINE, _set_aside(request, source, trust, translation))
    return translation.accepted


def _only_refused(refused: Sequence[Refused]) -> RejectedError:
    first = refused[0].error
    if len(refused) == 1:
        return first
    return RejectedError(
        Reason(first.reason),
        f"none of the {len(refused)} items can be used; the first: {first.message}",
    )


def _set_aside(
    request: RawRequest, source: Source, trust: Trust, translation: Translation
) -> list[Message]:
    kept, more = translation.refused, list[Refused]()
    if trust is Trust.PUBLIC:
        kept, more = _with_room(translation.refused)
    entries = [
        Quarantined(
            reason=item.error.reason,
            message=item.error.message,
            source=source.name,
            received_at=request.received_at,
            raw=item.raw[:MAX_SET_ASIDE_BYTES].decode("utf-8", "replace"),
            path=request.path,
            automated=item.automated,
            trust=trust,
        )
        for item in kept
    ]
    if more:
        reason, now = Reason(more[0].error.reason), request.received_at
        entries.append(and_more(len(more), reason, source.name, now, _KEPT_NOWHERE))
    return [to_quarantine(entry) for entry in entries]


def _with_room(items: Sequence[Refused]) -> tuple[list[Refused], list[Refused]]:
    """The items of a public request that are kept, in their order, and the others.

    Those that may become a lead come first.
    """
    kept: list[Refused] = []
    more: list[Refused] = []
    left = MAX_SET_ASIDE_OF_ALL_BYTES
    for item in sorted(items, key=lambda item: not _ADDRESS.search(item.raw)):
        size = min(len(item.raw), MAX_SET_ASIDE_BYTES)
        if not kept or (len(kept) < MAX_SET_ASIDE and size <= left):
            kept.append(item)
            left -= size
        else:
            more.append(item)
    return sorted(kept, key=lambda item: item.index), more
