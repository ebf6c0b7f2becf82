"""Commands whose output nobody reads to its end: they stop, and say nothing of it."""

import os
import subprocess
import sys

import pytest

from patience import PATIENCE_S
from unit.cli.conftest import Workspace, happened

pytestmark = pytest.mark.slow

NOT_READ = 141


def unread(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    """The exit code and the errors of a command whose standard output is a closed pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "warmlead.cli.main", *arguments],
            cwd=workspace.folder,
            env={**os.environ, **workspace.settings},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("lead", "list"),
        ("lead", "list", "--json"),
        ("lead", "list", "--as-of", "2030-01-01"),
        ("triggers",),
        ("quarantine", "list"),
        ("model", "show"),
        ("model", "schema"),
        ("model", "simulate"),
    ],
    ids=" ".join,
)
def test_a_command_with_a_closed_output_ends_like_unix_tools(
    workspace: Workspace, arguments: tuple[str, ...]
) -> None:
    # more leads than one buffer of output holds, so that writing fails in the middle of a list
    workspace.take(*(happened("page_viewed", id=str(n), anonymous_id=f"a{n}") for n in range(120)))
    assert unread(workspace, *arguments) == (NOT_READ, "")


def test_errors_are_printed_even_if_the_output_is_closed(workspace: Workspace) -> None:
    code, told = unread(workspace, "lead", "show", "nobody@example.com")
    assert code == 1
    assert "There is no lead" in told
