"""Keeps a server running: its address, its watchdog, and the parent that starts it again."""

import asyncio
import contextlib
import ctypes
import errno
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

import typer

from warmlead.cli.output import EXIT_WRONG, errors
from warmlead.domain.errors import ConfigurationError

BACKLOG = 2_048
"""The number of connections that may wait to be accepted; the system may allow fewer."""

_OF_ANOTHER_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets that listen there, one for each address that the host has, at least one.

    Raises ``ConfigurationError`` that says what to do if that is not possible.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sockets: list[socket.socket] = []
    lacking: OSError | None = None
    try:
        for family, address in _addresses(host, port):
            try:
                sockets.append(_listening(family, address))
            except OSError as error:
                if error.errno not in _OF_ANOTHER_FAMILY:
                    raise
                lacking = error  # localhost has an address in IPv6, and not every machine has that
        if lacking and not sockets:
            raise lacking
    except OSError as error:
        for each in sockets:
            each.close()
        subject = f"Warmlead cannot listen on {where}:"
        raise ConfigurationError.one(subject, reason_of(error, port)) from error
    return sockets


def _addresses(host: str, port: int) -> Iterable[tuple[int, tuple[object, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((family, address) for family, _, _, _, address in found)


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def reason_of(error: OSError, port: int) -> str:
    """Why a port cannot be listened on, and what to do."""
    if isinstance(error, socket.gaierror):
        return "this machine knows no such host; use 127.0.0.1, or 0.0.0.0 for all addresses"
    if error.errno == errno.EADDRINUSE:
        return f"the port is in use already; choose another, such as --port {_another(port)}"
    if error.errno == errno.EACCES:
        return (
            "this user may not take that port; choose one above 1023, such as --port 8080, and "
            "put a reverse proxy in front of it"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; use 127.0.0.1, or 0.0.0.0 for all addresses"
    return error.strerror or str(error)


def _another(port: int) -> int:
    highest = 65_535
    return port + 1 if port < highest else port - 1


STILL_S = 30.0
"""Limit of processor seconds during which the event loop gets no turn."""

ALONE_S = 10.0
"""Limit of processor seconds for one message that is tried alone; usually it takes milliseconds."""

LONGEST_S = 120.0
"""Seconds for several messages, after which turns of the event loop no longer count."""

FEED_EVERY_S = 1.0

ENDS_WITH = signal.SIGPROF


class Watchdog:
    """Watches over the event loop while its context is open; one a process.

    Times are given in seconds; those of the processor are of all threads together.
    """

    def __init__(
        self, *, still_s: float = STILL_S, alone_s: float = ALONE_S, longest_s: float = LONGEST_S
    ) -> None:
        self._still_s = still_s
        self._alone_s = alone_s
        self._longest_s = longest_s
        self._feeding: asyncio.Task[None] | None = None
        self._hungry_at: float | None = None

    async def __aenter__(self) -> Self:
        faulthandler.register(ENDS_WITH, all_threads=True, chain=True)
        self._feeding = asyncio.create_task(self._keep_feeding())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._feeding:
            self._feeding.cancel()
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(ENDS_WITH)

    @contextlib.contextmanager
    def work(self, *, alone: bool) -> Iterator[None]:
        """Bounds the block: one message ``alone`` is given less time than several."""
        now = asyncio.get_running_loop().time()
        self._hungry_at = now if alone else now + self._longest_s
        signal.setitimer(signal.ITIMER_PROF, self._alone_s if alone else self._still_s)
        try:
            yield
        finally:
            self._hungry_at = None
            signal.setitimer(signal.ITIMER_PROF, self._still_s)

    async def _keep_feeding(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if self._hungry_at is None or loop.time() < self._hungry_at:
                signal.setitimer(signal.ITIMER_PROF, self._still_s)
            await asyncio.sleep(FEED_EVERY_S)


GRACE_S = 8
"""Seconds for a server to finish its work; shorter than a container's ten seconds."""

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
    """Returns in a child process, which serves; this process stays and watches it.

    It ends when a child ends by itself, or on request: raises ``typer.Exit`` with the child's exit
    code, or 1 if the child had to be killed. Call it before there are threads or open data files,
    which a fork would share.
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
        signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)  # until both handle signals
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
