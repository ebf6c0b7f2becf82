"""The score: the points of a history and traits under a model on a day, line by line."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from operator import mul

from msgspec import Struct, structs

from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS
from warmlead.domain.history import DayCounts, Tally, to_date

MICRO = 1_000_000
"""Millionths of a point in a point."""

_NOT_THEIRS = SALES_EVENTS | frozenset(AUTOMATED_EVENTS.values())


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """The points of a signal: ``points`` an event, for at most ``per_day`` events a UTC day (1–20).

    Of all days the latest ``max_count`` events count. The points decay by half every
    ``half_life_days``, or end at the age of ``expires_after_days``, or never change if both are
    ``None``.
    """

    points: int
    per_day: int = 20
    half_life_days: float | None = None
    expires_after_days: int | None = None
    group: str | None = None
    max_count: int | None = None

    def counted(self, days: DayCounts) -> DayCounts:
        """How many events of each day count."""
        per_day = self.per_day
        within = {
            day: count if count < per_day else per_day  # noqa: FURB136  # min takes twice as long
            for day, count in days.items()
        }
        if self.max_count is None:
            return within
        left, latest = self.max_count, dict[int, int]()
        for day in sorted(within, reverse=True):
            latest[day] = min(left, within[day])
            left -= latest[day]
        return latest

    def keep_micro(self, age_days: int) -> int:
        """What is left of a point at an age of whole days, in millionths."""
        if self.half_life_days is not None:
            return _faded(age_days, self.half_life_days)
        if self.expires_after_days is not None and age_days >= self.expires_after_days:
            return 0
        return MICRO


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """The least and the most, in points, that the signals of a group may add up to."""

    minimum: int | None = None
    maximum: int | None = None

    def within(self, micro: int) -> int:
        """A sum, in millionths, or the limit that it passes."""
        if self.minimum is not None and micro < (least := self.minimum * MICRO):
            micro = least
        if self.maximum is not None and micro > (most := self.maximum * MICRO):
            micro = most
        return micro


@dataclass(frozen=True, slots=True)
class InactivityPolicy:
    """After ``after_days`` without activity engagement loses a share, and again at intervals.

    ``lose_ppm`` is the share lost in a step, in millionths (10 % is 100,000).
    """

    after_days: int
    lose_ppm: int
    every_days: int

    def steps(self, days_inactive: int) -> int:
        """How many steps have been taken: the first on the day ``after_days``."""
        over = days_inactive - self.after_days
        return 0 if over < 0 else 1 + over // self.every_days

    def keep_micro(self, steps: int) -> int:
        """What is left of a point after a number of steps, in millionths."""
        return _micro(math.pow(1 - self.lose_ppm / MICRO, steps))

    def left(self, micro: int, steps: int) -> int:
        """What is left of engagement, in millionths, after a number of steps."""
        return rounded(micro * self.keep_micro(steps)) if steps else micro


class Grade(Struct, frozen=True):
    """A letter for leads who fit about as well: from ``least`` points for fit on."""

    name: str
    least: int


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """Everything that turns counts into points. ``passive`` events are not the lead's activity.

    Every lead has the ``base`` points. No score is below ``floor``; ``None``: it may be. The best
    of the ``grades`` comes first.
    """

    signals: Mapping[str, SignalPolicy]
    groups: Mapping[str, GroupPolicy]
    inactivity: InactivityPolicy | None = None
    passive: frozenset[str] = frozenset()
    base: int = 0
    floor: int | None = 0
    grades: tuple[Grade, ...] = ()

    def grade_of(self, fit: int) -> str:
        """The best grade that these points for fit reach, or else the last; empty without any."""
        if not self.grades:
            return ""
        reached = (grade.name for grade in self.grades if fit >= grade.least)
        return next(reached, self.grades[-1].name)

    def bounded(self, score: int) -> int:
        """A score, or the floor if that is higher."""
        return score if self.floor is None else max(self.floor, score)


@dataclass(frozen=True, slots=True)
class FitPoints:
    """A fit rule that holds for the lead."""

    name: str
    points: int


@dataclass(frozen=True, slots=True)
class BonusPoints:
    """A bonus whose condition holds for the lead: a part of its engagement."""

    name: str
    points: int


class Part(StrEnum):
    """The kind of a contribution: points for behavior, points for fit, or the effect of a limit."""

    BASE = "base"
    SIGNAL = "signal"
    BONUS = "bonus"
    FIT = "fit"
    GROUP_LIMIT = "group_limit"
    INACTIVITY = "inactivity"
    FLOOR = "floor"


class Contribution(Struct, frozen=True):
    """One line of the sum that is the score.

    ``points`` are whole and add up to the score; ``exact_micro`` is the same unrounded, in
    millionths. For a signal: ``count`` events happened, worth ``raw_points`` in full;
    ``per_day_took_micro``, ``max_count_took_micro`` and ``decay_took_micro`` say what the daily
    limit, the limit in all and age took.
    """

    part: Part
    name: str
    exact_micro: int
    points: int = 0
    count: int = 0
    raw_points: int = 0
    per_day_took_micro: int = 0
    decay_took_micro: int = 0
    group: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    steps: int = 0
    max_count_took_micro: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """A score with everything that made it. ``engagement`` and ``fit`` are rounded for people."""

    score: int
    engagement: int
    fit: int
    days_inactive: int | None
    contributions: tuple[Contribution, ...]


def score_of(
    policy: ScoringPolicy,
    tally: Tally,
    fit: Sequence[FitPoints],
    today: int,
    bonuses: Sequence[BonusPoints] = (),
) -> Score:
    """The score on the UTC day number ``today``; pure and independent of any order."""
    lines = [
        line
        for name, signal in sorted(policy.signals.items())
        if (days := tally.signals.get(name)) and (line := _signal(name, signal, days, today))
    ]
    limits = _group_limits(policy, lines)
    extra = [_rule(Part.BONUS, rule) for rule in sorted(bonuses, key=lambda rule: rule.name)]
    engagement = sum(line.exact_micro for line in (*lines, *limits, *extra))
    idle = days_inactive(policy, tally, today)
    faded = _inactivity(policy, engagement, idle)
    engagement += faded.exact_micro if faded else 0
    being = [_rule(Part.FIT, rule) for rule in sorted(fit, key=lambda rule: rule.name)]
    fit_points = sum(rule.points for rule in fit)
    exact = engagement + (fit_points + policy.base) * MICRO
    base = [_rule(Part.BASE, FitPoints("base", policy.base))] if policy.base else []
    contributions = [*base, *lines, *limits, *extra, *([faded] if faded else []), *being]
    floor = policy.floor
    if floor is not None and exact < floor * MICRO:
        raised = floor * MICRO - exact
        contributions.append(Contribution(Part.FLOOR, "floor", raised, raw_points=floor))
    score = policy.bounded(rounded(exact))
    return Score(
        score, rounded(engagement), fit_points, idle, _in_whole_points(contributions, score)
    )


def days_inactive(policy: ScoringPolicy, tally: Tally, today: int) -> int | None:
    """Whole UTC days since the lead last did something; ``None`` if it never did."""
    last = last_active_day(policy, tally)
    return None if last is None else max(0, today - last)


def last_active_day(policy: ScoringPolicy, tally: Tally) -> int | None:
    """The UTC day number on which the lead last did something; ``None`` if it never did."""
    active = (
        day
        for name, day in tally.last_day.items()
        if name not in policy.passive and name not in _NOT_THEIRS
    )
    return max(active, default=None)


def _rule(part: Part, rule: FitPoints | BonusPoints) -> Contribution:
    return Contribution(part, rule.name, rule.points * MICRO, raw_points=rule.points)


def _signal(name: str, policy: SignalPolicy, days: DayCounts, today: int) -> Contribution | None:
    count = sum(days.values())
    if not count:
        return None
    counts = policy.counted(days)
    counted = sum(counts.values())
    exact = policy.points * sum(
        number * policy.keep_micro(max(0, today - day)) for day, number in counts.items()
    )
    within = sum(min(happened, policy.per_day) for happened in days.values())
    return Contribution(
        part=Part.SIGNAL,
        name=name,
        exact_micro=exact,
        count=count,
        raw_points=policy.points * count,
        per_day_took_micro=policy.points * (count - within) * MICRO,
        max_count_took_micro=policy.points * (within - counted) * MICRO,
        decay_took_micro=policy.points * counted * MICRO - exact,
        group=policy.group,
        first_day=to_date(min(days)),
        last_day=to_date(max(days)),
    )


def _group_limits(policy: ScoringPolicy, lines: Sequence[Contribution]) -> list[Contribution]:
    limits = []
    for name, group in sorted(policy.groups.items()):
        total = sum(line.exact_micro for line in lines if line.group == name)
        if took := group.within(total) - total:
            limits.append(Contribution(Part.GROUP_LIMIT, name, took, group=name))
    return limits


def _inactivity(policy: ScoringPolicy, engagement: int, idle: int | None) -> Contribution | None:
    if policy.inactivity is None or idle is None or not engagement:
        return None
    steps = policy.inactivity.steps(idle)
    if not steps:
        return None
    left = policy.inactivity.left(engagement, steps)
    return Contribution(Part.INACTIVITY, "inactivity", left - engagement, steps=steps)


@lru_cache(maxsize=10_000)
def _faded(age_days: int, half_life_days: float) -> int:
    return _micro(math.exp2(-age_days / half_life_days))


def _micro(share: float) -> int:
    """A share in millionths; halves go up here too, where ``round`` would go to the even."""
    return math.floor(share * MICRO + 0.5)


def rounded(micro: int) -> int:
    """Whole points; halves go up, so that score is always engagement plus fit as shown."""
    return (micro + MICRO // 2) // MICRO


def _in_whole_points(lines: Sequence[Contribution], score: int) -> tuple[Contribution, ...]:
    """The lines with whole points that add up to the score, each within a point of its exact value.

    The method of largest remainders, as seats are shared out; ties go to the earlier line.
    """
    whole = [line.exact_micro // MICRO for line in lines]
    by_remainder = sorted(range(len(lines)), key=lambda i: -(lines[i].exact_micro % MICRO))
    for i in by_remainder[: score - sum(whole)]:
        whole[i] += 1
    return tuple(
        structs.replace(line, points=points) for line, points in zip(lines, whole, strict=True)
    )


DENSE = 4
"""If there are points on one day in four or more, adding up every day is quicker."""

MOST_AGES = 4_000
"""Number of ages in days that are cached for each decay; hardly any event is older."""


class ScoreTotals(Struct, frozen=True):
    """A score without its contributions; the fields are those of ``Score``."""

    score: int
    engagement: int
    fit: int
    days_inactive: int | None


class ScoreByDay:
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
            points = signal.points
            for day, count in signal.counted(days).items():
                of_days[day] = of_days.get(day, 0) + points * count
        self._by_group: dict[str | None, list[_Fading]] = {}
        for (group, *fade), of_days in sums.items():
            self._by_group.setdefault(group, []).append(_Fading(_kept(*fade), of_days))
        empty = (limits for name, limits in policy.groups.items() if name not in self._by_group)
        self._of_empty_groups = sum(limits.within(0) for limits in empty)

    def days_inactive(self, today: int) -> int | None:
        """Whole UTC days on a day number since the lead last did something."""
        last = self._last_active
        return None if last is None else max(0, today - last)

    def on(self, today: int, fit: int, bonus: int = 0) -> ScoreTotals:
        """The score on a UTC day number, for a lead with these points for fit and bonuses."""
        engagement = self._of_empty_groups + bonus * MICRO
        for group, parts in self._by_group.items():
            total = 0
            for part in parts:
                total += part.left_on(today)
            engagement += total if group is None else self._policy.groups[group].within(total)
        idle, inactivity = self.days_inactive(today), self._policy.inactivity
        if inactivity and idle is not None:
            engagement = inactivity.left(engagement, inactivity.steps(idle))
        score = rounded(engagement + (fit + self._policy.base) * MICRO)
        return ScoreTotals(self._policy.bounded(score), rounded(engagement), fit, idle)


class _Fading:
    """The points of signals that decay in the same way, by day."""

    def __init__(self, kept: "_Kept", of_days: Mapping[int, int]) -> None:
        self._kept = kept
        self._by_age = kept.by_age
        self._of_days = of_days
        self._first, self._last = min(of_days), max(of_days)
        self._backward: list[int] = []
        if self._last - self._first < DENSE * len(of_days):
            days = range(self._last, self._first - 1, -1)
            self._backward = [of_days.get(day, 0) for day in days]

    def left_on(self, today: int) -> int:
        """What is left of them on a UTC day number, in millionths."""
        youngest, oldest = today - self._last, today - self._first
        if youngest < 0 or oldest >= MOST_AGES:
            of_age = self._kept.of_age
            return sum([points * of_age(today - day) for day, points in self._of_days.items()])
        by_age = self._by_age
        if len(by_age) <= oldest:
            self._kept.grow(oldest)
        if self._backward:
            return sum(map(mul, self._backward, by_age[youngest : oldest + 1]))
        return sum([points * by_age[today - day] for day, points in self._of_days.items()])


class _Kept:
    """What is left of a point by its age in days, in millionths; of one to come all is left."""

    def __init__(self, keep_micro: Callable[[int], int]) -> None:
        self._keep_micro = keep_micro
        self.by_age: list[int] = []
        """What is left at each age, as far as somebody has asked; it only grows."""

    def grow(self, oldest: int) -> None:
        """Adds the ages up to one below ``MOST_AGES``."""
        while len(self.by_age) <= oldest:
            self.by_age.append(self._keep_micro(len(self.by_age)))

    def of_age(self, age_days: int) -> int:
        """What is left at an age."""
        return self._keep_micro(max(0, age_days))


@lru_cache(maxsize=256)
def _kept(half_life_days: float | None, expires_after_days: int | None) -> _Kept:
    policy = SignalPolicy(1, half_life_days=half_life_days, expires_after_days=expires_after_days)
    return _Kept(policy.keep_micro)
