"""A unit of work over documents of Firestore: what it has read, and what was cached."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from warmlead.stores.base import Deciding, UnitOfWork
from warmlead.stores.firestore.codec import Stored
from warmlead.stores.firestore.commit_queue import RecordCache

Reading: TypeAlias = Callable[[Sequence[str]], Awaitable[dict[str, Stored]]]


class SeenRecords:
    """A unit of work that learns from the cache or reads, and what it has learnt."""

    def __init__(self, cache: RecordCache | None, read: Reading) -> None:
        self.unit = UnitOfWork()
        self.stored: dict[str, Stored] = {}
        self.cached_ids: set[str] = set()
        self._cache = cache
        self._read = read

    async def learn_all(self, deciding: Deciding) -> Any:  # noqa: ANN401  # whatever was decided
        """The decision, once the unit has all records that it asks for."""
        while True:
            try:
                wanted = next(deciding)
            except StopIteration as decided:
                return decided.value
            await self._learn(wanted)

    async def _learn(self, ids: frozenset[str]) -> None:
        found = self._cache.at(ids) if self._cache else {}
        self.cached_ids |= found.keys()
        if cold := sorted(ids - found.keys()):
            found |= await self._read(cold)
        self.stored |= found
        self.unit.learn({id_: stored.record for id_, stored in found.items()})
