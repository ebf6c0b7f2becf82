"""The published schemas, against the triggers that are really made of leads of every kind."""

import json
import re
import subprocess
import sys
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

from effort import examples
from unit.domain.worlds import NOON, Holds, World, event_of, rules_of
from warmlead.application.evaluate import evaluate
from warmlead.domain.alerts import AlertPolicy
from warmlead.domain.event import Property, Trust
from warmlead.domain.handoff import HandoffPolicy, RoutePolicy
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.news import news_of
from warmlead.domain.nurture import SequencePolicy, SequenceStep
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.stages import StagePolicy
from warmlead.domain.trigger import TRIGGER_TOPICS, Trigger
from warmlead.messages.contract import MESSAGES, example_name, file_name, message_schema

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs/messages"
PAGE = (DOCS / "README.md").read_text()
ATTRIBUTES = PAGE.partition("## Attributes")[2]
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


@pytest.mark.slow
def test_schemas_and_examples_are_what_this_release_makes_of_its_code_and_story() -> None:
    command = [sys.executable, str(ROOT / "infra/schemas.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", MESSAGES)
def test_a_published_schema_is_sound_and_has_its_address(kind: str) -> None:
    published = json.loads((DOCS / file_name(kind)).read_text())

    Draft202012Validator.check_schema(published)
    assert published["$id"].endswith(f"/docs/messages/{file_name(kind)}")


def test_every_type_of_message_is_published_and_no_other() -> None:
    published = {path.name for path in DOCS.glob("*.schema.json")}
    assert published == {file_name(kind) for kind in MESSAGES}
    assert {path.name for path in DOCS.glob("*.example.json")} == set(map(example_name, MESSAGES))
    assert [kind for kind in MESSAGES if f"[`{kind}`]({file_name(kind)})" not in PAGE] == []


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_example_of_each_type_is_as_published(kind: str) -> None:
    example = json.loads((DOCS / example_name(kind)).read_text())

    VALIDATORS[kind].validate(example)
    assert example["type"] == kind
    assert f"[example]({example_name(kind)})" in PAGE


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_page_names_every_field_and_attribute_of_its_own(kind: str) -> None:
    data = MESSAGES[kind].model_fields["data"].annotation
    assert data
    shown = json.dumps(json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]))
    named = set(re.findall(r"`(\w+)`", PAGE)) | set(re.findall(r'"(\w+)":', shown))
    assert data.model_fields.keys() - named == set()


@pytest.mark.slow
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
            "name": st.sampled_from(
                [
                    *("page_viewed", "demo_requested", "demo_requested", "odd"),
                    *("sales_touched", "sales_rejected", "sales_won", "email_unsubscribed"),
                ]
            ),
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


PROMISES = HandoffPolicy(DAY * 3 / 4, DAY * 7 / 8, DAY / 2, (RoutePolicy(("ann", "bob")),))
EDUCATION = SequencePolicy(
    "education",
    start=Holds(lambda facts: facts["stage"] in {"mql", "hot"}),
    stop=Holds(lambda facts: facts["stage"] in {"customer", "disqualified"}),
    steps=(SequenceStep(timedelta(0), "guide", "The guide 😀"), SequenceStep(DAY, "case-study")),
)


ACTIVE = AlertPolicy("active", frozenset(), frozenset({"mql", "hot"}), DAY / 24)


def a_model(points: int, *, stages: int) -> Rules:
    """A model in which some points make one of up to two stages, and idle days unmake it.

    Leads in a stage are offered to sales, for times that end before the next event, and nurtured;
    whatever they do there is an alert. Tools mirror everything.
    """
    policies = [
        StagePolicy(
            name,
            enter=Holds(lambda facts, least=least: facts["score"] >= least),  # type: ignore[misc]  # numbers
            leave=Holds(lambda facts, least=least: facts["score"] < least),  # type: ignore[misc]  # the same
        )
        for name, least in (("mql", 10), ("hot", 30))
    ]
    signals = {"visit": SignalPolicy(5, half_life_days=7), "ask": SignalPolicy(points)}
    named = {"page_viewed": ["visit"], "demo_requested": ["ask"]}
    rules = rules_of(ScoringPolicy(signals, {}), named, stages=policies[:stages])
    return replace(
        rules, handoff=PROMISES, sequences=(EDUCATION,), alerts=(ACTIVE,), updates=UpdatePolicy()
    )


def triggers_of(history: list[dict[str, Any]], *models: Rules) -> list[Trigger]:
    """What is told of the people in a history: as they act, as they merge, and as time goes by."""
    world = World(models[0])
    told: list[Trigger] = []
    for i, fields in enumerate(history):
        event = event_of(f"event-{i}", NOON, anonymous_id=f"{CANARY}-browser", **fields)
        now, before = NOON + i * DAY, list(world.leads.values())
        world.apply([event], now)
        for id_, lead in world.leads.items():
            news = news_of(lead, before, world.rules, now)
            settled = evaluate(lead, world.rules, now, news=news)
            world.leads[id_] = settled.lead
            told += settled.triggers
    for later, rules in enumerate(models, 1):
        for id_, lead in world.leads.items():
            settled = evaluate(lead, rules, NOON + 60 * later * DAY)
            world.leads[id_] = replace(settled.lead, outbox=())
            told += settled.triggers
    return told


EVERY_MODEL = (a_model(40, stages=2), a_model(40, stages=0), a_model(200, stages=2))


