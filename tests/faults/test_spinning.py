"""Loops of one machine that do not wait when what they need fails: planted, and found by counting.

The loops run in virtual time, so the test that finds them costs no time of its own.
"""

import os
import sys
from pathlib import Path

import pytest

from faults.planted import plant
from programs import ended

TESTS = Path(__file__).parents[1]
PATCHES = sorted(Path(__file__).with_name("spinning").glob("*.patch"))
FINDS = "unit/cli/local/test_worker_turns.py"


@pytest.mark.slow
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_loop_that_spins_is_found(patch: Path, tmp_path: Path) -> None:
    plant(patch.read_text(encoding="utf-8"), tmp_path)
    done = ended(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", FINDS],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{TESTS}"},
        cwd=TESTS,
        longest_s=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SpinError" in done.stdout
