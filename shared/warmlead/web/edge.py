"""The HTTP edge: bodies within their limits, CORS, requests in and answers out."""

import asyncio
import logging
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import perf_counter
from typing import TypeAlias

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.ports import Clock, RawRequest
from warmlead.web.answers import Answer, answer_error
from warmlead.web.logging import log_event

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's way to say: gzip with the largest window
_MAX_GZIP_MEMBERS = 64
_LINGER_S = 2.0


def _too_large(limit_bytes: int, what: str = "The body") -> RejectedError:
    return RejectedError(Reason.BODY_TOO_LARGE, f"{what} is larger than {limit_bytes} bytes.")


async def read_body(
    chunks: AsyncIterator[bytes],
    *,
    limit_bytes: int,
    timeout_s: float,
    declared_bytes: int | None = None,
) -> bytes:
    """The whole body. Raises ``RejectedError`` as soon as it is known to exceed the limit.

    A declared length above the limit is refused; a smaller one is not trusted. A body that is not
    complete after ``timeout_s`` is refused too.
    """
    if declared_bytes is not None and declared_bytes > limit_bytes:
        raise _too_large(limit_bytes)
    received: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in chunks:
                size += len(chunk)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                received.append(chunk)
    except TimeoutError as error:
        raise RejectedError(
            Reason.BODY_TIMEOUT, f"The body did not arrive within {timeout_s:g} seconds."
        ) from error
    return b"".join(received)


async def discard(chunks: AsyncIterator[bytes], *, most_bytes: int) -> None:
    """Reads and drops the rest of a refused body, within a limit and two seconds.

    If the connection closed at once, a client that is still sending would not read the answer.
    """
    left = most_bytes
    try:
        async with asyncio.timeout(_LINGER_S):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, RejectedError):  # it has been refused already
        return


def unpack(body: bytes, content_encoding: str, *, limit_bytes: int) -> bytes:
    """The body without gzip, whether gzip is declared or only found.

    Some clients send gzip without saying so. Raises ``RejectedError`` for other encodings, for
    damaged gzip, and for a body that unpacks to more than the limit; never unpacks more than that.
    """
    encoding = content_encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise RejectedError(
            Reason.ENCODING_UNSUPPORTED, "Send the body as it is, or with Content-Encoding: gzip."
        )
    if body and (encoding in ("gzip", "x-gzip") or body.startswith(_GZIP_MAGIC)):
        return _gunzip(body, limit_bytes)
    return body


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    unpacked: list[bytes] = []
    left = limit_bytes
    for _ in range(_MAX_GZIP_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(body, left + 1)
        except zlib.error as error:
            raise _damaged("is not gzip") from error
        left -= len(part)
        if left < 0:
            raise _too_large(limit_bytes, "The unpacked body")
        if not member.eof:
            raise _damaged("ends too early")
        unpacked.append(part)
        body = member.unused_data.lstrip(b"\0")  # gzip files may be padded with zeros
        if not body:
            return b"".join(unpacked)
    raise _damaged("has too many parts")


def _damaged(fault: str) -> RejectedError:
    return RejectedError(Reason.ENCODING_INVALID, f"The gzip of the body {fault}.")


_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]{0,30}://[A-Za-z0-9.:\[\]_-]{1,255}")
_HEADER_LIST = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}")
_SENDER = re.compile(r"[A-Za-z0-9.:_-]{1,255}")
_RATE = re.compile(r"\*|[0-9]{1,9}")
_METHODS = "GET, POST, OPTIONS"


def cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by which a page of any origin may read the answer to its request."""
    origin = request_headers.get("origin", "")
    if not _ORIGIN.fullmatch(origin):
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
    }


def answer_preflight(request_headers: Mapping[str, str]) -> Answer:
    """The answer to ``OPTIONS``: to a browser before it posts, and to a sender of CloudEvents.

    The latter asks whether it may send (CloudEvents, HTTP 1.1 Web Hooks, section 4).
    """
    headers = {"Allow": _METHODS, **cors_headers(request_headers)}
    if _SENDER.fullmatch(asks := request_headers.get("webhook-request-origin", "")):
        headers["WebHook-Allowed-Origin"] = asks
        if _RATE.fullmatch(request_headers.get("webhook-request-rate", "")):
            headers["WebHook-Allowed-Rate"] = "*"
    if "Access-Control-Allow-Origin" in headers:
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Max-Age"] = "7200"
        wanted = request_headers.get("access-control-request-headers", "")
        if _HEADER_LIST.fullmatch(wanted):
            headers["Access-Control-Allow-Headers"] = wanted
    return Answer(204, headers=headers)


MAX_QUERY_BYTES = 16 * 1024

_log = logging.getLogger(__name__)
_TRACE = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:[-/].*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")


class Limits(Struct, frozen=True):
    """Limits of a request's size, as sent and unpacked, and of the time until it has arrived."""

    body_bytes: int
    timeout_s: float


