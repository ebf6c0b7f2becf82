"""What a learned probability makes of a score."""

import math
from datetime import timedelta

import pytest

from warmlead.domain.probability import Probability


def learned(intercept: float, slope: float) -> Probability:
    week, quarter = timedelta(days=7), timedelta(days=90)
    return Probability("customer", week, quarter, intercept, slope, leads=842, won=91)


def test_the_share_is_that_of_the_logistic_curve() -> None:
    curve = learned(-3.1, 0.05)

    assert curve.of(62) == pytest.approx(0.5)
    assert curve.of(0) == pytest.approx(1 / (1 + math.exp(3.1)))
    assert [curve.of_100(score) for score in (0, 30, 62, 100)] == [4, 17, 50, 87]


@pytest.mark.parametrize("score", [-1_000_000, 1_000_000])
def test_no_score_is_too_far_out_to_have_a_share(score: int) -> None:
    assert learned(-1_000, 1_000).of(score) == pytest.approx(float(score > 0))
