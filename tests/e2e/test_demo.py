"""The demo does what the README shows, number for number."""

import re
import subprocess
import sys
from pathlib import Path

from e2e.lacking import skip_or_fail
from warmlead.cli.local.emulators import missing

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_demos_real_output() -> None:
    shown = re.search(r"<!-- demo:.*?```\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown

    assert _timeless(_demo()) == _timeless(shown[1])


def test_the_demo_has_the_same_numbers_on_the_emulators() -> None:
    if lacking := missing():
        skip_or_fail(lacking)

    on_sqlite, on_gcp = (_told_of_ada(_demo("--backend", name)) for name in ("sqlite", "gcp"))

    assert "mql" in on_gcp
    assert on_gcp == on_sqlite


def _demo(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "warmlead.cli.main", "demo", *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return done.stdout


def _told_of_ada(output: str) -> list[str]:
    """The words and numbers without those that name the backend."""
    story = output.split("\n\n", 1)[1]
    return _timeless(re.sub(r"(?m)^(The trigger that went out).*", r"\1", story))


def _timeless(output: str) -> list[str]:
    """The words and numbers, without dates, port and the breaks of lines."""
    without_dates = re.sub(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", "DATE", output)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", without_dates).split()
