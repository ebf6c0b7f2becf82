"""Which candidate conditions are worth a line in a model: those that help with held-out leads."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from warmlead.learning.algebra import Indexes, Vector, surprise
from warmlead.learning.candidates import Candidate
from warmlead.learning.fitting import Fit, fit
from warmlead.learning.judging import folds

MOST_ADDED = 15
"""Conditions that are proposed at most: a person reads each of them."""

MOST_LEADS = 20_000
"""Leads by which candidates are compared; more of them no longer move the choice."""

FOLDS = 4

_CERTAIN = 2.0
"""Standard errors by which the loss has to fall."""

_ALIKE = 0.97
"""The correlation from which on two conditions say the same."""

_MOST_FAILURES = 8
"""After so many candidates in a row that do not help, the rest are not tried."""

Columns = NDArray[np.float32]
"""One row for each lead, one column for each condition."""


def selected(
    own: Columns, won: Vector, candidates: Sequence[Candidate], rows: Indexes, strength: float
) -> list[Candidate]:
    """The candidates that lower the log-loss of held-out leads, by gain, at most ``MOST_ADDED``.

    One at a time, the one of which a fit of the others promises most. It stays if the loss of
    leads that were held out falls for certain, by two standard errors: of many candidates some
    would help by chance. ``own`` are the model's conditions for these ``rows``.
    """
    some = np.random.default_rng(0).permutation(len(rows))[:MOST_LEADS]
    choosing = _Choosing(own[some], won[some], strength)
    holds = {each.key: each.holds[rows][some] for each in candidates}
    waiting = {each.key: each for each in candidates if choosing.is_new(holds[each.key])}
    chosen, failures = list[Candidate](), 0
    while waiting and len(chosen) < MOST_ADDED and failures < _MOST_FAILURES:
        gains = {key: choosing.promised(holds[key]) for key in waiting}
        best = max(gains, key=lambda key: (gains[key], key))
        candidate = waiting.pop(best)
        if choosing.takes(holds[best]):
            chosen.append(candidate)
            waiting = {key: each for key, each in waiting.items() if choosing.is_new(holds[key])}
            failures = 0
        else:
            failures += 1
    return chosen


class _Choosing:
    """The conditions that were chosen until now, and the loss of each lead while held out."""

    def __init__(self, own: Columns, won: Vector, strength: float) -> None:
        self._x, self._won, self._strength = own, won, strength
        self._parts = folds(len(won), FOLDS, won, seed=0)
        self._losses, self._fits = self._held_out(own, [None] * FOLDS)
        self._look()

    def is_new(self, holds: NDArray[np.bool_]) -> bool:
        """Whether no condition says the same of the leads, or the contrary."""
        return not (np.abs(self._likeness(holds)) > _ALIKE).any()

    def promised(self, holds: NDArray[np.bool_]) -> float:
        """By how much a condition would lower the loss, by one step of its score."""
        slope, bend = float(self._off[holds].sum()), float(self._bend[holds].sum())
        bend -= bend * bend / self._all_bend
        return slope * slope / (2 * (bend + self._strength))

    def takes(self, holds: NDArray[np.bool_]) -> bool:
        """Adds the condition if held-out leads are the better for it."""
        x = np.column_stack([self._x, holds.astype(np.float32)])
        losses, fits = self._held_out(x, self._fits)
        better = self._losses - losses
        if float(better.mean()) <= _CERTAIN * float(better.std()) / sqrt(len(better)):
            return False
        self._x, self._losses, self._fits = x, losses, fits
        self._look()
        return True

    def _held_out(self, x: Columns, near: Sequence[Fit | None]) -> tuple[Vector, list[Fit]]:
        """The loss of each lead under a fit that has not seen it, and the fits."""
        losses, fits = np.empty(len(x)), list[Fit]()
        for (train, test), start in zip(self._parts, near, strict=True):
            begin = None if start is None else replace(start, weights=(*start.weights, 0.0))
            fits.append(fit(x[train], self._won[train], strength=self._strength, start=begin))
            signs = np.where(self._won[test] > 0, 1.0, -1.0)
            losses[test] = surprise(signs * fits[-1].log_odds(x[test]))
        return losses, fits

    def _look(self) -> None:
        """What the conditions leave unexplained, and what each column looks like."""
        chances = np.empty(len(self._won))
        for (_, test), one in zip(self._parts, self._fits, strict=True):
            chances[test] = one.probabilities(self._x[test])
        self._off, self._bend = self._won - chances, chances * (1 - chances)
        self._all_bend = float(self._bend.sum())
        middle = self._x - self._x.mean(axis=0)
        self._shapes = middle / np.maximum(np.sqrt((middle**2).sum(axis=0)), 1e-9)

    def _likeness(self, holds: NDArray[np.bool_]) -> Vector:
        """The correlation with each column."""
        flags = holds - holds.mean()
        length = max(float(np.sqrt((flags**2).sum())), 1e-9)
        return np.asarray(flags.astype(np.float32) @ self._shapes / length, dtype=np.float64)
