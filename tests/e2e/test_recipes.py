"""The code of the recipes, taken from their pages, with requests as they come."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority import ACCOUNT, AUDIENCE, Key, an_authority, bad_headers
from destinations.crm_server import running as crm_running
from destinations.crms import HubSpotPlace
from e2e.documented import ROOT, code_of
from e2e.node_clients import install_node_clients
from kept_requests import KeptRequest, KeptRequests
from patience import PATIENCE_S, until
from served import free_port
from warmlead.application.deliver import outgoing_of
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Sent
from warmlead.model.loading import ready_model
from warmlead.ports import RawRequest
from warmlead.senders.registry import senders_in
from warmlead.settings import Settings

RECIPES = ROOT / "docs/recipes"
EXAMPLE = (ROOT / "docs/messages/warmlead.lead.stage_entered.v1.example.json").read_bytes()
STEP_DUE = (ROOT / "docs/messages/warmlead.nurture.step_due.v1.example.json").read_bytes()
SECRET = f"whsec_{base64.b64encode(b'the secret of the tests of recipes').decode()}"
TEXT_SECRET = "Zk3vQ0dW9yB-a-secret-that-is-a-text_5xR"


def sections(page: str, number: int = 0) -> dict[str, Any]:
    """A file of settings on a page."""
    found: dict[str, Any] = yaml.safe_load(code_of(RECIPES / page, "yaml")[number])
    return found


async def sent(page: str, name: str, secret: str, *, at: datetime | None = None) -> KeptRequest:
    """What the section of the page sends of an example."""
    outbound = KeptRequests()
    section = {**sections(page)[name], "secrets": [secret]}
    using = Settings(env="production")
    destination = destinations_in({name: section}, using, outbound)[name]
    outgoing = outgoing_of(EXAMPLE)
    assert destination.wants(outgoing)
    assert await destination.send(outgoing, at or datetime.now(UTC)) == Sent()
    (request,) = outbound.sent
    assert request.url == section["url"]
    return request


def otherwise(request: KeptRequest) -> KeptRequest:
    """The same with another score, so that the signature is not that of the body."""
    body = request.body.replace(b'"score": 55', b'"score": 99')
    assert body != request.body
    return KeptRequest(request.url, request.headers, body)


OLD = timedelta(minutes=6)


@pytest.mark.parametrize(
    "page", sorted(set(RECIPES.glob("*.md")) - {RECIPES / "README.md"}), ids=lambda page: page.stem
)
def test_a_recipe_says_what_one_needs_and_what_one_sees(page: Path) -> None:
    before, needs, rest = page.read_text(encoding="utf-8").partition("**You need** ")
    assert needs
    assert "## " not in before, "what one needs comes first"
    assert "**You see** " in rest


# --- n8n ---


def code_node(request: KeptRequest) -> Any:
    """What the Code node of the page gives for a request."""
    (code,) = code_of(RECIPES / "n8n.md", "javascript")
    assert code.count("whsec_…") == 1
    item = {"json": {"headers": request.headers}, "data": base64.b64encode(request.body).decode()}
    done = subprocess.run(
        ["node", "code-node.mjs"],
        cwd=install_node_clients(),
        input=json.dumps({"code": code.replace("whsec_…", SECRET), "items": [item]}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_the_code_node_of_n8n_hands_on_what_is_signed() -> None:
    request = await sent("n8n.md", "n8n", SECRET)
    assert code_node(request) == {"items": [{"json": json.loads(request.body)}]}

    assert "does not match" in code_node(otherwise(request))["error"]
    nothing = {k: v for k, v in request.headers.items() if not k.startswith("webhook-")}
    assert "does not match" in code_node(KeptRequest("", nothing, request.body))["error"]
    old = await sent("n8n.md", "n8n", SECRET, at=datetime.now(UTC) - OLD)
    assert "too old" in code_node(old)["error"]


# --- Zapier and Make ---


def zapier_step(request: KeptRequest) -> Any:
    """What the step of the page outputs for a request that Zapier caught raw."""
    (code,) = code_of(RECIPES / "zapier-and-make.md", "python")
    input_data = {
        "secret": SECRET,
        "body": request.body.decode(),
        "id": request.headers["webhook-id"],
        "time": request.headers["webhook-timestamp"],
        "signature": request.headers["webhook-signature"],
    }
    names: dict[str, Any] = {"input_data": input_data}
    exec(compile(code, "zapier.py", "exec"), names)  # the page's own text
    return names["output"]


async def test_the_step_of_zapier_outputs_what_is_signed() -> None:
    request = await sent("zapier-and-make.md", "zapier", SECRET)
    message = json.loads(request.body)
    assert zapier_step(request) == {
        "id": message["id"],
        "email": "ada@example.com",
        "company": "Analytical Engines",
        "stage": "mql",
        "score": message["data"]["score"],
        "reasons": "\n".join(message["data"]["reasons"]),
    }
    with pytest.raises(ValueError, match="does not match"):
        zapier_step(otherwise(request))
    old = await sent("zapier-and-make.md", "zapier", SECRET, at=datetime.now(UTC) - OLD)
    with pytest.raises(ValueError, match="too old"):
        zapier_step(old)


async def test_the_formula_of_make_is_in_the_header_that_we_send() -> None:
    (formula,) = code_of(RECIPES / "zapier-and-make.md", "text")
    text, encoding, key = re.fullmatch(r"sha256\((.*); (\w+); (\w+)\)", formula).groups()  # type: ignore[union-attr]  # it fails if there is none
    assert (encoding, key) == ("base64", "SECRET")

    request = await sent("zapier-and-make.md", "make", TEXT_SECRET)

    def worth(body: bytes) -> str:
        parts = {f"header({name})": value.encode() for name, value in request.headers.items()}
        signed = b".".join({**parts, "value": body}[part] for part in text.split("."))
        return base64.b64encode(hmac.digest(TEXT_SECRET.encode(), signed, hashlib.sha256)).decode()

    assert worth(request.body) in request.headers["webhook-signature"]
    assert worth(otherwise(request).body) not in request.headers["webhook-signature"]


# --- Cloud Run ---


GOOGLE_TAKES = {"no key named", "not yet valid", "valid from a text"}
"""What Google's library takes: its key has signed them, and its tokens have no ``nbf``."""


