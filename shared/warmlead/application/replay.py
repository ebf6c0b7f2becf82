"""Rebuilds leads from the archive: decides again which signals events are.

Needed when a model changes that (``on``, ``when``); a change of points needs no replay. Stages,
transitions and sent triggers are a record of what was known when: they stay, and the rebuilt lead
moves on from its present stage. Counts of days that the archive no longer has stay too.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from warmlead.application.accept import read_events
from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.application.due import MOST_FAILURES, is_away
from warmlead.application.evaluate import evaluate
from warmlead.application.privacy.erase import erasures_in, unerased
from warmlead.application.send import send
from warmlead.domain import consent
from warmlead.domain.clock_skew import received_by
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.history import day_of, to_ms, with_older
from warmlead.domain.identity import identifiers_of, in_todays_spelling
from warmlead.domain.journey import NotableStep, kept_steps
from warmlead.domain.knowledge import learnt, replayed
from warmlead.domain.lead import Lead, Trail, latest_notes, told_together
from warmlead.domain.recording import record
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import (
    Clock,
    Commit,
    EventBus,
    LeadStore,
    Loaded,
    MessageLog,
    Need,
    Published,
    Tombstone,
    Unreadable,
    Update,
)

T = TypeVar("T")


MESSAGES_TOGETHER = 256
"""How many archived messages are rebuilt in one commit."""

LEADS_TOGETHER = 100
"""How many rebuilt leads are put in place together."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many archived events were read, and how many leads were rebuilt and moved.

    ``failed`` leads stay as they were; ``failures`` are the first errors, by the lead's id.
    """

    events: int
    unreadable: int
    leads: int
    moved: int
    failed: int = 0
    failures: tuple[tuple[str, Exception], ...] = ()


_Replaced: TypeAlias = tuple[tuple[Transition, ...], tuple[Trigger, ...]]
"""The moves and triggers of the replay."""


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

    Each lead is replaced in one commit, and events that come meanwhile stay: it may run beside live
    traffic, be killed, and be run again. ``progress`` is called with the number of events read.
    Raises ``UnavailableError`` if it should be run again.
    """
    began, whole_since = clock.now(), await archive.whole_since()
    events = unreadable = 0
    seen: set[int] = set()
    async for messages in archived_events(archive):
        readable = [message for message in messages if message is not None]
        unreadable += len(messages) - len(readable)
        events += sum(map(len, readable))
        first = [
            [received_by(event, began) for event in first_copies(message, seen)]
            for message in readable
        ]
        await _rebuild(first, scratch, store, scoring)
        progress(events)
    replayed = Replayed(events, unreadable, leads=0, moved=0)
    async for rebuilt in _together(scratch.leads(), LEADS_TOGETHER):
        pasts = await asyncio.gather(*(scratch.transitions(lead.id) for lead in rebuilt))
        changes = [
            _Replacement(lead, past, scoring, began=began, now=clock.now(), whole_since=whole_since)
            for lead, past in zip(rebuilt, pasts, strict=True)
        ]
        replayed = await _put_in_place(changes, replayed, store=store, bus=bus)
    return replayed


async def _put_in_place(
    changes: "Sequence[_Replacement]", before: Replayed, *, store: LeadStore, bus: EventBus
) -> Replayed:
    outcomes = await store.update_each([([change.lead_id], change) for change in changes])
    pairs = list(zip(changes, outcomes, strict=True))
    failed = [(change.lead_id, e) for change, e in pairs if isinstance(e, Exception)]
    replaced = [(change.lead_id, e) for change, e in pairs if not isinstance(e, Exception)]
    triggers = [(id_, trigger) for id_, (_, triggered) in replaced for trigger in triggered]
    await send(triggers, store=store, bus=bus)
    if away := [error for _, error in failed if is_away(error)]:
        raise away[0]
    return replace(
        before,
        leads=before.leads + len(replaced),
        moved=before.moved + sum(bool(moves) for _, (moves, _) in replaced),
        failed=before.failed + len(failed),
        failures=(*before.failures, *failed)[:MOST_FAILURES],
    )


async def archived_events(archive: MessageLog) -> AsyncIterator[Sequence[Sequence[Event] | None]]:
    """The events of archived messages, many messages at a time; ``None``: it cannot be read."""
    log = archive.read(Topic.LEAD_EVENTS)
    async for published in _together(log, MESSAGES_TOGETHER):
        yield [_events_of(each) for each in published]


def _events_of(published: Published) -> Sequence[Event] | None:
    try:
        return read_events(published.message.body)
    except RejectedError:
        return None


