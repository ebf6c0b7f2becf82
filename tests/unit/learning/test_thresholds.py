"""Bars: each view of the curve against a count of every bar by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.learning.thresholds import Curve, curve
from warmlead.reporting.statistics import wilson

SCORED = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=80)


def by_hand(scored: list[tuple[int, bool]]) -> list[tuple[int, int, int]]:
    """Of each bar how many pass and how many of them win, the lowest first."""
    return [
        (bar, len(passing), sum(passing))
        for bar in sorted({score for score, _ in scored})
        for passing in [[won for score, won in scored if score >= bar]]
    ]


@given(SCORED, st.floats(0, 30), st.floats(0.01, 0.99), st.integers(1, 9))
@settings(max_examples=examples(30), deadline=None)
def test_every_view_chooses_the_bar_that_a_count_of_all_bars_chooses(
    scored: list[tuple[int, bool]], capacity: float, rate: float, cost: int
) -> None:
    bars, drawn = by_hand(scored), curve(*zip(*scored, strict=True), weeks=4.0)
    fits = [bar for bar, passed, _ in bars if passed <= capacity * 4]
    assert drawn.capacity(capacity).bar == (min(fits) if fits else None)
    sure = [bar for bar, passed, won in bars if wilson(won, passed).low >= rate]
    assert drawn.target(rate).bar == (min(sure) if sure else None)
    worth = {bar: won * 10 - passed * cost for bar, passed, won in bars}
    best = [bar for bar in worth if worth[bar] == max(worth.values())]
    chosen = drawn.value(cost, 10)
    assert chosen.nearest == max(best)
    assert (chosen.bar is None) == (max(worth.values()) <= 0)
    assert chosen.value_a_week == max(worth.values()) / 4
    for bar in range(-1, 14):
        passing = [won for score, won in scored if score >= bar]
        told = drawn.at(bar)
        assert (told.passed, told.won) == (len(passing), sum(passing))
        assert told.mqls_a_week == len(passing) / 4


def planted(seed: int, n: int = 600) -> Curve:
    """Scores from 0 to 100, of which the chance to win is the score in percent."""
    chance = np.random.default_rng(seed)
    scores = chance.integers(0, 101, n)
    return curve(scores, chance.random(n) * 100 < scores, weeks=10.0)


def test_the_interval_of_a_bar_holds_the_bar_of_all_leads() -> None:
    # of 60 leads a week those with 50 and more are 30.3; the true bar is 50
    inside = 0
    for seed in range(10):
        chosen = planted(seed).capacity(30.3)
        assert chosen.interval is not None
        assert chosen.bar is not None
        assert chosen.interval.low <= chosen.bar <= chosen.interval.high
        inside += chosen.interval.low <= 50 <= chosen.interval.high
    assert inside >= 8
    assert planted(3).target(0.7) == planted(3).target(0.7)


def test_a_rate_that_no_bar_reaches_is_said_with_the_best() -> None:
    drawn = curve([1] * 10 + [2] * 10, [1, 0] * 5 + [1] * 8 + [0] * 2, weeks=1)
    chosen = drawn.target(0.5)
    assert chosen.bar is None
    assert chosen.nearest == 2
    assert chosen.why == "not reachable: at best 49% is certain, at 2"
    assert (chosen.passed, chosen.won) == (10, 8)
    assert chosen.interval is None
    assert drawn.target(0.45).bar == 2


def test_a_bar_that_few_draws_reach_says_so() -> None:
    drawn = curve([1] * 10 + [2] * 10, [1, 0] * 5 + [1] * 8 + [0] * 2, weeks=1)
    chosen = drawn.target(0.49)
    assert chosen.interval is not None
    assert 0.3 < chosen.interval.reached < 0.9


def test_more_mqls_than_sales_can_call_at_any_bar_are_said() -> None:
    chosen = curve([5, 5, 5, 1], [1, 0, 1, 0], weeks=1).capacity(2)
    assert chosen.bar is None
    assert chosen.nearest == 5
    assert chosen.why == "even at 5 more than 2 pass in a week"


@pytest.mark.parametrize(
    ("scores", "won", "weeks"),
    [([], [], 1), ([1], [1, 0], 1), ([1], [1], 0), ([1.5], [1], 1), ([1e300], [1], 1)],
)
def test_what_is_no_curve_is_refused(scores: list[float], won: list[int], weeks: float) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        curve(scores, won, weeks=weeks)
