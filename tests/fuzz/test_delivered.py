"""A slice of the odd pushes to ``deliver``, and proof that what is wrong with it shows."""

import subprocess
import sys
from pathlib import Path

import pytest

from programs import ended

TESTS = Path(__file__).parents[1]
PUSHES = 100


def delivered(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fuzz.delivered", *options]
    return ended(command, cwd=TESTS, longest_s=600)


@pytest.mark.slow
def test_odd_pushes_break_no_promise() -> None:
    done = delivered("--pushes", str(PUSHES), "--seed", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{PUSHES} pushes to deliver: 200 " in done.stdout
    assert "0 findings" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("facts-told-again", "costs too much"),
        ("address-of-the-message", "sent to where the file does not say"),
        ("one-in-ten-lost", "a good message did not arrive once"),
        ("lead-taken-as-it-is", "answered with 500"),
    ],
)
def test_what_is_planted_is_found(planted: str, told: str) -> None:
    done = delivered("--pushes", "40", "--seed", "1", "--planted", planted, "--until-finding")
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stdout
