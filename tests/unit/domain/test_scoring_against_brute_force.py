"""The score agrees with a second implementation that takes the formula literally."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from effort import examples
from unit.domain.brute_force import (
    Worth,
    count_of_last,
    days_of_last,
    latest_of,
    momentum_of_last,
    sum_of_last,
    trait_before,
    values_of_last,
    visits_of_last,
    worth_of,
)
from unit.domain.worlds import HasTrait, World, adds_up, event_of, rules_of
from warmlead.domain.evaluation import Projection, evaluation_of
from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead
from warmlead.domain.measures import Measure, MeasureKind
from warmlead.domain.readings import Meter, MeterKind
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import (
    MICRO,
    GroupPolicy,
    InactivityPolicy,
    Part,
    Score,
    ScoringPolicy,
    SignalPolicy,
)
from warmlead.domain.stages import Facts

NAMES = ("page_viewed", "form_submitted", "email_opened", "chat_started")
SIGNALS = ("alpha", "beta", "gamma", "delta", "epsilon")
GROUPS = ("web", "mail")
ADA = Identifier(Kind.EMAIL, "ada@example.com")
# a leap day, a year's end, the day after a February of 28 days, an ordinary day
ANCHORS = tuple(
    datetime(*day, tzinfo=UTC)
    for day in ((2024, 2, 29), (2024, 12, 31), (2025, 3, 1), (2025, 8, 17))
)
MS = timedelta(milliseconds=1)
FIT_RULES = (
    HasTrait("in_usa", 10, "country", "US"),
    HasTrait("in_germany", 7, "country", "DE"),
    HasTrait("student", -25, "student", value=True),
)
FIT_OF_TRAITS: tuple[tuple[dict[str, Property], int], ...] = (
    ({}, 0),
    ({"country": "US"}, 10),
    ({"country": "DE"}, 7),
    ({"country": "US", "student": True}, -15),
    ({"student": True}, -25),
)


MEASURES = (
    *((MeasureKind.LAST, days) for days in (1, 7, 14, 30, 90, 91, 400)),
    *((MeasureKind.DAYS, days) for days in (1, 30, 200)),
    *((MeasureKind.MOMENTUM, days) for days in (1, 7, 100)),
    *((MeasureKind.VISITS, days) for days in (1, 30, 400)),
    *((MeasureKind.DISTINCT, days) for days in (1, 30, 400)),
    *((MeasureKind.SUM, days) for days in (1, 30, 400)),
)
READ_BY = {MeasureKind.DISTINCT: "path", MeasureKind.SUM: "seconds"}
LITERALLY = {
    MeasureKind.LAST: count_of_last,
    MeasureKind.DAYS: days_of_last,
    MeasureKind.MOMENTUM: momentum_of_last,
    MeasureKind.VISITS: visits_of_last,
    MeasureKind.DISTINCT: values_of_last,
    MeasureKind.SUM: sum_of_last,
}
PAST = [
    Meter(MeterKind.BEFORE, "", "country", 30),
    Meter(MeterKind.BEFORE, "", "student", 400),
    Meter(MeterKind.BEFORE, "", "plan", 120),
]
LATEST = [Meter(MeterKind.LATEST, label, "path") for label in (*SIGNALS, *NAMES)]


def measure_of(kind: MeasureKind, days: int, label: str) -> Measure:
    return Measure(kind, days, label, READ_BY.get(kind, ""))


@dataclass(frozen=True)
class Reaches:
    """A bonus: a measure is at least so large."""

    name: str
    points: int
    measure: Measure
    least: int

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.measure.fact)
        return isinstance(value, int) and value >= self.least


@dataclass(frozen=True)
class Case:
    """A model, a history, the fit that its traits make, and the moments at which it is scored."""

    policy: ScoringPolicy
    signals_of: dict[str, tuple[str, ...]]
    events: tuple[Event, ...]
    fit: int
    nows: tuple[datetime, ...]
    bonuses: tuple[Reaches, ...] = ()

    @property
    def rules(self) -> Rules:
        labels = (*SIGNALS, *NAMES)
        measures = [measure_of(*read, label) for read in MEASURES for label in labels]
        measures += [bonus.measure for bonus in self.bonuses]
        rules = rules_of(
            self.policy,
            self.signals_of,
            fit_rules=FIT_RULES,
            measures=measures,
            meters=[*LATEST, *PAST],
        )
        return replace(rules, bonuses=self.bonuses)

    @property
    def labels_of(self) -> dict[str, tuple[str, ...]]:
        """What each event is counted as."""
        return {name: (name, *self.signals_of[name]) for name in NAMES}

    def measured(self, read: Measure, today: date) -> int:
        """What a measure literally is."""
        return LITERALLY[read.kind](read.days, read.label, self.events, self.labels_of, today)

    def bonus(self, today: date) -> int:
        """The points of the bonuses whose measure is literally large enough."""
        got = (each for each in self.bonuses if self.measured(each.measure, today) >= each.least)
        return sum(each.points for each in got)


half_lives = st.one_of(
    st.sampled_from([0.5, 1.0, 7.0, 30.0, 45.5, 365.0]), st.floats(0.25, 1000, allow_nan=False)
)
# the days of a half-life, or the day of expiry, or neither
decays: st.SearchStrategy[tuple[float | None, int | None]] = st.one_of(
    st.just((None, None)),
    st.tuples(half_lives, st.none()),
    st.tuples(st.none(), st.integers(1, 120)),
)
groups = st.tuples(
    st.one_of(st.none(), st.integers(-60, 5)), st.one_of(st.none(), st.integers(5, 80))
).map(lambda bounds: GroupPolicy(*bounds))


@st.composite
def signal_policies(draw: st.DrawFn) -> SignalPolicy:
    half_life_days, expires_after_days = draw(decays)
    return SignalPolicy(
        points=draw(st.integers(-30, 50)),
        per_day=draw(st.integers(1, 20)),
        group=draw(st.sampled_from([None, *GROUPS])),
        half_life_days=half_life_days,
        expires_after_days=expires_after_days,
        max_count=draw(st.one_of(st.none(), st.integers(1, 25))),
    )


@st.composite
def bonuses(draw: st.DrawFn) -> tuple[Reaches, ...]:
    return tuple(
        Reaches(
            name,
            draw(st.integers(-40, 60)),
            measure_of(*draw(st.sampled_from(MEASURES)), draw(st.sampled_from((*SIGNALS, *NAMES)))),
            draw(st.sampled_from([1, 2, 3, 100])),
        )
        for name in draw(st.sampled_from([(), (), ("regular",), ("regular", "keen")]))
    )


policies = st.builds(
    ScoringPolicy,
    signals=st.fixed_dictionaries(dict.fromkeys(SIGNALS, signal_policies())),
    groups=st.dictionaries(st.sampled_from(GROUPS), groups),
    inactivity=st.one_of(
        st.none(),
        st.builds(
            InactivityPolicy,
            after_days=st.integers(1, 40),
            lose_ppm=st.one_of(
                st.sampled_from([100_000, 500_000, 1_000_000]), st.integers(1, 10**6)
            ),
            every_days=st.integers(1, 14),
        ),
    ),
    passive=st.frozensets(st.sampled_from(NAMES), max_size=2),
    base=st.one_of(st.just(0), st.integers(-60, 60)),
    floor=st.sampled_from([0, 0, None, -20]),
)
classifications = st.fixed_dictionaries(
    {name: st.sets(st.sampled_from(SIGNALS), max_size=3).map(sorted).map(tuple) for name in NAMES}
)
# how long an event took to reach us: ahead of our clock, at once, late, imported from a year ago
DELAYS_S = (-300, 0, 1, 20 * 86_400, 31 * 86_400, 366 * 86_400)
delays = st.sampled_from(DELAYS_S).map(lambda seconds: timedelta(seconds=seconds))


# how far events of a burst are apart: at once, a visit, just a visit still, no visit any more
APART = (MS, MS, timedelta(minutes=7), timedelta(minutes=30), timedelta(minutes=30, seconds=1))
PROPERTIES: tuple[dict[str, Property], ...] = (
    {},
    {"path": "/a", "seconds": 12},
    {"path": "/b", "seconds": 0.5},
    {"path": "/c", "seconds": 7.49},
    {"path": "/a", "seconds": -3},
    {"path": "/d", "seconds": "long"},
)


PLANS: tuple[dict[str, Property], ...] = (
    {"plan": "free"},
    {},
    {"plan": "team"},
    {"plan": None},
    {},
)


@st.composite
def bursts(draw: st.DrawFn) -> tuple[str, datetime, datetime, int, bool, timedelta]:
    """Name, time, time of receipt, how many in a row, whether the visitor was known, how dense."""
    day = draw(st.sampled_from(ANCHORS)) + timedelta(days=draw(st.integers(-100, 100)))
    ms = st.one_of(st.sampled_from([0, 1, 86_399_999]), st.integers(0, 86_399_999))
    received_at = day + draw(ms) * MS
    count = draw(st.sampled_from([1, 1, 1, 1, 2, 3, 21, 24]))
    name = draw(st.sampled_from(NAMES))
    apart = draw(st.sampled_from(APART))
    return name, received_at - draw(delays), received_at, count, draw(st.booleans()), apart


@st.composite
def cases(draw: st.DrawFn) -> Case:
    drawn = draw(st.lists(bursts(), min_size=1, max_size=8))
    events = [
        event_of(
            f"{number}-{nth}",
            min(at + nth * apart, received_at + timedelta(minutes=5)),
            name=name,
            received_at=received_at,
            anonymous_id=None if known else "browser",
            email=ADA.value if known else None,
            properties=PROPERTIES[(number + nth) % len(PROPERTIES)],
            traits=PLANS[(number + nth) % len(PLANS)],
            trust=Trust.SIGNED if known and (number + nth) % 4 == 0 else Trust.PUBLIC,
        )
        for number, (name, at, received_at, count, known, apart) in enumerate(drawn)
        for nth in range(count)
    ]
    last = max(event.received_at for event in events)
    traits, fit = draw(st.sampled_from(FIT_OF_TRAITS))
    # the event that tells whose browser it was; it is passive in no model and no signal
    events.append(
        event_of(
            "merge",
            last,
            name="form_sent",
            trust=Trust.SIGNED,
            email=ADA.value,
            anonymous_id="browser",
            traits=traits,
        )
    )
    boundary = draw(st.sampled_from(events)).received_at + timedelta(days=31)
    moments = [last, boundary - MS, boundary, boundary + MS]
    moments += [last + timedelta(days=draw(st.integers(0, 400)))]
    policy = draw(policies)
    if fades := policy.inactivity:
        moments += [last + timedelta(days=fades.after_days + n * fades.every_days) for n in (0, 2)]
    nows = tuple(sorted(moment for moment in moments if moment >= last))
    return Case(policy, draw(classifications), tuple(events), fit, nows, draw(bonuses()))


def lead_after(events: Sequence[Event], rules: Rules) -> Lead:
    """The lead as it grew: each event applied, and older ones folded, when it was received."""
    world = World(rules)
    for each in sorted(events, key=lambda e: e.received_at):
        world.apply([each], each.received_at)
    return world.lead_of(ADA)


def worth_as_explained(score: Score) -> Worth:
    lines = [line.exact_micro for line in score.contributions if line.part is not Part.FLOOR]
    exact = Fraction(sum(lines), MICRO)
    return Worth(exact, score.score, score.engagement, score.fit, score.days_inactive)


@settings(
    max_examples=examples(600),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_the_score_equals_the_literal_formula(case: Case) -> None:
    lead = lead_after(case.events, case.rules)
    for now in case.nows:
        (lead,) = resolve_identities([lead], lead.trails, case.rules, now)
        found = evaluation_of(lead, case.rules, now)
        score = found.score
        today, bonus = now.date(), case.bonus(now.date())
        expected = worth_of(case.events, case.signals_of, case.policy, case.fit, today, bonus=bonus)
        event(f"score above 0: {expected.score > 0}")
        event(f"a bonus: {bonus != 0}")
        assert worth_as_explained(score) == expected
        assert adds_up(score)
        for read in case.rules.counters:
            number = case.measured(read, today)
            event(f"{read.kind} above 0: {number > 0}")
            assert found.facts[read.fact] == number
        for meter in LATEST:
            told = latest_of(meter.label, case.events, case.labels_of)
            assert found.facts.get(meter.name) == told
        for name, (trait, days) in case.rules.before.items():
            told = trait_before(days, trait, case.events, today)
            event(f"a trait as it was: {told is not None}")
            assert found.facts.get(name) == told


@settings(
    max_examples=examples(150),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases(), st.integers(1, 420))
def test_a_projection_is_what_the_evaluation_of_that_day_will_be(case: Case, days: int) -> None:
    lead, now = lead_after(case.events, case.rules), case.nows[0]
    (lead,) = resolve_identities([lead], lead.trails, case.rules, now)
    later = now + timedelta(days=days)
    evaluation = evaluation_of(lead, case.rules, now)
    totals, standing = Projection(lead, evaluation, case.rules).on(day_of(to_ms(later)))
    found = evaluation_of(lead, case.rules, later)
    event(f"another bonus: {found.bonuses != evaluation.bonuses}")
    assert totals == found.totals
    assert standing == found.standing
