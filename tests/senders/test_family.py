"""Every sender of signed webhooks against its fixtures, settings and page: one suite for all."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from senders.configured import FIXTURES, USING, file_of, sampled, sender_of
from senders.test_conformance import SENDERS, fixture, json_values
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.model.vocabulary import STANDARD_EVENTS
from warmlead.ports import RawRequest, Translation
from warmlead.runtime.table import MAIL
from warmlead.senders.forms import NOTHING_TO_KEEP
from warmlead.senders.proofs import EitherProof, KeyInBody, Proof, StandardWebhooks
from warmlead.senders.registry import REGISTRY, by_name, section_name, senders_in
from warmlead.senders.submission import FORM_SUBMITTED
from warmlead.senders.webhooks import WebhookSender
from warmlead.web.answers import STATUS

FAMILY = {name: one for name, one in SENDERS.items() if isinstance(one, WebhookSender)}
OWN = [path for path in FIXTURES if sender_of(path) in FAMILY]
PAGES = Path(__file__).parents[2] / "shared/warmlead/senders"
each_fixture = pytest.mark.parametrize("path", sampled(OWN))
each_sender = pytest.mark.parametrize("name", sorted(FAMILY))


def case(path: Path) -> tuple[WebhookSender, RawRequest, dict[str, Any]]:
    _, request, said = fixture(path)
    return FAMILY[sender_of(path)], request, said


@cache
def with_secrets(name: str, *secrets: str) -> WebhookSender:
    """The sender with other secrets, configured otherwise as in its fixtures."""
    registration = by_name(name)
    section = {**settings_of(name), "secrets": list(secrets)}
    made = senders_in(registration.function, {section_name(registration): section}, USING)
    sender = made.by_path[registration.path]
    assert isinstance(sender, WebhookSender)
    return sender


def status_of(sender: WebhookSender, request: RawRequest) -> int:
    """The status of a request that is not trusted; 200 if it is."""
    try:
        sender.verify(request)
    except RejectedError as error:
        return STATUS[Reason(error.reason)]
    return 200


def proof_of(sender: WebhookSender, request: RawRequest) -> Proof:
    """The proof that a request is held to."""
    proof = sender.proof
    return proof.of(request) if isinstance(proof, EitherProof) else proof


def bare(request: RawRequest, sender: WebhookSender) -> RawRequest:
    """The request without any proof."""
    body = request.body
    if isinstance(sender.proof, KeyInBody) and not body.startswith(b"{"):
        body = body.replace(b"signature", b"another_field")
    elif isinstance(sender.proof, KeyInBody):
        value = json.loads(body)
        value.pop(sender.proof.field)
        body = json.dumps(value).encode()
    kept = {"content-type": request.headers.get("content-type", "")}
    return replace(request, query="", headers=kept, body=body)


@each_fixture
def test_a_fixture_is_signed_and_its_proof_is_demanded(path: Path) -> None:
    """``trust`` of a fixture is that of its content, if a tool hands on what anybody may say."""
    sender, request, said = case(path)

    assert sender.verify(request) is Trust(said.get("trust", Trust.SIGNED))
    assert status_of(sender, bare(request, sender)) == 401


@each_fixture
def test_another_secret_is_refused_and_each_of_two_is_valid(path: Path) -> None:
    sender, request, _ = case(path)
    secret = settings_of(sender.name)["secrets"][0]

    stranger = with_secrets(sender.name, FOREIGN)
    assert status_of(stranger, request) == 401
    assert with_secrets(sender.name, FOREIGN, secret).verify(request) is sender.verify(request)


FOREIGN = "whsec_dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNl"


@each_fixture
def test_a_changed_byte_is_noticed_wherever_the_body_is_signed(path: Path) -> None:
    sender, request, _ = case(path)
    if not proof_of(sender, request).covers_body:
        assert any(word in sender.profile.proof for word in ("secret", "body", "`"))
        return
    for at in {0, len(request.body) // 2, len(request.body) - 1}:
        changed = bytearray(request.body)
        changed[at] ^= 1
        assert status_of(sender, replace(request, body=bytes(changed))) == 401


@each_fixture
def test_a_request_of_six_minutes_ago_is_refused_where_its_time_is_signed(path: Path) -> None:
    sender, request, _ = case(path)
    expected = 401 if proof_of(sender, request).covers_time else 200

    for shift in (timedelta(minutes=6), -timedelta(minutes=6)):
        later = replace(request, received_at=request.received_at + shift)
        assert status_of(sender, later) == expected


@each_fixture
def test_who_tries_the_address_is_answered_only_with_proof(path: Path) -> None:
    """``handshake`` of a fixture is the JSON that the answer holds; all others have none."""
    sender, request, said = case(path)

    greeting = sender.handshake(request)

    assert (json.loads(greeting.body) if greeting else None) == said.get("handshake")
    if greeting:
        for stranger in (bare(request, sender), replace(request, path="/elsewhere")):
            with pytest.raises(RejectedError):
                sender.handshake(stranger)
        with pytest.raises(RejectedError):
            with_secrets(sender.name, FOREIGN).handshake(request)
        known = settings_of(sender.name)["secrets"][0]
        both = with_secrets(sender.name, FOREIGN, known).handshake(request)
        assert both == greeting, "the secret that signed the request signs the answer"


@pytest.mark.parametrize("half", ["\\ud800", "\udcff"], ids=["escaped", "as a byte"])
@each_fixture
def test_half_a_surrogate_in_what_tries_the_address_is_answered(path: Path, half: str) -> None:
    sender, request, _ = case(path)
    if sender.handshake(request) is None or not request.body.startswith(b"{"):
        return
    value = json.loads(request.body)
    texts = [one for one in values_in(value) if isinstance(one[0][one[1]], str)]
    assert texts
    for container, place in texts:
        whole = container[place]
        container[place] = f"{whole[:3]}@{whole[3:]}"
        body = json.dumps(value).replace("@", half, 1).encode("utf-8", "surrogateescape")
        container[place] = whole
        odd = replace(request, body=body)
        odd = replace(odd, headers={**odd.headers, **lowered(sender.sign(odd))})
        try:
            greeting = sender.handshake(odd)
        except RejectedError:
            continue
        assert greeting is None or json.loads(greeting.body)


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@each_fixture
def test_fields_of_tomorrow_change_nothing(path: Path) -> None:
    sender, request, said = case(path)
    try:
        value = json.loads(request.body)
    except ValueError:
        return  # a form: its fields are the person's
    items = value if isinstance(value, list) else [value]
    for item in items:
        item["a_field_of_tomorrow"] = {"email": "nobody@example.com", "name": "Nobody"}
    grown = replace(request, body=json.dumps(value).encode())

    found = [event for _, event in sender.translate(grown, Trust.SIGNED).events]

    assert [event.name for event in found] == [one["name"] for one in said["expected"]]
    assert [event.email for event in found] == [one.get("email") for one in said["expected"]]


@each_sender
def test_each_of_two_proofs_has_a_fixture(name: str) -> None:
    proof = FAMILY[name].proof
    if isinstance(proof, EitherProof):
        shown = [proof.of(case(path)[1]) for path in OWN if sender_of(path) == name]
        assert proof.first in shown
        assert proof.second in shown


@each_sender
def test_every_event_that_a_sender_declares_has_a_fixture(name: str) -> None:
    expected = {
        event["name"]
        for path in OWN
        if sender_of(path) == name
        for event in json.loads(path.read_text())["expected"]
    }
    declared = {event for event in FAMILY[name].meanings.values() if event}
    if FORM_SUBMITTED in declared:  # the settings may name it otherwise
        assert expected - declared or FORM_SUBMITTED in expected
        declared.discard(FORM_SUBMITTED)
    assert declared <= expected
    assert declared <= STANDARD_EVENTS.keys(), "an event that no model knows"


@each_sender
def test_the_page_of_a_sender_agrees_with_its_code(name: str) -> None:
    sender, registration = FAMILY[name], by_name(name)
    page = (PAGES / name / "README.md").read_text()

    assert registration.path == sender.path
    assert f"/{registration.function}/{sender.path}" in page
    for kind, event in sender.meanings.items():
        assert f"`{kind}`" in page, f"what becomes of {kind}?"
        assert event is None or f"`{event}`" in page
    for code in sender.proof.in_words.split("`")[1::2]:
        assert f"`{code}`" in page
    for ours, theirs in sender.statuses.items():
        assert str(ours) in page or str(theirs) in page, "which status makes it stop?"
    for heading in ("## At ", "## Settings", "## What it sends", "## Counting once"):
        assert f"\n{heading}" in page, heading
    assert "`…`" not in page, "it is to be filled in"


@each_sender
def test_the_settings_that_a_page_shows_are_valid(name: str) -> None:
    registration = by_name(name)
    page = (PAGES / name / "README.md").read_text()
    shown = page.partition("\n## Settings\n")[2].partition("```yaml\n")[2].partition("```")[0]

    for text in (shown, re.sub(r"(?m)^  # ", "  ", shown)):
        section = yaml.safe_load(text)
        assert section.keys() == {section_name(registration)}
        assert senders_in(registration.function, section, USING).by_path[registration.path]


@each_sender
def test_the_settings_of_a_page_change_the_meaning_of_nothing_if_they_are_copied(name: str) -> None:
    """What changes it stands behind ``#``, since a page is copied as a whole."""
    registration = by_name(name)
    page = (PAGES / name / "README.md").read_text()
    shown = page.partition("\n## Settings\n")[2].partition("```yaml\n")[2].partition("```")[0]

    section = yaml.safe_load(shown)[section_name(registration)]

    assert not section.get("events", {}).keys() & FAMILY[name].meanings.keys()
    assert not section.keys() & {"test_mode", "email"}


