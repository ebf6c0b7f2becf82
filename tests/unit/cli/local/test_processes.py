"""Processes that a command starts are ended for certain, with all that they started."""

import os
import sys
from pathlib import Path

import pytest

from patience import until
from warmlead.cli.local.emulators import EndedError, free_port, running, wait_until_it_answers

# It does not heed SIGTERM, and starts another process that does not either.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    child = subprocess.Popen([sys.executable, sys.argv[0], "child"])
    print(child.pid, flush=True)
time.sleep(600)
"""


def runs(number: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("grace_s", [0.0, 0.3])
def test_children_of_a_process_end_with_it_even_if_they_resist(
    tmp_path: Path, grace_s: float
) -> None:
    script, log = tmp_path / "stubborn.py", tmp_path / "log"
    script.write_text(STUBBORN)
    command = [sys.executable, str(script)]

    with running("It", command, address="", log=log, grace_s=grace_s) as process:
        child = int(until(log.read_text))
        assert runs(child)
        assert os.getpgid(child) == process.popen.pid != os.getpgid(0)

    assert process.popen.returncode == -9
    assert until(lambda: not runs(child))


def test_one_that_ends_before_it_answers_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
    address = f"127.0.0.1:{free_port()}"

    with (
        running("It", command, address=address, log=tmp_path / "log") as process,
        pytest.raises(EndedError, match=r"It ended with code 1(.|\n)*no such luck"),
    ):
        wait_until_it_answers(process)
