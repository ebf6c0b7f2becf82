"""``make`` on a machine whose Python is not whole: what it says, and that it recovers by itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_S
from programs import ended

ROOT = Path(__file__).parents[2]

# Debian's python3 without python3-venv: the folder is made, and then there is no pip for it.
WITHOUT_VENV = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  {python} -m venv --without-pip "$3"
  echo "ensurepip is not available" >&2
  exit 1
fi
exec {python} "$@"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as setting it up reads; nothing is locked, so nothing is fetched."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    locks = tmp_path / "infra" / "locks"
    locks.mkdir(parents=True)
    for name in ("runtime.txt", "dev.txt"):
        (locks / name).touch()
    (tmp_path / "python").write_text(WITHOUT_VENV.format(python=sys.executable))
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ended(
        ["make", *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


def test_a_python_without_venv_is_told_what_to_install_every_time(checkout: Path) -> None:
    for _ in range(2):
        done = make(checkout, "demo", f"PYTHON={checkout}/python")
        assert done.returncode == 2
        assert "sudo apt install python3-venv" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_half_made_environment_is_made_anew(checkout: Path, *, interrupted: bool) -> None:
    if interrupted:
        half = [sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")]
        subprocess.run(half, check=True, timeout=PATIENCE_S)
    done = make(checkout, "setup", f"PYTHON={sys.executable}", "PIP=true")
    assert done.returncode == 0, done.stderr
    pip = [str(checkout / ".venv/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False, timeout=PATIENCE_S).returncode == 0
    assert "Nothing to be done" in make(checkout, "setup").stdout


def test_an_old_python_is_told_which_one_is_needed(checkout: Path) -> None:
    old = checkout / "old"
    old.write_text(
        f'#!/bin/sh\nshift; exec {sys.executable} -c "import sys; sys.version_info = (3, 9); $1"\n'
    )
    old.chmod(0o755)
    done = make(checkout, "setup", f"PYTHON={old}")
    assert done.returncode == 2
    assert "Warmlead needs Python 3.11 or newer" in done.stderr


def test_running_needs_less_than_working_on_it() -> None:
    runtime, development = (
        {
            line.split(" ")[0]
            for line in (ROOT / f"infra/locks/{name}.txt").read_text().splitlines()
            if "==" in line and not line.startswith((" ", "#"))
        }
        for name in ("runtime", "dev")
    )
    assert runtime < development  # the same versions
    assert not any(pin.startswith(("pytest==", "mypy==", "playwright==")) for pin in runtime)
