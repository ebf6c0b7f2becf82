"""Rates with their uncertainty, and quantiles of waits: whole numbers in, whole numbers out."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

SMALL_SAMPLE = 30
"""Below so many persons a rate says little: readers see it greyed."""

Z = 1.959964
"""The standard normal quantile of 97.5 %: an interval that holds the true rate 19 times in 20."""


class Interval(NamedTuple):
    """The likely range of a rate, as fractions from 0 to 1; unpacked."""

    low: float
    high: float


def wilson(reached: int, of: int) -> Interval:
    """The 95 % interval of a rate by Wilson's score; from 0 to 1 if ``of`` is 0.

    It stays within 0 and 1 and is sound for few persons (Wilson 1927; Brown, Cai, DasGupta 2001).
    """
    if not of:
        return Interval(0.0, 1.0)
    rate, weight = reached / of, Z * Z / of
    centre = (rate + weight / 2) / (1 + weight)
    half = Z * sqrt(rate * (1 - rate) / of + weight / (4 * of)) / (1 + weight)
    low = 0.0 if not reached else max(0.0, centre - half)  # exactly, whatever floats make of it
    return Interval(low, 1.0 if reached == of else min(1.0, centre + half))


def per_mille(reached: int, of: int) -> int | None:
    """The rate in thousandths, halves rounded up; ``None`` if ``of`` is 0."""
    return (2000 * reached + of) // (2 * of) if of else None


def nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many percent do not exceed; ``None`` of no values."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def mean(values: Iterable[int]) -> int | None:
    """The mean, halves rounded up; ``None`` of no values."""
    all_of = list(values)
    return (2 * sum(all_of) + len(all_of)) // (2 * len(all_of)) if all_of else None
