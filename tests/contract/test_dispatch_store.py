"""What every ``DispatchStore`` promises; the tests never ask which adapter they hold."""

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from builders import NOW
from warmlead.domain.dispatch import FARTHEST, Circuit, Dispatch, DispatchState, Postponed, Sent
from warmlead.ports.dispatching import Decide, DispatchKey, DispatchStore

MINUTE = timedelta(minutes=1)
BODY = '{"name": "Zoë"}'.encode() + bytes(range(256))


def a_dispatch(id_: str = "m1", to: str = "zapier", **others: object) -> Dispatch:
    fields = {"kind": "k", "lead_id": "ada", "body": BODY, "begun_at": NOW, "due_at": NOW}
    return Dispatch(destination=to, id=id_, **{**fields, **others})  # type: ignore[arg-type]  # a test's


async def keep(store: DispatchStore, *dispatches: Dispatch) -> None:
    for each in dispatches:
        await store.change(DispatchKey(each.destination, each.id), always(each))


def always(dispatch: Dispatch | None) -> Decide:
    return lambda _: dispatch


async def at(store: DispatchStore, id_: str = "m1", to: str = "zapier") -> Dispatch | None:
    return await store.change(DispatchKey(to, id_), lambda known: known)


def sent(dispatch: Dispatch, when: datetime = NOW) -> Dispatch:
    return dispatch.after(Sent("17"), when, may_repeat=True)


async def test_what_is_decided_is_kept_whole(dispatches: DispatchStore) -> None:
    waiting = a_dispatch().claimed("c1", NOW)
    late = waiting.after(Postponed("it answered 503"), NOW + MINUTE, may_repeat=True)
    for each in (waiting, late, sent(late, NOW + 2 * MINUTE)):
        await keep(dispatches, each)
        assert await at(dispatches) == each


async def test_nothing_is_kept_of_no_decision(dispatches: DispatchStore) -> None:
    assert await dispatches.change(DispatchKey("zapier", "m1"), always(None)) is None
    assert await at(dispatches) is None
    await keep(dispatches, a_dispatch())
    assert await dispatches.change(DispatchKey("zapier", "m1"), always(None)) is None
    assert await at(dispatches) == a_dispatch()


async def test_an_error_of_a_decision_passes_through_and_costs_no_other(
    dispatches: DispatchStore,
) -> None:
    def fails(_: Dispatch | None) -> Dispatch | None:
        raise ValueError("undecided")

    results = await asyncio.gather(
        dispatches.change(DispatchKey("zapier", "m1"), fails),
        dispatches.change(DispatchKey("zapier", "m2"), always(a_dispatch("m2"))),
        return_exceptions=True,
    )
    assert isinstance(results[0], ValueError)
    assert await at(dispatches) is None
    assert await at(dispatches, "m2") == a_dispatch("m2")


async def test_of_many_that_claim_one_gets_it(dispatches: DispatchStore) -> None:
    await keep(dispatches, a_dispatch())

    async def claim(name: str) -> bool:
        def decide(known: Dispatch | None) -> Dispatch | None:
            assert known
            if known.claim == name:
                return known
            return known.claimed(name, NOW) if known.is_due(NOW) else None

        return await dispatches.change(DispatchKey("zapier", "m1"), decide) is not None

    got = await asyncio.gather(*(claim(f"c{number}") for number in range(12)))
    assert sum(got) == 1
    kept = await at(dispatches)
    assert kept
    assert (kept.attempts, kept.claim) == (1, f"c{got.index(True)}")


async def test_the_due_come_by_time_of_one_destination(dispatches: DispatchStore) -> None:
    later = [a_dispatch(f"m{n}", due_at=NOW - n * MINUTE) for n in range(4)]
    await keep(
        dispatches,
        *later,
        a_dispatch("future", due_at=NOW + MINUTE),
        a_dispatch("other", to="slack", due_at=NOW - 9 * MINUTE),
        sent(a_dispatch("over")),
    )
    found = await dispatches.due("zapier", NOW, most=3)
    assert found == [later[3], later[2], later[1]]
    await keep(dispatches, *(sent(each) for each in found))
    assert await dispatches.due("zapier", NOW, most=3) == [later[0]]


