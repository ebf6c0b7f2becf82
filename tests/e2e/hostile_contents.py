"""The table of hostile requests, continued: JSON and forms."""

import json

from e2e.hostile_requests import CANARY, EMAIL, FIELDS, Row, as_kept, call, form, track
from e2e.wire import JSON


def spoilt(value: str) -> bytes:
    """A call that has the value, written as it is, among its properties."""
    return call(properties={"value": "#"}).replace(b'"#"', value.encode())


def multipart(*parts: bytes, boundary: bytes = b"b0undary", end: bytes = b"--\r\n") -> bytes:
    return b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--" + boundary + end


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return b'Content-Disposition: form-data; name="%s"%s\r\n\r\n%s' % (name, more, value)


BOUNDARY = b"Content-Type: multipart/form-data; boundary=b0undary"
EMAIL_PART = part(b"email", EMAIL.encode())
DEEP_LIST = "[" * 10_000 + "]" * 10_000
DEEP_OBJECT = '{"a":' * 10_000 + "1" + "}" * 10_000


def _json(name: str, value: str, code: str) -> Row:
    return Row(name, track(spoilt(value)), 400, code)


def _fields(name: str, more: bytes, code: str) -> Row:
    return Row(name, form(FIELDS + more), 400, code)


def _email(name: str, email: str) -> Row:
    body = json.dumps({"email": email, "name": CANARY}).encode()
    return Row(f"e-mail {name}", form(body, JSON), 400, "email_invalid")


JSON_ROWS = [
    Row("a number", track(b"5"), 400, "event_invalid"),
    Row("a text", track(f'"{EMAIL}"'.encode()), 400, "event_invalid"),
    Row("null", track(b"null"), 400, "event_invalid"),
    Row("a list", track(b"[" + call() + b"]"), 400, "event_invalid"),
    Row("10,000 lists in each other", track(DEEP_LIST.encode()), 400, "event_invalid"),
    Row("10,000 objects in each other", track(DEEP_OBJECT.encode()), 400, "identity_missing"),
    Row("10,000 openings", track(b"[" * 10_000), 400, "json_too_deep"),
    Row("garbage behind", track(call() + b" garbage"), 400, "json_invalid"),
    Row("two documents", track(call() + call()), 400, "json_invalid"),
    Row("a comment", track(b"/* hi */" + call()), 400, "json_invalid"),
    Row("cut off", track(call()[:-5]), 400, "json_invalid"),
    Row("single quotes", track(call().replace(b'"', b"'")), 400, "json_invalid"),
    Row("a comma too many", track(call()[:-1] + b",}"), 400, "json_invalid"),
    Row("closed before opened", track(b"}" + call()), 400, "json_invalid"),
    _json("a bare word", CANARY.replace("-", ""), "json_invalid"),
    _json("a raw control character", '"\x01"', "json_invalid"),
    Row("form: NaN", form(b'{"email": NaN}', JSON), 400, "event_invalid"),
    Row("form: a key twice", form(b'{"a": 1, "a": 2}', JSON), 400, "identity_missing"),
    Row("form: a scalar", form(b'"a"', JSON), 400, "event_invalid"),
    Row("form: scalars", form(b"[1, 2]", JSON), 400, "event_invalid"),
    Row("form: nothing in a list", form(b"[]", JSON), 400, "body_empty"),
    Row(
        "form: 101 in a list",
        form(json.dumps([{"email": EMAIL}] * 101).encode(), JSON),
        400,
        "too_many_events",
    ),
]

JSON_KEPT = as_kept(
    [
        _json("a property of 10,000 lists", DEEP_LIST, "json_too_deep"),
        _json("a property of 33 lists", "[" * 33 + "]" * 33, "json_too_deep"),
        _json("NaN", "NaN", "json_not_a_number"),
        _json("Infinity", "Infinity", "json_not_a_number"),
        _json("negative Infinity", "[-Infinity]", "json_not_a_number"),
        _json("1e999", "1e999", "json_not_a_number"),
        _json("a key twice", '{"a": 1, "a": 2}', "json_duplicate_key"),
        _json("an escaped key twice", '{"a": 1, "\\u0061": 2}', "json_duplicate_key"),
        Row(
            "an id twice", track(call()[:-1] + b', "anonymousId": "b"}'), 400, "json_duplicate_key"
        ),
        _json("half a surrogate pair", '"\\ud800"', "json_surrogate"),
        _json("the other half", '"\\udc00 \\ud83d\\ude00"', "json_surrogate"),
        _json("half a surrogate pair as a key", '{"\\ud800": 1}', "json_surrogate"),
        _json("5,000 digits", "9" * 5_000, "json_integer_too_large"),
        _json("2 to the 63rd", str(2**63), "json_integer_too_large"),
        _json("less than 64 bits hold", str(-(2**63) - 1), "json_integer_too_large"),
        _json("a text of 9 KB", f'"{"x" * 9_000}"', "field_invalid"),
        _json("a list of 101", str([0] * 101), "field_invalid"),
        _json("101 fields", json.dumps({f"f{i}": i for i in range(101)}), "too_many_fields"),
        Row("form: not JSON", form(b"{" + FIELDS, JSON), 400, "json_invalid"),
    ]
)

