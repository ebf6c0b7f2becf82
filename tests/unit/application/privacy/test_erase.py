"""Erasing one person: nothing of them stays or comes back, and nobody else is touched."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from builders import StandingClock, keeping, lead_ids
from cost import measured
from unit.application.conftest import World
from unit.application.persons import (
    ADA,
    BOB,
    BROWSER,
    EMAIL,
    MINUTE,
    USER,
    accept,
    ada_and_bob,
    erased,
    everything,
    seen_by,
    set_aside,
)
from warmlead.application.accept import Quarantined, read_events, read_quarantined, to_quarantine
from warmlead.application.apply import Applied
from warmlead.application.quarantine import Release, entries
from warmlead.application.replay import Replayed, replay
from warmlead.domain.errors import Reason
from warmlead.domain.event import Trust
from warmlead.domain.lead import Lead
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.ports import Commit, Loaded, Message, Tombstone
from warmlead.senders.segment import SegmentSource
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

DAY = timedelta(days=1)


async def at(world: World, *ids: str) -> Loaded:
    def look(loaded: Loaded) -> Commit[Loaded]:
        return Commit(dict(loaded))

    return await world.store.update(ids, look)


async def leads_in(world: World) -> list[str]:
    return [lead.id async for lead in world.store.leads()]


async def test_a_tombstone_at_each_id_is_all_that_stays(world: World, tmp_path: Path) -> None:
    await ada_and_bob(world)
    bobs = await world.store.get(BOB)
    moves = [await world.store.transitions(id_) for id_ in (EMAIL, USER, BROWSER, BOB)]
    assert [bool(each) for each in moves] == [True] * 4
    done = await erased(world)
    grave = Tombstone(done.buried.erased_at, tuple(sorted(ADA)))
    assert await at(world, *ADA) == dict.fromkeys(ADA, grave)
    assert [await world.store.transitions(id_) for id_ in ADA] == [[], [], []]
    assert done.moves == len(moves[0])
    assert [lead.id for lead in done.buried.leads] == [EMAIL]
    assert (await world.store.get(BOB), await world.store.transitions(BOB)) == (bobs, moves[3])
    left = repr(everything(tmp_path / "warmlead.sqlite3"))
    for word in ("ada@", "ADA@", "Analytical", "browser-1", "google"):
        assert word not in left


async def test_the_archive_keeps_what_is_about_others(world: World) -> None:
    await ada_and_bob(world)
    before = await world.published(Topic.LEAD_EVENTS, Topic.QUARANTINE, *TRIGGER_TOPICS)
    done = await erased(world)
    after = await world.published(Topic.LEAD_EVENTS, Topic.QUARANTINE, *TRIGGER_TOPICS)
    gone = [published for published in before if published not in after]
    assert done.messages == {"lead-events": 2, "mql": 1, "quarantine": 2}
    assert len(gone) == 5
    assert all(b"bob" not in published.message.body for published in gone)
    assert {p.message.attributes.get("lead_id") for p in after} == {BOB, None}
    assert [entry.source for entry in await entries(world.sqlite_bus)] == ["segment"]


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{}", b'{"time": "yesterday"}', b'{"time": 7}', b"[]"]
)
async def test_what_says_no_time_is_as_old_as_its_publishing(world: World, body: bytes) -> None:
    await ada_and_bob(world)
    for topic in (Topic.MQL, Topic.LEAD_EVENTS):
        await world.bus.publish(topic, [Message(body, {"lead_id": EMAIL})])
    done = await erased(world)
    assert done.messages == {"lead-events": 3, "mql": 2, "quarantine": 2}


def bytes_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_no_trace_is_left_in_the_bytes_of_the_data_file(
    tmp_path: Path, clock: StandingClock
) -> None:
    path = tmp_path / "warmlead.sqlite3"
    async with SqliteFile(path) as file:
        await ada_and_bob(World(file, clock))
    assert b"Analytical Engines" in path.read_bytes()
    async with SqliteFile(path) as file:
        await erased(World(file, clock))
    content = bytes_in(tmp_path)
    assert b"bob@example.com" in content
    for word in (b"ada@example.com", b"ADA@Example", b"Analytical Engines", b"browser-1"):
        assert word not in content


@pytest.mark.parametrize("who", [EMAIL, USER, BROWSER])
async def test_each_identifier_names_the_whole_person(world: World, who: str) -> None:
    await ada_and_bob(world)
    done = await erased(world, who)
    assert set(done.buried.ids) == ADA
    assert await leads_in(world) == [BOB]


async def test_an_unsent_trigger_is_never_sent(world: World) -> None:
    world.bus.away = frozenset(TRIGGER_TOPICS)
    with pytest.raises(Exception, match="the bus is away"):
        await accept(world, *(world.seen(i) for i in range(3)))
    assert (await world.lead()).outbox
    await erased(world)
    world.bus.away = frozenset()
    assert [lead async for lead in world.store.with_unsent_triggers()] == []
    assert await world.triggers() == []


async def test_erasing_twice_is_erasing_once(world: World, tmp_path: Path) -> None:
    await ada_and_bob(world)
    first = await erased(world)
    once = everything(tmp_path / "warmlead.sqlite3")
    second = await erased(world, USER)
    assert everything(tmp_path / "warmlead.sqlite3") == once
    assert (second.buried.leads, second.moves, second.messages) == ((), 0, {})
    assert second.buried.ids == first.buried.ids


async def test_a_second_erasure_moves_the_tombstone_to_its_time(
    world: World, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    first = await erased(world)
    late = world.seen(20)
    clock.forward(MINUTE)
    second = await erased(world)
    assert second.buried.erased_at - first.buried.erased_at == MINUTE
    assert await world.apply(late) == [Applied(erased=1)]


async def test_erasing_an_unknown_person_keeps_later_deliveries_from_making_a_lead(
    world: World, clock: StandingClock
) -> None:
    under_way = world.seen(1)
    clock.forward(MINUTE)
    done = await erased(world)
    assert (done.buried.leads, done.buried.ids) == ((), (EMAIL,))
    assert await world.apply(under_way) == [Applied(erased=1)]
    assert await leads_in(world) == []


# --- nothing comes back -----------------------------------------------------------------------


async def test_neither_redelivery_nor_retries_bring_anything_back(
    world: World, clock: StandingClock
) -> None:
    counted = world.seen(1, email="ada@example.com", anonymous_id="browser-1")
    await world.apply(counted)
    await erased(world)
    assert await world.apply(counted) == [Applied(erased=1)]
    retried = world.seen(1, occurred_at=counted.occurred_at, received_at=clock.forward(DAY))
    assert await world.apply(retried) == [Applied(erased=1)]
    assert await leads_in(world) == []


async def test_a_copy_of_a_counted_event_is_not_newer_when_clocks_differ(
    world: World, clock: StandingClock
) -> None:
    """The function that received it is two seconds ahead of whoever erases."""
    ahead = clock.now() + timedelta(seconds=2, microseconds=345)
    event = seen_by(world, 1, ahead)
    await world.apply(event)
    await erased(world)
    assert await world.apply(event) == [Applied(erased=1)]


async def test_events_from_before_the_erasure_stay_out_of_a_new_lead(
    world: World, clock: StandingClock
) -> None:
    old = [world.seen(1), world.seen(2, email=None, anonymous_id="browser-1")]
    await world.apply(world.seen(3, email="ada@example.com", anonymous_id="browser-1"), *old)
    await erased(world)
    clock.forward(MINUTE)
    await world.apply(world.seen(4))
    browser = world.seen(5, email="bob@example.com", anonymous_id="browser-1")
    assert await world.apply(browser) == [Applied(counted=1)]
    for event in old:
        assert await world.apply(event) == [Applied(erased=1)]
    assert (await world.lead()).kept_events == 1
    bob = await world.lead(browser)
    assert (bob.kept_events, sorted(bob.trails)) == (1, sorted([BOB, BROWSER]))


async def test_a_merge_from_before_an_erasure_restores_no_identifier(
    world: World, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    merging = world.seen(30, email="other@example.com", user_id="u-42")
    await erased(world)
    clock.forward(MINUTE)
    assert await world.apply(merging) == [Applied(erased=1)]
    assert await leads_in(world) == [BOB]


async def test_what_is_released_from_quarantine_counts_when_it_came(
    world: World, clock: StandingClock
) -> None:
    """Its sender said no time, so it is not as if it happened when it was released."""
    await accept(world, world.seen(1))
    segment = SegmentSource({"key": Trust.PUBLIC}, max_event_bytes=10_000)
    await set_aside(world, '{"type":"track","event":"Seen","userId":"u-42"}')
    event = world.seen(2)
    entry = Quarantined(
        reason=Reason.LEAD_FLOODED, message="", source="x", received_at=clock.now(), event=event
    )
    await world.bus.publish(Topic.QUARANTINE, [to_quarantine(entry)])
    clock.forward(MINUTE)
    waiting = await entries(world.sqlite_bus)
    await world.store.update([], keeping(tombstones=dict.fromkeys(ADA, Tombstone(clock.now()))))
    clock.forward(MINUTE)
    release = Release(
        bus=world.bus,
        subscriptions=world.sqlite_bus,
        sources={"segment": segment},
        ids=lead_ids,
        clock=clock,
    )
    assert await release(waiting) == (2, 0)
    released = (await world.published(Topic.LEAD_EVENTS))[1:]
    for published in released:
        assert await world.apply(*read_events(published.message.body)) == [Applied(erased=1)]
    assert await leads_in(world) == []


@pytest.mark.slow
async def test_no_text_in_quarantine_holds_up_an_erasure(world: World) -> None:
    for raw in ("a" * 64_000, "@" * 64_000, "a@" * 32_000, "%40" * 20_000, '["' + "a" * 64_000):
        await set_aside(world, raw)
    with measured() as spent:
        assert (await erased(world)).messages.get("quarantine", 0) == 0
    assert spent.seconds < 1


async def test_neither_the_event_nor_the_raw_item_in_quarantine_stays(world: World) -> None:
    await accept(world, world.seen(1, email="ada@example.com", user_id="42"))
    entry = Quarantined(
        reason=Reason.LEAD_FLOODED,
        message="",
        source="generic",
        received_at=world.clock.now(),
        event=world.seen(2, email=None, user_id="42"),
    )
    await world.bus.publish(Topic.QUARANTINE, [to_quarantine(entry)])
    hers = [
        '{"a": [{"user_id": 42}]}',
        "name=Ada&mail=ada%40example.com",
        '{"ANONYMOUS-ID": "42"}',
        '{"note": "from \\u0041da@Example.com, in haste"}',
        '{"contacto": "Ada <ada@example.com>", "texto": "\\u00bfhola?"}',
        '{"de": "\\u00a1ada@example.com!"}',
        "(the body could not be read) bob@example.com, ada@example.com",
    ]
    others = [
        '{"quantity": 42, "page": "42"}',
        "mail=eda%40example.com",
        '{"id": "4"}',
        "",
        "[" * 9,
    ]
    for raw in (*hers, *others):
        await set_aside(world, raw)
    done = await erased(world)
    assert done.messages["quarantine"] == 1 + len(hers)
    left = [read_quarantined(p.message.body).raw for p in await world.published(Topic.QUARANTINE)]
    assert left == others


async def test_an_item_that_cannot_be_read_is_searched_as_it_is(world: World) -> None:
    await accept(world, world.seen(1, email="ada@example.com"))
    hers, others = b'{"v": 9, "raw": "ada@example.com"', b'{"v": 9, "raw": "bob@example.com"}\xff'
    await world.bus.publish(Topic.QUARANTINE, [Message(hers, {}), Message(others, {})])
    assert (await erased(world)).messages["quarantine"] == 1
    assert [p.message.body for p in await world.published(Topic.QUARANTINE)] == [others]


@pytest.mark.slow
async def test_a_long_item_is_searched_in_linear_time(world: World) -> None:
    await accept(world, world.seen(1, email="ada@example.com"))
    for text in ("x" * 200_000, "@" * 200_000, "x@" * 100_000, "%40" * 60_000):
        await set_aside(world, f"{text} ada@example.com")
    with measured() as spent:
        assert (await erased(world)).messages["quarantine"] == 4
    assert spent.seconds < 5


async def rebuilt(world: World, folder: Path) -> Replayed:
    async with SqliteFile(folder / "scratch.sqlite3") as file:
        return await replay(
            archive=world.sqlite_bus,
            scratch=SqliteLeadStore(file, world.clock),
            store=world.store,
            bus=world.bus,
            scoring=world.scoring,
            clock=world.clock,
            progress=lambda _: None,
        )


@pytest.mark.slow
async def test_a_replay_brings_nothing_back(
    world: World, tmp_path: Path, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    late = [world.seen(40), world.seen(41, email="eve@example.com", anonymous_id="browser-1")]
    await erased(world)
    clock.forward(MINUTE)
    await accept(world, *late)  # archived, though none of them counts
    await accept(world, world.seen(42))
    await rebuilt(world, tmp_path)
    assert sorted(await leads_in(world)) == sorted([EMAIL, BOB])
    assert (await world.lead()).kept_events == 1


@pytest.mark.slow
async def test_a_replay_does_not_undo_an_erasure_that_comes_meanwhile(
    world: World, tmp_path: Path, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    async with SqliteFile(tmp_path / "scratch.sqlite3") as file:

        def interrupted(events: int) -> None:
            if events == 6:  # all of them have been read
                pending.append(asyncio.ensure_future(again()))

        async def again() -> None:
            await erased(world)
            now = clock.forward(MINUTE)
            await world.apply(seen_by(world, 50, now))

        pending: list[asyncio.Future[None]] = []

        class Scratch(SqliteLeadStore):
            async def leads(self):  # type: ignore[no-untyped-def]  # as in the store
                for each in pending:
                    await each
                async for lead in super().leads():
                    yield lead

        await replay(
            archive=world.sqlite_bus,
            scratch=Scratch(file, clock),
            store=world.store,
            bus=world.bus,
            scoring=world.scoring,
            clock=clock,
            progress=interrupted,
        )
    assert pending
    lead = await world.lead()
    assert (lead.kept_events, lead.traits) == (1, {})


# --- beside others ----------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_lead_that_is_written_during_its_erasure_ends_erased(world: World) -> None:
    await ada_and_bob(world)
    known = {"email": "ada@example.com", "anonymous_id": "browser-1"}
    before = [world.seen(100 + i, **known) for i in range(60)]
    counting = [asyncio.create_task(world.apply(event)) for event in before[:30]]
    await asyncio.sleep(0)
    erasing = asyncio.create_task(erased(world))
    counting += [asyncio.create_task(world.apply(event)) for event in before[30:]]
    await asyncio.gather(erasing, *counting)
    assert await leads_in(world) == [BOB]
    assert {type(each) for each in (await at(world, *ADA)).values()} == {Tombstone}
    assert [await world.store.transitions(id_) for id_ in ADA] == [[], [], []]


@pytest.mark.slow
async def test_an_erased_identifier_that_returned_is_not_erased_with_the_others(
    world: World, clock: StandingClock
) -> None:
    await ada_and_bob(world)
    await erased(world)
    clock.forward(MINUTE)
    browser = world.seen(60, email=None, anonymous_id="browser-1")
    await accept(world, browser)
    clock.forward(MINUTE)
    done = await erased(world)
    assert done.buried.again == (BROWSER,)
    assert isinstance((await at(world, BROWSER))[BROWSER], Lead)
    assert len(await world.published(Topic.LEAD_EVENTS)) == 2  # Bob's and the browser's
    done = await erased(world, BROWSER)
    assert [lead.id for lead in done.buried.leads] == [BROWSER]
    assert len(await world.published(Topic.LEAD_EVENTS)) == 1


async def test_ids_of_a_lead_that_was_merged_meanwhile_lead_to_the_person(world: World) -> None:
    visit = world.seen(1, email=None, anonymous_id="browser-1")
    await world.apply(visit)
    await world.apply(world.seen(2, email="ada@example.com", anonymous_id="browser-1"))
    done = await erased(world, BROWSER)
    assert set(done.buried.ids) == {EMAIL, BROWSER}
