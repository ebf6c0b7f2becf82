import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import (
    HmacScheme,
    WebhookScheme,
    has_standard_webhooks,
    key_of,
    sign_standard_webhooks,
    verify_hmac,
    verify_standard_webhooks,
)

# The vector that the Standard Webhooks libraries share in their tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()


def verify(
    headers: Mapping[str, str] | None = None,
    body: bytes = BODY,
    *,
    secrets: Sequence[str] = (SECRET,),
    now: datetime = AT,
) -> str:
    return verify_standard_webhooks(headers or SIGNED, body, secrets=secrets, now=now)


def reason_of(*arguments: Any, **named: Any) -> Reason:
    with pytest.raises(RejectedError) as refusal:
        verify(*arguments, **named)
    return refusal.value.reason


def test_the_published_vector_verifies() -> None:
    assert verify() == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_we_sign_the_published_vector() -> None:
    signed = sign_standard_webhooks(BODY, message_id=SIGNED["webhook-id"], at=AT, secret=SECRET)

    assert signed == SIGNED


def test_svix_headers_are_the_same_under_another_name() -> None:
    assert verify({name.replace("webhook", "svix"): value for name, value in SIGNED.items()})


def test_another_id_under_the_other_name_is_refused_as_it_is_not_signed() -> None:
    svix = {name.replace("webhook", "svix"): value for name, value in SIGNED.items()}
    assert verify({**svix, "webhook-id": svix["svix-id"]}) == SIGNED["webhook-id"]
    assert reason_of({**svix, "webhook-id": "another"}) == Reason.SIGNATURE_INVALID
    assert reason_of({**SIGNED, "svix-id": "another"}) == Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    assert verify(now=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 864_000])
def test_older_and_later_signatures_have_expired(seconds: int) -> None:
    assert reason_of(now=AT + timedelta(seconds=seconds)) is Reason.SIGNATURE_EXPIRED


def test_one_good_signature_among_several_is_enough() -> None:
    several = f"v1a,abc v2,x v1,{'A' * 44} {SIGNED['webhook-signature']}"

    assert verify({**SIGNED, "webhook-signature": several})


def test_secrets_can_be_rotated() -> None:
    assert verify(secrets=(OTHER, SECRET))
    assert reason_of(secrets=(OTHER,)) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_???",)])
def test_without_a_usable_secret_nothing_verifies(secrets: tuple[str, ...]) -> None:
    assert reason_of(secrets=secrets) is Reason.SIGNATURE_INVALID


def test_an_old_and_wrong_signature_is_just_wrong() -> None:
    late = AT + timedelta(days=1)

    assert reason_of(body=b"{}", now=late) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("missing", list(SIGNED))
def test_every_header_is_needed(missing: str) -> None:
    headers = {name: value for name, value in SIGNED.items() if name != missing}

    with pytest.raises(RejectedError) as refusal:
        verify_standard_webhooks(headers, BODY, secrets=[SECRET], now=AT)
    assert refusal.value.reason is Reason.SIGNATURE_MISSING


@pytest.mark.parametrize(
    "damage",
    [
        {"webhook-signature": value}
        for value in (
            "",
            "v1",
            "v1,",
            "v1,a,b",
            "v1,ä",
            "g0hM9",
            "v1,=",
            "\udcff",
            "v1," + "A" * 44,
        )
    ]
    + [
        {"webhook-timestamp": value}
        for value in ("", "1e9", "-1", "1614265330.0", "9" * 5000, "٣", "nan", "0x1")
    ]
    + [{"webhook-id": value} for value in ("", "a.b", "x" * 1000, "ä", "a b")],
)
def test_malformed_headers_are_invalid_and_nothing_else(damage: dict[str, str]) -> None:
    assert reason_of({**SIGNED, **damage}) is Reason.SIGNATURE_INVALID


def test_an_id_with_a_full_stop_is_refused_even_if_signed() -> None:
    signed = sign_standard_webhooks(BODY, message_id="a.1", at=AT, secret=SECRET)

    assert reason_of(signed) is Reason.SIGNATURE_INVALID


headers_of_any_kind = st.dictionaries(
    st.sampled_from([*SIGNED, "x-signature", "svix-id"]), st.text(max_size=40)
)


