"""Reads all files of an import: its events and spend, the rows with errors, and counts by month.

Beside what was understood stands what the files themselves say, counted in the texts as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.facts import Reader, RowContent, RowError
from warmlead.importing.mapping import FactMapping, FileMapping, ImportMapping
from warmlead.importing.reading import ErrorFile, Table
from warmlead.importing.spool import Spool
from warmlead.model.document import did_you_mean
from warmlead.ports.imports import Spend

_MONTH = re.compile(r"\s*([0-9]{4})-?([0-9]{2})")

MOST_HINTS = 20
"""For how many columns the one that was meant is sought: each search looks at every column."""

PROGRESS_ROWS = 500
"""After how many rows progress is told."""


@dataclass(slots=True)
class FileCounts:
    """What was found in a file: ``own`` are its rows by fact and month, as their texts say.

    ``read`` are the same as they were understood.
    """

    path: Path
    rows: int = 0
    errors: int = 0
    silent: int = 0
    own: Counter[tuple[str, str]] = field(default_factory=Counter)
    read: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Survey:
    """All files of an import, read; ``amounts`` are the values of won deals by currency."""

    files: Sequence[FileCounts]
    spends: Mapping[str, Spend]
    errors: Sequence[ErrorFile]
    amounts: Mapping[str, int]

    @property
    def months(self) -> list[str]:
        """The months of which something is told, the earliest first."""
        return sorted({month for each in self.files for _, month in each.read})

    @property
    def rows(self) -> int:
        """The number of rows in all files."""
        return sum(each.rows for each in self.files)


def survey(
    tables: Sequence[Table],
    mapping: ImportMapping,
    spool: Spool,
    *,
    name: str,
    now: datetime,
    errors_in: Path | None = None,
    is_ready: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Survey:
    """Reads the tables into the spool; ``progress`` is told how many rows are read.

    Of a mapping that ``is_ready`` an export need not have all columns.

    Raises ``ConfigurationError`` if the mapping does not fit the files.
    """
    parts = parts_of(tables, mapping, is_ready=is_ready)
    reading = _Reading(spool, progress)
    for table, part in zip(tables, parts, strict=True):
        reading.read(table, part, Reader(mapping, part, name=name, now=now), errors_in)
    return Survey(reading.files, reading.spends, reading.errors, reading.amounts)


class _Reading:
    """What was found in the tables so far."""

    def __init__(self, spool: Spool, progress: Callable[[int], None]) -> None:
        self.files: list[FileCounts] = []
        self.errors: list[ErrorFile] = []
        self.spends: dict[str, Spend] = {}
        self.amounts: Counter[str] = Counter()
        self._spool = spool
        self._progress = progress
        self._seen = 0

    def read(self, table: Table, part: FileMapping, reader: Reader, errors_in: Path | None) -> None:
        """Reads a table; a row with errors costs no other."""
        counts, faulty = FileCounts(table.path), ErrorFile(table, errors_in)
        self.files.append(counts)
        self.errors.append(faulty)
        for row in table.rows():
            counts.rows += 1
            _count_own(counts, part, row.values)
            try:
                said = reader.read(row)
            except RowError as error:
                counts.errors += 1
                faulty.add(row, str(error))
            else:
                self._add(said, counts)
            self._seen += 1
            if self._seen % PROGRESS_ROWS == 0:
                self._progress(self._seen)

    def _add(self, said: RowContent, counts: FileCounts) -> None:
        """Counts what a row says, and keeps it."""
        counts.silent += not (said.events or said.spend)
        for event in said.events:
            self._spool.add(event)
            label = _label(event.name, event.properties)
            counts.read[label, f"{event.occurred_at:%Y-%m}"] += 1
            if event.name == "sales_won" and "value_cents" in event.properties:
                cents = int(str(event.properties["value_cents"]))
                self.amounts[str(event.properties["currency"])] += cents
        if said.spend:
            self.spends[said.spend.key] = said.spend
            counts.read["spend", said.month] += 1


def parts_of(
    tables: Sequence[Table], mapping: ImportMapping, *, is_ready: bool
) -> list[FileMapping]:
    """The part of the mapping for each table; raises ``ConfigurationError`` if one is missing.

    An export of a tool has the columns that somebody chose: of a ready mapping one that names the
    person, and one with a time, are enough.
    """
    problems, parts = [], []
    for table in tables:
        part = mapping.of_file(table.path)
        if part is None:
            patterns = ", ".join(mapping.files)
            problems.append(f"{table.path.name}: no name under files fits it ({patterns})")
            continue
        parts.append(part)
        known = set(table.columns)
        of_lines = not table.encoding and table.path.suffix != ".parquet"  # others may have more
        wanted = _least_of(part, known) if is_ready else part.columns()
        for column, where in wanted.items():
            if column not in known and not of_lines:
                hint = did_you_mean(column, known) if len(problems) < MOST_HINTS else ""
                tail = hint or f"it has {', '.join(table.columns[:20])}"
                problems.append(f'{table.path.name}: {where}: no column "{column}" ({tail})')
    if problems:
        raise ConfigurationError("The mapping does not fit the files:", problems)
    return parts


def _least_of(part: FileMapping, known: Collection[str]) -> dict[str, str]:
    """The columns that are missing if there is none of their kind; each with where."""
    person = {each: "email" for each in (part.email, part.user_id, part.anonymous_id) if each}
    times = {fact.at: f"facts[{place}]" for place, fact in enumerate(part.facts)}
    if part.spend:
        times = {part.spend.day: "spend"}
    return {
        column: where
        for kind in (person, times)
        if kind and not kind.keys() & known
        for column, where in kind.items()
    }


def label_of(fact: FactMapping) -> str:
    """The name of a fact in tables of counts."""
    return str(fact.stage or fact.said or fact.event or f"{fact.event_from} …")


def _label(name: str, properties: Mapping[str, object]) -> str:
    if name == "sales_qualified":
        return str(properties.get("reason"))
    return name.removeprefix("sales_")


def _count_own(counts: FileCounts, part: FileMapping, values: Mapping[str, object]) -> None:
    """Counts a row by the months that stand in it, without any reading of times."""
    columns = [(label_of(fact), fact.at) for fact in part.facts if not fact.when]
    if part.spend:
        columns.append(("spend", part.spend.day))
    for label, column in columns:
        value = values.get(column)
        if isinstance(value, str) and (found := _MONTH.match(value)):
            counts.own[label, f"{found[1]}-{found[2]}"] += 1
