"""Erases one person: the lead goes, and a tombstone at each of its ids keeps it from coming back.

One commit erases the lead, its aliases and its recorded moves. Then the archive is cleaned, where
there is one. The tombstones know what was erased together: so an erasure that was killed in
between can be run again, by any of the person's identifiers, and ends in the same state.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warmlead.application.archived import about
from warmlead.application.erasure import Look, erasures_in
from warmlead.domain.ahead import AHEAD
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.identity import LeadIds
from warmlead.domain.lead import Lead
from warmlead.ports import Archive, Clock, Commit, LeadStore, Loaded, Need, Tombstone, Unreadable

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Buried:
    """What an erasure took out of the store, and what it must be followed by.

    ``ids`` have a tombstone now. ``again`` were erased before and belong to a lead once more,
    which stays. ``until`` says of each until when messages about it are to go. ``unreadable``
    leads went without having been read: which identifiers else were theirs is not known.
    """

    erased_at: datetime
    leads: tuple[Lead, ...]
    ids: tuple[str, ...]
    again: tuple[str, ...]
    until: Mapping[str, datetime]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: leads, recorded moves, and messages of the archive, counted by topic."""

    buried: Buried
    moves: int
    messages: Mapping[str, int]


async def erase(
    asked: Collection[str],
    *,
    store: LeadStore,
    archive: Archive | None,
    of: LeadIds,
    clock: Clock,
) -> Erased:
    """Erases whoever is at the ids, and leaves tombstones there even if nobody is.

    Safe to repeat after any failure. Raises ``UnavailableError`` if it should be repeated.
    """
    moves = 0
    there = await store.update(sorted(asked), Look())
    for lead_id in {each.id for each in there.values() if isinstance(each, Lead)}:
        moves += len(await store.transitions(lead_id))
    buried = await store.update(sorted(asked), Burial(asked, clock.now()))
    messages = await _forget(buried.until, archive, of) if archive else {}
    return Erased(buried, moves, messages)


class Burial:
    """The change that puts tombstones in the place of all that is at some ids, readable or not."""

    sees_unreadable = True

    def __init__(self, asked: Collection[str], now: datetime) -> None:
        self._asked = frozenset(asked)
        self._now = now

    def __call__(self, loaded: Loaded) -> Commit[Buried] | Need:
        """The tombstones; or which ids must be seen, because they were erased before."""
        found = [loaded[id_] for id_ in sorted(self._asked)]
        leads = {each.id: each for each in found if isinstance(each, Lead)}
        graves = [each for each in found if isinstance(each, Tombstone)]
        held = {id_ for lead in leads.values() for id_ in lead.ids}
        before = {id_ for grave in graves for id_ in grave.ids} - held
        if unseen := frozenset(before - loaded.keys()):
            return Need(unseen)
        again = {id_ for id_ in before if isinstance(loaded[id_], Lead)}
        unread = {each.id for each in found if isinstance(each, Unreadable)}
        ids = tuple(sorted((self._asked | held | before | unread) - again))
        erased_at = self._moment(list(leads.values()), graves)
        known = erasures_in(loaded)
        until = dict.fromkeys(ids, erased_at) | {i: known[i] for i in again if i in known}
        buried = Buried(
            erased_at,
            tuple(leads.values()),
            ids,
            tuple(sorted(again)),
            until,
            tuple(sorted(unread)),
        )
        return Commit(buried, tombstones=dict.fromkeys(ids, Tombstone(erased_at, ids)))

    def _moment(self, leads: Sequence[Lead], graves: Sequence[Tombstone]) -> datetime:
        """After all that was counted, lest a copy of it be newer; stores keep whole milliseconds.

        Clocks differ: an event may have been received a little after what is now here.
        """
        kept = [e for lead in leads for t in lead.trails.values() for e in t.history.kept.values()]
        latest_ms = max((min(event.at_ms, event.received_ms) for event in kept), default=0)
        now_ms = max(to_ms(self._now), latest_ms)
        before = [grave.erased_at for grave in graves if grave.erased_at <= self._now + AHEAD]
        return max([from_ms(now_ms) + _MS, *before])  # a clock that ran ahead is put right


async def _forget(until: Mapping[str, datetime], archive: Archive, of: LeadIds) -> dict[str, int]:
    """Erases the messages that are about the ids and not newer than is said of them."""
    numbers: dict[str, list[int]] = {}
    for found in await about(until, archive=archive, of=of):
        if any(found.at <= until[id_] for id_ in found.ids):
            numbers.setdefault(found.published.topic, []).append(found.published.number)
    await archive.erase([number for some in numbers.values() for number in some])
    return {topic: len(some) for topic, some in sorted(numbers.items())}
