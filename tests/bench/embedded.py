"""Events a second on one machine: through accept and apply on SQLite, in one process."""

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime
from itertools import count as counting
from pathlib import Path

from bench import traffic
from bench.cloud import WRITE_KEY
from bench.report import heading, table
from bench.run import Run
from warmlead.application.accept import accept, read_events
from warmlead.application.apply import Scoring, apply
from warmlead.domain.event import Trust
from warmlead.ports import RawRequest
from warmlead.runtime import backends
from warmlead.senders.segment import SegmentSource
from warmlead.settings import Settings

SECONDS, QUICK_SECONDS = 3.0, 1.0
VISITORS = 32
MOST_AT_ONCE = 256


def measure(run: Run) -> None:
    """Prints how many events are accepted, durable, and applied."""
    seconds = QUICK_SECONDS if run.quick else SECONDS
    heading(f"On SQLite: accepted and applied, durable commits, one process, {seconds:g} s each")
    rows = []
    for name, leads, batch in (
        ("one event a request, 1,000 leads", 1_000, 1),
        ("one event a request, one lead", 1, 1),
        ("ten events a request, 1,000 leads", 1_000, 10),
    ):
        rows.append((name, f"{asyncio.run(_events_per_second(leads, batch, seconds)):,.0f}"))
    table(["", "events/s"], rows)


async def _events_per_second(leads: int, batch: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with backends.embedded(Settings(data=Path(folder))) as system:
            start = time.perf_counter()
            accepting = asyncio.gather(
                *(_visit(system, index, leads, batch, start + seconds) for index in range(VISITORS))
            )
            applied = await _apply(system, accepting)
            return applied / (time.perf_counter() - start)


async def _visit(system: backends.Embedded, index: int, leads: int, batch: int, end: float) -> None:
    source = SegmentSource({WRITE_KEY: Trust.PUBLIC})
    for number in counting():
        if time.perf_counter() > end:
            return
        visitor = f"visitor-{(index * 7919 + number) % leads}"
        request = _request([traffic.page(visitor) for _ in range(batch)])
        await accept(request, source, bus=system.bus, ids=system.ids)


async def _apply(system: backends.Embedded, accepting: asyncio.Future[list[None]]) -> int:
    """Applies what is accepted until nothing more comes; returns how many events that were."""
    scoring = Scoring(system.model.rules, system.ids)
    applied = 0
    while True:
        last = accepting.done()
        due = await system.bus.pull("score", most=MOST_AT_ONCE, now=system.clock.now())
        messages = [read_events(delivery.published.message.body) for delivery in due]
        await asyncio.gather(
            *(
                apply(
                    events, store=system.store, bus=system.bus, scoring=scoring, clock=system.clock
                )
                for events in messages
            )
        )
        await system.bus.acknowledge(due)
        applied += sum(map(len, messages))
        if last and not due:
            return applied


def _request(calls: list[dict[str, object]]) -> RawRequest:
    raw = traffic.request("/v1/batch", json.dumps({"batch": calls}).encode())
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return RawRequest("POST", "/v1/batch", "", headers, body, datetime.now(UTC), "bench")
