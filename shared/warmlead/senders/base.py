"""What all senders share: the protocol, the base of their settings, and answers.

The registry knows which senders there are, and the application what accepting does.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from msgspec import Meta, Struct

from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.ports import Accepted, RawRequest, Refused, Source
from warmlead.settings import SettingFault, faults_of
from warmlead.web.answers import Answer, answer_error

if TYPE_CHECKING:  # track is not signed
    from warmlead.parsing.signatures import SignatureSettings

MAX_REPORTED = 100
"""Limit of refused items, and of notes, that an answer names."""

MESSAGE_IDS = ("webhook-id", "svix-id", "idempotency-key")
"""The headers in which senders that have no id of their own in the body may name one."""

Secrets = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
"""Any of them is valid, so that they can be rotated."""

_SUCCESS = b'{"success": true}'


class SenderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a sender's settings: its section of its function's settings file."""

    @classmethod
    def as_meant(cls, given: object) -> object:
        """The section, before checks, with texts that YAML reads as numbers or truth values."""
        return given

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """Everything that is wrong with the section, which stands at ``where`` in the file."""
        return faults_of(given, cls, where)

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ARG003  # most have no such setting
        """The settings that are safe on one's own machine only; in production each is a fault."""
        yield from ()


class Profile(Struct, frozen=True, kw_only=True):
    """What the list of senders says of one: it is part of the sender, so that both agree.

    ``proof`` is how its requests prove their origin, ``once`` is what of the vendor's a fact is
    counted once by, ``retries`` is when the vendor sends again, ``handshake`` is what it asks of an
    address before it posts, ``events`` are the names of the events that it makes by itself.
    """

    proof: str
    once: str
    retries: str
    handshake: str = ""
    events: tuple[str, ...] = ()


class Sender(Source, Protocol):
    """A source with paths, a signature, and answers in the way that its sender expects."""

    @property
    def profile(self) -> Profile:
        """What the list of senders says of it."""
        ...

    @property
    def paths(self) -> Sequence[str]:
        """The paths below its function at which it is configured to receive requests."""
        ...

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the sender proves that the request is its own; none if it does not.

        Credentials that the request holds already stay; a signature is computed anew.
        """
        ...

    def sent_anew(self, request: RawRequest) -> RawRequest:
        """The request with what proves its origin in the body itself made anew, as of now."""
        ...

    def handshake(self, request: RawRequest) -> Answer | None:
        """The answer to a request by which the vendor tries the address; ``None`` for any other.

        Raises ``RejectedError`` if the request does not prove what it has to.
        """
        ...

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """The answer to a request that was accepted, except for its refused items."""
        ...

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The answer to a request that failed, if the sender expects another than ``failure``."""
        ...


class PlainAnswers:
    """The base of senders that sign in headers, try no address first, and understand a failure."""

    def sent_anew(self, request: RawRequest) -> RawRequest:
        """The request as it is: no proof is in the body."""
        return request

    def handshake(self, request: RawRequest) -> Answer | None:  # noqa: ARG002  # others look at it
        """Nothing: every request is a delivery."""
        return None

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:  # noqa: ARG002  # others look at it
        """The failure as it is."""
        return failure


async def answer_sender(
    request: RawRequest, sender: Sender, accept: Callable[[RawRequest, Sender], Awaitable[Accepted]]
) -> Answer:
    """Accepts the request and answers it in the sender's own way.

    Errors other than ``RejectedError`` and ``UnavailableError`` pass through.
    """
    try:
        if greeting := sender.handshake(request):
            return replace(greeting, facts={"source": sender.name, **greeting.facts})
        accepted = await accept(request, sender)
    except (RejectedError, UnavailableError) as error:
        failure = answer_error(error)
        answer = sender.answer_failure(request, failure)
        return replace(answer, facts={**failure.facts, "source": sender.name})
    answer = sender.answer(request, accepted)
    counts = {"events": accepted.events, "refused": len(accepted.refused)}
    return replace(answer, facts={"source": sender.name, **counts, **answer.facts})


def sign_as_configured(signature: "SignatureSettings", request: RawRequest) -> Mapping[str, str]:
    """The headers that sign a request as a sender's settings say."""
    message_id = request.headers.get("webhook-id") or f"msg_{request.request_id}"
    return signature.sign(request.body, message_id=message_id, at=request.received_at)


def success(accepted: Accepted) -> Answer:
    """``{"success": true}``, with the refused items, those ignored, and notes of what was cut.

    Names the first 100 of each. The status is 200, because clients send again on 201, 202 and 204.
    """
    told: dict[str, Any] = {"success": True}
    if accepted.refused:
        told["refused"] = refused_items(accepted.refused[:MAX_REPORTED])
    if accepted.notes:
        told["notes"] = [
            {"index": index, "message": note} for index, note in accepted.notes[:MAX_REPORTED]
        ]
    if accepted.ignored:
        told["ignored"] = [
            {"index": index, "code": why.code, "message": why.message}
            for index, why in accepted.ignored[:MAX_REPORTED]
        ]
    facts = {"ignored": len(accepted.ignored)} if accepted.ignored else {}
    return Answer(200, json.dumps(told).encode() if len(told) > 1 else _SUCCESS, facts=facts)


def refused_items(refused: Sequence[Refused]) -> list[dict[str, Any]]:
    """Refused items as an answer names them."""
    return [
        {"index": one.index, "code": one.error.reason, "message": one.error.message}
        for one in refused
    ]
