"""Numbers in bands whose chances only rise, or only fall."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike

from warmlead.learning.algebra import vector
from warmlead.reporting.statistics import SMALL_SAMPLE


@dataclass(frozen=True)
class ValueBand:
    """Values from ``low`` on and below ``high``; ``None``: without an end.

    ``log_odds`` are those of winning, with half a lead more on either side.
    """

    low: float | None
    high: float | None
    n: int
    won: int
    log_odds: float

    def holds(self, value: float) -> bool:
        """Whether the value lies in the band."""
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)


def monotone_bands(
    values: ArrayLike,
    won: ArrayLike,
    *,
    most: int = 5,
    at_least: int = SMALL_SAMPLE,
    rising: bool | None = None,
) -> tuple[ValueBand, ...]:
    """Parts the values into at most so many bands with at least so many leads each.

    They begin as quantiles; neighbours are pooled until the log-odds only rise or only fall
    (Ayer et al. 1955), whichever explains the outcomes better if ``rising`` is not given. One
    band: the values say nothing.

    Raises:
        ValueError: there are no values, or lengths differ.
    """
    numbers, wins = vector(values), vector(won) > 0
    if not len(numbers) or len(numbers) != len(wins):
        raise ValueError("bands need values, and one outcome for each")
    cells = _quantiles(numbers.tolist(), wins.tolist(), most, at_least)
    ways = [_pooled(cells, way) for way in ((True, False) if rising is None else (rising,))]
    return min(ways, key=_loss)


def _quantiles(
    numbers: Sequence[float], wins: Sequence[bool], most: int, at_least: int
) -> list[ValueBand]:
    """Bands with about as many leads each; equal values stay together."""
    distinct, place = np.unique(numbers, return_inverse=True)
    counts = np.bincount(place).tolist()
    good = np.bincount(place, wins).astype(np.intp).tolist()
    made: list[ValueBand] = []
    low: float | None = None
    n = won = 0
    left = len(numbers)
    for value, leads, winners in zip(distinct.tolist(), counts, good, strict=True):
        due = max(at_least, left / max(1, most - len(made)))
        is_room = len(made) < most - 1 and left - n >= at_least
        if n >= at_least and is_room and n + leads / 2 > due:
            made.append(_band(low, value, n, won))
            low, left, n, won = value, left - n, 0, 0
        n, won = n + leads, won + winners
    return [*made, _band(low, None, n, won)]


def _pooled(cells: Sequence[ValueBand], rising: bool) -> tuple[ValueBand, ...]:
    """Neighbours out of order become one band, which is then compared with the one before."""
    made: list[ValueBand] = []
    for cell in cells:
        band = cell
        while made and (band.log_odds > made[-1].log_odds) != rising:
            before = made.pop()
            band = _band(before.low, band.high, before.n + band.n, before.won + band.won)
        made.append(band)
    return tuple(made)


def _band(low: float | None, high: float | None, n: int, won: int) -> ValueBand:
    return ValueBand(low, high, n, won, log((won + 0.5) / (n - won + 0.5)))


def _loss(bands: Sequence[ValueBand]) -> float:
    """How badly the rates of the bands explain the outcomes, in nats."""
    return -sum(each.won * log(each.won / each.n) if each.won else 0.0 for each in bands) - sum(
        (each.n - each.won) * log(1 - each.won / each.n) if each.n > each.won else 0.0
        for each in bands
    )
