import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from msgspec import structs

from cost import assert_within
from senders.configured import forms_in
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError
from warmlead.domain.event import MAX_AGE, Automation, Event, Trust
from warmlead.parsing.signatures import HmacScheme, sign_standard_webhooks
from warmlead.ports import RawRequest, Refused
from warmlead.senders.generic import FormSettings, GenericSource
from warmlead.senders.registry import senders_of
from warmlead.settings import Settings
from warmlead.web.answers import Answer

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SCHEME = HmacScheme(header="X-Form-Signature", prefix="sha256=")
FORMS = GenericSource(
    forms_in(
        {
            "generic": {"allow_unsigned": True},
            "open": {"allow_unsigned": True},
            "signed": {"signature": {"secrets": [SECRET]}},
            "either": {"signature": {"secrets": [SECRET]}, "allow_unsigned": True},
            "hashed": {
                "signature": {
                    "scheme": "hmac",
                    "secrets": ["old", "new"],
                    "hmac": {"header": "X-Form-Signature", "prefix": "sha256="},
                }
            },
            "mapped": {
                "allow_unsigned": True,
                "event": "webinar_registered",
                "email": "contact[mail]",
                "user_id": "member",
                "anonymous_id": "_visitor",
                "id": "entry",
                "time": "_at",
                "traits": {"size": "employees", "title": "salutation"},
                "ignore": ["notes", "internal[flag]"],
                "honeypot": "fax",
            },
            "keyed": {"secrets": ["first-key", "second-key"]},
            "keyed-or-open": {"secrets": ["first-key"], "allow_unsigned": True},
            "redirecting": {
                "allow_unsigned": True,
                "redirect": "https://shop.example/thanks",
                "redirect_hosts": ["shop.example", "localhost"],
            },
        }
    )
)


def post(body: object, name: str = "open", **headers: str) -> RawRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawRequest("POST", f"/generic/{name}", "", headers, raw, NOW, "req")


def only_event(body: object, name: str = "open", **headers: str) -> Event:
    translation = FORMS.translate(post(body, name, **headers), Trust.PUBLIC)
    assert not translation.refused, translation.refused[0].error
    ((_, event),) = translation.events
    return event


def reason_of(function: Callable[..., Any], request: RawRequest, *trust: Trust) -> Reason:
    with pytest.raises(RejectedError) as refusal:
        function(request, *trust)
    return refusal.value.reason


def refusal_of(body: object, name: str = "open", **headers: str) -> Refused:
    (one,) = FORMS.translate(post(body, name, **headers), Trust.PUBLIC).refused
    return one


def refused_as(body: object, name: str = "open", **headers: str) -> Reason:
    return refusal_of(body, name, **headers).error.reason


def answer_to(request: RawRequest) -> Answer:
    return FORMS.answer(request, FORMS.translate(request, Trust.PUBLIC).accepted)


def kept_of(body: object, name: str = "open", **headers: str) -> object:
    """What goes to quarantine."""
    return json.loads(refusal_of(body, name, **headers).raw)


# --- who may post ---

BODY = b'{"email": "ada@example.com"}'
SIGNED = sign_standard_webhooks(BODY, message_id="msg-1", at=NOW, secret=SECRET)
HASHED = {"x-form-signature": SCHEME.sign(BODY, "new")}


@pytest.mark.parametrize(
    ("name", "headers", "trust"),
    [
        ("open", {}, Trust.PUBLIC),
        ("open", SIGNED, Trust.PUBLIC),
        ("signed", SIGNED, Trust.SIGNED),
        ("either", SIGNED, Trust.SIGNED),
        ("either", {}, Trust.PUBLIC),
        ("hashed", HASHED, Trust.SIGNED),
    ],
)
def test_a_form_accepts_the_signature_that_its_settings_name(
    name: str, headers: dict[str, str], trust: Trust
) -> None:
    request = post(BODY, name, **headers)

    verified = FORMS.verify(request)

    assert FORMS.translate(request, verified).events[0][1].trust is trust


@pytest.mark.parametrize(
    ("name", "headers", "body", "reason"),
    [
        ("signed", {}, BODY, Reason.SIGNATURE_MISSING),
        ("hashed", {}, BODY, Reason.SIGNATURE_MISSING),
        ("signed", SIGNED, BODY + b" ", Reason.SIGNATURE_INVALID),
        ("either", SIGNED, BODY + b" ", Reason.SIGNATURE_INVALID),
        ("hashed", HASHED, BODY + b" ", Reason.SIGNATURE_INVALID),
        ("signed", HASHED, BODY, Reason.SIGNATURE_MISSING),
        ("nobody-made-it", {}, BODY, Reason.NOT_FOUND),
        ("Open", {}, BODY, Reason.NOT_FOUND),
        ("open/more", {}, BODY, Reason.NOT_FOUND),
    ],
)
def test_any_other_signature_is_refused(
    name: str, headers: dict[str, str], body: bytes, reason: Reason
) -> None:
    assert reason_of(FORMS.verify, post(body, name, **headers)) is reason


BASIC = {"authorization": "Basic " + base64.b64encode(b"any:second-key").decode()}


@pytest.mark.parametrize(
    ("name", "query", "headers", "trust"),
    [
        ("keyed", "key=first-key", {}, Trust.SIGNED),
        ("keyed", "a=b&key=second-key", {}, Trust.SIGNED),
        ("keyed", "", {"authorization": "Bearer first-key"}, Trust.SIGNED),
        ("keyed", "", BASIC, Trust.SIGNED),
        ("keyed-or-open", "key=first-key", {}, Trust.SIGNED),
        ("keyed-or-open", "", {}, Trust.PUBLIC),
        ("keyed", "", {}, Reason.SIGNATURE_MISSING),
        ("keyed", "", SIGNED, Reason.SIGNATURE_MISSING),
        ("keyed", "key=", {}, Reason.SIGNATURE_MISSING),
        ("keyed", "key=third-key", {}, Reason.SIGNATURE_INVALID),
        ("keyed", "Key=first-key", {}, Reason.SIGNATURE_MISSING),
        ("keyed-or-open", "key=second-key", {}, Reason.SIGNATURE_INVALID),
        ("keyed-or-open", "", BASIC, Reason.SIGNATURE_INVALID),
    ],
)
def test_a_form_of_a_tool_that_signs_nothing_demands_its_secret(
    name: str, query: str, headers: dict[str, str], trust: Trust | Reason
) -> None:
    request = replace(post(BODY, name, **headers), query=query)

    if isinstance(trust, Reason):
        assert reason_of(FORMS.verify, request) is trust
    else:
        assert FORMS.verify(request) is trust
        assert FORMS.sign(request) == (
            {} if query or headers else {"Authorization": "Bearer first-key"}
        )


def test_a_form_has_one_kind_of_proof() -> None:
    both = {"signature": {"secrets": [SECRET]}, "secrets": ["x" * 20]}

    with pytest.raises(ConfigurationError) as fault:
        forms_in({"a": both, "b": {"secrets": []}})

    assert [problem.partition(":")[0] for problem in fault.value.problems] == ["a", "b.secrets"]


def test_a_form_made_for_formspree_needs_another_host_only() -> None:
    request = replace(post({"_replyto": "ada@example.com"}), path="/f/open")

    ((_, event),) = FORMS.translate(request, FORMS.verify(request)).events

    assert (event.email, event.properties) == ("ada@example.com", {"form": "open"})
    for path in ("/f", "/f/", "/f/open/more", "/fopen", "/generic/f/open", "/f/nobody-made-it"):
        assert reason_of(FORMS.verify, replace(request, path=path)) is Reason.NOT_FOUND


def test_an_old_signature_has_expired() -> None:
    late = replace(post(BODY, "signed", **SIGNED), received_at=NOW + timedelta(seconds=301))

    assert reason_of(FORMS.verify, late) is Reason.SIGNATURE_EXPIRED


def test_a_form_without_a_signature_setting_accepts_nothing() -> None:
    with pytest.raises(ValueError, match="give a signature"):
        FormSettings(signature=None)
    closed = FormSettings(allow_unsigned=True)
    structs.force_setattr(closed, "allow_unsigned", False)  # whoever made it, however it was made

    assert reason_of(GenericSource({"open": closed}).verify, post(BODY)) is Reason.FORBIDDEN


