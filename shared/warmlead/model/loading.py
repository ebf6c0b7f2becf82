"""From a model file's text to the model: checked, compiled to a plan, made into rules.

A plan is plain data, with everything done that can be done once, before deployment. Here are the
ready-made models and the JSON Schema for editors too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from warmlead.domain.alerts import AlertDefinition
from warmlead.domain.consent import Lifting, SuppressionPolicy, Whose
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event_names import our_name
from warmlead.domain.history import NAME_DAYS
from warmlead.domain.knowledge import MARK
from warmlead.domain.measures import Measure, names_kept, parse_measure
from warmlead.domain.mirror import Mirrored, UpdatePolicy
from warmlead.domain.nurture import Late, SendingHours, SequenceDefinition, SequenceStep
from warmlead.domain.readings import ALL_VISITS, meters_of
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import (
    Grade,
    GroupPolicy,
    InactivityPolicy,
    ScoringPolicy,
    SignalPolicy,
)
from warmlead.domain.stages import (
    ANONYMOUS,
    BUILT_IN_STAGES,
    DISQUALIFIED,
    StageDefinition,
    signed_only,
)
from warmlead.model.calendar import weekdays_of, zone_and_owner
from warmlead.model.condition_syntax import canonical
from warmlead.model.conditions import (
    Context,
    contexts_of,
    property_types,
    stage_conditions,
    trait_types,
)
from warmlead.model.document import Finding, Severity, YamlDocument, read
from warmlead.model.journey import shown_by
from warmlead.model.lint.expressions import check_conditions
from warmlead.model.lint.measured import MeasureCheck
from warmlead.model.lint.notes import check_notes
from warmlead.model.lint.points import check_points
from warmlead.model.lint.probabilities import check_probability
from warmlead.model.lint.reachability import ReachabilityCheck, RoutingCheck, check_warnings
from warmlead.model.lint.references import check_names, check_quantities
from warmlead.model.lint.satisfiability import Prospect
from warmlead.model.lint.shown import check_shown
from warmlead.model.measuring import before_meters, meter_types, parse_latest
from warmlead.model.plan import FitPlan, Plan, SignalPlan, rules_of
from warmlead.model.probable import probability_of
from warmlead.model.promises import known_until, promises_of
from warmlead.model.schema import (
    Alert,
    Bypass,
    Hours,
    ModelFile,
    Sequence,
    Signal,
    Stage,
    Suppression,
    Updates,
)
from warmlead.model.structure import Report, hold_to_schema, with_sections_named
from warmlead.model.versions import digest, in_order, scoring_of, version_of
from warmlead.model.vocabulary import PASSIVE_EVENTS, ValueType

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Model:
    """A checked model. ``name`` is where it came from, for people.

    ``classification`` says for each signal which events it is, so that two models can be compared.
    """

    name: str
    file: ModelFile
    plan: Plan
    rules: Rules
    classification: Mapping[str, str]

    @property
    def version(self) -> str:
        """The hash of its content."""
        return self.rules.version


def check(text: str) -> list[Finding]:
    """Everything that is wrong, doubtful or worth knowing in a model file, by line."""
    return _examined(text)[1]


def examine(text: str) -> tuple[Plan | None, list[Finding]]:
    """The plan of the model in a text, unless it has errors; and all that ``check`` finds in it.

    Raises ``ConfigurationError`` if it names holidays that cannot be looked up here.
    """
    file, findings = _examined(text)
    is_sound = all(found.severity is not Severity.ERROR for found in findings)
    return plan_of(file) if is_sound else None, findings


def _examined(text: str) -> tuple[ModelFile, list[Finding]]:
    """The file and its findings by line; the file is the author's only if none is an error."""
    document, misnamed = with_sections_named(read(text))
    sound = hold_to_schema(document)
    findings = [*document.faults, *_misshapen(document), *misnamed]
    if isinstance(document.value, dict):
        report = Report(document, sound)
        check_names(sound, report)
        check_quantities(sound, report)
        check_shown(sound.file, report)
        check_probability(sound.file, report)
        contexts = contexts_of(sound.file)
        accepted = check_conditions(sound.file, contexts, report)
        MeasureCheck(sound.file, contexts, report).check()
        prospect = Prospect(sound, contexts.stage, accepted)
        ReachabilityCheck(sound.file, prospect, report).check()
        check_points(sound, Prospect(sound, contexts.bonus, accepted), report)
        RoutingCheck(sound.file, prospect, report).check()
        check_warnings(sound, contexts, report)
        check_notes(sound, contexts, report)
        findings += [*sound.findings, *report.findings]
    findings.sort(key=lambda found: (found.line, found.column, found.severity, found.path))
    return sound.file, list(dict.fromkeys(findings))


def _misshapen(document: YamlDocument) -> Iterator[Finding]:
    if document.faults or isinstance(document.value, dict):
        return
    if document.value is None:
        yield Finding(Severity.ERROR, 1, 1, "", "the file is empty", "begin with signals:")
    else:
        yield Finding(Severity.ERROR, 1, 1, "", "the file must be a mapping of keys to values")


