"""Cloud Scheduler calls twice, and every function at once: each effect comes about once.

A crowd is due together, so that pages are full and every run meets every other on every page.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random

from builders import NOW
from faults.backends import Installed
from faults.crowds import all_of, deliver_all, demos
from faults.deployment import Deployment
from faults.journal import Journal
from faults.kills import check
from faults.lives import Life, Ticking
from faults.sites import Switches
from faults.trial import Outcome, Trial
from faults.zygote import in_a_process

INSTANCES = 2
MINUTES = (31, 61, 62)
DAYS = (1, 2, 3, 4)


def run(trial: Trial) -> Outcome:
    """One trial: some weeks of a crowd, everything called by two schedulers in two instances."""
    ended = in_a_process(lambda: asyncio.run(_work(trial)))
    return Outcome([*(ended.result or []), *([ended.wrong] if ended.wrong else [])])


async def _work(trial: Trial) -> list[str]:
    random = Random(f"schedulers {trial.seed}")
    plan = demos(trial.many(40, 15))
    journal = Journal(trial.folder / "journal")
    clock = Ticking(NOW)
    async with AsyncExitStack() as stack:
        opened: list[Installed] = []
        for _ in range(INSTANCES):
            one = trial.backend.open(trial.folder, clock, Switches())
            opened.append(await stack.enter_async_context(one))
        life = Life(plan, journal, opened[0], clock, random=random)
        life.deployments = [Deployment(one.store, one.bus, clock, Switches()) for one in opened]
        await all_of(life.send(number) for number in plan.once_each())
        await deliver_all(life)
        answered: set[int] = set()
        for pause in _pauses(random, days=trial.many(6, 3)):
            clock.forward(pause)
            answered |= await _all_at_once(life)
        await life.heal()
        journal.born(clock.now())
    # Whoever commits a trigger sends it, and nobody else does, unless something was in the way.
    return await check(trial, plan, most_repeats=0 if answered == {200} else None)


def _pauses(random: Random, *, days: int) -> Iterator[timedelta]:
    """What a crowd that is offered at once is due after: deadlines, steps, fading."""
    yield from (timedelta(minutes=minutes) for minutes in MINUTES)
    for _ in range(days):
        yield timedelta(days=random.choice(DAYS), seconds=random.randrange(86_400))


async def _all_at_once(life: Life) -> set[int]:
    runs = [run for each in life.deployments for run in (each.decay, each.follow_up)]
    again = [life.deployment.decay, life.deployment.follow_up]
    calls = [*runs, *again]
    life.random.shuffle(calls)
    return set(await asyncio.gather(*(call() for call in calls)))
