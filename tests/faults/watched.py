"""A store and a bus as the use cases see them, with a site before and after each call."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from faults.sites import Switches, now_doing, under_way
from warmlead.application.apply import Decision
from warmlead.application.evaluate import Reevaluation
from warmlead.application.history.taking_back import TakingBack
from warmlead.application.history.taking_in import TakingIn
from warmlead.application.privacy.erase import Look
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Topic
from warmlead.ports import (
    Change,
    Commit,
    DueLead,
    Evaluating,
    EventBus,
    JointChange,
    LeadStore,
    Loaded,
    Message,
    Need,
    ToleratesUnreadable,
    Tombstone,
    Unreadable,
    Until,
    Update,
)
from warmlead.ports.listing import LeadQuery, Listed, ListPlace

T = TypeVar("T")

_KINDS = {Topic.LEAD_EVENTS: "events", Topic.QUARANTINE: "quarantine"}


class WatchedBus:
    """Publishes as the bus does."""

    def __init__(self, bus: EventBus, switches: Switches) -> None:
        self._bus = bus
        self._visit = switches.visit

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        place = f"{under_way()}.{_KINDS.get(Topic(topic), 'trigger')}"
        self._visit(f"{place}.before")
        ids = await self._bus.publish(topic, messages)
        self._visit(f"{place}.after")
        return ids


class WatchedStore:
    """Keeps leads as the store does."""

    def __init__(self, store: LeadStore, switches: Switches) -> None:
        self._store = store
        self._visit = switches.visit

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        place = _place(change)
        self._visit(f"{place}.before")
        result = await self._store.update(ids, self._watched(change, place))
        self._visit(f"{place}.after")
        return result

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        places = sorted({_place(change) for _, change in updates})
        for place in places:
            self._visit(f"{place}.before")
        watched = [(ids, self._watched(change, _place(change))) for ids, change in updates]
        answers = await self._store.update_each(watched)
        for place in places:
            self._visit(f"{place}.after")
        return answers

    def _watched(self, change: Change[T], place: str) -> Change[T]:
        kind: type = type(change)
        watched: Change[T] = _watched_kind(kind)(change, place, self._visit)
        return watched

    async def get(self, lead_id: str) -> Lead | None:
        return await self._store.get(lead_id)

    def leads(self) -> AsyncIterator[Lead]:
        return self._store.leads()

    def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        now_doing("sweep")  # only a sweep asks, and it is the last that its caller does
        return self._store.with_unsent_triggers()

    @property
    def shards(self) -> int:
        return self._store.shards

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        return await self._page(self._store.due_for_decay(day, shard=shard, most=most, after=after))

    async def due_beyond(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        return await self._store.due_beyond(day, shard=shard, most=most, after=after)

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        return await self._page(
            self._store.due_for_followup(now, shard=shard, most=most, after=after)
        )

    async def _page(self, asked: Awaitable[Sequence[DueLead]]) -> Sequence[DueLead]:
        """A page of leads that are due; an empty one is no visit when it is read."""
        self._visit(f"{under_way()}.page.before")
        page = await asked
        if page:
            self._visit(f"{under_way()}.page.read")
        return page

    async def by_id(
        self, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        return await self._store.by_id(shard=shard, most=most, after=after)

    async def listed(
        self, asked: LeadQuery, *, most: int, after: ListPlace | None = None
    ) -> Sequence[Listed]:
        return await self._store.listed(asked, most=most, after=after)

    async def found(self, word: str, *, most: int) -> Sequence[Lead | Unreadable]:
        return await self._store.found(word, most=most)

    async def relist(self, evaluate: Evaluating, *, most: int, until: Until) -> bool:
        return await self._store.relist(evaluate, most=most, until=until)

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        return await self._store.transitions(lead_id)

    async def nurtured(self, lead_id: str) -> Sequence[NurtureRecord]:
        return await self._store.nurtured(lead_id)

    def erasures(self) -> AsyncIterator[Tombstone]:
        return self._store.erasures()

    async def clear(self) -> None:
        await self._store.clear()


class _Watched(Generic[T]):
    """A change that is watched while it decides."""

    def __init__(self, change: Change[T], place: str, visit: Callable[[str], None]) -> None:
        self.change = change
        self.place = place
        self.visit = visit

    def __call__(self, loaded: Loaded) -> Commit[T] | Need:
        self.visit(f"{self.place}.read")
        decided = self.change(loaded)
        if isinstance(decided, Commit):
            self.visit(f"{self.place}.decided")
        return decided


class _WatchedJoint(_Watched[T], JointChange[T]):
    """One that the store may decide together with others of its kind."""

    change: JointChange[T]

    def joined_with(self, others: "Sequence[_WatchedJoint[T]]") -> "_Watched[Sequence[T]]":
        together = self.change.joined_with([each.change for each in others])
        return _Watched(together, self.place, self.visit)


@cache
def _watched_kind(kind: type) -> Any:
    """What watches changes of a kind: of a kind of its own, as stores tell kinds apart."""
    base = _WatchedJoint if issubclass(kind, JointChange) else _Watched
    others = (ToleratesUnreadable,) if issubclass(kind, ToleratesUnreadable) else ()
    return type(f"Watched{kind.__name__}", (base, *others), {})


def _place(change: object) -> str:
    if isinstance(change, Look):
        return f"{under_way()}.look"
    if isinstance(change, TakingIn | TakingBack):
        return f"{under_way()}.person"
    kind = "lead" if isinstance(change, Decision | Reevaluation) else "clear"
    return f"{under_way()}.{kind}"
