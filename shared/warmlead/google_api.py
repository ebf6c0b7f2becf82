"""Google's APIs over gRPC: connections, credentials, message types and errors.

It uses parts of Google's own clients, without the clients: their message types, and the channel and
credentials that ``google-api-core`` makes for them. Importing the whole clients costs five times as
much at a cold start (docs/decisions/0007-google-apis-without-clients.md).
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from threading import Lock
from types import ModuleType
from typing import Any, TypeAlias
from urllib.parse import quote

import grpc
import grpc.aio

from warmlead.domain.errors import ConfigurationError, UnavailableError

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)

Message: TypeAlias = Any
"""A protobuf message, or its class: they are made at run time and have no types."""

Routing: TypeAlias = Mapping[str, str]

Interceptors: TypeAlias = Sequence[grpc.aio.ClientInterceptor]

_OPTIONS = (  # as in Google's own clients
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
)


def message_types(package: str, module: str) -> ModuleType:
    """The message types of a Google package (``google.pubsub_v1``, ``pubsub``), and only these.

    Python runs a package's ``__init__`` before any module in it, and theirs import every client. So
    they are imported as parts of a package that has not been initialised, which is forgotten
    afterwards: a later import of the package gets the whole package, with these types.
    """
    name = f"{package}.types.{module}"
    if name in sys.modules or package in sys.modules:
        return importlib.import_module(name)
    outer, _, leaf = package.rpartition(".")
    parent = importlib.import_module(outer)
    paths = [f"{path}/{leaf}" for path in parent.__path__ if os.path.isdir(f"{path}/{leaf}")]  # noqa: PTH112  # pathlib is not loaded yet
    bare = {package: paths, f"{package}.types": [f"{path}/types" for path in paths]}
    for bare_name, search in bare.items():
        sys.modules[bare_name] = _uninitialised(bare_name, search)
    try:
        return importlib.import_module(name)
    finally:
        for bare_name in bare:
            del sys.modules[bare_name]


def _uninitialised(name: str, search: Sequence[str]) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = list(search)
    return package


class GoogleApi:
    """A service at ``host``, connected at its first call: a connection does not survive a fork.

    With ``emulator`` (host:port) it is the emulator, in the clear; otherwise Google itself,
    with the credentials of the environment (Application Default Credentials).
    """

    def __init__(self, host: str, *, emulator: str = "", interceptors: Interceptors = ()) -> None:
        self._host = host
        self._emulator = emulator
        self._interceptors = list(interceptors)
        self._channel: grpc.aio.Channel | None = None
        self._connecting = asyncio.Lock()
        self._calls: dict[str, Any] = {}

    async def call(
        self, path: str, request: Message, answer: Message, *, routing: Routing, timeout_s: float
    ) -> Message:
        """The answer to one request; raises ``grpc.aio.AioRpcError``.

        ``routing`` names what is asked about, as Google's front end wants to see it.
        """
        call = await self._call(path, answer, "unary_unary")
        return await call(request, timeout=timeout_s, metadata=self._metadata(routing))

    async def stream(
        self, path: str, request: Message, answer: Message, *, routing: Routing, timeout_s: float
    ) -> AsyncGenerator[Message, None]:
        """The answers to one request, one after the other; raises ``grpc.aio.AioRpcError``.

        If it is closed before its end, the server is asked to send no more.
        """
        call = await self._call(path, answer, "unary_stream")
        answers = call(request, timeout=timeout_s, metadata=self._metadata(routing))
        try:
            async for each in answers:
                yield each
        finally:
            answers.cancel()

    async def close(self) -> None:
        """Closes the connection, if there is one; the next call opens another."""
        channel, self._channel = self._channel, None
        self._calls.clear()
        if channel is not None:
            await channel.close()

    async def _call(self, path: str, answer: Message, kind: str) -> Callable[..., Any]:
        if path not in self._calls:
            async with self._connecting:
                self._channel = self._channel or await self._connect()
            make = getattr(self._channel, kind)
            self._calls[path] = make(
                path, request_serializer=_to_bytes, response_deserializer=answer.FromString
            )
        called: Callable[..., Any] = self._calls[path]
        return called

    async def _connect(self) -> grpc.aio.Channel:
        if self._emulator:
            return grpc.aio.insecure_channel(
                self._emulator, _OPTIONS, interceptors=self._interceptors
            )
        credentials = await asyncio.to_thread(_credentials)  # it may ask over the network
        from google.api_core.grpc_helpers_async import create_channel  # noqa: PLC0415  # heavy

        channel: grpc.aio.Channel = create_channel(
            f"{self._host}:443",
            credentials=credentials,
            default_scopes=SCOPES,
            options=_OPTIONS,
            interceptors=self._interceptors,
        )
        return channel

    def _metadata(self, routing: Routing) -> list[tuple[str, str]]:
        params = "&".join(f"{name}={quote(value)}" for name, value in routing.items())
        metadata = [("x-goog-request-params", params)]
        if self._emulator:
            metadata.append(("authorization", "Bearer owner"))  # past the security rules
        return metadata


class AccessTokens:
    """Tokens for Google's REST interfaces, from the credentials of the environment.

    A token holds for an hour and is renewed in time. Raises ``ConfigurationError`` if there are no
    credentials or Google refuses them, ``UnavailableError`` if it cannot be asked.
    """

    def __init__(self) -> None:
        self._credentials: Any = None
        self._one_by_one = Lock()

    async def headers(self, *, renewed: bool = False) -> dict[str, str]:
        """The headers of a request; ``renewed`` says that the token before was refused."""
        return await asyncio.to_thread(self._headers, renewed)

    def _headers(self, renewed: bool) -> dict[str, str]:
        from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415  # heavy
        from google.auth.transport.requests import Request  # noqa: PLC0415  # heavy

        with self._one_by_one:
            self._credentials = self._credentials or _credentials()
            try:
                if renewed or not self._credentials.valid:
                    self._credentials.refresh(Request())
            except GoogleAuthError as error:
                if isinstance(error, TransportError) or error.retryable:
                    raise UnavailableError("Google gives no token at the moment") from error
                problem = f"run gcloud auth application-default login again ({error})"
                raise ConfigurationError.one("Google refuses the credentials:", problem) from error
            headers: dict[str, str] = {}
            self._credentials.apply(headers)
            return headers


def _credentials() -> Any:  # noqa: ANN401  # google-auth has no types
    """Application Default Credentials, found as Google's own clients find them."""
    import google.auth  # noqa: PLC0415  # heavy
    from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415  # heavy

    try:
        credentials, _ = google.auth.default(default_scopes=SCOPES)
    except DefaultCredentialsError as error:
        problem = "run it with a service account, or: gcloud auth application-default login"
        raise ConfigurationError.one("There are no Google credentials:", problem) from error
    return credentials


def _to_bytes(message: Message) -> bytes:
    """A protobuf message on the wire."""
    data: bytes = message.SerializeToString()
    return data
