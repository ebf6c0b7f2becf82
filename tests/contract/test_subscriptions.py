"""What every ``Subscriptions`` promises: leases, pauses and dead messages, in a time of its own."""

import asyncio
from datetime import datetime, timedelta

import pytest

from builders import NOW, StandingClock
from contract.backends import Bus, OpenBus
from contract.messages import a_message, bodies, log_of
from warmlead.ports import Delivery

LONG = timedelta(days=1)
"""Longer than any lease and any pause."""


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


# --- delivery ----------------------------------------------------------------------------


async def test_another_instance_has_what_was_published(open_bus: OpenBus) -> None:
    await open_bus().publish("news", [a_message()])
    other = open_bus()
    assert bodies(await log_of(other, "news")) == ["hello"]
    assert bodies(await other.pull("readers", most=1, now=NOW)) == ["hello"]


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
    assert (bodies([again]), again.attempt) == (["hello"], 1)


async def test_a_subscriber_with_an_expired_lease_cannot_disturb_the_new_holder(
    open_bus: OpenBus,
) -> None:
    slow, fast = open_bus(), open_bus()
    await slow.publish("news", [a_message()])
    (lost,) = await slow.pull("readers", most=1, now=NOW)
    await fast.pull("readers", most=1, now=NOW + LONG)
    await slow.retry_later(lost, why="too slow", now=NOW)
    assert await slow.pull("readers", most=1, now=NOW + LONG + timedelta(seconds=1)) == []


@pytest.mark.slow
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


async def test_a_message_that_kills_its_processes_is_dead_in_the_end(bus: Bus) -> None:
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


# --- processes that end while they work --------------------------------------------------


async def published(bus: Bus, *texts: str) -> None:
    await bus.publish("news", [a_message(text) for text in texts])


async def test_messages_of_a_dead_process_are_delivered_one_at_a_time(bus: Bus) -> None:
    await published(bus, "a", "b", "c")
    await bus.pull("readers", most=10, now=NOW)
    seen = []
    now = NOW + LONG
    while found := await bus.pull("readers", most=10, now=now):
        assert [each.is_alone for each in found] == [True]
        seen += bodies(found)
        await bus.acknowledge(found)
    assert seen == ["a", "b", "c"]
    assert await bus.dead("readers") == []


async def test_untried_messages_go_before_suspected_ones(bus: Bus) -> None:
    await published(bus, "suspect")
    await bus.pull("readers", most=10, now=NOW)
    await published(bus, "a", "b")
    now = NOW + timedelta(seconds=30)
    found = await bus.pull("readers", most=10, now=now)
    assert (bodies(found), found[0].is_alone) == (["a", "b"], False)
    assert bodies(await bus.pull("readers", most=10, now=now)) == ["suspect"]


@pytest.mark.slow
async def test_a_suspected_message_waits_a_minute_at_most(bus: Bus, clock: StandingClock) -> None:
    await published(bus, "suspect")
    await bus.pull("readers", most=10, now=NOW)
    now = NOW
    for _ in range(120):
        now = clock.forward(timedelta(seconds=1))
        await published(bus, "other")
        found = await bus.pull("readers", most=1, now=now)
        await bus.acknowledge(found)
        if bodies(found) == ["suspect"]:
            break
    assert timedelta(seconds=60) <= now - NOW <= timedelta(seconds=80)


@pytest.mark.slow
async def test_only_the_message_that_ends_processes_is_given_up(bus: Bus) -> None:
    texts = [str(i) for i in range(20)]
    await published(bus, *texts)
    now = NOW
    counted: list[str] = []
    ended = 0
    for _ in range(200):
        found = await bus.pull("readers", most=10, now=now)
        if "13" in bodies(found):
            ended += 1
            now += LONG
        else:
            await bus.acknowledge(found)
            counted += bodies(found)
    assert sorted(counted, key=int) == [text for text in texts if text != "13"]
    ((dead, why),) = await bus.dead("readers")
    assert bodies([dead]) == ["13"]
    assert "the process ended or stood still" in why
    assert ended == 3  # once among others, twice alone


async def test_kills_cost_an_innocent_message_no_attempt(bus: Bus) -> None:
    await published(bus, "unlucky")
    now = NOW
    attempts = []
    for _ in range(20):
        (found,) = await bus.pull("readers", most=10, now=now)
        attempts.append(found.attempt)
        if found.is_alone:
            await bus.retry_later(found, why="away", now=now)
            if len(await bus.dead("readers")):
                break
        now += LONG
    assert attempts == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    ((_, why),) = await bus.dead("readers")
    assert why == "away"


async def test_a_suspected_message_that_fails_normally_is_cleared(bus: Bus) -> None:
    await published(bus, "a")
    await bus.pull("readers", most=10, now=NOW)
    (alone,) = await bus.pull("readers", most=10, now=NOW + LONG)
    await bus.retry_later(alone, why="away", now=NOW + LONG)
    (again,) = await bus.pull("readers", most=10, now=NOW + 2 * LONG)
    assert (alone.is_alone, again.is_alone) == (True, False)


async def test_a_suspect_that_was_given_up_can_be_revived(bus: Bus) -> None:
    await published(bus, "a")
    now = NOW
    while await bus.pull("readers", most=10, now=now):
        now += LONG
    ((dead, _),) = await bus.dead("readers")
    assert await bus.revive("readers", [dead.number], now=now) == 1
    (again,) = await bus.pull("readers", most=10, now=now)
    assert (again.is_alone, again.attempt) == (False, 1)


async def test_a_message_that_is_worked_on_alone_has_a_long_lease(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    await published(one, "a")
    await one.pull("readers", most=10, now=NOW)
    later = NOW + timedelta(seconds=30)
    assert bodies(await one.pull("readers", most=10, now=later)) == ["a"]
    assert await other.pull("readers", most=10, now=later + timedelta(seconds=45)) == []


# --- clocks that ran ahead -----------------------------------------------------------------

YEAR = timedelta(days=365)


async def test_a_message_published_by_a_fast_clock_is_due_now(
    bus: Bus, clock: StandingClock
) -> None:
    clock.time = NOW + YEAR
    await published(bus, "from the future")
    clock.time = NOW
    await published(bus, "of today")
    assert sorted(bodies(await bus.pull("readers", most=10, now=NOW))) == [
        *("from the future", "of today")
    ]


async def test_a_pause_started_by_a_fast_clock_is_over(bus: Bus) -> None:
    await published(bus, "a")
    await fail(bus, NOW + YEAR)
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["a"]


async def test_a_lease_given_by_a_fast_clock_is_over(bus: Bus) -> None:
    await published(bus, "a")
    await bus.pull("readers", most=10, now=NOW + YEAR)
    await bus.pull("readers", most=10, now=NOW + 2 * YEAR)
    assert bodies(await bus.pull("readers", most=10, now=NOW)) == ["a"]


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
async def test_a_pause_of_the_greatest_length_is_kept(bus: Bus, attempt: int) -> None:
    await published(bus, "a")
    now = NOW
    for _ in range(attempt):
        await fail(bus, now)
        failed_at = now
        now += LONG
    assert await bus.pull("readers", most=10, now=failed_at) == []


@pytest.mark.parametrize("messages", [1, 100])
async def test_a_subscriber_that_drains_its_subscription_sees_every_message(
    bus: Bus, messages: int
) -> None:
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