async def test_what_a_clock_that_ran_ahead_has_written_is_due_last(
    dispatches: DispatchStore,
) -> None:
    due, later, wrong = (
        a_dispatch("m1"),
        a_dispatch("m2", due_at=NOW + FARTHEST),
        a_dispatch("m3", due_at=NOW + FARTHEST + MINUTE),
    )
    await keep(dispatches, due, later, wrong, replace(wrong, destination="slack"))
    assert await dispatches.due("zapier", NOW, most=9) == [due, wrong]
    assert await dispatches.due("zapier", NOW, most=1) == [due]
    assert wrong.is_due(NOW)
    assert not later.is_due(NOW)


async def test_those_in_a_state_come_by_id_and_page(dispatches: DispatchStore) -> None:
    dead = [
        replace(a_dispatch(f"m{n}"), state=DispatchState.DEAD, due_at=None, ended_at=NOW)
        for n in range(5)
    ]
    await keep(dispatches, *dead, a_dispatch("waiting"), replace(dead[0], destination="slack"))
    first = await dispatches.in_state("zapier", DispatchState.DEAD, most=3)
    rest = await dispatches.in_state("zapier", DispatchState.DEAD, most=3, after=first[-1].id)
    assert [*first, *rest] == dead
    counts = await dispatches.counts("zapier")
    assert {state: n for state, n in counts.items() if n} == {
        DispatchState.DEAD: 5,
        DispatchState.WAITING: 1,
    }
    assert set(counts) == set(DispatchState)


async def test_circuits_change_one_after_the_other(dispatches: DispatchStore) -> None:
    assert await dispatches.circuit("zapier") == Circuit()

    def failed(circuit: Circuit) -> Circuit:
        return replace(circuit, failures=circuit.failures + 1, why="it answered 500")

    await asyncio.gather(*(dispatches.change_circuit("zapier", failed) for _ in range(6)))
    assert await dispatches.circuit("zapier") == Circuit(failures=6, why="it answered 500")
    assert await dispatches.circuit("slack") == Circuit()


async def test_what_is_about_a_person_is_found_and_erased(dispatches: DispatchStore) -> None:
    ada = [a_dispatch("m1"), sent(a_dispatch("m2")), a_dispatch("m3", to="slack", lead_id="ada2")]
    others = [a_dispatch("m4", lead_id="bob"), a_dispatch("m5", lead_id="")]
    await keep(dispatches, *ada, *others)
    found = [each async for each in dispatches.of_leads(["ada", "ada2", "nobody"])]
    assert sorted(found, key=lambda each: each.id) == ada
    assert await dispatches.erase(["ada", "ada2", "nobody"]) == 3
    assert await dispatches.erase(["ada"]) == 0
    assert [await at(dispatches, each.id) for each in others] == others
    assert await at(dispatches) is None


async def test_old_ones_are_pruned_and_no_others(dispatches: DispatchStore) -> None:
    ended = [sent(a_dispatch(f"m{n}"), NOW + n * MINUTE) for n in range(5)]
    await keep(dispatches, *ended, a_dispatch("waiting"), replace(ended[0], destination="slack"))
    assert await dispatches.prune("zapier", NOW + 3 * MINUTE, most=3) == 3
    assert await dispatches.prune("zapier", NOW + 3 * MINUTE, most=3) == 1
    assert await dispatches.prune("zapier", NOW + 3 * MINUTE, most=3) == 0
    assert await at(dispatches, "m4") == ended[4]
    assert await at(dispatches, "waiting")
    assert await at(dispatches, "m0", "slack")


@pytest.mark.slow
async def test_more_than_a_page_about_a_person(dispatches: DispatchStore) -> None:
    many = [a_dispatch(f"m{n:04}") for n in range(450)]
    await asyncio.gather(*(keep(dispatches, each) for each in many))
    found = [each.id async for each in dispatches.of_leads(["ada"])]
    assert sorted(found) == [each.id for each in many]
    assert await dispatches.erase(["ada"]) == 450