@each_sender
def test_a_sender_says_what_the_list_of_senders_needs(name: str) -> None:
    profile = FAMILY[name].profile
    assert all((profile.proof, profile.once, profile.retries, profile.events))


@each_sender
def test_a_path_that_is_nobodys_is_refused_and_a_get_too(name: str) -> None:
    sender = FAMILY[name]
    _, request, _ = case(next(path for path in OWN if sender_of(path) == name))

    for other in ("/", f"/{sender.path}/a/b", f"/{sender.path}x", f"/x/{sender.path}"):
        assert status_of(sender, replace(request, path=other)) == 404
    if sender.handshake(replace(request, method="GET", query="")) is None:
        assert status_of(sender, replace(request, method="GET")) == 405


def values_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value, with each of its keys or places."""
    if isinstance(value, dict):
        yield from ((value, key) for key in value)
    if isinstance(value, list):
        yield from ((value, place) for place in range(len(value)))
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from values_in(part)


BODIES = [path for path in OWN if str(json.loads(path.read_text())["body"])[:1] in ("{", "[")]


def kept_by(sender: WebhookSender, request: RawRequest) -> Translation | None:
    """What becomes of a request; ``None`` if there is nothing in it that could be kept.

    All else is an event or in quarantine, because the tool cannot mend it.
    """
    with suppress(RejectedError):
        return sender.translate(request, Trust.SIGNED)
    with pytest.raises(RejectedError) as raised:
        sender.translate(request, Trust.SIGNED)
    assert raised.value.reason in NOTHING_TO_KEEP
    return None


@given(st.data())
@settings(max_examples=examples(600))
def test_any_value_at_any_place_ends_in_events_refusals_or_a_rejection(data: st.DataObject) -> None:
    sender, request, _ = case(data.draw(st.sampled_from(BODIES)))
    value = json.loads(request.body)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(values_in(value))
        if not places:
            break
        container, place = data.draw(st.sampled_from(places))
        container[place] = data.draw(json_values)
    odd = replace(request, body=json.dumps(value).encode())

    translation = kept_by(sender, odd)
    if translation is None:
        return
    for _, event in translation.events:
        msgspec.json.encode(event)
    assert sender.answer(odd, translation.accepted).status == 200
    for one in translation.refused:
        one.raw.decode()


@pytest.mark.slow
def test_no_event_of_the_family_depends_on_the_delivery() -> None:
    for path in OWN:
        sender, request, _ = case(path)
        again = replace(
            request, request_id="another", received_at=request.received_at + timedelta(minutes=3)
        )
        first, second = (ids(sender, each) for each in (request, again))
        assert first == second, path.stem


def ids(sender: WebhookSender, request: RawRequest) -> list[str]:
    events = [event for _, event in sender.translate(request, Trust.SIGNED).events]
    assert not [event.id for event in events if event.id.startswith("req")]
    return [event.key for event in events]


def test_the_family_is_in_the_registry() -> None:
    assert FAMILY.keys() <= {each.name for each in REGISTRY}


def settings_of(name: str) -> Mapping[str, Any]:
    registration = by_name(name)
    section: Mapping[str, Any] = file_of(registration.function)[section_name(registration)]
    return section


OF_SERVERS = ("stripe", "chat", "ga4")
"""Senders whose requests an owner's own server makes, or answers for."""

_SEEN = re.compile(r"(meeting|webinar|email)_.*|video_watched")


@pytest.mark.parametrize("path", sampled(path for path in OWN if sender_of(path) not in OF_SERVERS))
def test_nothing_that_a_visitor_types_is_signed(path: Path) -> None:
    """What is signed is an event that the tool saw, without traits; all else is public."""
    sender, request, _ = case(path)
    is_of_mail = by_name(sender.name).function == MAIL.name
    for _, event in sender.translate(request, sender.verify(request)).events:
        if event.trust is Trust.SIGNED:
            assert _SEEN.fullmatch(event.name)
            assert event.traits == {}
            assert event.user_id is None or (is_of_mail and event.email is None)


@each_fixture
def test_a_header_that_nobody_signed_makes_no_other_event_of_a_post(path: Path) -> None:
    sender, request, _ = case(path)
    if isinstance(sender.proof, StandardWebhooks):
        return

    def ids(key: str) -> list[str]:
        headers = {**request.headers, "idempotency-key": key}
        asked = replace(request, headers=headers)
        return [event.id for _, event in sender.translate(asked, Trust.SIGNED).events]

    assert ids("one") == ids("another")
