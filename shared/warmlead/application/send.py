"""Sends triggers: publishes them after their commit, and clears them once acknowledged."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import Struct

from warmlead.domain.clock_skew import AHEAD
from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import Commit, EventBus, LeadStore, Loaded, Message, Update

GRACE = timedelta(seconds=30)
"""Time in which the process whose commit made a trigger sends it; later it counts as unsent."""

LEADS_AT_ONCE = 16
"""How many leads are sent at once: one by one, a thousand leads would take minutes."""


async def send(triggers: Sequence[tuple[str, Trigger]], *, store: LeadStore, bus: EventBus) -> None:
    """Publishes triggers of leads, and clears them once the bus has acknowledged them.

    If it is killed in between, the sweep sends the trigger again, byte-identical.
    """
    by_topic: dict[Topic, list[Message]] = {}
    by_lead: dict[str, set[str]] = {}
    for lead_id, trigger in triggers:
        message = Message(trigger.body.encode(), {**dict(trigger.attributes), "id": trigger.id})
        by_topic.setdefault(trigger.topic, []).append(message)
        by_lead.setdefault(lead_id, set()).add(trigger.id)
    for topic, messages in by_topic.items():
        await bus.publish(topic, messages)
    clearing: list[Update[None]] = [
        ([id_], _Cleared(id_, frozenset(sent))) for id_, sent in by_lead.items()
    ]
    cleared = await store.update_each(clearing)
    for outcome in cleared:
        if outcome is not None:
            raise outcome


class Swept(Struct, frozen=True):
    """The number of unsent triggers, and the problems of leads that cannot be read."""

    triggers: int = 0
    unreadable: Mapping[str, str] = {}


async def sweep(
    *, store: LeadStore, bus: EventBus, now: datetime, is_over: Callable[[], bool] = lambda: False
) -> Swept:
    """Sends the triggers that a crash left unsent, until ``is_over``."""
    count = 0
    unreadable: Mapping[str, str] = {}
    together: list[Sequence[tuple[str, Trigger]]] = []
    try:
        async for lead in store.with_unsent_triggers():
            left = [(lead.id, trigger) for trigger in lead.outbox if _was_left(trigger, now)]
            if left:
                together.append(left)
                count += len(left)
            if len(together) == LEADS_AT_ONCE:
                await _send_together(together, store=store, bus=bus)
                together.clear()
                if is_over():
                    break
    except UnreadableError as error:  # raised behind all others
        unreadable = error.problems
    await _send_together(together, store=store, bus=bus)
    return Swept(count, unreadable)


def _was_left(trigger: Trigger, now: datetime) -> bool:
    """Whether the process that made the trigger should have sent it by now.

    This is also true of a trigger from the far future: it was made under a clock that ran ahead,
    and would wait until that time.
    """
    return trigger.at <= now - GRACE or trigger.at > now + AHEAD


async def _send_together(
    leads: Sequence[Sequence[tuple[str, Trigger]]], *, store: LeadStore, bus: EventBus
) -> None:
    """Sends the triggers of several leads at once; raises the first error when all have ended."""
    sending = [send(triggers, store=store, bus=bus) for triggers in leads]
    for outcome in await asyncio.gather(*sending, return_exceptions=True):
        if outcome is not None:
            raise outcome


class _Cleared:
    """The change that takes sent triggers out of a lead's outbox."""

    def __init__(self, lead_id: str, sent: frozenset[str]) -> None:
        self._lead_id = lead_id
        self._sent = sent

    def __call__(self, loaded: Loaded) -> Commit[None]:
        lead = loaded[self._lead_id]
        if not isinstance(lead, Lead):
            return Commit(None)
        left = tuple(trigger for trigger in lead.outbox if trigger.id not in self._sent)
        if left == lead.outbox:
            return Commit(None)
        return Commit(None, [replace(lead, outbox=left)])
