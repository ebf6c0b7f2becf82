"""What a server says when it begins: addresses that answer, and commands that find its data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unit.cli.conftest import Workspace, command_in, happened
from warmlead.cli.local.serve import welcome
from warmlead.runtime import backends
from warmlead.runtime.table import files_of_senders
from warmlead.settings import PREFIX

SALES = """
hubspot:
  secrets: [env:HUBSPOT_SECRET]
  url: https://leads.example.com/sales/hubspot
  portals: [123]
  stages: {dealstage: {closedwon: won}}
"""
FORMS = """
contact: {allow_unsigned: true}
demo-request: {allow_unsigned: true}
"""


class Told:
    """Has a server say what it says when it begins, with the settings of a workspace."""

    def __init__(
        self,
        workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._workspace = workspace
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, host: str = "127.0.0.1", **settings: str) -> str:
        given = {"DATA": str(self._workspace.data), **settings}
        for name, value in given.items():
            self._monkeypatch.setenv(f"WARMLEAD_{name}", value)
        backends.settings.cache_clear()
        welcome(host, 8080, on="data", watch=("warmlead lead list",), there={})  # nothing listens
        return self._capsys.readouterr().out


@pytest.fixture
def told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    return Told(workspace, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ("", "(write key: local)"),
        ("local,site-one:signed", "(write key: local)"),
        ("site-one,another:signed", "(write keys: WARMLEAD_WRITE_KEYS)"),
    ],
)
def test_it_names_the_key_that_works(told: Told, keys: str, named: str) -> None:
    out = " ".join(told("0.0.0.0", WRITE_KEYS=keys).split())
    assert named in out
    assert "site-one" not in out
    assert ("the key is known to all" in out) is (named == "(write key: local)")


def exports(out: str) -> dict[str, str]:
    """The variables that a shell has after the lines that a person is told to run."""
    lines = [line for line in out.splitlines() if line.strip().startswith("export ")]
    names = [line.split()[1].partition("=")[0] for line in lines]
    script = "\n".join([*lines, *(f'printf "%s\\n" "${name}"' for name in names)])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.splitlines(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["data", "Ada's data [1]"])
def test_the_printed_commands_find_the_data_in_another_shell(
    workspace: Workspace, told: Told, tmp_path_factory: pytest.TempPathFactory, folder: str
) -> None:
    workspace.settings["WARMLEAD_DATA"] = str(workspace.folder / folder)
    workspace.take(happened("identified", id="1", email="ada@example.com"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    variables = exports(told(DATA=folder))  # a path from where it serves
    done = command_in(elsewhere, "lead", "list", **variables)
    assert "ada@example.com" in done.stdout


@pytest.mark.slow
def test_it_says_which_model_the_commands_need(workspace: Workspace, told: Told) -> None:
    assert exports(told(MODEL="ecommerce"))["WARMLEAD_MODEL"] == "ecommerce"
    workspace.write("mine.yaml", workspace.run("model", "show", "b2b-saas").out)
    found = exports(told(MODEL="mine.yaml"))["WARMLEAD_MODEL"]
    assert Path(found) == workspace.folder / "mine.yaml"


@pytest.mark.parametrize("setting", files_of_senders())
def test_it_says_which_files_the_quarantine_is_replayed_by(
    workspace: Workspace, told: Told, setting: str
) -> None:
    workspace.write("senders.yaml", "{}")
    name = setting.removeprefix(PREFIX)
    assert (
        Path(exports(told(**{name: "senders.yaml"}))[setting]) == workspace.folder / "senders.yaml"
    )


def test_it_says_where_the_command_is_if_the_shell_does_not_know(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert "export PATH" not in told()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert f"export PATH={Path(sys.executable).parent}:$PATH\n" in told()


def test_it_prints_no_secret(told: Told) -> None:
    secret = "a-secret-of-ids-that-nobody-knows-3-1-4-1"
    out = told(ID_SECRET=secret)
    assert secret not in out
    assert "# and WARMLEAD_ID_SECRET, as it is here" in out
    assert "WARMLEAD_ID_SECRET" not in exports(out)


def test_it_names_the_senders_that_there_are(
    workspace: Workspace, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms, sales = workspace.write("forms.yaml", FORMS), workspace.write("sales.yaml", SALES)
    chat = workspace.write("chat.yaml", "intercom: {secrets: [env:HUBSPOT_SECRET]}\n")
    monkeypatch.setenv("HUBSPOT_SECRET", os.urandom(24).hex())
    assert "POST http://127.0.0.1:8080/forms/generic\n" in told()
    out = told(FORMS=str(forms), CHAT=str(chat), SALES=str(sales))
    posts = [line.split()[-1].partition(":8080")[2] for line in out.splitlines() if "POST" in line]
    of_forms = ["/forms/generic/contact", "/forms/generic/demo-request"]
    assert posts == [*of_forms, "/chat/intercom", "/sales/hubspot"]


def test_the_first_of_many_forms_are_named(workspace: Workspace, told: Told) -> None:
    text = "".join(f"form-{n:02}: {{allow_unsigned: true}}\n" for n in range(12))
    out = told(FORMS=str(workspace.write("forms.yaml", text)))
    assert "/forms/generic/form-04\n" in out
    assert "/forms/generic/form-05" not in out
    assert "and 7 more forms" in out


def test_in_production_it_names_no_form_that_nobody_configured(told: Told) -> None:
    out = told(ENV="production", ID_SECRET=os.urandom(24).hex(), WRITE_KEYS=os.urandom(12).hex())
    assert "/forms/generic" not in out
    assert "each is named in the file of WARMLEAD_FORMS" in out
