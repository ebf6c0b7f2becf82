"""Interceptors of gRPC calls: what was asked of a service, and what goes wrong on the way."""

from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import grpc
import grpc.aio

Continue = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def failure(code: grpc.StatusCode, details: str = "made by a test") -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing, details=details)


def method_of(details: grpc.aio.ClientCallDetails) -> str:
    """``Commit``, of ``/google.firestore.v1.Firestore/Commit``."""
    path = details.method
    return (path if isinstance(path, str) else path.decode()).rpartition("/")[2]


class CountedCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """Counts calls by method, and the documents read and written by them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.documents: Counter[str] = Counter()

    async def intercept_unary_unary(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        method = method_of(client_call_details)
        self.calls[method] += 1
        if method == "GetDocument":
            self.documents["read"] += 1
        elif method == "Commit":
            self.documents["written"] += len(request.writes)
        return await continuation(client_call_details, request)

    def forget(self) -> None:
        self.calls.clear()
        self.documents.clear()


class CountedStreams(grpc.aio.UnaryStreamClientInterceptor):
    """Counts calls whose answers are streams, by method."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    async def intercept_unary_stream(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        self.calls[method_of(client_call_details)] += 1
        return await continuation(client_call_details, request)


class LostReplies(grpc.aio.UnaryUnaryClientInterceptor):
    """Lets the server act, and then loses its reply: for these calls, counted from 1."""

    def __init__(
        self, method: str, *, numbers: range, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    ) -> None:
        self.lost = 0
        self._method = method
        self._numbers = numbers
        self._code = code
        self._seen = 0

    async def intercept_unary_unary(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        call = await continuation(client_call_details, request)
        if method_of(client_call_details) == self._method:
            self._seen += 1
            if self._seen in self._numbers:
                await call
                self.lost += 1
                raise failure(self._code)
        return call


class RefusedCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """Refuses a share of the calls before they reach the server."""

    def __init__(self, code: grpc.StatusCode, *, share: float, random: Random) -> None:
        self.refused = 0
        self._code = code
        self._share = share
        self._random = random

    async def intercept_unary_unary(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        if self._random.random() < self._share:
            self.refused += 1
            raise failure(self._code)
        return await continuation(client_call_details, request)
