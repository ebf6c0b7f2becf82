"""Old facts never act on the present: which moves tools are told of, and which leads rest."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from warmlead.application.passages import Passage
from warmlead.domain.evaluation import Evaluation
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.stages import MODEL, SALES_STAGES, SQL, MoveCause, Rest, Transition


class Telling(Struct, frozen=True):
    """The moves of which tools are told now, and the lead's rest from now on, if it rests.

    ``is_made_up_for``: the one move was recorded before, when old facts made it.
    """

    moves: tuple[Transition, ...] = ()
    rest: Rest | None = None
    is_made_up_for: bool = False


def telling(
    lead: Lead,
    evaluation: Evaluation,
    moves: Sequence[Transition],
    *,
    passage: Passage | None,
    rules: Rules,
    now: datetime,
    would_start: Callable[[], bool],
) -> Telling:
    """What to tell of a lead that has just been moved by the last of what is new, or not.

    Moves by what is older than the model's ``acts_within`` are recorded and not told. If the model
    made one, or all that is new is that old and the lead is new too, or ``would_start`` a sequence,
    it rests. A lead that rests is told of when it next acts, or when something recent moves it.
    """
    rest = lead.progress.rest
    if passage is None:
        return Telling((), _later(rest, moves, rules)) if rest else Telling(tuple(moves))
    last = moves or passage.last_moves
    if passage.is_imported:
        return Telling(rest=_of_import(lead, last, would_start, rules=rules, now=now))
    caused_at = passage.at if moves else passage.moved_at
    is_recent = caused_at is not None and caused_at >= now - rules.acts_within
    if last and is_recent and (rest is None or passage.acts or _ends_rest(last[-1], rules)):
        return Telling(tuple(last))
    waiting = _later(rest, last, rules) if rest else _waiting(lead, last, rules, now)
    if passage.acts:
        if waiting and waiting.from_stage:
            made_up_for = _made_up_for(lead, evaluation, waiting, rules, now)
            return Telling((made_up_for,), is_made_up_for=not last)
        return Telling()
    if waiting is None and passage.is_old and (lead.snapshot is None or would_start()):
        waiting = Rest(now)
    return Telling(rest=waiting)


def _of_import(
    lead: Lead,
    moves: Sequence[Transition],
    would_start: Callable[[], bool],
    *,
    rules: Rules,
    now: datetime,
) -> Rest | None:
    """The rest of a lead of which an import tells; a lead that is acted upon goes on as it was."""
    if rest := lead.progress.rest:
        return _later(rest, moves, rules)
    waiting = _waiting(lead, moves, rules, now)
    if waiting is None and (lead.snapshot is None or would_start()):
        return Rest(now)
    return waiting


def rest_of(moves: Sequence[Transition], rules: Rules, now: datetime) -> Rest:
    """The rest of a new lead that has made these moves before anybody knew of it."""
    return _later(Rest(now), moves, rules)


def _waiting(lead: Lead, moves: Sequence[Transition], rules: Rules, now: datetime) -> Rest | None:
    """The rest that begins with some moves by old facts; ``None``: they begin none.

    A lead that is offered in its stage already is being acted upon.
    """
    offer = lead.offer
    is_offered = offer and offer.closed_at is None and offer.stage == lead.progress.stage
    if is_offered or not moves or not _is_told_of(moves[-1], rules):
        return None
    return _later(Rest(now), moves, rules)


def _later(rest: Rest, moves: Sequence[Transition], rules: Rules) -> Rest:
    """The rest of a lead after further moves."""
    if not moves:
        return rest
    last = moves[-1]
    if _is_told_of(last, rules):
        return Rest(rest.since, last.from_stage, last.reason)
    return Rest(rest.since)


def _ends_rest(move: Transition, rules: Rules) -> bool:
    """Whether a recent move brings the lead on: to leave a stage, it need not have done anything.

    Time may have led it out, which only shows with an event that is not its doing.
    """
    return move.source != MODEL or _is_told_of(move, rules)


def _is_told_of(move: Transition, rules: Rules) -> bool:
    """Whether the model, or what was imported, has moved the lead into a stage of the model."""
    stages = {policy.name for policy in rules.stages} - set(SALES_STAGES) | {SQL}
    is_stated = move.source != MODEL and move.cause is not MoveCause.QUALIFIED
    return not is_stated and move.to_stage in stages


def _made_up_for(
    lead: Lead, evaluation: Evaluation, rest: Rest, rules: Rules, now: datetime
) -> Transition:
    """The move that began the rest, told now that the lead acts."""
    progress, totals = lead.progress, evaluation.totals
    return Transition(
        at=progress.since,
        from_stage=rest.from_stage,
        to_stage=progress.stage,
        cycle=progress.entered.get(progress.stage, 1),
        reason=rest.reason,
        score=totals.score,
        fit=totals.fit,
        hours_in_stage=0.0,
        model_version=rules.version,
        learnt=now,
    )


def record_of_offer(told: Transition, now: datetime) -> Transition:
    """The record of an offer that no move accompanies: it leads from a stage to the same one."""
    return replace(
        told,
        at=now,
        learnt=None,
        from_stage=told.to_stage,
        cause=MoveCause.OFFERED,
        reason="offered when it acted: old facts had moved it here before",
    )


def with_promises(
    moves: tuple[Transition, ...], before: Offer | None, offer: Offer | None, rules: Rules
) -> tuple[Transition, ...]:
    """The moves; the one that offered the lead to sales has the promises."""
    is_new = offer is not None and (before is None or offer.cycle > before.cycle)
    if offer is None or not is_new or rules.handoff is None:
        return moves
    entries = [index for index, moved in enumerate(moves) if moved.to_stage == offer.stage]
    last = max(entries)
    offering = replace(
        moves[last],
        touch_by=rules.handoff.deadline_of(offer, Deadline.TOUCH_BREACHED),
        accept_by=rules.handoff.deadline_of(offer, Deadline.ACCEPT_BREACHED),
    )
    return (*moves[:last], offering, *moves[last + 1 :])
