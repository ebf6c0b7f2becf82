"""A model in which leads live on, and leads that are due under it. Holds no assertion."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import StandingClock, an_event, lead_ids
from unit.application.conftest import SUBSCRIPTIONS, ScoreFrom
from warmlead.application.due import EvaluationContext, FollowedUp, RunProgress, decay, follow_up
from warmlead.application.evaluate import evaluate
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.handoff import HandoffPolicy
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.nurture import SequencePolicy, SequenceStep
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import InactivityPolicy, ScoringPolicy, SignalPolicy
from warmlead.domain.stages import Facts, StagePolicy
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.ports import Clock, EventBus, LeadStore, Message
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

PAGE_LEADS = 50
"""Small pages, so that few leads fill several."""

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Says:
    """Holds if a fact is one of some values, or a number at least so large."""

    fact: str
    values: tuple[str, ...] = ()
    least: int = 0

    def __call__(self, facts: Facts) -> bool:
        value = facts.get(self.fact)
        return (
            value in self.values if self.values else isinstance(value, int) and value >= self.least
        )

    def missing(self, facts: Facts) -> tuple[str, ...]:
        return () if self(facts) else (self.fact,)


LIVING = Rules(
    version="living",
    classify=lambda event: (event.name,) if event.name == "page_viewed" else (),
    know=dict,
    fit_rules=(),
    scoring=ScoringPolicy(
        {"page_viewed": SignalPolicy(10, half_life_days=7)},
        {},
        InactivityPolicy(after_days=14, lose_ppm=200_000, every_days=7),
    ),
    stages=(StagePolicy("mql", ScoreFrom(30), ScoreFrom(20, below=True), cooldown=10 * DAY),),
    counters=frozenset(),
    handoff=HandoffPolicy(first_touch_within=HOUR, accept_within=DAY, remind_after=HOUR / 2),
    sequences=(
        SequencePolicy(
            "welcome",
            start=Says("stage", ("mql",)),
            stop=Says("stage", ("sql", "disqualified")),
            steps=(
                SequenceStep(timedelta(0), "guide"),
                SequenceStep(3 * DAY, "study"),
                SequenceStep(6 * DAY, "offer"),
            ),
            again_after=5 * DAY,
        ),
        SequencePolicy(
            "wake-up",
            start=Says("days_inactive", least=9),
            stop=Says("stage", ("disqualified",)),
            steps=(SequenceStep(timedelta(0), "news"), SequenceStep(2 * DAY, "best-of")),
            again_after=20 * DAY,
            alongside=True,
        ),
    ),
)
"""Ten points a page view, halved in a week; an MQL from 30 on is offered, and nurtured."""


def settling(store: LeadStore, bus: EventBus, clock: Clock) -> EvaluationContext:
    return EvaluationContext(store, bus, LIVING, clock, PAGE_LEADS, PAGE_LEADS // 2)


def a_reader(name: str, pages: int, now: datetime) -> Lead:
    """Somebody who has just viewed so many pages, settled, and all triggers sent."""
    events = [
        an_event(id=f"{name}-{i}", email=f"{name}@example.com", occurred_at=now, received_at=now)
        for i in range(pages)
    ]
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, LIVING)
    (lead,) = resolve_identities([], trails, LIVING, now)
    return replace(evaluate(lead, LIVING, now).lead, outbox=())


def readers(count: int, pages: int, now: datetime) -> Sequence[Lead]:
    return [a_reader(f"reader-{i}", pages, now) for i in range(count)]


class Place:
    """One process on a file."""

    def __init__(self, file: SqliteFile, now: datetime) -> None:
        self.file = file
        self.clock = StandingClock(now)
        self.store = SqliteLeadStore(file, self.clock)
        self.bus = SqliteBus(file, self.clock, SUBSCRIPTIONS)

    async def decay(self, **others: Any) -> RunProgress:
        return await decay(settling(self.store, self.bus, self.clock), **others)

    async def follow_up(self, **others: Any) -> FollowedUp:
        return await follow_up(settling(self.store, self.bus, self.clock), **others)

    async def triggers(self) -> list[Message]:
        return [p.message for topic in TRIGGER_TOPICS async for p in self.bus.read(topic)]

    async def leads(self) -> list[Lead]:
        return [lead async for lead in self.store.leads()]

    async def state(self) -> Mapping[str, Any]:
        """Everything that may not depend on what happened on the way."""
        leads = await self.leads()
        return {
            "leads": leads,
            "nurture": {lead.id: await self.store.nurtured(lead.id) for lead in leads},
            "moves": {lead.id: await self.store.transitions(lead.id) for lead in leads},
            "triggers": {m.attributes["id"]: m for m in await self.triggers()},
        }


@asynccontextmanager
async def place(path: Path, now: datetime) -> AsyncIterator[Place]:
    async with SqliteFile(path) as file:
        yield Place(file, now)
