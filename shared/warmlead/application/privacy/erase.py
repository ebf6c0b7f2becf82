"""Erases one person: deletes the lead, and leaves tombstones that keep it from coming back."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated
from urllib.parse import unquote_plus

import msgspec

from warmlead.application.accept import read_events, read_quarantined
from warmlead.domain.clock_skew import AHEAD
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import CRM_ID, Event, snake_case
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.identity import (
    Identifier,
    Kind,
    LeadIds,
    identifiers_of,
    in_todays_spelling,
    normalise_email,
    normalise_id,
)
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.ports import (
    Clock,
    Commit,
    LeadStore,
    Loaded,
    Need,
    Published,
    ToleratesUnreadable,
    Tombstone,
    Unreadable,
)
from warmlead.ports.archiving import Archive
from warmlead.ports.dispatching import DispatchStore


def erasures_in(loaded: Loaded) -> dict[str, datetime]:
    """When each identifier was erased, by its id: as its tombstone says, or what came after it."""
    erased: dict[str, datetime] = {}
    for id_, found in loaded.items():
        if isinstance(found, Tombstone):
            erased[id_] = found.erased_at
        elif isinstance(found, Lead):
            trails = found.trails.items()
            erased |= {i: from_ms(t.erased_ms) for i, t in trails if t.erased_ms is not None}
    return erased


def came_too_late(
    event: Event,
    ids: Mapping[Identifier, str],
    erased: Mapping[str, datetime],
    *,
    former_ids: Collection[str] = (),
) -> bool:
    """Whether a person whom the event names was erased after it happened or was received.

    ``former_ids`` are the ids of identifiers as the event spelt them when it was accepted, and
    those of the secret before.
    """
    named = [*(ids[identifier] for identifier in identifiers_of(event)), *former_ids]
    earliest = min(event.occurred_at, event.received_at)
    return any(earliest <= erased[id_] for id_ in named if id_ in erased)


def begun_anew(trails: Mapping[str, Trail], erased: Mapping[str, datetime]) -> Mapping[str, Trail]:
    """The trails; those of erased identifiers record that, since their tombstones are gone."""
    if not erased:
        return trails
    return {
        id_: replace(trail, erased_ms=to_ms(erased[id_])) if id_ in erased else trail
        for id_, trail in trails.items()
    }


class Look(ToleratesUnreadable):
    """The change that changes nothing: it returns what is at the ids, readable or not."""

    def __call__(self, loaded: Loaded) -> Commit[Loaded]:
        """What is at the ids."""
        return Commit(dict(loaded))


async def unerased(events: Sequence[Event], *, store: LeadStore, ids: LeadIds) -> list[Event]:
    """The events that did not come too late."""
    spelt = [(event, in_todays_spelling(event)) for event in events]
    named = {i: ids.of(i) for both in spelt for event in both for i in identifiers_of(event)}
    former = {i: ids.former_of(i) for i in named}
    wanted = {*named.values(), *(id_ for some in former.values() for id_ in some)}
    erased = erasures_in(await store.update(sorted(wanted), Look()))

    def is_late(event: Event) -> bool:
        former_ids = [id_ for i in identifiers_of(event) for id_ in former[i]]
        return came_too_late(event, named, erased, former_ids=former_ids)

    return [event for event, today in spelt if not is_late(event) and not is_late(today)]


_BEFORE_AT = re.compile(r"[\w.!#$%'*+^`{|}~-]+\Z")
_AFTER_AT = re.compile(r"\w[\w.-]*")
_MAX_LOCAL, _MAX_DOMAIN = 64, 253
_CRM_RECORD = re.compile(rf"{CRM_ID}\S+")


class _Dated(msgspec.Struct):
    """The only part of a trigger that matters here: its time."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Mention:
    """A message about a person: the ids that it names, and the earliest time in it."""

    published: Published
    ids: frozenset[str]
    at: datetime


async def about(ids: Collection[str], *, archive: Archive, of: LeadIds) -> list[Mention]:
    """Every message about the identifiers of these ids, in the order of publishing."""
    wanted = frozenset(ids)
    found = [
        Mention(each, frozenset([each.message.attributes["lead_id"]]), _came_about(each))
        async for each in archive.of_leads(ids)
    ]
    found += [
        Mention(each, named, each.at)
        async for each in archive.read(Topic.QUARANTINE)
        if (named := _named(each, of) & wanted)
    ]
    return sorted(found, key=lambda each: each.published.number)


def _came_about(published: Published) -> datetime:
    """When a trigger was made, or the last event was received; it may be sent much later.

    Of a message that somebody else published, and that says neither: when it was published.
    """
    try:
        if published.topic in TRIGGER_TOPICS:
            return msgspec.json.decode(published.message.body, type=_Dated).time
        events = read_events(published.message.body)
    except (RejectedError, ValueError):  # msgspec's, and Python's for what is not UTF-8
        return published.at
    times = [min(event.occurred_at, event.received_at) for event in events]
    return max(times, default=published.at)


def _named(published: Published, of: LeadIds) -> frozenset[str]:
    """The ids of all people whom an entry of the quarantine may concern."""
    body = published.message.body
    try:
        entry = read_quarantined(body)
    except ValueError:  # a newer release wrote it, or it is damaged
        return frozenset(map(of.of, _identifiers_in(body.decode("utf-8", "replace"))))
    if entry.event:
        return frozenset(map(of.of, identifiers_of(entry.event)))
    asked = [Identifier(Kind.USER, id_) for id_ in _CRM_RECORD.findall(entry.message)]
    return frozenset(map(of.of, (*asked, *_identifiers_in(entry.raw or ""))))


