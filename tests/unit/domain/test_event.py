"""What an event may say, when it counts, and by what it is counted once."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.domain.worlds import NOON, event_of
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_AGE, MAX_CLOCK_AHEAD, Event, Trust, settle_time, snake_case

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


@settings(derandomize=True)
@given(st.text())
def test_a_name_in_snake_case_stays_as_it_is(text: str) -> None:
    assert snake_case(snake_case(text)) == snake_case(text)


@settings(derandomize=True)
@given(st.text(st.characters(categories=["L", "M", "N", "Z"]) | st.sampled_from("\u0315\u0300ﬃİΣ")))
def test_a_name_loses_its_marks_as_if_it_were_decomposed_as_a_whole(text: str) -> None:
    apart = unicodedata.normalize("NFKD", text.lower().casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))

    assert snake_case(text.lower()) == snake_case(bare)


def test_an_event_keeps_its_key_for_any_time_of_receipt_and_content() -> None:
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
    other = msgspec.structs.replace(one, source="another")
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
    event = Event.checked(**{**VALID, "traits": {"tags": ["a", 1, None], "vip": True}})
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_values_are_kept_as_they_are() -> None:
    values: dict[str, Any] = {
        "whole": 1,
        "decimal": 1.0,
        "large": 2**63,
        "true": True,
        "false": False,
        "digits": "1",
        "nothing": None,
        "list": [1, 1.0, True, "1", None],
    }
    event = Event.checked(**{**VALID, "traits": values, "properties": values})
    for kept in (event.traits, event.properties):
        assert kept == values
        assert _types(kept) == _types(values)


def _types(value: object) -> object:
    if isinstance(value, dict):
        return {name: _types(part) for name, part in value.items()}
    return [_types(part) for part in value] if isinstance(value, list) else type(value)


def test_nan_and_infinity_become_null_on_the_bus() -> None:
    odd = {"nan": float("nan"), "inf": float("inf")}
    event = Event.checked(**{**VALID, "properties": odd})
    again = msgspec.json.decode(msgspec.json.encode(event), type=Event)
    assert again.properties == {"nan": None, "inf": None}


def test_events_that_lie_in_archives_are_read() -> None:
    archived = (
        '{"id":"1","source":"generic","trust":"signed","name":"demo_requested",'
        '"occurred_at":"2026-03-10T12:00:00.123456Z","received_at":"2026-03-10T14:00:01+02:00",'
        '"email":"ada@example.com","traits":{"employees":80,"tags":["a",null]},'
        '"attribution":{"utm_source":"caf\\u00e9"}}'
    )
    assert msgspec.json.decode(archived, type=Event) == Event(
        id="1",
        source="generic",
        trust=Trust.SIGNED,
        name="demo_requested",
        occurred_at=datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC),
        received_at=datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC),
        email="ada@example.com",
        traits={"employees": 80, "tags": ["a", None]},
        attribution={"utm_source": "café"},
    )


def test_empty_fields_are_left_out_of_messages() -> None:
    event = Event.checked(**VALID)
    assert msgspec.to_builtins(event) == VALID


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "x" * 201},
        {"id": "\ud800"},
        {"id": 1},
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
        {"v": True},
        {"colour": "red"},
    ],
)
def test_an_invalid_event_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RejectedError) as caught:
        Event.checked(**{**VALID, **wrong})
    assert caught.value.reason is Reason.EVENT_INVALID


def test_an_event_holds_no_control_characters() -> None:
    event = Event.checked(
        **{
            **VALID,
            "traits": {
                "first_name": "\x1b[2JA\u202eda\x00",
                "blank": "\x07",
                "emoji": "👩\u200d🔬",
            },
            "properties": {"tags": ["a\ud800", "b\nc"], "size": 5},
            "attribution": {"utm_source": "ads\x9b"},
        }
    )
    assert event.traits == {"first_name": "[2JAda", "emoji": "👩\u200d🔬"}
    assert event.properties == {"tags": ["a", "b\nc"], "size": 5}
    assert event.attribution == {"utm_source": "ads"}
