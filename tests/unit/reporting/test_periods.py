"""The periods of reports, around every border that a calendar has."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from warmlead.reporting.funnel import Period, Span, last_period


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
