"""One hot lead: everybody writes the same document at once. All is counted, and checked."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from bench import traffic
from bench.cloud import MODEL, Cloud
from bench.hot_writers import Outcome, Round, lead_id_of
from bench.naive.score import lead_id
from bench.report import Goal, heading, latency_of, note, table
from bench.run import Run
from warmlead.application.apply import Scoring, apply
from warmlead.buses.pubsub import PubSubBus
from warmlead.domain.lead import Lead
from warmlead.runtime import backends
from warmlead.stores.firestore.store import FirestoreLeadStore

SECONDS, QUICK_SECONDS = 4.0, 1.0
ENDLESS = 10**9
EVENTS_A_LEAD = 400
"""A lead keeps up to a thousand, and no more are accepted. So several are hot in turn."""

GOALS_PER_S = {1: 2_000, 4: 800}
"""Events applied to one lead, by the number of instances."""


class Design(NamedTuple):
    """How the hot lead is written: ``job`` is one of ``hot_writers``."""

    name: str
    job: str
    processes: int
    writers: int


DESIGNS = (
    Design("a number of the lead, one instance", "add", 1, 50),
    Design("a number of the lead, 4 instances", "add", 4, 13),
    Design("apply of distinct events, one instance", "apply", 1, 50),
    Design("apply of distinct events, 4 instances", "apply", 4, 13),
    Design("compare and set, nothing decided together", "alone", 1, 50),
    Design("naive: @transactional, separate mark", "naive", 1, 10),
)


class Result(NamedTuple):
    """What writers did altogether, and how many of their writes are on the lead in the end."""

    took: list[float]
    failed: int
    found: int
    elapsed_s: float

    @property
    def per_second(self) -> float:
        """Accepted writes a second."""
        return len(self.took) / self.elapsed_s

    @property
    def verdict(self) -> str:
        """Whether what was accepted is there, once each."""
        missing = len(self.took) - self.found
        if missing == 0:
            return "all, once each"
        return f"{missing} LOST" if missing > 0 else f"{-missing} MORE"


def measure(run: Run) -> None:
    """Prints how fast each design writes, and whether all of it is there."""
    seconds = QUICK_SECONDS if run.quick else SECONDS
    heading(f"One hot lead, {seconds:g} s each")
    rows = []
    for design in DESIGNS:
        result = _measure(run.cloud, design, seconds)
        rows.append(_row(design, result))
        if design.job == "apply":
            exact = result.failed == 0 and result.found == len(result.took)
            least = GOALS_PER_S[design.processes]
            claim = f"hot lead: {least:,} events a second, instances: {design.processes}"
            measured = f"{result.per_second:,.0f}, {result.verdict}"
            met = exact and result.per_second >= least
            run.goals.append(Goal(claim, measured, met))
    columns = ["", "writers", "writes/s", "p50 ms", "p99 ms", "failed", "found on the lead"]
    table(columns, rows)
    note("The naive one has a fifth of the writers, and is stopped while some wait for locks;")
    note("what it wrote after that was not accepted. It waits 2 s for a lock: the emulator's.")


def _row(design: Design, result: Result) -> tuple[str, ...]:
    p50, p99 = latency_of(result.took) if result.took else (float("nan"), float("nan"))
    return (
        design.name,
        str(design.processes * design.writers),
        f"{result.per_second:,.0f}" if result.per_second >= 10 else f"{result.per_second:.1f}",
        f"{p50:,.1f}",
        f"{p99:,.0f}",
        str(result.failed),
        result.verdict,
    )


def _measure(cloud: Cloud, design: Design, seconds: float) -> Result:
    project = cloud.project()
    with _writers(cloud, design, project) as writers:
        _one_round(cloud, design, project, writers, seconds / 4)  # warms up
        result = _one_round(cloud, design, project, writers, seconds)
        while design.job == "apply" and result.elapsed_s < seconds:
            more = _one_round(cloud, design, project, writers, seconds)
            result = Result(
                result.took + more.took,
                result.failed + more.failed,
                result.found + more.found,
                result.elapsed_s + more.elapsed_s,
            )
    return result


def _one_round(
    cloud: Cloud, design: Design, project: str, writers: Sequence[Any], seconds: float
) -> Result:
    """Has all of them write one new lead."""
    visitor = next(traffic.visitors(1))
    on_lead = _naive_counter if design.job == "naive" else _counter
    if design.job != "naive":
        asyncio.run(_make_lead(cloud, project, visitor))
    before = on_lead(cloud, project, visitor, design.job)
    limit = EVENTS_A_LEAD // len(writers) if design.job == "apply" else ENDLESS
    order = msgspec.json.encode(Round(visitor, seconds, limit)) + b"\n"
    for writer in writers:
        writer.stdin.write(order)
        writer.stdin.flush()
    outcomes = [msgspec.json.decode(writer.stdout.readline(), type=Outcome) for writer in writers]
    began_at = min(outcome.began_at for outcome in outcomes)
    ended_at = max(outcome.ended_at for outcome in outcomes)
    return Result(
        [took for outcome in outcomes for took in outcome.took],
        sum(outcome.failed for outcome in outcomes),
        on_lead(cloud, project, visitor, design.job) - before,
        ended_at - began_at,
    )


@contextmanager
def _writers(cloud: Cloud, design: Design, project: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes, which wait for their rounds."""
    command = [sys.executable, "-m", "bench.hot_writers", design.job, project, str(design.writers)]
    environment: Mapping[str, str] = {**os.environ, **cloud.hosts}
    started = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(design.processes)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


# --- what is on the lead -------------------------------------------------------------------


async def _make_lead(cloud: Cloud, project: str, visitor: str) -> None:
    """Applies a first event."""
    store = FirestoreLeadStore(project, emulator=cloud.firestore)
    bus = PubSubBus(project, emulator=cloud.pubsub)
    model = backends.load_model(MODEL)
    scoring = Scoring(model.rules, traffic.IDS)
    event = traffic.viewed(visitor)
    await apply([event], store=store, bus=bus, scoring=scoring, clock=backends.SystemClock())
    await store.close()


def _counter(cloud: Cloud, project: str, visitor: str, job: str) -> int:
    """The number of the lead that the job raises."""

    async def ask() -> Lead | None:
        store = FirestoreLeadStore(project, emulator=cloud.firestore)
        lead = await store.get(lead_id_of(visitor))
        await store.close()
        return lead

    lead = asyncio.run(ask())
    if lead is None:
        raise RuntimeError("the hot lead is gone")
    return lead.kept_events if job == "apply" else lead.progress.peak_score


def _naive_counter(cloud: Cloud, project: str, visitor: str, _: str) -> int:
    lead = cloud.documents(project).collection("leads").document(lead_id(visitor)).get().to_dict()
    return int(lead["events"]) if lead else 0
