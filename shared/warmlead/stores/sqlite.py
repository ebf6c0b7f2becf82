"""Leads and their moves in an SQLite file."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

from warmlead.domain.errors import UnreadableError
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.listing import listed_as
from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.search import words_of
from warmlead.domain.stages import Transition
from warmlead.ports import Change, Clock, DueLead, Evaluating, Tombstone, Unreadable, Until, Update
from warmlead.ports.listing import LeadQuery, Listed, ListPlace
from warmlead.sqlite_file import Failed, SqliteFile
from warmlead.stores import sqlite_lists
from warmlead.stores.base import (
    Alias,
    Deciding,
    Raised,
    Record,
    UnitOfWork,
    erasures_at,
    passed_on,
)
from warmlead.stores.codec import (
    LeadDocument,
    lead_of,
    read_lead_at,
    write_lead,
)
from warmlead.stores.move_codec import read_transition, write_transition
from warmlead.stores.nurture_codec import read_nurture, write_nurture
from warmlead.stores.sqlite_schema import SCHEMA
from warmlead.stores.trail_codec import to_us

T = TypeVar("T")

_BEFORE_ALL = -(2**63)
_AFTER_ALL = 2**63 - 1

PAGE_LEADS = 200
"""Page size of one query: other readers wait for it, some 20 ms."""

_KNOWN_LEADS = 16
"""Number of recently read leads that are kept decoded as long as their text is the same.

