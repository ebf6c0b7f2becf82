"""Messages over Google's Pub/Sub, several callers' in one request."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache, partial
from time import monotonic
from types import ModuleType
from typing import Any, TypeAlias

import grpc
import grpc.aio
from msgspec import Struct

from warmlead.domain.errors import UnavailableError
from warmlead.google_api import GoogleApi, Interceptors, message_types
from warmlead.ports import Message

AT_ONCE = 4
"""Limit of requests to a topic that are in flight."""

MOST_TOGETHER = 200
"""Limit of callers that share a request."""

BATCH_BYTES = 1_000_000
"""A request is not filled up beyond this."""

Ids: TypeAlias = Sequence[str]
Send: TypeAlias = Callable[[Sequence[Message], float], Awaitable[Ids]]
"""Sends messages before a time of ``monotonic``; their ids. Raises ``UnavailableError``."""


class _Waiting(Struct, frozen=True):
    messages: Sequence[Message]
    end: float
    ids: "asyncio.Future[Ids]"


class Batcher:
    """The messages to one topic."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._under_way = 0
        self._waiting: deque[_Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, messages: Sequence[Message], end: float) -> Ids:
        """The ids of the messages, once they have been sent; raises ``UnavailableError``."""
        if self._under_way < AT_ONCE:
            self._under_way += 1
            try:
                return await self._send(messages, end)
            finally:
                self._hand_on()
        waiting = _Waiting(messages, end, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        return await waiting.ids

    async def rest(self) -> None:
        """Waits until all that waits has been sent."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _hand_on(self) -> None:
        """Gives the place of an answered request to callers that wait."""
        if not self._waiting:
            self._under_way -= 1
            return
        together = [self._waiting.popleft()]
        size = _size(together[0])
        while self._waiting and len(together) < MOST_TOGETHER:
            size += _size(self._waiting[0])
            if size > BATCH_BYTES:
                break
            together.append(self._waiting.popleft())
        task = asyncio.create_task(self._send_together(together))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_together(self, together: Sequence[_Waiting]) -> None:
        try:
            end = min(waiting.end for waiting in together)
            messages = [message for waiting in together for message in waiting.messages]
            ids = iter(await self._send(messages, end))
            for waiting in together:
                _answer(waiting, [next(ids) for _ in waiting.messages])
        except UnavailableError as error:
            await self._send_each(together, error)
        except Exception as error:  # noqa: BLE001  # every failure must reach the callers that wait
            for waiting in together:
                _fail(waiting, error)
        finally:
            self._hand_on()

    async def _send_each(self, together: Sequence[_Waiting], error: UnavailableError) -> None:
        """Sends the messages of each caller separately: another's may have been rejected."""
        for waiting in together:
            if len(together) == 1 or monotonic() >= waiting.end:
                _fail(waiting, error)
                continue
            try:
                _answer(waiting, await self._send(waiting.messages, waiting.end))
            except UnavailableError as own:
                _fail(waiting, own)


def _size(waiting: _Waiting) -> int:
    return sum(len(message.body) for message in waiting.messages)


def _answer(waiting: _Waiting, ids: Ids) -> None:
    if not waiting.ids.done():  # its caller may have gone
        waiting.ids.set_result(ids)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.ids.done():
        waiting.ids.set_exception(error)


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
"""As in Google's own publisher. After these errors the result is unknown: publish again."""


class PubSubBus:
    """The ``EventBus`` of a Google Cloud project.

    A message may be published twice under two ids, if an acknowledgement was lost: consumers
    recognize events by their keys and triggers by their ids.
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
        self._topics: dict[str, Batcher] = {}
        self._budget_s = budget_s
        self._attempt_s = attempt_s

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See ``EventBus``."""
        if topic not in self._topics:
            name = f"projects/{self._project}/topics/{topic}"
            self._topics[topic] = Batcher(partial(self._sent, name))
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
    for each in messages:
        message = new_message(data=each.body, attributes=each.attributes)
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
"""The most bytes by which a request says that a message follows, and how long it is."""


def _unavailable(topic: str, why: str) -> UnavailableError:
    return UnavailableError(f"Pub/Sub did not accept what was to be published to {topic}: {why}")
