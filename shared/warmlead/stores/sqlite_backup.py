"""Whole copies of an SQLite data file: made while others write, checked, and put in its place."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.domain.history import from_ms
from warmlead.domain.identity import LeadIds
from warmlead.sqlite_file import FILE_VERSION, STEPS_OF_A_LOOK
from warmlead.stores.codec import LeadDocument, read_lead_at
from warmlead.stores.sqlite_schema import SCHEMA

PATIENCE_S = 10.0
"""How long another process's commit is waited for."""

MOST_LOOKED_AT = 20
"""How many leads are looked at for the secret of their ids; an earlier spelling may hide some."""

BESIDE = "beside"
"""The table of a backup that holds what lies beside the data file; a data file has none."""


class Contents(Struct, frozen=True):
    """What a data file holds, counted; ``until`` is when its last message was published.

    ``unsent`` are leads with triggers that are not published yet, ``erasures`` the tombstones,
    ``messages`` the archive, ``waiting`` and ``given_up`` what subscribers have yet to do and will
    not do, ``to_tools`` the dispatches that are neither sent nor dead.
    """

    size_bytes: int
    leads: int
    unsent: int
    erasures: int
    messages: int
    waiting: int
    given_up: int
    to_tools: int
    until: datetime | None


def copy_whole(
    source: Path,
    target: Path,
    *,
    beside: Mapping[str, str] | None = None,
    told: Callable[[float], None] = lambda _: None,
) -> None:
    """Copies a data file as it is at one moment into a new file, which only its owner can read.

    Others may write meanwhile. Deleted rows are not copied. The copy is checked, and on the disk,
    before it has its name. ``beside`` are texts that it keeps as well, by name. ``told`` is called
    with the part that is done, from 0 to 1. Raises ``ConfigurationError`` if the source is not a
    whole data file or the target exists, ``UnavailableError`` if the source does not answer.
    """
    _refuse_existing(target)
    try:
        descriptor, name = tempfile.mkstemp(".part", f"{target.name}.", target.parent)
    except OSError as error:
        raise ConfigurationError.one(str(target), f"cannot be written: {error.strerror}") from error
    os.close(descriptor)
    part = Path(name)
    try:
        with _opened(source) as connection:
            _refuse_foreign(source, connection)
            with _progress(connection, part, told):
                connection.execute("VACUUM INTO ?", (name,))
        with _opened(part) as copy:
            if beside is not None:
                _keep_beside(copy, beside)
            _check(source, copy)
        _flush(part)
        _refuse_existing(target)
        part.rename(target)
        _flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def take_beside(path: Path) -> dict[str, str]:
    """The texts that a backup keeps besides the data; they are taken out of it."""
    with _opened(path) as connection:
        if BESIDE not in _tables(connection):
            return {}
        texts = dict(connection.execute(f"SELECT name, text FROM {BESIDE}"))  # noqa: S608  # constant
        connection.execute(f"DROP TABLE {BESIDE}")
        return texts


def carry_over_ended(source: Path, target: Path) -> int:
    """Copies dispatches that have ended from one data file into another; returns their number.

    So what tools have got since a backup is not sent to them again: its messages are made again
    with the same ids. Raises as ``copy_whole`` does, also for a damaged source.
    """
    with _opened(source) as before, _opened(target) as after:
        if "dispatches" not in _tables(before) & _tables(after):
            return 0
        after.execute("BEGIN IMMEDIATE")
        rows = before.execute(f"SELECT {_DISPATCH} FROM dispatches WHERE ended_us IS NOT NULL")  # noqa: S608  # constants
        added = after.executemany(_KEEP_ENDED, rows).rowcount
        after.execute("COMMIT")
        return max(0, added)


_DISPATCH = "destination, id, state, lead_id, due_us, ended_us, record, body"
_KEEP_ENDED = (
    f"INSERT INTO dispatches ({_DISPATCH}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants
    " ON CONFLICT (destination, id) DO UPDATE SET state = excluded.state, due_us = excluded.due_us,"
    " ended_us = excluded.ended_us, record = excluded.record, body = excluded.body"
    " WHERE dispatches.ended_us IS NULL"
)


