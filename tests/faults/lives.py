"""One life of the application and its client: from where the last one ended, to its own end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from builders import NOW, StandingClock, lead_ids
from faults.backends import Backend, Installed
from faults.deployment import Deployment, Functions
from faults.journal import Journal
from faults.sites import Switches
from faults.watched import WatchedBus, WatchedStore
from faults.workload import PASS, Request, Workload
from warmlead.application.accept import by_lead
from warmlead.application.send import GRACE
from warmlead.domain.errors import UnavailableError
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.trigger import LEAD_EVENTS_TYPE, Topic
from warmlead.ports import Delivery, Message

REBIRTH = timedelta(seconds=20)
"""After so long a platform has another instance up; what was leased is due again by then."""

PASSES = 12
"""So often everything that is outstanding is delivered before it counts as stuck."""


class Ticking(StandingClock):
    """A clock of whose times no two are the same, so that things that happen can be told apart."""

    def now(self) -> datetime:
        return self.forward(timedelta(microseconds=1))


class Life:
    """A process of the application, with the client and the bus that call it."""

    def __init__(
        self,
        plan: Workload,
        journal: Journal,
        installed: Installed,
        clock: Ticking,
        *,
        random: Random,
        switches: Switches | None = None,
    ) -> None:
        self.plan = plan
        self.journal = journal
        self.installed = installed
        self.clock = clock
        self.random = random
        self.switches = switches = switches or Switches()
        self.bus = WatchedBus(installed.bus, switches)
        self.store = WatchedStore(installed.store, switches)
        self.deployments: list[Functions] = [Deployment(self.store, self.bus, clock, switches)]

    @property
    def deployment(self) -> Functions:
        """Whoever is asked next."""
        return self.random.choice(self.deployments)

    async def go_on(self) -> None:
        """Sends again what was not answered, then follows the plan to its end."""
        for request in self.journal.unanswered:
            await self.send(request)
        first = self.journal.next_step
        while together := self._together(first):
            await asyncio.gather(*(self._do(number) for number in together))
            first = together[-1] + 1

    def _together(self, first: int) -> Sequence[int]:
        """The steps from one on that go on at once; while time goes by nothing else does."""
        steps = range(first, min(first + self.plan.width, len(self.plan.steps)))
        passing = [number for number in steps if self.plan.steps[number].what == PASS]
        return range(first, max(passing[0], first + 1)) if passing else steps

    async def _do(self, number: int) -> None:
        step = self.plan.steps[number]
        self.journal.reached(number, self.clock.forward(timedelta(seconds=1)))
        match step.what:
            case "send":
                await self.send(step.number)
            case "deliver":
                await self.deliver(step.number)
            case "decay":
                await self.run(self.deployment.decay, times=step.number)
            case "followup":
                await self.run(self.deployment.follow_up, times=step.number)
            case "pass":
                self.journal.passed(self.clock.forward(timedelta(seconds=step.number)))
            case _:
                raise ValueError(f"nobody knows how to {step.what}")

    async def run(self, scheduled: Callable[[], Awaitable[int]], *, times: int = 1) -> None:
        """A scheduled function is called, by so many schedulers at once."""
        await asyncio.gather(*(scheduled() for _ in range(times)))

    async def send(self, number: int) -> None:
        """Sends a request once and takes down what it is answered."""
        at = from_ms(to_ms(self.clock.forward(timedelta(seconds=1))))
        self.journal.sent(number, at)
        status = await self._ask(number, at)
        self.journal.told(number, at, status)
        self.switches.visit("client.told")

    async def _ask(self, number: int, at: datetime) -> int:
        request = self.plan.requests[number]
        if request.over_http:
            return await self.deployment.post(request.at(at, f"request-{number}-{to_ms(at)}"))
        try:
            await self.installed.bus.publish(Topic.LEAD_EVENTS, from_elsewhere(request))
        except UnavailableError:
            return 503
        return 200

    async def deliver(self, most: int) -> bool:
        """Hands out messages, in any order, some of them twice at once; was one handed out alone?

        Such a one shares its time with no other, so there may be more to hand out at once.
        """
        due = list(await self.installed.due(self.clock.now(), most))
        self.random.shuffle(due)
        for delivery in due:
            times = 2 if self.random.random() < 0.1 else 1
            await asyncio.gather(*(self.hand_out(delivery) for _ in range(times)))
        return any(delivery.is_alone for delivery in due)

    async def hand_out(self, delivery: Delivery) -> None:
        """One delivery, and what the bus makes of its answer."""
        status = await self.deployment.push(delivery.published.message)
        if status < 300:
            await self.installed.done(delivery)
        else:
            await self.installed.failed(delivery, self.clock.now())

    async def heal(self) -> None:
        """Everything works: what is outstanding is delivered, what is due or unsent is done."""
        for request in self.journal.unanswered:
            await self.send(request)
        for _ in range(PASSES):
            self.clock.forward(timedelta(minutes=3))
            while await self.deliver(1_000):
                pass
            if await self.installed.absolve(self.clock.now()):  # as an operator would
                continue
            if not await self.installed.outstanding():
                break
        self.clock.forward(2 * GRACE)
        await self.run(self.deployment.decay)
        await self.run(self.deployment.follow_up)


def from_elsewhere(request: Request) -> Sequence[Message]:
    """What comes over the bus without having been accepted by this deployment."""
    if request.late:
        return by_lead([request.late], lead_ids)
    return [Message(request.body, {"type": LEAD_EVENTS_TYPE, "source": "elsewhere"})]


async def live(
    backend: Backend,
    folder: Path,
    plan: Workload,
    random: Random,
    switches: Switches,
    *,
    heals: bool,
) -> None:
    """One life in the trial's folder; it ends as the plan says, unless a switch ends it."""
    journal = Journal(folder / "journal")
    last = journal.latest
    clock = Ticking(NOW if last is None else last + REBIRTH)
    journal.born(clock.now())
    async with backend.open(folder, clock, switches) as installed:
        life = Life(plan, journal, installed, clock, random=random, switches=switches)
        await life.go_on()
        if heals:
            await life.heal()
            journal.born(clock.now())
    journal.close()
