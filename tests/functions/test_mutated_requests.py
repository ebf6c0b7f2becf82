"""Realistic requests, mutated at random, against the functions' own entry points: never a 5xx."""

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from functions_framework.aio import create_asgi_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warmlead import wiring

FUNCTIONS = Path(__file__).parents[2] / "functions"
EXAMPLES = settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Kind(NamedTuple):
    """A real request's body, its type, and where it is sent."""

    path: str
    content_type: str
    body: bytes


def a_batch() -> bytes:
    """Modelled on the batches of Segment's and RudderStack's clients; all values are invented."""
    context = {
        "page": {"url": "https://shop.example/pricing?utm_source=google", "path": "/pricing"},
        "campaign": {"name": "spring", "source": "google"},
        "traits": {"company": {"name": "Shop", "employee_count": 70}},
    }
    calls = [
        {"type": "page", "anonymousId": "b-1", "messageId": "m-1", "context": context},
        {
            "type": "identify",
            "userId": "u-1",
            "traits": {"email": "ada@example.com", "title": "VP"},
        },
        {"type": "track", "userId": "u-1", "event": "Demo Requested", "properties": {"a": [1.5]}},
        {"type": "group", "userId": "u-1", "groupId": "g", "traits": {"employees": "51-200"}},
        {"type": "alias", "userId": "u-1", "previousId": "b-1", "timestamp": "2026-03-02T10:00Z"},
    ]
    sent_at = "2026-03-02T10:00:05.000Z"
    return json.dumps({"batch": calls, "writeKey": "local", "sentAt": sent_at}).encode()


def an_event(**fields: Any) -> dict[str, Any]:
    """An event as the accepting functions publish it."""
    return {
        "id": "e-1",
        "source": "generic",
        "trust": "signed",
        "name": "demo_requested",
        "occurred_at": "2026-03-02T10:00:00Z",
        "received_at": datetime.now(UTC).isoformat(),
        "email": "ada@example.com",
        "anonymous_id": "b-1",
        "traits": {"employees": 70, "country": "US", "title": "VP", "tags": ["a", None]},
        "properties": {"path": "/pricing"},
        "attribution": {"utm_source": "google"},
        **fields,
    }


SUBMISSION = {
    "email": "ada@example.com",
    "Company Size": "51-200",
    "contact": {"country": "USA", "phone": "+1 555"},
    "interests": ["a", "b"],
    "utm_source": "google",
    "page_url": "https://shop.example/contact",
}
BOUNDARY = "----WebKitFormBoundaryAb1"
PARTS = "".join(
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
    for name, more, value in (
        ("email", "", "ada@example.com"),
        ("tags[]", "", "a"),
        ("cv", '; filename="cv.pdf"\r\nContent-Type: application/pdf', "%PDF"),
    )
)
URLENCODED = b"email=ada%40example.com&name=Ada+L&a[b]=1&tags[]=x&tags[]=y&_charset_=utf-8"

FORMS = [
    Kind("/generic/contact", "application/json", json.dumps(SUBMISSION).encode()),
    Kind("/generic", "application/x-www-form-urlencoded", URLENCODED),
    Kind(
        "/generic", f"multipart/form-data; boundary={BOUNDARY}", f"{PARTS}--{BOUNDARY}--".encode()
    ),
    Kind("/generic", "text/plain", b"email=ada@example.com\r\nname=Ada\r\n"),
]
TRACK = [
    Kind("/v1/batch", "application/json", a_batch()),
    Kind(
        "/v1/identify", "text/plain", b'{"writeKey": "local", "userId": "u-1", "traits": {"a": 1}}'
    ),
]
PUSH = Kind(
    "/",
    "application/json",
    b'{"message": {"data": "e30=", "attributes": {"lead_id": "a"}, "messageId": "1",'
    b' "message_id": "1", "publishTime": "2026-03-02T10:00:05.123Z"},'
    b' "deliveryAttempt": 1, "subscription": "projects/p/subscriptions/score"}',
)
"""As Pub/Sub pushes; the data stands for ``{}``."""

SCORE = [Kind("/", "application/json", json.dumps({"v": 1, "events": [an_event()]}).encode())]

