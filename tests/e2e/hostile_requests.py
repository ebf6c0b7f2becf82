"""The table of hostile requests, begun: how rows are made; bodies and encodings.

Each row: a name, what is sent, the expected status, and the ``code`` in the answer. No code
means that what stands before us refuses it in plain text: the web server or the framework.
"""

import base64
import gzip
import json
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from e2e.wire import FORM, JSON, KEY, Sent, chunked, request
from warmlead.parsing.signatures import sign_standard_webhooks

CANARY = "c4nary-7be1"
"""Is in every request, and may be in no answer and in no log."""

EMAIL = f"{CANARY}@hostile.example"

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes!").decode()
FORMS = {
    "signed": {"signature": {"secrets": [SECRET]}},
    "hashed": {
        "signature": {
            "scheme": "hmac",
            "secrets": [SECRET],
            "hmac": {"header": "X-Hub-Signature-256", "prefix": "sha256="},
        }
    },
}
"""The forms that the server under attack is configured with."""

TRACK = "POST /v1/track"
CANARY_HEADER = b"X-Canary: " + EMAIL.encode()


class Row(NamedTuple):
    name: str
    sent: Sent
    status: int
    code: str | None


def as_kept(rows: Sequence[Row]) -> list[Row]:
    """Rows of which all but a bad part is kept: answered 200, whatever stands there as its code.

    That code says what is wrong with the part.
    """
    return [row._replace(status=200, code=None) for row in rows]


def call(**fields: object) -> bytes:
    """A sound track call of the canary's, but for the fields given."""
    sound = {"event": "Hostile Tested", "anonymousId": CANARY, "messageId": CANARY}
    return json.dumps({**sound, **fields}).encode()


def track(body: bytes, *headers: bytes, line: str = TRACK) -> Sent:
    return request(line, KEY, JSON, CANARY_HEADER, *headers, body=body)


def form(body: bytes, *headers: bytes, name: str = "") -> Sent:
    path = f"/forms/generic/{name}".rstrip("/")
    return request(f"POST {path}", CANARY_HEADER, *(headers or (FORM,)), body=body)


