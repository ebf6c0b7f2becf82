"""A database that is restored from an export, and the events since, that Pub/Sub delivers again."""

import json
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW, StandingClock, an_event, lead_ids
from contract.test_dispatch_store import a_dispatch, at, keep, sent
from patience import PATIENCE_S
from unit.application.conftest import RULES, FailingBus
from warmlead.application.apply import Applied, Scoring, apply
from warmlead.application.privacy.erase import erase
from warmlead.application.privacy.erase_again import erase_again, known_erasures
from warmlead.application.send import GRACE, sweep
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.dispatch import DispatchState
from warmlead.domain.errors import UnavailableError
from warmlead.domain.event import Event
from warmlead.domain.lead import Lead
from warmlead.domain.trigger import Topic
from warmlead.ports import LeadStore
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.dispatches import FirestoreDispatchStore
from warmlead.stores.firestore.store import FirestoreLeadStore

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Emulated:
    """A project on the emulator, and its requests that stand for Google's export and import."""

    host: str
    project: str
    folder: Path

    @property
    def database(self) -> str:
        return f"projects/{self.project}/databases/(default)"

    def export(self) -> None:
        told = {"database": self.database, "export_directory": str(self.folder)}
        self._ask("POST", f"projects/{self.project}:export", {**told, "export_name": "whole"})

    def restore(self) -> None:
        """Deletes all, and imports the export: what a new database holds after a restore."""
        self._ask("DELETE", f"{self.database}/documents")
        exported = self.folder / "whole/whole.overall_export_metadata"
        told = {"database": self.database, "export_directory": str(exported)}
        self._ask("POST", f"projects/{self.project}:import", told)

    def _ask(self, method: str, path: str, body: object = None) -> None:
        request = urllib.request.Request(
            f"http://{self.host}/emulator/v1/{path}",
            json.dumps(body).encode() if body else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=PATIENCE_S).close()

    @asynccontextmanager
    async def store(self) -> AsyncIterator[FirestoreLeadStore]:
        store = FirestoreLeadStore(self.project, emulator=self.host, patience_s=PATIENCE_S)
        try:
            yield store
        finally:
            await store.close()


@pytest.fixture
def project(firestore_emulator: str, tmp_path: Path) -> Emulated:
    return Emulated(firestore_emulator, f"p{uuid.uuid4().hex[:12]}", tmp_path)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[FailingBus]:
    async with SqliteFile(tmp_path / "bus.sqlite3") as file:
        yield FailingBus(SqliteBus(file, StandingClock(), {}))


def visits(email: str, first: int, count: int, clock: StandingClock) -> list[Event]:
    """Page views of one visitor, of a browser first and then under an address; 10 points each."""
    now = clock.now()
    return [
        an_event(
            id=f"{email}-{nth}",
            name="page_viewed",
            email=email if nth % 2 else None,
            anonymous_id=f"browser of {email}",
            occurred_at=now,
            received_at=now,
        )
        for nth in range(first, first + count)
    ]


async def count(
    store: LeadStore, bus: FailingBus, clock: StandingClock, events: Sequence[Event]
) -> list[Applied]:
    scoring = Scoring(RULES, lead_ids)
    return await apply(events, store=store, bus=bus, scoring=scoring, clock=clock)


async def known(store: LeadStore) -> dict[str, tuple[object, ...]]:
    """What must not depend on a restore: identifiers, histories, traits, score and stage."""

    def what(lead: Lead) -> tuple[object, ...]:
        assert lead.snapshot
        return lead.trails, lead.snapshot.score, lead.progress.stage

    return {lead.id: what(lead) async for lead in store.leads()}


async def test_a_restored_database_catches_up_with_one_that_was_never_restored(
    project: Emulated, bus: FailingBus
) -> None:
    clock = StandingClock(NOW)
    ada_first = visits("ada@example.com", 0, 6, clock)
    bob = visits("bob@example.com", 0, 4, clock)
    async with project.store() as store:
        bus.away = frozenset([Topic.MQL])  # so Ada's trigger is unsent in the export
        for event in (*ada_first, *bob):
            with suppress(UnavailableError):  # it is counted, and its trigger waits
                await count(store, bus, clock, [event])
        [unsent] = [
            lead async for lead in store.with_unsent_triggers() if lead.email == "ada@example.com"
        ]
        project.export()
        bus.away = frozenset()
        clock.forward(HOUR)
        since = [
            *visits("ada@example.com", 6, 3, clock),
            *visits("cyn@example.com", 0, 4, clock),
        ]
        await sweep(store=store, bus=bus, now=clock.now())
        await count(store, bus, clock, since)
        never_restored = await known(store)
    before = {m.attributes["id"]: m.body for t, m in bus.asked if t == Topic.MQL}
    assert len(before) == 3

    project.restore()
    clock.forward(HOUR)
    bus.asked.clear()
    async with project.store() as store:
        assert len(await known(store)) == 2
        [waiting] = [
            lead async for lead in store.with_unsent_triggers() if lead.email == "ada@example.com"
        ]
        assert waiting.outbox == unsent.outbox
        await sweep(store=store, bus=bus, now=clock.now() + GRACE)
        again = {m.attributes["id"]: m.body for t, m in bus.asked if t == Topic.MQL}
        assert again.items() <= before.items(), "what was unsent is the same to the byte"
        assert len(again) == 2
        applied = await count(store, bus, clock, [*ada_first, *bob, *since])
        assert sum(each.counted for each in applied) == len(since)
        assert sum(each.duplicates for each in applied) == len(ada_first) + len(bob)
        assert await known(store) == never_restored
        after = {m.attributes["id"] for t, m in bus.asked if t == Topic.MQL}
        assert after == set(before), "whoever crossed since has the same trigger, under one id"


async def test_erasures_since_the_export_are_made_again(project: Emulated, bus: FailingBus) -> None:
    clock = StandingClock(NOW)
    ada, bob = (visits(f"{name}@example.com", 0, 4, clock) for name in ("ada", "bob"))
    async with project.store() as store:
        await count(store, bus, clock, [*ada, *bob])
        project.export()
        clock.forward(HOUR)
        [lead] = [lead async for lead in store.leads() if lead.email == "ada@example.com"]
        await erase([lead.id], store=store, archive=None, of=lead_ids, clock=clock)
        erasures = [each async for each in known_erasures(store)]
        never_restored = await known(store)
    project.restore()
    async with project.store() as store:
        assert len(await known(store)) == 2
        for erasure in erasures:
            assert await erase_again(erasure, store=store, archive=None, of=lead_ids)
        assert {each async for each in known_erasures(store)} == set(erasures)
        assert await known(store) == never_restored
        applied = await count(store, bus, clock, [*ada, *bob])
        assert sum(each.erased for each in applied) == len(ada)
        assert await known(store) == never_restored


async def test_what_tools_got_since_the_export_is_not_known_as_sent(project: Emulated) -> None:
    dispatches = FirestoreDispatchStore(project.project, emulator=project.host)
    try:
        await keep(dispatches, sent(a_dispatch("before").claimed("c", NOW)), a_dispatch("waits"))
        project.export()
        await keep(
            dispatches, sent(a_dispatch("waits").claimed("c", NOW)), sent(a_dispatch("since"))
        )
        project.restore()
        found = [await at(dispatches, id_) for id_ in ("before", "waits", "since")]
        assert [each and each.state for each in found] == [
            DispatchState.SENT,
            DispatchState.WAITING,
            None,
        ]
    finally:
        await dispatches.close()
