"""One SQLite file for several adapters, threads, event loops and processes.

Opens the file, writes in groups and reads. Its users define the tables.

SQLite has one writer at a time, and a durable commit costs a disk flush. So one thread writes: all
writes that wait go into one transaction, and one flush acknowledges them.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

from warmlead.domain.errors import ConfigurationError, UnavailableError

FILE_VERSION = 2
"""The layout of all tables in the file; a file with a greater one is of a newer release."""

MOST_TOGETHER = 256
"""The most writes that share a transaction: other processes wait for it."""

CHECK_S = 2.0
"""Seconds for the check of a file; a large one is not checked to its end."""

STEPS_OF_A_LOOK = 10_000
"""How many of SQLite's steps, some milliseconds, lie between two looks at the clock."""

_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is not a data file of Warmlead; set WARMLEAD_DATA to another folder",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup, or move it away to begin anew",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; this user must be able to write to its folder",
    sqlite3.SQLITE_READONLY: "cannot be written; this user must be able to write it and its folder",
    sqlite3.SQLITE_PERM: "cannot be opened; this user must be able to write it and its folder",
    sqlite3.SQLITE_FULL: "cannot be written; the disk is full",
}
"""Faults that a person can mend, by SQLite's primary result code."""

BUSY_PAUSE_S = 0.001
"""How long to wait before asking again whether another process has finished its commit."""

BUSY_LOG_PAUSE_S = 0.05

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Column(NamedTuple):
    """A column that was added to a table later; older rows get its default; unpacked."""

    table: str
    name: str
    declaration: str


class Missing(NamedTuple):
    """What is added once, by a statement that does nothing if it was; unpacked.

    ``question`` finds out without a lock whether it is missing.
    """

    question: str
    statement: str


Definition: TypeAlias = str | Column | Missing
"""What a file is to have: a statement that does nothing if it was done before, or such a part."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer for an item that was not written; its caller gets the error."""

    error: Exception


