"""A checked model as plain data: as JSON for a cold start, and as the rules that are made of it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import DecodeError, Struct, json

from warmlead.domain.alerts import ACTS_WITHIN, AlertDefinition, AlertPolicy
from warmlead.domain.consent import CONSENT_EVENTS, SuppressionPolicy
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS, Event, Property, Trust
from warmlead.domain.event_names import our_name
from warmlead.domain.handoff import (
    HandoffDefinition,
    HandoffPolicy,
    PromisesDefinition,
    PromisesPolicy,
    RoutePolicy,
)
from warmlead.domain.measures import Measure, names_kept
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.nurture import SequenceDefinition, SequencePolicy, SequenceStep
from warmlead.domain.probability import Probability
from warmlead.domain.readings import Meter, MeterKind, meters_of
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy
from warmlead.domain.stages import Facts, StageDefinition, StagePolicy
from warmlead.model.coercion import coerce, know, not_understood, word_of
from warmlead.model.conditions import CompiledCondition, Context, Formula
from warmlead.model.measuring import before_meters, parse_before, parse_latest
from warmlead.model.vocabulary import (
    ENUMERATED,
    EVENT_FACTS,
    ORIGIN_FACTS,
    STANDARD_EVENTS,
    ValueType,
)


class SignalPlan(Struct, frozen=True, omit_defaults=True):
    """Which events are a signal; what it is worth stands in the scoring policy."""

    on: frozenset[str]
    when: str | None = None
    signed: bool = False
    robots: bool = False


class FitPlan(Struct, frozen=True):
    """A fit rule or a bonus, its condition as it is written."""

    points: int
    when: str


WARNED_AHEAD = timedelta(days=120)
"""How long before its holidays run out a compiled model is reported as to be compiled again."""


class Plan(Struct, frozen=True, kw_only=True):
    """A model that was checked. ``version`` is the hash of the file's content.

    ``titles`` are those of ``Rules``. ``event_types``,
    ``fit_types`` and ``stage_types`` hold what conditions name in each place, with its type
    (``stage_types`` also what those of routes and sequences name); ``trait_types`` all traits
    that the model knows. ``robots_count``: what robots do counts as if people did it.
    ``kept_as`` names what conditions count by a published name. What ``bonuses`` name is in
    ``stage_types``. ``marks`` and ``shown`` are those of ``Rules``. ``property_types`` are those
    of properties that are measured. ``holidays_until`` is the last day whose public holidays are
    known, if the model names any. ``probability`` is what a score means, if it was learned of the
    model's present points.
    """

    version: str
    titles: dict[str, str]
    scoring: ScoringPolicy
    signals: dict[str, SignalPlan]
    fit: dict[str, FitPlan]
    stages: tuple[StageDefinition[str], ...]
    handoff: HandoffDefinition[str] | None
    sequences: tuple[SequenceDefinition[str], ...]
    counters: frozenset[Measure]
    event_types: dict[str, ValueType]
    fit_types: dict[str, ValueType]
    stage_types: dict[str, ValueType]
    trait_types: dict[str, ValueType]
    robots_count: bool = False
    suppression: SuppressionPolicy = SuppressionPolicy()
    kept_as: dict[str, str] = {}
    alerts: tuple[AlertDefinition[str], ...] = ()
    acts_within: timedelta = ACTS_WITHIN
    updates: UpdatePolicy | None = None
    bonuses: dict[str, FitPlan] = {}
    marks: dict[str, str] = {}
    shown: dict[str, tuple[str, ...]] = {}
    property_types: dict[str, ValueType] = {}
    holidays_until: date | None = None
    probability: Probability | None = None

    def holidays_run_out(self, today: date) -> bool:
        """Whether the public holidays that it knows are over, or soon will be."""
        return self.holidays_until is not None and today + WARNED_AHEAD > self.holidays_until


class CompiledFit(Struct, frozen=True):
    """A fit rule or a bonus with its condition; implements the domain's ``FitPolicy``."""

    name: str
    points: int
    when: CompiledCondition

    def holds(self, facts: Facts) -> bool:
        """Whether the rule holds, as far as known."""
        return self.when(facts)


