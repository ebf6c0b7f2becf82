"""What every ``LeadStore`` promises of a document that cannot be read: it costs nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_lead_named, a_trigger, keeping
from contract.backends import OpenStore
from warmlead.application.privacy.erase import Look
from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.ports import Commit, LeadStore, Loaded, ToleratesUnreadable, Tombstone, Unreadable
from warmlead.stores.codec import write_lead

ADA, BOB, CYN = (a_lead_named(name, outbox=(a_trigger(id=name),)) for name in ("ada", "bob", "cyn"))

DAMAGED: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut off": lambda text: text[: len(text) // 2],
    "not an object": lambda _: "[1, 2]",
    "a number": lambda _: "7",
    "of a newer release": lambda text: json.dumps({**json.loads(text), "v": 999}),
    "without a version": lambda _: "{}",
    "of an odd version": lambda text: json.dumps({**json.loads(text), "v": []}),
    "without its trails": lambda text: json.dumps({**json.loads(text), "trails": None}),
    "with an impossible time": lambda text: json.dumps({**json.loads(text), "created": 10**30}),
    "another lead's": lambda _: write_lead(BOB),
    "too deep": lambda _: "[" * 100_000,
}


def counted(lead_id: str) -> Callable[[Loaded], Commit[str]]:
    def change(loaded: Loaded) -> Commit[str]:
        lead = loaded[lead_id]
        assert isinstance(lead, Lead)
        return Commit(lead.id, [replace(lead, outbox=())])

    return change


async def walked(leads: AsyncIterator[Lead]) -> tuple[list[str], dict[str, str]]:
    """The ids that a walk hands out, and what it says in the end of others."""
    ids = []
    try:
        async for lead in leads:
            ids.append(lead.id)  # noqa: PERF401  # they stay when the walk raises
    except UnreadableError as error:
        return ids, error.problems
    return ids, {}


async def with_spoilt_ada(open_store: OpenStore, document: str = "") -> LeadStore:
    store = open_store()
    await store.update([], keeping(ADA, BOB, CYN, aliases={"alias-of-ada": ADA.id}))
    await open_store.spoil(ADA.id, document)
    return open_store()


@pytest.mark.parametrize("damage", DAMAGED)
async def test_a_walk_yields_every_readable_lead_and_then_names_the_unreadable_one(
    open_store: OpenStore, damage: str
) -> None:
    store = await with_spoilt_ada(open_store, DAMAGED[damage](write_lead(ADA)))
    ids, problems = await walked(store.leads())
    assert ids == sorted([BOB.id, CYN.id])
    assert list(problems) == [ADA.id]
    assert "ada@" not in problems[ADA.id]


async def test_a_walk_over_unsent_triggers_hands_out_all_others(open_store: OpenStore) -> None:
    store = await with_spoilt_ada(open_store)
    ids, problems = await walked(store.with_unsent_triggers())
    assert sorted(ids) == sorted([BOB.id, CYN.id])
    assert list(problems) == [ADA.id]


@pytest.mark.parametrize("id_", [ADA.id, "alias-of-ada"])
async def test_reading_an_unreadable_lead_names_it(open_store: OpenStore, id_: str) -> None:
    store = await with_spoilt_ada(open_store)
    for asking in (store.get(id_), store.update([id_], counted(id_)), store.transitions(id_)):
        with pytest.raises(UnreadableError) as caught:
            await asking
        assert list(caught.value.problems) == [ADA.id]


async def test_concurrent_updates_of_other_leads_succeed(open_store: OpenStore) -> None:
    store = await with_spoilt_ada(open_store)
    ids = [ADA.id, BOB.id, "alias-of-ada", CYN.id]
    updates = (store.update([id_], counted(id_)) for id_ in ids)
    answers = await asyncio.gather(*updates, return_exceptions=True)
    assert [a if isinstance(a, str) else type(a) for a in answers] == [
        *(UnreadableError, BOB.id, UnreadableError, CYN.id)
    ]
    again = await store.update_each([([id_], counted(id_)) for id_ in ids])
    assert [isinstance(answer, UnreadableError) for answer in again] == [True, False, True, False]


async def test_a_change_that_accepts_unreadable_leads_can_erase_it(open_store: OpenStore) -> None:
    store = await with_spoilt_ada(open_store)
    found = (await store.update([ADA.id, BOB.id], Look()))[ADA.id]
    assert isinstance(found, Unreadable)
    assert found.id == ADA.id

    class Bury(ToleratesUnreadable):
        def __call__(self, _: Loaded) -> Commit[None]:
            return Commit(None, tombstones={ADA.id: Tombstone(NOW, (ADA.id,))})

    await store.update([ADA.id], Bury())
    assert await walked(open_store().leads()) == (sorted([BOB.id, CYN.id]), {})
    assert await store.get("alias-of-ada") is None


async def test_a_mended_document_is_read_at_once(open_store: OpenStore) -> None:
    store = await with_spoilt_ada(open_store)
    await store.due_for_followup(NOW + timedelta(days=1), shard=0, most=10)
    with pytest.raises(UnreadableError):
        await store.get(ADA.id)
    await open_store.spoil(ADA.id, write_lead(ADA))
    assert await store.update([ADA.id], counted(ADA.id)) == ADA.id
