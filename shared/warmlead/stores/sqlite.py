"""Leads in an SQLite file. Refuses to know how a lead is written down: see ``documents``."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.ports import Change, Clock, Commit
from warmlead.sqlite_file import Failed, SqliteFile
from warmlead.stores.documents import (
    LeadDocument,
    read_lead,
    read_transition,
    write_lead,
    write_transition,
)

T = TypeVar("T")

PAGE_LEADS = 200
"""So many leads are read at once: a page holds up other readers for some 20 ms."""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS leads (
         id TEXT NOT NULL PRIMARY KEY,
         stage TEXT NOT NULL,
         score INTEGER,
         unsent INTEGER NOT NULL,
         updated_ms INTEGER NOT NULL,
         document TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS leads_unsent ON leads (id) WHERE unsent",
    """CREATE TABLE IF NOT EXISTS aliases (
         id TEXT NOT NULL PRIMARY KEY,
         lead_id TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS transitions (
         number INTEGER PRIMARY KEY,
         lead_id TEXT NOT NULL,
         record TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS transitions_of_lead ON transitions (lead_id)",
)


class _Update(NamedTuple):
    ids: Sequence[str]
    change: Change[Any]


class SqliteLeadStore:
    """The ``LeadStore`` of one machine: safe for many tasks and for several processes.

    Updates that wait at the same time are decided one after the other and share one commit,
    so a hot lead is read and written once for all of them. ``clock`` dates the rows, for lists.
    """

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        file.define(SCHEMA)
        self._file = file
        self._clock = clock

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        """See ``LeadStore``."""
        result: T = await self._file.write(self._update_all, _Update(ids, change))
        return result

    async def get(self, lead_id: str) -> Lead | None:
        """See ``LeadStore``."""
        return await self._file.read(lambda connection: _Leads(connection).find(lead_id))

    async def leads(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages("1"):
            yield lead

    async def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages("unsent"):
            yield lead

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""

        def ask(connection: sqlite3.Connection) -> list[Transition]:
            lead = _Leads(connection).find(lead_id)
            moves = [
                read_transition(record)
                for id_ in sorted({lead_id, *(lead.trails if lead else ())})
                for (record,) in connection.execute(
                    "SELECT record FROM transitions WHERE lead_id = ? ORDER BY number", (id_,)
                )
            ]
            return sorted(moves, key=lambda move: move.at)

        return await self._file.read(ask)

    async def clear(self) -> None:
        """See ``LeadStore``."""
        await self._file.write(_clear_all, None)

    async def _pages(self, condition: str) -> AsyncIterator[Lead]:
        """The leads whose row fulfils the condition, a page at a time."""
        query = (
            f"SELECT id, document FROM leads WHERE id > ? AND {condition}"  # noqa: S608  # constants
            f" ORDER BY id LIMIT {PAGE_LEADS}"
        )
        page = await self._file.read(_page(query, after=""))
        while page:
            for _, lead in page:
                yield lead
            page = await self._file.read(_page(query, after=page[-1][0]))

    def _update_all(self, connection: sqlite3.Connection, updates: Sequence[_Update]) -> list[Any]:
        leads = _Leads(connection)
        answers: list[Any] = []
        for update in updates:
            try:
                commit = _decide(leads, update)
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001  # a change's own error, for its own caller
                answers.append(Failed(error))
            else:
                leads.take(commit)
                answers.append(commit.result)
        leads.write(to_ms(self._clock.now()))
        return answers


def _page(query: str, *, after: str) -> Callable[[sqlite3.Connection], list[tuple[str, Lead]]]:
    def ask(connection: sqlite3.Connection) -> list[tuple[str, Lead]]:
        rows = connection.execute(query, (after,)).fetchall()
        return [(id_, read_lead(text).lead) for id_, text in rows]

    return ask


def _decide(leads: "_Leads", update: _Update) -> Commit[Any]:
    """What the change decides once it has been shown every lead that it needs."""
    loaded: dict[str, Lead | None] = {}
    wanted = frozenset(update.ids)
    while True:
        loaded.update((id_, leads.find(id_)) for id_ in wanted)
        decision = update.change(loaded)
        if isinstance(decision, Commit):
            return decision
        wanted = decision.ids - loaded.keys()
        if not wanted:
            raise RuntimeError("a change needs only leads that it has been shown")


def _clear_all(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[None]:
    for table in ("leads", "aliases", "transitions"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  # constants
    return calls


class _Leads:
    """The leads as a transaction sees them: what the tables say, and what was decided since."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._documents: dict[str, LeadDocument | None] = {}
        self._aliases: dict[str, str | None] = {}
        self._changed: set[str] = set()
        self._moves: list[tuple[str, str]] = []

    def find(self, id_: str) -> Lead | None:
        """The lead that holds the id; aliases are followed, and a circle of them holds nobody."""
        seen: set[str] = set()
        following: str | None = id_
        while following is not None and following not in seen:
            if document := self._document(following):
                return document.lead
            seen.add(following)
            following = self._alias(following)
        return None

    def take(self, commit: Commit[Any]) -> None:
        """Lets those that come later see what was decided."""
        for lead in commit.leads:
            before = self._document(lead.id)
            self._documents[lead.id] = LeadDocument(lead, before.extra if before else {})
            self._aliases[lead.id] = None
        elsewhere = {id_: lead_id for id_, lead_id in commit.aliases.items() if id_ != lead_id}
        self._documents.update(dict.fromkeys(elsewhere))
        self._aliases.update(elsewhere)
        self._changed.update((lead.id for lead in commit.leads), elsewhere)
        self._moves.extend((id_, write_transition(move)) for id_, move in commit.transitions)

    def write(self, now_ms: int) -> None:
        """Writes what was decided, each row once."""
        execute = self._connection.executemany
        documents = {id_: self._documents[id_] for id_ in sorted(self._changed)}
        aliases = {id_: self._aliases[id_] for id_ in documents}
        execute("DELETE FROM leads WHERE id = ?", _keys_without_value(documents))
        execute("DELETE FROM aliases WHERE id = ?", _keys_without_value(aliases))
        execute(
            "INSERT INTO leads (id, stage, score, unsent, updated_ms, document)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " stage = excluded.stage, score = excluded.score, unsent = excluded.unsent,"
            " updated_ms = excluded.updated_ms, document = excluded.document",
            [_row(document, now_ms) for document in documents.values() if document],
        )
        execute(
            "INSERT INTO aliases (id, lead_id) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET lead_id = excluded.lead_id",
            [(id_, lead_id) for id_, lead_id in aliases.items() if lead_id is not None],
        )
        execute("INSERT INTO transitions (lead_id, record) VALUES (?, ?)", self._moves)

    def _document(self, id_: str) -> LeadDocument | None:
        if id_ not in self._documents:
            text = self._value("SELECT document FROM leads WHERE id = ?", id_)
            self._documents[id_] = None if text is None else read_lead(text)
        return self._documents[id_]

    def _alias(self, id_: str) -> str | None:
        if id_ not in self._aliases:
            self._aliases[id_] = self._value("SELECT lead_id FROM aliases WHERE id = ?", id_)
        return self._aliases[id_]

    def _value(self, query: str, id_: str) -> str | None:
        row: tuple[str] | None = self._connection.execute(query, (id_,)).fetchone()
        return row[0] if row else None


def _keys_without_value(values: Mapping[str, object]) -> list[tuple[str]]:
    return [(id_,) for id_, value in values.items() if value is None]


def _row(document: LeadDocument, now_ms: int) -> tuple[str, str, int | None, bool, int, str]:
    lead = document.lead
    score = lead.snapshot.score if lead.snapshot else None
    text = write_lead(lead, document.extra)
    return lead.id, lead.progress.stage, score, bool(lead.outbox), now_ms, text
