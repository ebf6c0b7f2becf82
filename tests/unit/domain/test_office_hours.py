"""Office hours: when a promise falls due that counts working time only."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.domain.office_hours import OfficeHours

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MON_TO_FRI = frozenset(range(5))
BERLIN = OfficeHours(MON_TO_FRI, time(9), time(18), "Europe/Berlin", frozenset([date(2026, 5, 1)]))
WEEK = frozenset(range(7))
ALWAYS = OfficeHours(WEEK, time.min, time.max, "UTC")


def berlin(text: str) -> datetime:
    """A moment by the clock on a wall in Berlin."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("since", "within", "due"),
    [
        ("04-28 10:00", HOUR, "04-28 11:00"),
        ("04-28 17:00", HOUR, "04-28 18:00"),  # the very end is in time
        ("04-28 17:50", HOUR, "04-29 09:50"),
        ("04-28 18:00", HOUR, "04-29 10:00"),
        ("04-28 00:00", HOUR, "04-28 10:00"),
        ("04-28 23:59", HOUR, "04-29 10:00"),
        ("04-24 17:30", HOUR, "04-27 09:30"),  # Friday to Monday
        ("04-25 12:00", HOUR, "04-27 10:00"),  # on a Saturday
        ("04-30 17:30", HOUR, "05-04 09:30"),  # Friday is the first of May
        ("04-27 09:00", 9 * HOUR, "04-27 18:00"),
        ("04-27 09:00", 9 * HOUR + MINUTE, "04-28 09:01"),
        ("04-27 12:00", 24 * HOUR, "04-29 18:00"),  # 6 h, 9 h and 9 h
        ("03-27 17:30", HOUR, "03-30 09:30"),  # the clocks changed on Sunday
        ("10-23 17:30", HOUR, "10-26 09:30"),
    ],
)
def test_a_promise_counts_the_time_at_work(since: str, within: timedelta, due: str) -> None:
    found = BERLIN.due(berlin(since), within)

    assert found == berlin(due)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("day", "hours_due"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)],  # as long as Berlin's day is
)
def test_a_day_at_work_from_midnight_to_midnight_is_as_long_as_the_clocks_make_it(
    day: str, hours_due: int
) -> None:
    hours = replace(BERLIN, weekdays=WEEK, opens=time.min, closes=time.max, holidays=frozenset())
    hours = replace(hours, holidays=frozenset([date.fromisoformat(day) + DAY]))
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert hours.due(midnight, hours_due * HOUR) == midnight.astimezone(UTC) + hours_due * HOUR
    after = hours.due(midnight, hours_due * HOUR + MINUTE)
    assert after == midnight.astimezone(UTC) + hours_due * HOUR + DAY + MINUTE


@pytest.mark.parametrize(
    ("opens", "closes", "due"),
    [  # on 29 March at 02:00 the clock in Berlin says 03:00; on 25 October at 03:00 it says 02:00
        ("02:30", "12:00", "2026-03-29T01:31"),
        ("01:00", "02:30", "2026-03-29T00:01"),
        ("02:30", "12:00", "2026-10-25T01:31"),
        ("01:00", "02:30", "2026-10-24T23:01"),
    ],
)
def test_hours_that_begin_or_end_while_clocks_change_are_within_what_the_clock_shows(
    opens: str, closes: str, due: str
) -> None:
    begin, end = time.fromisoformat(opens), time.fromisoformat(closes)
    hours = replace(BERLIN, weekdays=WEEK, opens=begin, closes=end)
    day = datetime.fromisoformat(due).date()
    midnight = datetime.combine(day if due < "2026-10-24" else date(2026, 10, 25), time.min)
    since = midnight.replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert hours.due(since, MINUTE) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_hours_that_are_never_open_make_no_promise_due() -> None:
    with pytest.raises(ValueError, match="not enough working time"):
        replace(BERLIN, weekdays=frozenset()).due(berlin("04-28 10:00"), HOUR)


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
AT_MIDNIGHT = ["America/Havana", "Africa/Cairo", "America/Santiago", "Asia/Beirut"]
"""Zones whose clocks change at midnight."""

BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
moments = st.builds(lambda after: BEGIN + after, st.timedeltas(timedelta(0), 420 * DAY))
changes = st.sampled_from(
    [datetime(2026, *day, tzinfo=UTC) for day in ((3, 6), (3, 28), (4, 4), (4, 24), (10, 24))]
)
near_changes = st.builds(
    lambda at, seconds: at + timedelta(seconds=seconds), changes, st.integers(0, 3 * 86_400)
)
lengths = st.timedeltas(timedelta(microseconds=1), 4 * DAY)


@st.composite
def calendars(draw: st.DrawFn) -> OfficeHours:
    """Any hours that are open an hour at least, and clear of the hours in which clocks change."""
    zone = draw(st.sampled_from([*ZONES, *AT_MIDNIGHT]))
    opens = draw(st.one_of(st.just(0), st.integers(4 * 60, 21 * 60)))
    closes = draw(st.one_of(st.just(24 * 60), st.integers(max(opens, 4 * 60) + 60, 22 * 60)))
    end = time.max if closes == 24 * 60 else time(*divmod(closes, 60))
    weekdays = frozenset(draw(st.sets(st.integers(0, 6), min_size=2)))
    days = draw(st.sets(st.dates(date(2025, 12, 1), date(2027, 3, 1)), max_size=20))
    return OfficeHours(weekdays, time(*divmod(opens, 60)), end, zone, frozenset(days))


def is_open(hours: OfficeHours, moment: datetime) -> bool:
    """Whether the clock on the wall and the calendar beside it say so."""
    local = moment.astimezone(ZoneInfo(hours.zone))
    is_working_day = local.weekday() in hours.weekdays and local.date() not in hours.holidays
    closed = hours.closes < time.max and local.time() >= hours.closes
    return is_working_day and hours.opens <= local.time() and not closed


@settings(max_examples=examples(300))
@given(calendars(), st.one_of(moments, near_changes), lengths)
def test_nothing_is_ever_due_outside_office_hours(
    hours: OfficeHours, since: datetime, within: timedelta
) -> None:
    due = hours.due(since, within)

    assert due >= since + within
    assert is_open(hours, due - timedelta(microseconds=1))


@settings(max_examples=examples(300))
@given(calendars(), st.one_of(moments, near_changes), st.timedeltas(timedelta(0), 3 * DAY), lengths)
def test_who_is_offered_later_is_due_no_earlier(
    hours: OfficeHours, since: datetime, later: timedelta, within: timedelta
) -> None:
    assert hours.due(since, within) <= hours.due(since + later, within)


@settings(max_examples=examples(300))
@given(st.sampled_from([*ZONES, *AT_MIDNIGHT]), st.one_of(moments, near_changes), lengths)
def test_hours_that_never_end_are_the_time_of_every_clock(
    zone: str, since: datetime, within: timedelta
) -> None:
    assert replace(ALWAYS, zone=zone).due(since, within) == since + within


@settings(max_examples=examples(60))
@given(calendars(), st.one_of(moments, near_changes), st.integers(1, 20 * 60))
def test_the_working_time_until_a_promise_is_due_is_what_was_promised(
    hours: OfficeHours, since: datetime, minutes: int
) -> None:
    since = since.replace(second=0, microsecond=0)
    due = hours.due(since, minutes * MINUTE)
    assume(due - since < 15 * DAY)

    every_minute = (since + i * MINUTE for i in range((due - since) // MINUTE))
    assert sum(is_open(hours, minute) for minute in every_minute) == minutes
