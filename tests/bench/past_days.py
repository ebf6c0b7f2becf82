"""Plays leads forward day by day, and asks a month later what each score was on each day.

What is shown on a day is what a list computes then. Later the events are counts of days, and the
score is computed from these.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeAlias

from bench.cloud import MODEL
from bench.crowd import DAY, NOW
from bench.traffic import IDS
from warmlead.application.apply import Scoring, apply
from warmlead.application.explain import as_it_stood, view
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.stages import Transition
from warmlead.learning.cases import as_known, turn_of
from warmlead.runtime import backends
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

DAYS = 45
ENDS = [NOW.replace(hour=0) + (n + 1) * DAY - timedelta(milliseconds=1) for n in range(DAYS)]
LATER_DAYS = 35
"""So much later every event is folded, and names of events are still counted."""

EVENTS_A_LEAD = 5
NAMES = (
    *("page_viewed", "page_viewed", "page_viewed", "email_opened", "form_submitted"),
    *("content_downloaded", "webinar_attended", "demo_requested", "chat_started"),
)
PATHS = ("/pricing", "/blog/1", "/customers/a", "/careers")


class Compared(NamedTuple):
    """How many scores were compared; how many the past sees otherwise, and how many a list."""

    scores: int
    differ: int
    differ_in_list: int


class _Clock:
    """A clock that is set."""

    time = NOW

    def now(self) -> datetime:
        return self.time


Shown: TypeAlias = dict[tuple[str, int], int]
"""Scores by lead and number of the day."""


class _Played:
    """Leads that live on a file."""

    def __init__(self, file: SqliteFile, leads: int) -> None:
        self.rules = backends.load_model(MODEL).rules
        self.clock = _Clock()
        self.store = SqliteLeadStore(file, self.clock)
        self._leads = range(leads)
        self._bus = SqliteBus(file, self.clock, topics_of_subscriptions())
        self._scoring = Scoring(self.rules, IDS)

    async def happens(self, events: Sequence[Event]) -> None:
        await apply(
            events, store=self.store, bus=self._bus, scoring=self._scoring, clock=self.clock
        )

    async def shown(self) -> Shown:
        """The scores at the end of each day, on which some leads do something."""
        chance, shown, unstated = Random(11), Shown(), {*self._leads}
        for number, end in enumerate(ENDS):
            self.clock.time = end
            some = chance.choices(self._leads, k=EVENTS_A_LEAD * len(self._leads) // DAYS)
            done = _done(some, end, chance, unstated)
            await self.happens(sorted(done, key=lambda event: event.occurred_at))
            async for lead in self.store.leads():
                shown[lead.id, number] = evaluation_of(lead, self.rules, end).totals.score
        return shown

    async def grow_old(self) -> None:
        """Everybody does something a month later, so that all before becomes counts."""
        self.clock.time = ENDS[-1] + LATER_DAYS * DAY
        await self.happens([_event("opted_in", lead, self.clock.time) for lead in self._leads])


async def compared(leads: int) -> Compared:
    """Plays so many leads, and compares each score of each day."""
    differ = in_list = 0
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        async with SqliteFile(Path(folder, "warmlead.sqlite3"), durable=False) as file:
            played = _Played(file, leads)
            shown = await played.shown()
            await played.grow_old()
            async for lead in played.store.leads():
                moves = await played.store.transitions(lead.id)
                for number, end in enumerate(ENDS):
                    if (score := shown.get((lead.id, number))) is not None:
                        differ += _of_then(lead, moves, end, played.rules) != score
                        in_list += _in_list(lead, moves, end, played.rules) not in (None, score)
    return Compared(len(shown), differ, in_list)


def _of_then(lead: Lead, moves: Sequence[Transition], end: datetime, rules: Rules) -> int:
    """The score as a back-test sees it."""
    then = as_known(lead, [turn_of(move) for move in moves], to_ms(end))
    return evaluation_of(then, rules, end, known_at=end).totals.score


def _in_list(lead: Lead, moves: Sequence[Transition], end: datetime, rules: Rules) -> int | None:
    """The score in a list as of then; ``None`` if a trait was stated since: a list shows it."""
    facts = (fact for trail in lead.trails.values() for fact in trail.traits.values())
    if any(fact.at_ms > to_ms(end) for fact in facts):
        return None
    return view(as_it_stood(lead, moves, end), rules, end, known_at=end).score


def _done(some: list[int], end: datetime, chance: Random, unstated: set[int]) -> Iterator[Event]:
    """What some leads do on a day; each states its traits once."""
    for lead in some:
        name = chance.choice(NAMES)
        what: dict[str, Any] = {}
        if name == "page_viewed":
            what["properties"] = {"path": chance.choice(PATHS)}
        if lead in unstated and name == "form_submitted":
            unstated.discard(lead)
            what["traits"] = {"employees": 200, "country": "US", "title": "CTO"}
        yield _event(name, lead, end - chance.random() * DAY, **what)


def _event(
    name: str,
    lead: int,
    at: datetime,
    **what: Any,  # an event's fields
) -> Event:
    return Event(
        id=f"{name}-{lead}-{at.isoformat()}",
        source="segment",
        trust=Trust.SIGNED,
        name=name,
        occurred_at=at,
        received_at=at,
        email=f"lead-{lead}@example.com",
        **what,
    )
