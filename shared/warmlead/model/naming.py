"""Checks names: how they are written, what they collide with, what they refer to."""

import re
from collections.abc import Iterable

from warmlead.domain.published import our_name
from warmlead.model.compiling import trait_types
from warmlead.model.findings import did_you_mean
from warmlead.model.report import Report
from warmlead.model.schema import LABEL_PATTERN, NAME_PATTERN, ModelFile
from warmlead.model.structure import Sound
from warmlead.model.vocabulary import (
    DERIVED_TRAITS,
    EVENT_FACTS,
    RESERVED,
    STAGE_NAMES,
    STANDARD_EVENTS,
    STANDARD_FACTS,
)
from warmlead.model.wording import name_fault

_SNAKE_CASE_SECTIONS = ("signals", "traits", "properties")
_LABEL_SECTIONS = ("groups", "fit", "stages", "sequences")
_ALIKE = 0.84  # near enough to a standard event's name to be a slip


def check_names(sound: Sound, report: Report) -> None:
    """Finds what is wrong with the names that the file gives and uses."""
    file = sound.file
    _check_spelling(file, report)
    _check_signals(file, report)
    _check_declared(file, report)
    for name in sorted(STAGE_NAMES & file.stages.keys()):
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
                fault = name_fault(name, hyphens=pattern == LABEL_PATTERN)
                report.error((section, name), *fault, key=True)
            elif name in RESERVED and pattern == NAME_PATTERN:
                report.error((section, name), f'"{name}" is a word of CEL itself', key=True)


def _check_signals(file: ModelFile, report: Report) -> None:
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
        if name in events and not plain:
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
            if bypass not in file.signals:
                _unknown(report, ("stages", name, "bypass", i), "signal", bypass, file.signals)


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
                report.warn((*path, i), f'"{event}" is no standard event', guess)
    passive = file.inactivity.passive if file.inactivity else None
    used = {event for signal in file.signals.values() for event in signal.on}
    for i, event in enumerate(passive or []):
        if event not in STANDARD_EVENTS and event not in used and our_name(event) == event:
            guess = did_you_mean(event, {*STANDARD_EVENTS, *used}, alike=_ALIKE)
            if guess:
                report.warn(("inactivity", "passive", i), f'"{event}" is no known event', guess)
