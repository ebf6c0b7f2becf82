"""Observed leads of a made-up company, whose outcomes follow weights that a test plants.

Modelled on a small B2B funnel: most leads view pages, some write, few ask for a demo.
"""

import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from warmlead.domain.event import Property
from warmlead.learning.observations import Observation

BEGINS = datetime(2025, 1, 1, tzinfo=UTC)

MODEL = """\
# What we believed in spring.
signals:
  page_viewed: {on: page_viewed, points: 1, per_day: 5, decay: never, group: web} # any page
  pricing_page_viewed:
    on: page_viewed
    when: path.startsWith("/pricing")
    points: 10
    per_day: 4
    half_life: 30d
    group: web
  content_downloaded: {on: content_downloaded, points: 20, half_life: 60d} # papers
  demo_requested: {on: demo_requested, points: 40, half_life: 60d}
  webinar_attended: {on: webinar_attended, points: 15, half_life: 60d} # held once

groups:
  web: {max: 40}

bonuses:
  regular_visitor: {when: days_30d.page_viewed >= 3, points: 5}

fit:
  large: {when: employees >= 500, points: 10} # they pay
  free_mailbox: {when: free_mailbox, points: -10}

inactivity: {after: 14d, lose: 10%, every: 7d}

stages:
  mql:
    # who is called
    enter: score >= 30 && fit >= 0
    leave: score < 15
"""

WEIGHTS = {
    "signal:page_viewed": 0.1,
    "signal:pricing_page_viewed": 0.8,
    "signal:content_downloaded": -0.6,
    "signal:demo_requested": 2.0,
    "bonus:regular_visitor": 0.5,
    "fit:large": 0.7,
    "fit:free_mailbox": -1.0,
}
"""What each condition adds to the log-odds; the author believes the contrary of downloads."""

BASE = -1.5
CHANNELS = {"Paid Search": 0.0, "Referral": 1.5, "Organic Search": 0.0, "Direct": -1.2}
INDUSTRIES = ("Software", "Retail", "health care", "Health-Care")


def observed(
    leads: int,
    seed: int,
    weights: Mapping[str, float] = WEIGHTS,
    *,
    channels: bool = True,
) -> Iterator[Observation]:
    """So many leads, three a day. Without ``channels`` these make no difference."""
    chance = random.Random(seed)
    for number in range(leads):
        yield lead(chance, number, weights, CHANNELS if channels else {})


def lead(
    chance: random.Random,
    number: int,
    weights: Mapping[str, float],
    channels: Mapping[str, float],
) -> Observation:
    """The lead of a number."""
    pages = min(20, int(chance.expovariate(0.25)))
    counts = {
        "page_viewed": pages,
        "pricing_page_viewed": sum(chance.random() < 0.15 for _ in range(pages)),
        "content_downloaded": int(chance.random() < 0.4),
        "demo_requested": int(chance.random() < 0.08),
        "webinar_attended": int(number % 400 == 7),
    }
    counts = {name: count for name, count in counts.items() if count}
    days = {name: chance.randrange(7) for name in counts}
    halves = {"page_viewed": math.inf, "pricing_page_viewed": 30.0}
    worths: dict[str, float] = {
        f"signal:{name}": count * 2 ** (-days[name] / halves.get(name, 60.0))
        for name, count in counts.items()
    }
    employees = int(chance.lognormvariate(4.5, 1.6)) + 1
    free_mailbox = chance.random() < 0.3
    facts: dict[str, Property] = {
        "employees": employees,
        "free_mailbox": free_mailbox,
        "first.channel": chance.choice([*CHANNELS]),
        "industry": chance.choice(INDUSTRIES),
    }
    holds = {
        "bonus:regular_visitor": pages >= 6,
        "fit:large": employees >= 500,
        "fit:free_mailbox": free_mailbox,
    }
    worths |= {key: 1.0 for key, value in holds.items() if value}
    log_odds = BASE + channels.get(str(facts["first.channel"]), 0.0)
    log_odds += sum(weights.get(key, 0.0) * worth for key, worth in worths.items())
    won = chance.random() < 1 / (1 + math.exp(-log_odds))
    known_at = BEGINS + timedelta(hours=8 * number)
    return Observation(
        lead_id=f"lead-{number}",
        known_at=known_at,
        at=known_at + timedelta(days=7),
        won=won,
        reached_at=known_at + timedelta(days=20) if won else None,
        score=0,
        engagement=0,
        fit=0,
        days_inactive=min(days.values(), default=None),
        worths=worths,
        counts=counts,
        recent=counts,
        signals=counts,
        recent_signals=counts,
        facts=facts,
    )
