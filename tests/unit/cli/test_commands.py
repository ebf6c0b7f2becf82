"""Every command: its help, its exit codes, its refusals."""

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from served import free_port
from unit.cli.conftest import Workspace, command_in

COMMANDS = [
    (),
    ("serve",),
    ("demo",),
    ("lead",),
    *(("lead", name) for name in ("list", "show", "explain", "respell")),
    ("triggers",),
    ("model",),
    *(("model", name) for name in ("check", "show", "apply", "schema", "unmatched")),
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


@pytest.mark.parametrize(
    ("written", "meant"),
    [("explain", "lead explain"), ("check", "model check"), ("erase", "lead erase")],
)
def test_a_command_without_its_group_is_told_with_it(
    workspace: Workspace, written: str, meant: str
) -> None:
    done = workspace.run(written)

    assert done.code == 2
    assert f"Did you mean '{meant}'?" in done.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(workspace: Workspace, command: tuple[str, ...]) -> None:
    done = workspace.run(*command, "--help")
    assert done.code == 0
    assert "Usage" in done.out
    assert not workspace.data.exists()  # to ask for help is to do nothing


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_a_usage_error(workspace: Workspace, command: tuple[str, ...]) -> None:
    done = workspace.run(*command, "--colour")
    assert done.code == 2
    assert "--colour" in done.err


@pytest.mark.parametrize("command", NEEDING, ids=" ".join)
def test_a_missing_argument_is_a_usage_error(
    workspace: Workspace, command: tuple[str, ...]
) -> None:
    assert workspace.run(*command).code == 2


def test_a_wrong_choice_is_told_in_our_words(workspace: Workspace) -> None:
    done = workspace.run("run", "report", "--period", "decade")
    assert done.code == 2
    choices = "'day', 'week', 'month', 'quarter', 'year'"
    assert f"'--period': 'decade' is not one of {choices}." in " ".join(done.err.split())


def test_an_unknown_command_is_a_usage_error(workspace: Workspace) -> None:
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
def test_lists_of_a_new_installation_are_empty(
    workspace: Workspace, command: tuple[str, ...]
) -> None:
    assert workspace.run(*command).code == 0
    said = workspace.json(*command)
    assert not any(said.values() if isinstance(said, dict) else said)


@pytest.mark.slow
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


@pytest.mark.slow
def test_settings_may_stand_in_a_file_but_variables_win(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WARMLEAD_MODEL=ecommerce\nWARMLEAD_DATA=here\n")
    for settings, name in ({}, "ecommerce"), ({"WARMLEAD_MODEL": "product-led"}, "product-led"):
        done = command_in(tmp_path, "model", "show", "--json", **settings)
        assert f'"name": "{name}"' in done.stdout


def a_file_instead_of_a_folder(data: Path) -> None:
    data.write_text("no folder")


def a_folder_instead_of_the_file(data: Path) -> None:
    (data / "warmlead.sqlite3").mkdir(parents=True)


def another_file(data: Path) -> None:
    data.mkdir()
    (data / "warmlead.sqlite3").write_bytes(b"no database, but long enough" * 100)


def a_data_file(data: Path) -> Path:
    """A real one, with its write-ahead log folded in."""
    done = command_in(data.parent, "lead", "list", WARMLEAD_DATA=str(data))
    assert done.returncode == 0, done.stderr
    path = data / "warmlead.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def a_newer_file(data: Path) -> None:
    with closing(sqlite3.connect(a_data_file(data))) as file:
        file.execute("PRAGMA user_version = 1000")


def a_file_cut_short(data: Path) -> None:
    path = a_data_file(data)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_file_with_a_bad_sector(data: Path) -> None:
    path = a_data_file(data)
    content = bytearray(path.read_bytes())
    content[4096 : 2 * 4096] = b"\xff" * 4096
    path.write_bytes(content)


UNUSABLE: Mapping[Callable[[Path], Any], str] = {
    a_file_instead_of_a_folder: "no folder can be made there",
    a_folder_instead_of_the_file: "cannot be opened; this user must be able to write",
    another_file: "is not a data file of Warmlead; set WARMLEAD_DATA",
    a_newer_file: "was written by a newer release",
    a_file_cut_short: "is damaged; restore it from a backup",
    a_file_with_a_bad_sector: "is damaged; restore it from a backup",
}


@pytest.mark.slow
@pytest.mark.parametrize("make", UNUSABLE, ids=lambda each: each.__name__)
def test_data_that_cannot_be_used_is_told_at_once(
    tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    data = tmp_path / "data"
    make(data)
    done = command_in(tmp_path, "serve", "--port", str(free_port()), WARMLEAD_DATA=str(data))
    assert (done.returncode, done.stdout) == (2, "")
    assert UNUSABLE[make] in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("make", [another_file, a_newer_file, a_folder_instead_of_the_file])
def test_every_command_reports_unusable_data(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    data = tmp_path / "data"
    make(data)
    done = command_in(tmp_path, "lead", "list", WARMLEAD_DATA=str(data))
    assert done.returncode == 2
    assert UNUSABLE[make] in " ".join(done.stderr.split())


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = a_data_file(tmp_path / "data")
    for mode, each in ((0o400, path), (0o500, path.parent)):
        each.chmod(mode)
    try:
        done = command_in(
            tmp_path, "serve", "--port", str(free_port()), WARMLEAD_DATA=str(path.parent)
        )
    finally:
        path.parent.chmod(0o700)
    assert (done.returncode, done.stdout) == (2, "")
    assert "this user must be able to write" in " ".join(done.stderr.split())


@pytest.mark.slow
def test_a_command_that_an_emulator_does_not_answer_asks_for_it(tmp_path: Path) -> None:
    host = f"127.0.0.1:{free_port()}"
    settings = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "FIRESTORE_EMULATOR_HOST": host}
    done = command_in(tmp_path, "lead", "list", **settings)
    assert done.returncode == 1
    assert f"Do the emulators run: FIRESTORE_EMULATOR_HOST={host}?" in done.stderr


@pytest.mark.slow
def test_a_command_in_an_error_message_stays_on_one_line(tmp_path: Path) -> None:
    done = command_in(tmp_path, "lead", "list", WARMLEAD_ENV="production")
    assert 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"\n' in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite", "gcp"])
def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path, backend: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = {"WARMLEAD_DATA": str(tmp_path / "data"), "WARMLEAD_BACKEND": backend}
        done = command_in(tmp_path, "serve", "--port", port, **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert "in use already; choose another" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "warmlead.sqlite3").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "nowhere.invalid:80", "http://127.0.0.1", "a b"]
)
def test_an_emulator_that_does_not_answer_is_told_before_anything_starts(
    tmp_path: Path, host: str
) -> None:
    named = host.format(port=free_port())
    settings = {"FIRESTORE_EMULATOR_HOST": named, "PUBSUB_EMULATOR_HOST": named}
    serve = ("serve", "--backend", "gcp", "--port", str(free_port()))
    done = command_in(tmp_path, *serve, **settings)
    assert (done.returncode, done.stdout) == (2, "")
    told = " ".join(done.stderr.split())
    for variable in settings:
        assert f"{variable}={named}; start them with warmlead emulators, or unset" in told


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite", "gcp"])
def test_a_model_that_is_not_there_is_told_before_anything_starts(
    tmp_path: Path, backend: str
) -> None:
    settings = {"WARMLEAD_MODEL": "nowhere.yaml", "WARMLEAD_BACKEND": backend}
    done = command_in(tmp_path, "serve", "--port", str(free_port()), **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no model nowhere.yaml" in done.stderr


@pytest.mark.slow
def test_a_backend_that_does_not_exist_is_told(tmp_path: Path) -> None:
    for options in ((), ("--backend", "mysql")):
        done = command_in(tmp_path, "serve", *options, WARMLEAD_BACKEND="mysql")
        assert (done.returncode, done.stdout) == (2, "")
        assert "sqlite" in done.stderr


@pytest.mark.slow
def test_an_option_of_serve_wins_over_the_variable(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        serve = ("serve", "--backend", "sqlite", "--port", port)
        done = command_in(tmp_path, *serve, WARMLEAD_BACKEND="mysql")
    assert "in use already" in done.stderr  # and so the backend was found good


def test_serve_refuses_a_port_that_is_none(workspace: Workspace) -> None:
    assert workspace.run("serve", "--port", "0").code == 2
    assert workspace.run("serve", "--port", "70000").code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("lead", "list"),
        ("triggers",),
        ("quarantine", "list"),
        ("lead", "show", "ada@example.com"),
        ("lead", "explain", "ada@example.com"),
        ("lead", "export", "ada@example.com"),
    ],
    ids=" ".join,
)
def test_a_command_that_finds_nothing_says_where_it_looked(
    workspace: Workspace, command: tuple[str, ...]
) -> None:
    done = workspace.run(*command)
    assert f"in {workspace.data}" in "".join(f"{done.out}{done.err}".split("\n"))
