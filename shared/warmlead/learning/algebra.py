"""The arrays of learning, and the logistic function on them without overflow."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]
"""One number for each lead, or for each condition."""

Matrix: TypeAlias = NDArray[np.generic]
"""One row for each lead, one column for each condition: numbers of any type, or flags."""

Indexes: TypeAlias = NDArray[np.intp]
"""Places of leads in a vector."""


_BLOCK = 4096
"""Rows that are made floats at once: some megabytes at 120 columns."""


def blocks(rows: int) -> Iterator[slice]:
    """Parts the rows, so that no second matrix of floats is in memory."""
    return (slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK))


def vector(numbers: ArrayLike) -> Vector:
    """The numbers as floats; raises ``ValueError`` if they are no row of finite numbers."""
    made = np.asarray(numbers, dtype=np.float64)
    if made.ndim != 1 or not np.isfinite(made).all():
        raise ValueError("a vector is one row of finite numbers")
    return made


def totals(x: Matrix, weights: Vector) -> Vector:
    """The weighted sum of each row."""
    made = np.empty(len(x))
    for rows in blocks(len(x)):
        made[rows] = x[rows].astype(np.float64) @ weights
    return made


def sigmoid(log_odds: Vector) -> Vector:
    """The probabilities, from 0 to 1, of these log-odds."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, small) / (1.0 + small)


def surprise(log_odds: Vector) -> Vector:
    """The loss, in nats, of a win that was given these log-odds: −log of its probability."""
    return np.logaddexp(0.0, -log_odds)
