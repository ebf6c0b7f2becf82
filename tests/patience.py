"""How long tests wait for what has to come: long enough for a machine with ten times the work.

A test that passes never waits so long, so a generous limit costs nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 180.0


def until(holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true value of ``holds``, asked again and again; fails when patience ends.

    It pauses as long as asking takes, so that asking does not slow what is waited for.
    """
    deadline = time.monotonic() + patience_s
    while True:
        asked = time.monotonic()
        if value := holds():
            return value
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(max(0.05, time.monotonic() - asked))


async def eventually(holds: Callable[[], Awaitable[T]]) -> T:
    """The same for what has to be awaited."""
    async with asyncio.timeout(PATIENCE_S):
        while not (value := await holds()):  # noqa: ASYNC110  # it may be a file or a server
            await asyncio.sleep(0.01)
    return value


async def soon(coming: Awaitable[T]) -> T:
    """What is awaited; fails when patience ends."""
    async with asyncio.timeout(PATIENCE_S):
        return await coming
