"""Checks the names in a model, and the values that depend on each other."""

import re
from collections.abc import Iterable
from itertools import pairwise

from warmlead.domain.alerts import MAX_ALERTS
from warmlead.domain.event_names import our_name
from warmlead.domain.nurture import MAX_ALONGSIDE
from warmlead.domain.stages import ANONYMOUS, SQL
from warmlead.model.advice import name_fault
from warmlead.model.calendar import WITHOUT_SUMMER_TIME
from warmlead.model.conditions import trait_types
from warmlead.model.document import Path, did_you_mean
from warmlead.model.lint.bounds import range_of_group
from warmlead.model.lint.promises import check_handoff
from warmlead.model.lint.synonyms import guess_stage
from warmlead.model.schema import Group, Hours, ModelFile, Sequence, Signal
from warmlead.model.structure import Report, Sound
from warmlead.model.values import LABEL_PATTERN, NAME_PATTERN
from warmlead.model.vocabulary import (
    DERIVED_TRAITS,
    EVENT_FACTS,
    RESERVED,
    STAGE_NAMES,
    STANDARD_EVENTS,
    STANDARD_FACTS,
)

_SNAKE_CASE_SECTIONS = ("signals", "traits", "properties")
_LABEL_SECTIONS = ("groups", "fit", "bonuses", "stages", "alerts", "sequences")
_ALIKE = 0.84  # near enough to a standard event's name to be a slip


def check_names(sound: Sound, report: Report) -> None:
    """Finds what is wrong with the names that the file gives and uses."""
    file = sound.file
    _check_spelling(file, report)
    _check_signals(sound, report)
    _check_declared(file, report)
    for name in sorted((STAGE_NAMES & file.stages.keys()) - {SQL}):
        report.error(
            ("stages", name),
            f'every model has the stage "{name}"; a model\'s own needs another name',
            key=True,
        )
    _check_references(sound, report)
    _check_event_names(file, report)


def _check_spelling(file: ModelFile, report: Report) -> None:
    sections = [(section, NAME_PATTERN) for section in _SNAKE_CASE_SECTIONS]
    sections += [(section, LABEL_PATTERN) for section in _LABEL_SECTIONS]
    for section, pattern in sections:
        for name in getattr(file, section):
            if not re.match(pattern, name):
                message, better = name_fault(name, hyphens=pattern == LABEL_PATTERN)
                better = f"{better} for {name}".replace('"', "") if better else ""
                report.error((section, name), message, better, key=True)
            elif name in RESERVED and pattern == NAME_PATTERN:
                report.error((section, name), f'"{name}" is a word of CEL itself', key=True)


def _check_signals(sound: Sound, report: Report) -> None:
    file = sound.file
    traits = trait_types(file)
    events = {*STANDARD_EVENTS, *(event for s in file.signals.values() for event in s.on)}
    for name, signal in file.signals.items():
        path = ("signals", name)
        if name in traits:
            report.error(
                path, f'"{name}" is a trait as well; conditions could mean either', key=True
            )
        elif name in STANDARD_FACTS:
            report.error(path, f'"{name}" is a fact about every lead already', key=True)
        plain = signal.on == [name] and signal.when is None and signal.trust is None
        if name in events and not plain and sound.is_own((*path, "on")):
            report.error(
                path,
                f'"{name}" is an event too, and not the same: its counts would be ambiguous',
                f"rename the signal, or let it be exactly the event: on: {name}",
                key=True,
            )


def _check_declared(file: ModelFile, report: Report) -> None:
    for name in file.traits:
        if name in DERIVED_TRAITS:
            of = "title" if name == "title_level" else "address"
            report.error(("traits", name), f'"{name}" follows from the lead\'s {of}', key=True)
        elif name in STANDARD_FACTS:
            report.error(("traits", name), f'"{name}" is a fact about every lead already', key=True)
    for name in sorted(EVENT_FACTS.keys() & file.properties.keys()):
        report.error(
            ("properties", name), f'in a signal, "{name}" is the event\'s own {name}', key=True
        )


