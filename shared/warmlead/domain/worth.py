"""What a tally is worth on any day: the score without the lines that make it.

Comes to what ``evaluate`` comes to, for a tenth of its cost, because points that fade alike are
added up first, once for all days. Explaining is in ``scoring``.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from warmlead.domain.history import Tally
from warmlead.domain.scoring import MICRO, ScoringPolicy, SignalPolicy, last_active_day, rounded

DENSE = 4
"""Of points on at least one in so many days every day is added up, which is quicker."""

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
        self._by_group: dict[str | None, list[_Fading]] = {}
        for (group, *fade), of_days in sums.items():
            self._by_group.setdefault(group, []).append(_Fading(_kept(*fade), of_days))
        empty = (limits for name, limits in policy.groups.items() if name not in self._by_group)
        self._of_empty_groups = sum(limits.within(0) for limits in empty)

    def on(self, today: int, fit: int) -> Worth:
        """The worth on a UTC day number, for a lead of so many points for fit."""
        engagement = self._of_empty_groups
        for group, parts in self._by_group.items():
            total = sum([part.left_on(today) for part in parts])
            engagement += total if group is None else self._policy.groups[group].within(total)
        last, inactivity = self._last_active, self._policy.inactivity
        idle = None if last is None else max(0, today - last)
        if inactivity and idle is not None:
            engagement = inactivity.left(engagement, inactivity.steps(idle))
        score = max(0, rounded(engagement + fit * MICRO))
        return Worth(score, rounded(engagement), fit, idle)


class _Fading:
    """Points that fade alike, by day."""

    def __init__(self, kept: "_Kept", of_days: Mapping[int, int]) -> None:
        self._kept = kept
        self._of_days = of_days
        self._first, self._last = min(of_days), max(of_days)
        self._backward: list[int] = []
        if self._last - self._first < DENSE * len(of_days):
            days = range(self._last, self._first - 1, -1)
            self._backward = [of_days.get(day, 0) for day in days]

    def left_on(self, today: int) -> int:
        """What is left of them on a UTC day number, in millionths."""
        youngest, oldest = today - self._last, today - self._first
        if self._backward and youngest >= 0:
            return sum(map(mul, self._backward, self._kept.between(youngest, oldest)))
        of_age = self._kept.of_age
        return sum([points * of_age(today - day) for day, points in self._of_days.items()])


class _Kept:
    """What is left of a point by its age in days, in millionths; of one to come all is left."""

    def __init__(self, keep_micro: Callable[[int], int]) -> None:
        self._keep_micro = keep_micro
        self._by_age: list[int] = []

    def between(self, youngest: int, oldest: int) -> list[int]:
        """What is left at each of some ages."""
        if oldest >= MOST_AGES:
            return [self._keep_micro(age) for age in range(youngest, oldest + 1)]
        while len(self._by_age) <= oldest:
            self._by_age.append(self._keep_micro(len(self._by_age)))
        return self._by_age[youngest : oldest + 1]

    def of_age(self, age_days: int) -> int:
        """What is left at an age."""
        age = max(0, age_days)
        return self.between(age, age)[0]


@lru_cache(maxsize=256)
def _kept(half_life_days: float | None, expires_after_days: int | None) -> _Kept:
    policy = SignalPolicy(1, half_life_days=half_life_days, expires_after_days=expires_after_days)
    return _Kept(policy.keep_micro)
