"""An SQLite file that counts the lead documents which are read and written. Holds no assertion."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmlead.sqlite_file import SqliteFile


@dataclass
class Counts:
    """Documents of leads, and rows of an index that were looked at for a page."""

    read: int = 0
    written: int = 0
    places: int = 0


class _CountedCursor:
    def __init__(self, cursor: sqlite3.Cursor, count: Callable[[int], None]) -> None:
        self._cursor = cursor
        self._count = count

    def fetchone(self) -> Any:
        row = self._cursor.fetchone()
        self._count(row is not None)
        return row

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Any:
        for row in self._cursor:
            self._count(1)
            yield row


class _CountedConnection:
    """A connection that counts what is asked of it; as much of one as the store uses."""

    def __init__(self, connection: sqlite3.Connection, counts: Counts) -> None:
        self._connection = connection
        self._counts = counts

    def execute(self, query: str, values: Sequence[Any] = ()) -> Any:
        cursor = self._connection.execute(query, values)
        columns, of_leads, _ = query.partition(" FROM leads")
        if of_leads and "document" in columns:
            return _CountedCursor(cursor, self._read)
        return _CountedCursor(cursor, self._found) if of_leads else cursor

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> Any:
        given = [*rows]
        if query.startswith(("INSERT INTO leads", "UPDATE leads")):
            self._counts.written += len(given)
        return self._connection.executemany(query, given)

    def _read(self, rows: int) -> None:
        self._counts.read += rows

    def _found(self, rows: int) -> None:
        self._counts.places += rows


class CountingFile(SqliteFile):
    """Counts from the moment it is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.counts = Counts()
        self._counted: dict[Any, Any] = {}

    async def read(self, question: Callable[[Any], Any]) -> Any:
        return await super().read(lambda connection: question(self._watched(connection)))

    async def write(self, write: Any, item: Any) -> Any:
        def counted(connection: sqlite3.Connection, items: Sequence[Any]) -> Any:
            return write(self._watched(connection), items)

        # One function for one write, or the file would not group them.
        return await super().write(self._counted.setdefault(write, counted), item)

    def _watched(self, connection: sqlite3.Connection) -> Any:
        return _CountedConnection(connection, self.counts)
