"""The one address in front of functions that are processes of their own."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from warmlead.cli.front import Front

Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """The port on which it serves."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """A function that answers with the request that it got."""
    seen = await reader.readuntil(b"\r\n\r\n")
    if length := re.search(rb"Content-Length: (\d+)", seen):
        seen += await reader.readexactly(int(length[1]))
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + seen)
    await writer.drain()
    writer.close()


async def exchanged(sent: bytes, serve: Serve = echo) -> bytes:
    """What comes back through a front from two functions that are alike."""
    async with listening(serve) as port:
        function = f"127.0.0.1:{port}"
        async with listening(Front({"forms": function, "track": function})) as front:
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(sent)
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return answer


@pytest.mark.parametrize(
    ("target", "below"),
    [
        ("/forms/generic/contact?a=%2F", "/generic/contact?a=%2F"),
        ("/forms", "/"),
        ("/forms?a=1", "/?a=1"),
        ("/track/v1/batch", "/v1/batch"),
        ("/v1/batch", "/v1/batch"),
        ("/warmlead.js", "/warmlead.js"),
    ],
)
async def test_a_function_sees_the_path_below_its_own(target: str, below: str) -> None:
    answer = await exchanged(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.split(b"\r\n\r\n", 1)[1].startswith(f"GET {below} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("target", ["/score", "/followup", "/", "/formsx", "*", "http://a/forms"])
async def test_nothing_else_reaches_a_function(target: str) -> None:
    answer = await exchanged(f"POST {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 200" if target == "/" else b"HTTP/1.1 404")
    assert b"Host: a" not in answer


async def test_a_large_body_arrives_whole_and_the_connection_is_for_one_request() -> None:
    body = b"x" * 1_000_000
    head = b"POST /forms HTTP/1.1\r\nconnection: keep-alive\r\nContent-Length: %d\r\n\r\n"

    answer = await exchanged(head % len(body) + body)

    assert answer.endswith(body)
    assert b"keep-alive" not in answer
    assert answer.count(b"Connection: close") == 1


async def test_an_answer_that_comes_before_the_body_has_ended_is_handed_on() -> None:
    async def refuse(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\n\r\n")
        writer.close()

    head = b"POST /forms HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
    answer = await exchanged(head, refuse)

    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_function_that_does_not_answer_is_no_silence() -> None:
    async with listening(Front({"forms": "127.0.0.1:1"})) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front)
        writer.write(b"GET /forms HTTP/1.1\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 503")
