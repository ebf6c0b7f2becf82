"""What every ``DispatchStore`` promises of a dispatch that cannot be read: it costs no other."""

import json
from datetime import timedelta

import pytest

from builders import NOW
from contract.backends import Dispatches
from contract.test_dispatch_store import a_dispatch, at, keep, sent
from warmlead.domain.dispatch import KEPT, Circuit, DispatchState, Sent
from warmlead.ports.dispatching import (
    DispatchKey,
    DispatchStore,
    UnreadableDispatch,
    UnreadableDispatchError,
)
from warmlead.stores.dispatch_codec import write_dispatch

KEY = DispatchKey("zapier", "m1")
HOUR = timedelta(hours=1)
OF_ANOTHER_RELEASE = json.dumps({**json.loads(write_dispatch(a_dispatch())), "state": "parked"})

DAMAGED = {
    "empty": "",
    "cut off": write_dispatch(a_dispatch())[:40],
    "not an object": "[1, 2]",
    "in a state of a newer release": OF_ANOTHER_RELEASE,
    "another's": write_dispatch(a_dispatch("m2")),
    "too deep": "[" * 100_000,
}


async def spoilt(kept: Dispatches, record: str = OF_ANOTHER_RELEASE) -> DispatchStore:
    await keep(kept.store, a_dispatch(), a_dispatch("m2", due_at=NOW + HOUR))
    await kept.spoil(KEY, record)
    return kept.store


async def state_counts(store: DispatchStore) -> dict[DispatchState, int]:
    return {state: n for state, n in (await store.counts("zapier")).items() if n}


@pytest.mark.parametrize("damage", DAMAGED)
async def test_it_is_handed_out_as_what_it_is_beside_all_others(
    kept: Dispatches, damage: str
) -> None:
    store = await spoilt(kept, DAMAGED[damage])
    unread, other = await store.due("zapier", NOW + HOUR, most=9)
    assert isinstance(unread, UnreadableDispatch)
    assert DispatchKey(unread.destination, unread.id) == KEY
    assert "Zo" not in unread.problem
    assert other == a_dispatch("m2", due_at=NOW + HOUR)
    in_state = await store.in_state("zapier", DispatchState.WAITING, most=9)
    assert [*in_state] == [unread, other]
    assert [each async for each in store.of_leads(["ada"])] == [unread, other]
    with pytest.raises(UnreadableDispatchError, match="m1 to zapier cannot be read"):
        await at(store)


async def test_set_aside_it_waits_untouched_and_goes_on_with_who_can_read_it(
    kept: Dispatches,
) -> None:
    store = await spoilt(kept)
    await store.set_aside(KEY, NOW, NOW + HOUR)
    assert await state_counts(store) == {DispatchState.UNREADABLE: 1, DispatchState.WAITING: 1}
    assert await store.due("zapier", NOW, most=9) == []
    assert len(await store.due("zapier", NOW + HOUR, most=9)) == 2
    await kept.spoil(KEY, write_dispatch(a_dispatch()))  # as the newer release reads it
    assert await at(store) == a_dispatch()
    claimed = a_dispatch().claimed("c1", NOW + HOUR)
    await keep(store, claimed)
    assert await at(store) == claimed
    assert await state_counts(store) == {DispatchState.SENDING: 1, DispatchState.WAITING: 1}
    assert await store.prune("zapier", NOW + KEPT, most=9) == 0


async def test_it_is_pruned_as_of_when_it_was_first_set_aside(kept: Dispatches) -> None:
    store = await spoilt(kept)
    await store.set_aside(KEY, NOW, NOW + HOUR)
    await store.set_aside(KEY, NOW + HOUR, NOW + 2 * HOUR)
    assert await store.prune("zapier", NOW - HOUR, most=9) == 0
    assert await store.prune("zapier", NOW, most=9) == 1
    assert await state_counts(store) == {DispatchState.WAITING: 1}


async def test_nothing_comes_of_setting_aside_what_is_not_there(dispatches: DispatchStore) -> None:
    await dispatches.set_aside(KEY, NOW, NOW + HOUR)
    assert await at(dispatches) is None


async def test_it_is_erased_with_its_person(kept: Dispatches) -> None:
    store = await spoilt(kept)
    assert await store.erase(["ada"]) == 2
    assert await at(store) is None


async def test_fields_of_a_newer_release_outlast_what_is_written_over_them(
    kept: Dispatches,
) -> None:
    store = kept.store
    await keep(store, a_dispatch())
    newer = {**json.loads(write_dispatch(a_dispatch())), "priority": 3}
    await kept.spoil(KEY, json.dumps(newer))
    await store.change(KEY, lambda known: known and known.after(Sent("17"), NOW, may_repeat=True))
    assert await at(store) == sent(a_dispatch())
    assert json.loads(kept.record(KEY))["priority"] == 3


async def test_destinations_are_those_of_which_anything_is_kept(dispatches: DispatchStore) -> None:
    assert await dispatches.destinations() == []
    await keep(dispatches, a_dispatch(to="zapier"), a_dispatch("m2", to="zapier"))
    await keep(dispatches, a_dispatch(to="crm"), sent(a_dispatch(to="a tool")))
    await dispatches.change_circuit("never", lambda _: Circuit(failures=1))
    assert await dispatches.destinations() == ["a tool", "crm", "zapier"]
