import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from builders import StandingClock, a_lead_named, a_trigger, keeping
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Snapshot
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

ADA = a_lead_named("ada")


def enrol_all(connection: sqlite3.Connection, lead_ids: Sequence[str]) -> list[None]:
    """Keeps something beside the leads, as a newer release may."""
    connection.executemany(
        "UPDATE leads SET document = json_set(document, '$.enrolments', 3) WHERE id = ?",
        [(id_,) for id_ in lead_ids],
    )
    return [None for _ in lead_ids]


async def test_what_a_newer_release_keeps_beside_a_lead_survives_updates(tmp_path: Path) -> None:
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        store = SqliteLeadStore(file, StandingClock())
        await store.update([], keeping(ADA))
        await file.write(enrol_all, ADA.id)
        await store.update([ADA.id], keeping(replace(ADA, outbox=(a_trigger(),))))
        documents = await file.read(lambda c: c.execute("SELECT document FROM leads").fetchall())
        assert [json.loads(text)["enrolments"] for (text,) in documents] == [3]
        assert await store.get(ADA.id) == replace(ADA, outbox=(a_trigger(),))


async def test_lists_can_be_made_without_reading_documents(tmp_path: Path) -> None:
    scored = replace(ADA, snapshot=Snapshot(42, 30, 12, 20_522, "m"), outbox=(a_trigger(),))
    clock = StandingClock()
    async with SqliteFile(tmp_path / "warmlead.db") as file:
        await SqliteLeadStore(file, clock).update([], keeping(scored))
        query = "SELECT stage, score, unsent, updated_ms FROM leads"
        rows = await file.read(lambda connection: connection.execute(query).fetchall())
        assert rows == [(scored.progress.stage, 42, 1, to_ms(clock.now()))]
