"""How many leads are enough to learn from, and what more of them would bring."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from warmlead.domain.errors import WarmleadError
from warmlead.learning.algebra import Matrix, vector
from warmlead.learning.fitting import fit
from warmlead.learning.judging import auc

LEAST_LEADS = 100
LEAST_OF_EACH = 30
LEAST_FOR_BANDS = 200
"""Ripe leads, leads of each outcome, and ripe leads from which bands are made automatically."""

MOST_LABELS = 5
"""How many names of what is not known a refusal has."""

CURVE_SIZES = (50, 100, 200, 400, 800)


class TooFewLeadsError(WarmleadError):
    """There are not enough ripe leads; the message says what is missing.

    ``unknown`` more are left out, whose history does not know what a model counts.
    """

    def __init__(self, message: str, unknown: int = 0) -> None:
        super().__init__(message)
        self.unknown = unknown


@dataclass(frozen=True)
class Enough:
    """Whether points and bands may be suggested, and what is missing for points."""

    points: bool
    bands: bool
    missing: tuple[str, ...]

    def require(self, unknown: int = 0, labels: Iterable[str] = ()) -> None:
        """Raises ``TooFewLeadsError`` if points may not be suggested.

        ``unknown`` more leads are left out, whose history does not know the ``labels`` that a model
        counts.
        """
        if not self.missing:
            return
        missing = list(self.missing)
        if unknown:
            told = sorted(set(labels))
            named = ", ".join(told[:MOST_LABELS]) + (", …" if told[MOST_LABELS:] else "")
            missing.append(
                f"of {unknown} more the history does not know what a model counts ({named})"
            )
        raise TooFewLeadsError("too few leads: " + "; ".join(missing), unknown)


def enough(leads: int, won: int) -> Enough:
    """Whether so many ripe leads, of which so many won, are enough."""
    lost = leads - won
    asked = (
        (leads, LEAST_LEADS, "of {} ripe leads that are needed there are {}"),
        (won, LEAST_OF_EACH, "of {} with the outcome that are needed there are {}"),
        (lost, LEAST_OF_EACH, "of {} without the outcome that are needed there are {}"),
    )
    missing = tuple(text.format(least, there) for there, least, text in asked if there < least)
    return Enough(not missing, not missing and leads >= LEAST_FOR_BANDS, missing)


@dataclass(frozen=True)
class CurvePoint:
    """The AUC that so many leads bring: mean and standard deviation over the draws."""

    leads: int
    auc: float
    deviation: float
    draws: int


def learning_curve(
    x: Matrix,
    won: ArrayLike,
    *,
    strength: float,
    sizes: Iterable[int] = CURVE_SIZES,
    draws: int = 20,
    seed: int = 0,
) -> tuple[CurvePoint, ...]:
    """Learns from some of the leads at a time, and judges by all others.

    Sizes that leave fewer than a fifth of the leads to judge by are left out, and so are draws of
    leads that all have the same outcome.
    """
    wins, chance = vector(won), np.random.default_rng(seed)
    made = []
    for size in sizes:
        if size > len(wins) * 4 // 5:
            continue
        reached = []
        for _ in range(draws):
            mixed = chance.permutation(len(wins))
            train, test = mixed[:size], mixed[size:]
            if 0 < wins[train].sum() < size and 0 < wins[test].sum() < len(test):
                learned = fit(x[train], wins[train], strength=strength)
                reached.append(auc(learned.log_odds(x[test]), wins[test]).value)
        if reached:
            spread = float(np.std(reached))
            made.append(CurvePoint(size, float(np.mean(reached)), spread, len(reached)))
    return tuple(made)
