"""Rebuilds leads from the archive: what events were is decided anew, what happened is kept.

Needed when a model changes what events are (``on``, ``when``); a change of worth needs none.
Stages, transitions and sent triggers are a record of what was known when: they stay, and the
rebuilt lead then moves on from where it stands.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from warmlead.application.apply import Decision, Scoring
from warmlead.application.erasure import erasures_in, unerased
from warmlead.application.messages import read_events
from warmlead.application.send import send
from warmlead.application.settle import settle
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.history import record, to_ms
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead, Trail, latest_notes
from warmlead.domain.lifecycle import Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import (
    Clock,
    Commit,
    EventBus,
    LeadStore,
    Loaded,
    MessageLog,
    Need,
    Tombstone,
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many archived events were read, and how many leads were rebuilt and moved."""

    events: int
    unreadable: int
    leads: int
    moved: int


async def replay(
    *,
    archive: MessageLog,
    scratch: LeadStore,
    store: LeadStore,
    bus: EventBus,
    scoring: Scoring,
    clock: Clock,
    progress: Callable[[int], None],
) -> Replayed:
    """Rebuilds histories and traits in ``scratch``, then puts them in the place of the old ones.

    Each lead is replaced in one commit, and events that come meanwhile stay: it may run beside
    live traffic, be killed, and be run again. ``progress`` is told the number of events read.
    """
    events = unreadable = 0
    seen: set[int] = set()
    began = clock.now()
    async for message_events in _read(archive):
        if message_events is None:
            unreadable += 1
            continue
        events += len(message_events)
        first = _first_copies(message_events, seen)
        kept = await unerased(first, store=store, ids=scoring.ids)
        await _rebuild(kept, scratch, scoring)
        progress(events)
    leads = moved = 0
    async for rebuilt in scratch.leads():
        past = await scratch.transitions(rebuilt.id)
        replacement = _Replacement(rebuilt, past, scoring, began, clock.now())
        moves, triggers = await store.update([rebuilt.id], replacement)
        await send([(rebuilt.id, trigger) for trigger in triggers], store=store, bus=bus)
        leads += 1
        moved += bool(moves)
    return Replayed(events, unreadable, leads, moved)


async def _read(archive: MessageLog) -> AsyncIterator[Sequence[Event] | None]:
    async for published in archive.read(Topic.LEAD_EVENTS):
        try:
            yield read_events(published.message.body)
        except RejectedError:
            yield None


def _first_copies(events: Sequence[Event], seen: set[int]) -> list[Event]:
    """Those whose key was not seen before: what was released from quarantine is there twice."""
    first = []
    for event in events:
        key = int(event.key, 16)
        if key not in seen:
            seen.add(key)
            first.append(event)
    return first


async def _rebuild(events: Sequence[Event], scratch: LeadStore, scoring: Scoring) -> None:
    """Applies a message as it was applied when it came: the time is that of its receipt."""
    if not events:
        return
    home = scoring.ids.of(identifiers_of(events[0])[0])
    received_at = max(event.received_at for event in events)
    await scratch.update([home], Decision(events, scoring, received_at))


class _Replacement:
    """The change that gives a lead its rebuilt trails."""

    def __init__(
        self,
        rebuilt: Lead,
        moves: Sequence[Transition],
        scoring: Scoring,
        began: datetime,
        now: datetime,
    ) -> None:
        self._rebuilt = rebuilt
        self._moves = moves
        self._scoring = scoring
        self._began_ms = to_ms(began)
        self._now = now

    def __call__(
        self, loaded: Loaded
    ) -> Commit[tuple[tuple[Transition, ...], tuple[Trigger, ...]]] | Need:
        lead = loaded[self._rebuilt.id]
        if lead is None:
            if unseen := frozenset(self._rebuilt.trails.keys() - loaded.keys()):
                return Need(unseen)
            if self._began_ms <= max(map(to_ms, erasures_in(loaded).values()), default=-1):
                return Commit(((), ()))  # erased meanwhile
            return self._restored()
        if isinstance(lead, Tombstone):
            return Commit(((), ()))
        if lead.id != self._rebuilt.id:
            return Commit(((), ()))  # merged meanwhile: its trails are another lead's now
        trails = {
            id_: self._renewed(trail, self._rebuilt.trails.get(id_))
            for id_, trail in lead.trails.items()
        }
        renewed = replace(lead, trails=trails)
        settled = settle(renewed, self._scoring.rules, self._scoring.titles, self._now)
        moves = [(lead.id, move) for move in settled.transitions]
        return Commit((settled.transitions, settled.triggers), [settled.lead], {}, moves)

    def _restored(self) -> Commit[tuple[tuple[Transition, ...], tuple[Trigger, ...]]]:
        """A lead that the store has lost: as rebuilt, without sending its triggers again."""
        lead = replace(self._rebuilt, outbox=())
        moves = [(lead.id, move) for move in self._moves]
        return Commit(((), ()), [lead], {i: lead.id for i in lead.trails if i != lead.id}, moves)

    def _renewed(self, trail: Trail, rebuilt: Trail | None) -> Trail:
        """The rebuilt trail, with the events that only the live one has."""
        erased_meanwhile = trail.erased_ms is not None and trail.erased_ms >= self._began_ms
        if rebuilt is None or erased_meanwhile:
            return trail
        newer = [e for key, e in trail.history.kept.items() if key not in rebuilt.history.kept]
        traits = dict(rebuilt.traits)
        for name, fact in trail.traits.items():
            traits[name] = max(fact, traits.get(name, fact))
        notes = latest_notes([*trail.notes, *rebuilt.notes])
        return replace(trail, history=record(rebuilt.history, newer), traits=traits, notes=notes)
