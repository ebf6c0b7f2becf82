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

from unit.cli.conftest import Workspace, happened
from warmlead.domain.message import StageEnteredMessage
from warmlead.domain.message_schema import message_schema

PATIENCE_S = 20.0


def test_triggers_have_the_documented_shape(ada: Workspace) -> None:
    (row,) = ada.json("triggers")
    assert row.keys() == {"topic", "published_at", "attributes", "event"}
    assert row["topic"] == "mql"
    assert row["attributes"]["stage"] == row["event"]["data"]["stage"] == "mql"
    assert row["attributes"]["id"] == row["event"]["id"]
    assert "ada@example.com" not in json.dumps(row["attributes"])
    jsonschema.validate(row["event"], StageEnteredMessage.model_json_schema())
    assert ada.json("triggers") == [row]


def test_people_are_told_who_moved_where_and_why(ada: Workspace) -> None:
    told = " ".join(ada.run("triggers").out.split())
    assert re.search(r"mql ada@example.com: anonymous → mql with \d+ points, the mql stage", told)
    assert "Fits: Decision maker" in told


def test_those_that_follow_are_told_of_new_ones(ada: Workspace) -> None:
    with following(ada) as lines:
        assert lines.get(timeout=PATIENCE_S)["event"]["data"]["lead"]["email"] == "ada@example.com"
        ada.take(happened("trial_started", id="9", email="bob@example.com"))
        assert lines.get(timeout=PATIENCE_S)["event"]["data"]["lead"]["email"] == "bob@example.com"
        assert lines.empty()


def test_schemas_are_listed_and_printed(workspace: Workspace) -> None:
    (kind,) = workspace.run("triggers", "schema").out.split()
    assert json.loads(workspace.run("triggers", "schema", kind).out) == message_schema(kind)
    unknown = workspace.run("triggers", "schema", "nonsense")
    assert unknown.code == 2
    assert kind in unknown.err


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
