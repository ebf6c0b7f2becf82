"""Dispatches and circuits in an SQLite file."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from warmlead.domain.dispatch import FARTHEST, Circuit, Dispatch, DispatchState
from warmlead.ports.dispatching import Decide, DecideCircuit, DispatchKey, KeptDispatch
from warmlead.sqlite_file import Failed, SqliteFile
from warmlead.stores.dispatch_codec import (
    read_circuit,
    read_dispatch_at,
    readable,
    write_circuit,
    write_dispatch,
)
from warmlead.stores.trail_codec import to_us

T = TypeVar("T")

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS dispatches (
         number INTEGER PRIMARY KEY,
         destination TEXT NOT NULL,
         id TEXT NOT NULL,
         state TEXT NOT NULL,
         lead_id TEXT NOT NULL,
         due_us INTEGER,
         ended_us INTEGER,
         record TEXT NOT NULL,
         body BLOB NOT NULL,
         UNIQUE (destination, id))""",
    (
        "CREATE INDEX IF NOT EXISTS dispatches_due ON dispatches (destination, due_us, id)"
        " WHERE due_us IS NOT NULL"
    ),
    (
        "CREATE INDEX IF NOT EXISTS dispatches_ended ON dispatches (destination, ended_us)"
        " WHERE ended_us IS NOT NULL"
    ),
    "CREATE INDEX IF NOT EXISTS dispatches_in_state ON dispatches (destination, state, id)",
    "CREATE INDEX IF NOT EXISTS dispatches_of_lead ON dispatches (lead_id)",
    """CREATE TABLE IF NOT EXISTS circuits (
         destination TEXT NOT NULL PRIMARY KEY,
         record TEXT NOT NULL) WITHOUT ROWID""",
)

PAGE_DISPATCHES = 100


class _Change(NamedTuple):
    """Which dispatch, and what changes it; unpacked."""

    key: DispatchKey
    decide: Decide


class _SettingAside(NamedTuple):
    """Which dispatch cannot be read, since when, and until when it waits; unpacked."""

    key: DispatchKey
    now_us: int
    until_us: int


class _Pruning(NamedTuple):
    """Whose dispatches are deleted that ended before a time, and how many; unpacked."""

    destination: str
    before_us: int
    most: int


class SqliteDispatchStore:
    """The ``DispatchStore`` of one machine, in the same file as its leads."""

    def __init__(self, file: SqliteFile) -> None:
        file.define(SCHEMA)
        self._file = file

    async def change(self, key: DispatchKey, decide: Decide) -> Dispatch | None:
        """See ``DispatchStore``."""
        return await self._file.write(_change_all, _Change(key, decide))

    async def set_aside(self, key: DispatchKey, now: datetime, until: datetime) -> None:
        """See ``DispatchStore``."""
        await self._file.write(_set_aside_all, _SettingAside(key, to_us(now), to_us(until)))

    async def due(self, destination: str, now: datetime, *, most: int) -> Sequence[KeptDispatch]:
        """See ``DispatchStore``."""
        where = "destination = ? AND due_us <= ? ORDER BY due_us, id LIMIT ?"
        found = await self._dispatches(where, (destination, to_us(now), most))
        if len(found) == most:
            return found
        ahead = "destination = ? AND due_us > ? ORDER BY due_us, id LIMIT ?"
        values = (destination, to_us(now + FARTHEST), most - len(found))
        return [*found, *await self._dispatches(ahead, values)]

    async def in_state(
        self, destination: str, state: DispatchState, *, most: int, after: str = ""
    ) -> Sequence[KeptDispatch]:
        """See ``DispatchStore``."""
        return await self._dispatches(
            "destination = ? AND state = ? AND id > ? ORDER BY id LIMIT ?",
            (destination, state, after, most),
        )

    async def destinations(self) -> Sequence[str]:
        """See ``DispatchStore``."""
        return await self._file.read(_destinations)

    async def counts(self, destination: str) -> Mapping[DispatchState, int]:
        """See ``DispatchStore``."""
        query = "SELECT state, count(*) FROM dispatches WHERE destination = ? GROUP BY state"

        def ask(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute(query, (destination,)))

        found = await self._file.read(ask)
        return {state: found.get(state, 0) for state in DispatchState}

    async def circuit(self, destination: str) -> Circuit:
        """See ``DispatchStore``."""
        return await self._file.read(lambda connection: _circuit_of(connection, destination))

    async def change_circuit(self, destination: str, decide: DecideCircuit) -> Circuit:
        """See ``DispatchStore``."""
        return await self._file.write(_change_circuits, (destination, decide))

    async def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[KeptDispatch]:
        """See ``DispatchStore``."""
        wanted, after = json.dumps(sorted(lead_ids)), 0
        while True:
            rows = await self._file.read(_page_of_leads(wanted, after))
            for number, destination, id_, record, body in rows:
                yield _read(destination, id_, record, body)
                after = number
            if len(rows) < PAGE_DISPATCHES:
                return

    async def erase(self, lead_ids: Collection[str]) -> int:
        """See ``DispatchStore``."""
        return await self._file.write(_erase_all, json.dumps(sorted(lead_ids)))

    async def prune(self, destination: str, before: datetime, *, most: int) -> int:
        """See ``DispatchStore``."""
        return await self._file.write(_prune_all, _Pruning(destination, to_us(before), most))

    async def _dispatches(self, where: str, values: tuple[object, ...]) -> list[KeptDispatch]:
        query = f"SELECT destination, id, record, body FROM dispatches WHERE {where}"  # noqa: S608  # constants

        def ask(connection: sqlite3.Connection) -> list[KeptDispatch]:
            return [_read(*row) for row in connection.execute(query, values)]

        return await self._file.read(ask)


