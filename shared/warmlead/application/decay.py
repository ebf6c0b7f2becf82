"""Lets leads fade: those whose ``decay_on`` has come are settled, and no others are read."""

from collections.abc import Sequence
from datetime import datetime

from warmlead.application.due import Budget, Progress, Settling, settle_due
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.ports import DueLead, LeadStore


async def decay(settling: Settling, *, budget_s: float | None = None) -> Progress:
    """Settles every lead that is due today, and sends what that triggers.

    May be killed anywhere and run again, and be run twice at once: a lead that was settled today
    is not due today. Raises ``UnavailableError`` if it should be run again.
    """
    return await settle_due(_Fading(settling.store), settling, Budget(budget_s))


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
