"""Draws the badges of the README into ``docs/badges``, from what pyproject.toml says.

Run by ``make picture``; with ``--check`` it only says whether they are as they would be drawn, and
exits with 1 if they are not. They are files of ours, so that no other server can change what they
say or count who reads it.
"""

import argparse
import sys
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/badges"
LETTER_WIDTH, NARROW_WIDTH, MARGIN, HEIGHT = 7.1, 4.2, 7, 20
"""In pixels: of a letter and of a narrow one, beside a text, and of a badge."""

NARROW = frozenset("fijlrt.,-: ")

BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">
<title>{name}: {value}</title>
<clipPath id="r"><rect width="{width}" height="{height}" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="{height}" fill="#444d56"/>
<rect x="{left}" width="{right}" height="{height}" fill="#0b6cb4"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
<text x="{name_x}" y="14" textLength="{name_length}">{name}</text>
<text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def badges() -> dict[str, str]:
    """Each badge by the name of its file."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, mypy = told["project"], told["tool"]["mypy"]
    return {
        "python.svg": badge("Python", project["requires-python"].replace(">=", "≥ ")),
        "types.svg": badge("types", "mypy, strict" if mypy["strict"] else "mypy"),
        "license.svg": badge("license", project["license"]),
    }


def badge(name: str, value: str) -> str:
    """A badge that says a name and a value; texts have the same width in every font."""
    name_length, value_length = (
        round(sum(NARROW_WIDTH if letter in NARROW else LETTER_WIDTH for letter in text))
        for text in (name, value)
    )
    left, right = name_length + 2 * MARGIN, value_length + 2 * MARGIN
    return BADGE.format(
        name=escape(name),
        value=escape(value),
        width=left + right,
        height=HEIGHT,
        left=left,
        right=right,
        name_x=left / 2,
        value_x=left + right / 2,
        name_length=name_length,
        value_length=value_length,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the badges, or checks them; 1 if they are not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether they are up to date")
    wanted = badges()
    if not parser.parse_args(arguments).check:
        FOLDER.mkdir(exist_ok=True)
        for name, text in wanted.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    drawn = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    if drawn == wanted:
        return 0
    print(f"{FOLDER} is not up to date: run make picture", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
