"""Leads in the real Firestore emulator: what it costs, and what happens when answers are lost."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from builders import (
    NOW,
    RULES,
    StandingClock,
    a_lead,
    a_lead_named,
    a_trigger,
    an_event,
    keeping,
    lead_ids,
)
from emulator.calls import CountedCalls, CountedStreams, LostReplies, RefusedCalls
from patience import PATIENCE_S
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.errors import UnavailableError
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead
from warmlead.google_api import Interceptors
from warmlead.ports import Commit, Loaded
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.store import FirestoreLeadStore

ADA = a_lead_named("ada")
OpenStore = Callable[..., FirestoreLeadStore]


def one_more(loaded: Loaded) -> Commit[int]:
    """Not idempotent on purpose: written twice, it counts twice."""
    lead = loaded[ADA.id]
    assert isinstance(lead, Lead)
    count = lead.progress.peak_score + 1
    return Commit(count, [replace(lead, progress=replace(lead.progress, peak_score=count))])


@pytest.fixture
def project() -> str:
    return f"p{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def open_store(firestore_emulator: str, project: str) -> AsyncIterator[OpenStore]:
    stores: list[FirestoreLeadStore] = []

    def open_another(
        interceptors: Interceptors = (), *, patience_s: float = PATIENCE_S
    ) -> FirestoreLeadStore:
        stores.append(
            FirestoreLeadStore(
                project,
                emulator=firestore_emulator,
                interceptors=interceptors,
                patience_s=patience_s,
            )
        )
        return stores[-1]

    yield open_another
    for store in stores:
        await store.close()


@pytest.fixture
def google(
    firestore_emulator: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> firestore.Client:
    """Google's own client on the same database."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth has no types


async def peak_of(store: FirestoreLeadStore) -> int:
    lead = await store.get(ADA.id)
    assert lead
    return lead.progress.peak_score


# --- cost ----------------------------------------------------------------------------------


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[SqliteBus]:
    async with SqliteFile(tmp_path / "bus.sqlite3") as file:
        yield SqliteBus(file, StandingClock(), {})


async def test_an_ordinary_event_is_one_read_and_one_commit_of_one_document(
    open_store: OpenStore, bus: SqliteBus
) -> None:
    counted = CountedCalls()
    scoring = Scoring(RULES, lead_ids)
    for number in range(2):  # of a lead that is not there yet, and of one that is
        store = open_store([counted])
        event = an_event(id=f"event-{number}")
        await apply([event], store=store, bus=bus, scoring=scoring, clock=StandingClock())
        assert counted.calls == {"GetDocument": 1, "Commit": 1}
        assert counted.documents == {"read": 1, "written": 1 + (number == 0)}  # and its first move
        counted.forget()


async def test_a_lead_that_was_just_written_is_not_read_again(
    open_store: OpenStore, bus: SqliteBus
) -> None:
    counted = CountedCalls()
    store = open_store([counted])
    scoring = Scoring(RULES, lead_ids)
    for number in range(10):
        event = an_event(id=f"event-{number}")
        await apply([event], store=store, bus=bus, scoring=scoring, clock=StandingClock())
    assert counted.calls == {"GetDocument": 1, "Commit": 10}


async def test_updates_that_arrive_during_a_commit_share_the_next(open_store: OpenStore) -> None:
    counted = CountedCalls()
    store = open_store([counted])
    await store.update([], keeping(ADA))
    counted.forget()
    await asyncio.gather(*(store.update([ADA.id], one_more) for _ in range(50)))
    assert await peak_of(store) == 50
    assert counted.calls["Commit"] <= 2


PEOPLE = [a_lead_named(f"person-{number}") for number in range(40)]


def one_more_of(id_: str) -> Callable[[Loaded], Commit[int]]:
    """Not idempotent on purpose, as ``one_more``."""

    def change(loaded: Loaded) -> Commit[int]:
        lead = loaded[id_]
        assert isinstance(lead, Lead)
        count = lead.progress.peak_score + 1
        return Commit(count, [replace(lead, progress=replace(lead.progress, peak_score=count))])

    return change


