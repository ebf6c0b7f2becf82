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


class Sender(Source, Protocol):
    """A source with paths, a signature, and answers in the way that its sender expects."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths below its function at which it is configured to receive requests."""
        ...

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the sender proves that the request is its own; none if it does not.

        Credentials that the request holds already stay; a signature is computed anew.
        """
        ...

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """The answer to a request that was accepted, except for its refused items."""
        ...

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The answer to a request that failed, if the sender expects another than ``failure``."""
        ...


async def answer_sender(
    request: RawRequest, sender: Sender, accept: Callable[[RawRequest, Sender], Awaitable[Accepted]]
) -> Answer:
    """Accepts the request and answers it in the sender's own way.

    Errors other than ``RejectedError`` and ``UnavailableError`` pass through.
    """
    try:
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
    """``{"success": true}``, with the refused items, and notes of what was cut or left out.

    Names the first 100 of each. The status is 200, because clients send again on 201, 202 and 204.
    """
    told: dict[str, Any] = {"success": True}
    if accepted.refused:
        told["refused"] = refused_items(accepted.refused[:MAX_REPORTED])
    if accepted.notes:
        told["notes"] = [
            {"index": index, "message": note} for index, note in accepted.notes[:MAX_REPORTED]
        ]
    return Answer(200, json.dumps(told).encode() if len(told) > 1 else _SUCCESS)


def refused_items(refused: Sequence[Refused]) -> list[dict[str, Any]]:
    """Refused items as an answer names them."""
    return [
        {"index": one.index, "code": one.error.reason, "message": one.error.message}
        for one in refused
    ]
