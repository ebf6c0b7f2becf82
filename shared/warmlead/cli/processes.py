"""Processes that a command starts: each in a group of its own, and ended for certain.

Ctrl-C at a terminal goes to the command alone, which then ends what it started, in its order.
What the processes do is not known here.
"""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

PATIENCE_S = 90.0
"""A cold machine with little memory needs half of it."""

LOOK_EVERY_S = 0.1
LAST_LINES = 15


class Process(NamedTuple):
    """A process that was started, its host:port, and the file with what it says."""

    name: str
    address: str
    popen: subprocess.Popen[bytes]
    log: Path

    def ask_to_end(self) -> None:
        """Tells it, and all that it started, to end; does not wait for it."""
        _tell(self.popen, signal.SIGTERM)


class EndedError(Exception):
    """A process ended that should have run on, or did not answer; with the end of what it said."""

    def __init__(self, process: Process) -> None:
        code = process.popen.poll()
        how = f"did not answer in {PATIENCE_S:.0f} s" if code is None else f"ended with code {code}"
        said = process.log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = [f"    {line}" for line in said[-LAST_LINES:]] or ["    nothing"]
        super().__init__("\n".join([f"{process.name} {how}. The last that it said:", *last]))


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    address: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    grace_s: float = 0.0,
) -> Iterator[Process]:
    """A process while the block runs; then it and all that it started are ended.

    It is asked with SIGTERM if there is grace to give, and killed when that is over.
    """
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603  # words of our own
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Process(name, address, popen, log)
    finally:
        try:
            if grace_s:
                _tell(popen, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    popen.wait(grace_s)
        finally:  # whatever interrupts the waiting
            _tell(popen, signal.SIGKILL)
            popen.wait()


def _tell(leader: subprocess.Popen[bytes], told: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, told)


def wait_until_it_answers(process: Process) -> None:
    """Returns when the server at its address answers; ``EndedError`` if it ends, or never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not answers(f"http://{process.address}/"):
        if process.popen.poll() is not None or time.monotonic() > deadline:
            raise EndedError(process)
        time.sleep(LOOK_EVERY_S)


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it answers."""
    request = urllib.request.Request(url, method="OPTIONS")  # noqa: S310  # addresses of ours
    try:
        urllib.request.urlopen(request, timeout=1).close()  # noqa: S310  # the same
    except urllib.error.HTTPError:
        return True
    except (OSError, HTTPException, ValueError):  # nobody, something else, or no address at all
        return False
    return True


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM end the block as Ctrl-C does, so that what it started is ended with it.

    Only in a main thread where nobody else listens to it; elsewhere nothing changes.
    """
    try:
        free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        if free:
            signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:  # another thread than the main one
        free = False
    try:
        yield
    finally:
        if free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_told: int, _at: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def free_port() -> int:
    """A port of this machine on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