def load(text: str, *, name: str) -> Model:
    """The model in the text.

    Raises ``ConfigurationError`` with every fault, each with its line and column; doubts do
    not keep a model from being used.
    """
    file, findings = _examined(text)
    errors = [found for found in findings if found.severity is Severity.ERROR]
    if errors:
        raise ConfigurationError(f"{name} is not a valid model", [str(error) for error in errors])
    plan = plan_of(file)
    return Model(name, file, plan, rules_of(plan), classification_of(file))


def reclassified(old: Model, new: Model) -> list[str]:
    """The signals that the new model sees in other events than the old one did.

    Kept histories do not know them rightly until the archive is replayed. A signal that is
    gone needs no replay.
    """
    changed = new.classification.items() - old.classification.items()
    return sorted(name for name, _ in changed)


def measured_longer(old: Model, new: Model) -> list[str]:
    """What the new model measures that the old one did not keep, or kept for fewer days."""
    kept, own = old.rules.kept_days, set(new.rules.marks.values())  # none of a second model's
    longer = {n for n, days in new.rules.kept_days.items() if days > kept.get(n, NAME_DAYS)}
    meters = old.rules.meters
    longer |= {
        name
        for name, meter in new.rules.meters.items()
        if name != ALL_VISITS and (name not in meters or meters[name].kept_days < meter.kept_days)
    }
    return sorted(longer & own)


def ready_names() -> list[str]:
    """The names of the ready-made models."""
    files = (file.name for file in (resources.files("warmlead.model") / "ready").iterdir())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def ready_text(name: str) -> str:
    """A ready-made model as it is written, comments and all.

    Raises ``ConfigurationError`` if no model has this name.
    """
    if name not in ready_names():
        known = ", ".join(ready_names())
        raise ConfigurationError.one(f"There is no ready-made model {name}:", f"there are {known}")
    file = resources.files("warmlead.model") / "ready" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")


