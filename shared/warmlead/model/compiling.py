"""The model file, compiled to the domain's rules: everything that can be done once.

Takes only files that have passed ``checking``.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from warmlead.domain.event import Event, Trust
from warmlead.domain.lifecycle import Facts, StagePolicy
from warmlead.domain.rules import COUNT_WINDOWS_DAYS, Rules
from warmlead.domain.scoring import GroupPolicy, InactivityPolicy, ScoringPolicy, SignalPolicy
from warmlead.model.clauses import words
from warmlead.model.coercion import coerce, know
from warmlead.model.conditions import CompiledCondition, Context, Formula
from warmlead.model.schema import ModelFile, Signal
from warmlead.model.vocabulary import (
    DERIVED_TRAITS,
    EVENT_FACTS,
    PASSIVE_EVENTS,
    STANDARD_EVENTS,
    STANDARD_FACTS,
    STANDARD_PROPERTIES,
    STANDARD_TRAITS,
    ValueType,
)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The three places of conditions, each with what may be named there."""

    event: Context
    fit: Context
    stage: Context


def trait_types(file: ModelFile) -> dict[str, ValueType]:
    """The type of each trait that the model knows: its own word before the standard one."""
    own = {n: ValueType(t) for n, t in file.traits.items() if n not in DERIVED_TRAITS}
    return {**STANDARD_TRAITS, **own}


def countable(file: ModelFile) -> set[str]:
    """What can be counted: signals, the events that they are about, and standard events."""
    used = {event for signal in file.signals.values() for event in signal.on}
    return {*file.signals, *used, *STANDARD_EVENTS}


def contexts_of(file: ModelFile) -> Contexts:
    """What conditions may name in this model, by the place where they stand."""
    traits = trait_types(file)
    own = {name: ValueType(type_) for name, type_ in file.properties.items()}
    properties = {**STANDARD_PROPERTIES, **own, **EVENT_FACTS}
    counts = {
        f"last_{days}d.{label}": ValueType.INTEGER
        for days in COUNT_WINDOWS_DAYS
        for label in countable(file)
    }
    signals = dict.fromkeys(file.signals, ValueType.BOOLEAN)
    kinds = {
        **dict.fromkeys(properties, "a property of events"),
        **dict.fromkeys(signals, "a signal"),
        **dict.fromkeys(STANDARD_FACTS, "a fact about a lead"),
        **dict.fromkeys(traits, "a trait of leads"),
    }
    return Contexts(
        event=Context.of(properties, kinds),
        fit=Context.of(traits, kinds),
        stage=Context.of({**signals, **counts, **traits, **STANDARD_FACTS}, kinds),
    )


@dataclass(frozen=True, slots=True)
class CompiledFit:
    """A fit rule with its condition; implements the domain's ``FitRule``."""

    name: str
    points: int
    when: CompiledCondition

    def holds(self, facts: Facts) -> bool:
        """Whether it is so, as far as known."""
        return self.when(facts)


def compile_rules(file: ModelFile) -> Rules:
    """The rules that the file states."""
    contexts = contexts_of(file)
    types = trait_types(file)
    stages = tuple(
        StagePolicy(
            name=name,
            enter=CompiledCondition(stage.enter, contexts.stage),
            leave=CompiledCondition(stage.leave, contexts.stage) if stage.leave else None,
            cooldown=stage.cooldown,
            bypass=frozenset(stage.bypass),
        )
        for name, stage in file.stages.items()
    )
    return Rules(
        version=version_of(file),
        classify=_classifier(file, contexts.event),
        know=lambda traits: know(traits, types),
        fit_rules=tuple(
            CompiledFit(name, rule.points, CompiledCondition(rule.when, contexts.fit))
            for name, rule in sorted(file.fit.items())
        ),
        scoring=_scoring(file),
        stages=stages,
        counters=_counters(stage_conditions(file), contexts.stage),
    )


def stage_conditions(file: ModelFile) -> Iterable[str]:
    """The texts of all conditions that may count events."""
    for stage in file.stages.values():
        yield stage.enter
        if stage.leave:
            yield stage.leave
    for sequence in file.sequences.values():
        yield from (sequence.start, sequence.stop)


def _counters(texts: Iterable[str], context: Context) -> frozenset[tuple[int, str]]:
    names = {name for text in texts for name in context.names(text) if "." in name}
    split = (name.removeprefix("last_").split("d.", 1) for name in names)
    return frozenset((int(days), label) for days, label in split)


def _scoring(file: ModelFile) -> ScoringPolicy:
    signals = {name: _signal_policy(signal) for name, signal in file.signals.items()}
    groups = {name: GroupPolicy(group.min, group.max) for name, group in file.groups.items()}
    idle = file.inactivity
    if idle is None:
        return ScoringPolicy(signals, groups, passive=PASSIVE_EVENTS)
    policy = InactivityPolicy(idle.after // _DAY, idle.lose, idle.every // _DAY)
    passive = PASSIVE_EVENTS if idle.passive is None else frozenset(idle.passive)
    return ScoringPolicy(signals, groups, policy, passive)


def _signal_policy(signal: Signal) -> SignalPolicy:
    return SignalPolicy(
        points=signal.points,
        per_day=signal.per_day,
        half_life_days=signal.half_life / _DAY if signal.half_life else None,
        expires_after_days=signal.expires_after // _DAY if signal.expires_after else None,
        group=signal.group,
    )


def _classifier(file: ModelFile, context: Context) -> Callable[[Event], tuple[str, ...]]:
    by_event: dict[str, list[tuple[str, bool, Formula | None]]] = {}
    for name, signal in sorted(file.signals.items()):
        when = Formula(signal.when, context) if signal.when else None
        for event_name in set(signal.on):
            entry = (name, signal.trust == "signed", when)
            by_event.setdefault(event_name, []).append(entry)
    types = context.types

    def classify(event: Event) -> tuple[str, ...]:
        return tuple(
            name
            for name, signed, when in by_event.get(event.name, ())
            if (not signed or event.trust is Trust.SIGNED)
            and (when is None or when(_facts_of(event, when.names, types)))
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


def _canonical(condition: str | None) -> str:
    """A condition without its spacing and comments."""
    return " ".join(token.text for token in words(condition or ""))


def version_of(file: ModelFile) -> str:
    """What tells this model from others: 12 hexadecimal characters, from its content alone.

    Comments, spacing, quotes, the order of keys and stated defaults make no difference; the
    order of stages does.
    """
    content = file.model_dump(mode="json", exclude_defaults=True)
    for section in ("signals", "fit", "stages", "sequences"):
        for entry in content.get(section, {}).values():
            for key in ("when", "enter", "leave", "start", "stop"):
                if key in entry:
                    entry[key] = _canonical(entry[key])
    return _digest([content, list(file.stages)])


def classification_of(file: ModelFile) -> dict[str, str]:
    """For each signal what tells which events it is: two models that agree need no replay."""
    context = contexts_of(file).event
    return {
        name: _digest(
            [
                sorted(set(signal.on)),
                _canonical(signal.when),
                signal.trust,
                {used: context.types[used] for used in context.names(signal.when or "")},
            ]
        )
        for name, signal in file.signals.items()
    }


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
