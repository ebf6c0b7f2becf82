"""The interface of a sender's adapter for the HTTP edge, and how a request to it is answered.

The registry lists the senders; ``application.accept`` accepts.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.ports import Accepted, RawRequest, Source
from warmlead.web.answers import Answer, answer_error

MAX_REPORTED = 100
"""Limit of refused items, and of notes, that an answer names."""

_SUCCESS = b'{"success": true}'


class Sender(Source, Protocol):
    """A source that also knows which answer its sender expects."""

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


def success(accepted: Accepted) -> Answer:
    """``{"success": true}``, with the items that were set aside and what was cut or left out.

    The first 100 of each are named. The status is 200: clients send again on other ones.
    """
    told: dict[str, Any] = {"success": True}
    if accepted.refused:
        told["refused"] = [
            {"index": one.index, "code": one.error.reason, "message": one.error.message}
            for one in accepted.refused[:MAX_REPORTED]
        ]
    if accepted.notes:
        told["notes"] = [
            {"index": index, "message": note} for index, note in accepted.notes[:MAX_REPORTED]
        ]
    return Answer(200, json.dumps(told).encode() if len(told) > 1 else _SUCCESS)
