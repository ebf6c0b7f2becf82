"""A running ``warmlead serve``, started as a user starts it, and what it knows of its leads."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands import command
from patience import PATIENCE_S, until


class Served:
    """The server at ``base``, its data folder, and the command to ask it with."""

    def __init__(
        self,
        base: str,
        data: Path,
        environment: Mapping[str, str],
        process: subprocess.Popen[bytes],
    ) -> None:
        self.base = base
        self.data = data
        self.environment = dict(environment)
        self.process = process

    def signal_all(self, told: signal.Signals) -> None:
        """Sends a signal to the server and to the process that watches over it."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            os.kill(each, told)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The ``warmlead`` command on the server's data."""
        return command(arguments, self.environment)

    def json(self, *arguments: str) -> Any:
        """What a command prints with ``--json``; it must succeed."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def lead(self, who: str) -> dict[str, Any] | None:
        """A lead as ``lead show`` tells it; ``None`` if there is none yet."""
        done = self.command("lead", "show", who, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and body of the answer to a post."""
        request = urllib.request.Request(f"{self.base}{path}", body, dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextmanager
def serving(data: Path, *, port: int | None = None, **settings: str) -> Iterator[Served]:
    """``warmlead serve`` on a free port; ended by SIGTERM, as a platform ends it."""
    port = port or free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
    environment = {**clean, "WARMLEAD_DATA": str(data), **settings}
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", str(port)]
    log_path = data.parent / f"serve-{port}.log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
    ):
        served = Served(f"http://127.0.0.1:{port}", data, environment, server)
        try:
            until(lambda: answers(served) or server.poll() is not None)
            assert server.poll() is None, log_path.read_text()
            yield served
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(server: Served) -> bool:
    """Whether the server answers, and says that its store does."""
    try:
        urllib.request.urlopen(f"{server.base}/healthz", timeout=10).close()
    except OSError:
        return False
    return True
