"""The first minutes: what the server says when it begins is all that is needed to see a lead."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_S, until
from served import Served, serving


def in_another_shell(folder: Path, script: str) -> str:
    """What a shell with none of the server's variables prints, with our command in its path."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env={**clean, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said_by(served: Served) -> str:
    (log,) = served.data.parent.glob("serve-*.log")
    return log.read_text(encoding="utf-8")


def test_the_printed_commands_show_a_lead_in_another_shell(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with serving(tmp_path / "Ada's data") as served:
        said = until(lambda: "export" in said_by(served) and said_by(served))
        form = re.findall(r"POST (http\S+)", said)[0]
        in_another_shell(elsewhere, f"curl -sS --fail {form} -d email=ada@example.com")
        until(lambda: served.lead("ada@example.com"))
        exports = "\n".join(re.findall(r"^\s*(export .*)$", said, re.MULTILINE))
        (watch,) = re.findall(r"^\s*watch\s+(.*)$", said, re.MULTILINE)
        assert "warmlead lead list" in watch.split(", ")
        assert "ada@example.com" in in_another_shell(elsewhere, f"{exports}\nwarmlead lead list")
        assert "No leads yet in" in in_another_shell(elsewhere, "warmlead lead list")