def test_a_form_without_settings_uses_those_of_unconfigured_forms() -> None:
    local = GenericSource({}, unconfigured=FormSettings(allow_unsigned=True))

    local.verify(post(BODY, "anything"))
    assert local.translate(post(BODY, "anything"), Trust.PUBLIC).events[0][1].properties == {
        "form": "anything"
    }


def test_forms_are_posted() -> None:
    assert reason_of(FORMS.verify, replace(post(b""), method="GET")) is Reason.METHOD_NOT_ALLOWED


# --- bodies ---


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY, "application/json"),
        (BODY, "application/vnd.api+json; charset=utf-8"),
        (BODY, "application/x-www-form-urlencoded"),
        (BODY, "text/plain;charset=UTF-8"),
        (BODY, "application/octet-stream"),
        (BODY, ""),
        (b"\xef\xbb\xbf \n" + BODY, "text/plain"),
        (b"email=ada%40example.com", "application/x-www-form-urlencoded"),
        (b"email=ada%40example.com&a=b", "text/plain"),
        (b"email=ada@example.com\r\n", "text/plain"),
        (b"email=ada%40example.com", ""),
        (
            b'--B\r\nContent-Disposition: form-data; name="email"\r\n\r\nada@example.com\r\n--B--',
            "multipart/form-data; boundary=B",
        ),
        (
            b'--B\r\nContent-Disposition: form-data; name="email"\r\n\r\nada@example.com\r\n--B--',
            "",
        ),
        (b"email=ada%40example.com", "application/json"),
        (b"email=ada%40example.com", "application/octet-stream"),
        (b"[Contact]\r\nemail=ada@example.com\r\n", "text/plain"),
    ],
)
def test_the_body_decides_over_its_content_type(body: bytes, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}

    assert only_event(body, **headers).email == "ada@example.com"


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "application/json", Reason.BODY_EMPTY),
        (b" \n", "", Reason.BODY_EMPTY),
        (b"[]", "", Reason.BODY_EMPTY),
        (b"[" + b"1," * 100 + b"1]", "", Reason.TOO_MANY_EVENTS),
        (b"\x89PNG\0", "image/png", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"{}", "", Reason.EVENT_INVALID),
        (b'{"a": ""}', "", Reason.EVENT_INVALID),
        (b'{"password": "x"}', "", Reason.EVENT_INVALID),
    ],
)
def test_a_body_with_nothing_to_keep_is_refused_without_quarantine(
    body: bytes, content_type: str, reason: Reason
) -> None:
    request = post(body, **{"content-type": content_type})

    assert reason_of(FORMS.translate, request, Trust.PUBLIC) is reason


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b'{"a"', "application/x-www-form-urlencoded", Reason.JSON_INVALID),
        (b'{"email": "ada@example.com", "name": "Ad', "", Reason.JSON_INVALID),
        (b"words", "application/json", Reason.JSON_INVALID),
        (b'"text"', "application/json", Reason.EVENT_INVALID),
        (b"[" * 300, "", Reason.JSON_TOO_DEEP),
        (b"<a/>", "application/xml", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"words", "", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"ada@example.com wants a demo", "text/plain", Reason.FORM_INVALID),
        (b"x", "multipart/form-data", Reason.FORM_INVALID),
    ],
)
def test_an_unreadable_body_goes_to_quarantine_unchanged(
    body: bytes, content_type: str, reason: Reason
) -> None:
    request = post(body, **{"content-type": content_type})
    translation = FORMS.translate(request, Trust.PUBLIC)

    assert [(one.error.reason, one.raw) for one in translation.refused] == [(reason, body)]
    assert translation.keeps_refused
    answer = FORMS.answer(request, translation.accepted)
    assert answer.status in (400, 415)
    assert json.loads(answer.body)["code"] == reason
    assert "quarantine replay" in json.loads(answer.body)["message"]


def test_quarantine_keeps_the_beginning_of_a_large_unreadable_body() -> None:
    (one,) = FORMS.translate(post(b"{" + b"x" * 900_000), Trust.PUBLIC).refused

    assert len(one.raw) == 64 * 1024


def test_an_unreadable_body_with_a_password_leaves_only_its_addresses_in_quarantine() -> None:
    body = b'{"email": "ada@example.com", "password": "secret", "to": "<bob@example.com>", '

    (one,) = FORMS.translate(post(body), Trust.PUBLIC).refused

    assert b"secret" not in one.raw
    assert one.raw.endswith(b"ada@example.com, bob@example.com")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([5], Reason.EVENT_INVALID),
        ({"name": "Ada"}, Reason.IDENTITY_MISSING),
        ({"email": "ada@"}, Reason.EMAIL_INVALID),
        ({"email": ["", "ada@", None]}, Reason.EMAIL_INVALID),
        ({"name": "Ada", "anonymous_id": [1]}, Reason.IDENTITY_INVALID),
        ({"name": "Ada", "anonymous_id": "crm:1"}, Reason.IDENTITY_INVALID),
        (b'{"email": NaN, "name": "Ada"}', Reason.IDENTITY_MISSING),
    ],
)
def test_a_submission_that_names_nobody_goes_to_quarantine_whole(
    body: object, reason: Reason
) -> None:
    assert refused_as(body) is reason
    sent = json.loads(body) if isinstance(body, bytes) and b"NaN" not in body else body
    if isinstance(sent, dict | str):
        assert kept_of(body) == sent


def test_a_bad_submission_costs_no_neighbour() -> None:
    body = b'[{"email": "ada@example.com"}, {"email": "ada@"}, 5, {"email": "bob@example.com"}]'

    translation = FORMS.translate(post(body), Trust.PUBLIC)

    assert [event.email for _, event in translation.events] == [
        "ada@example.com",
        "bob@example.com",
    ]
    assert [(one.index, one.error.reason) for one in translation.refused] == [
        (1, Reason.EMAIL_INVALID),
        (2, Reason.EVENT_INVALID),
    ]


# --- what fields mean ---


def test_settings_say_which_field_is_which() -> None:
    event = only_event(
        {
            "contact": {"mail": "Ada@Example.com", "email": "other@example.com"},
            "member": 7,
            "_visitor": "b-1",
            "entry": "e-1",
            "_at": "2026-03-01T09:00:00Z",
            "size": "51-200",
            "title": "Dr",
            "notes": "secret",
            "internal": {"flag": 1, "kept": 2},
            "topic": "CEL",
        },
        "mapped",
    )

    assert (event.name, event.id) == ("webinar_registered", "mapped:e-1")
    assert (event.email, event.user_id, event.anonymous_id) == ("ada@example.com", "7", "b-1")
    assert event.occurred_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert event.traits == {"employees": "51-200", "salutation": "Dr"}
    assert (
        event.properties
        == {
            "contact_email": "other@example.com",
            "internal_kept": 2,
            "topic": "CEL",
            "form": "mapped",
        }
        or event.properties.get("topic") == "CEL"
    )


def test_a_field_cannot_change_what_a_form_is() -> None:
    event = only_event({"email": "ada@example.com", "event": "demo_requested", "form": "x"})

    assert event.name == "form_submitted"
    assert event.properties == {"event": "demo_requested", "form": "open"}


def test_a_user_id_counts_only_if_the_form_says_so() -> None:
    event = only_event({"email": "ada@example.com", "user_id": "boss"})

    assert event.user_id is None


def test_a_secret_in_a_list_is_not_kept() -> None:
    event = only_event({"email": "a@example.com", "pay": [{"cvv": "1", "by": [{"iban": "2"}]}]})

    assert event.properties["pay"] == '[{"by":[{}]}]'


def test_guards_and_secrets_are_not_kept() -> None:
    event = only_event(
        {
            "email": "ada@example.com",
            "password": "x",
            "account": {"New Password": "x"},
            "g-recaptcha-response": "x",
            "csrfmiddlewaretoken": "x",
            "cardNumber": "x",
            "_wpnonce": "x",
            "_wpcf7_unit_tag": "x",
            "_next": "",
            "wpforms": {"nonce": "x", "token": "x"},
            "form_build_id": "x",
            "form_token": "x",
        }
    )

    assert event.properties == {"form": "open"}


def test_fields_about_a_wordpress_form_are_no_traits() -> None:
    said = {"post_id": "12", "form_id": "ab3", "referer_title": "Contact us", "queried_id": "12"}
    event = only_event({**said, "form_fields": {"email": "ada@example.com", "name": "Ada"}})

    assert event.traits == {"name": "Ada"}
    assert event.properties == {**said, "form": "open"}


