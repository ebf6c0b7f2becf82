"""Drawings of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.dashboard import charts
from warmlead.reporting.statistics import wilson


@pytest.mark.parametrize(
    ("reached", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (5, 10, 0.237, 0.763), (0, 10, 0.0, 0.278), (1, 1, 0.207, 1.0)],
)
def test_the_interval_is_that_of_wilson(reached: int, of: int, low: float, high: float) -> None:
    assert wilson(reached, of) == pytest.approx((low, high), abs=0.001)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_the_share_lies_in_its_interval(reached: int, of: int) -> None:
    reached = min(reached, of)
    low, high = wilson(reached, of)
    assert 0 <= low <= reached / of + 1e-9
    assert reached / of - 1e-9 <= high <= 1


def test_a_label_cannot_leave_its_attribute() -> None:
    drawn = charts.spark([1, 2], label='"><script>alert(1)</script>')
    assert "<script" not in drawn


def test_a_threshold_marks_the_bands_that_pass() -> None:
    drawn = charts.histogram([1, 2, 3], from_band=1, label="x")
    assert (drawn.count('class="in"'), drawn.count('class="out"')) == (2, 1)
