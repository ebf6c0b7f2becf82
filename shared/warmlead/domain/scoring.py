"""The score: what a history and traits are worth under a model on a day. The product's heart.

::

    engagement = Σ signals Σ days  points × min(count, per_day) × keep(age in days)
                 keep = 2^(−age / half_life), or 1 until expires_after, or 1 (never)
                 then each group's minimum and maximum
                 then the inactivity steps: × (1 − lose)^k for k steps since the last activity
    fit        = Σ points of the fit rules that hold for the traits; never decays
    score      = max(0, round(engagement + fit))

Arithmetic is in whole millionths of a point, so that a sum does not depend on its order and
an explanation adds up to the score exactly. Halves round up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct, structs

from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS
from warmlead.domain.history import DayCounts, Tally, to_date

MICRO = 1_000_000
"""Millionths of a point in a point."""

_NOT_THEIRS = SALES_EVENTS | frozenset(AUTOMATED_EVENTS.values())


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """What one signal is worth: ``points`` an event, at most ``per_day`` events a UTC day (1–20).

    Fades by half every ``half_life_days``, or ends whole at the age of ``expires_after_days``,
    or never changes if both are ``None``.
    """

    points: int
    per_day: int = 20
    half_life_days: float | None = None
    expires_after_days: int | None = None
    group: str | None = None

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
        if self.minimum is not None:
            micro = max(micro, self.minimum * MICRO)
        if self.maximum is not None:
            micro = min(micro, self.maximum * MICRO)
        return micro


@dataclass(frozen=True, slots=True)
class InactivityPolicy:
    """After ``after_days`` without activity engagement loses a share, and again every so often.

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
        """What is left of a point after so many steps, in millionths."""
        return _micro(math.pow(1 - self.lose_ppm / MICRO, steps))

    def left(self, micro: int, steps: int) -> int:
        """What is left of engagement, in millionths, after so many steps."""
        return rounded(micro * self.keep_micro(steps)) if steps else micro


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """All that turns counts into points. ``passive`` names events that are not the lead's doing."""

    signals: Mapping[str, SignalPolicy]
    groups: Mapping[str, GroupPolicy]
    inactivity: InactivityPolicy | None = None
    passive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FitPoints:
    """A fit rule that holds for the lead."""

    name: str
    points: int


class Part(StrEnum):
    """What a contribution is: points for doing, points for being, or a limit's effect."""

    SIGNAL = "signal"
    FIT = "fit"
    GROUP_LIMIT = "group_limit"
    INACTIVITY = "inactivity"
    FLOOR = "floor"


class Contribution(Struct, frozen=True):
    """One line of the sum that is the score.

    ``points`` are whole and add up to the score; ``exact_micro`` is the same unrounded, in
    millionths. For a signal: ``count`` events happened, worth ``raw_points`` in full;
    ``per_day_took_micro`` and ``decay_took_micro`` say what the daily limit and age took.
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


@dataclass(frozen=True, slots=True)
class Score:
    """A score with everything that made it. ``engagement`` and ``fit`` are rounded for people."""

    score: int
    engagement: int
    fit: int
    days_inactive: int | None
    contributions: tuple[Contribution, ...]


def evaluate(policy: ScoringPolicy, tally: Tally, fit: Sequence[FitPoints], today: int) -> Score:
    """The score on the UTC day number ``today``; pure and independent of any order."""
    lines = [
        line
        for name, signal in sorted(policy.signals.items())
        if (days := tally.signals.get(name)) and (line := _signal(name, signal, days, today))
    ]
    limits = _group_limits(policy, lines)
    engagement = sum(line.exact_micro for line in (*lines, *limits))
    idle = days_inactive(policy, tally, today)
    faded = _inactivity(policy, engagement, idle)
    engagement += faded.exact_micro if faded else 0
    being = [
        Contribution(Part.FIT, rule.name, rule.points * MICRO, raw_points=rule.points)
        for rule in sorted(fit, key=lambda rule: rule.name)
    ]
    fit_points = sum(rule.points for rule in fit)
    exact = engagement + fit_points * MICRO
    contributions = [*lines, *limits, *([faded] if faded else []), *being]
    if exact < 0:
        contributions.append(Contribution(Part.FLOOR, "never_below_zero", -exact))
    score = max(0, rounded(exact))
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


def _signal(name: str, policy: SignalPolicy, days: DayCounts, today: int) -> Contribution | None:
    count = sum(days.values())
    if not count:
        return None
    counted = exact = 0
    for day, happened in days.items():
        within = min(happened, policy.per_day)
        counted += within
        exact += policy.points * within * policy.keep_micro(max(0, today - day))
    return Contribution(
        part=Part.SIGNAL,
        name=name,
        exact_micro=exact,
        count=count,
        raw_points=policy.points * count,
        per_day_took_micro=policy.points * (count - counted) * MICRO,
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
