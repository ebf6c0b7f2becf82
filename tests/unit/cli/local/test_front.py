"""The one address in front of functions that are processes of their own."""

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse

from patience import PATIENCE_S, eventually, soon
from warmlead.cli.local.site import Connections, Front

pytestmark = pytest.mark.slow  # starts servers

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


def a_front(functions: Mapping[str, str], *, most: int = 10, within_s: float = PATIENCE_S) -> Front:
    """A front whose outside answers 404 in plain words."""
    outside = PlainTextResponse("outside", 404)
    among = Connections(most)
    return Front(functions, outside, among, head_within_s=within_s, request_within_s=within_s)


async def exchanged(sent: bytes, serve: Serve = echo) -> bytes:
    """What comes back through a front from two functions that are alike."""
    async with listening(serve) as port:
        function = f"127.0.0.1:{port}"
        async with listening(a_front({"forms": function, "track": function})) as front:
            return await answer_to(sent, front)


async def answer_to(sent: bytes, port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await soon(reader.read())
    writer.close()
    return answer


@pytest.mark.parametrize(
    "target",
    [
        "/forms/generic/contact?a=%2F",
        "/forms",
        "/forms?a=1",
        "/generic/contact",
        "/track/v1/batch",
        "/v1/batch",
        "/batch",
        "/warmlead.js",
    ],
)
async def test_a_function_sees_the_path_as_it_came(target: str) -> None:
    answer = await exchanged(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.split(b"\r\n\r\n", 1)[1].startswith(f"GET {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("target", ["/score", "/followup", "/", "/formsx", "*", "http://a/forms"])
async def test_nothing_else_reaches_a_function(target: str) -> None:
    answer = await exchanged(f"POST {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"\r\n\r\noutside")


async def test_an_answer_to_head_has_no_body() -> None:
    answer = await exchanged(b"HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"\r\n\r\n")


async def test_a_late_request_head_gets_a_408() -> None:
    async with listening(a_front({}, within_s=0.2)) as front:
        answer = await answer_to(b"GET / HTTP/1.1\r\nHo", front)

    assert answer.startswith(b"HTTP/1.1 408")


async def test_an_endless_request_head_gets_a_431() -> None:
    answer = await exchanged(b"GET / HTTP/1.1\r\na: " + b"a" * 100_000)

    assert answer.startswith(b"HTTP/1.1 431")


async def test_connections_that_wait_make_room_for_others() -> None:
    async with listening(a_front({}, most=3)) as front:
        idle = [await asyncio.open_connection("127.0.0.1", front) for _ in range(9)]
        answer = await answer_to(b"GET / HTTP/1.1\r\n\r\n", front)

        async def have_made_room() -> bool:
            return sum(reader.at_eof() or bool(reader.exception()) for reader, _ in idle) >= 6

        await eventually(have_made_room)
        for _, writer in idle:
            writer.close()

    assert answer.startswith(b"HTTP/1.1 404")


async def test_a_function_that_never_ends_its_answer_holds_no_connection() -> None:
    async def hang(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with (
        listening(hang) as port,
        listening(a_front({"forms": f"127.0.0.1:{port}"}, within_s=0.3)) as front,
    ):
        answer = await answer_to(b"GET /forms HTTP/1.1\r\n\r\n", front)

    assert answer == b""


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


async def test_a_function_that_does_not_answer_gets_the_client_an_error() -> None:
    async with listening(a_front({"forms": "127.0.0.1:1"})) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front)
        writer.write(b"GET /forms HTTP/1.1\r\n\r\n")
        answer = await soon(reader.read())
        writer.close()

    assert answer.startswith(b"HTTP/1.1 503")
