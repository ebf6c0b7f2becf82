"""Erases again whom a store forgot to have erased, because it was restored from a backup."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from warmlead.application.privacy.erase import Look, erase, erasures_in
from warmlead.domain.identity import LeadIds
from warmlead.ports import LeadStore, Tombstone
from warmlead.ports.archiving import Archive
from warmlead.ports.dispatching import DispatchStore


@dataclass(frozen=True, slots=True)
class _At:
    """The clock with which an erasure gets the time of one that was made before."""

    erased_at: datetime

    def now(self) -> datetime:
        """A millisecond before: an erasure is later than the moment at which it is made."""
        return self.erased_at - timedelta(milliseconds=1)


async def known_erasures(
    store: LeadStore, *, since: datetime | None = None
) -> AsyncIterator[Tombstone]:
    """The erasures of which a store knows, each once; those from ``since`` on, if it is given."""
    seen: set[Tombstone] = set()
    async for erasure in store.erasures():
        if erasure not in seen and (since is None or erasure.erased_at >= since):
            seen.add(erasure)
            yield erasure


async def erase_again(
    erasure: Tombstone,
    *,
    store: LeadStore,
    archive: Archive | None,
    of: LeadIds,
    dispatches: DispatchStore | None = None,
) -> bool:
    """Erases as of the time of the erasure; true if the store did not know of it.

    Ids that were erased at that time or later stay as they are, so it is safe to repeat. Call it
    before new events reach the store: a lead that is there now is taken for one of before the
    erasure. Raises ``UnavailableError`` if it should be repeated.
    """
    forgotten = await _forgotten(erasure, store)
    if forgotten:
        clock = _At(erasure.erased_at)
        await erase(
            forgotten, store=store, archive=archive, of=of, clock=clock, dispatches=dispatches
        )
    return bool(forgotten)


async def _forgotten(erasure: Tombstone, store: LeadStore) -> Collection[str]:
    """The erased ids for which the store knows no erasure of that time, or of a later one."""
    known = erasures_in(await store.update(sorted(erasure.ids), Look()))
    return {id_ for id_ in erasure.ids if id_ not in known or known[id_] < erasure.erased_at}
