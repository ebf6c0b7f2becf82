"""The list of leads, the search, and the file."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_lead, a_lead_named, an_event, keeping
from unit.dashboard.seen import Seen
from warmlead.dashboard.lists import COLUMNS, OF_OFFER, PAGE_ROWS
from warmlead.dashboard.queries import ListQuery, read_query
from warmlead.domain.event import Trust
from warmlead.domain.handoff import Offer
from warmlead.domain.lead import Lead
from warmlead.domain.snapshot import Snapshot
from warmlead.ports.listing import LeadQuery


async def fill(seen: Seen, count: int, active_day: int | None = None) -> list[Lead]:
    leads = [
        a_lead_named(
            f"person-{number}",
            snapshot=Snapshot(number, number, 0, 1, "v", "AB"[number % 2], active_day),
        )
        for number in range(count)
    ]
    await seen.parts.leads.update([], keeping(*leads))
    return leads


def shown(body: bytes) -> list[str]:
    return re.findall(r'href="/dashboard/leads/([a-z0-9]+)"', body.decode())


async def test_pages_hold_every_lead_once_and_keep_the_filters(seen: Seen) -> None:
    leads = await fill(seen, 2 * PAGE_ROWS + 7)
    wanted = [lead.id for lead in leads if lead.snapshot and lead.snapshot.grade == "A"]
    path, found = "/leads?grade=A", list[str]()
    while path:
        body = (await seen.get(path)).body
        found += shown(body)
        following = re.search(r'class="button" href="/dashboard([^"]+)"', body.decode())
        path = following[1].replace("&amp;", "&") if following else ""
        assert not path or "grade=A" in path
    assert found == wanted[::-1]


@pytest.mark.parametrize("sought", ["person-3@example.com", " Person-3@Example.com ", "ID"])
async def test_a_search_leads_to_the_lead(seen: Seen, sought: str) -> None:
    leads = await fill(seen, 5)
    sought = leads[3].id if sought == "ID" else sought
    answer = await seen.get(f"/leads?q={sought.replace(' ', '%20')}")
    assert (answer.status, answer.headers["Location"]) == (303, f"/dashboard/leads/{leads[3].id}")


async def test_a_search_by_a_word_lists_whom_it_finds_the_best_score_first(seen: Seen) -> None:
    people = [("Ada King", 5), ("Ada Byron", 50), ("Bob Adams", 20), ("Eve", 90)]
    leads = [
        a_lead(
            an_event(email=f"{number}@x.example", traits={"name": name}),
            snapshot=Snapshot(score, score, 0, 1, "v"),
        )
        for number, (name, score) in enumerate(people)
    ]
    await seen.parts.leads.update([], keeping(*leads))
    body = (await seen.get("/leads?q=ada")).body
    assert sorted(shown(body)) == sorted(lead.id for lead in leads[:3])
    assert b"found by \xe2\x80\x9cada" in body
    assert b"As CSV" not in body
    assert shown((await seen.get("/leads?q=ada+b")).body) == [leads[1].id]
    told = await seen.json("/api/leads?q=ad&most=2")
    assert len(told["leads"]) == 2
    scores = [row["score"] for row in told["leads"]]
    assert scores == sorted(scores, reverse=True)


async def test_a_search_by_one_letter_asks_for_more(seen: Seen) -> None:
    await fill(seen, 1)
    assert b"at least two letters" in (await seen.get("/leads?q=p")).body
    assert b"at least two letters" not in (await seen.get("/leads?q=px")).body


async def test_stages_to_filter_by_stand_in_the_order_of_the_overview(seen: Seen) -> None:
    body = (await seen.get("/leads")).body.decode()
    offered = re.findall(r'<option value="(\w+)">', body[: body.index("Grade")])
    assert (offered[:2], offered[-2:]) == (["anonymous", "lead"], ["recycled", "disqualified"])


async def test_a_search_that_finds_too_many_says_so(seen: Seen) -> None:
    await fill(seen, PAGE_ROWS + 1)
    body = (await seen.get("/leads?q=person")).body.decode()
    assert len(shown(body.encode())) == PAGE_ROWS
    assert "type more letters" in body


async def test_the_list_by_activity_goes_on_behind_its_page(seen: Seen) -> None:
    leads = await fill(seen, PAGE_ROWS + 1, active_day=20_600)
    body = (await seen.get("/leads?order=active")).body.decode()
    assert "Last active first" in body
    following = re.search(r'class="button" href="/dashboard([^"]+)"', body)
    assert following
    assert "order=active" in following[1]
    assert shown((await seen.get(following[1].replace("&amp;", "&"))).body) == [leads[0].id]


async def test_a_search_in_vain_says_so_above_the_list(seen: Seen) -> None:
    await fill(seen, 2)
    answer = await seen.get("/leads?q=nobody@example.com")
    assert b"No lead has this email" in answer.body
    assert len(shown(answer.body)) == 2


async def test_what_stands_in_an_anonymous_id_is_not_found_as_an_address(seen: Seen) -> None:
    await seen.apply(an_event(email=None, anonymous_id="eve@example.com"))
    answer = await seen.get("/leads?q=eve@example.com")
    assert b"As an id of another kind" in answer.body


async def test_an_empty_list_says_what_to_do(seen: Seen) -> None:
    assert b"No leads yet" in (await seen.get("/leads")).body
    assert b"No lead is like this" in (await seen.get("/leads?stage=customer")).body


async def test_the_file_holds_the_list_with_all_columns(seen: Seen) -> None:
    await fill(seen, 3)
    await seen.apply(
        an_event(email="x@example.com", trust=Trust.SIGNED, traits={"company": "=1+1"})
    )
    answer = await seen.get("/leads.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    head, *rows = csv.reader(io.StringIO(answer.body.decode("utf-8-sig")))
    assert head == [*COLUMNS, *OF_OFFER, "reasons"]
    assert len(rows) == 4
    at = {row[head.index("stage_since")] for row in rows}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", each) for each in at)
    assert "'=1+1" in [row[head.index("company")] for row in rows]


@pytest.mark.parametrize(
    "asked",
    [
        LeadQuery(),
        LeadQuery(stage="mql", grade="A", source="a b&c=d", owner="é", overdue=True, order="since"),
    ],
)
def test_a_list_is_found_again_by_its_address(asked: LeadQuery) -> None:
    query = ListQuery(asked).query().removeprefix("?")
    assert ListQuery.of(read_query(query)).asked == asked


async def test_the_order_of_a_stage_begins_with_the_newest(seen: Seen) -> None:
    leads = await fill(seen, 4)
    moved = [
        replace(lead, progress=replace(lead.progress, since=NOW - timedelta(days=number)))
        for number, lead in enumerate(leads)
    ]
    await seen.parts.leads.update([], keeping(*moved))
    assert shown((await seen.get("/leads?order=since")).body) == [lead.id for lead in moved]


async def test_why_an_offer_was_withdrawn_is_no_answer_of_sales(seen: Seen) -> None:
    why = "the mql stage&#39;s leave condition holds"
    offer = Offer(1, "mql", NOW, closed_at=NOW, answer=why.replace("&#39;", "'"))
    lead = a_lead_named("ada", offer=offer, snapshot=Snapshot(1, 1, 0, 1, "v", "A"))
    await seen.parts.leads.update([], keeping(lead))
    of_list = (await seen.get("/leads")).body.decode()
    assert ('<span class="quiet">withdrawn</span>' in of_list, why in of_list) == (True, False)
    of_lead = (await seen.get(f"/leads/{lead.id}")).body.decode()
    assert re.search(rf"<dt>Answer</dt><dd>withdrawn <time[^>]+>[^<]+</time> .*{why}", of_lead)
