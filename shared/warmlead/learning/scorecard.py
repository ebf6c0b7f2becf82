"""Weights as points that people can read: whole numbers or fives, with what rounding costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warmlead.learning.algebra import Matrix, Vector, surprise, totals, vector
from warmlead.learning.fitting import Fit, Patterns, grouped
from warmlead.learning.judging import auc

_SHARES = np.linspace(1.0, 0.6, 9)
"""Of the largest scale that the limit allows: one of them rounds best."""


@dataclass(frozen=True)
class Scorecard:
    """Points for each condition.

    ``scale`` is how many points one of log-odds is worth. ``base`` are the points that everybody
    has, so that nobody of these leads is below 0. ``even`` is the log-odds at score 0. ``auc`` is
    that of the scores, and ``lost`` by how much rounding made it less than that of the weights.
    """

    points: tuple[int, ...]
    base: int
    scale: float
    even: float
    auc: float
    lost: float

    def score(self, x: Matrix) -> Vector:
        """The sum of points of each row, with the base; not rounded, and with no floor."""
        return totals(x, vector(self.points)) + self.base


def rounded(
    learned: Fit,
    x: Matrix,
    won: ArrayLike,
    *,
    most: int = 20,
    step: int = 1,
    scale: float | None = None,
) -> Scorecard:
    """Rounds weights to multiples of ``step``, none beyond ``most`` on either side.

    The scale is by default the one, of some that use most of the limit, whose rounded points
    expect the outcomes best. A given scale is kept; larger points are then cut to the limit.

    Raises:
        ValueError: the limit is less than a step, or the scale is not positive.
    """
    if not 1 <= step <= most or (scale is not None and not scale > 0):
        raise ValueError("points need a limit of at least one step, and a positive scale")
    weights, known = np.array(learned.weights), grouped(x, won)
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    scales = most / largest * _SHARES if scale is None else np.array([scale])
    tried = [_points(weights * each, most, step) for each in scales.tolist()]
    losses = [
        _loss(learned, known, points / each)
        for points, each in zip(tried, scales.tolist(), strict=True)
    ]
    best = int(np.argmin(losses))
    return _card(learned, known, tried[best], float(scales[best]), step)


def _points(wanted: Vector, most: int, step: int) -> Vector:
    limit = most // step * step
    return vector(np.clip(np.rint(wanted / step) * step, -limit, limit))


def _loss(learned: Fit, known: Patterns, weights: Vector) -> float:
    """That of rounded weights, each on the base that suits it in the mean."""
    exact, rough = learned.log_odds(known.x), totals(known.x, weights)
    log_odds = rough + float(np.average(exact - rough, weights=known.leads))
    lost = known.leads - known.won
    return float(known.won @ surprise(log_odds) + lost @ surprise(-log_odds))


def _card(learned: Fit, known: Patterns, points: Vector, scale: float, step: int) -> Scorecard:
    exact, sums = learned.log_odds(known.x), totals(known.x, points)
    base = max(0, int(-(sums.min(initial=0.0) // step) * step))
    even = float(np.average(exact - (sums + base) / scale, weights=known.leads))
    reached, before = _auc(sums, known), _auc(exact, known)
    whole = tuple(int(each) for each in points.tolist())
    return Scorecard(whole, base, scale, even, reached, before - reached)


def _auc(scores: Vector, known: Patterns) -> float:
    """That of the leads, one row of each outcome for each pattern and lead."""
    wins = known.won.astype(np.intp)
    losses = known.leads.astype(np.intp) - wins
    rows: NDArray[np.intp] = np.arange(len(scores))
    leads = np.concatenate([np.repeat(rows, wins), np.repeat(rows, losses)])
    outcome = np.arange(len(leads)) < wins.sum()
    return auc(scores[leads], outcome).value
