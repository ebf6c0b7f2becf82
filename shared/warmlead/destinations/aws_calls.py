"""Calls of AWS's services: boto3 makes, signs and reads them, and our own HTTP carries them.

boto3 blocks, so each call has a thread. What it would send goes through ``Outbound`` instead, so
that AWS too is reached at checked addresses, without proxies and redirects. boto3 is imported with
the first call: that takes 160 ms of processor time, and the first client another 110.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from warmlead.destinations.aws_role import RoleCredentials, credentials_of, google_token
from warmlead.ports.dispatching import (
    AT_ONCE,
    Outbound,
    OutboundAnswer,
    UnansweredError,
    UnreachedError,
)

MOST_WAIT_S = 30.0
"""Seconds in which a thread gives up an answer; ``Outbound`` has shorter limits of its own."""

_STALE = frozenset(
    (
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"),
        *("RequestExpired", "UnrecognizedClientException"),
    )
)
"""Codes that speak of credentials which are not good any more."""

_SET_BY_OUTBOUND = frozenset(("host", "connection", "content-length", "transfer-encoding"))

_NO_CODE = "an error without a code"

_MOST_WORDS = 1_000

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}")


class AwsAccess(Struct, frozen=True):
    """Where and as whom: see ``AwsSettings``; ``endpoint`` stands in for AWS."""

    region: str
    role: str
    audience: str
    endpoint: str | None


class AwsFault(Struct, frozen=True):
    """An error that AWS answered. ``said`` are its own words.

    ``of_role``: the role could not be assumed, so that the call itself was not made.
    """

    code: str
    said: str
    status: int
    headers: Mapping[str, str]
    of_role: bool = False


class AwsCaller:
    """Calls one service."""

    def __init__(self, service: str, access: AwsAccess, outbound: Outbound) -> None:
        self._service = service
        self._access = access
        self._outbound = outbound
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"aws-{service}")
        self._of_thread = threading.local()
        self._making = threading.Lock()
        self._client: Any = None
        self._credentials: RoleCredentials | None = None

    async def call(
        self, operation: str, parameters: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any] | AwsFault:
        """What AWS answers. Raises ``UnreachedError`` and ``UnansweredError``."""
        attempt = _Attempt(asyncio.get_running_loop())
        work = (attempt, operation, parameters, now)
        try:
            return await attempt.loop.run_in_executor(self._threads, self._call, *work)
        except asyncio.CancelledError:
            attempt.give_up()
            raise

    # --- below here: in a thread ---

    def _call(
        self, attempt: "_Attempt", operation: str, parameters: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any] | AwsFault:
        from botocore.exceptions import (  # noqa: PLC0415  # heavy; see above
            BotoCoreError,
            ClientError,
            ParamValidationError,
        )
        from botocore.parsers import ResponseParserError  # noqa: PLC0415  # the same

        self._of_thread.attempt = attempt
        try:
            client = self._client_at(now)
            answer: Mapping[str, Any] = getattr(client, operation)(**parameters)
        except ClientError as error:
            fault = _fault_of(error)
            if fault.code in _STALE:
                self._forget()
            return fault
        except ResponseParserError as error:
            answered = attempt.answer
            if answered is None or answered.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise UnansweredError("what came is not an answer of AWS") from error
            return AwsFault(_NO_CODE, "", answered.status, answered.headers)
        except ParamValidationError:
            raise
        except BotoCoreError as error:
            raise UnreachedError(f"no call of AWS can be made: {type(error).__name__}") from error
        return answer

    def _client_at(self, now: datetime) -> Any:  # noqa: ANN401  # boto3 has no types
        """A client whose credentials are good; threads wait for one of them to make it."""
        with self._making:
            if self._access.role and not (self._credentials and self._credentials.are_good(now)):
                self._credentials = self._assumed()
                self._client = None
            if self._client is None:
                self._client = self._made(self._service, self._credentials)
            return self._client

    def _forget(self) -> None:
        with self._making:
            self._credentials = self._client = None

    def _assumed(self) -> RoleCredentials:
        """New credentials of the role."""
        token = google_token(self._access.audience)
        return credentials_of(self._made("sts", None), self._access.role, token)

    def _made(self, service: str, credentials: RoleCredentials | None) -> Any:  # noqa: ANN401  # the same
        from boto3.session import Session  # noqa: PLC0415  # heavy; see above
        from botocore import UNSIGNED  # noqa: PLC0415  # the same
        from botocore.config import Config  # noqa: PLC0415  # the same

        _keep_bodies_out_of_logs()
        unsigned = bool(self._access.role) and credentials is None
        config = Config(
            retries={"total_max_attempts": 1},  # the schedule of dispatches retries
            ignore_configured_endpoint_urls=True,
            user_agent_extra="Warmlead",
            **({"signature_version": UNSIGNED} if unsigned else {}),
        )
        client = Session(region_name=self._access.region).client(
            service,
            config=config,
            endpoint_url=self._access.endpoint,
            **(credentials.as_arguments if credentials else {}),
        )
        client.meta.events.register("before-send", self._carry)
        return client

    def _carry(self, request: Any, **_: object) -> Any:  # noqa: ANN401  # the same
        """Sends what boto3 has made, in its stead."""
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415  # heavy; see above

        headers = {name: _text(value) for name, value in request.headers.items()}
        kept = {name: v for name, v in headers.items() if name.lower() not in _SET_BY_OUTBOUND}
        body = request.body or b""
        attempt: _Attempt = self._of_thread.attempt
        answer = attempt.awaited(
            self._outbound.request(
                request.method, request.url, kept, body.encode() if isinstance(body, str) else body
            )
        )
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


class _Attempt:
    """One call, which an event loop waits for: a thread's requests go through that loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.answer: OutboundAnswer | None = None
        self._request: Future[OutboundAnswer] | None = None
        self._is_given_up = False

    def give_up(self) -> None:
        """Ends the request under way, since nobody waits for the call any more."""
        self._is_given_up = True
        if self._request:
            self._request.cancel()

    def awaited(self, sending: Coroutine[Any, Any, OutboundAnswer]) -> OutboundAnswer:
        """The answer to a request; it blocks the thread."""
        try:
            self._request = asyncio.run_coroutine_threadsafe(sending, self.loop)
        except RuntimeError as error:  # the loop has ended
            sending.close()
            raise UnreachedError("the process is ending") from error
        if self._is_given_up:
            self._request.cancel()
        try:
            self.answer = self._request.result(MOST_WAIT_S)
        except (CancelledError, TimeoutError) as error:
            self._request.cancel()
            raise UnansweredError("the call was given up") from error
        return self.answer


class _Raw:
    """The body of an answer, as boto3 reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """All of it."""
        yield self._body


def _fault_of(error: Any) -> AwsFault:  # noqa: ANN401  # boto3 has no types
    """The fault in an error of boto3's. SQS has its codes behind ``AWS.SimpleQueueService.``."""
    said, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code = _CODE.fullmatch(str(said.get("Code", "")).rpartition(".")[2])
    words = " ".join(str(said.get("Message", ""))[:_MOST_WORDS].split()).rstrip(".")
    return AwsFault(
        code=code[0] if code else _NO_CODE,
        said="" if words.startswith("<") else words,  # a page, where an error was expected
        status=int(about.get("HTTPStatusCode", 0)),
        headers={name.lower(): str(v) for name, v in about.get("HTTPHeaders", {}).items()},
        of_role=error.operation_name == "AssumeRoleWithWebIdentity",
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _keep_bodies_out_of_logs() -> None:
    """botocore's debug messages hold bodies and credentials."""
    for name in ("botocore", "boto3"):
        logger = logging.getLogger(name)
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
