"""What is wrong or doubtful in a model file, and where."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_ALIKE = 0.6


class Severity(StrEnum):
    """An ``error`` keeps a model from being used; a ``warning`` is worth a second look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or doubt. ``line`` and ``column`` count from 1; ``path`` names the place."""

    severity: Severity
    line: int
    column: int
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}"
        subject = f"{self.path}: {self.message}" if self.path else self.message
        return f"{place}: {subject}" + (f" ({self.suggestion})" if self.suggestion else "")


def did_you_mean(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str:
    """``did you mean "country"?``, or nothing if no known name is like it (0 to 1)."""
    close = closest(name, known, alike=alike)
    return f'did you mean "{close}"?' if close else ""


def closest(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str:
    """The known name that is most like it; empty if none is."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=alike)
    return close[0] if close else ""
