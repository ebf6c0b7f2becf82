"""What conditions measure of events over days: their number, and what else is in them."""

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from warmlead.domain.history import NAME_DAYS, DayCounts

LONGEST_DAYS = 400
"""The longest time over which events are measured, in UTC days: a year, and a month to spare."""

PERIODS_BEFORE = 3
"""With the mean of this number of periods before it the momentum compares the present one."""


class MeasureKind(StrEnum):
    """What is measured, by the word with which a condition names it."""

    LAST = "last"
    """How many events there were."""
    DAYS = "days"
    """On how many UTC days there was at least one."""
    MOMENTUM = "momentum"
    """How many there were, in per cent of the mean of the three periods before."""
    VISITS = "visits"
    """In how many visits there was at least one."""
    DISTINCT = "distinct"
    """How many different values a property had."""
    SUM = "sum"
    """What the values of a property add up to."""


COUNTS = frozenset({MeasureKind.LAST, MeasureKind.DAYS, MeasureKind.MOMENTUM})
"""What follows from the number of events by day; the others need meters."""

OF_PROPERTIES = frozenset({MeasureKind.DISTINCT, MeasureKind.SUM})
"""What is measured of a property of events."""


class Measure(Struct, frozen=True, order=True):
    """A number that conditions read: of a signal or event, over a period of UTC days ending today.

    ``fact`` is its name in conditions: ``last_30d.page_viewed``, ``sum_30d.page_left.seconds``.
    """

    kind: MeasureKind
    days: int
    label: str
    of_property: str = ""

    @property
    def fact(self) -> str:
        """The name by which conditions read it."""
        return f"{self.kind}_{self.days}d.{self.label}{self.of_property and f'.{self.of_property}'}"

    @property
    def reach_days(self) -> int:
        """The UTC days, today included, whose events make a difference."""
        return self.days * (1 + PERIODS_BEFORE) if self.kind is MeasureKind.MOMENTUM else self.days

    def of(self, counts: DayCounts, today: int) -> int:
        """The value, on a UTC day number, of a measure that is made of counts.

        With nothing in the periods before, momentum is compared with one event in all of them: so
        three events out of nothing are 900 per cent, and no value is unknown.
        """
        kind, before = self.kind, today - self.days
        if kind is MeasureKind.LAST:
            return count_between(counts, before, today)
        if kind is MeasureKind.DAYS:
            return sum([before < day <= today for day, count in counts.items() if count])
        present = count_between(counts, before, today)
        earlier = count_between(counts, today - self.reach_days, before)
        return 100 * PERIODS_BEFORE * present // max(1, earlier)


def count_between(counts: DayCounts, after: int, until: int) -> int:
    """How many of the counts fall on the UTC days behind one day and up to another."""
    return sum([count for day, count in counts.items() if after < day <= until])


_NAME = re.compile(rf"({'|'.join(MeasureKind)})_(\d{{1,6}})d\.(\w+)(?:\.(\w+))?", re.ASCII)


def parse_measure(name: str) -> Measure | None:
    """The measure that a name of a condition reads, of any length; ``None``: it reads none."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    kind, property_ = MeasureKind(found[1]), found[4] or ""
    if (kind in OF_PROPERTIES) is not bool(property_):
        return None
    return Measure(kind, int(found[2]), found[3], property_)


def longest_days(kind: MeasureKind) -> int:
    """The longest period of a kind: with those before it, it is within the longest time."""
    return LONGEST_DAYS // Measure(kind, 1, "").reach_days


def is_measurable(measure: Measure) -> bool:
    """Whether its period is one that can be measured."""
    return 1 <= measure.days <= longest_days(measure.kind)


def names_kept(
    measures: Iterable[Measure], signals: Collection[str], kept_as: Mapping[str, str]
) -> dict[str, int]:
    """For how many days events are counted by name, of those that are measured longer than usual.

    The days of ``signals`` are always kept.
    """
    kept: dict[str, int] = {}
    for measure in measures:
        if measure.kind not in COUNTS or measure.label in signals:
            continue
        if measure.reach_days > NAME_DAYS:
            name = kept_as.get(measure.label, measure.label)
            kept[name] = max(measure.reach_days, kept.get(name, 0))
    return kept