Dress: TypeAlias = Callable[[Mapping[str, str], Answer], Answer]
"""Gives an answer the form that the client's headers ask for."""


class Edge:
    """Answers requests by ``work``; ``dress`` gives an answer the form that the client wants."""

    def __init__(
        self,
        work: Callable[[RawRequest], Awaitable[Answer]],
        *,
        function: str,
        limits: Limits,
        clock: Clock,
        new_id: Callable[[], str],
        dress: Dress | None = None,
        is_private: bool = False,
    ) -> None:
        """``is_private``: no page of another origin may send requests, or read the answers."""
        self._work = work
        self._function = function
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._dress = dress or _as_it_is
        self._is_private = is_private

    async def answer(self, request: Request) -> Response:
        """The response to a request, also after an error. Raises nothing of its own."""
        began = perf_counter()
        headers = _headers(request)
        request_id = self._new_id()
        failure: Exception | None = None
        try:
            if request.method == "OPTIONS" and not self._is_private:
                answer = answer_preflight(headers)
            else:
                answer = await self._work(await self._read(request, headers, request_id))
        except Exception as error:  # noqa: BLE001  # the one place where all faults become answers
            failure = error
            answer = answer_error(error)
        level = _level_of(failure, answer.status)
        log_event(
            _log,
            "request_answered",
            level=level,
            error=failure if level > logging.INFO else None,
            function=self._function,
            method=request.method,
            status=answer.status,
            ms=round((perf_counter() - began) * 1000, 1),
            request_id=request_id,
            trace=_trace(headers),
            **answer.facts,
        )
        cors = {} if self._is_private else cors_headers(headers)
        return _response(self._dress(headers, answer), cors)

    async def _read(
        self, request: Request, headers: Mapping[str, str], request_id: str
    ) -> RawRequest:
        query = request.scope["query_string"]
        if len(query) > MAX_QUERY_BYTES:
            raise RejectedError(
                Reason.QUERY_INVALID, f"The query is longer than {MAX_QUERY_BYTES} bytes."
            )
        body = b"" if request.method in _WITHOUT_BODY else await self._body(request, headers)
        return RawRequest(
            method=request.method,
            path=path_below(request, self._function),
            query=query.decode("latin-1"),
            headers=headers,
            body=body,
            received_at=self._clock.now(),
            request_id=request_id,
        )

    async def _body(self, request: Request, headers: Mapping[str, str]) -> bytes:
        limit = self._limits.body_bytes
        declared = headers.get("content-length", "")
        chunks = _chunks(request)
        try:
            sent = await read_body(
                chunks,
                limit_bytes=limit,
                timeout_s=self._limits.timeout_s,
                declared_bytes=int(declared) if _LENGTH.fullmatch(declared) else None,
            )
        except RejectedError as error:
            # A client that waits for 100 Continue has not begun to send.
            if error.reason is Reason.BODY_TOO_LARGE and "expect" not in headers:
                await discard(chunks, most_bytes=4 * limit)
            raise
        return unpack(sent, headers.get("content-encoding", ""), limit_bytes=limit)


def _as_it_is(_: Mapping[str, str], answer: Answer) -> Answer:
    return answer


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise RejectedError(Reason.BODY_INCOMPLETE, "The body ended too early.") from error


def _headers(request: Request) -> dict[str, str]:
    """The headers by name in lower case; one that is given several times is joined by commas."""
    headers: dict[str, list[str]] = {}
    for name, value in request.scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ", ".join(values) for name, values in headers.items()}


def path_below(request: Request, function: str) -> str:
    """The path below the function's name, with which it may begin.

    A load balancer routes by that name and leaves it there. A path that is only the name stays as
    it is: ``/track`` is a call of Segment's API.
    """
    path: str = request.scope["path"]
    mount = f"/{function}"
    below = path.removeprefix(mount)
    return below if path.startswith(f"{mount}/") and below != "/" else path


def _level_of(failure: Exception | None, status: int) -> int:
    if not (failure is None or isinstance(failure, RejectedError | UnavailableError)):
        return logging.ERROR
    return logging.WARNING if status >= 500 else logging.INFO  # noqa: PLR2004  # server's faults


def _trace(headers: Mapping[str, str]) -> str | None:
    for name in ("traceparent", "x-cloud-trace-context"):
        found = _TRACE.fullmatch(headers.get(name, ""))
        if found:
            return found[1]
    return None


def _response(answer: Answer, cors: Mapping[str, str]) -> Response:
    headers = {**_ALWAYS, **cors, **answer.headers}
    if answer.status == 204:  # noqa: PLR2004  # No Content has no type either
        return Response(status_code=204, headers=headers)
    return Response(answer.body, answer.status, headers, answer.content_type)
