"""What every ``EventBus`` promises, seen by those who work on what it delivers.

The tests never ask which bus it is. All of them deliver at least once, in any order.
"""

import asyncio
from collections.abc import Iterable

import pytest

from contract.backends import Buses
from contract.messages import a_message
from contract.subscribers import Subscriber, Taken
from patience import eventually
from warmlead.ports import EventBus, Message


async def received(subscriber: Subscriber, ids: Iterable[str]) -> dict[str, Message]:
    """All that came, by id, until everything with these ids has; each is acknowledged."""
    missing, found = set(ids), dict[str, Message]()

    async def take() -> bool:
        if taken := await subscriber.take():
            await subscriber.acknowledge(taken)
        found.update({each.message_id: each.message for each in taken})
        return missing <= found.keys()

    await eventually(take)
    return found


async def first(subscriber: Subscriber) -> Taken:
    """The first message that comes; it is not acknowledged."""
    found: list[Taken] = []

    async def take() -> bool:
        found.extend(await subscriber.take())
        return bool(found)

    await eventually(take)
    return found[0]


def bodies(messages: Iterable[Message]) -> list[str]:
    return sorted(message.body.decode() for message in messages)


# --- publishing --------------------------------------------------------------------------


async def test_a_message_comes_exactly_as_it_was_published(
    event_bus: EventBus, buses: Buses
) -> None:
    message = Message(bytes(range(256)), {"stage": "żółw 🐢", "empty": "", "type": "x.y.v1"})
    ids = await event_bus.publish("news", [message])
    assert await received(buses.subscriber("readers"), ids) == {ids[0]: message}


async def test_every_message_has_an_id_of_its_own_in_the_order_of_publishing(
    event_bus: EventBus, buses: Buses
) -> None:
    messages = [a_message(str(i)) for i in range(30)]
    ids = await event_bus.publish("news", messages)
    assert len(set(ids)) == 30
    found = await received(buses.subscriber("readers"), ids)
    assert [found[message_id] for message_id in ids] == messages


async def test_equal_messages_are_messages_of_their_own(event_bus: EventBus, buses: Buses) -> None:
    ids = [*await event_bus.publish("news", [a_message()] * 2)]
    ids += await event_bus.publish("news", [a_message()])
    assert len(set(ids)) == 3
    assert len(await received(buses.subscriber("readers"), ids)) == 3


async def test_publishing_nothing_does_nothing(event_bus: EventBus, buses: Buses) -> None:
    assert list(await event_bus.publish("news", [])) == []
    ids = await event_bus.publish("news", [a_message("something")])
    found = await received(buses.subscriber("readers"), ids)
    assert bodies(found.values()) == ["something"]


async def test_topics_are_apart(event_bus: EventBus, buses: Buses) -> None:
    gossip = await event_bus.publish("gossip", [a_message("gossip")])
    news = await event_bus.publish("news", [a_message("news")])
    heard = await received(buses.subscriber("listeners"), gossip)
    read = await received(buses.subscriber("readers"), news)
    assert (bodies(heard.values()), bodies(read.values())) == (["gossip"], ["news"])


async def test_a_message_without_a_body_is_one(event_bus: EventBus, buses: Buses) -> None:
    message = Message(b"", {"type": "nothing to say"})
    ids = await event_bus.publish("news", [message])
    assert await received(buses.subscriber("readers"), ids) == {ids[0]: message}


async def test_a_message_may_have_many_and_long_attributes(
    event_bus: EventBus, buses: Buses
) -> None:
    attributes = {f"{i:02}".ljust(256, "k"): f"{i:02}".ljust(1_024, "v") for i in range(100)}
    ids = await event_bus.publish("news", [Message(b"a", attributes)])
    found = await received(buses.subscriber("readers"), ids)
    assert found[ids[0]].attributes == attributes


async def test_a_megabyte_is_a_message(event_bus: EventBus, buses: Buses) -> None:
    message = Message(bytes(range(256)) * 4_096, {"type": "large"})
    ids = await event_bus.publish("news", [message])
    assert await received(buses.subscriber("readers"), ids) == {ids[0]: message}


@pytest.mark.slow
async def test_thousands_of_messages_are_one_publication(event_bus: EventBus, buses: Buses) -> None:
    messages = [a_message(str(i)) for i in range(5_000)]
    ids = await event_bus.publish("news", messages)
    found = await received(buses.subscriber("readers"), ids)
    assert [found[message_id] for message_id in ids] == messages


