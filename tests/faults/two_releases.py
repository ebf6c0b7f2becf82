"""Two releases at once on one store and bus, with kills: an upgrade, a way back, forward again.

The present release stands for the older one, and patches in ``releases`` make a newer one of it,
with what a newer release may change: the messages between functions, and how a lead is stored.
So every release is tried as the older one before there is a newer one.
"""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache, partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from builders import NOW
from faults.backends import Installed
from faults.deployment import Functions
from faults.journal import Journal
from faults.kills import visit_of
from faults.lives import REBIRTH, Life, Ticking
from faults.release import Answered, Asked, Opening, frame, read_frame
from faults.sites import ACCEPT, APPLY, DECAY, FOLLOWUP, Switches, Visit, die
from faults.trial import Outcome, Trial
from faults.workload import Workload, workload
from faults.zygote import in_a_process
from warmlead.ports import Message, RawRequest

TESTS = Path(__file__).parents[1]
RELEASES = Path(__file__).with_name("releases")
NEXT = {
    "a field more": ("message.patch", "field.patch"),
    "the next layout": ("message.patch", "layout.patch"),
    "another dispatch": ("dispatch.patch",),
}
"""What a newer release changes, as patches."""

CHANGES = ("a field more", "the next layout")
"""Those that concern leads."""

BOTH, OLD, NEW = "both", "old", "new"


class Phase(NamedTuple):
    """From which part of a plan on which release accepts, and which one reads what was accepted."""

    begins: float
    accepting: str
    reading: str


def _around(first: str) -> Sequence[Phase]:
    """An upgrade in which those functions come first, the way back, and the end of the old."""

    def phase(begins: float, early: str, late: str) -> Phase:
        reads_first = first == "reading"
        return Phase(begins, late if reads_first else early, early if reads_first else late)

    return (
        phase(0.0, OLD, OLD),
        phase(0.12, BOTH, OLD),
        phase(0.24, NEW, OLD),
        phase(0.36, NEW, BOTH),
        phase(0.48, NEW, NEW),
        phase(0.6, NEW, BOTH),
        phase(0.7, NEW, OLD),
        phase(0.76, BOTH, OLD),
        phase(0.82, OLD, OLD),
        phase(0.92, BOTH, BOTH),
    )


ORDERS = {
    "as documented": _around("reading"),
    "the other way around": _around("accepting"),
    "at once": (Phase(0.0, BOTH, BOTH),),
}


class NextRelease:
    """An instance of the newer release, in a process of its own; another one when it dies."""

    def __init__(self, trial: Trial, clock: Ticking, server: str, kill: Visit | None) -> None:
        self.deaths = 0
        self._opening = Opening(trial.backend.name, trial.folder, kill)
        self._clock = clock
        self._server = server
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def post(self, request: RawRequest) -> int:
        return await self._status("post", request)

    async def push(self, message: Message) -> int:
        return await self._status("push", message)

    async def decay(self) -> int:
        return await self._status("decay")

    async def follow_up(self) -> int:
        return await self._status("followup")

    async def check(self, seed: int) -> Sequence[str]:
        """What the checker finds, as the newer release reads the store."""
        found: Sequence[str] = await self._ask("check", seed)
        return found

    async def _status(self, what: str, argument: object = None) -> int:
        try:
            return int(await self._ask(what, argument))
        except ConnectionError:
            return 503  # nobody answered: whoever asked asks again

    async def _ask(self, what: str, argument: object) -> Any:
        async with self._lock:
            writer = self._writer or await self._connect()
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        writer.write(frame(Asked(number, what, argument, self._clock.now())))
        result = await self._waiting[number]
        if isinstance(result, Exception):
            raise result
        return result

    async def _connect(self) -> asyncio.StreamWriter:
        reader, self._writer = await asyncio.open_unix_connection(self._server)
        self._writer.write(frame(self._opening))
        self._opening = self._opening._replace(kill=None)  # of one instance; the next one lives
        self._reading = asyncio.create_task(self._read(reader))
        return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                answered: Answered = await read_frame(reader)
                self._clock.time = max(self._clock.time, answered.now)
                self._waiting.pop(answered.number).set_result(answered.result)
        self.deaths += 1
        self._writer = None
        for waiting in self._waiting.values():
            waiting.set_exception(ConnectionResetError("the instance died"))
        self._waiting.clear()


class Rollout:
    """Asks one release or the other, as far as the rollout has come."""

    def __init__(self, old: Functions, new: NextRelease, random: Random) -> None:
        self.old, self.new = old, new
        self.phase = Phase(0.0, NEW, NEW)
        self._random = random

    async def post(self, request: RawRequest) -> int:
        return await self._one_of(self.phase.accepting).post(request)

    async def push(self, message: Message) -> int:
        return await self._one_of(self.phase.reading).push(message)

    async def decay(self) -> int:
        return await self._one_of(self.phase.reading).decay()

    async def follow_up(self) -> int:
        return await self._one_of(self.phase.reading).follow_up()

    def _one_of(self, which: str) -> Functions:
        chosen = self._random.choice([OLD, NEW]) if which == BOTH else which
        return self.old if chosen == OLD else self.new


