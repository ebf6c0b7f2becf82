"""Messages are handed to tools that fail, while processes die and the store loses answers.

Two instances get each message, some of them several times, and a clock calls both. What tools
were asked and what they did stands in the book of ``receiver``; ``delivery_checks`` judges it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from builders import NOW, RULES, a_lead_named, keeping, lead_ids
from faults.backends import Installed
from faults.delivery_checks import Handed, violations
from faults.lives import REBIRTH, Ticking
from faults.lost_answers import CODES, failing_with
from faults.receiver import Book, Receiver, attempt
from faults.sites import ANYWHERE, Act, Switches, Visit, die, die_in, doing, under_way
from faults.trial import Outcome, Trial
from faults.watched import WatchedStore
from faults.zygote import in_a_process
from warmlead.application.deliver import Dispatching, deliver
from warmlead.application.privacy.erase import erase
from warmlead.application.redeliver import redeliver, revive
from warmlead.domain.dispatch import Circuit, Dispatch, DispatchState
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Message
from warmlead.ports.dispatching import Decide, DecideCircuit, DispatchKey, DispatchStore
from warmlead.stores.dispatch_codec import readable

EXAMPLES = Path(__file__).parents[2] / "docs/messages"
KINDS = ("lead.stage_entered", "nurture.step_due", "handoff.offered")
PEOPLE = ("ada", "bob", "cleo", "dan")
ERASED = "bob"
PAUSES_S = (1, 6, 45, 130, 400, 2_000, 8_000, 20_000, 90_000)
INSTANCES = 2

IN_DOUBT = "may have succeeded"
HEALING = timedelta(hours=3)
PASSES = 16
"""Calls of the clock after which everything is over: two days, and no pause is longer than one."""

_OFTEN: Mapping[str, int] = {
    "deliver.claim.before": 20,
    "deliver.claim.after": 20,
    "deliver.look.before": 10,
    "deliver.look.after": 10,
    "deliver.tool.before": 10,
    "deliver.tool.acted": 8,
    "deliver.end.before": 10,
    "deliver.end.after": 10,
    "deliver.circuit.before": 5,
    "deliver.circuit.after": 5,
    "deliver.done": 12,
    "redeliver.claim.before": 10,
    "redeliver.claim.after": 10,
    "redeliver.look.before": 6,
    "redeliver.look.after": 6,
    "redeliver.tool.before": 6,
    "redeliver.tool.acted": 5,
    "redeliver.end.before": 6,
    "redeliver.end.after": 6,
    "redeliver.circuit.before": 3,
    "redeliver.circuit.after": 3,
    "redeliver.done": 8,
}
"""About how often half a trial comes by a site."""

_IN_ADAPTERS: Mapping[str, Mapping[str, int]] = {
    "sqlite": {"file.dispatch": 30, "file.circuit": 6, "file.forget": 2, "file.commit": 40},
    "gcp": {
        "rpc.GetDocument.before": 60,
        "rpc.GetDocument.answered": 60,
        "rpc.Commit.before": 40,
        "rpc.Commit.answered": 40,
    },
}

_LOSING = tuple(
    site for site in _OFTEN if site.endswith((".before", ".after")) and ".tool." not in site
)
"""Where the store's call or its answer may be lost."""


class Do(NamedTuple):
    """One thing that goes on: ``what`` on a message or a person, or for some seconds or times."""

    what: str
    number: int = 1


class Plan(NamedTuple):
    """What a trial does; the parts of a group go on at once."""

    messages: Sequence[Message]
    groups: Sequence[Sequence[Do]]


def plan_of(seed: int) -> Plan:
    """The messages of a trial and its course, the same for each seed."""
    random = Random(f"deliveries {seed}")
    messages = [_message(random, name, kind) for name in PEOPLE for kind in KINDS]
    messages.append(_message(random, "", "kpi.reported"))
    doing_it = [Do("push", number) for number in range(len(messages))]
    doing_it += [Do("push", random.randrange(len(messages))) for _ in range(6)]
    random.shuffle(doing_it)
    groups: list[list[Do]] = []
    while doing_it:
        groups.append([doing_it.pop() for _ in range(min(len(doing_it), random.choice([1, 1, 3])))])
        if random.random() < 0.5:
            groups.append([Do("redeliver", random.choice([1, 2]))])
        if random.random() < 0.5:
            groups.append([Do("pass", random.choice(PAUSES_S[:6]))])
    erasing = random.randrange(len(groups))
    groups.insert(erasing, [Do("erase"), *random.choice([[], [Do("redeliver"), Do("push", 3)]])])
    for _ in range(12):
        groups += [[Do("pass", random.choice(PAUSES_S))], [Do("redeliver", random.choice([1, 2]))]]
    return Plan(messages, groups)


