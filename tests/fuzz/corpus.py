"""Real requests, from which others are made: the fixtures of the tests, and captures if given.

A capture is the raw bytes of a request (``NNN.http``), as a client sent it to a server that
answered anything. Its path is mapped to ours, and it is given a key that we know.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fuzz.sent import Sent, headers_of
from senders.configured import file_of
from warmlead.buses.topology import SCORE
from warmlead.runtime.table import TABLE, CalledBy, names
from warmlead.senders.registry import by_name

FIXTURES = Path(__file__).parents[1] / "senders"

FUZZED = names(
    each
    for each in TABLE
    if each.called_by in (CalledBy.SENDERS, CalledBy.BUS) and not each.reaches_out
)
"""The functions whose requests hold anything.

People are known before their requests are read. What the clock sends is not read. Pushes to
``deliver`` are fuzzed by ``fuzz.delivered``, which looks at what is sent where.
"""

SIGNED_FORM_SECRET = "a secret of the fuzzing"
WRITE_KEYS = "local,pub,server:signed"
BASIC = b"Basic " + base64.b64encode(b"local:")
_NOW = datetime.now(UTC).isoformat()
"""Of the whole run, so that a seed makes the same requests twice."""

_JSON = {"content-type": "application/json"}


def forms() -> dict[str, Any]:
    """The form mappings: those of the fixtures, and one whose posts are signed."""
    signature = {"scheme": "hmac", "secrets": [SIGNED_FORM_SECRET]}
    signed = {"event": "demo_requested", "user_id": "customer", "signature": signature}
    return {**file_of("forms"), "signed": signed}


def corpus(captures: Path | None) -> list[Sent]:
    """Every request that there is to begin with."""
    captured = _captured(captures) if captures else ()
    preflights = ("OPTIONS", "HEAD")  # all alike: the head's mutations make enough of them
    seeds = [*fixtures(), *_invented(), *(s for s in captured if s.method not in preflights)]
    return [seed._replace(target=ascii_target(seed.target)) for seed in seeds]


def ascii_target(target: bytes) -> bytes:
    """A target that HTTP can carry: a path, and what HTTP cannot carry is percent-encoded."""
    carried = b"".join(bytes([c]) if 0x20 < c < 0x7F else b"%%%02X" % c for c in target)
    return carried if carried.startswith(b"/") else b"/" + carried


def fixtures(folder: Path = FIXTURES, name: str = "*") -> Iterator[Sent]:
    """Every fixture, or those of one sender; raises ``LookupError`` for an unknown sender."""
    for path in sorted(folder.glob(f"{name}/fixtures/*.json")):
        said = json.loads(path.read_text())
        function = by_name(path.parent.parent.name).function
        target = said["path"] + (f"?{said['query']}" if said["query"] else "")
        body = said["body"].encode()
        yield Sent(function, said["method"], target.encode(), headers_of(said["headers"]), (body,))


# --- what no fixture has -------------------------------------------------------------------


def an_event(**fields: Any) -> dict[str, Any]:
    """An event as the accepting functions publish it."""
    return {
        "id": "e-1",
        "source": "generic",
        "trust": "signed",
        "name": "demo_requested",
        "occurred_at": "2026-03-02T10:00:00Z",
        "received_at": _NOW,
        "email": "ada@example.com",
        "anonymous_id": "b-1",
        "traits": {"employees": 70, "country": "US", "title": "VP", "tags": ["a", None]},
        "properties": {"path": "/pricing"},
        "attribution": {"utm_source": "google"},
        **fields,
    }


def push_of(data: bytes) -> Sent:
    """A message as Pub/Sub pushes it to the function that scores."""
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": {"lead_id": "a", **SCORE.wants},
        "messageId": "1",
        "message_id": "1",
        "publishTime": "2026-03-02T10:00:05.123Z",
    }
    pushed = {
        "message": message,
        "deliveryAttempt": 1,
        "subscription": "projects/p/subscriptions/s",
    }
    return Sent("score", "POST", b"/", headers_of(_JSON), (json.dumps(pushed).encode(),))


def pushed_in(push: Sent) -> bytes | None:
    """What is pushed, if the request is a push at all."""
    try:
        return base64.b64decode(json.loads(push.body)["message"]["data"])
    except (ValueError, TypeError, KeyError):
        return None


def _invented() -> Iterator[Sent]:
    submission = json.dumps({"email": "ada@example.com", "customer": "c-1", "employees": "51-200"})
    signed = Sent("forms", "POST", b"/generic/signed", headers_of(_JSON), (submission.encode(),))
    call = {
        "type": "identify",
        "userId": "u-1",
        "anonymousId": "b-1",
        "messageId": "m-1",
        "traits": {"email": "ada@example.com", "title": "VP", "company": {"employees": 70}},
    }
    batch = json.dumps({"batch": [call, {**call, "userId": "u-2"}]}).encode()
    server = {**_JSON, "authorization": "Basic " + base64.b64encode(b"server:").decode()}
    yield signed
    yield Sent("track", "POST", b"/v1/batch", headers_of(server), (batch,))
    yield Sent("track", "POST", b"/beacon/v1/b?writeKey=pub", (), (batch,))
    yield Sent("track", "GET", b"/warmlead.js", (), ())
    yield Sent("track", "OPTIONS", b"/v1/t", headers_of({"origin": "https://shop.example"}), ())
    for events in ([an_event()], [an_event(id="e-2", trust="public"), an_event(email=None)]):
        yield push_of(json.dumps({"v": 1, "events": events}).encode())


def heavy() -> Iterator[Sent]:
    """Calls of which each tells as much of one person as a call may, and none the same."""
    for number in range(40):
        traits = {f"trait {number} {i}": "é" * 3_900 for i in range(4)}
        call = {"anonymousId": "heavy", "messageId": f"heavy-{number}", "traits": traits}
        body = json.dumps(call, ensure_ascii=False).encode()
        headers = headers_of({**_JSON, "authorization": BASIC.decode()})
        yield Sent("track", "POST", b"/v1/identify", headers, (body,), made_by="one heavy lead")


# --- captures ------------------------------------------------------------------------------


def _captured(folder: Path) -> Iterator[Sent]:
    for path in sorted(folder.rglob("*.http")):
        yield from _ours(_read(path.read_bytes()))


def _read(raw: bytes) -> Sent:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = headers_of(
        (name, value.strip()) for name, _, value in (line.partition(":") for line in lines)
    )
    sent = Sent("", method, target.encode(), headers, (body,))
    if b"chunked" in (sent.header(b"transfer-encoding") or b""):
        sent = sent._replace(chunks=tuple(_unchunked(body)))
    return sent.with_header(b"transfer-encoding", None)


def _unchunked(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return
        yield body[:length]
        body = body[length + 2 :]


def _ours(captured: Sent) -> Iterable[Sent]:
    """The request to the functions to which its client would send it."""
    path, question, query = captured.target.partition(b"?")
    if path == b"/pixel.gif":
        yield captured._replace(function="track", target=b"/pixel/page" + question + query)
    elif path.startswith((b"/v1/", b"/pixel/")):
        yield captured._replace(function="track").with_header(b"authorization", BASIC)
    else:
        form = path.rpartition(b"/")[2].lower()
        yield captured._replace(function="forms", target=b"/generic/" + form)
        if path.startswith(b"/beacon/"):
            yield captured._replace(function="track", target=b"/beacon/v1/track?writeKey=pub")
