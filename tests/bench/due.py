"""A daily run of ``decay``: its cost follows what is due, not what exists.

Each run is a process of its own. The Scheduler's requests are ordinary, and not measured.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import NamedTuple

from bench.cloud import MODEL, Cloud
from bench.crowd import NOW, asleep, due, people
from bench.daily_run import Report
from bench.filling import (
    Pace,
    Project,
    fill_file,
    fill_project,
    rewrite_file,
    rewrite_project,
    rewrite_with_client,
)
from bench.report import Goal, heading, note, table
from bench.run import Run
from warmlead.application.due import SHARDS_AT_ONCE, TOGETHER_LEADS

PATIENCE_S = 600

TOLERANCE = 1.1
LEAST_RATIO = 0.5
MOST_MB = 150.0

CLIENT_SHARE = 5
"""One in so many leads is written with Google's client too; it takes its time."""

CLIENT_BATCH = 500
"""As large as Google's guide makes them."""


class Sizes(NamedTuple):
    """How many leads exist, and how many of them are due."""

    on_file: Sequence[int]
    on_emulator: Sequence[int]
    due: int
    all_due: Sequence[int]


FULL = Sizes(
    on_file=(1_000, 10_000, 100_000, 1_000_000),
    on_emulator=(1_000, 10_000, 100_000),
    due=500,
    all_due=(10_000, 100_000),
)
QUICK = Sizes(on_file=(500, 5_000), on_emulator=(500, 2_000), due=250, all_due=(2_000,))


class Rewritten(NamedTuple):
    """Leads a second of plain writing, before and after the run; and the run of all of them.

    ``client`` is what Google's own client writes in a second, where there is one.
    """

    plain: Sequence[float]
    run: Report
    client: float = float("nan")

    @property
    def leads_s(self) -> float:
        """Leads a second of the run."""
        return self.run.looked_at / self.run.seconds

    @property
    def ratio(self) -> float:
        """The run, as a share of plain writing."""
        return self.leads_s * len(self.plain) / sum(self.plain)


def measure(run: Run) -> None:
    """Prints what a run reads and writes among ever more leads, and how fast all are settled."""
    sizes = QUICK if run.quick else FULL
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        few = {
            **{f"SQLite, {n:,} leads": _on_file(Path(folder), n, sizes.due) for n in sizes.on_file},
            **{
                f"emulator, {n:,} leads": _on_emulator(run.cloud, n, sizes.due)
                for n in sizes.on_emulator
            },
        }
        _print_few(sizes.due, few)
        everyone = {
            **{f"SQLite, {n:,} leads": _all_on_file(Path(folder), n) for n in sizes.all_due},
            **{f"emulator, {n:,} leads": _all_on_emulator(run.cloud, n) for n in sizes.all_due},
        }
        _print_all(everyone)
    reports = [*few.values(), *(each.run for each in everyone.values())]
    run.goals += [*_flat(few), *_fast(everyone), _bounded(reports)]


# --- as many leads as there are, few of them due ---------------------------------------------


def _on_file(folder: Path, leads: int, of_them_due: int) -> Report:
    path = folder / f"{leads}.sqlite3"
    fill_file(path, leads, of_them_due)
    report = _run({"file": str(path), "counted": True}, of_them_due)
    for written in folder.glob(f"{path.name}*"):
        written.unlink()
    return report


def _on_emulator(cloud: Cloud, leads: int, of_them_due: int) -> Report:
    project = cloud.project()
    fill_project(Project(cloud.firestore, project), leads, of_them_due)
    return _run({**_where(cloud, project), "counted": True}, of_them_due)


def _print_few(of_them_due: int, reports: Mapping[str, Report]) -> None:
    heading(f"A daily run with {of_them_due} leads due, among ever more (documents counted)")
    columns = ["", "read", "written", "places", "calls", "SQLite steps", "ms", "CPU ms", "peak MB"]
    table(columns, [_few_row(name, report) for name, report in reports.items()])
    note("read: documents that SELECTs returned, or that Firestore's queries and gets answered;")
    note("places: rows of an index. Steps: instructions of SQLite's virtual machine, which grow")
    note("with every row that is looked at, returned or not. Calls: gRPC, counted by interceptors.")
    note(f"A document: up to {due().size_bytes:,} bytes, a dozen events; time is with the counting")


def _few_row(name: str, report: Report) -> tuple[object, ...]:
    on_file = bool(report.steps)
    return (
        *(name, report.reads, report.writes),
        *(report.places if on_file else "", "" if on_file else report.calls),
        f"{report.steps:,}" if on_file else "",
        *(f"{report.seconds * 1e3:.0f}", f"{report.cpu_s * 1e3:.0f}", f"{report.peak_mb:.0f}"),
    )


# --- all of them due -------------------------------------------------------------------------


