"""Warm latency: one request at a time over one connection, beside the floor of both its parts.

The floor of a request is what a function that does nothing takes; that of a commit is a bare
GetDocument and Commit over a connection like ours. The variants take turns in short runs.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

from bench import traffic
from bench.cloud import Cloud
from bench.deployed import NAIVE_ACCEPT, NAIVE_SCORE, NOOP, Function, served
from bench.load import Load, drive, send
from bench.report import heading, latency_of, note, table
from bench.run import Run
from warmlead.google_api import GoogleApi
from warmlead.stores.firestore.codec import (
    CommitRequest,
    CommitResponse,
    Database,
    Document,
    GetRequest,
)

TURNS, QUICK_TURNS = 12, 4
IN_A_TURN = 50
LEADS = 300
"""They take turns, since the emulator slows down with every version of a document; and they are
more than an instance keeps, so that every commit is preceded by a read."""

NOTHING = "nothing, over HTTP"
BARE = "bare GetDocument + Commit"


class Variant(NamedTuple):
    """Something that is done again and again, and how to make the next piece of work for it."""

    name: str
    do: Callable[[list[bytes]], Awaitable[Load]]
    make: Callable[[str], bytes]


def measure(run: Run) -> None:
    """Prints the latencies of accepting and applying, and their ratios to both floors."""
    turns = QUICK_TURNS if run.quick else TURNS
    heading(f"Warm latency, one connection, {turns * IN_A_TURN} requests each, in turns")
    seconds = asyncio.run(_measure(run, turns))
    nothing = latency_of(seconds[NOTHING])
    bare = latency_of(seconds[BARE])
    rows = []
    for name, taken in seconds.items():
        took = latency_of(taken)
        ratios = (f"{took.p50_ms / floor.p50_ms:.1f}" for floor in (nothing, bare))
        rows.append((name, f"{took.p50_ms:.2f}", f"{took.p99_ms:.2f}", *ratios))
    table(["", "p50 ms", "p99 ms", "x nothing", "x bare commit"], rows)
    note("accept: request → published and acknowledged → answer; apply: push → committed → answer")


async def _measure(run: Run, turns: int) -> dict[str, list[float]]:
    async with AsyncExitStack() as stack:
        variants = _variants(run, stack)
        seconds: dict[str, list[float]] = {variant.name: [] for variant in variants}
        who = traffic.visitors(LEADS)
        for variant in variants:  # warms up everything, and makes all leads
            await variant.do([variant.make(next(who)) for _ in range(LEADS)])
        for _ in range(turns):
            for variant in variants:
                whose = [next(who) for _ in range(IN_A_TURN + 1)]
                load = await variant.do([variant.make(visitor) for visitor in whose])
                seconds[variant.name] += load.seconds[1:]  # the first waits for its connection
    return seconds


def _variants(run: Run, stack: AsyncExitStack) -> list[Variant]:
    project = run.cloud.project()
    ours, naive = run.cloud.settings(project), run.cloud.naive_settings(project)
    over_http: tuple[tuple[str, Function, Mapping[str, str], Callable[[str], bytes]], ...] = (
        (NOTHING, NOOP, {}, traffic.page_request),
        ("accept (track)", run.staged["track"], ours, traffic.page_request),
        ("apply (score)", run.staged["score"], ours, traffic.push_request),
        ("naive accept", NAIVE_ACCEPT, naive, traffic.page_request),
        ("naive apply", NAIVE_SCORE, naive, traffic.naive_push_request),
    )
    variants = [Variant(BARE, _bare(run.cloud, project, stack), str.encode)]
    for name, function, settings, make in over_http:
        server = stack.enter_context(served(function, settings))
        variants.append(Variant(name, partial(send, server.address, connections=1), make))
    return variants


def _bare(
    cloud: Cloud, project: str, stack: AsyncExitStack
) -> Callable[[list[bytes]], Awaitable[Load]]:
    """Reads the document of each visitor and writes it, if it is still what was read."""
    database = Database(project, "(default)")
    api = GoogleApi("firestore.googleapis.com", emulator=cloud.firestore)
    stack.push_async_callback(api.close)
    known: set[str] = set()

    async def call(method: str, request: Any, answer: type, **routing: str) -> Any:
        path = f"/google.firestore.v1.Firestore/{method}"
        return await api.call(path, request, answer, routing=routing, timeout_s=10)

    async def read_and_write(visitor: bytes) -> None:
        name = database.lead_name(visitor.decode())
        request = CommitRequest(database=database.name)
        write = request.writes.add()
        write.update.name = name
        write.update.fields["document"].string_value = uuid.uuid4().hex * 30
        if name in known:
            document = await call("GetDocument", GetRequest(name=name), Document, name=name)
            write.current_document.update_time.CopyFrom(document.update_time)
        known.add(name)
        await call("Commit", request, CommitResponse, database=database.name)

    return lambda visitors: drive([read_and_write], iter(visitors))
