"""A changed model is applied to what was kept; the events themselves are not needed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from effort import examples
from unit.domain.brute_force import worth_of
from unit.domain.worlds import HasTrait, Holds, World, event_of, rules_of
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import GroupPolicy, InactivityPolicy, ScoringPolicy, SignalPolicy
from warmlead.domain.stages import Facts, StagePolicy, next_stage

LEADS = examples(10_000)
CHECKED_BY_FORMULA = 20  # every so many leads: the brute force is slow

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
SIGNALS_OF = {
    "page_viewed": ("visit",),
    "pricing_viewed": ("pricing", "visit"),
    "content_downloaded": ("download",),
    "email_unsubscribed": ("unsubscribe",),
    "demo_requested": ("demo",),
}
NAMES = (*SIGNALS_OF, "login")
COUNTRIES = ("US", "DE", None)
COUNTERS = ((30, "visit"), (7, "page_viewed"), (90, "login"), (1, "demo"))


def score_in(facts: Facts) -> int:
    return int(str(facts["score"]))


OLD = rules_of(
    ScoringPolicy(
        signals={
            "visit": SignalPolicy(1, per_day=5, half_life_days=30, group="web"),
            "pricing": SignalPolicy(10, per_day=3, half_life_days=30, group="web"),
            "download": SignalPolicy(20, half_life_days=60),
            "unsubscribe": SignalPolicy(-15),
            "demo": SignalPolicy(40, per_day=1),
        },
        groups={"web": GroupPolicy(None, 40)},
        inactivity=InactivityPolicy(after_days=14, lose_ppm=100_000, every_days=7),
    ),
    SIGNALS_OF,
    fit_rules=[HasTrait("in_usa", 10, "country", "US")],
    stages=[StagePolicy("mql", Holds(lambda facts: score_in(facts) >= 50))],
    counters=COUNTERS,
)
# points, caps, decay, groups, inactivity, fit and stages: all of it is another model
NEW = rules_of(
    ScoringPolicy(
        signals={
            "visit": SignalPolicy(3, per_day=20, expires_after_days=45),
            "pricing": SignalPolicy(7, per_day=1, half_life_days=3.5, group="intent"),
            "download": SignalPolicy(11, per_day=2, group="intent"),
            "unsubscribe": SignalPolicy(-30, per_day=1, half_life_days=200),
            "demo": SignalPolicy(25, half_life_days=90, group="intent"),
        },
        groups={"intent": GroupPolicy(-5, 60)},
        inactivity=InactivityPolicy(after_days=5, lose_ppm=33_333, every_days=3),
        passive=frozenset({"email_unsubscribed", "login"}),
    ),
    SIGNALS_OF,
    fit_rules=[HasTrait("in_usa", -4, "country", "US"), HasTrait("dach", 12, "country", "DE")],
    stages=[
        StagePolicy(
            "mql",
            Holds(lambda facts: score_in(facts) >= 30 and int(str(facts["last_30d.visit"])) >= 2),
            Holds(lambda facts: score_in(facts) < 20),
            bypass=frozenset({"demo"}),
        ),
        StagePolicy("hot", Holds(lambda facts: score_in(facts) >= 80)),
    ],
    counters=COUNTERS,
)
FIT = {"US": -4, "DE": 12, None: 0}


@dataclass(frozen=True)
class Person:
    identity: Identifier
    country: str | None
    events: tuple[Event, ...]


def somebody(number: int, chance: Random) -> Person:
    """Somebody who came by a browser over the last months, and said who they are at some point."""
    email, browser, country = f"p{number}@example.com", f"b{number}", chance.choice(COUNTRIES)
    known = event_of(
        f"{number}-known",
        NOW - timedelta(days=chance.uniform(0, 120)),
        name="login",
        trust=chance.choice([*Trust]),
        email=email,
        anonymous_id=browser,
        traits={"country": country} if country else {},
    )
    events = [known, *visits(number, browser, chance)]
    return Person(Identifier(Kind.EMAIL, email), country, tuple(events))


def visits(number: int, browser: str, chance: Random) -> Iterator[Event]:
    for nth in range(chance.choice([1, 2, 3, 4, 5, 6, 25])):
        received_at = NOW - timedelta(days=chance.choice([chance.uniform(0, 120), 31, 3, 2, 2]))
        yield event_of(
            f"{number}-{nth}",
            received_at - timedelta(days=chance.choice([0, 0, 0, 1, 200])),
            name=chance.choice(NAMES),
            received_at=received_at,
            anonymous_id=browser,
        )


def lead_under(rules: Rules, person: Person) -> Lead:
    """The lead as it grew under a model, received event by received event."""
    world = World(rules)
    for event in sorted(person.events, key=lambda e: e.received_at):
        world.apply([event], event.received_at)
    lead = world.lead_of(person.identity)
    (folded,) = resolve_identities([lead], lead.trails, rules, NOW)
    return folded


@pytest.mark.slow
def test_rescoring_equals_having_always_had_the_model() -> None:
    chance = Random(7)  # any number; the same every time
    changed = moved = 0
    for number in range(LEADS):
        person = somebody(number, chance)
        kept = lead_under(OLD, person)
        from_scratch = lead_under(NEW, person)
        assert kept == from_scratch
        old, new = evaluation_of(kept, OLD, NOW), evaluation_of(kept, NEW, NOW)
        if number % CHECKED_BY_FORMULA == 0:
            fit = FIT[person.country]
            worth = worth_of(person.events, SIGNALS_OF, NEW.scoring, fit, NOW.date())
            expected = (worth.score, worth.engagement, worth.fit, worth.days_inactive)
            found = new.score
            assert (found.score, found.engagement, found.fit, found.days_inactive) == expected
        stage, _ = next_stage(NEW.stages, kept.progress, new.standing, NOW)
        changed += new.score.score != old.score.score
        moved += stage != next_stage(OLD.stages, kept.progress, old.standing, NOW)[0]
    assert changed > LEADS / 2, "a model that changes nothing shows nothing"
    assert moved > LEADS / 10
