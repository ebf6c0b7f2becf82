"""The compiled model: another way to the same rules, or a clear refusal."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from patience import PATIENCE_S
from warmlead.application.evaluate import evaluate
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.rules import Rules
from warmlead.domain.stages import Condition
from warmlead.model.loading import Model, load, ready_model, ready_names, ready_text
from warmlead.model.plan import FORMAT, Plan, is_compiled, read_compiled, rules_of, write_compiled
from warmlead.runtime.backends import load_model

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
IDS = LeadIds(b"a secret of the tests")
EVERYTHING = """
signals:
  big_visit:
    {on: [page_viewed, screen_viewed], when: 'path.startsWith("/a") && seconds > 5', points: 3,
     per_day: 2, half_life: 36h, group: web, title: Größe}
  trusted: {on: login, trust: signed, points: 7, expires_after: 30d}
  once: {on: login, points: 3, max_count: 1, decay: never}
  kept: {on: page_viewed, when: 'plan == "pro" || visits >= 2.5', points: -4, decay: never}
  shared: {on: page_viewed, robots: count, points: 1, decay: never}
groups: {web: {min: -5, max: 20, title: The web}}
fit:
  large: {when: employees >= 50 && "b2b" in tags, points: 15, title: Large}
  own: {when: budget > 1.5, points: 5}
  free: {when: free_mailbox, points: -10}
  led_by_mail: {when: first.channel == "Email", points: 2}
bonuses:
  regular: {when: days_30d.page_viewed >= 3 && !free_mailbox, points: 10, title: Regular}
  reader: {when: visits_30d.big_visit >= 2 && distinct_7d.page_viewed.path > 3, points: 2}
  grown: {when: before_30d.employees < 50 && sum_200d.login.visits >= 2, points: 3}
  rising: {when: momentum_7d.big_visit >= 200 || last_200d.login >= 2, points: -3}
base: 5
floor: none
grades: {A: 15, B: 5, C: -10}
inactivity: {after: 14d, lose: 12.5%, every: 7d, passive: [login]}
stages:
  warm: {enter: score >= 5, leave: score < 3, cooldown: 12h}
  mql:
    enter: >-
      fit >= 10 && grade != "C" &&
      (last_7d.big_visit >= 1 || last_30d.page_viewed >= 3 || trusted)
    cooldown: 30d
    bypass: [trusted, {signal: big_visit, when: budget > 1.5, trust: signed}]
handoff:
  first_touch_within: 30m
  accept_within: 2d
  routes:
    - {when: employees > 500 && last_30d.screen_viewed >= 1, owner: "Ørsted, key accounts"}
    - {when: budget > 9.5, owners: [ann, bob, ann]}
    - {owner: all-of-us}
sequences:
  teach:
    start: stage == "mql" && last_90d.login >= 1
    stop: trusted
    hours: {from: "20:00", to: "02:00", time_zone: lead or Asia/Kolkata}
    steps: [{after: 0d, message: hello}, {after: 1d, message: again, when: last_7d.login >= 1}]
  tell:
    start: big_visit || score > 5 || latest.page_viewed.plan == "Pro"
    stop: seats > 3 || last.campaign == "spring" || last_1d.login >= 1
    goal: free_mailbox && last_7d.page_viewed >= 2
    hours: {days: [mon-thu, sun], from: "09:30", to: "24:00", time_zone: Asia/Kolkata}
    late: skip
    again_after: 36h
    alongside: true
    steps: [{after: 0d, message: one, title: Größe}, {after: 90m, message: two}]
traits: {budget: number}
properties: {visits: number}
"""


@cache
def model_called(name: str) -> Model:
    return load(EVERYTHING, name=name) if name == "everything" else ready_model(name)


@cache
def plan_read_back(name: str) -> Plan:
    return read_compiled(write_compiled(model_called(name).plan).encode(), name=name)


@cache
def rules_read_back(name: str) -> Rules:
    return rules_of(plan_read_back(name))


NAMES = ["everything", *ready_names()]


@pytest.mark.parametrize("name", NAMES)
def test_compiling_to_json_and_back_loses_nothing(name: str) -> None:
    model = model_called(name)
    assert plan_read_back(name) == model.plan
    assert rules_read_back(name).version == model.version
    assert rules_of(plan_read_back(name)).titles == model.rules.titles


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_an_earlier_release_compiled_is_read_alike(name: str) -> None:
    written = json.loads(write_compiled(model_called(name).plan))
    plan = written["plan"]
    routes = plan["handoff"]["routes"] if plan["handoff"] else []
    for entry in (*plan["stages"], *routes, *plan["sequences"]):
        for key, value in list(entry.items()):  # it left out what has its default
            if value in (None, False, [], "PT0S", "P0D", "shift"):
                del entry[key]
    assert written != json.loads(write_compiled(model_called(name).plan))

    assert read_compiled(json.dumps(written).encode(), name=name) == model_called(name).plan


values = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10_000)
    | st.floats(allow_nan=False)
    | st.sampled_from(["/a", "/pricing", "pro", "US", "CEO", "b2b", "50-200", "ada@gmail.com", ""])
    | st.lists(st.sampled_from(["b2b", "saas"]), max_size=2)
)
traits = st.dictionaries(
    st.sampled_from(
        ["employees", "tags", "budget", "email", "country", "title", "industry", "plan", "seats"]
    ),
    values,
    max_size=5,
)
properties = st.dictionaries(
    st.sampled_from(
        ["path", "seconds", "plan", "visits", "kind", "minutes", "percent", "amount", "value"]
    ),
    values,
    max_size=4,
)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Events of one person in the last four months."""
    signals = [signal for name in NAMES for signal in model_called(name).plan.signals.values()]
    names = sorted({event for signal in signals for event in signal.on})
    many = draw(st.lists(st.sampled_from(names), min_size=1, max_size=12))
    return [
        Event.checked(
            id=str(number),
            source="tests",
            trust=draw(st.sampled_from(Trust)),
            name=name,
            occurred_at=(at := NOW - timedelta(hours=draw(st.integers(0, 24 * 120)))),
            received_at=max(at, NOW - timedelta(days=30)),
            email="ada@example.com",
            traits=draw(traits),
            properties=draw(properties),
        )
        for number, name in enumerate(many)
    ]


