"""Seeing 100,000 leads as they were known: what a back-test or a calibration reads first.

Each measure is a process of its own, which prints what it took as JSON.
"""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct, structs

from bench.cloud import MODEL
from bench.crowd import DAY, NOW, Person, people
from bench.filling import fill_file
from bench.past_days import DAYS, compared
from bench.report import Goal, heading, note, table
from bench.run import Run
from warmlead.domain.stages import MoveCause, Transition
from warmlead.learning.backtest import backtest_of
from warmlead.learning.matrix import MatrixBuilder
from warmlead.learning.observations import Question
from warmlead.learning.observing import Observed, cases, observe
from warmlead.model.loading import Model, load
from warmlead.runtime import backends
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.move_codec import write_transition
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

LEADS, QUICK_LEADS = 100_000, 5_000
PLAYED = 1_000
MOST_S, MOST_MB = 90.0, 400.0
MOST_JUDGED_S, MOST_JUDGED_MB = 120.0, 500.0

QUESTION = Question(outcome="customer", within=20 * DAY)
"""The crowd became known 30 days ago, so all of it is ripe."""


class Seen(Struct, frozen=True):
    """What it took to see the leads of a file."""

    ripe: int
    won: int
    cpu_s: float
    seconds: float
    peak_mb: float


def measure(run: Run) -> None:
    """Prints the processor time and the memory of seeing every lead."""
    leads = QUICK_LEADS if run.quick else LEADS
    heading(f"{leads:,} leads seen as they were known a week after they became known (SQLite)")
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        path = Path(folder, "warmlead.sqlite3")
        fill_file(path, leads, leads // 100)
        _add_moves(path, people(leads))
        took = {name: _measured(path, name) for name in ("cases", "matrix", "backtest")}
    table(
        ["", "ripe", "won", "CPU s", "s", "µs a lead", "peak MB"],
        [
            (
                *(name, f"{each.ripe:,}", f"{each.won:,}", f"{each.cpu_s:.1f}"),
                *(f"{each.seconds:.1f}", f"{each.cpu_s / leads * 1e6:.0f}", f"{each.peak_mb:.0f}"),
            )
            for name, each in took.items()
        ],
    )
    note("cases: each lead as it stood; matrix: with its score, worths and counts, as columns;")
    note("backtest: two models judged, with examples and reasons")
    played = 100 if run.quick else PLAYED
    past = asyncio.run(compared(played))
    note(f"{past.scores:,} scores of {played:,} leads on {DAYS} days, computed a month later:")
    note(f"{past.differ} differ from what was shown; in lists as of then {past.differ_in_list}")
    whole, judged = took["matrix"], took["backtest"]
    run.goals += [
        Goal(
            f"{leads:,} leads are seen in {MOST_S:.0f} s",
            f"{whole.cpu_s:.0f} s",
            whole.cpu_s < MOST_S,
        ),
        Goal(
            f"that takes less than {MOST_MB:.0f} MB",
            f"{whole.peak_mb:.0f} MB",
            whole.peak_mb < MOST_MB,
        ),
        Goal(
            f"two models are judged on {leads:,} leads in {MOST_JUDGED_S:.0f} s",
            f"{judged.cpu_s:.0f} s",
            judged.cpu_s < MOST_JUDGED_S,
        ),
        Goal(
            f"that takes less than {MOST_JUDGED_MB:.0f} MB",
            f"{judged.peak_mb:.0f} MB",
            judged.peak_mb < MOST_JUDGED_MB,
        ),
        Goal(
            f"the scores of {played:,} leads are those that were shown each day",
            f"{past.differ + past.differ_in_list} of {past.scores:,} differ",
            past.differ + past.differ_in_list == 0,
        ),
    ]


def _add_moves(path: Path, crowd: list[Person]) -> None:
    """Every lead became known, a fifth an MQL, a twentieth a customer."""
    known = _move("anonymous", "lead", 30, MoveCause.KNOWN)
    mql = _move("lead", "mql", 28, MoveCause.ENTERED)
    won = _move("mql", "customer", 15, MoveCause.WON)

    def rows() -> Iterator[tuple[str, str]]:
        for number, person in enumerate(crowd):
            yield person.id, known
            if number % 5 == 0:
                yield person.id, mql
            if number % 20 == 0:
                yield person.id, won

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO transitions (lead_id, record) VALUES (?, ?)", rows())
        connection.execute("COMMIT")


def _move(before: str, after: str, days_ago: int, cause: MoveCause) -> str:
    at = NOW - days_ago * DAY
    return write_transition(Transition(at, before, after, 1, "", 0, 0, 0.0, "bench", cause=cause))


def _measured(path: Path, what: str) -> Seen:
    done = subprocess.run(
        [sys.executable, "-m", "bench.learning", str(path), what],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    return Seen(**json.loads(done.stdout))


def main() -> None:
    """Sees the leads of the file that the command line names."""
    path, what = sys.argv[1:]
    start, cpu_s = time.perf_counter(), time.process_time()
    told = asyncio.run(_see(Path(path), what))
    cpu_s, seconds = time.process_time() - cpu_s, time.perf_counter() - start
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    seen = Seen(told.ripe, told.won, cpu_s, seconds, peak_mb)
    sys.stdout.write(json.dumps(structs.asdict(seen)))


async def _see(path: Path, what: str) -> Observed:
    rules, told = backends.load_model(MODEL).rules, Observed()
    async with SqliteFile(path) as file:
        store, reports = SqliteLeadStore(file, backends.SystemClock()), SqliteReportStore(file)
        if what == "cases":
            async for _ in cases(store, reports, QUESTION, NOW, told):
                pass
            return told
        if what == "backtest":
            await backtest_of(store, reports, _models(), QUESTION, now=NOW, observed=told)
            return told
        builder = MatrixBuilder(rules, NOW)
        seen = observe(store, reports, rules, QUESTION, now=NOW, observed=told)
        async for each in seen:
            builder.add(each)
        builder.build()
    return told


def _models() -> list[Model]:
    """The model of the crowd, and the same with points so that others would be MQLs."""
    own = backends.load_model(MODEL)
    text = backends.model_text(MODEL).replace("points: 10,", "points: 30,")
    return [own, load(text, name="other")]


if __name__ == "__main__":
    main()
