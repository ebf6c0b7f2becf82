"""Cold start: from the start of a process to the answer to its first real request.

Each function as it is deployed, publishing to or committing on the emulators; the variants take
turns in every round. What an instance's own start adds in the cloud is not guessed.
"""

import socket
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from bench import traffic
from bench.as_google import as_google
from bench.deployed import NAIVE_ACCEPT, NAIVE_SCORE, NOOP, NOOP_WSGI, Function, Server, served
from bench.report import Goal, heading, note, table
from bench.run import Run
from warmlead.runtime.table import FORMS, SCORE, TRACK

ROUNDS = 9
QUICK_ROUNDS = 3
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.002

GOALS = {FORMS.name: 1.5, TRACK.name: 1.5, SCORE.name: 1.8}
"""Times the start of a function that does nothing."""


class Variant(NamedTuple):
    """What is started, and the first request to it, of somebody new in each round."""

    name: str
    function: Function
    settings: Mapping[str, str]
    request: Callable[[str], bytes]


class Start(NamedTuple):
    """How long a start took, and how much of the processor until then."""

    ms: float
    cpu_ms: float


def measure(run: Run) -> None:
    """Prints how long each takes, as a multiple of the function that does nothing."""
    rounds = QUICK_ROUNDS if run.quick else ROUNDS
    heading(f"Cold start: process start to first answer ({rounds} rounds, the variants in turn)")
    with ExitStack() as stack:
        variants = _variants(run, stack)
        took: dict[str, list[Start]] = {variant.name: [] for variant in variants}
        for _ in range(rounds):
            for variant in variants:
                took[variant.name].append(_start(variant))
    floor = took["does nothing (ASGI)"]
    table(
        ["", "minimum ms", "median ms", "x nothing (min)", "(median)", "CPU ms", "x nothing"],
        [_row(name, starts, floor) for name, starts in took.items()],
    )
    note("“as in production”: credentials and token of a metadata server, TLS; both on loopback")
    for name, limit in GOALS.items():
        ratio = _ratio(took[name], floor)
        claim = f"cold start of {name} at most {limit} x a function that does nothing"
        run.goals.append(Goal(claim, f"{ratio:.2f} x", ratio <= limit))


def _variants(run: Run, stack: ExitStack) -> list[Variant]:
    project = run.cloud.project()
    ours, naive = run.cloud.settings(project), run.cloud.naive_settings(project)
    google = stack.enter_context(as_google(run.cloud, ours))
    forms, track, score = (run.staged[name] for name in GOALS)
    return [
        Variant("does nothing (ASGI)", NOOP, {}, traffic.page_request),
        Variant("forms", forms, ours, traffic.form_request),
        Variant("track", track, ours, traffic.page_request),
        Variant("score", score, ours, traffic.push_request),
        Variant("forms, as in production", forms, google, traffic.form_request),
        Variant("score, as in production", score, google, traffic.push_request),
        Variant("does nothing (WSGI)", NOOP_WSGI, {}, traffic.page_request),
        Variant("naive track", NAIVE_ACCEPT, naive, traffic.page_request),
        Variant("naive score", NAIVE_SCORE, naive, traffic.naive_push_request),
    ]


def _row(name: str, starts: list[Start], floor: list[Start]) -> tuple[str, ...]:
    cpu, idle = (statistics.median(start.cpu_ms for start in each) for each in (starts, floor))
    return (
        name,
        f"{min(starts).ms:.0f}",
        f"{statistics.median(start.ms for start in starts):.0f}",
        f"{min(starts).ms / min(floor).ms:.2f}",
        f"{_ratio(starts, floor):.2f}",
        f"{cpu:.0f}",
        f"{cpu / idle:.2f}",
    )


def _ratio(starts: list[Start], floor: list[Start]) -> float:
    """Of the medians, since the variants take turns; the luckiest start of nine is luck."""
    median, nothing = (statistics.median(start.ms for start in each) for each in (starts, floor))
    return median / nothing


def _start(variant: Variant) -> Start:
    request = variant.request(next(traffic.visitors(1)))
    start = time.perf_counter()
    with served(variant.function, variant.settings) as server:
        answer = _ask(server, request)
        took = Start((time.perf_counter() - start) * 1e3, server.cpu_seconds * 1e3)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{variant.name} answered {answer!r}")
    return took


def _ask(server: Server, request: bytes) -> bytes:
    """The answer, as soon as the server takes connections."""
    host, _, port = server.address.rpartition(":")
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
                connection.sendall(request)
                return connection.recv(65_536)
        except ConnectionError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(LOOK_EVERY_S)
