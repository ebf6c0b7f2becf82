"""Messages over Google's Pub/Sub. Pub/Sub delivers them by itself.

Google's own publisher collects messages in a background thread before it sends them. A function
publishes what it has at once instead, and waits: what is not acknowledged was not accepted. Only
while several requests are under way do further messages wait, and go together.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from functools import cache, partial
from time import monotonic
from types import ModuleType
from typing import Any

import grpc
import grpc.aio

from warmlead.buses.gathering import Gathering
from warmlead.domain.errors import UnavailableError
from warmlead.google_api import GoogleApi, Interceptors, message_types
from warmlead.ports import Message

PATH = "/google.pubsub.v1.Publisher/Publish"

MOST_MESSAGES = 1_000
MOST_BYTES = 9_000_000
"""Of one request; Pub/Sub takes 10 MB (https://cloud.google.com/pubsub/quotas#resource_limits)."""

BUDGET_S = 8.0
"""For everything that one call publishes, all its attempts and pauses: senders wait for it."""

ATTEMPT_S = 4.0
"""Half of the budget, so that one attempt that gets no answer is not the only one."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.6

TRANSIENT = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
    }
)
"""As in Google's own publisher. Whether it was published is then not known: it is once more."""


class PubSubBus:
    """The ``EventBus`` of a Google Cloud project.

    A message may be published twice under two ids, when an acknowledgement was lost: consumers
    know events by their keys and triggers by their ids.
    """

    def __init__(
        self,
        project: str,
        *,
        emulator: str = "",
        interceptors: Interceptors = (),
        budget_s: float = BUDGET_S,
        attempt_s: float = ATTEMPT_S,
    ) -> None:
        self._project = project
        self._api = GoogleApi("pubsub.googleapis.com", emulator=emulator, interceptors=interceptors)
        self._topics: dict[str, Gathering] = {}
        self._budget_s = budget_s
        self._attempt_s = attempt_s

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See ``EventBus``."""
        if topic not in self._topics:
            name = f"projects/{self._project}/topics/{topic}"
            self._topics[topic] = Gathering(partial(self._sent, name))
        return await self._topics[topic].send(messages, monotonic() + self._budget_s)

    async def close(self) -> None:
        """Finishes what is under way and closes the connection; the next call opens another."""
        for topic in self._topics.values():
            await topic.rest()
        await self._api.close()

    async def _sent(self, topic: str, messages: Sequence[Message], end: float) -> Sequence[str]:
        """The ids of the messages, once Pub/Sub has all of them."""
        ids: list[str] = []
        for request in _requests(topic, messages):
            ids += await self._accepted(request, end)
        return ids

    async def _accepted(self, request: Any, end: float) -> Sequence[str]:  # noqa: ANN401  # made at run time
        """The ids of a request's messages, once Pub/Sub has them."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = await self._api.call(
                    PATH,
                    request,
                    _types().PublishResponse.pb(),
                    routing={"topic": request.topic},
                    timeout_s=min(self._attempt_s, max(0.0, end - monotonic())),
                )
            except grpc.aio.AioRpcError as error:
                pause = random.uniform(pause_s / 2, pause_s)  # noqa: S311  # spreads, hides nothing
                if error.code() not in TRANSIENT or monotonic() + pause >= end:
                    raise _unavailable(request.topic, error.code().name) from error
            else:
                if len(answer.message_ids) != len(request.messages):
                    raise _unavailable(request.topic, "another number of ids than of messages")
                return list(answer.message_ids)
            await asyncio.sleep(pause)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


@cache
def _types() -> ModuleType:
    return message_types("google.pubsub_v1", "pubsub")


def _requests(topic: str, messages: Sequence[Message]) -> Iterator[Any]:
    """The messages in as few requests as Pub/Sub's limits allow; one too large goes alone."""
    new_request, new_message = _types().PublishRequest.pb(), _types().PubsubMessage.pb()
    request, size = new_request(topic=topic), 0
    for body, attributes in messages:
        message = new_message(data=body, attributes=attributes)
        adds = message.ByteSize() + _FRAME_BYTES
        if request.messages and (
            len(request.messages) == MOST_MESSAGES or size + adds > MOST_BYTES
        ):
            yield request
            request, size = new_request(topic=topic), 0
        request.messages.append(message)
        size += adds
    if request.messages:
        yield request


_FRAME_BYTES = 6
"""At most so many bytes say in a request that a message follows, and how long it is."""


def _unavailable(topic: str, why: str) -> UnavailableError:
    return UnavailableError(f"Pub/Sub did not accept what was to be published to {topic}: {why}")
