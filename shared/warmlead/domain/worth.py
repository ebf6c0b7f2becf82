"""What a tally is worth on any day: the score without the lines that make it.

Comes to what ``evaluate`` comes to, for a tenth of its cost, because points that fade alike are
added up first, once for all days. Refuses to explain: see ``scoring``.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from warmlead.domain.history import Tally
from warmlead.domain.scoring import MICRO, ScoringPolicy, SignalPolicy, last_active_day, rounded

MOST_AGES = 4_000
"""So many ages in days are remembered of a way of fading; hardly any event is older."""


class Worth(NamedTuple):
    """What a score comes to; the fields are those of ``Score``."""

    score: int
    engagement: int
    fit: int
    days_inactive: int | None


class Points:
    """The points of a tally by group, way of fading and day: summed once for all days."""

    def __init__(self, policy: ScoringPolicy, tally: Tally) -> None:
        self._policy = policy
        self._last_active = last_active_day(policy, tally)
        sums: dict[tuple[str | None, float | None, int | None], dict[int, int]] = {}
        for name, days in tally.signals.items():
            signal = policy.signals.get(name)
            if signal is None:
                continue
            group = signal.group if signal.group in policy.groups else None
            kind = (group, signal.half_life_days, signal.expires_after_days)
            of_days = sums.get(kind)
            if of_days is None:
                of_days = sums[kind] = {}
            points, per_day = signal.points, signal.per_day
            for day, count in days.items():
                counted = min(count, per_day)
                of_days[day] = of_days.get(day, 0) + points * counted
        self._by_group: dict[str | None, list[tuple[_Kept, list[tuple[int, int]]]]] = {}
        for (group, *fade), of_days in sums.items():
            parts = self._by_group.setdefault(group, [])
            parts.append((_kept(*fade), list(of_days.items())))
        empty = (limits for name, limits in policy.groups.items() if name not in self._by_group)
        self._of_empty_groups = sum(limits.within(0) for limits in empty)

    def on(self, today: int, fit: int) -> Worth:
        """The worth on a UTC day number, for a lead of so many points for fit."""
        engagement = self._of_empty_groups
        for group, parts in self._by_group.items():
            total = 0
            for kept, of_days in parts:
                total += sum([points * kept[today - day] for day, points in of_days])
            engagement += total if group is None else self._policy.groups[group].within(total)
        last, inactivity = self._last_active, self._policy.inactivity
        idle = None if last is None else max(0, today - last)
        if inactivity and idle is not None:
            engagement = inactivity.left(engagement, inactivity.steps(idle))
        score = max(0, rounded(engagement + fit * MICRO))
        return Worth(score, rounded(engagement), fit, idle)


class _Kept(dict[int, int]):
    """What is left of a point by its age in days, in millionths; of one to come all is left."""

    def __init__(self, keep_micro: Callable[[int], int]) -> None:
        super().__init__()
        self._keep_micro = keep_micro

    def __missing__(self, age_days: int) -> int:
        left = self._keep_micro(max(0, age_days))
        if len(self) < MOST_AGES:
            self[age_days] = left
        return left


@lru_cache(maxsize=256)
def _kept(half_life_days: float | None, expires_after_days: int | None) -> _Kept:
    policy = SignalPolicy(1, half_life_days=half_life_days, expires_after_days=expires_after_days)
    return _Kept(policy.keep_micro)