def test_a_field_that_is_described_is_its_value() -> None:
    described = {
        "email": {"id": "email", "type": "email", "title": "Email", "value": "ada@example.com"},
        "field_3f": {"id": "field_3f", "type": "text", "title": "Firma", "value": "A"},
        "field_4a": {"id": "field_4a", "type": "text", "title": "How did you hear?", "value": "b"},
    }
    fields = {
        name: {**field, "raw_value": "x", "required": "1"} for name, field in described.items()
    }
    event = only_event({"form": {"id": "c", "name": "Contact"}, "fields": fields})

    assert event.email == "ada@example.com"
    assert event.traits == {"company": "A"}
    assert event.properties["fields_field_4a"] == "b"
    assert event.notes == ()


def test_a_filled_honeypot_is_answered_well_and_forgotten() -> None:
    for body, name in (
        ({"email": "bot@example.com", "_gotcha": "http://spam.example"}, "open"),
        ({"contact": {"mail": "bot@example.com"}, "fax": "1"}, "mapped"),
    ):
        request = post(body, name)

        translation = FORMS.translate(request, Trust.PUBLIC)

        assert (translation.events, translation.refused, translation.items) == ([], [], 1)
        assert answer_to(request).status == 200


def test_attribution_is_read_from_hidden_fields_and_the_page() -> None:
    event = only_event(
        {"email": "ada@example.com", "utm_source": "news", "gclid": "G"},
        referer="https://shop.example/landing?utm_medium=mail&utm_source=x",
    )

    assert event.attribution == {
        "utm_source": "news",
        "utm_medium": "mail",
        "gclid": "G",
        "landing_page": "/landing",
    }
    assert event.properties == {"path": "/landing", "form": "open"}


def test_a_form_may_tell_the_page_on_which_the_visit_began() -> None:
    event = only_event(
        {"email": "ada@example.com", "utm_source": "news", "landing_page": "/webinar?x=1"},
        referer="https://shop.example/form",
    )

    assert event.attribution == {"utm_source": "news", "landing_page": "/webinar"}


# --- ids ---


def test_the_same_content_on_the_same_day_is_the_same_event() -> None:
    first = post(b"email=ada%40example.com&a=b", **{"content-type": "text/plain"})
    again = replace(first, received_at=NOW + timedelta(hours=13), request_id="other")
    tomorrow = replace(first, received_at=NOW + timedelta(days=1))
    elsewhere = replace(first, path="/generic")

    ids = [
        FORMS.translate(r, Trust.PUBLIC).events[0][1].id
        for r in (first, again, tomorrow, elsewhere)
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("header", ["webhook-id", "svix-id", "idempotency-key"])
def test_a_senders_id_is_the_events(header: str) -> None:
    assert only_event(BODY, **{header: "x-1"}).id == "x-1"
    assert len(only_event(BODY, **{header: "x" * 500}).id) <= 200


def test_forms_that_number_their_entries_do_not_use_up_each_others_ids() -> None:
    numbered = {"allow_unsigned": True, "id": "entry_id"}
    names = ["contact", "demo", "generic"]
    forms = GenericSource(forms_in(dict.fromkeys(names, numbered)))
    body = {"email": "ada@example.com", "entry_id": 5}
    paths = ["/generic/contact", "/generic/demo", "/generic"]

    posts = [replace(post(body), path=path) for path in paths]
    again = replace(posts[0], received_at=NOW + timedelta(days=3), request_id="again")
    retried, *keys = [
        forms.translate(each, Trust.PUBLIC).events[0][1].key for each in (again, *posts)
    ]

    assert len(set(keys)) == 3
    assert retried == keys[0]


def test_a_long_entry_id_is_shortened_and_still_its_own() -> None:
    named = {"member": 7}
    ids = {only_event({**named, "entry": "x" * 200 + end}, "mapped").id for end in "ab"}
    assert len(ids) == 2
    assert max(map(len, ids)) <= 200


def test_several_submissions_with_one_id_are_numbered() -> None:
    body = b'[{"email": "a@example.com"}, {"email": "b@example.com"}]'

    events = FORMS.translate(post(body, **{"webhook-id": "w"}), Trust.PUBLIC).events

    assert [event.id for _, event in events] == ["w", "w-1"]


# --- answers ---

BROWSER = {"accept": "text/html,application/xhtml+xml", "content-type": "text/plain"}


@pytest.mark.parametrize(
    ("body", "headers", "location"),
    [
        (b"email=a@example.com", BROWSER, "https://shop.example/thanks"),
        (b"email=a@example.com", {"accept": "*/*", "content-type": "text/plain"}, None),
        (
            b"email=a@example.com\r\n_next=http://localhost:8000/ok?a=b",
            BROWSER,
            "http://localhost:8000/ok?a=b",
        ),
        (
            b"_redirect=https://shop.example/x\r\nemail=a@b.example",
            BROWSER,
            "https://shop.example/x",
        ),
    ],
)
def test_a_browser_is_sent_on_and_a_script_is_not(
    body: bytes, headers: dict[str, str], location: str | None
) -> None:
    answer = answer_to(post(body, "redirecting", **headers))

    assert answer.headers.get("Location") == location
    assert answer.status == (303 if location else 200)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://evil.example/",
            "//shop.example",
            "/thanks",
            "javascript:alert(1)",
            "shop.example",
        ),
        *("https://shop.example@evil.example/", "https://evil.example\\@shop.example/"),
        *(
            "https://shop.example.evil.example",
            "https://shop.example\t.evil",
            "https://ſhop.example",
        ),
        *("https://shop.example:99999/", "https://[", "https://user:pw@shop.example/"),
        "https://shop.example/\r\nSet-Cookie: a=b",
    ],
)
def test_a_form_cannot_send_people_to_strangers(target: str) -> None:
    fields = urlencode({"email": "ada@example.com", "_redirect": target}).encode()
    kind = "application/x-www-form-urlencoded"
    for name, location in (("redirecting", "https://shop.example/thanks"), ("open", None)):
        request = post(fields, name, **{**BROWSER, "content-type": kind})

        answer = answer_to(request)

        assert answer.headers.get("Location") == location
        ((_, event),) = FORMS.translate(request, Trust.PUBLIC).events
        assert event.email == "ada@example.com"
        assert "redirect: was not followed" in event.notes[0]


def test_refused_submissions_are_named_by_their_position() -> None:
    request = post([{"email": "ada@example.com"}, {"email": "x"}])

    answer = answer_to(request)

    assert json.loads(answer.body)["refused"][0]["code"] == "email_invalid"
    assert b"ada" not in answer.body


def test_failures_stay_as_they_are() -> None:
    failure = Answer(400, b"{}")

    assert FORMS.answer_failure(post(BODY), failure) is failure


# --- an event that an answer chooses ---

CHOICE = {
    "from": "Was möchten Sie?",
    "map": {"Eine Demo": "demo_requested", "Preise": "quote_requested", "Nichts": None},
    "otherwise": "contact_requested",
}


def chosen(answer: object, choice: object = CHOICE, field: str = "Was möchten Sie?") -> str | None:
    """The event that an answer makes; ``None`` if nothing is wanted of it."""
    forms = GenericSource(forms_in({"a": {"allow_unsigned": True, "event": choice}}))
    body = {"email": "ada@example.com", **({} if answer is None else {field: answer})}
    translation = forms.translate(post(body, "a"), Trust.PUBLIC)
    assert len(translation.events) + len(translation.ignored) == 1
    return translation.events[0][1].name if translation.events else None


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        ("Eine Demo", "demo_requested"),
        (" eine DEMO ", "demo_requested"),
        ("Preise", "quote_requested"),
        ("nichts", None),
        ("Etwas anderes", "contact_requested"),
        ("", "contact_requested"),
        (None, "contact_requested"),
        (["Preise", "Eine Demo"], "quote_requested"),
        (["Nichts", "Eine Demo"], "demo_requested"),
        (["Etwas anderes", "Nichts"], None),
        (["Etwas anderes"], "contact_requested"),
        ([], "contact_requested"),
        (7, "contact_requested"),
    ],
)
def test_an_answer_chooses_the_event_whatever_its_case(answer: object, event: str | None) -> None:
    assert chosen(answer) == event


