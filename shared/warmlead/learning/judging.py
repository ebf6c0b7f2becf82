"""How well scores tell winners from others, each figure with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from warmlead.learning.algebra import Indexes, Vector, vector
from warmlead.reporting.statistics import Z, wilson


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval, all from 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AtThreshold:
    """What a bar lets through, of ``leads`` in all.

    ``precision`` is the share of those who passed that won: ``None`` if nobody passed. ``recall``
    is the share of those who won that passed: ``None`` if nobody won.
    """

    bar: float
    leads: int
    passed: int
    won: int
    precision: Estimate | None
    recall: Estimate | None


@dataclass(frozen=True)
class Decile:
    """A tenth of the leads by score, the best first.

    Leads of one score that several tenths share are shared in proportion, so that the order of
    the leads changes nothing: ``won`` may be a fraction. ``lift`` is the rate as a multiple of that
    of all leads.
    """

    highest: float
    lowest: float
    n: int
    won: float
    rate: float
    lift: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Leads with about the same probability: the mean of it, and the rate that became true."""

    low: float
    high: float
    n: int
    won: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True)
class Reliability:
    """Probabilities against rates: the bins that have leads, and the expected calibration error.

    ``ece`` is the mean distance of both over all leads, from 0 to 1.
    """

    bins: tuple[ReliabilityBin, ...]
    ece: float


def share(reached: int, of: int) -> Estimate | None:
    """A rate with Wilson's interval; ``None`` if ``of`` is 0."""
    return Estimate(reached / of, *wilson(reached, of)) if of else None


def auc(scores: ArrayLike, won: ArrayLike) -> Estimate:
    """The chance that a winner has a higher score than another, ties counted half.

    The interval is that of DeLong, DeLong and Clarke-Pearson 1988. Where all pairs are in order
    it would have no width: it is then Wilson's of as many leads as the rarer outcome has.

    Raises:
        ValueError: one of the outcomes is missing.
    """
    wins, others = _placements(scores, won)
    value = float(wins.mean())
    spread = sqrt(_variance(wins) + _variance(others))
    if value in {0.0, 1.0}:
        fewest = min(len(wins), len(others))
        return Estimate(value, *wilson(round(value * fewest), fewest))
    return Estimate(value, max(0.0, value - Z * spread), min(1.0, value + Z * spread))


def auc_gain(scores: ArrayLike, before: ArrayLike, won: ArrayLike) -> Estimate:
    """By how much the AUC of ``scores`` exceeds that of other scores of the same leads.

    From −1 to 1. The interval is DeLong's for scores that go together: much narrower than those of
    both AUCs suggest.

    Raises:
        ValueError: one of the outcomes is missing.
    """
    new, old = _placements(scores, won), _placements(before, won)
    wins, others = new[0] - old[0], new[1] - old[1]
    value, half = float(wins.mean()), Z * sqrt(_variance(wins) + _variance(others))
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half))


def at_threshold(scores: ArrayLike, won: ArrayLike, bar: float) -> AtThreshold:
    """What passes if those are let through whose score is at least the bar."""
    passes, wins = vector(scores) >= bar, vector(won) > 0
    passed, both, all_won = (int(np.count_nonzero(each)) for each in (passes, passes & wins, wins))
    return AtThreshold(bar, len(wins), passed, both, share(both, passed), share(both, all_won))


def lift_by_decile(scores: ArrayLike, won: ArrayLike) -> tuple[Decile, ...]:
    """The leads in tenths by score; fewer of less than ten leads."""
    values, wins = vector(scores), vector(won)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    _, inverse, counts = np.unique(ordered, return_inverse=True, return_counts=True)
    expected = (np.bincount(inverse, wins[order]) / counts)[inverse]
    edges = [round(len(values) * part / 10) for part in range(11)]
    overall = float(wins.mean()) if len(wins) else 0.0
    made = []
    for start, end in pairwise(edges):
        if end > start:
            good = float(expected[start:end].sum())
            rate = good / (end - start)
            lift = rate / overall if overall else 0.0
            top, low = float(ordered[start]), float(ordered[end - 1])
            made.append(Decile(top, low, end - start, good, rate, lift))
    return tuple(made)


