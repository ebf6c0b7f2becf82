"""The libraries of Standard Webhooks, for Python and Node, verify what we sign, and we theirs."""

import base64
import json
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from e2e.node_clients import install_node_clients
from effort import examples
from kept_requests import KeptRequests
from patience import PATIENCE_S
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Sent
from warmlead.domain.errors import RejectedError
from warmlead.parsing.signatures import TOLERANCE_S, verify_standard_webhooks
from warmlead.ports.dispatching import OutgoingMessage
from warmlead.settings import Settings

BODIES = 2_500
"""In a thorough run; 1,000 in a standard one."""

TEXTS = (
    "",
    "Ada",
    "Zoë Müller — 東京 🚀",
    "<b>&amp;\u2028\u0000\\\"'",
    "\ufeff",
    "v1,",
    ".",
    "a\r\nb",
)


def a_value(chance: random.Random, depth: int = 0) -> Any:
    """A value of JSON, perhaps with others in it."""
    kind = chance.randrange(4 if depth > 2 else 6)
    if kind == 0:
        return chance.choice((None, True, False, 0, -1, 2**53, 0.1, 1e-9))
    if kind < 4:
        odd = "".join(chr(chance.choice((32, 127, 233, 8232, 65_533, 128_640))) for _ in range(3))
        return chance.choice(TEXTS) + odd
    names = [f"{chance.choice(TEXTS)}{number}" for number in range(chance.randrange(4))]
    if kind == 4:
        return {name: a_value(chance, depth + 1) for name in names}
    return [a_value(chance, depth + 1) for _ in names]


def a_body(chance: random.Random) -> bytes:
    indent, ascii_only = chance.choice((None, 1)), chance.random() < 0.5
    value = {"specversion": "1.0", "data": a_value(chance)}
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()


def a_secret(chance: random.Random) -> str:
    return (
        f"whsec_{base64.b64encode(chance.randbytes(chance.choice((1, 24, 32, 64, 65)))).decode()}"
    )


async def signed(body: bytes, id_: str, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers with which our destination sends a body."""
    outbound = KeptRequests()
    url = "https://example.com/hook"
    section = {"to": "webhook", "url": url, "secrets": list(secrets)}
    tool = destinations_in({"tool": section}, Settings(), outbound)["tool"]
    message = OutgoingMessage(
        id=id_, kind="warmlead.lead.updated.v1", at=at, lead_id="", body=body, data={}
    )
    assert await tool.send(message, at) == Sent()
    (request,) = outbound.sent
    assert request.body == body
    return dict(request.headers)


def changed(body: bytes, chance: random.Random) -> bytes:
    """Another body of the same length: a bit of one of its ASCII characters is flipped."""
    at = chance.choice([number for number, byte in enumerate(body) if byte < 128])
    return body[:at] + bytes([body[at] ^ 1 << chance.randrange(6)]) + body[at + 1 :]


def spoilt(
    headers: Mapping[str, str], body: bytes, chance: random.Random
) -> Iterator[tuple[dict[str, str], bytes]]:
    """The same with a changed body, id or time."""
    yield dict(headers), changed(body, chance)
    for name in ("webhook-id", "webhook-timestamp"):
        value = headers[name]
        yield {**headers, name: value[:-1] + str((int(value[-1], 16) + 1) % 10)}, body


def python_verifies(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True


def we_verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    try:
        verify_standard_webhooks(headers, body, secrets=[secret], now=now)
    except RejectedError:
        return False
    return True


class Node:
    """The library for Node in a process; it answers as many questions as it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def answers(self, questions: Sequence[Mapping[str, Any]]) -> list[Any]:
        lines = "".join(f"{json.dumps(each)}\n" for each in questions)
        done = subprocess.run(
            ["node", "webhooks.mjs"],
            cwd=self._folder,
            input=lines,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def node() -> Node:
    return Node(install_node_clients())


async def test_both_libraries_verify_what_we_sign_and_nothing_that_was_changed(node: Node) -> None:
    chance, now = random.Random(20_261_130), datetime.now(UTC)
    questions, expected = [], []
    for number in range(examples(BODIES)):
        body, secrets = a_body(chance), [a_secret(chance) for _ in range(1 + number % 2)]
        headers = await signed(body, chance.randbytes(16).hex(), secrets, now)
        told = {name: value for name, value in headers.items() if name.startswith("webhook-")}
        for secret in secrets:
            whole = [(told, body, True)]
            whole += [(*each, False) for each in spoilt(told, body, chance)]
            for said, content, good in whole:
                assert python_verifies(secret, said, content) is good
                assert we_verify(secret, said, content, now) is good
                questions.append({"secret": secret, "headers": said, "body": content.decode()})
                expected.append(good)
        other = a_secret(chance)
        assert not python_verifies(other, told, body)
        questions.append({"secret": other, "headers": told, "body": body.decode()})
        expected.append(False)

    assert node.answers(questions) == expected
    assert expected.count(True) >= examples(BODIES)


def test_we_verify_what_both_libraries_sign(node: Node) -> None:
    chance, now = random.Random(20_261_201), datetime.now(UTC).replace(microsecond=0)
    made = []
    for _ in range(examples(BODIES)):
        at = now + timedelta(seconds=chance.randint(-TOLERANCE_S, TOLERANCE_S))
        made.append((a_secret(chance), a_body(chance), f"msg_{chance.randbytes(9).hex()}", at))
    asked = [
        {"secret": secret, "body": body.decode(), "id": id_, "at": int(at.timestamp())}
        for secret, body, id_, at in made
    ]
    for (secret, body, id_, at), by_node in zip(made, node.answers(asked), strict=True):
        assert by_node == Webhook(secret).sign(id_, at, body.decode())
        told = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": by_node,
        }
        assert we_verify(secret, told, body, now)
        assert not we_verify(secret, told, changed(body, chance), now)
        assert not we_verify(secret, told, body, at + timedelta(seconds=TOLERANCE_S + 1))


def test_a_time_outside_five_minutes_is_refused_by_all(node: Node) -> None:
    secret, body, now = a_secret(random.Random(1)), b"{}", datetime.now(UTC)
    for off_by in (timedelta(minutes=-6), timedelta(minutes=6)):
        at = now + off_by
        told = {
            "webhook-id": "one",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign("one", at, body.decode()),
        }
        assert node.answers([{"secret": secret, "headers": told, "body": "{}"}]) == [False]
        assert not python_verifies(secret, told, body)
        assert not we_verify(secret, told, body, now)
