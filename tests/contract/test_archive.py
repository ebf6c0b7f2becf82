"""What every ``Archive`` promises: it finds what is about leads, and forgets what it is told to."""

from builders import NOW
from contract.backends import Bus, OpenBus
from contract.messages import bodies, log_of
from warmlead.ports import Message, Published


def of(lead: str, body: str) -> Message:
    return Message(body.encode(), {"lead_id": lead, "type": "news"})


async def found(bus: Bus, *leads: str) -> list[Published]:
    return [published async for published in bus.of_leads(leads)]


async def test_messages_of_leads_are_found_in_every_topic_in_order(bus: Bus) -> None:
    await bus.publish("news", [of("ada", "1"), of("bob", "2"), Message(b"3", {})])
    await bus.publish("gossip", [of("ada", "4"), Message(b"ada", {"about": "ada"})])
    await bus.publish("news", [of("cyn", "5"), of("adam", "6")])
    assert bodies(await found(bus, "ada", "cyn")) == ["1", "4", "5"]
    assert await found(bus, "ad") == await found(bus) == []
    assert (await found(bus, "bob"))[0] == (await log_of(bus, "news"))[1]


async def test_more_messages_than_a_page_are_found(bus: Bus) -> None:
    await bus.publish("news", [of("ada" if i % 3 else "bob", str(i)) for i in range(1_300)])
    assert bodies(await found(bus, "bob")) == [str(i) for i in range(0, 1_300, 3)]


async def test_erased_messages_are_in_no_log_and_not_delivered(bus: Bus) -> None:
    await bus.publish("news", [of("ada", "1"), of("bob", "2"), of("ada", "3")])
    numbers = [published.number for published in await found(bus, "ada")]
    assert await bus.erase(numbers) == 2
    assert await bus.erase([*numbers, 10**9]) == 0
    assert await bus.erase([]) == 0
    assert bodies(await log_of(bus, "news")) == ["2"]
    for subscription in ("readers", "archivists"):
        assert bodies(await bus.pull(subscription, most=10, now=NOW)) == ["2"]


async def test_a_message_erased_during_its_lease_does_not_return(bus: Bus) -> None:
    await bus.publish("news", [of("ada", "1"), of("ada", "2"), of("ada", "3")])
    one, two, three = await bus.pull("readers", most=10, now=NOW)
    await bus.finish("archivists", [one.published.number])
    await bus.erase([each.published.number for each in (one, two, three)])
    await bus.acknowledge([one])
    await bus.retry_later(two, why="it failed", now=NOW)
    assert await bus.revive("readers", [three.published.number], now=NOW) == 0
    assert await bus.outstanding("readers") == []
    assert await bus.dead("readers") == []


async def test_another_instance_sees_an_erasure(open_bus: OpenBus) -> None:
    one, other = open_bus(), open_bus()
    await one.publish("news", [of("ada", "1")])
    await other.erase([published.number for published in await found(other, "ada")])
    assert await log_of(one, "news") == []
    await one.publish("news", [of("ada", "2")])
    assert bodies(await found(other, "ada")) == ["2"]
