"""Signatures over raw bodies: configured, made and checked, in constant time, failing closed.

Checks raise only ``RejectedError``, whatever the headers hold. A check is always computed to the
end before it fails, so that its time reveals nothing.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from warmlead.domain.errors import Reason, RejectedError

TOLERANCE_S = 300
"""A signed time may differ from ours by this much, either way (Standard Webhooks)."""

_SECRET_PREFIX = "whsec_"  # noqa: S105  # a public prefix, not a secret
_FAMILIES = ("webhook", "svix")
_ID = re.compile(r"[^\s.]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NO_SECRET = b"nobody knows this key, so nothing is signed with it"
_INVALID = "The signature does not match the body."


class HmacScheme(Struct, frozen=True, forbid_unknown_fields=True):
    """How a sender signs: a keyed hash of the body, in one header, perhaps behind a prefix."""

    header: str = "X-Signature"
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""

    def sign(self, body: bytes, secret: str) -> str:
        """The header's value for a body."""
        digest = hmac.new(secret.encode(), body, self.algorithm).digest()
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        return self.prefix + text


def key_of(secret: str) -> bytes:
    """The key that a Standard Webhooks secret stands for: base64 after ``whsec_``, or raw text.

    Raises ``ValueError`` if it is empty or not base64.
    """
    if not secret.startswith(_SECRET_PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except ValueError as error:  # not base64, or letters that ASCII lacks, as `…`
            raise ValueError("a secret that begins with whsec_ goes on in base64") from error
    if not key:
        raise ValueError("a secret may not be empty")
    return key


def sign_standard_webhooks(
    body: bytes, *, message_id: str, at: datetime, secret: str
) -> dict[str, str]:
    """The three headers that sign a body (standardwebhooks.com); ``at`` is rounded to seconds."""
    timestamp = str(int(at.timestamp()))
    signature = _signature(key_of(secret), message_id, timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature.decode(),
    }


def verify_standard_webhooks(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> str:
    """The id of a message that one of the secrets signed within the last five minutes.

    Header names are in lower case, ``webhook-`` or ``svix-``. Raises ``RejectedError``, also if
    there is another id under the other name: an event could be counted by it, and it is not signed.
    """
    message_id, timestamp, signatures = _signature_headers(headers)
    offered = [part.encode() for part in signatures.split(" ") if part.startswith("v1,")]
    valid = False
    for key in _keys(secrets):
        expected = _signature(key, message_id, timestamp, body)
        for signature in offered:
            valid |= hmac.compare_digest(signature, expected)
    ids = {headers.get(f"{family}-id", message_id).strip() for family in _FAMILIES}
    valid &= ids == {message_id}
    if not (valid and secrets and _ID.fullmatch(message_id) and _TIMESTAMP.fullmatch(timestamp)):
        raise RejectedError(Reason.SIGNATURE_INVALID, _INVALID)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise RejectedError(Reason.SIGNATURE_EXPIRED, _EXPIRED)
    return message_id


def verify_hmac(
    headers: Mapping[str, str], body: bytes, *, scheme: HmacScheme, secrets: Sequence[str]
) -> None:
    """Raises ``RejectedError`` unless one of the secrets signed the body as the scheme says."""
    offered = headers.get(scheme.header.lower())
    if offered is None:
        raise RejectedError(Reason.SIGNATURE_MISSING, f"The header {scheme.header} is missing.")
    given = offered.strip()
    if scheme.encoding == "hex":
        given = scheme.prefix + given.removeprefix(scheme.prefix).lower()
    valid = False
    for secret in secrets or (_NO_SECRET.decode(),):
        valid |= hmac.compare_digest(given.encode(), scheme.sign(body, secret).encode())
    if not (valid and secrets and all(secrets)):
        raise RejectedError(Reason.SIGNATURE_INVALID, _INVALID)


def has_standard_webhooks(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed by Standard Webhooks."""
    return "webhook-signature" in headers or "svix-signature" in headers


def _signature_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    for family in _FAMILIES:
        found = [headers.get(f"{family}-{part}") for part in ("id", "timestamp", "signature")]
        if all(value is not None for value in found):
            message_id, timestamp, signatures = (str(value).strip() for value in found)
            return message_id, timestamp, signatures
    raise RejectedError(
        Reason.SIGNATURE_MISSING,
        "The headers webhook-id, webhook-timestamp and webhook-signature are needed.",
    )


def _keys(secrets: Sequence[str]) -> list[bytes]:
    keys = []
    for secret in secrets:
        try:
            keys.append(key_of(secret))
        except ValueError:
            keys.append(hashlib.sha256(_NO_SECRET).digest())
    return keys or [_NO_SECRET]


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


class WebhookScheme(Struct, frozen=True, kw_only=True):
    """How a vendor signs its webhooks: a keyed hash, in a header, of a text around the body.

    ``text`` is what is signed, with ``{body}`` and, where a time is signed too, ``{time}``. The
    time, in seconds or milliseconds since 1970 (``unit``), stands in ``time_header``; or, if
    ``pairs`` names both, in the signature's own header beside it: ``("t", "v1")`` is
    ``t=1614265330,v1=5257…``, in which several signatures may stand. A time may differ from ours
    by ``tolerance_s`` seconds, either way: more than five minutes for a vendor that may repeat a
    request without signing it anew.
    """

    header: str
    text: str = "{body}"
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    time_header: str = ""
    unit: Literal["s", "ms"] = "s"
    pairs: tuple[str, str] | None = None
    divider: str = ","
    tolerance_s: int = TOLERANCE_S

    def sign(self, body: bytes, *, at: datetime, secret: str) -> dict[str, str]:
        """The headers that sign a body."""
        time = str(int(at.timestamp() * _UNITS[self.unit]))
        digest = self._digest(body, time, secret)
        if self.pairs:
            stamp, signature = self.pairs
            return {self.header: f"{stamp}={time}{self.divider}{signature}={digest}"}
        stamped = {self.time_header: time} if self.time_header else {}
        return {self.header: self.prefix + digest, **stamped}

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
    ) -> None:
        """Raises ``RejectedError`` unless one of the secrets signed the body, lately."""
        given = headers.get(self.header.lower(), "").strip()[:_MAX_HEADER]
        if not given:
            raise RejectedError(Reason.SIGNATURE_MISSING, f"The header {self.header} is missing.")
        time, offered = self._read(given, headers)
        valid = False
        for secret in secrets or (_NO_SECRET.decode(),):
            expected = self._digest(body, time, secret).encode()
            for one in offered:
                valid |= hmac.compare_digest(one.encode(), expected)
        if not (valid and secrets and all(secrets)):
            raise RejectedError(Reason.SIGNATURE_INVALID, _INVALID)
        if "{time}" in self.text and abs(now.timestamp() - self._seconds(time)) > self.tolerance_s:
            raise RejectedError(Reason.SIGNATURE_EXPIRED, _EXPIRED)

    def _read(self, given: str, headers: Mapping[str, str]) -> tuple[str, list[str]]:
        """The signed time and the signatures that a request offers."""
        if not self.pairs:
            time = headers.get(self.time_header.lower(), "").strip()[:_MAX_TIME]
            return time, [self._bare(given)]
        stamp, signature = self.pairs
        named = [part.strip().partition("=") for part in given.split(self.divider)[:_MAX_OFFERED]]
        times = [value for name, _, value in named if name == stamp]
        time = times[0][:_MAX_TIME] if times else ""
        return time, [self._bare(value) for name, _, value in named if name == signature]

    def _seconds(self, time: str) -> float:
        """The signed time in seconds; 0 if it is none. Seconds may stand for milliseconds."""
        number = int(time) if _MILLISECONDS.fullmatch(time) else 0
        return number / _UNITS[self.unit] if number > _MOST_SECONDS else number

    def _bare(self, given: str) -> str:
        bare = given.removeprefix(self.prefix)
        return bare.lower() if self.encoding == "hex" else bare

    def _digest(self, body: bytes, time: str, secret: str) -> str:
        before, _, behind = self.text.replace("{time}", time).partition("{body}")
        digest = hmac.new(secret.encode(), before.encode() + body + behind.encode(), self.algorithm)
        if self.encoding == "hex":
            return digest.hexdigest()
        return base64.b64encode(digest.digest()).decode()


_UNITS = {"s": 1, "ms": 1000}
_MILLISECONDS = re.compile(r"[0-9]{1,16}")
_MOST_SECONDS = 10**11
"""The year 5138 in seconds, 1973 in milliseconds: no signed time is on the other side of it."""

_MAX_HEADER = 4_000
_MAX_TIME = 40
_MAX_OFFERED = 20
_EXPIRED = "The signed time is too far from ours."


class SignatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a sender signs. With several secrets any of them is good, so they can be rotated."""

    scheme: Literal["standard-webhooks", "hmac"] = "standard-webhooks"
    secrets: Annotated[tuple[str, ...], Meta(min_length=1)]
    hmac: HmacScheme = HmacScheme()

    def __post_init__(self) -> None:
        for secret in self.secrets:
            key_of(secret)  # raises ValueError, which becomes a fault of the file

    def __repr__(self) -> str:
        return f"SignatureSettings(scheme={self.scheme!r}, hmac={self.hmac!r})"

    def is_claimed(self, headers: Mapping[str, str]) -> bool:
        """Whether a request says that it is signed; header names are in lower case."""
        if self.scheme == "hmac":
            return self.hmac.header.lower() in headers
        return has_standard_webhooks(headers)

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
        """Raises ``RejectedError`` unless the body is signed as these settings say."""
        if self.scheme == "hmac":
            verify_hmac(headers, body, scheme=self.hmac, secrets=self.secrets)
        else:
            verify_standard_webhooks(headers, body, secrets=self.secrets, now=now)

    def sign(self, body: bytes, *, message_id: str, at: datetime) -> dict[str, str]:
        """The headers that sign a body with the first secret; an HMAC has no id and no time."""
        secret = self.secrets[0]
        if self.scheme == "hmac":
            return {self.hmac.header: self.hmac.sign(body, secret)}
        return sign_standard_webhooks(body, message_id=message_id, at=at, secret=secret)