TOKENS = st.sampled_from(
    [
        *(b"NaN", b"1e999", b"-1", b"9" * 30, b"null", b"[]", b"{}", b'""', b"true", b"[[[[", b"}"),
        *(b'"\\ud800"', b'"\\u0000"', b"\xff", b"\xef\xbb\xbf", b"\x00", b"%", b"%zz", b"%ff"),
        *(b'"a":1,', b"__proto__", b"0000-00-00", b'"9999-12-31T23:59:59-14:00"', b"\x1f\x8b\x08"),
        *(b"\r\n", b"--", b"&" * 300, b"[a][b]", b"a" * 9_000, b"@", b".", b'"', b"\\"),
    ]
)
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "text/plain; charset=latin1", "multipart/form-data; boundary=", "x/y"]
)


@st.composite
def mutated(draw: st.DrawFn, kinds: list[Kind]) -> Kind:
    """One of the requests with a few cuts, repeats and foreign pieces, or whole values replaced."""
    kind = draw(st.sampled_from(kinds))
    body = bytearray(kind.body)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 12)))
        body[start:end] = draw(TOKENS | st.binary(max_size=4) | st.just(bytes(body[start:end]) * 2))
    content_type = draw(st.just(kind.content_type) | CONTENT_TYPES)
    return Kind(kind.path, content_type, bytes(body))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
EVENTS = st.builds(
    lambda fields: json.dumps({"events": [an_event(**fields)]}).encode(),
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("id", "email", "user_id", "anonymous_id"), IDS),
            "traits": st.dictionaries(
                st.sampled_from(["employees", "country", "title", "industry"]), VALUES
            ),
            "properties": st.dictionaries(st.sampled_from(["path", "kind", "percent"]), VALUES),
            "name": st.sampled_from(["page_viewed", "content_downloaded", "video_watched"]),
            "occurred_at": st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
        },
    ),
)


class Functions:
    """The three functions in this process, on one SQLite file."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._apps: dict[str, Any] = {}

    def post(self, function: str, kind: Kind) -> int:
        return self._runner.run(self._post(function, kind))

    async def _post(self, function: str, kind: Kind) -> int:
        if function not in self._apps:
            source = str(FUNCTIONS / function / "main.py")
            app = create_asgi_app(function, source)  # type: ignore[no-untyped-call]  # it has no types
            self._apps[function] = app
        transport = httpx.ASGITransport(self._apps[function])
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Content-Type": kind.content_type}
            answer = await client.post(kind.path, content=kind.body, headers=headers)
        if answer.status_code >= 400:
            assert answer.json().keys() == {"code", "message"}
        return answer.status_code


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    before = dict(os.environ)
    os.environ["WARMLEAD_DATA"] = str(tmp_path_factory.mktemp("mutated"))
    _forget_what_was_built()
    with asyncio.Runner() as runner:
        yield Functions(runner)
        runner.run(wiring.file().close())
    os.environ.clear()
    os.environ.update(before)
    _forget_what_was_built()


def _forget_what_was_built() -> None:
    built = (wiring.settings, wiring.forms, wiring.track, wiring.score, wiring.model)
    for each in (*built, wiring.file, wiring.bus, wiring.store):
        each.cache_clear()


@pytest.mark.parametrize(("function", "kinds"), [("forms", FORMS), ("track", TRACK)])
def test_the_requests_themselves_are_accepted(
    functions: Functions, function: str, kinds: list[Kind]
) -> None:
    assert {functions.post(function, kind) for kind in kinds} == {200}


@given(kind=mutated(FORMS))
@EXAMPLES
def test_a_mutated_form_is_accepted_or_refused(functions: Functions, kind: Kind) -> None:
    assert functions.post("forms", kind) in {200, 303, 400, 413, 415}


@given(kind=mutated(TRACK))
@EXAMPLES
def test_a_mutated_tracking_call_is_accepted_or_refused(functions: Functions, kind: Kind) -> None:
    assert functions.post("track", kind) in {200, 400, 401, 413}


@given(body=mutated(SCORE).map(lambda kind: kind.body) | EVENTS)
@EXAMPLES
def test_mutated_events_are_counted_or_set_aside(functions: Functions, body: bytes) -> None:
    pushed = PUSH.body.replace(b"e30=", base64.b64encode(body))
    assert functions.post("score", PUSH._replace(body=pushed)) == 200


@given(kind=mutated([PUSH]))
@EXAMPLES
def test_a_mutated_push_is_taken_or_refused(functions: Functions, kind: Kind) -> None:
    assert functions.post("score", kind) in {200, 400}
