"""``warmlead source``: what a captured post becomes, and what to write into the settings."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders import NOW
from senders.configured import FIXTURES, sender_of
from unit.cli.conftest import Workspace, command_in
from unit.cli.test_quarantine import set_aside
from warmlead.application.accept import Quarantined
from warmlead.domain.errors import Reason
from warmlead.senders.registry import REGISTRY, by_name
from warmlead.senders.webhooks import WebhookSender

ROOT = Path(__file__).parents[3]
SENDERS = ROOT / "tests/senders"
RESPONSE = {
    "event_id": "01HR5Y",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a",
        "submitted_at": "2026-03-02T09:58:00Z",
        "definition": {"fields": [{"id": "q1", "title": "Your address?"}]},
        "answers": [{"type": "email", "email": "ada@example.com", "field": {"id": "q1"}}],
    },
}
GERMAN = {
    "Wohin?": "ada@example.com",
    "Mannschaft": "51-200",
    "Rolle": "Head of Sales",
    "Ort": "Deutschland",
    "Draht": "+49 30 901820",
}
SUGGESTED = (
    "email: wohin\ntraits: {mannschaft: employees, rolle: title, ort: country, draht: phone}"
)
RAW = (
    "POST /forms/generic/contact?x=1 HTTP/1.1\r\nHost: example.com\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=ada%40example.com&name=Ada"
)


def test_a_body_is_read_by_the_sender_that_knows_it(workspace: Workspace) -> None:
    path = workspace.write("answer.json", json.dumps(RESPONSE))
    seen = workspace.json("source", "inspect", str(path))
    assert (seen["sender"], seen["function"], seen["configured"]) == ("typeform", "forms", False)
    (item,) = seen["items"]
    assert item["outcome"] == "event"
    assert item["event"]["id"] == "a3a12ec67a"
    assert item["event"]["email"] == "ada@example.com"
    assert seen == workspace.json("source", "inspect", str(path), "--sender", "typeform")


def told_apart() -> list[Any]:
    """A fixture that makes an event of each sender that is known by a body alone."""
    firsts: dict[str, Path] = {}
    for path in FIXTURES:
        adapter = by_name(sender_of(path)).adapter_type()
        is_known = issubclass(adapter, WebhookSender) and adapter.is_known_by_body
        if is_known and by_name(sender_of(path)).name not in SETTINGS_ASKED:
            made = json.loads(path.read_text())
            if made["expected"] and isinstance(made["body"], str):
                firsts.setdefault(sender_of(path), path)
    return [pytest.param(path, id=name) for name, path in firsts.items()]


SETTINGS_ASKED = ("meta_leads", "linkedin_leads", "mandrill")
"""Senders without default settings."""


@pytest.mark.parametrize("fixture", told_apart())
def test_the_body_of_each_tool_is_read_as_that_tools(workspace: Workspace, fixture: Path) -> None:
    path = workspace.write("captured.txt", json.loads(fixture.read_text())["body"])
    seen = workspace.json("source", "inspect", str(path))
    assert seen["sender"] == sender_of(fixture)
    assert "event" in {item["outcome"] for item in seen["items"]}
    named = workspace.json("source", "inspect", str(path), "--sender", sender_of(fixture))
    assert [item["outcome"] for item in seen["items"]] == [i["outcome"] for i in named["items"]]


def test_the_page_names_the_senders_that_a_body_does_not_show() -> None:
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"The bodies of (.*?) do not show whose they are", page)
    family = {
        each.name: adapter
        for each in REGISTRY
        if issubclass(adapter := each.adapter_type(), WebhookSender)
    }
    unknown = {name for name, adapter in family.items() if not adapter.is_known_by_body}
    assert set(re.findall(r"`(\w+)`", listed)) == unknown


@pytest.mark.parametrize("function", ["", "/mail"])
def test_a_path_that_begins_like_its_function_is_whole(workspace: Workspace, function: str) -> None:
    (fixture,) = (p for p in FIXTURES if sender_of(p) == "mailgun" and p.stem == "clicked__person")
    body = json.loads(fixture.read_text())["body"]
    head = f"POST {function}/mailgun HTTP/1.1\nContent-Type: application/json\n\n"
    path = workspace.write("post.http", head + body)
    seen = workspace.json("source", "inspect", str(path))
    assert (seen["sender"], seen["items"][0]["event"]["name"]) == ("mailgun", "email_clicked")


@pytest.mark.parametrize("field", ["email", "Your address"])
def test_flat_fields_are_those_of_any_form(workspace: Workspace, field: str) -> None:
    entry = {field: "ada@example.com", "phone": "+49 30 901820", "How many are you?": "120"}
    path = workspace.write("entry.json", json.dumps(entry))
    done = workspace.run("source", "inspect", str(path), "--json")
    assert json.loads(done.out)["sender"] == "generic"


@pytest.mark.parametrize(
    ("sender", "fixture"),
    [
        ("chatwoot", "message_updated__a_rating"),
        ("clerk", "user_created__signed_up"),
        ("mailgun", "clicked__person"),
        ("postmark", "inbound__a_reply"),
    ],
)
def test_a_body_is_found_to_be_of_a_sender_far_down_the_list(
    workspace: Workspace, sender: str, fixture: str
) -> None:
    said = json.loads((SENDERS / sender / "fixtures" / f"{fixture}.json").read_text())
    path = workspace.write("body.json", said["body"])

    seen = workspace.json("source", "inspect", str(path))

    assert seen["sender"] == sender
    found = [item["event"]["name"] for item in seen["items"]]
    assert found == [event["name"] for event in said["expected"]]


def test_a_body_that_no_tool_is_known_for_is_any_form(workspace: Workspace) -> None:
    path = workspace.write("entry.txt", "email=ada%40example.com&company=Acme")
    seen = workspace.json("source", "inspect", str(path), "--form", "contact")
    assert seen["sender"] == "generic"
    assert seen["items"][0]["event"]["traits"] == {"company": "Acme"}
    assert seen["items"][0]["event"]["properties"] == {"form": "contact"}


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_whole_request_says_whose_it_is(workspace: Workspace, ends: str) -> None:
    path = workspace.write("post.http", RAW.replace("\r\n", ends))
    seen = workspace.json("source", "inspect", str(path))
    assert seen["sender"] == "generic"
    assert seen["items"][0]["event"]["traits"] == {"name": "Ada"}


def test_settings_are_suggested_and_make_a_lead_of_the_post(workspace: Workspace) -> None:
    path = workspace.write("entry.json", json.dumps(GERMAN))
    done = workspace.run("source", "inspect", str(path), "--form", "contact")
    assert done.code == 1
    assert "identity_missing" in done.out
    lines = [f"  {line}" for line in SUGGESTED.splitlines()]
    assert done.out.splitlines()[-3:] == ["contact:", *lines]

    settings = "\n".join(["contact:", "  allow_unsigned: true", *lines])
    forms = workspace.write("forms.yaml", settings)
    workspace.settings["WARMLEAD_FORMS"] = str(forms)
    (item,) = workspace.json("source", "inspect", str(path), "--form", "contact")["items"]
    assert item["event"]["email"] == "ada@example.com"
    assert item["event"]["traits"] == {
        "employees": "51-200",
        "title": "Head of Sales",
        "country": "DE",
        "phone": "+49 30 901820",
    }
    assert item["settings"] == ""


def test_a_post_in_quarantine_is_inspected_by_its_number(workspace: Workspace) -> None:
    post = Quarantined(
        reason=Reason.IDENTITY_MISSING,
        message="No field holds an email.",
        source="generic",
        received_at=NOW,
        raw=json.dumps(GERMAN),
        path="/generic/contact",
    )
    set_aside(workspace, post)
    (entry,) = workspace.json("quarantine", "list")
    seen = workspace.json("source", "inspect", str(entry["number"]))
    assert seen["items"][0]["settings"] == SUGGESTED
    assert workspace.run("source", "inspect", "99999").code == 1


def test_what_cannot_be_read_says_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    missing = workspace.run("source", "inspect", "nowhere.json")
    assert (missing.code, "warmlead quarantine list" in missing.err) == (2, True)
    path = workspace.write("answer.json", "{}")
    unknown = workspace.run("source", "inspect", str(path), "--sender", "typefrom")
    assert (unknown.code, "there are generic" in unknown.err) == (2, True)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 1_000_001)
    assert workspace.run("source", "inspect", str(large)).code == 2
    settings = workspace.run("source", "inspect", str(path), "--sender", "hubspot")
    assert (settings.code, "is not configured here" in settings.err) == (1, True)
    empty = workspace.json("source", "inspect", str(path), "--sender", "typeform")
    assert empty["items"][0]["code"] == "kind_unknown"
    assert empty["items"][0]["message"] == "It does not say what happened."


# --- a new sender --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_new_sender_fails_its_tests_until_it_is_filled_in(tmp_path: Path) -> None:
    for part in ("shared", "tests", "docs", "pyproject.toml"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    done = command_in(tmp_path, "source", "new", "acme_forms")
    assert done.returncode == 0, done.stderr
    assert "senders/acme_forms/source.py" in done.stdout

    paths = os.pathsep.join(map(str, (tmp_path / "shared", tmp_path / "tests")))
    (command,) = (line for line in done.stdout.splitlines() if "pytest" in line)
    chosen = (*command.split()[1:], "-n0", "-p", "no:cacheprovider")
    checked = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in checked.stdout.splitlines() if line.startswith("FAILED")]
    failed = {line.split("::")[1].partition("[")[0] for line in lines}
    assert failed >= {
        "test_a_fixture_is_signed_and_its_proof_is_demanded",
        "test_a_fixture_says_on_what_it_is_modelled",
        "test_a_sender_says_what_the_list_of_senders_needs",
        "test_the_page_of_a_sender_agrees_with_its_code",
    }, checked.stdout[-3_000:]
    assert "ERROR" not in checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["typeform"], "There is a sender typeform already"),
        (["Acme!"], "small letters"),
        (["acme", "--function", "decay"], "takes no requests"),
    ],
)
def test_a_sender_that_cannot_begin_says_why(
    workspace: Workspace, arguments: list[str], message: str
) -> None:
    elsewhere = workspace.run("source", "new", *arguments)
    assert (elsewhere.code, "not a checkout" in elsewhere.err) == (2, True)
    registry = workspace.folder / "shared/warmlead/senders/registry.py"
    registry.parent.mkdir(parents=True)
    registry.write_text("")
    done = workspace.run("source", "new", *arguments)
    assert (done.code, message in done.err, registry.read_text()) == (2, True, "")
