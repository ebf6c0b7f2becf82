"""``warmlead send``: a fixture arrives as its sender would send it, signed if it must be."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from patience import until
from served import Served, free_port, serving
from unit.cli.conftest import Workspace, command_in

STANDARD = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes!").decode()
FORMS = {
    "signed": {"signature": {"secrets": [STANDARD, "an older one"]}},
    "hashed": {
        "signature": {
            "scheme": "hmac",
            "secrets": ["env:CONTACT_SECRET"],
            "hmac": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "encoding": "base64"},
        }
    },
    "open": {"allow_unsigned": True, "event": "demo_requested"},
}
SUBMISSION = '{"email": "%s", "name": "Ada"}'
BATCH = '{"batch": [{"type": "page", "anonymousId": "sent-by-hand", "messageId": "1"}]}'

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("send")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("send")
    forms = folder / "forms.yaml"
    forms.write_text(json.dumps(FORMS))
    secret = "a secret of the tests"
    data = folder / "data"
    with serving(data, WARMLEAD_FORMS=str(forms), CONTACT_SECRET=secret) as served:
        yield served


@pytest.fixture
def sender(workspace: Workspace, server: Served) -> Workspace:
    """A folder from which one sends, with the server's forms among its settings."""
    for name in ("WARMLEAD_FORMS", "CONTACT_SECRET"):
        workspace.settings[name] = server.environment[name]
    return workspace


@pytest.mark.parametrize("form", ["signed", "hashed", "open", "unheard-of"])
def test_a_submission_is_accepted_signed_or_not(
    sender: Workspace, server: Served, form: str
) -> None:
    email = f"{form}@example.com"
    path = sender.write("submission.json", SUBMISSION % email)
    done = sender.run("send", "generic", str(path), "--form", form, "--to", f"{server.base}/")
    assert (done.code, done.out.splitlines()[0]) == (0, '200 {"success": true}'), done.err
    until(lambda: server.lead(email))


def test_form_fields_may_come_from_standard_input(sender: Workspace, server: Served) -> None:
    fields = b"email=stdin%40example.com&name=A+da"
    assert sender.run("send", "generic", "-", "--to", server.base, stdin=fields).code == 0
    until(lambda: server.lead("stdin@example.com"))
    assert server.json("lead", "show", "stdin@example.com")["traits"]["name"] == "A da"


@pytest.mark.parametrize("form", ["signed", "hashed"])
def test_another_secret_is_refused(sender: Workspace, server: Served, form: str) -> None:
    others = json.dumps(FORMS).replace("env:CONTACT_SECRET", "mine").replace(STANDARD, "mine")
    sender.settings["WARMLEAD_FORMS"] = str(sender.write("forms.yaml", others))
    path = sender.write("submission.json", SUBMISSION % "mallory@example.com")
    done = sender.run("send", "generic", str(path), "--form", form, "--to", server.base)
    assert done.code == 1
    assert "answered 401" in done.err
    assert "signature_invalid" in done.err
    assert server.lead("mallory@example.com") is None


def test_a_batch_is_sent_with_its_write_key(sender: Workspace, server: Served) -> None:
    path = str(sender.write("batch.json", BATCH))
    assert sender.run("send", "segment", path, "--to", server.base).code == 0
    until(lambda: server.lead("sent-by-hand"))
    done = sender.run("send", "segment", path, "--to", server.base, "--write-key", "mallory")
    assert done.code == 1
    assert "unauthorized" in done.err


def test_an_unknown_sender_file_or_address_is_a_usage_error(workspace: Workspace) -> None:
    path = str(workspace.write("submission.json", SUBMISSION % "ada@example.com"))
    for arguments in (
        ["typefrom", path],
        ["generic", "nowhere.json"],
        ["generic", path, "--to", "x"],
    ):
        done = workspace.run("send", *arguments)
        assert done.code == 2
        assert "error" in done.err


def test_send_reports_that_no_server_listens(workspace: Workspace) -> None:
    path = str(workspace.write("submission.json", SUBMISSION % "ada@example.com"))
    done = workspace.run("send", "generic", path, "--to", f"http://127.0.0.1:{free_port()}")
    assert done.code == 1
    assert "does not answer" in done.err


def test_faulty_forms_are_told_with_every_fault_and_no_secret(tmp_path: Path) -> None:
    forms = {
        "A b": {"allow_unsigned": True},
        "c": {"signature": {"secrets": ["whsec_!hush"]}},
        "d": {},
    }
    (tmp_path / "forms.yaml").write_text(json.dumps(forms))
    settings = {"WARMLEAD_FORMS": str(tmp_path / "forms.yaml"), "WARMLEAD_DATA": str(tmp_path)}
    done = command_in(tmp_path, "send", "generic", "-", **settings)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr
    for fault in ("A b", "c.signature", "d: give a signature"):
        assert fault in done.stderr