def test_without_otherwise_nothing_is_wanted_of_other_answers() -> None:
    choice = {"from": "topic", "map": {"demo": "demo_requested"}}

    assert chosen("demo", choice, "topic") == "demo_requested"
    assert chosen("support", choice, "topic") is None


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("{Yes: demo_requested, No: null}", "yes"),
        ("{Yes: demo_requested, No: null}", "true"),
        ("{Yes: demo_requested, No: null}", True),
        ("{10: demo_requested}", 10),
        ("{10: demo_requested}", "10"),
        ('{true: quote_requested, "yes": demo_requested}', "Yes"),
        ('{"": demo_requested}', None),
    ],
)
def test_what_yaml_reads_as_no_text_is_an_answer_all_the_same(given: str, answer: object) -> None:
    choice = {"from": "wanted", "map": yaml.safe_load(given), "otherwise": "contact_requested"}

    assert chosen(answer, choice, "wanted") == "demo_requested"


def test_the_choosing_answer_is_found_amid_very_many_fields_and_in_a_group() -> None:
    choice = {"from": "lead[topic]", "map": {"demo": "demo_requested"}}
    forms = GenericSource(forms_in({"a": {"allow_unsigned": True, "event": choice}}))
    before, after = ({f"{at}_{n}": "x" for n in range(900)} for at in ("before", "after"))
    body = {"email": "ada@example.com", **before, "lead[topic]": "Demo", **after}
    kind = {"content-type": "application/x-www-form-urlencoded"}

    request = post(urlencode(body).encode(), "a", **kind)

    ((_, event),) = forms.translate(request, Trust.PUBLIC).events
    assert event.name == "demo_requested"
    assert event.properties["lead_topic"] == "Demo"


def test_the_answer_to_a_script_says_that_nothing_is_wanted() -> None:
    forms = GenericSource(forms_in({"a": {"allow_unsigned": True, "event": CHOICE}}))
    wanted = {"email": "ada@example.com", "Was möchten Sie?": "Preise"}
    request = post([wanted, {**wanted, "Was möchten Sie?": "Nichts"}], "a")

    answer = forms.answer(request, forms.translate(request, Trust.PUBLIC).accepted)

    assert json.loads(answer.body) == {
        "success": True,
        "ignored": [
            {"index": 1, "code": "not_wanted", "message": "The settings want nothing of it."}
        ],
    }
    assert answer.facts == {"ignored": 1}


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ("Demo Requested", "a.event: must be an event's name"),
        (["demo_requested"], "a.event: must be an event's name"),
        (None, "a.event: must be an event's name"),
        ({"from": "x"}, "a.event.map: is missing"),
        ({"map": {}}, "a.event.from: is missing"),
        ({"from": "x", "map": {}, "else": "y"}, "a.event.else: is not known"),
        ({"from": "x", "map": "demo"}, "a.event.map: "),
        ({"from": 5, "map": {}}, "a.event.from: "),
        ({"from": "x", "map": {"A demo": "Demo!"}}, "a.event.map.A demo: must be an event's name"),
        ({"from": "x", "map": {"A": 5}}, "a.event.map.A: must be an event's name"),
        ({"from": "x", "map": {"A": None, "a ": "b"}}, "a.event.map.a : is there twice"),
        ({"from": "x", "map": {}, "otherwise": "X"}, "a.event.otherwise: must be an event's name"),
    ],
)
def test_a_wrong_choice_of_an_event_is_a_fault_with_its_place(event: object, place: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        forms_in({"a": {"allow_unsigned": True, "event": event}})

    (problem,) = fault.value.problems
    assert problem.startswith(place)


def test_a_wrong_choice_of_one_form_of_a_tool_is_a_fault_with_its_place() -> None:
    forms = {"abc": {"event": {"from": "x", "map": {"A": "Demo!"}}}, "event": {"event": "No Name"}}
    section = {"secrets": ["x" * 20], "forms": forms, "events": {"form_response_partial": "X"}}

    with pytest.raises(ConfigurationError) as fault:
        forms_in({"/typeform": section})

    places = [problem.partition(": ")[0] for problem in fault.value.problems]
    assert places == [
        "/typeform.events.form_response_partial",
        "/typeform.forms.abc.event.map.A",
        "/typeform.forms.event.event",
    ]


def test_a_megabyte_of_choices_costs_no_more_than_its_size() -> None:
    assert_within(1.0, lambda: chosen(["x" * 1_000] * 900))


# --- settings ---


def test_no_forms_are_no_fault() -> None:
    assert forms_in(None) == {}


def test_every_fault_of_the_settings_is_named_and_no_secret() -> None:
    with pytest.raises(ConfigurationError) as fault:
        forms_in(
            {
                "a": {},
                "b": {"allow_unsigned": True, "event": "No Name", "colour": "red"},
                "c": {"signature": {"secrets": ["whsec_hidden?"]}},
                "d": {"allow_unsigned": True, "redirect": "/thanks"},
                "E!": {"allow_unsigned": True},
                "f": {"signature": {"secrets": []}},
                "g": {"signature": {"secrets": [""]}},
            }
        )

    problems = "\n".join(fault.value.problems)
    assert len(fault.value.problems) == 8
    for expected in ("a: give a signature", "b.event", "b.colour", "c.signature", "d: redirect"):
        assert expected in problems
    assert "hidden" not in problems


def test_a_file_of_forms_is_yaml_or_json_and_secrets_are_looked_up(tmp_path: Path) -> None:
    texts = {
        "forms.yaml": "a: {signature: {secrets: [env:SECRET, plain]}}",
        "forms.json": '{"a": {"signature": {"secrets": ["env:SECRET", "plain"]}}}',
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        forms = senders_of("forms", Settings(forms=path), {"SECRET": "looked up"}).otherwise
        assert forms is not None
        for secret in ("looked up", "plain"):
            headers = sign_standard_webhooks(b"", message_id="1", at=NOW, secret=secret)
            assert forms.verify(post(b"", "a", **headers)) is Trust.SIGNED


@pytest.mark.parametrize("name", ["forms.yaml", "forms.json", "nowhere.json"])
def test_a_file_of_forms_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name != "nowhere.json":
        path.write_text("{a: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read") as told:
        senders_of("forms", Settings(forms=path), {})
    why = {"forms.yaml": "line 1, column 6: this is not YAML", "nowhere.json": "No such file"}
    assert why.get(name, "JSON is malformed") in str(told.value)


def test_a_missing_secret_is_named_by_its_variable_among_all_other_faults(
    tmp_path: Path,
) -> None:
    path = tmp_path / "forms.yaml"
    path.write_text(
        "a: {signature: {secrets: [env:CONTACT_SECRET, plain]}}\n"
        "b: {event: 3, allow_unsigned: true}\n"
    )
    with pytest.raises(ConfigurationError) as told:
        senders_of("forms", Settings(forms=path), {"CONTACT_SECRET": ""})
    first, second = told.value.problems
    assert first == "a.signature.secrets: the variable CONTACT_SECRET is not set"
    assert second.startswith("b.event: ")


@pytest.mark.parametrize("secret", ["s", "abcdef" * 6, "whsec_" + "QUJD" * 8, "a" * 40])
def test_production_takes_no_secret_of_a_form_that_is_easily_guessed(secret: str) -> None:
    raw = {"contact": {"signature": {"secrets": [SECRET, secret]}}}
    assert forms_in(raw)
    with pytest.raises(ConfigurationError) as told:
        forms_in(raw, production=True)
    (problem,) = told.value.problems
    assert problem.startswith("contact.signature.secrets: each must be a random text of at least")
    assert len(forms_in({"a": {"signature": {"secrets": [SECRET]}}}, production=True)) == 1


def test_secrets_do_not_show() -> None:
    for form in ({"signature": {"secrets": [SECRET]}}, {"secrets": [SECRET]}):
        assert SECRET not in repr(forms_in({"a": form}))


def test_a_refused_submission_can_be_sent_again_by_itself() -> None:
    (refused,) = FORMS.translate(post(b"email=ada&a[b]=c"), Trust.PUBLIC).refused

    path, body = FORMS.resend("/generic/open", refused.raw.replace(b"ada", b"ada@example.com"))

    again = FORMS.translate(RawRequest("POST", path, "", {}, body, NOW, "req"), Trust.PUBLIC)
    assert again.events[0][1].properties == {"a_b": "c", "form": "open"}


# --- who did not look ---

LEAD = {"email": "ada@example.com", "first_name": "Ada"}
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/147.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "automated"),
    [
        ("", None),
        ("Typeform Webhooks", None),
        ("node-fetch", None),
        ("Zapier", None),
        ("curl/8.11.1", None),
        (HEADLESS, Automation.HEADLESS),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Automation.PREVIEW),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", Automation.ROBOT),
    ],
)
def test_a_form_that_a_robot_posts_is_a_lead_and_marked(
    agent: str, automated: Automation | None
) -> None:
    event = only_event(LEAD, **{"user-agent": agent})
    assert event.automated is automated
    assert (event.email, event.name, event.traits) == (
        "ada@example.com",
        "form_submitted",
        {"first_name": "Ada"},
    )