def reliability(probabilities: ArrayLike, won: ArrayLike, bins: int = 10) -> Reliability:
    """Compares probabilities with what became true, in bins of equal width."""
    chances, wins = vector(probabilities), vector(won) > 0
    if (chances < 0).any() or (chances > 1).any():
        raise ValueError("a probability is from 0 to 1")
    place = np.minimum((chances * bins).astype(np.intp), bins - 1)
    made = []
    for each in np.unique(place).tolist():
        inside = place == each
        n, good = int(np.count_nonzero(inside)), int(np.count_nonzero(inside & wins))
        observed = Estimate(good / n, *wilson(good, n))
        predicted = float(chances[inside].mean())
        made.append(ReliabilityBin(each / bins, (each + 1) / bins, n, good, predicted, observed))
    off = sum(each.n * abs(each.predicted - each.observed.value) for each in made)
    return Reliability(tuple(made), off / len(chances) if made else 0.0)


def log_loss(probabilities: ArrayLike, won: ArrayLike) -> float:
    """The mean loss in nats; that of a certain error is limited to about 36."""
    chances = np.clip(vector(probabilities), 2.0**-52, 1 - 2.0**-52)
    return float(-np.mean(np.where(vector(won) > 0, np.log(chances), np.log1p(-chances))))


def folds(n: int, k: int, won: ArrayLike, seed: int) -> tuple[tuple[Indexes, Indexes], ...]:
    """Parts the leads into k folds with the same share of winners: for each (train, test)."""
    wins = vector(won) > 0
    if len(wins) != n or not 2 <= k <= n:  # noqa: PLR2004  # a fold and its rest
        raise ValueError("there must be two folds or more, and one outcome for each lead")
    mixed = np.random.default_rng(seed).permutation(n)
    ordered = mixed[np.argsort(~wins[mixed], kind="stable")]
    fold_of = np.empty(n, dtype=np.intp)
    fold_of[ordered] = np.arange(n) % k
    every = range(k)
    return tuple((np.flatnonzero(fold_of != f), np.flatnonzero(fold_of == f)) for f in every)


def newest(known_at: Sequence[datetime], part: float) -> tuple[Indexes, Indexes]:
    """Parts the leads in older ones, and the newest of that share: (train, test).

    Leads of one moment stay together, so that their order changes nothing.

    Raises:
        ValueError: the share is not between 0 and 1, or all leads are of one moment.
    """
    if not 0 < part < 1:
        raise ValueError("the share of the newest leads must be between 0 and 1")
    times = np.array([each.timestamp() for each in known_at])
    moments, first = np.unique(np.sort(times), return_index=True)
    if len(moments) < 2:  # noqa: PLR2004  # older ones and newer ones
        raise ValueError("all leads became known at one moment: there are no later ones")
    nearest = 1 + int(np.argmin(np.abs(first[1:] - len(times) * (1 - part))))
    is_new = times >= moments[nearest]
    return np.flatnonzero(~is_new), np.flatnonzero(is_new)


def _placements(scores: ArrayLike, won: ArrayLike) -> tuple[Vector, Vector]:
    """Of each winner the share of others below it, and of each other that of winners above it."""
    values, wins = vector(scores), vector(won) > 0
    good = int(np.count_nonzero(wins))
    bad = len(wins) - good
    if len(values) != len(wins) or not good or not bad:
        raise ValueError("an AUC needs one outcome for each score, and both outcomes")
    _, place = np.unique(values, return_inverse=True)
    size = int(place.max()) + 1
    won_at = np.bincount(place[wins], minlength=size)
    lost_at = np.bincount(place[~wins], minlength=size)
    below = (np.cumsum(lost_at) - lost_at / 2) / bad
    above = (good - np.cumsum(won_at) + won_at / 2) / good
    return below[place[wins]], above[place[~wins]]


def _variance(placements: Vector) -> float:
    """That of their mean; of one placement nothing is known, so the widest that it may have."""
    n = len(placements)
    return float(placements.var(ddof=1)) / n if n > 1 else 0.25
