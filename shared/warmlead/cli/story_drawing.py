"""Draws a played story in the terminal: a line a day, quiet days together, the sums at the end.

Says everything in signs and words, colours only besides. Sums are those of the report.
"""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from warmlead.cli.output import count_of
from warmlead.cli.story_report import DayRow, Line, LineKind, StoryReport, Summary

BAR_CELLS = 8
LEFT_CELLS = 52
"""What stands left of the words, spaces included."""

LEAST_WORDS = 24
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


def draw(report: StoryReport, console: Console) -> None:
    """The whole story on a console, of 80 columns or more."""
    first = report.days[0].date
    begins = f"{first:%A}, {first.day} {first:%B %Y}"
    console.print(Text(report.about or "A story", "bold"))
    console.print(f"{count_of(len(report.days), 'day')} from {begins}, in times of UTC")
    console.print(Text(f"under the model {report.model}, version {report.model_version}", "dim"))
    console.print()
    console.print(_table(report, max(LEAST_WORDS, console.width - LEFT_CELLS)))
    console.print(Text(_KEY, "dim"))
    console.print()
    console.print(_sums(report.summary))


def _table(report: StoryReport, words: int) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("day", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=BAR_CELLS)
    table.add_column("did+is", no_wrap=True, style="dim")
    table.add_column("stage", no_wrap=True)
    table.add_column("what came about", width=words)
    most = max((row.score or 0 for row in report.days), default=0)
    for rows in _together(report.days):
        table.add_row(*_cells(rows, most, words))
    return table


def _together(days: Sequence[DayRow]) -> Iterator[list[DayRow]]:
    """Each day on which something came about by itself, and those between them together."""
    for _, rows in groupby(days, key=lambda row: row.day if row.lines else 0):
        yield list(rows)


def _cells(rows: Sequence[DayRow], most: int, words: int) -> list[RenderableType]:
    """A line: of several days the last one's numbers stand for all."""
    first, last = rows[0], rows[-1]
    days = str(last.day) if len(rows) == 1 else f"{first.day}–{last.day}"
    date = f"{last.date:%a} {last.date.day:>2} {last.date:%b}"
    if last.score is None or last.engagement is None or last.fit is None:
        return [days, date, "", "", "", "", Text("nobody knows of the lead", "dim")]
    worth = f"{last.engagement}{last.fit:+d}"
    quiet = Text(f"{count_of(len(rows), 'quiet day')}", "dim")
    return [
        days,
        date,
        Text(str(last.score), "bold"),
        _bar(last.engagement, last.fit, most),
        worth,
        last.stage or "",
        _told(last.lines, words) if last.lines else quiet,
    ]


def _bar(engagement: int, fit: int, most: int) -> Text:
    """What was done and what the lead is, as long as the score is beside the highest one."""
    cells = round(max(0, engagement + fit) / max(most, 1) * BAR_CELLS)
    of_fit = min(cells, round(max(0, fit) / max(most, 1) * BAR_CELLS))
    return Text("█" * (cells - of_fit) + "░" * of_fit, "green")


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
    for heading, text in _in_words(summary):
        table.add_row(heading, Text(text))
    return table


def _in_words(summary: Summary) -> Iterator[tuple[str, str]]:
    sales = summary.sales
    yield "score", f"{summary.highest_score} at most"
    yield "stages", " → ".join(summary.stages) or "none was entered"
    if summary.moved_back:
        again = [f"{stage} again {_times(count)}" for stage, count in summary.again.items()]
        yield "", ", ".join([f"moved back {_times(summary.moved_back)}", *again])
    sent = [f"{count} of {name}" for name, count in summary.messages.items()]
    yield "messages", ", ".join(sent) or "none"
    if sales["offered"]:
        broken = count_of(sales["breached"], "promise")
        told = f"offered {_times(sales['offered'])}, reminded {_times(sales['reminder'])}"
        yield "sales", f"{told}, {broken} broken"
    if summary.value:
        yield "value", summary.value


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
