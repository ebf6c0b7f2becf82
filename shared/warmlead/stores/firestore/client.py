"""Calls to Firestore, with patience: read, write, query page by page, delete."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import grpc
import grpc.aio

from warmlead.domain.errors import UnavailableError
from warmlead.google_api import GoogleApi, Interceptors, Message
from warmlead.ports import DueLead
from warmlead.stores.firestore.codec import (
    NOTHING,
    BatchGetRequest,
    BatchGetResponse,
    CommitRequest,
    CommitResponse,
    CountResponse,
    Database,
    Document,
    GetRequest,
    ListRequest,
    ListResponse,
    QueryResponse,
    Stored,
    read_due,
    read_record,
)

T = TypeVar("T")

PATIENCE_S = 8.0
"""Seconds that an update may take with all its attempts; then its caller should try again."""

CALL_S = 4.0
PAGE_S = 60.0
MOST_DELETED = 400

_FIRST_PAUSE_S = 0.004
_LONGEST_PAUSE_S = 0.5

_SERVICE = "/google.firestore.v1.Firestore"

_REFUSED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""Errors for which a retry does not help: a fault of ours, or a document that is too large."""

OVERTAKEN = (
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
)
"""Another writer has changed a record on which the decision was based."""


class FirestoreCalls:
    """A database of documents, reached over gRPC."""

    def __init__(
        self,
        database: Database,
        *,
        emulator: str,
        interceptors: Interceptors,
        patience_s: float,
    ) -> None:
        self._database = database
        self._api = GoogleApi(
            "firestore.googleapis.com", emulator=emulator, interceptors=interceptors
        )
        self._patience_s = patience_s

    async def patiently(
        self, attempt: Callable[[], Awaitable[T]], *, until: float | None = None
    ) -> T:
        """The result of the first successful attempt, with jittered pauses in between.

        ``until`` is a time of the event loop. Raises ``UnavailableError`` when it has come, and
        ``RuntimeError`` if Firestore refuses what is asked.
        """
        loop = asyncio.get_running_loop()
        deadline = until or loop.time() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    return await attempt()
            except TimeoutError as error:
                raise UnavailableError("Firestore does not answer") from error
            except grpc.aio.AioRpcError as error:
                if error.code() in _REFUSED:
                    raise RuntimeError(f"Firestore refuses it: {error.code().name}") from error
                if loop.time() + pause_s > deadline:
                    raise UnavailableError(f"Firestore: {error.code().name}") from error
            await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311  # no secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def read(self, ids: Sequence[str]) -> dict[str, Stored]:
        """The documents at some ids, in one call."""
        if len(ids) == 1:
            return {ids[0]: await self._read_one(ids[0])}
        names = {self._database.lead_name(id_): id_ for id_ in ids}
        request = BatchGetRequest(database=self._database.name, documents=names)
        stored = dict.fromkeys(ids, NOTHING)
        async for answer in self._api.stream(
            f"{_SERVICE}/BatchGetDocuments",
            request,
            BatchGetResponse,
            routing={"database": self._database.name},
            timeout_s=CALL_S,
        ):
            if answer.HasField("found"):
                stored[names[answer.found.name]] = read_record(answer.found)
        return stored

    async def write(self, writes: Sequence[Message]) -> list[Message]:
        """Commits writes, all or none; the times of update, in order."""
        database = self._database.name
        request = CommitRequest(database=database, writes=writes)
        response = await self._call("Commit", request, CommitResponse, database=database)
        return [result.update_time for result in response.write_results]

    async def query(self, request: Message) -> list[Message]:
        """The documents that a query finds."""

        async def ask() -> list[Message]:
            return [document async for document in self.stream(request)]

        return await self.patiently(ask)

    async def stream(self, request: Message) -> AsyncGenerator[Message, None]:
        """The documents that a query finds, as they come; raises ``grpc.aio.AioRpcError``."""
        routing = {"parent": request.parent}
        answers = self._api.stream(
            f"{_SERVICE}/RunQuery", request, QueryResponse, routing=routing, timeout_s=PAGE_S
        )
        async with aclosing(answers):
            async for answer in answers:
                if answer.HasField("document"):
                    yield answer.document

    async def count(self, request: Message) -> int:
        """How many documents a counting query finds."""

        async def ask() -> int:
            routing = {"parent": request.parent}
            (answer,) = [
                answer
                async for answer in self._api.stream(
                    f"{_SERVICE}/RunAggregationQuery",
                    request,
                    CountResponse,
                    routing=routing,
                    timeout_s=PAGE_S,
                )
            ]
            (counted,) = answer.result.aggregate_fields.values()
            return int(counted.integer_value)

        return await self.patiently(ask)

    async def get(self, name: str) -> Message:
        """The document of a full name; ``None`` if there is none."""

        async def ask() -> Message:
            try:
                return await self._call("GetDocument", GetRequest(name=name), Document, name=name)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise

        return await self.patiently(ask)

    async def delete_all(self, collection: str) -> None:
        """Deletes every document of a collection."""
        parent = self._database.documents
        request = ListRequest(parent=parent, collection_id=collection, page_size=MOST_DELETED)
        request.mask.field_paths.append("__name__")

        async def delete_some() -> bool:
            response = await self._call("ListDocuments", request, ListResponse, parent=parent)
            await self.write([{"delete": document.name} for document in response.documents])
            return bool(response.documents)

        while await self.patiently(delete_some):
            pass

    async def close(self) -> None:
        """Closes the connection; the next call opens another."""
        await self._api.close()

    async def _read_one(self, id_: str) -> Stored:
        name = self._database.lead_name(id_)
        try:
            document = await self._call("GetDocument", GetRequest(name=name), Document, name=name)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return NOTHING
            raise
        return read_record(document)

    async def _call(
        self, method: str, request: Message, answer: Message, **routing: str
    ) -> Message:
        path = f"{_SERVICE}/{method}"
        return await self._api.call(path, request, answer, routing=routing, timeout_s=CALL_S)


class _Open(NamedTuple):
    """A stream of which everything up to ``last`` has been read; unpacked."""

    last: DueLead
    documents: AsyncGenerator[Message, None]


class Pages:
    """The queues of leads, by field and shard."""

    def __init__(self, calls: FirestoreCalls) -> None:
        self._calls = calls
        self._open: dict[tuple[str, int], _Open] = {}

    async def page(
        self,
        field: str,
        shard: int,
        query: Callable[..., Message],
        *,
        most: int,
        after: DueLead | None,
    ) -> list[Message]:
        """The next documents of a shard's queue by a field, those behind ``after``.

        ``query`` makes the query for all of them. Raises ``UnavailableError``.
        """
        key = (field, shard)

        async def read() -> list[Message]:
            documents = await self._stream(key, query, after)
            page = []
            async for document in documents:
                page.append(document)
                if len(page) == most:
                    self._open[key] = _Open(read_due(document, field), documents)
                    break
            return page

        return await self._calls.patiently(read)

    async def close(self) -> None:
        """Ends all streams."""
        while self._open:
            _, (_, documents) = self._open.popitem()
            await documents.aclose()

    async def _stream(
        self, key: tuple[str, int], query: Callable[..., Message], after: DueLead | None
    ) -> AsyncGenerator[Message, None]:
        """The stream that goes on behind ``after``: the one that is open, or another."""
        if (known := self._open.pop(key, None)) is not None:
            if known.last == after:
                return known.documents
            await known.documents.aclose()
        return self._calls.stream(query(shard=key[1], after=after))