FIELDS = b"email=" + EMAIL.encode().replace(b"@", b"%40") + b"&name=" + CANARY.encode()
SUBMISSION = json.dumps({"email": EMAIL, "name": CANARY}).encode()


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def bomb(unpacked_bytes: int) -> bytes:
    """Gzip of so many zeros, a thousandth of their size."""
    press = zlib.compressobj(wbits=31)
    zeros = bytes(1_000_000)
    parts = [press.compress(zeros) for _ in range(unpacked_bytes // len(zeros))]
    return b"".join([*parts, press.flush()])


def signed(body: bytes = SUBMISSION, *, ago_s: float = 0, **changes: str) -> Sent:
    """A signed post, with headers changed after signing."""
    at = datetime.fromtimestamp(time.time() - ago_s, UTC)
    message_id = changes.pop("signed_id", "msg_1")
    headers = sign_standard_webhooks(body, message_id=message_id, at=at, secret=SECRET)
    headers |= {f"webhook-{name}": value for name, value in changes.items()}
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
    return form(body, JSON, *lines, name="signed")


def hashed(*headers: bytes) -> Sent:
    return form(SUBMISSION, JSON, *headers, name="hashed")


def authorised(credentials: bytes) -> Sent:
    return request(TRACK, JSON, b"Authorization: " + credentials, body=call())


LARGE = call(properties={"text": "x" * 600_000})

BODIES = [
    Row("empty body", track(b""), 400, "body_empty"),
    Row("blank body", track(b" \r\n\t "), 400, "body_empty"),
    Row("empty form", form(b""), 400, "body_empty"),
    Row("too large, honestly", track(LARGE), 413, "body_too_large"),
    Row("too large, in chunks", chunked(TRACK, KEY, body=LARGE), 413, "body_too_large"),
    Row("form too large", form(FIELDS + b"&x=" + b"y" * 1_100_000), 413, "body_too_large"),
    Row(
        "too large, awaiting leave to send",
        request(TRACK, KEY, b"Expect: 100-continue", length=b"10000000"),
        413,
        "body_too_large",
    ),
    Row(
        "longer than it says",
        request(TRACK, KEY, body=call(), length=b"20"),
        400,
        "json_invalid",
    ),
    Row(
        "shorter than it says",
        request(TRACK, KEY, body=call(), length=b"5000"),
        408,
        "body_timeout",
    ),
    Row(
        "a byte now and then",
        request(TRACK, KEY, body=call(), length=b"5000")._replace(then="drip"),
        408,
        "body_timeout",
    ),
    Row(
        "hangs up in the middle",
        request(TRACK, KEY, body=call(), length=b"5000")._replace(then="hang up"),
        0,
        None,
    ),
    Row("hangs up at once", Sent(b"POST /v1/tr", then="hang up"), 0, None),
    Row(
        "gzip bomb",
        track(bomb(100_000_000), b"Content-Encoding: gzip"),
        413,
        "body_too_large",
    ),
    Row(
        "truncated gzip",
        track(packed(call())[:-12], b"Content-Encoding: gzip"),
        400,
        "encoding_invalid",
    ),
    Row(
        "gzip with a wrong checksum",
        track(packed(call())[:-8] + bytes(8), b"Content-Encoding: gzip"),
        400,
        "encoding_invalid",
    ),
    Row("gzip that is none", track(call(), b"Content-Encoding: gzip"), 400, "encoding_invalid"),
    Row(
        "gzip followed by garbage",
        track(packed(call()) + b"garbage", b"Content-Encoding: gzip"),
        400,
        "encoding_invalid",
    ),
    Row("brotli", track(call(), b"Content-Encoding: br"), 415, "encoding_unsupported"),
    Row(
        "deflate",
        track(zlib.compress(call()), b"Content-Encoding: deflate"),
        415,
        "encoding_unsupported",
    ),
    Row(
        "gzip twice",
        track(packed(packed(call())), b"Content-Encoding: gzip, gzip"),
        415,
        "encoding_unsupported",
    ),
    Row(
        "two encodings in two headers",
        track(call(), b"Content-Encoding: gzip", b"Content-Encoding: br"),
        415,
        "encoding_unsupported",
    ),
]

ENCODINGS = [
    Row("UTF-32", track(call().decode().encode("utf-32")), 400, "json_invalid"),
]

ENCODINGS_KEPT = as_kept(
    [
        Row(
            "invalid UTF-8",
            track(call(event="\xff").replace(b"\\u00ff", b"\xff")),
            400,
            "charset_invalid",
        ),
        Row(
            "overlong UTF-8",
            track(call(event="#").replace(b"#", b"\xc0\x80")),
            400,
            "charset_invalid",
        ),
        Row("UTF-16", track(call().decode().encode("utf-16")), 400, "json_invalid"),
        Row(
            "UTF-16 without a mark", track(call().decode().encode("utf-16-be")), 400, "json_invalid"
        ),
        Row("latin-1 form", form(FIELDS + b"&city=K\xf6ln"), 400, "charset_invalid"),
        Row("latin-1 form, escaped", form(FIELDS + b"&city=K%F6ln"), 400, "charset_invalid"),
        Row(
            "unknown charset",
            form(FIELDS, FORM + b"; charset=utf-7"),
            400,
            "charset_invalid",
        ),
        Row(
            "unknown charset in the form",
            form(FIELDS + b"&_charset_=ebcdic"),
            400,
            "charset_invalid",
        ),
        Row(
            "not in the charset that it names",
            form(FIELDS + b"&city=%81", FORM + b"; charset=windows-1252"),
            400,
            "charset_invalid",
        ),
    ]
)
