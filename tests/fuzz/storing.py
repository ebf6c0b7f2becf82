"""Whatever was accepted is applied to leads in Firestore, by the real ``apply``, and read back."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from patience import PATIENCE_S
from warmlead.application.accept import read_events
from warmlead.application.apply import Applied, Scoring, apply
from warmlead.domain.capacity import MAX_WEIGHT_BYTES
from warmlead.domain.clock_skew import received_by
from warmlead.domain.errors import UnavailableError
from warmlead.domain.event import AUTOMATED_EVENTS, Event, Property, Trust
from warmlead.domain.event_names import in_our_words
from warmlead.domain.history import MAX_PER_DAY, day_of, to_ms
from warmlead.domain.identity import Identifier, LeadIds, identifiers_of, in_todays_spelling
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.rules import Rules
from warmlead.domain.traits import MAX_PUBLIC_TRAIT_BYTES, MAX_TRAITS
from warmlead.model.loading import ready_model
from warmlead.ports import EventBus
from warmlead.runtime.backends import SystemClock
from warmlead.stores.firestore.store import FirestoreLeadStore

AT_ONCE = 128
"""A machine that does more must not fail; what cannot be stored fails at once."""

DELIVERIES = 5
"""So often is a message handed out while its store does not answer, as Pub/Sub would do."""

OTHER_BYTES = 20_000
"""What is known of a person besides traits, names and origins is less: consent, notes."""


class Stored(NamedTuple):
    """What became of messages: how many events and leads, and the faults by message's index."""

    events: int
    leads: int
    set_aside: Counter[str]
    faults: Mapping[int, str]


class Concerned:
    """The leads of a store, and the most that can ever have been known of each.

    Of a person of whom too much is known the model's own traits are kept, others may be left out.
    """

    def __init__(self, events: Sequence[Event], leads: Mapping[str, Lead], ids: LeadIds) -> None:
        self._leads = leads
        self._ids = ids
        self._keys = Counter(event.key for event in events)
        self._moved = Counter(
            (identifiers_of(event)[0], *_name_and_day(event))
            for event in events
            if not self.once(event)
        )
        sizes: dict[tuple[str, ...], int] = {}
        for event in events:
            home = ids.of(identifiers_of(event)[0])
            for trait, value in event.traits.items():
                place = ("trait", home, trait)
                sizes[place] = max(sizes.get(place, 0), len(trait) + len(json.dumps(value)))
            origin = sum(len(name) + len(json.dumps(v)) for name, v in event.attribution.items())
            sizes["origin", home] = max(sizes.get(("origin", home), 0), 2 * origin)
            sizes["name", home, event.name] = len(event.name)
        self._most: Counter[str] = Counter()
        for (_, home, *_), size in sizes.items():
            self._most[leads[home].id if home in leads else home] += size

    def of(self, identifier: Identifier) -> Lead | None:
        return self._leads.get(self._ids.of(identifier))

    def once(self, event: Event) -> bool:
        """Whether nothing else came with the key of the event."""
        return self._keys[event.key] == 1

    def moved(self, event: Event) -> int:
        """The number of events of its name and day that may have been moved to another day.

        Of two copies the earlier counts. What was beyond the first of its day when the later
        copy was there does not come back.
        """
        return self._moved[identifiers_of(event)[0], *_name_and_day(event)]

    def is_heavy(self, event: Event) -> bool:
        """Whether too much may be known of whom the event names."""
        leads = {lead.id for each in identifiers_of(event) if (lead := self.of(each))}
        return sum(self._most[id_] for id_ in leads) + OTHER_BYTES > MAX_WEIGHT_BYTES


