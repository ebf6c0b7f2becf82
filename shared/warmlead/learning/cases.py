"""One lead as a case: the moment at which it is judged, the lead as it was known, its outcome.

Nothing that was learnt later is in it: no trait that was stated later, no later visit, and no word
of sales. Of events that are counts by now only the UTC day is known. So who reached the outcome on
a day of which there are such counts is judged at the end of the day before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from sys import intern
from typing import Protocol

from msgspec import Struct, structs

from warmlead.domain.history import day_of, from_ms, to_ms
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead, Touch, Trail
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.readings import NO_READINGS, Readings
from warmlead.domain.sales import Refusal
from warmlead.domain.stages import (
    ANONYMOUS,
    DISQUALIFIED,
    RECYCLED,
    MoveCause,
    Progress,
    Transition,
)
from warmlead.learning.observations import ACCEPTED, Question
from warmlead.reporting.funnel import Level, level_of


class LeftOut(StrEnum):
    """Why a lead is no case."""

    ANONYMOUS = "anonymous"
    UNDATED = "undated"
    ELSEWHEN = "elsewhen"
    OPEN = "open"
    YOUNG = "young"
    AT_ONCE = "at_once"
    UNOFFERED = "unoffered"
    UNUSABLE = "unusable"
    UNCONFIRMED = "unconfirmed"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> str:
        """The reason for people."""
        return _WORDS[self]


_WORDS: Mapping[LeftOut, str] = {
    LeftOut.ANONYMOUS: "never became known",
    LeftOut.UNDATED: "no move says when it became known",
    LeftOut.ELSEWHEN: "became known at another time than asked for",
    LeftOut.OPEN: "no outcome yet, and still open",
    LeftOut.YOUNG: "reached the outcome, but others of its age still have time",
    LeftOut.AT_ONCE: "reached the outcome before anything else is known of it",
    LeftOut.UNOFFERED: "was never offered to sales",
    LeftOut.UNUSABLE: "sales sent it back as a duplicate, or for its data",
    LeftOut.UNCONFIRMED: "nobody but the public has said who it is",
    LeftOut.UNREADABLE: "its document cannot be read",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One ripe lead, as it was known ``at`` the moment that is judged, in the stage of then.

    Its events are all there: whoever evaluates it says ``known_at=case.at``. ``reached_at`` is when
    it reached the outcome, if it did in time (``won``).
    """

    lead: Lead
    known_at: datetime
    at: datetime
    won: bool
    reached_at: datetime | None


class Turn(Struct, frozen=True, gc=False):
    """A move as far as cases need it: when it was so, since when it counts, and what it says.

    It counts when it was learnt; one of an import counts when it was so, as if it had been learnt
    then. Times are in milliseconds since 1970 UTC.
    """

    at_ms: int
    known_ms: int
    imported: bool
    from_stage: str
    to_stage: str
    cause: str
    detail: str
    offers: bool


def turn_of(move: Transition) -> Turn:
    """The turn that a recorded move is."""
    at_ms = to_ms(move.at)
    known_ms = at_ms if move.imported else to_ms(move.learnt_at)
    answers = move.cause is MoveCause.REJECTED
    return Turn(
        at_ms=at_ms,
        known_ms=known_ms,
        imported=bool(move.imported),
        from_stage=intern(move.from_stage),  # the same few texts of every lead
        to_stage=intern(move.to_stage),
        cause=move.cause.value,
        detail=intern(move.detail) if answers else "",
        offers=move.accept_by is not None,
    )


def case_of(lead: Lead, turns: Sequence[Turn], question: Question, now: datetime) -> Case | LeftOut:
    """The case that a lead is, or why it is none.

    ``turns`` are all of its moves, in any order. Raises ``ValueError`` if the question does not say
    within which time the outcome counts.
    """
    if question.within is None:
        raise ValueError("a case needs the time within which its outcome counts")
    known_ms = _asked_for(lead, turns, question)
    if isinstance(known_ms, LeftOut):
        return known_ms
    last_ms = known_ms + _ms(question.within)
    if question.confirmed and not is_confirmed(lead, turns):
        return LeftOut.UNCONFIRMED
    outcome = outcome_of(turns, question.outcome, known_ms)
    if isinstance(outcome, TurnOut) and last_ms > to_ms(now):
        return LeftOut.OPEN if outcome.decided_ms is None else LeftOut.YOUNG
    if isinstance(outcome, LeftOut):
        return outcome
    at_ms = _moment(lead, known_ms + _ms(min(question.after, question.within)), outcome)
    if at_ms < known_ms:
        return LeftOut.AT_ONCE
    reached_ms = outcome.reached_ms
    won = reached_ms is not None and reached_ms <= last_ms
    return Case(
        lead=as_known(lead, turns, at_ms),
        known_at=from_ms(known_ms),
        at=from_ms(at_ms),
        won=won,
        reached_at=from_ms(reached_ms) if won and reached_ms is not None else None,
    )


