"""The forms of a report: tables in the terminal, CSV for spreadsheets, one page to be printed."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Shown

from warmlead.cli.output import groups_that_fit
from warmlead.dashboard.csv_file import inert
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.charts import funnel, rates
from warmlead.reporting.periods import ALL
from warmlead.reporting.sheet import Comparison, sheet
from warmlead.reporting.statistics import SMALL_SAMPLE
from warmlead.reporting.tables import Cell, Doubt, ReportTable

_STYLES = {Doubt.FEW: "dim italic", Doubt.UNFINISHED: "yellow"}

_FEW = "*"
"""Marks a number of few persons where there are no colors: in a pipe, in a file."""

_PIPE = 10_000
"""The width of a line that no terminal cuts."""

_LEAST_LABEL, _LABEL, _GAP = 18, 34, 2
"""Columns of a terminal: for a label at least and at most, and the space after a column."""


def days_of(report: KpiReport) -> str:
    """The first and the last day of the period; one day if it has no other."""
    first, last = report.start.date(), report.end.date() - timedelta(days=1)
    if report.period == ALL:
        return f"until {last} UTC"
    return f"{first} UTC" if last <= first else f"{first} to {last} UTC"


def print_tables(console: Console, compared: Comparison) -> None:
    """The report in the terminal, or in a pipe, where no line is cut."""
    width = console.width
    if not console.is_terminal:
        console.width = _PIPE  # a table that is wider than its console loses letters
    try:
        _print_tables(console, compared)
    finally:
        console.width = width


def _print_tables(console: Console, compared: Comparison) -> None:
    marked = not console.is_terminal
    console.print(f"[bold]{compared.report.period}[/], {days_of(compared.report)}")
    tables = [table.shortened for table in sheet(compared)]
    for table in tables:
        console.print()
        console.print(f"[bold]{escape(table.title)}[/]")
        widths = [_width(table, index, marked=marked) for index in range(len(table.columns))]
        for columns in _groups_of_columns(table, widths, console.width):
            console.print(_shown(table, columns, widths, marked=marked))
        for note in table.notes:
            console.print(f"[dim]{escape(note)}[/]")
    doubts = {cell.doubt for table in tables for row in table.rows for cell in row.cells}
    if Doubt.FEW in doubts:
        sign = _FEW if marked else "Like this"
        console.print(f"\n[dim italic]{sign}[/][dim]: of fewer than {SMALL_SAMPLE} persons.[/]")


def _groups_of_columns(
    table: ReportTable, widths: Sequence[int], width: int
) -> Iterator[Sequence[int]]:
    """The table's columns, as many at a time as fit beside the labels."""
    labels = (2 * row.depth + len(row.label) for row in table.rows)
    beside = width - min(max(_LEAST_LABEL, *labels), _LABEL) - _GAP
    return groups_that_fit([each + _GAP for each in widths], beside)


def _width(table: ReportTable, index: int, *, marked: bool) -> int:
    """The letters of a column's longest text; a heading may stand on several lines."""
    cells = (row.cells[index] for row in table.rows)
    texts = (*table.columns[index].split(), *(_text(cell, marked=marked) for cell in cells))
    return max(map(len, texts), default=0)


def _shown(
    table: ReportTable, columns: Sequence[int], widths: Sequence[int], *, marked: bool
) -> Shown:
    shown = Shown(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    shown.add_column("", overflow="fold", min_width=_LEAST_LABEL, max_width=_LABEL)
    for index in columns:
        column = escape(table.columns[index])
        shown.add_column(column, justify="right", width=widths[index])
    for row in table.rows:
        cells = [_styled(row.cells[index], marked=marked) for index in columns]
        shown.add_row(f"{'  ' * row.depth}{escape(row.label)}", *cells)
    return shown


def _styled(cell: Cell, *, marked: bool) -> str:
    style, text = _STYLES.get(cell.doubt), escape(_text(cell, marked=marked))
    return f"[{style}]{text}[/]" if style else text


def _text(cell: Cell, *, marked: bool) -> str:
    return f"{cell.text} {_FEW}" if marked and cell.doubt is Doubt.FEW else cell.text


def as_csv(compared: Comparison) -> str:
    """The report as CSV (RFC 4180), one value a line.

    Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    into = StringIO()
    lines = csv.writer(into)
    lines.writerow(("period", "table", "row", "column", "value", "doubt"))
    for table in sheet(compared):
        above = ""
        for row in table.rows:
            above = above if row.depth else row.label
            label = f"{above} / {row.label}" if row.depth else row.label
            for column, cell in zip(table.columns, row.cells, strict=True):
                place = (compared.report.period, table.title, label, column)
                lines.writerow(map(inert, (*place, cell.value, str(cell.doubt))))
    return into.getvalue()


def as_page(compared: Comparison, now: datetime) -> str:
    """The report as one page of HTML, which fetches nothing and runs nothing."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  # the other forms need none

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = Path(__file__).with_name("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        report=compared.report,
        title="All time" if compared.report.period == ALL else compared.report.period,
        days=days_of(compared.report),
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        funnel=funnel(compared.report),
        charts=rates(compared.report),
        tables=[table.shortened for table in sheet(compared)],
        small=SMALL_SAMPLE,
    )
