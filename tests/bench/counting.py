"""Counts calls over gRPC, and the documents that they read, write and delete; for both designs."""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio

from emulator.calls import Continue, method_of


class Counts:
    """What was asked of Firestore and Pub/Sub since the last ``forget``."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.reads = self.writes = self.deletes = self.messages = 0

    @property
    def publishes(self) -> int:
        """Calls of Pub/Sub."""
        return self.calls["Publish"]

    @property
    def firestore_calls(self) -> int:
        """Calls of Firestore."""
        return self.calls.total() - self.publishes

    def forget(self) -> None:
        """Begins anew."""
        self.__init__()  # type: ignore[misc]  # the same empty counts

    def take(self, method: str, request: Any) -> None:  # protobuf's
        """Counts one call. A document that is not there is read, and charged for, as well."""
        self.calls[method] += 1
        if method == "GetDocument":
            self.reads += 1
        elif method == "BatchGetDocuments":
            self.reads += len(request.documents)
        elif method == "Publish":
            self.messages += len(request.messages)
        elif method == "Commit":
            deletes = sum(bool(write.delete) for write in request.writes)
            self.deletes += deletes
            self.writes += len(request.writes) - deletes


class CountedAsync(grpc.aio.UnaryUnaryClientInterceptor):
    """Counts the calls of our own adapters."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    async def intercept_unary_unary(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:  # gRPC's
        """See ``grpc.aio``."""
        self._counts.take(method_of(client_call_details), request)
        return await continuation(client_call_details, request)


class CountedStreams(grpc.aio.UnaryStreamClientInterceptor):
    """Counts the queries of our own adapters, and each document that they answer.

    A query that finds nothing is charged for as one document.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    async def intercept_unary_stream(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:  # gRPC's
        """See ``grpc.aio``."""
        self._counts.take(method_of(client_call_details), request)
        return self._counted(await continuation(client_call_details, request))

    async def _counted(self, answers: AsyncIterable[Any]) -> AsyncIterator[Any]:
        found = 0
        async for answer in answers:
            found += answer.HasField("document")
            yield answer
        self._counts.reads += max(found, 1)


class CountedSync(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Counts the calls of Google's own clients."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:  # gRPC's
        """See ``grpc``."""
        self._counts.take(client_call_details.method.rpartition("/")[2], request)
        return continuation(client_call_details, request)

    intercept_unary_stream = intercept_unary_unary
