"""What a model can give, at least and at most: points, grades, and counts of events."""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import inf

from warmlead.domain.history import MAX_PER_DAY
from warmlead.domain.measures import PERIODS_BEFORE, Measure, MeasureKind, parse_measure
from warmlead.domain.readings import DAY_S, MAX_AMOUNT, VISIT_GAP_S
from warmlead.model.lint.regions import Choice, Domain, Range, Region, Sums
from warmlead.model.schema import ModelFile, Signal
from warmlead.model.structure import Sound

_DAY = timedelta(days=1)


def range_of_signal(signal: Signal, days: float = inf) -> Range:
    """The points that a signal can be worth at once, before its group's limits.

    Every day at its daily limit, for ever or for some ``days``: a half-life makes that a geometric
    series.
    """
    daily = abs(signal.points) * signal.per_day
    most = inf if daily else 0
    if signal.half_life:
        most = math.ceil(daily / (1 - math.exp2(-(_DAY / signal.half_life)))) + daily
    elif signal.expires_after:
        most = daily * (signal.expires_after // _DAY + 1)  # an event may be dated tomorrow
    in_all = abs(signal.points) * signal.max_count if signal.max_count else inf
    most = min(most, in_all, daily * days if daily else 0)
    return Range(-most, 0) if signal.points < 0 else Range(0, most)


def range_of_group(file: ModelFile, name: str, days: float = inf) -> Range:
    """What the members of a group can add up to, before its own limits."""
    return _added(range_of_signal(s, days) for s in file.signals.values() if s.group == name)


def engagement_range(file: ModelFile, days: float = inf) -> Range:
    """The least and the most points that behavior can give, ever or in some ``days``."""
    parts = [range_of_signal(s, days) for s in file.signals.values() if s.group not in file.groups]
    for name, group in file.groups.items():
        given = range_of_group(file, name, days)
        least = given.least if group.min is None else max(given.least, group.min)
        parts.append(Range(least, given.most if group.max is None else min(given.most, group.max)))
    return _added([*parts, _range_of_points(bonus.points for bonus in file.bonuses.values())])


def fit_range(file: ModelFile) -> Range:
    """The least and the most that fit can be."""
    return _range_of_points(rule.points for rule in file.fit.values())


def _range_of_points(points: Iterable[int]) -> Range:
    """Of all points together, as each may be given or not."""
    return _added(Range(min(0, each), max(0, each)) for each in points)


def _added(ranges: Iterable[Range]) -> Range:
    listed = list(ranges)
    return Range(sum(each.least for each in listed), sum(each.most for each in listed))


def grade_ranges(file: ModelFile) -> dict[str, Range]:
    """The points for fit that each grade stands for, the best grade first."""
    ranges: dict[str, Range] = {}
    best_first = sorted(file.grades.items(), key=lambda each: -each[1])
    above = inf
    for i, (name, least) in enumerate(best_first, start=1):
        ranges[name] = Range(-inf if i == len(best_first) else least, above)
        above = least - 1
    return ranges


def sums_of(sound: Sound) -> Sums | None:
    """How the scores of a model are made; ``None`` if it does not say so soundly."""
    file = sound.file
    if not sound.is_whole("base", "floor"):
        return None
    grades = grade_ranges(file) if sound.is_whole("grades") else {}
    return Sums(file.base, -inf if file.floor is None else file.floor, grades)


def possible(sound: Sound) -> Region:
    """What the score and its parts may ever be under the model."""
    file, sums = sound.file, sums_of(sound)
    fit = fit_range(file) if sound.is_whole("fit") else Range()
    whole = sound.is_whole("signals", "groups", "bonuses")
    engagement = engagement_range(file) if whole else Range()
    score = _score_range(engagement, fit, sums) if sums else Range()
    domains: dict[str, Domain] = {
        "fit": fit,
        "engagement": engagement,
        "score": score,
        "peak_score": Range(max(0, score.least)),
        "days_inactive": Range(0),
    }
    if sums and sums.grades:
        domains["grade"] = _grades_of(fit, sums.grades)
    return Region(domains, sums=sums)


def with_measures(given: Region, names: Iterable[str]) -> Region:
    """What is given, and what the measures among some names may ever be."""
    measures = ((name, parse_measure(name)) for name in names)
    most = {name: Range(0, _most_of(measure)) for name, measure in measures if measure}
    return Region({**given.domains, **most}, sums=given.sums) if most else given


def _score_range(engagement: Range, fit: Range, sums: Sums) -> Range:
    exact = _added([engagement, fit, Range(sums.base, sums.base)])
    return Range(max(sums.floor, exact.least), max(sums.floor, exact.most))


def _grades_of(fit: Range, grades: Mapping[str, Range]) -> Choice:
    """The grades of leads whose fit is within a range."""
    return Choice(frozenset(name for name, each in grades.items() if each.meet(fit)))


UNKNOWN_AT_TIMES = frozenset({"days_inactive"})
"""Of what is possible, that which is unknown of some leads: a clause over it need not hold."""


def _most_of(measure: Measure) -> float:
    match measure.kind:
        case MeasureKind.LAST:
            return measure.days * MAX_PER_DAY
        case MeasureKind.DAYS:
            return measure.days
        case MeasureKind.MOMENTUM:
            return measure.days * MAX_PER_DAY * PERIODS_BEFORE * 100
        case MeasureKind.VISITS:
            return measure.days * _VISITS_A_DAY
        case MeasureKind.DISTINCT:
            return measure.days * MAX_PER_DAY
        case MeasureKind.SUM:
            return measure.days * MAX_PER_DAY * MAX_AMOUNT


_VISITS_A_DAY = DAY_S // VISIT_GAP_S
"""No more begin on a day, because there is a gap between any two."""
