"""Microseconds to score one lead: counts, decay, limits, fit and facts; no input or output."""

import statistics
import time
from datetime import UTC, datetime, timedelta

from bench import traffic
from bench.cloud import MODEL
from bench.report import heading, table
from bench.run import Run
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.runtime import backends

ROUNDS, QUICK_ROUNDS = 7, 3
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def measure(run: Run) -> None:
    """Prints the median for leads of different sizes."""
    heading("Scoring one lead")
    rounds = QUICK_ROUNDS if run.quick else ROUNDS
    rows = [(f"{events} kept events", f"{_us(events, rounds):.0f}") for events in (5, 50, 500)]
    table(["", "µs"], rows)


def _us(events: int, rounds: int) -> float:
    rules = backends.load_model(MODEL).rules
    lead = _lead(events)
    repeats = max(20, 10_000 // events)
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            evaluation_of(lead, rules, NOW)
        took.append((time.perf_counter() - start) / repeats * 1e6)
    return statistics.median(took)


def _lead(events: int) -> Lead:
    rules = backends.load_model(MODEL).rules
    trails: dict[str, Trail] = {}
    for number in range(events):
        event = _viewed(number, NOW - timedelta(hours=number))
        trails = touch_trails(
            trails, event, {i: traffic.IDS.of(i) for i in identifiers_of(event)}, rules
        )
    return resolve_identities([], trails, rules, NOW)[0]


def _viewed(number: int, at: datetime) -> Event:
    return Event(
        id=f"e{number}",
        source="segment",
        trust=Trust.PUBLIC,
        name="page_viewed",
        occurred_at=at,
        received_at=at,
        anonymous_id="visitor",
        properties={"path": "/pricing" if number % 5 == 0 else "/blog"},
    )
