"""Whether a condition can ever hold under a model, as far as its text shows."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations
from math import inf
from typing import TypeAlias

from warmlead.domain.history import MAX_PER_DAY
from warmlead.domain.measures import PERIODS_BEFORE, Measure, MeasureKind, parse_measure
from warmlead.model.conditions import (
    Clause,
    Context,
    Either,
    Formula,
    Token,
    Tree,
    clauses_of,
    tree_of,
)
from warmlead.model.document import Path
from warmlead.model.schema import ModelFile, Signal
from warmlead.model.structure import Sound
from warmlead.model.vocabulary import ValueType

MAX_ALTERNATIVES = 128
"""Conditions with more combinations than this are not looked into."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from ``least`` to ``most``; a switch is 0 or 1."""

    least: float = -inf
    most: float = inf

    def meet(self, other: "Range") -> "Range | None":
        """What is in both; ``None`` if nothing is."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        return Range(least, most) if least <= most else None

    def covers(self, other: "Range") -> bool:
        """Whether everything of the other is in it."""
        return self.least <= other.least and other.most <= self.most


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the texts, or, if ``other``, any text but these."""

    texts: frozenset[str]
    other: bool = False

    def meet(self, other: "Choice") -> "Choice | None":
        """What is in both; ``None`` if nothing is."""
        if self.other and other.other:
            return Choice(self.texts | other.texts, other=True)
        if self.other or other.other:
            chosen, left_out = (other, self) if self.other else (self, other)
            texts = chosen.texts - left_out.texts
        else:
            texts = self.texts & other.texts
        return Choice(texts) if texts else None

    def covers(self, other: "Choice") -> bool:
        """Whether everything of the other is in it."""
        return self.meet(other) == other


Domain: TypeAlias = Range | Choice


@dataclass(frozen=True, slots=True)
class Region:
    """Facts that may hold together: what each name may be. ``opaque``: and something unread.

    With ``sums`` the score is that of its parts.
    """

    domains: Mapping[str, Domain] = field(default_factory=dict)
    opaque: bool = False
    sums: "Sums | None" = None

    def meet(self, other: "Region") -> "Region | None":
        """What is in both; ``None`` if nothing can be."""
        domains = dict(self.domains)
        for name, domain in other.domains.items():
            narrowed = _meet(domains.get(name, domain), domain)
            if narrowed is None:
                return None
            domains[name] = narrowed
        sums = self.sums or other.sums
        region = Region(domains, self.opaque or other.opaque, sums)
        return region if _is_consistent(domains, sums) else None

    def implies(self, other: "Region") -> bool:
        """Whether the other certainly holds wherever this one does."""
        return not other.opaque and all(
            name in self.domains and _covers(domain, self.domains[name])
            for name, domain in other.domains.items()
        )


def _meet(one: Domain, other: Domain) -> Domain | None:
    if isinstance(one, Range) and isinstance(other, Range):
        return one.meet(other)
    return one.meet(other) if isinstance(one, Choice) and isinstance(other, Choice) else None


def _covers(one: Domain, other: Domain) -> bool:
    if isinstance(one, Range) and isinstance(other, Range):
        return one.covers(other)
    return isinstance(one, Choice) and isinstance(other, Choice) and one.covers(other)


@dataclass(frozen=True, slots=True)
class Sums:
    """How a score is made of engagement and fit: what is added, and the least that it can be."""

    base: int = 0
    floor: float = 0

    @classmethod
    def of(cls, file: ModelFile) -> "Sums":
        """How the scores of a model are made."""
        return cls(file.base, -inf if file.floor is None else file.floor)


def _is_consistent(domains: Mapping[str, Domain], sums: Sums | None) -> bool:
    """Whether sums and counts agree: the score is engagement and fit, a day is in its week."""

    def range_of(name: str) -> Range:
        domain = domains.get(name)
        return domain if isinstance(domain, Range) else Range()

    engagement, fit = range_of("engagement"), range_of("fit")
    base, floor = (sums.base, sums.floor) if sums else (0, -inf)
    least, most = engagement.least + fit.least + base, engagement.most + fit.most + base
    if sums and range_of("score").meet(Range(max(floor, least), max(floor, most))) is None:
        return False
    return _measures_agree({m: range_of(name) for name in domains if (m := parse_measure(name))})


def _measures_agree(ranges: Mapping[Measure, Range]) -> bool:
    """Whether no number is below that of a part of its time, or of the days that it counts."""
    counts = [each for each in ranges if each.kind is not MeasureKind.MOMENTUM]
    return not any(
        ranges[part].least > ranges[whole].most
        for part, whole in permutations(counts, 2)
        if part.label == whole.label
        and part.days <= whole.days
        and (part.kind is MeasureKind.DAYS or whole.kind is MeasureKind.LAST)
    )


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


_DAY = timedelta(days=1)


_MONTH = 30


