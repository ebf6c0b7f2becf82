"""What Warmlead costs on this machine; run by ``make bench``. Compare ratios, not absolutes.

Every figure is measured in this run: import time and memory of each function in a fresh
process, events a second through accept and apply on SQLite, microseconds to score a lead.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warmlead import wiring
from warmlead.application.accept import accept
from warmlead.application.apply import Scoring, apply
from warmlead.application.messages import read_events
from warmlead.domain.assessment import assess
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.lead import Lead, regroup, touch_trails
from warmlead.model.loading import ready_model
from warmlead.ports import RawRequest
from warmlead.settings import Settings

ROUNDS = 7
FUNCTIONS = ("forms", "track", "score")

_IMPORT = """
import resource, sys, time
start = time.perf_counter()
{statement}
ms = (time.perf_counter() - start) * 1000
print(ms, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(sys.modules))
"""


def main() -> None:
    """Measures and prints, one section after the other."""
    print("Import of each function in a fresh process (minimum of", ROUNDS, "rounds)")
    bare = _import("import functions_framework.aio")
    _line("functions-framework alone", bare, bare)
    for function in FUNCTIONS:
        statement = (
            f"import functions_framework.aio; from warmlead import wiring; wiring.{function}()"
        )
        _line(function, _import(statement), bare)
    print("\nScoring one lead (assess: counts, decay, limits, fit, facts)")
    for events in (5, 50, 500):
        print(f"  {events:>4} kept events   {_scoring_us(events):8.1f} µs")
    print("\nThrough accept and apply on SQLite, durable commits, one process")
    for label, leads, batch in (
        ("one event a request, 1,000 leads", 1_000, 1),
        ("one event a request, one lead", 1, 1),
        ("ten events a request, 1,000 leads", 1_000, 10),
    ):
        rate = asyncio.run(_throughput(leads, batch))
        print(f"  {label:<36} {rate:8.0f} events/s")


def _import(statement: str) -> tuple[float, float, float]:
    runs = []
    for _ in range(ROUNDS):
        code = _IMPORT.format(statement=statement)
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        runs.append(tuple(map(float, done.stdout.split())))
    return min(r[0] for r in runs), min(r[1] for r in runs), runs[0][2]


def _line(name: str, run: tuple[float, float, float], bare: tuple[float, float, float]) -> None:
    ms, mb, modules = run
    print(
        f"  {name:<28} {ms:7.0f} ms ({ms / bare[0]:4.2f} x)   "
        f"{mb:6.1f} MB ({mb / bare[1]:4.2f} x)   {modules:5.0f} modules"
    )


def _event(number: int, lead: int, at: datetime) -> Event:
    return Event(
        id=f"e{number}",
        source="segment",
        trust=Trust.PUBLIC,
        name="page_viewed",
        occurred_at=at,
        received_at=at,
        anonymous_id=f"visitor-{lead}",
        properties={"path": "/pricing" if number % 5 == 0 else "/blog"},
    )


def _scoring_us(events: int) -> float:
    model = ready_model("b2b-saas")
    ids = LeadIds(b"bench")
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    lead = _lead(events, now, ids)
    runs = []
    for _ in range(ROUNDS):
        repeats = max(20, 20_000 // events)
        start = time.perf_counter()
        for _ in range(repeats):
            assess(lead, model.rules, now)
        runs.append((time.perf_counter() - start) / repeats * 1e6)
    return statistics.median(runs)


def _lead(events: int, now: datetime, ids: LeadIds) -> Lead:
    model = ready_model("b2b-saas")
    trails: dict = {}  # type: ignore[type-arg]  # what touch_trails returns
    for number in range(events):
        event = _event(number, 0, now - timedelta(hours=number))
        known = {i: ids.of(i) for i in identifiers_of(event)}
        trails = touch_trails(trails, event, known, model.rules)
    return regroup([], trails, model.rules, now)[0]


async def _throughput(leads: int, batch: int, seconds: float = 3.0) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        async with wiring.embedded(settings) as system:
            source = wiring.sources(settings)["segment"]
            scoring = Scoring(system.model.rules, system.model.titles, system.ids)
            done = 0
            stop_at = time.perf_counter() + seconds

            async def visitor(index: int) -> None:
                nonlocal done
                number = 0
                while time.perf_counter() < stop_at:
                    lead = (index * 7919 + number) % leads
                    request = _request(f"{index}-{number}", lead, batch)
                    await accept(request, source, bus=system.bus, ids=system.ids)
                    done += batch
                    number += 1

            async def worker() -> None:
                while time.perf_counter() < stop_at or not idle.is_set():
                    due = await system.bus.pull("score", most=256, now=system.clock.now())
                    idle.set() if not due else idle.clear()
                    messages = [read_events(d.published.message.body) for d in due]
                    await asyncio.gather(
                        *(
                            apply(
                                events,
                                store=system.store,
                                bus=system.bus,
                                scoring=scoring,
                                clock=system.clock,
                            )
                            for events in messages
                        )
                    )
                    await system.bus.acknowledge(due)

            idle = asyncio.Event()
            start = time.perf_counter()
            await asyncio.gather(worker(), *(visitor(i) for i in range(32)))
            elapsed = time.perf_counter() - start
            applied = 0
            async for lead in system.store.leads():
                applied += lead.kept_events
            assert applied or done == 0
            return done / elapsed


def _request(id_: str, lead: int, batch: int) -> RawRequest:
    now = datetime.now(UTC)
    calls = [
        {
            "type": "page",
            "messageId": f"{id_}-{i}",
            "anonymousId": f"visitor-{lead}",
            "timestamp": now.isoformat(),
            "properties": {"path": "/blog"},
        }
        for i in range(batch)
    ]
    return RawRequest(
        method="POST",
        path="/v1/batch",
        query="",
        headers={"authorization": "Basic bG9jYWw6", "content-type": "application/json"},
        body=json.dumps({"batch": calls}).encode(),
        received_at=now,
        request_id=id_,
    )


if __name__ == "__main__":
    main()
