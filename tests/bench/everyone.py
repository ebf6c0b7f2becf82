"""Work on every lead: a model applied to all, beside one at a time; and the first of a list."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench.cloud import MODEL, Cloud
from bench.crowd import NOW
from bench.filling import Project, fill_file, fill_project
from bench.report import Goal, heading, note, table
from bench.run import Run
from warmlead.application.due import EvaluationContext, rescore
from warmlead.application.evaluate import Reevaluation
from warmlead.application.send import send
from warmlead.buses.pubsub import PubSubBus
from warmlead.runtime import backends
from warmlead.stores.firestore.store import FirestoreLeadStore

PATIENCE_S = 60.0
LEAST_RATIO = 4.0
MOST_MB = 100.0
LIST_S = 600


class Sizes(NamedTuple):
    """How many leads a model is applied to, and how many a list is made of."""

    applied: int
    listed: tuple[int, ...]


FULL = Sizes(applied=5_000, listed=(1_000, 100_000, 1_000_000))
QUICK = Sizes(applied=500, listed=(500, 5_000))


class _Standing:
    """A clock that stands, so that all rounds do the same."""

    def now(self) -> datetime:
        return NOW


def measure(run: Run) -> None:
    """Prints how fast a model is applied, and what a list takes among ever more leads."""
    sizes = QUICK if run.quick else FULL
    heading(f"A model applied to {sizes.applied:,} leads on the emulator")
    rates = [_applied(run.cloud, sizes.applied, together=way) for way in (False, True) * 2]
    alone, together = max(rates[::2]), max(rates[1::2])
    table(["", "leads/s"], [("one at a time", f"{alone:.0f}"), ("in groups", f"{together:.0f}")])
    ratio = together / alone
    claim = f"model apply is at least {LEAST_RATIO:.0f} times as fast as one lead at a time"
    run.goals.append(Goal(claim, f"{ratio:.1f}", ratio >= LEAST_RATIO))
    heading("warmlead lead list: the first 50 leads, a process of its own (SQLite)")
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        lists = [_listed(Path(folder), leads) for leads in sizes.listed]
    table(["", "ms", "peak MB"], [(f"{n:,} leads", *figures) for n, *figures in lists])
    note("ms: with the start of the command")
    most = max(peak for *_, peak in lists)
    run.goals.append(Goal(f"a list takes under {MOST_MB:.0f} MB", f"{most} MB", most < MOST_MB))


def _applied(cloud: Cloud, leads: int, *, together: bool) -> float:
    project = cloud.project()
    fill_project(Project(cloud.firestore, project), leads, leads)
    return asyncio.run(_apply(cloud, project, leads, together=together))


async def _apply(cloud: Cloud, project: str, leads: int, *, together: bool) -> float:
    model = backends.load_model(MODEL)
    store = FirestoreLeadStore(project, emulator=cloud.firestore, patience_s=PATIENCE_S)
    bus = PubSubBus(project, emulator=cloud.pubsub)
    settling = EvaluationContext(store, bus, model.rules, _Standing())
    start = time.perf_counter()
    if together:
        done = (await rescore(settling)).looked_at
    else:
        done = await _one_by_one(settling)
    took_s = time.perf_counter() - start
    await bus.close()
    await store.close()
    if done != leads:
        raise RuntimeError(f"{done} of {leads} leads were looked at")
    return leads / took_s


async def _one_by_one(settling: EvaluationContext) -> int:
    """What applying a model would be without groups: the yardstick."""
    done = 0
    async for lead in settling.store.leads():
        change = Reevaluation(lead.id, settling.rules, NOW)
        outcome = await settling.store.update([lead.id], change)
        await send(outcome.triggers, store=settling.store, bus=settling.bus)
        done += 1
    return done


def _listed(folder: Path, leads: int) -> tuple[int, int, int]:
    """The number of leads, milliseconds, and megabytes at most."""
    data = folder / str(leads)
    data.mkdir()
    path = data / "warmlead.sqlite3"
    fill_file(path, leads, min(leads, 500))
    code = (
        "import pathlib, re, sys; from warmlead.cli.main import app;"
        "app(['lead', 'list', '--json'], standalone_mode=False);"
        "status = pathlib.Path('/proc/self/status').read_text();"
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], file=sys.stderr)"
    )
    took_s, peak_kb = [], 0
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "WARMLEAD_BACKEND": "sqlite", "WARMLEAD_DATA": str(data)},
            capture_output=True,
            text=True,
            check=True,
            timeout=LIST_S,
        )
        took_s.append(time.perf_counter() - start)
        peak_kb = max(peak_kb, int(done.stderr.split()[-1]))
    if len(json.loads(done.stdout)) != min(leads, 50):
        raise RuntimeError("the list is too short")
    for written in data.iterdir():
        written.unlink()
    return leads, round(min(took_s) * 1e3), round(peak_kb / 1024)
