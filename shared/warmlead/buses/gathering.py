"""Messages of several callers in one request, where requests come faster than answers.

While few requests are under way each goes at once. While as many are as may be, what arrives
waits for the next answer, and goes together: never for a time, and never for more to come.
What a request is, its caller says.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import NamedTuple, TypeAlias

from warmlead.domain.errors import UnavailableError
from warmlead.ports import Message

AT_ONCE = 4
"""So many requests to a topic are under way at most."""

MOST_TOGETHER = 200
"""So many callers share a request at most."""

MOST_BYTES = 1_000_000
"""A request is not filled up beyond this."""

Ids: TypeAlias = Sequence[str]
Send: TypeAlias = Callable[[Sequence[Message], float], Awaitable[Ids]]
"""Sends messages before a time of ``monotonic``; their ids. Raises ``UnavailableError``."""


class _Waiting(NamedTuple):
    messages: Sequence[Message]
    end: float
    ids: "asyncio.Future[Ids]"


class Gathering:
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
        """Lets those who wait have the place of a request that was answered."""
        if not self._waiting:
            self._under_way -= 1
            return
        together = [self._waiting.popleft()]
        size = _size(together[0])
        while self._waiting and len(together) < MOST_TOGETHER:
            size += _size(self._waiting[0])
            if size > MOST_BYTES:
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
        except Exception as error:  # noqa: BLE001  # whoever waits must hear of every failure
            for waiting in together:
                _fail(waiting, error)
        finally:
            self._hand_on()

    async def _send_each(self, together: Sequence[_Waiting], error: UnavailableError) -> None:
        """Sends the messages of each caller by themselves: others' may have been refused."""
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
