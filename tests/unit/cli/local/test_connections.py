"""Which connections a server keeps, and how long it waits for a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from patience import PATIENCE_S, soon
from warmlead.cli.local.site import Connections, LimitedProtocol
from warmlead.cli.local.supervision import listen

pytestmark = pytest.mark.slow  # starts servers

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def an_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and answers with its length.

    ``/early`` is answered before its body has come; ``/hang`` begins to answer and never ends.
    """
    if scope["path"] == "/early":
        await PlainTextResponse("early")(scope, receive, send)
        return
    body = await Request(scope, receive).body()
    if scope["path"] == "/hang":
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await asyncio.Event().wait()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


@asynccontextmanager
async def served(
    most: int = 10, *, head_within_s: float = PATIENCE_S, request_within_s: float = PATIENCE_S
) -> AsyncIterator[int]:
    """The port of a real server with these limits."""
    protocol = partial(
        LimitedProtocol,
        among=Connections(most),
        head_within_s=head_within_s,
        request_within_s=request_within_s,
    )
    config = uvicorn.Config(
        an_app,
        http=protocol,  # type: ignore[arg-type]  # as good as a class
        lifespan="off",
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    (listening,) = listen("127.0.0.1", 0)
    task = asyncio.create_task(server._serve([listening]))  # noqa: SLF001  # without its signals
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def connected(
    port: int, sent: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


async def answered(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes."""
    reader, writer = await connected(port, sent)
    answer = await soon(reader.read())
    writer.close()
    return answer


SHORT_S = 1.0
"""For tests in which a head has to come in time, and then another does not."""

HANGING = GET.replace(b"/ ", b"/hang ", 1)
CLOSING = GET.replace(b"Host", b"Connection: close\r\nHost")


async def test_ordinary_requests_are_answered_on_one_connection() -> None:
    async with served() as port:
        answer = await answered(port, GET + GET + CLOSING)
    assert answer.count(b"HTTP/1.1 200") == 3


async def test_a_slow_request_head_gets_a_408() -> None:
    async with served(head_within_s=0.2) as port:
        answer = await answered(port, GET[:-2])
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"head_timeout"' in answer


async def test_dripping_bytes_do_not_lengthen_the_time() -> None:
    async with served(head_within_s=0.3) as port:
        reader, writer = await connected(port, b"GET / HTTP/1.1\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.05)  # what such a client does

        dripping = asyncio.create_task(drip())
        with suppress(ConnectionResetError):  # what drips on may overtake the answer
            assert (await soon(reader.read())).startswith(b"HTTP/1.1 408")
        dripping.cancel()
        writer.close()


async def test_a_second_head_has_the_same_time_as_the_first() -> None:
    async with served(head_within_s=SHORT_S) as port:
        answer = await answered(port, GET + GET[:-2])
    assert [answer.count(b"HTTP/1.1 200"), answer.count(b"HTTP/1.1 408")] == [1, 1]


async def test_a_connection_may_rest_longer_than_a_head_may_take() -> None:
    async with served(head_within_s=SHORT_S) as port:
        reader, writer = await connected(port, GET)
        await soon(reader.readuntil(b"0 bytes"))
        assert await answered(port, b"") == b""  # as long as a head may take
        writer.write(CLOSING)
        answer = await soon(reader.read())
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_is_not_read_does_not_hold_its_connection() -> None:
    head = b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    async with served(head_within_s=SHORT_S) as port:
        reader, writer = await connected(port, head)
        await soon(reader.readuntil(b"early"))
        writer.write(b"a")
        with suppress(ConnectionResetError):
            await soon(reader.read())
        writer.close()


async def test_a_silent_connection_is_closed_without_an_answer() -> None:
    async with served(head_within_s=0.2) as port:
        assert await answered(port, b"") == b""


async def test_a_body_may_take_longer_than_a_head() -> None:
    async with served(head_within_s=SHORT_S) as port:
        reader, writer = await connected(
            port, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        )
        assert await answered(port, b"") == b""  # as long as a head may take
        writer.write(b"ab")
        answer = await soon(reader.read())
        writer.close()
    assert answer.endswith(b"2 bytes")


async def test_a_request_that_is_never_answered_ends() -> None:
    async with served(request_within_s=0.2) as port:
        reader, writer = await connected(port, HANGING)
        with suppress(ConnectionResetError):
            assert not (await soon(reader.read())).endswith(b"0\r\n\r\n")
        writer.close()


async def last_two_of_nine(begun: bytes, rest: bytes) -> list[bytes]:
    """What the youngest are answered of nine that wait where three may; the others make room."""
    async with served(most=3) as port:
        waiting = [await connected(port, begun) for _ in range(9)]
        assert b"200" in await answered(port, CLOSING)
        for reader, _ in waiting[:7]:
            with suppress(ConnectionResetError):
                assert await soon(reader.read()) == b""
        for _, writer in waiting[7:]:
            writer.write(rest)
        answers = [await soon(reader.read()) for reader, _ in waiting[7:]]
        for _, writer in waiting:
            writer.close()
    return answers


async def test_connections_that_wait_make_room_the_longest_waiting_first() -> None:
    answers = await last_two_of_nine(GET[:-2], b"Connection: close\r\n\r\n")
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 2


async def test_stalled_bodies_keep_nobody_out() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    answers = await last_two_of_nine(head + b"a", b"b")
    assert [answer[-7:] for answer in answers] == [b"2 bytes"] * 2


async def test_a_request_whose_body_arrived_is_not_cut_for_another() -> None:
    body = HANGING.replace(b"GET", b"POST").replace(b"Host", b"Content-Length: 2\r\nHost")
    async with served(most=2) as port:
        reader, writer = await connected(port, body + b"a")
        writer.write(b"b")
        await soon(reader.readuntil(b"begun"))
        waiting = [await connected(port) for _ in range(5)]
        assert b"200" in await answered(port, CLOSING)
        assert not reader.at_eof()
        for _, each in [(reader, writer), *waiting]:
            each.close()


def test_a_request_with_a_body_queues_behind_earlier_ones() -> None:
    among, ended = Connections(2), []
    assert among.waits("a", lambda: ended.append("a"))
    assert among.waits("b", lambda: ended.append("b"))
    among.receives("a", lambda: ended.append("a"))
    assert among.waits("c", lambda: ended.append("c"))
    assert ended == ["b"]
    among.works("a")
    assert among.waits("d", lambda: ended.append("d"))
    assert ended == ["b", "c"]


async def test_a_full_server_tells_a_new_connection_to_retry() -> None:
    async with served(most=2) as port:
        busy = [await connected(port, HANGING) for _ in range(2)]
        for reader, _ in busy:
            await soon(reader.readuntil(b"begun"))
        answer = await answered(port, GET)
        for _, writer in busy:
            writer.close()
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 1" in answer


def test_a_connection_counts_once() -> None:
    among, ended = Connections(2), []
    for _ in range(5):
        assert among.waits("a", lambda: ended.append("a"))
        among.works("a")
    assert among.waits("b", lambda: ended.append("b"))
    among.gone("a")
    assert among.waits("c", lambda: ended.append("c"))
    assert ended == []
    assert among.waits("d", lambda: ended.append("d"))
    assert ended == ["b"]
