"""Reads the rows of a file: CSV in any usual dialect and encoding, JSON lines, Parquet.

A file is read as a stream, twice at most, and the work is linear in its size. A row that cannot be
read is handed out with its fault, and costs no other row.
"""

import csv
import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from warmlead.domain.errors import ConfigurationError, RejectedError
from warmlead.parsing.formulas import unguarded
from warmlead.parsing.strict_json import loads, text_of
from warmlead.settings import why_unreadable

ERROR_COLUMN = "import_error"
"""The column of a file of errors that says what is wrong; it is ignored when read again."""

ERRORS_SUFFIX = ".errors.csv"
"""How the name of a file of errors ends, behind the name of the file that had them."""

MAX_COLUMNS = 1_000
MAX_FIELD = 131_072
"""The longest field of a row, in characters: longer ones come of a quote that is never closed."""

MAX_ROW = 1_048_576
"""The longest row of CSV, in characters, and the longest line of JSON, in bytes."""

MAX_NAME = 1_000
"""The longest name of a column, in characters: that of a nested one is made of all above it."""

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_NO_DELIMITERS = ("", '"', "\r", "\n", "\0")
"""What divides or ends no fields, whatever a file says."""

_BOMS = ((BOM_UTF8, "utf-8-sig"), (BOM_UTF16_LE, "utf-16"), (BOM_UTF16_BE, "utf-16"))

_PACKED: Mapping[bytes, str] = {
    b"PK": "it is a workbook or an archive: save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "it is a workbook of Excel: save the sheet as CSV",
    b"\x1f\x8b": "it is packed with gzip: unpack it",
}

Values = Mapping[str, Any]
"""The values of a row by column. Those of CSV are texts."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``number`` is that of its line, or of the row in Parquet, from 1.

    ``fault`` says why it could not be read, if so; then ``values`` are what could be.
    """

    number: int
    values: Values
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file with rows; ``columns`` are those of CSV and Parquet, or of the first JSON lines."""

    path: Path
    columns: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""

    def rows(self) -> Iterator[Row]:
        """The rows in their order; raises ``ConfigurationError`` if the file cannot be read on."""
        try:
            if self.path.suffix == ".parquet":
                yield from _parquet_rows(self.path)
            elif self.encoding:
                yield from self._csv_rows()
            else:
                yield from _json_rows(self.path)
        except OSError as error:
            raise _unreadable(self.path, why_unreadable(error)) from error

    def _csv_rows(self) -> Iterator[Row]:
        with _text(self.path, self.encoding) as file:
            reader = _Records(file, self.delimiter)
            names = [name.strip() for name in reader.next() or ()]
            header = _as_given(names, names)
            while True:
                try:
                    fields = reader.next()
                except csv.Error:
                    problem = (
                        f"a field has more than {MAX_FIELD} characters, or the row more than "
                        f"{MAX_ROW}; is a quote open?"
                    )
                    yield Row(reader.line_num, {}, problem)
                    continue
                if fields is None:
                    return
                if any(map(str.strip, fields)):
                    yield _row(reader.line_num, header, _as_given(header, fields))


def _as_given(header: Sequence[str], fields: Sequence[str]) -> Sequence[str]:
    """The fields as they were, of a file of errors without its apostrophes before formulas."""
    return [*map(unguarded, fields)] if ERROR_COLUMN in header else fields


def _row(number: int, header: Sequence[str], fields: Sequence[str]) -> Row:
    pairs = zip(header, fields, strict=False)
    values = {name: value for name, value in pairs if name != ERROR_COLUMN}
    known = len(header) - (ERROR_COLUMN in header)
    if len(values) == known and not any(fields[len(header) :]):
        return Row(number, values)
    problem = f"the row has {len(fields)} fields, the header {len(header)}"
    return Row(number, values, problem)


def open_table(path: Path) -> Table:
    """The table in a file, by its name and content.

    Raises ``ConfigurationError`` if there is none: it says what to do.
    """
    try:
        if path.suffix == ".parquet":
            return Table(path, _parquet_columns(path))
        if path.suffix in (".jsonl", ".ndjson", ".json"):
            return Table(path, _json_columns(path))
        _refuse_packed(path)
        encoding = _encoding_of(path)
        with _text(path, encoding) as file:
            first = file.readline(MAX_FIELD)
            delimiter = _delimiter_of(first)
        return Table(path, _header(path, encoding, delimiter), encoding, delimiter)
    except OSError as error:
        raise _unreadable(path, why_unreadable(error)) from error


def _refuse_packed(path: Path) -> None:
    """Raises ``ConfigurationError`` for what is often taken for a table of text."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, problem in _PACKED.items():
        if start.startswith(mark):
            raise _unreadable(path, problem)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, why_unreadable(error)) from error


