"""A little of the fault campaign, with every run of the tests; all of it is ``make faults``."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from faults.patching import patched
from faults.planted import Bug, plant, read_bugs
from faults.registry import FAULTS
from programs import ended

TESTS = Path(__file__).parents[1]
LONGEST_S = 800
"""The slice takes two minutes; other tests run at the same time."""


def campaign(*options: str, environment: Mapping[str, str] | None = None) -> str:
    """What the campaign says; it must find every promise kept."""
    done = ended(
        [sys.executable, "-m", "faults", "--slice", "ci", "--without-planted", *options],
        env={**os.environ, "PYTHONPATH": str(TESTS), **(environment or {})},
        longest_s=LONGEST_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_faults_on_sqlite_break_no_promise() -> None:
    told = campaign("--backend", "sqlite")
    assert all(name in told for name, fault in FAULTS.items() if "sqlite" in fault.trials["ci"])


def test_faults_on_the_emulators_break_no_promise(
    firestore_emulator: str, pubsub_emulator: str
) -> None:
    hosts = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "PUBSUB_EMULATOR_HOST": pubsub_emulator}
    told = campaign("--backend", "gcp", environment=hosts)
    assert all(name in told for name, fault in FAULTS.items() if "gcp" in fault.trials["ci"])


@pytest.mark.parametrize("bug", read_bugs(), ids=lambda bug: bug.name)
def test_a_planted_bug_still_fits_the_product(bug: Bug) -> None:
    assert patched([bug.patch])
    assert bug.fault in FAULTS
    assert bug.backend in FAULTS[bug.fault].trials["full"]


def test_the_same_seed_makes_the_same_violation(tmp_path: Path) -> None:
    [bug] = [bug for bug in read_bugs() if bug.name == "outbox-outside-the-commit"]
    plant(bug.patch, tmp_path)
    found = [_violations_of(tmp_path) for _ in range(2)]
    assert found[0]
    assert found[0] == found[1]


def _violations_of(copy: Path) -> list[str]:
    done = ended(
        [
            *(sys.executable, "-m", "faults", "--only", "kills", "--backend", "sqlite"),
            *("--seed", "100", "--trials", "60", "--until-violation"),
        ],
        env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{TESTS}"},
        longest_s=LONGEST_S,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("    I")]
