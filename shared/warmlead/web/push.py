"""Pub/Sub's push requests: whether Google signed them, and the message in them."""

import asyncio
import base64
import binascii
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import Any

from google.auth import jwt
from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.parsing.strict_json import loads

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
LEEWAY_S = 10
"""The largest difference between our clock and Google's, in seconds."""

FETCH_TIMEOUT_S = 5.0
UNKNOWN_EVERY_S = 60.0
"""The least seconds between two requests because of unknown keys: anybody can invent a key's id."""

FAILED_EVERY_S = 5.0
DEFAULT_AGE_S = 300
LONGEST_AGE_S = 86_400
MOST_BYTES = 1_000_000

_BEARER = re.compile(r"[Bb]earer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)
_LONGEST_TOKEN = 8_192
_MAX_AGE = re.compile(r"\bmax-age=([0-9]{1,9})\b")


class Certificates:
    """The certificates at a URL, by their keys' ids: kept as long as its answer allows.

    ``seconds`` is the clock by which they age.
    """

    def __init__(self, url: str, *, seconds: Callable[[], float] = monotonic) -> None:
        self._url = url
        self._seconds = seconds
        self._by_id: Mapping[str, str] = {}
        self._fresh_until = float("-inf")
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def of(self, key_id: str) -> str | None:
        """The certificate of a key, in PEM; ``None`` if there is none.

        Raises ``UnavailableError`` if the certificates cannot be fetched.
        """
        if not self._knows(key_id):
            async with self._lock:
                if not self._knows(key_id):
                    await self._ask()
        return self._by_id.get(key_id)

    def _knows(self, key_id: str) -> bool:
        """Whether the certificates are still fresh."""
        now = self._seconds()
        if now >= self._fresh_until:
            return False
        return key_id in self._by_id or now < self._asked_at + UNKNOWN_EVERY_S

    async def _ask(self) -> None:
        now = self._seconds()
        if self._fresh_until <= now < self._asked_at + FAILED_EVERY_S:
            raise UnavailableError("Google's certificates could not be fetched a moment ago")
        self._asked_at = now
        try:
            self._by_id, age_s = await asyncio.to_thread(_fetch, self._url)
        except (OSError, ValueError) as error:
            raise UnavailableError("Google's certificates cannot be fetched") from error
        self._fresh_until = now + max(UNKNOWN_EVERY_S, min(age_s, LONGEST_AGE_S))


def _fetch(url: str) -> tuple[Mapping[str, str], float]:
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310  # a setting, https
        found: object = json.loads(answer.read(MOST_BYTES))
        max_age = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
    if not isinstance(found, dict) or not all(isinstance(pem, str) for pem in found.values()):
        raise ValueError("not certificates in PEM by their keys' ids")
    return found, float(max_age[1]) if max_age else DEFAULT_AGE_S


class PushTokens:
    """The check of tokens from one service account for one audience."""

    def __init__(self, certificates: Certificates, *, audience: str, account: str) -> None:
        self._certificates = certificates
        self._audience = audience
        self._account = account

    async def check(self, headers: Mapping[str, str]) -> None:
        """Raises ``RejectedError`` unless the headers hold a token that is valid now.

        Raises ``UnavailableError`` if Google's certificates cannot be fetched.
        """
        claims = await claims_of(bearer_token(headers), self._certificates)
        if fault := self._fault_in(claims):
            raise _refused(f"The token's {fault} is not the one that is expected.")

    def _fault_in(self, claims: Mapping[str, Any]) -> str:
        """The first claim with a wrong value; ``iat`` and ``exp`` are checked already."""
        expected = {
            "iss": claims.get("iss") in ISSUERS,
            "aud": claims.get("aud") == self._audience,
            "email": claims.get("email") == self._account,
            "email_verified": claims.get("email_verified") is True,
        }
        return next((name for name, holds in expected.items() if not holds), "")


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token in the headers; raises ``RejectedError`` if there is none."""
    bearer = _BEARER.fullmatch(headers.get("authorization", "")[:_LONGEST_TOKEN])
    if bearer is None:
        raise _refused("A Bearer token signed by Google is needed.")
    return bearer[1]


async def claims_of(
    token: str, certificates: Certificates, algorithm: str = "RS256"
) -> Mapping[str, Any]:
    """What a token of Google claims that is signed, and valid now; the caller checks the claims.

    Raises ``RejectedError`` for any other, ``UnavailableError`` if the certificates cannot be
    fetched.
    """
    key_id = _key_id(token, algorithm)
    certificate = await certificates.of(key_id)
    if certificate is None:
        raise _refused("The token is signed with a key that is not Google's.")
    try:
        claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]  # it has no types
            token, certs={key_id: certificate}, clock_skew_in_seconds=LEEWAY_S
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused("The token's signature or its time is wrong.") from error
    begins = claims.get("nbf", 0)
    if not isinstance(begins, int | float) or begins > time() + LEEWAY_S:
        raise _refused("The token's nbf is not the one that is expected.")
    return claims


def _key_id(token: str, algorithm: str) -> str:
    """The id of the key that the token's header names; no other algorithm is accepted."""
    encoded = token.partition(".")[0]
    try:
        header = loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RejectedError):
        header = None
    if not isinstance(header, dict) or header.get("alg") != algorithm:
        raise _refused(f"The token is not signed with {algorithm}.")
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise _refused("The token does not say with which key it is signed.")
    return key_id


def _refused(why: str) -> RejectedError:
    return RejectedError(Reason.UNAUTHORIZED, why)


class PushRequest(Struct, frozen=True):
    """The parts of a pushed message that are used."""

    message_id: str
    attributes: Mapping[str, str]
    data: bytes


def parse_push(body: bytes) -> PushRequest:
    """The message in a push request's body; raises ``RejectedError`` if there is none."""
    envelope = loads(body)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("message"), dict):
        raise _invalid("there is no message in it")
    message = envelope["message"]
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
        raise _invalid("the attributes are not texts")
    return PushRequest(
        message_id=_text(message, "messageId", "message_id"),
        attributes=attributes,
        data=_data(message.get("data") or ""),
    )


def _text(message: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = message.get(name)
        if isinstance(value, str) and value:
            return value
    raise _invalid(f"{names[0]} is missing")


def _data(encoded: object) -> bytes:
    try:
        if isinstance(encoded, str):
            return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise _invalid("the data is not base64")


def _invalid(fault: str) -> RejectedError:
    return RejectedError(Reason.MESSAGE_INVALID, f"Not a push of Pub/Sub: {fault}.")
