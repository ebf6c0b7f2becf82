"""Points for each condition of a model, learned from the outcomes of the older leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warmlead.domain.scoring import ScoringPolicy
from warmlead.learning.algebra import Indexes, Vector
from warmlead.learning.anchoring import Penalty, choose
from warmlead.learning.candidates import Candidate
from warmlead.learning.evidence import Evidence
from warmlead.learning.fitting import Fit, fit
from warmlead.learning.leaks import Leak, leak_of_condition
from warmlead.learning.scorecard import rounded
from warmlead.learning.selecting import Columns, selected
from warmlead.model.schema import ModelFile
from warmlead.reporting.statistics import Z

LEAST_TO_LEARN = 10
"""A condition that held for fewer leads keeps the points that its author gave it."""

Points = Mapping[str, int]
"""The points of conditions, by ``signal:NAME``, ``fit:NAME``, ``bonus:NAME``."""


@dataclass(frozen=True, eq=False)
class LearnedPoints:
    """What was learned: the fit over ``keys``, and the points that are made of it.

    ``suggested`` are the candidates among the keys, ``added`` those of them with points.
    ``scale`` is how many points one of log-odds is worth. ``capped`` were cut to what their group
    allows. ``few``, what is ``alike`` in nearly all leads, and ``leaks`` keep the author's points.
    """

    keys: tuple[str, ...]
    learned: Fit
    penalty: Penalty
    points: Points
    scale: float
    added: tuple[Candidate, ...]
    few: frozenset[str]
    alike: frozenset[str]
    leaks: tuple[Leak, ...]
    capped: frozenset[str]
    suggested: Mapping[str, Candidate]

    def all_columns(self, evidence: Evidence) -> Columns:
        """The matrix of the fit for all leads, of which only some were learned from."""
        columns = [
            self.suggested[key].holds if key in self.suggested else evidence.worth(key)
            for key in self.keys
        ]
        return _stacked(columns, len(evidence))


SECTIONS: Mapping[str, str] = {"signal": "signals", "bonus": "bonuses", "fit": "fit"}
"""The section of the model file for each kind of condition."""


def points_of(file: ModelFile) -> dict[str, int]:
    """The author's points, in the order of the file."""
    return {
        **{f"signal:{name}": signal.points for name, signal in file.signals.items()},
        **{f"bonus:{name}": bonus.points for name, bonus in file.bonuses.items()},
        **{f"fit:{name}": rule.points for name, rule in file.fit.items()},
    }


@dataclass(frozen=True, slots=True)
class PointLimits:
    """How points are written: none beyond ``most``, and multiples of ``step``."""

    most: int
    step: int = 1


def weighed(
    file: ModelFile,
    policy: ScoringPolicy,
    evidence: Evidence,
    rows: Indexes,
    *,
    candidates: Sequence[Candidate],
    limits: PointLimits,
) -> LearnedPoints:
    """Learns from the leads of these rows; raises ``ValueError`` if all had one outcome."""
    author, won = points_of(file), evidence.outcomes[rows]
    worths = {key: evidence.worth(key)[rows] for key in author}
    few = frozenset(k for k, worth in worths.items() if np.count_nonzero(worth) < LEAST_TO_LEARN)
    alike = frozenset(k for k, worth in worths.items() if k not in few and _is_alike(worth))
    told = [
        leak
        for k, worth in worths.items()
        if k not in few | alike and (leak := leak_of_condition(k, worth, won))
    ]
    refused = {leak.name for leak in told if leak.is_refused}
    keys = [key for key in author if key not in few | alike | refused]
    own = _stacked([worths[key] for key in keys], len(rows))
    penalty = choose(own, won, author=[author[key] for key in keys])
    added = selected(own, won, candidates, rows, penalty.strength) if candidates else []
    learned, added = _learned(own, won, added, rows, penalty)
    columns = _with(own, added, rows)
    card = rounded(learned, columns, won, most=limits.most, step=limits.step)
    named = [*keys, *(each.key for each in added)]
    made = dict(zip(named, card.points, strict=True))
    capped = _within_groups(policy, made, limits.step)
    return LearnedPoints(
        keys=tuple(named),
        learned=learned,
        penalty=penalty,
        points={
            **author,
            **{key: points for key, points in capped.items() if points or key in author},
        },
        scale=card.scale,
        added=tuple(each for each in added if capped[each.key]),
        few=few,
        alike=alike,
        leaks=tuple(told),
        capped=frozenset(key for key in made if made[key] != capped[key]),
        suggested={each.key: each for each in added},
    )


def _is_alike(worth: Vector) -> bool:
    """Whether nearly all leads have the same of a condition, so that nothing can be learned."""
    most = np.unique(worth, return_counts=True)[1].max()
    return bool(len(worth) - most < LEAST_TO_LEARN)


def _stacked(columns: Sequence[NDArray[np.generic]], rows: int) -> Columns:
    made = np.empty((rows, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        made[:, place] = column
    return made


def _with(own: Columns, added: Sequence[Candidate], rows: Indexes) -> Columns:
    more = [each.holds[rows].astype(np.float32)[:, None] for each in added]
    return np.hstack([own, *more]) if more else own


def _learned(
    own: Columns, won: Vector, added: Sequence[Candidate], rows: Indexes, penalty: Penalty
) -> tuple[Fit, list[Candidate]]:
    """The fit, and the candidates that stay; the least certain goes first, and all is learned anew.

    One goes whose interval holds 0, or a step of a number that goes against the other steps:
    chances of a number only rise, or only fall.
    """
    left = list(added)
    while True:
        towards = None if penalty.towards is None else (*penalty.towards, *(0.0 for _ in left))
        x = _with(own, left, rows)
        learned = fit(x, won, strength=penalty.strength, towards=towards)
        certain = [
            weight / error for weight, error in zip(learned.weights, learned.errors, strict=True)
        ][own.shape[1] :]
        gone = [
            (abs(sure), each.key, each)
            for each, sure in zip(left, certain, strict=True)
            if abs(sure) <= Z or (each.rising is not None and (sure > 0) is not each.rising)
        ]
        if not gone:
            return learned, left
        left.remove(min(gone, key=lambda one: one[:2])[2])


def _within_groups(policy: ScoringPolicy, points: Points, step: int) -> dict[str, int]:
    """The points, so that no single day of a signal is worth more than its group allows."""
    made = dict(points)
    for name, signal in policy.signals.items():
        key, group = f"signal:{name}", policy.groups.get(signal.group or "")
        if key not in made or group is None:
            continue
        daily = min(signal.per_day, signal.max_count or signal.per_day)
        if group.maximum is not None and made[key] * daily > group.maximum:
            made[key] = group.maximum // daily // step * step
        if group.minimum is not None and made[key] * daily < group.minimum:
            made[key] = -(-group.minimum // daily // step * step)
    return made


def policy_with(policy: ScoringPolicy, points: Points, base: int) -> ScoringPolicy:
    """The scoring policy with other points and another base; limits and decay are the author's."""
    signals = {
        name: replace(signal, points=points[f"signal:{name}"])
        for name, signal in policy.signals.items()
    }
    return replace(policy, signals=signals, base=base)