async def test_leads_that_are_updated_at_once_share_their_read_and_their_commit(
    open_store: OpenStore,
) -> None:
    await open_store().update([], keeping(*PEOPLE))
    counted, streams = CountedCalls(), CountedStreams()
    store = open_store([counted, streams])
    answers = await asyncio.gather(*(store.update([p.id], one_more_of(p.id)) for p in PEOPLE))
    assert answers == [1] * len(PEOPLE)
    assert counted.calls == {"Commit": 1}
    assert streams.calls == {"BatchGetDocuments": 1}
    assert counted.documents["written"] == len(PEOPLE)


async def test_a_known_event_is_not_rewritten_with_others(
    open_store: OpenStore,
) -> None:
    await open_store().update([], keeping(*PEOPLE))
    counted = CountedCalls()
    store = open_store([counted])
    looks = (store.update([p.id], lambda _: Commit(0)) for p in PEOPLE[1:])
    await asyncio.gather(store.update([PEOPLE[0].id], one_more_of(PEOPLE[0].id)), *looks)
    assert counted.documents["written"] == 1


async def test_a_lead_that_cannot_be_written_costs_no_other(open_store: OpenStore) -> None:
    large = replace(ADA, outbox=(a_trigger(body="x" * 1_100_000),))
    store = open_store()
    answers = await asyncio.gather(
        *(store.update([p.id], keeping(p)) for p in (*PEOPLE[:5], large, *PEOPLE[5:])),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if answer is not None] == [RuntimeError]
    assert len([lead async for lead in store.leads()]) == len(PEOPLE)