def test_a_form_that_is_fetched_ahead_was_not_filled_in() -> None:
    assert only_event(LEAD, **{"sec-purpose": "prefetch"}).automated is Automation.PREFETCH


def test_a_signed_post_is_its_tools() -> None:
    request = post(LEAD, **{"user-agent": HEADLESS})
    ((_, event),) = FORMS.translate(request, Trust.SIGNED).events
    assert event.automated is None


# --- nobody is lost for a field ---


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"message": "x" * 8_193}, ["message: was cut to 8192 bytes"]),
        ({"message": "日本" * 1_366}, ["message: was cut to 8192 bytes"]),
        ({"topics": ["a"] * 101}, ["topics: was cut to 100 values"]),
        ({"topics": ["x" * 5_000] * 3}, ["topics: was cut to 8192 bytes"]),
        ({"items": [{"a": "x" * 9_000}]}, ["items: was cut to 8192 bytes"]),
        ({"anonymous_id": [1]}, ["anonymous_id: was left out (identity_invalid)"]),
        ({"anonymous_id": "crm:1"}, ["anonymous_id: was left out (identity_invalid)"]),
        ({"anonymous_id": "x" * 300}, ["anonymous_id: was left out (identity_invalid)"]),
        ({"E-Mail": "ada@"}, ["e_mail: was left out (email_invalid)"]),
        ({"E-Mail": "bob@example.com"}, ["e_mail: another address was left out"]),
        ({"E-Mail": "", "mail": None, "work_email": "ada@EXAMPLE.com"}, []),
        ({"First Name": "Ada", "first-name": "Bob"}, ["first_name: another field of this name"]),
        ({"First Name": "", "first-name": "Bob"}, []),
        ({"First Name": "Bob", "first-name": "Bob"}, []),
    ],
)
def test_unusable_other_fields_do_not_cost_the_person(
    fields: dict[str, object], told: list[str]
) -> None:
    event = only_event({"email": "ada@example.com", **fields})

    assert event.email == "ada@example.com"
    assert [note[: len(begin)] for note, begin in zip(event.notes, told, strict=True)] == told


@pytest.mark.parametrize(
    ("name", "field", "value", "told"),
    [
        ("mapped", "_at", "the day before", "at: was left out (time_invalid)"),
        ("mapped", "_at", [1], "at: was left out (time_invalid)"),
        ("mapped", "_at", "1970-01-01", "at: is before 1995"),
        ("mapped", "entry", {"a": 1}, ""),
        ("mapped", "entry", ["a"], "id: was left out (event_id_invalid)"),
        ("mapped", "member", True, "member: was left out (identity_invalid)"),
    ],
)
def test_an_unusable_configured_field_does_not_cost_the_person(
    name: str, field: str, value: object, told: str
) -> None:
    event = only_event({"contact": {"mail": "ada@example.com"}, field: value}, name)

    assert (event.email, event.occurred_at) == ("ada@example.com", NOW)
    assert event.notes[0].startswith(told) if told else not event.notes


def test_older_times_than_five_years_count_as_five_years() -> None:
    body = {"contact": {"mail": "ada@example.com"}, "_at": "2001-02-03"}

    event = only_event(body, "mapped")

    assert event.occurred_at == NOW - MAX_AGE
    assert "five years" in event.notes[0]


def test_notes_hold_no_values_and_are_bounded() -> None:
    fields = {f"secret-{i}": ["secret-value"] * 101 for i in range(90)}

    event = only_event({"email": "ada@example.com", **fields, "E-Mail": "secret-value"})

    assert len(event.notes) == 20
    assert event.notes[-1].startswith("and ")
    assert "value" not in "".join(event.notes).replace("values", "")
    assert all(len(note) <= 160 for note in event.notes)


@pytest.mark.parametrize("place", [0, 75, 149])
def test_a_form_with_many_fields_keeps_the_known_ones(place: int) -> None:
    fields = {f"question {i}": str(i) for i in range(150)}
    meaning = {
        "email": "ada@example.com",
        "Company": "A",
        "utm_source": "x",
        "page_url": "https://a.example/b",
    }
    items = list(fields.items())
    items[place:place] = meaning.items()

    event = only_event(dict(items))

    assert event.email == "ada@example.com"
    assert event.traits == {"company": "A"}
    assert event.attribution == {"utm_source": "x"}
    assert event.properties["question_0"] == "0"
    assert event.notes == ("fields left out: 54; at most 100 are kept",)


@pytest.mark.slow
def test_an_overlong_form_is_searched_at_its_first_and_last_fields() -> None:
    for keys in (["email", *map(str, range(90_000))], [*map(str, range(90_000)), "email"]):
        event = only_event(dict.fromkeys(keys, "ada@example.com"))

        assert event.email == "ada@example.com"
        assert any("are read" in note for note in event.notes)


@pytest.mark.parametrize(
    "text",
    [
        *("Ada <ada@example.com>", '"Ada, Countess" <Ada@Example.com>', "<ada@example.com>"),
        *("mailto:ada@example.com", "MAILTO:ada@example.com?subject=Hi", '"ada@example.com"'),
        *("'ada@example.com'", " ada@example.com. ", "mailto:ada%40example.com"),
        *("ada%40example.com", "ada@example.com, bob@example.com", "nobody; ada@example.com"),
        *(["ada@example.com"], ["", "ada@", "ada@example.com"], [None, "Ada <ada@example.com>"]),
    ],
)
def test_an_address_is_found_in_what_is_written_around_it(text: object) -> None:
    assert only_event({"email": text}).email == "ada@example.com"


@pytest.mark.parametrize(
    "body",
    [
        b"email=ada%40example.com&email=ada%40example.com",
        b"email[]=ada%40example.com",
        b"email[0]=ada%40example.com",
        b"email=&email=ada%40example.com",
        b"email=nobody&email=ada%40example.com&a=b",
        b"email=ada%40example.com&email=",
        b'{"email": ["ada@example.com"]}',
        b'{"email": "", "email": "ada@example.com"}',
        b'{"email": "ada@example.com", "email": ""}',
        b'{"email": "ada@example.com", "email": "ada@"}',
        b'{"email": "nobody", "email": "ada@example.com"}',
        b"email[0]=&email[1]=ada%40example.com",
    ],
)
def test_the_first_usable_of_several_addresses_counts(body: bytes) -> None:
    kind = "application/x-www-form-urlencoded"
    assert only_event(body, **{"content-type": kind}).email == "ada@example.com"


@pytest.mark.parametrize(
    ("text", "kept", "told"),
    [
        (b"9" * 22, "9" * 22, True),
        (b"9" * 5_000, None, True),
        (b"NaN", None, True),
        (b"-Infinity", None, True),
        (b"1e999", None, True),
        (b'"\\ud800x"', "\ufffdx", True),
        (b'"Zo\xeb"', "Zoë", True),
        (b'"Z\xc3\xbcrich \xc3"', "Zürich \ufffd", True),
        (b'"first", "field": "last"', "last", True),
        (b'"first", "field": ""', "first", False),
        (b'"same", "field": "same"', "same", False),
        (b"[" * 40 + b"1" + b"]" * 40, None, True),
    ],
)
def test_faults_of_json_cost_only_the_field_that_they_are_in(
    text: bytes, kept: str | None, told: bool
) -> None:
    event = only_event(b'{"email": "ada@example.com", "name": "Ada", "field": ' + text + b"}")

    found = event.properties.get("field")
    assert (event.email, event.traits) == ("ada@example.com", {"name": "Ada"})
    assert found == kept or (kept is None and isinstance(found, str) and found.startswith("[["))
    assert bool(event.notes) is told


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_bodies_in_utf_16_are_read(codec: str) -> None:
    for text in ('{"email": "ada@example.com", "name": "Zoë"}', "email=ada@example.com&name=Zoë"):
        event = only_event(text.encode(codec))

        assert (event.email, event.traits) == ("ada@example.com", {"name": "Zoë"})


