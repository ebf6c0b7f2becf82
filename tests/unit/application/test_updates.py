"""Tools that mirror leads are sent what has changed: not too often, and never in a burst."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from unit.application.conftest import RULES, World, with_points
from warmlead.application.due import EvaluationContext, follow_up, rescore
from warmlead.application.privacy.erase import erase
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.rules import Rules

MINUTE = timedelta(minutes=1)
UPDATES = UpdatePolicy(at_most_every=10 * MINUTE, spread=60 * MINUTE)
MIRRORING = replace(RULES, updates=UPDATES)
PEOPLE = 120


async def updates(world: World) -> list[dict[str, Any]]:
    kind = "warmlead.lead.updated.v1"
    return [dict(each) for each in await world.triggers() if each["type"] == kind]


async def changed(world: World) -> list[list[str]]:
    return [each["data"]["changed"] for each in await updates(world)]


async def follow(world: World, *, minutes: int) -> None:
    """Runs followup every minute for some minutes."""
    context = EvaluationContext(world.store, world.bus, world.rules, world.clock)
    for _ in range(minutes):
        world.clock.forward(MINUTE)
        await follow_up(context)


async def apply_model(world: World, rules: Rules) -> None:
    world.use(rules)
    await rescore(EvaluationContext(world.store, world.bus, rules, world.clock))


@pytest.fixture
def mirroring(world: World) -> World:
    world.use(MIRRORING)
    return world


async def test_a_changed_lead_is_updated_and_later_changes_wait(mirroring: World) -> None:
    everything = ["id", "consent", "grade", "owner", "score", "stage", "traits"]
    await mirroring.pages(1, 1)
    assert await changed(mirroring) == [everything]
    await follow(mirroring, minutes=3)
    await mirroring.pages(2, 1)
    await mirroring.pages(3, 1, traits={"company": "Engines"})
    assert await changed(mirroring) == [everything]
    lead = await mirroring.lead()
    assert lead.due_at == lead.mirror.due == mirroring.clock.now() + 7 * MINUTE
    await follow(mirroring, minutes=6)
    assert len(await updates(mirroring)) == 1
    await follow(mirroring, minutes=1)
    assert (await changed(mirroring))[1:] == [["score", "stage", "traits"]]
    told = (await updates(mirroring))[1]["data"]
    assert (told["score"], told["stage"], told["count"]) == (30, "mql", 2)
    assert told["lead"]["traits"] == {"company": "Engines"}
    assert (await mirroring.lead()).due_at is None


async def test_what_changes_nothing_of_the_fields_sends_nothing(mirroring: World) -> None:
    await mirroring.pages(1, 1)
    mirroring.clock.forward(20 * MINUTE)
    await mirroring.apply(mirroring.seen(2, "ignored_by_the_model"))
    await follow(mirroring, minutes=20)
    assert len(await updates(mirroring)) == 1


@pytest.mark.slow
async def test_an_anonymous_lead_is_not_mirrored_until_it_is_known(mirroring: World) -> None:
    await mirroring.pages(1, 2, anonymous_id="browser")
    assert await updates(mirroring) == []
    known = mirroring.seen(3, anonymous_id="browser", email="ada@example.com")
    await mirroring.apply(known)
    (told,) = await updates(mirroring)
    assert told["data"]["score"] == 30


@pytest.mark.slow
async def test_a_changed_model_updates_all_leads_but_not_in_a_burst(mirroring: World) -> None:
    people = [f"person-{i}@example.com" for i in range(PEOPLE)]
    await mirroring.apply(*(mirroring.seen(i, email=who) for i, who in enumerate(people)))
    mirroring.clock.forward(60 * MINUTE)
    before = len(await updates(mirroring))
    await apply_model(mirroring, replace(with_points(7), updates=UPDATES))
    await apply_model(mirroring, mirroring.rules)  # once more changes nothing
    assert len(await updates(mirroring)) == before == PEOPLE
    await follow(mirroring, minutes=60)
    later = (await updates(mirroring))[before:]
    assert [each["data"]["changed"] for each in later] == [["score"]] * PEOPLE
    minutes = [datetime.fromisoformat(each["time"]).minute for each in later]
    assert max(minutes.count(minute) for minute in minutes) < PEOPLE / 10


async def test_updates_that_are_new_in_the_model_send_every_lead_once(world: World) -> None:
    await world.pages(1, 1)
    await apply_model(world, MIRRORING)
    assert await updates(world) == []
    await follow(world, minutes=60)
    assert len(await updates(world)) == 1


async def test_a_model_without_updates_forgets_what_was_to_be_sent(mirroring: World) -> None:
    await mirroring.pages(1, 1)
    await mirroring.pages(2, 1)
    assert (await mirroring.lead()).due_at is not None
    await apply_model(mirroring, RULES)
    assert (await mirroring.lead()).due_at is None


async def test_an_erased_lead_is_not_updated(mirroring: World) -> None:
    await mirroring.pages(1, 1)
    await mirroring.pages(2, 1)
    lead = await mirroring.lead()
    await erase(
        [lead.id], store=mirroring.store, archive=None, of=mirroring.ids, clock=mirroring.clock
    )
    await follow(mirroring, minutes=20)
    assert len(await updates(mirroring)) == 1


async def test_an_update_tells_of_a_new_id(mirroring: World) -> None:
    await mirroring.pages(1, 1)
    await follow(mirroring, minutes=20)
    await mirroring.apply(mirroring.seen(2, email="ada@example.com", user_id="user-1"))
    first, last = (each["subject"] for each in await updates(mirroring))
    lead = await mirroring.lead()
    assert last == lead.id
    assert ("id" in (await changed(mirroring))[1]) is (first != last)