def _read(destination: str, id_: str, record: str, body: bytes) -> KeptDispatch:
    return read_dispatch_at(DispatchKey(destination, id_), record, body)


def _change_all(
    connection: sqlite3.Connection, changes: Sequence[_Change]
) -> Sequence[Dispatch | Failed | None]:
    return [_or_failed(lambda: _change(connection, *change)) for change in changes]  # noqa: B023  # called at once


def _or_failed(change: Callable[[], T]) -> T | Failed:
    try:
        return change()
    except Exception as error:  # noqa: BLE001  # it belongs to the caller of this change alone
        return Failed(error)


def _change(connection: sqlite3.Connection, key: DispatchKey, decide: Decide) -> Dispatch | None:
    query = "SELECT record, body FROM dispatches WHERE destination = ? AND id = ?"
    row = connection.execute(query, (key.destination, key.id)).fetchone()
    before = readable(read_dispatch_at(key, *row)) if row else None
    after = decide(before)
    if after is None or after == before:
        return after
    connection.execute(
        "INSERT INTO dispatches"
        " (destination, id, state, lead_id, due_us, ended_us, record, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (destination, id) DO UPDATE SET state = excluded.state,"
        " lead_id = excluded.lead_id, due_us = excluded.due_us, ended_us = excluded.ended_us,"
        " record = excluded.record, body = excluded.body",
        (
            key.destination,
            key.id,
            after.state,
            after.lead_id,
            None if after.due_at is None else to_us(after.due_at),
            None if after.ended_at is None else to_us(after.ended_at),
            write_dispatch(after, row[0] if row else None),
            after.body,
        ),
    )
    return after


def _set_aside_all(
    connection: sqlite3.Connection, setting_aside: Sequence[_SettingAside]
) -> Sequence[None]:
    query = (
        "UPDATE dispatches SET due_us = ?,"
        " ended_us = CASE state WHEN 'unreadable' THEN ended_us ELSE ? END, state = 'unreadable'"
        " WHERE destination = ? AND id = ?"
    )
    for key, now_us, until_us in setting_aside:
        connection.execute(query, (until_us, now_us, key.destination, key.id))
    return [None] * len(setting_aside)


def _destinations(connection: sqlite3.Connection) -> list[str]:
    """From one name to the next in the index: however many dispatches there are."""
    query = "SELECT min(destination) FROM dispatches WHERE destination > ?"
    names: list[str] = []
    after: str | None = ""
    while after is not None:
        (after,) = connection.execute(query, (after,)).fetchone()
        names += [after] if after else []
    return names


def _circuit_text(connection: sqlite3.Connection, destination: str) -> str | None:
    query = "SELECT record FROM circuits WHERE destination = ?"
    row = connection.execute(query, (destination,)).fetchone()
    return row[0] if row else None


def _circuit_of(connection: sqlite3.Connection, destination: str) -> Circuit:
    return read_circuit(_circuit_text(connection, destination))


def _change_circuits(
    connection: sqlite3.Connection, changes: Sequence[tuple[str, DecideCircuit]]
) -> Sequence[Circuit]:
    changed = []
    for destination, decide in changes:
        before = _circuit_text(connection, destination)
        circuit = decide(read_circuit(before))
        connection.execute(
            "INSERT INTO circuits (destination, record) VALUES (?, ?)"
            " ON CONFLICT (destination) DO UPDATE SET record = excluded.record",
            (destination, write_circuit(circuit, before)),
        )
        changed.append(circuit)
    return changed


def _page_of_leads(
    wanted: str, after: int
) -> Callable[[sqlite3.Connection], list[tuple[int, str, str, str, bytes]]]:
    query = (
        "SELECT number, destination, id, record, body FROM dispatches"
        " WHERE lead_id IN (SELECT value FROM json_each(?)) AND number > ?"
        " ORDER BY number LIMIT ?"
    )
    return lambda connection: connection.execute(query, (wanted, after, PAGE_DISPATCHES)).fetchall()


def _erase_all(connection: sqlite3.Connection, wanted: Sequence[str]) -> Sequence[int]:
    query = "DELETE FROM dispatches WHERE lead_id IN (SELECT value FROM json_each(?))"
    return [connection.execute(query, (each,)).rowcount for each in wanted]


def _prune_all(connection: sqlite3.Connection, prunings: Sequence[_Pruning]) -> Sequence[int]:
    query = (
        "DELETE FROM dispatches WHERE number IN (SELECT number FROM dispatches"
        " WHERE destination = ? AND ended_us <= ? ORDER BY ended_us LIMIT ?)"
    )
    return [connection.execute(query, each).rowcount for each in prunings]
