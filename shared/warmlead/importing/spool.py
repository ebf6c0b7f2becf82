"""The events of an import by person, on disk: as many as there are, in memory only a few.

The order of persons, and of what is said of each, does not depend on the order of files and rows.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from warmlead.domain.event import Event
from warmlead.domain.identity import Identifier, identifiers_of

SCHEMA = """
CREATE TABLE events (key TEXT NOT NULL PRIMARY KEY, identifier TEXT NOT NULL, body BLOB NOT NULL)
  WITHOUT ROWID;
CREATE TABLE persons (identifier TEXT NOT NULL PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID;
"""

WRITTEN_TOGETHER = 10_000

_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


class Spool:
    """Collects events in a new file, and hands them out by person; use it as a context."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._connection.executescript(SCHEMA)
        self._path = path
        self._root: dict[str, str] = {}
        self._waiting: list[tuple[str, str, bytes]] = []
        self.added = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()

    def add(self, event: Event) -> bytes:
        """Adds an event; one that is there already changes nothing.

        Answers its body: of two bodies of one key the smaller stays.
        """
        first, *others = (_hash_of(each) for each in identifiers_of(event))
        self._root.setdefault(first, first)
        for other in others:
            self._join(first, other)
        body = _encode(event)
        self._waiting.append((event.key, first, body))
        self.added += 1
        if len(self._waiting) >= WRITTEN_TOGETHER:
            self._write()
        return body

    def scratch(self, name: str) -> Path:
        """A file beside the spool, for what else an import puts down while it reads."""
        return self._path.with_name(f"{self._path.name}-{name}")

    @property
    def repeated(self) -> int:
        """How many events were added that were there already."""
        self._write()
        (kept,) = self._connection.execute("SELECT count(*) FROM events").fetchone()
        return self.added - int(kept)

    @property
    def count(self) -> int:
        """The number of persons."""
        return len({self._find(each) for each in self._root})

    def persons(self, *, after: str = "") -> Iterator[tuple[str, Sequence[Event]]]:
        """The events of each person, behind a place; with the place of the person."""
        self._write()
        places = ((each, self._find(each)) for each in self._root)
        self._connection.execute("DELETE FROM persons")
        self._connection.executemany("INSERT INTO persons VALUES (?, ?)", places)
        rows = self._connection.execute(
            "SELECT place, body FROM events JOIN persons USING (identifier)"
            " WHERE place > ? ORDER BY place, key",
            (after,),
        )
        for place, group in groupby(rows, key=lambda row: row[0]):
            yield place, [_decode(body) for _, body in group]

    def _write(self) -> None:
        """Of two bodies of one key the smaller stays, whichever came first."""
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " identifier = iif(excluded.body < body, excluded.identifier, identifier),"
            " body = min(body, excluded.body)",
            self._waiting,
        )
        self._connection.execute("COMMIT")
        self._waiting.clear()

    def _find(self, id_: str) -> str:
        """The smallest identifier of the person; shortens the way for the next time."""
        way = [id_]
        while (above := self._root.setdefault(way[-1], way[-1])) != way[-1]:
            way.append(above)
        for each in way:
            self._root[each] = way[-1]
        return way[-1]

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._root[second] = first


def _hash_of(identifier: Identifier) -> str:
    text = f"{identifier.kind}\n{identifier.value}".encode()
    return hashlib.blake2b(text, digest_size=12).hexdigest()