def rules_of(plan: Plan) -> Rules:
    """The rules that the plan states, their conditions compiled.

    Raises ``ConfigurationError`` if this machine does not know a time zone of the plan.
    """
    fit = Context.of(plan.fit_types, {})
    stage = Context.of(plan.stage_types, {}, plan.titles)
    return Rules(
        version=plan.version,
        classify=_classifier(plan),
        know=lambda traits: know(traits, plan.trait_types),
        not_understood=lambda traits: not_understood(traits, plan.trait_types),
        fit_rules=_with_points(plan.fit, fit),
        bonuses=_with_points(plan.bonuses, stage),
        reads_origin=not ORIGIN_FACTS.keys().isdisjoint({*plan.fit_types, *plan.stage_types}),
        scoring=plan.scoring,
        stages=tuple(_stage(one, stage) for one in plan.stages),
        counters=plan.counters,
        handoff=_handoff(plan.handoff, stage) if plan.handoff else None,
        sequences=tuple(_sequence(one, stage) for one in plan.sequences),
        names=_names(plan),
        traits=frozenset(plan.trait_types),
        robots_count=plan.robots_count,
        robots_signals=frozenset(name for name, each in plan.signals.items() if each.robots),
        acts=_acts(plan),
        suppression=plan.suppression,
        kept_as=plan.kept_as,
        alerts=tuple(_policy(AlertPolicy, one, stage, "when") for one in plan.alerts),
        acts_within=plan.acts_within,
        updates=plan.updates,
        kept_days=names_kept(plan.counters, plan.scoring.signals, plan.kept_as),
        meters=_meters(plan),
        values_of=lambda event, meter: _values_of(event, meter, plan.property_types),
        before={name: asked for name in plan.stage_types if (asked := parse_before(name))},
        latest={name: meter.name for name, meter in _latest(plan).items()},
        marks=plan.marks,
        shown=plan.shown,
        titles=plan.titles,
        probability=plan.probability,
    )


def _with_points(rules: Mapping[str, FitPlan], context: Context) -> tuple[CompiledFit, ...]:
    return tuple(
        CompiledFit(name, rule.points, CompiledCondition(rule.when, context))
        for name, rule in sorted(rules.items())
    )


def _latest(plan: Plan) -> dict[str, Meter]:
    """The meters of latest values, by what conditions call them."""
    return {name: meter for name in plan.stage_types if (meter := parse_latest(name))}


def _meters(plan: Plan) -> dict[str, Meter]:
    latest = {meter.name: meter for meter in _latest(plan).values()}
    return {
        **meters_of(plan.counters, plan.kept_as),
        **latest,
        **before_meters(plan.stage_types),
    }


def _values_of(event: Event, meter: Meter, types: Mapping[str, ValueType]) -> Iterable[object]:
    """The values of an event's property; words that are compared as words, in one spelling."""
    name = meter.of_property
    value = coerce(event.properties.get(name), types[name])
    if value is None:
        return ()
    values: list[object] = value if isinstance(value, list) else [value]
    if meter.kind is MeterKind.DISTINCT and name in ENUMERATED:
        return [word_of(name, str(each)) or each for each in values]
    return values


def _names(plan: Plan) -> frozenset[str]:
    """The event names that the model, or Warmlead itself, does something with."""
    of_signals = (name for signal in plan.signals.values() for name in signal.on)
    counted = [measure.label for measure in plan.counters]
    counted += [meter.label for meter in _latest(plan).values()]
    ours = (*STANDARD_EVENTS, *SALES_EVENTS, *CONSENT_EVENTS)
    return frozenset((*of_signals, *map(our_name, counted), *ours))


def _acts(plan: Plan) -> frozenset[str]:
    """The signals that people's events alone are, and none that is no sign of life."""
    passive = plan.scoring.passive | SALES_EVENTS | frozenset(AUTOMATED_EVENTS.values())
    return frozenset(
        name
        for name, each in plan.signals.items()
        if not each.robots and passive.isdisjoint(map(our_name, each.on))
    )


P = TypeVar("P")


def _policy(kind: type[P], written: Any, context: Context, *conditions: str, **others: object) -> P:  # noqa: ANN401  # a definition of the domain, its conditions as text
    """The policy of a definition: the same fields, with the named conditions compiled."""
    same = {field.name: getattr(written, field.name) for field in fields(written)}
    compiled = {
        name: CompiledCondition(text, context) for name in conditions if (text := same[name])
    }
    return kind(**{**same, **compiled, **others})


