"""The score a second time: from a plain list of events, in exact fractions, slowly.

Written from the formula alone. It knows no history, no folding, no limit of kept events and
no arithmetic of the product; of the product it reads a model's numbers and nothing else.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cache

from warmlead.domain.event import Event
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy

MILLIONTH = Decimal("0.000001")
ONE = Fraction(1)

ON_A_WEBSITE = frozenset({"page_viewed", "form_started"})
"""Of the events of the tests, those that keep a visit going."""


@dataclass(frozen=True)
class Worth:
    """What the formula says of a list of events on a day; ``exact`` before it is rounded."""

    exact: Fraction
    score: int
    engagement: int
    fit: int
    days_inactive: int | None


def worth_of(
    events: Iterable[Event],
    signals_of: Mapping[str, Sequence[str]],
    policy: ScoringPolicy,
    fit: int,
    today: date,
    *,
    bonus: int = 0,
) -> Worth:
    happened = list({event.key: event for event in events}.values())
    engagement = Fraction(0)
    grouped: dict[str, Fraction] = dict.fromkeys(policy.groups, Fraction(0))
    for name, signal in policy.signals.items():
        points = _signal(name, signal, happened, signals_of, today)
        if signal.group in grouped:
            grouped[signal.group] += points
        else:
            engagement += points
    for name, group in policy.groups.items():
        total = grouped[name]
        if group.minimum is not None and total < group.minimum:
            total = Fraction(group.minimum)
        if group.maximum is not None and total > group.maximum:
            total = Fraction(group.maximum)
        engagement += total
    engagement += bonus
    idle = _days_inactive(happened, policy, today)
    engagement = _faded(engagement, policy, idle)
    exact = policy.base + engagement + fit
    score = half_up(exact)
    if policy.floor is not None and score < policy.floor:
        score = policy.floor
    return Worth(exact, score, half_up(engagement), fit, idle)


def count_of_last(
    window_days: int,
    label: str,
    events: Iterable[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """How often a label was seen in the days of a window; of each day at most 20 count."""
    days: Counter[date] = Counter()
    for event in {event.key: event for event in events}.values():
        if label in labels_of.get(event.name, ()):
            days[event.occurred_at.date()] += 1
    first = today - timedelta(days=window_days - 1)
    return sum(min(20, count) for day, count in days.items() if first <= day <= today)


def days_of_last(
    window_days: int,
    label: str,
    events: Iterable[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """On how many days of a window a label was seen."""
    seen = {e.occurred_at.date() for e in events if label in labels_of.get(e.name, ())}
    return sum(today - timedelta(days=nth) in seen for nth in range(window_days))


def momentum_of_last(
    period_days: int,
    label: str,
    events: Sequence[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """A period against the mean of the three before it, in whole per cent; of nothing, of one."""
    counts = [
        count_of_last(
            period_days, label, events, labels_of, today - timedelta(days=nth * period_days)
        )
        for nth in range(4)
    ]
    mean = Fraction(max(1, sum(counts[1:])), 3)
    return math.floor(counts[0] / mean * 100)


def visits_of_last(
    window_days: int,
    label: str,
    events: Iterable[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """The visits that began in the days of a window, and in which a label was seen.

    What keeps a visit going is what the label means, and what people do on a website. Only the
    window and the day before it are looked at.
    """
    first = today - timedelta(days=window_days - 1)
    going = [
        (event.occurred_at.replace(microsecond=0), label in labels_of.get(event.name, ()))
        for event in events
        if event.name in ON_A_WEBSITE or label in labels_of.get(event.name, ())
    ]
    visits: list[tuple[datetime, bool]] = []
    last: datetime | None = None
    for at, is_seen in sorted(going):
        if not first - timedelta(days=1) <= at.date() <= today:
            continue
        if last is None or at - last > timedelta(minutes=30):
            visits.append((at, is_seen))
        visits[-1] = (visits[-1][0], visits[-1][1] or is_seen)
        last = at
    return sum(is_seen and began.date() >= first for began, is_seen in visits)


def values_of_last(
    window_days: int,
    label: str,
    events: Iterable[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """How many different paths a label had in the days of a window."""
    first = today - timedelta(days=window_days - 1)
    return len(
        {
            event.properties["path"]
            for event in events
            if label in labels_of.get(event.name, ())
            and first <= event.occurred_at.date() <= today
            and "path" in event.properties
        }
    )


def sum_of_last(
    window_days: int,
    label: str,
    events: Iterable[Event],
    labels_of: Mapping[str, Sequence[str]],
    today: date,
) -> int:
    """What the seconds of a label add up to, each rounded; of each day 20 that say any count."""
    days: dict[date, list[tuple[str, int]]] = {}
    for event in {event.key: event for event in events}.values():
        seconds = event.properties.get("seconds")
        if label in labels_of.get(event.name, ()) and isinstance(seconds, int | float):
            whole = half_up(Fraction(seconds))
            if whole > 0:
                days.setdefault(event.occurred_at.date(), []).append((event.key, whole))
    first = today - timedelta(days=window_days - 1)
    return sum(
        sum(seconds for _, seconds in sorted(each)[:20])
        for day, each in days.items()
        if first <= day <= today
    )


def latest_of(
    label: str, events: Iterable[Event], labels_of: Mapping[str, Sequence[str]]
) -> object | None:
    """The path that a label had last; of events at the same time, that of the greater key."""
    told = [
        (event.occurred_at, event.key, event.properties["path"])
        for event in events
        if label in labels_of.get(event.name, ()) and "path" in event.properties
    ]
    return max(told)[2] if told else None


def trait_before(days_ago: int, trait: str, events: Iterable[Event], today: date) -> object | None:
    """What a trait had been stated to be by the end of a past day: signed before public."""
    told = [
        (event.trust == "signed", event.occurred_at, event.key, event.traits[trait])
        for event in events
        if trait in event.traits and event.occurred_at.date() <= today - timedelta(days=days_ago)
    ]
    return max(told, key=lambda fact: fact[:3])[3] if told else None


def half_up(exact: Fraction) -> int:
    """The nearest whole number; of two that are as near, the greater."""
    return math.floor(exact + Fraction(1, 2))


def _signal(
    name: str,
    signal: SignalPolicy,
    events: Sequence[Event],
    signals_of: Mapping[str, Sequence[str]],
    today: date,
) -> Fraction:
    days = Counter(e.occurred_at.date() for e in events if name in signals_of.get(e.name, ()))
    each = [day for day, count in days.items() for _ in range(min(count, signal.per_day))]
    latest = sorted(each, reverse=True)[: signal.max_count]
    ages = [max(0, (today - day).days) for day in latest]
    return sum((signal.points * _keep(signal, age_days) for age_days in ages), Fraction(0))


def _keep(signal: SignalPolicy, age_days: int) -> Fraction:
    if signal.half_life_days is not None:
        return _halved(signal.half_life_days, age_days)
    expired = signal.expires_after_days is not None and age_days >= signal.expires_after_days
    return Fraction(0) if expired else ONE


@cache
def _halved(half_life_days: float, age_days: int) -> Fraction:
    with localcontext() as context:
        context.prec = 60
        kept = Decimal(2) ** (-Decimal(age_days) / Decimal(half_life_days))
        return Fraction(kept.quantize(MILLIONTH, ROUND_HALF_UP))


def _days_inactive(events: Iterable[Event], policy: ScoringPolicy, today: date) -> int | None:
    active = [e.occurred_at.date() for e in events if e.name not in policy.passive]
    return max(0, (today - max(active)).days) if active else None


def _faded(engagement: Fraction, policy: ScoringPolicy, idle: int | None) -> Fraction:
    inactivity = policy.inactivity
    if inactivity is None or idle is None:
        return engagement
    steps, next_on = 0, inactivity.after_days
    while next_on <= idle:
        steps, next_on = steps + 1, next_on + inactivity.every_days
    return Fraction(half_up(engagement * _left(inactivity.lose_ppm, steps) * 10**6), 10**6)


@cache
def _left(lose_ppm: int, steps: int) -> Fraction:
    left = (ONE - Fraction(lose_ppm, 10**6)) ** steps
    return Fraction(half_up(left * 10**6), 10**6)
