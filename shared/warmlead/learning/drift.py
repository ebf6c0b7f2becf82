"""Whether leads, or what becomes of them, are no longer those from which a model learned.

The deployed function that reports imports this module: it works without numpy.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

from warmlead.reporting.statistics import Z

LOOKS_A_YEAR = 24
"""Each month both the scores and the outcomes are looked at."""

_FALSE_ALARMS = 0.025
"""The share of years without any change in which a look raises an alarm: it has to stay below one
of twenty, and the tails of few leads are heavier than those of the curves below."""


@dataclass(frozen=True)
class Drift:
    """The population stability index of two counts by band, and the limit for as few leads."""

    value: float
    limit: float
    alarmed: bool


@dataclass(frozen=True)
class OutcomeDrift:
    """What became of a month's leads against what was expected of them.

    ``z`` is the difference in standard errors: positive if more won than expected. ``low`` to
    ``high`` is the 95 % interval of the difference as a share of the leads. ``small``: too few
    leads to raise an alarm.
    """

    z: float
    low: float
    high: float
    small: bool
    alarmed: bool


def band_edges(scores: Iterable[float], bands: int = 5) -> tuple[float, ...]:
    """The lowest scores of all bands but the first: about as many leads in each.

    Leads of one score stay in one band: there are fewer bands where few scores hold most leads.
    """
    counted = sorted(Counter(scores).items())
    left = sum(n for _, n in counted)
    edges: list[float] = []
    inside = 0
    for score, n in counted:
        due = left / (bands - len(edges))
        if inside and len(edges) < bands - 1 and inside + n / 2 > due:
            edges.append(score)
            left, inside = left - inside, 0
        inside += n
    return tuple(edges)


def by_band(scores: Iterable[float], edges: Sequence[float]) -> tuple[int, ...]:
    """How many of the scores lie in each band: one more than there are edges."""
    counted = Counter(bisect_right(edges, score) for score in scores)
    return tuple(counted[band] for band in range(len(edges) + 1))


def psi(before: Sequence[int], now: Sequence[int], *, looks: int = LOOKS_A_YEAR) -> Drift:
    """Compares two counts by band.

    Without any change the index is about (1/n + 1/m) · χ² with one degree of freedom less than
    there are bands (Yurdakul and Naranjo 2020; Potgieter et al., arXiv 2307.11878). Its limit is
    exceeded, without any change, by a look in at most one of twenty years of so many ``looks``.

    Raises:
        ValueError: the bands differ in number.
    """
    if len(before) != len(now):
        raise ValueError("both counts must be of the same bands")
    m, n, bands = sum(before), sum(now), len(before)
    if not m or not n or bands < 2:  # noqa: PLR2004  # one band cannot shift
        return Drift(0.0, 0.0, alarmed=False)
    value = sum(_shift(a, b, m, n, bands) for a, b in zip(before, now, strict=True))
    limit = (1 / m + 1 / n) * chi_square(1 - _false_alarms(looks), bands - 1)
    return Drift(value, limit, alarmed=value > limit)


def in_the_large(
    expected: float,
    variance: float,
    won: int,
    *,
    leads: int,
    learned_from: int | None = None,
    looks: int = LOOKS_A_YEAR,
) -> OutcomeDrift:
    """Compares how many of a month's ripe leads won with how many were expected to.

    ``expected`` is the sum of their probabilities p, ``variance`` that of p · (1 − p).
    ``learned_from`` is the number of leads from which the probabilities were learned: these are
    uncertain too. Less than five expected on either side raise no alarm.
    """
    if not leads or variance <= 0:
        return OutcomeDrift(0.0, -1.0, 1.0, small=True, alarmed=False)
    error = sqrt(variance * (1 + (leads / learned_from if learned_from else 0.0)))
    z = (won - expected) / error
    small = min(expected, leads - expected) < _LEAST_EXPECTED
    bar = NormalDist().inv_cdf(1 - _false_alarms(looks) / 2)
    difference, half = (won - expected) / leads, Z * error / leads
    return OutcomeDrift(
        z, difference - half, difference + half, small, alarmed=not small and abs(z) > bar
    )


_LEAST_EXPECTED = 5
"""Below it the normal curve is no likeness of a count (Cochran 1954)."""


def chi_square(probability: float, freedom: int) -> float:
    """The quantile of χ² by Wilson and Hilferty 1931, within one percent."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + NormalDist().inv_cdf(probability) * sqrt(part)) ** 3


def _shift(before: int, now: int, m: int, n: int, bands: int) -> float:
    """One band's part of the index; half a lead more in each, so that an empty band is finite."""
    was, is_now = (before + 0.5) / (m + bands / 2), (now + 0.5) / (n + bands / 2)
    return (is_now - was) * log(is_now / was)


def _false_alarms(looks: int) -> float:
    """The share of one look, so that all of them together keep the share of a year."""
    return float(1 - (1 - _FALSE_ALARMS) ** (1 / looks))
