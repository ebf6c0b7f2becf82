"""Points that conditions ask for, restated for scores on another scale.

``score >= 50`` is to mean under new points what it meant under the old ones: it lets through as
many leads as before. The same goes for ``fit``, ``engagement`` and the grades.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warmlead.learning.editing import Restated
from warmlead.model.condition_syntax import Clause, Every, Token, tree_of, words
from warmlead.model.document import Path
from warmlead.model.schema import ModelFile

Scores = Mapping[str, NDArray[np.int64]]
"""The points of each lead by what conditions call them: ``score``, ``fit``, ``engagement``."""

_SIGNS = {">=": 0, "<": 0, ">": 1, "<=": 1}
"""By how much the least number above the border exceeds the one that is written."""

_SIGNS_UP = {">=": True, ">": True, "<": False, "<=": False}
"""Whether it asks for points above the border."""

_ARITHMETIC = frozenset("+-*/%")
_KINDS = {"score": "score", "peak_score": "score", "fit": "fit", "engagement": "engagement"}


@dataclass(frozen=True, slots=True)
class PointBar:
    """A number of points that a condition at a path asks for, and the one that takes its place.

    ``passed`` is how many of the leads are at or above ``before`` of ``leads``, and ``passing``
    how many are at or above ``after`` under the new points.
    """

    path: Path
    what: str
    sign: str
    start: int
    end: int
    before: int
    after: int
    passed: int
    passing: int

    @property
    def least(self) -> tuple[int, int]:
        """The least points above the border, before and after: one more than those of ``>``."""
        return self.before + _SIGNS[self.sign], self.after + _SIGNS[self.sign]

    @property
    def change(self) -> Restated:
        """The change of the condition's text."""
        return Restated(self.start, self.end, self.after)


@dataclass(frozen=True, slots=True)
class Bars:
    """All bars that were restated, and the paths of conditions that ask for points otherwise."""

    bars: tuple[PointBar, ...]
    unread: tuple[Path, ...]


def restated(file: ModelFile, before: Scores, after: Scores) -> Bars:
    """The bars of all conditions of a model, for leads with these points before and after.

    A bar of 0 points for fit or engagement stays: that nothing speaks against a lead means the
    same under all points. A score is restated for the leads that pass the other bars of an
    ``enter`` condition, so that as many as before pass all of them.
    """
    bars, unread = list[PointBar](), list[Path]()
    for path, text in conditions_of(file):
        asked = list(_asked(text))
        made = {one.start: _restated(path, one, before, after) for one in asked}
        if path[0] == "stages" and path[-1] == "enter":
            made |= _together(text, asked, made, before, after)
        bars += made.values()
        named = sum(token.kind == "name" and token.text in _KINDS for token in words(text))
        if named > len(asked):
            unread.append(path)
    return Bars(tuple(_below_entering(bars)), tuple(unread))


def _restated(path: Path, asked: "_Asked", before: Scores, after: Scores) -> PointBar:
    """One bar by itself."""
    kind, step = _KINDS[asked.what], _SIGNS[asked.sign]
    least = asked.number + step
    stays = kind != "score" and least == 0
    bar = least if stays else bar_after(least, before[kind], after[kind])
    passed = int(np.count_nonzero(before[kind] >= least))
    passing = int(np.count_nonzero(after[kind] >= bar))
    place = (path, asked.what, asked.sign, asked.start, asked.end)
    return PointBar(*place, asked.number, bar - step, passed, passing)


def _together(
    text: str,
    asked: Sequence["_Asked"],
    alone: Mapping[int, PointBar],
    before: Scores,
    after: Scores,
) -> dict[int, PointBar]:
    """The bars of the score beside others that all have to be passed."""
    tree = tree_of(text)
    parts = tree.parts if isinstance(tree, Every) else (tree,)
    clauses = {(part.at, part.at + len(part.text)) for part in parts if isinstance(part, Clause)}
    others, scores = list[PointBar](), list[PointBar]()
    for one in asked:
        if any(start <= one.start and one.end == end for start, end in clauses):
            (scores if one.what == "score" else others).append(alone[one.start])
    made = {}
    for bar in scores:
        old, new = _passing(others, before, 0), _passing(others, after, 1)
        if _SIGNS_UP[bar.sign] and others and new.any():
            least = bar_after(bar.least[0], before["score"][old], after["score"][new])
            passed = int(np.count_nonzero(before["score"][old] >= bar.least[0]))
            passing = int(np.count_nonzero(after["score"][new] >= least))
            number = least - _SIGNS[bar.sign]
            made[bar.start] = replace(bar, after=number, passed=passed, passing=passing)
    return made


