"""Weights of conditions learned from outcomes: logistic regression with a ridge, by Newton."""

from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warmlead.learning.algebra import (
    Indexes,
    Matrix,
    Vector,
    blocks,
    sigmoid,
    surprise,
    totals,
    vector,
)
from warmlead.reporting.statistics import SMALL_SAMPLE, Interval, Z

_MOST_STEPS = 100
_LEAST_SHARE = 1e-9
_ENOUGH = 1e-6
"""Newton ends with the step that gains less of the loss, in nats of all leads: it arrived."""


@dataclass(frozen=True)
class Fit:
    """What each condition adds to the log-odds of winning.

    ``errors`` are the standard errors of ``weights``, from the curvature of the penalised loss;
    infinite where a column has one value only, so that the leads say nothing of it. ``held`` counts
    the leads in which each column is not 0. ``strength`` and ``towards`` are those of the penalty.
    """

    weights: tuple[float, ...]
    base: float
    errors: tuple[float, ...]
    held: tuple[int, ...]
    leads: int
    won: int
    strength: float
    towards: tuple[float, ...]

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The 95 % interval of each weight; from −∞ to ∞ of a column with one value."""
        pairs = zip(self.weights, self.errors, strict=True)
        return tuple(Interval(weight - Z * error, weight + Z * error) for weight, error in pairs)

    @property
    def small(self) -> tuple[bool, ...]:
        """Whether each condition held for so few leads that its weight says little."""
        return tuple(leads < SMALL_SAMPLE for leads in self.held)

    def log_odds(self, x: Matrix) -> Vector:
        """What the fit expects of each row."""
        return totals(x, np.array(self.weights)) + self.base

    def probabilities(self, x: Matrix) -> Vector:
        """The probability of winning, from 0 to 1, that the fit expects of each row."""
        return sigmoid(self.log_odds(x))


@dataclass(frozen=True, eq=False)
class Patterns:
    """Leads that are alike in all conditions, as one row with their number and their wins.

    ``row_of`` is the row of each lead. Continuous columns are not grouped: each lead has its row.
    """

    x: Matrix
    leads: Vector
    won: Vector
    row_of: Indexes


def grouped(x: Matrix, won: ArrayLike) -> Patterns:
    """Groups the leads by their pattern if all columns are yes or no.

    Some hundred patterns take the place of 100,000 leads, and every fit is as fast as if there were
    no more leads than these.
    """
    wins = vector(won)
    flags = _as_flags(x)
    if flags is None:
        return Patterns(x, np.ones(len(x)), wins, np.arange(len(x)))
    packed = np.packbits(flags, axis=1)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, row_of = np.unique(keys, return_index=True, return_inverse=True)
    row_of = row_of.reshape(-1)
    size = len(first)
    return Patterns(
        flags[first],
        np.bincount(row_of, minlength=size).astype(np.float64),
        vector(np.bincount(row_of, wins, minlength=size)),
        row_of,
    )


def fit(
    x: Matrix,
    won: ArrayLike,
    *,
    strength: float,
    towards: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    start: Fit | None = None,
) -> Fit:
    """Learns the weights that make Σ loss + ½ · strength · |weights − towards|² least.

    The base is not penalised. ``towards`` is 0 if it is not given. A row may stand for
    ``weights`` leads, ``won`` of which won. ``start`` is a fit nearby: it spares steps, and changes
    no result. A column with one value keeps its ``towards``. Scikit-learn's ``C`` is 1 / strength.

    Raises:
        ValueError: numbers are not finite, lengths differ, the strength is not positive, or all
            leads have the same outcome.
    """
    problem = _problem(x, won, weights, strength, towards)
    place = _Place(problem.towards.copy(), problem.base_rate)
    if start is not None:
        place = _Place(np.where(problem.varies, start.weights, problem.towards), start.base)
    place, slope = _descend(problem, place)
    return _told(problem, place, slope)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is fitted. Columns that do not vary are kept at what they are drawn towards."""

    x: Matrix
    leads: Vector
    won: Vector
    strength: float
    towards: Vector
    varies: NDArray[np.bool_]
    held: Vector

    @property
    def base_rate(self) -> float:
        """The log-odds of all leads together."""
        won = float(self.won.sum())
        return float(np.log(won / (self.leads.sum() - won)))


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the descent is."""

    weights: Vector
    base: float


@dataclass(eq=False)
class _Slope:
    """The penalised loss at a place, its gradient and its curvature, the base in the last place."""

    loss: float
    gradient: Vector
    curvature: NDArray[np.float64] = field(repr=False)


def _problem(
    x: Matrix,
    won: ArrayLike,
    weights: ArrayLike | None,
    strength: float,
    towards: ArrayLike | None,
) -> _Problem:
    """Checks what was given, and looks which columns vary."""
    wins = vector(won)
    leads = np.ones(len(wins)) if weights is None else vector(weights)
    if x.ndim != 2 or not len(x) == len(wins) == len(leads):  # noqa: PLR2004  # rows and columns
        raise ValueError("there must be one row, one outcome and one weight for each lead")
    if not 0 < strength < inf:
        raise ValueError("the strength of the penalty must be positive")
    if (leads < 0).any() or (wins < 0).any() or (wins > leads).any():
        raise ValueError("of a row's leads none to all can have won")
    if not 0 < wins.sum() < leads.sum():
        raise ValueError("leads that all have the same outcome teach nothing")
    drawn = np.zeros(x.shape[1]) if towards is None else vector(towards)
    if len(drawn) != x.shape[1]:
        raise ValueError("the penalty must draw every column towards something")
    varies, held = _looked_at(x, leads)
    return _Problem(x, leads, wins, strength, drawn, varies, held)


def _looked_at(x: Matrix, leads: Vector) -> tuple[NDArray[np.bool_], Vector]:
    """Which columns have several values, and in how many leads each is not 0."""
    columns = x.shape[1]
    low, high, held = np.full(columns, inf), np.full(columns, -inf), np.zeros(columns)
    for rows in blocks(len(x)):
        there = leads[rows] > 0
        block = x[rows][there].astype(np.float64)
        if not np.isfinite(block).all():
            raise ValueError("a worth is not a finite number")
        if len(block):
            low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
            held += leads[rows][there] @ (block != 0)
    return high > low, held


def _descend(problem: _Problem, place: _Place) -> tuple[_Place, _Slope]:
    """Newton's steps; the loss is convex, so that they arrive."""
    slope = _slope_at(problem, place)
    for _ in range(_MOST_STEPS):
        step = _solved(slope.curvature, slope.gradient)
        gain = float(slope.gradient @ step) / 2
        lower = _lower(problem, place, slope, step)
        if lower is None:
            break
        place, slope = lower
        if gain < _ENOUGH:
            break
    return place, slope