def _identifiers_in(raw: str) -> Iterator[Identifier]:
    yield from _addresses_in(raw)
    yield from _addresses_in(unquote_plus(raw))
    try:
        content = msgspec.json.decode(raw)
    except ValueError:
        return
    yield from _ids_in(content)


def _ids_in(content: object) -> Iterator[Identifier]:
    """The identifiers in what was JSON, however deep: without recursion, as strangers sent it."""
    waiting: list[tuple[str, object]] = [("", content)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str | int) and snake_case(name).endswith("id"):
            id_ = normalise_id(str(value))
            yield from (Identifier(kind, id_) for kind in (Kind.USER, Kind.ANONYMOUS) if id_)
        if isinstance(value, str):
            yield from _addresses_in(value)


def _addresses_in(text: str) -> Iterator[Identifier]:
    """The email addresses in a text. Only a few characters around each @ are examined."""
    for before, after in pairwise(text.split("@")):
        local = _BEFORE_AT.search(before[-_MAX_LOCAL:])
        domain = _AFTER_AT.match(after[:_MAX_DOMAIN])
        if local and domain and (email := _normalised(local[0], domain[0])):
            yield Identifier(Kind.EMAIL, email)


def _normalised(local: str, domain: str) -> str | None:
    return normalise_email(f"{local.strip('.!')}@{domain.rstrip('.-')}")


_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure deleted from the store, and what is left to delete.

    ``ids`` have a tombstone now. ``again`` were erased before and belong to a new lead, which
    stays. ``until`` is for each the time up to which messages about it are deleted. ``unreadable``
    leads were deleted without having been read: their other identifiers are unknown.
    """

    erased_at: datetime
    leads: tuple[Lead, ...]
    ids: tuple[str, ...]
    again: tuple[str, ...]
    until: Mapping[str, datetime]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: leads, moves, messages of the archive counted by topic, and dispatches.

    ``postponed`` are messages that the archive cannot delete yet: the erasure must be repeated.
    """

    buried: Erasure
    moves: int
    messages: Mapping[str, int]
    dispatches: int = 0
    postponed: Sequence[Published] = ()


async def erase(
    asked: Collection[str],
    *,
    store: LeadStore,
    archive: Archive | None,
    of: LeadIds,
    clock: Clock,
    dispatches: DispatchStore | None = None,
) -> Erased:
    """Erases the leads at the ids, and leaves tombstones there even if there are no leads.

    Messages about them that wait for tools go too.

    Safe to repeat after any failure. Raises ``UnavailableError`` if it should be repeated.
    """
    moves = 0
    there = await store.update(sorted(asked), Look())
    for lead_id in {each.id for each in there.values() if isinstance(each, Lead)}:
        moves += len(await store.transitions(lead_id))
    buried = await store.update(sorted(asked), EraseLeads(asked, clock.now()))
    sent = await dispatches.erase(buried.ids) if dispatches else 0
    found = await _mentions(buried.until, archive, of) if archive else []
    postponed = await archive.erase(found) if archive and found else ()
    left = {(each.topic, each.message_id) for each in postponed}
    gone = [each.topic for each in found if (each.topic, each.message_id) not in left]
    messages = {topic: gone.count(topic) for topic in sorted(set(gone))}
    return Erased(buried, moves, messages, sent, postponed)


class EraseLeads(ToleratesUnreadable):
    """The change that puts tombstones in the place of all that is at some ids, readable or not."""

    def __init__(self, asked: Collection[str], now: datetime) -> None:
        self._asked = frozenset(asked)
        self._now = now

    def __call__(self, loaded: Loaded) -> Commit[Erasure] | Need:
        """The tombstones; or which ids must be read first, because they were erased before."""
        found = [loaded[id_] for id_ in sorted(self._asked)]
        leads = {each.id: each for each in found if isinstance(each, Lead)}
        tombstones = [each for each in found if isinstance(each, Tombstone)]
        held = {id_ for lead in leads.values() for id_ in lead.ids}
        before = {id_ for tombstone in tombstones for id_ in tombstone.ids} - held
        if unseen := frozenset(before - loaded.keys()):
            return Need(unseen)
        again = {id_ for id_ in before if isinstance(loaded[id_], Lead)}
        unread = {each.id for each in found if isinstance(each, Unreadable)}
        ids = tuple(sorted((self._asked | held | before | unread) - again))
        erased_at = self._moment(list(leads.values()), tombstones)
        known = erasures_in(loaded)
        until = dict.fromkeys(ids, erased_at) | {i: known[i] for i in again if i in known}
        buried = Erasure(
            erased_at,
            tuple(leads.values()),
            ids,
            tuple(sorted(again)),
            until,
            tuple(sorted(unread)),
        )
        return Commit(buried, tombstones=dict.fromkeys(ids, Tombstone(erased_at, ids)))

    def _moment(self, leads: Sequence[Lead], tombstones: Sequence[Tombstone]) -> datetime:
        """A time after all counted events, so that no copy is newer.

        Stores keep whole milliseconds. Clocks differ: an event may have been received a little
        after the present time here.
        """
        kept = [e for lead in leads for t in lead.trails.values() for e in t.history.kept.values()]
        latest_ms = max((min(event.at_ms, event.received_ms) for event in kept), default=0)
        now_ms = max(to_ms(self._now), latest_ms)
        before = [each.erased_at for each in tombstones if each.erased_at <= self._now + AHEAD]
        return max([from_ms(now_ms) + _MS, *before])  # a clock that ran ahead is corrected


async def _mentions(
    until: Mapping[str, datetime], archive: Archive, of: LeadIds
) -> list[Published]:
    """The messages about the ids that are not newer than the time for each."""
    return [
        found.published
        for found in await about(until, archive=archive, of=of)
        if any(found.at <= until[id_] for id_ in found.ids)
    ]
