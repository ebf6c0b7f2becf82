"""Conditions in CEL: what they may name, compiled once, and what they miss."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING

from cel_expr_python import cel
from msgspec import Struct

from warmlead.domain.measures import Measure, MeasureKind, parse_measure
from warmlead.domain.stages import Facts
from warmlead.model.coercion import Spellings
from warmlead.model.condition_syntax import (
    Clause,
    Either,
    Token,
    Tree,
    clauses_of,
    compared_with,
    tree_of,
    words,
)
from warmlead.model.measuring import befores_in, measured_in, parse_before, property_in
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


def spellings_of(text: str, names: Iterable[str]) -> dict[str, Spellings]:
    """The spellings of a condition, for each enumerated name that it compares with words."""
    found = {
        name: [literal for token in compared_with(name, text) if (literal := _plain(token))]
        for name in names
        if _word_named(name) in ENUMERATED
    }
    return {
        name: Spellings(_word_named(name), literals) for name, literals in found.items() if literals
    }


def _word_named(name: str) -> str:
    """The property or trait whose value a name stands for."""
    asked = parse_before(name)
    return asked[0] if asked else property_in(name) or name


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
    people call signals. ``countable`` are the signals and events that may be measured, by the
    ``properties`` of events too: of the measures only those in use are in ``types``.
    """

    types: Mapping[str, ValueType]
    elsewhere: Mapping[str, str]
    env: cel.Env
    titles: Mapping[str, str] = {}
    countable: AbstractSet[str] = frozenset()
    properties: Mapping[str, ValueType] = {}

    @classmethod
    def of(
        cls,
        types: Mapping[str, ValueType],
        elsewhere: Mapping[str, str],
        titles: Mapping[str, str] | None = None,
        *,
        countable: AbstractSet[str] = frozenset(),
        properties: Mapping[str, ValueType] | None = None,
    ) -> "Context":
        """A context in which the names may be used, each of its type."""
        usable = {name: type_ for name, type_ in types.items() if name not in RESERVED}
        declared = {name: _TYPES[type_] for name, type_ in usable.items()}
        env = cel.NewEnv(variables=declared)
        return cls(usable, elsewhere, env, titles or {}, countable, properties or {})

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


def property_types(file: "ModelFile") -> dict[str, ValueType]:
    """The type of each property of events that the model knows, its own word first."""
    own = {name: ValueType(type_) for name, type_ in file.properties.items()}
    return {**STANDARD_PROPERTIES, **own}


def countable(file: "ModelFile") -> set[str]:
    """What can be counted: signals, the events that they are about, and standard events."""
    used = {event for signal in file.signals.values() for event in signal.on}
    return {*file.signals, *used, *STANDARD_EVENTS}


def contexts_of(file: "ModelFile") -> Contexts:
    """What conditions may name in this model, by the place where they stand."""
    traits = trait_types(file)
    of_events = property_types(file)
    properties = {**of_events, **EVENT_FACTS}
    counted = countable(file)
    named = {
        re.sub(r"\s", "", token.text) for text in stage_conditions(file) for token in words(text)
    }
    measures = {**measured_in(named, counted, of_events), **dict(befores_in(named, traits))}
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
        bonus=Context.of(
            scoreless, {**kinds, **OF_THE_SCORE}, countable=counted, properties=of_events
        ),
        stage=Context.of(everything, kinds, countable=counted, properties=of_events),
    )


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


_BOUND = re.compile(
    r"(?P<points>score|fit|engagement)\s*(?P<sign>>=?)\s*(?P<bound>\d+)"
    rf"|(?P<measure>(?:{'|'.join(MeasureKind)})_\d+d\.[\w.]+)\s*>=\s*(?P<least>\d+)"
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
        if (asked := _BOUND.fullmatch(self.text)) and self.names[0] in facts:
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
    measure = parse_measure(asked["measure"] or "")
    if measure is None:
        article = "" if asked["points"] == "engagement" else "a "
        how = "at least" if asked["sign"] == ">=" else "more than"
        return f"{article}{asked['points']} of {how} {asked['bound']}"
    label = titles.get(measure.label) or measure.label.replace("_", " ").capitalize()
    when = "today" if measure.days == 1 else f"in the last {measure.days} days"
    return f"{label} {_at_least(measure, int(asked['least']))} {when}"


def _at_least(measure: Measure, least: int) -> str:
    of_property = measure.of_property.replace("_", " ")
    match measure.kind:
        case MeasureKind.LAST:
            return "at least once" if least == 1 else f"at least {least} times"
        case MeasureKind.DAYS:
            return "on at least 1 day" if least == 1 else f"on at least {least} days"
        case MeasureKind.MOMENTUM:
            return f"at least {least} % as often as before"
        case MeasureKind.VISITS:
            return "in at least 1 visit" if least == 1 else f"in at least {least} visits"
        case MeasureKind.DISTINCT:
            return f"with at least {least} different values of {of_property}"
        case MeasureKind.SUM:
            return f"with at least {least} {of_property} in all"


_ONCE = re.compile(r"(?P<what>[^()]+) (?P<asked>at least once in the last \d+ days \(is 0\))")
_MANY = 3


def _said_once(alternatives: Sequence[str]) -> list[str]:
    """The alternatives, in which what many of them ask for is said once, after all of them."""
    found = [_ONCE.fullmatch(each) for each in alternatives]
    by_asked: dict[str, list[str]] = {}
    for each in filter(None, found):
        by_asked.setdefault(each["asked"], []).append(each["what"])
    many = {asked: what for asked, what in by_asked.items() if len(what) >= _MANY}
    together = [f"{', '.join(w[:-1])} or {w[-1]} {asked}" for asked, w in many.items()]
    rest = zip(alternatives, found, strict=True)
    return together + [each for each, once in rest if not (once and once["asked"] in many)]


def _in_words(facts: Facts, name: str) -> str:
    if name not in facts:
        return "is unknown"
    return "is " + json.dumps(facts[name], ensure_ascii=False, default=str)


class CompiledCondition(Formula):
    """A condition of the model, and its clauses; implements the domain's ``Condition``.

    ``text`` must have passed ``examine``: anything else is a mistake of the caller.
    """

    __slots__ = ("_formulas", "_tree")

    def __init__(self, text: str, context: Context) -> None:
        super().__init__(text, context)
        self._tree = tree_of(text)
        self._formulas = {
            clause.at: Formula(clause.text, context) for clause in clauses_of(self._tree)
        }

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
            return ["one of: " + ", ".join(_said_once([" and ".join(part) for part in parts]))]
        return [line for part in parts for line in part]