Updates that name one lead again and again, and do not change it, read it once.
"""

_Settled: TypeAlias = dict[str, tuple[Any, ...]]
"""What changes seldom of leads, as their rows have it, by their ids."""


class _Update(NamedTuple):
    """Leads, and what changes them; unpacked by ``UnitOfWork``."""

    ids: Sequence[str]
    change: Change[Any]


class SqliteLeadStore:
    """The ``LeadStore`` of one machine: safe for many tasks and for several processes.

    Updates that wait at the same time are decided one after the other and share one commit,
    so a hot lead is read and written once for all of them. ``clock`` dates the rows, for lists.
    There is one shard: several would wait for the same writer.
    """

    shards = 1

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        file.define(SCHEMA)
        self._file = file
        self._clock = clock

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        """See ``LeadStore``."""
        result: T = await self._file.write(self._update_all, _Update(ids, change))
        return result

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        """See ``LeadStore``."""
        waiting = (self.update(ids, change) for ids, change in updates)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return [passed_on(answer) for answer in answers]

    async def get(self, lead_id: str) -> Lead | None:
        """See ``LeadStore``."""
        return await self._file.read(lambda connection: _lead_at(connection, lead_id))

    async def leads(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages("1"):
            yield lead

    async def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages("unsent"):
            yield lead

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        return await self._queue("decay_on", (_BEFORE_ALL, day), shard, most, after)

    async def due_beyond(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        return await self._queue("decay_on", (day + 1, _AFTER_ALL), shard, most, after)

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        return await self._queue("due_us", (_BEFORE_ALL, to_us(now)), shard, most, after)

    async def _queue(
        self, column: str, span: tuple[int, int], shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        if shard:
            return ()
        query = (
            f"SELECT {column}, id FROM leads WHERE {column} <= ? AND ({column}, id) > (?, ?)"  # noqa: S608  # constants
            f" ORDER BY {column}, id LIMIT ?"
        )
        first, last = span
        since, id_ = after or DueLead(first, "")

        def ask(connection: sqlite3.Connection) -> list[DueLead]:
            return [DueLead(*row) for row in connection.execute(query, (last, since, id_, most))]

        return await self._file.read(ask)

    async def by_id(
        self, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        if shard:
            return ()
        query = "SELECT 0, id FROM leads WHERE id > ? ORDER BY id LIMIT ?"

        def ask(connection: sqlite3.Connection) -> list[DueLead]:
            rows = connection.execute(query, (after.id if after else "", most))
            return [DueLead(*row) for row in rows]

        return await self._file.read(ask)

    async def listed(
        self, asked: LeadQuery, *, most: int, after: ListPlace | None = None
    ) -> Sequence[Listed]:
        """See ``LeadStore``."""
        return await self._file.read(sqlite_lists.listed(asked, most, after))

    async def found(self, word: str, *, most: int) -> Sequence[Lead | Unreadable]:
        """See ``LeadStore``."""
        rows = await self._file.read(sqlite_lists.found(word, most))
        return [lead_of(read_lead_at(*row)) for row in rows]

    async def relist(self, evaluate: Evaluating, *, most: int, until: Until) -> bool:
        """See ``LeadStore``; finds them by an index."""
        after = ""
        while not until():
            ids = await self._file.read(sqlite_lists.unlisted(after, most))
            if ids:
                await evaluate(ids)
                after = ids[-1]
            if len(ids) < most:
                return True
        return False

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""

        def ask(connection: sqlite3.Connection) -> list[Transition]:
            lead = _lead_at(connection, lead_id)
            moves = [
                read_transition(record)
                for id_ in sorted({lead_id, *(lead.ids if lead else ())})
                for (record,) in connection.execute(
                    "SELECT record FROM transitions WHERE lead_id = ? ORDER BY number", (id_,)
                )
            ]
            return in_order_learnt(moves)

        return await self._file.read(ask)

    async def nurtured(self, lead_id: str) -> Sequence[NurtureRecord]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""

        def ask(connection: sqlite3.Connection) -> list[NurtureRecord]:
            lead = _lead_at(connection, lead_id)
            records = [
                read_nurture(record)
                for id_ in sorted({lead_id, *(lead.ids if lead else ())})
                for (record,) in connection.execute(
                    "SELECT record FROM nurture WHERE lead_id = ? ORDER BY number", (id_,)
                )
            ]
            return sorted(records, key=lambda record: record.at)

        return await self._file.read(ask)

    async def erasures(self) -> AsyncIterator[Tombstone]:
        """See ``LeadStore``."""
        for query, read in _ERASURES:
            page = await self._file.read(_rows(query, after=""))
            while page:
                for id_, text in page:
                    for erasure in erasures_at(id_, read(id_, text)):
                        yield erasure
                page = await self._file.read(_rows(query, after=page[-1][0]))

    async def clear(self) -> None:
        """See ``LeadStore``."""
        await self._file.write(_clear_all, None)

    async def _pages(self, condition: str) -> AsyncIterator[Lead]:
        """The leads whose row fulfils the condition, a page at a time."""
        query = (
            f"SELECT id, document FROM leads WHERE id > ? AND {condition}"  # noqa: S608  # constants
            f" ORDER BY id LIMIT {PAGE_LEADS}"
        )
        unreadable: dict[str, str] = {}
        page = await self._file.read(_page(query, after=""))
        while page:
            for _, read in page:
                if isinstance(read, Unreadable):
                    unreadable[read.id] = read.problem
                else:
                    yield read.lead
            page = await self._file.read(_page(query, after=page[-1][0]))
        if unreadable:
            raise UnreadableError(unreadable)

    def _update_all(self, connection: sqlite3.Connection, updates: Sequence[_Update]) -> list[Any]:
        unit, settled = UnitOfWork(), _Settled()
        answers = _learning(connection, unit, unit.decide_all(updates), settled)
        _write(connection, unit, to_ms(self._clock.now()), settled)
        return [Failed(a.error) if isinstance(a, Raised) else a for a in answers]


_Read: TypeAlias = LeadDocument | Unreadable


def _page(query: str, *, after: str) -> Callable[[sqlite3.Connection], list[tuple[str, _Read]]]:
    def ask(connection: sqlite3.Connection) -> list[tuple[str, _Read]]:
        rows = connection.execute(query, (after,)).fetchall()
        return [(id_, read_lead_at(id_, text)) for id_, text in rows]

    return ask


def _rows(query: str, *, after: str) -> Callable[[sqlite3.Connection], list[tuple[str, str]]]:
    return lambda connection: connection.execute(f"{query} LIMIT {PAGE_LEADS}", (after,)).fetchall()


def _clear_all(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[None]:
    for table in ("leads", "aliases", "tombstones", "transitions", "nurture"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  # constants
    return calls


def _lead_at(connection: sqlite3.Connection, id_: str) -> Lead | None:
    unit = UnitOfWork()
    held = _learning(connection, unit, unit.find(id_))
    return held if isinstance(held, Lead) else None


def _learning(
    connection: sqlite3.Connection,
    unit: UnitOfWork,
    deciding: Deciding,
    settled: _Settled | None = None,
) -> Any:  # noqa: ANN401  # whatever was decided
    """The decision, once the unit has all records that it asks for."""
    settled = {} if settled is None else settled
    try:
        while True:
            unit.learn({id_: _record_at(connection, id_, settled) for id_ in next(deciding)})
    except StopIteration as decided:
        return decided.value


def _record_at(connection: sqlite3.Connection, id_: str, settled: _Settled) -> Record:
    """The record at an id; of a lead also what is ``settled``."""
    for query, read in _READING:
        row: tuple[Any, ...] | None = connection.execute(query, (id_,)).fetchone()
        if row:
            text, *settled_values = row
            if settled_values:
                settled[id_] = tuple(settled_values)
            return read(id_, text)
    return None


def _alias(_: str, lead_id: str) -> Alias:
    return Alias(lead_id)


def _tombstone(_: str, fields: str) -> Tombstone:
    erased_ms, ids = json.loads(fields)
    return Tombstone(from_ms(erased_ms), tuple(ids))


_OFTEN = ("document", "unsent", "updated_ms", "decay_on", "score", "active")
_SELDOM = ("stage", "due_us", "since_day", "grade", "source", "owner", "overdue", "words")
_LEAD_AT = f"SELECT document, {', '.join(_SELDOM)} FROM leads WHERE id = ?"  # noqa: S608  # constants

_known_lead_at = lru_cache(maxsize=_KNOWN_LEADS)(read_lead_at)

_READING: Sequence[tuple[str, Callable[[str, Any], Record]]] = (
    (_LEAD_AT, _known_lead_at),
    ("SELECT lead_id FROM aliases WHERE id = ?", _alias),
    ("SELECT json_array(erased_ms, json(ids)) FROM tombstones WHERE id = ?", _tombstone),
)

_KNOWS_AN_ERASURE = "instr(document, '\"erased\":')"
"""Whether a lead is of somebody who was erased before: few are, and the others are not read."""

_ERASURES: Sequence[tuple[str, Callable[[str, Any], Record]]] = (
    (
        f"SELECT id, document FROM leads WHERE id > ? AND {_KNOWS_AN_ERASURE} ORDER BY id",  # noqa: S608  # constants
        read_lead_at,
    ),
    (
        "SELECT id, json_array(erased_ms, json(ids)) FROM tombstones WHERE id > ? ORDER BY id",
        _tombstone,
    ),
)


def _write(
    connection: sqlite3.Connection, unit: UnitOfWork, now_ms: int, settled: _Settled
) -> None:
    """Writes what was decided, each row once."""
    changed = unit.changed
    leads = [row_of(r, now_ms) for r in changed.values() if isinstance(r, LeadDocument)]
    aliases = [(id_, r.lead_id) for id_, r in changed.items() if isinstance(r, Alias)]
    tombstones = [(id_, r) for id_, r in changed.items() if isinstance(r, Tombstone)]
    erased = [(id_, to_ms(each.erased_at), json.dumps(each.ids)) for id_, each in tombstones]
    execute = connection.executemany
    for table, there in (("leads", leads), ("aliases", aliases), ("tombstones", erased)):
        elsewhere = changed.keys() - {row[0] for row in there}
        execute(f"DELETE FROM {table} WHERE id = ?", [(id_,) for id_ in sorted(elsewhere)])  # noqa: S608  # constants
    as_before = [row for row in leads if settled.get(row.id) == row.seldom]
    execute(_UPDATE_OFTEN, [(*row.often, row.id) for row in as_before])
    execute(WRITE_LEAD, [row.values for row in leads if settled.get(row.id) != row.seldom])
    execute(
        "INSERT INTO aliases (id, lead_id) VALUES (?, ?)"
        " ON CONFLICT (id) DO UPDATE SET lead_id = excluded.lead_id",
        aliases,
    )
    execute(
        "INSERT INTO tombstones (id, erased_ms, ids) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET erased_ms = excluded.erased_ms, ids = excluded.ids",
        erased,
    )
    execute("DELETE FROM transitions WHERE lead_id = ?", [(id_,) for id_ in sorted(unit.erased)])
    execute(
        "DELETE FROM transitions WHERE lead_id = ? AND json_extract(record, '$.imported') = ?",
        sorted(unit.retracted),
    )
    moves = [(lead_id, write_transition(move)) for lead_id, move in unit.moves]
    execute("INSERT INTO transitions (lead_id, record) VALUES (?, ?)", moves)
    records = [(id_, to_us(record.at), write_nurture(record)) for id_, record in unit.nurtured]
    execute("INSERT INTO nurture (lead_id, at_us, record) VALUES (?, ?, ?)", records)


_WRITTEN = (*_OFTEN, *_SELDOM)

WRITE_LEAD = (
    f"INSERT INTO leads (id, {', '.join(_WRITTEN)}) VALUES (?{', ?' * len(_WRITTEN)})"  # noqa: S608  # constants
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _WRITTEN)}"
)
"""Writes the ``values`` of a lead's row."""

