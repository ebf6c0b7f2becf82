"""Every event delivered ten times in any order to two instances, and then time passes."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random

from builders import NOW
from faults.backends import Installed
from faults.deployment import MODEL, Deployment
from faults.journal import Journal
from faults.kills import check
from faults.lives import Life, Ticking
from faults.sites import Switches
from faults.trial import Outcome, Trial
from faults.workload import workload
from faults.zygote import in_a_process
from warmlead.model.loading import Model
from warmlead.ports import Delivery

TIMES = 10
PAUSES_DAYS = (1, 3, 9)
"""Afterwards nothing happens for so long, but that scores fade, and that steps are due."""

AT_ONCE = 24


def run(trial: Trial) -> Outcome:
    """One trial: accept everything, deliver all of it ten times, check."""
    return run_in_two_instances(trial, [MODEL, MODEL])


def run_in_two_instances(trial: Trial, models: list[Model]) -> Outcome:
    """The same with any models; stages are compared only if it is one."""
    outcome = Outcome()
    ended = in_a_process(lambda: asyncio.run(_deliver_all(trial, models)))
    outcome.violations += [ended.wrong] if ended.wrong else []
    if not outcome.violations:
        checked = in_a_process(lambda: asyncio.run(_check(trial, models)))
        outcome.violations += checked.result or []
        outcome.violations += [checked.wrong] if checked.wrong else []
    return outcome


async def _deliver_all(trial: Trial, models: list[Model]) -> None:
    random = Random(f"multiplied {trial.seed}")
    plan = workload(trial.seed, persons=4, busy=20)
    journal = Journal(trial.folder / "journal")
    clock = Ticking(NOW)
    async with AsyncExitStack() as stack:
        opened: list[Installed] = []
        for _ in models:
            one = trial.backend.open(trial.folder, clock, Switches())
            opened.append(await stack.enter_async_context(one))
        life = Life(plan, journal, opened[0], clock, random=random)
        life.deployments = [
            Deployment(one.store, one.bus, clock, Switches(), model)
            for one, model in zip(opened, models, strict=True)
        ]
        for number in plan.once_each():
            await life.send(number)
        await _ten_times(life, await opened[0].due(clock.now(), 10_000))
        for days in PAUSES_DAYS:
            clock.forward(timedelta(days=days, hours=random.randrange(24)))
            await life.run(life.deployment.decay)
            await life.run(life.deployment.follow_up)
        await life.heal()
        journal.born(clock.now())


async def _ten_times(life: Life, due: Sequence[Delivery]) -> None:
    """Hands out each message ten times; the bus hears of it once, at the end."""
    copies = [delivery for delivery in due for _ in range(TIMES)]
    life.random.shuffle(copies)
    failed: set[str] = set()
    places = asyncio.Semaphore(AT_ONCE)

    async def hand_out(delivery: Delivery) -> None:
        async with places:
            if await life.deployment.push(delivery.published.message) >= 300:
                failed.add(delivery.token)

    await asyncio.gather(*(hand_out(copy) for copy in copies))
    for delivery in due:
        if delivery.token in failed:
            await life.installed.failed(delivery, life.clock.now())
        else:
            await life.installed.done(delivery)


async def _check(trial: Trial, models: list[Model]) -> list[str]:
    plan = workload(trial.seed, persons=4, busy=20)
    if models[0] is models[1]:
        return await check(trial, plan, most_repeats=0)
    found = [
        await check(trial, plan, most_repeats=None, steady=False, model=model) for model in models
    ]
    return [violation for each in found for violation in each]
