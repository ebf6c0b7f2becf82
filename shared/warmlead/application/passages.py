"""How a lead passes through events that are counted together: its moves after each of them.

Events that come in one request, or in several at once, share one commit. Their moves are those of
events that come one by one, in the order in which they happened.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct, structs

from warmlead.application.intake import Intake
from warmlead.domain.consent import statements_in
from warmlead.domain.evaluation import (
    Evaluation,
    StageMove,
    evaluation_of,
    move_stage,
    moved_by_time,
)
from warmlead.domain.event import SALES_EVENTS, Event, Trust
from warmlead.domain.identity import Identifier, identifiers_of
from warmlead.domain.identity_resolution import each_once
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.mail_scans import MOMENT_MS, mark_of, scans_in
from warmlead.domain.rules import Rules
from warmlead.domain.sales import EVENT_PREFIX, SalesStatus
from warmlead.domain.stages import Transition

MAX_STOPS = 10
"""The limit of looks at a lead's stage between the events of a commit; each costs an evaluation.

Of more events those of sales are looked at first, and then some at equal distances.
"""


_MOMENT = timedelta(milliseconds=MOMENT_MS)


class Stop(Struct, frozen=True):
    """The trails after an event and all that happened before it."""

    at: datetime
    trails: Mapping[str, Trail]


class StopsBetween:
    """The trails between some events; made when they are first asked for.

    An intake takes the events as they happened.
    """

    def __init__(self, intake: Callable[[], Intake], counted: Sequence[Event]) -> None:
        self._intake = intake
        self._counted = counted
        self._found: list[Stop] | None = None

    def __call__(self) -> Sequence[Stop]:
        """The stops, in order of time."""
        if self._found is None:
            self._found = self._made()
        return self._found

    def _made(self) -> list[Stop]:
        events, intake = sorted(self._counted, key=by_occurrence), self._intake()
        places, stops = stops_among(events), list[Stop]()
        for place, event in enumerate(events):
            intake.take(event)
            if place in places:
                stops.append(Stop(event.occurred_at, intake.trails))
        return stops


class Passage(Struct, frozen=True):
    """What the events of a commit that count, or tell something new, mean for one lead.

    The first of them happened at ``began``, the last ``at``. ``moves`` are those between the
    events, ``last_moves`` those of them that were made last, by what happened at ``moved_at``. The
    lead ``acts`` if one of the events is recent and its own doing, or a statement of sales about
    its stage. ``is_old``: none of them is recent. ``is_single``: all of the commit happened at one
    moment, so there is nothing between them. ``is_imported``: it is told by an
    import, so nothing is sent, however recent it is. ``evaluated`` is the lead behind all events
    with its evaluation, if that was needed already.
    """

    began: datetime
    at: datetime
    moves: tuple[Transition, ...] = ()
    last_moves: tuple[Transition, ...] = ()
    moved_at: datetime | None = None
    acts: bool = False
    is_old: bool = False
    is_single: bool = True
    is_imported: bool = False
    evaluated: tuple[Lead, Evaluation] | None = None


def by_occurrence(event: Event) -> tuple[datetime, datetime, str]:
    """The key to sort events by when they happened."""
    return event.occurred_at, event.received_at, event.key


def stops_among(events: Sequence[Event]) -> frozenset[int]:
    """After which of some events to look at the lead; after the last one it is looked at anyway.

    The events are in order of their times. What happened at one moment is looked at as a whole, and
    so are clicks and deliveries of mails that are so near that they may say who clicked.
    """
    between = [
        i for i, (one, other) in enumerate(pairwise(events)) if one.occurred_at < other.occurred_at
    ]
    marked = [i for i, event in enumerate(events) if mark_of(event)]
    within = {
        place
        for i, other in pairwise(marked)
        if events[other].occurred_at - events[i].occurred_at <= _MOMENT
        for place in range(i, other)
    }
    between = [i for i in between if i not in within]
    if len(between) <= MAX_STOPS:
        return frozenset(between)
    of_sales = {i for i, event in enumerate(events) if event.name in SALES_EVENTS}
    around = [i for i in between if i in of_sales or i + 1 in of_sales]
    chosen = around[-MAX_STOPS:]
    left = MAX_STOPS - len(chosen)
    even = (between[(i + 1) * len(between) // (left + 1)] for i in range(left))
    return frozenset(chosen).union(even)


def passage_of(
    lead: Lead,
    counted: Sequence[Event],
    telling: Sequence[Event],
    ids: Mapping[Identifier, str],
    *,
    rules: Rules,
    now: datetime,
) -> Passage:
    """What the events of a commit mean for one of its leads, without the moves.

    Those that are ``telling`` are not counted, or were counted before, and so are no acts.
    """

    def of_lead(events: Sequence[Event]) -> list[Event]:
        return [e for e in events if any(ids[i] in lead.trails for i in identifiers_of(e))]

    own, oldest = of_lead(counted), now - rules.acts_within
    new = [*own, *of_lead(telling)]
    scans: set[str] = set()
    if any(map(mark_of, own)) and not rules.robots_count:
        for trail in lead.trails.values():
            scans |= scans_in(trail.history.recent, rules.machines).keys()
    recent = [event for event in own if event.occurred_at >= oldest and event.key not in scans]
    times = [min(now, event.occurred_at) for event in new or [*counted, *telling]] or [now]
    return Passage(
        began=min(times),
        at=max(times),
        acts=any(_is_act(event, rules) for event in recent),
        is_old=bool(new) and max(times) < oldest,
        is_single=len({event.occurred_at for event in counted}) <= 1,
    )


def passed_through(
    lead: Lead,
    passage: Passage,
    stops: Callable[[], Sequence[Stop]],
    *,
    before: Mapping[str, Trail],
    only_raises: bool,
    rules: Rules,
    now: datetime,
) -> tuple[Lead, Passage]:
    """The lead after its moves between events, and the passage with them.

    ``before`` are the trails before all events. What only raises the score moves a lead to a stage
    in which it stays: if the lead is where it was in the end, it was so all the time.
    """
    if lead.snapshot is None and passage.began < now:  # a new lead
        lead = replace(lead, progress=replace(lead.progress, since=passage.began, learnt=now))
    if passage.is_single:
        return lead, passage
    if only_raises:
        in_the_end = _at_stop(lead, Stop(passage.at, lead.trails), before)
        evaluation = evaluation_of(in_the_end, rules, now)
        if not move_stage(in_the_end, evaluation, rules, now, at=passage.at).moves:
            is_same = all(in_the_end.trails[id_] is lead.trails[id_] for id_ in lead.trails)
            evaluated = (lead, evaluation) if is_same else None
            return lead, structs.replace(passage, evaluated=evaluated)
    moves: list[Transition] = []
    last_moves: tuple[Transition, ...] = ()
    moved_at: datetime | None = None
    progress, seen = lead.progress, {id_: before[id_] for id_ in lead.trails if id_ in before}
    for stop in stops():
        trails = {id_: stop.trails[id_] for id_ in lead.trails if id_ in stop.trails}
        if trails.keys() == seen.keys() and all(trails[id_] is seen[id_] for id_ in trails):
            continue  # the event was of another lead
        seen = trails
        then = replace(lead, progress=progress)
        progress, new = _moved_at(then, stop, before, rules, now)
        if new:
            moves += new
            last_moves, moved_at = new, stop.at
    found = structs.replace(passage, moves=tuple(moves), last_moves=last_moves, moved_at=moved_at)
    return replace(lead, progress=progress), found


def moved(
    lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime, passage: Passage | None
) -> StageMove:
    """The lead's moves as of now, from when they were so; without a passage time made them."""
    if passage:
        return move_stage(lead, evaluation, rules, now, at=passage.at)
    moves = move_stage(lead, evaluation, rules, now)
    since = moved_by_time(lead, rules, now) if moves.moves else None
    return moves if since is None else move_stage(lead, evaluation, rules, now, at=since)


