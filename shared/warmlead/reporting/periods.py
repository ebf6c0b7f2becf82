"""Periods of reports: days, weeks, months, quarters, years, ranges of days, and all time. In UTC.

A period has one name, by which its report is kept: ``2026-11-21``, ``2026-W47``, ``2026-11``,
``2026-Q4``, ``2026``, ``2026-01-15..2026-03-31`` or ``all``.
"""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct


class Span(StrEnum):
    """How long a period of the calendar is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Period(Struct, frozen=True):
    """From ``start`` until before ``end``, under its name."""

    name: str
    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end

    def so_far(self, now: datetime) -> "Period":
        """What is over of it at a moment: all of it, or until then."""
        return Period(self.name, self.start, min(self.end, now))


ALL = "all"
"""The name of all time: from the beginning until the end of today."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

LAST_YEAR = 9_000
"""The last year that has periods: behind it calendars end."""

HOW_TO_WRITE = (
    "Write a day (2026-11-21), a week (2026-W47), a month (2026-11), a quarter (2026-Q4), a year "
    "(2026), two of them (2026-01-15..2026-03-31), this or last with a span (last-month), "
    "yesterday, today, or all."
)

_MOST_LETTERS = 40
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_WEEKS_A_YEAR = 52
_QUARTER = 3
_DECEMBER = 12
_LEAP_DAY = (2, 29)
_WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:-W(?P<week>[0-9]{2})|-Q(?P<quarter>[1-4])|-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
)


def period_of(span: Span, moment: datetime) -> Period:
    """The period that holds a moment; weeks begin on Monday (ISO 8601)."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match span:
        case Span.DAY:
            return Period(f"{day:%Y-%m-%d}", day, day + _DAY)
        case Span.WEEK:
            start = day - timedelta(days=day.weekday())
            year, week, _ = start.isocalendar()
            return Period(f"{year}-W{week:02}", start, start + timedelta(weeks=1))
        case Span.MONTH:
            start = day.replace(day=1)
            return Period(f"{start:%Y-%m}", start, _months_on(start, 1))
        case Span.QUARTER:
            number = (day.month - 1) // _QUARTER
            start = day.replace(month=_QUARTER * number + 1, day=1)
            return Period(f"{start:%Y}-Q{number + 1}", start, _months_on(start, _QUARTER))
        case Span.YEAR:
            start = day.replace(month=1, day=1)
            return Period(f"{start:%Y}", start, _months_on(start, _DECEMBER))


def _months_on(first: datetime, count: int) -> datetime:
    """The first day of a month so many months after another."""
    years, month = divmod(first.month - 1 + count, _DECEMBER)
    return first.replace(year=first.year + years, month=month + 1)


def last_period(span: Span, now: datetime) -> Period:
    """The last period that was over at a moment."""
    return period_of(span, period_of(span, now).start - _TICK)


def span_of(period: Period) -> Span | None:
    """The span of a period of the calendar; ``None`` of a range and of all time."""
    return next((span for span in Span if period_of(span, period.start) == period), None)


def period_between(first: datetime, end: datetime) -> Period:
    """The period from the start of a day until before the start of another.

    If the calendar has a period with these borders, it is that one.
    """
    for span in Span:
        if (period := period_of(span, first)).end == end and period.start == first:
            return period
    return Period(f"{first:%Y-%m-%d}..{end - _DAY:%Y-%m-%d}", first, end)


def read_period(text: str, now: datetime) -> Period:
    """The period that a person typed; raises ``ValueError`` that says how to write one."""
    written = text.strip()[: _MOST_LETTERS + 1]
    try:
        found = _read(written, now)
    except (ValueError, OverflowError):
        found = None
    if found is None or len(written) > _MOST_LETTERS:
        raise ValueError(f"{written[:_MOST_LETTERS]!r} is not a period. {HOW_TO_WRITE}")
    return found


def _read(written: str, now: datetime) -> Period | None:
    if written.lower() == ALL:
        return Period(ALL, BEGINNING, period_of(Span.DAY, now).end)
    first, dots, last = written.partition("..")
    begin = _named(first, now)
    if not dots or begin is None:
        return begin
    until = _named(last, now)
    return period_between(begin.start, until.end) if until and until.end > begin.start else None


def _named(written: str, now: datetime) -> Period | None:
    """A period of the calendar."""
    word = written.lower()
    if word in ("today", "yesterday"):
        return period_of(Span.DAY, now) if word == "today" else last_period(Span.DAY, now)
    which, _, span = word.replace(" ", "-").partition("-")
    if which in ("this", "last") and span in set(Span):
        return (period_of if which == "this" else last_period)(Span(span), now)
    found = _WRITTEN.fullmatch(written.upper())
    if not found or not BEGINNING.year <= int(found["year"]) <= LAST_YEAR:
        return None
    return _dated(found)


def _dated(found: re.Match[str]) -> Period:
    """The period of the calendar that numbers name; raises ``ValueError`` if there is none."""
    year = int(found["year"])
    if found["week"]:
        return period_of(Span.WEEK, _midnight(date.fromisocalendar(year, int(found["week"]), 1)))
    if found["quarter"]:
        month = _QUARTER * int(found["quarter"]) - 2
        return period_of(Span.QUARTER, _midnight(date(year, month, 1)))
    if found["day"]:
        day = date(year, int(found["month"]), int(found["day"]))
        return period_of(Span.DAY, _midnight(day))
    if found["month"]:
        return period_of(Span.MONTH, _midnight(date(year, int(found["month"]), 1)))
    return period_of(Span.YEAR, _midnight(date(year, 1, 1)))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def before(period: Period) -> Period | None:
    """The period just before, as long as this one; ``None`` if none was since the beginning."""
    if period.start - BEGINNING < period.end - period.start:
        return None
    if span := span_of(period):
        return last_period(span, period.start)
    return period_between(period.start - (period.end - period.start), period.start)


def year_before(period: Period) -> Period | None:
    """The same period of the year before; ``None`` of all time.

    A week is that with the same number, or the 52nd of a year that has no 53rd.
    """
    if period.start.year <= BEGINNING.year:
        return None
    if (span := span_of(period)) is Span.WEEK:
        year, week, _ = period.start.isocalendar()
        first = _midnight(date.fromisocalendar(year - 1, min(week, _WEEKS_A_YEAR), 1))
        return period_of(Span.WEEK, first)
    if span:
        return period_of(span, _year_back(period.start))
    return period_between(_year_back(period.start), _year_back(period.end - _DAY) + _DAY)


def _year_back(day: datetime) -> datetime:
    """The same day of the year before; 28 February for the 29th."""
    is_leap = (day.month, day.day) == _LEAP_DAY
    return day.replace(year=day.year - 1, day=28 if is_leap else day.day)


def month_within(period: Period, moment: datetime) -> Period:
    """The part of the moment's month that is in the period; both hold the moment."""
    month = period_of(Span.MONTH, moment)
    return period_between(max(month.start, period.start), min(month.end, period.end))


def months_of(period: Period) -> int:
    """How many months of the calendar make up the period; 0 if others do."""
    if period.start.day != 1 or period.end.day != 1 or period.start <= BEGINNING:
        return 0
    years = period.end.year - period.start.year
    return _DECEMBER * years + period.end.month - period.start.month
