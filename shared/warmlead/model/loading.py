"""Loads a model from its text; holds the ready-made ones and the JSON Schema for editors."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.rules import Rules
from warmlead.model.compiling import classification_of, plan_of
from warmlead.model.findings import Finding, Severity
from warmlead.model.lint.checking import examine_model
from warmlead.model.plan import Plan, rules_of
from warmlead.model.schema import ModelFile


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
    """Everything that is wrong or doubtful in a model file, by line; empty if nothing is."""
    return list(examine_model(text).findings)


def load(text: str, *, name: str) -> Model:
    """The model in the text.

    Raises ``ConfigurationError`` with every fault, each with its line and column; doubts do
    not keep a model from being used.
    """
    examined = examine_model(text)
    errors = [found for found in examined.findings if found.severity is Severity.ERROR]
    if errors:
        raise ConfigurationError(f"{name} is not a valid model", [str(error) for error in errors])
    file = examined.file
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
