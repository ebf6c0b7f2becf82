"""An event at a lead with few and with thousands of earlier ones, by the same use case."""

import asyncio
import random
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench.cloud import MODEL
from bench.crowd import NOW
from bench.report import Goal, heading, note, table
from bench.run import Run
from bench.traffic import IDS
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.runtime import backends
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

FEW, MANY = 100, 5_000
A_DAY = 30
MOST_RATIO = 2.0
TOGETHER = 250
NAMES = (*["page_viewed"] * 3, "feature_used", "logged_in", "report_opened", "searched")
PATHS = ("/pricing", "/blog", "/docs", "/customers/a")


class Spread(NamedTuple):
    """How earlier events are spread over the days before."""

    name: str
    events: int
    days: float


SPREADS = tuple(
    Spread(name, events, days)
    for name, few_days, many_days in (
        (f"{A_DAY} a day", FEW / A_DAY, MANY / A_DAY),
        ("all in 30 days", 30, 30),
    )
    for events, days in ((FEW, few_days), (MANY, many_days))
)


class _Clock:
    """A clock that is set."""

    time = NOW

    def now(self) -> datetime:
        return self.time


def measure(run: Run) -> None:
    """Prints the processor time of one event, and what thousands of earlier ones add to it."""
    rounds = 30 if run.quick else 150
    heading("One event at a lead with ever more earlier ones (SQLite, apply; µs of processor time)")
    took = {spread: asyncio.run(_took_us(spread, rounds)) for spread in SPREADS}
    table(["", "earlier", "µs"], [(s.name, f"{s.events:,}", f"{us:.0f}") for s, us in took.items()])
    note("the median of single events, each in a commit of its own")
    ratio = max(
        took[many] / took[few] for few, many in zip(SPREADS[::2], SPREADS[1::2], strict=True)
    )
    claim = f"an event costs at most {MOST_RATIO:.0f} times as much after {MANY:,} as after {FEW}"
    run.goals.append(Goal(claim, f"{ratio:.2f}", ratio <= MOST_RATIO))


async def _took_us(spread: Spread, rounds: int) -> float:
    model, clock, chance = backends.load_model(MODEL), _Clock(), random.Random(7)
    scoring = Scoring(model.rules, IDS)
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        async with SqliteFile(Path(folder, "warmlead.sqlite3")) as file:
            store = SqliteLeadStore(file, clock)
            bus = SqliteBus(file, clock, topics_of_subscriptions())
            earlier = [
                _event(i, NOW - timedelta(days=spread.days * (1 - i / spread.events)), chance)
                for i in range(spread.events)
            ]
            for start in range(0, len(earlier), TOGETHER):
                some = earlier[start : start + TOGETHER]
                clock.time = some[-1].received_at
                await apply(some, store=store, bus=bus, scoring=scoring, clock=clock)
            took = []
            for i in range(rounds):
                clock.time = NOW + timedelta(seconds=i)
                event = _event(spread.events + i, clock.time, chance)
                start_s = time.process_time()
                await apply([event], store=store, bus=bus, scoring=scoring, clock=clock)
                took.append(time.process_time() - start_s)
            lead = await store.get(IDS.of(identifiers_of(earlier[0])[0]))
            if lead is None or lead.kept_events < min(FEW, spread.events):
                raise RuntimeError("the events are not on the lead")
    return statistics.median(took) * 1e6


def _event(number: int, at: datetime, chance: random.Random) -> Event:
    name = chance.choice(NAMES)
    return Event(
        id=f"e{number}",
        source="segment",
        trust=Trust.PUBLIC,
        name=name,
        occurred_at=at,
        received_at=at,
        email="user@example.com",
        properties={"path": chance.choice(PATHS)} if name == "page_viewed" else {"feature": "x"},
    )
