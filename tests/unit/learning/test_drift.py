"""Drift: quiet in years without change, loud after one, whatever the number of leads."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from effort import examples
from warmlead.learning.drift import (
    LOOKS_A_YEAR,
    OutcomeDrift,
    band_edges,
    by_band,
    chi_square,
    in_the_large,
    psi,
)

YEARS = 100
Scores = NDArray[np.int64]


def test_the_index_is_that_of_its_definition() -> None:
    # Σ (now − before) · ln(now / before) of 50:50 against 60:40, with half a lead more in each
    found = psi([5000, 5000], [600, 400], looks=1)
    assert found.value == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8), rel=0.01)
    assert psi([10, 20, 30], [10, 20, 30]).value == 0
    assert psi([30, 40, 30], [0, 50, 0]).alarmed
    assert not psi([30], [10]).alarmed
    assert not psi([30, 40], [0, 0]).alarmed
    with pytest.raises(ValueError, match="same bands"):
        psi([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.95, 4, 9.488), (0.95, 1, 3.841), (0.99, 4, 13.277), (0.995, 9, 23.589)],
)
def test_chi_square_is_that_of_the_tables(
    probability: float, freedom: int, quantile: float
) -> None:
    assert chi_square(probability, freedom) == pytest.approx(quantile, rel=0.025)


def test_a_limit_falls_as_leads_grow() -> None:
    limits = [psi([1000] * 5, [n] * 5).limit for n in (5, 10, 20, 100, 500)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > 0.5
    assert limits[-1] < 0.02


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
@settings(max_examples=examples(60))
def test_bands_hold_every_score_once_and_none_is_empty(scores: list[int]) -> None:
    edges = band_edges(scores)
    counts = by_band(scores, edges)
    assert sum(counts) == len(scores)
    assert len(counts) == len(edges) + 1 <= 5
    assert all(counts)


def test_bands_are_fifths_and_keep_a_score_together() -> None:
    assert by_band(range(100), band_edges(range(100))) == (20, 20, 20, 20, 20)
    mostly_nothing = [0] * 60 + list(range(1, 41))
    assert by_band(mostly_nothing, band_edges(mostly_nothing)) == (60, 10, 10, 10, 10)
    assert band_edges([]) == ()


def population(chance: np.random.Generator, n: int, shift: float = 0) -> Scores:
    """Scores as a model gives them: half are near 0, some are high."""
    return np.rint(np.maximum(0, chance.gamma(1.2, 18, n) + shift - 8)).astype(np.int64)


def chances(scores: Scores) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-(scores / 20 - 2)))


def alarms(seed: int, a_month: int, change: float, worse: float) -> list[int]:
    """The months of a year in which a look raises an alarm; leads change from month eight on."""
    chance = np.random.default_rng(seed)
    reference = population(chance, 300)
    edges = band_edges(reference.tolist())
    before, heard = by_band(reference.tolist(), edges), []
    for month in range(1, 13):
        is_changed = month >= 8
        scores = population(chance, a_month, change if is_changed else 0)
        expected = chances(scores)
        won = chance.random(a_month) < expected * (worse if is_changed else 1)
        outcome = in_the_large(
            float(expected.sum()),
            float((expected * (1 - expected)).sum()),
            int(won.sum()),
            leads=a_month,
        )
        if psi(before, by_band(scores.tolist(), edges)).alarmed or outcome.alarmed:
            heard.append(month)
    return heard


@pytest.mark.parametrize("a_month", [25, 200])
def test_years_without_change_stay_quiet(a_month: int) -> None:
    loud = sum(bool(alarms(seed, a_month, 0, 1)) for seed in range(YEARS))
    assert loud <= YEARS * 0.05


@pytest.mark.parametrize(("change", "worse"), [(15, 1), (0, 0.35)])
def test_a_change_in_month_eight_is_heard_by_month_nine(change: float, worse: float) -> None:
    """Leads that score fifteen points more, or that win a third as often at the same score."""
    heard = [alarms(seed, 150, change, worse) for seed in range(YEARS)]
    assert sum(bool({8, 9} & set(months)) for months in heard) == YEARS
    assert sum(min(months) < 8 for months in heard) <= YEARS * 0.05


def test_outcomes_are_compared_with_what_was_expected() -> None:
    found = in_the_large(20, 16, 28, leads=100)
    assert found.z == pytest.approx(2)
    assert (found.low, found.high) == pytest.approx((0.08 - 0.0784, 0.08 + 0.0784), abs=1e-4)
    assert not found.alarmed
    assert in_the_large(20, 16, 36, leads=100).alarmed
    assert in_the_large(20, 16, 36, leads=100, looks=LOOKS_A_YEAR).z == pytest.approx(4)


def test_probabilities_from_few_leads_alarm_later() -> None:
    uncertain = in_the_large(20, 16, 36, leads=100, learned_from=100)
    assert uncertain.z == pytest.approx(4 / 2**0.5)
    assert not uncertain.alarmed


def test_a_month_of_few_expected_outcomes_raises_no_alarm() -> None:
    found = in_the_large(2, 1.9, 12, leads=40)
    assert found.small
    assert not found.alarmed
    assert in_the_large(0, 0, 0, leads=0) == OutcomeDrift(0, -1, 1, small=True, alarmed=False)


def test_drift_and_probability_work_without_numpy() -> None:
    text = "import sys, warmlead.learning.drift, warmlead.learning.probability as p\n"
    text += "p.platt([1, 2, 3], [0, 1, 0]); sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", text], check=True)  # a Python that has loaded nothing
