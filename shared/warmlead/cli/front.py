"""One address in front of functions that are processes of their own, as a load balancer is.

It reads the head of a request, chooses the function, and hands on the bytes: what is answered
comes from the function alone. One request a connection: the next might be for another.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from warmlead.cli.connections import (
    HEAD_WITHIN_S,
    REQUEST_WITHIN_S,
    TOO_LATE,
    TOO_MANY,
    Connections,
    refusal,
)
from warmlead.cli.site import function_at

MAX_HEAD_BYTES = 64 * 1024
UNAVAILABLE = b'{"code": "unavailable", "message": "The function does not answer."}'
TOO_LARGE = b'{"code": "head_too_large", "message": "The head of the request is too large."}'


class Front:
    """Serves connections: each request goes to its function, at the function's host:port.

    What is for none of them is answered by ``outside``.
    """

    def __init__(
        self,
        functions: Mapping[str, str],
        outside: ASGIApp,
        among: Connections,
        *,
        head_within_s: float = HEAD_WITHIN_S,
        request_within_s: float = REQUEST_WITHIN_S,
    ) -> None:
        self._functions = functions
        self._outside = outside
        self._among = among
        self._head_within_s = head_within_s
        self._request_within_s = request_within_s

    async def __call__(self, client: StreamReader, to_client: StreamWriter) -> None:
        """Serves one connection until it is answered, or the client is gone."""
        try:
            with suppress(OSError, EOFError, TimeoutError):
                await self._serve(client, to_client)
                await asyncio.wait_for(to_client.drain(), HEAD_WITHIN_S)
        finally:
            self._among.gone(to_client)
            to_client.close()

    async def _serve(self, client: StreamReader, to_client: StreamWriter) -> None:
        if not self._among.waits(to_client, to_client.transport.abort):
            to_client.write(refusal(b"503 Service Unavailable", TOO_MANY))
            return
        try:
            head = await asyncio.wait_for(client.readuntil(b"\r\n\r\n"), self._head_within_s)
        except TimeoutError:
            to_client.write(refusal(b"408 Request Timeout", TOO_LATE))
            return
        except asyncio.LimitOverrunError:
            to_client.write(refusal(b"431 Request Header Fields Too Large", TOO_LARGE))
            return
        self._among.works(to_client)
        async with asyncio.timeout(self._request_within_s):
            await self._answer(head, client, to_client)

    async def _answer(self, head: bytes, client: StreamReader, to_client: StreamWriter) -> None:
        line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        target = line.partition(b" ")[2].partition(b" ")[0].decode("latin-1")
        name = function_at(unquote(target.partition("?")[0]), self._functions)
        if name:
            await self._hand_on(name, _head(line, headers), client, to_client)
        else:
            to_client.write(await _answer_of(self._outside, line, headers))

    async def _hand_on(
        self, name: str, head: bytes, client: StreamReader, to_client: StreamWriter
    ) -> None:
        host, _, port = self._functions[name].rpartition(":")
        try:
            function, to_function = await asyncio.open_connection(host, int(port))
        except OSError:
            to_client.write(refusal(b"503 Service Unavailable", UNAVAILABLE))
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


async def _answer_of(app: ASGIApp, line: bytes, headers: list[bytes]) -> bytes:
    """The bytes of an application's answer to a request of which no body is read."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope = _scope(line, headers)
    await app(scope, receive, send)
    begun, *parts = said
    status = b"HTTP/1.1 %d \r\n" % begun["status"]
    told = b"".join(b"%s: %s\r\n" % header for header in begun["headers"])
    body = b"".join(part.get("body", b"") for part in parts)
    head = status + told + b"Connection: close\r\n\r\n"
    return head if scope["method"] == "HEAD" else head + body


def _scope(line: bytes, headers: list[bytes]) -> Scope:
    method, _, rest = line.partition(b" ")
    raw_path, _, query = rest.partition(b" ")[0].partition(b"?")
    pairs = (header.partition(b":") for header in headers)
    return {
        "type": "http",
        "method": method.decode("latin-1"),
        "path": unquote(raw_path.decode("latin-1")),
        "query_string": query,
        "headers": [
            (name.strip().lower(), value.strip())
            for name, _, value in pairs
            if name.strip().lower() != b"content-length"  # the body is not read
        ],
    }
