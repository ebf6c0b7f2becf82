"""Google's emulators for one run of the tests: started when first needed, shared by all workers.

A keeper process holds each of them. It ends with the run, however that ends: it waits for a
file lock that the run's first process holds, and that the kernel releases when it dies.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.lacking import skip_or_fail
from patience import PATIENCE_S
from warmlead.cli.local.emulators import Service, emulator, missing

"""A small machine may be starting both while it runs tests."""


class Run:
    """One run of the tests, as its first process sees it: what it began it ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="warmlead-emulators-"))
        self._alive = _opened(self.folder / "alive")
        fcntl.flock(self._alive, fcntl.LOCK_EX)

    def end(self) -> None:
        """Lets every keeper go, and returns when their emulators have ended."""
        os.close(self._alive)
        for held in self.folder.glob("*.held"):
            with locked(held):
                pass
        shutil.rmtree(self.folder)


def address(service: Service, folder: Path) -> str:
    """The host:port of the run's emulator; the first to ask starts it.

    Skips the test where it cannot be started; with ``CI`` set that is a failure.
    """
    if lacking := missing():
        skip_or_fail(lacking)
    written = folder / f"{service}.address"
    with locked(folder / f"{service}.starting"):
        if not written.exists():
            _start_keeper(service, folder, written)
    return written.read_text()


def _start_keeper(service: Service, folder: Path, written: Path) -> None:
    """Starts a keeper in a session of its own, so that Ctrl-C reaches only the tests."""
    log = folder / f"{service}.log"
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600)
    command = [sys.executable, __file__, service, str(folder)]
    keeper = os.posix_spawn(
        sys.executable,
        command,
        {**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        file_actions=[output, (os.POSIX_SPAWN_DUP2, 1, 2)],
        setsid=True,
    )
    deadline = time.monotonic() + PATIENCE_S
    while not written.exists():
        ended = os.waitpid(keeper, os.WNOHANG) != (0, 0)
        if ended or time.monotonic() > deadline:
            raise RuntimeError(f"The emulator of {service} did not start:\n{log.read_text()}")
        time.sleep(0.1)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the file's lock; waits for it as long as it takes."""
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


# --- the keeper ----------------------------------------------------------------------------


def keep(service: Service, folder: Path) -> None:
    """Runs an emulator until the run of the tests has ended."""
    with locked(folder / f"{service}.held"), emulator(service) as address:
        ready = folder / f"{service}.ready"
        ready.write_text(address)
        ready.rename(folder / f"{service}.address")
        with locked(folder / "alive"):
            pass


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))  # type: ignore[arg-type]  # as _start_keeper says it
