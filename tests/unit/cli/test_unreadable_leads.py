"""Commands on data in which one lead cannot be read: all else is done, and the lead is named."""

import json
import sqlite3
from contextlib import closing

import pytest

from unit.cli.conftest import Workspace, happened


@pytest.fixture
def spoilt(workspace: Workspace) -> tuple[Workspace, str]:
    """Three leads and their archive; Bob's document is damaged. His id."""
    for number, name in enumerate(("ada", "bob", "cyn")):
        email = f"{name}@example.com"
        workspace.take(happened("demo_requested", id=f"e{number}", email=email))
    bob: str = workspace.json("lead", "show", "bob@example.com")["id"]
    with (
        closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as connection,
        connection,
    ):
        connection.execute("UPDATE leads SET document = '{\"v\": 2' WHERE id = ?", (bob,))
    return workspace, bob


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "done"),
    [
        (("lead", "list"), "ada@example.com"),
        (("model", "apply"), "2 leads re-evaluated"),
        (("replay",), "2 leads rebuilt"),
        (("run", "decay", "--as-of", "2100-01-01"), "3 leads due"),
    ],
)
def test_a_command_does_the_rest_and_names_the_lead(
    spoilt: tuple[Workspace, str], command: tuple[str, ...], done: str
) -> None:
    workspace, bob = spoilt
    ran = workspace.run(*command)
    told = " ".join(ran.err.split())
    assert done in " ".join(ran.out.split())
    assert ran.code == 1
    assert f"1 lead cannot be read: {bob} (damaged: JSONDecodeError)" in told
    assert "warmlead lead erase" in told


@pytest.mark.slow
def test_json_lists_are_complete_documents_despite_an_unreadable_lead(
    spoilt: tuple[Workspace, str],
) -> None:
    workspace, bob = spoilt
    listed = workspace.run("lead", "list", "--json")
    assert {row["email"] for row in json.loads(listed.out)} == {
        "ada@example.com",
        "cyn@example.com",
    }
    assert json.loads(workspace.run("model", "apply", "--json").out)["unreadable"] == [bob]
    assert json.loads(workspace.run("replay", "--json").out)["unreadable_leads"] == [bob]


@pytest.mark.slow
def test_readable_leads_are_exported_and_erased_as_usual(spoilt: tuple[Workspace, str]) -> None:
    workspace, _ = spoilt
    assert workspace.run("lead", "export", "ada@example.com").code == 0
    assert len(workspace.json("lead", "erase", "ada@example.com", "--yes")["leads"]) == 1


@pytest.mark.slow
def test_an_unreadable_lead_is_exported_without_its_document(spoilt: tuple[Workspace, str]) -> None:
    workspace, bob = spoilt
    exported = workspace.run("lead", "export", "bob@example.com")
    assert exported.code == 1
    assert bob in " ".join(exported.err.split())
    document = json.loads(exported.out)
    assert document["lead"] is None
    assert len(document["archive"]) >= 1


@pytest.mark.slow
def test_an_unreadable_lead_can_be_erased(spoilt: tuple[Workspace, str]) -> None:
    workspace, bob = spoilt
    erased = workspace.json("lead", "erase", "bob@example.com", "--yes")
    assert (erased["leads"], erased["unreadable"]) == ([], [bob])
    assert erased["archive"]["lead-events"] == 1
    assert workspace.run("lead", "list").code == 0
    again = workspace.run("lead", "erase", bob, "--yes")
    assert again.code == 0
    assert "was erased before" in again.out
