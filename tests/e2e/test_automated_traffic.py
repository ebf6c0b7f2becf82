"""Robots, previews and prefetches over HTTP; and texts that would steer whoever reads them."""

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest

from e2e.chromium import PERSON
from e2e.ledger import drain
from patience import PATIENCE_S
from served import Served, serving
from warmlead.domain.text import UNPRINTABLE

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = PERSON.replace("Chrome/", "HeadlessChrome/")
MARK = "owned-by-nobody"
STEERING = f"\x1b]0;{MARK}\x07\u202e\x00\x9b2J"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("warmlead") / "data") as served:
        yield served


def call(server: Served, path: str, body: dict[str, Any], agent: str, **headers: str) -> None:
    named = {"User-Agent": agent, **{n.replace("_", "-"): v for n, v in headers.items()}}
    sent = json.dumps({**body, "writeKey": "local"}).encode()
    status, answer = server.post(path, sent, named)
    assert (status, answer) == (200, b'{"success": true}')


def pixel(server: Served, method: str, agent: str, **fields: str) -> None:
    query = urlencode({"writeKey": "local", **fields})
    url = f"{server.base}/v1/pixel/track?{query}"
    request = urllib.request.Request(url, headers={"User-Agent": agent}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert answer.status == 200


def lead(server: Served, who: str) -> dict[str, Any]:
    drain(server)
    found = server.lead(who)
    assert found
    return found


def steers(text: str) -> list[str]:
    return UNPRINTABLE.findall(text.replace("\n", ""))


def test_a_robot_on_the_pricing_page_is_kept_and_worth_nothing(server: Served) -> None:
    page = {"anonymousId": "robot-1", "properties": {"path": "/pricing"}}
    for _ in range(3):
        call(server, "/v1/page", page, GOOGLEBOT)
    seen = lead(server, "robot-1")
    assert (seen["score"], seen["signals"]) == (0, {})
    assert seen["events"] == {"robot_request": 3}
    assert seen["automated"] == {"robot": 3}
    explained = server.command("lead", "explain", "robot-1").stdout
    assert "Worth nothing: 3 requests of declared robots." in explained
    assert "3 requests of declared robots" in server.command("lead", "show", "robot-1").stdout


def test_the_same_pages_seen_by_a_person_count(server: Served) -> None:
    page = {"anonymousId": "person-1", "properties": {"path": "/pricing"}}
    call(server, "/v1/page", page, PERSON, Sec_Purpose="prefetch;prerender")
    call(server, "/v1/page", page, PERSON)
    seen = lead(server, "person-1")
    assert seen["events"] == {"page_viewed": 1, "prefetch_request": 1}
    assert seen["score"] > 0


def test_a_pixel_that_is_asked_for_first_is_still_seen_once(server: Served) -> None:
    fields = {"userId": "reader-1", "event": "Email Opened", "messageId": "open-1"}
    for method, agent in (("HEAD", PERSON), ("GET", GOOGLEBOT), ("GET", PERSON), ("GET", PERSON)):
        pixel(server, method, agent, **fields)
    seen = lead(server, "reader-1")
    assert seen["events"] == {"email_opened": 1, "head_request": 1, "robot_request": 1}


def test_an_automated_refusal_counts_and_an_automated_subscription_does_not(
    server: Served,
) -> None:
    fields = {"userId": "reader-2", "event": "Email Unsubscribed"}
    pixel(server, "GET", "WhatsApp/2.23.20.0 A", **fields)
    pixel(server, "HEAD", PERSON, **fields)
    call(server, "/v1/track", {**fields, "event": "Newsletter Subscribed"}, GOOGLEBOT)
    seen = lead(server, "reader-2")
    assert seen["events"] == {"head_request": 1, "preview_request": 1, "robot_request": 1}
    assert seen["consent"]["status"] == "unsubscribed"


def test_a_form_that_a_headless_browser_posts_is_a_lead(server: Served) -> None:
    body = urlencode({"email": "head@less.example", "first_name": "Hedy"}).encode()
    headers = {"User-Agent": HEADLESS, "Content-Type": "application/x-www-form-urlencoded"}
    status, _ = server.post("/forms/generic/contact", body, headers)
    assert status == 200
    seen = lead(server, "head@less.example")
    assert (seen["stage"], seen["traits"]["first_name"]) == ("lead", "Hedy")
    assert seen["events"] == {"headless_request": 1}


def test_form_tools_and_server_sdks_count(server: Served) -> None:
    for agent in ("Typeform Webhooks", "node-fetch", "curl/8.11.1", "Zapier"):
        body = json.dumps({"email": f"{len(agent)}@tool.example"}).encode()
        assert server.post("/forms/generic/contact", body, {"User-Agent": agent})[0] == 200
        assert lead(server, f"{len(agent)}@tool.example")["events"] == {"form_submitted": 1}
    for agent in ("analytics-python/2.2.2", "okhttp/4.12.0", "Go-http-client/2.0"):
        call(server, "/v1/track", {"userId": agent, "event": "Signed Up"}, agent)
        assert lead(server, agent)["events"] == {"signed_up": 1}


def test_control_characters_never_leave_the_product(server: Served) -> None:
    form = {
        "email": "eve@steer.example",
        "first_name": f"{STEERING}Eve",
        "message": f"one\ntwo{STEERING}",
        "company": STEERING.replace(MARK, ""),
        "title": "CEO",
        "employees": "80",
        "country": "US",
    }
    body = urlencode(form).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.post("/forms/generic/contact", body, kind)[0] == 200
    demo = {"userId": "eve@steer.example", "event": "Demo Requested", "context": {"traits": form}}
    call(server, "/v1/track", demo, PERSON)
    bad = {"batch": [{"type": STEERING, "userId": "u"}, {"type": "page", "userId": "u"}]}
    server.post("/v1/batch", json.dumps({**bad, "writeKey": "local"}).encode())
    assert lead(server, "eve@steer.example")["traits"]["first_name"] == f"]0;{MARK}2JEve"
    commands = (
        ("lead", "list"),
        ("lead", "show", "eve@steer.example"),
        ("lead", "explain", "eve@steer.example"),
        ("lead", "export", "eve@steer.example"),
        ("triggers",),
        ("quarantine", "list"),
    )
    for command in commands:
        for form_ in (command, (*command, "--json")) if command[1:2] != ("export",) else (command,):
            done = server.command(*form_)
            assert done.returncode == 0, done.stderr
            assert not steers(done.stdout), form_
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as connection:
        rows = connection.execute("SELECT body FROM messages WHERE topic = 'mql'").fetchall()
    assert rows
    for (message,) in rows:
        assert not steers(str(json.loads(message)["data"]["lead"]["traits"]["first_name"]))
        assert b"\\u0000" not in message
    log = (server.data.parent / f"serve-{server.base.rpartition(':')[2]}.log").read_text()
    assert MARK not in log
    assert not steers(log)
