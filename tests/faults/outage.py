"""Pub/Sub is gone for an hour while thousands of leads become marketing-qualified.

Nothing is accepted meanwhile, what had been accepted is counted, and its triggers wait, the first
steps of nurture among them. The hour is virtual; what comes after is timed by the wall's clock.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from random import Random

from builders import NOW
from faults.crowds import all_of, deliver_all, demos
from faults.deployment import NURTURING, Deployment
from faults.journal import Journal
from faults.kills import check
from faults.lives import Life, Ticking
from faults.sites import Switches
from faults.trial import Outcome, Trial
from faults.zygote import in_a_process
from warmlead.domain.errors import UnavailableError
from warmlead.ports import EventBus, Message

HOUR = timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=6)
DRAINED_WITHIN_S = 60.0
UNLUCKY = 50
"""So many requests come while the bus is gone."""


class Cut:
    """A bus that can be reached, or not."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.gone = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        if self.gone:
            raise UnavailableError("the bus is gone")
        return await self._bus.publish(topic, messages)


def run(trial: Trial) -> Outcome:
    """One trial: accepted before, counted during, announced after."""
    ended = in_a_process(lambda: asyncio.run(_work(trial)), longest_s=900)
    if ended.result is None:
        return Outcome([ended.wrong])
    return ended.result


async def _work(trial: Trial) -> Outcome:
    outcome = Outcome()
    plan = demos(trial.many(5_000, 200) + UNLUCKY)
    before, unlucky = plan.once_each()[:-UNLUCKY], plan.once_each()[-UNLUCKY:]
    journal = Journal(trial.folder / "journal")
    clock = Ticking(NOW)
    async with trial.backend.open(trial.folder, clock, Switches()) as installed:
        life = Life(plan, journal, installed, clock, random=Random(trial.seed))
        bus = Cut(installed.bus)
        life.deployments = [Deployment(installed.store, bus, clock, Switches(), NURTURING)]
        await all_of(life.send(number) for number in before)
        bus.gone = True
        await _hour(life, unlucky)
        if len(journal.unanswered) != UNLUCKY:
            outcome.violations.append("I1: something was answered 2xx while the bus was gone")
        unsent = [lead async for lead in installed.store.with_unsent_triggers()]
        if len(unsent) != len(before):
            outcome.violations.append(f"I3: {len(unsent)} triggers wait instead of {len(before)}")
        bus.gone = False
        began = time.monotonic()
        await life.heal()
        took_s = time.monotonic() - began
        journal.born(clock.now())
    outcome.told = f"{len(before):,} triggers sent in {took_s:.1f} s"
    if took_s > DRAINED_WITHIN_S:
        outcome.violations.append(f"I7: the backlog took {took_s:.0f} s")
    outcome.violations += await check(trial, plan, most_repeats=0, model=NURTURING)
    return outcome


async def _hour(life: Life, requests: Sequence[int]) -> None:
    """What goes on while nothing can be published: messages come again, sweeps and posts fail."""
    end = life.clock.now() + HOUR
    posts = iter(requests)
    while life.clock.now() < end:
        await deliver_all(life)
        await life.deployment.follow_up()
        for number in islice(posts, UNLUCKY // 5):
            await life.send(number)
        life.clock.forward(LOOK_EVERY)
