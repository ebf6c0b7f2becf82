"""Sends triggers: published after the commit that holds them, cleared once acknowledged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from warmlead.domain.trigger import Trigger
from warmlead.ports import Commit, EventBus, LeadStore, Loaded, Message

GRACE = timedelta(seconds=30)
"""So long a trigger belongs to the process whose commit made it; after that it was left behind."""


async def send(triggers: Sequence[tuple[str, Trigger]], *, store: LeadStore, bus: EventBus) -> None:
    """Publishes triggers of leads and, when the bus has them for sure, clears them.

    Killed in between, it leaves a trigger that the sweep sends again, byte for byte.
    """
    for _, trigger in triggers:
        message = Message(trigger.body.encode(), {**dict(trigger.attributes), "id": trigger.id})
        await bus.publish(trigger.topic, [message])
    for lead_id in dict.fromkeys(lead_id for lead_id, _ in triggers):
        sent = frozenset(trigger.id for owner, trigger in triggers if owner == lead_id)
        await store.update([lead_id], _Cleared(lead_id, sent))


async def sweep(*, store: LeadStore, bus: EventBus, now: datetime) -> int:
    """Sends what a crash left unsent; returns how many triggers that were."""
    count = 0
    async for lead in store.with_unsent_triggers():
        left = [(lead.id, trigger) for trigger in lead.outbox if trigger.at <= now - GRACE]
        if left:
            await send(left, store=store, bus=bus)
            count += len(left)
    return count


class _Cleared:
    """The change that takes sent triggers out of a lead's outbox."""

    def __init__(self, lead_id: str, sent: frozenset[str]) -> None:
        self._lead_id = lead_id
        self._sent = sent

    def __call__(self, loaded: Loaded) -> Commit[None]:
        lead = loaded[self._lead_id]
        if lead is None:
            return Commit(None)
        left = tuple(trigger for trigger in lead.outbox if trigger.id not in self._sent)
        if left == lead.outbox:
            return Commit(None)
        return Commit(None, [replace(lead, outbox=left)])
