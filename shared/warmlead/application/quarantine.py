"""Quarantine: lists input that could not be counted, and tries it again.

It has two kinds of entries: *items* that were set aside with a reason, and *messages* that were
given up after the last attempt. An entry leaves only after it has been accepted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from warmlead.application.accept import Quarantined, by_lead, read_quarantined
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import LeadIds
from warmlead.domain.trigger import Topic
from warmlead.ports import Clock, EventBus, Published, RawRequest, Source, Subscriptions

SCORE = "score"
"""The subscription of the function that applies events."""

QUARANTINE = "quarantine"
"""The subscription that keeps entries until they are released."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in quarantine: an ``item``, or a ``message`` that was given up."""

    number: int
    at: datetime
    reason: str
    message: str
    source: str
    kind: str
    content: str
    item: Quarantined | None = None

    @property
    def is_for_a_person(self) -> bool:
        """Whether it did not pass a spam check, so that only a person can say that it is good."""
        return self.item is not None and self.item.reason.is_for_a_person


async def entries(subscriptions: Subscriptions) -> list[Entry]:
    """The entries in quarantine, the oldest first."""
    items = [_item(published) for published in await subscriptions.outstanding(QUARANTINE)]
    dead = [_given_up(published, error) for published, error in await subscriptions.dead(SCORE)]
    return sorted([*items, *dead], key=lambda entry: entry.number)


def _item(published: Published) -> Entry:
    try:
        item = read_quarantined(published.message.body)
    except ValueError:
        return _unreadable(published)
    content = msgspec.json.encode(item.event).decode() if item.event else item.raw or ""
    return Entry(
        published.number,
        published.at,
        item.reason,
        item.message,
        item.source,
        "item",
        content,
        item,
    )


def _unreadable(published: Published) -> Entry:
    return Entry(
        number=published.number,
        at=published.at,
        reason="unreadable",
        message="a newer release set it aside, or it is damaged",
        source=published.message.attributes.get("source", ""),
        kind="item",
        content=published.message.body.decode("utf-8", "replace"),
    )


def _given_up(published: Published, error: str) -> Entry:
    return Entry(
        number=published.number,
        at=published.at,
        reason="given_up",
        message=error,
        source=published.message.attributes.get("source", ""),
        kind="message",
        content=published.message.body.decode("utf-8", "replace"),
    )


@dataclass(frozen=True, slots=True)
class Release:
    """Tries entries again: received now, with the time that they state or their first receipt."""

    bus: EventBus
    subscriptions: Subscriptions
    sources: Mapping[str, Source]
    ids: LeadIds
    clock: Clock

    async def __call__(self, chosen: Sequence[Entry]) -> tuple[int, int]:
        """The numbers of released entries, and of those that still cannot be used."""
        released = 0
        for entry in chosen:
            released += await self._release(entry)
        return released, len(chosen) - released

    async def _release(self, entry: Entry) -> bool:
        if entry.kind == "message":
            now = self.clock.now()
            return bool(await self.subscriptions.revive(SCORE, [entry.number], now=now))
        if entry.item is None:
            return False
        try:
            events = self._events(entry.item, entry.number)
        except RejectedError:
            return False
        await self.bus.publish(Topic.LEAD_EVENTS, by_lead(events, self.ids))
        await self.subscriptions.finish(QUARANTINE, [entry.number])
        return True

    def _events(self, item: Quarantined, number: int) -> list[Event]:
        """The item's events, received now. Raises ``RejectedError`` if there still are none.

        They have the trust of the request that brought the item; an item of an older release does
        not state its trust, and is public. If the sender gave no id, the event's id is made of the
        entry's number, so it is the same however often the entry is released. If the sender gave no
        time, the event has the time at which the entry arrived, so that a person who was erased
        since does not come back.
        """
        now = self.clock.now()
        if item.event:
            return [msgspec.structs.replace(item.event, received_at=now)]
        source = self.sources.get(item.source)
        if source is None or item.raw is None or item.path is None:
            raise RejectedError(Reason.EVENT_INVALID, "nobody can read the item any more")
        path, body = source.resend(item.path, item.raw.encode())
        headers = {"content-type": "application/json"}
        came_at = item.received_at
        request = RawRequest("POST", path, "", headers, body, came_at, f"quarantine-{number}")
        translation = source.translate(request, item.trust or Trust.PUBLIC)
        if translation.refused:
            raise translation.refused[0].error
        return [
            msgspec.structs.replace(
                event, received_at=now, automated=item.automated or event.automated
            )
            for _, event in translation.events
        ]
