"""``warmlead backup`` and ``restore``, and the erasures that a restored store must not forget."""

import json
from pathlib import Path

import pytest

from unit.cli.conftest import Workspace, command_in, happened
from warmlead.cli.rebuild import CLASSIFIED_BY


def take(workspace: Workspace, *names: str) -> None:
    workspace.take(*(happened("page_viewed", id=n, email=f"{n}@example.com") for n in names))


def known(workspace: Workspace) -> list[str]:
    return sorted(lead["email"] for lead in workspace.json("lead", "list"))


def test_a_backup_holds_what_was_there_then_and_says_so(workspace: Workspace) -> None:
    take(workspace, "ada", "bob")
    file = workspace.folder / "copy.sqlite3"
    done = workspace.run("backup", str(file))
    assert done.code == 0
    assert "2 leads" in done.out
    assert "2 messages in the archive" in done.out
    assert "Keep WARMLEAD_ID_SECRET too" in done.out
    take(workspace, "cyn")
    refused = workspace.run("restore", str(file))
    assert (refused.code, "--replace" in refused.err) == (1, True)
    assert known(workspace) == ["ada@example.com", "bob@example.com", "cyn@example.com"]

    restored = workspace.json("restore", str(file), "--replace")
    assert (restored["leads"], restored["erased_again"]) == (2, 0)
    assert known(workspace) == ["ada@example.com", "bob@example.com"]
    workspace.settings["WARMLEAD_DATA"] = str(workspace.folder / "elsewhere")
    assert workspace.run("restore", restored["replaced"]).code == 0  # it is a data file too
    assert known(workspace) == ["ada@example.com", "bob@example.com", "cyn@example.com"]


def test_whoever_was_erased_since_the_backup_is_not_in_the_restored_data(
    workspace: Workspace,
) -> None:
    take(workspace, "ada", "bob")
    file = workspace.folder / "copy.sqlite3"
    assert workspace.run("backup", str(file)).code == 0
    assert workspace.run("lead", "erase", "ada@example.com", "--yes").code == 0
    done = workspace.run("restore", str(file), "--replace")
    assert (done.code, "Erased again: 1 erasure" in done.out) == (0, True)
    assert known(workspace) == ["bob@example.com"]
    assert b"ada@example.com" not in (workspace.data / "warmlead.sqlite3").read_bytes()


def test_a_damaged_data_file_can_be_replaced(workspace: Workspace) -> None:
    take(workspace, "ada")
    file = workspace.folder / "copy.sqlite3"
    assert workspace.run("backup", str(file)).code == 0
    data = workspace.data / "warmlead.sqlite3"
    data.write_bytes(b"no database" * 1000)
    Path(f"{data}-wal").write_bytes(b"of the damaged one")
    done = workspace.run("restore", str(file), "--replace")
    assert (done.code, "Erase again by hand" in done.err) == (0, True)
    assert known(workspace) == ["ada@example.com"]


def test_a_backup_restores_into_an_empty_folder_with_the_model_of_its_histories(
    workspace: Workspace,
) -> None:
    take(workspace, "ada")
    (workspace.data / CLASSIFIED_BY).write_text("the model then")
    file = workspace.folder / "copy.sqlite3"
    assert workspace.run("backup", str(file)).code == 0
    workspace.settings["WARMLEAD_DATA"] = str(workspace.folder / "new")
    assert workspace.run("restore", str(file)).code == 0
    assert (workspace.folder / "new" / CLASSIFIED_BY).read_text() == "the model then"
    assert known(workspace) == ["ada@example.com"]


def test_a_backup_of_another_secret_is_refused(workspace: Workspace) -> None:
    take(workspace, "ada")
    file = workspace.folder / "copy.sqlite3"
    assert workspace.run("backup", str(file)).code == 0
    workspace.settings |= {
        "WARMLEAD_ID_SECRET": "another",
        "WARMLEAD_DATA": str(workspace.folder / "new"),
    }
    refused = workspace.run("restore", str(file))
    assert (refused.code, "another WARMLEAD_ID_SECRET" in refused.err) == (1, True)
    assert not (workspace.folder / "new").exists()


def test_without_data_there_is_nothing_to_back_up(workspace: Workspace) -> None:
    done = workspace.run("backup", str(workspace.folder / "copy"))
    assert (done.code, "There is no data" in done.err) == (1, True)


@pytest.mark.slow
def test_in_the_cloud_the_commands_name_the_page(workspace: Workspace) -> None:
    settings = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "acme"}
    for command in ("backup", "restore"):
        done = command_in(workspace.folder, command, "copy.sqlite3", **settings)
        assert (done.returncode, "docs/operate.md" in done.stderr) == (2, True)


def test_erasures_are_listed_and_made_again_elsewhere(workspace: Workspace) -> None:
    take(workspace, "ada", "bob")
    file = workspace.folder / "copy.sqlite3"
    assert workspace.run("backup", str(file)).code == 0
    assert workspace.run("lead", "erase", "ada@example.com", "--yes").code == 0
    listed = workspace.run("lead", "erased")
    [line] = map(json.loads, listed.out.splitlines())
    assert set(line) == {"erased_at", "ids"}
    assert "ada" not in listed.out
    assert workspace.run("lead", "erased", "--since", "2999-01-01").out == ""

    workspace.settings["WARMLEAD_DATA"] = str(workspace.folder / "new")
    assert workspace.run("restore", str(file)).code == 0
    broken = '{"erased_at": "yesterday"}\n' + "x" * 250_000 + "\n[]\n"
    erasures = workspace.write("erased.jsonl", broken + listed.out)
    done = workspace.run("lead", "erase-again", str(erasures))
    assert done.code == 1
    assert "1 erasure made again" in done.out
    for number in (1, 2, 3):
        assert f"line {number}: " in done.err
    assert known(workspace) == ["bob@example.com"]
    again = workspace.run("lead", "erase-again", str(workspace.write("whole", listed.out)))
    assert (again.code, "0 erasures made again; 1 known already" in again.out) == (0, True)
