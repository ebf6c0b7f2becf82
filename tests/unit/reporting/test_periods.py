"""The periods of reports, around every border that a calendar has."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.reporting.periods import (
    Period,
    Span,
    before,
    last_period,
    month_within,
    period_between,
    period_of,
    read_period,
    span_of,
    year_before,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "now", "name", "start", "end"),
    [
        (Span.DAY, "2026-11-22T00:00:00", "2026-11-21", "2026-11-21", "2026-11-22"),
        (Span.DAY, "2026-11-22T23:59:59.999999", "2026-11-21", "2026-11-21", "2026-11-22"),
        (Span.DAY, "2024-03-01T08:00:00", "2024-02-29", "2024-02-29", "2024-03-01"),
        (Span.DAY, "2027-01-01T00:00:01", "2026-12-31", "2026-12-31", "2027-01-01"),
        # 2026-11-23 is a Monday.
        (Span.WEEK, "2026-11-23T00:00:00", "2026-W47", "2026-11-16", "2026-11-23"),
        (Span.WEEK, "2026-11-22T23:59:59", "2026-W46", "2026-11-09", "2026-11-16"),
        # 2026 has 53 ISO weeks; the last one ends on 3 January 2027.
        (Span.WEEK, "2027-01-05T00:00:00", "2026-W53", "2026-12-28", "2027-01-04"),
        (Span.WEEK, "2025-01-07T00:00:00", "2025-W01", "2024-12-30", "2025-01-06"),
        (Span.MONTH, "2026-12-01T00:00:00", "2026-11", "2026-11-01", "2026-12-01"),
        (Span.MONTH, "2027-01-31T12:00:00", "2026-12", "2026-12-01", "2027-01-01"),
        (Span.MONTH, "2024-03-31T12:00:00", "2024-02", "2024-02-01", "2024-03-01"),
    ],
)
def test_the_default_period_is_the_last_complete_one(
    span: Span, now: str, name: str, start: str, end: str
) -> None:
    assert last_period(span, at(now)) == Period(name, at(start), at(end))


def test_a_period_is_in_utc_for_any_time_zone_of_the_clock() -> None:
    auckland = timezone(timedelta(hours=13))
    noon = datetime(2026, 11, 23, 12, tzinfo=auckland)  # 23:00 of the day before in UTC
    assert last_period(Span.DAY, noon).name == "2026-11-21"


def test_a_period_holds_its_start_and_not_its_end() -> None:
    day = last_period(Span.DAY, at("2026-11-22T00:00:00"))
    assert day.holds(day.start)
    assert not day.holds(day.end)


FIRST, LAST = datetime.fromisoformat("1970-01-05"), datetime.fromisoformat("8999-01-01")
TODAY = at("2026-11-30T12:00:00")


@pytest.mark.parametrize(
    ("typed", "name", "start", "end"),
    [
        ("2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-w47", "2026-W47", "2026-11-16", "2026-11-23"),
        ("2026-W53", "2026-W53", "2026-12-28", "2027-01-04"),
        (" 2026-12 ", "2026-12", "2026-12-01", "2027-01-01"),
        ("2026-q4", "2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-Q2", "2026-Q2", "2026-04-01", "2026-07-01"),
        ("2026", "2026", "2026-01-01", "2027-01-01"),
        ("2026-01-15..2026-03-31", "2026-01-15..2026-03-31", "2026-01-15", "2026-04-01"),
        ("2026-01-01..2026-01-31", "2026-01", "2026-01-01", "2026-02-01"),
        ("2026-01..2026-03", "2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-02..2026-03", "2026-02-01..2026-03-31", "2026-02-01", "2026-04-01"),
        ("2026-11..today", "2026-11", "2026-11-01", "2026-12-01"),
        ("today", "2026-11-30", "2026-11-30", "2026-12-01"),
        ("yesterday", "2026-11-29", "2026-11-29", "2026-11-30"),
        ("this-quarter", "2026-Q4", "2026-10-01", "2027-01-01"),
        ("last week", "2026-W48", "2026-11-23", "2026-11-30"),
        ("Last-Year", "2025", "2025-01-01", "2026-01-01"),
        ("all", "all", "1970-01-01", "2026-12-01"),
    ],
)
def test_a_period_is_read_as_it_is_written(typed: str, name: str, start: str, end: str) -> None:
    assert read_period(typed, TODAY) == Period(name, at(start), at(end))


@pytest.mark.parametrize(
    "typed",
    [
        *("", "november", "2026-13", "2026-00", "2026-02-30", "2025-W53", "2026-W00", "2026-Q5"),
        *("2026-Q0", "0000", "1969", "9999", "26-11", "2026-1", "..", "2026-01..", "..2026-01"),
        *("2026-03..2026-01", "2026-01..2026-02..2026-03", "all..2026", "last-decade", "٢٠٢٦"),
        "2026-11" + " " * 10_000 + "x",
    ],
)
def test_what_is_no_period_is_refused_with_how_to_write_one(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is not a period\. Write a day \(2026-11-21\)"):
        read_period(typed, TODAY)


@given(st.datetimes(FIRST, LAST), st.sampled_from(Span))
def test_a_period_has_its_moment_its_name_and_neighbours(moment: datetime, span: Span) -> None:
    period = period_of(span, moment.replace(tzinfo=UTC))
    assert period.holds(moment.replace(tzinfo=UTC))
    assert read_period(period.name, TODAY) == period
    assert span_of(period) is span
    assert period_between(period.start, period.end) == period
    earlier = before(period)
    assert earlier is None or (earlier.end == period.start and span_of(earlier) is span)


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.integers(1, 800))
def test_a_range_of_days_is_read_back_and_has_neighbours(first: date, days: int) -> None:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    period = period_between(start, start + timedelta(days=days))
    assert read_period(period.name, TODAY) == period
    earlier, last_year = before(period), year_before(period)
    assert earlier is None or earlier.end == start
    assert last_year is None or last_year.start < last_year.end <= period.end
    month = month_within(period, start)
    assert month.holds(start)
    assert period.start <= month.start < month.end <= period.end


@pytest.mark.parametrize(
    ("typed", "earlier", "last_year"),
    [
        ("2024-02-29", "2024-02-28", "2023-02-28"),
        ("2026-W53", "2026-W52", "2025-W52"),
        ("2026-W01", "2025-W52", "2025-W01"),
        ("2026-01", "2025-12", "2025-01"),
        ("2026-Q1", "2025-Q4", "2025-Q1"),
        ("2026", "2025", "2025"),
        ("2026-03-01..2026-03-10", "2026-02-19..2026-02-28", "2025-03-01..2025-03-10"),
    ],
)
def test_the_periods_with_which_one_is_compared(typed: str, earlier: str, last_year: str) -> None:
    period = read_period(typed, TODAY)
    assert before(period) == read_period(earlier, TODAY)
    assert year_before(period) == read_period(last_year, TODAY)


def test_nothing_is_before_all_time() -> None:
    period = read_period("all", TODAY)
    assert (before(period), year_before(period)) == (None, None)
