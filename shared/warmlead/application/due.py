"""Evaluates leads for which time alone changes something: decay, followup and rescore.

All three read only the leads that are due, page by page, until none is left or the time is up. A
run is safe to kill anywhere and to run twice at once: a lead is evaluated in one commit, and is
not due any more afterwards.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from warmlead.application.evaluate import Outcome, Reevaluation
from warmlead.application.send import send, sweep
from warmlead.domain.errors import UnavailableError, UnreadableError, UnsentError
from warmlead.domain.evaluation import MOST_DAYS_AHEAD
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.ports import Clock, DueLead, EventBus, LeadStore

PAGE_LEADS = 400
"""Page size of one query. Memory use is this times the number of shards read at once."""

TOGETHER_LEADS = 100
"""Leads of a page that are evaluated and written together; this delays others by 30 ms."""

SHARDS_AT_ONCE = 2
"""One shard is evaluated while another waits for the store; more would only take memory."""

MOST_FAILURES = 100
"""Limit of failed leads that are named."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What a run has done. ``failed`` leads stay due; unless ``done``, others may be due too.

    ``changed`` leads have another score, ``moved`` leads are in another stage. ``failures`` names
    the first leads that failed, by id, each with its error.
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


class DueCheck(Protocol):
    """Says whether a lead is due for one reason."""

    def holds(self, lead: Lead, now: datetime) -> bool:
        """Whether the lead is due."""
        ...


class Queue(DueCheck, Protocol):
    """Finds the leads that are due for one reason, and says whether a lead still is."""

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        """The next leads of a shard that are due."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What evaluating leads needs besides the leads, and how many it takes at a time."""

    store: LeadStore
    bus: EventBus
    rules: Rules
    clock: Clock
    page_leads: int = PAGE_LEADS
    together_leads: int = TOGETHER_LEADS


