"""Judging scores: figures that are counted by hand, and what must not change them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.learning.judging import (
    at_threshold,
    auc,
    auc_gain,
    folds,
    lift_by_decile,
    log_loss,
    newest,
    reliability,
)
from warmlead.reporting.statistics import wilson

SCORED = st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=4, max_size=60).filter(
    lambda leads: 0 < sum(won for _, won in leads) < len(leads)
)


@given(SCORED, st.integers(0, 1000))
@settings(max_examples=examples(60))
def test_auc_depends_on_the_order_of_scores_alone(
    scored: list[tuple[int, bool]], seed: int
) -> None:
    scores, won = zip(*scored, strict=True)
    found = auc(scores, won)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert auc([score**3 + 7 for score in scores], won) == found
    assert auc([-score for score in scores], won).value == pytest.approx(1 - found.value)
    turned = [not each for each in won]
    assert auc(scores, turned).value == pytest.approx(1 - found.value)
    order = np.random.default_rng(seed).permutation(len(scores))
    again = auc(np.array(scores)[order], np.array(won)[order])
    assert (again.value, again.low) == pytest.approx((found.value, found.low))


@given(SCORED.filter(lambda leads: 1 < sum(won for _, won in leads) < len(leads) - 1))
@settings(max_examples=examples(50))
def test_the_interval_of_auc_is_that_of_its_definition(scored: list[tuple[int, bool]]) -> None:
    """Every pair compared, as DeLong, DeLong and Clarke-Pearson write it."""
    wins = np.array([score for score, won in scored if won])
    others = np.array([score for score, won in scored if not won])
    above = (wins[:, None] > others) + 0.5 * (wins[:, None] == others)
    spread = above.mean(axis=1).var(ddof=1) / len(wins) + above.mean(axis=0).var(ddof=1) / len(
        others
    )
    found = auc(*zip(*scored, strict=True))
    assert found.value == pytest.approx(above.mean())
    if spread > 1e-12:
        assert found.low == pytest.approx(max(0, above.mean() - 1.959964 * spread**0.5))


def test_an_auc_without_any_pair_out_of_order_is_still_uncertain() -> None:
    found = auc([9, 8, 7, 2, 1], [1, 1, 1, 0, 0])
    assert found.value == 1.0
    assert found.low == wilson(2, 2).low
    assert found.high == 1.0
    assert auc([1, 9], [1, 0]).high == wilson(0, 1).high


def test_auc_needs_both_outcomes() -> None:
    for won in ([1, 1], [0, 0], [1, 0, 0]):
        with pytest.raises(ValueError, match="both outcomes"):
            auc([1, 2], won)


def test_a_gain_is_more_certain_than_both_of_its_sides() -> None:
    chance = np.random.default_rng(4)
    truth = chance.normal(size=600)
    won = chance.random(600) < 1 / (1 + np.exp(-truth))
    rough = truth + chance.normal(size=600)
    fine = (truth + rough) / 2
    gain = auc_gain(fine, rough, won)
    assert gain.value == pytest.approx(auc(fine, won).value - auc(rough, won).value)
    assert auc_gain(fine, fine * 2, won).high == 0
    both = auc(fine, won)
    assert gain.high - gain.low < both.high - both.low


def test_a_bar_is_judged_by_those_at_it_and_above() -> None:
    found = at_threshold([50, 49, 50, 80, 10], [1, 1, 0, 1, 0], 50)
    assert (found.leads, found.passed, found.won) == (5, 3, 2)
    assert found.precision is not None
    assert found.recall is not None
    assert (found.precision.low, found.precision.high) == wilson(2, 3)
    assert found.precision.value == found.recall.value == 2 / 3
    assert at_threshold([50], [1], 51).precision is None
    assert at_threshold([50], [0], 50).recall is None


def test_tenths_share_the_leads_of_one_score() -> None:
    deciles = lift_by_decile([5] * 10 + [1] * 10, [1] * 5 + [0] * 5 + [1] + [0] * 9)
    assert [each.n for each in deciles] == [2] * 10
    assert [each.won for each in deciles] == pytest.approx([1.0] * 5 + [0.2] * 5)
    assert [each.lift for each in deciles] == pytest.approx([0.5 / 0.3] * 5 + [0.1 / 0.3] * 5)
    assert (deciles[4].lowest, deciles[5].highest) == (5, 1)


@given(SCORED, st.integers(0, 1000))
@settings(max_examples=examples(30))
def test_tenths_hold_every_lead_once_in_any_order(
    scored: list[tuple[int, bool]], seed: int
) -> None:
    scores, won = (np.array(each) for each in zip(*scored, strict=True))
    deciles = lift_by_decile(scores, won)
    assert sum(each.n for each in deciles) == len(scores)
    assert sum(each.won for each in deciles) == pytest.approx(won.sum())
    order = np.random.default_rng(seed).permutation(len(scores))
    again = lift_by_decile(scores[order], won[order])
    assert [each.won for each in again] == pytest.approx([each.won for each in deciles])


def test_reliability_compares_the_mean_probability_with_the_rate() -> None:
    found = reliability([0.1, 0.1, 0.9, 1.0], [0, 1, 1, 1])
    assert [(each.n, each.won) for each in found.bins] == [(2, 1), (2, 2)]
    assert found.bins[0].predicted == pytest.approx(0.1)
    assert found.bins[0].observed.value == 0.5
    assert found.ece == pytest.approx((2 * 0.4 + 2 * 0.05) / 4)
    with pytest.raises(ValueError, match="from 0 to 1"):
        reliability([1.1], [1])


def test_a_certain_error_costs_much_but_not_infinitely_much() -> None:
    assert log_loss([0.5, 0.5], [1, 0]) == pytest.approx(0.6931472)
    assert 30 < log_loss([0.0], [1]) < 40


@given(st.integers(10, 80), st.integers(2, 10), st.integers(0, 1000))
@settings(max_examples=examples(40))
def test_folds_part_the_leads_with_winners_in_proportion(n: int, k: int, seed: int) -> None:
    won = np.random.default_rng(seed).random(n) < 0.3
    made = folds(n, k, won, seed)
    assert sorted(np.concatenate([test for _, test in made])) == list(range(n))
    for train, test in made:
        assert sorted([*train, *test]) == list(range(n))
        assert abs(won[test].sum() - won.sum() / k) < 1
        assert abs(len(test) - n / k) < 1


def test_the_newest_leads_are_later_than_all_others() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    days = [3, 1, 2, 2, 2, 0, 9, 8, 7, 2]
    train, test = newest([start + timedelta(days=day) for day in days], 0.3)
    assert sorted(days[each] for each in test) == [7, 8, 9]
    assert max(days[each] for each in train) == 3
    train, test = newest([start + timedelta(days=day) for day in days], 0.6)
    assert sorted(days[each] for each in train) == [0, 1]  # those of day 2 stay together
    with pytest.raises(ValueError, match="one moment"):
        newest([start, start], 0.3)
