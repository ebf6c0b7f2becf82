"""Works through leads that are due, page by page, until none is left or the time is up.

Safe to kill anywhere and to run twice at once: a lead is evaluated in one commit, after which it is
no longer due. The caller decides which leads are due.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from warmlead.application.evaluate import Outcome, Reevaluation
from warmlead.application.send import send
from warmlead.domain.errors import UnavailableError, UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.ports import Clock, DueLead, EventBus, LeadStore

PAGE_LEADS = 400
"""Page size of one query. Memory use is this times the number of shards."""

TOGETHER_LEADS = 100
"""Leads of a page that are evaluated and written together; this delays others by 30 ms."""

SHARDS_AT_ONCE = 2
"""While one waits for the store, the other evaluates; more would only take more memory."""

MOST_FAILURES = 100
"""Limit of failed leads that are named."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Result of a run.

    ``failed`` leads stay due; unless ``done``, others may be due too. ``changed`` leads show
    another score, ``moved`` leads are in another stage. ``failures`` are the first errors, by the
    lead's id.
    """

    looked_at: int = 0
    changed: int = 0
    moved: int = 0
    triggers: int = 0
    failed: int = 0
    done: bool = True
    failures: tuple[tuple[str, Exception], ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """All fields except the failures, by name."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "failures"}

    def __add__(self, other: "RunProgress") -> "RunProgress":
        """Both runs together."""
        return RunProgress(
            self.looked_at + other.looked_at,
            self.changed + other.changed,
            self.moved + other.moved,
            self.triggers + other.triggers,
            self.failed + other.failed,
            self.done and other.done,
            (*self.failures, *other.failures)[:MOST_FAILURES],
        )


class Budget:
    """The time that a run may take, from now on; without a limit if none is given."""

    def __init__(self, seconds: float | None) -> None:
        now = asyncio.get_running_loop().time()
        self._until = None if seconds is None else now + seconds

    def is_spent(self) -> bool:
        """Whether no further page may be begun."""
        return self._until is not None and asyncio.get_running_loop().time() >= self._until


class Queue(Protocol):
    """A reason for which leads are due: how to find them, and whether one still is due."""

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        """The next leads of a shard that are due."""
        ...

    def holds(self, lead: Lead, now: datetime) -> bool:
        """Whether the lead is due."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What the evaluation of leads needs besides the leads, and how many are read at a time."""

    store: LeadStore
    bus: EventBus
    rules: Rules
    clock: Clock
    page_leads: int = PAGE_LEADS
    together_leads: int = TOGETHER_LEADS


async def evaluate_due(
    queue: Queue,
    settling: EvaluationContext,
    budget: Budget,
    *,
    progress: Callable[[RunProgress], None] = lambda _: None,
) -> RunProgress:
    """Evaluates the leads in the queue, shards side by side, and sends the triggers.

    ``progress`` is called for each group of leads that were evaluated together. Raises
    ``UnavailableError`` if it should be run again; finished groups stay done.
    """
    turns = asyncio.Semaphore(SHARDS_AT_ONCE)

    async def in_turn(shard: int) -> RunProgress:
        async with turns:
            return await _settle_shard(queue, settling, budget, shard, progress)

    shards = (in_turn(shard) for shard in range(settling.store.shards))
    done = RunProgress()
    for outcome in await asyncio.gather(*shards, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        done += outcome
    return done


async def _settle_shard(
    queue: Queue,
    settling: EvaluationContext,
    budget: Budget,
    shard: int,
    tell: Callable[[RunProgress], None],
) -> RunProgress:
    progress, after = RunProgress(), None
    while not budget.is_spent():
        now = settling.clock.now()
        page = await queue.page(now, shard=shard, most=settling.page_leads, after=after)
        for start in range(0, len(page), settling.together_leads):
            if budget.is_spent():
                return progress + RunProgress(done=False)
            together = page[start : start + settling.together_leads]
            settled = await _settle_together(queue, together, settling)
            tell(settled)
            progress += settled
            after = together[-1]  # behind those that failed
        if len(page) < settling.page_leads:
            return progress
    return progress + RunProgress(done=False)


async def _settle_together(
    queue: Queue, leads: Sequence[DueLead], settling: EvaluationContext
) -> RunProgress:
    now = settling.clock.now()

    def is_due(lead: Lead) -> bool:
        return queue.holds(lead, now)

    rules = settling.rules
    outcomes = await settling.store.update_each(
        [([id_], Reevaluation(id_, rules, now, is_due=is_due)) for _, id_ in leads]
    )
    pairs = zip(leads, outcomes, strict=True)
    failed = [(id_, error) for (_, id_), error in pairs if isinstance(error, Exception)]
    settled = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    triggers = [each for outcome in settled for each in outcome.triggers]
    await send(triggers, store=settling.store, bus=settling.bus)
    if not settled and all(is_away(error) for _, error in failed):
        raise failed[0][1]
    return RunProgress(
        looked_at=len(leads),
        changed=sum(outcome.changed for outcome in settled),
        moved=sum(outcome.moved for outcome in settled),
        triggers=len(triggers),
        failed=len(failed),
        failures=tuple(failed[:MOST_FAILURES]),
    )


def is_away(error: Exception) -> bool:
    """Whether the store failed, and not the lead."""
    return isinstance(error, UnavailableError) and not isinstance(error, UnreadableError)


def unreadable_progress(error: UnreadableError) -> RunProgress:
    """The result of a run for leads that cannot be read: it only names them."""
    failures = [(id_, UnreadableError({id_: why})) for id_, why in error.problems.items()]
    return RunProgress(failed=len(failures), failures=tuple(failures[:MOST_FAILURES]))
