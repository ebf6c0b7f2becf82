"""Whatever was accepted is applied to leads in Firestore, by the real ``apply``, and read back."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from warmlead.application.apply import Applied, Scoring, apply
from warmlead.application.messages import read_events
from warmlead.backends import SystemClock
from warmlead.domain.event import Event
from warmlead.domain.history import MAX_PER_DAY, day_of, to_ms
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.lead import MAX_TRAITS, Lead
from warmlead.model.loading import ready_model
from warmlead.ports import EventBus
from warmlead.stores.firestore import FirestoreLeadStore

AT_ONCE = 128
PATIENCE_S = 60.0
"""A machine that does more must not fail; what cannot be stored fails at once."""


class Stored(NamedTuple):
    """What became of messages: how many events and leads, and the faults by message's index."""

    events: int
    leads: int
    set_aside: Counter[str]
    faults: Mapping[int, str]


class Storing:
    """Applies messages of lead events; each time to a database of its own, so none grows old."""

    def __init__(self, emulator: str, bus: EventBus, ids: LeadIds) -> None:
        model = ready_model("b2b-saas")
        self._emulator = emulator
        self._bus = bus
        self._scoring = Scoring(model.rules, model.titles, ids)

    async def store(self, messages: Sequence[bytes]) -> Stored:
        """Applies all of them, and looks for each event on the lead that is then there."""
        project = f"fuzz-{uuid.uuid4().hex[:12]}"
        groups = [read_events(message) for message in messages]
        applied = await self._apply_all(project, groups)
        leads = await self._read_back(project)
        faults: dict[int, str] = {}
        set_aside: Counter[str] = Counter()
        keys = Counter(event.key for group in groups for event in group)
        for index, (group, result) in enumerate(zip(groups, applied, strict=True)):
            if isinstance(result, BaseException):
                faults[index] = f"cannot be applied: {result!r} caused by {result.__cause__!r}"
                continue
            refused = {event.key: reason for each in result for event, reason in each.quarantined}
            set_aside.update(refused.values())
            counted = [event for event in group if event.key not in refused]
            if fault := self._fault_of(counted, leads, keys):
                faults[index] = fault
        total = sum(map(len, groups))
        return Stored(total, len({lead.id for lead in leads.values()}), set_aside, faults)

    async def _apply_all(
        self, project: str, groups: Sequence[Sequence[Event]]
    ) -> list[list[Applied] | BaseException]:
        store = FirestoreLeadStore(project, emulator=self._emulator, patience_s=PATIENCE_S)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(events: Sequence[Event]) -> list[Applied]:
            async with gate:
                return await apply(
                    events, store=store, bus=self._bus, scoring=self._scoring, clock=SystemClock()
                )

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

    def _fault_of(
        self, events: Iterable[Event], leads: Mapping[str, Lead], keys: Counter[str]
    ) -> str | None:
        faults = (
            lost(event, leads, self._scoring.ids, once=keys[event.key] == 1) for event in events
        )
        return next((fault for fault in faults if fault), None)


def lost(event: Event, leads: Mapping[str, Lead], ids: LeadIds, *, once: bool = True) -> str | None:
    """What of an event is not on the leads that are there; ``None`` if all of it is.

    Unless its key came ``once``, it may be kept of somebody else who sent the same.
    """
    who = identifiers_of(event)[0]
    lead = leads.get(ids.of(who))
    if lead is None:
        return "no lead has its identifier"
    trail = lead.trails[ids.of(who)]
    if trail.identifier != who:
        return "its identifier is kept differently"
    at_ms = to_ms(event.occurred_at)
    if once and not any(event.key in each.history.kept for each in lead.trails.values()):
        alike = [
            e for e in trail.history.kept.values() if (e.name, e.day) == (event.name, day_of(at_ms))
        ]
        if len(alike) < MAX_PER_DAY:
            return "it is not in the history"
    if len(trail.traits) >= MAX_TRAITS:
        return None
    for name, value in event.traits.items():
        fact = trail.traits.get(name)
        if fact is None or (once and fact.key == event.key and fact.value != value):
            return "a trait is not there as it was sent"
    return None
