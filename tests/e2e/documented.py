"""Reads the commands of the documentation, in the order in which a user meets them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SHELL = ("", "sh", "console")
"""What a block of commands is called: indented, or fenced as one of these."""

_FENCE = re.compile(r"```(\S*)")
_PLACEHOLDER = re.compile(r"\[|…| [A-Z]{2,}\b")


class Block(NamedTuple):
    """A block of code: where it stands, what it is called, and its text."""

    document: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where to look for it."""
        return f"{self.document}:{self.line}"


def documents() -> list[Path]:
    """Everything that a user reads: the first steps, the commands, and then the rest."""
    first = [ROOT / each for each in ("README.md", "docs/getting-started.md", "docs/cli.md")]
    rest = sorted(path for path in (ROOT / "docs").glob("*.md") if path not in first)
    senders = sorted((ROOT / "shared/warmlead/senders").glob("*/README.md"))
    assert senders, "no sender has a README"
    recipes = sorted((ROOT / "docs/recipes").glob("*.md"))
    assert recipes, "there are no recipes"
    own = [ROOT / each / "README.md" for each in ("docs/messages", "functions", "infra", "tests")]
    return [*first, *rest, *recipes, *senders, *own]


def blocks_of(path: Path) -> Iterator[Block]:
    """The fenced and the indented blocks of a document."""
    document = str(path.relative_to(ROOT))
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        begin = at
        if fence := _FENCE.match(lines[at]):
            at = next(n for n in range(at + 1, len(lines)) if lines[n].startswith("```")) + 1
            language = fence[1] or "output"
            yield Block(document, begin + 2, language, "\n".join(lines[begin + 1 : at - 1]))
        elif _is_indented(lines, at) and not (begin and lines[begin - 1].strip()):
            while at < len(lines) and _is_indented(lines, at):
                at += 1
            yield Block(document, begin + 1, "", "\n".join(x[4:] for x in lines[begin:at]))
        else:
            at += 1


def code_of(path: Path, language: str) -> list[str]:
    """The text of each block in that language, in order."""
    return [block.text for block in blocks_of(path) if block.language == language]


def _is_indented(lines: list[str], at: int) -> bool:
    """Whether a line is of an indented block, be it an empty one between two others."""
    if lines[at].strip():
        return lines[at].startswith("    ")
    return 0 < at < len(lines) - 1 and all(lines[n].startswith("    ") for n in (at - 1, at + 1))


def commands_of(block: Block) -> Iterator[str]:
    """The commands of a block, each whole: a loop is one, and so is a continued line."""
    begun = ""
    for line in block.text.splitlines():
        begun += line.removeprefix("$ ") + "\n"
        if not begun.strip():
            begun = ""
        elif not begun.rstrip().endswith("\\") and _is_whole(begun):
            yield begun.strip()
            begun = ""
    assert not begun, f"{block.place} ends in the middle of a command"


def _is_whole(script: str) -> bool:
    return subprocess.run(["bash", "-nc", script], capture_output=True, check=False).returncode == 0


def is_synopsis(command: str) -> bool:
    """Whether it says how a command is written, with what may be left out and what to fill in."""
    return command.startswith("warmlead ") and bool(_PLACEHOLDER.search(command))
