"""One person's way through the funnel in a period: how far it led, and what sales did about it.

``kpis`` adds persons up. Moves may come in any order.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from msgspec import Struct

from warmlead.domain.handoff import SlaOutcome, sla_outcome
from warmlead.domain.history import to_ms
from warmlead.domain.sales import SalesStatus, Statement, answered, first_contact
from warmlead.domain.stages import BUILT_IN_STAGES, MoveCause, Transition
from warmlead.reporting.periods import Period


class Level(IntEnum):
    """The level of a lead; every stage that a model names is ``MQL``."""

    NONE = 0
    MQL = 1
    SQL = 2
    OPPORTUNITY = 3
    CUSTOMER = 4


_SALES = {"sql": Level.SQL, "opportunity": Level.OPPORTUNITY, "customer": Level.CUSTOMER}


ANSWERS = (MoveCause.ACCEPTED, MoveCause.REJECTED)
"""The causes of moves by which sales takes or refuses a lead."""


def level_of(stage: str) -> Level:
    """The level of a stage; a stage that is not built in is one of the model."""
    return _SALES.get(stage, Level.NONE if stage in BUILT_IN_STAGES else Level.MQL)


class OfferOutcome(Struct, frozen=True):
    """An offer to sales, and by when sales promised what."""

    at: datetime
    touch_by: datetime
    accept_by: datetime


class WonDeal(Struct, frozen=True):
    """A deal won; ``value_cents`` and ``currency`` as in ``Statement``."""

    value_cents: int | None = None
    currency: str = ""


class WonMove(Struct, frozen=True):
    """A move by which a lead became a customer, and the lead's last touch before."""

    at: datetime
    attribution: tuple[tuple[str, str], ...] = ()


class SalesAnswer(Struct, frozen=True):
    """A move by which sales took or refused a lead, and the score that the lead had."""

    at: datetime
    cause: str
    score: int


@dataclass(slots=True)
class FunnelPath:
    """The moves of a person in a period; earlier moves count only for their offers.

    Offers are made, and end, when a move is learnt; all else goes by when it was so.
    """

    entries: dict[Level, set[datetime]] = field(default_factory=dict)
    qualified: set[datetime] = field(default_factory=set)
    won: list[WonMove] = field(default_factory=list)
    offers: set[OfferOutcome] = field(default_factory=set)
    left: set[datetime] = field(default_factory=set)
    answers: set["SalesAnswer"] = field(default_factory=set)

    def add(self, move: Transition, period: Period) -> None:
        """Takes note of a move that was before the end of the period."""
        before, after = level_of(move.from_stage), level_of(move.to_stage)
        if move.touch_by and move.accept_by:
            self.offers.add(OfferOutcome(move.learnt_at, move.touch_by, move.accept_by))
        if before is Level.MQL:  # whichever stage of the model: an offer is of one stage
            self.left.add(move.learnt_at)
        if move.at < period.start:
            return
        if after is Level.MQL and before is not Level.MQL:
            self.qualified.add(move.at)
        if move.cause in ANSWERS:
            self.answers.add(SalesAnswer(move.at, move.cause, move.score))
        if after is Level.CUSTOMER:
            self.won.append(WonMove(move.at, move.attribution))
        for level in passed(before, after):
            self.entries.setdefault(level, set()).add(move.at)

    def merge(self, other: "FunnelPath") -> None:
        """Takes over what was noted of the same person under another id."""
        for level, moments in other.entries.items():
            self.entries.setdefault(level, set()).update(moments)
        self.qualified |= other.qualified
        self.won += other.won
        self.offers |= other.offers
        self.left |= other.left
        self.answers |= other.answers

    def leave_out(self, level: Level, moments: Collection[datetime]) -> None:
        """Entries into a level at these moments do not count as a step of the funnel."""
        self.entries.get(level, set()).difference_update(moments)

    def matters(self, period: Period) -> bool:
        """Whether anything of it counts in the period."""
        due = (moment for offer in self.offers for moment in (offer.touch_by, offer.accept_by))
        return bool(self.entries or self.qualified or self.answers) or any(map(period.holds, due))

    def leads(self, start: Level, end: Level) -> bool:
        """Whether the person entered one level, and afterwards another."""
        if not (self.entered(start) and self.entered(end)):
            return False
        return max(self.entries[end]) >= min(self.entries[start])

    def entered(self, level: Level) -> bool:
        """Whether the person entered a level in the period."""
        return bool(self.entries.get(level))

    def touch_waits_ms(self, said: Collection[Statement]) -> list[int]:
        """Time from each entry into MQL to a statement of sales; each counts for one entry."""
        waits = []
        for at in self.qualified:
            touch = first_contact(said, at)
            if touch and not any(at < later <= touch for later in self.qualified):
                waits.append(max(0, to_ms(touch) - to_ms(at)))
        return waits

    def touches(self, said: Collection[Statement], period: Period) -> Iterator[SlaOutcome]:
        """The outcomes of the promises of first contact that fell due in the period."""
        for offer in self.offers:
            if period.holds(offer.touch_by):
                done = first_contact(said, offer.at)
                yield sla_outcome(offer.touch_by, done=done, withdrawn=self._left_after(offer.at))

    def acceptances(self, said: Collection[Statement], period: Period) -> Iterator[SlaOutcome]:
        """The outcomes of the promises of acceptance that fell due in the period."""
        for offer in self.offers:
            if period.holds(offer.accept_by):
                answer = answered(said, offer.at)
                done = answer.at if answer else None
                yield sla_outcome(offer.accept_by, done=done, withdrawn=self._left_after(offer.at))

    def _left_after(self, offered_at: datetime) -> datetime | None:
        """When the lead first left its stage of the model after an offer."""
        return min((at for at in self.left if at > offered_at), default=None)


def passed(before: Level, after: Level) -> Sequence[Level]:
    """The levels that a move enters: sales may skip its own levels, but a skip enters no MQL."""
    if after <= Level.MQL:
        return (after,) if after > before else ()
    return [level for level in Level if max(before, Level.MQL) < level <= after]


def deal_won(said: Sequence[Statement], moved_at: datetime) -> WonDeal:
    """The deal by which a lead became a customer at a moment, with the last stated value.

    ``said`` is in order of time. Statements after a won deal, up to one of another kind, are about
    the same deal.
    """
    deal = WonDeal()
    is_won = False
    for each in said:
        if not each.stage:
            continue
        if each.said is not SalesStatus.WON:
            is_won = False
            continue
        if not is_won and each.at > moved_at:
            break
        if not is_won:
            deal, is_won = WonDeal(), True
        if each.value_cents is not None and each.currency:
            deal = WonDeal(each.value_cents, each.currency)
    return deal
