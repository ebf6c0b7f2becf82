"""Cohorts: persons who came to a step of the funnel in the same month, and how far they have come.

Other than the conversions of a period, a cohort ripens: a person who became an MQL in January and
a customer in March counts as a customer of January's cohort. A rate is compared at the same age.
So of each age only those persons count who have had the time, whether they have used it or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, TypeAlias

from msgspec import Struct

from warmlead.domain.history import to_ms
from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.stages import ANONYMOUS, Transition
from warmlead.messages.cohorts import Cohort, CohortConversion, Reached, Ripening
from warmlead.reporting.funnel import Level, level_of, passed
from warmlead.reporting.periods import Period, month_within
from warmlead.reporting.statistics import per_mille, wilson

AGES_DAYS = (30, 60, 90)


class Milestone(IntEnum):
    """A step of the funnel that a person makes once."""

    KNOWN = 0
    MQL = Level.MQL
    SQL = Level.SQL
    OPPORTUNITY = Level.OPPORTUNITY
    CUSTOMER = Level.CUSTOMER


CONVERSIONS: Mapping[str, tuple[Milestone, Milestone]] = {
    "lead_to_mql": (Milestone.KNOWN, Milestone.MQL),
    "lead_to_customer": (Milestone.KNOWN, Milestone.CUSTOMER),
    "mql_to_sql": (Milestone.MQL, Milestone.SQL),
    "mql_to_customer": (Milestone.MQL, Milestone.CUSTOMER),
    "sql_to_customer": (Milestone.SQL, Milestone.CUSTOMER),
}
"""The conversions of a cohort, each from one milestone to another."""


class Milestones(Struct, frozen=True):
    """When a person first made each step of the funnel, and the score on becoming an MQL.

    ``regained`` are the times at which a customer entered MQL, which is no step of the funnel.
    """

    at: Mapping[Milestone, datetime]
    mql_score: int | None = None
    regained: frozenset[datetime] = frozenset()

    def wait_ms(self, start: Milestone, end: Milestone) -> int | None:
        """From one step to another; negative if the second was first, ``None`` without both."""
        if start not in self.at or end not in self.at:
            return None
        return to_ms(self.at[end]) - to_ms(self.at[start])


def made_in(move: Transition) -> Iterable[Milestone]:
    """The steps of the funnel that a move makes, whether for the first time or again."""
    if not move.is_move:
        return
    if move.from_stage == ANONYMOUS:
        yield Milestone.KNOWN
    for level in passed(level_of(move.from_stage), level_of(move.to_stage)):
        yield Milestone(level)


def has_steps(move: Transition) -> bool:
    """Whether a move makes any step of the funnel."""
    return bool(list(made_in(move)))  # the first step is number 0, so any() would leave it out


def milestones(moves: Iterable[Transition]) -> Milestones:
    """The milestones of a person; moves in any order, and as often as they like.

    Who was a customer before, and known as one, does not become an MQL: the deal that the funnel
    is about is won. A deal of which is learnt afterwards that it was won before is that deal.
    """
    first: dict[Milestone, datetime] = {}
    scores: list[tuple[datetime, int]] = []
    regained: set[datetime] = set()
    for move in in_order_learnt(sorted(set(moves), key=_stages_of)):
        for step in made_in(move):
            if step is Milestone.MQL:
                if first.get(Milestone.CUSTOMER, move.at) < move.at:
                    regained.add(move.at)
                    continue
                scores.append((move.at, move.score))
            first[step] = min(move.at, first.get(step, move.at))
    return Milestones(first, min(scores)[1] if scores else None, frozenset(regained))


def _stages_of(move: Transition) -> tuple[str, str, int]:
    return move.from_stage, move.to_stage, move.cycle


NO_MILESTONES = Milestones({})


_Cohort: TypeAlias = Mapping[Milestone, Sequence[Milestones]]
"""Persons by the milestone that makes them one of the cohort."""


class CohortTally:
    """The persons of a period's cohorts, as of a moment at which so much has ripened."""

    def __init__(self, period: Period, now: datetime) -> None:
        self._period = period
        self._now = now
        self._months: dict[str, Period] = {}
        self._persons: dict[str, dict[Milestone, list[Milestones]]] = {}

    def add(self, person: Milestones) -> None:
        """Adds a person to the cohort of each milestone in the period; each counts once there."""
        for step, at in person.at.items():
            if self._period.holds(at):
                month = self._month_of(at)
                self._persons.setdefault(month, {}).setdefault(step, []).append(person)

    def _month_of(self, moment: datetime) -> str:
        key = f"{moment:%Y-%m}"
        if key not in self._months:
            self._months[key] = month_within(self._period, moment)
        return key

    def waits_ms(self, start: Milestone, end: Milestone) -> list[int]:
        """The waits of those persons who made the second step in the period."""
        ended = (each for of_month in self._persons.values() for each in of_month.get(end, ()))
        return [wait for each in ended if (wait := each.wait_ms(start, end)) is not None]

    def whole(self) -> Cohort:
        """All persons of the period as one cohort."""
        together: dict[Milestone, list[Milestones]] = {}
        for of_month in self._persons.values():
            for step, persons in of_month.items():
                together.setdefault(step, []).extend(persons)
        return self._cohort(self._period, together)

    def by_month(self) -> dict[str, Cohort]:
        """The cohorts of the months of the period, by name; those without a person are left out."""
        return {
            self._months[key].name: self._cohort(self._months[key], self._persons[key])
            for key in sorted(self._persons)
        }

    def _cohort(self, month: Period, persons: _Cohort) -> Cohort:
        conversions = {
            name: self._conversion(persons.get(steps[0], ()), *steps)
            for name, steps in CONVERSIONS.items()
        }
        skipped = (
            Milestone.CUSTOMER in each.at and Milestone.OPPORTUNITY not in each.at
            for each in persons.get(Milestone.SQL, ())
        )
        return Cohort(
            start=month.start,
            end=month.end,
            customers=len(persons.get(Milestone.CUSTOMER, ())),
            without_opportunity=sum(skipped),
            **conversions,
        )

    def _conversion(
        self, persons: Sequence[Milestones], start: Milestone, end: Milestone
    ) -> CohortConversion:
        waits = [(each.at[start], each.wait_ms(start, end)) for each in persons]
        reached = [wait for _, wait in waits if wait is not None]
        ages = {f"within_{days}_days": self._within(waits, days) for days in AGES_DAYS}
        return CohortConversion(
            ever=Reached(**rated(len(reached), len(waits))),
            before=sum(wait < 0 for wait in reached),
            first_at=min((each.at[end] for each in persons if end in each.at), default=None),
            **ages,
        )

    def _within(self, waits: Sequence[tuple[datetime, int | None]], days: int) -> Ripening:
        """How many reached it within an age, of those who have had the time."""
        age = timedelta(days=days)
        most_ms = age // timedelta(milliseconds=1)
        ripe = [wait for at, wait in waits if at + age <= self._now]
        reached = sum(wait is not None and wait <= most_ms for wait in ripe)
        return Ripening(**rated(reached, len(ripe)), is_finished=len(ripe) == len(waits))


def rated(reached: int, of: int) -> dict[str, Any]:
    """The fields of ``Reached``."""
    low, high = wilson(reached, of)
    return {
        "of": of,
        "reached": reached,
        "per_mille": per_mille(reached, of),
        "low_per_mille": round(1000 * low) if of else None,
        "high_per_mille": round(1000 * high) if of else None,
    }