def as_text(value: object) -> str:
    """A value as a file of texts has it."""
    if isinstance(value, str):
        return value
    return text_of(value) if isinstance(value, list | bool | float) else str(value)


def _unreadable(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError.one(f"{path} cannot be imported:", problem)


# --- CSV ---------------------------------------------------------------------------------


def _encoding_of(path: Path) -> str:
    """By the mark at the start; else UTF-8 if all of it is, or what Excel writes in the west."""
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return encoding
        file.seek(0)
        decoder = getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _text(path: Path, encoding: str) -> IO[str]:
    return path.open(encoding=encoding, errors="replace", newline="")


class _Records:
    """The records of a text, none of them longer than ``MAX_ROW``.

    The limit holds while a record is read: its fields take many times as much room as its text.
    """

    def __init__(self, file: IO[str], delimiter: str) -> None:
        csv.field_size_limit(MAX_FIELD)
        start = file.tell()
        if not file.readline(16).strip().lower().startswith("sep="):
            file.seek(start)
        self._file = file
        self._left = 0
        self._reader = csv.reader(iter(self._line, ""), delimiter=delimiter)
        self._delimiter = delimiter
        self.line_num = 0
        """The number of lines that were read."""

    def next(self) -> list[str] | None:
        """The fields of the next record, ``None`` at the end; ``csv.Error`` if it is too long."""
        self._left = MAX_ROW
        try:
            return next(self._reader, None)
        except csv.Error:
            self._reader = csv.reader(iter(self._line, ""), delimiter=self._delimiter)
            raise

    def _line(self) -> str:
        line = self._file.readline(self._left + 1)
        self._left -= len(line)
        self.line_num += bool(line)
        if self._left >= 0:
            return line
        while line and not line.endswith(("\n", "\r")):
            line = self._file.readline(MAX_ROW)
        raise csv.Error("the row is too long")


def _delimiter_of(line: str) -> str:
    """The sign that divides the header most often, outside of quotes; Excel may name it."""
    if line.lower().startswith("sep=") and line[4:5] not in _NO_DELIMITERS:
        return line[4]
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _header(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    with _text(path, encoding) as file:
        try:
            written = [name.strip() for name in _Records(file, delimiter).next() or ()]
            names = _as_given(written, written)
        except csv.Error as error:
            raise _unreadable(path, "the first line is no header of columns") from error
    if not any(names):
        raise _unreadable(path, "it is empty: the first line must name the columns")
    if len(names) > MAX_COLUMNS:
        raise _unreadable(path, f"it has more than {MAX_COLUMNS} columns")
    seen: set[str] = set()
    for name in names:
        if len(name) > MAX_NAME:
            raise _unreadable(path, f"the name of a column has more than {MAX_NAME} characters")
        if name and name in seen:
            raise _unreadable(path, f'two columns are named "{name}": rename one of them')
        seen.add(name)
    return tuple(name for name in names if name and name != ERROR_COLUMN)


# --- JSON lines --------------------------------------------------------------------------


_VALUES = frozenset(("string_value", "int_value", "float_value", "double_value"))
_TYPES = _VALUES | {"set_timestamp_micros"}
_PAIR = frozenset(("key", "value"))

_LOOKED_AT = 100
"""How many lines are looked at for the names of columns."""


def _json_columns(path: Path) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for count, row in enumerate(_json_rows(path)):
        names |= dict.fromkeys(row.values)
        if count == _LOOKED_AT:
            break
    if not names:
        problem = "it has no line with a JSON object; a list of objects is to be one line for each"
        raise _unreadable(path, problem)
    return tuple(names)


def _json_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_ROW + 1):
            number += 1
            if len(line) > MAX_ROW:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_ROW)
                yield Row(number, {}, f"the line has more than {MAX_ROW} bytes")
            elif line.strip():
                yield _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row:
    try:
        value = loads(line)
    except RejectedError as error:
        return Row(number, {}, error.message)
    if not isinstance(value, dict):
        return Row(number, {}, "the line is not a JSON object")
    return _flat_row(number, value)


