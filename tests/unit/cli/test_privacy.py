"""``warmlead lead erase`` and ``export``: what they say, whom they find, and what they ask."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace, happened
from warmlead.application.privacy.export import Export, ExportedIdentifier, ExportedLead
from warmlead.cli import privacy
from warmlead.domain.event import Trust

DOCS = Path(__file__).parents[3] / "docs"
PRIVACY = (DOCS / "privacy.md").read_text(encoding="utf-8")
COMMANDS = (DOCS / "cli.md").read_text(encoding="utf-8")


def rows(workspace: Workspace, table: str) -> list[Any]:
    with closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("who", ["ada@example.com", " ADA@Example.COM ", "u-42", "browser-1"])
def test_a_person_is_erased_by_each_name(ada: Workspace, who: str) -> None:
    ada.take(happened("page_viewed", id="9", email="bob@example.com"))
    done = ada.run("lead", "erase", who, "--yes")
    assert done.code == 0
    assert "Erased the lead" in done.out
    for name in ("ada@example.com", "u-42", "browser-1"):
        assert name in done.out
        assert ada.run("lead", "show", name).code == 1
    assert [lead["email"] for lead in ada.json("lead", "list")] == ["bob@example.com"]
    assert ada.json("triggers") == []
    assert len(rows(ada, "messages")) == 1


@pytest.mark.slow
def test_an_erasure_has_the_documented_shape(ada: Workspace) -> None:
    lead_id = ada.json("lead", "show", "u-42")["id"]
    done = ada.json("lead", "erase", lead_id.upper(), "--yes")
    keys = "{" + ", ".join(done) + "}"
    assert f"`erase --json`: `{keys}`" in COMMANDS
    assert done["leads"] == [lead_id]
    assert (len(done["ids"]), done["events"]) == (3, 5)
    assert done["moves"] > 0
    assert done["archive"]["lead-events"] == 3
    assert done["left_to_do"] == []


@pytest.mark.slow
def test_it_asks_before_it_erases(ada: Workspace) -> None:
    refused = ada.run("lead", "erase", "u-42", stdin=b"n\n")
    assert refused.code == 1
    assert "ada@example.com" in refused.err
    assert ada.run("lead", "erase", "u-42", stdin=b"").code == 1
    assert ada.json("lead", "show", "u-42")["email"] == "ada@example.com"
    assert ada.run("lead", "erase", "u-42", stdin=b"y\n").code == 0
    assert ada.run("lead", "show", "u-42").code == 1


@pytest.mark.slow
def test_erasing_twice_and_erasing_a_stranger_is_fine(ada: Workspace) -> None:
    assert ada.run("lead", "erase", "u-42", "--yes").code == 0
    twice = ada.run("lead", "erase", "ada@example.com", "--yes")
    assert (twice.code, "was erased before" in twice.out) == (0, True)
    late = happened("page_viewed", id="8", email="eve@example.com")
    stranger = ada.run("lead", "erase", "Eve@example.com", "--yes")
    assert (stranger.code, "There was no lead Eve@example.com" in stranger.out) == (0, True)
    ada.take(late)
    assert ada.json("lead", "list") == []
    ada.take(happened("page_viewed", id="9", email="eve@example.com"))
    assert [lead["email"] for lead in ada.json("lead", "list")] == ["eve@example.com"]


@pytest.mark.parametrize("who", ["", "  ", "null", "undefined"])
@pytest.mark.parametrize("command", [["erase", "--yes"], ["export"]])
def test_an_argument_that_names_nobody_is_refused(
    ada: Workspace, who: str, command: list[str]
) -> None:
    done = ada.run("lead", *command, who)
    assert (done.code, done.out) == (1, "")
    assert "cannot identify a lead" in done.err


@pytest.mark.slow
def test_an_address_means_the_person_whose_email_it_is(ada: Workspace) -> None:
    ada.take(happened("page_viewed", id="9", email="bob@example.com", user_id="ada@example.com"))
    done = ada.run("lead", "erase", "ada@example.com", "--yes")
    bob = ada.json("lead", "show", "bob@example.com")["id"]
    assert done.code == 0
    assert f"Left alone: the lead {bob}" in done.err
    assert [lead["email"] for lead in ada.json("lead", "list")] == ["bob@example.com"]
    assert ada.run("lead", "erase", bob, "--yes").code == 0
    assert ada.json("lead", "list") == []


MALLORY = "mallory@evil.example"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["anonymous_id", "user_id"])
def test_a_user_id_that_looks_like_an_address_gives_no_access_to_another_record(
    ada: Workspace, kind: str
) -> None:
    ada.take(
        happened(
            "identified", id="9", email="ada@example.com", trust=Trust.PUBLIC, **{kind: MALLORY}
        )
    )
    lead_id = ada.json("lead", "show", "ada@example.com")["id"]
    exported = ada.run("lead", "export", MALLORY)
    assert (exported.code, exported.out) == (1, "")
    assert lead_id in exported.err
    erased = ada.run("lead", "erase", MALLORY, "--json", "--yes")
    assert (erased.code, json.loads(erased.out)["leads"]) == (0, [])
    assert ada.run("lead", "show", MALLORY).code == 1
    assert ada.json("lead", "show", "ada@example.com")["id"] == lead_id
    assert rows(ada, "messages")
    assert json.loads(ada.run("lead", "export", lead_id).out)["lead"]["id"] == lead_id


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["anonymous_id", "user_id"])
def test_a_stranger_keeps_nobody_from_export_and_erasure(ada: Workspace, kind: str) -> None:
    address = {kind: "ada@example.com", "trust": Trust.PUBLIC}
    ada.take(happened("page_viewed", id="9", email="eve@example.com", **address))
    exported = ada.run("lead", "export", "ada@example.com")
    assert json.loads(exported.out)["lead"]["email"] == "ada@example.com"
    assert "This is kept about email ada@example.com, user u-42" in exported.err
    assert ada.run("lead", "erase", "ada@example.com", "--yes").code == 0
    assert [lead["email"] for lead in ada.json("lead", "list")] == ["eve@example.com"]
    again = ada.run("lead", "erase", "ada@example.com", "--yes")
    assert (again.code, "was erased before" in again.out) == (0, True)
    assert [lead["email"] for lead in ada.json("lead", "list")] == ["eve@example.com"]


@pytest.mark.slow
def test_an_erased_user_id_does_not_erase_the_owner_of_the_same_address(ada: Workspace) -> None:
    named_so = {"anonymous_id": MALLORY, "trust": Trust.PUBLIC}
    ada.take(happened("page_viewed", id="9", email="ada@example.com", **named_so))
    assert ada.run("lead", "erase", "ada@example.com", "--yes").code == 0
    late = happened("page_viewed", id="10", email=MALLORY)
    first = ada.run("lead", "erase", MALLORY, "--yes")
    assert (first.code, f"There was no lead {MALLORY}" in first.out) == (0, True)
    ada.take(late)
    assert ada.json("lead", "list") == []


def test_a_strangers_browser_keeps_no_user_id_from_export(ada: Workspace) -> None:
    named_so = {"anonymous_id": "u-42", "trust": Trust.PUBLIC}
    ada.take(happened("page_viewed", id="9", email="eve@example.com", **named_so))
    exported = ada.run("lead", "export", "u-42")
    assert json.loads(exported.out)["lead"]["email"] == "ada@example.com"
    assert "as an anonymous id" in exported.err


@pytest.mark.slow
@pytest.mark.parametrize("trust", [Trust.SIGNED, Trust.PUBLIC])
def test_an_address_used_as_a_user_id_names_the_person_of_the_signed_source(
    workspace: Workspace, trust: Trust
) -> None:
    workspace.take(happened("page_viewed", id="1", user_id="ada@example.com", trust=trust))
    is_signed = trust is Trust.SIGNED
    assert workspace.run("lead", "show", "ada@example.com").code == (0 if is_signed else 1)
    exported = workspace.run("lead", "export", "ada@example.com")
    assert exported.code == (0 if is_signed else 1)
    erased = workspace.json("lead", "erase", "ada@example.com", "--yes")
    assert len(erased["leads"]) == (1 if is_signed else 0)


@pytest.mark.slow
def test_erasing_an_address_erases_the_user_id_of_the_same_spelling(workspace: Workspace) -> None:
    same = {"email": "ada@example.com", "user_id": "ada@example.com"}
    workspace.take(happened("page_viewed", id="1", trust=Trust.PUBLIC, **same))
    erased = workspace.run("lead", "erase", "ada@example.com", "--yes")
    assert "user ada@example.com" in erased.out
    assert "Left alone" not in erased.err
    workspace.take(happened("page_viewed", 1, id="2", user_id="ada@example.com"))
    assert workspace.json("lead", "list") == []


@pytest.mark.slow
def test_a_question_names_twenty_identifiers_and_the_number_of_others(workspace: Workspace) -> None:
    workspace.take(
        *(
            happened("page_viewed", id=str(n), email="ada@example.com", anonymous_id=f"b-{n:02}")
            for n in range(30)
        )
    )
    asked = " ".join(workspace.run("lead", "erase", "ada@example.com", stdin=b"n\n").err.split())
    assert "email ada@example.com, anonymous b-00" in asked
    assert "anonymous b-18, and 11 more?" in asked


def test_an_export_is_one_document_with_all_of_it(ada: Workspace) -> None:
    done = ada.run("lead", "export", "ADA@example.com")
    document = json.loads(done.out)
    Export.model_validate(document)
    assert document["format"] == "warmlead.lead_export.v1"
    assert document["lead"]["traits"]["company"] == "Analytical Engines"
    assert [move["to_stage"] for move in document["lead"]["transitions"]] == ["mql"]
    assert {m["topic"] for m in document["archive"]} >= {"lead-events", "mql"}
    assert document["elsewhere"] == []
    again = json.loads(ada.run("lead", "export", "u-42").out)
    assert without_moment(again) == without_moment(document)


def without_moment(document: dict[str, Any]) -> str:
    return json.dumps(document).replace(document["as_of"], "now")


def test_the_documentation_names_every_part_of_an_export() -> None:
    for model in (Export, ExportedLead, ExportedIdentifier):
        for name in model.model_fields:
            assert f"`{name}`" in PRIVACY


def test_an_export_file_is_readable_by_its_owner_only(ada: Workspace) -> None:
    path = ada.write("ada.json", "x" * 1_000_000)
    path.chmod(0o644)
    done = ada.run("lead", "export", "u-42", "--output", str(path))
    assert (done.code, "Analytical" in done.out) == (0, False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["lead"]["user_id"] == "u-42"
    wrong = ada.run("lead", "export", "u-42", "--output", str(ada.folder / "no" / "where"))
    assert (wrong.code, "cannot be written" in wrong.err) == (1, True)


@pytest.mark.slow
def test_an_unknown_person_has_no_export(ada: Workspace) -> None:
    done = ada.run("lead", "export", "eve@example.com")
    assert (done.code, done.out) == (1, "")
    assert "Nothing is kept about 'eve@example.com'" in done.err
    ada.run("lead", "erase", "u-42", "--yes")
    assert ada.run("lead", "export", "u-42").code == 1


def test_in_the_cloud_the_command_lists_the_remaining_steps() -> None:
    told = "\n".join(privacy.to_erase("there is no archive in BigQuery"))
    assert "there is no archive in BigQuery" in told
    assert "gcloud pubsub subscriptions pull quarantine" in told
    assert "gcloud pubsub subscriptions pull score-dead" in told
    assert privacy.to_look() == privacy.to_erase()[1:]
