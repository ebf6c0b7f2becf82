"""What every ``MessageLog`` promises: the log has all that was published, in order, for good."""

import asyncio

import pytest

from builders import NOW, StandingClock
from contract.backends import Bus, OpenBus
from contract.messages import a_message, bodies, log_of
from warmlead.ports import Message


async def test_a_published_message_is_read_back_exactly(bus: Bus, clock: StandingClock) -> None:
    message = Message(bytes(range(256)), {"stage": "żółw 🐢", "empty": ""})
    (message_id,) = await bus.publish("news", [message])
    (found,) = await log_of(bus, "news")
    assert found.message == message
    assert (found.message_id, found.topic, found.at) == (message_id, "news", clock.now())


async def test_the_log_keeps_the_order_of_publishing(bus: Bus) -> None:
    for start in range(0, 30, 10):
        await bus.publish("news", [a_message(str(i)) for i in range(start, start + 10)])
    log = await log_of(bus, "news")
    assert bodies(log) == [str(i) for i in range(30)]
    numbers = [published.number for published in log]
    assert numbers == sorted(set(numbers))


async def test_the_log_can_be_read_from_a_number_on(bus: Bus) -> None:
    await bus.publish("news", [a_message(str(i)) for i in range(5)])
    third = (await log_of(bus, "news"))[2]
    later = [published async for published in bus.read("news", after=third.number)]
    assert bodies(later) == ["3", "4"]


async def test_topics_are_apart(bus: Bus) -> None:
    await bus.publish("news", [a_message("news")])
    await bus.publish("gossip", [a_message("gossip")])
    assert bodies(await log_of(bus, "news")) == ["news"]
    assert bodies(await log_of(bus, "gossip")) == ["gossip"]
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["news"]


async def test_publishing_nothing_does_nothing(bus: Bus) -> None:
    assert list(await bus.publish("news", [])) == []
    assert await log_of(bus, "news") == []


@pytest.mark.slow
async def test_many_messages_and_many_publishers_lose_nothing(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    published = await asyncio.gather(
        *(
            bus.publish("news", [a_message(f"{name}-{i}-{j}") for j in range(20)])
            for i in range(30)
            for name, bus in (("one", one), ("other", other))
        )
    )
    log = await log_of(one, "news")
    assert len(set(bodies(log))) == len(log) == 1_200
    assert {each.message_id for each in log} == {id_ for ids in published for id_ in ids}


async def test_the_log_keeps_what_has_been_delivered(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    for subscription in ("readers", "archivists"):
        await bus.acknowledge(await bus.pull(subscription, most=1, now=NOW))
    assert bodies(await log_of(bus, "news")) == ["hello"]
