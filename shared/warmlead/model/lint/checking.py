"""Checks a model file whole: every fault and every doubt in one run, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from warmlead.model.compiling import Contexts, contexts_of
from warmlead.model.conditions import Context
from warmlead.model.findings import Finding, Severity, did_you_mean
from warmlead.model.lint.flaws import country_names, examine, stage_literals
from warmlead.model.lint.reachability import ReachabilityCheck, RoutingCheck, check_warnings
from warmlead.model.lint.references import check_names, check_quantities
from warmlead.model.lint.report import Report
from warmlead.model.lint.satisfiability import Prospect
from warmlead.model.positions import Path, YamlDocument, read
from warmlead.model.schema import ModelFile
from warmlead.model.structure import hold_to_schema, path_text, with_sections_named
from warmlead.model.vocabulary import STAGE_NAMES


@dataclass(frozen=True, slots=True)
class Examined:
    """A file with its findings by line. ``file`` is the author's only if no error is found."""

    file: ModelFile
    findings: tuple[Finding, ...]


def examine_model(text: str) -> Examined:
    """Reads and checks a model; never raises, for any text."""
    document, misnamed = with_sections_named(read(text))
    sound = hold_to_schema(document)
    findings = [*_misread(document), *misnamed]
    if isinstance(document.value, dict):
        report = Report(document, sound)
        check_names(sound, report)
        check_quantities(sound, report)
        contexts = contexts_of(sound.file)
        accepted = _check_conditions(sound.file, contexts, report)
        prospect = Prospect(sound, contexts.stage, accepted)
        ReachabilityCheck(sound.file, prospect, report).check()
        RoutingCheck(sound.file, prospect, report).check()
        check_warnings(sound, contexts, report)
        findings += [*sound.findings, *report.findings]
    findings.sort(key=lambda found: (found.line, found.column, found.severity, found.path))
    return Examined(sound.file, tuple(dict.fromkeys(findings)))


def _misread(document: YamlDocument) -> Iterator[Finding]:
    for fault in document.faults:
        line, column = fault.position
        path = path_text(fault.path)
        yield Finding(Severity.ERROR, line, column, path, fault.message, fault.suggestion)
    for line, column in document.unquoted:
        message = "other readers of YAML refuse [ within unquoted text inside { }"
        yield Finding(Severity.WARNING, line, column, "", message, "put the condition in quotes")
    if document.value is None and not document.faults:
        yield Finding(Severity.ERROR, 1, 1, "", "the file is empty", "begin with signals:")
    elif not isinstance(document.value, dict) and not document.faults:
        yield Finding(Severity.ERROR, 1, 1, "", "the file must be a mapping of keys to values")


def _check_conditions(file: ModelFile, contexts: Contexts, report: Report) -> frozenset[Path]:
    """Reports what is wrong with the conditions; returns the paths of those that are sound."""
    accepted: set[Path] = set()
    stages = {*STAGE_NAMES, *file.stages}
    for path, text, context in _conditions(file, contexts):
        flaws = examine(text, context)
        for flaw in flaws:
            report.error(path, flaw.message, flaw.suggestion, at=flaw.at)
        if flaws:
            continue
        unknown = [
            (at, stage) for at, stage in stage_literals(text, context) if stage not in stages
        ]
        for at, stage in unknown:
            guess = did_you_mean(stage, stages)
            report.error(path, f'there is no stage "{stage}"', guess, at=at)
        if not unknown:
            accepted.add(path)
        for at, country in country_names(text, context):
            message = f'a country is two capital letters, so "{country}" is never one'
            report.warn(path, message, 'write the code of ISO 3166: "US", "GB", "DE"', at=at)
    return frozenset(accepted)


def _conditions(file: ModelFile, contexts: Contexts) -> Iterator[tuple[Path, str, Context]]:
    for name, signal in file.signals.items():
        if signal.when is not None:
            yield ("signals", name, "when"), signal.when, contexts.event
    for name, rule in file.fit.items():
        yield ("fit", name, "when"), rule.when, contexts.fit
    for name, stage in file.stages.items():
        yield ("stages", name, "enter"), stage.enter, contexts.stage
        if stage.leave is not None:
            yield ("stages", name, "leave"), stage.leave, contexts.stage
    for i, route in enumerate(file.handoff.routes if file.handoff else []):
        if route.when is not None:
            yield ("handoff", "routes", i, "when"), route.when, contexts.stage
    for name, sequence in file.sequences.items():
        yield ("sequences", name, "start"), sequence.start, contexts.stage
        yield ("sequences", name, "stop"), sequence.stop, contexts.stage
        if sequence.goal is not None:
            yield ("sequences", name, "goal"), sequence.goal, contexts.stage
