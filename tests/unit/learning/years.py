"""A year of leads in a store, every month the same until they behave otherwise. No assertion.

Thirty-six people a month become known on one day, in five kinds: the more they look at, the more
of them become customers 40 days later. Modelled on the ladder of page views, downloads and
webinars of the ready-made model ``b2b-saas``.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from builders import NOW, StandingClock, an_event, lead_ids
from warmlead.application.apply import Scoring, apply
from warmlead.domain.event import Event
from warmlead.domain.rules import Rules
from warmlead.model.loading import load
from warmlead.ports import EventBus, LeadStore
from warmlead.reporting.periods import Period, read_period

MODEL = """
signals:
  page_viewed: {on: page_viewed, points: 12, decay: never, per_day: 20}
stages:
  mql: {enter: score >= 60, leave: score < 20}
handoff: {first_touch_within: 1h, accept_within: 24h}
"""

STATED = """
probability:
  {outcome: customer, after: 7d, within: 60d, intercept: -3, slope: 0.07, leads: 600, won: 120,
   bands: [{below: 20, leads: 200, won: 5}, {below: 50, leads: 250, won: 50},
           {leads: 150, won: 65}]}
"""
"""What a calibration has written behind the model."""

RULES: Rules = load(MODEL, name="of the tests").rules
PEOPLE = 36
KINDS = (1, 2, 3, 4, 5)
"""How many pages a person of each kind looks at."""

BUYERS = (0, 0, 1, 3, 4)
"""How many of seven of each kind become customers."""


ANSWERS = {0: "sales_accepted", 1: "sales_accepted", 5: "sales_rejected"}
"""What sales says to some of those who look at most."""


def month(number: int) -> Period:
    """A month of 2025."""
    return read_period(f"2025-{number:02}", NOW)


def looked_at(number: int) -> datetime:
    """When the look at a month is due."""
    return month(number).end + timedelta(days=7)


async def live(
    number: int,
    store: LeadStore,
    bus: EventBus,
    clock: StandingClock,
    kinds: Sequence[int] = KINDS,
) -> None:
    """The people of a month, and what becomes of them; ``kinds`` are how much they look at."""
    clock.time = month(number).start + timedelta(days=10, hours=9)
    scoring = Scoring(RULES, lead_ids)
    people = [f"p{number}-{each}@example.com" for each in range(PEOPLE)]
    events = [
        event
        for each, email in enumerate(people)
        for event in _looks(email, kinds[each % len(kinds)], clock.now())
    ]
    await apply(events, store=store, bus=bus, scoring=scoring, clock=clock)
    clock.forward(timedelta(days=2))
    answers = [
        _event(email, said, 0, clock.now(), {"reason": "not_ready"} if "rejected" in said else {})
        for each, email in enumerate(people)
        if (said := ANSWERS.get(each // len(kinds))) and each % len(kinds) == len(kinds) - 1
    ]
    await apply(answers, store=store, bus=bus, scoring=scoring, clock=clock)
    clock.forward(timedelta(days=38))
    won = [
        _event(email, "sales_won", 0, clock.now())
        for each, email in enumerate(people)
        if each // len(kinds) < BUYERS[each % len(kinds)]
    ]
    await apply(won, store=store, bus=bus, scoring=scoring, clock=clock)


def _looks(email: str, pages: int, now: datetime) -> Iterator[Event]:
    for page in range(pages):
        yield _event(email, "page_viewed", page, now)


def _event(
    email: str, name: str, number: int, now: datetime, said: Mapping[str, str] | None = None
) -> Event:
    return an_event(
        id=f"{email}-{name}-{number}",
        name=name,
        email=email,
        occurred_at=now,
        received_at=now,
        properties=dict(said or {}),
    )
