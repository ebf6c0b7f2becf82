"""Models, events and an in-memory world for the tests of the domain. Holds no assertion."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType

from msgspec import structs

from warmlead.domain.evaluation import judged_trail
from warmlead.domain.event import Automation, Event, Property, Trust
from warmlead.domain.history import Tally, day_of, fold, to_ms
from warmlead.domain.identity import Identifier, LeadIds, identifiers_of
from warmlead.domain.identity_resolution import (
    resolve_identities,
    still_to_be_told,
    with_refusals_shared,
)
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.measures import Measure, MeasureKind, names_kept
from warmlead.domain.packed_history import DAY_MS, KeptEvent
from warmlead.domain.readings import Meter, MeterKind, kept_readings, meters_of
from warmlead.domain.rules import FitPolicy, Rules
from warmlead.domain.scoring import MICRO, Score, ScoringPolicy
from warmlead.domain.stages import Facts, StagePolicy

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NO_SCORING = ScoringPolicy(signals={}, groups={})

_LEAD_IDS = LeadIds(b"a secret of the tests")


@cache
def id_of(identifier: Identifier) -> str:
    return _LEAD_IDS.of(identifier)


@dataclass(frozen=True)
class Holds:
    """A condition made of a plain function."""

    test: Callable[[Facts], bool]
    words: str = "what the test says"

    def __call__(self, facts: Facts) -> bool:
        return self.test(facts)

    def missing(self, facts: Facts) -> tuple[str, ...]:
        return () if self(facts) else (self.words,)


@dataclass(frozen=True)
class HasTrait:
    """A fit rule: a trait has a value."""

    name: str
    points: int
    trait: str
    value: Property

    def holds(self, facts: Facts) -> bool:
        return facts.get(self.trait) == self.value


def rules_of(
    scoring: ScoringPolicy = NO_SCORING,
    signals_of: Mapping[str, Iterable[str]] | None = None,
    *,
    fit_rules: Sequence[FitPolicy] = (),
    stages: Sequence[StagePolicy] = (),
    counters: Iterable[tuple[int, str]] = (),
    measures: Iterable[Measure] = (),
    meters: Sequence[Meter] = (),
    shown: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Rules:
    """A model; ``counters`` are windows of days over which conditions count a label."""
    counts = [Measure(MeasureKind.LAST, days, label) for days, label in counters]
    read = frozenset([*counts, *measures])
    by_name = {name: tuple(sorted(signals)) for name, signals in (signals_of or {}).items()}
    return Rules(
        version="of the tests",
        classify=lambda event: () if event.automated else by_name.get(event.name, ()),
        know=dict,
        fit_rules=tuple(fit_rules),
        scoring=scoring,
        stages=tuple(stages),
        counters=read,
        kept_days=names_kept(read, scoring.signals, {}),
        meters={**meters_of(read, {}), **{meter.name: meter for meter in meters}},
        latest={meter.name: meter.name for meter in meters if meter.kind is MeterKind.LATEST},
        before={
            f"before_{days}d.{meter.of_property}": (meter.of_property, days)
            for meter in meters
            if meter.kind is MeterKind.BEFORE
            for days in (1, meter.days)
        },
        values_of=values_of,
        shown=shown,
    )


def values_of(event: Event, meter: Meter) -> tuple[object, ...]:
    """The value of an event's property, of whatever type it is."""
    value = event.properties.get(meter.of_property)
    return () if value is None else (value,)


def event_of(
    id_: str,
    at: datetime,
    *,
    name: str = "page_viewed",
    received_at: datetime | None = None,
    trust: Trust = Trust.PUBLIC,
    email: str | None = None,
    user_id: str | None = None,
    anonymous_id: str | None = None,
    traits: Mapping[str, Property] | None = None,
    attribution: Mapping[str, str] | None = None,
    automated: Automation | None = None,
    merged_user_id: str | None = None,
    properties: Mapping[str, Property] | None = None,
    notes: Sequence[str] = (),
    direct: bool = False,
) -> Event:
    return Event(
        id=id_,
        source="tests",
        trust=trust,
        name=name,
        occurred_at=at,
        received_at=received_at or at,
        email=email,
        user_id=user_id,
        anonymous_id=anonymous_id,
        traits=dict(traits or {}),
        attribution=dict(attribution or {}),
        automated=automated,
        merged_user_id=merged_user_id,
        properties=dict(properties or {}),
        notes=tuple(notes),
        direct=direct,
    )


def received_again(event: Event, at: datetime) -> Event:
    """The same event, sent a second time by a sender that had no answer to the first."""
    return structs.replace(event, received_at=at)


def adds_up(score: Score) -> bool:
    """Whether the lines of the sum are the score, and each is its exact value but for rounding."""
    near = all(abs(line.points * MICRO - line.exact_micro) < MICRO for line in score.contributions)
    return near and sum(line.points for line in score.contributions) == score.score


class World:
    """Leads in memory, changed as the use case that applies events changes them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.leads: dict[str, Lead] = {}
        self.holder: dict[str, str] = {}

    def apply(self, events: Sequence[Event], now: datetime) -> None:
        """One commit: loads every lead that holds an identifier, and regroups all their trails."""
        ids = {i: id_of(i) for event in events for i in identifiers_of(event)}
        held = {self.holder[id_] for id_ in ids.values() if id_ in self.holder}
        before = [self.leads.pop(id_) for id_ in sorted(held)]
        trails: Mapping[str, Trail] = {i: t for lead in before for i, t in lead.trails.items()}
        known = dict(trails)
        for event in events:
            trails = touch_trails(trails, event, ids, self.rules)
        while owners := still_to_be_told(known, with_refusals_shared(trails)):
            told = [self.leads.pop(id_) for id_ in sorted({self.holder[id_] for id_ in owners})]
            before += told
            trails = {**trails, **{i: t for lead in told for i, t in lead.trails.items()}}
            known |= {i: t for lead in told for i, t in lead.trails.items()}
        for lead in resolve_identities(before, trails, self.rules, now):
            self.leads[lead.id] = lead
            self.holder.update(dict.fromkeys(lead.trails, lead.id))

    def lead_of(self, identifier: Identifier) -> Lead:
        return self.leads[self.holder[id_of(identifier)]]

    def people(self) -> dict[str, frozenset[Identifier]]:
        """Who is whom: every lead's identifiers."""
        return {
            id_: frozenset(trail.identifier for trail in lead.trails.values())
            for id_, lead in self.leads.items()
        }

    def trails(self, now: datetime) -> dict[str, Trail]:
        """Everything that is kept, folded as of now."""
        return {
            id_: folded_trail(trail, now, self.rules)
            for lead in self.leads.values()
            for id_, trail in lead.trails.items()
        }


def folded_trail(trail: Trail, now: datetime, rules: Rules | None = None) -> Trail:
    rules = rules or rules_of()
    history = fold(trail.history, to_ms(now), rules.kept_days)
    trail = judged_trail(trail, rules, history.recent)
    return replace(
        trail,
        history=history,
        readings=kept_readings(trail.readings, day_of(to_ms(now)), rules.meters),
    )


def brute_tally(events: Sequence[KeptEvent]) -> Tally:
    """The counts of events, each by itself."""
    signals: dict[str, dict[int, int]] = {}
    names: dict[str, dict[int, int]] = {}
    for event in events:
        day = event.at_ms // DAY_MS
        for counts, labels in ((signals, event.signals), (names, (event.name,))):
            for label in labels:
                days = counts.setdefault(label, {})
                days[day] = min(20, days.get(day, 0) + 1)
    return Tally(signals, names, {name: max(days) for name, days in names.items()})