def _flat_row(number: int, value: Mapping[str, Any]) -> Row:
    """The values by their path: ``{"geo": {"country": "DE"}}`` has ``geo.country``.

    A list of keys with values is read as a mapping.

    A path is made only when it is needed, and is short: a long name above many values would make
    thousands of times as much of a line.
    """
    flat: dict[str, Any] = {}
    waiting = [("", iter(value.items()))]
    while waiting:
        above, items = waiting[-1]
        name, held = next(items, (None, None))
        if name is None:
            waiting.pop()
            continue
        if len(above) + len(name) > MAX_NAME:
            problem = f"the name of a column has more than {MAX_NAME} characters"
            return Row(number, flat, problem)
        path = f"{above}.{name}" if above else name
        held = _by_key(held) if isinstance(held, list) else held
        if isinstance(held, Mapping):
            waiting.append((path, iter(held.items())))
        elif path and path != ERROR_COLUMN:
            if len(flat) == MAX_COLUMNS and path not in flat:
                return Row(number, flat, f"the row has more than {MAX_COLUMNS} columns")
            flat[path] = held
    return Row(number, flat)


def _by_key(listed: list[Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A list such as the ``event_params`` of Google Analytics as a mapping; any other as it is.

    Of the value's types one is set (https://support.google.com/analytics/answer/7029846).
    """
    pairs = [each for each in listed if isinstance(each, dict) and isinstance(each.get("key"), str)]
    if not pairs or len(pairs) < len(listed) or any(each.keys() != _PAIR for each in pairs):
        return listed
    return {each["key"]: _typed(each["value"]) for each in pairs}


def _typed(value: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    if not isinstance(value, dict) or not value.keys() <= _TYPES:
        return value
    return next(
        (value[name] for name in value if name in _VALUES and value[name] is not None), None
    )


# --- Parquet -----------------------------------------------------------------------------


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:  # pyarrow has no types
    """A file whose texts stay packed until a row is asked for: a short file may hold gigabytes.

    Raises ``ConfigurationError`` for what cannot be read of it, now or in the block.
    """
    try:
        from pyarrow import ArrowException  # noqa: PLC0415  # 100 MB that few need
        from pyarrow.parquet import ParquetFile, read_metadata  # noqa: PLC0415  # as above
    except ImportError as error:
        problem = "Parquet needs one more package: pip install 'warmlead[parquet]'"
        raise _unreadable(path, problem) from error
    try:
        schema = read_metadata(path).schema
        if len(schema) > MAX_COLUMNS:
            raise _unreadable(path, f"it has more than {MAX_COLUMNS} columns")
        names = Counter(schema.to_arrow_schema().names)
        for name in (each for each, times in names.items() if times > 1):
            raise _unreadable(path, f'two columns are named "{name}": rename one of them')
        columns = (schema.column(n) for n in range(len(schema)))
        texts = [each.path for each in columns if each.physical_type == "BYTE_ARRAY"]
        with ParquetFile(path, read_dictionary=texts) as file:
            yield file
    except (ValueError, OverflowError, OSError, ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, and not of what is in the file
        problem = "it is not a Parquet file, or is damaged, or holds what no table can"
        raise _unreadable(path, problem) from error


def _parquet_columns(path: Path) -> tuple[str, ...]:
    with _parquet(path) as file:
        first = next(file.iter_batches(batch_size=1), None)
        row = _parquet_row(1, first) if first is not None else Row(1, {})
        names = row.values or dict.fromkeys(file.schema_arrow.names)
    return tuple(names)


def _parquet_rows(path: Path) -> Iterator[Row]:
    with _parquet(path) as file:
        number = 0
        for batch in file.iter_batches(batch_size=1_000):
            for place in range(batch.num_rows):
                number += 1
                yield _parquet_row(number, batch.slice(place, 1))


def _parquet_row(number: int, only: Any) -> Row:  # noqa: ANN401  # pyarrow has no types
    """The ``only`` row of a batch."""
    try:
        row = _flat_row(number, only.to_pylist()[0])
    except (ValueError, OverflowError):  # a time of the year 200,000, bytes that are no text
        return Row(number, {}, "a value cannot be read")
    long = [name for name, each in row.values.items() if len(_sized(each)) > MAX_FIELD]
    if not long:
        return row
    kept = {name: each for name, each in row.values.items() if name not in long}
    return Row(number, kept, f"{long[0]} has more than {MAX_FIELD} characters")


def _sized(value: object) -> Sized:
    """The value, if it has a length; else one without any."""
    return value if isinstance(value, str | bytes | list) else ()
