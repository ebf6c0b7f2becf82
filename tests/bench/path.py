"""The whole path: requests to ``track``, through Pub/Sub, pushed to ``score``, onto leads.

Real processes and emulators, in the same shape for our design and for the naive one; they take
turns. It ends with the last commit: Firestore's own times of update say when that was.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bench import traffic
from bench.deployed import NOOP, NOOP_WSGI, served
from bench.designs import Design, Pair, designs
from bench.distance import far_away
from bench.load import Connection, Load, drive, send
from bench.pushing import pushing
from bench.report import Goal, heading, latency_of, note, table
from bench.run import Run

CONNECTIONS = 80
"""As many requests as Cloud Run has an instance work on at a time, unless it is told otherwise."""

TURNS, QUICK_TURNS = 3, 1
SECONDS, QUICK_SECONDS = 3.0, 1.0
WARM_UP_S, QUICK_WARM_UP_S = 2.0, 0.3
BATCH = 10
LEADS = 500
"""In each turn. They take turns, as the emulator slows down with every version of a document."""

ROUND_TRIP_MS = 10.0
"""To Google, in the variant in which it is not on loopback."""

PATIENCE_S = 90.0
LOOK_EVERY_S = 0.25
SLOW_MS = 20

GOAL = 5.0
"""Times the naive design; not on loopback, where Google costs no time and the processor decides."""


def measure(run: Run) -> None:
    """Prints events a second for both designs, beside what does nothing."""
    turns = QUICK_TURNS if run.quick else TURNS
    seconds = QUICK_SECONDS if run.quick else SECONDS
    warm_up_s = QUICK_WARM_UP_S if run.quick else WARM_UP_S
    heading(
        f"The whole path: {CONNECTIONS} connections, {turns} turns of {seconds:g} s of requests"
    )
    with ExitStack() as stack:
        far = stack.enter_context(far_away(run.cloud, ROUND_TRIP_MS))
        ours, naive = designs(run.cloud, far, run.staged, (run.ours, run.naive), stack)
        for turn in range(turns + 1):
            for design in (ours, naive):
                _one_turn(run, design, seconds if turn else warm_up_s, kept=turn > 0)
    _print(ours, naive)
    _print_floors(run, seconds)
    for name, rate in (
        (f"the whole path, with Google {ROUND_TRIP_MS:g} ms away", _from_afar),
        (f"the whole path, {BATCH} events a request", _in_batches),
    ):
        ratio = rate(ours) / rate(naive)
        claim = f"{name}: at least {GOAL:g} x the naive design"
        run.goals.append(Goal(claim, f"{ratio:.1f} x", ratio >= GOAL))


# --- one turn ------------------------------------------------------------------------------


def _one_turn(run: Run, design: Design, seconds: float, *, kept: bool) -> None:
    pushed, direct, far = design.pairs
    who = traffic.visitors(LEADS)
    requests = (traffic.page_request(next(who)) for _ in _until(seconds))
    accepted = asyncio.run(send(pushed.accept.address, requests, connections=CONNECTIONS))
    last_commit = _all_counted(run, design, pushed, len(accepted.seconds))
    before_s = direct.accept.cpu_seconds, direct.score.cpu_seconds
    directly = _post_and_push(run, design, direct, seconds)
    after_s = direct.accept.cpu_seconds, direct.score.cpu_seconds
    from_afar = _post_and_push(run, design, far, seconds)
    in_batches = _post_and_push(run, design, direct, seconds, events=BATCH)
    if not kept:
        return
    design.accepted_alone.append(accepted)
    design.through_pubsub.append(len(accepted.seconds) / (last_commit - accepted.began_at))
    design.directly.append(directly)
    design.from_afar.append(from_afar)
    design.in_batches.append(in_batches)
    accept_s, apply_s = (a - b for a, b in zip(after_s, before_s, strict=True))
    design.use.accept_cpu_s = accept_s / len(directly.seconds)
    design.use.apply_cpu_s = apply_s / len(directly.seconds)


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def _post_and_push(
    run: Run, design: Design, pair: Pair, seconds: float, *, events: int = 1
) -> Load:
    """Each request is posted to be accepted, then pushed, as Pub/Sub would; all is counted."""

    async def measured() -> Load:
        who = traffic.visitors(LEADS)
        workers = [
            _Worker(Connection(pair.accept.address), Connection(pair.score.address), design, events)
            for _ in range(CONNECTIONS)
        ]
        await asyncio.gather(*(worker.open() for worker in workers))
        return await drive(workers, (next(who) for _ in _until(seconds)))

    load = asyncio.run(measured())
    _all_counted(run, design, pair, len(load.seconds) * events)
    return load


@dataclass
class _Worker:
    accept: Connection
    score: Connection
    design: Design
    events: int

    async def open(self) -> None:
        await self.accept.open()
        await self.score.open()

    async def __call__(self, visitor: str) -> None:
        await self.accept.ask(traffic.page_request(visitor, self.events))
        for push in self.design.push_requests(visitor, self.events):
            await self.score.ask(push)


def _all_counted(run: Run, design: Design, pair: Pair, more: int) -> float:
    """When the last of the events was committed; raises ``RuntimeError`` unless all are."""
    expected = design.events[pair.project] = design.events.get(pair.project, 0) + more
    leads = run.cloud.documents(pair.project).collection("leads")
    deadline = time.monotonic() + PATIENCE_S
    while True:
        documents = list(leads.stream())
        found = sum(design.counted(document.to_dict() or {}) for document in documents)
        if found == expected:
            return max(float(document.update_time.timestamp()) for document in documents)
        if found > expected or time.monotonic() > deadline:
            raise RuntimeError(f"{design.name}: {found} of {expected} events were counted")
        time.sleep(LOOK_EVERY_S)


# --- what came of it -----------------------------------------------------------------------


def _rate(loads: list[Load]) -> float:
    return statistics.median(load.per_second for load in loads)


def _through_pubsub(design: Design) -> float:
    return statistics.median(design.through_pubsub)


def _accepted(design: Design) -> float:
    return _rate(design.accepted_alone)


def _directly(design: Design) -> float:
    return _rate(design.directly)


def _from_afar(design: Design) -> float:
    return _rate(design.from_afar)


def _in_batches(design: Design) -> float:
    return _rate(design.in_batches) * BATCH


def _print(ours: Design, naive: Design) -> None:
    rates: tuple[tuple[str, Callable[[Design], float]], ...] = (
        ("through Pub/Sub, to the last commit", _through_pubsub),
        ("  meanwhile only accepted", _accepted),
        ("posted and pushed by the load generator", _directly),
        (f"the same, with Google {ROUND_TRIP_MS:g} ms away", _from_afar),
        (f"{BATCH} events of one visitor a request", _in_batches),
    )
    rows = [
        (name, f"{rate(ours):,.0f}", f"{rate(naive):,.0f}", f"{rate(ours) / rate(naive):.1f}")
        for name, rate in rates
    ]
    table(["events/s", "ours", "naive", "x"], rows)
    both = (ours, naive)
    took = [latency_of([s for load in d.directly for s in load.seconds]) for d in both]
    accept = [f"{design.use.accept_cpu_s * 1e3:.2f}" for design in both]
    apply = [f"{design.use.apply_cpu_s * 1e3:.2f}" for design in both]
    table(
        ["ms an event, pushed by the load generator", "ours", "naive"],
        [
            ("p50 / p99, accepted and applied", *took),
            ("CPU of accepting", *accept),
            ("CPU of applying", *apply),
        ],
    )


def _print_floors(run: Run, seconds: float) -> None:
    """What does nothing, on the same machine and under the same load."""
    at_once, slow = pushing(run, 0.0), pushing(run, SLOW_MS / 1e3)
    rows = []
    for name, function in (("ASGI", NOOP), ("WSGI", NOOP_WSGI)):
        with served(function, {}) as server:
            requests = (traffic.page_request("nobody") for _ in _until(seconds))
            load = asyncio.run(send(server.address, requests, connections=CONNECTIONS))
        rows.append((f"a function that does nothing ({name})", f"{load.per_second:,.0f}"))
    rows.append(("Pub/Sub's emulator pushes to who does nothing", f"{at_once.per_second:,.0f}"))
    rows.append((f"  to who takes {SLOW_MS} ms", f"{slow.per_second:,.0f}"))
    rows.append(("  pushes under way at most", str(slow.most_at_a_time)))
    table(["floors", "a second"], rows)
    note("The naive functions score with a table of points, and keep no history: less work.")
