import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, StandingClock, a_lead_named, a_trigger, keeping
from effort import examples
from warmlead.domain.errors import UnavailableError
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.snapshot import Snapshot
from warmlead.ports import DueLead, Tombstone
from warmlead.sqlite_file import FILE_VERSION, SqliteFile
from warmlead.stores.codec import LeadDocument, write_lead
from warmlead.stores.sqlite import SqliteLeadStore, row_of

ADA = a_lead_named("ada")
STAGES = ("anonymous", "lead", "mql")
ERASED = Tombstone(NOW, ())


def add_to_all(connection: sqlite3.Connection, lead_ids: Sequence[str]) -> list[None]:
    """Keeps something beside the leads, as a newer release may."""
    connection.executemany(
        "UPDATE leads SET document = json_set(document, '$.horoscope', 3) WHERE id = ?",
        [(id_,) for id_ in lead_ids],
    )
    return [None for _ in lead_ids]


async def test_unknown_fields_of_a_newer_release_survive_updates(tmp_path: Path) -> None:
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.update([], keeping(ADA))
        await file.write(add_to_all, ADA.id)
        await store.update([ADA.id], keeping(replace(ADA, outbox=(a_trigger(),))))
        documents = await file.read(lambda c: c.execute("SELECT document FROM leads").fetchall())
        assert [json.loads(text)["horoscope"] for (text,) in documents] == [3]
        assert await store.get(ADA.id) == replace(ADA, outbox=(a_trigger(),))


def erased_by_an_earlier_release(
    connection: sqlite3.Connection, lead_ids: Sequence[str]
) -> list[None]:
    """What every release so far does to erase; it knows no records of nurture."""
    connection.executemany(
        "INSERT INTO tombstones (id, erased_ms, ids) VALUES (?, 1, '[]')"
        " ON CONFLICT (id) DO UPDATE SET erased_ms = excluded.erased_ms, ids = excluded.ids",
        [(id_,) for id_ in lead_ids],
    )
    return [None for _ in lead_ids]


async def test_what_an_earlier_release_erases_leaves_no_record_of_nurture(tmp_path: Path) -> None:
    record = NurtureRecord(NOW, "mql", (NurtureFact(NurtureTurn.STARTED, "welcome", 1),))
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        for _ in range(2):  # the second time there is a tombstone already
            await store.update([], keeping(nurtured=[(ADA.id, record), ("bob", record)]))
            await file.write(erased_by_an_earlier_release, ADA.id)
            left = await file.read(lambda c: c.execute("SELECT lead_id FROM nurture").fetchall())
            assert set(left) == {("bob",)}


async def test_lists_can_be_made_without_reading_documents(tmp_path: Path) -> None:
    scored = replace(ADA, snapshot=Snapshot(42, 30, 12, 20_522, "m"), outbox=(a_trigger(),))
    clock = StandingClock()
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        await SqliteLeadStore(file, clock).update([], keeping(scored))
        query = "SELECT stage, score, unsent, updated_ms FROM leads"
        rows = await file.read(lambda connection: connection.execute(query).fetchall())
        assert rows == [(scored.progress.stage, 42, 1, to_ms(clock.now()))]


OF_THE_FIRST_LAYOUT = (
    """CREATE TABLE leads (
         id TEXT NOT NULL PRIMARY KEY,
         stage TEXT NOT NULL,
         score INTEGER,
         unsent INTEGER NOT NULL,
         updated_ms INTEGER NOT NULL,
         document TEXT NOT NULL)""",
    "CREATE INDEX leads_unsent ON leads (id) WHERE unsent",
    "PRAGMA user_version = 1",
)


