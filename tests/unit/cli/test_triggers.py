"""``warmlead triggers``: what was told, once each, and what is told from now on."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any

import jsonschema
import pytest

from patience import PATIENCE_S
from unit.cli.conftest import Workspace, happened
from warmlead.messages.contract import MESSAGES, StageEnteredMessage, message_schema
from warmlead.model.loading import ready_text


@pytest.mark.slow
def test_triggers_have_the_documented_shape(ada: Workspace) -> None:
    rows = ada.json("triggers")
    (row,) = [row for row in rows if row["topic"] == "mql"]
    assert row.keys() == {"topic", "published_at", "attributes", "event"}
    assert row["topic"] == "mql"
    assert row["attributes"]["stage"] == row["event"]["data"]["stage"] == "mql"
    assert row["attributes"]["id"] == row["event"]["id"]
    assert "ada@example.com" not in json.dumps(row["attributes"])
    jsonschema.validate(row["event"], StageEnteredMessage.model_json_schema())
    assert ada.json("triggers") == rows


@pytest.mark.slow
def test_the_list_for_people_says_who_moved_where_and_why(ada: Workspace) -> None:
    told = " ".join(ada.run("triggers").out.split())
    assert re.search(r"mql ada@example.com: anonymous → mql with \d+ points, the mql stage", told)
    assert "Fits: Decision maker" in told
    assert re.search(r"lifecycle ada@example.com: offered to sales with \d+ points, touch", told)


def test_who_has_no_address_is_told_by_the_user_id(workspace: Workspace) -> None:
    workspace.take(happened("demo_requested", id="1", user_id="u-7"))
    assert re.search(r"mql u-7: anonymous → mql|mql u-7: lead → mql", workspace.run("triggers").out)


@pytest.mark.slow
def test_people_are_told_which_message_is_due(workspace: Workspace) -> None:
    text = (
        ready_text("b2b-saas")
        .replace("hours:", "# hours:")
        .replace("  # routes:", "  routes: [{owner: inside-sales}]")
    )
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", text))
    workspace.take(happened("demo_requested", email="ada@example.com"))

    told = " ".join(workspace.run("triggers").out.split())

    assert "nurture ada@example.com: welcome-guide is due, message 1 of 6 of mql-education" in told
    assert "offered to inside-sales" in told


@pytest.mark.slow
def test_people_are_told_what_a_lead_did_and_what_has_changed(workspace: Workspace) -> None:
    text = ready_text("b2b-saas") + "updates: {}\n"
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", text))
    workspace.take(happened("sales_accepted", id="1", email="ada@example.com"))
    workspace.take(happened("demo_requested", id="2", email="ada@example.com"))

    told = " ".join(workspace.run("triggers").out.split())

    assert "lifecycle ada@example.com: Asks again (sql): demo requested" in told
    assert (
        "lifecycle ada@example.com: changed: id, consent, grade, owner, score, stage, traits;"
        in told
    )


@pytest.mark.slow
def test_an_offer_that_takes_the_place_of_another_says_so(workspace: Workspace) -> None:
    model = """\
signals:
  webinar_attended: {on: webinar_attended, points: 30, half_life: 30d}
  trial_started: {on: trial_started, points: 40, half_life: 30d}
stages:
  mql: {enter: score >= 30, leave: score < 20}
  pql: {enter: score >= 60, leave: score < 50}
handoff:
  first_touch_within: 1h
  accept_within: 24h
  stages: {pql: {routes: [{owner: ann}]}}
"""
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", model))
    workspace.take(happened("webinar_attended", id="1", email="ada@example.com"))
    workspace.take(happened("trial_started", id="2", email="ada@example.com"))
    drawn = " ".join(workspace.run("triggers").out.split())
    assert re.search(r"offered to sales with 30 points, touch by [-0-9]+ [0-9:]+ UTC ", drawn)
    assert re.search(r"offered to ann with 70 points, touch by .{20}, in place of offer 1", drawn)


@pytest.mark.slow
def test_following_prints_new_triggers(ada: Workspace) -> None:
    with following(ada) as lines:
        heard = until_mql_is(lines, "ada@example.com")
        ada.take(happened("trial_started", id="9", email="bob@example.com"))
        heard += until_mql_is(lines, "bob@example.com")
    assert len(set(heard)) == len(heard)


@pytest.mark.slow
def test_schemas_are_listed_and_printed(workspace: Workspace) -> None:
    kinds = workspace.run("triggers", "schema").out.split()
    assert kinds == [*MESSAGES]
    for kind in kinds:
        assert json.loads(workspace.run("triggers", "schema", kind).out) == message_schema(kind)
    unknown = workspace.run("triggers", "schema", "nonsense")
    assert unknown.code == 2
    assert all(kind in unknown.err for kind in kinds)


def until_mql_is(lines: "SimpleQueue[dict[str, Any]]", email: str) -> list[str]:
    """The ids of the triggers up to the one that tells of an MQL."""
    ids: list[str] = []
    while True:
        row = lines.get(timeout=PATIENCE_S)
        ids.append(row["event"]["id"])
        if row["topic"] == "mql" and row["event"]["data"]["lead"]["email"] == email:
            return ids


@contextmanager
def following(workspace: Workspace) -> "Iterator[SimpleQueue[dict[str, Any]]]":
    """What ``triggers --follow --json`` prints, line by line."""
    found: SimpleQueue[dict[str, Any]] = SimpleQueue()
    command = [sys.executable, "-m", "warmlead.cli.main", "triggers", "--follow", "--json"]
    with subprocess.Popen(command, env=workspace.settings, stdout=subprocess.PIPE) as process:

        def read() -> None:
            for line in process.stdout or ():
                found.put(json.loads(line))

        reader = Thread(target=read)
        reader.start()
        try:
            yield found
        finally:
            process.terminate()
            reader.join()
