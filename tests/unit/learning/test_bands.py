"""Bands of numbers: monotone, large enough, and those that explain the outcomes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.learning.bands import monotone_bands

VALUED = st.lists(
    st.tuples(st.integers(0, 15) | st.floats(-5, 5), st.booleans()), min_size=1, max_size=150
)


@given(VALUED, st.integers(1, 6), st.integers(1, 40), st.sampled_from([None, True, False]))
@settings(max_examples=examples(100))
def test_bands_are_monotone_and_hold_every_lead_once(
    valued: list[tuple[float, bool]], most: int, at_least: int, rising: bool | None
) -> None:
    values, won = zip(*valued, strict=True)
    bands = monotone_bands(values, won, most=most, at_least=at_least, rising=rising)
    assert len(bands) <= most
    assert sum(each.n for each in bands) == len(values)
    assert sum(each.won for each in bands) == sum(won)
    assert all(each.n >= at_least for each in bands) or len(bands) == 1
    ways = {later.log_odds > before.log_odds for before, later in pairwise(bands)}
    assert len(ways) <= 1
    assert rising is None or ways <= {rising}
    assert (bands[0].low, bands[-1].high) == (None, None)
    assert all(before.high == later.low for before, later in pairwise(bands))
    for value in values:
        assert [each.holds(value) for each in bands].count(True) == 1
    counted = [sum(each.holds(value) for value in values) for each in bands]
    assert counted == [each.n for each in bands]


@pytest.mark.parametrize("rising", [True, False])
def test_the_way_that_explains_the_outcomes_is_taken(rising: bool) -> None:
    chance = np.random.default_rng(0)
    values = chance.poisson(3, 1000)
    won = chance.random(1000) < (values / 10 if rising else 1 - values / 10)
    bands = monotone_bands(values, won)
    assert len(bands) > 2
    assert (bands[0].log_odds < bands[-1].log_odds) == rising


def test_values_that_say_nothing_are_hardly_parted() -> None:
    values = list(range(200))
    assert len(monotone_bands(values, [place % 2 for place in values])) == 1
    assert len(monotone_bands([3] * 50, [1] * 20 + [0] * 30)) == 1
    with pytest.raises(ValueError, match="bands need values"):
        monotone_bands([], [])
