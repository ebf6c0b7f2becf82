"""A stranger with a public key can fill a lead up, but not shut others out of it."""

from unit.application.conftest import World
from warmlead.application.apply import Applied
from warmlead.domain.event import Trust
from warmlead.domain.lead import MAX_KEPT_EVENTS, MAX_TRAILS

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
