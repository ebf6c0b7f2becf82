"""How a person would have been scored if the events of an import had come when they happened.

Each event is decided by itself, with its own time as the present, and every midnight between two
events counts. Pure: the store is not asked, and nothing is sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.application.evaluate import evaluate
from warmlead.domain.evaluation import Projection, evaluation_of
from warmlead.domain.event import OF_RECORDS, SALES_EVENTS, Event
from warmlead.domain.history import day_at, from_ms
from warmlead.domain.identity import LeadIds
from warmlead.domain.lead import Lead
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.rules import Rules
from warmlead.domain.sales import EVENT_PREFIX, IDENTIFIED, SAID_BY_SALES
from warmlead.domain.stages import SALES_STAGES, MoveCause, Transition, next_stage
from warmlead.ports import Commit, Need

EVERY_DAY = 45
"""For this many days after an event each midnight is looked at."""

EVERY_WEEK = 400
"""Until this many days after an event one midnight a week; then time changes no stage any more."""

_FURTHER = frozenset(f"{EVENT_PREFIX}{said}" for said in ("accepted", "opportunity", "won"))
_RANK = {f"{EVENT_PREFIX}{said}": 2 + rank for rank, said in enumerate(SAID_BY_SALES)}


@dataclass(frozen=True, slots=True)
class Lived:
    """The leads that the events of one person make, and how they moved, each with a lead's id.

    ``refused`` is how many events found no room.
    """

    leads: tuple[Lead, ...]
    moves: tuple[tuple[str, Transition], ...]
    refused: int = 0


def quiet(rules: Rules) -> Rules:
    """The rules without everything that makes messages or promises: the past is only scored."""
    nothing_acts = -timedelta(microseconds=1)
    return replace(
        rules,
        handoff=None,
        sequences=(),
        alerts=(),
        updates=None,
        acts_within=nothing_acts,
        shadow=None,
    )


class Living:
    """Lives persons' events through. One serves many persons: it keeps what is costly to make."""

    def __init__(self, rules: Rules, ids: LeadIds) -> None:
        self.rules = quiet(rules)
        """The rules by which the past is scored."""
        self._scoring = Scoring(self.rules, ids)

    def lived(self, events: Sequence[Event], until: datetime) -> Lived:
        """The leads of some events of one person as of ``until``, which is after all of them."""
        life = _Life(self._scoring)
        for now, group in in_order(events):
            life.take(group, now)
        return life.as_of(until)


def in_order(events: Sequence[Event]) -> list[tuple[datetime, list[Event]]]:
    """The events as they are processed, with the time that is the present then.

    What happened at one moment is looked at as a whole, but each word of sales by itself. What a
    lead was by its records comes before what sales made of it, even if its date is later:
    a deal that was won before the first contact was won by somebody who was an MQL.
    """
    further = min((e.occurred_at for e in events if e.name in _FURTHER), default=None)

    def present(event: Event) -> datetime:
        if further and event.name in OF_RECORDS:
            return min(event.occurred_at, further)
        return event.occurred_at

    def rank(event: Event) -> int:
        return 1 if event.name in OF_RECORDS else _RANK.get(event.name, 0)

    def place(event: Event) -> tuple[datetime, int]:
        return present(event), max(1, rank(event))

    groups: list[tuple[datetime, list[Event]]] = []
    ordered = sorted(events, key=lambda event: (present(event), rank(event), event.key))
    for (now, of_sales), some in groupby(ordered, key=place):
        if of_sales > 1:
            groups += [(now, [event]) for event in some]
        else:
            groups.append((now, list(some)))
    return groups


