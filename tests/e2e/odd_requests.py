"""Requests that are odd, but sound enough to be answered 200: tolerances, each on purpose.

A row's ``code`` is that of the single item that was set aside, if there is one.
"""

import base64
from datetime import UTC, datetime
from typing import Any

from e2e.hostile_contents import BOUNDARY, EMAIL_PART, multipart, part, spoilt
from e2e.hostile_events import SOUND, batch
from e2e.hostile_requests import CANARY_HEADER, FIELDS, SUBMISSION, Row, call, form, packed, track
from e2e.wire import FORM, KEY, Sent, request


def pixel(query: str) -> Sent:
    return request(f"GET /v1/pixel/track?{query}", CANARY_HEADER)


def data(text: bytes) -> str:
    return "writeKey=local&data=" + base64.urlsafe_b64encode(text).decode()


def _odd(name: str, **fields: Any) -> Row:
    return Row(name, track(call(**fields)), 200, None)


def _gif(name: str, query: str) -> Row:
    return Row(f"pixel: {name}", pixel(query), 200, None)


TOLERATED = [
    Row("gzip that nobody declared", track(packed(call())), 200, None),
    Row("gzip in two parts", track(packed(call()[:9]) + packed(call()[9:])), 200, None),
    Row("a byte order mark", track(b"\xef\xbb\xbf" + call()), 200, None),
    Row("no type", request("POST /v1/track", KEY, CANARY_HEADER, body=call()), 200, None),
    Row("a wrong type", request("POST /v1/track", KEY, b"Content-Type: a", body=call()), 200, None),
    Row("JSON that says it is a form", form(SUBMISSION), 200, None),
    Row(
        "latin-1, declared", form(FIELDS + b"&city=K\xf6ln", FORM + b"; charset=latin1"), 200, None
    ),
    Row("a stray percent sign", form(FIELDS + b"&discount=100%"), 200, None),
    Row("brackets without end", form(FIELDS + b"&a" + b"[b]" * 10_000 + b"=1"), 200, None),
    Row("a field under its own group", form(FIELDS + b"&a[b]=1&a=2&a[b][c]=3"), 200, None),
    Row("a robot in the honeypot", form(FIELDS + b"&_gotcha=yes"), 200, None),
    Row(
        "a file's name that leads up",
        form(multipart(EMAIL_PART, part(b"cv", b"x", b'; filename="../../etc/passwd"')), BOUNDARY),
        200,
        None,
    ),
    Row(
        "a header in a file's name",
        form(multipart(EMAIL_PART, part(b"cv", b"x", b'; filename="a\r\nX-Evil: \x01')), BOUNDARY),
        200,
        None,
    ),
    _odd("empty keys", properties={"": 1, " ": 2}),
    _odd("a prototype's key", properties={"__proto__": {"admin": True}, "constructor": 1}),
    _odd("NUL in a text", properties={"a": "b\0c"}),
    _odd("name without letters of ours", event="購入"),
    _odd("id from right to left", anonymousId="\u202e\u05d0\u200b"),
    _odd("messageId of 300", messageId="m" * 300),
    _odd("messageId that is a number", messageId=7),
    _odd("userId that is a number", userId=42, anonymousId=None),
    _odd("far in the future", timestamp="2999-01-01T00:00:00Z"),
    _odd("no zone", timestamp=datetime.now(UTC).replace(tzinfo=None).isoformat()),
    _odd("sent at no time", sentAt="never"),
    _odd("2 to the 63rd, less one", properties={"a": 2**63 - 1}),
    _odd("SQL", anonymousId="'; DROP TABLE leads; --"),
    Row("an empty batch", batch(), 200, None),
    Row("a bad one among good", batch(SOUND, {}), 200, "event_type_unknown"),
    _gif("nothing", ""),
    _gif("no key", "event=a&anonymousId=b"),
    _gif("half an escape", "writeKey=local&data=%zz%"),
    _gif("not base64", "writeKey=local&data=@@@@"),
    _gif("not JSON", data(b"\xff\xfe\x00")),
    _gif("no object", data(b"[1]")),
    _gif("too deep", data(b"[" * 5_000)),
    _gif("NaN", data(spoilt("NaN"))),
    _gif("half a surrogate pair", data(b'{"writeKey": "\\ud800"}')),
    _gif("101 fields", "&".join(["a=1"] * 101)),
    _gif("contradictions", "writeKey=local&a=1&a.b=2&a.b.c=3&properties=4&properties.a=5"),
    _gif("no UTF-8", "writeKey=local&event=%ff&anonymousId=%ff"),
    Row("OPTIONS of everything", request("OPTIONS *"), 204, None),
    Row("pixel: only its head", request("HEAD /v1/pixel/track"), 200, None),
]
