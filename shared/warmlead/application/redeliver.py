"""Sends again what is due to tools, and clears up after tools that are no longer there."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from warmlead.application.deliver import (
    ATTEMPT_S,
    TURN_S,
    Delivered,
    Dispatching,
    attempt,
    counted,
    outgoing_of,
    together,
)
from warmlead.application.due import Budget
from warmlead.domain.dispatch import KEPT, LEFT_FOR, NOT_IN_THE_FILE, Dispatch, DispatchState
from warmlead.domain.errors import RejectedError
from warmlead.ports.dispatching import (
    Destination,
    DispatchKey,
    DispatchStore,
    KeptDispatch,
    UnreadableDispatch,
)

LAST_S = TURN_S + ATTEMPT_S
"""Seconds for which the attempts go on that a run has begun within its budget."""

PAGE_DISPATCHES = 100

MOST_PRUNED = 400
"""Limit of old dispatches that one call deletes of a destination."""

LOOKED_AT_AGAIN = timedelta(hours=1)
"""After so long it is tried again to read a dispatch that could not be read."""


async def redeliver(using: Dispatching, *, budget_s: float | None = None) -> Delivered:
    """Attempts what is due at all destinations side by side, until nothing is or the time is up.

    Begins attempts within the budget; the last may take ``LAST_S`` more. Gives up what has waited
    ``LEFT_FOR`` for a destination that is no longer there. Raises ``UnavailableError`` if it should
    be run again.
    """
    budget = Budget(budget_s)
    each = [_redeliver_to(one, using, budget) for one in using.destinations.values()]
    return await together([*each, _clear_up(using, budget)])


async def _redeliver_to(to: Destination, using: Dispatching, budget: Budget) -> Delivered:
    """Attempts what is due at one destination, some at a time."""
    delivered, store = Delivered(), using.dispatches
    await store.prune(to.name, using.clock.now() - KEPT, most=MOST_PRUNED)
    while not budget.is_spent():
        now, circuit = using.clock.now(), await store.circuit(to.name)
        if circuit.missed_at:
            await store.change_circuit(to.name, lambda known: known.found())
        if circuit.rests_until(now):
            return delivered
        due = await store.due(to.name, now, most=to.at_once)
        if not due:
            return delivered
        delivered += await together(_attempt_again(to, each, using) for each in due)
    return replace(delivered, done=False)


async def _attempt_again(to: Destination, kept: KeptDispatch, using: Dispatching) -> Delivered:
    """Attempts what is kept; what cannot be read is set aside, so that it holds up no other."""
    if isinstance(kept, UnreadableDispatch):
        return await _set_aside(kept, using)
    try:
        message = outgoing_of(kept.body)
    except RejectedError as error:
        return await _give_up(kept, f"the kept message cannot be read: {error.message}", using)
    return await attempt(to, message, using)


async def _set_aside(unreadable: UnreadableDispatch, using: Dispatching) -> Delivered:
    now, key = using.clock.now(), DispatchKey(unreadable.destination, unreadable.id)
    await using.dispatches.set_aside(key, now, now + LOOKED_AT_AGAIN)
    using.unread(unreadable)
    return Delivered(unreadable=1)


async def _give_up(kept: Dispatch, why: str, using: Dispatching) -> Delivered:
    now, key = using.clock.now(), DispatchKey(kept.destination, kept.id)

    def dead(known: Dispatch | None) -> Dispatch | None:
        return known.given_up(why, now) if known else None

    after = await using.dispatches.change(key, dead)
    return counted(after) if after else Delivered()


# --- destinations that are no longer there -------------------------------------------------


async def _clear_up(using: Dispatching, budget: Budget) -> Delivered:
    """Gives up what waits for destinations that are no longer there, and prunes what is over."""
    delivered = Delivered()
    for name in await using.dispatches.destinations():
        if name not in using.destinations and not budget.is_spent():
            delivered += await _clear_up_after(name, using, budget)
    return delivered


async def _clear_up_after(name: str, using: Dispatching, budget: Budget) -> Delivered:
    delivered, store, now = Delivered(), using.dispatches, using.clock.now()
    await store.prune(name, now - KEPT, most=MOST_PRUNED)
    circuit = await store.circuit(name)
    if circuit.missed(now) != circuit:
        circuit = await store.change_circuit(name, lambda known: known.missed(now))
    if not circuit.missed_at or now < circuit.missed_at + LEFT_FOR:
        return delivered
    while not budget.is_spent():
        due = await store.due(name, now, most=PAGE_DISPATCHES)
        if not due:  # what is not due yet is so within a day
            return delivered
        for each in due:
            if isinstance(each, Dispatch):
                delivered += await _give_up(each, NOT_IN_THE_FILE, using)
            else:
                delivered += await _set_aside(each, using)
    return replace(delivered, done=False)


# --- what was given up ---------------------------------------------------------------------


async def revive(
    destination: str, ids: Sequence[str] | None, using: DispatchStore, now: datetime
) -> int:
    """Makes dead dispatches of a destination due again, all or those of some ids; their number."""

    def anew(dispatch: Dispatch | None) -> Dispatch | None:
        is_dead = dispatch is not None and dispatch.state is DispatchState.DEAD
        return dispatch.revived(now) if dispatch and is_dead else None

    if ids is None:
        dead = dispatches_in(destination, DispatchState.DEAD, using)
        ids = [each.id async for each in dead if isinstance(each, Dispatch)]
    revived = [await using.change(DispatchKey(destination, id_), anew) for id_ in ids]
    return sum(each is not None for each in revived)


async def dispatches_in(
    destination: str, state: DispatchState, using: DispatchStore
) -> AsyncIterator[KeptDispatch]:
    """The dispatches of a destination in a state, page by page."""
    after = ""
    while page := await using.in_state(destination, state, most=PAGE_DISPATCHES, after=after):
        for each in page:
            yield each
        after = page[-1].id
