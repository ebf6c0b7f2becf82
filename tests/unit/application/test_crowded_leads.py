"""A stranger with a public key can fill a lead up, but not shut others out of it."""

from typing import Any

from unit.application.conftest import World
from warmlead.application.apply import Applied
from warmlead.domain.errors import Reason
from warmlead.domain.event import Event, Trust
from warmlead.domain.lead import MAX_KEPT_EVENTS, MAX_TRAILS
from warmlead.stores.documents import write_lead

ADA = "ada@example.com"


async def test_signed_events_still_count_on_a_lead_that_public_ones_have_flooded(
    world: World,
) -> None:
    await world.apply(*(world.seen(i, f"event_{i}") for i in range(MAX_KEPT_EVENTS)))
    public = world.seen(2_001, trust=Trust.PUBLIC)
    signed = world.seen(2_002, trust=Trust.SIGNED)

    (applied,) = await world.apply(public, signed)

    assert applied.counted == 1
    assert [event.id for event, _ in applied.quarantined] == [public.id]


async def test_no_more_browsers_are_tied_to_a_lead_that_has_hundreds(world: World) -> None:
    for number in range(MAX_TRAILS - 1):
        await world.apply(world.seen(number, email=ADA, anonymous_id=f"browser-{number}"))
    one_more = world.seen(999, email=ADA, anonymous_id="one-browser-more")

    assert await world.apply(one_more) == [Applied(counted=1)]
    lead = await world.lead()
    assert len(lead.trails) == MAX_TRAILS
    assert "one-browser-more" not in {t.identifier.value for t in lead.trails.values()}


def telling_much(world: World, number: int, trust: Trust = Trust.PUBLIC) -> Event:
    """An event with as many traits as an accepting function takes, and others each time."""
    traits = {f"trait_{number}_{i}": "é" * 4_000 for i in range(4)}
    return world.seen(number, trust=trust, traits=traits)


async def test_a_lead_of_whom_too_much_is_told_can_still_be_kept_and_scored(world: World) -> None:
    (applied,) = await world.apply(*(telling_much(world, number) for number in range(70)))

    refused = {reason for _, reason in applied.quarantined}
    assert refused == {Reason.LEAD_FLOODED}
    assert applied.counted + len(applied.quarantined) == 70
    assert len(write_lead(await world.lead())) < 500_000  # of the 1,048,487 that Firestore takes
    assert await world.apply(world.seen(100, trust=Trust.PUBLIC)) == [Applied(counted=1)]


async def test_a_lead_of_whom_strangers_tell_too_much_still_takes_what_is_signed(
    world: World,
) -> None:
    await world.apply(*(telling_much(world, number) for number in range(70)))

    (applied,) = await world.apply(telling_much(world, 100, Trust.SIGNED))

    assert applied.counted == 1
    assert "trait_100_0" in (await world.lead()).traits


async def test_a_repeat_that_tells_more_than_before_makes_no_lead_too_heavy(world: World) -> None:
    await world.apply(*(telling_much(world, number) for number in range(70)))
    before = await world.lead()
    first = telling_much(world, 0)
    others = telling_much(world, 200)

    again = world.seen(0, trust=Trust.PUBLIC, traits={**first.traits, **others.traits})

    assert await world.apply(again) == [Applied(duplicates=1)]
    assert await world.lead() == before


async def crowd(world: World, name: str, browsers: int, **known: Any) -> None:
    """A lead that strangers gave as many browsers as they like."""
    fields = {"trust": Trust.PUBLIC, **known}
    await world.apply(
        *(
            world.seen(n, id=f"{name}-{n}", anonymous_id=f"{name}-{n}", **fields)
            for n in range(browsers)
        )
    )


async def test_strangers_cannot_take_the_room_of_what_a_crm_ties(world: World) -> None:
    await crowd(world, "crowd", MAX_TRAILS + 50, email=ADA)
    contacts = [f"crm:x:contact:{n}" for n in range(5)]

    await world.apply(*(world.seen(0, id=c, email=ADA, user_id=c) for c in contacts))

    lead = await world.lead()
    tied = {trail.identifier.value for trail in lead.trails.values()}
    assert tied >= set(contacts)
    assert len(lead.trails) <= MAX_TRAILS + 1 + len(contacts)


async def test_what_a_crm_ties_takes_no_room_of_the_persons_browsers(world: World) -> None:
    deals = [f"crm:x:deal:{n}" for n in range(MAX_TRAILS + 50)]
    await world.apply(*(world.seen(0, id=d, email=ADA, anonymous_id=d) for d in deals))

    await world.apply(world.seen(1, email=ADA, anonymous_id="own", trust=Trust.PUBLIC))

    values = {trail.identifier.value for trail in (await world.lead()).trails.values()}
    assert "own" in values
    assert len(values) <= 2 * MAX_TRAILS


async def test_leads_with_many_identifiers_each_cannot_be_hung_on_one(world: World) -> None:
    for nth in range(4):
        await crowd(world, f"crowd-{nth}", MAX_TRAILS - 1, user_id=f"u-{nth}")

    claims = [
        world.seen(nth, email=ADA, user_id=f"u-{nth}", trust=Trust.PUBLIC) for nth in range(4)
    ]
    await world.apply(*claims)
    await world.apply(*claims)

    assert len((await world.lead()).trails) <= MAX_TRAILS + 1
    assert [lead async for lead in world.store.leads() if lead.user_id == "u-3"]
