"""The table of hostile requests, continued: ids, times, and what only Segment's API knows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from e2e.hostile_requests import CANARY, Row, as_kept, call, track
from e2e.wire import Sent

SOUND: dict[str, Any] = {"event": "Hostile Tested", "anonymousId": CANARY, "type": "track"}


def batch(*items: Any, **root: Any) -> Sent:
    body = json.dumps({"batch": list(items), "sentBy": CANARY, **root}).encode()
    return track(body, line="POST /v1/batch")


def _call(name: str, code: str, **fields: Any) -> Row:
    return Row(name, track(call(**fields)), 400, code)


ID_ROWS = [
    _call("placeholders as ids", "identity_missing", anonymousId="undefined", userId=" NULL "),
    _call("blank ids", "identity_missing", anonymousId="", userId="  "),
    _call("no id at all", "identity_missing", anonymousId=None),
    _call("id with an escape sequence", "identity_invalid", anonymousId="\x1b[31m"),
    _call("id that is an object", "identity_invalid", anonymousId={"a": 1}),
]

ID_KEPT = as_kept(
    [
        _call("id of 10 KB", "identity_invalid", userId="a" * 10_000),
        _call("id with NUL", "identity_invalid", userId="a\0b"),
        _call("id in two lines", "identity_invalid", userId="a\nb"),
        _call("id that is a list", "identity_invalid", userId=["a"]),
        _call("id that is a truth", "identity_invalid", userId=True),
        _call("id that is a fraction", "identity_invalid", userId=1.5),
        _call("messageId that is a list", "event_id_invalid", messageId=["a"]),
        _call("messageId that is a fraction", "event_id_invalid", messageId=1.5),
        _call("messageId with NUL", "event_id_invalid", messageId="a\0"),
    ]
)

TIME_KEPT = as_kept(
    [
        _call("the year 0", "time_invalid", timestamp="0000-01-01T00:00:00Z"),
        _call("the year 99999", "time_invalid", timestamp="99999-01-01T00:00:00Z"),
        _call(
            "the end of time, further west", "time_invalid", timestamp="9999-12-31T23:59:59-14:00"
        ),
        _call(
            "the beginning of time, further east",
            "time_invalid",
            timestamp="0001-01-01T00:00+14:00",
        ),
        _call("the text NaN", "time_invalid", timestamp="NaN"),
        _call("yesterday", "time_invalid", timestamp="yesterday"),
        _call("a leap second", "time_invalid", timestamp="2016-12-31T23:59:60Z"),
        _call("the 30th of February", "time_invalid", timestamp="2026-02-30T00:00:00Z"),
        _call("a truth as time", "time_invalid", timestamp=True),
        _call("a list as time", "time_invalid", timestamp=[2026]),
        _call("1e300 seconds", "time_invalid", timestamp=1e300),
        _call("20 digits of seconds", "time_invalid", timestamp=10**19),
        _call("before 1970", "time_out_of_range", timestamp=-1),
        _call(
            "six years ago",
            "time_out_of_range",
            timestamp=(datetime.now(UTC) - timedelta(days=6 * 366)).isoformat(),
        ),
    ]
)

SEGMENT_ROWS = [
    Row("batch without a list", track(call(), line="POST /v1/batch"), 400, "event_invalid"),
    Row("batch of an object", track(b'{"batch": {}}', line="POST /v1/batch"), 400, "event_invalid"),
    Row("batch of scalars", batch(1, "a", None), 400, "event_invalid"),
    Row("batch of lists", batch([SOUND], []), 400, "event_invalid"),
    Row("batch of unknown types", batch({**SOUND, "type": "tracks"}), 400, "event_type_unknown"),
    Row("batch of typeless calls", batch({**SOUND, "type": None}), 400, "event_type_unknown"),
    Row("type that is a list", batch({**SOUND, "type": ["track"]}), 400, "event_type_unknown"),
    Row("batch of 2,501", batch(*[{}] * 2_501), 400, "too_many_events"),
    Row("batch above 500 KB", batch(*[{**SOUND, "x": "y" * 30_000}] * 18), 413, "body_too_large"),
    _call("event above 32 KB", "event_too_large", integrations={"a": "x" * 33_000}),
    _call("track without an event", "event_name_missing", event=None),
    _call("event of spaces", "event_name_invalid", event="   "),
    _call("event that is a number", "event_name_invalid", event=5),
    Row("alias of nobody", track(call(userId="a"), line="POST /v1/alias"), 400, "identity_missing"),
    Row(
        "an identify by a bad e-mail alone",
        track(call(traits={"email": "a@b"}, anonymousId=None), line="POST /v1/identify"),
        400,
        "email_invalid",
    ),
]

SEGMENT_KEPT = as_kept(
    [
        Row("fault beside the batch", batch(SOUND, a=float("nan")), 400, "json_not_a_number"),
        _call("context that is a list", "field_invalid", context=[]),
        _call("properties that are a text", "field_invalid", properties=CANARY),
        _call("page that is a text", "field_invalid", context={"page": CANARY}),
        Row(
            "traits that are a list",
            track(call(traits=[]), line="POST /v1/identify"),
            400,
            "field_invalid",
        ),
    ]
)
