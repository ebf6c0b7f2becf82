"""What every sender is: how it is configured, what it does with a request, how it is answered.

Which senders there are, and what accepting does, is not known here.
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
    """The base of what is configured of a sender: its section of its function's settings file."""

    @classmethod
    def as_meant(cls, given: object) -> object:
        """The section with what YAML takes for something else than its author; before checks."""
        return given

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """Everything that is wrong with the section, which stands at ``where`` in the file."""
        return faults_of(given, cls, where)

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ARG003  # most have no such setting
        """What is fine on one's own machine alone, and a fault in production."""
        yield from ()


class Sender(Source, Protocol):
    """A source that is configured, can sign, and knows what its sender wants to be answered."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths below its function to which it is posted, as it is configured."""
        ...

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the sender proves that the request is its own; none if it does not.

        What proves something and is in the request already stays; a signature is made anew.
        """
        ...

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """The answer to a request that was accepted except for the refused items."""
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
    """``{"success": true}``, with the items that were set aside and what was cut or left out.

    The first 100 of each are named. The status is 200: clients send again on other ones.
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
