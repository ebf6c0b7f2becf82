"""The reference of the model file names what there is, and its example is sound."""

import re
from pathlib import Path

import pytest

from warmlead.model.loading import check
from warmlead.model.schema import Handoff, Hours, ModelFile, Route, Sequence, Signal, Stage, Step
from warmlead.model.vocabulary import (
    PASSIVE_EVENTS,
    STANDARD_EVENTS,
    STANDARD_FACTS,
    STANDARD_PROPERTIES,
    STANDARD_TRAITS,
)

REFERENCE = (Path(__file__).parents[3] / "docs" / "model.md").read_text(encoding="utf-8")


def test_the_example_has_neither_faults_nor_doubts() -> None:
    example = re.search(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)

    assert example
    assert check(example[1]) == []


@pytest.mark.parametrize(
    "names",
    [STANDARD_EVENTS, STANDARD_TRAITS, STANDARD_FACTS, PASSIVE_EVENTS],
    ids=["events", "traits", "facts", "passive events"],
)
def test_every_standard_name_is_documented(names: frozenset[str]) -> None:
    assert [name for name in sorted(names) if f"`{name}`" not in REFERENCE] == []


def test_every_standard_property_is_documented() -> None:
    assert [name for name in STANDARD_PROPERTIES if not re.search(rf"\b{name}\b", REFERENCE)] == []


@pytest.mark.parametrize("part", [ModelFile, Signal, Stage, Handoff, Route, Sequence, Step, Hours])
def test_every_key_is_documented(part: type[ModelFile]) -> None:
    keys = [field.alias or name for name, field in part.model_fields.items()]

    assert [key for key in keys if not re.search(rf"`{key}`|### .*\b{key}\b", REFERENCE)] == []
