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
from functools import partial
from typing import TypeAlias, TypeVar

from msgspec import structs

from warmlead.application.accept import read_events
from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.application.due import MOST_FAILURES, is_away
from warmlead.application.evaluate import evaluate, refuse_if_full
from warmlead.application.privacy.erase import erasures_in, unerased
from warmlead.application.seen_keys import SeenKeys
from warmlead.application.send import send
from warmlead.domain import consent
from warmlead.domain.clock_skew import received_by
from warmlead.domain.errors import ConfigurationError, RejectedError
from warmlead.domain.event import Event
from warmlead.domain.history import day_of, to_ms, with_older
from warmlead.domain.identity import LeadIds, identifiers_of, in_todays_spelling
from warmlead.domain.journey import NotableStep, kept_steps
from warmlead.domain.knowledge import learnt, replayed
from warmlead.domain.lead import Lead, Trail, latest_notes, told_together
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.readings import Readings, joined_readings, readings_within
from warmlead.domain.recording import record
from warmlead.domain.shadow_rules import replayed_in_shadow
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.domain.unjudged import joined_unjudged
from warmlead.ports import (
    Clock,
    Commit,
    EventBus,
    LeadStore,
    Loaded,
    Need,
    Published,
    Tombstone,
    Unreadable,
    Update,
)
from warmlead.ports.archiving import MessageLog

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
    Raises ``UnavailableError`` if it should be run again, ``ConfigurationError`` if the leads of
    the archive have other ids.
    """
    began, whole_since = clock.now(), await archive.whole_since(Topic.LEAD_EVENTS)
    events = unreadable = 0
    seen = SeenKeys()
    async for messages in archived_events(archive, scoring.ids):
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
        mails = await asyncio.gather(*(scratch.nurtured(lead.id) for lead in rebuilt))
        changes = [
            _Replacement(
                *(lead, past, sent, scoring), began=began, now=clock.now(), whole_since=whole_since
            )
            for lead, past, sent in zip(rebuilt, pasts, mails, strict=True)
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


async def archived_events(
    archive: MessageLog, ids: LeadIds
) -> AsyncIterator[Sequence[Sequence[Event] | None]]:
    """The events of archived messages, many messages at a time; ``None``: it cannot be read.

    Raises ``ConfigurationError`` if the first messages were accepted under other ids of leads.
    """
    is_first = True
    async for published in _together(archive.read(Topic.LEAD_EVENTS), MESSAGES_TOGETHER):
        messages = [_events_of(each) for each in published]
        if is_first:
            _refuse_others_ids(published, messages, ids)
        is_first = False
        yield messages


def _refuse_others_ids(
    published: Sequence[Published], messages: Sequence[Sequence[Event] | None], ids: LeadIds
) -> None:
    """Each message names the lead of its events, by an id that a secret has made."""
    known = [
        named == ids.of(identifiers_of(events[0])[0])
        for each, events in zip(published, messages, strict=True)
        if events and (named := each.message.attributes.get("lead_id"))
    ]
    if known and not any(known):
        problem = "the leads of the archive have other ids: take the secret under which it came"
        raise ConfigurationError.one("WARMLEAD_ID_SECRET is another one:", problem)


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


def first_copies(events: Sequence[Event], seen: SeenKeys) -> list[Event]:
    """Events whose key is new: an event that was released from quarantine is there twice.

    Adds their keys to those that were ``seen``.
    """
    return [event for event in events if seen.add(int(event.key, 16))]


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
            updates.append(([home], partial(_decided, decision)))  # it is not joined with others
    for outcome in await scratch.update_each(updates):
        if isinstance(outcome, Exception):
            raise outcome


def _decided(decision: Decision, loaded: Loaded) -> Commit[Applied] | Need:
    """What events change, without messages: those were sent when the events came."""
    decided = decision(loaded)
    if isinstance(decided, Need):
        return decided
    return structs.replace(decided, leads=[replace(lead, outbox=()) for lead in decided.leads])


class _Replacement:
    """The change that gives a lead its rebuilt trails."""

    def __init__(
        self,
        rebuilt: Lead,
        moves: Sequence[Transition],
        nurtured: Sequence[NurtureRecord],
        scoring: Scoring,
        *,
        began: datetime,
        now: datetime,
        whole_since: datetime | None,
    ) -> None:
        self.lead_id = rebuilt.id
        self._rebuilt = rebuilt
        self._moves = moves
        self._nurtured = nurtured
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
        if second := self._scoring.rules.shadow:
            renewed = replayed_in_shadow(renewed, second, whole_day, self._now)
        refuse_if_full([renewed], self._scoring.rules)
        evaluated = evaluate(renewed, self._scoring.rules, self._now)
        moves = [(lead.id, move) for move in evaluated.transitions]
        return Commit(
            (evaluated.transitions, evaluated.triggers),
            [evaluated.lead],
            {},
            moves,
            nurtured=evaluated.records,
        )

    def _restored(self) -> Commit[_Replaced]:
        """A lead that the store has lost: the rebuilt one."""
        lead = self._rebuilt
        moves = [(lead.id, move) for move in self._moves]
        aliases = {i: lead.id for i in lead.trails if i != lead.id}
        nurtured = [(lead.id, record) for record in self._nurtured]
        return Commit(((), ()), [lead], aliases, moves, nurtured=nurtured)

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
            readings=self._readings(trail, rebuilt, {event.day for event in newer}),
            unjudged=joined_unjudged(
                rebuilt.unjudged,
                {e.key: trail.unjudged[e.key] for e in newer if e.key in trail.unjudged},
            ),
        )

    def _readings(self, trail: Trail, rebuilt: Trail, newer: AbstractSet[int]) -> Readings:
        """The archive's readings, and those of the days of events that it does not have."""
        pruned = -1 if self._whole_since is None else day_of(to_ms(self._whole_since))
        others = readings_within(trail.readings, lambda day: day in newer or day <= pruned)
        return joined_readings(rebuilt.readings, others)

    def _steps(
        self, trail: Trail, rebuilt: Trail, newer: AbstractSet[str]
    ) -> tuple[NotableStep, ...]:
        """The steps of the archive's events, and those of events that it does not have."""
        pruned_ms = -1 if self._whole_since is None else to_ms(self._whole_since)
        others = (s for s in trail.steps if s.key in newer or s.at_ms <= pruned_ms)
        return kept_steps((*rebuilt.steps, *others))
