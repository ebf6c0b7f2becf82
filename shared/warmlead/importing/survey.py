"""Reads all files of an import: its events and spend, the rows with errors, and counts by month.

Beside what was understood stands what the files themselves say, counted in the texts as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.error_files import ErrorFile
from warmlead.importing.facts import Reader, RowContent, RowError, plain
from warmlead.importing.mapping import FactMapping, FileMapping, ImportMapping
from warmlead.importing.reading import Table, as_text
from warmlead.importing.spool import Spool
from warmlead.model.document import did_you_mean
from warmlead.ports.imports import Spend

_YEAR_FIRST = re.compile(r"\s*([0-9]{4})([-/.]?)([0-9]{1,2})(?![0-9]{3})")
_YEAR_LAST = re.compile(r"\s*([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")

_MONTHS = 12

MAX_UNASKED = 20
"""The most values without a fact that are told of one file."""

MAX_UNASKED_LETTERS = 60

_SAYS_NOTHING = frozenset(("", "false", "no", "0"))

MOST_HINTS = 20
"""For how many columns the one that was meant is sought: each search looks at every column."""

PROGRESS_ROWS = 500
"""After how many rows progress is told."""


@dataclass(slots=True)
class FileCounts:
    """What was found in a file: ``own`` are its rows by fact and month, as their texts say.

    ``read`` are the same as they were understood. ``unseen`` are the facts of which some text was
    read, but shows no month to the eye: of these there is nothing to compare. ``missing`` are the
    columns that the mapping names and the file does not have, as ``missing_in`` tells them.
    ``unasked`` are values of columns on which facts depend, where no fact asks for them.
    """

    path: Path
    missing: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    errors: int = 0
    silent: int = 0
    own: Counter[tuple[str, str]] = field(default_factory=Counter)
    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    unseen: set[str] = field(default_factory=set)
    unasked: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Survey:
    """All files of an import, read; ``amounts`` are the values of won deals by currency.

    A deal that stands there twice is one deal, as it is when it is imported.
    """

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
    progress: Callable[[int], None] = lambda _: None,
) -> Survey:
    """Reads the tables into the spool; ``progress`` is told how many rows are read.

    Raises ``ConfigurationError`` if the mapping does not fit the files.
    """
    parts = parts_of(tables, mapping)
    reading = _Reading(spool, mapping, progress)
    for table, part in zip(tables, parts, strict=True):
        reading.read(table, part, Reader(mapping, part, name=name, now=now), errors_in)
    return Survey(reading.files, reading.spends, reading.errors, reading.amounts())


class _Reading:
    """What was found in the tables so far."""

    def __init__(
        self, spool: Spool, mapping: ImportMapping, progress: Callable[[int], None]
    ) -> None:
        self.files: list[FileCounts] = []
        self.errors: list[ErrorFile] = []
        self.spends: dict[str, Spend] = {}
        self._deals: dict[str, tuple[bytes, str, int]] = {}
        self._spool = spool
        self._mapping = mapping
        self._progress = progress
        self._seen = 0

    def read(self, table: Table, part: FileMapping, reader: Reader, errors_in: Path | None) -> None:
        """Reads a table; a row with errors costs no other."""
        counts = FileCounts(table.path, missing=missing_in(table, part))
        named = () if table.encoding else part.columns()
        scratch = self._spool.scratch(f"errors-{len(self.files)}.csv")
        self.files.append(counts)
        with ErrorFile(table, scratch, errors_in, columns=tuple(named)) as faulty:
            self.errors.append(faulty)
            self._read_rows(table, part, reader, counts, faulty)

    def _read_rows(
        self,
        table: Table,
        part: FileMapping,
        reader: Reader,
        counts: FileCounts,
        faulty: ErrorFile,
    ) -> None:
        asked = _asked_of(part)
        for row in table.rows():
            counts.rows += 1
            _count_unasked(counts, asked, row.values)
            unseen = _count_own(counts, part, row.values, self._mapping.dates)
            try:
                said = reader.read(row)
            except RowError as error:
                counts.errors += 1
                faulty.add(row, str(error))
            else:
                counts.unseen |= unseen
                self._add(said, counts)
            self._seen += 1
            if self._seen % PROGRESS_ROWS == 0:
                self._progress(self._seen)

    def _add(self, said: RowContent, counts: FileCounts) -> None:
        """Counts what a row says, and keeps it."""
        counts.silent += not (said.events or said.spend)
        for event in said.events:
            body = self._spool.add(event)
            label = _label(event.name, event.properties)
            counts.read[label, f"{event.occurred_at:%Y-%m}"] += 1
            if event.name == "sales_won" and "value_cents" in event.properties:
                cents = int(str(event.properties["value_cents"]))
                deal = (body, str(event.properties["currency"]), cents)
                self._deals[event.key] = min(deal, self._deals.get(event.key, deal))
        if said.spend:
            self.spends[said.spend.key] = said.spend
            counts.read["spend", said.month] += 1

    def amounts(self) -> dict[str, int]:
        """The values of won deals by currency: of each deal once, that which the spool keeps."""
        total: Counter[str] = Counter()
        for _, currency, cents in self._deals.values():
            total[currency] += cents
        return dict(total)


def parts_of(tables: Sequence[Table], mapping: ImportMapping) -> list[FileMapping]:
    """The part of the mapping for each table; raises ``ConfigurationError`` if one is missing.

    An export has the columns that somebody chose: one that names the person and one with a time are
    enough, or the day and the amount of spend.
    """
    problems, parts = [], []
    for table in tables:
        part = mapping.of_file(table.path)
        if part is None:
            patterns = ", ".join(mapping.files)
            problems.append(f"{table.path.name}: no name under files fits it ({patterns})")
            continue
        parts.append(part)
        missing = missing_in(table, part)
        for kind, wanted in _needed(part):
            if wanted <= missing.keys():
                named = missing_text({each: missing[each] for each in sorted(wanted)})
                has = ", ".join(table.columns[:MOST_HINTS])
                problems.append(f"{table.path.name}: no column {kind}: {named}; it has {has}")
    if problems:
        raise ConfigurationError("The mapping does not fit the files:", problems)
    return parts


def missing_in(table: Table, part: FileMapping) -> dict[str, str]:
    """The columns that are named and are not there, each with where it is named, and a hint.

    Of JSON lines none is: later lines may have what the first ones lack.
    """
    if not table.encoding and table.path.suffix != ".parquet":
        return {}
    missing = {c: where for c, where in part.columns().items() if c not in table.columns}
    for column in list(missing)[:MOST_HINTS]:
        if hint := did_you_mean(column, table.columns):
            missing[column] += f"; {hint}"
    return missing


def _needed(part: FileMapping) -> list[tuple[str, set[str]]]:
    """What a row cannot do without: for each kind the columns of which one must be there."""
    if part.spend:
        return [("for the day", {part.spend.day}), ("for the amount", {part.spend.amount})]
    named, times = {*part.persons.values()}, {fact.at for fact in part.facts}
    return [("that names the person", named), ("with a time", times)]


def missing_text(missing: Mapping[str, str]) -> str:
    """Columns that are not there as people are told of them."""
    return ", ".join(f'"{column}" ({where})' for column, where in missing.items())


def _asked_of(part: FileMapping) -> dict[str, set[str]]:
    """The values for which facts ask, by column."""
    asked: dict[str, set[str]] = {}
    for fact in part.facts:
        for column, wanted in fact.when.items():
            texts = [wanted] if isinstance(wanted, str) else wanted
            asked.setdefault(column, set()).update(map(plain, texts))
    return asked


def _count_unasked(
    counts: FileCounts, asked: Mapping[str, set[str]], values: Mapping[str, object]
) -> None:
    """Counts the values of a row for which no fact asks; the first ones of each column."""
    for column, known in asked.items():
        text = as_text(values.get(column) or "").strip()[:MAX_UNASKED_LETTERS]
        is_asked = plain(text) in known or plain(text) in _SAYS_NOTHING
        is_kept = (column, text) in counts.unasked or len(counts.unasked) < MAX_UNASKED
        if is_kept and not is_asked:
            counts.unasked[column, text] += 1


def label_of(fact: FactMapping) -> str:
    """The name of a fact in tables of counts."""
    if fact.event is not None:
        return fact.event.removeprefix("sales_")
    return str(fact.stage or fact.said or f"{fact.event_from} …")


def _label(name: str, properties: Mapping[str, object]) -> str:
    if name == "sales_qualified":
        return str(properties.get("reason"))
    return name.removeprefix("sales_")


def _count_own(
    counts: FileCounts, part: FileMapping, values: Mapping[str, object], dates: str | None
) -> set[str]:
    """Counts a row by the months that stand in it, without any reading of times.

    Answers the facts whose text shows no month.
    """
    columns = [(label_of(fact), fact.at) for fact in part.facts if not fact.when]
    if part.spend:
        columns.append(("spend", part.spend.day))
    unseen = set()
    for label, column in columns:
        value = values.get(column)
        if not isinstance(value, str) or not value.strip():
            continue
        if month := _month_in(value, dates):
            counts.own[label, month] += 1
        else:
            unseen.add(label)
    return unseen


def _month_in(text: str, dates: str | None) -> str:
    """The month that stands in a text, such as ``2018-03``; empty if the eye sees none.

    With dots the day comes first; otherwise the mapping says it, or a number above 12.
    """
    if found := _YEAR_FIRST.match(text):
        return f"{found[1]}-{found[3].zfill(2)}"
    found = _YEAR_LAST.match(text)
    if found is None:
        return ""
    one, sign, other, year = found.groups()
    is_day_first = dates == "day-first" if dates else sign == "." or int(one) > _MONTHS
    if not (dates or is_day_first or int(other) > _MONTHS):
        return ""
    return f"{year}-{(other if is_day_first else one).zfill(2)}"
