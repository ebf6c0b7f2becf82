"""Ends this process when it stands still, so that another can go on and find out why.

One match of a regular expression holds Python's lock for as long as it takes: no thread, no
signal handler of Python's runs meanwhile, and nobody is answered. So the kernel keeps the time: a
timer of the process (``ITIMER_PROF``) counts processor seconds only, so neither a suspended
machine nor an idle server is ended; when it runs out, the signal SIGPROF ends the process, after
a handler in C has written to standard error where each thread was (no values, names of functions).
"""

import asyncio
import contextlib
import faulthandler
import signal
from collections.abc import Iterator
from types import TracebackType
from typing import Self

STILL_S = 30.0
"""So many processor seconds may pass while the event loop does not get its turn."""

ALONE_S = 10.0
"""So many processor seconds one message may take, by itself; it takes milliseconds."""

LONGEST_S = 120.0
"""So long several messages may take, before the event loop's turns count no more."""

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
