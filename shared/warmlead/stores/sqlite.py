"""Leads and their moves in an SQLite file."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

from warmlead.domain.errors import UnreadableError
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.listing import ListedAs, listed_as
from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.ports import Change, Clock, DueLead, Tombstone, Unreadable, Update
from warmlead.ports.listing import LeadQuery, Listed, ListPlace, Order
from warmlead.sqlite_file import Column, Failed, SqliteFile
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
    LONG_AGO,
    LeadDocument,
    lead_of,
    read_lead_at,
    write_lead,
)
from warmlead.stores.move_codec import read_transition, write_transition
from warmlead.stores.nurture_codec import read_nurture, write_nurture
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

_CONDITIONS = "stage, grade, source, owner, overdue"

_ORDERS: Mapping[Order, str] = {"score": "score", "since": "since_day"}

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS leads (
         id TEXT NOT NULL PRIMARY KEY,
         stage TEXT NOT NULL,
         score INTEGER,
         unsent INTEGER NOT NULL,
         updated_ms INTEGER NOT NULL,
         document TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS leads_unsent ON leads (id) WHERE unsent",
    # Older leads are all due, because they have no review day yet.
    Column("leads", "decay_on", f"INTEGER DEFAULT {LONG_AGO}"),
    Column("leads", "due_us", "INTEGER"),
    "CREATE INDEX IF NOT EXISTS leads_fading ON leads (decay_on, id) WHERE decay_on IS NOT NULL",
    # What lists ask for; leads of earlier releases get theirs when they are next written.
    Column("leads", "since_day", "INTEGER"),
    Column("leads", "grade", "TEXT"),
    Column("leads", "source", "TEXT"),
    Column("leads", "owner", "TEXT"),
    Column("leads", "overdue", "INTEGER"),
    # With all conditions in them, so that no row is read that a list does not show.
    f"CREATE INDEX IF NOT EXISTS leads_listed_by_score ON leads (score, id, {_CONDITIONS})",
    f"CREATE INDEX IF NOT EXISTS leads_listed_by_since ON leads (since_day, id, {_CONDITIONS})",
    "CREATE INDEX IF NOT EXISTS leads_overdue ON leads (id) WHERE overdue",
    "DROP INDEX IF EXISTS leads_by_score",
    "CREATE INDEX IF NOT EXISTS leads_by_stage ON leads (stage, score, id)",
    "CREATE INDEX IF NOT EXISTS leads_due ON leads (due_us, id) WHERE due_us IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS aliases (
         id TEXT NOT NULL PRIMARY KEY,
         lead_id TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS tombstones (
         id TEXT NOT NULL PRIMARY KEY,
         erased_ms INTEGER NOT NULL) WITHOUT ROWID""",
    Column("tombstones", "ids", "TEXT NOT NULL DEFAULT '[]'"),
    """CREATE TABLE IF NOT EXISTS transitions (
         number INTEGER PRIMARY KEY,
         lead_id TEXT NOT NULL,
         record TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS transitions_of_lead ON transitions (lead_id)",
    """CREATE TABLE IF NOT EXISTS nurture (
         number INTEGER PRIMARY KEY,
         lead_id TEXT NOT NULL,
         at_us INTEGER NOT NULL,
         record TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS nurture_of_lead ON nurture (lead_id)",
    "CREATE INDEX IF NOT EXISTS nurture_by_time ON nurture (at_us, number)",
    # Earlier releases do not know this table. What they erase goes from it all the same.
    """CREATE TRIGGER IF NOT EXISTS nurture_erased AFTER INSERT ON tombstones
         BEGIN DELETE FROM nurture WHERE lead_id = NEW.id; END""",
    """CREATE TRIGGER IF NOT EXISTS nurture_erased_again AFTER UPDATE ON tombstones
         BEGIN DELETE FROM nurture WHERE lead_id = NEW.id; END""",
)


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
        column = _ORDERS[asked.order]
        conditions, values = [f"{column} IS NOT NULL"], list[object]()
        for name, value in asked.conditions.items():
            conditions.append(f"{name} = ?")
            values.append(value)
        if after is not None:
            conditions.append(f"({column}, id) < (?, ?)")
            values += after
        query = (
            f"SELECT shown.{column}, id, document FROM (SELECT {column}, id FROM leads"  # noqa: S608  # constants
            f" WHERE {' AND '.join(conditions)} ORDER BY {column} DESC, id DESC LIMIT ?) AS shown"
            f" JOIN leads USING (id) ORDER BY shown.{column} DESC, id DESC"
        )

        def ask(connection: sqlite3.Connection) -> list[Listed]:
            rows = connection.execute(query, (*values, most))
            return [
                Listed(ListPlace(value, id_), lead_of(read_lead_at(id_, text)))
                for value, id_, text in rows
            ]

        return await self._file.read(ask)

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
        unit = UnitOfWork()
        answers = _learning(connection, unit, unit.decide_all(updates))
        _write(connection, unit, to_ms(self._clock.now()))
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


