"""One address for all functions: which function answers, how many connections, health, and 404.

The functions are in this process (``LocalSite``) or processes of their own (``Front``).
"""

import asyncio
import json
import logging
import resource
import uuid
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import h11
from functions_framework.aio import create_asgi_app
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

import warmlead
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError, UnavailableError
from warmlead.ports import Commit, LeadStore, Loaded, RawRequest
from warmlead.runtime import backends, table
from warmlead.senders.registry import REGISTRY, functions_by_path
from warmlead.senders.segment.calls import kind_at
from warmlead.settings import Needed
from warmlead.web.answers import Answer
from warmlead.web.edge import Edge, Limits
from warmlead.web.logging import log_event
from warmlead.web.snippet import SCRIPT_PATH

PUBLIC = table.names(table.public())
"""The functions that senders may reach; the others are called by the bus and by a clock."""

SERVED = table.names((*table.public(), *table.private()))
"""The functions that have an address here: also those that only people with access may open."""

NEEDED: tuple[Needed, ...] = tuple(
    each
    for each in get_args(Needed)
    if any(each in f.demands for f in (*table.public(), *table.private()))
)
"""What they need in production, together."""

SENDERS = functions_by_path()
"""The function of each sender whose name is the first part of the path."""

TRACKED = ("/v1/", "/beacon/v1/", "/pixel/v1/")
"""Where clients of ``track`` post; ``track`` answers all paths below, also unknown ones."""


def load_function(name: str) -> ASGIApp:
    """The function's application, made from its ``main.py`` as the platform makes it."""
    app: ASGIApp = create_asgi_app(name, source_of(name))  # type: ignore[no-untyped-call]  # it has no types
    return app


def source_of(name: str) -> str:
    """The function's ``main.py``."""
    return str(_folder() / name / "main.py")


def _folder() -> Path:
    """The functions' folder: in the package when installed, beside ``shared`` in a checkout."""
    package = Path(warmlead.__file__).parent
    installed = package / "functions"
    return installed if installed.exists() else package.parent.parent / "functions"


def function_at(path: str, among: Collection[str]) -> str | None:
    """The function that answers a path; ``None`` if it is outside of all.

    The targets of CONNECT and ``OPTIONS *`` are not paths, so they are outside too.
    """
    if not path.startswith("/"):
        return None
    first = path.split("/", 2)[1]
    named = first if first in among else SENDERS.get(first)
    if named is None and (path.startswith((*TRACKED, SCRIPT_PATH)) or kind_at(path)):
        named = table.TRACK.name
    return named if named in among else None


class LocalSite:
    """Sends each request to the function that answers it; the rest is ``outside``."""

    def __init__(self, functions: Mapping[str, ASGIApp], outside: ASGIApp) -> None:
        self._functions = functions
        self._outside = outside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; the lifespan protocol is declined."""
        if scope["type"] != "http":
            return
        name = function_at(scope["path"], self._functions)
        app = self._functions[name] if name else self._outside
        await app(scope, receive, send)


HEALTH_WITHIN_S = 2.0
"""Seconds after which a store that does not answer counts as unavailable."""

TRACK_PATH = "/v1/batch"
"""Where the calls of a tracking client go."""


def paths() -> list[str]:
    """An address of each function that senders reach, and where SDKs post at the root."""
    first = {each.function: f"/{each.path}" for each in reversed(REGISTRY) if each.path}
    below = [f"/{name}{first.get(name, TRACK_PATH)}" for name in PUBLIC]
    return [*below, TRACK_PATH]


_NOBODY = "healthz"

_log = logging.getLogger(__name__)


class Outside:
    """An ASGI application for all addresses that no function has."""

    def __init__(
        self,
        store: LeadStore,
        *,
        body_bytes: int,
        timeout_s: float,
        health_within_s: float = HEALTH_WITHIN_S,
    ) -> None:
        self._store = store
        self._health_within_s = health_within_s
        self._edge = Edge(
            self._answer,
            function="serve",
            limits=Limits(body_bytes, timeout_s),
            clock=backends.SystemClock(),
            new_id=lambda: uuid.uuid4().hex,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = await self._edge.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: RawRequest) -> Answer:
        if request.path == "/":
            return Answer(200, json.dumps({"status": "ok", "paths": paths()}).encode())
        if request.path == "/healthz":
            return await self._health()
        raise RejectedError(Reason.NOT_FOUND, f"There is no such path; there are {_listed()}.")

    async def _health(self) -> Answer:
        try:
            await look(self._store, self._health_within_s)
        except UnavailableError as error:
            log_event(_log, "store_unavailable", level=logging.WARNING, reason="unavailable")
            message = f"{error.message[:1].upper()}{error.message[1:]}."
            told = json.dumps({"code": "unavailable", "message": message})
            return Answer(503, told.encode(), headers={"Retry-After": "5"})
        return Answer(200, json.dumps({"status": "ok", "store": "ok"}).encode())


def _listed() -> str:
    return ", ".join(paths())


async def look(store: LeadStore, within_s: float) -> None:
    """Has the store commit an empty transaction; raises ``UnavailableError`` if that fails.

    Costs no flush to the disk.
    """
    try:
        async with asyncio.timeout(within_s):
            await store.update([], _nothing)
            await store.get(_NOBODY)
    except TimeoutError as error:
        message = f"the store did not answer within {within_s:g} s"
        raise UnavailableError(message) from error
    except ConfigurationError as error:
        raise UnavailableError("the store cannot be used any more") from error


def _nothing(_: Loaded) -> Commit[None]:
    return Commit(None)


HEAD_WITHIN_S = 10.0
"""Seconds for the head of a request: the first from the connection on, others from a byte on."""

KEEP_ALIVE_S = 150
"""Seconds for which a connection is kept for another request: longer than proxies keep theirs.