def _asked_for(lead: Lead, turns: Iterable[Turn], question: Question) -> int | LeftOut:
    """Since when the lead is known, if the question is about it."""
    if not lead.identified:
        return LeftOut.ANONYMOUS
    known_ms = known_since(turns)
    if known_ms is None:
        return LeftOut.UNDATED
    return known_ms if is_asked_for(known_ms, question) else LeftOut.ELSEWHEN


def is_confirmed(lead: Lead, turns: Iterable[Turn]) -> bool:
    """Whether somebody else than the public has said who the lead is, until today.

    Sales has spoken of it, a signed sender has stated a trait or an id of it, or it was imported. A
    signed event that names an address alone is not enough: whoever types an address into a form has
    mail sent there, and the mail tool reports it.
    """
    return any(map(_is_vouched_for, lead.trails.values())) or any(t.imported for t in turns)


def _is_vouched_for(trail: Trail) -> bool:
    return (
        bool(trail.statements or trail.told)
        or (trail.is_signed and trail.identifier.kind is Kind.USER)
        or any(fact.rank for fact in trail.traits.values())
        or any(not claim.distrust for claim in trail.claims)
    )


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def is_asked_for(known_ms: int, question: Question) -> bool:
    """Whether a lead that became known then is among those of the question."""
    since, until = question.since, question.until
    begun = since is None or known_ms >= to_ms(since)
    return begun and (until is None or known_ms < to_ms(until))


def known_since(turns: Iterable[Turn]) -> int | None:
    """Since when the lead is known; ``None`` if no move says it."""
    from_nobody = (turn.known_ms for turn in turns if turn.from_stage == ANONYMOUS)
    return min(from_nobody, default=None)


class TurnOut(Struct, frozen=True, gc=False):
    """What became of a lead: when it reached the outcome, and when that was decided either way.

    Times are in milliseconds since 1970 UTC; ``None``: it was not, so far.
    """

    reached_ms: int | None = None
    decided_ms: int | None = None


def outcome_of(turns: Iterable[Turn], outcome: str, known_ms: int) -> TurnOut | LeftOut:
    """What became of a lead, by all of its moves in any order."""
    if outcome == ACCEPTED:
        return _answer(turns, known_ms)
    reached = min((turn.at_ms for turn in turns if reaches(turn, outcome)), default=None)
    return TurnOut(reached, reached)


def reaches(turn: Turn, outcome: str) -> bool:
    """Whether a move is into the stage, or past it: who was won was an opportunity too."""
    if turn.from_stage == turn.to_stage:
        return False
    if turn.to_stage == outcome:
        return True
    if outcome in (RECYCLED, DISQUALIFIED):
        return False
    return level_of(turn.to_stage) > max(level_of(outcome), Level.MQL)


_TAKES = frozenset({MoveCause.ACCEPTED, MoveCause.OPPORTUNITY, MoveCause.WON})
_REFUSES = frozenset({MoveCause.REJECTED, MoveCause.LOST})
_SAYS_NOTHING = frozenset({Refusal.BAD_DATA, Refusal.DUPLICATE})


def _answer(turns: Iterable[Turn], known_ms: int) -> TurnOut | LeftOut:
    """The first answer of sales; a refusal that says nothing of the lead's interest is none.

    An offer that nobody has answered is no answer yet; whoever was never offered has none.
    """
    told = list(turns)
    answers = (t for t in told if t.cause in _TAKES or t.cause in _REFUSES)
    first = min(answers, key=lambda t: (t.at_ms, t.cause in _REFUSES), default=None)
    if first is None:
        offered = any(turn.offers for turn in told if turn.known_ms >= known_ms)
        return TurnOut() if offered else LeftOut.UNOFFERED
    if first.detail in _SAYS_NOTHING:
        return LeftOut.UNUSABLE
    return TurnOut(first.at_ms if first.cause in _TAKES else None, first.at_ms)