@cache
def ready_model(name: str) -> Model:
    """A ready-made model, compiled once in a process.

    Raises ``ConfigurationError`` if there is none of this name.
    """
    return load(ready_text(name), name=name)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of model files, for editors: shapes, names and ranges, not conditions."""
    schema = ModelFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def plan_of(file: ModelFile, today: date | None = None) -> Plan:
    """The plan that the file states, with the holidays that are known today."""
    today = today or datetime.now(UTC).date()
    contexts = contexts_of(file)
    counters = _counters(stage_conditions(file), contexts.stage)
    stage_types = _named(stage_conditions(file), contexts.stage)
    kept_as = {
        label: our_name(label)
        for label in sorted({measure.label for measure in counters})
        if label not in file.signals and our_name(label) != label
    }
    scoring = _scoring(file)
    return Plan(
        version=version_of(file),
        titles=_titles(file),
        scoring=scoring,
        signals={
            name: SignalPlan(
                frozenset(map(our_name, signal.on)),
                signal.when,
                signal.trust == "signed",
                signal.counts_robots(file.robots),
            )
            for name, signal in _signals_and_signed(file).items()
        },
        fit={name: FitPlan(rule.points, rule.when) for name, rule in file.fit.items()},
        bonuses={name: FitPlan(rule.points, rule.when) for name, rule in file.bonuses.items()},
        stages=tuple(_stage(name, file.stages[name], file) for name in in_order(file.stages)),
        handoff=promises_of(file.handoff, today) if file.handoff else None,
        holidays_until=known_until(file.handoff, today) if file.handoff else None,
        alerts=tuple(_alert(*named, file) for named in sorted(file.alerts.items())),
        acts_within=file.acts_within,
        updates=_updates(file.updates) if file.updates else None,
        sequences=tuple(_sequence(*named) for named in file.sequences.items()),
        counters=counters,
        event_types=_named((signal.when for signal in file.signals.values()), contexts.event),
        fit_types=_named((rule.when for rule in file.fit.values()), contexts.fit),
        stage_types=stage_types,
        trait_types=trait_types(file),
        robots_count=file.robots == "count",
        suppression=_suppression(file.suppression),
        kept_as=kept_as,
        marks=_marks(file, counters, stage_types, kept_as),
        property_types=meter_types(stage_types, property_types(file)),
        shown=dict(shown_by(file, scoring.passive)),
        probability=probability_of(file.probability, scoring_of(file)),
    )


def _signals_and_signed(file: ModelFile) -> dict[str, Signal]:
    """The signals, and those of which a bypass wants the signed events alone."""
    signals = dict(file.signals)
    for stage in file.stages.values():
        for bypass in stage.bypass:
            label = _bypass_label(bypass, file)
            if label not in signals:
                strict = file.signals[bypass.signal].model_copy(update={"trust": "signed"})
                signals[label] = strict
    return signals


def _bypass_label(bypass: Bypass, file: ModelFile) -> str:
    if bypass.trust is None or file.signals[bypass.signal].trust == "signed":
        return bypass.signal
    return signed_only(bypass.signal)


def _stage(name: str, stage: Stage, file: ModelFile) -> StageDefinition[str]:
    labels = [_bypass_label(bypass, file) for bypass in stage.bypass]
    asked = zip(labels, stage.bypass, strict=True)
    return StageDefinition(
        name,
        stage.enter,
        stage.leave,
        stage.cooldown,
        frozenset(labels),
        {label: bypass.when for label, bypass in asked if bypass.when is not None},
    )


def _marks(
    file: ModelFile,
    counters: frozenset[Measure],
    named: Iterable[str],
    kept_as: Mapping[str, str],
) -> dict[str, str]:
    """What stands for each signal with its classification, each meter, and each long window."""
    classified = classification_of(file)
    measured: list[tuple[object, ...]] = [*classified.items()]
    measured += names_kept(counters, file.signals, kept_as).items()
    types = property_types(file)
    latest = (meter for name in named if (meter := parse_latest(name)))
    before = before_meters(named).values()
    for meter in {*meters_of(counters, kept_as).values(), *latest, *before}:
        if meter.name == ALL_VISITS:
            continue  # the visits that all events make: known since those of the first label are
        read = (types.get(meter.of_property, ""), classified.get(meter.label, ""))
        measured.append((meter.name, *read, meter.kept_days))
    return {digest(each)[:MARK]: str(each[0]) for each in sorted(measured, key=str)}


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
    for section in (file.stages, file.groups, file.fit, file.bonuses, file.signals):
        titles.update({name: part.title for name, part in section.items() if part.title})
    return titles


_WITHOUT_ALERTS = frozenset({ANONYMOUS, DISQUALIFIED})
"""The stages whose leads cause no alert, unless it names them: of those nobody wants to hear."""


def _alert(name: str, alert: Alert, file: ModelFile) -> AlertDefinition[str]:
    stages = alert.stages or {*BUILT_IN_STAGES, *file.stages} - _WITHOUT_ALERTS
    return AlertDefinition(
        name=name,
        on=frozenset(alert.on or ()),
        stages=frozenset(stages),
        again_after=alert.again_after,
        when=alert.when,
        restart_clock=alert.restart_clock,
        title=alert.title or "",
    )


def _updates(updates: Updates) -> UpdatePolicy:
    fields = frozenset(map(Mirrored, updates.fields))
    return UpdatePolicy(fields, updates.at_most_every, updates.spread)


def _sequence(name: str, sequence: Sequence) -> SequenceDefinition[str]:
    return SequenceDefinition(
        name=name,
        start=sequence.start,
        stop=sequence.stop,
        steps=tuple(
            SequenceStep(step.after, step.message, step.title or "", step.when)
            for step in sequence.steps
        ),
        goal=sequence.goal,
        hours=_hours(sequence.hours) if sequence.hours else None,
        late=Late(sequence.late),
        again_after=sequence.again_after,
        alongside=sequence.alongside,
    )


def _hours(hours: Hours) -> SendingHours:
    zone, of_lead = zone_and_owner(hours.time_zone)
    return SendingHours(weekdays_of(hours.days), hours.opens, hours.closes, zone, of_lead)


def _named(texts: Iterable[str | None], context: Context) -> dict[str, ValueType]:
    """What the conditions name, with its type."""
    return {name: context.types[name] for text in texts for name in context.names(text or "")}


def _counters(texts: Iterable[str], context: Context) -> frozenset[Measure]:
    names = {name for text in texts for name in context.names(text)}
    return frozenset(measure for name in names if (measure := parse_measure(name)))


def _scoring(file: ModelFile) -> ScoringPolicy:
    signals = {name: _signal_policy(signal) for name, signal in file.signals.items()}
    groups = {name: GroupPolicy(group.min, group.max) for name, group in file.groups.items()}
    idle, policy, passive = file.inactivity, None, PASSIVE_EVENTS
    if idle is not None:
        policy = InactivityPolicy(idle.after // _DAY, idle.lose, idle.every // _DAY)
        if idle.passive is not None:
            passive = frozenset(map(our_name, idle.passive))
    best_first = sorted(file.grades.items(), key=lambda each: -each[1])
    return ScoringPolicy(
        signals=signals,
        groups=groups,
        inactivity=policy,
        passive=passive,
        base=file.base,
        floor=file.floor,
        grades=tuple(Grade(name, least) for name, least in best_first),
    )


def _signal_policy(signal: Signal) -> SignalPolicy:
    return SignalPolicy(
        points=signal.points,
        per_day=signal.per_day,
        half_life_days=signal.half_life / _DAY if signal.half_life else None,
        expires_after_days=signal.expires_after // _DAY if signal.expires_after else None,
        group=signal.group,
        max_count=signal.max_count,
    )


def classification_of(file: ModelFile) -> dict[str, str]:
    """For each signal the text that decides its events: two models that agree need no replay."""
    context = contexts_of(file).event
    return {
        name: digest(
            [
                sorted(_kept_names(signal)),
                canonical(signal.when),
                signal.trust,
                signal.counts_robots(file.robots),
                {used: context.types[used] for used in context.names(signal.when or "")},
            ]
        )
        for name, signal in _signals_and_signed(file).items()
    }
