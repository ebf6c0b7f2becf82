"""Tables of a report, as every form of it shows them: in the terminal, as CSV, as a page.

A cell has a text for people and a value for programs, and says what is to be doubted about it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from warmlead.domain.money import DECIMALS
from warmlead.messages.cohorts import Reached, Ripening
from warmlead.messages.kpis import Waits
from warmlead.reporting.statistics import SMALL_SAMPLE

_HOUR_MIN = 60
_DAY_MIN = 24 * 60
_SHOWN_IN_MIN = 2 * _HOUR_MIN
_SHOWN_IN_H = 2 * _DAY_MIN


MOST_ROWS = 15
"""Number of rows of a long table that people are shown."""


class Doubt(StrEnum):
    """What is to be doubted about a number."""

    NONE = ""
    FEW = "few"
    """Of fewer persons than ``SMALL_SAMPLE``."""
    UNFINISHED = "unfinished"
    """Some persons have not had the time yet."""


class Cell(Struct, frozen=True):
    """One value: ``text`` is for people, ``value`` for programs; ``None``: there is none."""

    text: str
    value: int | float | str | None = None
    doubt: Doubt = Doubt.NONE


class TableRow(Struct, frozen=True):
    """A row of a table; visitors may have written its ``label``. ``depth`` 1: part of one above."""

    label: str
    cells: Sequence[Cell]
    depth: int = 0


class ReportTable(Struct, frozen=True):
    """A table with a heading; ``columns`` are those of the cells, ``notes`` stand below it.

    People are shown the first rows alone of one that ``is_long``.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[TableRow]
    notes: Sequence[str] = ()
    is_long: bool = False

    @property
    def shortened(self) -> "ReportTable":
        """The table as people are shown it."""
        left = len(self.rows) - MOST_ROWS
        if not self.is_long or left <= 0:
            return self
        notes = [f"And {left} more rows, which CSV has.", *self.notes]
        return ReportTable(self.title, self.columns, self.rows[:MOST_ROWS], notes)


Cells: TypeAlias = Sequence[Cell]

BLANK = Cell("–")
"""There is nothing to say; zero would be something else."""


def number(value: int | None) -> Cell:
    """A count."""
    return BLANK if value is None else Cell(f"{value:,}", value)


def text(value: str) -> Cell:
    """A word."""
    return Cell(value, value) if value else BLANK


def share(reached: int, of: int) -> Cell:
    """A rate in percent; blank of nobody."""
    if not of:
        return BLANK
    doubt = Doubt.FEW if of < SMALL_SAMPLE else Doubt.NONE
    return Cell(f"{100 * reached / of:.1f} %", round(reached / of, 4), doubt)


def rate(found: Reached) -> Cell:
    """The rate of a cohort; of a young one it is marked.

    Of a few who have had the time it is told as a count: one of one is not 100 %.
    """
    if not found.of and isinstance(found, Ripening) and not found.is_finished:
        return Cell("…", None, Doubt.UNFINISHED)
    cell = share(found.reached, found.of)
    if isinstance(found, Ripening) and not found.is_finished:
        is_few = found.of < SMALL_SAMPLE
        shown = f"{found.reached:,} of {found.of:,}" if is_few else cell.text
        return Cell(f"{shown} …", cell.value, Doubt.UNFINISHED)
    return cell


def likely(found: Reached) -> Cell:
    """The range in which the true rate is 19 times in 20."""
    low, high = found.low_per_mille, found.high_per_mille
    if low is None or high is None:
        return BLANK
    doubt = Doubt.FEW if found.of < SMALL_SAMPLE else Doubt.NONE
    words = f"{low / 10:.1f}–{high / 10:.1f} %"
    return Cell(words, words, doubt)


def rate_and_likely(found: Reached) -> Cell:
    """The rate of a cohort, and in what range the true rate is 19 times in 20."""
    cell = rate(found)
    low, high = found.low_per_mille, found.high_per_mille
    if low is None or high is None:
        return cell
    return Cell(f"{cell.text} ({low / 10:.1f}–{high / 10:.1f})", cell.value, cell.doubt)


def span(minutes: int | None) -> Cell:
    """A time in minutes, hours or days, whichever is easiest to read."""
    if minutes is None:
        return BLANK
    size = abs(minutes)
    if size < _SHOWN_IN_MIN:
        return Cell(f"{minutes} min", minutes)
    if size < _SHOWN_IN_H:
        return Cell(f"{minutes / _HOUR_MIN:.1f} h", minutes)
    return Cell(f"{minutes / _DAY_MIN:.1f} d", minutes)


def waits(found: Waits) -> Cells:
    """How many were measured, median, 90th percentile and mean."""
    doubt = Doubt.FEW if found.count < SMALL_SAMPLE else Doubt.NONE
    times = (found.median_minutes, found.p90_minutes, found.mean_minutes)
    shown = [span(minutes) for minutes in times]
    return [number(found.count), *(Cell(each.text, each.value, doubt) for each in shown)]


def money(smallest_units: int, currency: str) -> Cell:
    """An amount of a currency; its value is in the smallest unit."""
    decimals = DECIMALS.get(currency, 0)
    whole, rest = divmod(abs(smallest_units), 10**decimals)
    sign = "-" if smallest_units < 0 else ""
    shown = f"{whole:,}.{rest:0{decimals}}" if decimals else f"{whole:,}"
    return Cell(f"{sign}{shown} {currency}", smallest_units)


def amounts(by_currency: Mapping[str, int]) -> Cell:
    """Amounts of several currencies, which are never added."""
    cells = [money(units, currency) for currency, units in by_currency.items()]
    if len(cells) == 1:
        return cells[0]
    return text(", ".join(cell.text for cell in cells))


def cost(spend: Mapping[str, int], persons: int) -> Cell:
    """What one of some persons cost, halves rounded up; all of it if there was nobody."""
    if not spend:
        return BLANK
    if not persons:
        return Cell(f"{amounts(spend).text} for none")
    each = {currency: (2 * units + persons) // (2 * persons) for currency, units in spend.items()}
    return amounts(each)
