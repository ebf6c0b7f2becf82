"""The README is short, its badges are true, and its pictures are files of ours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
IMAGES = re.findall(r"!\[([^]]*)\]\(([^)]+)\)", README)
CI = re.compile(r"https://github\.com/warmlead/warmlead/actions/(workflows/[\w.]+)/badge\.svg\?\S+")
"""The one badge that is no file of ours: GitHub draws it from the last run of the workflow."""

TOOLS = {"docs/senders.md": "comes in", "docs/destinations.md": "goes out to"}
"""The pages of all tools, by the first word of the table of the README that names some."""

LINES = 120
"""How long the README may be: what is longer is for the pages behind it."""


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= LINES


def test_every_picture_is_a_file_of_ours_or_drawn_by_githubs_runs() -> None:
    assert len(IMAGES) > 1
    for text, source in IMAGES:
        run = CI.fullmatch(source)
        assert (ROOT / ".github" / run[1] if run else ROOT / source).is_file(), source
        assert text, f"{source} says nothing to those who cannot see it"


def test_no_picture_fetches_anything() -> None:
    drawn = [ROOT / source for _, source in IMAGES if source.endswith(".svg")]
    assert len(drawn) > 1
    for path in drawn:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"@import|@font-face|url\((?!#)|href|<script", text), path


def test_the_badges_say_what_the_project_file_says() -> None:
    command = [sys.executable, str(ROOT / "infra/badges.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "head"), TOOLS.items())
def test_every_tool_that_the_readme_names_is_connected(page: str, head: str) -> None:
    table = README.partition(f"\n| {head} |")[2].partition("\n\n")[0]
    told = re.sub(r"\[[^]]*\]\([^)]*\)", "", table)
    named = set(re.findall(r"(?<=[|,]) ([A-Z][A-Za-z.]+)", told)) - {"AWS", "CloudEvents"}
    assert len(named) > 5
    titles = (ROOT / page).read_text(encoding="utf-8")
    assert {name for name in named if name not in titles} == set()
