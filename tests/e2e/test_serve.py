"""``warmlead serve`` as it is met over a network: addresses, and clients that hold on to it."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from patience import PATIENCE_S, until
from served import Served, serving

BASIC = {"Authorization": "Basic bG9jYWw6", "Content-Type": "application/json"}
CALL = {"anonymousId": "browser-1", "event": "Demo Requested"}
HALF_OPEN = 300
MORE_THAN_ARE_KEPT = 1_100
PROMPT_S = 2.0
"""For an answer; a busy machine may take ten times what it took just before."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("serve") / "data") as served:
        yield served


def half_a_head(served: Served) -> socket.socket:
    """A connection that begins a request and does not go on."""
    host, _, port = served.base.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    return connection


@pytest.mark.parametrize("count", [HALF_OPEN, MORE_THAN_ARE_KEPT])
def test_half_open_connections_keep_nobody_out(served: Served, count: int) -> None:
    usual_s = max(answered_in_s(served, f"{count} before {number}") for number in range(5))
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(half_a_head(served))
        for number in range(5):
            assert answered_in_s(served, f"{count} {number}") < PROMPT_S + 10 * usual_s
        with urllib.request.urlopen(f"{served.base}/healthz", timeout=PATIENCE_S) as answer:
            assert answer.status == 200


def answered_in_s(served: Served, message_id: str) -> float:
    """How long a good call takes."""
    call = json.dumps({**CALL, "messageId": message_id}).encode()
    began = time.monotonic()
    assert served.post("/v1/track", call, BASIC)[0] == 200
    return time.monotonic() - began


def test_every_address_of_the_documentation_answers(served: Served) -> None:
    call = json.dumps(CALL).encode()
    batch = json.dumps({"batch": [{"type": "track", **CALL}]}).encode()
    form = b'{"email": "grace@example.com"}'
    sent = {
        call: ("/v1/track", "/track/v1/track", "/track", "/track/", "/t", "/v1/t"),
        batch: ("/v1/batch", "/track/v1/batch", "/batch", "/track/batch", "/beacon/v1/batch"),
        form: ("/forms/generic", "/forms/generic/contact", "/generic", "/generic/contact"),
    }
    for body, paths in sent.items():
        for path in paths:
            assert served.post(path, body, BASIC) == (200, b'{"success": true}'), path


@pytest.mark.parametrize("path", ["/forms", "/forms/", "/sales", "/sales/", "/nowhere", "/score"])
def test_an_unknown_path_is_a_404_at_once_for_browsers_too(served: Served, path: str) -> None:
    status, body = served.post(path, b"{}", {**BASIC, "Origin": "https://shop.example"})
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_healthz_tells_that_the_store_answers(served: Served) -> None:
    def healthy() -> object:
        with urllib.request.urlopen(f"{served.base}/healthz", timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    assert until(healthy) == {"status": "ok", "store": "ok"}
