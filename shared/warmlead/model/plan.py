"""A checked model as plain data, and the rules made of it: all that deciding about leads needs.

Refuses to know the file that people write, and how it is checked: whoever has a plan needs
neither YAML nor pydantic, which take longer to import than a lead takes to score.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from msgspec import Struct

from warmlead.domain.event import Event, Trust
from warmlead.domain.lifecycle import Facts, StagePolicy
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy
from warmlead.model.coercion import coerce, know
from warmlead.model.conditions import CompiledCondition, Context, Formula
from warmlead.model.vocabulary import EVENT_FACTS, ValueType


class SignalPlan(Struct, frozen=True, omit_defaults=True):
    """Which events are a signal; what it is worth stands in the scoring policy."""

    on: frozenset[str]
    when: str | None = None
    signed: bool = False


class FitPlan(Struct, frozen=True):
    """A fit rule, its condition as it is written."""

    points: int
    when: str


class StagePlan(Struct, frozen=True, omit_defaults=True):
    """A stage of the model, its conditions as they are written."""

    name: str
    enter: str
    leave: str | None = None
    cooldown: timedelta = timedelta(0)
    bypass: frozenset[str] = frozenset()


class Plan(Struct, frozen=True, kw_only=True):
    """A model that was checked. ``version`` is the hash of the file's content.

    ``titles`` are what people read for a signal, fit rule, group or stage. ``event_types``,
    ``fit_types`` and ``stage_types`` hold what conditions name in each place, with its type;
    ``trait_types`` all traits that the model knows.
    """

    version: str
    titles: dict[str, str]
    scoring: ScoringPolicy
    signals: dict[str, SignalPlan]
    fit: dict[str, FitPlan]
    stages: tuple[StagePlan, ...]
    counters: frozenset[tuple[int, str]]
    event_types: dict[str, ValueType]
    fit_types: dict[str, ValueType]
    stage_types: dict[str, ValueType]
    trait_types: dict[str, ValueType]


@dataclass(frozen=True, slots=True)
class CompiledFit:
    """A fit rule with its condition; implements the domain's ``FitRule``."""

    name: str
    points: int
    when: CompiledCondition

    def holds(self, facts: Facts) -> bool:
        """Whether it is so, as far as known."""
        return self.when(facts)


def rules_of(plan: Plan) -> Rules:
    """The rules that the plan states, their conditions compiled."""
    fit, stage = Context.of(plan.fit_types, {}), Context.of(plan.stage_types, {})
    return Rules(
        version=plan.version,
        classify=_classifier(plan),
        know=lambda traits: know(traits, plan.trait_types),
        fit_rules=tuple(
            CompiledFit(name, rule.points, CompiledCondition(rule.when, fit))
            for name, rule in sorted(plan.fit.items())
        ),
        scoring=plan.scoring,
        stages=tuple(_stage_policy(one, stage) for one in plan.stages),
        counters=plan.counters,
    )


def _stage_policy(stage: StagePlan, context: Context) -> StagePolicy:
    return StagePolicy(
        name=stage.name,
        enter=CompiledCondition(stage.enter, context),
        leave=CompiledCondition(stage.leave, context) if stage.leave else None,
        cooldown=stage.cooldown,
        bypass=stage.bypass,
    )


def _classifier(plan: Plan) -> Callable[[Event], tuple[str, ...]]:
    context = Context.of(plan.event_types, {})
    by_event: dict[str, list[tuple[str, bool, Formula | None]]] = {}
    for name, signal in sorted(plan.signals.items()):
        when = Formula(signal.when, context) if signal.when else None
        for event_name in signal.on:
            by_event.setdefault(event_name, []).append((name, signal.signed, when))

    def classify(event: Event) -> tuple[str, ...]:
        return tuple(
            name
            for name, signed, when in by_event.get(event.name, ())
            if (not signed or event.trust is Trust.SIGNED)
            and (when is None or when(_facts_of(event, when.names, plan.event_types)))
        )

    return classify


def _facts_of(event: Event, names: Iterable[str], types: Mapping[str, ValueType]) -> Facts:
    facts: dict[str, object] = {}
    for name in names:
        own = name in EVENT_FACTS
        given = str(getattr(event, name)) if own else event.properties.get(name)
        typed = coerce(given, types[name])
        if typed is not None:
            facts[name] = typed
    return facts
