"""What mail tools report, through ``warmlead serve``: refusals suppress, machines are worthless.

The requests are the fixtures of the senders, each about a person of its own, signed as of now.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import pytest

from e2e.ledger import drain
from senders.configured import HERE, file_of
from served import Served, serving
from warmlead.ports import RawRequest
from warmlead.runtime.table import MAIL
from warmlead.senders.registry import senders_in
from warmlead.settings import Settings

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
FILE = file_of(MAIL.name)
SENDERS = senders_in(MAIL.name, FILE, Settings())
ONE_EACH = "batch__delivered_opened_clicked"
NORA, TOMAS = "nora.lindqvist@fjordworks.example", "tomas.vesely@brnolabs.example"
GONE, LEFT, ANGRY, FULL = (f"{who}@brnolabs.example" for who in ("gone", "left", "angry", "full"))

MODEL = """\
signals:
  mail_opened: {on: email_opened, points: 1, half_life: 30d}
  mail_clicked: {on: email_clicked, points: 5, half_life: 30d}
stages:
  mql: {enter: score >= 40, leave: score < 5 || mail_refused}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mail")
    (folder / "mail.json").write_text(json.dumps(FILE))
    (folder / "model.yaml").write_text(MODEL)
    mail, model = str(folder / "mail.json"), str(folder / "model.yaml")
    with serving(folder / "data", WARMLEAD_MAIL=mail, WARMLEAD_MODEL=model) as served:
        yield served


def sent(server: Served, sender: str, fixture: str) -> str:
    """Sends a fixture about people of its own, signed as of now; by what their addresses begin."""
    said = json.loads((HERE / sender / "fixtures" / f"{fixture}.json").read_text())
    who = f"{sender}-{fixture}".replace("__", "-").replace("_", "-")
    body = said["body"].replace("0200102", f"user-{who}").replace("7ef807109981", f"cio-{who}")
    for domain in ("fjordworks.example", "brnolabs.example"):
        body = body.replace(domain, f"{who}.example")
    headers = {name: value for name, value in said["headers"].items() if name == "content-type"}
    post(server, said["path"], body.encode(), who, headers=headers, query=said["query"])
    drain(server)
    return f"{who}.example"


def post(
    server: Served,
    path: str,
    body: bytes,
    request_id: str,
    *,
    headers: Mapping[str, str] = MappingProxyType({"content-type": "application/json"}),
    query: str = "",
) -> None:
    """Sends a body to the sender of a path, signed as of now."""
    path = f"/{path.removeprefix('/')}"
    found = SENDERS.at(path)
    assert found
    request = found.sent_anew(
        RawRequest("POST", path, query, headers, body, datetime.now(UTC), request_id)
    )
    asked = f"/mail{path}" + (f"?{query}" if query else "")
    status, answer = server.post(asked, request.body, {**headers, **found.sign(request)})
    assert status == 200, answer


def shown(server: Served, address: str, domain: str) -> dict[str, Any]:
    lead = server.lead(f"{address.partition('@')[0]}@{domain}")
    assert lead is not None
    return lead


@pytest.mark.parametrize(
    ("sender", "fixture", "who", "status"),
    [
        ("sendgrid", "batch__bounces_and_refusals", GONE, "bounced"),
        ("sendgrid", "batch__bounces_and_refusals", LEFT, "unsubscribed"),
        ("sendgrid", "batch__bounces_and_refusals", ANGRY, "complained"),
        ("sendgrid", "batch__machines", NORA, "unsubscribed"),
        ("mailgun", "failed__permanent", NORA, "bounced"),
        ("mailgun", "unsubscribed__by_link", NORA, "unsubscribed"),
        ("mailgun", "complained__feedback_loop", NORA, "complained"),
        ("mailgun", "failed__suppressed_unsubscriber", NORA, "unsubscribed"),
        ("postmark", "bounce__hard", GONE, "bounced"),
        ("postmark", "subscription__bounce_told_again", GONE, "bounced"),
        ("postmark", "subscription__unsubscribed", NORA, "unsubscribed"),
        ("postmark", "bounce__unsubscribe_request", LEFT, "unsubscribed"),
        ("postmark", "spam__complaint", NORA, "complained"),
        ("mailchimp", "unsubscribe__manual", NORA, "unsubscribed"),
        ("mailchimp", "unsubscribe__abuse", NORA, "complained"),
        ("mailchimp", "cleaned__hard", GONE, "bounced"),
        ("mailchimp", "cleaned__abuse", ANGRY, "complained"),
        ("resend", "bounced__permanent", GONE, "bounced"),
        ("resend", "suppressed__on_the_list", GONE, "bounced"),
        ("resend", "complained__two_recipients", TOMAS, "complained"),
        ("resend", "contact__unsubscribed", NORA, "unsubscribed"),
        ("customerio", "email__bounced", GONE, "bounced"),
        ("customerio", "email__dropped", NORA, "bounced"),
        ("customerio", "email__spammed", NORA, "complained"),
        ("customerio", "email__unsubscribed", NORA, "unsubscribed"),
        ("customerio", "customer__unsubscribed", NORA, "unsubscribed"),
        ("customerio", "customer__topics_chosen", NORA, "unsubscribed"),
        ("customerio", "customer__no_mail_at_all", NORA, "unsubscribed"),
        ("brevo", "marketing__hard_bounce", GONE, "bounced"),
        ("brevo", "transactional__invalid_email", GONE, "bounced"),
        ("brevo", "transactional__blocked", LEFT, "bounced"),
        ("brevo", "transactional__unsubscribed", NORA, "unsubscribed"),
        ("brevo", "marketing__unsubscribe", NORA, "unsubscribed"),
        ("brevo", "marketing__spam", NORA, "complained"),
    ],
)
def test_who_said_no_or_cannot_be_reached_is_written_to_no_more(
    server: Served, sender: str, fixture: str, who: str, status: str
) -> None:
    consent = shown(server, who, sent(server, sender, fixture))["consent"]

    assert (consent["status"], consent["may_be_mailed"]) == (status, False)


