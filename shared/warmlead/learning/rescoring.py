"""The scores that observed leads would have had under other points, limits and all.

Points change no worth: how often a signal counts and what age has left of it do not depend on
them. So the worths that were observed, the groups, the inactivity, the base and the floor of a
model are its scores, to the point, without a second look at the leads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmlead.domain.scoring import MICRO, GroupPolicy, ScoringPolicy, rounded
from warmlead.learning.evidence import Evidence

Whole = NDArray[np.int64]
"""A whole number for each lead."""


@dataclass(frozen=True, eq=False)
class Rescored:
    """Each lead's score and its two parts; ``unbounded`` is the score without the floor."""

    scores: Whole
    unbounded: Whole
    engagements: Whole
    fits: Whole


def rescored(
    evidence: Evidence,
    policy: ScoringPolicy,
    rules: Mapping[str, int],
    worths: Mapping[str, NDArray[np.generic]],
) -> Rescored:
    """The scores under a policy whose fit rules and bonuses have these points.

    ``rules`` has them by ``fit:NAME`` and ``bonus:NAME``. ``worths`` are those of conditions that
    the observed model did not have; the others are in the evidence.
    """

    def worth(condition: str) -> NDArray[np.float64]:
        given = worths.get(condition)
        return evidence.worth(condition) if given is None else given.astype(np.float64)

    n = len(evidence)
    fits, engagement = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for condition, points in rules.items():
        holds = (worth(condition) > 0).astype(np.int64) * points
        if condition.startswith("fit:"):
            fits += holds
        else:
            engagement += holds * MICRO
    engagement += _of_signals(evidence, policy)
    engagement = _after_inactivity(evidence, policy, engagement)
    unbounded = rounded_all(engagement + (fits + policy.base) * MICRO)
    scores = unbounded if policy.floor is None else np.maximum(unbounded, policy.floor)
    return Rescored(scores, unbounded, rounded_all(engagement), fits)


def rounded_all(micro: Whole) -> Whole:
    """Whole points, halves up, as the domain's ``rounded`` makes them of one."""
    return rounded(micro)  # type: ignore[arg-type,return-value]  # sums and shifts are the same


def _of_signals(evidence: Evidence, policy: ScoringPolicy) -> Whole:
    """The points of signals within the limits of their groups, in millionths."""
    n = len(evidence)
    by_group: dict[str | None, Whole] = {}
    for name, signal in policy.signals.items():
        kept = np.rint(evidence.worth(f"signal:{name}") * MICRO).astype(np.int64)
        group = signal.group if signal.group in policy.groups else None
        by_group[group] = by_group.get(group, np.zeros(n, dtype=np.int64)) + kept * signal.points
    total = np.zeros(n, dtype=np.int64)
    for group, points in by_group.items():
        total += points if group is None else _within(policy.groups[group], points)
    return total


def _within(limits: GroupPolicy, points: Whole) -> Whole:
    """The sums of a group, or its limits where they pass them."""
    least = None if limits.minimum is None else limits.minimum * MICRO
    most = None if limits.maximum is None else limits.maximum * MICRO
    return points if least is None and most is None else np.clip(points, least, most)


def _after_inactivity(evidence: Evidence, policy: ScoringPolicy, micro: Whole) -> Whole:
    """What is left of the engagement of each lead after its days without activity."""
    if policy.inactivity is None:
        return micro
    left, idle = micro.copy(), evidence.whole(evidence.idle)
    for days in np.unique(idle[idle >= 0]).tolist():
        if steps := policy.inactivity.steps(days):
            rows = idle == days
            left[rows] = rounded_all(micro[rows] * policy.inactivity.keep_micro(steps))
    return left
