"""Whoever was erased stays so: no event of before can bring them back, however late it comes."""

from datetime import timedelta

from builders import StandingClock, keeping, lead_ids
from unit.application.conftest import World
from warmlead.application.apply import Applied
from warmlead.domain.event import Event
from warmlead.domain.identity import identifiers_of
from warmlead.ports import Tombstone

MINUTE = timedelta(minutes=1)


async def erase(world: World, event: Event) -> None:
    grave = Tombstone(world.clock.now())
    ids = [lead_ids.of(identifier) for identifier in identifiers_of(event)]
    await world.store.update([], keeping(tombstones=dict.fromkeys(ids, grave)))


async def leads_in(world: World) -> int:
    return len([lead async for lead in world.store.leads()])


async def test_events_from_before_an_erasure_are_dropped(world: World) -> None:
    visit = world.seen(1, email="ada@example.com", anonymous_id="browser-1")
    await world.apply(visit)
    await erase(world, visit)
    browser = world.seen(2, email=None, anonymous_id="browser-1")
    assert await world.apply(visit) == [Applied(erased=1)]
    assert await world.apply(browser) == [Applied(erased=1)]
    assert await leads_in(world) == 0


async def test_events_from_before_an_erasure_are_dropped_even_if_received_later(
    world: World, clock: StandingClock
) -> None:
    visit = world.seen(1)
    await erase(world, visit)
    before = clock.now()
    queued = world.seen(2, occurred_at=before, received_at=clock.forward(MINUTE))
    assert await world.apply(queued) == [Applied(erased=1)]
    assert await leads_in(world) == 0


async def test_an_event_of_others_in_the_same_message_counts(world: World) -> None:
    visit, bob = world.seen(1), world.seen(2, email="bob@example.com")
    await erase(world, visit)
    assert await world.apply(visit, bob) == [Applied(erased=1), Applied(counted=1)]
    assert await leads_in(world) == 1


async def test_an_erased_person_who_returns_is_a_new_lead(
    world: World, clock: StandingClock
) -> None:
    visit = world.seen(1)
    await world.apply(visit)
    await erase(world, visit)
    now = clock.forward(MINUTE)
    again = world.seen(2, occurred_at=now, received_at=now)
    assert await world.apply(again) == [Applied(counted=1)]
    assert (await world.lead()).kept_events == 1
