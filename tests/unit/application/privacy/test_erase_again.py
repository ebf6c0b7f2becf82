"""A store that was restored from a backup learns again who was erased since."""

import shutil
from datetime import timedelta
from pathlib import Path

from builders import StandingClock, lead_ids
from unit.application.conftest import World
from unit.application.persons import ADA, BOB, EMAIL, MINUTE, ada_and_bob, erased, everything
from warmlead.application.apply import Applied
from warmlead.application.privacy.erase_again import erase_again, known_erasures
from warmlead.ports import Tombstone
from warmlead.sqlite_file import SqliteFile


async def again(world: World, *erasures: Tombstone) -> list[bool]:
    return [
        await erase_again(each, store=world.store, archive=world.sqlite_bus, of=lead_ids)
        for each in erasures
    ]


async def test_a_restored_store_that_learns_the_erasures_equals_the_one_that_made_them(
    tmp_path: Path, clock: StandingClock
) -> None:
    live, backup = tmp_path / "live.sqlite3", tmp_path / "backup.sqlite3"
    async with SqliteFile(live) as file:
        await ada_and_bob(World(file, clock))
    shutil.copy(live, backup)
    async with SqliteFile(live) as file:
        world = World(file, clock)
        await erased(world)
        known = [each async for each in known_erasures(world.store)]
    assert [each.ids for each in known] == [tuple(sorted(ADA))]
    clock.forward(timedelta(days=1))
    async with SqliteFile(backup) as file:
        restored = World(file, clock)
        assert await again(restored, *known) == [True]
        assert await again(restored, *known) == [False]
    assert everything(backup) == everything(live)


async def test_whoever_came_again_after_an_erasure_stays(
    world: World, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    await erased(world)
    [known] = [each async for each in known_erasures(world.store)]
    now = clock.forward(MINUTE)
    back = world.seen(20, email="ada@example.com", occurred_at=now, received_at=now)
    assert await world.apply(back) == [Applied(counted=1)]
    assert await again(world, known) == [False]
    assert [lead.id async for lead in world.store.leads()] == sorted([EMAIL, BOB])
    told = {each async for each in known_erasures(world.store)}
    assert told == {known, Tombstone(known.erased_at, (EMAIL,))}


async def test_old_erasures_are_left_out(world: World, clock: StandingClock) -> None:
    await ada_and_bob(world)
    await erased(world)
    [known] = [each async for each in known_erasures(world.store, since=clock.now())]
    later = known.erased_at + timedelta(milliseconds=1)
    assert [each async for each in known_erasures(world.store, since=later)] == []
