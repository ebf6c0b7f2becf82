"""What the edge asks of a sender's adapter, and how a request to it is answered.

Refuses to know which senders there are, and what accepting does.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.ports import RawRequest, Refused, Source
from warmlead.web.answer import Answer
from warmlead.web.outcomes import answer_error


class Sender(Source, Protocol):
    """A source that also knows what its sender wants to be answered."""

    def answer(self, request: RawRequest, refused: Sequence[Refused]) -> Answer:
        """The answer to a request that was accepted but for the refused items."""
        ...

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The answer to a request that failed, where the sender wants another than ``failure``."""
        ...


class Acceptance(Protocol):
    """What became of a request's items."""

    @property
    def events(self) -> int:
        """How many events were accepted."""
        ...

    @property
    def refused(self) -> Sequence[Refused]:
        """The items that were set aside."""
        ...


_A = TypeVar("_A", bound=Acceptance)


async def answer_sender(
    request: RawRequest, sender: Sender, accept: Callable[[RawRequest, Sender], Awaitable[_A]]
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
    answer = sender.answer(request, accepted.refused)
    counts = {"events": accepted.events, "refused": len(accepted.refused)}
    return replace(answer, facts={"source": sender.name, **counts, **answer.facts})