def _lower(
    problem: _Problem, place: _Place, slope: _Slope, step: Vector
) -> tuple[_Place, _Slope] | None:
    """Where a step arrives, halved as often as it overshoots; ``None``: no lower than here."""
    share = 1.0
    while share > _LEAST_SHARE:
        there = _Place(place.weights - share * step[:-1], place.base - share * float(step[-1]))
        slope_there = _slope_at(problem, there)
        if slope_there.loss <= slope.loss + 1e-12 * abs(slope.loss):
            return there, slope_there
        share /= 2
    return None


def _slope_at(problem: _Problem, place: _Place) -> _Slope:
    """Loss, gradient and curvature in one pass over the rows, by blocks to spare memory."""
    columns = len(place.weights)
    gradient, curvature, loss = np.zeros(columns + 1), np.zeros((columns + 1, columns + 1)), 0.0
    for rows in blocks(len(problem.x)):
        x, leads, won = problem.x[rows].astype(np.float64), problem.leads[rows], problem.won[rows]
        log_odds = x @ place.weights + place.base
        chance = sigmoid(log_odds)
        loss += float(won @ surprise(log_odds) + (leads - won) @ surprise(-log_odds))
        over, bend = leads * chance - won, leads * chance * (1 - chance)
        gradient[:-1] += over @ x
        gradient[-1] += over.sum()
        curvature[-1, :-1] += bend @ x
        curvature[-1, -1] += bend.sum()
        x *= np.sqrt(bend)[:, None]
        curvature[:-1, :-1] += x.T @ x
    curvature[:-1, -1] = curvature[-1, :-1]
    away = place.weights - problem.towards
    loss += problem.strength * float(away @ away) / 2
    gradient[:-1] += problem.strength * away
    curvature[np.arange(columns), np.arange(columns)] += problem.strength
    still = np.flatnonzero(~problem.varies)
    gradient[still] = 0.0
    curvature[still, :] = curvature[:, still] = 0.0
    curvature[still, still] = 1.0
    return _Slope(loss, gradient, curvature)


def _solved(curvature: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solves curvature · step = right, scaled by the diagonal: worths differ by many digits."""
    size = 1 / np.sqrt(np.maximum(np.diagonal(curvature), 1e-300))
    scaled = curvature * size[:, None] * size[None, :]
    across = size if right.ndim == 1 else size[:, None]
    solved: NDArray[np.float64] = np.linalg.solve(scaled, right * across) * across
    return solved


def _told(problem: _Problem, place: _Place, slope: _Slope) -> Fit:
    """The fit in numbers of Python, with the standard errors of where it arrived."""
    spread = np.diagonal(_solved(slope.curvature, np.eye(len(slope.gradient))))
    errors = np.where(problem.varies, np.sqrt(np.maximum(spread[:-1], 0.0)), inf)
    return Fit(
        weights=tuple(place.weights.tolist()),
        base=place.base,
        errors=tuple(errors.tolist()),
        held=tuple(round(leads) for leads in problem.held.tolist()),
        leads=round(float(problem.leads.sum())),
        won=round(float(problem.won.sum())),
        strength=problem.strength,
        towards=tuple(problem.towards.tolist()),
    )


def _as_flags(x: Matrix) -> NDArray[np.bool_] | None:
    """The columns as yes and no; ``None`` if one of them has other numbers than 0 and 1."""
    flags = np.empty(x.shape, dtype=np.bool_)
    for rows in blocks(len(x)):
        flags[rows] = x[rows] != 0
        if not (x[rows] == flags[rows]).all():
            return None
    return flags if x.shape[1] else None
