"""The reference of the model file names what there is, and its example is sound."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from warmlead.domain.consent import Cause, Lifting, Status, Whose
from warmlead.domain.handoff import Deadline
from warmlead.domain.nurture import Ending, Enrolments, Late, SequencePolicy, next_due, nurture
from warmlead.messages.contract import MESSAGES
from warmlead.model.document import Severity
from warmlead.model.loading import check, load
from warmlead.model.schema import (
    Alert,
    Bonus,
    Handoff,
    Hours,
    ModelFile,
    Route,
    Sequence,
    Signal,
    Stage,
    Step,
    Suppression,
    Updates,
)
from warmlead.model.vocabulary import (
    PASSIVE_EVENTS,
    STANDARD_EVENTS,
    STANDARD_FACTS,
    STANDARD_PROPERTIES,
    STANDARD_TRAITS,
    ValueType,
)

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/model.md").read_text(encoding="utf-8")
NURTURE = (ROOT / "docs/nurture.md").read_text(encoding="utf-8")
HANDOFF = (ROOT / "docs/handoff.md").read_text(encoding="utf-8")
AROUND = """\
signals:
  demo_requested: {on: demo_requested, points: 40, half_life: 60d}
stages:
  mql: {enter: score >= 40, leave: score < 20, cooldown: 30d}
"""
"""What a page leaves out that shows one section alone."""


def example_in(page: str) -> str:
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return str(example)


def test_the_example_has_neither_faults_nor_doubts() -> None:
    assert [f for f in check(example_in(REFERENCE)) if f.severity is not Severity.NOTE] == []


def test_the_first_example_that_anybody_sees_can_be_used() -> None:
    assert check(example_in((ROOT / "docs/getting-started.md").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", [NURTURE, HANDOFF], ids=["nurture", "handoff"])
def test_the_example_of_a_section_has_neither_faults_nor_doubts(page: str) -> None:
    first, *_ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)  # the others are whole models
    assert check(AROUND + first) == []


# --- what the page says of an outage -----------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 9, 9, 0, tzinfo=BERLIN).astimezone(UTC)
DOWN, UP = START + timedelta(days=2), START + timedelta(days=9, hours=3)


def sent(policy: SequencePolicy, *, outage: bool) -> str:
    """What goes out to a lead that starts on a Monday morning, by days since then."""
    now: datetime | None = START
    enrolments: Enrolments = {}
    lines: list[str] = []
    while now is not None:
        enrolments, due = nurture([policy], enrolments, {"stage": "mql"}, now, suppressed=False)
        days = (now.astimezone(BERLIN).date() - START.date()).days
        lines += [f"{days} {step.step.message}" for step in due]
        now = next_due(enrolments)
        if outage and now is not None and DOWN <= now < UP:
            now = UP
    return ", ".join(lines)


def test_the_page_says_what_goes_out_after_an_outage() -> None:
    policy = load(AROUND + example_in(NURTURE), name="the page").rules.sequences[0]
    rows = dict(re.findall(r"^\| `?([\w ]+)`? \| (0 .*) \|$", NURTURE, re.MULTILINE))

    assert rows.pop("no outage") == sent(policy, outage=False)
    assert rows == {late: sent(replace(policy, late=late), outage=True) for late in Late}


def test_the_pages_name_every_ending_deadline_and_event_that_matters() -> None:
    named = set(re.findall(r"`([\w.-]+)`", NURTURE))
    assert set(Ending) | set(Cause) | set(Status) <= named
    assert set(Whose) | set(Lifting) <= set(re.findall(r"`([\w.-]+)`", REFERENCE))
    told = {kind for kind in MESSAGES if ".handoff." in kind}
    assert told | {"first_touch", "acceptance"} <= set(
        re.findall(r"`(?:promise: )?([\w.]+)`", HANDOFF)
    )
    assert HANDOFF.count("\n| `") == len(Deadline)  # a row each, besides the offer's own


@pytest.mark.parametrize(
    "names",
    [STANDARD_EVENTS, STANDARD_TRAITS, STANDARD_FACTS, PASSIVE_EVENTS],
    ids=["events", "traits", "facts", "passive events"],
)
def test_every_standard_name_is_documented(names: frozenset[str]) -> None:
    assert [name for name in sorted(names) if f"`{name}`" not in REFERENCE] == []


@pytest.mark.slow
def test_every_standard_property_is_documented() -> None:
    (section,) = re.findall(r"^### Standard events(.*?)^## ", REFERENCE, re.MULTILINE | re.DOTALL)
    assert [name for name in STANDARD_PROPERTIES if not re.search(rf"\b{name}\b", section)] == []
    told = {
        name: ValueType[kind.upper()]
        for kind, names in re.findall(r"(integer|number|boolean): ([^·\n]+)", section)
        for name in re.findall(r"`(\w+)`", names)
    }
    typed = {n: kind for n, kind in STANDARD_PROPERTIES.items() if kind is not ValueType.STRING}
    assert told == typed


@pytest.mark.parametrize(
    "part",
    [
        *(ModelFile, Signal, Bonus, Stage, Handoff, Route, Alert, Updates, Sequence, Step, Hours),
        Suppression,
    ],
)
def test_every_key_is_documented(part: type[ModelFile]) -> None:
    keys = [field.alias or name for name, field in part.model_fields.items()]

    assert [key for key in keys if not re.search(rf"`{key}`|### .*\b{key}\b", REFERENCE)] == []
