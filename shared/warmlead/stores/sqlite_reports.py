"""Reports in an SQLite file, and what they are made of: the moves in the file of the leads."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

from msgspec import Struct

from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.ports.reporting import Life
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.move_codec import read_transition
from warmlead.stores.nurture_codec import read_nurture
from warmlead.stores.sqlite import PAGE_LEADS
from warmlead.stores.sqlite_schema import SCHEMA
from warmlead.stores.trail_codec import to_us

PAGE_MOVES = 500

_AT = "json_extract(record, '$.at')"  # so that moves of before this index are in it too

_LEARNT = "json_extract(record, '$.learnt')"
_FROM = "json_extract(record, '$.from_stage')"
_TO = "json_extract(record, '$.to_stage')"
_DAY_US = 86_400_000_000
_IS_LATE = f"{_LEARNT} / {_DAY_US} > {_AT} / {_DAY_US}"

REPORTS_SCHEMA = (
    *SCHEMA,
    f"CREATE INDEX IF NOT EXISTS transitions_by_time ON transitions ({_AT})",
    f"CREATE INDEX IF NOT EXISTS transitions_late ON transitions ({_LEARNT}) WHERE {_IS_LATE}",
    "CREATE INDEX IF NOT EXISTS aliases_of_lead ON aliases (lead_id)",
    """CREATE TABLE IF NOT EXISTS reports (
         period TEXT NOT NULL PRIMARY KEY,
         report TEXT NOT NULL)""",
)


_BEFORE_ALL, _AFTER_ALL = -(2**63), 2**63 - 1


class _Row(Struct, frozen=True):
    at_us: int
    number: int
    lead_id: str
    record: str


class SqliteReportStore:
    """The ``ReportStore`` of one machine, in the same file as its leads."""

    def __init__(self, file: SqliteFile) -> None:
        file.define(REPORTS_SCHEMA)
        self._file = file

    def moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; the earliest first."""
        return self._moves(_AT, "1", start, end)

    def late_moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; the first learnt first."""
        return self._moves(_LEARNT, _IS_LATE, start, end)

    async def _moves(
        self, time: str, condition: str, start: datetime, end: datetime
    ) -> AsyncIterator[tuple[str, Transition]]:
        at_us, number, end_us = to_us(start), -1, to_us(end)
        query = (
            f"SELECT {time}, number, lead_id, record FROM transitions"  # noqa: S608  # constants
            f" WHERE {condition} AND {time} >= ?1 AND {time} < ?3"
            f" AND ({time} > ?1 OR number > ?2)"
            f" ORDER BY {time}, number LIMIT {PAGE_MOVES}"
        )

        def ask(connection: sqlite3.Connection) -> list[_Row]:
            return [_Row(*row) for row in connection.execute(query, (at_us, number, end_us))]

        while page := await self._file.read(ask):
            for row in page:
                yield row.lead_id, read_transition(row.record)
            at_us, number = page[-1].at_us, page[-1].number

    async def nurtured(
        self, start: datetime, end: datetime
    ) -> AsyncIterator[tuple[str, NurtureRecord]]:
        """See ``ReportStore``; the earliest first."""
        at_us, number, end_us = to_us(start), -1, to_us(end)
        query = (
            "SELECT at_us, number, lead_id, record FROM nurture"  # noqa: S608  # constants
            " WHERE (at_us, number) > (?1, ?2) AND at_us < ?3"
            f" ORDER BY at_us, number LIMIT {PAGE_MOVES}"
        )

        def ask(connection: sqlite3.Connection) -> list[_Row]:
            return [_Row(*row) for row in connection.execute(query, (at_us, number, end_us))]

        while page := await self._file.read(ask):
            for row in page:
                yield row.lead_id, read_nurture(row.record)
            at_us, number = page[-1].at_us, page[-1].number

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""

        def ask(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute("SELECT stage, leads FROM stage_counts"))

        found = await self._file.read(ask)
        return {stage: found.get(stage, 0) for stage in stages}

    async def scores(self, bounds: Sequence[int]) -> Sequence[int]:
        """See ``ReportStore``."""
        query = "SELECT count(*) FROM leads WHERE score >= ? AND score < ?"
        ends = [_BEFORE_ALL, *bounds, _AFTER_ALL]

        def ask(connection: sqlite3.Connection) -> list[int]:
            return [connection.execute(query, pair).fetchone()[0] for pair in pairwise(ends)]

        return await self._file.read(ask)

    async def grown_since(self, moment: datetime, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""
        query = (
            f"SELECT {_FROM}, {_TO}, count(*) FROM transitions"  # noqa: S608  # constants
            f" WHERE {_AT} >= ? GROUP BY 1, 2"
        )

        def ask(connection: sqlite3.Connection) -> Counter[str]:
            grown: Counter[str] = Counter()
            for from_stage, to_stage, count in connection.execute(query, (to_us(moment),)):
                grown[to_stage] += count
                grown[from_stage] -= count
            return grown

        grown = await self._file.read(ask)
        return {stage: grown[stage] for stage in stages}

    async def lives(self, lead_ids: Collection[str]) -> AsyncIterator[Life]:
        """See ``ReportStore``."""
        asked = sorted(lead_ids)
        told: set[str] = set()
        for start in range(0, len(asked), PAGE_LEADS):
            page = [id_ for id_ in asked[start : start + PAGE_LEADS] if id_ not in told]
            for life in await self._file.read(partial(_lives, ids=page)):
                if not told & life.ids:
                    told |= life.ids
                    yield life

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


def _lives(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Life]:
    """The persons who have these ids; of some more than once."""
    lives = []
    for id_ in ids:
        of_person = _ids_beside(connection, id_)
        moves = [
            read_transition(record)
            for one in sorted(of_person)
            for (record,) in connection.execute(
                "SELECT record FROM transitions WHERE lead_id = ? ORDER BY number", (one,)
            )
        ]
        lives.append(Life(frozenset(of_person), in_order_learnt(moves)))
    return lives


def _ids_beside(connection: sqlite3.Connection, id_: str) -> set[str]:
    """The id and all that are joined with it by aliases, in either direction."""
    found, ahead = {id_}, [id_]
    query = (
        "SELECT lead_id FROM aliases WHERE id = ?1 UNION SELECT id FROM aliases WHERE lead_id = ?1"
    )
    while ahead:
        for (other,) in connection.execute(query, (ahead.pop(),)):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


def _keep(
    connection: sqlite3.Connection, reports: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    connection.executemany(
        "INSERT INTO reports (period, report) VALUES (?, ?)"
        " ON CONFLICT (period) DO UPDATE SET report = excluded.report",
        reports,
    )
    return reports
