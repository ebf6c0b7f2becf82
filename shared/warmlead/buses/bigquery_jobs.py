"""Queries of BigQuery over its REST interface, version 2: jobs, pages of rows, errors.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import httpcore
import msgspec
from msgspec import Struct, field

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.text import one_line
from warmlead.google_api import AccessTokens

ADDRESS = "https://bigquery.googleapis.com"

PATIENCE_S = 60.0
"""Seconds after which a request that fails time and again is given up."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0

ATTEMPT_S = 45.0
"""Seconds for one request; a page of rows has 20 MB at most."""

JOB_WAIT_S = 20
"""Seconds after which BigQuery answers that a query is still running."""

PAGE_ROWS = 10_000

MOST_ANSWER_BYTES = 100_000_000

JOB_ATTEMPTS = 3

Parameter: TypeAlias = datetime | Sequence[str]
"""The value of a query's named parameter: a time, or texts."""

T = TypeVar("T")

_PASSING_STATUSES = frozenset((0, 408, 429, 500, 502, 503, 504))
_PASSING_REASONS = frozenset(("rateLimitExceeded", "jobRateLimitExceeded", "backendError"))
_REPEATED_JOBS = frozenset(("jobBackendError", "jobInternalError", "internalError", "backendError"))


class BigQueryError(Exception):
    """BigQuery said no: the HTTP status (0: none came), its reason code, and its words.

    Reasons: https://cloud.google.com/bigquery/docs/error-messages
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = one_line(message)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed in a moment."""
        return self.status in _PASSING_STATUSES or self.reason in _PASSING_REASONS


class _ErrorDetail(Struct):
    reason: str = ""


class _ErrorBody(Struct):
    message: str = ""
    errors: list[_ErrorDetail] = field(default_factory=list)


class _Failed(Struct):
    error: _ErrorBody


class _Cell(Struct):
    v: str | None = None


class _Row(Struct):
    f: list[_Cell]


class _Page(Struct, rename="camel"):
    job_complete: bool = False
    rows: list[_Row] = field(default_factory=list)
    page_token: str = ""
    num_dml_affected_rows: str = "0"


class Job(Struct, frozen=True, rename="camel"):
    """The name of a job, as BigQuery wants it."""

    project_id: str
    job_id: str
    location: str


