"""Signatures of bodies by JSON Web Signature: a signed claim of the body's hash (RFC 7515).

Checks raise only ``RejectedError``, whatever the token holds.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from warmlead.domain.errors import Reason, RejectedError

MAX_TOKEN = 4_000
"""The characters of the longest token that is read; Netlify's have about 200."""

_HEADER = {"alg": "HS256", "typ": "JWT"}
_INVALID = "The signature does not match the body."


def sign_jws(body: bytes, *, issuer: str, secret: str) -> str:
    """The token by which an issuer signs a body: HS256 over its issuer and the body's SHA-256."""
    claims = {"iss": issuer, "sha256": hashlib.sha256(body).hexdigest()}
    signed = ".".join(_encoded(json.dumps(one).encode()) for one in (_HEADER, claims))
    return f"{signed}.{_encoded(_digest(signed, secret))}"


def verify_jws(token: str, body: bytes, *, issuer: str, secrets: Sequence[str]) -> None:
    """Raises ``RejectedError`` unless one of the secrets signed that the issuer sent the body.

    Whatever algorithm the token names, only HS256 counts.
    """
    signed, _, signature = token[: MAX_TOKEN + 1].rpartition(".")
    given = _decoded(signature)
    valid = False
    for secret in secrets:
        valid |= hmac.compare_digest(given, _digest(signed, secret))
    if not (valid and secrets and all(secrets) and len(token) <= MAX_TOKEN):
        raise RejectedError(Reason.SIGNATURE_INVALID, _INVALID)
    try:
        claims = json.loads(_decoded(signed.partition(".")[2]))
    except ValueError:
        claims = None
    expected = {"iss": issuer, "sha256": hashlib.sha256(body).hexdigest()}
    if not isinstance(claims, dict) or any(claims.get(name) != expected[name] for name in expected):
        raise RejectedError(Reason.SIGNATURE_INVALID, _INVALID)


def _digest(signed: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), signed.encode(errors="replace"), hashlib.sha256).digest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """The bytes; none if the text is not in base64 for URLs."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
