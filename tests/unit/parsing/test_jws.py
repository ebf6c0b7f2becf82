import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.jws import MAX_TOKEN, sign_jws, verify_jws

BODY = b'{"id": "5eb1f6b4"}'
SECRET = "a-secret-of-a-tool-that-notifies"
CLAIMS = {"iss": "netlify", "sha256": hashlib.sha256(BODY).hexdigest()}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: Any, *, header: object = None, secret: str = SECRET) -> str:
    """A token as RFC 7515 makes it, without our own code."""
    header = header or {"alg": "HS256", "typ": "JWT"}
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def is_accepted(given: str, *secrets: str, body: bytes = BODY) -> bool:
    try:
        verify_jws(given, body, issuer="netlify", secrets=secrets)
    except RejectedError as error:
        return error.reason is not Reason.SIGNATURE_INVALID
    return True


def test_we_sign_what_the_standard_describes() -> None:
    signed = sign_jws(BODY, issuer="netlify", secret=SECRET)

    assert signed == token(CLAIMS)
    assert is_accepted(signed, SECRET)


def test_each_of_two_secrets_is_valid() -> None:
    signed = token(CLAIMS)

    assert is_accepted(signed, "another", SECRET)
    assert not is_accepted(signed, "another")
    assert not is_accepted(signed)
    assert not is_accepted(token(CLAIMS, secret=""), "")


@pytest.mark.parametrize(
    "claims",
    [
        {**CLAIMS, "iss": "somebody"},
        {**CLAIMS, "sha256": hashlib.sha256(b"another body").hexdigest()},
        {"iss": "netlify"},
        {},
        [],
        None,
    ],
)
def test_a_signed_token_of_another_body_or_issuer_is_refused(claims: object) -> None:
    assert not is_accepted(token(claims), SECRET)


def test_an_unsigned_token_is_refused_whatever_algorithm_it_names() -> None:
    signed, _, _ = token(CLAIMS, header={"alg": "none"}).rpartition(".")

    assert not is_accepted(f"{signed}.", SECRET)
    assert not is_accepted(token(CLAIMS, header={"alg": "none"}, secret=""), SECRET)


def test_another_claim_may_be_there() -> None:
    assert is_accepted(token({**CLAIMS, "exp": 1}), SECRET)


def test_a_token_that_is_too_long_is_refused() -> None:
    assert not is_accepted(token({**CLAIMS, "x": "x" * MAX_TOKEN}), SECRET)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assert not is_accepted(text, SECRET)
    assert not is_accepted(f"{token(CLAIMS)}{text or '.'}", SECRET) or not text.strip("=")
