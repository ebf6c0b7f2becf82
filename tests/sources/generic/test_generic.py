import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from warmlead.domain.errors import ConfigurationError, Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.ports import RawRequest
from warmlead.sources.generic import FormSettings, GenericSource, read_forms
from warmlead.sources.generic.form_file import read_form_file
from warmlead.web.answer import Answer
from warmlead.web.signatures import HmacScheme, sign_standard_webhooks

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SCHEME = HmacScheme(header="X-Form-Signature", prefix="sha256=")
FORMS = GenericSource(
    read_forms(
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


def refused_as(body: object, name: str) -> Reason:
    (one,) = FORMS.translate(post(body, name), Trust.PUBLIC).refused
    return one.error.reason


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
def test_a_form_takes_what_is_signed_as_it_says(
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
def test_all_else_is_refused(
    name: str, headers: dict[str, str], body: bytes, reason: Reason
) -> None:
    assert reason_of(FORMS.verify, post(body, name, **headers)) is reason


def test_an_old_signature_has_expired() -> None:
    late = replace(post(BODY, "signed", **SIGNED), received_at=NOW + timedelta(seconds=301))

    assert reason_of(FORMS.verify, late) is Reason.SIGNATURE_EXPIRED


def test_a_form_that_says_nothing_of_signatures_takes_nothing() -> None:
    with pytest.raises(ValueError, match="give a signature"):
        FormSettings(signature=None)
    closed = FormSettings(allow_unsigned=True)
    structs.force_setattr(closed, "allow_unsigned", False)  # whoever made it, however it was made

    assert reason_of(GenericSource({"open": closed}).verify, post(BODY)) is Reason.FORBIDDEN


def test_other_names_have_the_settings_of_unconfigured_forms_if_there_are_any() -> None:
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
    ],
)
def test_the_body_counts_whatever_its_label_says(body: bytes, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}

    assert only_event(body, **headers).email == "ada@example.com"


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "application/json", Reason.BODY_EMPTY),
        (b" \n", "", Reason.BODY_EMPTY),
        (b"[]", "", Reason.BODY_EMPTY),
        (b'{"a"', "application/x-www-form-urlencoded", Reason.JSON_INVALID),
        (b"email=a", "application/json", Reason.JSON_INVALID),
        (b"<a/>", "application/xml", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"words", "", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"words", "text/plain", Reason.FORM_INVALID),
        (b"[" + b"1," * 100 + b"1]", "", Reason.TOO_MANY_EVENTS),
        (b"x", "multipart/form-data", Reason.FORM_INVALID),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, content_type: str, reason: Reason) -> None:
    request = post(body, **{"content-type": content_type})

    assert reason_of(FORMS.translate, request, Trust.PUBLIC) is reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", Reason.EVENT_INVALID),
        (b'"text"', Reason.EVENT_INVALID),
        ({"a": ""}, Reason.EVENT_INVALID),
        ({"name": "Ada"}, Reason.IDENTITY_MISSING),
        ({"email": "ada@"}, Reason.EMAIL_INVALID),
        ({"email": ["ada@example.com"]}, Reason.EMAIL_INVALID),
        ({"email": "ada@example.com", "anonymous_id": {"a": 1}}, None),
        ({"email": "ada@example.com", "anonymous_id": [1]}, Reason.IDENTITY_INVALID),
        (b'{"email": "ada@example.com", "email": "x@example.com"}', Reason.JSON_DUPLICATE_KEY),
        ({"email": "ada@example.com", "text": "x" * 9000}, Reason.FIELD_INVALID),
    ],
)
def test_submissions_that_make_no_event(body: bytes, reason: Reason) -> None:
    raw = {"content-type": "application/json"}
    refused = FORMS.translate(post(body, **raw), Trust.PUBLIC).refused

    assert [one.error.reason for one in refused] == ([reason] if reason else [])


