"""The published schemas, against the triggers that are really made of leads of every kind."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cloudevents.http import from_json
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from unit.domain.worlds import NOON, Holds, World, event_of, rules_of
from warmlead.application.settle import settle
from warmlead.domain.event import Property, Trust
from warmlead.domain.lifecycle import StagePolicy
from warmlead.domain.message_schema import MESSAGES, file_name, message_schema
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.trigger import TRIGGER_TOPICS, Trigger

DOCS = Path(__file__).parents[3] / "docs/messages"
DAY = timedelta(days=1)
formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_a_time(value: object) -> bool:
    """RFC 3339: a date and a time with its offset."""
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def closed(part: Any) -> Any:
    """A schema that refuses what it does not name: nothing is sent that is not published."""
    if isinstance(part, list):
        return [closed(value) for value in part]
    if not isinstance(part, dict):
        return part
    inner = {name: closed(value) for name, value in part.items()}
    return {**inner, "additionalProperties": False} if "properties" in part else inner


VALIDATORS = {
    kind: Draft202012Validator(closed(message_schema(kind)), format_checker=formats)
    for kind in MESSAGES
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_published_schema_is_that_of_this_release(kind: str) -> None:
    published = json.loads((DOCS / file_name(kind)).read_text())

    Draft202012Validator.check_schema(published)
    again = f"warmlead triggers schema {kind} > docs/messages/{file_name(kind)}"
    assert published == message_schema(kind), f"run: {again}"
    assert published["$id"].endswith(f"/docs/messages/{file_name(kind)}")


def test_every_type_of_message_is_published_and_no_other() -> None:
    assert {path.name for path in DOCS.glob("*.json")} == {file_name(kind) for kind in MESSAGES}


def test_the_documented_example_is_as_published() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "README.md").read_text(), re.DOTALL)

    event = json.loads(example)
    VALIDATORS[event["type"]].validate(event)


def test_every_field_is_described_or_constant() -> None:
    for name, field in fields_of([message_schema(kind) for kind in MESSAGES]):
        assert {"description", "const", "$ref"} & field.keys(), name


def fields_of(part: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(part, dict):
        yield from part.get("properties", {}).items()
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for child in children:
        yield from fields_of(child)


# --- leads of every kind -------------------------------------------------------------------

CANARY = "canary"
ATTRIBUTE_NAME = re.compile(r"[a-z0-9]{1,20}")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
personal = texts.map(lambda text: f"{CANARY}{text}")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | personal
values: st.SearchStrategy[Property] = scalars | st.lists(scalars, max_size=3)
histories = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["page_viewed", "demo_requested", "odd"]),
            "trust": st.sampled_from(Trust),
            "traits": st.dictionaries(personal, values, max_size=4),
            "attribution": st.dictionaries(texts, texts, max_size=2),
        },
        optional={
            "email": st.sampled_from([f"{CANARY}-{who}@example.com" for who in "ab"]),
            "user_id": st.sampled_from([f"{CANARY} ü", f"{CANARY}\u2028"]),
        },
    ),
    min_size=1,
    max_size=6,
)


def a_model(points: int, *, stages: int) -> Rules:
    """A model in which some points make one of up to two stages, and idle days unmake it."""
    policies = [
        StagePolicy(
            name,
            enter=Holds(lambda facts, least=least: facts["score"] >= least),  # type: ignore[misc]  # numbers
            leave=Holds(lambda facts, least=least: facts["score"] < least),  # type: ignore[misc]
        )
        for name, least in (("mql", 10), ("hot", 30))
    ]
    signals = {"visit": SignalPolicy(5, half_life_days=7), "ask": SignalPolicy(points)}
    named = {"page_viewed": ["visit"], "demo_requested": ["ask"]}
    return rules_of(ScoringPolicy(signals, {}), named, stages=policies[:stages])


def triggers_of(history: list[dict[str, Any]], *models: Rules) -> list[Trigger]:
    """What is told of the people in a history: as they act, as they merge, and as time goes by."""
    world = World(models[0])
    told: list[Trigger] = []
    for i, fields in enumerate(history):
        event = event_of(f"event-{i}", NOON, anonymous_id=f"{CANARY}-browser", **fields)
        world.apply([event], NOON + i * DAY)
        for id_, lead in world.leads.items():
            settled = settle(lead, world.rules, {"visit": "Visited 😀"}, NOON + i * DAY)
            world.leads[id_] = settled.lead
            told += settled.triggers
    for later, rules in enumerate(models, 1):
        for id_, lead in world.leads.items():
            settled = settle(lead, rules, {}, NOON + 60 * later * DAY)
            world.leads[id_] = replace(settled.lead, outbox=())
            told += settled.triggers
    return told


EVERY_MODEL = (a_model(40, stages=2), a_model(40, stages=0), a_model(200, stages=2))


@given(history=histories)
@settings(max_examples=300, deadline=None)
def test_every_trigger_is_as_published_and_a_cloudevent(history: list[dict[str, Any]]) -> None:
    for trigger in triggers_of(history, *EVERY_MODEL):
        event = json.loads(trigger.body, parse_constant=pytest.fail)  # NaN, Infinity

        VALIDATORS[event["type"]].validate(event)
        from_json(trigger.body)  # the CloudEvents SDK refuses what lacks a required attribute
        assert event["specversion"] == "1.0"
        assert {type(event[name]) for name in ("id", "source", "type", "subject", "time")} == {str}
        assert all(ATTRIBUTE_NAME.fullmatch(name) for name in event)
        assert event["id"] == trigger.id
        assert event["subject"] == event["data"]["lead"]["id"]


@given(history=histories)
@settings(max_examples=300, deadline=None)
def test_personal_data_is_in_the_lead_of_a_message_and_nowhere_else(
    history: list[dict[str, Any]],
) -> None:
    for trigger in triggers_of(history, *EVERY_MODEL):
        event = json.loads(trigger.body)
        lead = event["data"].pop("lead")

        assert CANARY in json.dumps(lead)
        assert CANARY not in json.dumps([event, trigger.attributes, trigger.id, trigger.topic])


def test_attributes_repeat_what_subscriptions_filter_by() -> None:
    asked = {"name": "demo_requested", "email": f"{CANARY}@example.com"}
    first, *_ = triggers_of([asked], a_model(40, stages=2), a_model(40, stages=0))

    data = json.loads(first.body)["data"]
    assert first.topic in TRIGGER_TOPICS
    assert dict(first.attributes) == {
        "type": "warmlead.lead.stage_entered.v1",
        "lead_id": data["lead"]["id"],
        "stage": data["stage"],
        "cycle": str(data["cycle"]),
        "content-type": "application/cloudevents+json",
    }


def test_the_kinds_of_moves_above_do_come_about() -> None:
    asked = {"name": "demo_requested", "email": f"{CANARY}@example.com", "trust": Trust.SIGNED}
    told = triggers_of([asked, asked], *EVERY_MODEL)

    moves = [
        (data["from_stage"], data["stage"]) for data in (json.loads(t.body)["data"] for t in told)
    ]
    assert moves == [("anonymous", "hot"), ("hot", "lead"), ("lead", "hot")]


BROKEN: list[tuple[str, Any]] = [
    ("id", ""),
    ("time", "yesterday"),
    ("time", "2026-03-10T12:00:00"),
    ("specversion", "0.3"),
    ("type", "warmlead.lead.stage_entered.v2"),
    ("data", {}),
    ("email", "ada@example.com"),
]


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_the_schema_refuses_what_is_not_as_published(name: str, value: object) -> None:
    asked = {"name": "demo_requested", "email": f"{CANARY}@example.com"}
    event = json.loads(triggers_of([asked], EVERY_MODEL[0])[0].body)
    validator = VALIDATORS[event["type"]]
    validator.validate(event)

    with pytest.raises(ValidationError):
        validator.validate({**event, name: value})
    with pytest.raises(ValidationError):
        validator.validate({key: value for key, value in event.items() if key != "id"})


def test_a_consumer_may_be_sent_fields_that_its_copy_of_the_schema_does_not_know() -> None:
    asked = {"name": "demo_requested", "email": f"{CANARY}@example.com"}
    event = json.loads(triggers_of([asked], EVERY_MODEL[0])[0].body)
    event["data"]["lead"]["new"] = event["data"]["new"] = event["new"] = 1

    Draft202012Validator(message_schema(event["type"])).validate(event)