class Storing:
    """Applies messages of lead events; each time to a database of its own, so none grows old."""

    def __init__(self, emulator: str, bus: EventBus, ids: LeadIds) -> None:
        model = ready_model("b2b-saas")
        self._emulator = emulator
        self._bus = bus
        self._scoring = Scoring(model.rules, ids)

    async def store(self, messages: Sequence[bytes]) -> Stored:
        """Applies all of them, and looks for each event on the lead that is then there."""
        project = f"fuzz-{uuid.uuid4().hex[:12]}"
        groups = [read_events(message) for message in messages]
        applied = await self._apply_all(project, groups)
        leads = await self._read_back(project)
        faults: dict[int, str] = {}
        set_aside: Counter[str] = Counter()
        taken = [[*map(_as_now, group)] for group in groups]
        concerned = Concerned([*chain(*taken)], leads, self._scoring.ids)
        for index, (group, result) in enumerate(zip(taken, applied, strict=True)):
            if isinstance(result, BaseException):
                faults[index] = f"cannot be applied: {result!r} caused by {result.__cause__!r}"
                continue
            refused = {event.key: reason for each in result for event, reason in each.quarantined}
            set_aside.update(refused.values())
            counted = [event for event in group if event.key not in refused]
            if fault := self._fault_of(counted, concerned):
                faults[index] = fault
        total = sum(map(len, groups))
        return Stored(total, len({lead.id for lead in leads.values()}), set_aside, faults)

    async def _apply_all(
        self, project: str, groups: Sequence[Sequence[Event]]
    ) -> list[list[Applied] | BaseException]:
        store = FirestoreLeadStore(project, emulator=self._emulator, patience_s=PATIENCE_S)
        gate = asyncio.Semaphore(AT_ONCE)

        async def once(events: Sequence[Event]) -> list[Applied]:
            return await apply(
                events, store=store, bus=self._bus, scoring=self._scoring, clock=SystemClock()
            )

        async def one(events: Sequence[Event]) -> list[Applied]:
            async with gate:
                for _ in range(DELIVERIES - 1):  # what waits too long is delivered again
                    with suppress(UnavailableError):
                        return await once(events)
                return await once(events)

        try:
            return await asyncio.gather(*map(one, groups), return_exceptions=True)
        finally:
            await store.close()

    async def _read_back(self, project: str) -> Mapping[str, Lead]:
        """The leads by the id of each of their identifiers, as another instance reads them."""
        store = FirestoreLeadStore(project, emulator=self._emulator, patience_s=PATIENCE_S)
        try:
            return {id_: lead async for lead in store.leads() for id_ in lead.trails}
        finally:
            await store.close()

    def _fault_of(self, events: Iterable[Event], concerned: Concerned) -> str | None:
        rules = self._scoring.rules
        faults = (lost(event, concerned, rules) for event in events)
        return next((fault for fault in faults if fault), None)


def _as_now(event: Event) -> Event:
    """The event as it is taken today, whenever and wherever it was written."""
    return in_todays_spelling(received_by(event, SystemClock().now()))


def lost(event: Event, concerned: Concerned, rules: Rules) -> str | None:
    """What of an event is not on the leads that are there; ``None`` if all of it is.

    Unless its key came once, it may be kept of somebody else who sent the same.
    """
    once = concerned.once(event)
    if concerned.is_heavy(event) and not once:
        return None
    who = identifiers_of(event)[0]
    lead = concerned.of(who)
    if lead is None:
        return "no lead has its identifier"
    trail = next((each for each in lead.trails.values() if each.identifier == who), None)
    if trail is None:
        return "its identifier is kept differently"
    if once and not any(event.key in each.history.kept for each in lead.trails.values()):
        day = _name_and_day(event)
        alike = [each for each in trail.history.kept.values() if (each.name, each.day) == day]
        if len(alike) + concerned.moved(event) < MAX_PER_DAY:
            return "it is not in the history"
    if all(_is_there(name, event, trail, concerned, rules) for name in event.traits):
        return None
    return "a trait is not there as it was sent"


def _is_there(name: str, event: Event, trail: Trail, concerned: Concerned, rules: Rules) -> bool:
    """Whether a trait of an event is known as it was sent, or need not be."""
    fact, sent, is_known = trail.traits.get(name), event.traits[name], name in rules.traits
    if fact is None:
        may_lack = concerned.is_heavy(event) or len(trail.traits) >= MAX_TRAITS
        return may_lack and not (is_known and concerned.once(event))
    if fact.key != event.key or not concerned.once(event):
        return True
    if is_known and event.trust is Trust.PUBLIC:
        return _is_the_beginning(fact.value, sent)
    return fact.value == sent


def _name_and_day(event: Event) -> tuple[str, int]:
    """The name under which an event is kept, and its day."""
    name = AUTOMATED_EVENTS[event.automated] if event.automated else in_our_words(event).name
    return name, day_of(to_ms(event.occurred_at))


def _is_the_beginning(kept: Property, sent: Property) -> bool:
    """Whether a value is kept whole, or of one that is too long as much as there is room for."""
    if kept == sent:
        return True
    size, most = len(json.dumps(sent)), MAX_PUBLIC_TRAIT_BYTES
    is_cut = size > most >= len(json.dumps(kept))
    if isinstance(kept, str) and isinstance(sent, str):
        return is_cut and sent.startswith(kept) and len(json.dumps(kept)) > most // 2
    if isinstance(kept, list) and isinstance(sent, list):
        return is_cut and sent[: len(kept)] == kept
    return False
