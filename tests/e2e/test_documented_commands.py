"""Every command of the documentation, in order, as it stands, in one folder and a real shell.

Two things are not as in the documents, because tests run side by side: the port 8080, which is
replaced by a free one, and ``https://HOST``, which is the server that `make serve` has started.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

import pytest

from commands import program
from e2e.documented import (
    ROOT,
    SHELL,
    Block,
    blocks_of,
    commands_of,
    documents,
    is_synopsis,
)
from patience import PATIENCE_S, until
from served import free_port

NOT_SHELL = {
    "docs/getting-started.md": ("score = engagement",),
    "docs/golden-month.md": ("2 × 2^",),
    "docs/model.md": ("engagement = ",),
}
"""Indented blocks that are no commands, by how they begin."""

_SUITE = "it is a run of the tests or of measurements by itself"
_GOOGLE = "it needs a project of Google's cloud, or gcloud"
_WORKER = "tests/emulator/test_pull_worker_recipe.py runs it"
_OUTCOMES = "it needs leads with outcomes; tests/unit/cli/test_backtest.py has some and runs it"
_VENDOR = "it makes a webhook at the vendor, with the user's token"
NOT_HERE = {
    "sudo apt install": "it changes the machine; CI installs what it lacks",
    "git clone": "the folder is a copy of this checkout already",
    "make serve BACKEND=gcp": "it needs the emulators; tests/e2e/test_serve_gcp.py runs it",
    "make bench": _SUITE,
    "make faults": _SUITE,
    "make deploy": _GOOGLE,
    "make rollback": _GOOGLE,
    "make secret": _GOOGLE,
    "terraform ": _GOOGLE,
    'curl -fsS -u "$WRITE_KEY:"': _GOOGLE,
    "export HOST=$(gcloud ": _GOOGLE,
    "export WRITE_KEY=$(gcloud ": _GOOGLE,
    "WARMLEAD_BACKEND=gcp WARMLEAD_PROJECT=$PROJECT ": _GOOGLE,
    "git pull": "the folder is a copy, without a remote",
    "curl https://api.webflow.com/": _VENDOR,
    "curl https://api.calendly.com/": _VENDOR,
    'curl -X POST "https://graph.facebook.com/': _VENDOR,
    "curl -X POST https://api.linkedin.com/": _VENDOR,
    "curl -X POST https://api.getgo.com/": _VENDOR,
    "gcloud ": _GOOGLE,
    "python3 -m venv worker": _WORKER,
    "worker/bin/python worker.py": _WORKER,
    "aws ": "it needs an account of AWS; tests in tests/destinations/aws do it",
    "for topic in mql nurture lifecycle; do\n  gcloud ": _GOOGLE,
    "for each in decay ": _GOOGLE,
    "warmlead model backtest in-use model.yaml --within 60d": _OUTCOMES,
    "warmlead model threshold --within 60d": _OUTCOMES,
    "for each in score ": _GOOGLE,
}
"""Commands that are not run, by how they begin, and why."""

LASTING = ("make serve", "FUNCTION_USE_ASGI=1 ")
"""Commands that run until they are ended, each at a port of its own: ``PORT`` says which."""

PROGRAMS = ("sqlite3",)
"""Programs that a user may have to install; commands of theirs are run where they are there."""

TYPED = {"warmlead lead erase ada@example.com": "y\n"}
"""What is answered to commands that ask."""

FILES = {
    "forms.yaml": "contact: {allow_unsigned: true}\n",
    "sales.yaml": "generic: {signature: {secrets: [env:SALES_SECRET]}}\n",
    "mail.yaml": "sendgrid: {secrets: [env:SENDGRID_KEY]}\n",
    "track.yaml": "ga4: {secrets: [env:GA4_SECRET]}\n",
    "destinations.yaml": (
        "zapier: {to: webhook, url: https://example.com/hook, secrets: [env:ZAPIER_SECRET]}\n"
    ),
    "own-machine.yaml": "generic: {allow_unsigned: true}\n",
    "own-track.yaml": "ga4: {secrets: [SECRET]}\n",
    ".env": "WARMLEAD_SALES=own-machine.yaml\nWARMLEAD_TRACK=own-track.yaml\n",
}
"""What the documents tell the user to have written, in words."""

PARTS = ("docs", "functions", "infra", "shared", "Makefile", "README.md", "pyproject.toml")
"""What of a checkout its commands read."""

_FOUND_NOTHING = re.compile(r"^(No \w+ yet|There (is|was) no lead |Nothing is )", re.MULTILINE)
_CURL = """#!/bin/bash
# curl as it is, which also fails if the answer is not a 2xx
set -o pipefail
said=$(CURL --silent --show-error --write-out '\\n%{http_code}' "$@") || exit
echo "${said%$'\\n'*}"
[[ ${said##*$'\\n'} == 2* ]] || { echo "answered ${said##*$'\\n'}" >&2; exit 22; }
"""


class Shell:
    """A folder like a fresh checkout after ``make setup``, and a shell in it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
        self.environment = {**clean, "PATH": f"{folder / 'tools'}:{clean['PATH']}", "NO_COLOR": "1"}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs it, and keeps what it exports for the commands that follow."""
        kept = self.folder / "tools" / "environment"
        script = f"set -euo pipefail\n{command}\nenv -0 > {shlex.quote(str(kept))}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            input=TYPED.get(command, ""),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        if done.returncode == 0:
            pairs = kept.read_text().split("\0")[:-1]
            self.environment = dict(pair.split("=", 1) for pair in pairs)
        return done

    def begin(self, command: str, port: int) -> subprocess.Popen[bytes]:
        """Begins what lasts, and returns when it answers at the port."""
        log = (self.folder / "tools" / f"{port}.log").open("wb")
        with log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}" if "=" not in command else command],
                cwd=self.folder,
                env={**self.environment, "PORT": str(port)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(lambda: self._answers(port) or process.poll() is not None)
            assert process.poll() is None, (self.folder / "tools" / f"{port}.log").read_text()
        except BaseException:
            end(process)
            raise
        return process

    def _answers(self, port: int) -> bool:
        asked = ["curl", "--silent", "--output", "/dev/null", f"http://127.0.0.1:{port}/"]
        return subprocess.run(asked, check=False, timeout=PATIENCE_S).returncode == 0


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("documented") / "warmlead"
    _copy_checkout(folder)
    _install(folder / ".venv")
    tools = folder / "tools"
    tools.mkdir()
    curl = shutil.which("curl")
    assert curl, "install curl, which the documentation uses"
    _write_program(tools / "curl", _CURL.replace("CURL", curl))
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with program(folder / ".venv/bin/warmlead"):
        yield Shell(folder, free_port())


def _copy_checkout(folder: Path) -> None:
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / part, folder / part, ignore=left_out)
        else:
            shutil.copy(ROOT / part, folder / part)


def _install(environment: Path) -> None:
    """What ``make setup`` makes, but ``warmlead``, of the environment in which the tests run."""
    programs = environment / "bin"
    programs.mkdir(parents=True)
    _write_program(programs / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    framework = f'#!/bin/sh\nexec {sys.executable} -m functions_framework "$@"\n'
    _write_program(programs / "functions-framework", framework)
    for stamp in (".runs", ".ready"):
        (environment / stamp).touch()


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def shell_blocks() -> Iterator[Block]:
    for path in documents():
        for block in blocks_of(path):
            known = NOT_SHELL.get(block.document, ())
            if block.language in SHELL and not block.text.startswith(known or "\0"):
                yield block


def test_every_command_of_the_documentation_works_as_it_stands(shell: Shell) -> None:
    with ExitStack() as stack:
        faults = [
            f"{block.place}: {command}\n{fault}"
            for block in shell_blocks()
            for command in commands_of(block)
            if (fault := _tried(shell, command, stack))
        ]
    assert not faults, "\n\n".join(faults)


def _tried(shell: Shell, command: str, stack: ExitStack) -> str:
    """What is wrong with a command; nothing if it does what it should."""
    command = command.replace("https://HOST", "http://127.0.0.1:8080")
    command = command.replace("127.0.0.1:8080", f"127.0.0.1:{shell.port}")
    if any(command.startswith(known) for known in NOT_HERE) or _is_missing(command):
        return ""
    if command.startswith(LASTING):
        port = shell.port if command.startswith("make serve") else free_port()
        stack.callback(end, shell.begin(command, port))
        return ""
    if is_synopsis(command):
        return _faults_of_synopsis(shell, command)
    done = shell.run(command)
    if done.returncode:
        return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    if _FOUND_NOTHING.search(done.stdout):
        return f"it finds nothing:\n{done.stdout}"
    return ""


def _is_missing(command: str) -> bool:
    program = command.split(maxsplit=1)[0]
    return program in PROGRAMS and not shutil.which(program)


def _faults_of_synopsis(shell: Shell, synopsis: str) -> str:
    """What a synopsis says that the command's own help does not."""
    words = synopsis.split()
    named = list(takewhile(re.compile(r"[a-z]+(-[a-z]+)*").fullmatch, words))
    done = shell.run(f"{' '.join(named)} --help")
    unknown = [o for o in re.findall(r"--[a-z-]+", synopsis) if o not in done.stdout]
    if done.returncode or unknown:
        return f"its help does not tell {', '.join(unknown)}:\n{done.stdout}{done.stderr}"
    return ""


def test_excluded_commands_are_still_documented() -> None:
    commands = [command for block in shell_blocks() for command in commands_of(block)]
    for known in (*NOT_HERE, *LASTING, *PROGRAMS, *TYPED):
        assert any(command.startswith(known) for command in commands), known
    for document, beginnings in NOT_SHELL.items():
        texts = [block.text for block in blocks_of(ROOT / document)]
        for beginning in beginnings:
            assert any(text.startswith(beginning) for text in texts), beginning


def test_a_command_that_fails_or_finds_nothing_is_found(shell: Shell) -> None:
    wrong: Mapping[str, str] = {
        "false": "exit code 1",
        "no-such-program": "exit code 127",
        "curl http://127.0.0.1:1/": "exit code 7",
        "WARMLEAD_DATA=empty .venv/bin/warmlead lead list": "it finds nothing",
        ".venv/bin/warmlead lead show nobody@example.com": "exit code 1",
    }
    with ExitStack() as stack:
        for command, told in wrong.items():
            assert told in _tried(shell, command, stack), command
        assert "does not tell --colour" in _tried(
            shell, "PATH=.venv/bin:$PATH warmlead lead list [--colour]", stack
        ) or not shutil.which("warmlead")
