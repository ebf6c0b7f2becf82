"""A program that the tests start ends with all that it has started."""

import os
import sys
from pathlib import Path

import pytest

from patience import until
from programs import ended

# It starts another program, which holds its output, and names that one's process.
_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
print("begun", flush=True)
time.sleep(float(sys.argv[2]))
sys.exit(3)
"""


def _is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")
@pytest.mark.parametrize("hangs", [False, True])
def test_a_program_ends_with_all_that_it_has_started(tmp_path: Path, *, hangs: bool) -> None:
    named = tmp_path / "child"
    program = [sys.executable, "-S", "-c", _PARENT, str(named), "600" if hangs else "0"]
    if hangs:
        with pytest.raises(AssertionError, match=r"took over 5 s\nbegun"):
            ended(program, longest_s=5)
    else:
        done = ended(program)
        assert (done.returncode, done.stdout) == (3, "begun\n")
    until(lambda: _is_gone(int(named.read_text())))


def test_a_program_gets_its_environment_and_folder(tmp_path: Path) -> None:
    shows = (
        "import os, sys; print(os.getcwd(), os.environ['NAME']); print('wrong', file=sys.stderr)"
    )
    done = ended(
        [sys.executable, "-S", "-c", shows], env={**os.environ, "NAME": "ada"}, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path} ada\n", "wrong")
