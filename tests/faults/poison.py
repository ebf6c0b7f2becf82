"""One message among a thousand that fails whenever it is tried.

It fails for good reason: its lead was written by a newer release. The others are on time; the one
is given up after some tries, lies there, and counts once when the cause is gone, however often it
is tried again.
"""

import asyncio
from datetime import timedelta
from random import Random

from builders import NOW, lead_ids
from faults.crowds import all_of, deliver_all, demos, email_of
from faults.deployment import QUIET, Deployment
from faults.journal import Journal
from faults.kills import check
from faults.lives import Life, Ticking
from faults.sites import Switches
from faults.trial import Outcome, Trial
from faults.zygote import in_a_process
from warmlead.domain.identity import Identifier, Kind

PASSES = 8


def run(trial: Trial) -> Outcome:
    """One trial: all are accepted, one is poison."""
    outcome = Outcome()
    ended = in_a_process(lambda: asyncio.run(_work(trial)))
    outcome.violations += ended.result or []
    outcome.violations += [ended.wrong] if ended.wrong else []
    return outcome


def _home(number: int) -> str:
    return lead_ids.of(Identifier(Kind.EMAIL, email_of(number)))


async def _work(trial: Trial) -> list[str]:
    random = Random(f"poison {trial.seed}")
    plan = demos(trial.many(1_000, 150))
    poisoned = random.randrange(len(plan.requests))
    journal = Journal(trial.folder / "journal")
    clock = Ticking(NOW)
    found = []
    async with trial.backend.open(trial.folder, clock, Switches()) as installed:
        life = Life(plan, journal, installed, clock, random=random)
        life.deployments = [Deployment(life.store, life.bus, clock, Switches(), QUIET)]
        await installed.spoil(_home(poisoned))
        await all_of(life.send(number) for number in plan.once_each())
        await deliver_all(life)
        others = [n for n in plan.once_each() if n != poisoned]
        late = [n for n in others if await installed.store.get(_home(n)) is None]
        if late:
            found.append(f"I7: {len(late)} of {len(others)} waited for one that is poison")
        for _ in range(PASSES):
            clock.forward(timedelta(minutes=10))
            await deliver_all(life)
        if (dead := len(await installed.dead())) != 1:
            found.append(f"I1: {dead} messages were given up instead of the one that is poison")
        await installed.mend(_home(poisoned))
        poison = list(await installed.dead())
        await installed.redrive(clock.now())
        await life.heal()
        for message in poison:
            await life.deployment.push(message)
        await life.heal()
        journal.born(clock.now())
    return found + await check(trial, plan, most_repeats=0, model=QUIET)
