"""Each condition of a calibrated model for a reader: what became of its leads, and its points."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np

from warmlead.learning.algebra import Vector
from warmlead.learning.candidates import Candidate
from warmlead.learning.evidence import Evidence, Flags
from warmlead.learning.judging import Estimate, share
from warmlead.learning.weighing import SECTIONS, LearnedPoints, points_of
from warmlead.model.loading import ready_model, ready_names
from warmlead.model.schema import ModelFile
from warmlead.reporting.statistics import SMALL_SAMPLE, Interval


class Mark(StrEnum):
    """What a reader should know of a condition's new points."""

    ADDED = "added"
    FEW = "few"
    ALIKE = "alike"
    LEAK = "leak"
    AGAINST_AUTHOR = "against_author"
    AGAINST_READY = "against_ready"
    UNCERTAIN = "uncertain"
    CAPPED = "capped"

    @property
    def words(self) -> str:
        """The mark for people."""
        return _WORDS[self]


_WORDS: Mapping[Mark, str] = {
    Mark.ADDED: "new",
    Mark.FEW: "too few leads: as it was",
    Mark.ALIKE: "all leads alike: as it was",
    Mark.LEAK: "says too much: as it was",
    Mark.AGAINST_AUTHOR: "against your points",
    Mark.AGAINST_READY: "against the ready models",
    Mark.UNCERTAIN: "may be nothing",
    Mark.CAPPED: "cut to its group",
}


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """One condition: in how many leads it held, what became of them, and its points.

    ``rate`` is the conversion of the leads in which it held, and ``lift`` that as a multiple of
    all leads'. ``before`` is ``None`` of a new condition. ``low`` and ``high`` are the ends of the
    95 % interval of the points; ``None`` where nothing was learned.
    """

    section: str
    name: str
    title: str
    asks: str
    n: int
    won: int
    rate: Estimate | None
    lift: float | None
    before: int | None
    after: int
    low: float | None
    high: float | None
    marks: tuple[Mark, ...]

    @property
    def is_small(self) -> bool:
        """Whether it held for so few leads that its rate says little."""
        return self.n < SMALL_SAMPLE


def lines_of(
    file: ModelFile, evidence: Evidence, learned: LearnedPoints
) -> tuple[ConditionLine, ...]:
    """Every condition: those of the file in its order, and then the new ones."""
    author, won = points_of(file), evidence.outcomes
    intervals = dict(zip(learned.keys, learned.learned.intervals, strict=True))
    made = []
    for key in (*author, *(each.key for each in learned.added)):
        candidate = learned.suggested.get(key)
        holds = evidence.worth(key) != 0 if candidate is None else candidate.holds
        interval = intervals.get(key)
        spread = None if interval is None else _in_points(interval, learned.scale)
        marks = _marks(learned, key, author.get(key), spread)
        points = (author.get(key), learned.points[key])
        made.append(_line(_Named.of(file, key, candidate), points, spread, marks, (holds, won)))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Named:
    """How the file calls a condition, and what it asks."""

    section: str
    name: str
    title: str
    asks: str

    @classmethod
    def of(cls, file: ModelFile, key: str, candidate: Candidate | None) -> "_Named":
        """The names of a condition of the file, or of a new one."""
        kind, _, name = key.partition(":")
        if candidate is not None:
            return cls(candidate.section, name, candidate.title, candidate.when)
        if kind == "signal":
            signal = file.signals[name]
            asks = " or ".join(signal.on) + (f", {signal.when}" if signal.when else "")
            return cls(SECTIONS[kind], name, signal.title or _words(name), asks)
        rule = (file.bonuses if kind == "bonus" else file.fit)[name]
        return cls(SECTIONS[kind], name, rule.title or _words(name), rule.when)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def _in_points(interval: Interval, scale: float) -> Interval | None:
    """The interval of a weight as points; ``None`` if nothing was learned of it."""
    if not np.isfinite(interval).all():
        return None
    return Interval(interval.low * scale, interval.high * scale)


def _line(
    named: _Named,
    points: tuple[int | None, int],
    spread: Interval | None,
    marks: tuple[Mark, ...],
    leads: tuple[Flags, Vector],
) -> ConditionLine:
    holds, won = leads
    n, wins = int(np.count_nonzero(holds)), int(won[holds].sum())
    rate, overall = share(wins, n), float(won.mean())
    return ConditionLine(
        section=named.section,
        name=named.name,
        title=named.title,
        asks=named.asks,
        n=n,
        won=wins,
        rate=rate,
        lift=None if rate is None else rate.value / overall,
        before=points[0],
        after=points[1],
        low=None if spread is None else spread.low,
        high=None if spread is None else spread.high,
        marks=marks,
    )


def _marks(
    learned: LearnedPoints, key: str, author: int | None, spread: Interval | None
) -> tuple[Mark, ...]:
    if key in learned.few:
        return (Mark.FEW,)
    if key in learned.alike:
        return (Mark.ALIKE,)
    if any(leak.name == key and leak.is_refused for leak in learned.leaks):
        return (Mark.LEAK,)
    marks = [Mark.ADDED] if author is None else []
    if spread is None or spread.low <= 0 <= spread.high:
        marks.append(Mark.UNCERTAIN)
    else:
        sign = 1 if spread.low > 0 else -1
        ready = _signs_of_ready_models().get(key.partition(":")[2], 0)
        if (author or 0) * sign < 0:
            marks.append(Mark.AGAINST_AUTHOR)
        elif ready * sign < 0:
            marks.append(Mark.AGAINST_READY)
    return (*marks, *([Mark.CAPPED] if key in learned.capped else []))


@cache
def _signs_of_ready_models() -> Mapping[str, int]:
    """The sign that all ready-made models that have a condition of a name give it; else 0."""
    signs: dict[str, set[int]] = {}
    for model in map(ready_model, ready_names()):
        for key, points in points_of(model.file).items():
            signs.setdefault(key.partition(":")[2], set()).add((points > 0) - (points < 0))
    return {name: next(iter(found)) for name, found in signs.items() if len(found) == 1}
