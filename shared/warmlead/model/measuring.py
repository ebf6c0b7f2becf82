"""What conditions may name of what a lead did: measures over days, and the latest values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from warmlead.domain.event_names import our_name
from warmlead.domain.measures import (
    LONGEST_DAYS,
    OF_PROPERTIES,
    Measure,
    MeasureKind,
    is_measurable,
    parse_measure,
)
from warmlead.domain.readings import Meter, MeterKind
from warmlead.model.vocabulary import DERIVED_TRAITS, ValueType

NUMBERS = frozenset({ValueType.INTEGER, ValueType.NUMBER})
"""The types of properties that add up."""

MAX_METERS = 50
"""The most visits, values, amounts, latest values and traits as they were that a model measures."""

MAX_NUMBERS = 500
"""The most measures that a model asks for, each with its window.

With each event all of them are computed for today and up to a week ahead, each from up to 400 days.
"""

_LATEST = re.compile(r"latest\.(\w+)\.(\w+)", re.ASCII)


def parse_latest(name: str) -> Meter | None:
    """The meter of the latest value that a name of a condition reads; ``None``: it reads none."""
    found = _LATEST.fullmatch(name)
    return Meter(MeterKind.LATEST, our_name(found[1]), found[2]) if found else None


_BEFORE = re.compile(r"before_(\d{1,6})d\.(\w+)", re.ASCII)


def parse_before(name: str) -> tuple[str, int] | None:
    """The trait whose past value a name of a condition reads, and how many days ago it was."""
    found = _BEFORE.fullmatch(name)
    return (found[2], int(found[1])) if found else None


def befores_in(
    words: Iterable[str], traits: Mapping[str, ValueType]
) -> Iterator[tuple[str, ValueType]]:
    """The past values of traits that conditions name, with their types."""
    for name in sorted({start for word in words for start in _starts(word)}):
        if not (asked := parse_before(name)):
            continue
        trait, days = asked
        if trait in traits and is_recalled(trait, traits[trait]) and 1 <= days <= LONGEST_DAYS:
            yield name, traits[trait]


def is_recalled(trait: str, type_: ValueType) -> bool:
    """Whether past values of a trait are kept: not of lists, nor of what follows from others."""
    return type_ is not ValueType.LIST and trait not in DERIVED_TRAITS


def before_meters(names: Iterable[str]) -> dict[str, Meter]:
    """The meters that past values of traits need, by their names."""
    days: dict[str, int] = {}
    for trait, ago in filter(None, map(parse_before, names)):
        days[trait] = max(ago, days.get(trait, 0))
    meters = (Meter(MeterKind.BEFORE, "", trait, ago) for trait, ago in days.items())
    return {meter.name: meter for meter in meters}


def label_in(name: str) -> str:
    """The signal or event of which a name of a condition reads something; else the name."""
    if measure := parse_measure(name):
        return measure.label
    return found[1] if (found := _LATEST.fullmatch(name)) else name


def property_in(name: str) -> str:
    """The property of events that a name of a condition reads; empty if it reads none."""
    if measure := parse_measure(name):
        return measure.of_property
    return found[2] if (found := _LATEST.fullmatch(name)) else ""


def measured_in(
    words: Iterable[str], countable: AbstractSet[str], properties: Mapping[str, ValueType]
) -> dict[str, ValueType]:
    """What conditions name of events, with its type: there is too much to declare all of it.

    ``words`` are what the conditions name, with the functions that are called of it.
    """
    found: dict[str, ValueType] = {}
    for name in sorted({start for word in words for start in _starts(word)}):
        label, property_ = label_in(name), property_in(name)
        if label not in countable or (property_ and property_ not in properties):
            continue
        if measure := parse_measure(name):
            if is_measurable(measure) and is_of_numbers(measure, properties):
                found[name] = ValueType.INTEGER
        elif parse_latest(name) and properties[property_] is not ValueType.LIST:
            found[name] = properties[property_]
    return found


def _starts(word: str) -> Iterator[str]:
    """The word, and what stands before each dot in it."""
    while word:
        yield word
        word = word.rpartition(".")[0]


def is_of_numbers(measure: Measure, properties: Mapping[str, ValueType]) -> bool:
    """Whether what is added up are numbers."""
    is_sum = measure.kind is MeasureKind.SUM
    return not is_sum or properties.get(measure.of_property) in NUMBERS


def wants_property(kind: MeasureKind) -> bool:
    """Whether a measure of the kind names a property."""
    return kind in OF_PROPERTIES


def meter_types(names: Iterable[str], properties: Mapping[str, ValueType]) -> dict[str, ValueType]:
    """The types of the properties that the names of conditions read."""
    read = {property_in(name) for name in names} - {""}
    return {name: properties[name] for name in sorted(read)}
