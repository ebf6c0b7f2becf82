"""The script of Google Forms in the page of ``generic``, run by Node with Google's services."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.lacking import skip_or_fail
from senders.configured import forms_in
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.ports import RawRequest
from warmlead.senders.generic import GenericSource

PAGE = Path(__file__).parents[2] / "shared/warmlead/senders/generic/README.md"
SECRET = "a-secret-of-the-script-äöü"
FORM = {"signature": {"secrets": [SECRET]}, "time": "submitted_at", "event": "demo_requested"}

SERVICES = """
const crypto = require("node:crypto");
const asJava = (bytes) => [...bytes].map((byte) => (byte > 127 ? byte - 256 : byte));
const Utilities = {
  Charset: { UTF_8: "utf8" },
  computeHmacSha256Signature: (text, key, charset) =>
    asJava(crypto.createHmac("sha256", Buffer.from(key, charset))
      .update(Buffer.from(text, charset)).digest()),
  base64Encode: (bytes) => Buffer.from(bytes).toString("base64"),
};
const PropertiesService = {
  getScriptProperties: () => ({ getProperty: (name) => process.env[name] }),
};
const UrlFetchApp = { fetch: (address, options) =>
  console.log(JSON.stringify({ address, ...options })) };
"""
SUBMIT = """
const answers = JSON.parse(process.env.ANSWERS);
onFormSubmit({ response: {
  getId: () => "2_ABaOnuf7-x_Q",
  getTimestamp: () => new Date("2026-03-02T09:58:00Z"),
  getRespondentEmail: () => process.env.EMAIL,
  getItemResponses: () => Object.entries(answers).map(([title, value]) => ({
    getItem: () => ({ getTitle: () => title }), getResponse: () => value })),
} });
"""


def sent(answers: Mapping[str, object], email: str = "") -> RawRequest:
    """What the script posts when a form with these answers is submitted."""
    if not shutil.which("node"):
        skip_or_fail("there is no node on the PATH")
    script = PAGE.read_text().partition("```js\n")[2].partition("```")[0]
    environment = {"WARMLEAD_SECRET": SECRET, "ANSWERS": json.dumps(answers), "EMAIL": email}
    ran = subprocess.run(
        ["node", "-e", SERVICES + script + SUBMIT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    posted = json.loads(ran.stdout)
    assert posted["address"] == "https://HOST/forms/generic/google-form"
    assert posted["method"] == "post"
    headers = {**posted["headers"], "content-type": posted["contentType"]}
    now = datetime.now(UTC)
    body = posted["payload"].encode()
    return RawRequest("POST", "/generic/google-form", "", headers, body, now, "req")


FORMS = GenericSource(forms_in({"google-form": FORM}))


def event_of(request: RawRequest) -> Event:
    ((_, event),) = FORMS.translate(request, FORMS.verify(request)).events
    return event


def test_a_response_arrives_signed_with_its_answers_id_and_time() -> None:
    answers = {
        "Wie heißen Sie?": "Ada Ünal",
        "What is your company?": "Mühle",
        "Which?": ["A", "B"],
    }

    event = event_of(sent(answers, "ada@example.com"))

    assert (event.email, event.trust, event.name) == (
        "ada@example.com",
        Trust.SIGNED,
        "demo_requested",
    )
    assert event.id == "2_ABaOnuf7-x_Q"
    assert event.occurred_at == datetime(2026, 3, 2, 9, 58, tzinfo=UTC)
    assert event.traits["company"] == "Mühle"
    assert event.properties["which"] == ["A", "B"]


def test_a_question_for_the_address_will_do() -> None:
    assert event_of(sent({"What is your email?": "ada@example.com"})).email == "ada@example.com"


def test_a_changed_or_late_response_is_refused() -> None:
    request = sent({"Email": "ada@example.com"})

    for other in (
        replace(request, body=request.body + b" "),
        replace(request, received_at=request.received_at + timedelta(minutes=6)),
    ):
        with pytest.raises(RejectedError):
            FORMS.verify(other)
