"""The model file, compiled to a plan: everything that can be done once, before deployment.

Takes only files that have passed ``checking``.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from warmlead.domain.consent import Lifting, SuppressionPolicy, Whose
from warmlead.domain.event_names import our_name
from warmlead.domain.nurture import Late, SendingHours, SequenceStep
from warmlead.domain.rules import COUNT_WINDOWS_DAYS
from warmlead.domain.scoring import GroupPolicy, InactivityPolicy, ScoringPolicy, SignalPolicy
from warmlead.model.conditions import Context, words
from warmlead.model.plan import (
    FitPlan,
    HandoffPlan,
    Plan,
    RoutePlan,
    SequencePlan,
    SignalPlan,
    StagePlan,
)
from warmlead.model.schema import Handoff, ModelFile, Sequence, Signal, Suppression, weekdays_of
from warmlead.model.schema import Hours as WrittenHours
from warmlead.model.vocabulary import (
    CONSENT_FACTS,
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
        fit=Context.of({**traits, **CONSENT_FACTS}, kinds),
        stage=Context.of({**signals, **counts, **traits, **STANDARD_FACTS}, kinds),
    )


def plan_of(file: ModelFile) -> Plan:
    """The plan that the file states."""
    contexts = contexts_of(file)
    counters = _counters(stage_conditions(file), contexts.stage)
    return Plan(
        version=version_of(file),
        titles=_titles(file),
        scoring=_scoring(file),
        signals={
            name: SignalPlan(
                frozenset(map(our_name, signal.on)),
                signal.when,
                signal.trust == "signed",
                signal.counts_robots(file.robots),
            )
            for name, signal in file.signals.items()
        },
        fit={name: FitPlan(rule.points, rule.when) for name, rule in file.fit.items()},
        stages=tuple(
            StagePlan(name, stage.enter, stage.leave, stage.cooldown, frozenset(stage.bypass))
            for name, stage in file.stages.items()
        ),
        handoff=_handoff_plan(file.handoff) if file.handoff else None,
        sequences=tuple(_sequence_plan(*named) for named in file.sequences.items()),
        counters=counters,
        event_types=_named((signal.when for signal in file.signals.values()), contexts.event),
        fit_types=_named((rule.when for rule in file.fit.values()), contexts.fit),
        stage_types=_named(stage_conditions(file), contexts.stage),
        trait_types=trait_types(file),
        robots_count=file.robots == "count",
        suppression=_suppression(file.suppression),
        kept_as={
            label: our_name(label)
            for _, label in sorted(counters)
            if label not in file.signals and our_name(label) != label
        },
    )


def _kept_names(signal: Signal) -> frozenset[str]:
    """The names under which the events of the signal are kept."""
    return frozenset(map(our_name, signal.on))


def _suppression(written: Suppression) -> SuppressionPolicy:
    return SuppressionPolicy(
        unsubscribed=Whose(written.unsubscribed),
        complained=Whose(written.complained),
        hard_bounce=Whose(written.hard_bounce),
        soft_bounces=written.soft_bounces,
        resubscribed=Lifting(written.resubscribed),
    )


def _titles(file: ModelFile) -> dict[str, str]:
    titles: dict[str, str] = {}
    for section in (file.stages, file.groups, file.fit, file.signals):
        titles.update({name: part.title for name, part in section.items() if part.title})
    return titles


def _handoff_plan(handoff: Handoff) -> HandoffPlan:
    return HandoffPlan(
        handoff.first_touch_within,
        handoff.accept_within,
        handoff.reminded_after,
        tuple(RoutePlan(tuple(route.all_owners), route.when) for route in handoff.routes),
    )


def _sequence_plan(name: str, sequence: Sequence) -> SequencePlan:
    return SequencePlan(
        name=name,
        start=sequence.start,
        stop=sequence.stop,
        steps=tuple(
            SequenceStep(step.after, step.message, step.title or "") for step in sequence.steps
        ),
        goal=sequence.goal,
        hours=_hours(sequence.hours) if sequence.hours else None,
        late=Late(sequence.late),
        again_after=sequence.again_after,
        alongside=sequence.alongside,
    )


def _hours(hours: WrittenHours) -> SendingHours:
    return SendingHours(weekdays_of(hours.days), hours.opens, hours.closes, hours.time_zone)


def _named(texts: Iterable[str | None], context: Context) -> dict[str, ValueType]:
    """What the conditions name, with its type."""
    return {name: context.types[name] for text in texts for name in context.names(text or "")}


def stage_conditions(file: ModelFile) -> Iterable[str]:
    """The texts of all conditions that are asked of leads as they stand, and may count events."""
    for stage in file.stages.values():
        yield from filter(None, (stage.enter, stage.leave))
    for route in file.handoff.routes if file.handoff else ():
        yield from filter(None, (route.when,))
    for sequence in file.sequences.values():
        yield from filter(None, (sequence.start, sequence.stop, sequence.goal))


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
    passive = PASSIVE_EVENTS if idle.passive is None else frozenset(map(our_name, idle.passive))
    return ScoringPolicy(signals, groups, policy, passive)


def _signal_policy(signal: Signal) -> SignalPolicy:
    return SignalPolicy(
        points=signal.points,
        per_day=signal.per_day,
        half_life_days=signal.half_life / _DAY if signal.half_life else None,
        expires_after_days=signal.expires_after // _DAY if signal.expires_after else None,
        group=signal.group,
    )


def _canonical(condition: str | None) -> str:
    """A condition without its spacing and comments."""
    return " ".join(token.text for token in words(condition or ""))


def version_of(file: ModelFile) -> str:
    """The version of a model: 12 hexadecimal characters, from its content alone.

    Comments, spacing, quotes, the order of keys and stated defaults make no difference; the order
    of stages, sequences, routes and owners does.
    """
    content = file.model_dump(mode="json", exclude_defaults=True)
    for section in ("signals", "fit", "stages", "sequences"):
        for entry in content.get(section, {}).values():
            for key in ("when", "enter", "leave", "start", "stop", "goal"):
                if key in entry:
                    entry[key] = _canonical(entry[key])
    for name, sequence in file.sequences.items():
        if sequence.hours:
            weekdays = sorted(weekdays_of(sequence.hours.days))
            content["sequences"][name]["hours"]["days"] = weekdays
    if file.handoff:
        content["handoff"]["remind_after"] = file.handoff.reminded_after.total_seconds()
        content["handoff"]["routes"] = [
            [_canonical(route.when), route.all_owners] for route in file.handoff.routes
        ]
    return _digest([content, list(file.stages), list(file.sequences)])


def classification_of(file: ModelFile) -> dict[str, str]:
    """For each signal the text that decides its events: two models that agree need no replay."""
    context = contexts_of(file).event
    return {
        name: _digest(
            [
                sorted(_kept_names(signal)),
                _canonical(signal.when),
                signal.trust,
                signal.counts_robots(file.robots),
                {used: context.types[used] for used in context.names(signal.when or "")},
            ]
        )
        for name, signal in file.signals.items()
    }


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
