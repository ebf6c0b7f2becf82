"""The handoff: an offer of a lead to sales, what sales promised, and whether it is kept.

What sales did is in ``sales``.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, NamedTuple

from warmlead.domain.sales import SalesStatus, Statement, answered, first_contact
from warmlead.domain.stages import Condition, ConditionT, Facts


class Deadline(StrEnum):
    """What an open offer tells of in time: each once an offer."""

    REMINDER = "reminder"
    TOUCH_BREACHED = "touch_breached"
    ACCEPT_BREACHED = "accept_breached"


@dataclass(frozen=True, slots=True)
class RouteDefinition(Generic[ConditionT]):
    """Who gets leads for which the condition holds; all of them if there is none."""

    owners: tuple[str, ...]
    when: ConditionT | None = None


@dataclass(frozen=True, slots=True)
class HandoffDefinition(Generic[ConditionT]):
    """What sales promised: to speak to a lead, and to take or refuse it, within a time.

    ``remind_after`` is when sales is reminded of a lead to which nobody has spoken.
    """

    first_touch_within: timedelta
    accept_within: timedelta
    remind_after: timedelta
    routes: tuple[RouteDefinition[ConditionT], ...] = ()

    def after(self, deadline: Deadline) -> timedelta:
        """How long after the offer a deadline is."""
        match deadline:
            case Deadline.REMINDER:
                return self.remind_after
            case Deadline.TOUCH_BREACHED:
                return self.first_touch_within
            case Deadline.ACCEPT_BREACHED:
                return self.accept_within


@dataclass(frozen=True, slots=True)
class RoutePolicy(RouteDefinition[Condition]):
    """A route whose condition can be asked."""


@dataclass(frozen=True, slots=True)
class HandoffPolicy(HandoffDefinition[Condition]):
    """The promises of sales, with routes whose conditions can be asked."""

    def owner_of(self, lead_id: str, facts: Facts) -> str:
        """Whose the lead is: of the first route that holds; empty if none does.

        Of several owners each gets every lead with the same likelihood, by the lead's id, so
        that it is the same whenever it is asked for.
        """
        for route in self.routes:
            if route.when is None or route.when(facts):
                digest = hashlib.sha256(lead_id.encode()).digest()
                return route.owners[int.from_bytes(digest[:8]) % len(route.owners)]
        return ""


_ANSWERS = frozenset(map(str, SalesStatus))

PARTED = "parted"
"""The answer to an offer of a lead that turned out to be another person than the one offered."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A lead offered to sales, for the ``cycle``-th time; ``told`` are the deadlines passed.

    ``closed_at`` is when it was answered, or when the lead was no longer to be had. ``otherwise``
    is the offer that sales had answered, of a person of whom two were offered: it is the one that
    counts if this one is withdrawn when both are first looked at. It is not stored.
    """

    cycle: int
    stage: str
    at: datetime
    owner: str = ""
    told: frozenset[Deadline] = frozenset()
    touched_at: datetime | None = None
    closed_at: datetime | None = None
    answer: str = ""
    otherwise: "Offer | None" = None


class Passed(NamedTuple):
    """A deadline that an offer has just passed."""

    deadline: Deadline
    due: datetime


def follow(
    offer: Offer, policy: HandoffPolicy, statements: Collection[Statement], now: datetime
) -> tuple[Offer, Sequence[Passed]]:
    """The offer as of now, and the deadlines that it has passed since it was last looked at.

    A closed one too: what sales did before it was closed may be heard of afterwards.
    """
    end = offer.closed_at
    in_time = [each for each in statements if end is None or each.at <= end]
    touched = first_contact(in_time, offer.at)
    answer = answered(in_time, offer.at)
    passed = [
        Passed(deadline, due)
        for deadline in Deadline
        if deadline not in offer.told
        and (due := offer.at + policy.after(deadline)) <= now
        and not _kept(deadline, due, touched, answer.at if answer else None)
        and (offer.closed_at is None or due < offer.closed_at)
    ]
    followed = replace(
        offer, touched_at=touched, told=offer.told | {each.deadline for each in passed}
    )
    if answer:
        followed = replace(followed, closed_at=answer.at, answer=str(answer.said))
    return followed, passed


def merge_offers(offers: Iterable[Offer]) -> Offer | None:
    """The offer of one person of whom several were offered: an open one, or else the last.

    Of several open ones it is the one of the earlier date. It counts on from the last. What was
    told of any of that cycle is not told again: its message would have the same id.
    """
    ordered = sorted(
        offers, key=lambda o: (o.closed_at is not None, -o.cycle, o.answer == PARTED, o.at)
    )
    if not ordered:
        return None
    cycle = max(offer.cycle for offer in ordered)
    told = ordered[0].told.union(*(offer.told for offer in ordered if offer.cycle == cycle))
    first, *others = (replace(offer, cycle=cycle, told=told, otherwise=None) for offer in ordered)
    answered_before = (offer for offer in others if offer.answer in _ANSWERS)
    return first if first.closed_at else replace(first, otherwise=next(answered_before, None))


def parted_offer(offer: Offer) -> Offer:
    """The offer as it is for who parts from the lead that stays offered: closed when it was made.

    So nobody is told twice that its deadlines pass; the next offer counts on.
    """
    return replace(offer, touched_at=None, closed_at=offer.at, answer=PARTED)


def next_deadline(offer: Offer, policy: HandoffPolicy) -> datetime | None:
    """When the offer must be looked at again; ``None`` if it may rest."""
    if offer.closed_at is not None:
        return None
    waiting = [
        offer.at + policy.after(deadline)
        for deadline in Deadline
        if deadline not in offer.told
        and not (offer.touched_at and deadline is not Deadline.ACCEPT_BREACHED)
    ]
    return min(waiting, default=None)


def _kept(
    deadline: Deadline, due: datetime, touched: datetime | None, answered_at: datetime | None
) -> bool:
    done = answered_at if deadline is Deadline.ACCEPT_BREACHED else touched
    return done is not None and done <= due
