"""What an event may say, when it counts, and by what it is counted once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from unit.domain.worlds import NOON, event_of
from warmlead.domain.event import (
    MAX_AGE,
    MAX_CLOCK_AHEAD,
    Event,
    Trust,
    settle_time,
    snake_case,
)

MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Demo Requested", "demo_requested"),
        ("demoRequested", "demo_requested"),
        ("DemoRequested", "demo_requested"),
        ("demo-requested", "demo_requested"),
        ("demo_requested", "demo_requested"),
        ("DEMO REQUESTED", "demo_requested"),
        ("  $demo.requested!  ", "demo_requested"),
        ("Viewed 3 Pages", "viewed_3_pages"),
        ("page2Viewed", "page2_viewed"),
        ("Grüße gesendet", "grusse_gesendet"),
        ("ページ", ""),
        ("___", ""),
        ("", ""),
    ],
)
def test_names_become_snake_case(text: str, name: str) -> None:
    assert snake_case(text) == name


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_a_name_in_snake_case_stays_as_it_is(text: str) -> None:
    assert snake_case(snake_case(text)) == snake_case(text)


def test_an_event_keeps_its_key_whenever_it_is_received_and_whatever_it_says() -> None:
    first = event_of("7", NOON, anonymous_id="b1")
    retry = event_of("7", NOON + MS, name="login", received_at=NOON + MS, email="a@b.com")
    assert first.key == retry.key
    assert len(first.key) == 16


def test_a_public_event_cannot_use_up_the_id_of_a_signed_one() -> None:
    signed = event_of("7", NOON, trust=Trust.SIGNED, anonymous_id="b1")
    public = event_of("7", NOON, trust=Trust.PUBLIC, anonymous_id="b1")
    imitating = event_of("7\nsigned\n7", NOON, trust=Trust.PUBLIC, anonymous_id="b1")
    assert len({signed.key, public.key, imitating.key}) == 3


def test_senders_may_use_the_same_ids() -> None:
    one = event_of("7", NOON, anonymous_id="b1")
    other = one.model_copy(update={"source": "another"})
    assert one.key != other.key


@pytest.mark.parametrize(
    ("claimed", "counted"),
    [
        (None, NOON),
        (NOON, NOON),
        (NOON - timedelta(days=90), NOON - timedelta(days=90)),
        (NOON + MAX_CLOCK_AHEAD, NOON + MAX_CLOCK_AHEAD),
        (NOON + MAX_CLOCK_AHEAD + MS, NOON),
        (NOON + timedelta(days=9000), NOON),
        (NOON - MAX_AGE, NOON - MAX_AGE),
        (NOON - MAX_AGE - MS, None),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), None),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))), NOON),
    ],
)
def test_a_claimed_time_counts_if_it_can_be_true(
    claimed: datetime | None, counted: datetime | None
) -> None:
    assert settle_time(claimed, NOON) == counted


def test_times_are_turned_into_utc() -> None:
    there = datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    event = event_of("1", there, anonymous_id="b1")
    assert event.occurred_at.tzinfo is UTC
    assert event.occurred_at == datetime(2026, 2, 28, 19, 30, tzinfo=UTC)


VALID: dict[str, object] = {
    "id": "1",
    "source": "tests",
    "trust": "public",
    "name": "page_viewed",
    "occurred_at": "2026-03-10T12:00:00Z",
    "received_at": "2026-03-10T12:00:00Z",
    "anonymous_id": "b1",
}


def test_an_event_survives_the_way_over_the_bus() -> None:
    event = Event.model_validate({**VALID, "traits": {"tags": ["a", 1, None], "vip": True}})
    assert Event.model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "x" * 201},
        {"id": "\ud800"},
        {"source": ""},
        {"trust": "blind"},
        {"name": ""},
        {"name": "Page Viewed"},
        {"name": "2nd_visit"},
        {"name": "_page"},
        {"name": "p" * 65},
        {"name": "page_viewed\n"},
        {"occurred_at": "2026-03-10T12:00:00"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"occurred_at": "9999-12-31T23:59:59-12:00"},
        {"received_at": None},
        {"anonymous_id": None},
        {"anonymous_id": ""},
        {"anonymous_id": "x" * 201},
        {"email": "x" * 255},
        {"traits": {"nested": {"a": 1}}},
        {"properties": {"nested": [["a"]]}},
        {"attribution": {"utm_source": 1}},
        {"v": 2},
        {"colour": "red"},
    ],
)
def test_what_is_no_event_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate({**VALID, **wrong})
