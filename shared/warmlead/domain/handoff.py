"""The handoff: an offer of a lead to sales, the promises, and whether they are kept.

Statements of sales are in ``sales``.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic

from msgspec import Struct

from warmlead.domain.office_hours import OfficeHours
from warmlead.domain.sales import SalesStatus, Statement, answered, first_contact
from warmlead.domain.stages import Condition, ConditionT, Facts


class Deadline(StrEnum):
    """The deadlines of an offer; a message is sent of each that passes, once an offer."""

    REMINDER = "reminder"
    TOUCH_BREACHED = "touch_breached"
    ACCEPT_BREACHED = "accept_breached"


class SlaOutcome(StrEnum):
    """What became of a promise that sales made for an offer."""

    KEPT = "kept"
    BREACHED = "breached"
    LAPSED = "lapsed"


def sla_outcome(due: datetime, *, done: datetime | None, withdrawn: datetime | None) -> SlaOutcome:
    """What has become of a promise once its deadline ``due`` has come.

    It is kept if sales has ``done`` what it promised at the deadline or before. It lapses if the
    offer was ``withdrawn`` before the deadline. Messages and KPIs both go by this.
    """
    if done is not None and done <= due:
        return SlaOutcome.KEPT
    if withdrawn is not None and withdrawn < due:
        return SlaOutcome.LAPSED
    return SlaOutcome.BREACHED


@dataclass(frozen=True, slots=True)
class RouteDefinition(Generic[ConditionT]):
    """The owners of the leads for which the condition holds; of all leads if there is none.

    ``hours`` are the office hours of these owners, if they are not those of everybody.
    """

    owners: tuple[str, ...]
    when: ConditionT | None = None
    hours: OfficeHours | None = None


@dataclass(frozen=True, slots=True)
class PromisesDefinition(Generic[ConditionT]):
    """What sales promises of each offer: first contact, and an answer, within a time.

    After ``remind_after`` sales is reminded of a lead to which nobody has spoken. These times are
    working time if there are office ``hours``; those of a route count only then.
    """

    first_touch_within: timedelta
    accept_within: timedelta
    remind_after: timedelta
    routes: tuple[RouteDefinition[ConditionT], ...] = ()
    hours: OfficeHours | None = None

    def due(self, deadline: Deadline, offered_at: datetime, owner: str = "") -> datetime:
        """When a deadline of an offer to an owner passes."""
        within = self._within(deadline)
        if self.hours is None:
            return offered_at + within
        return self._hours_of(owner, self.hours).due(offered_at, within)

    def offered_since(self, moment: datetime) -> datetime:
        """A time before which nobody was offered a lead with a deadline after a moment."""
        longest = max(self.first_touch_within, self.accept_within)
        calendars = {self.hours, *(route.hours for route in self.routes)} - {None}
        since, step = moment - longest, timedelta(days=1)
        while any(each and each.due(since, longest) >= moment for each in calendars):
            since, step = since - step, 2 * step
        return since

    def _within(self, deadline: Deadline) -> timedelta:
        match deadline:
            case Deadline.REMINDER:
                return self.remind_after
            case Deadline.TOUCH_BREACHED:
                return self.first_touch_within
            case Deadline.ACCEPT_BREACHED:
                return self.accept_within

    def _hours_of(self, owner: str, common: OfficeHours) -> OfficeHours:
        """The office hours of an owner, by the first route that names the owner."""
        routes = (route for route in self.routes if owner in route.owners)
        route = next(routes, None)
        return (route.hours if route else None) or common


@dataclass(frozen=True, slots=True)
class HandoffDefinition(PromisesDefinition[ConditionT], Generic[ConditionT]):
    """What sales promises of each offer, and of those in ``stages`` with promises of their own.

    A stage that has ``None`` makes no offers.
    """

    stages: Mapping[str, PromisesDefinition[ConditionT] | None] = field(default_factory=dict)

    def promises_of(self, stage: str) -> PromisesDefinition[ConditionT] | None:
        """What sales promises of a lead that enters a stage; ``None`` if that is no offer."""
        return self.stages.get(stage, self)

    def deadline_of(self, offer: "Offer", deadline: Deadline) -> datetime:
        """When a deadline of an offer passes."""
        promises = self.promises_of(offer.stage) or self
        is_answer = deadline is Deadline.ACCEPT_BREACHED
        since = offer.answer_owed_since if is_answer else offer.at
        return promises.due(deadline, since, offer.owner)

    def oldest_open(self, moment: datetime) -> datetime:
        """A time before which no offer was made that has a deadline after a moment."""
        all_promises = (self, *(each for each in self.stages.values() if each))
        return min(promises.offered_since(moment) for promises in all_promises)


@dataclass(frozen=True, slots=True)
class RoutePolicy(RouteDefinition[Condition]):
    """A route whose condition can be asked."""


@dataclass(frozen=True, slots=True)
class PromisesPolicy(PromisesDefinition[Condition]):
    """The promises of sales for a stage, with routes whose conditions can be asked."""


@dataclass(frozen=True, slots=True)
class HandoffPolicy(HandoffDefinition[Condition]):
    """The promises of sales, with routes whose conditions can be asked."""

    def owner_of(self, lead_id: str, stage: str, facts: Facts) -> str:
        """The owner of a lead in a stage by the first route that holds; empty if none does.

        Of several owners each gets a lead with the same likelihood. The lead's id decides, so the
        same lead always goes to the same owner.
        """
        promises = self.promises_of(stage)
        for route in promises.routes if promises else ():
            if route.when is None or route.when(facts):
                digest = hashlib.sha256(lead_id.encode()).digest()
                return route.owners[int.from_bytes(digest[:8]) % len(route.owners)]
        return ""


_ANSWERS = frozenset(map(str, SalesStatus))

PARTED = "parted"
"""The answer to an offer whose lead turned out to be another person."""

SUPERSEDED = "superseded"
"""The answer to an offer whose lead has entered another stage, and was offered anew."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A lead offered to sales, for the ``cycle``-th time; ``told`` are the reported deadlines.

    An offer is of one stage. ``closed_at`` is when the offer was answered, or when the lead left
    the stage. ``owed_since`` is from when on the answer is counted, if that is not ``at``: an alert
    restarted the clock when the answer was still due. ``otherwise`` is the other offer, already
    answered, of a person who was offered twice: it counts if this one is withdrawn when both are
    first evaluated. It is not stored.
    """

    cycle: int
    stage: str
    at: datetime
    owner: str = ""
    told: frozenset[Deadline] = frozenset()
    touched_at: datetime | None = None
    closed_at: datetime | None = None
    answer: str = ""
    owed_since: datetime | None = None
    otherwise: "Offer | None" = None

    @property
    def answer_owed_since(self) -> datetime:
        """From when on the time is counted within which sales answers."""
        return self.owed_since or self.at


class Passed(Struct, frozen=True):
    """A deadline that an offer has just passed."""

    deadline: Deadline
    due: datetime


def follow(
    offer: Offer, policy: HandoffPolicy, statements: Collection[Statement], now: datetime
) -> tuple[Offer, Sequence[Passed]]:
    """The offer as of now, and the deadlines that it has passed since its last evaluation.

    Closed offers too: sales may report later what it did before the offer was closed.
    """
    end = offer.closed_at
    in_time = [each for each in statements if end is None or each.at <= end]
    touched = first_contact(in_time, offer.at)
    answer = answered(in_time, offer.answer_owed_since)
    done = {
        Deadline.REMINDER: touched,
        Deadline.TOUCH_BREACHED: touched,
        Deadline.ACCEPT_BREACHED: answer.at if answer else None,
    }
    passed = [
        Passed(deadline, due)
        for deadline in Deadline
        if deadline not in offer.told
        and (due := policy.deadline_of(offer, deadline)) <= now
        and sla_outcome(due, done=done[deadline], withdrawn=end) is SlaOutcome.BREACHED
    ]
    followed = replace(
        offer, touched_at=touched, told=offer.told | {each.deadline for each in passed}
    )
    if answer:
        followed = replace(followed, closed_at=answer.at, answer=str(answer.said))
    return followed, passed


def merge_offers(offers: Iterable[Offer], stage: str = "") -> Offer | None:
    """The offer that counts for a person with several: an open one, or else the last.

    Of several open ones that of the ``stage`` in which the person stands counts, and of these the
    one with the earlier date. Its cycle continues the last one. A
    deadline that was reported for any offer of that cycle is not reported again: its message would
    have the same id.
    """
    ordered = sorted(
        offers,
        key=lambda o: (
            o.closed_at is not None,
            o.closed_at is None and o.stage != stage,
            -o.cycle,
            o.answer == PARTED,
            o.at,
        ),
    )
    if not ordered:
        return None
    cycle = max(offer.cycle for offer in ordered)
    told = ordered[0].told.union(*(offer.told for offer in ordered if offer.cycle == cycle))
    first, *others = (replace(offer, cycle=cycle, told=told, otherwise=None) for offer in ordered)
    answered_before = (offer for offer in others if offer.answer in _ANSWERS)
    return first if first.closed_at else replace(first, otherwise=next(answered_before, None))


def parted_offer(offer: Offer) -> Offer:
    """The offer of a trail that leaves a lead which stays offered: closed at its start.

    So no deadline is reported twice; the next offer continues the count.
    """
    return replace(offer, touched_at=None, closed_at=offer.at, answer=PARTED)


def next_deadline(offer: Offer, policy: HandoffPolicy) -> datetime | None:
    """When the offer has to be evaluated again; ``None``: never."""
    if offer.closed_at is not None:
        return None
    waiting = [
        policy.deadline_of(offer, deadline)
        for deadline in Deadline
        if deadline not in offer.told
        and not (offer.touched_at and deadline is not Deadline.ACCEPT_BREACHED)
    ]
    return min(waiting, default=None)


def awaits_contact(offer: Offer) -> bool:
    """Whether sales still has time for the first contact that it promised, and has made none."""
    return (
        offer.closed_at is None
        and offer.touched_at is None
        and Deadline.TOUCH_BREACHED not in offer.told
    )


def restarted(offer: Offer, at: datetime) -> Offer:
    """The offer with its promises counted anew from a moment on, as the next offer of the lead.

    So each deadline of it may be reported again, under another id. An answer that is still due
    stays due when it was: whoever asks every day would keep the offer open without end.
    """
    owes = Deadline.ACCEPT_BREACHED not in offer.told
    since = offer.answer_owed_since if owes else None
    anew = replace(offer, cycle=offer.cycle + 1, at=at, told=frozenset(), touched_at=None)
    return replace(anew, owed_since=since)
