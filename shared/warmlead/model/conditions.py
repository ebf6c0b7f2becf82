"""Conditions in CEL: what they may name, their clauses, compiled once, and what they miss."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from cel_expr_python import cel
from msgspec import Struct

from warmlead.domain.measures import MeasureKind, is_measurable, parse_measure
from warmlead.domain.stages import Facts
from warmlead.model.coercion import Spellings
from warmlead.model.vocabulary import (
    CONSENT_FACTS,
    DERIVED_TRAITS,
    ENUMERATED,
    EVENT_FACTS,
    ORIGIN_FACTS,
    RESERVED,
    STANDARD_EVENTS,
    STANDARD_FACTS,
    STANDARD_PROPERTIES,
    STANDARD_TRAITS,
    ValueType,
)

if TYPE_CHECKING:
    from warmlead.model.schema import ModelFile

_TOKEN = re.compile(
    r'''
      (?P<space>\s+|//[^\n]*)
    | (?P<string>[rRbB]{0,2}(?:"""(?:\\.|[^\\])*?(?:"""|\\?\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\\?\Z)
                              |"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?))
    | (?P<number>(?:\d+\.\d*|\.\d+|0[xX][0-9a-fA-F]+|\d+)(?:[eE][-+]?\d+)?[uU]?)
    | (?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
    | (?P<sign>&&|\|\||[<>=!]=|.)
    ''',
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""Linear in the text: a quote that nothing closes is a string to the end of its line or text."""

_EQUALITY = frozenset({"==", "!="})


class Token(Struct, frozen=True):
    """A word or sign of a condition: ``string``, ``number``, ``name`` (dots included) or ``sign``.

    ``at`` is the index of its first character.
    """

    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        """The index after its last character."""
        return self.at + len(self.text)


class Clause(Struct, frozen=True):
    """A part of a condition that is true or false as a whole."""

    text: str
    at: int
    tokens: tuple[Token, ...]


class Every(Struct, frozen=True):
    """Clauses that must all hold."""

    parts: "tuple[Tree, ...]"


class Either(Struct, frozen=True):
    """Clauses of which one must hold."""

    parts: "tuple[Tree, ...]"


Tree: TypeAlias = Clause | Every | Either


def words(text: str) -> list[Token]:
    """The words and signs of a condition, without space and comments."""
    found = _TOKEN.finditer(text)
    return [
        Token(match.lastgroup or "", match[0], match.start())
        for match in found
        if match.lastgroup != "space"
    ]


def compared_with(name: str, text: str) -> Iterator[Token]:
    """The string literals with which a condition compares a name: by ``==``, ``!=`` or ``in``."""
    tokens = words(text)
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text != name:
            continue
        if tokens[at - 1 : at] and tokens[at - 1].text in _EQUALITY:
            yield from _strings(tokens[max(0, at - 2) : at - 1])
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if following in _EQUALITY:
            yield from _strings(tokens[at + 2 : at + 3])
        elif following == "in":
            listed = takewhile(lambda one: one.text != "]", tokens[at + 2 :])
            yield from _strings(listed)


def _strings(tokens: Iterable[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.kind == "string")


def tree_of(text: str) -> Tree:
    """The condition's clauses; parentheses that change nothing are gone."""
    return _tree(text, words(text))


def clauses_of(tree: Tree) -> Iterator[Clause]:
    """All clauses, from left to right."""
    if isinstance(tree, Clause):
        yield tree
    else:
        for part in tree.parts:
            yield from clauses_of(part)


def _tree(text: str, tokens: Sequence[Token]) -> Tree:
    while _wrapped(tokens):
        tokens = tokens[1:-1]
    whole = Clause(text[tokens[0].at : tokens[-1].end], tokens[0].at, tuple(tokens))
    if any(token.text == "?" for token in _outside(tokens)):
        return whole
    for sign, kind in (("||", Either), ("&&", Every)):
        pieces = _split(tokens, sign)
        if len(pieces) > 1:
            trees = [_tree(text, piece) for piece in pieces]
            parts: list[Tree] = []
            for tree in trees:
                parts.extend(tree.parts if isinstance(tree, kind) else [tree])
            return kind(tuple(parts))
    return whole


def _depths(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the number of brackets open after it, or before it if it closes one."""
    depth = 0
    for token in tokens:
        if token.kind == "sign" and token.text in "([{":
            depth += 1
        yield token, depth
        if token.kind == "sign" and token.text in ")]}":
            depth -= 1


def _outside(tokens: Sequence[Token]) -> Iterator[Token]:
    return (token for token, depth in _depths(tokens) if not depth and token.kind == "sign")


def _wrapped(tokens: Sequence[Token]) -> bool:
    """Whether the first parenthesis closes at the very end."""
    if len(tokens) <= 2 or tokens[0].text != "(" or tokens[-1].text != ")":  # noqa: PLR2004  # "(" and ")"
        return False
    return all(depth for _, depth in _depths(tokens[:-1]))


def _split(tokens: Sequence[Token], sign: str) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    borders = {token.at for token in _outside(tokens) if token.text == sign}
    for token in tokens:
        if token.at in borders:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def spellings_of(text: str, names: Iterable[str]) -> dict[str, Spellings]:
    """The spellings of a condition, for each enumerated name that it compares with words."""
    found = {
        name: [literal for token in compared_with(name, text) if (literal := _plain(token))]
        for name in names
        if name in ENUMERATED
    }
    return {name: Spellings(name, literals) for name, literals in found.items() if literals}


def _plain(token: Token) -> str:
    """The text of a literal; empty for one with escapes, which is compared as it is."""
    text = token.text
    return text[1:-1] if text[0] in "\"'" and text[1:2] != text[0] and "\\" not in text else ""


_REMEMBERED = 512
"""How many answers of a formula are kept: stages, countries, job titles, low scores repeat."""

_UNKNOWN = object()

_TYPES = {
    ValueType.STRING: cel.Type.STRING,
    ValueType.INTEGER: cel.Type.INT,
    ValueType.NUMBER: cel.Type.DOUBLE,
    ValueType.BOOLEAN: cel.Type.BOOL,
    ValueType.LIST: cel.Type.List(cel.Type.STRING),
}


class Context(Struct, frozen=True):
    """A place in the model where conditions stand, and everything that they may name there.

    ``elsewhere`` says of names that mean something in other places what they are; ``titles``, how
    people call signals. ``countable`` are the signals and events that may be measured: of the
    measures only those in use are in ``types``.
    """

    types: Mapping[str, ValueType]
    elsewhere: Mapping[str, str]
    env: cel.Env
    titles: Mapping[str, str] = {}
    countable: AbstractSet[str] = frozenset()

    @classmethod
    def of(
        cls,
        types: Mapping[str, ValueType],
        elsewhere: Mapping[str, str],
        titles: Mapping[str, str] | None = None,
        *,
        countable: AbstractSet[str] = frozenset(),
    ) -> "Context":
        """A context in which the names may be used, each of its type."""
        usable = {name: type_ for name, type_ in types.items() if name not in RESERVED}
        declared = {name: _TYPES[type_] for name, type_ in usable.items()}
        env = cel.NewEnv(variables=declared)
        return cls(usable, elsewhere, env, titles or {}, countable)

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


OF_THE_SCORE = {
    "score": "what bonuses add to",
    "engagement": "what bonuses add to",
    "peak_score": "made of scores, to which bonuses add",
    "stage": "what follows from the score, to which bonuses add",
}
"""What conditions of bonuses may not name: it would depend on itself."""


class Contexts(Struct, frozen=True):
    """The places of conditions, each with what may be named there."""

    event: Context
    fit: Context
    bonus: Context
    stage: Context


def trait_types(file: "ModelFile") -> dict[str, ValueType]:
    """The type of each trait that the model knows: its own word before the standard one."""
    own = {n: ValueType(t) for n, t in file.traits.items() if n not in DERIVED_TRAITS}
    return {**STANDARD_TRAITS, **own}


def countable(file: "ModelFile") -> set[str]:
    """What can be counted: signals, the events that they are about, and standard events."""
    used = {event for signal in file.signals.values() for event in signal.on}
    return {*file.signals, *used, *STANDARD_EVENTS}


def contexts_of(file: "ModelFile") -> Contexts:
    """What conditions may name in this model, by the place where they stand."""
    traits = trait_types(file)
    own = {name: ValueType(type_) for name, type_ in file.properties.items()}
    properties = {**STANDARD_PROPERTIES, **own, **EVENT_FACTS}
    counted = countable(file)
    measures = measured_in(stage_conditions(file), counted)
    signals = dict.fromkeys(file.signals, ValueType.BOOLEAN)
    grade = {"grade": ValueType.STRING} if file.grades else {}
    kinds = {
        "grade": "a fact about a lead" if grade else "a fact only of models with grades",
        **dict.fromkeys(properties, "a property of events"),
        **dict.fromkeys(signals, "a signal"),
        **dict.fromkeys((*STANDARD_FACTS, *ORIGIN_FACTS), "a fact about a lead"),
        **dict.fromkeys(traits, "a trait of leads"),
    }
    everything = {**signals, **measures, **traits, **ORIGIN_FACTS, **STANDARD_FACTS, **grade}
    scoreless = {name: type_ for name, type_ in everything.items() if name not in OF_THE_SCORE}
    return Contexts(
        event=Context.of(properties, kinds),
        fit=Context.of({**traits, **ORIGIN_FACTS, **CONSENT_FACTS}, kinds),
        bonus=Context.of(scoreless, {**kinds, **OF_THE_SCORE}, countable=counted),
        stage=Context.of(everything, kinds, countable=counted),
    )


def measured_in(texts: Iterable[str], countable: AbstractSet[str]) -> dict[str, ValueType]:
    """The measures that conditions name: there are too many to declare all of them."""
    named = {token.text.replace(" ", "") for text in texts for token in words(text)}
    return {
        name: ValueType.INTEGER
        for name in sorted(named)
        if (measure := parse_measure(name))
        and is_measurable(measure)
        and measure.label in countable
    }


def stage_conditions(file: "ModelFile") -> Iterable[str]:
    """The texts of all conditions that are asked of leads as they stand, and may count events."""
    for bonus in file.bonuses.values():
        yield bonus.when
    for stage in file.stages.values():
        yield from filter(None, (stage.enter, stage.leave, *(each.when for each in stage.bypass)))
    for _, route in file.handoff.all_routes if file.handoff else ():
        yield from filter(None, (route.when,))
    for alert in file.alerts.values():
        yield from filter(None, (alert.when,))
    for sequence in file.sequences.values():
        yield from filter(None, (sequence.start, sequence.stop, sequence.goal))
        yield from filter(None, (step.when for step in sequence.steps))


_AT_LEAST = re.compile(
    rf"(?:(?P<points>score|fit|engagement)|(?P<measure>(?:{'|'.join(MeasureKind)})_\d+d\.\w+))"
    r"\s*>=\s*(?P<least>\d+)"
)


class Formula:
    """An expression that is true, false or unknown of facts.

    Asking CEL takes ten times as long as finding an answer that was given before, and a hundred
    times where it compiles a regular expression, so the answers for the latest values are kept.
    Values that are one of a few words are compared as words: see ``enumerated``.
    """

    __slots__ = ("_expression", "_remembered", "_spellings", "_titles", "_unknown", "names", "text")

    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self.names = context.names(text)
        self._titles = context.titles
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

        Thresholds of points and counts are put into words, everything else is shown as it is
        written.
        """
        if (asked := _AT_LEAST.fullmatch(self.text)) and self.names[0] in facts:
            return f"{_threshold(asked, self._titles)} ({_in_words(facts, self.names[0])})"
        present = [(name, _in_words(facts, name)) for name in self.names]
        if not present:
            return self.text
        name, value = present[0]
        if len(present) == 1 and name in facts and self.text.startswith(name):
            asked_for = self._titles.get(name, name) if self.text == name else self.text
            return f"{asked_for} ({value})"
        return f"{self.text} ({', '.join(f'{name} {value}' for name, value in present)})"


def _threshold(asked: re.Match[str], titles: Mapping[str, str]) -> str:
    least, measure = asked["least"], parse_measure(asked["measure"] or "")
    if measure is None:
        article = "" if asked["points"] == "engagement" else "a "
        return f"{article}{asked['points']} of at least {least}"
    label = titles.get(measure.label) or measure.label.replace("_", " ")
    when = "today" if measure.days == 1 else f"in the last {measure.days} days"
    match measure.kind:
        case MeasureKind.LAST:
            times = "once" if least == "1" else f"{least} times"
            return f"{label} at least {times} {when}"
        case MeasureKind.DAYS:
            days = "1 day" if least == "1" else f"{least} days"
            return f"{label} on at least {days} {when}"
        case MeasureKind.MOMENTUM:
            return f"{label} at least {least} % as often as before {when}"


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
