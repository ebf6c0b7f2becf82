"""How strongly weights are held back, and towards what: chosen by leads that were held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from warmlead.learning.algebra import Matrix, Vector, surprise, totals, vector
from warmlead.learning.fitting import Fit, Patterns, fit, grouped
from warmlead.learning.judging import folds as parted

STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3)
"""Strong ones first: each fit starts from the one before. Strength is the inverse variance of
weights, so that the same one is right for some of the leads and for all."""

_MOST_LEADS = 10_000
"""Leads by which the strength is chosen: more of them no longer move the choice."""


@dataclass(frozen=True)
class Tried:
    """One penalty, and the mean loss of the held-out leads in nats.

    ``behind`` is by how much that exceeds the least mean loss, and ``error`` the standard error of
    that difference, lead by lead.
    """

    strength: float
    anchored: bool
    loss: float
    behind: float
    error: float


@dataclass(frozen=True)
class Penalty:
    """The penalty that was chosen, as ``fit`` takes it, and all that were tried.

    ``towards`` are the author's points as log-odds if it is anchored to them, else ``None``.
    """

    strength: float
    anchored: bool
    towards: tuple[float, ...] | None
    tried: tuple[Tried, ...]


def author_weights(x: Matrix, won: ArrayLike, points: Sequence[float]) -> Vector:
    """The author's points as log-odds: with the one scale that fits the outcomes best.

    All 0 where fewer win the more points they have: points that point the wrong way are no anchor.
    """
    known = grouped(x, won)
    return _scaled(known, known.leads, known.won, vector(points))


def choose(
    x: Matrix,
    won: ArrayLike,
    *,
    author: Sequence[float] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 5,
    seed: int = 0,
) -> Penalty:
    """Chooses the strongest penalty that the best one does not surpass for certain.

    Each penalty, towards 0 and towards the author's points, is judged by the log-loss of leads that
    were held out. Of those whose loss exceeds the least by no more than one standard error, the
    strongest is taken, and of two the anchored one: what the data cannot tell stays as the author
    had it (the rule of one standard error: Breiman et al. 1984; here with the error of the
    difference, because all penalties see the same leads).

    Raises:
        ValueError: as ``fit``, or an outcome has fewer leads than there are folds.
    """
    wins = vector(won)
    if min(wins.sum(), len(wins) - wins.sum()) < folds:
        raise ValueError("each fold needs leads of both outcomes")
    points = None if author is None else vector(author)
    anchors = (False,) if points is None else (True, False)
    penalties = [(strength, anchored) for anchored in anchors for strength in strengths]
    some = np.random.default_rng(seed).permutation(len(wins))[:_MOST_LEADS]
    losses = _held_out_losses(grouped(x[some], wins[some]), wins[some], points, penalties, folds)
    best = int(np.argmin(losses.mean(axis=1)))
    tried = [
        _tried(*penalty, row, losses[best]) for penalty, row in zip(penalties, losses, strict=True)
    ]
    near = [each for each in tried if each.behind <= each.error]
    chosen = max(near, key=lambda each: (each.strength, each.anchored))
    towards = None
    if chosen.anchored and points is not None:
        towards = tuple(author_weights(x, wins, points.tolist()).tolist())
    return Penalty(chosen.strength, chosen.anchored, towards, tuple(tried))


def _tried(strength: float, anchored: bool, losses: Vector, best: Vector) -> Tried:
    more = losses - best
    error = float(more.std()) / sqrt(len(more))
    return Tried(strength, anchored, float(losses.mean()), float(more.mean()), error)


def _held_out_losses(
    known: Patterns,
    won: Vector,
    points: Vector | None,
    penalties: Sequence[tuple[float, bool]],
    folds: int,
) -> Matrix:
    """The loss of each lead, one row a penalty, under fits that have not seen the lead.

    Rows of the matrix are not copied: a fold's leads weigh nothing while it is held out.
    """
    losses = np.empty((len(penalties), len(won)))
    size = len(known.leads)
    for train, test in parted(len(won), folds, won, seed=0):
        leads = np.bincount(known.row_of[train], minlength=size).astype(np.float64)
        wins = vector(np.bincount(known.row_of[train], won[train], minlength=size))
        anchor = None if points is None else _scaled(known, leads, wins, points)
        rows, signs = known.row_of[test], np.where(won[test] > 0, 1.0, -1.0)
        last: Fit | None = None
        for place, (strength, anchored) in enumerate(penalties):
            towards = anchor if anchored else None
            last = fit(known.x, wins, strength=strength, towards=towards, weights=leads, start=last)
            losses[place, test] = surprise(signs * last.log_odds(known.x)[rows])
    return losses


def _scaled(known: Patterns, leads: Vector, won: Vector, points: Vector) -> Vector:
    """The points times the slope of a line over their sum."""
    total = totals(known.x, points)[:, None]
    line = fit(total, won, strength=1e-6, weights=leads)
    return points * max(0.0, line.weights[0])
