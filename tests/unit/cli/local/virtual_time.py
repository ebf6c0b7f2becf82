"""An event loop whose time is its own: it goes on when everybody waits, and costs nothing.

So what a loop does in an hour can be counted. A loop that never waits is found by its turns.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

MOST_TURNS = 3_000
"""Turns of the event loop without any wait after which somebody spins."""


class SpinError(Exception):
    """Somebody does the same again and again without waiting for anything."""


class _Waiting(selectors.SelectSelector):
    """Does not wait: it lets the time go on by as much."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns > MOST_TURNS:
            self._turns = -1_000_000  # let the runner end
            raise SpinError(f"{MOST_TURNS} turns without a wait, at {self.now_s:g} s")
        self.now_s += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Counts time by what was waited for."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.now_s


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Runs something in virtual time; raises ``SpinError`` if anything in it spins."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
