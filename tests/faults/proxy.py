"""A TCP proxy between the product and an emulator: it cuts, refuses and delays.

It knows of HTTP/2 only what a frame is: so it can let a server act and then lose its answer.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from types import TracebackType
from typing import Self

FRAME_HEAD_BYTES = 9
ANSWERING = (0, 1)
"""The types of frames with which a server answers a call: DATA and HEADERS."""


class Proxy:
    """Passes bytes on to the server at ``target`` (host:port), until it is told otherwise."""

    def __init__(self, target: str) -> None:
        self.cuts = 0
        self.address = ""
        self._target = target
        self._armed = 0
        self._refusing_until = self._holding_until = 0.0
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.close()
        self._cut_all()

    def lose_next_answer(self) -> None:
        """The next answer does not arrive, and its connection is gone."""
        self._armed += 1

    def refuse(self, for_s: float) -> None:
        """All connections are cut, and new ones refused, for a while."""
        self._refusing_until = asyncio.get_running_loop().time() + for_s
        self._cut_all()

    def hold(self, for_s: float) -> None:
        """Answers are held back for a while; requests go through."""
        self._holding_until = asyncio.get_running_loop().time() + for_s

    def _cut_all(self) -> None:
        for link in list(self._links):
            link.cancel()

    async def _serve(self, client: StreamReader, to_client: StreamWriter) -> None:
        link = asyncio.current_task()
        if link is None or asyncio.get_running_loop().time() < self._refusing_until:
            to_client.transport.abort()
            return
        self._links.add(link)
        host, port = self._target.split(":")
        server, to_server = await asyncio.open_connection(host, int(port))
        asking = asyncio.create_task(_pass_on(client, to_server))
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await self._answer(server, to_client)
        finally:
            self._links.discard(link)
            asking.cancel()
            to_server.transport.abort()
            to_client.transport.abort()

    async def _answer(self, server: StreamReader, to_client: StreamWriter) -> None:
        """Passes on frame by frame what the server says, until an answer is to be lost."""
        loop = asyncio.get_running_loop()
        while True:
            head = await server.readexactly(FRAME_HEAD_BYTES)
            payload = await server.readexactly(int.from_bytes(head[:3]))
            if self._armed and head[3] in ANSWERING:
                self._armed -= 1
                self.cuts += 1
                return
            if (pause_s := self._holding_until - loop.time()) > 0:
                await asyncio.sleep(pause_s)
            to_client.write(head + payload)
            await to_client.drain()


async def _pass_on(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
