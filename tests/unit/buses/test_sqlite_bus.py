import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from builders import NOW, StandingClock
from patience import PATIENCE_S
from warmlead.buses.sqlite import MAX_ATTEMPTS, SqliteBus
from warmlead.buses.sqlite_messages import pause_ms
from warmlead.ports import Message
from warmlead.sqlite_file import SqliteFile

HELLO = Message(b"hello", {})
SOON_S = 2 * PATIENCE_S
"""Far more than a wake-up takes: a test that needs it has failed."""


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[SqliteBus]:
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        yield SqliteBus(file, StandingClock(), {"readers": "news", "listeners": "gossip"})


async def test_a_worker_that_waits_is_woken_by_a_publication(bus: SqliteBus) -> None:
    waiting = asyncio.create_task(bus.arrival("readers", within_s=SOON_S))
    await bus.publish("news", [HELLO])
    async with asyncio.timeout(SOON_S / 2):
        await waiting


async def test_a_publication_between_pull_and_waiting_is_not_overlooked(bus: SqliteBus) -> None:
    assert await bus.pull("readers", most=1, now=NOW) == []
    await bus.publish("news", [HELLO])
    async with asyncio.timeout(SOON_S / 2):
        await bus.arrival("readers", within_s=SOON_S)


async def test_a_worker_is_not_woken_by_its_own_messages_or_another_topic(
    bus: SqliteBus,
) -> None:
    await bus.publish("news", [HELLO])
    await bus.pull("readers", most=1, now=NOW)
    await bus.publish("gossip", [HELLO])
    waiting = asyncio.create_task(bus.arrival("readers", within_s=SOON_S))
    await bus.arrival("readers", within_s=0)
    assert not waiting.done()
    waiting.cancel()


async def test_waiting_ends_when_time_is_up(bus: SqliteBus) -> None:
    async with asyncio.timeout(SOON_S):
        await bus.arrival("readers", within_s=0)


def test_pauses_grow_by_attempt_and_differ_by_message() -> None:
    for message_id in ("a", "b", "c"):
        pauses = [pause_ms(message_id, attempt) for attempt in range(1, MAX_ATTEMPTS)]
        assert pauses == sorted(pauses)
        assert 2_000 <= pauses[0] <= 2_500
        assert 128_000 <= pauses[-1] <= 160_000
    assert len({pause_ms(str(i), 1) for i in range(100)}) > 50
