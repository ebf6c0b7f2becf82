"""Sending: after the commit, until the bus has it for sure; a repeat is the same bytes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import StandingClock, a_lead, a_trigger, keeping
from unit.application.conftest import World
from warmlead.application.send import GRACE, send, sweep
from warmlead.domain.errors import UnavailableError
from warmlead.domain.trigger import Topic


async def crash_between_commit_and_publish(world: World) -> None:
    world.bus.away = frozenset([Topic.MQL])
    with pytest.raises(UnavailableError):
        await world.pages(1, 3)
    world.bus.away = frozenset()


async def test_what_a_crash_left_unsent_is_swept_up_once(
    world: World, clock: StandingClock
) -> None:
    await crash_between_commit_and_publish(world)
    (waiting,) = (await world.lead()).outbox
    now = clock.forward(GRACE)
    assert (await sweep(store=world.store, bus=world.bus, now=now)).triggers == 1
    (published,) = await world.published(Topic.MQL)
    assert published.message.body == waiting.body.encode()
    assert published.message.attributes == {**dict(waiting.attributes), "id": waiting.id}
    assert (await sweep(store=world.store, bus=world.bus, now=now)).triggers == 0
    assert (await world.lead()).outbox == ()


async def test_the_sweep_leaves_to_others_what_they_are_about_to_send(
    world: World, clock: StandingClock
) -> None:
    await crash_between_commit_and_publish(world)
    just_before = clock.forward(GRACE - timedelta(milliseconds=1))
    assert (await sweep(store=world.store, bus=world.bus, now=just_before)).triggers == 0
    assert await world.published(Topic.MQL) == []


async def test_a_crash_before_clearing_sends_the_same_bytes_again(
    world: World, clock: StandingClock
) -> None:
    await crash_between_commit_and_publish(world)
    lead = await world.lead()
    await send([(lead.id, lead.outbox[0])], store=world.store, bus=world.bus)
    await world.store.update([lead.id], keeping(lead))  # as if it had not been cleared
    await sweep(store=world.store, bus=world.bus, now=clock.forward(GRACE))
    first, second = await world.published(Topic.MQL)
    assert first.message == second.message


async def test_a_sweep_that_fails_loses_nothing(world: World, clock: StandingClock) -> None:
    await crash_between_commit_and_publish(world)
    world.bus.away = frozenset([Topic.MQL])
    now = clock.forward(GRACE)
    with pytest.raises(UnavailableError):
        await sweep(store=world.store, bus=world.bus, now=now)
    world.bus.away = frozenset()
    assert (await sweep(store=world.store, bus=world.bus, now=now)).triggers == 1


async def test_only_what_was_sent_is_cleared(world: World) -> None:
    one, other = a_trigger(id="one"), a_trigger(id="other")
    lead = replace(a_lead(), outbox=(one, other))
    await world.store.update([lead.id], keeping(lead))
    await send([(lead.id, one)], store=world.store, bus=world.bus)
    assert (await world.lead()).outbox == (other,)
    await send([(lead.id, one)], store=world.store, bus=world.bus)
    assert (await world.lead()).outbox == (other,)


async def test_a_lead_that_is_gone_does_not_matter(world: World) -> None:
    await send([("nobody", a_trigger())], store=world.store, bus=world.bus)
    assert len(await world.published(Topic.MQL)) == 1
    assert [lead async for lead in world.store.leads()] == []