class _Life:
    """The leads of one person while events come in; they are in memory alone."""

    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring
        self._leads: dict[str, Lead] = {}
        self._homes: dict[str, str] = {}
        self._moves: list[tuple[str, Transition]] = []
        self._refused = 0

    def take(self, events: Sequence[Event], now: datetime) -> None:
        """Applies events of one moment as of it, after all midnights until then."""
        decision = Decision(events, self._scoring, now)
        loaded: dict[str, Lead | None] = {}
        wanted = frozenset(decision.ids.values())
        while True:
            loaded |= {id_: self._at(id_, now) for id_ in wanted}
            decided: Commit[Applied] | Need = decision(loaded)
            if not isinstance(decided, Need):
                break
            wanted = decided.ids
        self._refused += len(decided.result.quarantined)
        for lead in decided.leads:
            self._put(replace(lead, outbox=()))
        for id_, lead_id in decided.aliases.items():
            if id_ != lead_id:
                self._leads.pop(id_, None)
        self._moves += [(id_, _dated(move, events)) for id_, move in decided.transitions]

    def as_of(self, until: datetime) -> Lived:
        """The leads after all midnights until a time, and all of their moves."""
        for lead in list(self._leads.values()):
            self._age(lead, until)
        return Lived(tuple(self._leads.values()), tuple(self._moves), self._refused)

    def _at(self, id_: str, now: datetime) -> Lead | None:
        lead = self._leads.get(self._homes.get(id_, ""))
        return self._age(lead, now) if lead else None

    def _age(self, lead: Lead, until: datetime) -> Lead:
        for midnight in _turning_points(lambda: self._leads[lead.id], self._scoring.rules, until):
            evaluated = evaluate(self._leads[lead.id], self._scoring.rules, midnight)
            self._put(replace(evaluated.lead, outbox=()))
            self._moves += [(lead.id, move) for move in evaluated.transitions]
        return self._leads[lead.id]

    def _put(self, lead: Lead) -> None:
        self._leads[lead.id] = lead
        self._homes.update(dict.fromkeys(lead.trails, lead.id))


def _dated(move: Transition, events: Sequence[Event]) -> Transition:
    """The move; what records say of the stage was so when they say."""
    said = [e for e in events if e.name in OF_RECORDS and e.properties["reason"] == move.to_stage]
    if move.cause is MoveCause.QUALIFIED and said:
        return replace(move, at=said[0].occurred_at)
    return move


def _turning_points(lead: Callable[[], Lead], rules: Rules, until: datetime) -> Iterator[datetime]:
    """The midnights on which time alone moves a lead, one after the other; it is asked anew."""
    while (midnight := _next_turn(lead(), rules, day_at(until))) is not None:
        before = lead().progress.stage
        yield midnight
        if lead().progress.stage == before:
            return


def _next_turn(lead: Lead, rules: Rules, until_day: int) -> datetime | None:
    """The first midnight after a lead's last evaluation at which its stage differs."""
    last = lead.snapshot
    if last is None or not _may_turn(lead, rules) or last.day >= until_day:
        return None
    then = from_ms(last.day * DAY_MS)
    projection = Projection(lead, evaluation_of(lead, rules, then), rules)

    def turns(day: int) -> bool:
        _, standing = projection.on(day)
        stage, _ = next_stage(rules.stages, lead.progress, standing, from_ms(day * DAY_MS))
        return stage != lead.progress.stage

    first = last.day + 1
    daily = range(first, min(until_day, last.day + EVERY_DAY) + 1)
    if (day := next(filter(turns, daily), None)) is not None:
        return from_ms(day * DAY_MS)
    weekly = range(daily.stop + 6, min(until_day, last.day + EVERY_WEEK) + 1, 7)
    for day in weekly:
        if turns(day):
            return from_ms(next(filter(turns, range(day - 6, day + 1))) * DAY_MS)
    return None


def _may_turn(lead: Lead, rules: Rules) -> bool:
    """Whether time alone could move the lead at all."""
    progress = lead.progress
    if progress.stage in SALES_STAGES or lead.decay_on is None or not rules.stages:
        return False
    return not (progress.held and rules.stages[-1].name == progress.stage)


def is_of_deal(event: Event) -> bool:
    """Whether sales states something of a lead that it works on already."""
    return event.name in _FURTHER


def first_contact_of(events: Sequence[Event]) -> datetime | None:
    """When the person is first seen other than by a word of sales."""
    by_sales = SALES_EVENTS - OF_RECORDS - {IDENTIFIED}
    others = (e.occurred_at for e in events if e.name not in by_sales)
    return min(others, default=None)