def _stage(written: StageDefinition[str], context: Context) -> StagePolicy:
    when = {name: CompiledCondition(text, context) for name, text in written.bypass_when.items()}
    return _policy(StagePolicy, written, context, "enter", "leave", bypass_when=when)


def _handoff(written: HandoffDefinition[str], context: Context) -> HandoffPolicy:
    stages = {
        stage: _policy(PromisesPolicy, own, context, routes=_routes(own, context)) if own else None
        for stage, own in written.stages.items()
    }
    return _policy(HandoffPolicy, written, context, routes=_routes(written, context), stages=stages)


def _routes(written: PromisesDefinition[str], context: Context) -> tuple[RoutePolicy, ...]:
    for hours in (written.hours, *(route.hours for route in written.routes)):
        if hours:
            _demand_known(hours.zone)
    return tuple(_policy(RoutePolicy, route, context, "when") for route in written.routes)


def _sequence(written: SequenceDefinition[str], context: Context) -> SequencePolicy:
    if written.hours:
        _demand_known(written.hours.zone)
    steps = tuple(_policy(SequenceStep, step, context, "when") for step in written.steps)
    return _policy(SequencePolicy, written, context, "start", "stop", "goal", steps=steps)


def _demand_known(zone: str) -> None:
    """Fails now, rather than when a message is due, if this machine does not know the zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:
        subject = f"The model's time zone {zone} is not known on this machine:"
        raise ConfigurationError.one(subject, "install tzdata") from error


def _classifier(plan: Plan) -> Callable[[Event], tuple[str, ...]]:
    context = Context.of(plan.event_types, {})
    by_event: dict[str, list[tuple[str, SignalPlan, Formula | None]]] = {}
    for name, signal in sorted(plan.signals.items()):
        when = Formula(signal.when, context) if signal.when else None
        for event_name in signal.on:
            by_event.setdefault(event_name, []).append((name, signal, when))

    def classify(event: Event) -> tuple[str, ...]:
        return tuple(
            name
            for name, signal, when in by_event.get(event.name, ())
            if (not signal.signed or event.trust is Trust.SIGNED)
            and (signal.robots or event.automated is None)
            and (when is None or when(_facts_of(event, when.names, plan.event_types)))
        )

    return classify


def _facts_of(event: Event, names: Iterable[str], types: Mapping[str, ValueType]) -> Facts:
    facts: dict[str, object] = {}
    for name in names:
        given = _of_any(event, name) if name in EVENT_FACTS else event.properties.get(name)
        typed = coerce(given, types[name])
        if typed is not None:
            facts[name] = typed
    return facts


def _of_any(event: Event, name: str) -> Property:
    """What a condition may ask of any event."""
    if name == "properties":
        return [*sorted(n for n, value in event.properties.items() if value not in (None, "", []))]
    return str(getattr(event, name))


_KIND = "warmlead-compiled-model"

FORMAT = f"{_KIND}/6"
"""What the file says that it is. The number grows whenever a plan's fields or meaning change."""

_BEGINNING = re.compile(rf'\s*\{{\s*"format"\s*:\s*"{_KIND}/'.encode())


class _Head(Struct):
    format: str


class _Compiled(Struct, forbid_unknown_fields=True):
    format: str
    plan: Plan


def write_compiled(plan: Plan) -> str:
    """The plan as JSON; the same text for the same plan, whichever process writes it."""
    return json.encode(_Compiled(FORMAT, plan), order="deterministic").decode() + "\n"


def is_compiled(written: bytes) -> bool:
    """Whether a file says that it is a compiled model, of any format, damaged or not."""
    return _BEGINNING.match(written) is not None


def read_compiled(written: bytes, *, name: str) -> Plan:
    """The plan in a compiled model; ``name`` is where it came from, for people.

    Raises ``ConfigurationError`` if it is damaged, or was written for another release.
    """
    remedy = "compile the model file again with this release"
    try:
        found = json.decode(written, type=_Head).format
        if found == FORMAT:
            return json.decode(written, type=_Compiled).plan
        problem = f"it has the format {found!r}, and this release reads {FORMAT!r}: {remedy}"
    except DecodeError as error:
        problem = f"it is damaged ({error}): {remedy}"
    except UnicodeDecodeError:
        problem = f"it is damaged (it is not in UTF-8): {remedy}"
    raise ConfigurationError.one(f"The compiled model {name} cannot be used:", problem)
