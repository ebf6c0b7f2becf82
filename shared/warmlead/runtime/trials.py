"""Has a process of its own try a model file or a story, one after the other, and waits for it.

The modules that read models and play stories are imported there, and not by the function: they
would make its start longer. The process knows no secret and no store.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import json

import warmlead
from warmlead.dashboard.trials import TrialRequest, TrialResult
from warmlead.domain.errors import UnavailableError

WITHIN_S = 40.0
"""Seconds after which the process is killed: with the wait, less than a request may take."""

WAIT_S = 10.0
"""Seconds for which a question waits for those before it; then it is refused."""

MOST_WAITING = 4
"""How many may wait while one is tried; more are refused."""

TOO_COSTLY = (
    "This takes more time or memory than a page has for it. On your own machine nothing limits "
    "it: warmlead model check, warmlead model simulate."
)
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
OUT_OF_MEMORY = 75
"""The code with which the process ends if its memory is not enough."""

_MODULE = "warmlead.runtime.trial"


class Trials:
    """Tries questions one after the other; implements ``Ask``."""

    def __init__(self, *, within_s: float = WITHIN_S, wait_s: float = WAIT_S) -> None:
        self._within_s = within_s
        self._wait_s = wait_s
        self._one_at_a_time = asyncio.Lock()
        self._asked = 0

    async def __call__(self, question: TrialRequest) -> TrialResult:
        """The verdict; raises ``UnavailableError`` if it would wait too long for others."""
        if self._asked > MOST_WAITING:
            raise _busy()
        self._asked += 1
        try:
            async with self._turn():
                return await self._tried(json.encode(question))
        finally:
            self._asked -= 1

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            yield
        finally:
            self._one_at_a_time.release()

    async def _tried(self, asked: bytes) -> TrialResult:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULE),
            stdin=pipe,
            stdout=pipe,
            stderr=null,
            env=environment(),
        )
        try:
            async with asyncio.timeout(self._within_s):
                said, _ = await process.communicate(asked)
        except TimeoutError:
            return TrialResult(failed=TOO_COSTLY)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            ended = await process.wait()
        if ended == 0:
            return json.decode(said, type=TrialResult)
        if ended == OUT_OF_MEMORY or ended < 0:
            return TrialResult(failed=TOO_COSTLY)
        raise RuntimeError(f"the process that tries models ended with {ended}")


def _busy() -> UnavailableError:
    return UnavailableError("other models are being tried", retry_after_s=10)


def environment() -> dict[str, str]:
    """The environment of the process: where modules are, and no setting."""
    ours = str(Path(warmlead.__file__).parents[1])
    path = os.pathsep.join([ours, *(each for each in sys.path if each)])
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