@cache
def _example(kind: str) -> str:
    return (EXAMPLES / f"warmlead.{kind}.v1.example.json").read_text(encoding="utf-8")


def _message(random: Random, name: str, kind: str) -> Message:
    """The published example of a kind, about this person."""
    event: dict[str, Any] = json.loads(_example(kind))
    event["id"] = random.randbytes(16).hex()
    if name:
        id_ = a_lead_named(name).id
        event["subject"] = event["data"]["lead"]["id"] = id_
        event["data"]["lead"]["email"] = f"{name}@example.com"
        event["data"]["score"] = random.choice([20, 60, 60])
    return Message(json.dumps(event).encode(), {})


class WatchedDispatches:
    """Keeps dispatches as the store does; the book says what was kept, and what may not be."""

    def __init__(self, store: DispatchStore, switches: Switches, book: Book) -> None:
        self._store = store
        self._visit = switches.visit
        self._book = book

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def change(self, key: DispatchKey, decide: Decide) -> Dispatch | None:
        begins = type(decide).__name__ != "function"
        place = f"{under_way()}.{'claim' if begins else 'end'}"
        named = {"tool": key.destination, "id": key.id}
        try:
            self._visit(f"{place}.before")
            kept = await self._store.change(key, decide)
            self._visit(f"{place}.after")
        except UnavailableError:
            self._book.add("unkept", **named)
            raise
        if kept is not None:
            what = "claimed" if begins else "ended"
            if begins:
                attempt.set(kept.claim)
            named["attempt"] = attempt.get()
            self._book.add(what, state=kept.state, until=kept.due_at, **named)
        return kept

    async def change_circuit(self, destination: str, decide: DecideCircuit) -> Circuit:
        place = f"{under_way()}.circuit"
        self._visit(f"{place}.before")
        circuit = await self._store.change_circuit(destination, decide)
        self._visit(f"{place}.after")
        if circuit.open_until:
            self._book.add("rests", tool=destination, until=circuit.open_until)
        return circuit


