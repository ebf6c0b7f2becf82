"""What every ``ImportStore`` promises, and imports on every store of leads."""

from datetime import date
from typing import Any

from builders import NOW, lead_ids
from contract.backends import History
from unit.application.history.persons import importing, of_then, was
from unit.application.living import LIVING
from warmlead.application.history.running import Person, take_in
from warmlead.application.history.taking_back import take_back
from warmlead.domain.identity import Identifier, Kind
from warmlead.ports.imports import ImportRecord, Spend


def a_spend(key: str, day: int, **fields: Any) -> Spend:
    known = {"amount_cents": 1_000, "currency": "EUR", "source": "google", "imported": "demo"}
    given: dict[str, Any] = {**known, **fields}
    return Spend(key=key, day=date(2018, 2, day), **given)


def a_record(name: str = "demo", **fields: Any) -> ImportRecord:
    known = {"files": {"leads.csv": "0123"}, "content": "4567", "began_at": NOW}
    given: dict[str, Any] = {**known, **fields}
    return ImportRecord(name=name, **given)


async def spent(history: History, first: int, end: int) -> list[tuple[int, str]]:
    days = (date(2018, 2, first), date(2018, 2, end))
    return [(each.day.day, each.key) async for each in history.imports.spend(*days)]


async def test_spend_of_some_days_is_read_the_earliest_first(history: History) -> None:
    spends = [a_spend("c", 3), a_spend("a", 1), a_spend("b", 1), a_spend("d", 9)]
    await history.imports.keep_spend(spends)
    assert await spent(history, 1, 4) == [(1, "a"), (1, "b"), (3, "c")]
    assert await spent(history, 3, 3) == []
    assert await spent(history, 3, 10) == [(3, "c"), (9, "d")]


async def test_many_rows_of_one_day_are_all_read(history: History) -> None:
    spends = [a_spend(f"{number:04}", 7) for number in range(1_201)]
    await history.imports.keep_spend(spends)
    assert len(await spent(history, 7, 8)) == len(spends)
    assert await history.imports.forget("demo") == len(spends)
    assert await spent(history, 1, 28) == []


async def test_the_same_row_again_is_the_same_spend(history: History) -> None:
    await history.imports.keep_spend([a_spend("a", 1)])
    await history.imports.keep_spend([a_spend("a", 2, amount_cents=7)])
    (kept,) = [each async for each in history.imports.spend(date(2018, 1, 1), date(2019, 1, 1))]
    assert kept == a_spend("a", 2, amount_cents=7)


async def test_records_are_kept_by_name_and_forgotten(history: History) -> None:
    first, second = a_record("one"), a_record("two", placed="p", moves=3)
    for record in (second, first, a_record("one", ended_at=NOW)):
        await history.imports.keep(record)
    assert await history.imports.imports() == [a_record("one", ended_at=NOW), second]
    await history.imports.keep_spend([a_spend("a", 1, imported="two"), a_spend("b", 1)])
    assert await history.imports.forget("two") == 1
    assert [each.name for each in await history.imports.imports()] == ["one"]
    assert await spent(history, 1, 2) == [(1, "b")]


def person(number: int) -> Person:
    who = {"email": f"person-{number:03}@example.com", "user_id": f"{number}"}
    events = [
        of_then("page_viewed", number % 30, **who),
        was("mql", number % 30 + 1, **who),
        *([of_then("sales_won", number % 30 + 5, **who)] if number % 4 == 0 else []),
    ]
    return f"{number:03}", events


async def test_an_import_is_taken_in_and_taken_back(history: History) -> None:
    persons = [person(number) for number in range(24)]
    told: list[int] = []
    for taken_in in ((24, 0), (0, 24)):
        done = await take_in(
            persons,
            [a_spend("a", 1)],
            a_record(),
            importing(),
            store=history.leads,
            imports=history.imports,
            progress=told.append,
        )
        assert (done.taken.leads, done.taken.known) == taken_in
    assert told == [24, 24]
    stages = await history.reports.leads_in(["mql", "customer"])
    assert stages == {"mql": 18, "customer": 6}
    moves = [move async for _, move in history.reports.moves(NOW.replace(year=2000), NOW)]
    assert len(moves) == 24 + 24 + 6
    assert {move.imported for move in moves} == {"demo"}
    (record,) = await history.imports.imports()
    assert record.ended_at is not None
    back = await take_back("demo", store=history.leads, rules=LIVING, now=NOW)
    assert (back.leads, back.removed) == (24, 24)
    assert [lead async for lead in history.leads.leads()] == []
    assert [m async for m in history.reports.moves(NOW.replace(year=2000), NOW)] == []
    for number in range(24):
        email = Identifier(Kind.EMAIL, f"person-{number:03}@example.com")
        assert await history.leads.get(lead_ids.of(email)) is None


async def test_a_stopped_import_goes_on_behind_the_persons_that_are_done(
    history: History,
) -> None:
    persons = [person(number) for number in range(4)]
    record = a_record(placed="001", persons=2, moves=5)
    done = await take_in(
        persons[2:],
        [],
        record,
        importing(),
        store=history.leads,
        imports=history.imports,
        progress=lambda _: None,
    )
    assert done.persons == 2
    (kept,) = await history.imports.imports()
    assert (kept.persons, kept.placed, kept.ended_at) == (4, "", NOW)
