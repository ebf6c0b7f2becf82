"""Draws ``docs/demo.svg``, the terminal after ``make demo``, and writes its text into a page.

Run by ``make picture``. It runs the demo once; the README shows the picture, with the colours of
the terminal, and docs/getting-started.md the text. A test compares both with a demo of its own.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rich.console import Console, Group
from rich.padding import Padding
from rich.terminal_theme import TerminalTheme
from rich.text import Text

DOCS = Path(__file__).parent.parent / "docs"
FILE, PAGE = DOCS / "demo.svg", DOCS / "getting-started.md"
BLOCK = re.compile(r"(<!-- demo:.*?```\n).*?(```)", re.DOTALL)
"""The place in the page: what stands between the fences behind its mark."""

COLUMNS = 100
"""As wide as the longest line of an explanation, so that none is broken."""

MARGIN = 2
"""Columns between the text and the edges of the window."""

TITLE = "make demo"
DESCRIPTION = (
    "A terminal. A visitor's steps, with the score that rises from each to the next, the stage "
    "anonymous, lead, mql, and a bar. Below: the trigger that went out when the lead became an "
    "MQL, the webhook that arrived, and every point of the score."
)
THEME = TerminalTheme(
    background=(22, 27, 34),
    foreground=(230, 237, 243),
    normal=[
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (177, 186, 196),
    ],
    bright=[(139, 148, 158), *[(240, 246, 252)] * 7],
)
"""Colours that are legible on a dark window, which stands out on light and on dark pages."""

FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>TITLE</title>
<desc>DESCRIPTION</desc>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
    "Liberation Mono", monospace;
  font-size: {char_height}px;
}}
.{unique_id}-title {{ font: 16px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
""".replace("TITLE", escape(TITLE)).replace("DESCRIPTION", escape(DESCRIPTION))
"""As rich has it, without its fonts, which a reader's browser would fetch from elsewhere."""


def output() -> str:
    """What the demo prints to a terminal, with the codes of its colours."""
    colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "warmlead.cli.main", "demo"]
    done = subprocess.run(command, env=clean | colours, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def lines_of(printed: str) -> list[Text]:
    """The lines that were printed, with their colours, without blanks at their ends."""
    lines = [Text.from_ansi(line) for line in printed.splitlines()]
    for line in lines:
        line.rstrip()
    return lines


def picture(lines: Sequence[Text]) -> str:
    """The SVG of what was printed."""
    width = COLUMNS + 2 * MARGIN
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    console.print(Padding(Group(*lines), (1, MARGIN)))
    return console.export_svg(title=TITLE, theme=THEME, code_format=FORMAT, unique_id="demo")


def with_text(page: str, lines: Sequence[Text]) -> str:
    """The page with what was printed in its place."""
    text = "".join(f"{line.plain}\n" for line in lines)
    return BLOCK.sub(lambda found: f"{found[1]}{text}{found[2]}", page)


def main() -> None:
    """Runs the demo, and writes the picture and the page."""
    lines = lines_of(output())
    FILE.write_text(picture(lines), encoding="utf-8")
    PAGE.write_text(with_text(PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")


if __name__ == "__main__":
    main()