def _check_references(sound: Sound, report: Report) -> None:
    file = sound.file
    for name, signal in file.signals.items():
        if sound.is_whole("groups") and signal.group not in {None, *file.groups}:
            _unknown(report, ("signals", name, "group"), "group", str(signal.group), file.groups)
    for name, stage in file.stages.items():
        for i, bypass in enumerate(stage.bypass):
            if bypass.signal not in file.signals:
                path = ("stages", name, "bypass", i, "signal")
                _unknown(report, path, "signal", bypass.signal, file.signals)
            elif bypass.signal in [each.signal for each in stage.bypass[:i]]:
                message = f'"{bypass.signal}" is named twice'
                report.error(("stages", name, "bypass", i), message, "keep one of them")
    if SQL in file.stages and file.stages[SQL].leave is not None:
        message = "a lead stays at sql until sales has decided"
        report.error(("stages", SQL, "leave"), message, "leave it out", key=True)
    for name in file.alerts:
        _check_alert(name, file, report)
    if len(file.alerts) > MAX_ALERTS:
        report.error(("alerts",), f"must not have more than {MAX_ALERTS} alerts", key=True)


def _check_alert(name: str, file: ModelFile, report: Report) -> None:
    path, alert = ("alerts", name), file.alerts[name]
    if not alert.on and not alert.when and report.is_untouched(path):
        missing = "add on: with a signal, or when:"
        report.error(path, "says nothing of what it is for", missing, key=True)
    for i, signal in enumerate(alert.on or ()):
        if signal in STANDARD_EVENTS and signal not in file.signals:
            message = f'"{signal}" is an event, and an alert names signals'
            made = f"add to signals: {signal}: {{on: {signal}, points: 0, decay: never}}"
            report.error((*path, "on", i), message, made)
        elif signal not in file.signals:
            _unknown(report, (*path, "on", i), "signal", signal, file.signals)
    stages = {*STAGE_NAMES, *file.stages}
    for i, stage in enumerate(alert.stages or ()):
        if stage not in stages:
            message = f'there is no stage "{stage}"'
            if stage in ("all", "any", "every"):
                report.error((*path, "stages", i), message, "leave the key out: it is for all")
                continue
            report.error((*path, "stages", i), message, guess_stage(stage, stages))
        elif stage == ANONYMOUS:
            message = "nobody knows whom to call: an anonymous lead causes no alert"
            report.error((*path, "stages", i), message, "leave it out")


def _unknown(
    report: Report, path: tuple[str | int, ...], kind: str, name: str, known: Iterable[str]
) -> None:
    report.error(path, f'there is no {kind} "{name}"', did_you_mean(name, known))


def _check_event_names(file: ModelFile, report: Report) -> None:
    """Doubts names that are nearly a standard event's: senders are translated to those."""
    for name, signal in file.signals.items():
        for i, event in enumerate(signal.on):
            if (ours := our_name(event)) != event:
                message = f'"{event}" is a published name of "{ours}", and kept as that'
                report.warn(("signals", name, "on", i), message, f"write {ours}")
            elif event not in STANDARD_EVENTS and (
                guess := did_you_mean(event, STANDARD_EVENTS, alike=_ALIKE)
            ):
                path = ("signals", name, "on")
                report.warn((*path, i), f'"{event}" is not a standard event', guess)
    passive = file.inactivity.passive if file.inactivity else None
    used = {event for signal in file.signals.values() for event in signal.on}
    for i, event in enumerate(passive or []):
        if event not in STANDARD_EVENTS and event not in used and our_name(event) == event:
            guess = did_you_mean(event, {*STANDARD_EVENTS, *used}, alike=_ALIKE)
            if guess:
                report.warn(("inactivity", "passive", i), f'"{event}" is not a known event', guess)


def check_quantities(sound: Sound, report: Report) -> None:
    """Finds values that contradict each other, and steps that cannot be taken in turn."""
    file = sound.file
    for name, signal in file.signals.items():
        _check_decay(name, signal, report)
        if group := file.groups.get(signal.group or ""):
            _check_daily_worth(name, signal, group, report)
    for name, group in file.groups.items():
        if group.min is None and group.max is None and report.is_untouched(("groups", name)):
            report.warn(("groups", name), "limits nothing", "give it a max or a min", key=True)
    if _has_known_members(sound):
        for name, group in file.groups.items():
            _check_members(file, name, group, report)
    _check_what_follows(sound, report)


