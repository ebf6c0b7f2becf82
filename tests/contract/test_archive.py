"""What every ``Archive`` promises: it finds what is about leads, and forgets what it is told to."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW, StandingClock, an_event
from contract.backends import Archives, Bus
from contract.messages import bodies, log_of
from unit.application.conftest import World
from warmlead.application.accept import by_lead
from warmlead.application.replay import replay
from warmlead.domain.event import Event
from warmlead.ports import Message, Published
from warmlead.ports.archiving import Archive
from warmlead.runtime.backends import scratch_store
from warmlead.sqlite_file import SqliteFile

MOMENT = timedelta(milliseconds=1)


def of(lead: str, body: str) -> Message:
    return Message(body.encode(), {"lead_id": lead, "type": "news"})


async def found(archive: Archive, *leads: str) -> list[Published]:
    return [published async for published in archive.of_leads(leads)]


async def test_a_message_is_read_back_exactly(
    archives: Archives, archive: Archive, clock: StandingClock
) -> None:
    message = Message('{"name": "żółw 🐢\\u0000"}\n'.encode(), {"stage": "żółw 🐢", "empty": ""})
    bare = Message(b"", {})
    (id_,) = await archives.write("news", message)
    clock.forward(MOMENT)
    await archives.write("news", bare)
    first, second = await log_of(archive, "news")
    assert (first.message, second.message) == (message, bare)
    assert (first.message_id, first.topic, first.at) == (id_, "news", clock.now() - MOMENT)


@pytest.mark.slow
async def test_a_topic_is_read_in_the_order_of_publishing_each_message_once(
    archives: Archives, archive: Archive, clock: StandingClock
) -> None:
    for hours in range(60):
        await archives.write("news", Message(f"{hours}".encode(), {}))
        clock.forward(timedelta(hours=1))
    await archives.write("gossip", Message(b"other", {}))
    log = await log_of(archive, "news")
    assert bodies(log) == [str(hours) for hours in range(60)]
    assert [each.at for each in log] == [NOW + timedelta(hours=hours) for hours in range(60)]
    assert bodies(await log_of(archive, "gossip")) == ["other"]


async def test_a_topic_without_a_log_is_empty(archive: Archive) -> None:
    assert await log_of(archive, "quarantine") == []


async def test_messages_of_leads_are_found_in_every_topic_in_order(
    archives: Archives, archive: Archive, clock: StandingClock
) -> None:
    await archives.write("news", of("ada", "1"), of("bob", "2"), Message(b"3", {}))
    clock.forward(MOMENT)
    await archives.write("gossip", of("ada", "4"), Message(b"ada", {"about": "ada"}))
    clock.forward(MOMENT)
    await archives.write("news", of("cyn", "5"), of("adam", "6"))
    assert bodies(await found(archive, "ada", "cyn")) == ["1", "4", "5"]
    assert await found(archive, "ad") == await found(archive) == []
    assert (await found(archive, "bob"))[0] == (await log_of(archive, "news"))[1]


async def test_the_text_of_an_id_is_never_a_part_of_a_query(
    archives: Archives, archive: Archive
) -> None:
    hostile = ["') OR TRUE --", "' OR '1'='1", "`", "@lead_ids", "ada"]
    await archives.write("news", *(of(each, each) for each in hostile), of("bob", "bob"))
    for each in hostile:
        assert bodies(await found(archive, each)) == [each]


async def test_more_messages_than_a_page_are_found(archives: Archives, archive: Archive) -> None:
    await archives.write("news", *(of("ada" if i % 3 else "bob", str(i)) for i in range(1_300)))
    assert bodies(await found(archive, "bob")) == [str(i) for i in range(0, 1_300, 3)]
    assert len(await log_of(archive, "news")) == 1_300


async def test_erased_messages_are_gone_with_their_copies(
    archives: Archives, archive: Archive
) -> None:
    await archives.write("news", of("ada", "1"), of("bob", "2"), of("ada", "3"))
    await archives.write("gossip", of("ada", "4"), of("bob", "5"))
    adas = await found(archive, "ada")
    assert list(await archive.erase(adas)) == []
    assert await found(archive, "ada") == []
    assert bodies(await log_of(archive, "news")) == ["2"]
    assert bodies(await log_of(archive, "gossip")) == ["5"]
    assert list(await archive.erase(adas)) == []  # again
    assert list(await archive.erase([])) == []
    assert bodies(await found(archive, "bob")) == ["2", "5"]


async def test_another_instance_sees_an_erasure(archives: Archives) -> None:
    one, other = await archives.open(), await archives.open()
    await archives.write("news", of("ada", "1"))
    await other.erase(await found(other, "ada"))
    assert await log_of(one, "news") == []
    await archives.write("news", of("ada", "2"))
    assert bodies(await found(other, "ada")) == ["2"]


@pytest.mark.slow
async def test_a_replay_from_any_archive_restores_what_live_traffic_made(
    archives: Archives, archive: Archive, clock: StandingClock, tmp_path: Path
) -> None:
    async with SqliteFile(tmp_path / "live.db") as live_file, scratch_store() as scratch:
        live = World(live_file, clock)
        for event in story():
            clock.time = event.received_at
            await live.apply(event)
            await archives.write("lead-events", *by_lead([event], live.ids))
        clock.forward(timedelta(hours=1))
        async with SqliteFile(tmp_path / "lost.db") as lost_file:
            lost = World(lost_file, clock)
            done = await replay(
                archive=archive,
                scratch=scratch,
                store=lost.store,
                bus=lost.bus,
                scoring=lost.scoring,
                clock=clock,
                progress=lambda _: None,
            )
            expected = {lead.id: lead.trails async for lead in live.store.leads()}
            assert (done.events, done.leads, done.failed) == (90, len(expected), 0)
            assert {lead.id: lead.trails async for lead in lost.store.leads()} == expected


def story() -> Iterator[Event]:
    """Three people over a month; one was unknown at first."""
    for number in range(90):
        at = NOW + timedelta(hours=8 * number)
        who = number % 3
        known = {"email": f"p{who}@example.com", "anonymous_id": f"browser-{who}"}
        if who == 1 and number < 60:
            del known["email"]
        yield an_event(
            id=str(number),
            name="page_viewed",
            occurred_at=at,
            received_at=at,
            properties={"path": "/pricing"},
            **{"email": None, **known},
        )


async def test_an_erased_message_is_not_delivered(bus: Bus) -> None:
    await bus.publish("news", [of("ada", "1"), of("bob", "2"), of("ada", "3")])
    await bus.erase(await found(bus, "ada"))
    for subscription in ("readers", "archivists"):
        assert bodies(await bus.pull(subscription, most=10, now=NOW)) == ["2"]


async def test_a_message_erased_during_its_lease_does_not_return(bus: Bus) -> None:
    await bus.publish("news", [of("ada", "1"), of("ada", "2"), of("ada", "3")])
    one, two, three = await bus.pull("readers", most=10, now=NOW)
    await bus.finish("archivists", [one.published.number])
    await bus.erase([each.published for each in (one, two, three)])
    await bus.acknowledge([one])
    await bus.retry_later(two, why="it failed", now=NOW)
    assert await bus.revive("readers", [three.published.number], now=NOW) == 0
    assert await bus.outstanding("readers") == []
    assert await bus.dead("readers") == []
