"""What tells the outcome only because the outcome was known already: nothing to give points for.

A trait that sales types after the call predicts the call's result, and no lead of tomorrow has it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from warmlead.learning.algebra import Vector
from warmlead.learning.evidence import Evidence, Flags
from warmlead.learning.judging import auc
from warmlead.model.vocabulary import ORIGIN_FACTS
from warmlead.reporting.statistics import SMALL_SAMPLE, wilson

CERTAIN_AUC = 0.95
"""One column that tells winners from others so well is hardly known before."""

CERTAIN_RATE, CERTAIN_LOSS = 0.97, 0.01
"""Rates at which a single value decides alone."""

SURE_RATE, SURE_LOSS = 0.9, 0.05
"""A trait of which one value surely wins more often than this, and another less, is a verdict."""

_EXPECTED = 10
"""How many must have been expected to win, or to lose, before their absence says something."""

_KNOWN_OF_LOST, _KNOWN_OF_WON = 0.02, 0.2
"""What is known of so few who did not win, and of so many who did, became known by winning."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A trait, an origin or a condition that says too much, and why.

    ``is_refused``: no points are learned for it. Else it is only worth a look: a channel is
    recorded by the visit itself.
    """

    name: str
    why: str
    is_refused: bool


def leaks_of(evidence: Evidence, stated_later: Mapping[str, int]) -> tuple[Leak, ...]:
    """The traits and origins that say too much, in order of their names.

    ``stated_later`` has of each trait in how many leads only a statement of after the moment is
    known.
    """
    won = evidence.outcomes
    found = []
    for name in sorted({*evidence.numbers, *evidence.words, *stated_later}):
        why = next(_whys(evidence, name, won, stated_later.get(name, 0)), "")
        if why:
            found.append(Leak(name, why, name not in ORIGIN_FACTS))
    return tuple(found)


def leak_of_condition(key: str, worth: Vector, won: Vector) -> Leak | None:
    """Whether a condition of the model says too much. One value that decides is only told."""
    if _auc_of(worth, won) > CERTAIN_AUC:
        return Leak(key, f"alone it tells winners from others with {_auc_of(worth, won):.0%}", True)
    why = _decides("", worth != 0, won)
    return Leak(key, why.strip(), False) if why else None


def _whys(evidence: Evidence, name: str, won: Vector, later: int) -> Iterator[str]:
    """What speaks against a trait, the gravest first."""
    known = _known(evidence, name)
    there = int(np.count_nonzero(known))
    if later >= SMALL_SAMPLE and later >= there:
        yield f"stated only after the moment in {later} leads, and before it in {there}"
    if there < SMALL_SAMPLE:
        return
    of_won, of_lost = float(known[won > 0].mean()), float(known[won == 0].mean())
    if of_lost <= _KNOWN_OF_LOST and of_won >= _KNOWN_OF_WON:
        yield f"known of {of_won:.0%} of those who won, and of {of_lost:.0%} of the others"
    column = _as_number(evidence, name, won)
    if (reached := _auc_of(column, won)) > CERTAIN_AUC:
        yield f"alone it tells winners from others with an AUC of {reached:.2f}"
    for value, holds in _values(evidence, name):
        if why := _decides(value, holds, won):
            yield why
    if why := _is_verdict(evidence, name, won):
        yield why


def _is_verdict(evidence: Evidence, name: str, won: Vector) -> str:
    """Why a trait is what somebody thought of the lead in the end; empty if it is not.

    The ends of the intervals count, not the rates, so that chance makes no verdict.
    """
    best, worst = "", ""
    for value, holds in _values(evidence, name):
        n, wins = int(np.count_nonzero(holds)), int(won[holds].sum())
        low, high = wilson(wins, n)
        best = f'"{value}" {wins} of {n}' if low >= SURE_RATE else best
        worst = f'"{value}" {wins} of {n}' if high <= SURE_LOSS else worst
    overall = float(won.mean())
    is_telling = best and worst and SURE_LOSS < overall < SURE_RATE
    return f"reads like a verdict: of {best} won, of {worst}" if is_telling else ""


def _decides(value: str, holds: Flags, won: Vector) -> str:
    """Why a value decides alone; empty if it does not."""
    n = int(np.count_nonzero(holds))
    if n < SMALL_SAMPLE:
        return ""
    wins, rate = int(won[holds].sum()), float(won.mean())
    said = f'"{value}": ' if value else ""
    if wins >= CERTAIN_RATE * n and (1 - rate) * n >= _EXPECTED:
        return f"{said}{wins} of {n} won, of all leads {rate:.0%}"
    if wins <= CERTAIN_LOSS * n and rate * n >= _EXPECTED:
        return f"{said}{wins} of {n} won, of all leads {rate:.0%}"
    return ""


def _known(evidence: Evidence, name: str) -> Flags:
    if name in evidence.numbers:
        return evidence.flags(evidence.numbers[name].rows)
    return evidence.flags(evidence.words[name].known if name in evidence.words else ())


def _values(evidence: Evidence, name: str) -> Iterator[tuple[str, Flags]]:
    """The leads of each value that is common enough."""
    for value, rows in evidence.words[name].rows.items() if name in evidence.words else ():
        if len(rows) >= SMALL_SAMPLE:
            yield value, evidence.flags(rows)


def _as_number(evidence: Evidence, name: str, won: Vector) -> Vector:
    """The trait as one number of each lead: a text as the rate of its common value."""
    if name in evidence.numbers:
        return evidence.numbers[name].dense(len(evidence), missing=-1.0)
    made = np.full(len(evidence), float(won.mean()))
    for _, holds in _values(evidence, name):
        made[holds] = won[holds].mean()
    return made


def _auc_of(column: Vector, won: Vector) -> float:
    """The AUC of one column, whichever way it points."""
    reached = auc(column, won).value
    return max(reached, 1 - reached)
