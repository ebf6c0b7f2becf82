"""How good new points are, by later leads that had no part in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from warmlead.learning.algebra import Indexes, Vector, totals
from warmlead.learning.evidence import Evidence
from warmlead.learning.fitting import fit
from warmlead.learning.judging import (
    AtThreshold,
    Decile,
    Estimate,
    Reliability,
    at_threshold,
    auc,
    auc_gain,
    folds,
    lift_by_decile,
    reliability,
)
from warmlead.learning.probability import Platt, platt
from warmlead.learning.rescoring import Rescored
from warmlead.learning.restating import PointBar
from warmlead.learning.scorecard import rounded
from warmlead.learning.weighing import LearnedPoints, PointLimits

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Steps:
    """The AUC after each step from weights to scores, on the later leads.

    ``weights`` are exact. ``points`` are rounded and cut to their groups, and all that a condition
    was learned for. ``limited`` has the limits of groups, inactivity, and the conditions that kept
    the author's points; ``scores`` the floor too.
    """

    weights: float
    points: float
    limited: float
    scores: float


@dataclass(frozen=True, slots=True)
class Folded:
    """The mean AUC of five folds over all leads, by exact weights and by rounded points.

    ``ece`` is the mean distance of probability and rate, from 0 to 1.
    """

    weights: float
    points: float
    ece: float


@dataclass(frozen=True, slots=True)
class BarProof:
    """What the bar of a stage lets through of the later leads, before and after."""

    stage: str
    before: AtThreshold
    after: AtThreshold
    before_a_week: float
    after_a_week: float


@dataclass(frozen=True, eq=False)
class LaterProof:
    """AUCs, precision and lift of the later leads, before and after; and the probability.

    ``probability`` was learned from the older leads' new scores, and ``reliability`` is that of
    the later ones.
    """

    before: Estimate
    after: Estimate
    gain: Estimate
    steps: Steps
    folded: Folded
    at_bar: BarProof | None
    deciles: tuple[tuple[Decile, ...], tuple[Decile, ...]]
    probability: Platt
    reliability: Reliability


@dataclass(frozen=True, eq=False)
class Parted:
    """The leads that were learned from, and those that came later."""

    older: Indexes
    newer: Indexes
    newer_from: datetime


def proof_of(
    evidence: Evidence,
    learned: LearnedPoints,
    parts: Parted,
    scores: tuple[Rescored, Rescored],
    *,
    limits: PointLimits,
    bars: Sequence[PointBar],
) -> LaterProof:
    """Judges the scores before and after on the later leads."""
    won, newer = evidence.outcomes, parts.newer
    before, after = (each.scores[newer] for each in scores)
    wins = won[newer]
    line = platt(scores[1].scores[parts.older].tolist(), won[parts.older].tolist())
    chances = np.array([line.of(score) for score in after.tolist()])
    return LaterProof(
        before=auc(before, wins),
        after=auc(after, wins),
        gain=auc_gain(after, before, wins),
        steps=_steps(evidence, learned, newer, scores[1]),
        folded=folded(learned.all_columns(evidence), won, learned, limits),
        at_bar=_at_bar(bars, (before, after), wins, evidence.weeks(newer)),
        deciles=(lift_by_decile(before, wins), lift_by_decile(after, wins)),
        probability=line,
        reliability=reliability(chances, wins),
    )


def _steps(evidence: Evidence, learned: LearnedPoints, newer: Indexes, after: Rescored) -> Steps:
    x, wins = learned.all_columns(evidence)[newer], evidence.outcomes[newer]
    points = np.array([float(learned.points.get(key, 0)) for key in learned.keys])
    return Steps(
        weights=auc(learned.learned.log_odds(x), wins).value,
        points=auc(totals(x, points), wins).value,
        limited=auc(after.unbounded[newer], wins).value,
        scores=auc(after.scores[newer], wins).value,
    )


def folded(
    x: NDArray[np.float32], won: Vector, learned: LearnedPoints, limits: PointLimits
) -> Folded:
    """Learns from four fifths of all leads at a time, and judges by the rest."""
    found = []
    for train, test in folds(len(won), FOLDS, won, seed=0):
        one = fit(
            x[train],
            won[train],
            strength=learned.learned.strength,
            towards=learned.learned.towards,
            start=learned.learned,
        )
        card = rounded(one, x[train], won[train], most=limits.most, step=limits.step)
        scores, wins = card.score(x[test]), won[test]
        line = platt(card.score(x[train]).tolist(), won[train].tolist())
        chances = np.array([line.of(score) for score in scores.tolist()])
        found.append(
            (
                auc(one.log_odds(x[test]), wins).value,
                auc(scores, wins).value,
                reliability(chances, wins).ece,
            )
        )
    return Folded(*np.mean(found, axis=0).tolist())


def _at_bar(
    bars: Sequence[PointBar],
    scores: tuple[NDArray[np.int64], NDArray[np.int64]],
    won: Vector,
    weeks: float,
) -> BarProof | None:
    """What the first bar of a stage lets through."""
    for bar in bars:
        if bar.what == "score" and bar.path[0] == "stages" and bar.path[-1] == "enter":
            one, two = (
                at_threshold(each, won, least)
                for each, least in zip(scores, bar.least, strict=True)
            )
            return BarProof(str(bar.path[1]), one, two, one.passed / weeks, two.passed / weeks)
    return None
