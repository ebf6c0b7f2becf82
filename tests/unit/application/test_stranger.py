"""What a public write key can do to a named person, line by line: see ``docs/security.md``."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from msgspec import structs

from unit.application.conftest import World
from unit.application.living import settling
from warmlead.application.due import decay
from warmlead.application.explain import explain
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import MAX_PER_DAY, day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.stages import MAX_MOVES_A_DAY, DayOfMoves
from warmlead.model.loading import load
from warmlead.ports import RawRequest
from warmlead.senders.generic import FormSettings, GenericSource

ADA = "ada@example.com"


def public(world: World, number: int, name: str = "page_viewed", **fields: object) -> Event:
    return world.seen(number, name, trust=Trust.PUBLIC, **fields)


def score_of(lead: Lead) -> int:
    assert lead.snapshot is not None
    return lead.snapshot.score


@pytest.mark.slow
async def test_a_strangers_events_count_with_the_same_daily_limits(
    world: World,
) -> None:
    await world.apply(public(world, 1))
    assert score_of(await world.lead()) == 10
    await world.apply(*(public(world, number) for number in range(2, 200)))
    assert score_of(await world.lead()) == 10 * MAX_PER_DAY


async def test_a_stranger_can_make_a_lead_of_any_address(world: World) -> None:
    await world.apply(public(world, 1, email="nobody@example.com"))
    assert (await world.lead(public(world, 1, email="nobody@example.com"))).email


async def test_a_stranger_can_make_any_address_an_mql_unless_the_signal_must_be_signed(
    world: World,
) -> None:
    await world.apply(*(public(world, number) for number in range(3)))
    assert len(await world.published("mql")) == 1

    def signed(event: Event) -> tuple[str, ...]:
        return world_rules.classify(event) if event.trust is Trust.SIGNED else ()

    world_rules = world.rules
    world.use(replace(world_rules, classify=signed))
    await world.apply(*(public(world, n, email="eve@example.com") for n in range(3, 30)))
    assert len(await world.published("mql")) == 1


async def test_a_guessed_entry_id_of_a_public_form_is_used_up(
    world: World,
) -> None:
    form = GenericSource({"contact": FormSettings(allow_unsigned=True, id="entry_id")})

    def posted(entry: int, **fields: str) -> Event:
        body = json.dumps({"email": ADA, "entry_id": entry, **fields}).encode()
        now = world.clock.now()
        request = RawRequest("POST", "/generic/contact", "", {}, body, now, "request")
        return form.translate(request, Trust.PUBLIC).events[0][1]

    await world.apply(posted(6))
    await world.apply(posted(5), posted(6, company="Analytical Engines"))
    assert (await world.lead()).kept_events == 2


async def test_a_stranger_can_add_traits_and_change_public_ones(
    world: World,
) -> None:
    await world.apply(public(world, 1, traits={"title": "CTO", "plan": "free"}))
    await world.apply(world.seen(2, traits={"title": "CEO"}))
    await world.apply(public(world, 3, traits={"title": "Clerk", "plan": "pro", "city": "Rome"}))
    traits = (await world.lead()).traits
    assert (traits["title"], traits["plan"], traits["city"]) == ("CEO", "pro", "Rome")


async def test_a_stranger_can_state_an_earlier_first_touch(world: World) -> None:
    await world.apply(world.seen(1, attribution={"utm_source": "ads"}))
    long_ago = world.clock.now() - timedelta(days=300)
    await world.apply(public(world, 2, occurred_at=long_ago, attribution={"utm_source": "eve"}))
    first = (await world.lead()).first_touch
    assert first is not None
    assert dict(first.attribution) == {"utm_source": "eve"}


async def test_a_stranger_can_attach_an_unused_user_id_to_an_address(
    world: World,
) -> None:
    await world.apply(public(world, 1, user_id="u-1"))
    await world.apply(public(world, 2, email="eve@example.com", user_id="u-1"))
    lead = await world.lead(public(world, 3, user_id="u-1"))
    assert lead.email == "eve@example.com"


@pytest.mark.parametrize(
    "said",
    [
        {"name": "sales_won"},
        {"user_id": "crm:hubspot:1:contact:2"},
        {"anonymous_id": "crm:hubspot:1:deal:2"},
        {"user_id": "u-1", "merged_user_id": "u-2"},
    ],
)
async def test_statements_of_sales_and_crms_are_not_taken_from_strangers(
    world: World, said: dict[str, str]
) -> None:
    event = world.seen(1)
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "v"}
    with pytest.raises(RejectedError):
        Event.checked(**{**fields, "trust": Trust.PUBLIC, **said})
    assert Event.checked(**{**fields, **said})


async def test_a_claim_released_from_quarantine_has_the_time_of_its_release(
    world: World,
) -> None:
    held = public(world, 1, email="eve@example.com", user_id="u-1")
    world.clock.forward(timedelta(hours=1))
    await world.apply(public(world, 2, email=ADA, user_id="u-1"))
    world.clock.forward(timedelta(hours=1))
    await world.apply(structs.replace(held, received_at=world.clock.now()))
    assert (await world.lead(public(world, 3, user_id="u-1"))).email == ADA


FITTING = load(
    """