@pytest.mark.slow
async def test_a_publication_may_have_many_megabytes(event_bus: EventBus, buses: Buses) -> None:
    messages = [Message(bytes([i]) * 1_000_000, {"type": "large"}) for i in range(20)]
    ids = await event_bus.publish("news", messages)
    found = await received(buses.subscriber("readers"), ids)
    assert [found[message_id] for message_id in ids] == messages


@pytest.mark.slow
async def test_many_publishers_lose_nothing(buses: Buses) -> None:
    one, other = buses.open(), buses.open()
    published = await asyncio.gather(
        *(
            bus.publish("news", [a_message(f"{name}-{i}-{j}") for j in range(20)])
            for i in range(30)
            for name, bus in (("one", one), ("other", other))
        )
    )
    ids = {message_id for group in published for message_id in group}
    found = await received(buses.subscriber("readers"), ids)
    assert len(set(bodies(found.values()))) == len(found) == len(ids) == 1_200


# --- delivery ----------------------------------------------------------------------------


async def test_a_later_subscriber_gets_earlier_messages(buses: Buses) -> None:
    ids = await buses.open().publish("news", [a_message()])
    buses.open()
    assert (await received(buses.subscriber("readers"), ids)).keys() == set(ids)


async def test_every_subscription_is_handed_every_message(
    event_bus: EventBus, buses: Buses
) -> None:
    ids = await event_bus.publish("news", [a_message(str(i)) for i in range(10)])
    for subscription in ("readers", "archivists"):
        assert (await received(buses.subscriber(subscription), ids)).keys() == set(ids)


async def test_two_subscribers_of_one_subscription_share_its_messages(
    event_bus: EventBus, buses: Buses
) -> None:
    ids = await event_bus.publish("news", [a_message(str(i)) for i in range(50)])
    found: set[str] = set()

    async def work(subscriber: Subscriber) -> None:
        async def take() -> bool:
            if taken := await subscriber.take():
                await subscriber.acknowledge(taken)
            found.update(each.message_id for each in taken)
            return found == set(ids)

        await eventually(take)

    await asyncio.gather(*(work(buses.subscriber("readers")) for _ in range(2)))
    assert found == set(ids)


# --- failure -----------------------------------------------------------------------------


async def test_a_message_that_was_given_back_comes_again_as_it_was(
    event_bus: EventBus, buses: Buses
) -> None:
    ids = await event_bus.publish("news", [a_message()])
    readers = buses.subscriber("readers")
    failed = await first(readers)
    await readers.give_back([failed])
    again = await first(readers)
    assert (again.message_id, again.message) == (failed.message_id, failed.message)
    assert again.message_id == ids[0]


async def test_a_message_that_always_fails_does_not_delay_others(
    event_bus: EventBus, buses: Buses
) -> None:
    await event_bus.publish("news", [a_message("poison")])
    readers = buses.subscriber("readers")
    await readers.give_back([await first(readers)])
    good = set(await event_bus.publish("news", [a_message(str(i)) for i in range(20)]))

    async def work() -> bool:
        taken = await readers.take()
        done = [each for each in taken if each.message_id in good]
        if done:
            await readers.acknowledge(done)
            good.difference_update(each.message_id for each in done)
        if failed := [each for each in taken if each not in done]:
            await readers.give_back(failed)
        return not good

    await eventually(work)


async def test_after_its_attempts_a_message_is_dead_and_the_others_are_not(
    event_bus: EventBus, buses: Buses
) -> None:
    ids = await event_bus.publish("news", [a_message("poison"), a_message("good")])
    readers, failures, dead = buses.subscriber("readers"), 0, list[Message]()

    async def work() -> bool:
        nonlocal failures
        for each in await readers.take():
            if each.message_id == ids[0]:
                failures += 1
                await readers.give_back([each])
            else:
                await readers.acknowledge([each])
        dead.extend(await readers.dead())
        return bool(dead)

    await eventually(work)
    assert bodies(dead) == ["poison"]
    assert failures > 1
    assert await readers.take() == []


async def test_a_message_dead_in_one_subscription_is_delivered_to_another(
    event_bus: EventBus, buses: Buses
) -> None:
    ids = await event_bus.publish("news", [a_message("poison")])
    readers, archivists = buses.subscriber("readers"), buses.subscriber("archivists")

    async def fail() -> bool:
        if taken := await readers.take():
            await readers.give_back(taken)
        return bool(await readers.dead())

    await eventually(fail)
    assert (await received(archivists, ids)).keys() == set(ids)
    assert await archivists.dead() == []