def lead_of(happened: list[Event], rules: Rules) -> Lead:
    trails: dict[str, Trail] = {}
    for event in happened:
        ids = {identifier: IDS.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    (lead,) = resolve_identities([], trails, rules, NOW)
    return lead


@settings(max_examples=examples(300))
@given(st.sampled_from(NAMES), events())
def test_a_compiled_model_evaluates_leads_like_its_file(name: str, happened: list[Event]) -> None:
    model, rules = model_called(name), rules_read_back(name)
    lead = lead_of(happened, rules)

    assert lead == lead_of(happened, model.rules)
    assert evaluation_of(lead, rules, NOW) == evaluation_of(lead, model.rules, NOW)
    assert evaluate(lead, rules, NOW) == evaluate(lead, model.rules, NOW)
    facts = model.rules.know(happened[0].traits)
    assert rules.know(happened[0].traits) == facts
    for condition, original in zip(_conditions(rules), _conditions(model.rules), strict=True):
        assert condition.missing(facts) == original.missing(facts)


def _conditions(rules: Rules) -> list[Condition]:
    stages = [part for stage in rules.stages for part in (stage.enter, stage.leave)]
    routes = [route.when for route in rules.handoff.routes] if rules.handoff else []
    sequences = [part for each in rules.sequences for part in (each.start, each.stop, each.goal)]
    return [part for part in (*stages, *routes, *sequences) if part]


@pytest.mark.slow
def test_compiling_the_same_model_writes_the_same_bytes() -> None:
    writing = (
        "from warmlead.model.plan import write_compiled as w;"
        "from warmlead.model.loading import ready_model as m; print(w(m('b2b-saas').plan), end='')"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", writing],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        ).stdout.decode()
        for seed in ("1", "2")
    }
    assert texts == {write_compiled(ready_model("b2b-saas").plan)}


def test_only_a_marked_file_is_a_compiled_model() -> None:
    written = write_compiled(model_called("everything").plan).encode()
    assert is_compiled(written)
    assert is_compiled(written[:80])
    assert is_compiled(b'\n{ "format" : "warmlead-compiled-model/99"}')
    assert not is_compiled(ready_text("b2b-saas").encode())
    assert not is_compiled(b'{"signals": {"a": {"on": "a", "points": 1}}}')


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b'{"format":"warmlead-compiled-model/99","plan":{}}', "warmlead-compiled-model/99"),
        (f'{{"format":"{FORMAT}","plan":{{}}}}'.encode(), "damaged"),
        (f'{{"format":"{FORMAT}"}}'.encode(), "damaged"),
        (write_compiled(ready_model("b2b-saas").plan).encode()[:-100], "damaged"),
        (
            write_compiled(model_called("everything").plan).encode("latin-1", "replace"),
            "not in UTF-8",
        ),
        (b"", "damaged"),
    ],
)
def test_an_unusable_compiled_model_is_refused_with_a_reason(written: bytes, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_compiled(written, name="model.json")
    assert "model.json cannot be used" in caught.value.subject
    (problem,) = caught.value.problems
    assert told in problem
    assert "compile the model file again" in problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            write_compiled(model_called("everything").plan).encode("latin-1", "replace"),
            "cannot be used",
        ),
        ("signals: {größe: {on: größe, points: 1}}".encode("latin-1"), "no model"),
    ],
    ids=["compiled", "as people write it"],
)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_model_file_in_another_charset_than_utf_8_is_refused(
    tmp_path: Path, content: bytes, told: str, suffix: str
) -> None:
    file = tmp_path / f"model.{suffix}"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_model(str(file))
    assert (told if suffix == "json" else "no model") in caught.value.subject


@pytest.mark.parametrize("name", ready_names())
def test_every_model_knows_the_names_of_our_own_vocabulary(name: str) -> None:
    ours = {"identified", "grouped", "aliased", "order_completed", "robot_request"}
    assert rules_of(ready_model(name).plan).names >= ours


def test_signals_of_what_others_do_are_no_activity_of_the_lead() -> None:
    acts = model_called("b2b-saas").rules.acts
    assert acts >= {"pricing_page_viewed", "demo_requested", "webinar_attended"}
    assert "email_bounced" not in acts