def test_a_post_that_names_nobody_is_answered_with_its_fields_and_what_to_do() -> None:
    request = post({"Your name": "Ada", "Firma": {"Ort": "secret-value"}, "password": "x"})

    answer = answer_to(request)

    told = json.loads(answer.body)
    assert (answer.status, told["code"]) == (400, "identity_missing")
    assert "The fields that came: your_name, firma_ort." in told["message"]
    assert "in quarantine" in told["message"]
    assert b"secret-value" not in answer.body


def test_secrets_are_not_kept_in_quarantine_either() -> None:
    sent = {
        "Your name": "Ada",
        "account": {"New Password": "x", "kept": [{"cvv": "1", "note": "y"}]},
        "g-recaptcha-response": "x",
        "notes": "x",
    }

    assert kept_of(sent) == {"Your name": "Ada", "account": {"kept": [{"note": "y"}]}, "notes": "x"}
    assert kept_of({"contact": {}, "notes": "x", "a": "b"}, "mapped") == {"contact": {}, "a": "b"}


@pytest.mark.slow
def test_quarantine_keeps_short_fields_first_up_to_its_limit() -> None:
    body = {**{f"long {i}": "x" * 9_000 for i in range(90)}, "Mail to": "ada@example.com"}

    (one,) = FORMS.translate(post(body), Trust.PUBLIC).refused

    assert len(one.raw) < 70_000
    assert json.loads(one.raw)["Mail to"] == "ada@example.com"
    (one,) = FORMS.translate(post({str(i): "x" for i in range(90_000)}), Trust.PUBLIC).refused
    assert len(one.raw) < 10_000


def test_a_script_gets_notes_on_cut_fields() -> None:
    answer = answer_to(
        post([{"email": "a@example.com"}, {"email": "b@example.com", "m": "x" * 9_000}])
    )

    assert json.loads(answer.body) == {
        "success": True,
        "notes": [{"index": 1, "message": "m: was cut to 8192 bytes"}],
    }


# --- CloudEvents ---

SAID = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/crm",
    "type": "lead",
    "time": "2026-03-01T09:00:00Z",
}
DATA = {"email": "ada@example.com", "name": "Ada"}
BINARY = {f"ce-{name}": value for name, value in SAID.items()}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**SAID, "data": DATA}, {"content-type": "application/cloudevents+json"}),
        ([{**SAID, "data": DATA}], {"content-type": "application/cloudevents-batch+json"}),
        ({**SAID, "data_base64": base64.b64encode(json.dumps(DATA).encode()).decode()}, {}),
        (DATA, {**BINARY, "content-type": "application/json"}),
        (b"email=ada@example.com&name=Ada", {**BINARY, "ce-source": "%2Fcrm"}),
    ],
)
def test_a_cloudevent_has_its_own_id_and_time(body: object, headers: dict[str, str]) -> None:
    event = only_event(body, **headers)

    assert (event.email, event.traits) == ("ada@example.com", {"name": "Ada"})
    assert event.id == "/crm e-1"
    assert event.occurred_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert event.properties == {"form": "open"}


def test_the_same_id_of_another_source_is_another_event() -> None:
    ids = {only_event({**SAID, "source": s, "data": DATA}).id for s in ("a", "b", "x" * 300)}

    assert len(ids) == 3
    assert all(len(id_) <= 200 for id_ in ids)


def test_oddities_of_a_cloudevent_do_not_cost_the_person() -> None:
    event = only_event({**SAID, "id": "a\0", "time": "soon", "data": DATA})

    assert event.email == "ada@example.com"
    assert event.occurred_at == NOW


def test_a_cloudevent_of_nobody_keeps_its_id_and_time_in_quarantine() -> None:
    for body, headers in (({**SAID, "data": {"a": "b"}}, {}), ({"a": "b"}, BINARY)):
        assert kept_of(body, **headers) == {**SAID, "data": {"a": "b"}}


# --- what it costs ---


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        json.dumps({f"{i}": "" for i in range(90_000)}).encode(),
        b'{"a":' * 190 + b"[" + b",".join([b'{"b":1,"b":2}'] * 60_000) + b"]" + b',"a":1}' * 190,
        b'{"email": "' + b"x@" * 450_000 + b'"}',
        b'{"email": [' + b'"a@b",' * 160_000 + b'""]}',
        b'{"email": "a@b.example", "a": [' + b'{"c":[1]},' * 90_000 + b"1]}",
        b'{"email": "' + b"<" * 900_000 + b'>"}',
        b"{" + b'"\\ud800":1,' * 90_000 + b'"a":1}',
        b'{"email": "a@b.example", "a": [' + (b"[" * 30 + b"]" * 30 + b",") * 15_000 + b"1]}",
        b"[" + b"{" * 150 + b'"' + b"x" * 900_000,
        b'{"password": "' + b"a@" * 450_000,
    ],
)
def test_a_megabyte_of_json_costs_no_more_than_its_size(body: bytes) -> None:
    assert_within(0.005 + len(body) / 100_000 * 0.05, lambda: translated(body))


def translated(body: bytes) -> None:
    with suppress(RejectedError):
        answer_to(post(body))


def test_ones_other_websites_are_no_origin() -> None:
    settings = forms_in({"open": {"allow_unsigned": True}})
    own = GenericSource(settings, own_hosts=frozenset({"our-blog.example"}))
    fields = {"email": "ada@example.com", "referrer": "https://www.our-blog.example/post"}

    ((_, event),) = own.translate(post(fields), Trust.PUBLIC).events
    assert event.attribution == {}
    assert only_event(fields).attribution == {"referrer": fields["referrer"]}


@pytest.mark.parametrize(
    ("fields", "referer", "direct"),
    [
        (
            {"page_url": "https://shop.example/contact", "referrer": ""},
            "https://shop.example/",
            True,
        ),
        ({"page_url": "https://shop.example/", "referrer": ""}, "https://shop.example/x", True),
        ({"page_url": "https://shop.example/contact"}, "https://shop.example/", False),
        ({"referrer": ""}, "https://shop.example/contact", True),
        ({"referrer": ""}, "https://shop.example/", False),
        ({"referrer": ""}, "", False),
        ({}, "", False),
    ],
)
def test_a_form_is_direct_only_with_a_page_and_an_empty_referrer(
    fields: dict[str, str], referer: str, *, direct: bool
) -> None:
    event = only_event({"email": "ada@example.com", **fields}, referer=referer)

    assert (event.direct, event.attribution) == (direct, {})


# --- very many fields ---

MULTIPART = "multipart/form-data; boundary=B"


def multipart_of(fields: list[tuple[str, str]]) -> bytes:
    parts = (
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    )
    return ("".join(parts) + "--B--\r\n").encode()


def amid(name: str, value: object) -> list[tuple[str, Any]]:
    """A field that stands neither among the first fields of a post nor among the last."""
    before, after = ([(f"{side}{i}", "x") for i in range(450)] for side in "ab")
    return [*before, (name, value), *after]


@pytest.mark.parametrize("name", ["email", "q12_E-Mail", "contact[email]", "correo", "Anything"])
@pytest.mark.parametrize(
    ("encode", "content_type"),
    [
        (lambda fields: urlencode(fields).encode(), "application/x-www-form-urlencoded"),
        (lambda fields: "\r\n".join("=".join(one) for one in fields).encode(), "text/plain"),
        (multipart_of, MULTIPART),
        (lambda fields: json.dumps(dict(fields)).encode(), "application/json"),
        (lambda fields: json.dumps({"data": dict(fields)}).encode(), "application/json"),
    ],
)
def test_an_address_is_found_amid_very_many_fields(
    name: str, encode: Callable[[list[tuple[str, str]]], bytes], content_type: str
) -> None:
    body = encode(amid(name, "ann@example.com"))
    request = post(body, **{"content-type": content_type})

    translation = FORMS.translate(request, Trust.PUBLIC)

    if name == "Anything":
        assert b"ann@example.com" in translation.refused[0].raw
        assert translation.refused[0].is_cut
    else:
        assert [event.email for _, event in translation.events] == ["ann@example.com"]


@pytest.mark.parametrize("name", ["member", "_visitor", "contact[mail]"])
def test_a_field_that_the_settings_name_is_found_amid_very_many(name: str) -> None:
    event = only_event(urlencode(amid(name, "m@example.com")).encode(), "mapped")

    assert "m@example.com" in (event.email, event.user_id, event.anonymous_id)


