"""One address in front of functions that are processes of their own, as a load balancer is.

It reads the head of a request, chooses the function, and hands on the bytes: what is answered
comes from the function alone. One request a connection: the next might be for another.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from contextlib import suppress

from warmlead.cli.site import AT_ROOT, HEALTH_PATHS, HEALTHY, NOT_FOUND

MAX_HEAD_BYTES = 64 * 1024
HEAD_WITHIN_S = 10.0
UNAVAILABLE = '{"code": "unavailable", "message": "The function does not answer."}'


class Front:
    """Serves connections: each request goes to its function, at the function's host:port."""

    def __init__(self, functions: Mapping[str, str]) -> None:
        self._functions = functions

    async def __call__(self, client: StreamReader, to_client: StreamWriter) -> None:
        """Serves one connection until it is answered, or the client is gone."""
        with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(client.readuntil(b"\r\n\r\n"), HEAD_WITHIN_S)
            line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            method, _, rest = line.partition(b" ")
            target, _, version = rest.partition(b" ")
            name, below = self._route(target.decode("latin-1"))
            if name in self._functions:
                line = b" ".join((method, below.encode("latin-1"), version))
                await self._hand_on(name, _head(line, headers), client, to_client)
            elif name in HEALTH_PATHS:
                to_client.write(_answer(b"200 OK", HEALTHY))
            else:
                to_client.write(_answer(b"404 Not Found", NOT_FOUND))
            await to_client.drain()
        to_client.close()

    def _route(self, target: str) -> tuple[str, str]:
        """The function's name and the target below it; another path is its own name."""
        path = target.partition("?")[0]
        if path.startswith(AT_ROOT):
            return "track", target
        name = path.split("/", 2)[1] if path.startswith("/") else ""
        if name not in self._functions:
            return path, target
        below = target.removeprefix(f"/{name}")
        return name, below if below.startswith("/") else f"/{below}"

    async def _hand_on(
        self, name: str, head: bytes, client: StreamReader, to_client: StreamWriter
    ) -> None:
        host, _, port = self._functions[name].rpartition(":")
        try:
            function, to_function = await asyncio.open_connection(host, int(port))
        except OSError:
            to_client.write(_answer(b"503 Service Unavailable", UNAVAILABLE))
            return
        to_function.write(head)
        sending = asyncio.create_task(_pipe(client, to_function))
        try:
            await _pipe(function, to_client)
        finally:
            sending.cancel()
            to_function.close()


async def _pipe(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):  # either side may hang up
        while data := await source.read(MAX_HEAD_BYTES):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


def _head(line: bytes, headers: list[bytes]) -> bytes:
    kept = [header for header in headers if not header.lower().startswith(b"connection:")]
    return b"\r\n".join((line, *kept, b"Connection: close", b"", b""))


def _answer(status: bytes, body: str) -> bytes:
    line = b"HTTP/1.1 " + status
    headers = [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return _head(line, headers) + body.encode()
