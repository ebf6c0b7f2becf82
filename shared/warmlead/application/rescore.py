"""Applies a model to every lead from what is kept of it: no raw event is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from warmlead.application.send import send
from warmlead.application.settlement import Settlement
from warmlead.domain.errors import UnreadableError
from warmlead.domain.rules import Rules
from warmlead.ports import Clock, EventBus, LeadStore


@dataclass(frozen=True, slots=True)
class Rescored:
    """How many leads were looked at, changed their score, and moved to another stage.

    ``unreadable`` says of leads that cannot be read, by id, what is wrong; they stay as they are.
    """

    leads: int
    changed: int
    moved: int
    unreadable: Mapping[str, str] = field(default_factory=dict)


async def rescore(
    *,
    store: LeadStore,
    bus: EventBus,
    rules: Rules,
    titles: Mapping[str, str],
    clock: Clock,
) -> Rescored:
    """Brings every lead up to date under the model; may be killed and run again."""
    leads = changed = moved = 0
    unreadable: Mapping[str, str] = {}
    try:
        async for lead in store.leads():
            outcome = await store.update([lead.id], Settlement(lead.id, rules, titles, clock.now()))
            leads += 1
            changed += outcome.changed
            moved += outcome.moved
            await send(outcome.triggers, store=store, bus=bus)
    except UnreadableError as error:  # raised behind all others
        unreadable = error.problems
    return Rescored(leads, changed, moved, unreadable)
