"""An erasure that is killed at any line, and run again, ends as if it had never been disturbed."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from builders import NOW, StandingClock
from faults.zygote import in_a_process
from unit.application.conftest import World
from unit.application.persons import BROWSER, EMAIL, USER, ada_and_bob, erased, everything
from warmlead import sqlite_file
from warmlead.sqlite_file import SqliteFile

PRODUCT = str(Path(sqlite_file.__file__).parent)
TRIALS = 120


class Lines:
    """Counts the product's lines as they are run, in all threads, and kills at one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.run: list[str] = []
        self._kill_at = kill_at
        self._lock = threading.Lock()

    def watch(self) -> None:
        threading.settrace(self._call)
        sys.settrace(self._call)

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(PRODUCT) else None

    def _line(self, frame: FrameType, _event: str, _argument: object) -> Any:
        with self._lock:
            self.run.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            if len(self.run) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def on(path: Path, work: Callable[[World], Awaitable[object]]) -> None:
    async def opened() -> None:
        async with SqliteFile(path) as file:
            await work(World(file, StandingClock(NOW.replace(hour=20))))

    asyncio.run(opened())


def erasing(path: Path, who: str, lines: Lines) -> list[str]:
    async def work(world: World) -> None:
        lines.watch()
        await erased(world, who)

    on(path, work)
    return lines.run


@pytest.mark.slow
def test_an_erasure_killed_at_any_line_and_run_again_ends_in_the_same_state(tmp_path: Path) -> None:
    full = tmp_path / "full.sqlite3"
    prepared = in_a_process(lambda: asyncio.run(fill(full)))
    assert not prepared.wrong
    undisturbed = Path(shutil.copy(full, tmp_path / "undisturbed.sqlite3"))
    done = in_a_process(lambda: erasing(undisturbed, EMAIL, Lines()))
    assert done.result
    expected = everything(undisturbed)
    kills, halfway = 0, 0
    whose = cycle([EMAIL, USER, BROWSER])
    for at in chosen(done.result):
        path = Path(shutil.copy(full, tmp_path / "killed.sqlite3"))
        killed = in_a_process(partial(erasing, path, EMAIL, Lines(at)))
        assert not killed.wrong
        kills += killed.killed
        half = everything(path)
        halfway += half["tombstones"] != [] and half["messages"] != expected["messages"]
        again = in_a_process(partial(erasing, path, next(whose), Lines()))
        assert not again.wrong
        assert everything(path) == expected, f"killed at {done.result[at - 1]}"
        for each in tmp_path.glob("killed.sqlite3*"):
            each.unlink()
    assert kills > 0.8 * TRIALS
    assert halfway, "some were killed between the store and the archive"


def chosen(lines: list[str]) -> list[int]:
    """Every line of the use case once, and others evenly in between; counted from 1."""
    first = {line: number for number, line in reversed([*enumerate(lines, 1)])}
    own = sorted(number for line, number in first.items() if line.startswith("erase.py:"))
    step = max(1, len(lines) // (TRIALS - len(own)))
    return sorted({*own, *range(1, len(lines) + 1, step)})


async def fill(path: Path) -> None:
    async with SqliteFile(path) as file:
        await ada_and_bob(World(file, StandingClock()))
