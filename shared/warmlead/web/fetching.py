"""Gets what a vendor keeps for itself, and asks a vendor questions, over HTTP."""

import asyncio
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Executor
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError

from warmlead.domain.errors import UnavailableError
from warmlead.ports import Fetched

TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000


class HttpFetcher:
    """Gets and posts over HTTP, each in a thread, within ``timeout_s`` for a pause of the answer.

    The threads are those of ``threads``, or of the event loop, whose other work then waits while
    vendors keep all of them. Of an answer ``most_bytes`` are read.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        most_bytes: int = MAX_BYTES,
        threads: Executor | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._threads = threads
        self._opener = urllib.request.build_opener(_NoRedirect)

    async def get(self, address: str, headers: Mapping[str, str]) -> Fetched:
        """The answer, as much as is read; ``UnavailableError`` if there is none in time."""
        return await self._ask(urllib.request.Request(address, headers=dict(headers)))  # noqa: S310  # made of settings

    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        """The answer to a post, within the same limits; ``UnavailableError`` as ``get``."""
        return await self._ask(urllib.request.Request(address, body, dict(headers)))  # noqa: S310  # made of settings

    async def _ask(self, request: urllib.request.Request) -> Fetched:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._answer, request)
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"{request.host} does not answer") from error

    def _answer(self, request: urllib.request.Request) -> Fetched:
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return Fetched(answer.status, answer.read(self._most_bytes))
        except HTTPError as error:
            with error:
                return Fetched(error.code, error.read(self._most_bytes))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Answers a redirect as it is: headers with a token go to no other address."""

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
    ) -> None:
        """Nothing: the redirect is the answer."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
