"""The functions in a process of their own, which may freeze without taking the campaign along.

The system itself ends it when it has used too much processor time, whatever it is doing then:
no handler of Python's has to run. Before it ends it writes down where it was.
"""

import asyncio
import faulthandler
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from fuzz.budget import TRIES, budget_of, budget_s, repeated
from fuzz.functions import Functions, Outcome
from fuzz.planted import plant
from fuzz.scored import Scored
from fuzz.sent import Sent

FROZEN_AFTER_S = 2
"""Processor seconds beyond what it may cost after which nothing is worked on any more."""

SLOWEST = 6
"""A machine may be so many times slower than the one for which the budget is meant."""

PATIENCE_S = 300.0
"""For so long, on the clock, an answer is waited for: nothing that works needs it."""

_PRELOADED = ["fuzz.preloaded"]


class Step(NamedTuple):
    """What one thing cost that was done with a message, in processor seconds by itself."""

    what: str
    cost_s: float
    allowed_s: float


class Frozen(NamedTuple):
    """What was worked on when the process was ended, by its place, and where in the code."""

    place: int
    where: str

    @property
    def is_known(self) -> bool:
        """Whether it was certainly this one: its coroutine was on the stack."""
        return "in __await__" in self.where or "in _cost_of" in self.where


class Isolated:
    """Works on requests and messages in a process that is started anew when one freezes it."""

    def __init__(self, data: Path, planted: str = "") -> None:
        self._data = data
        self._planted = planted
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._notes = Path(tempfile.mkstemp(prefix="frozen-")[1])

    def answers(self, bunch: Sequence[Sent]) -> "list[Outcome] | Frozen":
        """What became of each request; they are worked on side by side."""
        found: list[Outcome] | Frozen = self._asked("answers", list(bunch))
        return found

    def cost_s(self, sent: Sent) -> float | Frozen:
        """What one request costs by itself: the median of several tries."""
        found: float | Frozen = self._asked("cost", sent)
        return found

    def scored(self, messages: Sequence[bytes]) -> list[list[Step]] | Frozen:
        """What each thing costs that is done with each message."""
        found: list[list[Step]] | Frozen = self._asked("scored", list(messages))
        return found

    def close(self) -> None:
        """Ends the process."""
        self._end()
        self._notes.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _asked(self, what: str, given: object) -> Any:
        pipe = self._ready()
        try:
            pipe.send((what, given))
            found = pipe.recv() if pipe.poll(PATIENCE_S) else None
        except (EOFError, OSError):
            found = None
        if found is None:
            return self._frozen()
        if isinstance(found, BaseException):
            raise found
        return found

    def _ready(self) -> Connection:
        if self._process is None or self._pipe is None:
            self._pipe, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_work, args=(theirs, self._data, self._planted, self._notes), daemon=True
            )
            self._process.start()
            theirs.close()
        return self._pipe

    def _frozen(self) -> Frozen:
        self._end()
        place, _, where = self._notes.read_text(errors="replace").partition("\n")
        return Frozen(int(place or 0), where)


# --- in the process ------------------------------------------------------------------------


class _Worker:
    def __init__(self, data: Path, notes: Path) -> None:
        self._notes = os.open(notes, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
        faulthandler.register(signal.SIGPROF, file=self._notes, chain=True)
        self._functions = Functions(data, self._begins)
        self._allowed_s = 0.0
        self._scored = Scored()
        self._runner = asyncio.Runner()

    def work(self, what: str, given: Any) -> object:
        does: dict[str, Callable[[Any], object]] = {
            "answers": self._answers,
            "cost": self._cost,
            "scored": self._costs,
        }
        return does[what](given)

    def _begins(self, index: int) -> None:
        """Notes that the request of this index is worked on now, and how long that may take.

        As long as the largest of its bunch: another thread may be at work for that one.
        """
        self._note(index)
        self._limit(self._allowed_s)

    def _note(self, index: int) -> None:
        os.pwrite(self._notes, f"{index:<8}\n".encode(), 0)
        os.lseek(self._notes, 9, os.SEEK_SET)

    def _limit(self, allowed_s: float) -> None:
        """Lets the process be ended when what it does now takes too much of the processor.

        Counted from now: what the system's ticks say of all that was before differs from what
        was used by seconds.
        """
        signal.setitimer(signal.ITIMER_PROF, SLOWEST * allowed_s + FROZEN_AFTER_S)

    def _answers(self, bunch: Sequence[Sent]) -> list[Outcome]:
        self._allowed_s = max(budget_of(sent, refused=False) for sent in bunch)
        return self._runner.run(self._functions.answer_all(bunch))

    def _cost(self, sent: Sent) -> float:
        return repeated(lambda: self._answers([sent]))

    def _costs(self, messages: Sequence[bytes]) -> list[list[Step]]:
        return [self._cost_of(index, message) for index, message in enumerate(messages)]

    def _cost_of(self, index: int, message: bytes) -> list[Step]:
        self._note(index)
        self._limit(budget_s(len(message)))
        found = []
        for what, work, events in self._scored.steps(message):
            allowed = budget_s(len(message), events=events)
            self._limit(allowed)
            began = process_time()
            work()
            cost = process_time() - began
            if cost > allowed:
                self._limit(TRIES * cost)
                cost = repeated(work)
            found.append(Step(what, cost, allowed))
        return found


def _work(pipe: Connection, data: Path, planted: str, notes: Path) -> None:
    worker = _Worker(data, notes)
    if planted:
        plant(planted)
    while True:
        try:
            what, given = pipe.recv()
        except EOFError:
            return
        try:
            found = worker.work(what, given)
        except Exception as error:  # noqa: BLE001  # it is told to who asked
            found = error
        pipe.send(found)
