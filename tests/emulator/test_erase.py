"""Erasing somebody in Firestore: killed at any call, with any answer lost, beside writers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from builders import NOW, StandingClock, an_event, lead_ids
from emulator.calls import Continue, failure
from patience import PATIENCE_S
from unit.application.conftest import RULES
from unit.application.persons import ADA, BOB, EMAIL, MINUTE
from warmlead.application.apply import Scoring, apply
from warmlead.application.privacy.erase import Erased, erase
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.event import Event
from warmlead.google_api import Interceptors
from warmlead.ports import Commit, LeadStore, Loaded, Tombstone
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.store import FirestoreLeadStore

CLOCK = StandingClock(NOW)
OpenStore = Callable[..., FirestoreLeadStore]


class KilledError(Exception):
    """Stands for the end of the process."""


class Disturbed(grpc.aio.UnaryUnaryClientInterceptor):
    """Fails one call, counted from 1, or its answer; without a code that is the process's end."""

    def __init__(self, at: int, code: grpc.StatusCode | None, *, afterwards: bool) -> None:
        self.calls = 0
        self._at = at
        self._code = code
        self._afterwards = afterwards

    async def intercept_unary_unary(
        self, continuation: Continue, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        self.calls += 1
        if self.calls < self._at or (self._code and self.calls > self._at):
            return await continuation(client_call_details, request)
        if self.calls == self._at and self._afterwards:
            await (await continuation(client_call_details, request))
        raise failure(self._code) if self._code else KilledError


@pytest.fixture
async def open_store(firestore_emulator: str) -> AsyncIterator[OpenStore]:
    stores: list[FirestoreLeadStore] = []
    project = f"p{uuid.uuid4().hex[:12]}"

    def open_another(interceptors: Interceptors = ()) -> FirestoreLeadStore:
        store = FirestoreLeadStore(
            project, emulator=firestore_emulator, interceptors=interceptors, patience_s=PATIENCE_S
        )
        stores.append(store)
        return store

    yield open_another
    for store in stores:
        await store.close()


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[SqliteBus]:
    """A bus that nobody searches: in the cloud there is no archive to be cleaned."""
    async with SqliteFile(tmp_path / "bus.sqlite3") as file:
        yield SqliteBus(file, CLOCK, {})


async def count(store: LeadStore, bus: SqliteBus, *events: Event) -> None:
    scoring = Scoring(RULES, lead_ids)
    await apply(events, store=store, bus=bus, scoring=scoring, clock=CLOCK)


def seen(number: int, **fields: Any) -> Event:
    known = {"email": "ada@example.com", "user_id": "u-42", "anonymous_id": "browser-1"}
    return an_event(id=f"event-{number}", name="page_viewed", **(fields or known))


async def fill(store: LeadStore, bus: SqliteBus) -> None:
    await count(store, bus, seen(1, anonymous_id="browser-1"))
    await count(store, bus, *(seen(i) for i in range(2, 6)))
    await count(store, bus, *(seen(i, email="bob@example.com") for i in range(10, 14)))


async def erased(store: LeadStore, who: str = EMAIL) -> Erased:
    return await erase([who], store=store, archive=None, of=lead_ids, clock=CLOCK)


async def state(store: LeadStore) -> tuple[Loaded, dict[str, Any], list[str]]:
    def look(loaded: Loaded) -> Commit[Loaded]:
        return Commit(dict(loaded))

    ids = sorted([*ADA, BOB])
    moves = {id_: await store.transitions(id_) for id_ in ids}
    return await store.update(ids, look), moves, [lead.id async for lead in store.leads()]


async def test_tombstones_are_all_that_stays(open_store: OpenStore, bus: SqliteBus) -> None:
    store = open_store()
    await fill(store, bus)
    _, before, _ = await state(store)
    done = await erased(store)
    found, moves, leads = await state(open_store())
    grave = Tombstone(done.buried.erased_at, tuple(sorted(ADA)))
    assert {id_: found[id_] for id_ in ADA} == dict.fromkeys(ADA, grave)
    assert before[EMAIL]
    assert moves == {**{id_: [] for id_ in ADA}, BOB: before[BOB]}
    assert leads == [BOB]


@pytest.mark.parametrize("afterwards", [False, True])
@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, None])
async def test_disturbed_at_any_call_it_ends_the_same(
    open_store: OpenStore, bus: SqliteBus, code: grpc.StatusCode | None, afterwards: bool
) -> None:
    """With a code the call fails; without one the process is killed, and the command run again."""
    clean = open_store()
    await fill(clean, bus)
    undisturbed = Disturbed(1_000, code, afterwards=afterwards)
    await erased(open_store([undisturbed]))
    expected = await state(clean)
    assert undisturbed.calls >= 3, "it looks, reads and commits"
    for at in range(1, undisturbed.calls + 1):
        await clean.clear()
        await fill(clean, bus)
        disturbed = Disturbed(at, code, afterwards=afterwards)
        try:
            await erased(open_store([disturbed]))
        except KilledError:
            await erased(open_store(), sorted(ADA)[at % 3])
        else:
            assert code, "it was killed"
        assert await state(open_store()) == expected


async def test_a_lead_that_is_written_during_its_erasure_ends_erased(
    open_store: OpenStore, bus: SqliteBus
) -> None:
    writers = [open_store(), open_store()]
    await fill(writers[0], bus)
    _, before, _ = await state(writers[0])
    events = [seen(100 + i) for i in range(40)]
    counting = [
        asyncio.create_task(count(writers[i % 2], bus, event)) for i, event in enumerate(events)
    ]
    done = await erased(open_store())
    await asyncio.gather(*counting)
    await count(writers[0], bus, *events)
    found, moves, leads = await state(open_store())
    assert {type(found[id_]) for id_ in ADA} == {Tombstone}
    assert moves == {**{id_: [] for id_ in ADA}, BOB: before[BOB]}
    assert leads == [BOB]
    later = done.buried.erased_at + MINUTE
    again = seen(200, email="ada@example.com", occurred_at=later, received_at=later)
    await count(writers[1], bus, again, *events)
    lead = await writers[0].get(EMAIL)
    assert lead
    assert lead.kept_events == 1
