"""The same events in any order, any number of times, in any batches make the same people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from effort import examples
from unit.domain.worlds import (
    HasTrait,
    Holds,
    World,
    adds_up,
    event_of,
    id_of,
    received_again,
    rules_of,
)
from warmlead.domain.consent import Consent, SuppressionPolicy
from warmlead.domain.evaluation import as_judged, evaluation_of
from warmlead.domain.event import Automation, Event, Property, Trust
from warmlead.domain.identity import MAX_CLAIMS, Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.lead import Lead, NoteFact, Trail
from warmlead.domain.measures import Measure, MeasureKind
from warmlead.domain.readings import Meter, MeterKind
from warmlead.domain.scoring import (
    GroupPolicy,
    InactivityPolicy,
    Score,
    ScoringPolicy,
    SignalPolicy,
)
from warmlead.domain.stages import StagePolicy

SOFT_ONCE = SuppressionPolicy(soft_bounces=1)
EXAMPLES = examples(1_000)
ORDERS = 10

NOW = datetime(2026, 1, 20, 8, 30, tzinfo=UTC)
WINDOW = timedelta(days=31)
MS = timedelta(milliseconds=1)

SHOWN = {
    "visit": ("kind",),
    "pricing": (),
    "download": ("kind", "country"),
    "unsubscribe": (),
    "click": ("path",),
}
RULES = rules_of(
    ScoringPolicy(
        signals={
            "visit": SignalPolicy(2, per_day=20, half_life_days=30, group="web"),
            "pricing": SignalPolicy(9, per_day=3, half_life_days=7, group="web"),
            "download": SignalPolicy(20, per_day=1, expires_after_days=60),
            "unsubscribe": SignalPolicy(-15, per_day=1),
            "click": SignalPolicy(4, per_day=5, half_life_days=30),
        },
        groups={"web": GroupPolicy(minimum=None, maximum=40)},
        inactivity=InactivityPolicy(after_days=14, lose_ppm=100_000, every_days=7),
        passive=frozenset({"email_delivered"}),
    ),
    {
        "page_viewed": ["visit"],
        "pricing_viewed": ["visit", "pricing"],
        "content_downloaded": ["download"],
        "email_unsubscribed": ["unsubscribe"],
        "email_clicked": ["click"],
    },
    fit_rules=[HasTrait("in_usa", 10, "country", "US"), HasTrait("free", -10, "plan", "free")],
    stages=[StagePolicy("mql", Holds(lambda facts: facts["score"] in range(30, 1000)))],
    counters=[(30, "page_viewed"), (7, "visit"), (90, "download")],
    measures=[
        *(Measure(MeasureKind.VISITS, days, "page_viewed") for days in (1, 30)),
        Measure(MeasureKind.VISITS, 120, "pricing"),
        Measure(MeasureKind.DISTINCT, 30, "visit", "path"),
        Measure(MeasureKind.SUM, 7, "page_viewed", "seconds"),
        Measure(MeasureKind.SUM, 200, "visit", "seconds"),
        Measure(MeasureKind.SUM, 30, "click", "seconds"),
        Measure(MeasureKind.DISTINCT, 200, "email_clicked", "path"),
    ],
    meters=[
        Meter(MeterKind.LATEST, "visit", "path"),
        Meter(MeterKind.LATEST, "click", "path"),
        Meter(MeterKind.BEFORE, "", "country", 7),
        Meter(MeterKind.BEFORE, "", "plan", 120),
    ],
    shown=SHOWN,
)

NAMES = (
    *("page_viewed", "pricing_viewed", "content_downloaded", "email_unsubscribed", "login"),
    *("newsletter_subscribed", "email_bounced", "email_delivered", "email_marked_spam"),
)
KINDS: tuple[dict[str, Property], ...] = (
    {},
    {"kind": "soft", "path": "/", "seconds": 40},
    {"kind": "hard", "path": "/pricing", "seconds": 2.5},
)
EMAILS = ("ada@example.com", "bob@example.com", "cyd@example.com")
USERS = ("u1", "u2")
BROWSERS = ("b1", "b2", "b3")
# which identifiers an event names; claims and links come from those that name several
SHAPES = ("b", "b", "e", "u", "be", "bu", "ue", "bue")
# two records that a CRM merged; only signed events say so
MERGES = (None, None, None, "u1", "u2")

minutes = st.integers(0, 30 * 1440)
traits: st.SearchStrategy[dict[str, Property]] = st.sampled_from(
    [{}, {}, {"country": "US"}, {"country": "DE", "plan": "free"}, {"plan": None}]
)
automations = st.sampled_from([None, None, None, Automation.ROBOT, Automation.PREFETCH])
notes = st.sampled_from([(), (), ("a: cut",), tuple(f"{nth}: left out" for nth in range(15))])
origins: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *({}, {}, {"direct": True}),
        *({"attribution": {"utm_source": source}} for source in ("ads", "mail")),
        {"attribution": {"referrer": "https://www.google.com/"}},
        {"attribution": {"utm_source": "ads", "landing_page": "/a"}},
    ]
)
delays = st.sampled_from(
    [
        *(timedelta(minutes=-5), timedelta(0), timedelta(0), timedelta(days=2)),
        *(timedelta(days=100), timedelta(days=1_500)),  # stated, as nobody can check
    ]
)
links = st.sampled_from(["https://shop.example/a", "https://shop.example/b"])
seconds = st.sampled_from([0, 0.2, 1, 2, 4, 6, 9, 60])


@dataclass(frozen=True)
class Identity:
    email: str | None
    user_id: str | None
    anonymous_id: str | None


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    shape = draw(st.sampled_from(SHAPES))
    return Identity(
        draw(st.sampled_from(EMAILS)) if "e" in shape else None,
        draw(st.sampled_from(USERS)) if "u" in shape else None,
        draw(st.sampled_from(BROWSERS)) if "b" in shape else None,
    )


@st.composite
def events_received(draw: st.DrawFn, id_: str, minutes_ago: st.SearchStrategy[int]) -> Event:
    received_at = NOW - timedelta(minutes=draw(minutes_ago))
    identity = draw(identities())
    trust = draw(st.sampled_from(Trust))
    merged = draw(st.sampled_from(MERGES)) if trust is Trust.SIGNED else None
    return event_of(
        id_,
        received_at - draw(delays),
        name=draw(st.sampled_from(NAMES)),
        received_at=received_at,
        trust=trust,
        automated=draw(automations),
        merged_user_id=merged if identity.user_id not in (None, merged) else None,
        traits=draw(traits),
        properties=draw(st.sampled_from(KINDS)),
        notes=draw(notes),
        **draw(origins),
        email=identity.email,
        user_id=identity.user_id,
        anonymous_id=identity.anonymous_id,
    )


@st.composite
def mailings(
    draw: st.DrawFn, minutes_ago: st.SearchStrategy[int], late_days: Sequence[int]
) -> list[Event]:
    """What became of a mail: a few clicks around its delivery, some reported days later."""
    received_at = NOW - timedelta(minutes=draw(minutes_ago))
    delivered_at = received_at - timedelta(minutes=2)
    email, mail = draw(st.sampled_from(EMAILS)), draw(st.sampled_from(["m1", "m2"]))
    late = st.sampled_from([timedelta(days=days) for days in late_days])
    return [
        event_of(
            f"{mail}-{email}-{nth}",
            delivered_at + timedelta(seconds=draw(seconds)),
            name=draw(st.sampled_from(["email_clicked", "email_clicked", "email_delivered"])),
            received_at=min(NOW, received_at + draw(late)),
            trust=draw(st.sampled_from([Trust.SIGNED, Trust.SIGNED, Trust.PUBLIC])),
            automated=draw(automations),
            email=email,
            properties={"message_id": mail, "url": draw(links), "path": f"/{nth}", "seconds": nth},
        )
        for nth in range(draw(st.integers(1, 7)))
    ]


@st.composite
def busy_days(draw: st.DrawFn, minutes_ago: st.SearchStrategy[int]) -> list[Event]:
    """More events of one day than are kept of it, some of them known to us only later."""
    received_at = NOW - timedelta(minutes=draw(minutes_ago))
    midnight = received_at.replace(hour=0, minute=0)
    identity = draw(identities())
    late = draw(st.sets(st.integers(0, 24), max_size=6))
    late_by = draw(st.sampled_from([timedelta(days=20), WINDOW]))
    return [
        event_of(
            f"busy-{nth}",
            midnight + timedelta(seconds=nth),
            name=draw(st.sampled_from(NAMES[:2])) if nth % 7 == 0 else "page_viewed",
            received_at=min(NOW, received_at + (late_by if nth in late else nth * MS)),
            email=identity.email,
            user_id=identity.user_id,
            anonymous_id=identity.anonymous_id,
            properties={"path": f"/{nth}", "seconds": nth},
        )
        for nth in range(25)
    ]


@st.composite
def happenings(
    draw: st.DrawFn,
    minutes_ago: st.SearchStrategy[int],
    *,
    busy_in_ten: int = 1,
    mails_in_ten: int = 3,
    late_days: Sequence[int] = (0, 0, 1, 5),
) -> list[Event]:
    """What a few people did who share browsers, accounts and addresses in every way."""
    count = draw(st.integers(2, 9))
    events = [draw(events_received(str(nth), minutes_ago)) for nth in range(count)]
    if draw(st.integers(1, 10)) <= busy_in_ten:
        events += draw(busy_days(minutes_ago))
    if draw(st.integers(1, 10)) <= mails_in_ten:
        events += draw(mailings(minutes_ago, late_days))
    return events


@dataclass(frozen=True)
class Outcome:
    """All that must not depend on the order."""

    people: dict[str, frozenset[Identifier]]
    trails: dict[str, Trail]
    scores: dict[str, Score]
    traits: dict[str, dict[str, object]]
    consent: dict[str, tuple[str | None, Consent]]
    notes: dict[str, tuple[NoteFact, ...]]
    steps: dict[str, tuple[NotableStep, ...]]
    measured: dict[str, dict[str, object]]


def outcome_of(world: World) -> Outcome:
    return Outcome(
        world.people(),
        world.trails(NOW),
        {id_: evaluation_of(lead, RULES, NOW).score for id_, lead in world.leads.items()},
        {id_: dict(lead.traits) for id_, lead in world.leads.items()},
        {id_: (lead.email, lead.consent(SOFT_ONCE)) for id_, lead in world.leads.items()},
        {id_: lead.notes for id_, lead in world.leads.items()},
        {id_: as_judged(lead, RULES).steps for id_, lead in world.leads.items()},
        {id_: measured_of(lead) for id_, lead in world.leads.items()},
    )


def measured_of(lead: Lead) -> dict[str, object]:
    facts = evaluation_of(lead, RULES, NOW).facts
    names = [*(measure.fact for measure in RULES.counters), *RULES.latest, *RULES.before]
    return {name: facts.get(name) for name in names}


def batches(events: Sequence[Event], chance: Random) -> Iterator[Sequence[Event]]:
    start = 0
    while start < len(events):
        size = chance.choice([1, 1, 2, 3, 5, 100])
        yield events[start : start + size]
        start += size


def in_any_order(events: Sequence[Event], chance: Random) -> World:
    """Every event once or more, in any order and any batches, all of it now."""
    again = chance.choices(events, k=chance.randrange(len(events) + 1))
    arrivals = [*events, *(received_again(e, e.received_at + timedelta(hours=1)) for e in again)]
    chance.shuffle(arrivals)
    world = World(RULES)
    for batch in batches(arrivals, chance):
        world.apply(batch, NOW)
    return world


def in_any_order_over_time(events: Sequence[Event], chance: Random) -> World:
    """The same, but every delivery at its own time, at most 31 days after the first receipt."""
    deliveries: list[tuple[datetime, Event]] = []
    for event in events:
        for copy in range(chance.choice([1, 1, 2, 3])):
            wait = chance.choice([timedelta(0), WINDOW, WINDOW * chance.random()])
            at = min(NOW, event.received_at + wait)
            again_at = chance.choice([event.received_at, at])
            deliveries.append((at, received_again(event, again_at) if copy else event))
    chance.shuffle(deliveries)
    world = World(RULES)
    for at, event in sorted(deliveries, key=lambda delivery: delivery[0]):
        world.apply([event], at)
    return world


def is_whole(world: World) -> bool:
    """Every identifier is one lead's, and a lead's id is one of its own."""
    held = {id_: lead.id for lead in world.leads.values() for id_ in lead.trails}
    return held == world.holder and all(lead.id in lead.trails for lead in world.leads.values())


def emails_of(lead: Lead) -> set[str]:
    return {t.identifier.value for t in lead.trails.values() if "@" in t.identifier.value}


reproducible = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.slow
@reproducible
@given(happenings(minutes), st.integers(0, 2**32))
def test_any_order_and_duplication_gives_the_same_leads(events: list[Event], seed: int) -> None:
    chance = Random(seed)
    expected = outcome_of(in_any_order(events, chance))
    for _ in range(ORDERS - 1):
        world = in_any_order(events, chance)
        assert is_whole(world)
        assert outcome_of(world) == expected
        assert all(adds_up(score) for score in expected.scores.values())


@pytest.mark.slow
@settings(reproducible, max_examples=EXAMPLES // 2)
@given(
    happenings(st.integers(0, 100 * 1440), busy_in_ten=5, mails_in_ten=5, late_days=(0, 0, 2)),
    st.integers(0, 2**32),
)
def test_the_time_of_folding_old_events_does_not_matter(events: list[Event], seed: int) -> None:
    chance = Random(seed)
    expected = outcome_of(in_any_order_over_time(events, chance))
    for _ in range(ORDERS - 1):
        world = in_any_order_over_time(events, chance)
        assert is_whole(world)
        assert outcome_of(world) == expected
        assert all(adds_up(score) for score in expected.scores.values())


@settings(reproducible, max_examples=examples(300))
@given(happenings(minutes), st.integers(0, 2**32))
def test_public_events_never_make_one_person_of_two_addresses(
    events: list[Event], seed: int
) -> None:
    public = [structs.replace(event, trust=Trust.PUBLIC) for event in events]
    world = in_any_order(public, Random(seed))
    assert all(len(emails_of(lead)) <= 1 for lead in world.leads.values())


@settings(reproducible, max_examples=examples(300))
@given(happenings(minutes), st.integers(0, 2**32))
def test_automated_events_change_no_score_or_origin_and_tie_nobody(
    events: list[Event], seed: int
) -> None:
    seen = [event for event in events if not event.automated]
    unseen = [
        structs.replace(event, trust=Trust.PUBLIC, traits={}) for event in events if event.automated
    ]
    people = in_any_order(seen, Random(seed)) if seen else World(RULES)
    world = in_any_order([*seen, *unseen], Random(seed)) if events else World(RULES)
    for id_, lead in people.leads.items():
        assert world.leads[id_].trails.keys() == lead.trails.keys()
        assert (
            evaluation_of(world.leads[id_], RULES, NOW).score
            == evaluation_of(lead, RULES, NOW).score
        )
        assert world.leads[id_].first_touch == lead.first_touch
        assert world.leads[id_].last_touch == lead.last_touch
    strangers = [lead for id_, lead in world.leads.items() if id_ not in people.leads]
    assert all(evaluation_of(lead, RULES, NOW).score.engagement == 0 for lead in strangers)
    assert all(len(lead.trails) == 1 for lead in strangers)


@settings(reproducible, max_examples=examples(500))
@given(happenings(minutes), st.integers(0, 2**32))
def test_public_events_never_move_signed_identities(events: list[Event], seed: int) -> None:
    chance = Random(seed)
    signed = [event for event in events if event.trust is Trust.SIGNED]
    if not signed:
        return
    alone, among_others = in_any_order(signed, chance), in_any_order(events, chance)
    told = {identifier for identifiers in alone.people().values() for identifier in identifiers}
    people = {frozenset(found & told) for found in among_others.people().values()}
    assert people - {frozenset()} == set(alone.people().values())


@settings(reproducible, max_examples=examples(300))
@given(happenings(minutes), st.integers(0, 2**32), st.data())
def test_stated_times_of_public_senders_never_change_identities(
    events: list[Event], seed: int, data: st.DataObject
) -> None:
    chance = Random(seed)
    stated = [
        structs.replace(event, occurred_at=event.received_at - data.draw(delays))
        if event.trust is Trust.PUBLIC
        else event
        for event in events
    ]
    assert in_any_order(stated, chance).people() == in_any_order(events, chance).people()


@st.composite
def shared_browsers(draw: st.DrawFn, people: st.SearchStrategy[int]) -> list[Event]:
    """A browser that many claim, and under which many refuse to be written to."""

    def named(id_: str, name: str, email: str | None) -> Event:
        at = NOW - timedelta(minutes=draw(minutes))
        trust = draw(st.sampled_from(Trust))
        return event_of(id_, at, name=name, trust=trust, email=email, anonymous_id="b1")

    claims = [named(f"c{i}", "login", f"p{i}@example.com") for i in range(draw(people))]
    count = draw(st.integers(15, 50))
    return [*claims, *(named(f"r{i}", "email_unsubscribed", None) for i in range(count))]


@pytest.mark.slow
@settings(reproducible, max_examples=examples(50))
@given(shared_browsers(st.integers(1, MAX_CLAIMS)), st.integers(0, 2**32))
def test_more_refusals_than_are_kept_come_in_any_order(events: list[Event], seed: int) -> None:
    chance = Random(seed)
    expected = outcome_of(in_any_order(events, chance))
    assert all(outcome_of(in_any_order(events, chance)) == expected for _ in range(3))


@pytest.mark.slow
@settings(reproducible, max_examples=examples(50))
@given(shared_browsers(st.integers(MAX_CLAIMS, 30)), st.integers(0, 2**32))
def test_more_claims_than_are_kept_come_in_any_order(events: list[Event], seed: int) -> None:
    """But for who of the others hears of a refusal: whoever was among the ten at that time."""
    chance = Random(seed)
    first, *others = (in_any_order(events, chance) for _ in range(4))
    browser = Identifier(Kind.ANONYMOUS, "b1")
    kept = first.trails(NOW)[id_of(browser)]
    for other in others:
        assert other.people() == first.people()
        assert other.trails(NOW)[id_of(browser)] == kept
        for claim in kept.claims:
            assert other.trails(NOW)[claim.owner].consent