# --- answers that are lost -----------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    ],
)
async def test_a_commit_whose_answer_is_lost_counts_once(
    open_store: OpenStore, code: grpc.StatusCode
) -> None:
    await open_store().update([], keeping(ADA))
    lost = LostReplies("Commit", numbers=range(1, 4), code=code)
    store = open_store([lost])
    assert [await store.update([ADA.id], one_more) for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert lost.lost == 3


async def test_a_commit_of_many_leads_whose_answer_is_lost_counts_once(
    open_store: OpenStore,
) -> None:
    await open_store().update([], keeping(*PEOPLE))
    lost = LostReplies("Commit", numbers=range(1, 2))
    store = open_store([lost])
    updates = [(p.id, one_more_of(p.id)) for p in PEOPLE for _ in range(3)]
    answers = await asyncio.gather(*(store.update([id_], change) for id_, change in updates))
    assert answers == [1, 2, 3] * len(PEOPLE)
    assert lost.lost == 1


async def test_a_lead_that_another_instance_wrote_costs_the_others_no_answer(
    open_store: OpenStore,
) -> None:
    here, there = open_store(), open_store()
    await here.update([], keeping(*PEOPLE))
    await asyncio.gather(*(here.update([p.id], one_more_of(p.id)) for p in PEOPLE))
    await there.update([PEOPLE[7].id], one_more_of(PEOPLE[7].id))
    answers = await asyncio.gather(*(here.update([p.id], one_more_of(p.id)) for p in PEOPLE))
    assert answers == [3 if person is PEOPLE[7] else 2 for person in PEOPLE]


async def test_a_read_whose_answer_is_lost_is_asked_for_again(open_store: OpenStore) -> None:
    await open_store().update([], keeping(ADA))
    store = open_store([LostReplies("GetDocument", numbers=range(1, 3))])
    assert await store.get(ADA.id) == ADA


async def test_many_updates_with_a_third_of_all_calls_aborted_lose_nothing(
    open_store: OpenStore,
) -> None:
    await open_store().update([], keeping(ADA))
    aborted = RefusedCalls(grpc.StatusCode.ABORTED, share=0.3, random=Random(7))
    stores = [open_store([aborted]) for _ in range(4)]
    answers = await asyncio.gather(
        *(store.update([ADA.id], one_more) for store in stores for _ in range(40))
    )
    assert sorted(answers) == list(range(1, 161))
    assert aborted.refused


async def test_firestore_gone_is_unavailable_for_all_who_wait_and_in_time(
    open_store: OpenStore,
) -> None:
    gone = RefusedCalls(grpc.StatusCode.UNAVAILABLE, share=1.0, random=Random(1))
    store = open_store([gone], patience_s=0.3)
    async with asyncio.timeout(30):  # one after the other they would take 90 s
        answers = await asyncio.gather(
            *(store.update([ADA.id], one_more) for _ in range(300)), return_exceptions=True
        )
    assert {type(answer) for answer in answers} == {UnavailableError}


async def test_a_write_that_firestore_refuses_is_our_error_and_not_retried(
    open_store: OpenStore,
) -> None:
    refused = RefusedCalls(grpc.StatusCode.INVALID_ARGUMENT, share=1.0, random=Random(1))
    store = open_store([refused])
    with pytest.raises(RuntimeError, match="INVALID_ARGUMENT"):
        await store.update([], keeping(ADA))
    assert refused.refused == 2  # with whatever else waits, and by itself


async def test_a_cancelled_caller_does_not_affect_others(open_store: OpenStore) -> None:
    store = open_store()
    await store.update([], keeping(ADA))
    tasks = [asyncio.create_task(store.update([ADA.id], one_more)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    stayed = [answer for answer in answers if isinstance(answer, int)]
    assert len(stayed) == 10
    assert await peak_of(store) >= max(stayed)


# --- documents -----------------------------------------------------------------------------


async def test_googles_own_client_reads_what_was_written(
    open_store: OpenStore, google: firestore.Client
) -> None:
    browser = lead_ids.of(Identifier(Kind.ANONYMOUS, "browser-1"))
    waiting = replace(ADA, outbox=(a_trigger(at=NOW + timedelta(seconds=5)), a_trigger(at=NOW)))
    await open_store().update([], keeping(waiting, aliases={browser: ADA.id}))
    found = google.document("leads", ADA.id).get().to_dict()
    assert found
    assert json.loads(found["document"])["id"] == ADA.id
    assert found["stage"] == ADA.progress.stage
    assert found["outbox_at"] == NOW
    assert 0 <= found["shard"] < 8
    alias = google.document("leads", browser).get().to_dict()
    assert alias
    assert (alias["alias"], "shard" in alias) == (ADA.id, False)


async def test_fields_of_a_newer_release_stay(
    open_store: OpenStore, google: firestore.Client
) -> None:
    await open_store().update([], keeping(ADA))
    google.document("leads", ADA.id).update({"segment_of_a_newer_release": "gold"})
    await open_store().update([ADA.id], one_more)
    found = google.document("leads", ADA.id).get().to_dict()
    assert found
    assert found["segment_of_a_newer_release"] == "gold"


async def test_a_lead_of_a_newer_layout_is_left_alone(
    open_store: OpenStore, google: firestore.Client
) -> None:
    newer = json.dumps({"v": 99, "id": ADA.id})
    google.document("leads", ADA.id).set({"document": newer, "shard": 1})
    with pytest.raises(UnavailableError):
        await open_store().update([ADA.id], one_more)
    found = google.document("leads", ADA.id).get().to_dict()
    assert found == {"document": newer, "shard": 1}


@pytest.mark.parametrize(("events", "most_bytes"), [(5, 1_800), (50, 4_000), (500, 25_000)])
async def test_a_document_stays_small(
    open_store: OpenStore, google: firestore.Client, events: int, most_bytes: int
) -> None:
    lead = a_lead(
        *(
            an_event(
                id=f"event-{i}",
                name=f"name_{i % 25}",
                occurred_at=NOW - timedelta(hours=i),
                received_at=NOW - timedelta(hours=i),
            )
            for i in range(events)
        )
    )
    await open_store().update([], keeping(lead))
    snapshot = google.document("leads", lead.id).get()
    assert len(json.dumps(snapshot.to_dict(), default=str)) < most_bytes
