"""The first pages of the dashboard among ever more leads on SQLite, in a process of their own."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.crowd import NOW, asleep, people
from bench.filling import filled
from bench.report import Goal, heading, note, table
from bench.run import Run
from bench.viewer import PATHS, View
from builders import a_transition
from warmlead.dashboard.figures import MONTHS, MOST_MOVES, WEEKS, WINDOWS_DAYS
from warmlead.reporting.periods import Span, last_period
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.move_codec import write_transition
from warmlead.stores.sqlite import StoredRow
from warmlead.stores.sqlite_reports import SqliteReportStore

PATIENCE_S = 600
MOST_MS = 200.0
MOST_MB = 150.0
FULL, QUICK = (1_000, 100_000, 1_000_000), (500, 5_000)

STAGES = ("lead",) * 12 + ("mql",) * 3 + ("customer",)
NAMES = ("ada", "grace", "linus", "margaret", "alan", "barbara", "edsger", "katherine", "radia")
COMPANIES = ("acme", "globex", "initech", "hooli", "stark", "wonka", "aperture")
OVERDUE_EVERY = 500

EXAMPLE = Path(__file__).parents[2] / "docs/messages/warmlead.kpi.reported.v1.example.json"


def measure(run: Run) -> None:
    """Prints what the first pages take, and what they take in memory."""
    sizes = QUICK if run.quick else FULL
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        views = {leads: _viewed(Path(folder), leads) for leads in sizes}
    heading("First pages of the dashboard on SQLite, a process of its own (ms; first, then median)")
    columns = ["", *PATHS, "peak MB"]
    table(columns, [(f"{leads:,} leads", *_cells(found)) for leads, found in views.items()])
    note(
        f"The overview adds up {MOST_MOVES:,} moves at most, as here, and {WEEKS + MONTHS} reports."
    )
    note("First: of a process that has opened the file, and has shown no page before.")
    note("By an owner who has no lead: goes through an index to its end, as no other list does.")
    slowest = max(view.median_ms for found in views.values() for view in found[:2])
    peak = max(view.peak_mb for found in views.values() for view in found)
    goal = f"overview and leads of the dashboard below {MOST_MS:.0f} ms at any size"
    run.goals.append(Goal(goal, f"{slowest:.0f} ms", slowest < MOST_MS))
    goal = f"the dashboard takes less than {MOST_MB:.0f} MB at any size"
    run.goals.append(Goal(goal, f"{peak:.0f} MB", peak < MOST_MB))


def _cells(views: Sequence[View]) -> Sequence[str]:
    times = [f"{view.first_ms:.0f}, {view.median_ms:.0f}" for view in views]
    return *times, f"{max(view.peak_mb for view in views):.0f}"


def _viewed(folder: Path, leads: int) -> Sequence[View]:
    path = folder / f"{leads}.sqlite3"
    with closing(filled(path, (row.values for row in _rows(leads)))) as connection:
        every = timedelta(days=max(WINDOWS_DAYS)) / MOST_MOVES
        moves = [a_transition(at=NOW - every * number) for number in range(10 * MOST_MOVES)]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO transitions (lead_id, record) VALUES (?, ?)",
            [(f"lead-{number}", write_transition(move)) for number, move in enumerate(moves)],
        )
        connection.execute("COMMIT")
    asyncio.run(_keep_reports(path))
    done = subprocess.run(
        [sys.executable, "-m", "bench.viewer", str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode:
        raise RuntimeError(f"The pages failed:\n{done.stderr}")
    for written in folder.glob(f"{path.name}*"):
        written.unlink()
    return [View(**each) for each in json.loads(done.stdout)]


def _rows(leads: int) -> Iterator[StoredRow]:
    """Rows in every stage, with any score and activity, and a name and a company each."""
    kind, today = asleep(), NOW.toordinal() - 719_163
    for person in people(leads):
        number = person.number
        id_, (text, unsent, at, decay_on, *_), (_, due, *_) = kind.row_for(person)
        score, active = number * 7919 % 150, today - number * 31 % 300
        name, company = NAMES[number % len(NAMES)], COMPANIES[number % len(COMPANIES)]
        words = [f"{name} l{number:07}", f"l{number:07} {name}", f"{company} {number % 1_000}"]
        listed = (today - number % 200, "AB"[number % 2], "google", f"owner-{number % 40}")
        is_overdue = number % OVERDUE_EVERY == 0
        yield StoredRow(
            id_,
            (text, unsent, at, decay_on, score, active * 100_000 + score),
            (STAGES[number % len(STAGES)], due, *listed, is_overdue, json.dumps(words)),
        )


async def _keep_reports(path: Path) -> None:
    report = json.dumps(json.loads(EXAMPLE.read_text(encoding="utf-8"))["data"])
    async with SqliteFile(path) as file:
        store = SqliteReportStore(file)
        for span, count in ((Span.WEEK, WEEKS), (Span.MONTH, MONTHS)):
            moment = NOW
            for _ in range(count):
                period = last_period(span, moment)
                await store.keep(period.name, report)
                moment = period.start
