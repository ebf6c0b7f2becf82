"""What senders of mail tools share: tokens, two proofs at once, ids, kinds of bounces."""

import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Automation, Trust
from warmlead.parsing.signatures import WebhookScheme
from warmlead.parsing.strict_json import JsonDocument, parse
from warmlead.ports import RawRequest
from warmlead.runtime.table import MAIL
from warmlead.senders.mail import (
    KeyOrSignature,
    MailSettings,
    SignedToken,
    TokensSeen,
    fact_id,
    first_text,
    kind_of_bounce,
    token_signature,
)
from warmlead.senders.registry import REGISTRY
from warmlead.senders.resend import ResendSettings, ResendSource

# --- a signed token ------------------------------------------------------------------------

SECRET = "the signing key of the tests"
TOKEN = SignedToken("signature")


def with_token(time: str, *, secret: str = SECRET, token: str = "t0") -> RawRequest:
    signature = token_signature(time, token, secret).decode()
    said = {"timestamp": time, "token": token, "signature": signature}
    return RawRequest("POST", "/x", "", {}, json.dumps({"signature": said}).encode(), NOW, "r-1")


def refusal_of(request: RawRequest, *secrets: str) -> Reason | None:
    def document() -> JsonDocument:
        return parse(request.body)

    try:
        TOKEN.verify(request, secrets or (SECRET,), document)
    except RejectedError as error:
        return error.reason
    return None


def at(shift: timedelta) -> str:
    return str(int((NOW + shift).timestamp()))


def test_a_token_is_good_for_as_long_as_its_vendor_sends_again() -> None:
    for hours in (0, 8, -8):
        assert refusal_of(with_token(at(timedelta(hours=hours)))) is None
    for hours in (10, -10):
        assert refusal_of(with_token(at(timedelta(hours=hours)))) is Reason.SIGNATURE_EXPIRED


def test_a_token_of_another_secret_or_without_a_time_is_refused() -> None:
    request = with_token(at(timedelta(0)))
    assert refusal_of(request, "another", SECRET) is None
    assert refusal_of(request, "another") is Reason.SIGNATURE_INVALID
    assert refusal_of(with_token("")) is Reason.SIGNATURE_MISSING
    assert refusal_of(with_token("tomorrow")) is Reason.SIGNATURE_INVALID
    assert refusal_of(with_token("9" * 40)) is Reason.SIGNATURE_INVALID
    assert refusal_of(replace(request, body=b"[]")) is Reason.SIGNATURE_MISSING


def test_a_request_is_sent_anew_with_another_token_and_the_same_event() -> None:
    old = with_token(at(-timedelta(days=9)))
    event = replace(old, body=old.body[:-1] + b', "event-data": {"id": 1}}')
    anew = TOKEN.renewed(event, SECRET)
    assert (refusal_of(event), refusal_of(anew)) == (Reason.SIGNATURE_EXPIRED, None)
    assert json.loads(anew.body)["event-data"] == {"id": 1}
    for body in (b"[1]", b"nothing", b""):
        assert TOKEN.renewed(replace(old, body=body), SECRET).body == body


def test_a_token_comes_with_one_event_only_however_often() -> None:
    seen = TokensSeen()
    seen.admit("t1", {"event": "opened", "id": "1"})
    seen.admit("t1", {"event": "opened", "id": "1"})
    seen.admit("t2", {"event": "opened", "id": "1"})
    with pytest.raises(RejectedError) as refusal:
        seen.admit("t1", {"event": "complained", "id": "1"})
    assert refusal.value.reason is Reason.SIGNATURE_INVALID


def test_only_so_many_tokens_are_remembered() -> None:
    seen = TokensSeen(most=2)
    for number in range(3):
        seen.admit(f"t{number}", 1)
    seen.admit("t0", 2)  # forgotten, so it may come with another event
    with pytest.raises(RejectedError):
        seen.admit("t2", 2)


# --- a key or a signature ------------------------------------------------------------------

KEY, SIGNING = "the key of the address", "the secret of the signature"
EITHER = KeyOrSignature(
    scheme=WebhookScheme(header="X-Signed", text="{time}.{body}", pairs=("t", "v1"))
)
BARE = RawRequest("POST", "/x", "", {}, b"type=subscribe", NOW, "r-1")
IN_ADDRESS = replace(BARE, query="key=the+key+of+the+address")


def signed(
    request: RawRequest, secret: str = SIGNING, *, age: timedelta = timedelta(0)
) -> RawRequest:
    time = int((NOW - age).timestamp())
    digest = hmac.new(secret.encode(), f"{time}.".encode() + request.body, "sha256").hexdigest()
    return replace(request, headers={"x-signed": f"t={time},v1={digest}"})


