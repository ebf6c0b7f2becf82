"""Durations of meetings, and the ids at the ends of links."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from senders.test_conformance import json_values
from warmlead.senders.meetings import LONGEST, last_part, minutes_between

START = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


@given(st.integers(0, 24 * 60), st.integers(-14, 14))
@settings(max_examples=examples(100))
def test_the_minutes_between_two_times_do_not_depend_on_how_they_are_written(
    minutes: int, hours_ahead: int
) -> None:
    end = START + timedelta(minutes=minutes)
    elsewhere = (end + timedelta(hours=hours_ahead)).replace(tzinfo=None)

    written = f"{elsewhere.isoformat()}{hours_ahead:+03d}:00"

    assert minutes_between(START.isoformat(), written) == minutes
    assert minutes_between(START.timestamp(), int(end.timestamp() * 1000)) == minutes


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START.isoformat(), (START - timedelta(seconds=1)).isoformat()),
        (START.isoformat(), (START + LONGEST + timedelta(seconds=1)).isoformat()),
        (START.isoformat(), None),
        ("", START.isoformat()),
        ("03/04/2026", START.isoformat()),
        (True, START.isoformat()),
    ],
)
def test_a_meeting_that_ends_before_it_starts_or_never_has_no_duration(
    start: Any, end: Any
) -> None:
    assert minutes_between(start, end) is None


@given(json_values, json_values)
@settings(max_examples=examples(300))
def test_whatever_stands_where_a_time_should_is_a_duration_or_none(start: Any, end: Any) -> None:
    minutes = minutes_between(start, end)

    assert minutes is None or 0 <= minutes <= LONGEST / timedelta(minutes=1)


def test_the_last_part_of_a_link_is_its_id() -> None:
    assert last_part("https://api.calendly.com/scheduled_events/E1/invitees/I1") == "I1"
    assert last_part("https://api.calendly.com/event_types/T1/") == "T1"
    assert last_part("I1") == "I1"
    assert last_part(None) == last_part({}) == last_part("") == ""
