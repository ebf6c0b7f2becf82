"""Plays one lead's story forward: its events, and everything that falls due in between.

The use cases of production decide what happens to the lead, on the store and bus that they are
given. Other modules read and draw the story.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event
from warmlead.domain.history import from_ms
from warmlead.domain.identity import Identifier, identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.nurture import Enrolments
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.stages import Transition
from warmlead.ports import EventBus, LeadStore, Message

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)


class StoryClock:
    """A clock that stands until the story goes on."""

    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        """The present of the story, in aware UTC."""
        return self.time


@dataclass(frozen=True, slots=True)
class DayScore:
    """The score, the parts that add up to it, and the stage of the lead at a moment.

    ``floor`` is what the lowest score of the model adds to what would be below it.
    """

    score: int
    engagement: int
    fit: int
    base: int
    floor: int
    stage: str


@dataclass(frozen=True, slots=True)
class SequenceChange:
    """A sequence that began (``ending`` is empty) or ended, for the ``run``-th time."""

    sequence: str
    run: int
    ending: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment at which something happened, with everything in order.

    ``sent`` are the topics and messages that tools were sent. ``refused`` events were not counted.
    """

    at: datetime
    day_score: DayScore
    events: Sequence[Event] = ()
    moves: Sequence[Transition] = ()
    sequence_changes: Sequence[SequenceChange] = ()
    sent: Sequence[tuple[str, Message]] = ()
    refused: int = 0


@dataclass(frozen=True, slots=True)
class DayEnd:
    """The end of a UTC day, and the lead's score then; ``None`` if nobody knew of the lead."""

    day: datetime
    day_score: DayScore | None


@dataclass(frozen=True, slots=True)
class Story:
    """What was played: every scene, the end of every day, and the lead at the end."""

    scenes: Sequence[Scene]
    days: Sequence[DayEnd]
    lead: Lead | None


async def simulate(
    events: Sequence[Event],
    *,
    until: datetime,
    store: LeadStore,
    bus: EventBus,
    scoring: Scoring,
    clock: StoryClock,
) -> Story:
    """Plays from the clock's time to ``until``; that moment itself is not played any more.

    ``events`` are of one lead, in order of receipt, and the store knows no other. The clock goes
    from one moment at which something is due to the next; at each of them it stands.
    """
    playing = _Playing(store, bus, scoring, clock)
    heard = [event for event in events if event.received_at < until]
    for at, together in groupby(heard, key=lambda event: event.received_at):
        await playing.wait(at)
        await playing.take(at, list(together))
    await playing.wait(until - _INSTANT)
    await playing.end(until)
    return Story(playing.scenes, playing.days, await playing.lead())


class _Playing:
    """The story so far."""

    def __init__(
        self, store: LeadStore, bus: EventBus, scoring: Scoring, clock: StoryClock
    ) -> None:
        self.scenes: list[Scene] = []
        self.days: list[DayEnd] = []
        self._store = store
        self._bus = _RecordingBus(bus)
        self._scoring = scoring
        self._clock = clock
        self._context = EvaluationContext(store, self._bus, scoring.rules, clock)
        self._known_by: set[Identifier] = set()
        self._moves = 0
        self._enrolments: Enrolments = {}

    async def lead(self) -> Lead | None:
        """The lead as it is kept."""
        for identifier in sorted(self._known_by):
            if found := await self._store.get(self._scoring.ids.of(identifier)):
                return found
        return None

    async def take(self, at: datetime, events: Sequence[Event]) -> None:
        """Counts events that come now."""
        self._clock.time = at
        self._known_by.update(i for event in events for i in identifiers_of(event))
        applied = await apply(
            events, store=self._store, bus=self._bus, scoring=self._scoring, clock=self._clock
        )
        await self._note(events, refused=sum(len(each.quarantined) for each in applied))

    async def wait(self, until: datetime) -> None:
        """Lets time go by, and does what is due up to and including a moment."""
        while (due := await self._next_due()) is not None and due <= until:
            await self._pass(due)
            await decay(self._context)
            await follow_up(self._context)
            await self._note()
        await self._pass(until)

    async def end(self, at: datetime) -> None:
        """Closes the last day, without doing what would be due when it is over."""
        await self._pass(at)

    async def _next_due(self) -> datetime | None:
        """When the lead is due next; if it is overdue, in a minute, as with a scheduler."""
        lead = await self.lead()
        if lead is None:
            return None
        fades = from_ms(lead.decay_on * DAY_MS) if lead.decay_on is not None else None
        due = min((each for each in (lead.due_at, fades) if each), default=None)
        now = self._clock.now()
        overdue = due is not None and due <= now
        return now + _MINUTE if overdue else due

    async def _pass(self, until: datetime) -> None:
        """Moves the clock on, past the ends of days on the way."""
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        while midnight <= until:
            self._clock.time = midnight - _INSTANT
            lead = await self.lead()
            self.days.append(DayEnd(midnight - _DAY, self._day_score(lead) if lead else None))
            midnight += _DAY
        self._clock.time = until

    async def _note(self, events: Sequence[Event] = (), *, refused: int = 0) -> None:
        """Records the moment, unless nothing visible happened."""
        lead = await self.lead()
        if lead is None:
            return
        moves = await self._store.transitions(lead.id)
        sent = self._bus.drain()
        sequence_changes = _sequence_changes(self._enrolments, lead.enrolments)
        fresh = [move for move in moves[self._moves :] if move.is_move]
        self._moves, self._enrolments = len(moves), lead.enrolments
        if events or fresh or sequence_changes or sent:
            now = self._clock.now()
            scene = Scene(
                now, self._day_score(lead), events, fresh, sequence_changes, sent, refused
            )
            self.scenes.append(scene)

    def _day_score(self, lead: Lead) -> DayScore:
        rules = self._scoring.rules
        score, base = evaluation_of(lead, rules, self._clock.now()).score, rules.scoring.base
        floor = score.score - score.engagement - score.fit - base
        stage = lead.progress.stage
        return DayScore(score.score, score.engagement, score.fit, base, floor, stage)


def _sequence_changes(before: Enrolments, after: Enrolments) -> list[SequenceChange]:
    """What ended and what began, in this order; a run may have done both."""
    began = [
        now
        for name, now in after.items()
        if (was := before.get(name)) is None or was.run != now.run
    ]
    ended = [
        now
        for name, now in after.items()
        if now.ended_at and (now in began or before[name].ended_at is None)
    ]
    earlier = [each for each in ended if each not in began]
    at_once = [each for each in ended if each in began]
    return [
        *(SequenceChange(each.sequence, each.run, each.ending) for each in earlier),
        *(SequenceChange(each.sequence, each.run, "") for each in began),
        *(SequenceChange(each.sequence, each.run, each.ending) for each in at_once),
    ]


class _RecordingBus:
    """A bus that records what is published on it."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._recorded: list[tuple[str, Message]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """Publishes the messages and records them."""
        ids = await self._bus.publish(topic, messages)
        self._recorded += [(topic, message) for message in messages]
        return ids

    def drain(self) -> list[tuple[str, Message]]:
        """What was published since the last call."""
        recorded, self._recorded = self._recorded, []
        return recorded
