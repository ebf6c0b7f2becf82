import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from patience import PATIENCE_S
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Trust
from warmlead.ports import Accepted, RawRequest, Refused, Translation
from warmlead.senders.base import Profile, Sender, answer_sender
from warmlead.web.answers import Answer
from warmlead.web.edge import Edge, Limits

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS"]


class StoppedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Accepting:
    """Remembers what it was asked, and answers or fails as it is told."""

    failure: Exception | None = None
    requests: list[RawRequest] = field(default_factory=list)

    async def __call__(self, request: RawRequest) -> Answer:
        self.requests.append(request)
        if self.failure:
            raise self.failure
        return Answer(200, b'{"success": true}', facts={"source": "test", "events": 1})


def client_of(accepting: Accepting, timeout_s: float = PATIENCE_S) -> httpx.AsyncClient:
    edge = Edge(
        accepting,
        function="forms",
        limits=Limits(body_bytes=100, timeout_s=timeout_s),
        clock=StoppedClock(),
        new_id=lambda: "id-1",
    )
    app = Starlette(routes=[Route("/{path:path}", edge.answer, methods=METHODS)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_sender_can_change_the_form_of_any_answer() -> None:
    def dressed(headers: Mapping[str, str], answer: Answer) -> Answer:
        return replace(answer, body=f"{headers['accept']} {answer.status}".encode())

    edge = Edge(
        Accepting(),
        function="forms",
        limits=Limits(body_bytes=100, timeout_s=PATIENCE_S),
        clock=StoppedClock(),
        new_id=lambda: "id-1",
        dress=dressed,
    )
    app = Starlette(routes=[Route("/{path:path}", edge.answer, methods=METHODS)])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    for body, status in ((b"{}", 200), (b"x" * 101, 413)):
        answer = await client.post("/", content=body, headers={"accept": "text/html"})
        assert (answer.status_code, answer.text) == (status, f"text/html {status}")


async def test_a_request_arrives_raw() -> None:
    accepting = Accepting()

    async with client_of(accepting) as client:
        answer = await client.post(
            "/generic/a?x=%41", content=b"{}\r\n", headers=[("X-A", "1"), ("x-a", "2")]
        )

    (request,) = accepting.requests
    assert (request.method, request.path, request.query) == ("POST", "/generic/a", "x=%41")
    assert request.body == b"{}\r\n"
    assert request.headers["x-a"] == "1, 2"
    assert (request.received_at, request.request_id) == (NOW, "id-1")
    assert answer.status_code == 200
    assert answer.json() == {"success": True}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("/forms/generic/contact", "/generic/contact"),
        ("/generic/contact", "/generic/contact"),
        ("/forms/forms/generic", "/forms/generic"),
        ("/forms", "/forms"),
        ("/forms/", "/forms/"),
        ("/formsx/generic", "/formsx/generic"),
        ("/", "/"),
    ],
)
async def test_the_functions_name_may_stand_in_front_of_the_path(sent: str, path: str) -> None:
    accepting = Accepting()

    async with client_of(accepting) as client:
        answer = await client.post(sent)

    assert answer.status_code == 200
    assert accepting.requests[0].path == path


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (RejectedError(Reason.NOT_FOUND, "No."), 404, "not_found"),
        (UnavailableError("disk full"), 503, "unavailable"),
        (ValueError("ada@example.com"), 500, "internal_error"),
    ],
)
async def test_failures_become_answers(
    failure: Exception, status: int, code: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async with client_of(Accepting(failure)) as client:
        answer = await client.post("/x", headers={"origin": "https://shop.example"})

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    (record,) = (r for r in caplog.records if r.name == "warmlead.web.edge")
    assert record.msg == "request_answered"
    assert record.__dict__["fields"]["status"] == status
    assert record.levelno == (logging.INFO if status < 500 else record.levelno)
    assert "ada" not in answer.text


async def test_too_large_bodies_are_refused_chunked_or_declared() -> None:
    async def chunked() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 10

    accepting = Accepting()
    async with client_of(accepting) as client:
        answers = [
            await client.post("/x", content=chunked()),
            await client.post("/x", content=b"x" * 101),
        ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert answer.headers["connection"] == "close"
    assert accepting.requests == []


async def test_a_slow_body_is_refused() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async with client_of(Accepting(), timeout_s=0.2) as client:
        answer = await client.post("/x", content=slow())

    assert (answer.status_code, answer.json()["code"]) == (408, "body_timeout")


async def test_a_client_that_goes_away_leaves_a_rejection() -> None:
    accepting = Accepting()
    edge = Edge(
        accepting,
        function="forms",
        limits=Limits(body_bytes=100, timeout_s=PATIENCE_S),
        clock=StoppedClock(),
        new_id=lambda: "id-1",
    )
    app = Starlette(routes=[Route("/", edge.answer, methods=METHODS)])
    received: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return received.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    await app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["code"] == "body_incomplete"


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "9" * 400, "٣"])
async def test_an_invalid_content_length_is_ignored(length: str) -> None:
    async with client_of(Accepting()) as client:
        request = client.build_request("POST", "/x", content=b"{}")
        request.headers["content-length"] = length.encode().decode("latin-1")
        answer = await client.send(request)

    assert answer.status_code == 200


