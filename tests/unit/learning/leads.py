"""Leads whose outcomes are known, made by the real import and by real requests. No assertion."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import NOW, StandingClock, an_event, lead_ids
from unit.application.history.persons import importing, of_then, taken_in
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.event import Event
from warmlead.domain.rules import Rules
from warmlead.learning.observations import Observation, Question
from warmlead.learning.observing import Observed, observe
from warmlead.model.loading import load
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

DAY = timedelta(days=1)

MODEL = """
signals:
  page_viewed: {on: page_viewed, points: 5, half_life: 14d, per_day: 3}
  demo_requested: {on: demo_requested, points: 30, max_count: 1}
fit:
  large: {when: employees >= 100, points: 20}
  searched: {when: first.channel == "Organic Search", points: 5}
bonuses:
  regular: {when: last_30d.page_viewed >= 3, points: 7}
inactivity: {after: 5d, lose: 50%, every: 30d}
stages:
  mql: {enter: score >= 40, leave: score < 20}
"""

RULES: Rules = load(MODEL, name="of the tests").rules

QUESTION = Question(outcome="customer", within=90 * DAY)


@dataclass
class Books:
    """A store of leads, and the moves in it."""

    file: SqliteFile
    clock: StandingClock
    rules: Rules = RULES

    def __post_init__(self) -> None:
        self.store = SqliteLeadStore(self.file, self.clock)
        self.reports = SqliteReportStore(self.file)
        self.bus = SqliteBus(self.file, self.clock, topics_of_subscriptions())
        self._scoring = Scoring(self.rules, lead_ids)

    async def imported(self, *persons: Sequence[Event]) -> None:
        """Takes in what files say of persons."""
        await taken_in(self.store, *persons, using=importing(self.rules))

    async def happens(self, *events: Event) -> None:
        """What senders tell now."""
        await apply(events, store=self.store, bus=self.bus, scoring=self._scoring, clock=self.clock)

    async def observed(
        self, question: Question = QUESTION, now: datetime = NOW
    ) -> tuple[list[Observation], Observed]:
        """The ripe leads, and what was left out."""
        told = Observed()
        seen = observe(self.store, self.reports, self.rules, question, now=now, observed=told)
        return [each async for each in seen], told

    async def spoil(self, lead_id: str) -> None:
        """Makes the document of a lead unreadable."""

        def write(connection: sqlite3.Connection, ids: Sequence[str]) -> Sequence[None]:
            connection.executemany(
                "UPDATE leads SET document = 'spoilt' WHERE id = ?", [(each,) for each in ids]
            )
            return [None for _ in ids]

        await self.file.write(write, lead_id)

    async def one(self, question: Question = QUESTION) -> Observation:
        """The only ripe lead."""
        (each,), _ = await self.observed(question)
        return each


@asynccontextmanager
async def books(folder: Path, rules: Rules = RULES) -> AsyncIterator[Books]:
    async with SqliteFile(folder / "leads.sqlite3", durable=False) as file:
        yield Books(file, StandingClock(), rules)


def did(who: str, name: str, day: float, **fields: Any) -> Event:
    """An event of long ago, in a file that is imported."""
    return of_then(name, day, id=f"{who}-{name}-{day}", email=f"{who}@example.com", **fields)


def says(who: str, name: str, at: datetime, **fields: Any) -> Event:
    """An event that a sender tells as it happens."""
    id_ = f"{who}-{name}-{at.isoformat()}"
    who = f"{who}@example.com"
    return an_event(id=id_, name=name, email=who, occurred_at=at, received_at=at, **fields)
