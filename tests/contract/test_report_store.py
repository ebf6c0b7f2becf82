"""What every ``ReportStore`` promises; the tests never ask which adapter they hold."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import NOW, RULES, a_lead, a_lead_named, a_transition, an_event, keeping
from contract.backends import Books
from warmlead.application.report import Reporting, report, report_due
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import Transition
from warmlead.ports import Message
from warmlead.reporting.periods import read_period

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


async def moves_since(books: Books, start: datetime) -> list[tuple[str, Transition]]:
    return await moves_between(books, start, NOW + 999 * DAY)


async def moves_between(
    books: Books, start: datetime, end: datetime
) -> list[tuple[str, Transition]]:
    found = [pair async for pair in books.reports.moves(start, end)]
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


async def test_moves_until_before_an_end(books: Books) -> None:
    moves = [("a", a_transition(at=NOW + hours * DAY)) for hours in range(4)]
    await books.leads.update([], keeping(transitions=moves))
    assert await moves_between(books, NOW + DAY, NOW + 3 * DAY) == moves[1:3]
    assert await moves_between(books, NOW + DAY, NOW + 3 * DAY + TICK) == moves[1:]


@pytest.mark.slow
async def test_moves_that_fill_pages_to_the_last_place_all_come(books: Books) -> None:
    moves = [("a", a_transition(at=NOW + number * TICK)) for number in range(1_001)]
    for end in (1_000, 1_001):
        for start in range(0 if end == 1_000 else 1_000, end, 250):
            some = moves[start : min(start + 250, end)]
            await books.leads.update([], keeping(transitions=some))
        assert await moves_since(books, NOW) == moves[:end]


async def test_records_of_nurture_from_a_start_until_before_an_end(books: Books) -> None:
    fact = NurtureFact(NurtureTurn.SENT, "welcome", 1, 1, "hello")
    times = [NOW - TICK, NOW, NOW + DAY - TICK, NOW + DAY]
    records = [(name, NurtureRecord(at, "mql", (fact,))) for at in times for name in ("a", "b")]
    await books.leads.update([], keeping(nurtured=records))
    found = [each async for each in books.reports.nurtured(NOW, NOW + DAY)]
    assert sorted(found, key=lambda each: (each[1].at, each[0])) == records[2:6]


@pytest.mark.slow
async def test_more_records_of_nurture_than_a_page(books: Books) -> None:
    fact = NurtureFact(NurtureTurn.SENT, "welcome", 1, 1, "hello")
    records = [(f"p{i}", NurtureRecord(NOW, "mql", (fact,))) for i in range(1_200)]
    for start in range(0, 1_200, 400):
        await books.leads.update([], keeping(nurtured=records[start : start + 400]))
    found = [each async for each in books.reports.nurtured(NOW, NOW + TICK)]
    assert sorted(found, key=lambda each: each[0]) == sorted(records, key=lambda each: each[0])


async def test_records_of_nurture_are_no_moves(books: Books) -> None:
    fact = NurtureFact(NurtureTurn.STARTED, "welcome", 1)
    ada = a_lead_named("ada")
    record, move = NurtureRecord(NOW, "mql", (fact,)), a_transition(at=NOW)
    await books.leads.update(
        [], keeping(ada, nurtured=[(ada.id, record)], transitions=[(ada.id, move)])
    )
    assert await moves_since(books, NOW - DAY) == [(ada.id, move)]
    assert [each async for each in books.reports.late_moves(NOW - DAY, NOW + DAY)] == []
    (life,) = [each async for each in books.reports.lives([ada.id])]
    assert life.moves == [move]
    assert await books.reports.grown_since(NOW, ["lead", "mql"]) == {"lead": -1, "mql": 1}


async def test_what_a_stage_has_grown_by_is_counted_from_a_moment_on(books: Books) -> None:
    moves = [
        ("a", a_transition(at=NOW - TICK)),
        ("b", a_transition(at=NOW)),
        ("c", a_transition(at=NOW + DAY, from_stage="mql", to_stage="sql")),
        ("d", a_transition(at=NOW + DAY, from_stage="mql", to_stage="mql")),
    ]
    await books.leads.update([], keeping(transitions=moves))
    stages = ["anonymous", "lead", "mql", "sql"]
    assert await books.reports.grown_since(NOW, stages) == {
        "anonymous": 0, "lead": -1, "mql": 0, "sql": 1,
    }  # fmt: skip
    assert await books.reports.grown_since(NOW - TICK, ["lead", "mql"]) == {"lead": -2, "mql": 1}
    assert await books.reports.grown_since(NOW + 2 * DAY, ["sql"]) == {"sql": 0}


async def test_a_life_is_all_moves_of_a_person_under_any_of_the_ids(books: Books) -> None:
    ada = a_lead(an_event(email="ada@example.com", user_id="u-1"))
    (other,) = ada.ids - {ada.id}
    first = a_transition(from_stage="anonymous", to_stage="lead")
    moves = [
        (other, first),
        (ada.id, a_transition(at=NOW + DAY)),
        ("nobody", first),
        ("not asked for", first),
    ]
    aliases = {other: ada.id}
    await books.leads.update([ada.id], keeping(ada, aliases=aliases, transitions=moves))
    asked = [other, "nobody", ada.id, "without a move"]
    lives = {life.ids: life.moves async for life in books.reports.lives(asked)}
    assert lives == {
        frozenset([ada.id, other]): [move for _, move in moves[:2]],
        frozenset(["nobody"]): [first],
        frozenset(["without a move"]): [],
    }


@pytest.mark.slow
async def test_each_of_many_persons_comes_once(books: Books) -> None:
    people = [a_lead(an_event(email=f"p{i}@example.com", user_id=f"u-{i}")) for i in range(150)]
    aliases = {id_: lead.id for lead in people for id_ in lead.ids if id_ != lead.id}
    moves = [(lead.id, a_transition()) for lead in people]
    await books.leads.update([], keeping(*people, aliases=aliases, transitions=moves))
    asked = [id_ for lead in people for id_ in lead.ids]
    lives = [life async for life in books.reports.lives(asked)]
    assert sorted(sorted(life.ids) for life in lives) == sorted(sorted(p.ids) for p in people)
    assert all(len(life.moves) == 1 for life in lives)


async def test_moves_are_found_by_when_they_were_so(books: Books) -> None:
    late = a_transition(at=NOW - 4 * DAY, learnt=NOW)
    await books.leads.update([], keeping(transitions=[("a", late)]))
    assert await moves_since(books, NOW - 4 * DAY) == [("a", late)]
    assert await moves_since(books, NOW - 4 * DAY + TICK) == []


async def test_late_moves_are_those_learnt_on_another_day(books: Books) -> None:
    midnight = NOW.replace(hour=0)
    prompt = a_transition(at=midnight, learnt=NOW)
    late = [
        ("b", a_transition(at=midnight - TICK, learnt=NOW)),
        ("c", a_transition(at=NOW - 300 * DAY, learnt=NOW + TICK)),
    ]
    before = a_transition(at=NOW - 9 * DAY, learnt=NOW - TICK)
    moves = [("a", prompt), *late, ("d", before), ("e", a_transition())]
    await books.leads.update([], keeping(transitions=moves))
    found = [pair async for pair in books.reports.late_moves(NOW, NOW + DAY)]
    assert sorted(found, key=lambda pair: pair[0]) == late
    assert [m async for m in books.reports.late_moves(NOW, NOW + TICK)] == late[:1]


@pytest.mark.slow
async def test_many_late_moves_come_once_each(books: Books) -> None:
    moves = [
        (f"lead-{i:04}", a_transition(at=NOW - 9 * DAY, learnt=NOW + (i // 700) * TICK))
        for i in range(1_300)
    ]
    for start in range(0, len(moves), 400):
        await books.leads.update([], keeping(transitions=moves[start : start + 400]))
    found = [pair async for pair in books.reports.late_moves(NOW, NOW + DAY)]
    assert sorted(found, key=lambda pair: pair[0]) == moves


async def test_a_move_is_read_back_whole(books: Books) -> None:
    move = a_transition(
        source="hubspot",
        attribution=(("utm_source", "google"),),
        touch_by=NOW + timedelta(hours=1),
        accept_by=NOW + DAY,
        learnt=NOW + DAY,
    )
    await books.leads.update([], keeping(transitions=[("a", move)]))
    assert await moves_since(books, NOW) == [("a", move)]


@pytest.mark.slow
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


async def test_leads_are_counted_by_score(books: Books) -> None:
    scored = {"ada": -3, "bob": 0, "cyn": 24, "dan": 25, "eve": 250}
    leads = [
        a_lead_named(name, snapshot=Snapshot(score, score, 0, 20_522, "v"))
        for name, score in scored.items()
    ]
    await books.leads.update([], keeping(*leads, a_lead_named("fay"), aliases={"x": leads[0].id}))
    assert [*await books.reports.scores([0, 25, 100])] == [1, 2, 1, 1]
    assert [*await books.reports.scores([25])] == [3, 2]


async def test_a_report_is_kept_as_it_is_and_replaced(books: Books) -> None:
    assert await books.reports.report("2026-11") is None
    await books.reports.keep("2026-11", '{"a": "Ж"}')
    await books.reports.keep("2026-W47", "{}")
    assert await books.reports.report("2026-11") == '{"a": "Ж"}'
    await books.reports.keep("2026-11", "[1]")
    assert await books.reports.report("2026-11") == "[1]"
    assert await books.reports.report("2026-W47") == "{}"


class NoBus:
    async def publish(self, _topic: str, messages: Sequence[Message]) -> Sequence[str]:
        return [message.attributes["id"] for message in messages]


async def test_the_daily_run_finds_what_its_last_one_left_and_what_was_learnt_since(
    books: Books,
) -> None:
    reporting = Reporting(books.leads, books.reports, NoBus(), RULES)
    kept = ["2025", "2025-Q4", "2025-12", "2025-W52", "2025-12-23"]
    for name in kept:
        await report(reporting, read_period(name, NOW), NOW)
    assert [made.period for made in await report_due(reporting, NOW)] == [
        "2026-03-09", "2026-W10", "2026-02",
    ]  # fmt: skip
    late = a_transition(at=NOW - 77 * DAY, from_stage="anonymous", to_stage="lead", learnt=NOW)
    await books.leads.update([], keeping(transitions=[("a", late)]))
    made = await report_due(reporting, NOW + DAY)
    assert [each.period for each in made[1:]] == kept
    assert {each.became_known for each in made[1:]} == {1}
    assert len(await report_due(reporting, NOW + 2 * DAY)) == 1
