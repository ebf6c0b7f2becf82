"""What a report of a year ago takes on SQLite, by the length of its period.

Of two years of moves most are by leads that only become known, as in real funnels.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random

from bench.cloud import MODEL
from bench.crowd import DAY, NOW
from bench.report import heading, note, table
from bench.run import Run
from builders import StandingClock, a_lead_named, a_transition, keeping
from warmlead.application.report import Reporting, add_up
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.reporting.periods import Span, period_of
from warmlead.runtime import backends
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

MOVES, QUICK_MOVES = 100_000, 10_000
DAYS = 730
PASSED_ON = (("mql", 0.3), ("sql", 0.35), ("customer", 0.3))
"""To which stage which share of the leads of the stage before goes on."""


def measure(run: Run) -> None:
    """Prints the processor time of reports of a year ago."""
    moves = QUICK_MOVES if run.quick else MOVES
    heading(f"Reports of a year ago among {moves:,} moves in two years (SQLite)")
    table(("period", "became known", "MQLs", "CPU, s", "s"), asyncio.run(_measured(moves)))
    note("With the cohorts of all who made a step in the period, until today.")


async def _measured(moves: int) -> list[tuple[object, ...]]:
    rules, clock = backends.load_model(MODEL).rules, StandingClock(NOW)
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        async with SqliteFile(Path(folder, "warmlead.sqlite3"), durable=False) as file:
            leads, reports = SqliteLeadStore(file, clock), SqliteReportStore(file)
            people = _people(moves)
            while some := list(islice(people, 500)):
                kept = [lead for lead, made in some if len(made) > 1]
                recorded = [(lead.id, move) for lead, made in some for move in made]
                await leads.update([], keeping(*kept, transitions=recorded))
            bus = SqliteBus(file, clock, topics_of_subscriptions())
            reporting = Reporting(leads, reports, bus, rules)
            rows = []
            for span in Span:
                period = period_of(span, NOW - 365 * DAY)
                wall, cpu = time.monotonic(), time.process_time()
                made = await add_up(reporting, period, NOW)
                took = (time.process_time() - cpu, time.monotonic() - wall)
                mqls = made.stages["mql"].entered
                rows.append((period.name, made.became_known, mqls, *(f"{s:.2f}" for s in took)))
            return rows


def _people(moves: int) -> Iterator[tuple[Lead, list[Transition]]]:
    """Leads that became known in two years, and how far each came."""
    chance, number = Random(5), 0
    while moves > 0:
        at, stage = NOW - chance.random() * DAYS * DAY, "lead"
        made = [a_transition(at=at, from_stage="anonymous", to_stage=stage)]
        for further, share in PASSED_ON:
            at += timedelta(hours=chance.expovariate(1 / 200))
            if chance.random() >= share or at >= NOW:
                break
            made.append(a_transition(at=at, from_stage=stage, to_stage=further))
            stage = further
        yield a_lead_named(f"person-{number}"), made
        number += 1
        moves -= len(made)
