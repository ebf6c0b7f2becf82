"""What a daily run costs: it follows what is due, not what exists."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from builders import NOW, StandingClock, keeping
from unit.application.conftest import SUBSCRIPTIONS
from unit.application.counting import CountingFile, Counts
from unit.application.living import DAY, a_reader, readers, settling
from warmlead.application.due import decay
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.history import day_of, to_ms
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.codec import write_lead
from warmlead.stores.sqlite import SqliteLeadStore

DUE = 500
TODAY = NOW + 2 * DAY


def asleep(connection: sqlite3.Connection, counts: Sequence[int]) -> list[None]:
    """Leads on whom nothing changes for a while."""
    text = write_lead(a_reader("asleep", 3, NOW))
    later = day_of(to_ms(TODAY)) + 1
    rows = [(f"asleep-{i:07}", text, later + i % 7) for count in counts for i in range(count)]
    connection.executemany(
        "INSERT INTO leads (id, stage, score, unsent, updated_ms, document, decay_on, active)"
        " VALUES (?, 'lead', 1, 0, 0, ?, ?, 1)",
        rows,
    )
    return [None for _ in counts]


async def cost_among(path: Path, leads: int) -> Counts:
    clock = StandingClock(TODAY)
    async with SqliteFile(path) as file:
        store = SqliteLeadStore(file, clock)
        # Two pages are views enough to fade without leaving a stage: nothing is sent.
        await store.update([], keeping(*readers(DUE, 2, NOW - 5 * DAY)))
        await file.write(asleep, leads - DUE)
    async with CountingFile(path) as counting:
        store = SqliteLeadStore(counting, clock)
        bus = SqliteBus(counting, clock, SUBSCRIPTIONS)
        run = await decay(settling(store, bus, clock))
        assert (run.looked_at, run.done) == (DUE, True)
        return replace(counting.counts)


@pytest.mark.slow
async def test_a_run_reads_and_writes_the_leads_that_are_due_and_no_others(tmp_path: Path) -> None:
    few = await cost_among(tmp_path / "few.db", 1_000)
    many = await cost_among(tmp_path / "many.db", 20_000)
    assert few == many == Counts(read=DUE, written=DUE, places=DUE)