def make_first_layout(path: Path, *leads: Lead) -> None:
    """A file as the first release wrote it: documents of version 1, and nothing of due leads."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in OF_THE_FIRST_LAYOUT:
            connection.execute(statement)
        for lead in leads:
            text = json.dumps({**json.loads(write_lead(lead)), "v": 1}, separators=(",", ":"))
            row = (lead.id, lead.progress.stage, None, 0, to_ms(NOW), text)
            connection.execute("INSERT INTO leads VALUES (?, ?, ?, ?, ?, ?)", row)


async def test_in_a_file_of_the_first_layout_every_lead_is_due_once(tmp_path: Path) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(3)]
    make_first_layout(tmp_path / "warmlead.db", *leads)
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        due = await store.due_for_decay(1, shard=0, most=9)
        assert [id_ for _, id_ in due] == sorted(lead.id for lead in leads)
        assert await store.due_for_followup(NOW, shard=0, most=9) == []
        first = await store.get(due[0].id)
        assert first
        assert first.decay_on == 0
        await store.update([], keeping(replace(first, decay_on=9)))
        assert await store.due_for_decay(1, shard=0, most=9) == due[1:]
        version = await file.read(lambda c: c.execute("PRAGMA user_version").fetchone())
        assert version == (FILE_VERSION,)


@pytest.mark.slow
async def test_processes_that_open_a_file_of_the_first_layout_at_once_agree(
    tmp_path: Path,
) -> None:
    for number in range(10):
        path = tmp_path / f"{number}.db"
        make_first_layout(path, ADA)
        async with SqliteFile(path) as one, SqliteFile(path) as other:
            stores = [SqliteLeadStore(file, StandingClock()) for file in (one, other)]
            looks = (store.due_for_decay(1, shard=0, most=9) for store in stores)
            writes = (store.update([], keeping(ADA)) for store in stores)
            await asyncio.gather(*looks, *writes)
            assert await stores[0].get(ADA.id) == ADA


@pytest.mark.parametrize(
    ("column", "index"), [("decay_on", "leads_fading"), ("due_us", "leads_due")]
)
async def test_due_leads_are_found_by_an_index_alone(
    tmp_path: Path, column: str, index: str
) -> None:
    asked: list[tuple[str, Sequence[object]]] = []

    class Watched:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
            asked.append((query, values))
            return self._connection.execute(query, values)

    class Watching(SqliteFile):
        async def read(self, question: Callable[[Any], Any]) -> Any:
            return await super().read(lambda connection: question(Watched(connection)))

    async with Watching(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.due_for_decay(9, shard=0, most=9, after=DueLead(1, "a"))
        await store.due_for_followup(NOW, shard=0, most=9, after=DueLead(1, "a"))
        (query, values), *_ = [each for each in asked if f"SELECT {column}" in each[0]]
        plan = f"EXPLAIN QUERY PLAN {query}"
        steps = await file.read(lambda connection: connection.execute(plan, values).fetchall())
        (step,) = steps
        assert step[-1].startswith(f"SEARCH leads USING COVERING INDEX {index} (")


async def counted(file: SqliteFile) -> dict[str, int]:
    """The leads in each stage, as the file counts them; that must be how many there are."""
    kept = "SELECT stage, leads FROM stage_counts WHERE leads"
    there = "SELECT stage, count(*) FROM leads GROUP BY stage"
    counts = dict(await file.read(lambda c: c.execute(kept).fetchall()))
    assert counts == dict(await file.read(lambda c: c.execute(there).fetchall()))
    return counts


def in_stage(name: str, stage: str) -> Lead:
    lead = a_lead_named(name)
    return replace(lead, progress=replace(lead.progress, stage=stage))


async def test_leads_are_counted_by_stage_whatever_happens_to_them(tmp_path: Path) -> None:
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.update([], keeping(*(in_stage(name, "lead") for name in "abc")))
        await store.update([], keeping(in_stage("a", "mql"), in_stage("d", "mql")))
        assert await counted(file) == {"lead": 2, "mql": 2}
        a, b = a_lead_named("a").id, a_lead_named("b").id
        await store.update([a, b], keeping(aliases={a: b}))
        assert await counted(file) == {"lead": 2, "mql": 1}
        with pytest.raises(UnavailableError):
            await file.write(half_done, None)
        assert await counted(file) == {"lead": 2, "mql": 1}
        await store.clear()
        assert await counted(file) == {}


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcd"), st.sampled_from(STAGES))))
def test_counts_and_words_are_those_of_the_leads_after_any_writes(
    writes: list[tuple[int, str, str]],
) -> None:
    async def play(path: Path) -> None:
        async with SqliteFile(path) as file:
            store = SqliteLeadStore(file, StandingClock())
            for way, name, stage in writes:
                await write_somehow(store, file, way, name, stage)
            await counted(file)
            kept = "SELECT word, lead_id FROM lead_words ORDER BY lead_id, word"
            of_leads = "SELECT value, leads.id FROM leads, json_each(words) ORDER BY 2, 1"
            words = await file.read(lambda c: c.execute(kept).fetchall())
            assert words == await file.read(lambda c: c.execute(of_leads).fetchall())

    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "warmlead.db"))


async def write_somehow(
    store: SqliteLeadStore, file: SqliteFile, way: int, name: str, stage: str
) -> None:
    """Writes, merges, erases, deletes or clears, or fails half-way."""
    lead, other = in_stage(name, stage), in_stage(f"of {name}", stage)
    match way:
        case 0:
            await store.update([lead.id], keeping(lead))
        case 1:
            await store.update([lead.id, other.id], keeping(lead, aliases={other.id: lead.id}))
        case 2:
            await store.update([lead.id, other.id], keeping(other, tombstones={lead.id: ERASED}))
        case 3:
            await file.write(deleted_by_an_earlier_release, lead.id)
        case 4:
            with pytest.raises(UnavailableError):
                await file.write(half_done, None)
        case _:
            await store.clear()


def half_done(connection: sqlite3.Connection, _: Sequence[None]) -> list[None]:
    connection.execute("UPDATE leads SET stage = 'customer'")
    raise UnavailableError("it was not to be")


async def test_the_leads_of_an_earlier_release_are_counted_once(tmp_path: Path) -> None:
    make_first_layout(tmp_path / "warmlead.db", in_stage("a", "lead"), in_stage("b", "mql"))
    for _ in range(2):
        async with SqliteFile(tmp_path / "warmlead.db") as file:
            await SqliteLeadStore(file, StandingClock()).update([], keeping(in_stage("b", "sql")))
            assert await counted(file) == {"lead": 1, "sql": 1}


async def test_no_word_is_left_of_a_lead_that_an_earlier_release_deletes(tmp_path: Path) -> None:
    words = "SELECT lead_id, group_concat(word) FROM lead_words GROUP BY lead_id"
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.update([], keeping(ADA, a_lead_named("bob")))
        assert len(await file.read(lambda c: c.execute(words).fetchall())) == 2
        await file.write(deleted_by_an_earlier_release, ADA.id)
        left = await file.read(lambda c: c.execute(words).fetchall())
        assert [text.partition(",")[0] for _, text in left] == ["bob example com"]


def deleted_by_an_earlier_release(
    connection: sqlite3.Connection, lead_ids: Sequence[str]
) -> list[None]:
    connection.executemany("DELETE FROM leads WHERE id = ?", [(id_,) for id_ in lead_ids])
    return [None for _ in lead_ids]


async def test_what_another_release_put_beside_a_lead_is_mended(tmp_path: Path) -> None:
    """A write leaves out what is the same; so it must look at the row, not at the lead before."""
    columns = "stage, due_us, since_day, grade, source, owner, overdue, words"
    evaluated = replace(in_stage("ada", "mql"), snapshot=Snapshot(4, 4, 0, 9, "m", "A", 9))
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.update([], keeping(evaluated))
        for column in columns.split(", "):
            await file.write(spoil, column)
            await store.update([evaluated.id], keeping(evaluated))
            query = f"SELECT {columns} FROM leads"
            (row,) = await file.read(lambda c, query=query: c.execute(query).fetchall())  # type: ignore[misc]  # its type is that of any question
            assert row == row_of(LeadDocument(evaluated, {}), 0).seldom
        assert await counted(file) == {"mql": 1}


def spoil(connection: sqlite3.Connection, columns: Sequence[str]) -> list[None]:
    for column in columns:
        connection.execute(f"UPDATE leads SET {column} = ?", ('["x"]',))
    return [None for _ in columns]