def _moved_at(
    lead: Lead, stop: Stop, before: Mapping[str, Trail], rules: Rules, now: datetime
) -> StageMove:
    """The lead's moves by what had happened at a stop."""
    then = _at_stop(lead, stop, before)
    return move_stage(then, evaluation_of(then, rules, now), rules, now, at=stop.at)


def _at_stop(lead: Lead, stop: Stop, before: Mapping[str, Trail]) -> Lead:
    """The lead with the trails that it had at a stop."""
    trails = {id_: stop.trails[id_] for id_ in lead.trails if id_ in stop.trails}
    return replace(lead, trails=each_once(trails, before))


def only_raise(events: Sequence[Event], signals: Collection[str], rules: Rules) -> bool:
    """Whether some events, of these signals, are sure to speak for their leads, or not at all.

    A report of a mail, which states that the address works, may show that a program clicked.
    """
    worth = rules.scoring.signals
    if any(worth[signal].points < 0 for signal in signals if signal in worth):
        return False
    return not any(e.traits or e.name in SALES_EVENTS or statements_in(e) for e in events)


def _is_act(event: Event, rules: Rules) -> bool:
    """Whether the event is the lead's own doing, or says in which stage sales has it."""
    if event.name.startswith(EVENT_PREFIX):
        said = event.name.removeprefix(EVENT_PREFIX)
        puts = said in set(SalesStatus) and said != SalesStatus.TOUCHED
        return puts and event.trust is Trust.SIGNED
    if event.automated is not None and not rules.robots_count:
        return False
    return event.name not in rules.scoring.passive
