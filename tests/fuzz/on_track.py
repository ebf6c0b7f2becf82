"""Attacks on the tracking API: batches, single calls and pixels."""

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

from fuzz.corpus import ascii_target
from fuzz.long import Text
from fuzz.sent import Sent
from fuzz.shapes import (
    EVENT_BYTES,
    TEXT_BYTES,
    TRAITS,
    any_wrap,
    encoded,
    in_json,
    posted,
    put,
    within,
)

QUERY_BYTES = 16_000

PLACES = (
    *(
        ("event",),
        ("name",),
        ("type",),
        ("userId",),
        ("anonymousId",),
        ("messageId",),
        ("groupId",),
    ),
    *(("timestamp",), ("originalTimestamp",), ("sentAt",), ("writeKey",), ("previousId",)),
    *(("context", "page", name) for name in ("url", "referrer", "path", "search", "title")),
    *(("context", "campaign", name) for name in ("source", "name", "gclid")),
    *(("context", name) for name in ("userAgent", "ip", "locale", "timezone")),
    *(("traits", name) for name in TRAITS),
    *(("context", "traits", name) for name in TRAITS[:4]),
    *(
        ("properties", name)
        for name in ("path", "url", "referrer", "title", "kind", "revenue", "a")
    ),
)
WATCHED = (
    *(("event",), ("userId",), ("timestamp",), ("traits", "email"), ("traits", "employees")),
    *(("context", "page", "url"), ("traits", "country"), ("properties", "kind")),
)
"""Places at which most work is done."""

_KINDS = ("track", "identify", "page", "group", "screen", "alias")


def _call(random: Random, number: int) -> dict[str, Any]:
    kind = random.choice(_KINDS)
    return {
        "type": kind,
        "userId": "u-1",
        "anonymousId": "b-1",
        "event": "a",
        "messageId": f"m-{number}",
    }


def _batch(calls: Sequence[object], **more: object) -> Sent:
    return posted("track", b"/v1/batch", in_json({"batch": calls, **more}), "application/json")


def one_place_in_each(random: Random, text: Text, size: int) -> Sent:
    """A batch with the text at the same place of each of its calls."""
    place = random.choice(random.choice((PLACES, WATCHED)))
    make = any_wrap(random, text, place[-1])
    each = min(size, random.choice((150, 1_000, 4_000, TEXT_BYTES, EVENT_BYTES - 1_000)))
    calls = []
    for number in range(max(1, size // (each + 200))):
        call = {**_call(random, number), "type": "identify" if "traits" in place else "page"}
        if place == ("event",):
            call["type"] = "track"
        put(call, place, within(make, each))
        calls.append(call)
    return _batch(calls)


def every_place(random: Random, text: Text, size: int) -> Sent:
    """A batch of calls of which each has the text in another place."""
    each = max(8, min(TEXT_BYTES, size // (3 * len(PLACES))))
    calls = []
    for number, place in enumerate([*PLACES] * 3):
        call = _call(random, number)
        put(call, place, within(any_wrap(random, text, place[-1]), each))
        calls.append(call)
    return _batch(calls)


def as_keys(random: Random, text: Text, size: int) -> Sent:
    """A call whose fields are named by the text."""
    count = random.choice((1, 20, 100))
    named = {within(text, min(EVENT_BYTES, size) // count) + str(i): i for i in range(count)}
    where = random.choice((("traits",), ("properties",), ("context", "traits"), ("context", "a")))
    calls = []
    for number in range(max(1, size // EVENT_BYTES)):
        call = _call(random, number)
        put(call, where, named)
        calls.append(call)
    return _batch(calls)


def many_calls(random: Random, text: Text, size: int) -> Sent:
    one: Any = random.choice(
        (
            {"type": "page", "userId": "1"},
            {"type": "track", "event": text(3), "anonymousId": "b-1"},
            {"type": "identify", "userId": "1", "traits": {"a": 1}},
            {},
            [],
            None,
            {"type": "alias", "userId": "1", "previousId": "2"},
        )
    )
    varied = random.random() < 0.5 and isinstance(one, dict)
    count = size // (len(json.dumps(one)) + 12)
    calls = [
        {**one, "anonymousId": f"b-{i}"} if varied and isinstance(one, dict) else one
        for i in range(count)
    ]
    return _batch(calls)


def pixel(random: Random, text: Text, size: int) -> Sent:
    make = any_wrap(random, text)
    shape = random.choice(("one", "fields", "data", "raw"))
    if shape == "data":
        call = {**_call(random, 1), "properties": {"a": within(make, size // 2)}}
        query = b"data=" + base64.b64encode(in_json(call))
    elif shape == "fields":
        each = max(4, size // 300)
        query = b"&".join(
            b"%s=%s" % (quote_from_bytes(encoded(f"properties.{make(each)}{i}")).encode(), b"a")
            for i in range(90)
        )
    else:
        value = encoded(within(make, size if shape == "raw" else size // 3))
        query = b"event=" + (value if shape == "raw" else quote_from_bytes(value).encode())
    target = b"/v1/pixel/track?writeKey=local&anonymousId=b-1&" + query
    return Sent("track", "GET", ascii_target(target)[:QUERY_BYTES], (), ())
