"""Where the golden month is lived: a lead store, a bus and a clock. Holds no expectation.

Nothing runs by itself: events are applied, and the scheduled functions are called at exactly
the moments at which the lead says that it is due.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from builders import StandingClock, lead_ids
from contract.backends import Place, a_project, firestore_stores, sqlite_stores
from contract.subscribers import PubSubSubscriber
from patience import PATIENCE_S
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.application.explain import view
from warmlead.buses.pubsub import PubSubBus
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import Subscription, create_topology
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import from_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.model.loading import ready_model
from warmlead.ports import EventBus, LeadStore, Message
from warmlead.simulation.story import NAME as STORY
from warmlead.sqlite_file import SqliteFile

MODEL = ready_model("b2b-saas")
BEGINS = datetime(2026, 3, 2, tzinfo=UTC)


class Moment(NamedTuple):
    """What can be seen of the lead after something came about, and what tools were sent."""

    at: str
    score: int
    stage: str
    sent: tuple[str, ...]


class Record(NamedTuple):
    """All that a month leaves behind and that may not depend on where it was lived."""

    moments: Sequence[Moment]
    evenings: Sequence[int]
    moves: Sequence[Transition]
    triggers: Sequence[tuple[str, bytes]]
    enrolments: Mapping[str, Any]
    offer: Any


class Life:
    """Grace's month on a backend."""

    def __init__(self, store: LeadStore, bus: EventBus, clock: StandingClock) -> None:
        self.store = store
        self.bus = bus
        self.clock = clock
        self.moments: list[Moment] = []
        self.evenings: list[int] = []
        self.triggers: list[tuple[str, Message]] = []
        self._scoring = Scoring(MODEL.rules, lead_ids)
        self._told = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """Publishes on the real bus, and remembers the order in which it was asked to."""
        ids = await self.bus.publish(topic, messages)
        self.triggers += [(topic, message) for message in messages]
        return ids

    async def lead(self) -> Lead | None:
        for identifier in (
            Identifier(Kind.EMAIL, "grace@example.com"),
            Identifier(Kind.ANONYMOUS, "a-browser"),
        ):
            if lead := await self.store.get(lead_ids.of(identifier)):
                return lead
        return None

    async def did(self, day: int, time: str, name: str, **fields: Any) -> None:
        """Something that she, or sales, did at a time of a day."""
        at = moment(day, time)
        await self.until(at)
        self.clock.time = at
        number = len(self.moments)
        known = {"source": STORY, "trust": Trust.SIGNED, "email": "grace@example.com"}
        given = {**known, "anonymous_id": "a-browser", **fields}
        event = Event.checked(
            id=f"event-{number}", name=name, occurred_at=at, received_at=at, **given
        )
        await apply([event], store=self.store, bus=self, scoring=self._scoring, clock=self.clock)
        await self._look()

    async def sales(self, day: int, time: str, said: str, **properties: Any) -> None:
        """What sales said: a signed event."""
        await self.did(day, time, f"sales_{said}", source="sales", properties=properties)

    async def until(self, moment: datetime) -> None:
        """Calls the scheduled functions at every moment at which the lead is due."""
        while (due := await self._due()) and due <= moment:
            assert due > self.clock.time, "what was due was done"
            await self._note_evenings(due)
            self.clock.time = due
            settling = EvaluationContext(self.store, self, MODEL.rules, self.clock)
            await decay(settling)
            await follow_up(settling)
            if self.triggers[self._told :]:
                await self._look()
        await self._note_evenings(moment)

    async def _due(self) -> datetime | None:
        lead = await self.lead()
        if lead is None:
            return None
        fades = from_ms(lead.decay_on * DAY_MS) if lead.decay_on is not None else None
        return min((each for each in (lead.due_at, fades) if each), default=None)

    async def _note_evenings(self, until: datetime) -> None:
        """The scores at the end of the days before a moment, as people would read them."""
        while (midnight := BEGINS + timedelta(days=len(self.evenings) + 1)) <= until:
            lead = await self.lead()
            assert lead is not None
            evening = midnight - timedelta(seconds=1)
            self.evenings.append(view(lead, MODEL.rules, evening).score)

    async def evening(self, day: int) -> None:
        """Lets a day end on which nothing more is due."""
        await self._note_evenings(BEGINS + timedelta(days=day))

    async def _look(self) -> None:
        lead = await self.lead()
        assert lead is not None
        now = self.clock.now()
        seen = view(lead, MODEL.rules, now)
        day = (now - BEGINS).days + 1
        sent = tuple(_in_short(message) for _, message in self.triggers[self._told :])
        self._told = len(self.triggers)
        self.moments.append(Moment(f"{day} {now:%H:%M}", seen.score, seen.stage, sent))

    async def record(self) -> Record:
        lead = await self.lead()
        assert lead is not None
        return Record(
            self.moments,
            self.evenings,
            await self.store.transitions(lead.id),
            [(topic, message.body) for topic, message in self.triggers],
            lead.enrolments,
            lead.offer,
        )


def moment(day: int, time: str) -> datetime:
    hour, minute = map(int, time.split(":"))
    return BEGINS + timedelta(days=day - 1, hours=hour, minutes=minute)


def _in_short(message: Message) -> str:
    event = json.loads(message.body)
    data = event["data"]
    match event["type"]:
        case "warmlead.lead.stage_entered.v1":
            return f"{data['stage']} {data['cycle']}"
        case "warmlead.nurture.step_due.v1":
            return f"{data['sequence']} {data['step']}/{data['steps']} {data['message']}"
        case "warmlead.handoff.breached.v1":
            return f"breached {data['promise']} {data['offer']}"
    return f"{event['type'].split('.')[2]} {data['offer']}"


# --- backends ----------------------------------------------------------------------------


class Home(NamedTuple):
    """A life, and what subscribers of the triggers are handed, when so many were sent."""

    life: Life
    delivered: Callable[[int], Any]


@asynccontextmanager
async def on_sqlite(place: Place) -> AsyncIterator[Home]:
    async with sqlite_stores(place) as open_store, SqliteFile(place.folder / "bus.db") as file:
        bus = SqliteBus(file, place.clock, {})

        async def delivered(_: int) -> list[bytes]:
            return [p.message.body for topic in TRIGGER_TOPICS async for p in bus.read(topic)]

        yield Home(Life(open_store(), bus, place.clock), delivered)


@asynccontextmanager
async def on_google(place: Place) -> AsyncIterator[Home]:
    project, emulator = a_project(), place.emulator("pubsub")
    tools = [Subscription(f"tool-{topic}", topic) for topic in TRIGGER_TOPICS]
    create_topology(project, {}, emulator=emulator, topics=TRIGGER_TOPICS, subscriptions=tools)
    subscribers = [PubSubSubscriber(project, tool.name, emulator) for tool in tools]
    bus = PubSubBus(project, emulator=emulator, budget_s=PATIENCE_S, attempt_s=PATIENCE_S)

    async def delivered(count: int) -> list[bytes]:
        bodies: list[bytes] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(bodies) < count:
                for subscriber in subscribers:
                    taken = await subscriber.take()
                    if taken:
                        await subscriber.acknowledge(taken)
                    bodies += [each.message.body for each in taken]
        return bodies

    async with firestore_stores(place) as open_store:
        yield Home(Life(open_store(), bus, place.clock), delivered)
    for subscriber in subscribers:
        subscriber.close()
    await bus.close()


Backend = Callable[[Place], AbstractAsyncContextManager[Home]]