def told(request: RawRequest, *secrets: str) -> Reason | None:
    try:
        EITHER.verify(request, secrets, lambda: JsonDocument(None, False))
    except RejectedError as error:
        return error.reason
    return None


def test_the_key_of_the_address_or_the_signature_is_enough() -> None:
    assert told(IN_ADDRESS, KEY) is None
    assert told(signed(BARE), SIGNING) is None
    assert told(signed(IN_ADDRESS), KEY, SIGNING) is None
    # the vendor signs, and its secret was not configured: the key is good all the same
    assert told(signed(IN_ADDRESS), KEY) is None


def test_neither_key_nor_signature_is_refused() -> None:
    assert told(BARE, KEY, SIGNING) is Reason.SIGNATURE_MISSING
    assert told(replace(BARE, query="key=x"), KEY, SIGNING) is Reason.SIGNATURE_INVALID
    assert told(signed(BARE, "x"), KEY, SIGNING) is Reason.SIGNATURE_INVALID
    assert told(signed(replace(BARE, query="key=x"), "x"), KEY) is Reason.SIGNATURE_INVALID
    assert told(signed(BARE, age=timedelta(minutes=6)), SIGNING) is Reason.SIGNATURE_EXPIRED


def test_with_the_signing_secret_alone_whatever_is_unsigned_is_refused() -> None:
    assert told(IN_ADDRESS, SIGNING) is Reason.SIGNATURE_INVALID


# --- what is said --------------------------------------------------------------------------


def test_the_id_of_a_fact_tells_it_from_others_and_reveals_nothing() -> None:
    one = fact_id("m-1", "ada@example.com", 2**60 + 1)
    assert one == fact_id("m-1", "ada@example.com", 2**60 + 1)
    assert (
        len({one, fact_id("m-1", "ada@example.com", 2**60), fact_id("m-1ada", "@example.com", "")})
        == 3
    )
    assert "ada" not in one


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"kind": "Permanent"}, "hard"),
        ({"kind": "Transient"}, "soft"),
        ({"reason": "550 5.1.1 no such user"}, "hard"),
        ({"reason": "552 5.2.2 mailbox full"}, "soft"),
        ({"code": "550", "reason": "5.7.1 rejected by policy"}, "soft"),
        ({"kind": "Unsubscribed"}, "unsubscribed"),
        ({}, "hard"),
    ],
)
def test_the_kind_of_a_bounce_is_the_one_that_consent_goes_by(
    said: dict[str, str], kind: str
) -> None:
    assert kind_of_bounce(**said) == kind


def test_the_first_of_several_texts_is_taken() -> None:
    assert [first_text(value) for value in ("a", ["a", "b"], [], None, {"a": 1})] == [
        "a",
        "a",
        "",
        "",
        "",
    ]


# --- links that people cannot see ----------------------------------------------------------

HIDDEN = "https://shop.example/unseen"


def automated(link: str, *hidden: str, kind: str = "email.clicked") -> Automation | None:
    settings = ResendSettings(secrets=("x",), hidden_links=hidden)
    sender = ResendSource(settings, own_hosts=frozenset())
    click = {"link": link, "timestamp": NOW.isoformat()}
    data = {"email_id": "m1", "to": ["ada@example.com"], "click": click}
    body = json.dumps({"type": kind, "created_at": NOW.isoformat(), "data": data}).encode()
    request = RawRequest("POST", "/resend", "", {}, body, NOW, "r-1")
    ((_, event),) = sender.translate(request, Trust.SIGNED).events
    return event.automated


@pytest.mark.parametrize("more", ["", "/", "?utm_source=mail", "/?a=1#b", "#top"])
def test_who_opens_a_link_that_people_cannot_see_is_a_program(more: str) -> None:
    assert automated(HIDDEN + more, "https://shop.example/other", f"{HIDDEN}?x=1") == "robot"


@pytest.mark.parametrize("link", ["", "https://shop.example/", f"{HIDDEN}/more"])
def test_other_links_are_open_to_people(link: str) -> None:
    assert automated(link, HIDDEN) is None
    assert automated(HIDDEN) is None


def test_what_a_mail_system_states_is_so_whatever_link_it_names() -> None:
    assert automated(HIDDEN, HIDDEN, kind="email.complained") is None


def test_all_mail_tools_may_name_hidden_links() -> None:
    kinds = [each.settings_type() for each in REGISTRY if each.function == MAIL.name]
    assert kinds
    assert all(issubclass(kind, MailSettings) for kind in kinds)