FORM_ROWS = [
    Row("half an escape", form(b"email=%zz%&name=" + CANARY.encode()), 400, "email_invalid"),
    Row("no e-mail", form(b"name=" + CANARY.encode()), 400, "identity_missing"),
    Row("10,000 brackets", form(b"a" + b"[b]" * 10_000 + b"=1"), 400, "identity_missing"),
    Row("10,000 open brackets", form(b"a" + b"[" * 10_000 + b"=1"), 400, "identity_missing"),
    Row("only separators", form(b"&&&=&;"), 400, "event_invalid"),
    Row("only a password", form(b"password=" + CANARY.encode()), 400, "event_invalid"),
    Row(
        "text without a field",
        form(EMAIL.encode(), b"Content-Type: text/plain"),
        400,
        "form_invalid",
    ),
    _email("without a host", f"{CANARY}@"),
    _email("without a name", f"@{CANARY}.example"),
    _email("with a space", f"{CANARY} a@b.example"),
    _email("of one label", f"{CANARY}@localhost"),
    _email("at an address", f"{CANARY}@127.0.0.1"),
    _email("with a header", f"{EMAIL}\r\nBcc: a@b.example"),
    _email("with NUL", f"{CANARY}\0@b.example"),
    _email("of 300 letters", f"{CANARY}@{'a' * 290}.example"),
    _email("of 8 KB of dots", f"{CANARY}@{'.' * 8_000}"),
    Row("cut off in a part", form(multipart(EMAIL_PART)[:-20], BOUNDARY), 400, "form_invalid"),
    Row("a part without a name", form(multipart(b"X: y\r\n\r\nz"), BOUNDARY), 400, "form_invalid"),
    Row("a part without headers", form(multipart(b"\r\nz"), BOUNDARY), 400, "form_invalid"),
    Row(
        "a part's header that is none",
        form(multipart(b"\xff\0: y\r\n\r\nz"), BOUNDARY),
        400,
        "form_invalid",
    ),
    Row(
        "a part of 2 MB",
        form(multipart(part(b"message", b"x" * 2_000_000)), BOUNDARY),
        413,
        "body_too_large",
    ),
    Row(
        "a part that is not UTF-8",
        form(multipart(part(b"email", b"\xff@\xff")), BOUNDARY),
        400,
        "email_invalid",
    ),
]

FORM_KEPT = as_kept(
    [
        _fields("10,000 fields", b"&a=1" * 10_000, "form_too_many_fields"),
        _fields("a text of 9 KB in a form", b"&message=" + b"x" * 9_000, "field_invalid"),
        _fields(
            "onwards to another site", b"&_redirect=https://evil.example", "redirect_not_allowed"
        ),
        _fields("onwards to a script", b"&_next=javascript:alert(1)", "redirect_not_allowed"),
        Row(
            "a list as e-mail",
            form(b'{"email": ["' + EMAIL.encode() + b'"]}', JSON),
            400,
            "email_invalid",
        ),
        Row(
            "no boundary",
            form(multipart(EMAIL_PART), b"Content-Type: multipart/form-data"),
            400,
            "form_invalid",
        ),
        Row(
            "another boundary",
            form(multipart(EMAIL_PART, boundary=b"other"), BOUNDARY),
            400,
            "form_invalid",
        ),
        Row(
            "a boundary of 30 KB",
            form(multipart(EMAIL_PART), BOUNDARY + b"x" * 30_000),
            400,
            "form_invalid",
        ),
        Row(
            "an empty boundary",
            form(multipart(EMAIL_PART), b"Content-Type: multipart/form-data; boundary="),
            400,
            "form_invalid",
        ),
        Row(
            "no last boundary", form(multipart(EMAIL_PART, end=b""), BOUNDARY), 400, "form_invalid"
        ),
        Row(
            "201 parts", form(multipart(*[EMAIL_PART] * 201), BOUNDARY), 400, "form_too_many_fields"
        ),
        Row(
            "a part of 9 KB",
            form(multipart(EMAIL_PART, part(b"message", b"x" * 9_000)), BOUNDARY),
            400,
            "field_invalid",
        ),
    ]
)
