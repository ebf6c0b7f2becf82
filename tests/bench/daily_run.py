"""One daily run of ``decay``, in a process of its own; prints what it did and took as JSON.

It is either counted or timed: counting slows it down.
"""

import json
import re
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from msgspec import Struct, structs

from bench.counting import CountedAsync, CountedStreams, Counts
from unit.application.counting import CountingFile
from warmlead.application.due import EvaluationContext, RunProgress, decay
from warmlead.buses.pubsub import PubSubBus
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.ports import Clock, EventBus, LeadStore
from warmlead.runtime import backends
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.store import FirestoreLeadStore
from warmlead.stores.sqlite import SqliteLeadStore

PATIENCE_S = 60.0
"""The emulator's queries take longer the more documents there are, up to tens of seconds."""

STEPS = 100
"""SQLite's virtual machine tells of every so many instructions."""


class Task(Struct, frozen=True):
    """What is to be run: on an emulator's project, or on a file."""

    model: str
    now: datetime
    counted: bool
    file: str = ""
    project: str = ""
    firestore: str = ""
    pubsub: str = ""


class Report(Struct, frozen=True):
    """What a run did. ``places`` are rows of an index, ``steps`` instructions of SQLite's."""

    looked_at: int
    changed: int
    moved: int
    triggers: int
    done: bool
    seconds: float
    cpu_s: float
    started_mb: float
    peak_mb: float
    reads: int = 0
    writes: int = 0
    places: int = 0
    calls: int = 0
    steps: int = 0


class _Counted(NamedTuple):
    """A backend, and a look at what was asked of it so far."""

    store: LeadStore
    bus: EventBus
    counts: Any


class _Standing(NamedTuple):
    """A clock that stands, so that all runs do the same."""

    at: datetime

    def now(self) -> datetime:
        """The moment of the run."""
        return self.at


class _SteppedFile(CountingFile):
    """Counts the instructions of SQLite besides: whatever reads rows, also unseen, takes some."""

    steps = 0

    def _watched(self, connection: sqlite3.Connection) -> Any:  # a counted connection
        connection.set_progress_handler(self._step, STEPS)
        return super()._watched(connection)

    def _step(self) -> None:
        self.steps += STEPS


def main() -> None:
    """Runs the task that the command line states."""
    task = _read(sys.argv[1])
    report = uvloop.run(_run(task))  # on the loop that serves the function
    sys.stdout.write(json.dumps(structs.asdict(report)))


def _read(text: str) -> Task:
    fields = json.loads(text)
    return Task(**{**fields, "now": datetime.fromisoformat(fields["now"])})


async def _run(task: Task) -> Report:
    model = backends.load_model(task.model)
    clock = _Standing(task.now)
    started_mb = peak_mb()
    async with _opened(task, clock) as (store, bus, counts):
        settling = EvaluationContext(store, bus, model.rules, clock)
        start, cpu_s = time.perf_counter(), time.process_time()
        progress = await decay(settling)
        took_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu_s
        return _report(progress, took_s, cpu_s, started_mb, counts() if task.counted else {})


@asynccontextmanager
async def _opened(task: Task, clock: Clock) -> AsyncIterator[_Counted]:
    if task.file:
        path = Path(task.file)
        file = _SteppedFile(path) if task.counted else SqliteFile(path)
        bus = SqliteBus(file, clock, topics_of_subscriptions())
        async with file:
            yield _Counted(SqliteLeadStore(file, clock), bus, lambda: _of_file(file))
        return
    counts = Counts()
    counting = [CountedAsync(counts), CountedStreams(counts)] if task.counted else []
    store = FirestoreLeadStore(
        task.project, emulator=task.firestore, interceptors=counting, patience_s=PATIENCE_S
    )
    cloud_bus = PubSubBus(task.project, emulator=task.pubsub, interceptors=counting)
    yield _Counted(store, cloud_bus, lambda: _of_cloud(counts))
    await cloud_bus.close()
    await store.close()


def _of_file(file: Any) -> Mapping[str, int]:  # one that counts
    counts = file.counts
    return {
        "reads": counts.read,
        "writes": counts.written,
        "places": counts.places,
        "steps": file.steps,
    }


def _of_cloud(counts: Counts) -> Mapping[str, int]:
    return {"reads": counts.reads, "writes": counts.writes, "calls": counts.calls.total()}


def _report(
    progress: RunProgress, took_s: float, cpu_s: float, started_mb: float, counts: Mapping[str, int]
) -> Report:
    return Report(
        looked_at=progress.looked_at,
        changed=progress.changed,
        moved=progress.moved,
        triggers=progress.triggers,
        done=progress.done,
        seconds=took_s,
        cpu_s=cpu_s,
        started_mb=started_mb,
        peak_mb=peak_mb(),
        **counts,
    )


def peak_mb() -> float:
    """The most memory this process has held; ``getrusage`` begins with what its parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) / 1_000 if found else float("nan")


if __name__ == "__main__":
    main()