signals: {page_viewed: {on: page_viewed, points: 10, half_life: 30d}}
fit: {in_usa: {when: country == "US", points: 30}}
stages: {mql: {enter: fit >= 20, leave: fit < 20}}
handoff: {first_touch_within: 1h, accept_within: 24h, routes: [{owner: ann}]}
""",
    name="fitting",
).rules


@pytest.mark.slow
@pytest.mark.parametrize(("trust", "offers"), [(Trust.PUBLIC, 5), (Trust.SIGNED, 1)])
async def test_a_stranger_can_have_a_lead_offered_again_by_a_public_trait_but_not_without_end(
    world: World, trust: Trust, offers: int
) -> None:
    world.use(FITTING)
    await world.apply(world.seen(0, trust=trust, traits={"country": "US"}))
    for number in range(1, 40):
        world.clock.forward(timedelta(seconds=1))
        country = "DE" if number % 2 else "US"
        await world.apply(public(world, number, "identified", traits={"country": country}))
    kinds = [each["type"] for each in await world.triggers()]
    assert kinds.count("warmlead.handoff.offered.v1") == offers
    assert kinds.count("warmlead.lead.stage_entered.v1") == (10 if offers > 1 else 1)


@pytest.mark.slow
async def test_a_lead_that_has_moved_too_often_moves_again_on_the_next_day(world: World) -> None:
    world.use(FITTING)
    for number in range(MAX_MOVES_A_DAY + 1):
        world.clock.forward(timedelta(seconds=1))
        country = "DE" if number % 2 else "US"
        await world.apply(public(world, number, "identified", traits={"country": country}))
    stayed = await world.lead()
    assert stayed.progress.stage == "lead"
    assert stayed.traits["country"] == "US"
    seen = explain(stayed, FITTING, world.clock.now()).next_stage
    assert seen is not None
    assert seen.missing == ["midnight UTC: it has moved 10 times today"]
    tomorrow = world.clock.now().date() + timedelta(days=1)
    assert stayed.decay_on == day_of(to_ms(world.clock.now())) + 1

    world.clock.forward(datetime.combine(tomorrow, time(0, 5), UTC) - world.clock.now())
    context = settling(world.store, world.bus, world.clock)
    await decay(replace(context, rules=FITTING))
    moved = await world.lead()
    assert moved.progress.stage == "mql"
    assert moved.progress.moved == DayOfMoves(day_of(to_ms(world.clock.now())), 1)


@pytest.mark.slow
async def test_sales_moves_a_lead_however_often_strangers_did(world: World) -> None:
    world.use(FITTING)
    for number in range(MAX_MOVES_A_DAY):
        world.clock.forward(timedelta(seconds=1))
        country = "DE" if number % 2 else "US"
        await world.apply(public(world, number, "identified", traits={"country": country}))
    await world.apply(world.seen(99, "sales_accepted"))
    assert (await world.lead()).progress.stage == "sql"