def _all_on_file(folder: Path, leads: int) -> Rewritten:
    path, crowd = folder / f"all-{leads}.sqlite3", people(leads)
    fill_file(path, leads, leads)
    before = leads / rewrite_file(path, crowd, due(), TOGETHER_LEADS)
    report = _run({"file": str(path), "counted": False}, leads)
    after = leads / rewrite_file(path, crowd, asleep(), TOGETHER_LEADS)
    return Rewritten((before, after), report)


def _all_on_emulator(cloud: Cloud, leads: int) -> Rewritten:
    name, crowd = cloud.project(), people(leads)
    project, pace = Project(cloud.firestore, name), Pace(TOGETHER_LEADS, SHARDS_AT_ONCE)
    fill_project(project, leads, leads)
    before = leads / rewrite_project(project, crowd, due(), pace)
    report = _run({**_where(cloud, name), "counted": False}, leads)
    after = leads / rewrite_project(project, crowd, asleep(), pace)
    some, client = crowd[: leads // CLIENT_SHARE], cloud.documents(name)
    rewrite_with_client(client, some[:CLIENT_BATCH], asleep(), CLIENT_BATCH)  # to warm up
    by_client = len(some) / rewrite_with_client(client, some, asleep(), CLIENT_BATCH)
    return Rewritten((before, after), report, by_client)


def _print_all(results: Mapping[str, Rewritten]) -> None:
    heading("All leads due, beside plain writes of the same documents")
    columns = ["", "leads/s", "plain: before", "after", "ratio", "Google's", "ratio"]
    columns += ["CPU µs a lead", "peak MB"]
    table(columns, [_all_row(name, result) for name, result in results.items()])
    note(f"plain: the same documents, {TOGETHER_LEADS} a commit, {SHARDS_AT_ONCE} commits under")
    note("way on the emulator, made beforehand but for id and address, on no condition; nothing is")
    note(f"read and nothing decided. Google's: its own client's WriteBatch, {CLIENT_BATCH} each.")
    note("The emulator's queries take longer the more documents there are, all at their beginning.")


def _all_row(name: str, result: Rewritten) -> tuple[str, ...]:
    before, after = result.plain
    of_client = result.leads_s / result.client
    cpu_us = result.run.cpu_s / result.run.looked_at * 1e6
    return (
        *(name, f"{result.leads_s:,.0f}", f"{before:,.0f}", f"{after:,.0f}"),
        f"{result.ratio:.2f}",
        *(("", "") if isnan(result.client) else (f"{result.client:,.0f}", f"{of_client:.2f}")),
        *(f"{cpu_us:.0f}", f"{result.run.peak_mb:.0f}"),
    )


# --- goals -----------------------------------------------------------------------------------


def _flat(reports: Mapping[str, Report]) -> list[Goal]:
    """One goal a backend: its first report is that of the fewest leads."""
    goals = []
    for backend in ("SQLite", "emulator"):
        touched = [
            report.reads + report.writes + report.places
            for name, report in reports.items()
            if name.startswith(backend)
        ]
        ratio = max(touched) / min(touched)
        claim = f"documents of a daily run within 10 % at any number of leads, {backend}"
        goals.append(Goal(claim, f"{ratio:.2f} x", ratio <= TOLERANCE))
    return goals


def _fast(results: Mapping[str, Rewritten]) -> list[Goal]:
    goals = []
    for name, result in results.items():
        if name.startswith("emulator"):
            ratio = result.leads_s / result.client
            claim = f"all due at least {LEAST_RATIO:g} x batches of Google's client, {name}"
            goals.append(Goal(claim, f"{ratio:.2f} x", ratio >= LEAST_RATIO))
    return goals


def _bounded(reports: Sequence[Report]) -> Goal:
    peak_mb = max(report.peak_mb for report in reports)
    claim = f"peak memory of a daily run below {MOST_MB:.0f} MB at any size"
    return Goal(claim, f"{peak_mb:.0f} MB", peak_mb < MOST_MB)


# --- the process -----------------------------------------------------------------------------


def _where(cloud: Cloud, project: str) -> Mapping[str, str]:
    return {"project": project, "firestore": cloud.firestore, "pubsub": cloud.pubsub}


def _run(task: Mapping[str, object], of_them_due: int) -> Report:
    """One daily run; all that are due must be settled, and nothing else must come of it."""
    text = json.dumps({"model": MODEL, "now": NOW.isoformat(), **task})
    done = subprocess.run(
        [sys.executable, "-m", "bench.daily_run", text],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode:
        raise RuntimeError(f"The daily run failed:\n{done.stderr}")
    report = Report(**json.loads(done.stdout))
    if (report.looked_at, report.changed, report.done) != (of_them_due, of_them_due, True):
        raise RuntimeError(f"The daily run should have settled {of_them_due} leads: {report}")
    return report
