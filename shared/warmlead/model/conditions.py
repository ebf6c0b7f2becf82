"""Conditions in CEL, compiled once: whether they hold, and what would have to hold besides.

A condition that names something unknown does not hold; evaluating one never raises.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel

from warmlead.domain.lifecycle import Facts
from warmlead.model.clauses import Clause, Either, Token, Tree, clauses_of, tree_of, words
from warmlead.model.enumerated import spellings_of
from warmlead.model.vocabulary import RESERVED, ValueType

_REMEMBERED = 512
"""So many answers of a formula are kept: stages, countries, job titles, low scores repeat."""

_UNKNOWN = object()

_TYPES = {
    ValueType.STRING: cel.Type.STRING,
    ValueType.INTEGER: cel.Type.INT,
    ValueType.NUMBER: cel.Type.DOUBLE,
    ValueType.BOOLEAN: cel.Type.BOOL,
    ValueType.LIST: cel.Type.List(cel.Type.STRING),
}


@dataclass(frozen=True, slots=True)
class Context:
    """A place in the model where conditions stand, and everything that they may name there.

    ``elsewhere`` says of names that mean something in other places what they are.
    """

    types: Mapping[str, ValueType]
    elsewhere: Mapping[str, str]
    env: cel.Env

    @classmethod
    def of(cls, types: Mapping[str, ValueType], elsewhere: Mapping[str, str]) -> "Context":
        """A context in which the names may be used, each of its type."""
        usable = {name: type_ for name, type_ in types.items() if name not in RESERVED}
        declared = {name: _TYPES[type_] for name, type_ in usable.items()}
        return cls(usable, elsewhere, cel.NewEnv(variables=declared))

    def name_in(self, token: Token) -> str:
        """The nameable thing that a word refers to; empty for a function or anything else."""
        if token.kind != "name":
            return ""
        dotted = token.text.replace(" ", "")
        while dotted and dotted not in self.types:
            dotted = dotted.rpartition(".")[0]
        return dotted

    def names(self, text: str) -> tuple[str, ...]:
        """What a condition names, in order, each once."""
        found = (self.name_in(token) for token in words(text))
        return tuple(dict.fromkeys(name for name in found if name))


_AT_LEAST = re.compile(
    r"(?:(?P<points>score|fit|engagement)|last_(?P<days>\d+)d\.(?P<label>\w+))"
    r"\s*>=\s*(?P<least>\d+)"
)


class Formula:
    """An expression that is true, false or unknown of facts.

    Asking CEL takes ten times as long as finding an answer that was given before, and a hundred
    times where it compiles a regular expression, so the answers for the latest values are kept.
    Values that are one of a few words are compared as words: see ``enumerated``.
    """

    __slots__ = ("_expression", "_remembered", "_spellings", "_unknown", "names", "text")

    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self.names = context.names(text)
        self._unknown = (_UNKNOWN,) * len(self.names)
        spellings = spellings_of(text, self.names)
        self._spellings = [(at, spellings[n]) for at, n in enumerate(self.names) if n in spellings]
        self._expression = context.env.compile(text)
        plain = all(context.types[name] is not ValueType.LIST for name in self.names)
        self._remembered = lru_cache(_REMEMBERED, typed=True)(self._holds) if plain else self._holds

    def __call__(self, facts: Facts) -> bool:
        """Whether it is known to be true."""
        values = (*map(facts.get, self.names, self._unknown),)
        if self._spellings:
            values = self._as_written(values)
        try:
            return self._remembered(*values)
        except TypeError:  # a value that cannot be hashed: not of its declared type
            return self._holds(*values)

    def _as_written(self, values: tuple[object, ...]) -> tuple[object, ...]:
        written = list(values)
        for at, spelling in self._spellings:
            written[at] = spelling(values[at])
        return tuple(written)

    def _holds(self, *values: object) -> bool:
        named = zip(self.names, values, strict=True)
        bound = {name: value for name, value in named if value is not _UNKNOWN}
        try:
            return self._expression.eval(data=bound).value() is True
        except RuntimeError:  # a value that CEL cannot hold, such as half of a surrogate pair
            return False

    def with_values(self, facts: Facts) -> str:
        """What is asked, with the present values: ``a score of at least 50 (is 32)``.

        Thresholds of points and counts are put into words, all else is told as it is written.
        """
        if (asked := _AT_LEAST.fullmatch(self.text)) and self.names[0] in facts:
            return f"{_threshold(asked)} ({_in_words(facts, self.names[0])})"
        present = [(name, _in_words(facts, name)) for name in self.names]
        if not present:
            return self.text
        name, value = present[0]
        if len(present) == 1 and name in facts and self.text.startswith(name):
            return f"{self.text} ({value})"
        return f"{self.text} ({', '.join(f'{name} {value}' for name, value in present)})"


def _threshold(asked: re.Match[str]) -> str:
    least, days = asked["least"], asked["days"]
    if days is None:
        article = "" if asked["points"] == "engagement" else "a "
        return f"{article}{asked['points']} of at least {least}"
    times = "once" if least == "1" else f"{least} times"
    when = "today" if days == "1" else f"in the last {days} days"
    return f"{asked['label'].replace('_', ' ')} at least {times} {when}"


def _in_words(facts: Facts, name: str) -> str:
    if name not in facts:
        return "is unknown"
    return "is " + json.dumps(facts[name], ensure_ascii=False, default=str)


class CompiledCondition:
    """A condition of the model; implements the domain's ``Condition``.

    ``text`` must have passed ``examine``: anything else is a mistake of the caller.
    """

    __slots__ = ("_formulas", "_tree", "_whole", "names", "text")

    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self._whole = Formula(text, context)
        self.names = self._whole.names
        self._tree = tree_of(text)
        self._formulas = {
            clause.at: Formula(clause.text, context) for clause in clauses_of(self._tree)
        }

    def __call__(self, facts: Facts) -> bool:
        """Whether it holds, as far as is known."""
        return self._whole(facts)

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """Each clause that does not hold, with the values that keep it from holding."""
        return tuple(self._missing(self._tree, facts))

    def _missing(self, tree: Tree, facts: Facts) -> list[str]:
        if isinstance(tree, Clause):
            formula = self._formulas[tree.at]
            return [] if formula(facts) else [formula.with_values(facts)]
        parts = [self._missing(part, facts) for part in tree.parts]
        if isinstance(tree, Either):
            if not all(parts):
                return []
            return ["one of: " + ", ".join(" and ".join(part) for part in parts)]
        return [line for part in parts for line in part]
