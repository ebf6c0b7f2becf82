"""What weights are learned, and what the leads' order, grouping and odd columns do to them."""

from math import inf, isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from unit.learning.made_leads import leads
from warmlead.learning.fitting import Fit, fit, grouped


def same(first: Fit, second: Fit) -> bool:
    numbers = zip(
        (*first.weights, first.base, *first.errors),
        (*second.weights, second.base, *second.errors),
        strict=True,
    )
    return all(one == pytest.approx(other, abs=1e-5) for one, other in numbers)


@given(st.integers(0, 10**6), st.integers(20, 200), st.sampled_from([0.1, 1.0, 50.0]))
@settings(max_examples=examples(40), deadline=None)
def test_neither_grouping_nor_order_nor_a_start_changes_a_fit(
    seed: int, n: int, strength: float
) -> None:
    made = leads(n, columns=4, seed=seed, base=0.0)
    if not 0 < made.won.sum() < n:
        return
    single = fit(made.x, made.won, strength=strength)
    known = grouped(made.x, made.won)
    assert len(known.x) <= 16
    assert (known.x[known.row_of] == made.x).all()
    together = fit(known.x, known.won, weights=known.leads, strength=strength)
    mixed = np.random.default_rng(seed).permutation(n)
    far = fit(made.x[mixed], made.won[mixed], strength=strength * 100)
    again = fit(made.x[mixed], made.won[mixed], strength=strength, start=far)
    assert same(single, together)
    assert same(single, again)
    assert single.held == together.held


def test_planted_weights_lie_in_their_intervals_nineteen_times_in_twenty() -> None:
    inside = total = 0
    for seed in range(12):
        made = leads(3000, seed=seed)
        learned = fit(made.x, made.won, strength=0.1)
        inside += sum(
            low <= weight <= high
            for (low, high), weight in zip(learned.intervals, made.weights, strict=True)
        )
        total += len(made.weights)
    assert 0.91 <= inside / total <= 0.99


def test_a_condition_that_always_wins_gets_a_finite_weight() -> None:
    made = leads(400, columns=3, seed=5)
    always = (made.won > 0) & (np.arange(400) % 2 == 0)
    learned = fit(np.column_stack([made.x, always]), made.won, strength=1.0)
    assert isfinite(learned.errors[3])
    assert 3 < learned.weights[3] < 10


def test_a_column_with_one_value_says_nothing_and_moves_nothing() -> None:
    made = leads(300, columns=3, seed=3)
    alone = fit(made.x, made.won, strength=1.0)
    with_constants = np.column_stack([np.zeros(300), made.x, np.ones(300)])
    learned = fit(with_constants, made.won, strength=1.0)
    assert learned.weights[0] == learned.weights[4] == 0
    assert learned.errors[0] == learned.errors[4] == inf
    assert learned.intervals[4] == (-inf, inf)
    assert learned.weights[1:4] == pytest.approx(alone.weights)
    anchored = fit(with_constants, made.won, strength=1.0, towards=[2, 0, 0, 0, 3])
    assert anchored.weights[0] == 2
    assert anchored.weights[4] == 3
    assert anchored.base == pytest.approx(alone.base - 3)


def test_a_condition_of_few_leads_is_marked() -> None:
    made = leads(500, columns=2, seed=1)
    rare = np.arange(500) < 29
    learned = fit(np.column_stack([made.x, rare]), made.won, strength=1.0)
    assert learned.held[2] == 29
    assert learned.small == (False, False, True)


def test_a_strong_penalty_keeps_the_weights_that_it_draws_towards() -> None:
    made = leads(500, columns=3, seed=2)
    learned = fit(made.x, made.won, strength=1e9, towards=[0.5, -1, 2])
    assert learned.weights == pytest.approx((0.5, -1, 2), abs=1e-4)
    expected = learned.probabilities(made.x).sum()
    assert expected == pytest.approx(made.won.sum())


def test_worths_of_very_different_size_are_fitted_together() -> None:
    made = leads(2000, columns=3, seed=7)
    x = made.x.astype(np.float32) * np.array([1, 1e5, 1e-4], dtype=np.float32)
    learned = fit(x, made.won, strength=1e-9)
    unscaled = fit(made.x, made.won, strength=1e-9)
    assert np.array(learned.weights) * [1, 1e5, 1e-4] == pytest.approx(
        unscaled.weights, rel=1e-2, abs=0.01
    )
    assert len(grouped(x, made.won).x) == 2000


@pytest.mark.parametrize(
    ("x", "won", "options"),
    [
        ([[1.0], [0.0]], [1, 1], {}),
        ([[1.0], [0.0]], [1, 0, 1], {}),
        ([[np.nan], [0.0]], [1, 0], {}),
        ([[np.inf], [0.0]], [1, 0], {}),
        ([[1.0], [0.0]], [1, 0], {"strength": 0.0}),
        ([[1.0], [0.0]], [2, 0], {}),
        ([[1.0], [0.0]], [1, 0], {"towards": [1, 2]}),
        ([1.0, 0.0], [1, 0], {}),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    x: list[list[float]], won: list[int], options: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        fit(np.array(x), won, **{"strength": 1.0, **options})  # type: ignore[arg-type]  # any option
