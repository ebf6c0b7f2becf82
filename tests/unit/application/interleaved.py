"""A store, a bus and use cases whose every step waits for its turn, which chance decides.

The store keeps leads in memory as the others keep them: what it decides on may have changed
before it commits, and then it decides anew. Holds no assertion.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any, TypeVar

from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.ports import (
    Change,
    DueLead,
    Evaluating,
    Message,
    Tombstone,
    Unreadable,
    Until,
    Update,
)
from warmlead.ports.listing import LeadQuery, Listed, ListPlace
from warmlead.stores.base import Record, UnitOfWork
from warmlead.stores.codec import LeadDocument
from warmlead.stores.trail_codec import to_us

T = TypeVar("T")


class Turns:
    """Lets one of those who wait go on at a time; without chance, nobody waits."""

    def __init__(self, chance: Random | None) -> None:
        self._chance = chance
        self._waiting: list[asyncio.Future[None]] = []

    async def mine(self) -> None:
        if self._chance is None:
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    async def give(self, *works: Awaitable[Any]) -> None:
        """Runs the works side by side, as chance has it, until all have ended."""
        tasks = [asyncio.ensure_future(work) for work in works]
        while not all(task.done() for task in tasks):
            for _ in range(4):
                await asyncio.sleep(0)  # whoever can go on goes on to its next turn
            if self._waiting and self._chance:
                turn = self._waiting.pop(self._chance.randrange(len(self._waiting)))
                turn.set_result(None)
        for task in tasks:
            task.result()


Committed = Callable[[str, Change[Any]], None]


class MemoryStore:
    """The ``LeadStore`` of one process, in two shards; tells of each commit that wrote a lead."""

    shards = 2

    def __init__(self, turns: Turns, *, committed: Committed = lambda *_: None) -> None:
        self._turns = turns
        self._committed = committed
        self._records: dict[str, Record] = {}
        self._versions: dict[str, int] = {}
        self.moves: list[tuple[str, Transition]] = []

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        while True:
            unit, seen = UnitOfWork(), dict[str, int]()
            deciding = unit.decide(ids, change)
            try:
                while True:
                    wanted = next(deciding)
                    await self._turns.mine()
                    seen |= {id_: self._versions.get(id_, 0) for id_ in wanted}
                    unit.learn({id_: self._records.get(id_) for id_ in wanted})
            except StopIteration as decided:
                result: T = decided.value
            await self._turns.mine()
            if all(self._versions.get(id_, 0) == version for id_, version in seen.items()):
                self._write(unit)
                if unit.changed:
                    self._committed(ids[0], change)
                return result

    def _write(self, unit: UnitOfWork) -> None:
        for id_, record in unit.changed.items():
            self._records[id_] = record
            self._versions[id_] = self._versions.get(id_, 0) + 1
        self.moves += unit.moves

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        waiting = (self.update(ids, change) for ids, change in updates)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return [_passed_on(answer) for answer in answers]

    async def get(self, lead_id: str) -> Lead | None:
        raise NotImplementedError

    async def leads(self) -> AsyncIterator[Lead]:
        for _, record in sorted(self._records.items()):
            if isinstance(record, LeadDocument):
                yield record.lead

    async def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        await self._turns.mine()
        for lead in [lead async for lead in self.leads() if lead.outbox]:
            yield lead

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        return await self._due(lambda lead: lead.decay_on, day, shard, most, after)

    async def due_beyond(self, *_: int, **__: Any) -> Sequence[DueLead]:
        return ()  # the clock runs as it should

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        def due_us(lead: Lead) -> int | None:
            return to_us(lead.due_at) if lead.due_at else None

        return await self._due(due_us, to_us(now), shard, most, after)

    async def _due(
        self,
        since: Callable[[Lead], int | None],
        until: int,
        shard: int,
        most: int,
        after: DueLead | None,
    ) -> Sequence[DueLead]:
        await self._turns.mine()
        places = [
            DueLead(at, lead.id)
            async for lead in self.leads()
            if (at := since(lead)) is not None and at <= until and ord(lead.id[0]) % 2 == shard
        ]
        return sorted(place for place in places if after is None or place > after)[:most]

    async def by_id(
        self, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        raise NotImplementedError

    async def listed(
        self, asked: LeadQuery, *, most: int, after: ListPlace | None = None
    ) -> Sequence[Listed]:
        raise NotImplementedError

    async def found(self, word: str, *, most: int) -> Sequence[Lead | Unreadable]:
        raise NotImplementedError

    async def relist(self, evaluate: Evaluating, *, most: int, until: Until) -> bool:
        del evaluate, most, until
        return True  # no other release has written here

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        return [move for id_, move in self.moves if id_ == lead_id]

    async def nurtured(self, lead_id: str) -> Sequence[NurtureRecord]:
        raise NotImplementedError

    def erasures(self) -> AsyncIterator[Tombstone]:
        raise NotImplementedError

    async def clear(self) -> None:
        raise NotImplementedError


def _passed_on(answer: T | BaseException) -> T:
    if isinstance(answer, BaseException):
        raise answer  # there is nothing that could fail
    return answer


class MemoryBus:
    """The ``EventBus`` of one process."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.published: list[tuple[str, Message]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        await self._turns.mine()
        self.published += [(topic, message) for message in messages]
        return [str(i) for i, _ in enumerate(messages)]
