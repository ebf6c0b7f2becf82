"""The demo does what the documentation shows, in words and in the picture, number for number."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from e2e.lacking import skip_or_fail
from programs import ended
from warmlead.cli.local.emulators import missing

DOCS = Path(__file__).parents[2] / "docs"
STALE = "the demo prints something else than the documents show: run make picture"


@pytest.fixture(scope="module")
def told() -> str:
    return _demo()


def test_the_first_steps_show_the_demos_real_output(told: str) -> None:
    page = (DOCS / "getting-started.md").read_text()
    shown = re.search(r"<!-- demo:.*?```\n(.*?)```", page, re.DOTALL)
    assert shown

    assert _timeless(told) == _timeless(shown[1]), STALE


def test_the_picture_of_the_readme_shows_the_demos_real_output(told: str) -> None:
    drawn = _texts(ET.parse(DOCS / "demo.svg").getroot())

    assert drawn[0] == "make demo", "the title of the window"
    assert "".join(_timeless("\n".join(drawn[1:]))) == "".join(_timeless(told)), STALE


def test_the_demo_has_the_same_numbers_on_the_emulators() -> None:
    if lacking := missing():
        skip_or_fail(lacking)

    on_sqlite, on_gcp = (_told_of_ada(_demo("--backend", name)) for name in ("sqlite", "gcp"))

    assert "mql" in on_gcp
    assert on_gcp == on_sqlite


def test_another_process_has_verified_the_webhook() -> None:
    command = [sys.executable, "-m", "warmlead.cli.main", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        told, _ = demo.communicate(timeout=180)

    (arrived,) = re.findall(r"^The webhook that arrived .*process (\d+)\)$", told, re.MULTILINE)
    assert demo.returncode == 0
    assert int(arrived) not in (demo.pid, os.getpid())
    assert not Path(f"/proc/{arrived}").exists(), "the demo has left its receiver running"
    assert " ".join(told.split()).count("the signature is verified") == 1


def _demo(*options: str) -> str:
    done = ended([sys.executable, "-m", "warmlead.cli.main", "demo", *options])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _texts(drawing: ET.Element) -> list[str]:
    """The title and then each line of a drawn terminal; a line is in pieces of one colour each."""
    lines: dict[str, list[str]] = {}
    for piece in drawing.iter("{http://www.w3.org/2000/svg}text"):
        lines.setdefault(piece.get("clip-path", ""), []).append(piece.text or "")
    return ["".join(pieces).replace("\xa0", " ") for pieces in lines.values()]


def _told_of_ada(output: str) -> list[str]:
    """The words and numbers without those that name the backend."""
    story = output.split("\n\n", 1)[1]
    return _timeless(re.sub(r"(?m)^(The trigger that went out).*", r"\1", story))


def _timeless(output: str) -> list[str]:
    """The words and numbers, without dates, ports, ids and the breaks of lines."""
    without_dates = re.sub(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", "DATE", output)
    without_ids = re.sub(r"\bid [0-9a-f]{32}:|process \d+", "ID", without_dates)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", without_ids).split()