Else one of the two closes while the other sends, and a post is lost.
"""

REQUEST_WITHIN_S = 90.0
"""Seconds for a request from its head to its answer; its body has a minute of them at most."""

LINGER_S = 2.0
"""Seconds for a client to read why it is refused."""

MOST_CONNECTIONS = 1_000
OTHER_FILES = 100
"""The most files that this process opens besides connections."""

TOO_LATE = b'{"code": "head_timeout", "message": "The head of the request did not arrive in time."}'
TOO_MANY = b'{"code": "unavailable", "message": "Too many requests are under way; try again."}'


def most_connections() -> int:
    """How many connections this process may keep open, by its limit of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, files - OTHER_FILES))


class Connections:
    """The open connections of a server: those that wait for a request, and those that have one.

    A client that has sent a head without its body still counts as waiting, because a head costs it
    nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Hashable, Callable[[], None]] = {}
        self._working: set[Hashable] = set()

    def waits(self, connection: Hashable, end: Callable[[], None]) -> bool:
        """Records that it waits for a request; a full server ends the longest waiting one.

        False if there is no room, because all others have a request.
        """
        self.gone(connection)
        self._waiting[connection] = end
        if len(self._waiting) + len(self._working) <= self._most:
            return True
        oldest = next(iter(self._waiting))
        end_oldest = self._waiting.pop(oldest)
        if oldest is connection:
            return False
        end_oldest()
        return True

    def receives(self, connection: Hashable, end: Callable[[], None]) -> None:
        """Notes that a head has come and its body not yet: it waits from now, as the last."""
        self.gone(connection)
        self._waiting[connection] = end

    def works(self, connection: Hashable) -> None:
        """Notes that its request is complete."""
        self._waiting.pop(connection, None)
        self._working.add(connection)

    def gone(self, connection: Hashable) -> None:
        """Notes that it has been closed."""
        self._waiting.pop(connection, None)
        self._working.discard(connection)


def refusal(status: bytes, body: bytes) -> bytes:
    """An answer to a connection of which no request is known."""
    lines = (
        b"HTTP/1.1 " + status,
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        b"Retry-After: 1",
        b"Connection: close",
    )
    return b"\r\n".join((*lines, b"", body))


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol, with a limit of connections and with deadlines."""

    def __init__(
        self,
        *,
        among: Connections,
        head_within_s: float = HEAD_WITHIN_S,
        request_within_s: float = REQUEST_WITHIN_S,
        **options: Any,  # noqa: ANN401  # uvicorn's own
    ) -> None:
        super().__init__(**options)
        self._among = among
        self._head_within_s = head_within_s
        self._request_within_s = request_within_s
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Waits for the head of the first request."""
        super().connection_made(transport)
        self._wait()
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Takes what came; it may be the beginning of another head."""
        self._expect_head()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Makes room for another."""
        super().connection_lost(exc)
        self._set_deadline(None)
        self._among.gone(self)

    def handle_events(self) -> None:
        """Goes on with what came; the head of a request may be complete now, or its body."""
        waited = self._is_waiting()
        super().handle_events()
        if self._is_waiting():
            return
        if waited:
            self._set_deadline(self._request_within_s, self.transport.abort)
        if self.conn.their_state is not h11.SEND_BODY:
            self._among.works(self)
        elif waited:
            self._among.receives(self, self.transport.abort)

    def on_response_complete(self) -> None:
        """Waits for the head of the next request, unless that has come with the last one."""
        self._wait()
        super().on_response_complete()
        if self._is_waiting() and self.conn.trailing_data[0]:
            self._expect_head()

    def _is_waiting(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        if self.transport.is_closing():
            return
        self._set_deadline(None)
        if not self._among.waits(self, self.transport.abort):
            self._refuse(refusal(b"503 Service Unavailable", TOO_MANY))

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._set_deadline(self._head_within_s, self._end_late)

    def _end_late(self) -> None:
        begun = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if begun and not self.transport.is_closing():
            self._refuse(refusal(b"408 Request Timeout", TOO_LATE))
        else:
            self.transport.abort()

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()
        self._set_deadline(LINGER_S, self.transport.abort)  # if nobody reads it

    def _set_deadline(self, within_s: float | None, then: Callable[[], None] | None = None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(within_s, then) if within_s and then else None


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