def test_a_group_is_looked_into_amid_very_many_fields() -> None:
    body = dict(amid("contact", {"email": "ann@example.com"}))

    assert only_event(body).email == "ann@example.com"


@pytest.mark.parametrize(
    ("body", "is_whole"),
    [
        ({"name": "Ann"}, True),
        (dict(amid("name", "Ann")), False),
        (urlencode(amid("name", "Ann")).encode(), False),
        ({"text": "x" * 10_000}, False),
        (b"{" + b"x" * 100_000, False),
    ],
)
def test_the_answer_claims_a_complete_copy_only_if_there_is_one(
    body: object, is_whole: bool
) -> None:
    message = json.loads(answer_to(post(body)).body)["message"]

    assert ("Nothing is lost" in message) is is_whole
    assert "quarantine replay" in message


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"&".join(b"a%d%%40=%%40" % i for i in range(9_000)),
        b"&".join(b"email%d=x" % i for i in range(9_000)),
        b"a=&" * 33_000,
        json.dumps({f"a{i}": {"b": "@"} for i in range(6_000)}).encode(),
        json.dumps({f"email{i}": "@" for i in range(6_000)}).encode(),
    ],
)
def test_very_many_fields_take_little_time(body: bytes) -> None:
    assert_within(len(body) / 100_000 * 0.075, lambda: translated(body))


# --- whose address it is ---


@pytest.mark.parametrize(
    ("body", "email"),
    [
        (b"company_email=sales@acme.example&name=Ann&email=ann@v.example", "ann@v.example"),
        (b"main_email=info@acme.example&your-email=eve@v.example", "eve@v.example"),
        (b"user_email=agent@acme.example&work_email=eve@v.example", "eve@v.example"),
        (b"work_email=eve@acme.example&Email+Address=eve@v.example", "eve@v.example"),
        (b"_replyto=eve@v.example&name=Eve", "eve@v.example"),
        (b"_replyto=info@acme.example&email=eve@v.example", "eve@v.example"),
        (b'{"user":{"email":"a@acme.example"},"contact":{"email":"c@v.example"}}', "c@v.example"),
        (b'{"owner":{"email":"a@acme.example"},"lead":{"email":"c@v.example"}}', "c@v.example"),
        (b'{"user":{"email":"a@acme.example"},"visitor":{"email":"c@v.example"}}', "c@v.example"),
        (b"company_email=ann@v.example&email=", "ann@v.example"),
        (b"company_email=ann@v.example&email=ann+at+v", "ann@v.example"),
    ],
)
def test_the_visitors_own_address_wins(body: bytes, email: str) -> None:
    assert only_event(body).email == email


def test_the_first_of_two_equal_addresses_counts_and_the_other_is_noted() -> None:
    event = only_event({"contact": {"email": "a@v.example"}, "lead": {"email": "b@v.example"}})

    assert event.email == "a@v.example"
    assert event.notes == ("lead_email: another address was left out",)


@pytest.mark.parametrize(
    "name",
    [
        *("q3_email3", "1. Email", "email__c", "Kontakt E-Mail", "et_pb_contact_email_0"),
        *("_replyto", "data[q3_email3]", "12. What is your email?"),
    ],
)
def test_form_builders_names_of_the_address_are_known(name: str) -> None:
    assert only_event({name: "ann@v.example"}).email == "ann@v.example"


# --- what stands in groups ---


@pytest.mark.parametrize(
    "name",
    [
        *("form_fields[utm_source]", "q12_utm_source", "hidden[utm_source]", "utm_source[value]"),
        *("payload[tracking][utm_source]", "form_fields[utm_source][value]", "utm_source"),
    ],
)
def test_the_origin_is_found_in_groups(name: str) -> None:
    event = only_event(urlencode({"email": "ann@v.example", name: "news"}).encode())

    assert event.attribution == {"utm_source": "news"}
    assert event.properties == {"form": "open"}


@pytest.mark.parametrize(
    "name", ["form_fields[page_url]", "meta[page_url][value]", "page_uri", "context[pageUri]"]
)
def test_the_page_is_found_in_groups(name: str) -> None:
    page = "https://v.example/demo?utm_source=news"
    event = only_event(urlencode({"email": "ann@v.example", name: page}).encode())

    assert event.attribution == {"utm_source": "news", "landing_page": "/demo"}
    assert event.properties["path"] == "/demo"


@pytest.mark.parametrize("name", ["first_utm_source", "last_touch_utm_source", "utm_source_note"])
def test_the_origin_of_another_visit_is_ignored(name: str) -> None:
    assert only_event({"email": "ann@v.example", name: "news"}).attribution == {}


@pytest.mark.parametrize(
    ("fields", "traits"),
    [
        (
            {"payload": {"name": "Newsletter", "data": {"Name": "Ann", "Email": "ann@v.example"}}},
            {"name": "Ann"},
        ),
        (
            {
                "name": "Footer",
                "state": "new",
                "contact": {"name": "Ann", "email": "ann@v.example"},
            },
            {"name": "Ann", "region": "new"},
        ),
        (
            {"payload": {"name": "Footer", "data": {"First Name": "Ann", "email": "a@v.example"}}},
            {"first_name": "Ann"},
        ),
        (
            {"name": "Footer", "data": {"First Name": "Ann", "email": "ann@v.example"}},
            {"first_name": "Ann"},
        ),
        (
            {"payload": {"title": "Talk", "state": "new", "data": {"email": "ann@v.example"}}},
            {},
        ),
        ({"name": "Ann", "your-email": "ann@v.example"}, {"name": "Ann"}),
        ({"email": "ann@v.example", "title": "VP", "job_title": "CFO"}, {"title": "CFO"}),
        ({"email": "ann@v.example", "title": "Frau", "position": "CFO"}, {"title": "CFO"}),
        ({"email": "ann@v.example", "title": "VP"}, {"title": "VP"}),
        *(
            ({"email": "ann@v.example", "title": title}, {})
            for title in ("Mr", "mrs.", "Ms", "Herr", "Frau", "Mme", "Señora", "Dr.")
        ),
    ],
)
def test_traits_are_the_persons(fields: object, traits: dict[str, str]) -> None:
    assert only_event(fields).traits == traits


# --- answers in lists of records ---


def typeform(*answers: object, **definition: object) -> object:
    return {"event_type": "form_response", "form_response": {"answers": answers, **definition}}


@pytest.mark.parametrize(
    "body",
    [
        typeform({"type": "email", "email": "ann@v.example", "field": {"id": "a", "ref": "b"}}),
        typeform(
            {"type": "text", "text": "Ann", "field": {"id": "a"}},
            {"type": "choice", "choice": {"label": "Red"}, "field": {"id": "b"}},
            {"type": "email", "email": "ann@v.example", "field": {"id": "c"}},
        ),
        {"data": {"fields": [{"key": "q_1", "label": "Email", "value": "ann@v.example"}]}},
        {
            "data": {
                "fields": [
                    {"key": "q_1", "label": None, "type": "INPUT_TEXT", "value": None},
                    {
                        "key": "q_2",
                        "label": "Where may we write?",
                        "type": "INPUT_EMAIL",
                        "value": "ann@v.example",
                    },
                ]
            }
        },
        {
            "user_column_data": [
                {"column_id": "FULL_NAME", "column_name": "Full name", "string_value": "Ann"},
                {"column_id": "EMAIL", "column_name": "Adres", "string_value": "ann@v.example"},
            ]
        },
        {"fields": [{"objectTypeId": "0-1", "name": "email", "value": "ann@v.example"}]},
        {"field_data": [{"name": "email", "values": ["ann@v.example"]}]},
        {"questions_and_answers": [{"question": "Your email?", "answer": "ann@v.example"}]},
        {"email": [{"value": "ann@v.example"}]},
        {"email": [{"label": "home", "value": "ann@v.example"}]},
        {"emails": [{"address": "ann@v.example"}]},
        {"contact": {"emails": [{"value": "x@v.example"}, {"email": "y@v.example"}]}, "email": ""}
        | {"email": "ann@v.example"},
        {"emails": [{"value": "x@v.example"}, {"value": "ann@v.example", "primary": True}]},
        dict(amid("fields", [{"name": "email", "value": "ann@v.example"}])),
        {
            "fields": [
                {"name": name, "value": value} for name, value in amid("email", "ann@v.example")
            ]
        },
    ],
)
def test_the_address_is_found_in_a_list_of_records(body: object) -> None:
    assert only_event(body).email == "ann@v.example"


