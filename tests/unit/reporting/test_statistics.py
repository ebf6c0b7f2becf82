"""Intervals, ranks and means, held against published values and against the definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.reporting.statistics import mean, nearest_rank, per_mille, wilson


@pytest.mark.parametrize(
    ("reached", "of", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_those_that_are_published(
    reached: int, of: int, low: float, high: float
) -> None:
    assert list(wilson(reached, of)) == pytest.approx([low, high], abs=5e-5)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_interval_holds_its_rate_and_is_symmetric(one: int, other: int) -> None:
    of = one + other
    low, high = wilson(one, of)
    assert 0 <= low <= high <= 1
    if of:
        assert low <= one / of <= high
        assert list(wilson(other, of)) == pytest.approx([1 - high, 1 - low])


def test_nothing_is_known_of_no_persons() -> None:
    assert wilson(0, 0) == (0, 1)
    assert (per_mille(0, 0), nearest_rank([], 50), mean([])) == (None, None, None)


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(1, 100))
def test_a_nearest_rank_is_the_smallest_value_that_enough_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = nearest_rank(sorted(values), percent)
    assert found is not None

    def enough(limit: int) -> bool:
        return 100 * sum(value <= limit for value in values) >= percent * len(values)

    assert found in values
    assert enough(found)
    assert not any(enough(value) for value in values if value < found)


@pytest.mark.parametrize(("values", "expected"), [([1, 2], 2), ([-3, -2], -2), ([1, 2, 2], 2)])
def test_a_mean_is_rounded_and_its_halves_are_rounded_up(values: list[int], expected: int) -> None:
    assert mean(values) == expected


@pytest.mark.parametrize(("reached", "of", "expected"), [(1, 3, 333), (1, 16, 63), (2, 2, 1000)])
def test_a_rate_is_in_thousandths(reached: int, of: int, expected: int) -> None:
    assert per_mille(reached, of) == expected
