"""The most that a model can give: how high its points, and the counts it reads, can go.

Bounds are true ones. Where nothing bounds a sum, the bound is infinite.
"""

import math
import re
from collections.abc import Iterable
from datetime import timedelta

from warmlead.domain.history import MAX_PER_DAY
from warmlead.model.regions import Domain, Range, Region
from warmlead.model.schema import ModelFile, Signal
from warmlead.model.structure import Sound

_DAY = timedelta(days=1)
_COUNT = re.compile(r"last_(\d+)d\.")


def most_of_signal(signal: Signal) -> float:
    """The most points that a signal can be worth at once, before its group's limits.

    Every day at its daily limit, for ever: a half-life makes that a geometric series.
    """
    if signal.points <= 0:
        return 0
    daily = signal.points * signal.per_day
    if signal.half_life:
        return math.ceil(daily / (1 - math.exp2(-(_DAY / signal.half_life)))) + daily
    if signal.expires_after:
        return daily * (signal.expires_after // _DAY + 1)  # an event may be dated tomorrow
    return math.inf


def most_of_group(file: ModelFile, name: str) -> float:
    """The most points that the members of a group can add up to, before its own limit."""
    return sum(most_of_signal(s) for s in file.signals.values() if s.group == name)


def most_engagement(file: ModelFile) -> float:
    """The most points that behaviour can give."""
    loose = sum(most_of_signal(s) for s in file.signals.values() if s.group not in file.groups)
    grouped = 0.0
    for name, group in file.groups.items():
        most = most_of_group(file, name)
        grouped += most if group.max is None else min(most, group.max)
    return loose + grouped


def fit_range(file: ModelFile) -> Range:
    """The least and the most that fit can be."""
    points = [rule.points for rule in file.fit.values()]
    return Range(sum(p for p in points if p < 0), sum(p for p in points if p > 0))


def possible(sound: Sound, names: Iterable[str]) -> Region:
    """What the names, and the score with its parts, may ever be under the model."""
    fit = fit_range(sound.file) if sound.is_whole("fit") else Range()
    whole = sound.is_whole("signals", "groups")
    engagement = Range(most=most_engagement(sound.file) if whole else math.inf)
    domains: dict[str, Domain] = {
        "fit": fit,
        "engagement": engagement,
        "score": Range(0, max(0, engagement.most + fit.most)),
        "peak_score": Range(0),
        "days_inactive": Range(0),
    }
    for name in names:
        if count := _COUNT.match(name):
            domains[name] = Range(0, int(count[1]) * MAX_PER_DAY)
    return Region(domains)