def _learning(connection: sqlite3.Connection, unit: UnitOfWork, deciding: Deciding) -> Any:  # noqa: ANN401  # whatever was decided
    """The decision, once the unit has all records that it asks for."""
    try:
        while True:
            unit.learn({id_: _record_at(connection, id_) for id_ in next(deciding)})
    except StopIteration as decided:
        return decided.value


def _record_at(connection: sqlite3.Connection, id_: str) -> Record:
    for query, read in _READING:
        row: tuple[Any] | None = connection.execute(query, (id_,)).fetchone()
        if row:
            return read(id_, row[0])
    return None


def _alias(_: str, lead_id: str) -> Alias:
    return Alias(lead_id)


def _tombstone(_: str, fields: str) -> Tombstone:
    erased_ms, ids = json.loads(fields)
    return Tombstone(from_ms(erased_ms), tuple(ids))


_known_lead_at = lru_cache(maxsize=_KNOWN_LEADS)(read_lead_at)

_READING: Sequence[tuple[str, Callable[[str, Any], Record]]] = (
    ("SELECT document FROM leads WHERE id = ?", _known_lead_at),
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


def _write(connection: sqlite3.Connection, unit: UnitOfWork, now_ms: int) -> None:
    """Writes what was decided, each row once."""
    changed = unit.changed
    leads = [_row(r, now_ms) for r in changed.values() if isinstance(r, LeadDocument)]
    aliases = [(id_, r.lead_id) for id_, r in changed.items() if isinstance(r, Alias)]
    tombstones = [(id_, r) for id_, r in changed.items() if isinstance(r, Tombstone)]
    erased = [(id_, to_ms(each.erased_at), json.dumps(each.ids)) for id_, each in tombstones]
    execute = connection.executemany
    for table, kept in (("leads", leads), ("aliases", aliases), ("tombstones", erased)):
        elsewhere = changed.keys() - {row[0] for row in kept}
        execute(f"DELETE FROM {table} WHERE id = ?", [(id_,) for id_ in sorted(elsewhere)])  # noqa: S608  # constants
    execute(_UPSERT, leads)
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


_WRITTEN = (
    *("stage", "unsent", "updated_ms", "document", "decay_on", "due_us"),
    *("score", "since_day", "grade", "source", "owner", "overdue"),
)
_UPSERT = (
    f"INSERT INTO leads (id, {', '.join(_WRITTEN)}) VALUES (?{', ?' * len(_WRITTEN)})"  # noqa: S608  # constants
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _WRITTEN)}"
)


def _row(document: LeadDocument, now_ms: int) -> tuple[object, ...]:
    lead = document.lead
    text = write_lead(lead, document.extra)
    due_us = None if lead.due_at is None else to_us(lead.due_at)
    kept = (lead.id, lead.progress.stage, bool(lead.outbox), now_ms, text, lead.decay_on, due_us)
    facts = listed_as(lead)
    listed = (None,) * (len(ListedAs._fields) - 1) if facts is None else facts[1:]
    return *kept, *listed
