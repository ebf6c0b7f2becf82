"""What a million ordinary events cost in the cloud, by what this run has counted and measured.

List prices in US dollars without any free tier. It is no bill: prices change.
"""

from typing import NamedTuple

from bench.report import heading, note, table
from bench.run import Run, Use
from warmlead.runtime.table import TABLE
from warmlead.stores.firestore.store import FirestoreLeadStore

PRICES_OF = "2026-11"
"""List prices of a region in the United States, as far as they were known then: check them."""

READ, WRITE, DELETE = 0.03e-5, 0.09e-5, 0.01e-5
PUBSUB_BYTE = 40 / 2**40
"""Published, and once more delivered to each subscription; at least 1,000 bytes a request."""

MESSAGE_BYTES = 1_000
REQUEST = 0.40e-6
VCPU_S, GIB_S = 24e-6, 2.5e-6
VCPU, MEMORY_GIB = 1.0, 0.5
INSTANCE_S = VCPU_S * VCPU + GIB_S * MEMORY_GIB
SHORTEST_S = 0.1
"""Time is charged in steps of this."""

EVENTS = 1_000_000

READS_OF_A_DISPATCH, WRITES_OF_A_DISPATCH, DELETES_OF_A_DISPATCH = 4, 2, 1
"""Documents of one message to one destination that arrives at the first attempt."""

READS_OF_A_LOOK = 6
"""Documents of a call of ``redeliver`` that finds nothing due: 4 for each destination, and 2."""

EVENTS_A_MESSAGE = 100
"""How many events one message to tools comes with: an assumption, of which the page tells."""

DAYS = 30
SHARDS = FirestoreLeadStore.shards
READS_OF_A_SWEEP = 2 * SHARDS
"""Documents of another call of the clock that finds nothing: a query that finds none is one."""

JOB, SECRET, SECRETS = 0.10, 0.06, 3
GIB = 2**30
ARCHIVE_GIB = 50 / 1024 + 0.02 * 400 / DAYS
"""A GiB written to BigQuery, and kept for 400 days, as it is in the long run."""

TOPIC_GIB = 0.27 * 7 / DAYS
"""A GiB that topics keep for a week."""

LOG_BYTES, LOG_GIB, FREE_LOG_GIB = 1_500, 0.50, 50


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
    months = [(f"{n:,}", month(n, run.ours)) for n in (10_000, EVENTS, 100 * EVENTS)]
    rows = [
        (n, f"{each.together(alone=True):,.2f}", f"{each.together(alone=False):,.2f}")
        for n, each in months
    ]
    table(["events a month, with tools, archive and clocks", "alone", "together"], rows)
    note(f"per 100k documents: read {READ * 1e5:.2f}, written {WRITE * 1e5:.2f}, deleted")
    note(f"{DELETE * 1e5:.2f}; Pub/Sub 40 a TiB; 0.40 a million requests; {VCPU_S} a vCPU second,")
    note(f"{GIB_S} a GiB second ({VCPU:g} vCPU, {MEMORY_GIB:g} GiB). Counted in this run: ours")
    note(f"{_used(run.ours)}; naive {_used(run.naive)}.")


def _bill(use: Use) -> Bill:
    instance_s = INSTANCE_S
    cpu_s = use.accept_cpu_s + use.messages * use.apply_cpu_s
    return Bill(
        EVENTS * (use.reads * READ + use.writes * WRITE + use.deletes * DELETE),
        EVENTS * use.messages * 2 * MESSAGE_BYTES * PUBSUB_BYTE,
        EVENTS * (1 + use.messages) * REQUEST,
        EVENTS * cpu_s * instance_s,
        EVENTS * (1 + use.messages) * SHORTEST_S * instance_s,
    )


class Month(NamedTuple):
    """US dollars of a month; ``busy`` and ``alone`` are alternatives. Added up by ``together``."""

    events: float
    busy: float
    alone: float
    tools: float
    archive: float
    topics: float
    logs: float
    clocks: float

    def together(self, *, alone: bool) -> float:
        """All of it."""
        return sum(self) - (self.busy if alone else self.alone)


def month(events: int, use: Use) -> Month:
    """A month with so many ordinary events, and one tool that gets a message for each hundred."""
    bill, share = _bill(use), events / EVENTS
    gib = events * MESSAGE_BYTES / GIB
    logged_gib = events * LOG_BYTES / GIB
    return Month(
        events=share * (bill.firestore + bill.pubsub + bill.requests),
        busy=share * bill.busy,
        alone=share * bill.alone,
        tools=events / EVENTS_A_MESSAGE * _of_a_message(),
        archive=gib * ARCHIVE_GIB,
        topics=gib * TOPIC_GIB,
        logs=max(0.0, logged_gib - FREE_LOG_GIB) * LOG_GIB,
        clocks=_of_clocks(),
    )


def _of_a_message() -> float:
    """Pushed to ``deliver``, kept as a dispatch, and half a second until a tool has answered."""
    documents = (
        READS_OF_A_DISPATCH * READ + WRITES_OF_A_DISPATCH * WRITE + DELETES_OF_A_DISPATCH * DELETE
    )
    return documents + 2 * 2 * MESSAGE_BYTES * PUBSUB_BYTE + REQUEST + 0.5 * INSTANCE_S


def _of_clocks() -> float:
    """Calls of the clock that find nothing, the schedules themselves, and secrets."""
    dollars = SECRETS * SECRET
    for each in TABLE:
        if each.every_s:
            calls = DAYS * 86_400 / each.every_s
            reads = READS_OF_A_LOOK if each.reaches_out else READS_OF_A_SWEEP
            dollars += JOB + calls * (REQUEST + SHORTEST_S * INSTANCE_S + reads * READ)
    return dollars


def _sum(bill: Bill) -> float:
    return bill.firestore + bill.pubsub + bill.requests + bill.busy


def _row(name: str, ours: float, naive: float) -> tuple[str, ...]:
    return name, f"{ours:.2f}", f"{naive:.2f}", f"{naive / ours:.1f}"


def _used(use: Use) -> str:
    cpu_ms = (use.accept_cpu_s + use.apply_cpu_s) * 1e3
    return f"{use.reads} read, {use.writes} written, {use.deletes} deleted, {cpu_ms:.1f} ms of CPU"
