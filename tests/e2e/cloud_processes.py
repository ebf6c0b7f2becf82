"""``warmlead serve --backend gcp`` as a user starts it, and finding every process it started."""

import os
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from patience import PATIENCE_S, until
from served import Served, free_port

MARK = "STARTED_BY_TEST"
"""A variable in the environment of everything that a server has started, however deep."""


class CloudServed(NamedTuple):
    """The server, what it has said, and the mark of all its processes."""

    served: Served
    log: Path
    mark: str

    def tell_to_end(self, told: signal.Signals) -> int:
        """Sends it a signal; its exit code, if it ends in time."""
        self.served.process.send_signal(told)
        return self.served.process.wait(PATIENCE_S)

    def processes(self) -> dict[int, str]:
        """All that runs with its mark: process ids, and their command lines."""
        return dict(_marked(f"{MARK}={self.mark}".encode()))


@contextmanager
def serving_cloud(data: Path, *options: str, **variables: str) -> Iterator[CloudServed]:
    """The server in front of its functions; ``variables`` may name emulators and a project."""
    port, mark = free_port(), uuid.uuid4().hex
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
    environment = {**clean, "WARMLEAD_DATA": str(data), MARK: mark, **variables}
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--backend", "gcp"]
    log_path = data.parent / f"serve-{port}.log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            [*command, "--port", str(port), *options], env=environment, stdout=log, stderr=log
        ) as process,
    ):
        base = f"http://127.0.0.1:{port}"
        served = Served(base, data, {**environment, "WARMLEAD_BACKEND": "gcp"}, process)
        try:
            until(lambda: _answers(base) or process.poll() is not None)
            assert process.poll() is None, log_path.read_text()
            yield CloudServed(served, log_path, mark)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _answers(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/healthz", timeout=10).close()
    except OSError:
        return False
    return True


def _marked(variable: bytes) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                yield int(folder.name), b" ".join(words).decode()
        except OSError:
            continue  # it has ended meanwhile, or is another user's
