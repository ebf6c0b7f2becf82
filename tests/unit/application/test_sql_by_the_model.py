"""A model may say when a lead is an SQL: it is offered, and what sales states outranks the rule."""

from datetime import timedelta

import pytest

from builders import NOW
from unit.application.conftest import World
from warmlead.application.due import EvaluationContext, follow_up
from warmlead.domain.stages import MoveCause
from warmlead.model.loading import load

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ASKING = load(
    """
signals:
  page_viewed: {on: page_viewed, points: 10, half_life: 30d}
  demo_requested: {on: demo_requested, points: 5, half_life: 60d}
stages:
  sql: {enter: score >= 100, bypass: [demo_requested], cooldown: 30d}
  mql: {enter: score >= 30, leave: score < 20, cooldown: 10d}
handoff: {first_touch_within: 1h, accept_within: 24h, routes: [{owner: ann}]}
""",
    name="asking",
).rules


@pytest.fixture
def asking(world: World) -> World:
    world.use(ASKING)
    return world


async def asks(world: World, number: int) -> None:
    await world.apply(world.seen(number, "demo_requested"))


async def sales(world: World, number: int, said: str, **fields: object) -> None:
    await world.apply(world.seen(number, f"sales_{said}", properties=fields))


async def told(world: World) -> list[tuple[str, str]]:
    """The topic and type of each trigger, and the stage that it names."""
    found = await world.published("mql", "lifecycle")
    return [
        (f"{p.topic} {p.message.attributes['type'].split('.')[2]}", p.message.attributes["stage"])
        for p in found
    ]


async def test_who_asks_is_an_sql_at_once_and_offered(asking: World) -> None:
    await asks(asking, 1)
    assert await told(asking) == [("lifecycle stage_entered", "sql"), ("lifecycle offered", "sql")]
    (move,) = await asking.store.transitions((await asking.lead()).id)
    assert (move.from_stage, move.cause, move.source) == (
        "anonymous",
        MoveCause.BYPASSED,
        "model",
    )
    assert move.touch_by == NOW + HOUR


async def test_sales_accepts_an_sql_of_the_model_without_a_move(asking: World) -> None:
    await asks(asking, 1)
    await sales(asking, 2, "accepted")
    lead = await asking.lead()
    assert lead.progress.stage == "sql"
    assert lead.offer is not None
    assert lead.offer.answer == "accepted"
    assert len(await asking.store.transitions(lead.id)) == 1
    asking.clock.forward(2 * DAY)
    await follow_up(EvaluationContext(asking.store, asking.bus, ASKING, asking.clock))
    assert not any("breached" in kind for kind, _ in await told(asking))


async def test_an_sql_of_sales_is_not_offered(asking: World) -> None:
    await asking.pages(1, 1)
    await sales(asking, 2, "accepted")
    asking.clock.forward(DAY)
    await asks(asking, 3)
    assert await told(asking) == [("lifecycle stage_entered", "sql")]
    assert (await asking.lead()).offer is None


async def test_an_acceptance_from_before_the_offer_ends_it(asking: World) -> None:
    await asking.pages(1, 3)
    asking.clock.forward(DAY)
    late = asking.seen(9, "sales_accepted", occurred_at=NOW - HOUR)
    await asking.apply(late)
    lead = await asking.lead()
    assert lead.progress.stage == "sql"
    assert lead.offer is not None
    assert lead.offer.closed_at is not None


@pytest.mark.slow
async def test_a_rejection_outranks_the_rule_until_the_lead_asks_again(asking: World) -> None:
    await asks(asking, 1)
    asking.clock.forward(HOUR)
    await sales(asking, 2, "rejected", reason="not_ready")
    await asking.pages(10, 12)
    assert (await asking.lead()).progress.stage == "recycled"
    asking.clock.forward(DAY)
    await asks(asking, 3)
    lead = await asking.lead()
    assert (lead.progress.stage, dict(lead.progress.entered)) == ("sql", {"sql": 2, "recycled": 1})
    assert lead.offer is not None
    assert lead.offer.cycle == 2
    await sales(asking, 4, "rejected", reason="duplicate")
    await asks(asking, 5)
    assert (await asking.lead()).progress.stage == "disqualified"


async def test_a_lead_stays_an_sql_when_its_score_falls(asking: World) -> None:
    await asking.pages(1, 10)
    assert (await asking.lead()).progress.stage == "sql"
    asking.clock.forward(300 * DAY)
    await asking.apply(asking.seen(99, "ignored_by_the_model"))
    assert (await asking.lead()).progress.stage == "sql"