@given(headers_of_any_kind, st.binary(max_size=20))
def test_arbitrary_input_raises_only_rejections(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(RejectedError):
        verify_standard_webhooks({**SIGNED, **headers}, body, secrets=[OTHER], now=AT)
    with pytest.raises(RejectedError):
        verify_hmac(headers, body, scheme=HmacScheme(prefix="v="), secrets=["s"])


@given(
    st.binary(min_size=1, max_size=40),
    st.text(max_size=60),
    st.from_regex(r"\A[A-Za-z0-9_-]{1,30}\Z"),
)
def test_the_standard_library_verifies_what_we_sign_and_we_what_it_signs(
    key: bytes, text: str, message_id: str
) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = f'"{text.encode(errors="ignore").hex()}"'
    now = datetime.now(UTC)

    ours = sign_standard_webhooks(body.encode(), message_id=message_id, at=now, secret=secret)
    theirs = Webhook(secret).sign(message_id, now, body)

    assert ours["webhook-signature"] == theirs
    Webhook(secret).verify(body, ours)
    headers = {**ours, "webhook-signature": theirs}
    assert verify_standard_webhooks(headers, body.encode(), secrets=[secret], now=now) == message_id


SCHEMES = [
    HmacScheme(header="X-Hub-Signature-256", prefix="sha256="),
    HmacScheme(header="Typeform-Signature", prefix="sha256=", encoding="base64"),
    HmacScheme(header="X-Signature", algorithm="sha1"),
    HmacScheme(algorithm="sha512", encoding="base64"),
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_keyed_hash_verifies_with_any_of_the_secrets(scheme: HmacScheme) -> None:
    headers = {scheme.header.lower(): scheme.sign(b"body", "new")}

    verify_hmac(headers, b"body", scheme=scheme, secrets=["old", "new"])
    with pytest.raises(RejectedError, match="signature_invalid"):
        verify_hmac(headers, b"bodY", scheme=scheme, secrets=["old", "new"])
    with pytest.raises(RejectedError, match="signature_invalid"):
        verify_hmac(headers, b"body", scheme=scheme, secrets=[])
    with pytest.raises(RejectedError, match="signature_missing"):
        verify_hmac({}, b"body", scheme=scheme, secrets=["new"])


def test_the_example_of_github_verifies() -> None:
    # From "Validating webhook deliveries" in GitHub's documentation.
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": f"sha256={digest.upper()}"}

    verify_hmac(
        headers, b"Hello, World!", scheme=SCHEMES[0], secrets=["It's a Secret to Everybody"]
    )


def test_an_empty_secret_signs_nothing() -> None:
    scheme = HmacScheme()
    headers = {"x-signature": scheme.sign(b"body", "")}

    with pytest.raises(RejectedError, match="signature_invalid"):
        verify_hmac(headers, b"body", scheme=scheme, secrets=[""])


def test_a_secret_is_base64_after_its_prefix_and_raw_without() -> None:
    assert key_of("whsec_YWJj") == b"abc"
    assert key_of("YWJj") == b"YWJj"
    for no_key in ("whsec_?", "whsec_…"):
        with pytest.raises(ValueError, match="goes on in base64"):
            key_of(no_key)


def test_a_request_claims_to_be_signed_by_its_headers() -> None:
    assert has_standard_webhooks(SIGNED)
    assert has_standard_webhooks({"svix-signature": ""})
    assert not has_standard_webhooks({"webhook-id": "a"})


IN_MS = WebhookScheme(header="X-Signed", text="[{time};{body}]", time_header="X-At", unit="ms")
IN_S = WebhookScheme(header="X-Signed", text="[{time};{body}]", time_header="X-At")


@pytest.mark.parametrize(
    ("signed_by", "shift_s", "reason"),
    [
        (IN_MS, 0, None),
        (IN_S, 0, None),  # a vendor that means milliseconds and sends seconds
        (IN_MS, 301, Reason.SIGNATURE_EXPIRED),
        (IN_S, -301, Reason.SIGNATURE_EXPIRED),
    ],
)
def test_seconds_may_stand_where_milliseconds_are_signed(
    signed_by: WebhookScheme, shift_s: int, reason: Reason | None
) -> None:
    made = signed_by.sign(BODY, at=AT, secret=SECRET)
    headers = {name.lower(): value for name, value in made.items()}
    found = None
    try:
        IN_MS.verify(headers, BODY, secrets=[SECRET], now=AT + timedelta(seconds=shift_s))
    except RejectedError as error:
        found = error.reason
    assert found == reason
