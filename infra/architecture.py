"""Draws ``docs/architecture.svg``: the functions, the topics and the stores of Warmlead.

Run by ``make drawing``; with ``--check`` it only says whether the file is as it would be written,
and exits with 1 if it is not. It reads the table of functions, and needs nothing but Python.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "shared"))  # it needs no installation

from warmlead.domain.trigger import Topic  # noqa: E402  # from there
from warmlead.runtime.table import SCORE, private, public, pushed, scheduled  # noqa: E402  # as above

FILE = ROOT / "docs/architecture.svg"
ROW, COLUMN = 75, 135
"""The distance from one function to the next below it, and beside it."""

LOWER = ROW * (len(public()) - 3)
"""How much lower the clock's functions are than with three functions above them."""

WIDTH, HEIGHT = 1310, 545 + LOWER
CLOCK_Y = 453 + LOWER
CLOCK_WIDTH = 15 + COLUMN * len(scheduled())


class Box(NamedTuple):
    """A part of the drawing. ``kind`` is its class in the style; sizes are in pixels."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...]


class Line(NamedTuple):
    """An arrow along points; with ``both`` it has a head at each end. The label is at a point."""

    points: tuple[tuple[int, int], ...]
    label: str = ""
    at: tuple[int, int] = (0, 0)
    both: bool = False


GROUPS = (
    Box("group", 205, 40, 140, 45 + ROW * len(public()), ("no database",)),
    Box("group", 800, 40, 150, 245, ("triggers",)),
    Box("group", 430, CLOCK_Y - 28, CLOCK_WIDTH, 95, ("scheduled: due leads, finished periods",)),
)
FUNCTIONS = (
    *(Box("function", 220, 75 + ROW * n, 110, 50, (f.name,)) for n, f in enumerate(public())),
    Box("function", 610, 150, 110, 50, (SCORE.name,)),
    *(
        Box("function", 985, 225 + ROW * n, 125, 50, (f.name,))
        for n, f in enumerate(each for each in pushed() if each != SCORE)
    ),
    *(Box("function", 985, 410 + ROW * n, 125, 50, (f.name,)) for n, f in enumerate(private())),
    *(
        Box("function", 450 + COLUMN * n, CLOCK_Y, 110, 50, (f.name,))
        for n, f in enumerate(scheduled())
    ),
)
BOXES = (
    *(Box("outside", 20, 75 + ROW * n, 140, 50, (f.sent_by,)) for n, f in enumerate(public())),
    *FUNCTIONS,
    Box("topic", 415, 150, 130, 50, ("lead-events",)),
    Box("topic", 415, 235, 130, 50, ("quarantine",)),
    Box("store", 585, 310, 160, 70, ("leads, transitions,", "dispatches, reports")),
    Box("topic", 815, 75, 120, 50, ("mql",)),
    Box("topic", 815, 145, 120, 50, ("nurture",)),
    Box("topic", 815, 215, 120, 50, ("lifecycle",)),
    Box("topic", 815, 325, 120, 50, ("kpi",)),
    Box("outside", 985, 75, 125, 60, ("Your own", "subscribers")),
    Box("outside", 1150, 220, 140, 60, ("Slack, CRM, mail,", "AWS, webhooks")),
    Box("outside", 985, 320, 125, 60, ("Other", "dashboards")),
    Box("outside", 1150, 410, 140, 50, ("Marketing, sales",)),
    Box("outside", 205, CLOCK_Y, 140, 50, ("Cloud Scheduler",)),
)
REPORTS_X = 505 + COLUMN * [Topic.KPI in each.publishes for each in scheduled()].index(True)
"""The middle of the function that publishes KPIs."""

LINES = (
    *(Line(((160, 100 + ROW * n), (220, 100 + ROW * n))) for n, _ in enumerate(public())),
    Line(((345, 175), (415, 175)), "events", (380, 166)),
    Line(((345, 260), (415, 260)), "unusable", (380, 251)),
    Line(((545, 175), (610, 175)), "push", (577, 166)),
    Line(((630, 200), (630, 260), (545, 260)), "unusable", (590, 251)),
    Line(((690, 200), (690, 310)), "one read, one commit", (606, 300), both=True),
    Line(((720, 175), (800, 175)), "", (760, 166)),
    Line(((665, 380), (665, CLOCK_Y - 28)), "", (0, 0), both=True),
    Line(((760, CLOCK_Y - 28), (760, 230), (800, 230))),
    Line(((REPORTS_X, CLOCK_Y), (REPORTS_X, 405), (875, 405), (875, 375))),
    Line(((345, CLOCK_Y + 25), (430, CLOCK_Y + 25)), "calls", (387, CLOCK_Y + 16)),
    Line(((950, 105), (985, 105))),
    Line(((950, 250), (985, 250)), "push", (967, 241)),
    Line(((1110, 250), (1150, 250))),
    Line(((935, 350), (985, 350))),
    *(
        line
        for n, _ in enumerate(private())
        for line in (
            Line(((745, 365), (780, 365), (780, 435 + ROW * n), (985, 435 + ROW * n))),
            Line(((1150, 435 + ROW * n), (1110, 435 + ROW * n))),
        )
    ),
)

STYLE = """
  .sheet { fill: #ffffff; }
  text { font: 15px system-ui, sans-serif; fill: #1f2430; text-anchor: middle; }
  .title, .label { font-size: 12px; fill: #5b6472; }
  .left { text-anchor: start; }
  .group { fill: none; stroke: #9aa3b2; stroke-dasharray: 4 4; }
  .outside { fill: #f1f3f6; stroke: #9aa3b2; }
  .function { fill: #e3eefc; stroke: #3b78c4; }
  .topic { fill: #fdf0d9; stroke: #c2872b; }
  .store { fill: #e2f4e6; stroke: #3d9154; }
  .line { fill: none; stroke: #5b6472; stroke-width: 1.5; }
  .head { fill: #5b6472; }
  @media (prefers-color-scheme: dark) {
    .sheet { fill: #14171d; }
    text { fill: #e8ebf0; }
    .title, .label { fill: #aab3c0; }
    .outside { fill: #262b34; }
    .function { fill: #16304f; }
    .topic { fill: #463312; }
    .store { fill: #173a21; }
    .line { stroke: #aab3c0; }
    .head { fill: #aab3c0; }
  }
"""
HEAD = """<defs>
<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8"
  orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker>
</defs>"""
TITLE = "The functions, topics and stores of Warmlead"
DESCRIPTION = (
    f"{', '.join(each.name for each in public())} publish events on lead-events, and unusable "
    "input on quarantine. score applies events to leads in the store and publishes triggers on "
    "mql, nurture and lifecycle. A clock calls "
    f"{', '.join(each.name for each in scheduled())}: what they find due is published on the same "
    "topics, the numbers of a period on kpi."
)


def drawing() -> str:
    """The SVG. It has a sheet of its own behind it, so it can be read on any background."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{TITLE}</title>",
        f"<desc>{DESCRIPTION}</desc>",
        f"<style>{STYLE}</style>",
        HEAD,
        f'<rect class="sheet" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
    ]
    for group in GROUPS:
        parts += _group(group)
    for line in LINES:
        parts += _line(line)
    for box in BOXES:
        parts += _box(box)
    parts += _legend()
    return "\n".join([*parts, "</svg>\n"])


def _rectangle(box: Box) -> str:
    radius = {"topic": box.height // 2, "store": 16}.get(box.kind, 6)
    return (
        f'<rect class="{box.kind}" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="{radius}"/>'
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _group(box: Box) -> Iterator[str]:
    yield _rectangle(box)
    yield _text(box.x + 20, box.y + 18, box.lines[0], "title left")


def _box(box: Box) -> Iterator[str]:
    yield _rectangle(box)
    middle = box.y + box.height / 2 + 5 - 10 * (len(box.lines) - 1)
    for number, line in enumerate(box.lines):
        yield _text(box.x + box.width / 2, middle + 20 * number, line)


def _line(line: Line) -> Iterator[str]:
    points = " ".join(f"{x},{y}" for x, y in line.points)
    start = ' marker-start="url(#head)"' if line.both else ""
    yield f'<polyline class="line" points="{points}" marker-end="url(#head)"{start}/>'
    if line.label:
        yield _text(*line.at, line.label, "label")


def _legend() -> Iterator[str]:
    for number, (kind, text) in enumerate(
        (("function", "function"), ("topic", "topic"), ("store", "store"), ("outside", "outside"))
    ):
        y = 350 + LOWER + 22 * number
        yield _rectangle(Box(kind, 20, y, 26, 14, ()))
        yield _text(54, y + 12, text, "label left")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the drawing, or checks it; 1 if it is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    if not parser.parse_args(arguments).check:
        FILE.write_text(drawing(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == drawing():
        return 0
    print(f"{FILE} is not up to date: run make drawing", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
