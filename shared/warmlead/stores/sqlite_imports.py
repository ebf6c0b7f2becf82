"""Spend and the record of imports in an SQLite file."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import date

import msgspec

from warmlead.ports.imports import ImportRecord, Spend
from warmlead.sqlite_file import SqliteFile

PAGE_SPENDS = 500

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS spend (
         key TEXT NOT NULL PRIMARY KEY,
         day TEXT NOT NULL,
         imported TEXT NOT NULL,
         record TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS spend_by_day ON spend (day, key)",
    "CREATE INDEX IF NOT EXISTS spend_of_import ON spend (imported)",
    """CREATE TABLE IF NOT EXISTS imports (
         name TEXT NOT NULL PRIMARY KEY,
         record TEXT NOT NULL) WITHOUT ROWID""",
)


class SqliteImportStore:
    """The ``ImportStore`` of one machine, in the same file as its leads."""

    def __init__(self, file: SqliteFile) -> None:
        file.define(SCHEMA)
        self._file = file

    async def keep(self, record: ImportRecord) -> None:
        """See ``ImportStore``."""
        await self._file.write(_keep, record)

    async def imports(self) -> Sequence[ImportRecord]:
        """See ``ImportStore``."""

        def ask(connection: sqlite3.Connection) -> list[ImportRecord]:
            rows = connection.execute("SELECT record FROM imports ORDER BY name")
            return [msgspec.json.decode(text, type=ImportRecord) for (text,) in rows]

        return await self._file.read(ask)

    async def keep_spend(self, spends: Sequence[Spend]) -> None:
        """See ``ImportStore``."""
        await self._file.write(_keep_spend, spends)

    async def spend(self, start: date, end: date) -> AsyncIterator[Spend]:
        """See ``ImportStore``."""
        after = (start.isoformat(), "")

        def ask(connection: sqlite3.Connection) -> list[Spend]:
            rows = connection.execute(
                "SELECT record FROM spend WHERE (day, key) > (?, ?) AND day < ?"
                " ORDER BY day, key LIMIT ?",
                (*after, end.isoformat(), PAGE_SPENDS),
            )
            return [msgspec.json.decode(text, type=Spend) for (text,) in rows]

        while page := await self._file.read(ask):
            for each in page:
                yield each
            after = (page[-1].day.isoformat(), page[-1].key)

    async def forget(self, name: str) -> int:
        """See ``ImportStore``."""
        return await self._file.write(_forget, name)


def _keep(connection: sqlite3.Connection, records: Sequence[ImportRecord]) -> Sequence[None]:
    rows = [(each.name, msgspec.json.encode(each).decode()) for each in records]
    connection.executemany(
        "INSERT INTO imports (name, record) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        rows,
    )
    return [None] * len(records)


def _keep_spend(
    connection: sqlite3.Connection, groups: Sequence[Sequence[Spend]]
) -> Sequence[None]:
    rows = [
        (each.key, each.day.isoformat(), each.imported, msgspec.json.encode(each).decode())
        for group in groups
        for each in group
    ]
    connection.executemany(
        "INSERT INTO spend (key, day, imported, record) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET day = excluded.day, imported = excluded.imported,"
        " record = excluded.record",
        rows,
    )
    return [None] * len(groups)


def _forget(connection: sqlite3.Connection, names: Sequence[str]) -> Sequence[int]:
    counts = []
    for name in names:
        done = connection.execute("DELETE FROM spend WHERE imported = ?", (name,))
        connection.execute("DELETE FROM imports WHERE name = ?", (name,))
        counts.append(done.rowcount)
    return counts