@pytest.mark.parametrize(
    ("sender", "fixture", "who"),
    [
        ("postmark", "bounce__soft", FULL),
        ("resend", "bounced__transient", FULL),
        ("mailgun", "failed__policy_is_soft", NORA),
        ("brevo", "transactional__soft_bounce", FULL),
        ("mailchimp", "subscribe__merge_fields", NORA),
        ("postmark", "subscription__resubscribed", NORA),
    ],
)
def test_whom_one_mail_did_not_reach_or_who_subscribed_may_be_written_to(
    server: Served, sender: str, fixture: str, who: str
) -> None:
    assert shown(server, who, sent(server, sender, fixture))["consent"]["may_be_mailed"]


def test_machines_bring_no_points_and_are_told(server: Served) -> None:
    lead = shown(server, NORA, sent(server, "sendgrid", "batch__machines"))

    assert lead["score"] <= 5  # one click of a person; 2 opens and 4 clicks were machines'
    assert lead["events"]["email_clicked"] == 1
    assert lead["automated"] == {"robot": 1, "prefetch": 2, "burst": 3}
    explained = told_by(server, lead["email"])
    assert "1 request of a declared robot" in explained
    assert "3 clicks on several links at one moment" in explained
    assert "2 prefetches" in explained


def told_by(server: Served, email: str) -> str:
    """What ``lead explain`` says, on one line."""
    return " ".join(server.command("lead", "explain", email).stdout.split())


BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/144.0.0.0"


def of_sendgrid(number: int, email: str, kind: str, at: datetime, link: str = "") -> Any:
    """An event of SendGrid, with the fields of its documentation's examples."""
    event = {
        "email": email,
        "timestamp": int(at.timestamp()),
        "event": kind,
        "sg_event_id": f"{email}-{number}",
        "sg_message_id": f"pQx3bLr.recvd-7c4d8b6f9-h2mkx-1-{number}.0",
    }
    return [event | ({"url": link, "useragent": BROWSER} if link else {})]


def of_mailgun(number: int, email: str, kind: str, at: datetime, link: str = "") -> Any:
    """An event of Mailgun, with the fields of its documentation's examples."""
    event = {
        "event": "clicked" if kind == "click" else kind,
        "id": f"{email}-{number}",
        "timestamp": at.timestamp(),
        "recipient": email,
        "message": {"headers": {"message-id": "20260302095812.3b8f@fjordworks.example"}},
    }
    clicked = {"url": link, "client-info": {"user-agent": BROWSER}} if link else {}
    return {"event-data": event | clicked}


@pytest.mark.parametrize("form", [of_sendgrid, of_mailgun])
@pytest.mark.parametrize("chance", [Random(1), Random(2)], ids=["one order", "another"])
def test_machines_are_found_in_separate_requests_in_any_order(
    server: Served, form: Callable[..., Any], chance: Random
) -> None:
    """A delivery with a scan, then seven links at one moment, then the person's own click."""
    sender = form.__name__.removeprefix("of_")
    email, sent_at = f"{sender}{chance.random()}@fjordworks.example", datetime.now(UTC) - HOUR
    links = [f"https://shop.example/{nth}" for nth in range(7)]
    told = [("delivered", 0.0, ""), ("click", 3.0, links[0])]
    told += [("click", 600 + nth / 4, link) for nth, link in enumerate(links)]
    told += [("click", 1_800.0, links[0])]
    bodies = [
        form(nth, email, kind, sent_at + timedelta(seconds=after), link)
        for nth, (kind, after, link) in enumerate(told)
    ]
    chance.shuffle(bodies)
    for nth, body in enumerate(bodies):
        post(server, sender, json.dumps(body).encode(), f"{email}-{nth}")
        if nth % 3 == 0:
            drain(server)
    drain(server)

    lead = server.lead(email)
    assert lead is not None
    assert lead["automated"] == {"scan": 1, "burst": 7}
    assert (lead["score"], lead["events"]["email_clicked"]) == (5, 1)
    explained = told_by(server, email)
    assert "1 click at a mail's delivery" in explained
    assert "7 clicks on several links at one moment" in explained


def test_a_repeat_counts_once(server: Served) -> None:
    domain = sent(server, "sendgrid", ONE_EACH)
    assert sent(server, "sendgrid", ONE_EACH) == domain
    assert shown(server, NORA, domain)["events"] == {
        "email_delivered": 1,
        "email_opened": 1,
        "email_clicked": 1,
    }


@pytest.mark.parametrize(
    ("sender", "fixture"),
    [("resend", "clicked__one"), ("mailgun", "clicked__person"), ("sendgrid", ONE_EACH)],
)
def test_the_command_sends_as_a_mail_tool_would(
    server: Served, tmp_path: Path, sender: str, fixture: str
) -> None:
    said = json.loads((HERE / sender / "fixtures" / f"{fixture}.json").read_text())
    address = f"by-hand@{sender}.example"
    (tmp_path / "told.json").write_text(said["body"].replace(NORA, address))

    done = server.command("send", sender, str(tmp_path / "told.json"), "--to", server.base)

    assert done.returncode == 0, done.stderr
    drain(server)
    assert shown(server, address, f"{sender}.example")["events"]["email_clicked"] == 1
