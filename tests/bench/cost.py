"""What a million ordinary events cost in the cloud, by what this run has counted and measured.

List prices in US dollars without any free tier. It is no bill: prices change.
"""

from typing import NamedTuple

from bench.report import heading, note, table
from bench.run import Run, Use

PRICES_OF = "2026-11"
"""List prices of a region in the United States, as far as they were known then: check them."""

READ, WRITE, DELETE = 0.03e-5, 0.09e-5, 0.01e-5
PUBSUB_BYTE = 40 / 2**40
"""Published, and once more delivered to each subscription; at least 1,000 bytes a request."""

MESSAGE_BYTES = 1_000
REQUEST = 0.40e-6
VCPU_S, GIB_S = 24e-6, 2.5e-6
VCPU, GIB = 1.0, 0.5
SHORTEST_S = 0.1
"""Time is charged in steps of this."""

EVENTS = 1_000_000


class Bill(NamedTuple):
    """US dollars of a million events; the last two are alternatives."""

    firestore: float
    pubsub: float
    requests: float
    busy: float
    alone: float


def measure(run: Run) -> None:
    """Prints the bill of both designs."""
    heading(f"A million ordinary events, US dollars (list prices as of {PRICES_OF}, no free tier)")
    ours, naive = _bill(run.ours), _bill(run.naive)
    names = (
        "Firestore: reads, writes, deletes",
        "Pub/Sub: published and pushed",
        "requests: accept and push",
        "instances, busy: CPU seconds",
        "instances, every request alone: 0.1 s",
    )
    rows = [_row(name, a, b) for name, a, b in zip(names, ours, naive, strict=True)]
    table(["", "ours", "naive", "x"], [*rows, _row("together, busy", _sum(ours), _sum(naive))])
    note(f"per 100k documents: read {READ * 1e5:.2f}, written {WRITE * 1e5:.2f}, deleted")
    note(f"{DELETE * 1e5:.2f}; Pub/Sub 40 a TiB; 0.40 a million requests; {VCPU_S} a vCPU second,")
    note(f"{GIB_S} a GiB second ({VCPU:g} vCPU, {GIB:g} GiB). Counted in this run: ours")
    note(f"{_used(run.ours)}; naive {_used(run.naive)}.")


def _bill(use: Use) -> Bill:
    instance_s = VCPU_S * VCPU + GIB_S * GIB
    cpu_s = use.accept_cpu_s + use.messages * use.apply_cpu_s
    return Bill(
        EVENTS * (use.reads * READ + use.writes * WRITE + use.deletes * DELETE),
        EVENTS * use.messages * 2 * MESSAGE_BYTES * PUBSUB_BYTE,
        EVENTS * (1 + use.messages) * REQUEST,
        EVENTS * cpu_s * instance_s,
        EVENTS * (1 + use.messages) * SHORTEST_S * instance_s,
    )


def _sum(bill: Bill) -> float:
    return bill.firestore + bill.pubsub + bill.requests + bill.busy


def _row(name: str, ours: float, naive: float) -> tuple[str, ...]:
    return name, f"{ours:.2f}", f"{naive:.2f}", f"{naive / ours:.1f}"


def _used(use: Use) -> str:
    cpu_ms = (use.accept_cpu_s + use.apply_cpu_s) * 1e3
    return f"{use.reads} read, {use.writes} written, {use.deletes} deleted, {cpu_ms:.1f} ms of CPU"
