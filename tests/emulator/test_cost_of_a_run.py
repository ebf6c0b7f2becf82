"""What a daily run costs on Firestore: it follows what is due, not what exists."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from bench.counting import CountedAsync, CountedStreams, Counts
from builders import NOW, StandingClock, a_transition, keeping
from patience import PATIENCE_S
from unit.application.living import DAY, a_reader, readers, settling
from warmlead.application.due import decay
from warmlead.buses.pubsub import PubSubBus
from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore

DUE = 120
MOST_CALLS = 3 * FirestoreLeadStore.shards + 1  # two queries and a commit of each; older leads?
TODAY = NOW + 2 * DAY


async def _nobody(ids: Sequence[str]) -> None:
    raise AssertionError(ids)


async def cost_among(emulator: str, others: int) -> tuple[int, int, int]:
    """Documents read and written, and calls, by a run with so many other leads asleep."""
    project, clock = f"p{uuid.uuid4().hex[:12]}", StandingClock(TODAY)
    filling = FirestoreLeadStore(project, emulator=emulator, patience_s=PATIENCE_S)
    assert await filling.relist(_nobody, most=1, until=lambda: False)
    # Two pages are views enough to fade without leaving a stage: nothing is sent.
    await filling.update([], keeping(*readers(DUE, 2, NOW - 5 * DAY)))
    for start in range(0, others, 200):
        asleep = [a_reader(f"asleep-{i}", 3, TODAY) for i in range(start, start + 200)]
        await filling.update([], keeping(*(replace(lead, due_at=None) for lead in asleep)))
    await filling.close()

    counts = Counts()
    counting = [CountedAsync(counts), CountedStreams(counts)]
    store = FirestoreLeadStore(
        project, emulator=emulator, interceptors=counting, patience_s=PATIENCE_S
    )
    bus = PubSubBus(project, emulator="localhost:1", interceptors=counting)  # nothing is sent
    run = await decay(settling(store, bus, clock))
    assert (run.looked_at, run.changed, run.done) == (DUE, DUE, True)
    await store.close()
    await bus.close()
    return counts.reads, counts.writes, counts.calls.total()


async def test_a_run_reads_and_writes_the_leads_that_are_due_and_no_others(
    firestore_emulator: str,
) -> None:
    for others in (200, 2_000):
        reads, writes, calls = await cost_among(firestore_emulator, others)
        # A query that finds nothing is a read too: one a shard looks for what a wrong clock dated.
        # One document says that no leads of an earlier release are left.
        assert (reads, writes) == (DUE + FirestoreLeadStore.shards + 1, DUE)
        assert calls <= MOST_CALLS


async def test_moves_are_read_with_one_query_a_shard_if_a_page_holds_them(
    firestore_emulator: str,
) -> None:
    project, counts = f"p{uuid.uuid4().hex[:12]}", Counts()
    filling = FirestoreLeadStore(project, emulator=firestore_emulator, patience_s=PATIENCE_S)
    moves = [(f"lead-{number}", a_transition(at=NOW)) for number in range(40)]
    await filling.update([], keeping(transitions=moves))
    await filling.close()
    reports = FirestoreReportStore(
        project,
        emulator=firestore_emulator,
        interceptors=[CountedStreams(counts)],
        patience_s=PATIENCE_S,
    )
    found = [id_ async for id_, _ in reports.moves(NOW, NOW + DAY)]
    await reports.close()
    assert sorted(found) == sorted(id_ for id_, _ in moves)
    assert counts.calls == {"RunQuery": FirestoreLeadStore.shards}
