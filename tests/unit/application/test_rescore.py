"""Rescoring: everyone under the model in use, from what is kept of them."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from builders import StandingClock
from unit.application.conftest import DAY, RULES, World, with_points
from warmlead.application.due import EvaluationContext, RunProgress, rescore
from warmlead.domain.rules import Rules


class Rescored(NamedTuple):
    """How many leads were looked at, show another score, and are in another stage."""

    leads: int
    changed: int
    moved: int


async def rescored(world: World, rules: Rules) -> Rescored:
    world.use(rules)
    told: list[RunProgress] = []
    settling = EvaluationContext(world.store, world.bus, rules, world.clock)
    done = await rescore(settling, progress=told.append)
    assert sum(each.looked_at for each in told) == done.looked_at
    assert (done.failed, done.done) == (0, True)
    return Rescored(done.looked_at, done.changed, done.moved)


async def test_points_scores_and_stages_follow_the_model(world: World) -> None:
    await world.pages(1, 2)
    await world.pages(3, 1, email="bob@example.com")
    assert await rescored(world, RULES) == Rescored(leads=2, changed=0, moved=0)
    assert await rescored(world, with_points(20)) == Rescored(leads=2, changed=2, moved=1)
    lead = await world.lead()
    assert lead.snapshot
    assert (lead.snapshot.score, lead.snapshot.model_version) == (40, "v20")
    (told,) = await world.triggers()
    assert (told["data"]["stage"], told["data"]["model_version"]) == ("mql", "v20")
    assert (await rescored(world, with_points(20))).changed == 0
    assert len(await world.triggers()) == 1


async def test_no_event_is_read(world: World) -> None:
    await world.pages(1, 2)
    assert await world.published("lead-events") == []
    assert (await rescored(world, with_points(5))).changed == 1


async def test_a_stage_that_the_model_no_longer_has_is_left(world: World) -> None:
    await world.pages(1, 3)
    assert (await rescored(world, replace(RULES, stages=()))).moved == 1
    assert (await world.lead()).progress.stage == "lead"


async def test_rescoring_after_some_time_changes_only_the_score_and_review_days(
    world: World, clock: StandingClock
) -> None:
    await world.pages(1, 1)
    before = await world.lead()
    clock.forward(2 * DAY)
    assert await rescored(world, RULES) == Rescored(leads=1, changed=0, moved=0)
    after = await world.lead()
    assert replace(after, snapshot=before.snapshot, decay_on=before.decay_on) == before


@pytest.mark.slow
async def test_many_leads_are_all_reached(world: World) -> None:
    for i in range(450):
        await world.apply(world.seen(i, email=f"person-{i}@example.com"))
    assert await rescored(world, with_points(7)) == Rescored(leads=450, changed=450, moved=0)