@contextmanager
def cloud_run(folder: Path, certificates: str) -> Iterator[str]:
    """The service of the page, started as its buildpack starts it; its address."""
    (code,) = code_of(RECIPES / "push-to-cloud-run.md", "python")
    (theirs,) = re.findall(r'^CERTS = "(.*)"$', code, re.MULTILINE)
    (folder / "main.py").write_text(code.replace(theirs, certificates))
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--target=receive", f"--port={port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host=127.0.0.1"],
            cwd=folder,
            env={**os.environ, "AUDIENCE": AUDIENCE, "ACCOUNT": ACCOUNT},
            stdout=log,
            stderr=log,
        )
    base = f"http://127.0.0.1:{port}/"
    try:
        until(lambda: process.poll() is not None or pushed(base, b"", None) == 401)
        assert process.poll() is None, (folder / "log").read_text()
        yield base
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def pushed(base: str, message: bytes, authorization: str | None) -> int:
    """The status for a push, as Pub/Sub makes it; 0 without an answer."""
    data = base64.b64encode(message).decode()
    push = {"message": {"data": data, "messageId": "1", "attributes": {}}, "subscription": "s"}
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    request = urllib.request.Request(base, json.dumps(push).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_the_service_on_cloud_run_acts_on_pushes_of_our_subscription_alone(tmp_path: Path) -> None:
    ours, stranger = Key("ours"), Key("stranger")
    message = EXAMPLE
    with an_authority(ours) as authority, cloud_run(tmp_path, authority.url) as base:
        answered = {
            fault: pushed(base, message, header)
            for fault, header in bad_headers(ours, stranger).items()
            if fault not in GOOGLE_TAKES
        }
        assert set(answered.values()) == {401, 431}  # one header is too long for the server
        assert "ada@example.com" not in (tmp_path / "log").read_text()
        assert pushed(base, message, f"Bearer {ours.token()}") == 204
    assert (tmp_path / "log").read_text().count("ada@example.com is mql") == 1


# --- SendGrid and HubSpot ---


async def test_the_mails_of_the_sequence_are_sent_by_their_templates() -> None:
    section = sections("nurture-by-sendgrid.md")["nurture-mails"]
    (sequence,) = (
        each for each in ready_model("b2b-saas").rules.sequences if each.name == "mql-education"
    )
    assert [step.message for step in sequence.steps] == list(section["templates"])
    example = json.loads(STEP_DUE)
    for number, (message, template) in enumerate(section["templates"].items()):
        outbound = KeptRequests(202)
        made = destinations_in({"x": section | {"tokens": ["SG.key"]}}, Settings(), outbound)["x"]
        data = {**example["data"], "message": message}
        outgoing = outgoing_of(json.dumps({**example, "id": f"{number}", "data": data}).encode())
        assert made.wants(outgoing)
        assert isinstance(await made.send(outgoing, datetime.now(UTC)), Sent)
        (request,) = outbound.sent
        assert json.loads(request.body)["template_id"] == template


def test_the_settings_for_what_sendgrid_reports_are_good() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = sections("nurture-by-sendgrid.md", 1)
    content["sendgrid"]["secrets"] = [base64.b64encode(der).decode()]
    assert "sendgrid" in senders_in("mail", content, Settings(env="production")).by_path


async def test_the_score_is_written_to_hubspot() -> None:
    place, section = HubSpotPlace(), sections("hubspot.md")["hubspot"]
    with crm_running(place.server):
        made = place.made(**{**section, "tokens": place.section()["tokens"]})
        await made.setup()
        outgoing = outgoing_of(EXAMPLE)
        assert made.wants(outgoing)
        assert isinstance(await made.send(outgoing, datetime.now(UTC)), Sent)
    (contact,) = place.held()
    assert (contact.email, contact.stage, contact.score) == ("ada@example.com", "mql", "55")


@pytest.mark.parametrize(
    ("status", "event", "reason"),
    [
        ("IN_PROGRESS", "sales_touched", None),
        ("CONNECTED", "sales_accepted", None),
        ("UNQUALIFIED", "sales_rejected", "bad_fit"),
        ("BAD_TIMING", "sales_rejected", "not_ready"),
    ],
)
def test_what_sales_does_in_hubspot_comes_back(status: str, event: str, reason: str | None) -> None:
    section: Mapping[str, Any] = sections("hubspot.md", 1)["hubspot"]
    content = {"hubspot": {**section, "secrets": ["a-client-secret-of-the-tests"]}}
    sender = senders_in("sales", content, Settings(env="production")).by_path["hubspot"]
    request = RawRequest(
        method="POST",
        path="/hubspot",
        query="",
        headers={"content-type": "application/json"},
        body=json.dumps({"email": "ada@example.com", "hs_lead_status": status}).encode(),
        received_at=datetime.now(UTC),
        request_id="req",
    )
    proof = {name.lower(): value for name, value in sender.sign(request).items()}
    signed = replace(request, headers={**request.headers, **proof})
    ((_, found),) = sender.translate(signed, sender.verify(signed)).events
    assert (found.name, found.email) == (event, "ada@example.com")
    assert found.properties.get("reason") == reason
