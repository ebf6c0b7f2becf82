"""Does what is due at this moment: nurture steps, deadlines of sales, unsent triggers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from warmlead.application.due import (
    Budget,
    EvaluationContext,
    RunProgress,
    evaluate_due,
    unreadable_progress,
)
from warmlead.application.send import sweep
from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.ports import DueLead, LeadStore


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """The result of a run, with the number of triggers that were left unsent.

    Unless ``done`` there may be more of both.
    """

    due: RunProgress
    swept: int
    done: bool


async def follow_up(settling: EvaluationContext, *, budget_s: float | None = None) -> FollowedUp:
    """Evaluates every lead with a step or deadline that is due, and sends unsent triggers.

    May be killed anywhere and run again, and be run twice at once: a lead that was evaluated is no
    longer due at that moment. Raises ``UnavailableError`` if it should be run again.
    """
    budget = Budget(budget_s)
    due = await evaluate_due(_Waiting(settling.store), settling, budget)
    swept = await sweep(
        store=settling.store,
        bus=settling.bus,
        now=settling.clock.now(),
        is_over=budget.is_spent,
    )
    if swept.unreadable:
        due += unreadable_progress(UnreadableError(swept.unreadable))
    return FollowedUp(due, swept.triggers, due.done and not budget.is_spent())


class _Waiting:
    """The leads whose ``due_at`` has come."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        return await self._store.due_for_followup(now, shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        return lead.due_at is not None and lead.due_at <= now
