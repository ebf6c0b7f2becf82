"""Office hours: how long people at work have had for something, and when a promise falls due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_MOST_DAYS = 5 * 366
"""A promise that is not due by then has hours that never open."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When people are at work: on weekdays (Monday is 0), from a time to a time, not on holidays.

    ``time.max`` as the end is the very end of the day. ``zone`` is a name of the IANA database.
    """

    weekdays: frozenset[int]
    opens: time
    closes: time
    zone: str
    holidays: frozenset[date] = frozenset()

    def due(self, since: datetime, within: timedelta) -> datetime:
        """The moment at which an amount of working time has passed since a moment; in UTC.

        Raises ``ValueError`` if that is years away, as with hours that are never open.
        """
        since, left = since.astimezone(UTC), within
        for opens, closes in self._spans(since):
            begins = max(opens, since)
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        raise ValueError("there is not enough working time in the years to come")

    def _spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working days that end after a moment, from when until when, in UTC."""
        zone = ZoneInfo(self.zone)
        first = since.astimezone(zone).date()
        for ahead in range(_MOST_DAYS):
            day = first + ahead * _DAY
            if day.weekday() in self.weekdays and day not in self.holidays:
                opens, closes = self._opening(day, zone), self._closing(day, zone)
                if max(opens, since) < closes:
                    yield opens, closes

    def _opening(self, day: date, zone: ZoneInfo) -> datetime:
        return (
            _midnight(day, zone)
            if self.opens == time.min
            else max(_readings(day, self.opens, zone))
        )

    def _closing(self, day: date, zone: ZoneInfo) -> datetime:
        if self.closes == time.max:
            return _midnight(day + _DAY, zone)
        return min(_readings(day, self.closes, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, also where clocks change at midnight."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _readings(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a time of day means: two moments where clocks change, otherwise twice the same.

    Office hours begin at the later one and end at the earlier one, and so are within what the
    clock on the wall shows.
    """
    local = datetime.combine(day, at, zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
