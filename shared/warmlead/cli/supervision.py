"""Keeps a server running: a parent that does nothing but start it, and start it again.

A server that stands still obeys nobody and cannot restart itself. Its parent can: it passes on
that it is to end, ends it when the grace is over, and starts another when a signal has ended it.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

import typer

from warmlead.cli.output import EXIT_WRONG, errors
from warmlead.cli.watchdog import ENDS_WITH

GRACE_S = 8
"""So long a server may finish what it is at; shorter than a container's ten seconds."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A server that ran for so long is started again without a growing pause."""

TOLD = (signal.SIGTERM, signal.SIGINT)

STOOD_STILL = (
    "The server stood still and was ended; above is where. It starts again. What it was at is "
    "tried message by message; one that stops it again is set aside: warmlead quarantine list"
)

_PR_SET_PDEATHSIG = 1  # prctl(2)


def keep_serving() -> None:
    """Returns in a child process, which is to serve; this process stays to watch over it.

    It ends when a child has ended by itself, or was told to: raises ``typer.Exit`` with the
    child's exit code, or 1 if the child had to be killed. To be called before there are threads
    or open data files, which a fork would share.
    """
    if threading.active_count() > 1:
        return  # a debugger's, say: then nobody starts it again, and the watchdog still ends it
    code = _Supervisor().run()
    if code is not None:
        raise typer.Exit(code)


class _Supervisor:
    """Starts children, one after the other."""

    def __init__(self) -> None:
        self._child = 0
        self._is_told = False

    def run(self) -> int | None:
        """The exit code for this process; ``None`` in the child."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            if self._start() == 0:
                return None
            code = self._wait()
            if code >= 0 or self._is_told:
                for told in TOLD:  # said again while Python ends, it would become the exit code
                    signal.signal(told, signal.SIG_IGN)
            if code >= 0:
                return code
            if self._is_told:
                errors.print(f"The server did not end within {GRACE_S} s and was killed.")
                return EXIT_WRONG
            errors.print(STOOD_STILL if -code == ENDS_WITH else _ended_by(-code))
            steady = time.monotonic() - began > STEADY_S
            pause_s = FIRST_PAUSE_S if steady else min(2 * pause_s, LONGEST_PAUSE_S)
            time.sleep(pause_s)

    def _start(self) -> int:
        """Forks; the child's process id, and 0 in the child."""
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)  # until both know what to do when told
        self._child = os.fork()
        if self._child:
            for told in TOLD:
                signal.signal(told, self._pass_on)
            signal.signal(signal.SIGALRM, self._kill)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            _end_with(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD)
        return self._child

    def _wait(self) -> int:
        """The child's exit code, or the number of the signal that ended it, negative."""
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        signal.alarm(0)
        return os.waitstatus_to_exitcode(status)

    def _pass_on(self, _told: int, _at: FrameType | None) -> None:
        if not self._is_told:
            self._is_told = True
            signal.alarm(GRACE_S)
        if not self._child:  # between two children
            raise typer.Exit(0)
        with suppress(ProcessLookupError):
            # Never SIGINT: Ctrl-C reaches the child by itself, and twice means force.
            os.kill(self._child, signal.SIGTERM)

    def _kill(self, _told: int, _at: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)


def _end_with(parent: int) -> None:
    """Has this process killed when its parent ends, lest it hold the port; where that is known."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(EXIT_WRONG)


def _ended_by(number: int) -> str:
    return f"The server was ended by {signal.Signals(number).name}. It starts again."
