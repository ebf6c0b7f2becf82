"""The rows of a file that could not be imported, as a file to be corrected."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.reading import ERROR_COLUMN, ERRORS_SUFFIX, Row, Table, as_text
from warmlead.parsing.formulas import guarded
from warmlead.settings import why_unreadable


class ErrorFile:
    """Collects the rows of a table that could not be imported, each with the reason.

    They go to the file ``scratch`` as they come, so that memory holds none of them; use it as a
    context while rows are added. ``write`` then puts them beside the table as ``FILE.errors.csv``,
    or into ``folder``. ``columns`` are those that a row has: of JSON lines more than the first
    lines show. What a spreadsheet would take for a formula has an apostrophe before it, which is
    taken off when the file is read.
    """

    def __init__(
        self,
        table: Table,
        scratch: Path,
        folder: Path | None = None,
        *,
        columns: Sequence[str] = (),
    ) -> None:
        name = table.path.name.removesuffix(ERRORS_SUFFIX)
        self.path = (folder or table.path.parent) / f"{name}{ERRORS_SUFFIX}"
        self.count = 0
        self._columns = tuple(dict.fromkeys((*table.columns, *columns)))
        self._scratch = scratch
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        """Adds a row; raises ``OSError`` if there is no room for it."""
        if self._file is None:
            self._file = self._scratch.open("w", encoding="utf-8", newline="")
            _put(self._file, [*map(guarded, self._columns), ERROR_COLUMN])
        given = (row.values.get(name) for name in self._columns)
        texts = ("" if value is None else guarded(as_text(value)) for value in given)
        _put(self._file, [*texts, guarded(reason)])
        self.count += 1

    def write(self) -> None:
        """Writes the file if there are any rows; raises ``ConfigurationError`` if it cannot."""
        try:
            if self.count:
                shutil.copyfile(self._scratch, self.path)
        except OSError as error:
            problem = f"{why_unreadable(error)}; choose another folder: --errors FOLDER"
            raise ConfigurationError.one(f"{self.path} cannot be written:", problem) from error


def _put(file: IO[str], fields: Sequence[str]) -> None:
    csv.writer(file, lineterminator="\n").writerow(fields)
