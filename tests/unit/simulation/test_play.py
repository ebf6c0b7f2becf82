"""Playing a story forward: nothing is due that is not done, and nothing is done twice."""

from datetime import datetime, timedelta

import pytest

from builders import NOW, an_event, lead_ids
from unit.application.living import DAY, LIVING
from warmlead.application.apply import Scoring
from warmlead.domain.event import Event
from warmlead.domain.rules import Rules
from warmlead.runtime import backends
from warmlead.simulation.play import Story, StoryClock, simulate

MIDNIGHT = NOW.replace(hour=0)


def viewed(number: int, at: datetime, **fields: object) -> Event:
    return an_event(id=f"page-{number}", occurred_at=at, received_at=at, **fields)


async def play(*events: Event, days: int, rules: Rules = LIVING) -> Story:
    clock = StoryClock(MIDNIGHT)
    scoring = Scoring(rules, lead_ids)
    async with backends.rehearsal(clock) as (store, bus):
        return await simulate(
            events, until=MIDNIGHT + days * DAY, store=store, bus=bus, scoring=scoring, clock=clock
        )


async def test_each_day_ends_with_an_evening_and_an_unknown_person_has_no_lead() -> None:
    story = await play(viewed(1, NOW + 2 * DAY), days=5)

    assert [each.day for each in story.days] == [MIDNIGHT + n * DAY for n in range(5)]
    assert [each.day_score and each.day_score.score for each in story.days] == [
        None,
        None,
        10,
        9,
        8,
    ]


async def test_a_story_without_events_has_no_leads() -> None:
    story = await play(days=3)

    assert (story.scenes, story.lead) == ([], None)
    assert len(story.days) == 3


@pytest.mark.slow
async def test_due_work_is_done_on_the_minute_and_once() -> None:
    story = await play(*(viewed(n, NOW) for n in range(5)), days=8)

    sent = [(scene.at - NOW, m.attributes["type"]) for scene in story.scenes for _, m in scene.sent]
    told = [(when, kind.split(".")[2]) for when, kind in sent]
    assert told == [
        (timedelta(0), "stage_entered"),
        (timedelta(0), "offered"),
        (timedelta(0), "step_due"),
        (timedelta(minutes=30), "reminder"),
        (timedelta(hours=1), "breached"),
        (DAY, "breached"),
        (3 * DAY, "step_due"),
        (6 * DAY, "step_due"),
    ]
    ids = [m.attributes["id"] for scene in story.scenes for _, m in scene.sent]
    assert len(set(ids)) == len(ids)


@pytest.mark.slow
async def test_the_last_moment_is_not_played_any_more() -> None:
    at_the_end = await play(viewed(1, NOW), viewed(2, MIDNIGHT + 2 * DAY), days=2)
    assert [len(scene.events) for scene in at_the_end.scenes] == [1]

    lost = await play(*(viewed(n, NOW) for n in range(5)), days=40)
    (moved,) = [s for s in lost.scenes if any(m.to_stage == "lead" for m in s.moves[-1:])][-1:]
    day = (moved.at - MIDNIGHT).days
    until = await play(*(viewed(n, NOW) for n in range(5)), days=day)
    assert [m.to_stage for s in until.scenes for m in s.moves][-1] == "mql"
    assert moved.at == MIDNIGHT + day * DAY


async def test_events_of_one_moment_are_one_scene() -> None:
    later = NOW + timedelta(minutes=1)
    story = await play(viewed(1, NOW), viewed(2, later), viewed(3, later), days=1)

    (first, second, *_) = story.scenes
    assert [len(scene.events) for scene in (first, second)] == [1, 2]
    assert [scene.day_score.score for scene in (first, second)] == [10, 30]


async def test_a_visitor_who_becomes_known_keeps_the_past() -> None:
    unknown = {"anonymous_id": "browser-1"}
    known = {**unknown, "email": "ada@example.com"}
    story = await play(viewed(1, NOW, **unknown), viewed(2, NOW + DAY, **known), days=3)

    stages = [move.to_stage for scene in story.scenes for move in scene.moves]
    assert stages == ["lead"]
    assert [scene.day_score.score for scene in story.scenes] == [10, 19]
