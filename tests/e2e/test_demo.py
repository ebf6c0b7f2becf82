"""The demo does what the README shows, number for number."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_demos_real_output() -> None:
    shown = re.search(r"<!-- demo:.*?```\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown

    done = subprocess.run(
        [sys.executable, "-m", "warmlead.cli.main", "demo"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert _timeless(done.stdout) == _timeless(shown[1])


def _timeless(output: str) -> list[str]:
    """The words and numbers, without dates, port and the breaks of lines."""
    without_dates = re.sub(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", "DATE", output)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", without_dates).split()