_UPDATE_OFTEN = f"UPDATE leads SET {', '.join(f'{c} = ?' for c in _OFTEN)} WHERE id = ?"  # noqa: S608  # constants
"""SQLite writes every index anew of which a column is set, and asks every trigger of it."""


class StoredRow(NamedTuple):
    """The row of a lead: what changes often, and what changes seldom; unpacked."""

    id: str
    often: tuple[object, ...]
    seldom: tuple[object, ...]

    @property
    def values(self) -> tuple[object, ...]:
        """All of it."""
        return self.id, *self.often, *self.seldom


def row_of(document: LeadDocument, now_ms: int) -> StoredRow:
    """The row of a lead that is written at a time."""
    lead, facts, words = document.lead, listed_as(document.lead), words_of(document.lead)
    text = write_lead(lead, document.extra)
    due_us = None if lead.due_at is None else to_us(lead.due_at)
    score, active = (facts.score, facts.active) if facts else (None, None)
    listed = (facts.since_day, *facts[-4:]) if facts else (None,) * 5
    told = json.dumps(words, ensure_ascii=False) if words else None
    return StoredRow(
        lead.id,
        (text, bool(lead.outbox), now_ms, lead.decay_on, score, active),
        (lead.progress.stage, due_us, *listed, told),
    )