def _check_what_follows(sound: Sound, report: Report) -> None:
    file = sound.file
    alongside = [name for name, sequence in file.sequences.items() if sequence.alongside]
    for name in alongside[MAX_ALONGSIDE:]:
        message = f"not more than {MAX_ALONGSIDE} sequences run beside others"
        report.error(("sequences", name, "alongside"), message, "leave it out", key=True)
    if file.handoff:
        check_handoff(file.handoff, sound, report)
    _check_zones(file, report)
    for name, sequence in file.sequences.items():
        _check_steps(name, sequence, report)
        path = ("sequences", name, "hours")
        if sequence.hours and sound.is_own((*path, "from")):
            _check_hours(path, sequence.hours, report)


def _check_zones(file: ModelFile, report: Report) -> None:
    """Doubts time zones that people use for a place, and that have no summer time."""
    hours = {("sequences", name): each.hours for name, each in file.sequences.items()}
    named: dict[Path, str | None] = {
        (*path, "hours", "time_zone"): each.time_zone for path, each in hours.items() if each
    }
    if file.handoff:
        own = file.handoff.hours
        named["handoff", "hours", "time_zone"] = own.time_zone if own else None
        named |= {(*path, "time_zone"): each.time_zone for path, each in file.handoff.all_routes}
    for path, zone in named.items():
        abbreviation = (zone or "").removeprefix("lead or ")
        if zone and (place := WITHOUT_SUMMER_TIME.get(abbreviation)):
            message = f'"{abbreviation}" keeps winter time all year'
            report.warn(path, message, f"write {zone.replace(abbreviation, place)}")


def _check_decay(name: str, signal: Signal, report: Report) -> None:
    stated = [key for key in ("half_life", "expires_after", "decay") if getattr(signal, key)]
    for extra in stated[1:]:
        report.error(
            ("signals", name, extra),
            f"{stated[0]} and {extra} exclude each other",
            "keep one of them",
            key=True,
        )


def _check_daily_worth(name: str, signal: Signal, group: Group, report: Report) -> None:
    """Two limits that overlap: the daily one could never take effect beside the group's."""
    per_day = min(signal.per_day, signal.max_count or signal.per_day)
    daily = signal.points * per_day
    limit = group.max if signal.points > 0 else group.min
    if limit is None or abs(daily) <= abs(limit):
        return
    bound = "max" if signal.points > 0 else "min"
    within = abs(limit) // abs(signal.points)
    report.error(
        ("signals", name),
        f"overlapping limits: {signal.points} points × {per_day} a day is {daily}, "
        f"beyond the {bound} {limit} of its group {signal.group}",
        f"write per_day: {within}" if within else f"raise the {bound} of the group",
        key=True,
    )


def _has_known_members(sound: Sound) -> bool:
    """Whether it is certain who is in which group: no signal is faulty or names none."""
    groups = {None, *sound.file.groups}
    whole = sound.is_whole("signals", "groups")
    return whole and all(s.group in groups for s in sound.file.signals.values())


def _check_members(file: ModelFile, name: str, group: Group, report: Report) -> None:
    path = ("groups", name)
    if all(signal.group != name for signal in file.signals.values()):
        report.error(path, f'no signal is in the group "{name}"', key=True)
    elif group.max is not None and (most := range_of_group(file, name).most) < group.max:
        message = f"its signals add up to {most:.0f} at most: this limit takes no effect"
        report.warn((*path, "max"), message)


def _check_hours(path: Path, hours: Hours, report: Report) -> None:
    if hours.opens == hours.closes:
        report.error((*path, "to"), "no time is left in which a message could go out")
    elif hours.opens > hours.closes:
        message = (
            f"the hours go over midnight: from {hours.opens:%H:%M} to {hours.closes:%H:%M} of the "
            "next day"
        )
        report.note((*path, "to"), message)


def _check_steps(name: str, sequence: Sequence, report: Report) -> None:
    path = ("sequences", name, "steps")
    if not sequence.steps:
        report.error(path, "a sequence needs at least one step")
    for i, (step, following) in enumerate(pairwise(sequence.steps), start=1):
        if following.after < step.after:
            report.error((*path, i, "after"), "steps are out of order: this one is due earlier")
        elif following.after == step.after:
            report.error((*path, i, "after"), "ambiguous: due at the same time as the one before")
    seen: set[str] = set()
    for i, step in enumerate(sequence.steps):
        if step.message in seen:
            message = f'"{step.message}" is sent twice'
            report.error((*path, i, "message"), message, "give each message a name of its own")
        seen.add(step.message)