async def _together(items: AsyncIterator[T], most: int) -> AsyncIterator[list[T]]:
    """The items, ``most`` at a time."""
    some: list[T] = []
    async for item in items:
        some.append(item)
        if len(some) == most:
            yield some
            some = []
    if some:
        yield some


def first_copies(events: Sequence[Event], seen: set[int]) -> list[Event]:
    """Events whose key is new: an event that was released from quarantine is there twice.

    Adds their keys to those that were ``seen``.
    """
    first = []
    for event in events:
        key = int(event.key, 16)
        if key not in seen:
            seen.add(key)
            first.append(event)
    return first


async def _rebuild(
    messages: Sequence[Sequence[Event]], scratch: LeadStore, store: LeadStore, scoring: Scoring
) -> None:
    """Applies messages as at their arrival: the time is that of their receipt.

    They share a commit, but each is decided by itself, so that every move is recorded.
    """
    events = [event for message in messages for event in message]
    if not events:
        return
    alive = {id(event) for event in await unerased(events, store=store, ids=scoring.ids)}
    updates: list[Update[Applied]] = []
    for message in messages:
        kept = [event for event in message if id(event) in alive]
        if kept:
            home = scoring.ids.of(identifiers_of(in_todays_spelling(kept[0]))[0])
            decision = Decision(kept, scoring, max(event.received_at for event in kept))
            updates.append(([home], decision.__call__))  # a method: it is not joined with others
    for outcome in await scratch.update_each(updates):
        if isinstance(outcome, Exception):
            raise outcome


class _Replacement:
    """The change that gives a lead its rebuilt trails."""

    def __init__(
        self,
        rebuilt: Lead,
        moves: Sequence[Transition],
        scoring: Scoring,
        *,
        began: datetime,
        now: datetime,
        whole_since: datetime | None,
    ) -> None:
        self.lead_id = rebuilt.id
        self._rebuilt = rebuilt
        self._moves = moves
        self._scoring = scoring
        self._began_ms = to_ms(began)
        self._now = now
        self._whole_since = whole_since

    def __call__(self, loaded: Loaded) -> Commit[_Replaced] | Need:
        lead = loaded[self._rebuilt.id]
        if lead is None:
            if unseen := frozenset(self._rebuilt.trails.keys() - loaded.keys()):
                return Need(unseen)
            if self._began_ms <= max(map(to_ms, erasures_in(loaded).values()), default=-1):
                return Commit(((), ()))  # erased meanwhile
            return self._restored()
        if isinstance(lead, Tombstone | Unreadable):
            return Commit(((), ()))
        if lead.id != self._rebuilt.id:
            return Commit(((), ()))  # merged meanwhile: its trails are another lead's now
        trails = {
            id_: self._renewed(trail, self._rebuilt.trails.get(id_))
            for id_, trail in lead.trails.items()
        }
        whole_day = None if self._whole_since is None else day_of(to_ms(self._whole_since))
        knowledge = replayed(
            learnt(lead.knowledge, self._scoring.rules, day_of(to_ms(self._now))), whole_day
        )
        renewed = replace(lead, trails=trails, knowledge=knowledge)
        evaluated = evaluate(renewed, self._scoring.rules, self._now)
        moves = [(lead.id, move) for move in evaluated.transitions]
        return Commit((evaluated.transitions, evaluated.triggers), [evaluated.lead], {}, moves)

    def _restored(self) -> Commit[_Replaced]:
        """A lead that the store has lost: the rebuilt one, without sending its triggers again."""
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
        history = record(rebuilt.history, newer)
        if self._whole_since is not None:  # of pruned messages only counts are left
            history = with_older(history, trail.history, day_of(to_ms(self._whole_since)))
        return replace(
            trail,
            history=history,
            traits=traits,
            consent=consent.rebuilt(trail.consent, rebuilt.consent),
            told=told_together(trail.told, rebuilt.told),
            notes=latest_notes([*trail.notes, *rebuilt.notes]),
            steps=self._steps(trail, rebuilt, {event.key for event in newer}),
        )

    def _steps(
        self, trail: Trail, rebuilt: Trail, newer: AbstractSet[str]
    ) -> tuple[NotableStep, ...]:
        """The steps of the archive's events, and those of events that it does not have."""
        pruned_ms = -1 if self._whole_since is None else to_ms(self._whole_since)
        others = (s for s in trail.steps if s.key in newer or s.at_ms <= pruned_ms)
        return kept_steps((*rebuilt.steps, *others))
