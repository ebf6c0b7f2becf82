"""The use cases on the real SQLite adapters, a clock that stands, and a model of three lines."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import StandingClock, an_event, lead_ids
from warmlead.application.apply import Applied, Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.errors import UnavailableError
from warmlead.domain.event import Event
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.stages import Facts, StagePolicy
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.ports import Message, Published
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

SUBSCRIPTIONS = {"score": Topic.LEAD_EVENTS, "quarantine": Topic.QUARANTINE}


@dataclass(frozen=True)
class ScoreFrom:
    """Holds from a score on, or below it."""

    points: int
    below: bool = False

    def __call__(self, facts: Facts) -> bool:
        return (facts["score"] < self.points) is self.below  # type: ignore[operator]  # a number

    def missing(self, facts: Facts) -> tuple[str, ...]:
        return () if self(facts) else (f"score >= {self.points}",)


_SIGNALS = {"page_viewed": ("page_viewed",), "email_unsubscribed": ("unsubscribed",)}
RULES = Rules(
    version="v1",
    classify=lambda event: _SIGNALS.get(event.name, ()),
    know=dict,
    fit_rules=(),
    scoring=ScoringPolicy(
        {"page_viewed": SignalPolicy(10), "unsubscribed": SignalPolicy(-15, per_day=1)}, {}
    ),
    stages=(StagePolicy("mql", enter=ScoreFrom(30), leave=ScoreFrom(20, below=True)),),
    counters=frozenset(),
)
"""Ten points a page view; from 30 an MQL, below 20 none any more."""


class FailingBus:
    """A bus that is away while it is told to be; it remembers what it was asked to send."""

    def __init__(self, bus: SqliteBus) -> None:
        self._bus = bus
        self.away: frozenset[str] = frozenset()
        self.asked: list[tuple[str, Message]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        self.asked += [(topic, message) for message in messages]
        if topic in self.away:
            raise UnavailableError("the bus is away")
        return await self._bus.publish(topic, messages)


class World:
    """One process on one file."""

    def __init__(self, file: SqliteFile, clock: StandingClock, rules: Rules = RULES) -> None:
        self.file = file
        self.clock = clock
        self.store = SqliteLeadStore(file, clock)
        self.sqlite_bus = SqliteBus(file, clock, SUBSCRIPTIONS)
        self.bus = FailingBus(self.sqlite_bus)
        self.ids = lead_ids
        self.use(rules)

    def use(self, rules: Rules) -> None:
        self.rules = rules
        self.scoring = Scoring(rules, lead_ids)

    async def apply(self, *events: Event) -> list[Applied]:
        return await apply(
            events, store=self.store, bus=self.bus, scoring=self.scoring, clock=self.clock
        )

    def seen(self, number: int, name: str = "page_viewed", **fields: Any) -> Event:
        """An event that was received just now."""
        now = self.clock.now()
        defaults = {"id": f"event-{number}", "name": name, "occurred_at": now, "received_at": now}
        return an_event(**{**defaults, **fields})

    async def pages(self, first: int, count: int, **fields: Any) -> list[Applied]:
        return await self.apply(*(self.seen(i, **fields) for i in range(first, first + count)))

    async def lead(self, like: Event | None = None) -> Lead:
        """Ada, or the lead whom an event names."""
        lead = await self.store.get(lead_ids.of(identifiers_of(like or an_event())[0]))
        assert lead is not None
        return lead

    async def published(self, *topics: str) -> list[Published]:
        found = [p for topic in topics async for p in self.sqlite_bus.read(topic)]
        return sorted(found, key=lambda published: published.number)

    async def triggers(self) -> list[Mapping[str, Any]]:
        return [json.loads(p.message.body) for p in await self.published(*TRIGGER_TOPICS)]


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def world(tmp_path: Path, clock: StandingClock) -> AsyncIterator[World]:
    async with SqliteFile(tmp_path / "warmlead.sqlite3") as file:
        yield World(file, clock)


def with_points(points: int, rules: Rules = RULES) -> Rules:
    """The same model, but for what a page view is worth."""
    signals = {**rules.scoring.signals, "page_viewed": SignalPolicy(points)}
    return replace(rules, version=f"v{points}", scoring=replace(rules.scoring, signals=signals))


DAY = timedelta(days=1)
