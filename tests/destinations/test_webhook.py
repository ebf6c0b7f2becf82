"""Signed webhooks: verified as receivers verify them, repeated and given up as the page says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from builders import NOW
from receiver import BREAKS_OFF, Receiver
from warmlead.application.deliver import outgoing_of
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import AttemptResult, Gone, Postponed, Sent
from warmlead.domain.errors import ConfigurationError
from warmlead.messages.contract import MESSAGES, example_name
from warmlead.ports.dispatching import Destination, OutgoingMessage, UnansweredError
from warmlead.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "docs/messages"
OLD, NEW = "whsec_b2xkIHNlY3JldCBvZiBhIHRlc3Qh", "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Qh"


def example(kind: str) -> OutgoingMessage:
    return outgoing_of((EXAMPLES / example_name(kind)).read_bytes())


def destination(receiver: Receiver, *secrets: str, **more: object) -> Destination:
    section = {"to": "webhook", "url": f"{receiver.url}/hook", "allow_local": True}
    section |= {"secrets": list(secrets or (NEW,)), **more}
    return destinations_in({"zapier": section}, Settings())["zapier"]


@pytest.mark.parametrize("kind", MESSAGES)
async def test_every_message_is_verified_by_the_library_of_the_standard(
    receiver: Receiver, kind: str
) -> None:
    message = example(kind)
    assert await destination(receiver).send(message, datetime.now(UTC)) == Sent()
    [request] = receiver.requests
    assert Webhook(NEW).verify(request.body, dict(request.headers)) == json.loads(message.body)
    assert request.body == message.body
    assert request.headers["webhook-id"] == message.id
    assert request.headers["content-type"] == "application/cloudevents+json"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(request.body, dict(request.headers))


async def test_with_two_secrets_either_verifies(receiver: Receiver) -> None:
    sending = destination(receiver, NEW, OLD)
    await sending.send(example("warmlead.lead.alerted.v1"), datetime.now(UTC))
    [request] = receiver.requests
    for secret in (NEW, OLD):
        Webhook(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Sent()),
        (202, Sent()),
        (204, Sent()),
        (302, Postponed("it answered 302")),
        (400, Postponed("it answered 400")),
        (401, Postponed("it answered 401")),
        (404, Postponed("it answered 404")),
        (410, Gone("it answered 410")),
        (500, Postponed("it answered 500")),
        (503, Postponed("it answered 503")),
    ],
)
async def test_what_a_status_means(receiver: Receiver, status: int, result: AttemptResult) -> None:
    receiver.body = b"" if status == 204 else b"ada@example.com is nobody's business"
    receiver.answers = [status]
    assert await destination(receiver).send(example("warmlead.lead.alerted.v1"), NOW) == result


@pytest.mark.parametrize(
    ("asked", "pause_s"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ((NOW + timedelta(minutes=3)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 180.0),
        ((NOW - timedelta(minutes=3)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 90, 999_999_999.0),
        ("", None),
    ],
)
async def test_retry_after(receiver: Receiver, asked: str, pause_s: float | None) -> None:
    receiver.answers = [(429, {"Retry-After": asked})]
    result = await destination(receiver).send(example("warmlead.lead.alerted.v1"), NOW)
    assert result == Postponed("it answered 429", after_s=pause_s)


async def test_a_lost_answer_is_told_apart(receiver: Receiver) -> None:
    receiver.answers = [BREAKS_OFF]
    with pytest.raises(UnansweredError):
        await destination(receiver).send(example("warmlead.lead.alerted.v1"), NOW)


async def test_headers_are_added_and_cannot_take_the_place_of_ours(receiver: Receiver) -> None:
    sending = destination(receiver, headers={"Authorization": "Bearer x"})
    await sending.send(example("warmlead.lead.alerted.v1"), NOW)
    assert receiver.requests[0].headers["authorization"] == "Bearer x"
    for name in ("webhook-id", "Webhook-Signature", "Host", "Content-Length", "a b", ""):
        with pytest.raises(ConfigurationError, match="header"):
            destination(receiver, headers={name: "x"})
    with pytest.raises(ConfigurationError, match="ASCII"):
        destination(receiver, headers={"X-A": "a\r\nX-B: c"})


async def test_only_the_fields_that_are_named_are_sent(receiver: Receiver) -> None:
    paths = ["score", "lead.traits.company", "lead.email", "lead.traits.nothing", "promise"]
    sending = destination(receiver, fields=paths)
    message = example("warmlead.handoff.offered.v1")
    for _ in range(2):
        await sending.send(message, NOW)
    first, second = receiver.requests
    assert first.body == second.body
    event, whole = json.loads(first.body), json.loads(message.body)
    lead = whole["data"]["lead"]
    assert event.pop("data") == {
        "score": whole["data"].pop("score"),
        "lead": {"traits": {"company": lead["traits"]["company"]}, "email": lead["email"]},
    }
    whole.pop("data")
    assert event == whole


@pytest.mark.parametrize("paths", [["lead", "lead.email"], ["lead.email", "lead"]])
async def test_a_field_that_is_named_whole_is_sent_whole(
    receiver: Receiver, paths: list[str]
) -> None:
    message = example("warmlead.handoff.offered.v1")
    await destination(receiver, fields=paths).send(message, NOW)
    sent = json.loads(receiver.requests[0].body)
    assert sent["data"] == {"lead": json.loads(message.body)["data"]["lead"]}


def test_a_field_that_no_message_has_is_a_fault(receiver: Receiver) -> None:
    with pytest.raises(ConfigurationError, match="did you mean score"):
        destination(receiver, fields=["scor"])


async def test_only_what_is_selected_is_wanted(receiver: Receiver) -> None:
    chosen = destination(
        receiver, messages=["handoff.offered", "lead.alerted"], when='traits.country == "US"'
    )
    wanted = {kind for kind in MESSAGES if chosen.wants(example(kind))}
    assert wanted == {"warmlead.handoff.offered.v1", "warmlead.lead.alerted.v1"}
    nobody = destination(receiver, when='traits.country == "FR" && score > 3')
    assert not any(nobody.wants(example(kind)) for kind in MESSAGES)
    everything = destination(receiver)
    assert {kind for kind in MESSAGES if not everything.wants(example(kind))} == {
        "warmlead.kpi.reported.v1",
        "warmlead.model.drifted.v1",
    }
