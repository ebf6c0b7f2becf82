"""What a condition allows, as far as it can be told from its text: ranges, switches and choices.

Clauses that compare one name with a literal are understood; anything else is ``opaque`` and
taken to be possible, so that what is called impossible here is provably so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

from warmlead.model.clauses import Clause, Either, Token, Tree
from warmlead.model.conditions import Context, Formula
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
    """Facts that may hold together: what each name may be. ``opaque``: and something unread."""

    domains: Mapping[str, Domain] = field(default_factory=dict)
    opaque: bool = False

    def meet(self, other: "Region") -> "Region | None":
        """What is in both; ``None`` if nothing can be."""
        domains = dict(self.domains)
        for name, domain in other.domains.items():
            narrowed = _meet(domains.get(name, domain), domain)
            if narrowed is None:
                return None
            domains[name] = narrowed
        region = Region(domains, self.opaque or other.opaque)
        return region if _is_consistent(domains) else None

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


def _is_consistent(domains: Mapping[str, Domain]) -> bool:
    """Whether sums and counts agree: the score is engagement and fit, a day is in its week."""

    def range_of(name: str) -> Range:
        domain = domains.get(name)
        return domain if isinstance(domain, Range) else Range()

    engagement, fit = range_of("engagement"), range_of("fit")
    score = Range(max(0, engagement.least + fit.least), max(0, engagement.most + fit.most))
    if range_of("score").meet(score) is None:
        return False
    for name, domain in domains.items():
        window, dot, label = name.partition(".")
        if dot and isinstance(domain, Range) and domain.least > 0:
            days = int(window.removeprefix("last_").removesuffix("d"))
            longer = (f"last_{wide}d.{label}" for wide in (7, 30, 90) if wide > days)
            if any(range_of(wide).most < domain.least for wide in longer):
                return False
    return True


def alternatives(tree: Tree, context: Context) -> list[Region] | None:
    """The regions of which one must be so for the condition to hold; empty if none can be.

    ``None`` if there are too many to tell.
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
