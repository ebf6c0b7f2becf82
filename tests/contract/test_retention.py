"""What the bus of one machine promises of old messages: they go, and nothing else does."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from builders import NOW, StandingClock
from contract.backends import Bus, OpenBus
from contract.messages import a_message, bodies, log_of
from warmlead.buses.sqlite import PAGE_MESSAGES, SqliteBus

DAY = timedelta(days=1)


async def publish_at(bus: Bus, clock: StandingClock, at: datetime, *texts: str) -> None:
    clock.time = at
    await bus.publish("news", [a_message(text) for text in texts])


async def finish_all(bus: Bus) -> None:
    for name in ("readers", "archivists"):
        numbers = [each.number for each in await bus.outstanding(name)]
        await bus.finish(name, numbers)


async def pruned(bus: Bus, *, done: datetime | None = None, aside: datetime | None = None) -> int:
    """Prunes page by page; how many messages went. ``archivists`` hold what is set aside."""
    assert isinstance(bus, SqliteBus)
    count, after = 0, 0
    while True:
        page = await bus.prune(
            done_before=done, set_aside_before=aside, holding=["archivists"], after=after
        )
        count += page.gone
        if page.after is None:
            return count
        after = page.after


async def test_old_acknowledged_messages_are_pruned(bus: Bus, clock: StandingClock) -> None:
    await publish_at(bus, clock, NOW - 3 * DAY, "old", "older")
    await publish_at(bus, clock, NOW - DAY, "young")
    await finish_all(bus)
    assert await pruned(bus, done=NOW - 2 * DAY) == 2
    assert bodies(await log_of(bus, "news")) == ["young"]
    assert await pruned(bus, done=NOW - 2 * DAY) == 0


async def test_nothing_is_pruned_without_a_retention(bus: Bus, clock: StandingClock) -> None:
    await publish_at(bus, clock, NOW - 900 * DAY, "old")
    await finish_all(bus)
    assert await pruned(bus) == 0
    assert await bus.whole_since("news") is None


async def test_unacknowledged_messages_are_not_pruned(bus: Bus, clock: StandingClock) -> None:
    await publish_at(bus, clock, NOW - 900 * DAY, "waits")
    await bus.finish("archivists", [each.number for each in await log_of(bus, "news")])
    assert await pruned(bus, done=NOW, aside=NOW) == 0
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["waits"]
    assert await pruned(bus, done=NOW, aside=NOW) == 0  # it is being worked on


async def test_quarantined_messages_have_their_own_retention(
    bus: Bus, clock: StandingClock
) -> None:
    await publish_at(bus, clock, NOW - 10 * DAY, "held")
    await bus.finish("readers", [each.number for each in await log_of(bus, "news")])
    assert await pruned(bus, done=NOW, aside=NOW - 11 * DAY) == 0
    assert bodies(await bus.outstanding("archivists")) == ["held"]
    assert await pruned(bus, aside=NOW - 9 * DAY) == 1
    assert await bus.outstanding("archivists") == []
    assert await log_of(bus, "news") == []


async def test_dead_messages_have_the_retention_of_quarantine(
    bus: Bus, clock: StandingClock
) -> None:
    await publish_at(bus, clock, NOW - 10 * DAY, "poison")
    await bus.finish("archivists", [each.number for each in await log_of(bus, "news")])
    now = NOW
    while await bus.pull("readers", most=1, now=now):
        now += DAY
    assert len(await bus.dead("readers")) == 1
    assert await pruned(bus, done=NOW, aside=NOW - 11 * DAY) == 0
    assert await pruned(bus, aside=NOW - 9 * DAY) == 1
    assert await bus.dead("readers") == []


@pytest.mark.slow
async def test_pruning_works_page_by_page_around_kept_messages(
    bus: Bus, clock: StandingClock
) -> None:
    many = [str(i) for i in range(2 * PAGE_MESSAGES + 10)]
    await publish_at(bus, clock, NOW - 10 * DAY, *many)
    numbers = [each.number for each in await log_of(bus, "news")]
    await bus.finish("archivists", numbers)
    await bus.finish("readers", numbers[1:])  # the first is still waited for
    await publish_at(bus, clock, NOW, "new")
    await finish_all_but_the_first(bus, numbers[0])
    assert await pruned(bus, done=NOW - DAY) == len(many) - 1
    assert bodies(await log_of(bus, "news")) == ["0", "new"]


async def finish_all_but_the_first(bus: Bus, first: int) -> None:
    for name in ("readers", "archivists"):
        numbers = [each.number for each in await bus.outstanding(name) if each.number != first]
        await bus.finish(name, numbers)


async def test_the_log_says_from_when_on_it_is_whole(
    open_bus: OpenBus, clock: StandingClock
) -> None:
    bus = open_bus()
    await publish_at(bus, clock, NOW - 10 * DAY, "old")
    await finish_all(bus)
    await pruned(bus, done=NOW - 20 * DAY)
    assert await bus.whole_since("news") is None
    await pruned(bus, done=NOW - 5 * DAY)
    assert await open_bus().whole_since("news") == NOW - 5 * DAY


@pytest.mark.slow
async def test_pruning_releases_disk_space(bus: Bus, clock: StandingClock, tmp_path: Path) -> None:
    assert isinstance(bus, SqliteBus)
    await publish_at(bus, clock, NOW - 10 * DAY, *("x" * 10_000 for _ in range(300)))
    await finish_all(bus)
    await bus.tidy()
    before = size_in(tmp_path)
    await pruned(bus, done=NOW)
    await bus.tidy()
    assert size_in(tmp_path) < before / 4


def size_in(folder: Path) -> int:
    """The size of the data file and of its log."""
    return sum(file.stat().st_size for file in folder.glob("*.db*"))