def _passing(bars: Sequence[PointBar], points: Scores, when: int) -> NDArray[np.bool_]:
    """The leads that pass all of some bars; ``when`` is 0 for the old bars and 1 for the new."""
    passes = np.ones(len(points["score"]), dtype=np.bool_)
    for bar in bars:
        above = points[_KINDS[bar.what]] >= bar.least[when]
        passes &= above if _SIGNS_UP[bar.sign] else ~above
    return passes


def _below_entering(bars: Sequence[PointBar]) -> Iterator[PointBar]:
    """The bars, those for leaving a stage still below those for entering it."""
    entering: dict[tuple[str | int, str], PointBar] = {}
    for bar in bars:
        if bar.path[0] == "stages" and bar.path[-1] == "enter" and _SIGNS_UP[bar.sign]:
            entering.setdefault((bar.path[1], bar.what), bar)
    for bar in bars:
        enter = entering.get((bar.path[1], bar.what))
        is_leave = bar.path[0] == "stages" and bar.path[-1] == "leave"
        if is_leave and enter and bar.least[0] < enter.least[0] and bar.least[1] >= enter.least[1]:
            yield replace(bar, after=enter.least[1] - 1 - _SIGNS[bar.sign])
        else:
            yield bar


def bar_after(bar: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> int:
    """The bar of the new points that is passed by as near as possible as many as the old one is.

    Where all or none passed it is the one that all or none pass. The old one stays where as many
    pass it: its author's number says more than the least of several that do the same.
    """
    passed = int(np.count_nonzero(before >= bar))
    if passed == np.count_nonzero(after >= bar):
        return bar
    distinct, counts = np.unique(after, return_counts=True)
    passing = np.append(np.cumsum(counts[::-1])[::-1], 0)
    bars = np.append(distinct, distinct[-1] + 1)
    if not passed:
        return int(bars[-1])
    near = np.abs(passing - passed)
    return int(bars[len(near) - 1 - int(np.argmin(near[::-1]))])


def grades_after(
    grades: Mapping[str, int], before: NDArray[np.int64], after: NDArray[np.int64]
) -> dict[str, int]:
    """The points of each grade, so that as many leads as before reach it; no two are the same."""
    made: dict[str, int] = {}
    ordered = sorted(grades, key=lambda name: grades[name])
    for name in ordered:
        bar = bar_after(grades[name], before, after)
        least = max(made.values(), default=bar - 1) + 1
        made[name] = max(bar, least)
    return {name: made[name] for name in grades}


def conditions_of(file: ModelFile) -> Iterator[tuple[Path, str]]:
    """All conditions that may ask for points, each with its path in the file."""
    for path, text in _texts(file):
        if text is not None:
            yield path, text


def _texts(file: ModelFile) -> Iterator[tuple[Path, str | None]]:
    for name, bonus in file.bonuses.items():
        yield ("bonuses", name, "when"), bonus.when
    for name, stage in file.stages.items():
        yield ("stages", name, "enter"), stage.enter
        yield ("stages", name, "leave"), stage.leave
        for i, bypass in enumerate(stage.bypass):
            yield ("stages", name, "bypass", i, "when"), bypass.when
    for path, route in file.handoff.all_routes if file.handoff else ():
        yield (*path, "when"), route.when
    for name, alert in file.alerts.items():
        yield ("alerts", name, "when"), alert.when
    for name, sequence in file.sequences.items():
        for key in ("start", "stop", "goal"):
            yield ("sequences", name, key), getattr(sequence, key)
        for i, step in enumerate(sequence.steps):
            yield ("sequences", name, "steps", i, "when"), step.when


@dataclass(frozen=True, slots=True)
class _Asked:
    """A name, a sign and a whole number of points that stand so, and where the number stands."""

    what: str
    sign: str
    start: int
    end: int
    number: int


def _asked(text: str) -> Iterator[_Asked]:
    """Each name, sign and whole number of points that stand so, and where the number stands."""
    tokens = words(text)
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text not in _KINDS or _is_sum(tokens, at - 1):
            continue
        sign = tokens[at + 1].text if at + 1 < len(tokens) else ""
        number, last = _number(tokens, at + 2)
        if sign in _SIGNS and number is not None and not _is_sum(tokens, last + 1):
            yield _Asked(token.text, sign, tokens[at + 2].at, tokens[last].end, number)


def _number(tokens: tuple[Token, ...], at: int) -> tuple[int | None, int]:
    """The whole number that begins there, and the place of its last word."""
    is_below = at < len(tokens) and tokens[at].text == "-"
    last = at + is_below
    if last >= len(tokens) or not tokens[last].text.isdecimal():
        return None, last
    return int(tokens[last].text) * (-1 if is_below else 1), last


def _is_sum(tokens: tuple[Token, ...], at: int) -> bool:
    return 0 <= at < len(tokens) and tokens[at].text in _ARITHMETIC
