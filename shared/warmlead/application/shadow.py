"""Casts a lead's shadow: evaluates it under a second model too, of which nobody is told.

Where there is no second model, a lead has no shadow, and all of this costs nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import structs

from warmlead.application.passages import Passage, Stop, moved, only_raise, passed_through
from warmlead.domain.evaluation import evaluation_of, next_review_day
from warmlead.domain.event import Event
from warmlead.domain.history import day_at
from warmlead.domain.knowledge import learnt
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.rules import Rules
from warmlead.domain.shadow import shadow_moves
from warmlead.domain.shadow_rules import (
    in_shadow,
    of_present_model,
    promoted,
    shadow_of,
    without_shadow,
)


def cast(lead: Lead, rules: Rules, now: datetime, passage: Passage | None) -> Lead:
    """The lead with its shadow as of now; ``passage`` is that of the evaluation.

    What was recorded for a second model that is gone, or has changed, goes; if the model is in
    force by now, it is the lead's own.
    """
    lead = promoted(lead, rules)
    if rules.shadow is None:
        return lead if lead.shadow is None else without_shadow(lead, None)
    second, lead = rules.shadow, of_present_model(lead, rules.shadow)
    shadow = shadow_of(lead, second, now)
    then = in_shadow(lead, shadow)
    evaluation = evaluation_of(then, second, now)
    progress, moves = moved(then, evaluation, second, now, passage)
    totals = evaluation.totals
    shadow = structs.replace(
        shadow,
        progress=progress,
        score=totals.score,
        engagement=totals.engagement,
        fit=totals.fit,
        day=day_at(now),
        knowledge=learnt(shadow.knowledge, second, day_at(now)),
        moves=shadow_moves(shadow.moves, moves),
    )
    return replace(lead, shadow=shadow)


def passed_in_shadow(
    lead: Lead,
    second: Rules,
    passage: Passage,
    stops: Callable[[], Sequence[Stop]],
    *,
    before: Mapping[str, Trail],
    counted: Sequence[Event],
    labels: Collection[str],
    now: datetime,
) -> Lead:
    """The lead whose shadow has passed through the events of a commit; see ``passed_through``.

    ``labels`` are those under which the ``counted`` events were recorded.
    """
    lead = of_present_model(lead, second)
    shadow = shadow_of(lead, second, now)
    names = {label: name for name, label in second.labels.items()}
    signals = {names.get(label, label) for label in labels}
    passed, through = passed_through(
        in_shadow(lead, shadow),
        passage,
        stops,
        before=before,
        only_raises=len(counted) > 1 and only_raise(counted, signals, second),
        rules=second,
        now=now,
    )
    moves = shadow_moves(shadow.moves, through.moves)
    return replace(lead, shadow=structs.replace(shadow, progress=passed.progress, moves=moves))


def next_review_of_shadow(lead: Lead, rules: Rules, now: datetime) -> int | None:
    """The UTC day number on which time changes the shadow of a lead that itself changes no more.

    All other leads are reviewed once a week at least, and moves are dated as of the day on which
    they were due. So a shadow makes no lead due that would be due later without it.
    """
    second, shadow = rules.shadow, lead.shadow
    if second is None or shadow is None:
        return None
    then = in_shadow(lead, shadow)
    evaluation = evaluation_of(then, second, now)
    return next_review_day(then, evaluation, second, now, enrolments=then.enrolments)