def test_a_bad_submission_costs_no_neighbour() -> None:
    body = b'[{"email": "ada@example.com"}, {"email": NaN}, 5, {"email": "bob@example.com"}]'

    translation = FORMS.translate(post(body), Trust.PUBLIC)

    assert [event.email for _, event in translation.events] == [
        "ada@example.com",
        "bob@example.com",
    ]
    assert [(one.index, one.error.reason) for one in translation.refused] == [
        (1, Reason.JSON_NOT_A_NUMBER),
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

    assert (event.name, event.id) == ("webinar_registered", "e-1")
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
            "_next": "",
        }
    )

    assert event.properties == {"form": "open"}


def test_a_filled_honeypot_is_answered_well_and_forgotten() -> None:
    for body, name in (
        ({"email": "bot@example.com", "_gotcha": "http://spam.example"}, "open"),
        ({"contact": {"mail": "bot@example.com"}, "fax": "1"}, "mapped"),
    ):
        request = post(body, name)

        translation = FORMS.translate(request, Trust.PUBLIC)

        assert (translation.events, translation.refused, translation.items) == ([], [], 1)
        assert FORMS.answer(request, []).status == 200


def test_attribution_is_read_from_hidden_fields_and_the_page() -> None:
    event = only_event(
        {"email": "ada@example.com", "utm_source": "news", "gclid": "G"},
        referer="https://shop.example/landing?utm_medium=mail&utm_source=x",
    )

    assert event.attribution == {"utm_source": "news", "utm_medium": "mail", "gclid": "G"}
    assert event.properties == {"path": "/landing", "form": "open"}


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
    request = post(body, "redirecting", **headers)
    FORMS.translate(request, Trust.PUBLIC)

    answer = FORMS.answer(request, [])

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
    body = {"email": "ada@example.com", "_redirect": target}

    assert refused_as(body, "redirecting") is Reason.REDIRECT_NOT_ALLOWED
    assert refused_as(body, "open") is Reason.REDIRECT_NOT_ALLOWED


def test_refused_submissions_are_named_by_their_position() -> None:
    request = post([{"email": "ada@example.com"}, {"email": "x"}])

    answer = FORMS.answer(request, FORMS.translate(request, Trust.PUBLIC).refused)

    assert json.loads(answer.body)["refused"][0]["code"] == "email_invalid"
    assert b"ada" not in answer.body


def test_failures_stay_as_they_are() -> None:
    failure = Answer(400, b"{}")

    assert FORMS.answer_failure(post(BODY), failure) is failure


# --- settings ---


def test_no_forms_are_no_fault() -> None:
    assert read_forms(None) == {}


def test_every_fault_of_the_settings_is_named_and_no_secret() -> None:
    with pytest.raises(ConfigurationError) as fault:
        read_forms(
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
        signature = read_form_file(path, {"SECRET": "looked up"})["a"].signature
        assert signature is not None
        assert signature.secrets == ("looked up", "plain")


@pytest.mark.parametrize("name", ["forms.yaml", "forms.json", "nowhere.json"])
def test_a_file_of_forms_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name != "nowhere.json":
        path.write_text("{a: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_form_file(path, {})


def test_secrets_do_not_show() -> None:
    assert SECRET not in repr(read_forms({"a": {"signature": {"secrets": [SECRET]}}}))


def test_a_refused_submission_can_be_sent_again_by_itself() -> None:
    (refused,) = FORMS.translate(post(b"email=ada&a[b]=c"), Trust.PUBLIC).refused

    path, body = FORMS.resend("/generic/open", refused.raw.replace(b"ada", b"ada@example.com"))

    again = FORMS.translate(RawRequest("POST", path, "", {}, body, NOW, "req"), Trust.PUBLIC)
    assert again.events[0][1].properties == {"a_b": "c", "form": "open"}


def test_ones_other_websites_are_no_origin() -> None:
    settings = read_forms({"open": {"allow_unsigned": True}})
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
def test_a_form_is_direct_only_if_it_tells_its_page_and_that_nothing_led_there(
    fields: dict[str, str], referer: str, *, direct: bool
) -> None:
    event = only_event({"email": "ada@example.com", **fields}, referer=referer)

    assert (event.direct, event.attribution) == (direct, {})