class RolledOut(Life):
    """A life in which the step of the plan says how far the rollout has come."""

    def __init__(
        self,
        plan: Workload,
        journal: Journal,
        installed: Installed,
        clock: Ticking,
        *,
        random: Random,
        switches: Switches,
        new: NextRelease,
        order: str,
        stamps: "Stamps",
    ) -> None:
        super().__init__(plan, journal, installed, clock, random=random, switches=switches)
        self._rollout = Rollout(self.deployments[0], new, random)
        self.deployments = [self._rollout]
        self._order = ORDERS[order]
        self._stamps = stamps

    def roll_forward(self) -> None:
        """The newer release alone from now on."""
        self._rollout.phase = Phase(1.0, NEW, NEW)

    async def _do(self, number: int) -> None:
        part = number / len(self.plan.steps)
        self._rollout.phase = [each for each in self._order if each.begins <= part][-1]
        await super()._do(number)
        self._stamps.look()


class Stamps:
    """Looks whether what the newer release alone knows stays in each lead, whoever writes it."""

    def __init__(self, trial: Trial) -> None:
        self._file = trial.folder / "warmlead.sqlite3"
        self._lost = trial.folder / "stamps-lost"
        self._seen: set[str] = set()

    def look(self) -> None:
        """Compares with the last look; a lead that is gone or merged is forgotten."""
        if not self._file.exists():
            return
        query = "SELECT id, document LIKE '%\"stamp\"%' FROM leads"
        with closing(sqlite3.connect(self._file)) as connection:
            rows = connection.execute(query).fetchall()
        there = dict(rows)
        lost = [id_ for id_ in self._seen & there.keys() if not there[id_]]
        if lost:
            with self._lost.open("a") as file:
                file.writelines(f"{id_}\n" for id_ in lost)
        self._seen = {id_ for id_, has_stamp in rows if has_stamp}

    def violations(self) -> list[str]:
        ids = self._lost.read_text().split() if self._lost.exists() else []
        return [f"I2: lead {id_} has lost what a newer release kept in it" for id_ in ids]


# --- trials ------------------------------------------------------------------------------------


class Course(NamedTuple):
    """What a trial does: the plan, the order of the rollout, and where the newer release is."""

    trial: Trial
    plan: Workload
    order: str
    server: str


def run(trial: Trial) -> Outcome:
    """One trial: a rollout with lives that are killed on both sides, one that heals, the checks."""
    random, outcome = Random(f"two releases {trial.seed}"), Outcome()
    order, change = random.choice([*ORDERS]), random.choice(CHANGES)
    course = Course(trial, workload(trial.seed), order, server_of(change))
    for number in range(random.choice([2, 3, 4])):
        kills = [random.choice([None, _kill(random, trial)]) for _ in range(2)]
        ended = in_a_process(partial(_life, course, number, *kills))
        outcome.kills += ended.killed + (ended.result or 0)
        if ended.wrong:
            outcome.violations.append(f"life {number}, {order}, {change}: {ended.wrong}")
            return outcome
    last = in_a_process(lambda: asyncio.run(_heal_and_check(course)))
    if last.wrong or last.result is None:
        outcome.violations.append(f"the last life: {last.wrong or 'killed by somebody else'}")
    outcome.violations += last.result or []
    return outcome


def _kill(random: Random, trial: Trial) -> Visit:
    return visit_of(random, random.choice([*ACCEPT, *APPLY, *DECAY, *FOLLOWUP]), trial.backend)


def _life(course: Course, number: int, old: Visit | None, new: Visit | None) -> int:
    """A life of the rollout; it ends where the older release's instance is killed."""
    switches = Switches({old: die} if old else {})
    random = Random(f"life {number} of {course.trial.seed}")
    return asyncio.run(_live(course, random, switches, new))


async def _live(
    course: Course, random: Random, switches: Switches, kill: Visit | None, *, heals: bool = False
) -> int:
    """How often an instance of the newer release has died."""
    trial, journal = course.trial, Journal(course.trial.folder / "journal")
    latest = journal.latest
    clock = Ticking(NOW if latest is None else latest + REBIRTH)
    journal.born(clock.now())
    new = NextRelease(trial, clock, course.server, kill)
    async with trial.backend.open(trial.folder, clock, switches) as installed:
        life = RolledOut(
            *(course.plan, journal, installed, clock),
            random=random,
            switches=switches,
            new=new,
            order=course.order,
            stamps=Stamps(trial),
        )
        await life.go_on()
        if heals:
            life.roll_forward()
            await installed.redrive(clock.now())  # as docs/deploy.md says
            await life.heal()
            journal.born(clock.now())
    journal.close()
    return new.deaths


async def _heal_and_check(course: Course) -> list[str]:
    trial = course.trial
    await _live(course, Random(f"last life of {trial.seed}"), Switches(), None, heals=True)
    found = await NextRelease(trial, Ticking(NOW), course.server, None).check(trial.seed)
    return [*found, *Stamps(trial).violations()]


# --- the newer release -------------------------------------------------------------------------


@cache
def server_of(name: str) -> str:
    """The address of a newer release, which is started once for each process of the campaign."""
    folder = tempfile.mkdtemp(prefix="release-")
    path = f"{folder}/asked"
    patches = [str(RELEASES / each) for each in NEXT[name]]
    process = subprocess.Popen(
        [sys.executable, "-m", "faults.release", path, *patches],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=TESTS,
    )
    assert process.stdout
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the next release did not start")
    return path