async def evaluate_due(
    queue: Queue,
    context: EvaluationContext,
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
            return await _evaluate_shard(queue, context, budget, shard, progress)

    shards = (in_turn(shard) for shard in range(context.store.shards))
    done = RunProgress()
    for outcome in await asyncio.gather(*shards, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        done += outcome
    return done


async def _evaluate_shard(
    queue: Queue,
    context: EvaluationContext,
    budget: Budget,
    shard: int,
    report: Callable[[RunProgress], None],
) -> RunProgress:
    progress, after = RunProgress(), None
    while not budget.is_spent():
        now = context.clock.now()
        page = await queue.page(now, shard=shard, most=context.page_leads, after=after)
        for start in range(0, len(page), context.together_leads):
            if budget.is_spent():
                return progress + RunProgress(done=False)
            together = page[start : start + context.together_leads]
            done = await _evaluate_together(queue, together, context)
            report(done)
            progress += done
            after = together[-1]  # behind those that failed
        if len(page) < context.page_leads:
            return progress
    return progress + RunProgress(done=False)


async def _evaluate_together(
    queue: DueCheck, leads: Sequence[DueLead], context: EvaluationContext
) -> RunProgress:
    now = context.clock.now()

    def is_due(lead: Lead) -> bool:
        return queue.holds(lead, now)

    rules = context.rules
    outcomes = await context.store.update_each(
        [([id_], Reevaluation(id_, rules, now, is_due=is_due)) for _, id_ in leads]
    )
    pairs = zip(leads, outcomes, strict=True)
    failed = [(id_, error) for (_, id_), error in pairs if isinstance(error, Exception)]
    evaluated = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    triggers = [each for outcome in evaluated for each in outcome.triggers]
    await send(triggers, store=context.store, bus=context.bus)
    if not evaluated and all(is_away(error) for _, error in failed):
        raise failed[0][1]
    return RunProgress(
        looked_at=len(leads),
        changed=sum(outcome.changed for outcome in evaluated),
        moved=sum(outcome.moved for outcome in evaluated),
        triggers=len(triggers),
        failed=len(failed),
        failures=tuple(failed[:MOST_FAILURES]),
    )


def is_away(error: Exception) -> bool:
    """Whether the store failed, and not the lead."""
    of_lead = isinstance(error, UnreadableError | UnsentError)
    return isinstance(error, UnavailableError) and not of_lead


def unreadable_progress(error: UnreadableError) -> RunProgress:
    """The result of a run for leads that cannot be read: it only names them."""
    failures = [(id_, UnreadableError({id_: why})) for id_, why in error.problems.items()]
    return RunProgress(failed=len(failures), failures=tuple(failures[:MOST_FAILURES]))


# --- decay: leads whose score fades ------------------------------------------------------------


async def decay(context: EvaluationContext, *, budget_s: float | None = None) -> RunProgress:
    """Re-evaluates every lead that is due for decay today, and sends its triggers.

    Reads only those leads: a lead that was evaluated today is not due today. Leads that were
    evaluated under a clock that ran ahead are brought back to the present, and leads of an earlier
    release are evaluated once. Raises ``UnavailableError`` if it should be run again.
    """
    budget = Budget(budget_s)
    due = await evaluate_due(_DueForDecay(context.store), context, budget)
    if budget.is_spent():
        return due + RunProgress(done=False)
    due += await evaluate_due(_TooFarAhead(context.store), context, budget)
    return due + await _relisted(context, budget)


async def _relisted(context: EvaluationContext, budget: Budget) -> RunProgress:
    """Evaluates leads of an earlier release, so that all lists hold them and a search finds them.

    After an update all of them, over as many runs as it takes; then none.
    """
    progress = RunProgress()

    async def evaluate(ids: Sequence[str]) -> None:
        nonlocal progress
        for start in range(0, len(ids), context.together_leads):
            together = [DueLead(0, id_) for id_ in ids[start : start + context.together_leads]]
            progress += await _evaluate_together(_Unlisted(), together, context)

    done = await context.store.relist(evaluate, most=context.page_leads, until=budget.is_spent)
    return progress + RunProgress(done=done)


class _Unlisted:
    """The leads of whose last activity an earlier release kept nothing."""

    def holds(self, lead: Lead, now: datetime) -> bool:
        del now  # at any time
        return lead.snapshot is None or lead.snapshot.active_day is None


class _DueForDecay:
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


class _TooFarAhead:
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


# --- followup: steps, deadlines and unsent triggers ----------------------------------------


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """What a run of followup has done, and how many unsent triggers it ``swept``.

    Unless ``done`` there may be more leads or triggers.
    """

    due: RunProgress
    swept: int
    done: bool


async def follow_up(context: EvaluationContext, *, budget_s: float | None = None) -> FollowedUp:
    """Re-evaluates every lead whose next step or deadline has come; sends triggers left unsent.

    Raises ``UnavailableError`` if it should be run again.
    """
    budget = Budget(budget_s)
    due = await evaluate_due(_DueForFollowup(context.store), context, budget)
    swept = await sweep(
        store=context.store,
        bus=context.bus,
        now=context.clock.now(),
        is_over=budget.is_spent,
    )
    if swept.unreadable:
        due += unreadable_progress(UnreadableError(swept.unreadable))
    return FollowedUp(due, swept.triggers, due.done and not budget.is_spent())


class _DueForFollowup:
    """The leads whose ``due_at`` has come."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        return await self._store.due_for_followup(now, shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        return lead.due_at is not None and lead.due_at <= now


# --- rescore: all leads, under another model --------------------------------------------------


async def rescore(
    context: EvaluationContext, *, progress: Callable[[RunProgress], None] = lambda _: None
) -> RunProgress:
    """Re-evaluates every lead under the model, from what is kept of it: reads no raw event.

    A lead that cannot be evaluated is among the failures, and the others go on. ``progress`` is
    called with each group of leads that shared a commit. Raises ``UnavailableError`` if it should
    be run again.
    """
    return await evaluate_due(_AllLeads(context.store), context, Budget(None), progress=progress)


class _AllLeads:
    """All leads, whether they are due or not."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store

    async def page(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None
    ) -> Sequence[DueLead]:
        del now  # all leads, at any time
        return await self._store.by_id(shard=shard, most=most, after=after)

    def holds(self, lead: Lead, now: datetime) -> bool:
        del lead, now
        return True