def _moment(lead: Lead, latest_ms: int, outcome: TurnOut) -> int:
    """The moment that is judged: the latest, or before the outcome if that is earlier."""
    decided_ms = outcome.decided_ms
    if decided_ms is None:
        return latest_ms
    day = day_of(decided_ms)
    if day > day_of(latest_ms):
        return latest_ms
    before_ms = day * DAY_MS - 1 if _is_counted(lead, day) else decided_ms - 1
    return min(latest_ms, before_ms)


def _is_counted(lead: Lead, day: int) -> bool:
    """Whether something of a UTC day is known as counts alone: nobody can tell what came first."""
    for trail in lead.trails.values():
        history, read = trail.history, trail.readings
        counts = chain(history.signal_days.values(), history.name_days.values())
        readings = chain(read.visits.values(), read.values.values(), read.amounts.values())
        if any(day in days for days in chain(counts, readings)):
            return True
    return False


# --- the lead of then ----------------------------------------------------------------------


def as_known(lead: Lead, turns: Iterable[Turn], at_ms: int) -> Lead:
    """The lead without what was learnt after a moment, in the stage of then; its events stay.

    A trait that was stated before and after is unknown, unless the model reads its past: only what
    is stated last is kept. Of visits the last that is known is that of then.
    """
    before = [turn for turn in turns if turn.known_ms <= at_ms and turn.from_stage != turn.to_stage]
    last = max(before, key=lambda turn: (turn.known_ms, turn.at_ms), default=None)
    since = from_ms(last.at_ms) if last else lead.created_at
    return Lead(
        id=lead.id,
        trails={id_: _trail_of_then(trail, at_ms) for id_, trail in lead.trails.items()},
        progress=Progress(last.to_stage if last else ANONYMOUS, since),
        created_at=lead.created_at,
        snapshot=lead.snapshot,
        knowledge=lead.knowledge,
    )


class _Dated(Protocol):
    """Anything that was so at a time."""

    @property
    def at_ms(self) -> int: ...


def _trail_of_then(trail: Trail, at_ms: int) -> Trail:
    """The trail without what is later; most trails have nothing later."""
    touches = [t for t in (trail.first_touch, trail.last_landing, trail.last_touch) if t]
    dated: tuple[Iterable[_Dated], ...] = (
        *(trail.traits.values(), trail.statements.values()),
        *(trail.notes, trail.steps, touches),
    )
    is_read = trail.readings is not NO_READINGS
    if not is_read and all(each.at_ms <= at_ms for some in dated for each in some):
        return trail
    return replace(
        trail,
        traits={name: fact for name, fact in trail.traits.items() if fact.at_ms <= at_ms},
        first_touch=_of_then(trail.first_touch, at_ms),
        last_touch=max((t for t in touches if t.at_ms <= at_ms), default=None),
        last_landing=_of_then(trail.last_landing, at_ms),
        statements={k: said for k, said in trail.statements.items() if said.at_ms <= at_ms},
        notes=tuple(note for note in trail.notes if note.at_ms <= at_ms),
        steps=tuple(step for step in trail.steps if step.at_ms <= at_ms),
        readings=_read_by_then(trail.readings, at_ms),
    )


def stated_later(lead: Lead, case: Case) -> frozenset[str]:
    """The traits of which only a statement of after the moment of the case is known."""
    held = case.lead.trails
    if all(held[id_] is trail for id_, trail in lead.trails.items()):
        return frozenset()
    known = {name for trail in held.values() for name in trail.traits}
    stated = {name for trail in lead.trails.values() for name in trail.traits}
    return frozenset(stated - known)


def _of_then(touch: Touch | None, at_ms: int) -> Touch | None:
    return touch if touch and touch.at_ms <= at_ms else None


def _read_by_then(readings: Readings, at_ms: int) -> Readings:
    """The readings without facts and values of later; days are looked at when it is evaluated."""
    if readings is NO_READINGS or not (readings.traits or readings.latest):
        return readings
    return structs.replace(
        readings,
        latest={name: value for name, value in readings.latest.items() if value.at_ms <= at_ms},
        traits={
            name: {day: fact for day, fact in days.items() if fact.at_ms <= at_ms}
            for name, days in readings.traits.items()
        },
    )
