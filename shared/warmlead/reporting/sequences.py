"""Nurture in a report: runs of sequences, steps that were sent, and what persons did afterwards.

What is told of a step is no proof of what it does: whoever gets a later one has stayed longer.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from warmlead.domain.nurture import Ending
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.stages import Transition
from warmlead.messages.cohorts import Ripening
from warmlead.messages.sequences import SequenceFigures, StepFigures
from warmlead.reporting.cohorts import Milestone, made_in, rated
from warmlead.reporting.periods import Period

AFTERWARDS_DAYS = 60
"""How long after a step it is looked at what a person has reached; one of ``AGES_DAYS``."""

WAITING = timedelta(days=7)
"""How long after a period it is looked for steps of it that waited, and never went out."""

_AFTERWARDS = timedelta(days=AFTERWARDS_DAYS)

_Moments: TypeAlias = Mapping[Milestone, Sequence[datetime]]
"""When a person came to each level, for the first time and again."""


class _Step(NamedTuple):
    """A step of a sequence; ordered by number."""

    number: int
    message: str


class _Sending(NamedTuple):
    """A message that went out; ordered by time."""

    at: datetime
    lead_id: str
    message: str


@dataclass(slots=True)
class _Sent:
    """One step: how many messages, and of each person the first time and what came when."""

    messages: int = 0
    persons: list[tuple[datetime, _Moments]] = field(default_factory=list)


@dataclass(slots=True)
class _Sequence:
    """One sequence, of all persons."""

    enrolled: int = 0
    running: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    steps: dict[_Step, _Sent] = field(default_factory=dict)


class NurtureTally:
    """Collects records, then persons, then returns the figures; all in any order.

    A person who was two for a while has one run where both had one, and two messages where both
    were sent one.
    """

    def __init__(self, period: Period, now: datetime) -> None:
        """``now`` is the moment as of which persons have had the time."""
        self._period = period
        self._now = now
        self._facts: dict[str, set[tuple[datetime, NurtureFact]]] = {}
        self._told: set[str] = set()
        self._sequences: dict[str, _Sequence] = {}

    def add(self, lead_id: str, record: NurtureRecord) -> None:
        """Adds a record of the period, or of the ``WAITING`` after it."""
        facts = self._facts.setdefault(lead_id, set())
        facts.update((record.at, fact) for fact in record.facts)

    @property
    def ids(self) -> Collection[str]:
        """The ids of the leads whose lives must be told."""
        return self._facts.keys()

    def tell(self, ids: Collection[str], moves: Iterable[Transition]) -> None:
        """Adds a person who has such an id, with all ids and all moves of the person."""
        own = self._facts.keys() & set(ids) - self._told
        if not own:
            return
        self._told |= own
        by_run: dict[tuple[str, int], list[tuple[datetime, str, NurtureFact]]] = {}
        for id_ in own:
            for at, fact in self._facts[id_]:
                by_run.setdefault((fact.sequence, fact.run), []).append((at, id_, fact))
        firsts: dict[tuple[str, _Step], datetime] = {}
        for (name, _), facts in by_run.items():
            self._count_run(self._sequences.setdefault(name, _Sequence()), facts)
            for step, at in self._count_sendings(self._sequences[name], facts):
                firsts[name, step] = min(at, firsts.get((name, step), at))
        reached = _moments(moves)
        for (name, step), at in firsts.items():
            self._sequences[name].steps[step].persons.append((at, reached))

    def _count_run(
        self, into: _Sequence, facts: Sequence[tuple[datetime, str, NurtureFact]]
    ) -> None:
        """Counts a run of a person, under whichever ids."""
        within = [(at, fact) for at, _, fact in facts if self._period.holds(at)]
        is_new = any(fact.turn is NurtureTurn.STARTED for _, fact in within)
        ended = [(at, fact.ending) for at, fact in within if fact.turn is NurtureTurn.ENDED]
        own = [each for each in ended if each[1] != Ending.PARTED]
        into.enrolled += is_new
        into.running += is_new and not ended
        if ended:
            into.ended[max(own or ended)[1]] += 1

    def _count_sendings(
        self, into: _Sequence, facts: Sequence[tuple[datetime, str, NurtureFact]]
    ) -> Iterable[tuple[_Step, datetime]]:
        """Counts the messages of a run of a person; returns the steps, and when each was sent."""
        sent: dict[int, list[_Sending]] = {}
        for at, id_, fact in facts:
            if fact.turn is NurtureTurn.SENT:
                sent.setdefault(fact.number, []).append(_Sending(at, id_, fact.message))
        withheld = Counter(fact.number for _, _, fact in facts if fact.turn is NurtureTurn.WITHHELD)
        for number, sendings in sent.items():
            went_out = sorted(sendings)[: max(0, len(sendings) - withheld[number])]
            for each in went_out:
                if self._period.holds(each.at):
                    step = _Step(number, each.message)
                    into.steps.setdefault(step, _Sent()).messages += 1
                    yield step, each.at

    def figures(self) -> dict[str, SequenceFigures]:
        """The figures of each sequence of which anything is told, by name."""
        return {
            name: SequenceFigures(
                enrolled=found.enrolled,
                running=found.running,
                ended=dict(sorted(found.ended.items())),
                steps=[self._step(step, found.steps[step]) for step in sorted(found.steps)],
            )
            for name, found in sorted(self._sequences.items())
            if found.enrolled or found.ended or found.steps
        }

    def _step(self, step: _Step, sent: _Sent) -> StepFigures:
        return StepFigures(
            step=step.number,
            message=step.message,
            sent=sent.messages,
            persons=len(sent.persons),
            to_mql=self._afterwards(sent, Milestone.MQL),
            to_sql=self._afterwards(sent, Milestone.SQL),
            to_customer=self._afterwards(sent, Milestone.CUSTOMER),
        )

    def _afterwards(self, sent: _Sent, milestone: Milestone) -> Ripening:
        """How many came to a level afterwards, of those who have had the time."""
        ripe = [each for each in sent.persons if each[0] + _AFTERWARDS <= self._now]
        reached = sum(
            any(at < moment <= at + _AFTERWARDS for moment in moments.get(milestone, ()))
            for at, moments in ripe
        )
        return Ripening(**rated(reached, len(ripe)), is_finished=len(ripe) == len(sent.persons))


def _moments(moves: Iterable[Transition]) -> _Moments:
    found: dict[Milestone, list[datetime]] = {}
    for move in moves:
        for milestone in made_in(move):
            found.setdefault(milestone, []).append(move.at)
    return found