def contents_of(path: Path) -> Contents:
    """What a data file holds. Raises as ``copy_whole`` does."""
    with _opened(path) as connection:
        _refuse_foreign(path, connection)
        tables = _tables(connection)

        def count(table: str, condition: str = "1") -> int:
            if table not in tables:
                return 0  # nobody has needed it yet
            query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  # constants
            return int(connection.execute(query).fetchone()[0])

        latest = "SELECT at_ms FROM messages ORDER BY number DESC LIMIT 1"
        row = connection.execute(latest).fetchone() if "messages" in tables else None
        return Contents(
            size_bytes=path.stat().st_size,
            leads=count("leads"),
            unsent=count("leads", "unsent"),
            erasures=count("tombstones"),
            messages=count("messages"),
            waiting=count("deliveries", "NOT dead"),
            given_up=count("deliveries", "dead"),
            to_tools=count("dispatches", "ended_us IS NULL"),
            until=from_ms(row[0]) if row else None,
        )


def knows_its_leads(path: Path, ids: LeadIds) -> bool | None:
    """Whether these ids are those of the leads in a data file; ``None`` without a readable lead.

    Those of the secret before are too.
    """
    with _opened(path) as connection:
        if "leads" not in _tables(connection):
            return None
        rows = connection.execute("SELECT id, document FROM leads ORDER BY id")
        read = (read_lead_at(*row) for row in rows)
        leads = [
            each.lead for each in islice(read, MOST_LOOKED_AT) if isinstance(each, LeadDocument)
        ]
    trails = [pair for lead in leads for pair in lead.trails.items()]
    if not trails:
        return None
    named = ((id_, trail.identifier) for id_, trail in trails)
    return any(id_ in (ids.of(named_by), *ids.former_of(named_by)) for id_, named_by in named)


def close_for_others(path: Path) -> None:
    """Makes a data file whole by itself, without a log; a damaged one stays as it is.

    Raises ``ConfigurationError`` if another process has it open.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_BUSY:
            return
        problem = "another process has it open; stop `warmlead serve` and other commands first"
        raise ConfigurationError.one(str(path), problem) from error
    except sqlite3.DatabaseError:
        return


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there; SQLite's errors are translated."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(
            sqlite3.connect(address, uri=True, timeout=PATIENCE_S, isolation_level=None)
        ) as connection:
            yield connection
    except sqlite3.Error as error:
        if _code(error) in _TRANSIENT:
            raise UnavailableError(f"{path} does not answer") from error
        raise ConfigurationError.one(str(path), _PROBLEMS.get(_code(error), str(error))) from error


_TRANSIENT = frozenset([sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED])

_OUR_TRIGGERS = {
    each.replace("IF NOT EXISTS ", "")
    for each in SCHEMA
    if isinstance(each, str) and each.startswith("CREATE TRIGGER")
}
"""As SQLite keeps them."""

_NOT_OURS = "is not a data file of Warmlead"
_DAMAGED = "is damaged: not all of it can be read"
_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: _NOT_OURS,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: is it there, and may this user read it?",
    sqlite3.SQLITE_FULL: "cannot be copied: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be copied: the disk fails, or is full",
}


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _refuse_existing(target: Path) -> None:
    if target.exists():
        problem = "exists already, and nothing is overwritten; name another file"
        raise ConfigurationError.one(str(target), problem)


def _refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    acts = "SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    acting = {sql for (sql,) in connection.execute(acts)}  # somebody else's may do harm
    if not acting <= _OUR_TRIGGERS or not {"leads", "messages"} & _tables(connection):
        raise ConfigurationError.one(str(path), _NOT_OURS)
    if version > FILE_VERSION:
        problem = (
            f"was written by a newer release (layout {version}, this one knows {FILE_VERSION});"
            " use that release"
        )
        raise ConfigurationError.one(str(path), problem)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows: Sequence[tuple[str]] = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    ).fetchall()
    return {name for (name,) in rows}


@contextmanager
def _progress(
    connection: sqlite3.Connection, part: Path, told: Callable[[float], None]
) -> Iterator[None]:
    """Tells how large the copy has become, of what it will be."""
    query = "SELECT (page_count - freelist_count) * page_size FROM"
    pragmas = "pragma_page_count, pragma_freelist_count, pragma_page_size"
    (whole,) = connection.execute(f"{query} {pragmas}").fetchone()

    def look() -> int:
        told(min(1.0, part.stat().st_size / max(1, whole)))
        return 0

    connection.set_progress_handler(look, STEPS_OF_A_LOOK)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _keep_beside(copy: sqlite3.Connection, texts: Mapping[str, str]) -> None:
    copy.execute(f"CREATE TABLE {BESIDE} (name TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL)")
    copy.executemany(f"INSERT INTO {BESIDE} VALUES (?, ?)", sorted(texts.items()))  # noqa: S608  # constant


def _check(source: Path, copy: sqlite3.Connection) -> None:
    """Reads all of the copy; raises ``ConfigurationError`` if it is not whole."""
    if copy.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
        raise ConfigurationError.one(str(source), _DAMAGED)


def _flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