def most_of_signal(signal: Signal, days: float = math.inf) -> float:
    """The most points that a signal can be worth at once, before its group's limits.

    Every day at its daily limit, for ever or for some ``days``: a half-life makes that a geometric
    series.
    """
    if signal.points <= 0:
        return 0
    daily = signal.points * signal.per_day
    most = math.inf
    if signal.half_life:
        most = math.ceil(daily / (1 - math.exp2(-(_DAY / signal.half_life)))) + daily
    elif signal.expires_after:
        most = daily * (signal.expires_after // _DAY + 1)  # an event may be dated tomorrow
    in_all = signal.points * signal.max_count if signal.max_count else math.inf
    return min(most, in_all, daily * days)


def most_of_group(file: ModelFile, name: str, days: float = math.inf) -> float:
    """The most points that the members of a group can add up to, before its own limit."""
    return sum(most_of_signal(s, days) for s in file.signals.values() if s.group == name)


def most_engagement(file: ModelFile, days: float = math.inf) -> float:
    """The most points that behaviour can give, ever or in some ``days``."""
    loose = sum(
        most_of_signal(s, days) for s in file.signals.values() if s.group not in file.groups
    )
    grouped = 0.0
    for name, group in file.groups.items():
        most = most_of_group(file, name, days)
        grouped += most if group.max is None else min(most, group.max)
    return loose + grouped + sum(max(0, bonus.points) for bonus in file.bonuses.values())


def fit_range(file: ModelFile) -> Range:
    """The least and the most that fit can be."""
    points = [rule.points for rule in file.fit.values()]
    return Range(sum(p for p in points if p < 0), sum(p for p in points if p > 0))


def possible(sound: Sound, names: Iterable[str]) -> Region:
    """What the names, and the score with its parts, may ever be under the model."""
    fit = fit_range(sound.file) if sound.is_whole("fit") else Range()
    whole = sound.is_whole("signals", "groups", "bonuses")
    sums = Sums.of(sound.file)
    engagement = Range(most=most_engagement(sound.file) if whole else math.inf)
    domains: dict[str, Domain] = {
        "fit": fit,
        "engagement": engagement,
        "score": Range(sums.floor, max(sums.floor, engagement.most + fit.most + sums.base)),
        "peak_score": Range(0),
        "days_inactive": Range(0),
    }
    for name in names:
        if measure := parse_measure(name):
            domains[name] = Range(0, _most_of(measure))
    return Region(domains, sums=sums)


def _most_of(measure: Measure) -> float:
    match measure.kind:
        case MeasureKind.LAST:
            return measure.days * MAX_PER_DAY
        case MeasureKind.DAYS:
            return measure.days
        case MeasureKind.MOMENTUM:
            return measure.days * MAX_PER_DAY * PERIODS_BEFORE * 100


@dataclass(frozen=True, slots=True)
class ConditionAnalysis:
    """What a condition allows under the model; ``regions`` is ``None`` if that is unknown.

    ``given`` is what is certain wherever the condition is evaluated.
    """

    path: Path
    text: str
    given: Region
    regions: Sequence[Region] | None

    @property
    def never(self) -> bool:
        """Whether it can provably never hold."""
        return self.regions is not None and not self.regions

    @property
    def always(self) -> bool:
        """Whether it provably always holds."""
        return self.regions is not None and any(
            not region.domains and not region.opaque for region in self.regions
        )

    def implies(self, other: "ConditionAnalysis") -> bool:
        """Whether the other provably holds wherever this one does."""
        if not self.regions or not other.regions:
            return False
        return all(
            (met := one.meet(self.given)) is not None and any(map(met.implies, other.regions))
            for one in self.regions
        )


class Prospect:
    """Looks into the conditions of one model; ``accepted`` are the paths of the sound ones."""

    def __init__(self, sound: Sound, context: Context, accepted: frozenset[Path]) -> None:
        self._sound = sound
        self._context = context
        self._accepted = accepted

    def of(self, path: Path, text: str | None, given: Region) -> ConditionAnalysis | None:
        """What a condition allows where something is given; ``None`` if there is none to judge."""
        if text is None or path not in self._accepted or not self._sound.is_own(path):
            return None
        found = self.alternatives(tree_of(text))
        if found is None:
            return ConditionAnalysis(path, text, given, None)
        kept = (
            region
            for region in found
            if (met := region.meet(given)) and met.meet(possible(self._sound, region.domains))
        )
        return ConditionAnalysis(path, text, given, list(kept))

    def alternatives(self, tree: Tree) -> list[Region] | None:
        """The regions of a part of a condition; ``None`` if there are too many."""
        found = alternatives(tree, self._context)
        sums = Sums.of(self._sound.file)
        return found if found is None else [replace(region, sums=sums) for region in found]

    def score_in_a_month(self) -> float:
        """The score of a lead that does everything at its daily limit, every day for a month."""
        file = self._sound.file
        if not self._sound.is_whole("signals", "groups", "fit", "bonuses"):
            return inf
        engagement = most_engagement(file, days=_MONTH)
        return max(Sums.of(file).floor, engagement + fit_range(file).most + file.base)

    def impossible(self, outlook: ConditionAnalysis) -> Iterator[tuple[int, str]]:
        """The clauses that can never hold by themselves, each with its place and why."""
        for clause in clauses_of(tree_of(outlook.text)):
            meaning = read_clause(clause, self._context)
            if meaning is False:
                yield clause.at, f"`{clause.text}` is never true"
            elif isinstance(meaning, Region):
                limits = possible(self._sound, meaning.domains)
                if meaning.meet(limits) is None:
                    yield clause.at, self._why(clause, meaning, limits)

    def _why(self, clause: Clause, meaning: Region, limits: Region) -> str:
        name = next(iter(meaning.domains))
        bound, wanted = limits.domains[name], meaning.domains[name]
        if not isinstance(bound, Range) or not isinstance(wanted, Range):
            return f"`{clause.text}` can never hold"
        if wanted.most < bound.least:
            return f"`{clause.text}`, but {name} is at least {bound.least:.0f}"
        why = f"`{clause.text}`, but {name} is at most {bound.most:.0f}"
        engagement = most_engagement(self._sound.file)
        if name == "score" and engagement < inf:
            base = f" and base {self._sound.file.base}" if self._sound.file.base else ""
            fit = f"{fit_range(self._sound.file).most:.0f}"
            why += f" (engagement {engagement:.0f} and fit {fit}{base})"
        return why