class Handing:
    """One life: two instances, whoever calls them, and an operator."""

    def __init__(
        self, plan: Plan, book: Book, clock: Ticking, random: Random, switches: Switches
    ) -> None:
        self.plan = plan
        self.book = book
        self.clock = clock
        self.random = random
        self.switches = switches
        self.receivers: list[Receiver] = []
        self.instances: list[Dispatching] = []

    def add(self, installed: Installed, seed: int) -> None:
        """Another instance comes up."""
        receiver = Receiver(self.book, self.clock, self.switches, seed)
        using = Dispatching(
            dispatches=WatchedDispatches(installed.dispatches, self.switches, self.book),
            leads=WatchedStore(installed.store, self.switches),
            destinations=receiver.destinations(),
            rules=RULES,
            clock=self.clock,
            failed=self._failed,
        )
        self.receivers.append(receiver)
        self.instances.append(using)
        for each, other in zip(self.receivers, reversed(self.instances), strict=True):
            each.meanwhile = partial(self._redeliver, other)

    def _failed(self, name: str, error: BaseException) -> None:
        self.book.add("bug", tool=name, error=repr(error))

    async def begin(self) -> None:
        """The leads are there before anything else."""
        names = [] if any(line["what"] == "erasing" for line in self.book) else [*PEOPLE]
        await self.instances[0].leads.update([], keeping(*map(a_lead_named, names)))

    async def go_on(self) -> None:
        """Pushes again what was begun and not acknowledged, then follows the plan to its end."""
        lines = list(self.book)
        reached = max((line["group"] for line in lines if line["what"] == "group"), default=-1)
        begun = [each for group in self.plan.groups[: reached + 1] for each in group]
        await self._all_of([each for each in begun if self._is_open(each, lines)])
        for number in range(reached + 1, len(self.plan.groups)):
            self.book.add("group", group=number, at=self.clock.now())
            await self._all_of(self.plan.groups[number])

    @staticmethod
    def _is_open(each: Do, lines: Sequence[Mapping[str, Any]]) -> bool:
        if each.what == "push":
            return not any(x["what"] == "done" and x["number"] == each.number for x in lines)
        return each.what == "erase" and not any(x["what"] == "erased" for x in lines)

    async def _all_of(self, group: Sequence[Do]) -> None:
        await asyncio.gather(*(self._do(each) for each in group))

    async def _do(self, each: Do) -> None:
        self.clock.forward(timedelta(seconds=1))
        match each.what:
            case "push":
                times = self.random.choice([1, 1, 2])
                await asyncio.gather(*(self.push(each.number) for _ in range(times)))
            case "redeliver":
                chosen = self.random.sample(self.instances, each.number)
                await asyncio.gather(*(self._redeliver(using) for using in chosen))
            case "pass":
                self.book.add("passed", at=self.clock.forward(timedelta(seconds=each.number)))
            case "erase":
                await self.erase()

    async def push(self, number: int) -> None:
        """A push of Pub/Sub's; what is answered with 2xx does not come again."""
        using = self.random.choice(self.instances)
        with doing("deliver"):
            try:
                await deliver(self.plan.messages[number], using)
            except UnavailableError:
                return
            except Exception as error:  # noqa: BLE001  # whatever was done to it: a fault of ours
                self._failed("deliver", error)
                return
            self.switches.visit("deliver.done")
        self.book.add("done", number=number)

    async def _redeliver(self, using: Dispatching) -> None:
        with doing("redeliver"):
            try:
                await redeliver(using)
            except UnavailableError:
                return
            except Exception as error:  # noqa: BLE001  # whatever was done to it: a fault of ours
                self._failed("redeliver", error)
                return
            self.switches.visit("redeliver.done")

    async def erase(self) -> None:
        """A person is erased, as the command does it."""
        using, lead_id = self.instances[0], a_lead_named(ERASED).id
        self.book.add("erasing", lead=lead_id)
        try:
            await erase(
                [lead_id],
                store=using.leads,
                archive=None,
                of=lead_ids,
                clock=self.clock,
                dispatches=using.dispatches,
            )
        except UnavailableError:
            return
        self.book.add("erased", lead=lead_id)

    async def called(self) -> None:
        """A day later the clock calls one of them, once: all that waits is due, and tools fail."""
        self.book.add("passed", at=self.clock.forward(timedelta(days=1)))
        await self._redeliver(self.instances[0])

    async def heal(self) -> None:
        """All tools are well; an operator enables what is disabled and sends again what may be."""
        for receiver in self.receivers:
            receiver.is_well = True
        await self.go_on()
        if not any(line["what"] == "erased" for line in self.book):
            await self.erase()
        store = self.instances[0].dispatches
        await self._look_for_remains(store)
        for name in self.instances[0].destinations:
            if (await store.circuit(name)).disabled_at:
                self.book.add("enabled", tool=name)
                await store.change_circuit(name, lambda circuit: circuit.enabled())
            dead = await store.in_state(name, DispatchState.DEAD, most=100)
            again = [each.id for each in map(readable, dead) if IN_DOUBT not in each.why]
            for id_ in again:
                self.book.add("revived", tool=name, id=id_)
            await revive(name, again, store, self.clock.now())
        for _ in range(PASSES):
            self.book.add("group", group=len(self.plan.groups), at=self.clock.forward(HEALING))
            await self._redeliver(self.random.choice(self.instances))

    async def _look_for_remains(self, store: DispatchStore) -> None:
        """Notes what is kept of the person who was erased, for good: what nobody tries again."""
        async for kept in store.of_leads([a_lead_named(ERASED).id]):
            each = readable(kept)
            if each.body and each.state is DispatchState.DEAD:
                self.book.add("remains", tool=each.destination, id=each.id)


# --- trials ------------------------------------------------------------------------------------