async def test_a_query_has_a_limit() -> None:
    async with client_of(Accepting()) as client:
        answer = await client.get("/x?" + "a" * 20_000)

    assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")


async def test_preflights_are_answered_without_asking_anyone() -> None:
    accepting = Accepting()

    async with client_of(accepting) as client:
        answer = await client.options("/x", headers={"origin": "https://shop.example"})

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "content-type" not in answer.headers
    assert accepting.requests == []


class Reading:
    """The body of a request that is sent only when it is asked for; tells how often it was."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> MutableMapping[str, Any]:
        self.asked += 1
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": self.asked < 3}


@pytest.mark.parametrize(
    ("expect", "asked"),
    [([(b"expect", b"100-continue")], 0), ([], 1)],
    ids=["a client that waits", "a client that sends"],
)
async def test_of_a_client_that_waits_to_be_told_to_go_on_no_refused_body_is_read(
    expect: list[tuple[bytes, bytes]], asked: int
) -> None:
    edge = Edge(
        Accepting(),
        function="forms",
        limits=Limits(body_bytes=100, timeout_s=0.2),
        clock=StoppedClock(),
        new_id=lambda: "id-1",
    )
    reading = Reading()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/generic",
        "query_string": b"",
        "headers": [(b"content-length", b"3000"), *expect],
    }

    answer = await edge.answer(Request(scope, reading))

    assert answer.status_code == 413
    assert reading.asked == asked


async def test_a_get_has_no_body_to_read() -> None:
    accepting = Accepting()

    async with client_of(accepting) as client:
        await client.request("GET", "/x", content=b"x" * 1000)

    assert accepting.requests[0].body == b""


async def test_the_log_line_holds_the_trace_but_neither_path_nor_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    async with client_of(Accepting()) as client:
        await client.post("/ada?e=ada", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        await client.post("/x", headers={"x-cloud-trace-context": f"{trace}/1;o=1"})
        await client.post("/x", headers={"traceparent": "ada"})

    records = [r.__dict__["fields"] for r in caplog.records if r.name == "warmlead.web.edge"]
    assert [record["trace"] for record in records] == [trace, trace, None]
    assert records[0]["events"] == 1
    assert "ada" not in json.dumps(records)


class Shouting:
    """A sender that wants to be answered in its own way."""

    name = "shouting"
    paths = ("/a",)
    profile = Profile(proof="", once="", retries="")

    def handshake(self, request: RawRequest) -> Answer | None:
        return Answer(200, b"HELLO!") if request.method == "GET" else None

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        raise NotImplementedError

    def sent_anew(self, request: RawRequest) -> RawRequest:
        raise NotImplementedError

    def verify(self, request: RawRequest) -> Trust:
        raise NotImplementedError

    def translate(self, request: RawRequest, trust: Trust) -> Translation:
        raise NotImplementedError

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        raise NotImplementedError

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        return Answer(200, f"{request.path}! {len(accepted.refused)} REFUSED".encode())

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        return Answer(failure.status, request.path.encode() + b"? " + failure.body.upper())


REQUEST = RawRequest("POST", "/a", "", {}, b"", NOW, "id-1")


async def test_a_sender_is_answered_in_its_own_way() -> None:
    bad = Refused(RejectedError(Reason.EVENT_INVALID, "No."), b"", 1)

    async def accept(_request: RawRequest, _sender: Sender) -> Accepted:
        return Accepted(2, (bad,), 3)

    answer = await answer_sender(REQUEST, Shouting(), accept)

    assert answer.body == b"/a! 1 REFUSED"
    assert answer.facts == {"source": "shouting", "events": 2, "refused": 1}


@pytest.mark.parametrize(
    ("error", "status"),
    [(RejectedError(Reason.FORBIDDEN, "No."), 403), (UnavailableError("away"), 503)],
)
async def test_a_failure_is_answered_in_the_senders_way_too(error: Exception, status: int) -> None:
    async def accept(_request: RawRequest, _sender: Sender) -> Accepted:
        raise error

    answer = await answer_sender(REQUEST, Shouting(), accept)

    assert answer.status == status
    assert answer.body.startswith(b'/a? {"CODE": ')
    assert answer.facts["source"] == "shouting"
    assert answer.facts["reason"]


async def test_our_own_faults_pass_through() -> None:
    async def accept(_request: RawRequest, _sender: Sender) -> Accepted:
        raise KeyError

    with pytest.raises(KeyError):
        await answer_sender(REQUEST, Shouting(), accept)
