"""Runs a program to its end, or ends it in time together with all that it has started.

``subprocess.run`` ends only the program itself, and then waits without a limit for whatever still
holds its output: a program that hangs, and has started others, hangs the tests with it.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from patience import PATIENCE_S


def ended(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    longest_s: float = PATIENCE_S,
) -> subprocess.CompletedProcess[str]:
    """What the program printed, and its exit code; fails with the output if it takes longer."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        program = subprocess.Popen(
            arguments,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            code = program.wait(longest_s)
        except subprocess.TimeoutExpired as late:
            late.output, late.stderr = _text(out.fileno()), _text(err.fileno())
            message = f"{arguments} took over {longest_s:g} s\n{late.output}\n{late.stderr}"
            raise AssertionError(message) from late
        finally:
            _end(program)
        return subprocess.CompletedProcess(
            arguments, code, _text(out.fileno()), _text(err.fileno())
        )


def _end(program: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the program's session."""
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    program.wait(PATIENCE_S)


def _text(descriptor: int) -> str:
    with open(os.dup(descriptor), "rb") as file:  # noqa: PTH123  # by its descriptor
        file.seek(0)
        return file.read().decode(errors="replace")
