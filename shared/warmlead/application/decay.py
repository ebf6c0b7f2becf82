"""Re-evaluates every lead that is due for decay today. Reads only those leads."""

from collections.abc import Sequence
from datetime import datetime

from warmlead.application.due import Budget, EvaluationContext, RunProgress, evaluate_due
from warmlead.domain.evaluation import MOST_DAYS_AHEAD
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.ports import DueLead, LeadStore


async def decay(settling: EvaluationContext, *, budget_s: float | None = None) -> RunProgress:
    """Evaluates every lead that is due today, and sends the triggers.

    May be killed anywhere and run again, and be run twice at once: a lead that was evaluated today
    is no longer due today. Leads that were evaluated under a clock that ran ahead are brought back
    to the present. Raises ``UnavailableError`` if it should be run again.
    """
    budget = Budget(budget_s)
    due = await evaluate_due(_Fading(settling.store), settling, budget)
    if budget.is_spent():
        return due + RunProgress(done=False)
    return due + await evaluate_due(_Ahead(settling.store), settling, budget)


class _Fading:
    """The leads whose ``decay_on`` has come."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        day = day_of(to_ms(now))
        return await self._store.due_for_decay(day, shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        return lead.decay_on is not None and lead.decay_on <= day_of(to_ms(now))


class _Ahead:
    """The leads whose ``decay_on`` is farther ahead than it is ever set: a clock ran ahead."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        day = _farthest(now)
        return await self._store.due_beyond(day, shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        return lead.decay_on is not None and lead.decay_on > _farthest(now)


def _farthest(now: datetime) -> int:
    """The last day on which a lead may be due; another machine may have tomorrow."""
    return day_of(to_ms(now)) + MOST_DAYS_AHEAD + 1
