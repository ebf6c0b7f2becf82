"""Looks at made-up years: a change of behaviour is seen, and years without one stay quiet."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from itertools import product
from math import prod
from random import Random

import pytest

from builders import NOW
from warmlead.learning.monthly_look import LookedAt, Ripe, last_ripe, look, ripe_at, ripened
from warmlead.learning.observations import Question
from warmlead.learning.population import Population
from warmlead.learning.reference import Judged, reference_of
from warmlead.messages.watch import MonthlyLook
from warmlead.reporting.periods import Period, read_period

QUESTION = Question(outcome="customer", after=timedelta(days=7), within=timedelta(days=90))
YEARS = 100
CHANGE = 8
"""The month from which on leads behave otherwise."""

POINTS = (25, 20, 15, 10, 5)
USUAL = (0.2, 0.3, 0.4, 0.4, 0.5)
"""How many leads do what a signal stands for: modelled on page views, downloads and webinars."""

COOLER = (0.04, 0.1, 0.2, 0.35, 0.5)
"""The same since a campaign brings people who only look around."""


def month(number: int) -> Period:
    """A month, counted from January 2026."""
    years, rest = divmod(number - 1, 12)
    return read_period(f"{2026 + years}-{rest + 1:02}", NOW)


@cache
def chances(shares: tuple[float, ...]) -> dict[int, float]:
    """How likely each score is, if each signal is seen of a share of the leads."""
    found: dict[int, float] = {}
    for seen in product((True, False), repeat=len(POINTS)):
        score = sum(p for p, is_seen in zip(POINTS, seen, strict=True) if is_seen)
        chance = prod(s if is_ else 1 - s for s, is_ in zip(shares, seen, strict=True))
        found[score] = found.get(score, 0.0) + chance
    return found


def leads(dice: Random, shares: tuple[float, ...] = USUAL, luck: float = 1.0) -> Population:
    """The leads of a month: the more points, the more of them become customers."""
    of = chances(shares)
    scores = dice.choices([*of], [*of.values()], k=dice.randint(100, 140))
    judged = [Judged(s, dice.random() < luck * (0.1 + s / 100)) for s in scores]
    return Population(len(judged), judged)


def looks_at(
    months: Iterable[int], seed: int, since: tuple[float, ...] = USUAL, luck: float = 1.0
) -> list[MonthlyLook]:
    """The looks at some months of a year; ``since`` and ``luck`` hold since the change."""
    dice = Random(seed)
    year = {
        month(number).name: leads(dice, since, luck) if number >= CHANGE else leads(dice)
        for number in range(1, 13)
    }
    first = [each for number in (1, 2, 3) for each in year[month(number).name].judged]
    reference = reference_of(first, "2026-01 to 2026-03")
    made = []
    for number in months:
        ripe = [Ripe(each, year[each.name]) for each in ripened(month(number), QUESTION)]
        seen = LookedAt(year[month(number).name], ripe, reference)
        made.append(look(month(number), "v1", QUESTION, seen))
    return made


@pytest.mark.slow
def test_of_a_hundred_years_without_a_change_five_at_most_have_an_alarm() -> None:
    quiet = [not any(made.alarms for made in looks_at(range(4, 13), seed)) for seed in range(YEARS)]
    assert quiet.count(False) <= 5


@pytest.mark.slow
def test_what_leads_do_otherwise_since_month_eight_is_seen_in_the_look_at_it() -> None:
    """That look is due in the first week of month nine."""
    for seed in range(YEARS):
        (made,) = looks_at([CHANGE], seed, COOLER)
        assert made.alarms[0] == "scores"
        assert made.reasons[0].startswith("The scores have shifted (PSI ")


@pytest.mark.slow
def test_fewer_customers_at_the_same_scores_are_seen_when_their_months_are_ripe() -> None:
    for seed in range(YEARS):
        made = looks_at([11, 12], seed, luck=0.3)
        assert [each.outcomes[0].month for each in made] == ["2026-08", "2026-09"]
        assert any("outcomes" in each.alarms for each in made)


@pytest.mark.parametrize("within", [5, 30, 45, 90, 200])
def test_the_outcomes_of_each_month_are_looked_at_once_when_they_are_ripe(within: int) -> None:
    question = Question(outcome="sql", within=timedelta(days=within))
    found = [(each, at) for at in range(13, 37) for each in ripened(month(at), question)]
    names = [each.name for each, _ in found]
    assert names == sorted(set(names))
    first, last = found[0][0], found[-1][0]
    assert len(names) == 1 + 12 * (last.start.year - first.start.year) + (
        last.start.month - first.start.month
    )
    for each, at in found:
        assert ripe_at(each, question) <= month(at).end + question.after


def test_the_reference_is_of_the_last_three_months_with_ripe_outcomes() -> None:
    assert [each.name for each in last_ripe(month(6), QUESTION, 3)] == [
        "2026-01",
        "2026-02",
        "2026-03",
    ]


def test_a_shift_that_is_certain_and_small_is_no_alarm() -> None:
    reference = reference_of(scored(0, 20_000, 10, 20_000), "model file")
    made = look(
        month(8), "v1", QUESTION, LookedAt(of(scored(0, 21_500, 10, 18_500)), [], reference)
    )
    assert made.scores
    assert 0 < made.scores.psi < made.scores.limit == 0.1
    assert not made.alarms


def test_what_cannot_be_told_is_said() -> None:
    some = leads(Random(1))
    without = look(month(8), "v1", QUESTION, LookedAt(some, [], None))
    assert (without.scores, without.became_known) == (None, len(some.judged))
    assert "no reference" in without.missing[0]

    reference = reference_of(some.judged, "2026-01 to 2026-03")
    few = Population(12, some.judged[:12])
    made = look(month(8), "v1", QUESTION, LookedAt(few, [Ripe(month(5), few)], reference))
    assert (made.scores, made.outcomes, made.alarms) == (None, [], [])
    assert [each.partition(" ")[0] for each in made.missing] == ["12", "Of"]


def test_leads_of_one_score_are_no_reference() -> None:
    assert reference_of(scored(40, 200, 40, 5), "x") is None


def scored(one: int, count: int, other: int, others: int) -> list[Judged]:
    return [Judged(one, won=False)] * count + [Judged(other, won=True)] * others


def of(judged: Sequence[Judged]) -> Population:
    return Population(len(judged), judged)
