"""What every bus promises: publishing, the log, delivery; never asking which bus it is."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from builders import NOW, StandingClock
from contract.backends import Bus, OpenBus
from warmlead.ports import Delivery, Message, Published

LONG = timedelta(days=1)
"""Longer than any lease and any pause."""


def a_message(text: str = "hello") -> Message:
    return Message(text.encode(), {"type": "greeting"})


def bodies(found: Sequence[Delivery] | Sequence[Published]) -> list[str]:
    published = [each.published if isinstance(each, Delivery) else each for each in found]
    return [each.message.body.decode() for each in published]


async def log_of(bus: Bus, topic: str, after: int = 0) -> list[Published]:
    return [published async for published in bus.read(topic, after=after)]


async def fail(bus: Bus, now: datetime, why: str = "broken") -> Delivery:
    (delivery,) = await bus.pull("readers", most=10, now=now)
    await bus.retry_later(delivery, why=why, now=now)
    return delivery


async def fail_until_dead(bus: Bus, now: datetime = NOW) -> int:
    """Fails at the one waiting message until nothing is due any more; returns how often."""
    failures = 0
    while found := await bus.pull("readers", most=10, now=now):
        failures += 1
        await bus.retry_later(found[0], why=f"failure {failures}", now=now)
        now += LONG
    return failures


# --- publishing and the log --------------------------------------------------------------


async def test_a_published_message_is_read_back_exactly(bus: Bus, clock: StandingClock) -> None:
    message = Message(bytes(range(256)), {"stage": "żółw 🐢", "empty": ""})
    (message_id,) = await bus.publish("news", [message])
    (found,) = await log_of(bus, "news")
    assert found.message == message
    assert (found.message_id, found.topic, found.at) == (message_id, "news", clock.now())


async def test_another_instance_has_what_was_published(open_bus: OpenBus) -> None:
    await open_bus().publish("news", [a_message()])
    other = open_bus()
    assert bodies(await log_of(other, "news")) == ["hello"]
    assert bodies(await other.pull("readers", most=1, now=NOW)) == ["hello"]


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
    assert bodies(await log_of(bus, "news", after=third.number)) == ["3", "4"]


async def test_topics_are_apart(bus: Bus) -> None:
    await bus.publish("news", [a_message("news")])
    await bus.publish("gossip", [a_message("gossip")])
    assert bodies(await log_of(bus, "news")) == ["news"]
    assert bodies(await log_of(bus, "gossip")) == ["gossip"]
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["news"]


async def test_publishing_nothing_does_nothing(bus: Bus) -> None:
    assert list(await bus.publish("news", [])) == []
    assert await log_of(bus, "news") == []


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


# --- delivery ----------------------------------------------------------------------------


async def test_each_subscription_is_handed_every_message(bus: Bus) -> None:
    await bus.publish("news", [a_message("a"), a_message("b")])
    await bus.acknowledge(await bus.pull("readers", most=10, now=NOW))
    assert bodies(await bus.pull("archivists", most=10, now=NOW)) == ["a", "b"]
    assert bodies(await bus.pull("readers", most=10, now=NOW + LONG)) == []


async def test_no_more_are_handed_out_than_asked_for(bus: Bus) -> None:
    await bus.publish("news", [a_message(str(i)) for i in range(5)])
    assert bodies(await bus.pull("readers", most=3, now=NOW)) == ["0", "1", "2"]
    assert bodies(await bus.pull("readers", most=3, now=NOW)) == ["3", "4"]


async def test_a_delivery_says_what_was_published_and_which_attempt_it_is(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    (delivery,) = await bus.pull("readers", most=1, now=NOW)
    assert [delivery.published] == await log_of(bus, "news")
    assert delivery.attempt == 1


async def test_an_acknowledged_message_never_comes_again(bus: Bus) -> None:
    await bus.publish("news", [a_message("a"), a_message("b")])
    await bus.acknowledge(await bus.pull("readers", most=1, now=NOW))
    assert bodies(await bus.pull("readers", most=10, now=NOW + LONG)) == ["b"]


async def test_a_leased_message_is_not_handed_to_another(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    await one.publish("news", [a_message()])
    assert bodies(await one.pull("readers", most=1, now=NOW)) == ["hello"]
    assert await other.pull("readers", most=1, now=NOW + timedelta(seconds=1)) == []


async def test_a_lease_that_ends_makes_the_message_due_again(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    await one.publish("news", [a_message()])
    await one.pull("readers", most=1, now=NOW)
    (again,) = await other.pull("readers", most=1, now=NOW + LONG)
    assert (bodies([again]), again.attempt) == (["hello"], 2)


async def test_whoever_lost_the_lease_cannot_disturb_the_new_holder(open_bus: OpenBus) -> None:
    slow, fast = open_bus(), open_bus()
    await slow.publish("news", [a_message()])
    (lost,) = await slow.pull("readers", most=1, now=NOW)
    await fast.pull("readers", most=1, now=NOW + LONG)
    await slow.retry_later(lost, why="too slow", now=NOW)
    assert await slow.pull("readers", most=1, now=NOW + LONG + timedelta(seconds=1)) == []


async def test_concurrent_pulls_of_two_instances_never_share_a_message(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    await one.publish("news", [a_message(str(i)) for i in range(200)])
    pulls = (bus.pull("readers", most=7, now=NOW) for _ in range(20) for bus in (one, other))
    found = [text for deliveries in await asyncio.gather(*pulls) for text in bodies(deliveries)]
    assert sorted(found, key=int) == [str(i) for i in range(200)]


# --- failure -----------------------------------------------------------------------------


async def test_a_failed_message_comes_again_after_a_pause(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    first = await fail(bus, NOW)
    assert await bus.pull("readers", most=1, now=NOW + timedelta(milliseconds=100)) == []
    (second,) = await bus.pull("readers", most=1, now=NOW + LONG)
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.published == first.published


async def test_the_pause_grows_with_every_failure(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    (delivery,) = await bus.pull("readers", most=1, now=NOW)
    now = NOW
    pauses: list[timedelta] = []
    for _ in range(3):
        failed_at = now
        await bus.retry_later(delivery, why="broken", now=failed_at)
        while not (found := await bus.pull("readers", most=1, now=now)):
            now += timedelta(seconds=0.5)
        pauses.append(now - failed_at)
        (delivery,) = found
    assert timedelta(0) < pauses[0] < pauses[1] < pauses[2]


async def test_a_failed_message_does_not_hold_up_others(bus: Bus) -> None:
    await bus.publish("news", [a_message("poison")])
    await fail(bus, NOW)
    await bus.publish("news", [a_message("good")])
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["good"]


async def test_after_the_last_attempt_a_message_is_dead_with_its_last_error(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    failures = await fail_until_dead(bus)
    ((published, why),) = await bus.dead("readers")
    assert failures > 1
    assert [published] == await log_of(bus, "news")
    assert why == f"failure {failures}"
    assert await bus.pull("readers", most=1, now=NOW + 1000 * LONG) == []
    assert await bus.dead("archivists") == []


async def test_a_message_that_kills_whoever_takes_it_is_dead_in_the_end(bus: Bus) -> None:
    await bus.publish("news", [a_message("poison")])
    now = NOW
    for _ in range(100):
        await bus.pull("readers", most=1, now=now)
        now += LONG
    assert bodies([published for published, _ in await bus.dead("readers")]) == ["poison"]


async def test_a_revived_message_has_all_its_attempts_again(bus: Bus) -> None:
    await bus.publish("news", [a_message()])
    failures = await fail_until_dead(bus)
    ((published, _),) = await bus.dead("readers")
    assert await bus.revive("readers", [published.number], now=NOW) == 1
    assert await bus.dead("readers") == []
    assert await fail_until_dead(bus) == failures


async def test_only_dead_messages_can_be_revived(bus: Bus) -> None:
    await bus.publish("news", [a_message("a"), a_message("b")])
    numbers = [published.number for published in await log_of(bus, "news")]
    await bus.pull("readers", most=1, now=NOW)
    assert await bus.revive("readers", [*numbers, 999_999], now=NOW) == 0
    assert await bus.revive("readers", [], now=NOW) == 0


@pytest.mark.parametrize("messages", [1, 100])
async def test_whoever_works_through_everything_has_seen_it_all(bus: Bus, messages: int) -> None:
    await bus.publish("news", [a_message(str(i)) for i in range(messages)])
    seen: list[str] = []
    now = NOW
    while found := await bus.pull("readers", most=9, now=now):
        for i, delivery in enumerate(found):
            if i % 3 == 2 and delivery.attempt == 1:
                await bus.retry_later(delivery, why="try again", now=now)
            else:
                await bus.acknowledge([delivery])
                seen += bodies([delivery])
        now += timedelta(minutes=1)
    assert sorted(seen, key=int) == [str(i) for i in range(messages)]
    assert await bus.dead("readers") == []
