"""How requests of tools prove their origin: keyed hashes, or secrets where nothing is signed."""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import (
    TOLERANCE_S,
    WebhookScheme,
    has_standard_webhooks,
    sign_standard_webhooks,
    verify_standard_webhooks,
)
from warmlead.parsing.strict_json import JsonDocument
from warmlead.ports import RawRequest

Document: TypeAlias = Callable[[], JsonDocument]
"""Reads the body as JSON; raises ``RejectedError`` if it is not."""


class Proof(Protocol):
    """How a request proves that it comes from the tool."""

    @property
    def covers_body(self) -> bool:
        """Whether a changed body is noticed."""
        ...

    @property
    def covers_time(self) -> bool:
        """Whether a request that is sent again much later is noticed."""
        ...

    @property
    def in_words(self) -> str:
        """The proof, for the list of senders."""
        ...

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether a request says that it holds the proof."""
        ...

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:
        """Raises ``RejectedError`` unless the request holds what one of the secrets proves."""
        ...

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The headers that prove it; none if the proof is in the body."""
        ...


class Signed(Struct, frozen=True):
    """A keyed hash of the body in a header."""

    scheme: WebhookScheme
    covers_body: bool = True

    @property
    def covers_time(self) -> bool:
        """Whether the time is signed too, and no wider window is left for repeats."""
        return "{time}" in self.scheme.text and self.scheme.tolerance_s <= TOLERANCE_S

    @property
    def in_words(self) -> str:
        """The header, and the hash."""
        hash_ = f"HMAC-{self.scheme.algorithm.upper()}"
        timed = " with a time" if "{time}" in self.scheme.text else ""
        return f"`{self.scheme.header}`, {hash_}{timed}"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether the header is there."""
        return self.scheme.header.lower() in request.headers

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the bytes count
        """Raises ``RejectedError`` unless one of the secrets signed the body."""
        self.scheme.verify(request.headers, request.body, secrets=secrets, now=request.received_at)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The headers with the signature."""
        return self.scheme.sign(request.body, at=request.received_at, secret=secret)


class StandardWebhooks(Struct, frozen=True):
    """Standard Webhooks, also under Svix's names (standardwebhooks.com)."""

    covers_body: bool = True
    covers_time: bool = True
    in_words: str = "Standard Webhooks, HMAC-SHA256 with a time"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether a header of theirs is there."""
        return has_standard_webhooks(request.headers)

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the bytes count
        """Raises ``RejectedError`` unless one of the secrets signed the body."""
        now = request.received_at
        verify_standard_webhooks(request.headers, request.body, secrets=secrets, now=now)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The three headers with the signature."""
        message_id = request.headers.get("webhook-id") or f"msg_{request.request_id}"
        return sign_standard_webhooks(
            request.body, message_id=message_id, at=request.received_at, secret=secret
        )


KEY = "key"
"""The parameter of an address that holds the secret of a tool that signs nothing."""


class KeyInAddress(Struct, frozen=True):
    """The secret in the address, for tools that sign nothing: ``?key=…``, or user and password.

    Tools keep ``https://any:SECRET@host/path`` as basic authentication. A tool that lets its user
    set headers may send ``Authorization: Bearer SECRET``, or the secret in ``header``. Another
    name for ``key`` is the ``parameter``.
    """

    header: str = ""
    parameter: str = KEY
    covers_body: bool = False
    covers_time: bool = False

    @property
    def in_words(self) -> str:
        """Where the secret may stand."""
        if self.parameter != KEY:
            return f"`{self.parameter}` in the address"
        return f"`{self.header}`" if self.header else "none: a secret in the address"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether there is a secret in any of the places."""
        return any(True for _ in self.given(request))

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the address counts
        """Raises ``RejectedError`` unless the request holds one of the secrets."""
        demand_secret(list(self.given(request)), secrets, "The key of the address")

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The secret as a header; nothing if the request has one in its address."""
        if self.is_claimed(request):
            return {}
        return {self.header: secret} if self.header else {"Authorization": f"Bearer {secret}"}

    def given(self, request: RawRequest) -> Iterator[str]:
        """What the request holds where a secret may stand; nothing if it claims none."""
        query = parse_qsl(request.query, max_num_fields=None)
        yield from [value for name, value in query if name == self.parameter][:1]
        if self.header and (given := request.headers.get(self.header.lower())):
            yield given
        kind, _, credentials = request.headers.get("authorization", "")[:4_000].partition(" ")
        if kind.lower() == "bearer":
            yield credentials.strip()
        elif kind.lower() == "basic":
            try:
                yield base64.b64decode(credentials, validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                return


class KeyInBody(Struct, frozen=True):
    """The secret in a field of the JSON body, such as ``google_key``."""

    field: str
    covers_body: bool = False
    covers_time: bool = False

    @property
    def in_words(self) -> str:
        """The field."""
        return f"`{self.field}` in the body"

    def is_claimed(self, request: RawRequest) -> bool:  # noqa: ARG002  # any body may have it
        """Always: where else should it be?"""
        return True

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the body counts
        """Raises ``RejectedError`` unless the body holds one of the secrets."""
        value = document().value
        given = value.get(self.field) if isinstance(value, dict) else None
        texts = [given] if isinstance(given, str) and given else []
        demand_secret(texts, secrets, f"The field {self.field}")

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:  # noqa: ARG002  # the body has it
        """Nothing: the secret is in the body already."""
        return {}


class EitherProof(Struct, frozen=True):
    """A proof, or another one: for a tool of which only some plans or versions sign.

    A request is held to the proof that it claims, to the first if it claims none.
    """

    first: Proof
    second: Proof

    @property
    def covers_body(self) -> bool:
        """Whether a changed body is always noticed."""
        return self.first.covers_body and self.second.covers_body

    @property
    def covers_time(self) -> bool:
        """Whether a request that is sent again much later is always noticed."""
        return self.first.covers_time and self.second.covers_time

    @property
    def in_words(self) -> str:
        """Both proofs."""
        return f"{self.first.in_words}; or {self.second.in_words.removeprefix('none: ')}"

    def of(self, request: RawRequest) -> Proof:
        """The proof to which a request is held."""
        is_second = not self.first.is_claimed(request) and self.second.is_claimed(request)
        return self.second if is_second else self.first

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether a request says that it holds one of them."""
        return self.first.is_claimed(request) or self.second.is_claimed(request)

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:
        """Raises ``RejectedError`` unless the request holds the proof that it claims."""
        self.of(request).verify(request, secrets, document)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The headers of the proof that the request claims."""
        return self.of(request).sign(request, secret)


def demand_secret(given: Sequence[str], secrets: Sequence[str], what: str) -> None:
    """Raises ``RejectedError`` unless one of the given texts is a secret; in constant time."""
    if not given:
        raise RejectedError(Reason.SIGNATURE_MISSING, f"{what} is missing.")
    valid = False
    for one in given:
        for secret in secrets:
            valid |= hmac.compare_digest(one.encode(errors="replace"), secret.encode())
    if not valid:
        raise RejectedError(Reason.SIGNATURE_INVALID, f"{what} is not the configured one.")
