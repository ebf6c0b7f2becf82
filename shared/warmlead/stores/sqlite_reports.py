"""Reports, and what they are made of, in an SQLite file; leads are only read."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from warmlead.domain.lifecycle import Transition
from warmlead.sqlite_file import SqliteFile
from warmlead.stores import sqlite
from warmlead.stores.notation import to_us
from warmlead.stores.transition_documents import read_transition

PAGE_MOVES = 500

_AT = "json_extract(record, '$.at')"  # so that moves of before this index are in it too

SCHEMA = (
    *sqlite.SCHEMA,
    f"CREATE INDEX IF NOT EXISTS transitions_by_time ON transitions ({_AT})",
    "CREATE INDEX IF NOT EXISTS leads_by_stage ON leads (stage)",
    """CREATE TABLE IF NOT EXISTS reports (
         period TEXT NOT NULL PRIMARY KEY,
         report TEXT NOT NULL)""",
)

_END_OF_TIME = 2**63 - 1


class _Row(NamedTuple):
    at_us: int
    number: int
    lead_id: str
    record: str


class SqliteReportStore:
    """The ``ReportStore`` of one machine, in the same file as its leads."""

    def __init__(self, file: SqliteFile) -> None:
        file.define(SCHEMA)
        self._file = file

    async def moves(
        self, start: datetime, end: datetime | None = None
    ) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; the earliest first."""
        at_us, number = to_us(start), -1
        end_us = _END_OF_TIME if end is None else to_us(end)
        query = (
            f"SELECT {_AT}, number, lead_id, record FROM transitions"  # noqa: S608  # constants
            f" WHERE {_AT} >= ?1 AND {_AT} < ?3 AND ({_AT} > ?1 OR number > ?2)"
            f" ORDER BY {_AT}, number LIMIT {PAGE_MOVES}"
        )

        def ask(connection: sqlite3.Connection) -> list[_Row]:
            return [_Row(*row) for row in connection.execute(query, (at_us, number, end_us))]

        while page := await self._file.read(ask):
            for row in page:
                yield row.lead_id, read_transition(row.record)
            at_us, number = page[-1].at_us, page[-1].number

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""

        def ask(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute("SELECT stage, count(*) FROM leads GROUP BY stage"))

        found = await self._file.read(ask)
        return {stage: found.get(stage, 0) for stage in stages}

    async def keep(self, period: str, report: str) -> None:
        """See ``ReportStore``."""
        await self._file.write(_keep, (period, report))

    async def report(self, period: str) -> str | None:
        """See ``ReportStore``."""

        def ask(connection: sqlite3.Connection) -> str | None:
            query = "SELECT report FROM reports WHERE period = ?"
            row: tuple[str] | None = connection.execute(query, (period,)).fetchone()
            return row[0] if row else None

        return await self._file.read(ask)


def _keep(
    connection: sqlite3.Connection, reports: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    connection.executemany(
        "INSERT INTO reports (period, report) VALUES (?, ?)"
        " ON CONFLICT (period) DO UPDATE SET report = excluded.report",
        reports,
    )
    return reports