def killed(trial: Trial) -> Outcome:
    """One trial: lives that are killed, one that heals, and the checks."""
    random, outcome = Random(f"killed {trial.seed}"), Outcome()
    often = often_of(trial.backend.name)
    for number in range(random.choice([3, 4, 5, 6])):
        site = random.choice([*often, ANYWHERE])
        longest = 2 * often.get(site, 2 * trial.backend.trial_ms)
        kill = Visit(site, random.randint(1, longest))
        ended = in_a_process(partial(killed_life, trial, number, kill))
        outcome.kills += ended.killed
        outcome.sites[kill.site] += ended.killed
        if ended.wrong:
            outcome.violations.append(f"life {number}: {ended.wrong}")
            return outcome
    return _healed(trial, outcome, {})


def often_of(backend: str) -> Mapping[str, int]:
    """About how often half a trial comes by each site, on a backend."""
    return {**_OFTEN, **_IN_ADAPTERS[backend]}


def killed_life(trial: Trial, number: int, kill: Visit) -> None:
    """A life that is killed, if it comes by the site so often."""
    asyncio.run(live_until(trial, number, kill))


async def call_of_the_clock(trial: Trial) -> None:
    """A life in which nothing happens but that what is due by then is sent again."""
    await _live(trial, "a call of the clock", {}, does=Handing.called)


async def live_until(trial: Trial, number: int, kill: Visit) -> None:
    """The same, where an event loop is running."""
    if kill.site == ANYWHERE:
        die_in(kill.number / 2_000)
    acts: Mapping[Visit, Act] = {kill: die} if kill.site != ANYWHERE else {}
    await _live(trial, f"life {number}", acts)


def losing(trial: Trial) -> Outcome:
    """One trial: calls of the store fail, most of them after they have done what was asked."""
    random = Random(f"losing {trial.seed}")
    acts: dict[Visit, Act] = {}
    for site in random.choices(_LOSING, k=14):
        acts[Visit(site, random.randint(1, 2 * _OFTEN[site]))] = _lost
    if trial.backend.name == "gcp":  # its store looks itself what a lost commit has come to
        often = _IN_ADAPTERS["gcp"]
        for site in random.choices([*often], k=14):
            act = failing_with(random.choice(CODES))
            acts[Visit(site, random.randint(1, 2 * often[site]))] = act
    return _healed(trial, Outcome(), acts)


def _lost() -> None:
    raise UnavailableError("the answer was lost, by the campaign")


def _healed(trial: Trial, outcome: Outcome, acts: Mapping[Visit, Act]) -> Outcome:
    last = in_a_process(lambda: asyncio.run(heal_and_check(trial, acts, outcome.kills)))
    if last.wrong or last.result is None:
        outcome.violations.append(f"the last life: {last.wrong or 'killed by somebody else'}")
    outcome.violations += last.result or []
    return outcome


async def heal_and_check(trial: Trial, acts: Mapping[Visit, Act], kills: int) -> list[str]:
    """What the checks find when the last life is over."""
    if acts:
        await _live(trial, "a life", acts)
    await _live(trial, "last life", {}, does=Handing.heal)
    book = Book(trial.folder / "book")
    async with trial.backend.open(trial.folder, Ticking(NOW), Switches()) as installed:
        handed = Handed(
            plan_of(trial.seed).messages, list(book), installed.dispatches, a_lead_named(ERASED).id
        )
        return await violations(handed, kills=kills)


async def _live(
    trial: Trial,
    name: str,
    acts: Mapping[Visit, Act],
    *,
    does: Callable[[Handing], Awaitable[None]] = Handing.go_on,
) -> None:
    """One life in the trial's folder; it ends as the plan says, unless a switch ends it."""
    book = Book(trial.folder / "book")
    latest, random = book.latest(), Random(f"{name} {trial.seed}")
    after = REBIRTH * random.choice([1, 10])  # the claims of the last life may have run out
    now = NOW if latest is None else datetime.fromtimestamp(latest, UTC) + after
    clock, switches = Ticking(now), Switches(acts)
    book.add("life", at=now)
    handing = Handing(plan_of(trial.seed), book, clock, random, switches)
    async with AsyncExitStack() as stack:
        for _ in range(INSTANCES):
            one = trial.backend.open(trial.folder, clock, switches)
            handing.add(await stack.enter_async_context(one), trial.seed)
        await handing.begin()
        await does(handing)
    book.close()
