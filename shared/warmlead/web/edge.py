"""Between a web framework and the use cases: requests become ``RawRequest``, answers responses.

Every way in which a request can fail ends here in an answer and one line in the log. Which
senders there are, and what accepting means, is not known here.
"""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import perf_counter
from typing import TypeAlias

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.ports import Clock, RawRequest
from warmlead.web.answer import Answer
from warmlead.web.body import discard, read_body, unpack
from warmlead.web.cors import Cors
from warmlead.web.json_logging import log_event
from warmlead.web.outcomes import answer_error

MAX_QUERY_BYTES = 16 * 1024

_log = logging.getLogger(__name__)
_TRACE = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:[-/].*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")


class Limits(Struct, frozen=True):
    """How much of a request is read, as sent and unpacked, and how long it may take to come."""

    body_bytes: int
    timeout_s: float


Dress: TypeAlias = Callable[[Mapping[str, str], Answer], Answer]
"""An answer in the form that the client wants, which its headers tell."""


class Edge:
    """Answers requests with what ``accept`` makes of them, in the form that ``dress`` gives it."""

    def __init__(
        self,
        accept: Callable[[RawRequest], Awaitable[Answer]],
        *,
        function: str,
        limits: Limits,
        clock: Clock,
        new_id: Callable[[], str],
        cors: Cors | None = None,
        dress: Dress | None = None,
    ) -> None:
        self._accept = accept
        self._function = function
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._cors = cors or Cors()
        self._dress = dress or _as_it_is

    async def answer(self, request: Request) -> Response:
        """The response to a request, whatever happens. Raises nothing of its own."""
        began = perf_counter()
        headers = _headers(request)
        request_id = self._new_id()
        failure: Exception | None = None
        try:
            if request.method == "OPTIONS":
                answer = self._cors.preflight(headers)
            else:
                answer = await self._accept(await self._read(request, headers, request_id))
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
        return _response(self._dress(headers, answer), self._cors.headers(headers))

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
            # A client that expects to be told to go on has not begun to send.
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
    """The path below the function's name, which may stand in front of it or not.

    A load balancer routes by that name and leaves it there. A path that is nothing but the name
    stays as it is: ``/track`` is a call of Segment's API.
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
