"""Who said no in any vendor's words is written to no more, and every tool is told so."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from patience import until
from served import Served, serving

MODEL = """\
signals:
  demo_requested: {on: demo_requested, points: 40, half_life: 60d}
stages:
  mql: {enter: score >= 40, leave: score < 5 || mail_refused, bypass: [demo_requested]}
handoff: {first_touch_within: 1h, accept_within: 24h}
sequences:
  education:
    start: stage == "mql"
    stop: stage == "sql"
    again_after: 1d
    steps: [{after: 0d, message: welcome}, {after: 3d, message: study}]
"""
SECRET, PUBLIC = "of-our-servers", "of-the-page"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "model.yaml").write_text(MODEL)
    model, keys = str(tmp_path / "model.yaml"), f"{PUBLIC},{SECRET}:signed"
    with serving(tmp_path / "data", WARMLEAD_MODEL=model, WARMLEAD_WRITE_KEYS=keys) as it:
        yield it


class Person:
    """Somebody of whom Segment's clients send events, one after the other."""

    def __init__(self, server: Served, name: str) -> None:
        self.email = f"{name}@example.com"
        self.sent = 0
        self._server = server

    def tells(self, event: str, key: str = SECRET, **properties: Any) -> None:
        """A track call in Segment's words."""
        self.sent += 1
        call = {
            "type": "track",
            "messageId": f"{self.email}-{self.sent}",
            "event": event,
            "userId": self.email,
            "context": {"traits": {"email": self.email}},
            "properties": properties,
        }
        body = json.dumps({"batch": [call]}).encode()
        basic = base64.b64encode(f"{key}:".encode()).decode()
        status, _ = self._server.post("/v1/batch", body, {"Authorization": f"Basic {basic}"})
        assert status == 200

    def is_counted(self) -> bool:
        """Whether all that was sent has been counted."""
        shown = self.shown()
        return shown is not None and sum(shown["events"].values()) == self.sent

    def shown(self) -> dict[str, Any] | None:
        return self._server.lead(self.email)

    def consent(self) -> dict[str, Any]:
        shown = self.shown()
        assert shown
        consent: dict[str, Any] = shown["consent"]
        return consent


def messages_to(server: Served, person: Person) -> list[dict[str, Any]]:
    """What tools were told of somebody, in order."""
    events = [trigger.get("event", trigger) for trigger in server.json("triggers")]
    return [event for event in events if event["data"]["lead"]["email"] == person.email]


def steps_to(server: Served, person: Person) -> list[str]:
    due = [m for m in messages_to(server, person) if m["type"] == "warmlead.nurture.step_due.v1"]
    return [message["data"]["message"] for message in due]


def test_segments_unsubscribe_event_ends_the_sequence(server: Served) -> None:
    ann, bob, cyd, dan = (Person(server, name) for name in ("ann", "bob", "cyd", "dan"))
    for person in (ann, bob, cyd, dan):
        person.tells("Demo Requested", PUBLIC)
    for person in (ann, bob, cyd, dan):
        until(person.is_counted)  # so that all have been welcomed
    bob.tells("Unsubscribed", PUBLIC, list_name="News")
    cyd.tells("Email Marked as Spam")
    dan.tells("Email Marked as Spam", PUBLIC)  # a stranger's word
    for person in (bob, cyd, dan):
        until(person.is_counted)

    in_four_days = (datetime.now(UTC) + timedelta(days=4)).isoformat()
    assert server.command("run", "followup", "--as-of", in_four_days).returncode == 0

    assert steps_to(server, ann) == ["welcome", "study"]
    assert steps_to(server, bob) == ["welcome"]
    assert steps_to(server, cyd) == ["welcome"]
    assert steps_to(server, dan) == ["welcome", "study"]
    consent = bob.consent()
    assert (consent["status"], consent["may_be_mailed"]) == ("unsubscribed", False)
    assert consent["decided_by"]["trust"] == "public"
    assert (consent["decided_by"]["source"], consent["decided_by"]["mailing_list"]) == (
        "segment",
        "News",
    )
    assert [each["cause"] for each in dan.consent()["statements"]] == ["complained"]
    assert dan.consent()["may_be_mailed"]
    shown = server.command("lead", "show", bob.email).stdout
    assert "unsubscribed, must not be mailed" in shown
    assert "must not be mailed" in server.command("lead", "explain", bob.email).stdout


def test_sales_is_told_of_a_refusal_and_a_later_word_lifts_it(server: Served) -> None:
    ann = Person(server, "ann")
    ann.tells("Unsubscribed", PUBLIC)
    ann.tells("Demo Requested", PUBLIC)
    until(ann.is_counted)

    told = messages_to(server, ann)
    kinds = [message["type"] for message in told]
    assert kinds == ["warmlead.lead.stage_entered.v1", "warmlead.handoff.offered.v1"]
    for message in told:
        consent = message["data"]["lead"]["consent"]
        assert (consent["status"], consent["may_be_mailed"]) == ("unsubscribed", False)
        assert (consent["cause"], consent["trust"]) == ("unsubscribed", "public")
    shown = ann.shown()
    assert shown
    assert shown["stage"] == "mql"  # a bypass outweighs `leave`

    ann.tells("Newsletter Subscribed", PUBLIC)
    until(ann.is_counted)
    assert ann.consent()["status"] == "subscribed"
    assert steps_to(server, ann) == ["welcome"]
    exported = json.loads(server.command("lead", "export", ann.email).stdout)
    (identifier,) = (i for i in exported["lead"]["identifiers"] if i["consent"])
    assert [each["cause"] for each in identifier["consent"]] == ["unsubscribed", "subscribed"]