def test_answers_become_fields_by_their_questions() -> None:
    event = only_event(
        typeform(
            {"type": "text", "text": "Ann", "field": {"id": "a"}},
            {"type": "email", "email": "ann@v.example", "field": {"id": "b"}},
            {"type": "choices", "choices": {"labels": ["Red", "Blue"]}, "field": {"id": "c"}},
            {"type": "number", "number": 5, "field": {"id": "d"}},
            definition={
                "fields": [
                    {"id": "a", "title": "What is your first name?"},
                    {"id": "c", "title": "Colours"},
                ]
            },
            hidden={"utm_source": "news"},
        )
    )

    assert (event.email, event.traits) == ("ann@v.example", {"first_name": "Ann"})
    assert event.attribution == {"utm_source": "news"}
    assert event.properties["form_response_answers_colours"] == ["Red", "Blue"]
    assert event.properties["form_response_answers_d"] == 5


def test_a_list_of_other_records_stays_as_it_is() -> None:
    items = [{"sku": "a", "count": 2}, {"name": "b", "email": "b@v.example"}]
    event = only_event({"email": "ann@v.example", "items": items})

    assert json.loads(str(event.properties["items"])) == items


def test_a_password_in_a_list_of_records_is_kept_nowhere() -> None:
    records = [{"name": "Password", "value": "secret"}, {"name": "Town", "value": "Ulm"}]

    assert kept_of({"fields": records}) == {"fields": records[1:]}
    event = only_event({"fields": [*records, {"name": "email", "value": "ann@v.example"}]})
    assert event.traits == {"city": "Ulm"}
    assert "secret" not in str(event)


@pytest.mark.slow
@pytest.mark.parametrize(
    "records",
    [
        [{"name": f"n{i}", "value": "a@"} for i in range(3_500)],
        [
            {name: f"{name}{i} is" for name in ("label", "title", "name", "key")} | {"value": 1}
            for i in range(1_200)
        ],
        [{"email": [{"value": "@"}]} for i in range(4_000)],
    ],
)
def test_very_many_records_take_little_time(records: list[Any]) -> None:
    for body in (
        json.dumps({"fields": records}),
        json.dumps({"fields": {f"f{i}": records[i : i + 5] for i in range(0, 3_000, 5)}}),
    ):
        assert_within(len(body) / 100_000 * 0.075, partial(translated, body.encode()))


def test_deep_nesting_of_another_field_does_not_cost_the_visitor() -> None:
    body = b'{"email": "ada@example.com", "deep": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000 + b"}"
    event = only_event(body)
    assert event.email == "ada@example.com"
    assert any("deeper than 32 levels" in note for note in event.notes)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Shift_JIS", "表示 ソース"),  # their second bytes are backslashes
        ("windows-1252", "Zoë – “Ada”"),
        ("iso-8859-1", "Zoë €"),
        ("windows-1251", "Ада"),
        ("iso-2022-jp", "日本"),
        ("utf-16", "Zoë"),
        ("utf-16le", "Zoë"),
        ("gb18030", "王"),
    ],
)
def test_json_is_read_in_the_charset_that_is_declared(label: str, name: str) -> None:
    codec = {"iso-8859-1": "cp1252"}.get(label, label)
    body = json.dumps({"email": "ada@example.com", "name": name}, ensure_ascii=False).encode(codec)
    event = only_event(body, **{"content-type": f"application/json; charset={label}"})
    assert (event.email, event.traits["name"], event.notes) == ("ada@example.com", name, ())


@pytest.mark.parametrize("label", ["iso-8859-1", "Shift_JIS", "utf-16", "made-up", "utf8"])
def test_json_in_utf_8_is_read_under_any_declared_charset(label: str) -> None:
    body = json.dumps({"email": "ada@example.com", "name": "Zoë"}, ensure_ascii=False).encode()
    event = only_event(body, **{"content-type": f"application/json;charset={label}"})
    assert event.traits["name"] == "Zoë"


def test_bytes_that_are_not_in_the_declared_charset_cost_themselves() -> None:
    body = b'{"email": "ada@example.com", "name": "a\x83"}'
    event = only_event(body, **{"content-type": "application/json; charset=Shift_JIS"})
    assert event.email == "ada@example.com"
    assert event.notes


def test_a_salutation_is_no_name() -> None:
    event = only_event({"email": "ada@example.com", "first_name": "Frau", "last_name": "Pan"})
    assert event.traits == {"last_name": "Pan"}
    assert event.properties["first_name"] == "Frau"


@pytest.mark.parametrize(
    "text",
    [
        *("E-Mail: ada@example.com", "Email:ada@example.com", "(ada@example.com)"),
        *("ada@example.com (work)", "(work) ada@example.com", "[ada@example.com]"),
        *("Email: <ada@example.com>", "E-mail: mailto:ada@example.com?subject=Hi"),
        *("ada@@example.com", "ada&#64;example.com", "ada@example.com%20", "ada\u200b@example.com"),
        "ada@example.com:",
    ],
)
def test_an_address_is_found_in_what_people_write_around_it(text: str) -> None:
    assert only_event({"email": text}).email == "ada@example.com"


@pytest.mark.parametrize(
    ("body", "email"),
    [
        (b"email=ada+news@example.com", "ada+news@example.com"),
        (b"email=ada%2Bnews%40example.com&a=b", "ada+news@example.com"),
        (b"a=b&email=ada%2Bnews@example.com", "ada+news@example.com"),
        (b"email=+ada@example.com+&x=1", "ada@example.com"),
    ],
)
def test_a_plus_that_its_sender_did_not_encode_is_one(body: bytes, email: str) -> None:
    event = only_event(body, **{"content-type": "application/x-www-form-urlencoded"})
    assert event.email == email


@pytest.mark.parametrize("body", [b"email=ada+news%40example.com", b"email=a+b+c@example.com"])
def test_an_ambiguous_blank_makes_no_address(body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert refused_as(body, **headers) is Reason.EMAIL_INVALID


def test_names_lose_invisible_characters() -> None:
    event = only_event({"email": "ada@example.com", "first\u200b_name": "A\u200bda\ufeff"})
    assert event.traits == {"first_name": "Ada"}


def test_a_fault_in_an_envelopes_data_costs_only_itself() -> None:
    data = base64.b64encode(b'{"email": "ada@example.com", "a": NaN, "b": 1}').decode()
    event = only_event({**SAID, "data_base64": data})
    assert (event.email, event.properties["b"]) == ("ada@example.com", 1)
    assert event.notes == ("a: was left out: its number cannot be kept",)


# --- recipes ---

ROOT = Path(__file__).parents[3]
OF_PLUGINS = (ROOT / "shared/warmlead/senders/generic/README.md").read_text()
OF_TOOLS = (ROOT / "docs/recipes.md").read_text()
RECIPES = "".join(
    (
        OF_PLUGINS.partition("\n## Recipes\n")[2].partition("\n## What becomes of a field\n")[0],
        OF_TOOLS,
    )
)


def recipes() -> dict[str, Any]:
    """The settings of all recipes, by form."""
    blocks = [part.partition("```")[0] for part in RECIPES.split("```yaml\n")[1:]]
    return {name: form for block in blocks for name, form in yaml.safe_load(block).items()}


def test_every_recipe_is_tested_with_its_settings() -> None:
    tested = {
        name: form
        for path in (Path(__file__).parent / "fixtures").glob("recipe__*.json")
        for name, form in json.loads(path.read_text())["settings"].items()
    }
    told = recipes()
    script = told.pop("google-form")  # its script is run by tests/e2e

    assert forms_in({"google-form": script})
    assert told.keys() == tested.keys()
    for name, form in told.items():
        secrets = [text[:4] for text in form.get("secrets", ())]
        assert secrets == ["env:"] * len(tested[name].get("secrets", ()))
        assert {**form, "secrets": None} == {**tested[name], "secrets": None}


def test_every_recipe_says_where_its_form_is_and_where_the_secret_stands() -> None:
    for name, form in recipes().items():
        address = f"https://HOST/forms/generic/{name}"
        in_address, in_header = f"{address}?key=SECRET", f"{address}`"
        if not form.get("secrets"):
            assert address in RECIPES or f"/f/{name}`" in RECIPES
        elif in_address not in RECIPES:
            (section,) = (part for part in RECIPES.split("\n## ") if in_header in part)
            assert "`Authorization`" in section
            assert "`Bearer SECRET`" in section
