"""Applying: each event once, whatever fails in between; what cannot be counted is set aside."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from builders import StandingClock, an_event
from unit.application.conftest import DAY, World
from warmlead.application.accept import read_events
from warmlead.application.apply import MAX_OF_FLOOD, Applied
from warmlead.domain.capacity import MAX_UNKNOWN_NAMES
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Trust
from warmlead.domain.trigger import Topic


async def test_an_event_is_counted_once(world: World) -> None:
    event = world.seen(1)
    assert await world.apply(event) == [Applied(counted=1)]
    before = await world.lead()
    assert await world.apply(event, event) == [Applied(duplicates=2)]
    assert await world.lead() == before


async def test_events_of_several_leads_are_decided_apart(world: World) -> None:
    bob = world.seen(2, email="bob@example.com")
    assert await world.apply(world.seen(1), bob, world.seen(3)) == [Applied(2), Applied(1)]
    assert (await world.lead()).kept_events == 2
    assert (await world.lead(bob)).kept_events == 1


async def test_many_at_once_on_one_lead_lose_nothing(world: World) -> None:
    events = [world.seen(i, f"event_{i}") for i in range(50)]
    await asyncio.gather(*(world.apply(event) for event in (*events, *reversed(events))))
    assert (await world.lead()).kept_events == 50


async def test_a_visitor_who_becomes_known_is_one_lead_with_everything(world: World) -> None:
    browser = world.seen(1, email=None, anonymous_id="browser-1")
    await world.apply(browser)
    await world.apply(world.seen(2, email="ada@example.com", anonymous_id="browser-1"))
    lead = await world.lead(browser)
    assert lead == await world.lead()
    assert lead.kept_events == 2
    assert [moved.to_stage for moved in await world.store.transitions(lead.id)] == ["lead"]
    assert len([lead async for lead in world.store.leads()]) == 1


async def test_an_event_received_too_long_ago_is_quarantined(
    world: World, clock: StandingClock
) -> None:
    late, just_in_time = (
        world.seen(1),
        world.seen(2, received_at=clock.now() + timedelta(seconds=1)),
    )
    clock.forward(31 * DAY + timedelta(seconds=1))
    (applied,) = await world.apply(late, just_in_time)
    assert applied.counted == 1
    assert applied.quarantined == ((late, Reason.RECEIVED_TOO_LONG_AGO),)
    (entry,) = await world.published(Topic.QUARANTINE)
    kept = json.loads(entry.message.body)
    assert (kept["reason"], kept["event"]["id"]) == ("received_too_long_ago", "event-1")


@pytest.mark.slow
async def test_a_flood_quarantines_its_first_events_and_counts_the_rest(
    world: World,
) -> None:
    flood = [
        world.seen(i, f"event_{i}", trust=Trust.PUBLIC)
        for i in range(MAX_UNKNOWN_NAMES + MAX_OF_FLOOD + 30)
    ]
    (applied,) = await world.apply(*flood)
    assert len(applied.quarantined) == MAX_OF_FLOOD + 30
    *whole, more = [json.loads(e.message.body) for e in await world.published(Topic.QUARANTINE)]
    assert [entry["reason"] for entry in whole] == ["lead_flooded"] * MAX_OF_FLOOD
    assert all("event" in entry for entry in whole)
    assert more["message"].startswith("and 30 more of the same request: ")
    assert "archive" in more["message"]


@pytest.mark.slow
async def test_a_flooding_lead_is_frozen_and_flagged(world: World) -> None:
    # Of one name 20 a day are kept at most, so flooding takes many names.
    public = {"trust": Trust.PUBLIC}
    events = [world.seen(i, f"event_{i}", **public) for i in range(MAX_UNKNOWN_NAMES + 2)]
    await world.apply(*events[:MAX_UNKNOWN_NAMES])
    (applied,) = await world.apply(*events[-3:])
    assert (applied.duplicates, applied.counted) == (1, 0)
    assert [reason for _, reason in applied.quarantined] == [Reason.LEAD_FLOODED] * 2
    assert (await world.lead()).kept_events == MAX_UNKNOWN_NAMES
    assert len(await world.published(Topic.QUARANTINE)) == 2
    assert await world.apply(world.seen(0, trust=Trust.SIGNED)) == [Applied(counted=1)]


async def test_an_event_is_counted_though_its_trigger_could_not_be_sent(world: World) -> None:
    world.bus.away = frozenset([Topic.MQL])
    with pytest.raises(UnavailableError):
        await world.pages(1, 3)
    lead = await world.lead()
    assert (lead.progress.stage, lead.kept_events, len(lead.outbox)) == ("mql", 3, 1)
    world.bus.away = frozenset()
    assert await world.pages(1, 3) == [Applied(duplicates=3)]  # delivered again


async def test_a_failed_quarantine_write_is_repeated_on_redelivery(world: World) -> None:
    old = world.seen(1, received_at=world.clock.now() - 40 * DAY)
    world.bus.away = frozenset([Topic.QUARANTINE])
    with pytest.raises(UnavailableError):
        await world.apply(old)
    world.bus.away = frozenset()
    await world.apply(old)
    assert len(await world.published(Topic.QUARANTINE)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"events": 1}',
        b'{"v": 2, "events": []}',
        b"\xff",
        b'{"\xff": 1}',
    ],
)
def test_a_message_that_is_not_ours_is_rejected_without_an_echo(body: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        read_events(body)
    assert caught.value.reason is Reason.MESSAGE_INVALID


def test_a_fault_in_an_event_is_told_without_its_content() -> None:
    event = msgspec.json.encode(an_event()).decode().replace("page_viewed", "Ada viewed a page")
    with pytest.raises(RejectedError) as caught:
        read_events(f'{{"events": [{event}]}}'.encode())
    assert "ada" not in caught.value.message


async def test_a_form_that_is_posted_again_does_not_come_back_as_the_latest_step(
    world: World,
) -> None:
    world.use(replace(world.rules, shown={"page_viewed": ("path",)}))
    for number in range(8):
        await world.apply(world.seen(number, properties={"path": f"/{number}"}))
        world.clock.forward(timedelta(minutes=1))
    steps = (await world.lead()).steps
    again = [world.seen(number, properties={"path": f"/{number}"}) for number in range(8)]
    await world.apply(*again)
    await world.apply(again[0])
    assert (await world.lead()).steps == steps
