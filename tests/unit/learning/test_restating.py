"""Points that conditions ask for mean under new points what they meant under the old ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.learning.restating import bar_after, grades_after, restated
from warmlead.model.loading import load

MODEL = """
signals:
  asked: {on: demo_requested, points: 10}
fit:
  large: {when: employees >= 100, points: 40}
bonuses:
  warm: {when: fit >= 5, points: 1}
grades: {A: 20, B: 10, C: 0}
stages:
  mql: {enter: 'fit >= 10 && score > 30 && (asked || score >= 90)', leave: score < 20 || fit < 0}
alerts:
  again: {on: asked, when: 'score <= 40'}
sequences:
  back:
    start: peak_score >= fit + 30
    stop: stage == "mql"
    steps: [{after: 1d, message: hello}]
"""

POINTS = st.lists(st.integers(-50, 150), min_size=1, max_size=60)


@given(POINTS, st.integers(-60, 160), st.sampled_from([1, 3, -0]))
def test_a_bar_on_a_stretched_scale_lets_exactly_the_same_leads_pass(
    points: list[int], bar: int, stretched: int
) -> None:
    before = np.array(points)
    after = before * max(1, stretched) + 17
    new = bar_after(bar, before, after)
    assert [*(after >= new)] == [*(before >= bar)]


@given(POINTS, POINTS, st.integers(-60, 160))
def test_no_other_bar_comes_nearer_to_as_many_as_before(
    before: list[int], after: list[int], bar: int
) -> None:
    old, new = np.array(before), np.array(after)
    passed = np.count_nonzero(old >= bar)
    chosen = bar_after(bar, old, new)
    off = [abs(np.count_nonzero(new >= each) - passed) for each in range(-60, 160)]
    assert abs(np.count_nonzero(new >= chosen) - passed) == min(off)


def test_a_bar_that_as_many_leads_pass_keeps_its_number() -> None:
    before = np.array([10, 15, 15])
    assert bar_after(12, before, before) == 12
    assert bar_after(12, before, np.array([10, 15, 30])) == 12
    assert bar_after(12, before, np.array([13, 15, 30])) == 15


def test_each_condition_is_restated_and_what_cannot_be_is_named() -> None:
    file = load(MODEL, name="model").file
    score = np.arange(100)
    fit = np.arange(100) % 30 - 5
    before = {"score": score, "fit": fit, "engagement": score}
    after = {"score": 2 * score + 10, "fit": 3 * fit, "engagement": score}
    found = restated(file, before, after)
    told = {(".".join(map(str, b.path)), b.what, b.sign): (b.before, b.after) for b in found.bars}
    assert told["bonuses.warm.when", "fit", ">="] == (5, 15)
    assert told["stages.mql.enter", "fit", ">="] == (10, 30)
    assert told["stages.mql.enter", "score", ">="] == (90, 190)
    assert told["stages.mql.leave", "score", "<"] == (20, 50)
    assert told["stages.mql.leave", "fit", "<"] == (0, 0)  # speaks against a lead, as before
    assert told["alerts.again.when", "score", "<="] == (40, 91)
    assert [path[:2] for path in found.unread] == [("sequences", "back")]


def test_a_score_beside_a_bar_for_fit_lets_as_many_pass_both() -> None:
    file = load(MODEL, name="model").file
    chance = np.random.default_rng(1)
    score, fit = chance.integers(0, 100, 3000), chance.integers(-10, 30, 3000)
    after_score, after_fit = 3 * score + 40 * (fit > 12), chance.integers(-10, 30, 3000)
    before = {"score": score, "fit": fit, "engagement": score}
    after = {"score": after_score, "fit": after_fit, "engagement": score}
    bars = {
        (b.what, b.sign): b for b in restated(file, before, after).bars if b.path[-1] == "enter"
    }
    passed = np.count_nonzero((fit >= 10) & (score > 30))
    enter = (after_fit >= bars["fit", ">="].after) & (after_score > bars["score", ">"].after)
    assert np.count_nonzero(enter) == pytest.approx(passed, abs=20)


def test_grades_keep_their_shares_and_never_meet() -> None:
    fit = np.arange(-10, 40)
    assert grades_after({"A": 20, "B": 10, "C": 0}, fit, 2 * fit) == {"A": 40, "B": 20, "C": 0}
    alike = grades_after({"A": 20, "B": 10, "C": 0}, fit, np.zeros(50, dtype=np.int64))
    assert len(set(alike.values())) == 3


def test_a_stage_is_still_left_below_the_bar_that_enters_it() -> None:
    text = MODEL.replace("score < 20", "score < 30")
    score = np.repeat([0, 30, 31], 10)
    same = {"score": score, "fit": score, "engagement": score}
    after = {"score": np.repeat([0, 0, 8], 10), "fit": score, "engagement": score}
    bars = restated(load(text, name="model").file, same, after).bars
    enter = next(b for b in bars if b.path[-1] == "enter" and b.sign == ">")
    leave = next(b for b in bars if b.path[-1] == "leave" and b.what == "score")
    assert leave.least[1] < enter.least[1]
