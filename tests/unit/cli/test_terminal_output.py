"""What an older release stored as it came is shown without what steers a terminal."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from unit.cli.conftest import Workspace, happened
from unit.cli.test_quarantine import set_aside
from warmlead.application.accept import Quarantined
from warmlead.domain.errors import Reason
from warmlead.domain.text import UNPRINTABLE

ESCAPE = "\x1b]0;owned\x07"
TURNED = "\u202eecilA"
FOUL: dict[str, Any] = {
    "first_name": f"{ESCAPE}Ada\x00",
    "last_name": f"{TURNED}\nscore 999",
    "title": "CEO\x9b2J",
    "employees": 80,
    "country": "US",
    "tags": [f"a{ESCAPE}"],
}


def steers(text: str) -> list[str]:
    """What in a text steers a terminal, but for ends of lines."""
    return UNPRINTABLE.findall(text.replace("\n", ""))


def texts_in(value: object) -> Iterator[str]:
    """All texts in JSON that was read."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for inner in value.items() for each in inner for text in texts_in(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in texts_in(each))


def a_foul_lead(workspace: Workspace) -> None:
    event = happened("demo_requested", email="ada@example.com")
    origin = {"utm_source": f"ads{ESCAPE}"}
    workspace.take(structs.replace(event, traits=FOUL, attribution=origin))


@pytest.mark.slow
def test_commands_about_leads_print_no_control_characters(workspace: Workspace) -> None:
    a_foul_lead(workspace)
    commands = (
        ("lead", "list"),
        ("lead", "show", "ada@example.com"),
        ("lead", "explain", "ada@example.com"),
        ("triggers",),
    )
    for command in commands:
        done = workspace.run(*command)
        assert done.code == 0, done.err
        assert not steers(done.out), command
        assert not steers(workspace.run(*command, "--json").out), command
    assert not steers("".join(texts_in(workspace.json("lead", "show", "ada@example.com"))))
    assert not steers(workspace.run("lead", "export", "ada@example.com").out)


@pytest.mark.slow
def test_a_name_cannot_start_a_line_of_output(workspace: Workspace) -> None:
    a_foul_lead(workspace)
    shown = workspace.run("lead", "show", "ada@example.com").out
    assert not [line for line in shown.splitlines() if line.startswith("score 999")]
    assert "]0;ownedAda ecilA score 999" in shown


def test_triggers_carry_no_control_characters(workspace: Workspace) -> None:
    a_foul_lead(workspace)
    with closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as connection:
        rows = connection.execute("SELECT body FROM messages WHERE topic = 'mql'").fetchall()
    (message,) = [json.loads(body) for (body,) in rows]
    assert not steers("".join(texts_in(message)))
    assert message["data"]["lead"]["traits"]["first_name"] == "]0;ownedAda"
    assert message["data"]["lead"]["traits"]["tags"] == ["a]0;owned"]
    first = message["data"]["attribution"]["first"]
    assert (first["utm_source"], first["source"]) == ("ads]0;owned", "ads]0;owned")


def test_quarantine_lists_print_no_control_characters(workspace: Workspace) -> None:
    entry = Quarantined(
        reason=Reason.FIELD_INVALID,
        message=f"A message of an older release.{ESCAPE}",
        source=f"generic{TURNED}",
        received_at=datetime.now(UTC),
        raw=f'{{"email": "{ESCAPE}"}}',
        path="/generic",
    )
    set_aside(workspace, entry)
    for command in (("quarantine", "list"), ("quarantine", "list", "--json")):
        assert not steers(workspace.run(*command).out)
    (row,) = workspace.json("quarantine", "list")
    assert row["message"] == "A message of an older release.]0;owned"
    assert not steers(row["content"])


def test_errors_about_arguments_print_no_control_characters(workspace: Workspace) -> None:
    failed = workspace.run("lead", "show", f"{ESCAPE}nobody@example.com")
    assert failed.code == 1
    assert not steers(failed.err)
