"""Weights as points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from unit.learning.made_leads import leads
from warmlead.learning.algebra import sigmoid
from warmlead.learning.fitting import fit
from warmlead.learning.judging import auc
from warmlead.learning.scorecard import rounded


@given(st.integers(0, 10**6), st.sampled_from([(20, 1), (50, 5), (10, 1), (7, 3)]))
@settings(max_examples=examples(30), deadline=None)
def test_points_are_multiples_within_the_limit_and_nobody_is_below_zero(
    seed: int, limit: tuple[int, int]
) -> None:
    made = leads(200, columns=6, seed=seed, base=0.0)
    if not 0 < made.won.sum() < 200:
        return
    most, step = limit
    learned = fit(made.x, made.won, strength=1.0)
    card = rounded(learned, made.x, made.won, most=most, step=step)
    assert all(abs(each) <= most and each % step == 0 for each in card.points)
    assert card.base >= 0
    assert card.base % step == 0
    scores = card.score(made.x)
    assert scores.min() >= 0
    assert card.base == 0 or scores.min() < step
    assert card.auc == pytest.approx(auc(scores, made.won).value)
    exact = auc(learned.log_odds(made.x), made.won).value
    assert card.lost == pytest.approx(exact - card.auc)


@pytest.mark.parametrize(("most", "step"), [(20, 1), (50, 5)])
def test_rounding_costs_next_to_nothing(most: int, step: int) -> None:
    made = leads(3000, seed=12)
    learned = fit(made.x, made.won, strength=1.0)
    card = rounded(learned, made.x, made.won, most=most, step=step)
    assert card.lost < 0.002
    assert max(abs(each) for each in card.points) > most / 2
    expected = sigmoid(card.even + card.score(made.x) / card.scale)
    assert expected.mean() == pytest.approx(made.won.mean(), abs=0.005)
    assert np.abs(expected - learned.probabilities(made.x)).mean() < 0.02


def test_a_given_scale_is_kept_and_points_beyond_the_limit_are_cut() -> None:
    made = leads(3000, seed=12)
    learned = fit(made.x, made.won, strength=1.0)
    card = rounded(learned, made.x, made.won, most=20, scale=15.0)
    assert card.scale == 15.0
    largest = max(learned.weights, key=abs)
    assert abs(largest) * 15 > 20
    assert card.points[learned.weights.index(largest)] == 20 * np.sign(largest)
    small = min(learned.weights, key=abs)
    assert card.points[learned.weights.index(small)] == round(small * 15)


def test_conditions_without_weight_get_no_points() -> None:
    made = leads(100, columns=2, seed=3)
    learned = fit(made.x, made.won, strength=1e12)
    nothing = np.zeros((100, 2))
    card = rounded(fit(nothing, made.won, strength=1.0), nothing, made.won)
    assert card.points == (0, 0)
    assert card.auc == 0.5
    for wrong in ({"most": 0}, {"most": 4, "step": 5}, {"scale": 0.0}):
        with pytest.raises(ValueError, match="points need"):
            rounded(learned, made.x, made.won, **wrong)
