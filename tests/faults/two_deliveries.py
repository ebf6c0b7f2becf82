"""Lives of two releases in turn on the same dispatches, with kills: each finds what the other left.

The newer release keeps what waits in a state that the present one does not know.
"""

import asyncio
import socket
from functools import partial
from random import Random
from typing import Any

from faults.deliveries import call_of_the_clock, killed_life, often_of
from faults.release import Work, frame, unframed
from faults.sites import ANYWHERE, Visit
from faults.trial import Outcome, Trial
from faults.two_releases import server_of
from faults.zygote import Ended, in_a_process

MIDST = (6, 14)
"""After so many pushes the newer release is killed; a trial has nineteen, some of them twice."""


def run(trial: Trial) -> Outcome:
    """One trial: lives of either release, one of the newer that heals, and the checks.

    The newer is killed first, in the midst of its work; what it has left is due to the older.
    """
    random, outcome = Random(f"two deliveries {trial.seed}"), Outcome()
    server, often = server_of("another dispatch"), often_of(trial.backend.name)
    for number in range(random.choice([3, 4, 5, 6])):
        site = random.choice([*often, ANYWHERE])
        kill = Visit(site, random.randint(1, 2 * often.get(site, 2 * trial.backend.trial_ms)))
        if number == 0:
            kill = Visit("deliver.done", random.randint(*MIDST))
        if number > 0 and random.random() < 0.5:
            ended = in_a_process(partial(killed_life, trial, number, kill))
        else:
            ended = in_a_process(partial(_of_the_newer, server, _work(trial, number, kill)))
        is_killed = ended.killed or ended.result == DEAD
        outcome.kills += is_killed
        outcome.sites[kill.site] += is_killed
        if ended.wrong:
            outcome.violations.append(f"life {number}: {ended.wrong}")
            return outcome
        if number == 0:
            called = in_a_process(lambda: asyncio.run(call_of_the_clock(trial)))
            if called.wrong:
                outcome.violations.append(f"a call of the clock: {called.wrong}")
                return outcome
    last: Ended[Any] = in_a_process(
        partial(_of_the_newer, server, _work(trial, -1, None, kills=outcome.kills))
    )
    if last.wrong or not isinstance(last.result, list):
        outcome.violations.append(f"the last life: {last.wrong or last.result}")
    else:
        outcome.violations += last.result
    return outcome


DEAD = "it was killed"


def _work(trial: Trial, number: int, kill: Visit | None, *, kills: int = 0) -> Work:
    return Work(trial.backend.name, trial.folder, trial.seed, number, kill, kills)


def _of_the_newer(server: str, work: Work) -> Any:
    """What a life of the newer release has come to; ``DEAD`` if it was killed."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(server)
        asked.sendall(frame(work))
        parts = []
        while part := asked.recv(65_536):
            parts.append(part)
    return unframed(b"".join(parts)) if parts else DEAD
