"""Events, decay and follow-up at once, in every order that chance finds: as one after the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from builders import NOW, StandingClock, an_event, lead_ids
from effort import examples
from unit.application.interleaved import MemoryBus, MemoryStore, Turns
from unit.application.living import DAY, LIVING, settling
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import decay, follow_up
from warmlead.application.send import GRACE
from warmlead.domain.event import Event
from warmlead.ports import Change

WORLDS = examples(1_000)
CHUNK = min(WORLDS // 2, 100)
SCORING = Scoring(LIVING, lead_ids)
PEOPLE: Sequence[dict[str, str]] = (
    {"email": "ada@example.com"},
    {"email": "ada@example.com", "anonymous_id": "browser-1"},
    {"anonymous_id": "browser-1"},
    {"email": "bob@example.com"},
)
NAMES = ("page_viewed",) * 6 + (
    "sales_touched",
    "sales_accepted",
    "sales_rejected",
    "email_bounced",
)


@dataclass(frozen=True)
class Happening:
    """Something at a fixed time: events that arrive, or runs (``d`` decays, ``f`` follows up)."""

    at: datetime
    events: tuple[Event, ...] = ()
    runs: str = ""


def history(chance: Random) -> list[Happening]:
    """Some weeks: events and runs, at times that are all different."""
    now, happenings = NOW, []
    for number in range(12):
        now += chance.choice([timedelta(minutes=20), timedelta(hours=5), DAY, 2 * DAY, 5 * DAY])
        if chance.random() < 0.55:
            events = tuple(
                an_event(
                    id=f"event-{number}-{i}",
                    name=chance.choice(NAMES),
                    occurred_at=now,
                    received_at=now,
                    **chance.choice(PEOPLE),
                )
                for i in range(chance.choice([1, 3, 4]))
            )
            happenings.append(Happening(now, events=events))
        else:
            runs = "".join(chance.choice("df") for _ in range(chance.choice([1, 2, 3])))
            happenings.append(Happening(now, runs=runs))
    return happenings


class World:
    """Leads in memory, and all that happens to them."""

    def __init__(self, chance: Random | None, **others: Any) -> None:
        self.turns = Turns(chance)
        self.store = MemoryStore(self.turns, **others)
        self.bus = MemoryBus(self.turns)

    async def take(self, event: Event, now: datetime) -> None:
        clock = StandingClock(now)
        await apply([event], store=self.store, bus=self.bus, scoring=SCORING, clock=clock)

    async def run(self, which: str, now: datetime) -> None:
        use_case: Callable[..., Awaitable[object]] = decay if which == "d" else follow_up
        await use_case(settling(self.store, self.bus, StandingClock(now)))

    async def end(self, now: datetime) -> None:
        """Sends what nobody has sent."""
        await self.turns.give(self.run("f", now + GRACE))

    async def state(self) -> dict[str, Any]:
        leads = [lead async for lead in self.store.leads()]
        moves = sorted(self.store.moves, key=lambda move: (move[0], move[1].at))
        return {
            "leads": leads,
            "moves": moves,
            "told": {(topic, m.attributes["id"], m.body) for topic, m in self.bus.published},
        }

    def repeats(self) -> Counter[str]:
        return Counter(m.attributes["id"] for _, m in self.bus.published)


async def one_after_the_other(happenings: Sequence[Happening]) -> World:
    world = World(None)
    for each in happenings:
        for event in each.events:
            await world.take(event, each.at)
        for which in sorted(set(each.runs)):
            await world.run(which, each.at)
    await world.end(happenings[-1].at)
    return world


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, WORLDS, CHUNK))
def test_concurrent_runs_and_redelivered_events_equal_single_ones(start: int) -> None:
    async def play(seed: int) -> None:
        chance = Random(f"at once {seed}")
        happenings = history(chance)
        world = World(chance)
        for each in happenings:
            for event in each.events:
                copies = chance.choice([1, 1, 2, 3])
                await world.turns.give(*(world.take(event, each.at) for _ in range(copies)))
            await world.turns.give(*(world.run(which, each.at) for which in each.runs))
        await world.end(happenings[-1].at)
        expected = await one_after_the_other(happenings)
        assert await world.state() == await expected.state()
        assert max(world.repeats().values(), default=1) == 1, "nobody has crashed"

    for seed in range(start, start + CHUNK):
        asyncio.run(play(seed))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, WORLDS // 2, CHUNK))
def test_overlapping_updates_equal_sequential_updates(
    start: int,
) -> None:
    """All within some hours runs at once, each at its own time: decisions are made anew."""

    async def play(seed: int) -> None:
        chance = Random(f"overlapping {seed}")
        happenings = history(chance)
        log: list[tuple[str, Change[Any]]] = []
        world = World(chance, committed=lambda id_, change: log.append((id_, change)))
        while happenings:
            together, happenings = happenings[:4], happenings[4:]
            await world.turns.give(
                *(world.take(event, each.at) for each in together for event in each.events),
                *(world.run(which, each.at) for each in together for which in each.runs),
            )
        last = max(each.at for each in together)
        await world.end(last)
        serial, told = World(None), set()
        for id_, change in log:
            await serial.store.update([id_], change)
            leads = (await serial.state())["leads"]
            told |= {(each.topic, each.id, each.body) for lead in leads for each in lead.outbox}
        expected = {**await serial.state(), "told": {(t, id_, b.encode()) for t, id_, b in told}}
        assert await world.state() == expected
        assert all(not lead.outbox for lead in expected["leads"])
        assert len(world.repeats()) == len(told), (
            "who is swept up while being sent is the same bytes"
        )

    for seed in range(start, start + CHUNK):
        asyncio.run(play(seed))
