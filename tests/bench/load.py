"""A load generator: HTTP/1.1 over kept-alive connections, as light as Python allows.

It shares the machine with what it measures, so it parses no more of an answer than its status
and length. What it sends, its caller says.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
LOOK_EVERY_S = 0.01

_LENGTH = b"content-length: "


class Load(NamedTuple):
    """What became of requests: seconds each, and when (epoch) the first began, the last ended."""

    seconds: list[float]
    began_at: float
    ended_at: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return len(self.seconds) / (self.ended_at - self.began_at)


class Arrivals:
    """When requests came; ``complete`` is set with the last of the expected ones."""

    def __init__(self, expected: int, answer_after_s: float) -> None:
        self.complete = asyncio.Event()
        self.expected = expected
        self.answer_after_s = answer_after_s
        self.most_at_a_time = 0
        self._times: list[float] = []
        self._answered = 0

    def came(self) -> None:
        """One came, now."""
        self._times.append(time.perf_counter())
        self.most_at_a_time = max(self.most_at_a_time, len(self._times) - self._answered)
        if len(self._times) == self.expected:
            self.complete.set()

    def answered(self) -> None:
        """One of them has been answered."""
        self._answered += 1

    @property
    def per_second(self) -> float:
        """From the first to the last."""
        return len(self._times) / (self._times[-1] - self._times[0])


class Sink(asyncio.Protocol):
    """A server's end of a connection: answers every request with 200 and an empty object."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport  # type: ignore[assignment]  # a stream's, always

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._received += data
        body = _body(self._received)
        if body is not None and self._transport is not None:
            self._received = b""
            self._arrivals.came()
            after_s = self._arrivals.answer_after_s
            asyncio.get_running_loop().call_later(after_s, self._answer, self._transport)

    def _answer(self, transport: asyncio.Transport) -> None:
        self._arrivals.answered()
        transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


def _body(message: bytes) -> bytes | None:
    """The body of a request or answer, if all of it is there."""
    head, found, body = message.partition(b"\r\n\r\n")
    if not found:
        return None
    lower = head.lower()
    at = lower.find(_LENGTH)
    length = int(lower[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return body if len(body) >= length else None


class Connection(asyncio.Protocol):
    """One connection to host:port, opened when it is needed; one request at a time."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    async def ask(self, request: bytes) -> bytes:
        """The answer's body; raises ``RuntimeError`` unless its status is 200.

        Asks once more if the server hung up meanwhile, as it does on who is idle for seconds.
        """
        try:
            return await self._ask(request)
        except ConnectionError:
            return await self._ask(request)

    async def open(self) -> None:
        """Connects, as soon as somebody listens there."""
        host, _, port = self._address.rpartition(":")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            while self._transport is None:
                try:
                    await loop.create_connection(lambda: self, host, int(port))
                except ConnectionError:
                    await asyncio.sleep(LOOK_EVERY_S)

    async def _ask(self, request: bytes) -> bytes:
        if self._transport is None:
            await self.open()
        if self._transport is None:
            raise ConnectionError("the server has hung up")
        self._answer = asyncio.get_running_loop().create_future()
        self._received = b""
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport  # type: ignore[assignment]  # a stream's, always

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server has hung up"))

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._received += data
        body = _body(self._received)
        if body is None or self._answer is None or self._answer.done():
            return
        if self._received.split(b" ", 2)[1] == b"200":
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RuntimeError(f"answered {self._received[:300]!r}"))


async def send(address: str, requests: Iterable[bytes], *, connections: int) -> Load:
    """Sends the requests, the next as soon as a connection is free."""
    opened = [Connection(address) for _ in range(connections)]
    try:
        await asyncio.gather(*(connection.open() for connection in opened))
        return await drive([connection.ask for connection in opened], iter(requests))
    finally:
        for connection in opened:
            connection.close()


async def drive(workers: Iterable[Callable[[T], Awaitable[object]]], work: Iterator[T]) -> Load:
    """Gives each worker the next piece of work as soon as it is done with the one before."""
    seconds: list[float] = []

    async def one(do: Callable[[T], Awaitable[object]]) -> None:
        for piece in work:
            start = time.perf_counter()
            await do(piece)
            seconds.append(time.perf_counter() - start)

    began_at = time.time()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(one(worker) for worker in workers))
    return Load(seconds, began_at, time.time())
