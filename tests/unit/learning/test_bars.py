"""Which bar a lead would pass is read from the whole condition of the stage, not from the score."""

from datetime import timedelta

import pytest

from builders import NOW
from warmlead.domain.history import day_at
from warmlead.domain.stages import Standing
from warmlead.learning.bars import ALWAYS, NEVER, ScoreBar, bar_of, bar_score, would_enter
from warmlead.model.loading import load

MODEL = load(
    """
signals:
  demo_requested: {on: demo_requested, points: 30}
fit:
  large: {when: employees >= 100, points: 20}
stages:
  mql:
    enter: fit >= 20 && score >= 50 || fit >= 90
    leave: score < 35
    bypass: demo_requested
""",
    name="of the tests",
)
(POLICY,) = MODEL.rules.stages
WEEK = timedelta(days=7)


def standing(score: int, fit: int, **last_days: int) -> Standing:
    facts = {**MODEL.rules.unseen, "score": score, "fit": fit, "stage": "customer"}
    return Standing(identified=True, facts=facts, last_days=last_days)


@pytest.mark.parametrize(
    ("enter", "bar"),
    [
        ("score >= 50", 50),
        ("score > 50", 51),
        ("fit >= 20 && (score >= 40 || visits > 3) && !mail_refused", 40),
        ("fit >= 20", None),
        ("50 <= score", None),
        ("score >= 50.5", None),
    ],
)
def test_the_bar_is_the_score_that_a_stage_asks_for(enter: str, bar: int | None) -> None:
    found = bar_of({"pql": "fit >= 5", "mql": enter})
    assert found == (None if bar is None else ScoreBar("mql", bar))


@pytest.mark.parametrize(
    ("score", "fit", "bar"),
    [
        (60, 20, 60),  # today's bar is 50
        (40, 20, 40),
        (34, 20, NEVER),  # it would have to leave again
        (60, 10, NEVER),  # nothing but fit is missing
        (60, 90, ALWAYS),  # the score is not asked for
    ],
)
def test_a_lead_passes_bars_up_to_its_score_if_all_else_holds(
    score: int, fit: int, bar: int
) -> None:
    assert bar_score(POLICY, standing(score, fit), NOW - WEEK, NOW) == bar


def test_a_signal_that_opens_the_stage_passes_any_bar_for_thirty_days() -> None:
    today = day_at(NOW)
    for age, bar in ((29, ALWAYS), (30, NEVER)):
        asked = standing(0, 0, demo_requested=today - age)
        assert bar_score(POLICY, asked, NOW - WEEK, NOW) == bar
        assert would_enter([POLICY], asked, NOW - WEEK, NOW) is (bar == ALWAYS)


def test_a_stage_that_was_reached_since_makes_no_difference() -> None:
    assert would_enter([POLICY], standing(50, 20), NOW - WEEK, NOW)
    assert not would_enter([POLICY], standing(49, 20), NOW - WEEK, NOW)
