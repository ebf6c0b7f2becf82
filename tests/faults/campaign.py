"""Runs trials in as many processes as there are cores, and counts what they find."""

import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from faults.registry import BACKENDS, FAULTS
from faults.trial import Outcome, Slice, Trial

WORKERS = 2
MOST_SHOWN = 5
"""So many violations of one fault are shown; all are counted."""

SAY_EVERY_S = 10.0


class Job(NamedTuple):
    """One trial that is to be run."""

    fault: str
    backend: str
    seed: int
    size: Slice

    @property
    def again(self) -> str:
        """The command that runs this very trial again."""
        size = "" if self.size == "full" else f" --slice {self.size}"
        return (
            f"make faults OPTIONS='--only {self.fault} --backend {self.backend}"
            f" --seed {self.seed} --trials 1{size}'"
        )


@dataclass
class Row:
    """What the trials of one fault on one backend came to."""

    fault: str
    backend: str
    trials: int = 0
    kills: int = 0
    violations: int = 0
    seconds: float = 0.0
    sites: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    told: str = ""


def jobs_of(
    fault: str, backend: str, size: Slice, *, seed: int, trials: int | None
) -> Sequence[Job]:
    """The trials of a fault on a backend; the seeds follow on each other."""
    number = trials if trials is not None else FAULTS[fault].trials[size][backend]
    return [Job(fault, backend, seed + i, size) for i in range(number)]


def run_jobs(jobs: Sequence[Job], *, until_violation: bool = False) -> Row:
    """Runs trials, all of one fault and backend; says how far it is and what it finds."""
    row = Row(jobs[0].fault, jobs[0].backend)
    began = said = time.monotonic()
    with closing(_outcomes(jobs)) as outcomes:
        for job, outcome in outcomes:
            row.trials += 1
            row.kills += outcome.kills
            row.sites += outcome.sites
            row.cuts += outcome.cuts
            row.told = outcome.told or row.told
            if outcome.violations:
                row.violations += 1
                if row.violations <= MOST_SHOWN:
                    _show(job, outcome)
                if until_violation:
                    break
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                say(f"  {row.fault} on {row.backend}: {row.trials} of {len(jobs)}")
    row.seconds = time.monotonic() - began
    if row.cuts:
        each = ", ".join(f"{number:,} of {name}" for name, number in sorted(row.cuts.items()))
        row.told = f"answers cut off: {each}"
    return row


def say(text: str) -> None:
    """Tells whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _show(job: Job, outcome: Outcome) -> None:
    say(f"VIOLATION of {job.fault} on {job.backend}, seed {job.seed}")
    for violation in outcome.violations[:MOST_SHOWN]:
        say(f"    {violation}")
    say(f"    again: {job.again}")


def _outcomes(jobs: Sequence[Job]) -> Generator[tuple[Job, Outcome]]:
    """The trials' outcomes as they come. Nothing is open in any process that is forked."""
    gc.collect()
    gc.freeze()
    if len(jobs) == 1:
        yield run_job(jobs[0])
        return
    with multiprocessing.get_context("fork").Pool(WORKERS, _settle_down) as pool:
        yield from pool.imap(run_job, jobs)  # in order: the first violation is always the same


def _settle_down() -> None:
    """Keeps each worker to one core: handing over between threads is much cheaper there."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    cores = sorted(os.sched_getaffinity(0))
    number = multiprocessing.current_process()._identity[0]  # noqa: SLF001  # its only number
    os.sched_setaffinity(0, {cores[number % len(cores)]})


def run_job(job: Job) -> tuple[Job, Outcome]:
    """One trial in a folder of its own, in memory where there is room for that."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="faults-", dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        trial = Trial(BACKENDS[job.backend], job.seed, Path(folder), job.size)
        try:
            return job, FAULTS[job.fault].run(trial)
        except Exception as error:  # noqa: BLE001  # a fault of the harness is told with its seed
            return job, Outcome([f"the harness failed: {error!r}"])
        finally:
            trial.backend.forget(trial.folder)


def table(rows: Sequence[Row]) -> str:
    """What was tried and found, for people."""
    lines = [f"{'fault':16}{'backend':9}{'trials':>7}{'kills':>7}{'seconds':>9}{'violations':>12}"]
    lines += [
        f"{row.fault:16}{row.backend:9}{row.trials:7,}{row.kills:7,}"
        f"{row.seconds:9.1f}{row.violations:12}  {row.told}".rstrip()
        for row in rows
    ]
    total = sum(row.kills for row in rows)
    broken = sum(row.violations for row in rows)
    trials, seconds = sum(row.trials for row in rows), sum(row.seconds for row in rows)
    lines.append(f"{'together':25}{trials:7,}{total:7,}{seconds:9.1f}{broken:12}")
    return "\n".join(lines)