@given(history=histories)
@settings(max_examples=examples(300))
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
@settings(max_examples=examples(300))
def test_personal_data_is_in_the_lead_of_a_message_and_nowhere_else(
    history: list[dict[str, Any]],
) -> None:
    for trigger in triggers_of(history, *EVERY_MODEL):
        event = json.loads(trigger.body)
        lead = event["data"].pop("lead")

        known = lead["email"] or lead["user_id"] or lead["traits"]
        assert (CANARY in json.dumps(lead)) == bool(known)
        assert CANARY not in json.dumps([event, trigger.attributes, trigger.id, trigger.topic])


ASKED = {"name": "demo_requested", "email": f"{CANARY}@example.com", "trust": Trust.SIGNED}
ABOUT_LEADS = {
    kind
    for kind, message in MESSAGES.items()
    if "lead" in getattr(message.model_fields["data"].annotation, "model_fields", {})
}


def one_of_each_type() -> dict[str, Trigger]:
    """The first trigger of each type, of somebody who asked, was kept waiting, and was refused."""
    refused = {**ASKED, "name": "sales_rejected"}
    told = triggers_of([ASKED, {**ASKED, "name": "odd"}, refused, ASKED], *EVERY_MODEL)
    return {json.loads(trigger.body)["type"]: trigger for trigger in reversed(told)}


def test_every_type_of_message_about_a_lead_is_really_published() -> None:
    assert one_of_each_type().keys() == ABOUT_LEADS


@pytest.mark.parametrize("kind", sorted(ABOUT_LEADS))
def test_attributes_repeat_what_subscriptions_filter_by(kind: str) -> None:
    trigger = one_of_each_type()[kind]
    data = json.loads(trigger.body)["data"]
    attributes = dict(trigger.attributes)

    assert trigger.topic in TRIGGER_TOPICS
    assert attributes.pop("content-type") == "application/cloudevents+json"
    assert attributes.pop("type") == kind
    assert attributes.pop("lead_id") == data["lead"]["id"]
    said = {name: str(value) for name, value in data.items()}
    said["cycle"] = said.get("cycle") or said.get("offer", "")
    assert attributes == {name: said[name] for name in attributes}
    assert [name for name in attributes if f"`{name}`" not in ATTRIBUTES] == []
    assert attributes.keys() >= {"stage"}


def test_subscriptions_can_filter_by_owner_and_by_message() -> None:
    told = one_of_each_type()

    names = {kind.split(".")[1]: dict(told[kind].attributes).keys() for kind in told}
    assert names["handoff"] >= {"stage", "cycle", "owner"}
    assert names["nurture"] >= {"sequence", "message", "run", "step"}
    assert dict(told["warmlead.lead.stage_entered.v1"].attributes).keys() >= {"stage", "cycle"}
    assert dict(told["warmlead.lead.alerted.v1"].attributes).keys() >= {"stage", "alert", "owner"}


def test_the_documented_filters_use_existing_attributes_and_types() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `(.*attributes.*)` \|$", ATTRIBUTES, re.MULTILINE)
    sent: dict[str, set[str]] = {}
    for trigger in one_of_each_type().values():
        sent.setdefault(trigger.topic, {"type"}).update(dict(trigger.attributes))
    sent["mql"] = {"type", "lead_id", "stage", "cycle"}

    assert {topic for topic, _ in rows} == set(TRIGGER_TOPICS)
    for topic, asked in rows:
        assert set(re.findall(r"attributes[.:](\w+)", asked)) <= sent[topic], asked
        assert set(re.findall(r'attributes.type = "([^"]*)"', asked)) <= ABOUT_LEADS, asked


def test_every_listed_kind_of_move_really_happens() -> None:
    told = triggers_of([ASKED, ASKED], *EVERY_MODEL)

    events = [json.loads(trigger.body) for trigger in told]
    moves = [
        (event["data"]["from_stage"], event["data"]["stage"])
        for event in events
        if event["type"] == "warmlead.lead.stage_entered.v1"
    ]
    assert moves == [("anonymous", "hot"), ("hot", "lead"), ("lead", "hot")]


BROKEN: list[tuple[str, Any]] = [
    ("id", ""),
    ("subject", None),
    ("time", "yesterday"),
    ("time", "2026-03-10T12:00:00"),
    ("specversion", "0.3"),
    ("type", "warmlead.lead.stage_entered.v2"),
    ("data", {}),
    ("email", "ada@example.com"),
]


@pytest.mark.parametrize("kind", sorted(ABOUT_LEADS))
@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_the_schema_refuses_messages_that_deviate(name: str, value: object, kind: str) -> None:
    event = json.loads(one_of_each_type()[kind].body)
    VALIDATORS[kind].validate(event)

    with pytest.raises(ValidationError):
        VALIDATORS[kind].validate({**event, name: value})


@pytest.mark.parametrize("kind", sorted(ABOUT_LEADS))
def test_no_field_may_be_missing(kind: str) -> None:
    event = json.loads(one_of_each_type()[kind].body)
    lacking = [{key: event[key] for key in event if key != name} for name in event]
    data = event["data"]
    lacking += [{**event, "data": {k: data[k] for k in data if k != name}} for name in data]

    for each in lacking:
        with pytest.raises(ValidationError):
            VALIDATORS[kind].validate(each)


@pytest.mark.parametrize("kind", sorted(ABOUT_LEADS))
def test_a_consumers_older_schema_accepts_new_fields(
    kind: str,
) -> None:
    event = json.loads(one_of_each_type()[kind].body)
    event["data"]["lead"]["new"] = event["data"]["new"] = event["new"] = 1

    Draft202012Validator(message_schema(kind)).validate(event)
