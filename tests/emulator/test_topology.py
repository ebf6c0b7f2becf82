"""The topology on the emulator: made with Google's client, seen over HTTP as anyone may."""

import asyncio
import base64
import json
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from patience import PATIENCE_S, until
from warmlead.buses.pubsub import PubSubBus
from warmlead.buses.topology import SCORE, SUBSCRIPTIONS, PushConfig, create_topology
from warmlead.domain.trigger import Topic
from warmlead.ports import Message


@pytest.fixture
def project() -> str:
    return f"test-{uuid.uuid4().hex[:16]}"


DEAD = [each.dead_letters for each in SUBSCRIPTIONS if each.attempts]


def pushes(url: str) -> dict[str, PushConfig]:
    """Where each function is pushed to: ``score`` at the URL, the others nowhere."""
    return {each.pushes_to: PushConfig("") for each in SUBSCRIPTIONS if each.pushes_to} | {
        SCORE.pushes_to: PushConfig(url)
    }


class Function:
    """A function that is pushed to; answers with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.pushed: list[dict[str, Any]] = []
        self.url = ""

    def bodies(self) -> list[str]:
        return [base64.b64decode(each["message"]["data"]).decode() for each in self.pushed]


@pytest.fixture
def function() -> Iterator[Function]:
    function = Function()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            function.pushed.append(json.loads(self.rfile.read(length)))
            self.send_response(function.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        function.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield function
        server.shutdown()
        thread.join()


def ask(emulator: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://{emulator}/v1/{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


async def publish(project: str, emulator: str, *texts: str) -> None:
    bus = PubSubBus(project, emulator=emulator, budget_s=PATIENCE_S, attempt_s=PATIENCE_S)
    messages = [Message(text.encode(), SCORE.wants) for text in texts]
    await bus.publish(Topic.LEAD_EVENTS, messages)
    await bus.close()


def test_creating_the_topology_is_idempotent(pubsub_emulator: str, project: str) -> None:
    for url in ("http://127.0.0.1:1/", "http://127.0.0.1:2/"):
        create_topology(project, pushes(url), emulator=pubsub_emulator)
    topics = ask(pubsub_emulator, f"projects/{project}/topics")["topics"]
    assert {each["name"].rpartition("/")[2] for each in topics} == {*Topic, *DEAD}
    made = ask(pubsub_emulator, f"projects/{project}/subscriptions")["subscriptions"]
    by_name = {each["name"].rpartition("/")[2]: each for each in made}
    assert by_name.keys() == {*(each.name for each in SUBSCRIPTIONS), *DEAD}
    assert by_name["score"]["pushConfig"]["pushEndpoint"] == "http://127.0.0.1:2/"
    assert by_name["score"]["ackDeadlineSeconds"] == 60
    assert by_name["quarantine"]["pushConfig"] == {}
    assert by_name["score-dead"]["topic"] == f"projects/{project}/topics/score-dead"


def test_events_are_pushed_with_what_they_are_filtered_by(
    pubsub_emulator: str, project: str, function: Function
) -> None:
    create_topology(project, pushes(function.url), emulator=pubsub_emulator)
    asyncio.run(publish(project, pubsub_emulator, "a", "b"))
    until(lambda: set(function.bodies()) == {"a", "b"})
    assert function.pushed[0]["message"]["attributes"] == dict(SCORE.wants)
    assert function.pushed[0]["subscription"] == f"projects/{project}/subscriptions/score"


def test_without_an_address_events_wait(
    pubsub_emulator: str, project: str, function: Function
) -> None:
    create_topology(project, pushes(""), emulator=pubsub_emulator)
    asyncio.run(publish(project, pubsub_emulator, "a"))
    create_topology(project, pushes(function.url), emulator=pubsub_emulator)
    until(lambda: function.bodies() == ["a"])


def test_a_message_refused_every_time_becomes_a_dead_letter(
    pubsub_emulator: str, project: str, function: Function
) -> None:
    create_topology(project, pushes(function.url), emulator=pubsub_emulator)
    function.status = 500
    asyncio.run(publish(project, pubsub_emulator, "a", "b", "c"))
    pull = f"projects/{project}/subscriptions/score-dead:pull"
    kept: set[bytes] = set()

    def everything_is_kept() -> bool:
        found = ask(pubsub_emulator, pull, {"maxMessages": 10, "returnImmediately": True})
        messages = [each["message"] for each in found.get("receivedMessages", [])]
        kept.update(base64.b64decode(message["data"]) for message in messages)
        return kept == {b"a", b"b", b"c"}

    until(everything_is_kept)
    assert len(function.pushed) >= 15


ACCEPTING = """
import asyncio, json, sys
from starlette.requests import Request
from warmlead.runtime import backends, functions

async def receive():
    return {"type": "http.request", "body": sys.argv[3].encode(), "more_body": False}

async def handled():
    headers = [(b"authorization", b"Basic bG9jYWw6"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": sys.argv[2], "query_string": b"",
             "headers": headers}
    answer = await getattr(functions, sys.argv[1])()(Request(scope, receive))
    await backends.bus().close()
    return answer.status_code

print(json.dumps([asyncio.run(handled()), sorted(sys.modules)]))
"""
HEAVY = (
    *("google.cloud.pubsub_v1", "google.pubsub_v1.services", "google.api_core", "google.auth"),
    *("google.cloud.firestore", "google.cloud.firestore_v1", "opentelemetry", "grpc_status"),
    *("cel_expr_python", "warmlead.model", "warmlead.stores", "warmlead.cli", "sqlite3"),
    *("warmlead.buses.sqlite", "warmlead.buses.topology", "warmlead.web.push"),
)


@pytest.mark.parametrize(
    ("function_name", "path", "body"),
    [
        ("forms", "/generic", '{"email": "ada@example.com"}'),
        ("track", "/v1/track", '{"anonymousId": "b-1", "event": "Demo Requested"}'),
    ],
)
def test_accepting_loads_neither_googles_clients_nor_a_database(
    pubsub_emulator: str, project: str, function_name: str, path: str, body: str
) -> None:
    create_topology(project, pushes(""), emulator=pubsub_emulator)
    done = subprocess.run(
        [sys.executable, "-c", ACCEPTING, function_name, path, body],
        env={
            "PUBSUB_EMULATOR_HOST": pubsub_emulator,
            "WARMLEAD_BACKEND": "gcp",
            "WARMLEAD_PROJECT": project,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    status, modules = json.loads(done.stdout)
    pull = f"projects/{project}/subscriptions/score:pull"
    (waiting,) = ask(pubsub_emulator, pull, {"maxMessages": 10})["receivedMessages"]
    assert status == 200
    assert waiting["message"]["attributes"]["type"] == "warmlead.lead_events.v1"
    assert {name for name in modules if name.startswith(HEAVY)} == set()
