"""Pages of leads that are due, of one query as long as they are asked for one after the other.

A query is paid for with its first page, on a large collection in seconds on the emulator; so its
stream stays open for the next page. Why leads are due is not known here.
"""

from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

from warmlead.google_api import Message
from warmlead.ports import DueLead
from warmlead.stores.firestore_calls import FirestoreCalls
from warmlead.stores.firestore_queries import read_due


class _Open(NamedTuple):
    """A stream of which everything up to ``last`` has been read."""

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
