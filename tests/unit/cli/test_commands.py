"""Every command: its help, its exit codes, its refusals."""

import socket
from pathlib import Path

import pytest

from unit.cli.conftest import Workspace, command_in

COMMANDS = [
    (),
    ("serve",),
    ("demo",),
    ("lead",),
    *(("lead", name) for name in ("list", "show", "explain", "respell")),
    ("triggers",),
    ("model",),
    *(("model", name) for name in ("check", "show", "apply", "schema")),
    ("send",),
    ("quarantine",),
    *(("quarantine", name) for name in ("list", "replay")),
    ("replay",),
]
NEEDING = [
    ("lead", "show"),
    ("lead", "explain"),
    ("model", "check"),
    ("send",),
    ("send", "generic"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(workspace: Workspace, command: tuple[str, ...]) -> None:
    done = workspace.run(*command, "--help")
    assert done.code == 0
    assert "Usage" in done.out
    assert not workspace.data.exists()  # to ask for help is to do nothing


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_misuse(workspace: Workspace, command: tuple[str, ...]) -> None:
    done = workspace.run(*command, "--colour")
    assert done.code == 2
    assert "--colour" in done.err


@pytest.mark.parametrize("command", NEEDING, ids=" ".join)
def test_what_is_needed_must_be_given(workspace: Workspace, command: tuple[str, ...]) -> None:
    assert workspace.run(*command).code == 2


def test_an_unknown_command_is_misuse(workspace: Workspace) -> None:
    assert workspace.run("leads").code == 2
    assert workspace.run("lead", "shew").code == 2


def test_the_version_is_told(workspace: Workspace) -> None:
    assert workspace.run("--version").out.startswith("warmlead 0.")


@pytest.mark.parametrize(
    "command",
    [
        ("lead", "list"),
        ("triggers",),
        ("quarantine", "list"),
        ("quarantine", "replay"),
        ("replay",),
    ],
    ids=" ".join,
)
def test_where_nothing_is_yet_every_list_is_empty(
    workspace: Workspace, command: tuple[str, ...]
) -> None:
    assert workspace.run(*command).code == 0
    said = workspace.json(*command)
    assert set(said.values() if isinstance(said, dict) else said) <= {0}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"WARMLEAD_ENV": "staging"}, "WARMLEAD_ENV: "),
        ({"WARMLEAD_FORM_BYTES": "lots"}, "WARMLEAD_FORM_BYTES: "),
        ({"WARMLEAD_WRITE_KEYS": "a:owner"}, "WARMLEAD_WRITE_KEYS: "),
        ({"WARMLEAD_MODLE": "b2b-saas"}, "WARMLEAD_MODLE is not a setting; there are "),
        ({"WARMLEAD_MODEL": "nowhere.yaml"}, "There is no model nowhere.yaml"),
        ({"WARMLEAD_ENV": "production"}, "WARMLEAD_ID_SECRET must be set"),
    ],
)
def test_faulty_settings_are_told_in_words(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    done = command_in(tmp_path, "lead", "list", WARMLEAD_DATA=str(tmp_path / "data"), **settings)
    assert done.returncode == 2
    assert told in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert "pydantic" not in done.stderr


def test_settings_may_stand_in_a_file_but_variables_win(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WARMLEAD_MODEL=ecommerce\nWARMLEAD_DATA=here\n")
    for settings, name in ({}, "ecommerce"), ({"WARMLEAD_MODEL": "product-led"}, "product-led"):
        done = command_in(tmp_path, "model", "show", "--json", **settings)
        assert f'"name": "{name}"' in done.stdout


def test_a_data_folder_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "warmlead.sqlite3").write_bytes(b"no database, but long enough" * 100)
    for data in ("file", "data"):
        done = command_in(tmp_path, "lead", "list", WARMLEAD_DATA=str(tmp_path / data))
        assert done.returncode in {1, 2}
        assert "Traceback" not in done.stderr
        assert "error" in done.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = command_in(tmp_path, "serve", "--port", port, WARMLEAD_DATA=str(tmp_path / "data"))
    assert done.returncode != 0
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_refuses_a_port_that_is_none(workspace: Workspace) -> None:
    assert workspace.run("serve", "--port", "0").code == 2
    assert workspace.run("serve", "--port", "70000").code == 2
