"""Whether a condition can ever hold under a model, as far as its text shows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from warmlead.domain.measures import parse_measure
from warmlead.model.condition_syntax import Clause, Either, Token, Tree, clauses_of, tree_of
from warmlead.model.conditions import Context, Formula
from warmlead.model.document import Path
from warmlead.model.lint.bounds import (
    UNKNOWN_AT_TIMES,
    engagement_range,
    fit_range,
    possible,
    sums_of,
    with_measures,
)
from warmlead.model.lint.regions import Choice, Domain, Range, Region
from warmlead.model.structure import Report, Sound
from warmlead.model.vocabulary import ValueType

MAX_ALTERNATIVES = 128
"""Conditions with more combinations than this are not looked into."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_MONTH = 30
_APART = 10
"""How far a threshold that is suggested for entering is above that for leaving."""


def alternatives(tree: Tree, context: Context) -> list[Region] | None:
    """The regions of which one must apply for the condition to hold; empty if none can.

    ``None`` if there are too many.
    """
    if isinstance(tree, Clause):
        meaning = read_clause(tree, context)
        return [] if meaning is False else [Region() if meaning is True else meaning]
    found = [alternatives(part, context) for part in tree.parts]
    parts = [part for part in found if part is not None]
    if len(parts) < len(found):
        return None
    if isinstance(tree, Either):
        return [region for part in parts for region in part]
    return _combine(parts)


def _combine(parts: Iterable[Sequence[Region]]) -> list[Region] | None:
    regions = [Region()]
    for part in parts:
        if len(regions) * len(part) > MAX_ALTERNATIVES:
            return None
        met = (one.meet(other) for one in regions for other in part)
        regions = [region for region in met if region is not None]
    return regions


def read_clause(clause: Clause, context: Context) -> Region | bool:
    """What a clause says of one name; a constant's value; or an opaque region."""
    if not context.names(clause.text):
        return Formula(clause.text, context)({})
    tokens = list(clause.tokens)
    meaning = _switch(tokens, context) or _comparison(tokens, context)
    if meaning is None:
        return Region(opaque=True)
    name, domain = meaning
    return Region({name: domain})


def _switch(tokens: Sequence[Token], context: Context) -> tuple[str, Range] | None:
    """``name``, ``!name``, ``name == true`` and their like."""
    texts = [token.text for token in tokens]
    wanted = True
    if texts[0] == "!":
        texts, wanted = texts[1:], False
    match texts:
        case [name]:
            pass
        case [name, "==" | "!=" as sign, "true" | "false" as value] if wanted:
            wanted = (sign == "==") == (value == "true")
        case _:
            return None
    if context.types.get(name) is not ValueType.BOOLEAN:
        return None
    return name, Range(1, 1) if wanted else Range(0, 0)


def _comparison(tokens: Sequence[Token], context: Context) -> tuple[str, Domain] | None:
    """A name compared with a literal, or asked for in a list of texts."""
    texts = [token.text for token in tokens]
    type_ = context.types.get(texts[0])
    match texts:
        case [name, "in", "[", *items, "]"] if type_ is ValueType.STRING:
            chosen = [_text(item) for item in items if item != ","]
            known = [text for text in chosen if text is not None]
            return (name, Choice(frozenset(known))) if len(known) == len(chosen) else None
        case [name, "==" | "!=" as sign, literal] if type_ is ValueType.STRING:
            text = _text(literal)
            return None if text is None else (name, Choice(frozenset([text]), sign == "!="))
        case [name, sign, *literal] if type_ is ValueType.INTEGER:
            return _range(name, sign, "".join(literal))
        case [*literal, sign, name] if context.types.get(name) is ValueType.INTEGER:
            return _range(name, _FLIPPED.get(sign, ""), "".join(literal))
    return None


def _range(name: str, sign: str, literal: str) -> tuple[str, Range] | None:
    if not re.fullmatch(r"-?\d+", literal):
        return None
    number = int(literal)
    ranges = {
        "<": Range(most=number - 1),
        "<=": Range(most=number),
        ">": Range(least=number + 1),
        ">=": Range(least=number),
        "==": Range(number, number),
    }
    return (name, ranges[sign]) if sign in ranges else None


def _text(literal: str) -> str | None:
    found = re.fullmatch(r"""(["'])([^"'\\]*)\1""", literal)
    return found[2] if found else None


