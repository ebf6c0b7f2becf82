"""The map: the drawing and the page show the functions, topics and modules that there are."""

import re
import subprocess
import sys
from pathlib import Path

import warmlead
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


def test_the_drawing_is_what_its_script_draws() -> None:
    command = [sys.executable, str(ROOT / "infra/architecture.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
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
