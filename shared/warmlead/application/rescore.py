"""Applies a model to every lead from what is kept of it: no raw event is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from warmlead.application.send import send
from warmlead.application.settle import settle
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Trigger
from warmlead.ports import Clock, Commit, EventBus, LeadStore, Loaded


@dataclass(frozen=True, slots=True)
class Rescored:
    """How many leads were looked at, changed their score, and moved to another stage."""

    leads: int
    changed: int
    moved: int


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
    async for lead in store.leads():
        before, moves, triggers = await store.update(
            [lead.id], Settlement(lead.id, rules, titles, clock.now())
        )
        leads += 1
        changed += before
        moved += bool(moves)
        await send([(lead.id, trigger) for trigger in triggers], store=store, bus=bus)
    return Rescored(leads, changed, moved)


class Settlement:
    """The change that brings one lead up to date."""

    def __init__(
        self, lead_id: str, rules: Rules, titles: Mapping[str, str], now: datetime
    ) -> None:
        self._lead_id = lead_id
        self._rules = rules
        self._titles = titles
        self._now = now

    def __call__(
        self, loaded: Loaded
    ) -> Commit[tuple[bool, tuple[Transition, ...], tuple[Trigger, ...]]]:
        """The lead's score, stage and triggers as of now."""
        lead = loaded[self._lead_id]
        if not isinstance(lead, Lead):
            return Commit((False, (), ()))
        settled = settle(lead, self._rules, self._titles, self._now)
        if settled.lead == lead:
            return Commit((False, (), ()))
        old, new = lead.snapshot, settled.lead.snapshot
        changed = old is None or new is None or old.score != new.score
        result = (changed, settled.transitions, settled.triggers)
        moves = [(lead.id, transition) for transition in settled.transitions]
        return Commit(result, [settled.lead], {}, moves)