@dataclass(frozen=True, slots=True)
class ConditionAnalysis:
    """What a condition allows under the model; ``regions`` is ``None`` if that is unknown.

    ``given`` is what is certain wherever the condition is evaluated. ``always``: it provably holds
    there whatever the lead is.
    """

    path: Path
    text: str
    given: Region
    regions: Sequence[Region] | None
    always: bool = False

    @property
    def never(self) -> bool:
        """Whether it can provably never hold."""
        return self.regions is not None and not self.regions

    def implies(self, other: "ConditionAnalysis") -> bool:
        """Whether the other provably holds wherever this one does."""
        if not self.regions or not other.regions:
            return False
        return all(
            (met := one.meet(self.given)) is not None and any(map(met.implies, other.regions))
            for one in self.regions
        )


@dataclass(frozen=True, slots=True)
class ClauseDoubt:
    """A clause that holds always or never by itself: its place, why, and what may be meant."""

    at: int
    why: str
    suggestion: str = ""


class Prospect:
    """Looks into the conditions of one model; ``accepted`` are the paths of the sound ones."""

    def __init__(self, sound: Sound, context: Context, accepted: frozenset[Path]) -> None:
        self._sound = sound
        self._context = context
        self._accepted = accepted
        self._sums = sums_of(sound)
        self._limits = possible(sound)

    def of(self, path: Path, text: str | None, given: Region) -> ConditionAnalysis | None:
        """What a condition allows where something is given; ``None`` if there is none to judge."""
        if text is None or path not in self._accepted or not self._sound.is_own(path):
            return None
        found = self.alternatives(tree_of(text))
        if found is None:
            return ConditionAnalysis(path, text, given, None)
        kept = [
            region
            for region in found
            if (met := region.meet(given)) and met.meet(self._possible(region))
        ]
        always = any(self._is_certain(region, given) for region in kept)
        return ConditionAnalysis(path, text, given, kept, always)

    def _possible(self, region: Region) -> Region:
        """What the score, its parts, and what a region names may ever be."""
        return with_measures(self._limits, region.domains)

    def _is_certain(self, region: Region, given: Region) -> bool:
        """Whether facts are so of every lead for whom something is given."""
        known = self._possible(region).meet(given)
        if known is None:
            return False
        domains = {n: d for n, d in known.domains.items() if n not in UNKNOWN_AT_TIMES}
        return Region(domains).implies(region)

    def alternatives(self, tree: Tree) -> list[Region] | None:
        """The regions of a part of a condition; ``None`` if there are too many."""
        found = alternatives(tree, self._context)
        return found if found is None else [replace(region, sums=self._sums) for region in found]

    def score_in_a_month(self) -> float:
        """The score of a lead that does everything at its daily limit, every day for a month."""
        file = self._sound.file
        if self._sums is None or not self._sound.is_whole("signals", "groups", "fit", "bonuses"):
            return inf
        engagement = engagement_range(file, days=_MONTH)
        return max(self._sums.floor, engagement.most + fit_range(file).most + file.base)

    def impossible(self, outlook: ConditionAnalysis) -> Iterator[ClauseDoubt]:
        """The clauses that can never hold by themselves."""
        for clause, meaning in self._meanings(outlook):
            if meaning is False:
                yield ClauseDoubt(clause.at, f"`{clause.text}` is never true")
            elif isinstance(meaning, Region):
                limits = self._possible(meaning)
                if meaning.meet(limits) is None:
                    yield self._beyond(clause, meaning, limits)

    def certain(self, outlook: ConditionAnalysis) -> Iterator[ClauseDoubt]:
        """The clauses that always hold by themselves, whoever the lead is."""
        for clause, meaning in self._meanings(outlook):
            if meaning is True:
                yield ClauseDoubt(clause.at, f"`{clause.text}` is always true")
            elif isinstance(meaning, Region) and self._is_certain(meaning, Region()):
                yield self._within(clause, meaning, self._possible(meaning))

    def why_never(self, outlook: ConditionAnalysis) -> ClauseDoubt:
        """Why a condition never holds: the first clause that never does, or all of them."""
        alone = self.impossible(outlook)
        return next(alone, ClauseDoubt(0, "its parts exclude each other"))

    def why_never_there(self, outlook: ConditionAnalysis) -> ClauseDoubt:
        """Why a stage is never entered: as ``why_never``, or by the stages that it asks for."""
        for clause, meaning in self._meanings(outlook):
            asks = isinstance(meaning, Region) and "stage" in meaning.domains and meaning
            if asks and asks.meet(outlook.given) is None:
                why = f"`{clause.text}`, and a lead comes from an earlier stage"
                return ClauseDoubt(clause.at, why, f'write stage == "lead" for {clause.text}')
        return self.why_never(outlook)

    def opposite(self, name: str, region: Region) -> str:
        """A clause that holds well outside of a region, for one of its names; else empty."""
        match region.domains[name], self._context.types.get(name):
            case Range(1, 1), ValueType.BOOLEAN:
                return f"!{name}"
            case Range(0, 0), ValueType.BOOLEAN:
                return name
            case Range(least, most), ValueType.INTEGER if least == -inf and most < inf:
                return f"{name} >= {most + 1 + _APART:.0f}"
            case Range(least, most), ValueType.INTEGER if most == inf and least > -inf:
                return f"{name} < {least:.0f}"
        return ""

    def why_always(self, outlook: ConditionAnalysis, otherwise: str = "") -> ClauseDoubt:
        """The first clause that makes a condition hold; ``otherwise`` is what else may be meant."""
        for doubt in self.certain(outlook):
            return ClauseDoubt(doubt.at, f": {doubt.why}", doubt.suggestion or otherwise)
        return ClauseDoubt(0, "", otherwise)

    def report_parts(self, outlook: ConditionAnalysis | None, report: Report) -> None:
        """Doubts the parts that make no difference to a condition that may hold or not."""
        if outlook is None or outlook.never or outlook.always:
            return
        for doubt in self.impossible(outlook):
            message = f"this part can never hold: {doubt.why}"
            report.warn(outlook.path, message, doubt.suggestion, at=doubt.at)
        for doubt in self.certain(outlook):
            message = f"this part always holds: {doubt.why}"
            report.warn(outlook.path, message, doubt.suggestion, at=doubt.at)

    def _meanings(self, outlook: ConditionAnalysis) -> Iterator[tuple[Clause, Region | bool]]:
        for clause in clauses_of(tree_of(outlook.text)):
            yield clause, read_clause(clause, self._context)

    def _beyond(self, clause: Clause, meaning: Region, limits: Region) -> ClauseDoubt:
        """A clause that asks for more, or for less, than there can be."""
        name = next(iter(meaning.domains))
        bound, wanted = limits.domains[name], meaning.domains[name]
        if not isinstance(bound, Range) or not isinstance(wanted, Range):
            fit = fit_range(self._sound.file)
            why = f"`{clause.text}`, but fit is {fit.least:.0f} to {fit.most:.0f}"
            return ClauseDoubt(clause.at, why)
        is_low = wanted.most < bound.least
        why = f"`{clause.text}`, but {name} is {self._end(name, bound, is_low=is_low)}"
        if is_low or parse_measure(name) is None:
            return ClauseDoubt(clause.at, why)
        return ClauseDoubt(clause.at, why, f"write {name} >= {bound.most:.0f} for {clause.text}")

    def _within(self, clause: Clause, meaning: Region, limits: Region) -> ClauseDoubt:
        """A clause that asks for nothing but what is so anyway."""
        name = next(iter(meaning.domains))
        bound, wanted = limits.domains[name], meaning.domains[name]
        if not isinstance(bound, Range) or not isinstance(wanted, Range):
            return ClauseDoubt(clause.at, f"`{clause.text}`, and no lead has another {name}")
        if bound.least == bound.most:
            why = f"`{clause.text}`, and {name} is always {bound.most:.0f}"
            return ClauseDoubt(clause.at, why)
        is_low = wanted.least > -inf
        why = f"`{clause.text}`, and {name} is {self._end(name, bound, is_low=is_low)}"
        nearest = (
            f"{name} >= {bound.least + 1:.0f}" if is_low else f"{name} <= {bound.most - 1:.0f}"
        )
        return ClauseDoubt(clause.at, why, f"write {nearest} for {clause.text}")

    def _end(self, name: str, bound: Range, *, is_low: bool) -> str:
        """The least or the most that something can be, and of what a score is made then."""
        end = f"at least {bound.least:.0f}" if is_low else f"at most {bound.most:.0f}"
        engagement, fit = engagement_range(self._sound.file), fit_range(self._sound.file)
        parts = (engagement.least, fit.least) if is_low else (engagement.most, fit.most)
        if name != "score" or self._sums is None or inf in map(abs, parts) or not any(parts):
            return end
        base = f" and base {self._sums.base}" if self._sums.base else ""
        return f"{end} (engagement {parts[0]:.0f} and fit {parts[1]:.0f}{base})"
