"""Signatures with a pair of keys: ECDSA over a time and the raw body. The vendor keeps the secret.

A configured key is the public one that the vendor shows, as base64 of its DER form, or as PEM. A
private key may stand in its place on one's own machine: then requests can be signed as well.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError

if TYPE_CHECKING:  # it costs 20 ms, and only senders with such keys need it
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

MAX_SIGNATURE = 400
"""The characters of a signature that are read; one over P-256 has 96."""

MAX_KEY = 2_000
"""The longest configured key, in characters."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_PEM = re.compile(r"-----[A-Z ]{1,40}-----")
_NOT_A_KEY = (
    "None of the configured secrets is a key of an elliptic curve: copy the whole public key."
)


class KeyPairScheme(Struct, frozen=True, kw_only=True):
    """ECDSA with SHA-256 over the time and the body, base64 of its DER form in ``header``.

    The time, in seconds since 1970, stands in ``time_header``, and may differ from ours by
    ``tolerance``, either way.
    """

    header: str
    time_header: str
    tolerance: timedelta

    def sign(self, body: bytes, *, at: datetime, secret: str) -> dict[str, str]:
        """The headers that sign a body; none if the secret is only a public key."""
        private = _private_key(secret)
        if private is None:
            return {}
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        time = str(int(at.timestamp()))
        signature = private.sign(time.encode() + body, ECDSA(SHA256()))
        return {self.header: base64.b64encode(signature).decode(), self.time_header: time}

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
    ) -> None:
        """Raises ``RejectedError`` unless one of the keys signed the body within the tolerance."""
        given = headers.get(self.header.lower(), "").strip()[:MAX_SIGNATURE]
        time = headers.get(self.time_header.lower(), "").strip()
        if not (given and time):
            text = f"The headers {self.header} and {self.time_header} are needed."
            raise RejectedError(Reason.SIGNATURE_MISSING, text)
        keys = [key for key in map(_public_key, secrets) if key is not None]
        if not keys:
            raise RejectedError(Reason.SIGNATURE_INVALID, _NOT_A_KEY)
        if not _SECONDS.fullmatch(time) or not _is_by_one(keys, given, time.encode() + body):
            text = "The signature does not match the body."
            raise RejectedError(Reason.SIGNATURE_INVALID, text)
        if abs(now.timestamp() - int(time)) > self.tolerance.total_seconds():
            text = "The signed time is too far from ours."
            raise RejectedError(Reason.SIGNATURE_EXPIRED, text)


def _is_by_one(keys: "Sequence[EllipticCurvePublicKey]", given: str, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        signature = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False
    for key in keys:
        try:
            key.verify(signature, signed, ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return True
    return False


def _der(secret: str) -> bytes:
    """The key's bytes; empty for a text that is none."""
    try:
        return base64.b64decode("".join(_PEM.sub("", secret[:MAX_KEY]).split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _private_key(secret: str) -> "EllipticCurvePrivateKey | None":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        key = load_der_private_key(_der(secret), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePrivateKey) else None


def _public_key(secret: str) -> "EllipticCurvePublicKey | None":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if private := _private_key(secret):
        return private.public_key()
    try:
        key = load_der_public_key(_der(secret))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None
