import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.key_pairs import KeyPairScheme

# The vector that SendGrid's libraries share in their tests; its body ends with a line break.
PUBLIC = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+"
    "2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAb"
    "PIqHh89M15TluLtEZtM="
)
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
AT = datetime.fromtimestamp(1600112502, UTC)
TIME = "1600112502"
SCHEME = KeyPairScheme(header="X-Signature", time_header="X-Time", tolerance=timedelta(hours=25))

OWN = ec.generate_private_key(ec.SECP256R1())
PRIVATE = base64.b64encode(
    OWN.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
).decode()
OWN_PUBLIC = base64.b64encode(
    OWN.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
OWN_PEM = OWN.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
RSA = base64.b64encode(
    rsa.generate_private_key(65_537, 2_048)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


def reason_of(
    body: bytes = BODY,
    *secrets: str,
    now: datetime = AT,
    signature: str = SIGNATURE,
    time: str = TIME,
) -> Reason | None:
    """Why a request is refused; ``None`` if it is not."""
    headers = {"x-signature": signature, "x-time": time}
    try:
        SCHEME.verify(headers, body, secrets=secrets or (PUBLIC,), now=now)
    except RejectedError as error:
        return error.reason
    return None


def test_the_published_vector_verifies() -> None:
    assert reason_of() is None
    assert reason_of(BODY, OWN_PUBLIC, PUBLIC) is None


def test_the_line_break_at_the_end_is_signed() -> None:
    assert reason_of(BODY.rstrip()) is Reason.SIGNATURE_INVALID


def test_another_body_time_key_or_signature_is_refused() -> None:
    assert reason_of(BODY.replace(b"dropped", b"clicked")) is Reason.SIGNATURE_INVALID
    assert reason_of(time="1600112503") is Reason.SIGNATURE_INVALID
    assert reason_of(BODY, OWN_PUBLIC) is Reason.SIGNATURE_INVALID
    assert reason_of(signature=SIGNATURE[:-8] + "AAAAAAA=") is Reason.SIGNATURE_INVALID
    assert reason_of(signature="") is Reason.SIGNATURE_MISSING
    assert reason_of(time="") is Reason.SIGNATURE_MISSING


# By name: each worker makes its own key, and all must give the tests the same names.
@pytest.mark.parametrize(
    "secret",
    ["", "whsec_abc", "not base64!", "AAAA", RSA, "A" * 9_999],
    ids=["nothing", "symmetric", "not-base64", "short", "of-another-kind", "long"],
)
def test_a_text_that_is_no_such_key_verifies_nothing(secret: str) -> None:
    assert reason_of(BODY, secret) is Reason.SIGNATURE_INVALID
    assert reason_of(BODY, secret, PUBLIC) is None
    assert SCHEME.sign(BODY, at=AT, secret=secret) == {}


def test_a_request_out_of_the_window_is_refused() -> None:
    for shift in (timedelta(hours=24), -timedelta(hours=24)):
        assert reason_of(now=AT + shift) is None
    for shift in (timedelta(hours=26), -timedelta(hours=26)):
        assert reason_of(now=AT + shift) is Reason.SIGNATURE_EXPIRED


def test_a_public_key_signs_nothing_and_a_private_one_for_its_public_one() -> None:
    assert SCHEME.sign(BODY, at=AT, secret=PUBLIC) == {}
    proof = SCHEME.sign(BODY, at=AT, secret=PRIVATE)
    signature, time = proof["X-Signature"], proof["X-Time"]
    for key in (PRIVATE, OWN_PUBLIC, OWN_PEM):
        assert reason_of(BODY, key, signature=signature, time=time) is None
        changed = reason_of(BODY + b" ", key, signature=signature, time=time)
        assert changed is Reason.SIGNATURE_INVALID


@given(st.text(max_size=120), st.text(max_size=30))
def test_whatever_the_headers_hold_is_a_refusal(signature: str, time: str) -> None:
    assert reason_of(signature=signature, time=time) is not None
