"""Addresses, headers, failures, forms."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW, an_event, lead_ids
from unit.dashboard.seen import READER, TOKEN, Seen
from warmlead.application.accept import read_events
from warmlead.dashboard.access import Viewer
from warmlead.dashboard.health_page import health_page
from warmlead.dashboard.rendering import POLICY, asset, asset_path
from warmlead.dashboard.statements import stated
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.sales import SalesStatus
from warmlead.domain.trigger import Topic
from warmlead.learning.kept_looks import KeptLook, keep_look
from warmlead.messages.watch import MonthlyLook
from warmlead.ports import RawRequest
from warmlead.reporting.periods import read_period

ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))
PAGES = (
    *("", "/", "/dashboard", "/dashboard/", "/leads", f"/leads/{ADA}"),
    *("/model", "/model/try", "/model/unmatched", "/health", "/scores", "/reports"),
)
MOST_BYTES = 60_000
MESSAGES = Path(__file__).parents[3] / "docs/messages"


async def with_ada(seen: Seen) -> str:
    await seen.apply(an_event(email="ada@example.com", trust=Trust.SIGNED))
    return ADA


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_private_small_and_keeps_to_itself(seen: Seen, path: str) -> None:
    await with_ada(seen)
    answer = await seen.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert len(answer.body) < MOST_BYTES
    assert b"<style" not in answer.body
    assert not re.search(rb"<script(?! src=)", answer.body)
    assert not re.search(rb"\s(style|on\w+)=", answer.body)
    assert (await seen.get(path, cookie="")).status == 401


@pytest.mark.parametrize("path", ["/leads", f"/leads/{ADA}", ""])
async def test_long_texts_of_senders_make_no_page_long(seen: Seen, path: str) -> None:
    long = {"name": "N" * 8_000, "company": "C" * 8_000, "title": "T" * 8_000}
    for email in ("ada@example.com", *(f"{number}@example.com" for number in range(30))):
        await seen.apply(an_event(email=email, trust=Trust.SIGNED, traits=long, id=email))
    answer = await seen.get(path)
    assert (answer.status, len(answer.body) < MOST_BYTES) == (200, True)


@pytest.mark.parametrize("path", ["/leads.csv", "/api/leads", "/api/openapi.json", "/nothing"])
async def test_without_access_nothing_is_told_not_even_what_exists(seen: Seen, path: str) -> None:
    assert (await seen.get(path, cookie="")).status == 401


async def test_the_page_of_the_model_shows_month_by_month_whether_it_still_holds(
    seen: Seen,
) -> None:
    assert b"No month has been looked at yet." in (await seen.get("/model")).body

    kind = "warmlead.model.drifted.v1"
    told = json.loads((MESSAGES / f"{kind}.example.json").read_bytes())["data"]
    for month, outcome in (("2026-02", "2025-11"), ("2025-11", "2025-08")):
        ripe = [{**told["outcomes"][0], "month": outcome}]
        look = MonthlyLook.model_validate({**told, "month": month, "outcomes": ripe})
        kept = KeptLook(seen.parts.rules.version, look.model_dump_json(), is_told=True)
        await keep_look(seen.parts.reports, read_period(month, NOW), kept)

    shown = (await seen.get("/model")).body.decode()
    words = " ".join(re.sub("<[^>]+>", " ", shown).split())
    limit = f"{told['scores']['limit']:.2f}"
    assert told["reasons"][0] in words
    assert f"2026-02 200 0.50 {limit} – – alarm" in words
    assert f"2025-11 200 0.50 {limit} 21 of 210 22 (13–32) alarm" in words


def test_no_policy_allows_what_stands_in_the_page() -> None:
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in POLICY


async def test_what_a_page_loads_is_there_for_good(seen: Seen) -> None:
    page = (await seen.get("/leads")).body.decode()
    for name in ("style.css", "page.js", "icon.svg"):
        assert f"/dashboard{asset_path(name)}" in page
        answer = await seen.get(asset_path(name), cookie="")
        assert "immutable" in answer.headers["Cache-Control"]
    assert (await seen.get("/static/000000000000/style.css")).status == 404
    assert (await seen.get("/static/../../settings.py")).status == 404


def test_paper_is_neither_dark_nor_a_telephone() -> None:
    assert re.findall(r"@media ?([^ {(]*)", asset("style.css").decode()) == [
        *["screen"] * 3,
        "print",
    ]


async def test_a_page_with_all_that_it_loads_is_small(seen: Seen) -> None:
    await with_ada(seen)
    loaded = [await seen.get(asset_path(name)) for name in ("style.css", "page.js", "icon.svg")]
    page = await seen.get("/")
    assert len(page.body) + sum(len(each.body) for each in loaded) < MOST_BYTES


async def test_the_link_opens_the_pages_in_one_browser(seen: Seen) -> None:
    opened = await seen.get(f"/open?token={TOKEN}", cookie="")
    assert (opened.status, "Set-Cookie" in opened.headers) == (200, True)
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    wrong = await seen.get("/open?token=other", cookie="")
    assert (wrong.status, "Set-Cookie" in wrong.headers) == (401, False)


async def test_what_needs_somebody_stands_first(seen: Seen) -> None:
    async def counted() -> tuple[int, int]:
        return 1, 2_000

    answer = await health_page(replace(seen.parts, counted=counted), NOW)
    words = " ".join(re.sub("<[^>]+>", " ", answer.body.decode()).split())
    assert "3 of 6 need somebody" in words
    told = ("is not reported.", "1 post could not be counted.", "2 000 messages failed", " fine ")
    places = [words.index(each) for each in told]
    assert places == sorted(places)


async def test_a_failure_is_a_page_for_people_and_json_for_programs(seen: Seen) -> None:
    page = await seen.get("/leads/nobody", **{"sec-fetch-mode": "navigate"})
    assert (page.status, page.content_type) == (404, "text/html; charset=utf-8")
    json = await seen.get("/api/leads/nobody", **{"sec-fetch-mode": "cors"})
    assert (json.status, json.content_type) == (404, "application/json")
    for answer in (page, json):
        assert answer.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize(
    "query",
    [
        "order=name",
        "after=x",
        "after=1.ABC",
        "overdue=maybe",
        f"source={'x' * 321}",
        "at=9999",
        "at=x",
    ],
)
async def test_a_query_that_nobody_can_ask_is_refused(seen: Seen, query: str) -> None:
    path = "/" if query.startswith("at=") else "/leads"
    answer = await seen.get(f"{path}?{query}")
    assert answer.status == 400


async def test_only_reading_and_the_form_are_answered(seen: Seen) -> None:
    put = await seen.ask("PUT", "/leads", {})
    assert (put.status, put.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert (await seen.ask("POST", "/leads", {})).status == 404
    assert (await seen.ask("OPTIONS", "/leads", {})).status == 405


async def test_a_reader_reads_the_api_and_opens_no_page(seen: Seen) -> None:
    await with_ada(seen)
    bearer = {"authorization": f"Bearer {READER}", "cookie": ""}
    assert (await seen.get(f"/api/leads/{ADA}", **bearer)).status == 200
    assert (await seen.get(f"/leads/{ADA}", **bearer)).status == 401
    assert (await seen.ask("POST", f"/leads/{ADA}/say", bearer)).status == 401


# --- the buttons ---------------------------------------------------------------------------


async def form_of(seen: Seen, **others: str) -> dict[str, str]:
    page = (await seen.get(f"/leads/{ADA}")).body.decode()
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**hidden, **others}


async def published(seen: Seen) -> list[object]:
    bus = seen.parts.bus
    messages = [each async for each in bus.read(Topic.LEAD_EVENTS)]  # type: ignore[attr-defined]  # SQLite's
    return [event for each in messages for event in read_events(each.message.body)]


@pytest.mark.slow  # the statement is waited for, and nobody applies it here
async def test_a_button_publishes_a_signed_statement_by_whom_it_was_made(seen: Seen) -> None:
    await with_ada(seen)
    form = await form_of(seen, said="rejected", reason="not_ready", note=" Come back in July ")
    answer = await seen.say(ADA, form, origin="http://here")
    assert (answer.status, answer.headers["Location"]) == (303, f"/dashboard/leads/{ADA}?waits=1")
    (event,) = await published(seen)
    await seen.apply(event, now=NOW)  # type: ignore[arg-type]  # an event
    lead = await seen.parts.leads.get(ADA)
    assert lead
    (stated,) = lead.statements
    assert (stated.said, stated.reason, stated.source) == (
        SalesStatus.REJECTED,
        "not_ready",
        "dashboard",
    )
    assert dict(stated.details) == {"by": "local", "note": "Come back in July"}
    assert "by" not in lead.traits


@pytest.mark.slow
async def test_a_form_that_is_sent_twice_counts_once(seen: Seen) -> None:
    await with_ada(seen)
    form = await form_of(seen, said="touched")
    await seen.say(ADA, form)
    await seen.say(ADA, form)
    first, second = await published(seen)
    assert first.key == second.key  # type: ignore[attr-defined]  # events


async def test_a_page_on_which_the_lead_has_moved_answers_nothing_but_a_touch(seen: Seen) -> None:
    await with_ada(seen)
    stale = await form_of(seen, note="Wants a demo", said="accepted")
    await seen.apply(an_event(name="sales_won", id="2"))

    for form in (stale, {**stale, "said": "rejected", "reason": "bad_fit"}):
        answer = await seen.say(ADA, form)
        assert (answer.status, await published(seen)) == (409, [])
    assert b"the lead has moved since you opened this page" in answer.body
    assert b"Wants a demo</textarea>" in answer.body


@pytest.mark.parametrize("stage", ["sql", "opportunity", "customer"])
async def test_no_button_undoes_a_deal_or_accepts_twice(seen: Seen, stage: str) -> None:
    said = {"sql": "accepted", "opportunity": "opportunity", "customer": "won"}[stage]
    await seen.apply(an_event(name=f"sales_{said}"))
    form = await form_of(seen, said="accepted")
    assert form["stage"] == stage
    buttons = re.findall(
        r'name="said" value="(\w+)"', (await seen.get(f"/leads/{ADA}")).body.decode()
    )
    assert buttons == ["touched", "rejected"][: 2 if stage == "sql" else 1]
    assert (await seen.say(ADA, form)).status == 409


async def test_whoever_opens_a_refused_form_again_gets_the_page_of_the_lead(seen: Seen) -> None:
    browser = {"sec-fetch-mode": "navigate"}
    refused = await seen.say(ADA, {"said": "touched"}, **browser)
    assert (refused.status, b'<a href="">Open the page again</a>' in refused.body) == (403, True)
    answer = await seen.get(f"/leads/{ADA}/say", **browser)
    assert (answer.status, answer.headers["Location"]) == (303, f"/dashboard/leads/{ADA}")


async def test_a_second_click_is_no_answer_of_a_stale_page(seen: Seen) -> None:
    await with_ada(seen)
    form = await form_of(seen, said="accepted")
    event = await stated_in(seen, form)
    await seen.apply(event)
    answer = await seen.say(ADA, form)
    assert (answer.status, answer.headers["Location"]) == (303, f"/dashboard/leads/{ADA}")
    another = await stated_in(seen, {**form, "note": "of a page that the browser has kept"})
    assert another.id != event.id


async def stated_in(seen: Seen, form: dict[str, str]) -> Event:
    lead = await seen.parts.leads.get(ADA)
    assert lead
    request = RawRequest("POST", "", "", {}, b"", NOW, "r")
    return stated(lead, form, Viewer("local"), request)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://here"},
    ],
    ids=str,
)
async def test_no_other_site_can_send_the_form(seen: Seen, headers: dict[str, str]) -> None:
    await with_ada(seen)
    form = await form_of(seen, said="accepted")
    assert (await seen.say(ADA, form, **headers)).status == 403
    assert await published(seen) == []


async def test_a_form_counts_for_its_viewer_lead_and_day_alone(seen: Seen) -> None:
    await with_ada(seen)
    form = await form_of(seen, said="accepted")
    assert (await seen.say(ADA, {**form, "key": ""})).status == 403
    assert (await seen.say("another", form)).status == 403
    later = RawRequest(
        "POST",
        f"/leads/{ADA}/say",
        "",
        {"cookie": seen.cookie, "content-type": "application/x-www-form-urlencoded"},
        f"key={form['key']}&said=accepted".encode(),
        NOW + timedelta(days=2),
        "r",
    )
    with pytest.raises(Exception, match="too old"):
        await seen.site.answer(later)
    assert await published(seen) == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"said": "won"}, 400),
        ({"said": ""}, 400),
        ({"said": "rejected", "reason": "dislike"}, 400),
        ({"said": "touched", "note": "x" * 1_001}, 400),
    ],
)
async def test_what_no_button_states_is_refused(
    seen: Seen, form: dict[str, str], status: int
) -> None:
    await with_ada(seen)
    assert (await seen.say(ADA, await form_of(seen, **form))).status == status
    assert await published(seen) == []


async def test_one_number_at_one_instant_on_the_page_and_in_the_api(seen: Seen) -> None:
    await with_ada(seen)
    told = await seen.json(f"/api/leads/{ADA}")
    page = (await seen.get(f"/leads/{ADA}")).body.decode()
    score = told["lead"]["score"]
    assert told["why"]["score"] == score == sum(c["points"] for c in told["why"]["contributions"])
    assert f'<h2 id="why">Why {score}</h2>' in page
    share = told["why"]["probability"]
    assert f"So far, {share['text']} within 90 days." in page
    assert share == told["lead"]["probability"]
    (row,) = (await seen.json("/api/leads"))["leads"]
    assert row["score"] == score