Write: TypeAlias = Callable[[sqlite3.Connection, Sequence[Item]], Sequence[Answer | Failed]]
"""Writes items in one transaction, in order, and answers for each.

If it raises, none of it stays, and each item is tried by itself.
"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    write: Callable[[sqlite3.Connection, Sequence[Any]], Sequence[Any]]
    item: object
    done: Future[Any] = field(default_factory=Future)


class SqliteFile:
    """The file at ``path``, whose folder exists; opened at its first use, in WAL mode.

    Unless it is ``durable`` no commit waits for the disk: for a file that is of use only while its
    process lives. Another process's commit is waited for up to ``patience_s``. Its users raise
    ``UnavailableError`` when the file does not answer, in which case a write may or may not
    have happened, and ``ConfigurationError`` if the file is of a newer release or not a data file.
    """

    def __init__(self, path: Path, *, patience_s: float = 10.0, durable: bool = True) -> None:
        self._schema: list[Definition] = []
        self._writing = _Link(path, self._schema, patience_s, durable=durable)
        self._reading = _Link(path, self._schema, patience_s, durable=durable)
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._writer: Thread | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sqlite-reader")
        self._lock = Lock()
        self._closed = False
        self._path = path

    def define(self, schema: Iterable[Definition]) -> None:
        """Adds tables and columns to the file; a statement does nothing if it was done before."""
        self._schema.extend(schema)

    async def write(self, write: Write[Item, Answer], item: Item) -> Answer:
        """Writes the item, together with others that wait; it is durable when this returns."""
        waiting = _Waiting(write, item)
        with self._lock:
            self._refuse_if_closed()
            if self._writer is None:
                self._writer = Thread(target=self._keep_writing, name="sqlite-writer", daemon=True)
                self._writer.start()
            self._waiting.put(waiting)
        answer: Answer = await asyncio.wrap_future(waiting.done)
        return answer

    async def read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Reads in another thread; sees every commit that has returned."""
        with self._lock:
            self._refuse_if_closed()
            asked = self._reader.submit(self._ask, question)
        return await asyncio.wrap_future(asked)

    async def prove(self) -> None:
        """Opens the file; raises ``ConfigurationError`` with what to do if it cannot be used."""
        try:
            await self.read(lambda _: None)
        except UnavailableError as error:
            self._put_in_words(error)
            raise

    async def check(self) -> None:
        """Checks that the file can be read and written; looks for damage for ``CHECK_S`` at most.

        Best done at the start of a process. Raises as ``prove`` does.
        """
        try:
            whole = await self.read(_is_whole)
            await self.write(_write_version, None)
        except UnavailableError as error:
            self._put_in_words(error)
            raise
        if not whole:
            raise ConfigurationError.one(str(self._path), _PROBLEMS[sqlite3.SQLITE_CORRUPT])

    def _put_in_words(self, error: UnavailableError) -> None:
        """Raises ``ConfigurationError`` for a fault that a person can mend."""
        cause = error.__cause__
        code = cause.sqlite_errorcode & 0xFF if isinstance(cause, sqlite3.Error) else 0
        if problem := _PROBLEMS.get(code):
            raise ConfigurationError.one(str(self._path), problem) from cause

    async def empty_log(self, *, patience_s: float = 5.0) -> bool:
        """Moves the write-ahead log into the file and empties it; true if that was possible.

        It is not possible while another process reads an older state; this waits for it.
        """
        deadline = time.monotonic() + patience_s
        while not await self.read(_empty_log):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(BUSY_LOG_PAUSE_S)
        return True

    async def close(self) -> None:
        """Finishes waiting writes and closes the file; it cannot be used again."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise UnavailableError("the data file has been closed")

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.put(None)
        if self._writer:
            self._writer.join()
        self._reader.shutdown()
        self._reading.drop()

    def _ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            connection = self._reading.connection()
            return self._reading.patiently(lambda: question(connection))
        except sqlite3.Error as error:
            self._reading.drop()
            raise _unavailable(error) from error

    def _keep_writing(self) -> None:
        more = True
        while more:
            waiting, more = self._take()
            waiting = [each for each in waiting if each.done.set_running_or_notify_cancel()]
            if waiting:
                self._write_together(waiting)
        self._writing.drop()

    def _take(self) -> tuple[list[_Waiting], bool]:
        """Takes what waits, at least one item; also returns whether more may come."""
        taken: list[_Waiting] = []
        while len(taken) < MOST_TOGETHER:
            try:
                each = self._waiting.get(block=not taken)
            except Empty:
                break
            if each is None:
                return taken, False
            taken.append(each)
        return taken, True

    def _write_together(self, waiting: Sequence[_Waiting]) -> None:
        try:
            answers = self._commit(waiting)
        except Exception as error:  # noqa: BLE001  # every failure must reach the callers that wait
            self._writing.drop()
            for each in waiting:
                each.done.set_exception(_for_caller(error))
            return
        for done, answer in answers:
            if isinstance(answer, Failed):
                done.set_exception(answer.error)
            else:
                done.set_result(answer)

    def _commit(self, waiting: Sequence[_Waiting]) -> list[tuple[Future[Any], Any]]:
        connection = self._writing.begin()
        groups: dict[Callable[..., Sequence[Any]], list[_Waiting]] = {}
        for each in waiting:
            groups.setdefault(each.write, []).append(each)
        answers = [pair for group in groups.values() for pair in _attempt(connection, group)]
        connection.execute("COMMIT")
        return answers


def _attempt(
    connection: sqlite3.Connection, group: Sequence[_Waiting]
) -> list[tuple[Future[Any], Any]]:
    """Writes a group as a whole or, if that fails, each by itself: a bad item fails alone."""
    connection.execute("SAVEPOINT attempt")
    try:
        answers = group[0].write(connection, [each.item for each in group])
    except Exception as error:
        if not connection.in_transaction:  # SQLite gave up the whole transaction: disk full …
            raise
        connection.execute("ROLLBACK TO attempt")
        connection.execute("RELEASE attempt")
        if len(group) == 1:
            return [(group[0].done, Failed(_for_caller(error)))]
        return [pair for each in group for pair in _attempt(connection, [each])]
    connection.execute("RELEASE attempt")
    return [(each.done, answer) for each, answer in zip(group, answers, strict=True)]


def _empty_log(connection: sqlite3.Connection) -> bool:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


class _Link:
    """A connection of one thread, opened when needed, dropped after an error."""

    def __init__(
        self, path: Path, schema: Sequence[Definition], patience_s: float, *, durable: bool
    ) -> None:
        self._path = path
        self._schema = schema
        self._defined = 0
        self._patience_s = patience_s
        self._durable = durable
        self._connection: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        """The connection, on which all tables that are known by now exist."""
        if self._connection is None:
            self._connection = self._open()
        if self._defined < len(self._schema):
            self._define(self._connection)
        return self._connection

    def begin(self) -> sqlite3.Connection:
        """The connection, in a transaction that holds the file's write lock."""
        connection = self.connection()
        self._execute(connection, "BEGIN IMMEDIATE")
        return connection

    def drop(self) -> None:
        """Closes the connection; what was not committed is undone."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._defined = 0

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._refuse_if_foreign(connection)
            if self._execute(connection, "PRAGMA page_count").fetchone() == (0,):
                # The room of what is pruned can be given back; later it would take a VACUUM.
                self._execute(connection, "PRAGMA auto_vacuum = INCREMENTAL")
            self._execute(connection, "PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            # What a row held before is overwritten at once: some builds of SQLite do so unasked.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_if_foreign(self, connection: sqlite3.Connection) -> None:
        try:
            version = self._version(connection)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            problem = _PROBLEMS[sqlite3.SQLITE_NOTADB]
            raise ConfigurationError.one(str(self._path), problem) from error
        if version > FILE_VERSION:
            problem = (
                f"was written by a newer release (layout {version}, this one knows "
                f"{FILE_VERSION}); use that release, or another WARMLEAD_DATA"
            )
            raise ConfigurationError.one(str(self._path), problem)

    def _define(self, connection: sqlite3.Connection) -> None:
        """Makes the tables and columns that are missing; where none is, no lock is needed."""
        statements = list(self._schema)
        for statement in statements:
            if isinstance(statement, Column):
                self._add(connection, statement)
            elif isinstance(statement, Missing):
                if self._execute(connection, statement.question).fetchone() == (1,):
                    self._execute(connection, statement.statement)
            else:
                self._execute(connection, statement)
        if self._version(connection) != FILE_VERSION:
            self._execute(connection, f"PRAGMA user_version = {FILE_VERSION}")
        self._defined = len(statements)

    def _add(self, connection: sqlite3.Connection, column: Column) -> None:
        if self._has(connection, column):
            return
        table, name, declaration = column
        try:
            self._execute(connection, f"ALTER TABLE {table} ADD COLUMN {name} {declaration}")
        except sqlite3.OperationalError:
            if not self._has(connection, column):  # or another process was faster
                raise

    def _has(self, connection: sqlite3.Connection, column: Column) -> bool:
        known = self._execute(connection, f"SELECT name FROM pragma_table_info('{column.table}')")  # noqa: S608  # constants
        return (column.name,) in known.fetchall()

    def _version(self, connection: sqlite3.Connection) -> int:
        version: int = self._execute(connection, "PRAGMA user_version").fetchone()[0]
        return version

    def patiently(self, attempt: Callable[[], Answer]) -> Answer:
        """Repeats the attempt until no other process holds the file, and returns its result.

        SQLite's own waiting pauses up to 100 ms between two looks, and for some statements
        does not wait at all.
        """
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(BUSY_PAUSE_S)

    def _execute(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
        return self.patiently(lambda: connection.execute(statement))


def _is_whole(connection: sqlite3.Connection) -> bool:
    """Whether nothing is found damaged in ``CHECK_S``."""
    deadline = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_OF_A_LOOK)
    try:
        return connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return True
    finally:
        connection.set_progress_handler(None, 0)


def _write_version(connection: sqlite3.Connection, items: Sequence[None]) -> Sequence[None]:
    """Writes the version that is there: only a real write shows that a file is read-only."""
    connection.execute(f"PRAGMA user_version = {FILE_VERSION}")
    return items


def _for_caller(error: Exception) -> Exception:
    return _unavailable(error) if isinstance(error, sqlite3.Error) else error


def _unavailable(error: sqlite3.Error) -> UnavailableError:
    unavailable = UnavailableError("the data file does not answer")
    unavailable.__cause__ = error
    return unavailable
