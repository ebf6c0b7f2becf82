"""Applies a model to every lead, from its history: reads no raw events."""

from collections.abc import Callable, Sequence
from datetime import datetime

from warmlead.application.due import Budget, EvaluationContext, RunProgress, evaluate_due
from warmlead.domain.lead import Lead
from warmlead.ports import DueLead, LeadStore


async def rescore(
    settling: EvaluationContext, *, progress: Callable[[RunProgress], None] = lambda _: None
) -> RunProgress:
    """Brings every lead up to date under the model; may be killed and run again.

    Leads share commits, as in the daily run. A lead that cannot be brought up to date is among the
    failures, and the others go on. ``progress`` is called for each group of leads. Raises
    ``UnavailableError`` if it should be run again.
    """
    return await evaluate_due(_Everyone(settling.store), settling, Budget(None), progress=progress)


class _Everyone:
    """All leads, whether they are due or not."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        del now  # everyone is asked for, at any time
        return await self._store.by_id(shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        del lead, now
        return True
