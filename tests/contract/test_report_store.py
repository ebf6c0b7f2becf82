"""What every ``ReportStore`` promises; the tests never ask which adapter they hold."""

from dataclasses import replace
from datetime import datetime, timedelta

from builders import NOW, a_lead_named, a_transition, keeping
from contract.backends import Books
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


async def moves_since(books: Books, start: datetime) -> list[tuple[str, Transition]]:
    found = [pair async for pair in books.reports.moves(start)]
    return sorted(found, key=lambda pair: (pair[1].at, pair[0]))


def in_stage(name: str, stage: str) -> Lead:
    lead = a_lead_named(name)
    return replace(lead, progress=replace(lead.progress, stage=stage))


async def test_moves_from_a_start_on(books: Books) -> None:
    times = [NOW - TICK, NOW, NOW + DAY - TICK, NOW + DAY]
    moves = [("a", a_transition(at=at)) for at in times]
    await books.leads.update([], keeping(transitions=moves))
    assert await moves_since(books, NOW) == moves[1:]
    assert await moves_since(books, NOW + 2 * DAY) == []


async def test_a_move_is_read_back_whole(books: Books) -> None:
    move = a_transition(
        source="hubspot",
        attribution=(("utm_source", "google"),),
        touch_by=NOW + timedelta(hours=1),
        accept_by=NOW + DAY,
    )
    await books.leads.update([], keeping(transitions=[("a", move)]))
    assert await moves_since(books, NOW) == [("a", move)]


async def test_many_moves_of_many_leads_at_the_same_time_come_once_each(books: Books) -> None:
    moves = [(f"lead-{i:04}", a_transition(at=NOW + (i // 700) * TICK)) for i in range(1_300)]
    for start in range(0, len(moves), 400):
        await books.leads.update([], keeping(transitions=moves[start : start + 400]))
    assert await moves_since(books, NOW) == moves


async def test_leads_are_counted_by_stage(books: Books) -> None:
    leads = [in_stage("ada", "mql"), in_stage("bob", "mql"), in_stage("cyn", "lead")]
    await books.leads.update([], keeping(*leads, aliases={"an-alias": leads[0].id}))
    assert await books.reports.leads_in(["lead", "mql", "sql"]) == {"lead": 1, "mql": 2, "sql": 0}
    await books.leads.update([leads[0].id], keeping(in_stage("ada", "sql")))
    assert await books.reports.leads_in(["mql", "sql"]) == {"mql": 1, "sql": 1}


async def test_a_report_is_kept_as_it_is_and_replaced(books: Books) -> None:
    assert await books.reports.report("2026-11") is None
    await books.reports.keep("2026-11", '{"a": "Ж"}')
    await books.reports.keep("2026-W47", "{}")
    assert await books.reports.report("2026-11") == '{"a": "Ж"}'
    await books.reports.keep("2026-11", "[1]")
    assert await books.reports.report("2026-11") == "[1]"
    assert await books.reports.report("2026-W47") == "{}"
