"""One process full of writers of one lead; ``hot`` starts it and tells it what to write.

Arguments: the job, the project, how many writers. Each line of input is a round; each line of
output says what came of it. Others judge it.
"""

import asyncio
import itertools
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import msgspec
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import firestore

from bench import traffic
from bench.cloud import MODEL
from bench.naive import score as naive
from warmlead.application.apply import Scoring, apply
from warmlead.buses.pubsub import PubSubBus
from warmlead.domain.errors import UnavailableError
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.ports import Change, Commit, Loaded
from warmlead.runtime import backends
from warmlead.stores.firestore.store import FirestoreLeadStore

DAYS = 60


class Round(msgspec.Struct):
    """Write this visitor's lead for so long, and no more than so many events."""

    visitor: str
    seconds: float
    events: int


class Outcome(msgspec.Struct):
    """What came of a round: ``took`` are the seconds of each write that was accepted."""

    failed: int
    began_at: float
    ended_at: float
    took: list[float]


def main() -> None:
    """Works off the rounds that are read from the input."""
    job, project, writers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if job == "naive":
        _write_naively(project, writers)
    else:
        asyncio.run(_write(job, project, writers))


def lead_id_of(visitor: str) -> str:
    """The id of a visitor's lead."""
    return traffic.IDS.of(identifiers_of(traffic.viewed(visitor))[0])


# --- ours ----------------------------------------------------------------------------------

Write: TypeAlias = Callable[[int, str], Awaitable[None]]
"""One write by the writer of this number to the lead of this visitor."""


async def _write(job: str, project: str, writers: int) -> None:
    alone = job == "alone"
    stores = [_store(project) for _ in range(writers if alone else 1)]
    write = _applying(stores[0], project) if job == "apply" else _adding(stores)
    for round_ in _rounds():
        _tell(await _write_round(write, round_, writers))
    for store in stores:
        await store.close()


async def _write_round(write: Write, round_: Round, writers: int) -> Outcome:
    outcome = Outcome(0, time.time(), 0.0, [])
    numbers = iter(range(round_.events))
    deadline = time.perf_counter() + round_.seconds

    async def work(writer: int) -> None:
        while (start := time.perf_counter()) < deadline and next(numbers, None) is not None:
            try:
                await write(writer, round_.visitor)
            except UnavailableError:
                outcome.failed += 1
            else:
                outcome.took.append(time.perf_counter() - start)

    await asyncio.gather(*(work(writer) for writer in range(writers)))
    outcome.ended_at = time.time()
    return outcome


def _store(project: str) -> FirestoreLeadStore:
    return FirestoreLeadStore(project, emulator=os.environ["FIRESTORE_EMULATOR_HOST"])


def _adding(stores: Sequence[FirestoreLeadStore]) -> Write:
    """Adds one to a number of the lead; each writer on its own store, if there are as many."""

    async def write(writer: int, visitor: str) -> None:
        lead_id = lead_id_of(visitor)
        await stores[writer % len(stores)].update([lead_id], _one_more(lead_id))

    return write


def _one_more(lead_id: str) -> Change[None]:
    def change(loaded: Loaded) -> Commit[None]:
        lead = loaded[lead_id]
        if not isinstance(lead, Lead):
            raise TypeError("the lead is not there")
        progress = replace(lead.progress, peak_score=lead.progress.peak_score + 1)
        return Commit(None, [replace(lead, progress=progress)])

    return change


def _applying(store: FirestoreLeadStore, project: str) -> Write:
    """Applies a page view that nobody has seen before; of one day a lead keeps only twenty."""
    bus = PubSubBus(project, emulator=os.environ["PUBSUB_EMULATOR_HOST"])
    model = backends.load_model(MODEL)
    scoring = Scoring(model.rules, traffic.IDS)
    clock = backends.SystemClock()
    days = itertools.cycle(range(DAYS))

    async def write(_: int, visitor: str) -> None:
        event = traffic.viewed(visitor, days_ago=next(days))
        await apply([event], store=store, bus=bus, scoring=scoring, clock=clock)

    return write


# --- the naive design ----------------------------------------------------------------------


def _write_naively(project: str, writers: int) -> None:
    database = firestore.Client(project)
    for round_ in _rounds():
        outcome = Outcome(0, time.time(), 0.0, [])
        deadline = time.perf_counter() + round_.seconds
        for _ in range(writers):
            arguments = (database, round_.visitor, outcome, deadline)
            threading.Thread(target=_count_naively, args=arguments, daemon=True).start()
        time.sleep(round_.seconds)  # a transaction that waits for a lock is not waited for
        outcome.ended_at = time.time()
        _tell(outcome)
    os._exit(0)


def _count_naively(
    database: firestore.Client, visitor: str, outcome: Outcome, deadline: float
) -> None:
    while (start := time.perf_counter()) < deadline:
        try:
            naive.count(database, traffic.naive_event(visitor))
        except (GoogleAPICallError, ValueError):  # ValueError: so it says that it gave up
            outcome.failed += 1
        else:
            outcome.took.append(time.perf_counter() - start)


# --- what is read and said -----------------------------------------------------------------


def _rounds() -> Iterator[Round]:
    for line in sys.stdin.buffer:
        yield msgspec.json.decode(line, type=Round)


def _tell(outcome: Outcome) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
