"""Functions as processes, served by functions-framework as the platform serves them.

Ours as they are staged for a deployment, from inside their folder; the naive ones and those
that do nothing from their files. What they are asked is not known here.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bench.cloud import MODEL
from warmlead.cli.local.emulators import free_port

ROOT = Path(__file__).parents[2]
BESIDE = Path(__file__).parent
LAST_LINES = 4
FORMS = "open: {allow_unsigned: true}\n"

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Function(NamedTuple):
    """What is served: an entry point in a file of a folder, asynchronous (ASGI) or not."""

    target: str
    folder: Path
    file: str
    asgi: bool

    def command(self, port: int) -> list[str]:
        """Its server."""
        options = ["--target", self.target, "--source", self.file]
        options += ["--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", "functions_framework", *options]

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Nothing of ours but the settings; modules are compiled, as in an image."""
        ours = ("WARMLEAD_", "PYTHON", "FIRESTORE_", "PUBSUB_")
        clean = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        return {**clean, **({"FUNCTION_USE_ASGI": "1"} if self.asgi else {}), **settings}


NOOP = Function("noop", BESIDE / "noop", "asgi.py", asgi=True)
NOOP_WSGI = Function("noop", BESIDE / "noop", "wsgi.py", asgi=False)
NAIVE_ACCEPT = Function("accept", BESIDE / "naive", "accept.py", asgi=False)
NAIVE_SCORE = Function("score", BESIDE / "naive", "score.py", asgi=False)


class Staged:
    """Our functions, staged as for a deployment."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Function:
        if self._folder is None:
            raise LookupError("this section is not known to need staged functions")
        return Function(name, self._folder / name, "main.py", asgi=True)


@contextmanager
def staged() -> Iterator[Staged]:
    """Stages all functions, with a model and forms, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        forms = Path(folder, "forms.yaml")
        forms.write_text(FORMS)
        build = Path(folder, "build")
        command = [sys.executable, str(ROOT / "infra/stage.py"), "--into", str(build)]
        command += ["--model", MODEL, "--forms", str(forms)]
        subprocess.run(command, check=True, capture_output=True)
        yield Staged(build)


class Server(NamedTuple):
    """A function's process, and its host:port."""

    process: subprocess.Popen[bytes]
    address: str

    @property
    def cpu_seconds(self) -> float:
        """What it and all that it started have used of the processor so far."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(") ")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[2]) == self.process.pid:  # its group
                ticks += int(fields[11]) + int(fields[12])
        return ticks / _CLOCK_TICKS


@contextmanager
def served(function: Function, settings: Mapping[str, str]) -> Iterator[Server]:
    """The function's process, just started: it answers as soon as it can."""
    port = free_port()
    with tempfile.TemporaryFile(prefix="warmlead-bench-") as log:
        process = subprocess.Popen(
            function.command(port),
            cwd=function.folder,
            env=function.environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield Server(process, f"127.0.0.1:{port}")
        except Exception:
            log.seek(0)
            last = log.read().decode(errors="replace").splitlines()[-LAST_LINES:]
            sys.stderr.write(f"{function.file} said last:\n" + "".join(f"  {x}\n" for x in last))
            raise
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
