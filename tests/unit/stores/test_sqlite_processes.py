"""Several processes on one file, some of them killed."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from builders import NOW, StandingClock, a_lead_named
from patience import PATIENCE_S
from warmlead.buses.sqlite import SqliteBus
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

pytestmark = pytest.mark.slow

HAMMER = Path(__file__).with_name("hammer.py")
TESTS = Path(__file__).parents[2]
ADA = a_lead_named("ada")


def start(file: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(HAMMER), str(file), name, str(count)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


async def kept(path: Path) -> tuple[int, Counter[str], Counter[str], list[str]]:
    """What the file holds: the lead's count, marks in transitions and log, bodies undelivered."""
    async with SqliteFile(path) as file:
        store = SqliteLeadStore(file, StandingClock())
        bus = SqliteBus(file, StandingClock(), {"readers": "news"})
        lead = await store.get(ADA.id)
        assert lead
        moves = Counter(move.reason for move in await store.transitions(ADA.id))
        log = Counter([each.message.body.decode() async for each in bus.read("news")])
        waiting = await bus.pull("readers", most=10**9, now=NOW)
        undelivered = [delivery.published.message.body.decode() for delivery in waiting]
        return lead.progress.peak_score, moves, log, undelivered


def told(lines: list[str], verb: str) -> list[str]:
    return [mark for said, _, mark in (line.partition(" ") for line in lines) if said == verb]


async def test_concurrent_processes_neither_lose_nor_double_events(tmp_path: Path) -> None:
    names, each = ["one", "two", "three"], 500
    processes = [start(tmp_path / "warmlead.db", name, each) for name in names]
    outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    lines = [line for output in outputs for line in output.splitlines()]
    expected = Counter(f"{name}-{i}" for name in names for i in range(each))
    count, moves, log, undelivered = await kept(tmp_path / "warmlead.db")
    assert count == len(names) * each
    assert moves == expected
    assert log == expected
    assert Counter(told(lines, "pull") + undelivered) == expected


@pytest.mark.parametrize("lines_before_the_kill", [1, 50, 333, 1_000])
async def test_a_killed_process_loses_no_acknowledged_event(
    tmp_path: Path, lines_before_the_kill: int
) -> None:
    path = tmp_path / "warmlead.db"
    with start(path, "killed", 1_000_000) as process:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(lines_before_the_kill)]
        process.kill()
        lines += process.stdout.read().splitlines()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    count, moves, log, undelivered = await kept(path)
    assert set(moves.values()) == {1}
    assert count == len(moves), "the count and the record of it are one commit"
    assert set(told(lines, "update")) <= moves.keys()
    assert set(told(lines, "publish")) <= log.keys()
    assert set(log.values()) <= {1}
    pulled = set(told(lines, "pull"))
    assert pulled.isdisjoint(undelivered)
