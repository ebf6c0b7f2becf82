"""A played story, drawn in the terminal."""

import textwrap
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from warmlead.cli.output import count_of
from warmlead.simulation.report import (
    DayRow,
    Line,
    LineKind,
    StoryReport,
    Summary,
    in_words,
    together,
)

BAR_CELLS = 8
LEFT_CELLS = 52
"""What stands left of the words, spaces included."""

LEAST_WORDS = 16
INDENT = " " * len("10:15 ")
_SIGNS = {
    LineKind.DID: ("", ""),
    LineKind.SAID: ("", "yellow"),
    LineKind.MOVED: ("→ ", "bold"),
    LineKind.SEQUENCE: ("~ ", "dim"),
    LineKind.SENT: ("» ", "cyan"),
    LineKind.REFUSED: ("! ", "red"),
}
_KEY = "█ what they did  ░ what they are  → moved  ~ sequence  » sent to tools"
_KEY_WITH_BASE = _KEY.replace("  →", "  ▒ base  →")
_ALWAYS = ("did", "is")


def draw(report: StoryReport, console: Console) -> None:
    """The whole story on a console, of 80 columns or more."""
    first = report.days[0].date
    begins = f"{first:%A}, {first.day} {first:%B %Y}"
    console.print(Text(report.about or "A story", "bold"))
    console.print(f"{count_of(len(report.days), 'day')} from {begins}, in times of UTC")
    console.print(Text(f"under the model {report.model}, version {report.model_version}", "dim"))
    console.print()
    console.print(_table(report, console.width - LEFT_CELLS))
    console.print(Text(_KEY_WITH_BASE if "base" in _parts_of(report) else _KEY, "dim"))
    console.print()
    console.print(_sums(report.summary))


def _parts_of(report: StoryReport) -> tuple[str, ...]:
    """Of what the scores of the story are made: what was done, what the lead is, and the rest."""
    base = ["base"] if any(row.base for row in report.days) else []
    floor = ["floor"] if any(row.floor for row in report.days) else []
    return (*_ALWAYS, *base, *floor)


def _table(report: StoryReport, words: int) -> Table:
    parts = _parts_of(report)
    heading = "+".join(parts)
    words = max(LEAST_WORDS, words - len(heading) + len("+".join(_ALWAYS)))
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("day", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=BAR_CELLS)
    table.add_column(heading, no_wrap=True, style="dim")
    table.add_column("stage", no_wrap=True)
    table.add_column("what came about", width=words)
    most = max((row.score or 0 for row in report.days), default=0)
    for rows in together(report.days):
        table.add_row(*_cells(rows, parts, most, words))
    return table


def _cells(
    rows: Sequence[DayRow], parts: Sequence[str], most: int, words: int
) -> list[RenderableType]:
    """A line: of several days the last one's numbers stand for all."""
    first, last = rows[0], rows[-1]
    days = str(last.day) if len(rows) == 1 else f"{first.day}–{last.day}"
    date = f"{last.date:%a} {last.date.day:>2} {last.date:%b}"
    if last.score is None:
        return [days, date, "", "", "", "", Text("nobody knows of the lead", "dim")]
    points = {
        "did": last.engagement or 0,
        "is": last.fit or 0,
        "base": last.base or 0,
        "floor": last.floor or 0,
    }
    first_part, *others = (points[part] for part in parts)
    split = "".join([str(first_part), *(f"{each:+d}" for each in others)])
    quiet = Text(f"{count_of(len(rows), 'quiet day')}", "dim")
    return [
        days,
        date,
        Text(str(last.score), "bold"),
        _bar(last.score, points["is"], points["base"], most),
        split,
        last.stage or "",
        _told(last.lines, words) if last.lines else quiet,
    ]


def _bar(score: int, fit: int, base: int, most: int) -> Text:
    """What was done, what the lead is, and the base: as long as the score beside the highest."""

    def cells_of(points: int) -> int:
        return round(max(0, points) / max(most, 1) * BAR_CELLS)

    cells = cells_of(score)
    of_fit = min(cells, cells_of(fit))
    of_base = min(cells - of_fit, cells_of(base))
    return Text("█" * (cells - of_fit - of_base) + "░" * of_fit + "▒" * of_base, "green")


def _told(lines: Sequence[Line], width: int) -> Text:
    """The lines of a day; the time stands before the first of each moment."""
    told = Text()
    before = None
    for line in lines:
        time = f"{line.at:%H:%M} " if line.at != before else INDENT
        before = line.at
        sign, style = _SIGNS[line.kind]
        hanging = INDENT + " " * len(sign)
        text = time + sign + line.text
        for wrapped in textwrap.wrap(text, width, subsequent_indent=hanging):
            told.append("\n" if told else "")
            told.append(wrapped[: len(INDENT)], "dim")
            told.append(wrapped[len(INDENT) :], style)
    return told


def _sums(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for heading, text in in_words(summary):
        table.add_row(heading, Text(text))
    return table