class BigQueryJobs:
    """The queries of one project, which is billed for them.

    ``address`` is a URL. Without ``tokens`` no credentials are sent, as to an emulator. A request
    that fails for a moment is repeated for ``patience_s`` seconds. Raises ``BigQueryError``.
    """

    def __init__(
        self,
        project: str,
        *,
        address: str = ADDRESS,
        tokens: AccessTokens | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.project = project
        self._address = address.rstrip("/")
        self._tokens = tokens
        self._patience_s = patience_s
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def close(self) -> None:
        """Closes the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def get(self, path: str, type_: type[T], **query: str) -> T:
        """What is at a path below the project."""
        return _read(await self._call("GET", path, query), type_)

    async def rows(
        self, sql: str, parameters: Mapping[str, Parameter], *, location: str, most_bytes: int
    ) -> AsyncIterator[Sequence[str | None]]:
        """The rows of a query, a page at a time; every value as BigQuery writes it in JSON.

        A query that would be billed for more than ``most_bytes`` fails, and costs nothing.
        """
        job, page = await self._run(sql, parameters, location, most_bytes)
        while True:
            for row in page.rows:
                yield [cell.v for cell in row.f]
            if not page.page_token:
                return
            page = await self._page(job, page.page_token)

    async def execute(
        self, sql: str, parameters: Mapping[str, Parameter], *, location: str, most_bytes: int
    ) -> int:
        """Runs a statement that changes rows; how many. It must be safe to repeat."""
        _, page = await self._run(sql, parameters, location, most_bytes)
        return int(page.num_dml_affected_rows)

    async def _run(
        self, sql: str, parameters: Mapping[str, Parameter], location: str, most_bytes: int
    ) -> tuple[Job, _Page]:
        """The job that has ended well, and its first page. One that BigQuery broke runs again."""
        configuration = {
            "query": sql,
            "useLegacySql": False,
            "parameterMode": "NAMED",
            "queryParameters": [_parameter(name, value) for name, value in parameters.items()],
            "maximumBytesBilled": str(most_bytes),
            "useQueryCache": False,  # what was written a second ago must be found
        }
        for attempt in range(1, JOB_ATTEMPTS + 1):
            job = Job(self.project, f"warmlead_{uuid.uuid4().hex}", location)
            try:
                await self._begin(job, configuration)
                return job, await self._page(job)
            except BigQueryError as error:
                if error.reason not in _REPEATED_JOBS or attempt == JOB_ATTEMPTS:
                    raise
        raise AssertionError  # the last attempt returns or raises

    async def _begin(self, job: Job, configuration: Mapping[str, object]) -> None:
        """Begins a job under a name of ours: if the answer is lost, it is not begun twice."""
        body = {"jobReference": job, "configuration": {"query": configuration}}
        try:
            await self._call("POST", "jobs", {}, msgspec.json.encode(body))
        except BigQueryError as error:
            if error.status != _DUPLICATE:
                raise

    async def _page(self, job: Job, token: str = "") -> _Page:
        """A page of the job's rows, when the job has ended; raises the error by which it failed."""
        query = {"location": job.location, "maxResults": str(PAGE_ROWS)}
        query |= {"pageToken": token} if token else {"timeoutMs": str(JOB_WAIT_S * 1000)}
        while True:
            page = await self.get(f"queries/{job.job_id}", _Page, **query)
            if page.job_complete:
                return page

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b""
    ) -> bytes:
        end, pause_s = monotonic() + self._patience_s, FIRST_PAUSE_S
        is_renewed = False
        while True:
            status, answer = await self._answer(method, path, query, body, is_renewed)
            if status in _GOOD:
                return answer
            if status == _UNAUTHORIZED and self._tokens and not is_renewed:
                is_renewed = True  # the token may have ended this very second
                continue
            error = _error(status, answer)
            if not error.is_passing or monotonic() + pause_s > end:
                raise error
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  # no secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, is_renewed: bool
    ) -> tuple[int, bytes]:
        """One attempt; the status is 0 and the text says why if there is no answer."""
        url = f"{self._address}/bigquery/v2/projects/{quote(self.project, safe='')}/{path}"
        url += f"?{urlencode(query)}" if query else ""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._tokens:
            headers |= await self._tokens.headers(renewed=is_renewed)
        self._pool = self._pool or httpcore.AsyncConnectionPool(max_connections=4)
        try:
            async with (
                asyncio.timeout(ATTEMPT_S),
                self._pool.stream(method, url, headers=list(headers.items()), content=body) as said,
            ):
                read = bytearray()
                async for part in said.aiter_stream():
                    read += part
                    if len(read) > MOST_ANSWER_BYTES:
                        return _TOO_LARGE, b""
                return said.status, bytes(read)
        except (OSError, TimeoutError, *_BROKEN) as error:
            return 0, str(error).encode() or type(error).__name__.encode()


_GOOD = range(200, 300)
_UNAUTHORIZED, _DUPLICATE, _TOO_LARGE = 401, 409, 413
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


def _parameter(name: str, value: Parameter) -> Mapping[str, object]:
    if isinstance(value, datetime):
        kind: dict[str, object] = {"type": "TIMESTAMP"}
        given: dict[str, object] = {"value": value.isoformat(sep=" ", timespec="microseconds")}
    else:
        kind = {"type": "ARRAY", "arrayType": {"type": "STRING"}}
        given = {"arrayValues": [{"value": each} for each in value]}
    return {"name": name, "parameterType": kind, "parameterValue": given}


def _read(body: bytes, type_: type[T]) -> T:
    """An answer; raises ``BigQueryError`` if it is not what is documented."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BigQueryError(200, "unreadable", f"the answer cannot be read: {error}") from error


def _error(status: int, body: bytes) -> BigQueryError:
    """The error in an answer; a proxy between may answer without one."""
    if status == 0:
        return BigQueryError(0, "unanswered", f"no answer: {body.decode(errors='replace')}")
    try:
        said = msgspec.json.decode(body, type=_Failed).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return BigQueryError(status, "", f"HTTP status {status}")
    return BigQueryError(status, said.errors[0].reason if said.errors else "", said.message)


def address_of(emulator: str) -> str:
    """The URL of an emulator, from host:port or a URL: Google's own client wants the latter."""
    url = emulator if "://" in emulator else f"http://{emulator}"
    if not url.startswith(("http://", "https://")):
        problem = "must be host:port or a URL, such as http://127.0.0.1:9050"
        raise ConfigurationError.one("BIGQUERY_EMULATOR_HOST", problem)
    return url
