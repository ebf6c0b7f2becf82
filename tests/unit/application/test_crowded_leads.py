"""A stranger with a public key can fill a lead up, but not shut others out of it."""

from builders import StandingClock
from unit.application.conftest import DAY, World
from warmlead.application.apply import Applied
from warmlead.domain.consent import Status, SuppressionPolicy
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


async def test_a_refusal_is_heard_although_the_lead_is_flooded(world: World) -> None:
    await world.apply(*(world.seen(i, f"event_{i}") for i in range(MAX_KEPT_EVENTS)))
    said = world.seen(2_001, "unsubscribed", trust=Trust.PUBLIC, properties={"list_id": "7"})

    (applied,) = await world.apply(said)

    assert [reason for _, reason in applied.quarantined] == [Reason.LEAD_FLOODED]
    assert (await world.lead()).consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED
    assert await world.apply(said) == [applied]


async def test_a_refusal_that_was_received_long_ago_is_heard(
    world: World, clock: StandingClock
) -> None:
    said = world.seen(1, "email_unsubscribed")
    clock.forward(40 * DAY)

    (applied,) = await world.apply(said)

    assert [reason for _, reason in applied.quarantined] == [Reason.RECEIVED_TOO_LONG_AGO]
    assert (await world.lead()).consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


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
