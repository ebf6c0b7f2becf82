"""What conditions measure of events over days: their number, the days with any, their momentum."""

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


class Measure(Struct, frozen=True, order=True):
    """A number that conditions read: of a signal or event, over a period of UTC days ending today.

    ``fact`` is its name in conditions: ``last_30d.page_viewed``.
    """

    kind: MeasureKind
    days: int
    label: str

    @property
    def fact(self) -> str:
        """The name by which conditions read it."""
        return f"{self.kind}_{self.days}d.{self.label}"

    @property
    def reach_days(self) -> int:
        """The UTC days, today included, whose events make a difference."""
        return self.days * (1 + PERIODS_BEFORE) if self.kind is MeasureKind.MOMENTUM else self.days

    def of(self, counts: DayCounts, today: int) -> int:
        """Its value on a UTC day number.

        With nothing in the periods before, momentum is compared with one event in all of them: so
        three events out of nothing are 900 per cent, and no value is unknown.
        """
        before = today - self.days
        if self.kind is MeasureKind.DAYS:
            return sum([before < day <= today for day, count in counts.items() if count])
        present = count_between(counts, before, today)
        if self.kind is MeasureKind.LAST:
            return present
        earlier = count_between(counts, today - self.reach_days, before)
        return 100 * PERIODS_BEFORE * present // max(1, earlier)


def count_between(counts: DayCounts, after: int, until: int) -> int:
    """How many of the counts fall on the UTC days behind one day and up to another."""
    return sum([count for day, count in counts.items() if after < day <= until])


_NAME = re.compile(rf"({'|'.join(MeasureKind)})_(\d{{1,6}})d\.(\w+)", re.ASCII)


def parse_measure(name: str) -> Measure | None:
    """The measure that a name of a condition reads, of any length; ``None``: it reads none."""
    found = _NAME.fullmatch(name)
    return Measure(MeasureKind(found[1]), int(found[2]), found[3]) if found else None


def longest_days(kind: MeasureKind) -> int:
    """The longest period of a kind: with those before it, it is within the longest time."""
    return LONGEST_DAYS // Measure(kind, 1, "").reach_days


def is_measurable(measure: Measure) -> bool:
    """Whether its period is one that can be measured."""
    return 1 <= measure.days <= longest_days(measure.kind)


def names_kept(
    measures: Iterable[Measure], signals: Collection[str], kept_as: Mapping[str, str]
) -> dict[str, int]:
    """For how many days events are kept by name, of those that are measured over longer than usual.

    The days of ``signals`` are always kept.
    """
    kept: dict[str, int] = {}
    for measure in measures:
        if measure.label not in signals and measure.reach_days > NAME_DAYS:
            name = kept_as.get(measure.label, measure.label)
            kept[name] = max(measure.reach_days, kept.get(name, 0))
    return kept
