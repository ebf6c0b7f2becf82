"""Runs things in forked processes of their own: all is imported, and nothing is open yet."""

import gc
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

LONGEST_S = 300.0


class Ended(NamedTuple, Generic[T]):
    """How a process ended: with a result, by a signal, or by an error whose trace is ``wrong``."""

    result: T | None
    killed: bool
    wrong: str


def in_a_process(work: Callable[[], T], *, longest_s: float = LONGEST_S) -> Ended[T]:
    """What the work returns, done in a process of its own.

    Nothing of this process is flushed, closed or run down in the other.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        gc.disable()  # it would copy the zygote's pages
        _run(work, writing)
    os.close(writing)
    data, is_late = _read_all(reading, time.monotonic() + longest_s)
    os.close(reading)
    if is_late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if is_late:
        return Ended(None, killed=False, wrong=f"it hung for {longest_s:g} s")
    if os.WIFSIGNALED(status):
        by = signal.Signals(os.WTERMSIG(status))
        expected = by in (signal.SIGKILL, signal.SIGALRM)
        return Ended(None, killed=expected, wrong="" if expected else f"it ended by {by.name}")
    if not data:
        return Ended(None, killed=False, wrong=f"it ended with {os.WEXITSTATUS(status)}")
    result, wrong = pickle.loads(data)
    return Ended(result, killed=False, wrong=wrong)


def _run(work: Callable[[], object], writing: int) -> None:
    try:
        outcome: tuple[object, str] = (work(), "")
    except BaseException:  # noqa: BLE001  # whatever it was is told to the other process
        outcome = (None, traceback.format_exc())
    try:
        with os.fdopen(writing, "wb") as out:
            pickle.dump(outcome, out)
        sys.stderr.flush()
    finally:
        os._exit(0)


def _read_all(reading: int, deadline: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"", True
        part = os.read(reading, 65_536)
        if not part:
            return b"".join(parts), False
        parts.append(part)
