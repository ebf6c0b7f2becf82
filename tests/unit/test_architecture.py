"""The map: the drawing and the page show the functions, topics and modules that there are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import warmlead
from patience import PATIENCE_S
from warmlead.domain.trigger import Topic

ROOT = Path(__file__).parents[2]
PACKAGE = Path(warmlead.__file__).parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
DRAWING = (ROOT / "docs/architecture.svg").read_text(encoding="utf-8")
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
PACKAGES = {
    path.stem
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
} - {"__init__"}


@pytest.mark.slow
def test_the_drawing_is_what_its_script_draws() -> None:
    command = [sys.executable, str(ROOT / "infra/architecture.py"), "--check"]
    checked = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert checked.returncode == 0, checked.stderr


def test_the_drawing_shows_every_function_and_topic() -> None:
    shown = set(re.findall(r">([^<>]+)</text>", DRAWING))
    assert {*FUNCTIONS, *Topic} - shown == set()


def test_every_module_that_the_page_names_exists() -> None:
    named = {*re.findall(r"`([a-z_/]+\.py)`", PAGE)}
    assert len(named) > 50
    assert {n for n in named if not (PACKAGE / n).exists() and not (ROOT / n).exists()} == set()


def test_the_page_lists_every_package() -> None:
    cells = re.findall(r"^\| (`[^|]+`) \|", PAGE, re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert PACKAGES - listed == set()


GLOSSARY, OLD_NAMES = (
    (ROOT / "docs/glossary.md").read_text(encoding="utf-8").split("## Old names", maxsplit=1)
)
CODE = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
NAME_TODAY = re.compile(r"`([A-Za-z_.]+)`")


def names_of_today() -> set[str]:
    """What the glossary says is in the code: all names, but for old ones."""
    rows = re.findall(r"^\| .*", GLOSSARY, re.MULTILINE)
    now = [row.split("|")[2] for row in re.findall(r"^\| .*", OLD_NAMES, re.MULTILINE)]
    named = {name for row in (*rows, *now) for name in NAME_TODAY.findall(row)}
    return {name.rpartition(".")[2] for name in named if not name.endswith((".py", ".json"))}


@pytest.mark.slow
def test_every_name_in_the_glossary_is_in_the_code() -> None:
    assert len(names_of_today()) > 50
    assert {name for name in names_of_today() if not re.search(rf"\b{name}\b", CODE)} == set()


def test_every_module_in_the_glossary_exists() -> None:
    named = {*re.findall(r"`([a-z_/]+\.py)`", GLOSSARY)}
    assert {n for n in named if not (PACKAGE / n).exists() and not (ROOT / n).exists()} == set()
