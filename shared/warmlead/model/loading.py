"""Loads a model from its text; holds the ready-made ones and the JSON Schema for editors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.rules import Rules
from warmlead.model.compiling import classification_of, contexts_of, plan_of
from warmlead.model.document import Finding, Severity, YamlDocument, read
from warmlead.model.lint.expressions import check_conditions
from warmlead.model.lint.reachability import ReachabilityCheck, RoutingCheck, check_warnings
from warmlead.model.lint.references import check_names, check_quantities
from warmlead.model.lint.satisfiability import Prospect
from warmlead.model.plan import Plan, rules_of
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report, hold_to_schema, with_sections_named


@dataclass(frozen=True, slots=True)
class Model:
    """A checked model. ``name`` is where it came from, for people.

    ``classification`` tells of each signal which events it is, so that two models can be
    compared.
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
    """Everything that is wrong or doubtful in a model file, by line; empty if nothing is."""
    return _examined(text)[1]


def _examined(text: str) -> tuple[ModelFile, list[Finding]]:
    """The file and its findings by line; the file is the author's only if none is an error."""
    document, misnamed = with_sections_named(read(text))
    sound = hold_to_schema(document)
    findings = [*document.faults, *_misshapen(document), *misnamed]
    if isinstance(document.value, dict):
        report = Report(document, sound)
        check_names(sound, report)
        check_quantities(sound, report)
        contexts = contexts_of(sound.file)
        accepted = check_conditions(sound.file, contexts, report)
        prospect = Prospect(sound, contexts.stage, accepted)
        ReachabilityCheck(sound.file, prospect, report).check()
        RoutingCheck(sound.file, prospect, report).check()
        check_warnings(sound, contexts, report)
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


def ready_names() -> list[str]:
    """The names of the ready-made models."""
    files = (file.name for file in (resources.files("warmlead.model") / "ready").iterdir())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def ready_text(name: str) -> str:
    """A ready-made model as it is written, comments and all.

    Raises ``ConfigurationError`` if there is none of this name.
    """
    if name not in ready_names():
        known = ", ".join(ready_names())
        raise ConfigurationError.one(f"no ready-made model is called {name}", f"there are {known}")
    file = resources.files("warmlead.model") / "ready" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")


def ready_model(name: str) -> Model:
    """A ready-made model. Raises ``ConfigurationError`` if there is none of this name."""
    return load(ready_text(name), name=name)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of model files, for editors: shapes, names and ranges, not conditions."""
    schema = ModelFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
