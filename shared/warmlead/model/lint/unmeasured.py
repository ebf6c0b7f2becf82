"""Says what is wrong with a name that seems to measure what a lead did, and what is meant by it."""

import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from warmlead.domain.measures import (
    LONGEST_DAYS,
    OF_PROPERTIES,
    MeasureKind,
    longest_days,
    parse_measure,
)
from warmlead.model.conditions import Context
from warmlead.model.document import did_you_mean
from warmlead.model.lint.synonyms import PROPERTY_SYNONYMS, TRAIT_SYNONYMS
from warmlead.model.measuring import NUMBERS, is_recalled
from warmlead.model.vocabulary import STANDARD_EVENTS, STANDARD_PROPERTIES, ValueType

LATEST = "latest"
BEFORE = "before"

_HEAD = re.compile(r"([a-z]+(?:_[a-z]+)*)_(\d+)([a-z]*)", re.ASCII)
_DAYS_OF: dict[str, float] = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}
_DAYS_OF |= {"h": 1 / 24, "hour": 1 / 24, "hours": 1 / 24}
_DAYS_OF |= {"day": 1, "days": 1, "week": 7, "weeks": 7, "month": 30, "months": 30}
_NAMED_PERIODS = {"_week": "_7d", "_month": "_30d", "_quarter": "_90d", "_year": "_365d"}
_NAMED_PERIOD = re.compile("(?:" + "|".join(_NAMED_PERIODS) + r")\Z")
_USUAL_DAYS = 30
_TRAIT = "a trait of leads"
_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        other: kind
        for kind, others in {
            MeasureKind.LAST: "count counts number past within in_last",
            MeasureKind.DAYS: "day dates days_with",
            MeasureKind.VISITS: "visit session sessions count_visits",
            MeasureKind.DISTINCT: "unique uniques different count_distinct distinct_count",
            MeasureKind.SUM: "total totals sums added",
            MeasureKind.MOMENTUM: "trend growth",
            LATEST: "newest most_recent last_value",
            BEFORE: "previous previously was former ago",
        }.items()
        for other in others.split()
    }
)
"""What authors call the kinds of measures, the latest value and a trait as it was."""

_KINDS = frozenset({*MeasureKind, LATEST, BEFORE})


class Wrong(NamedTuple):
    """What is wrong with a name, and what to write; unpacked where it is used."""

    message: str
    suggestion: str = ""


def unmeasured(name: str, context: Context) -> Wrong | None:
    """What is wrong with a name that begins as measures do; ``None``: it does not."""
    head, _, rest = name.partition(".")
    found = _HEAD.fullmatch(_NAMED_PERIOD.sub(lambda word: _NAMED_PERIODS[word[0]], head))
    word = found[1] if found else head
    kind = word if word in _KINDS else _OTHER_WORDS.get(word, "")
    if not kind or not (rest or found) or (found and found[3] not in _DAYS_OF):
        return None
    if not found and kind == MeasureKind.LAST:  # last. alone is the origin of the last visit
        kind = LATEST
        if rest.partition(".")[0] not in context.countable:
            return None
    if not context.countable:
        return _elsewhere(name, kind) if word in _KINDS else None
    asked = _window(kind, found)
    if asked == head:
        return _wrong_name(kind, head, rest, context)
    told = f'unknown name "{name}"'
    if found and word == kind:
        told = f'there is no window "{head}"'
        told += "" if kind == LATEST else f", only {kind}_1d to {kind}_{_longest(kind)}d"
    return Wrong(told, _did_you_mean(kind, asked, rest, context))


def _window(kind: str, found: re.Match[str] | None) -> str:
    """How the beginning of the name is written: with a window of days that is allowed."""
    if kind == LATEST:
        return kind
    days = math.ceil(int(found[2][:9]) * _DAYS_OF[found[3]]) if found else _USUAL_DAYS
    return f"{kind}_{min(max(days, 1), _longest(kind))}d"


def _longest(kind: str) -> int:
    return LONGEST_DAYS if kind == BEFORE else longest_days(MeasureKind(kind))


def _did_you_mean(kind: str, head: str, rest: str, context: Context) -> str:
    """The whole name as it is meant, if what stands behind the window is known or a guess."""
    meant = f"{head}.{rest}" if rest else head
    wrong = None if meant in context.types else _wrong_name(kind, head, rest, context)
    if wrong:
        return wrong.suggestion if wrong.suggestion.startswith("did you mean") else ""
    return f'did you mean "{meant}"?'


def _wrong_name(kind: str, head: str, rest: str, context: Context) -> Wrong | None:
    """What is wrong with what stands behind a window that is right."""
    if kind == BEFORE:
        return _wrong_before(head, rest, context)
    return _wrong_parts(head, rest, context, None if kind == LATEST else MeasureKind(kind))


def _wrong_before(head: str, trait: str, context: Context) -> Wrong | None:
    """What is wrong with the name of a trait as it was."""
    if not trait:
        return Wrong(f'"{head}" needs a trait', f'did you mean "{head}.employees"?')
    known = [name for name in context.types if context.elsewhere.get(name) == _TRAIT]
    if trait in known:
        kept = is_recalled(trait, context.types[trait])
        return None if kept else Wrong(f'of "{trait}" no past values are kept')
    meant = TRAIT_SYNONYMS.get(trait, "") or _like(trait, known)
    guess = f'did you mean "{head}.{meant}"?' if meant in context.types else ""
    return Wrong(f'"{head}.{trait}" reads nothing: there is no trait "{trait}"', guess)


def _elsewhere(name: str, kind: str) -> Wrong:
    what = "of the past" if kind == BEFORE else "a count"
    return Wrong(f'"{name}" is {what}, which cannot be named here')


def _wrong_parts(head: str, rest: str, context: Context, kind: MeasureKind | None) -> Wrong | None:
    """What is wrong with the signal or event, or with the property, behind the kind and period."""
    label, _, property_ = rest.partition(".")
    wants_property = kind is None or kind in OF_PROPERTIES
    if not label or (wants_property and not property_ and label in context.properties):
        example = label or _example("", kind)
        whole = f"{head}.{_with_event(example) if wants_property else 'page_viewed'}"
        told = f'"{head}{label and f".{label}"}" needs a signal or an event'
        return Wrong(told, f'did you mean "{whole}"?')
    if label not in context.countable:
        told = f'"{head}.{rest}" counts nothing: there is no signal or event "{label}"'
        return Wrong(told, _of_another_label(head, label, property_, context))
    if not wants_property:
        return None
    if not property_:
        whole = f"{head}.{label}.{_example(label, kind)}"
        return Wrong(f'"{head}.{label}" needs a property', f'did you mean "{whole}"?')
    return _wrong_property(f"{head}.{label}", property_, context, kind)


def _of_another_label(head: str, label: str, property_: str, context: Context) -> str:
    """What is meant by a label that nothing has: another one, or visits (``last_30d.visits``)."""
    kind, _, days = head.partition("_")
    if kind == MeasureKind.LAST and _OTHER_WORDS.get(label, label) == MeasureKind.VISITS:
        return f'did you mean "{MeasureKind.VISITS}_{days}.page_viewed"?'
    meant = _like(label, context.countable)
    return f'did you mean "{head}.{meant}{property_ and f".{property_}"}"?' if meant else ""


def _example(event: str, kind: MeasureKind | None) -> str:
    """A property that an event has, of a type that can be read so."""
    having = STANDARD_EVENTS.get(event, "").split()
    if kind is MeasureKind.SUM:
        numbers = (name for name in having if STANDARD_PROPERTIES.get(name) in NUMBERS)
        return next(numbers, "seconds")
    usual = "topic" if kind is None else "path"
    return usual if usual in having or not having else having[0]


def _with_event(name: str) -> str:
    """A property with an event that has it."""
    having = (event for event, names in STANDARD_EVENTS.items() if name in names.split())
    return f"{next(having, 'page_viewed')}.{name}"


def _wrong_property(
    of_what: str, name: str, context: Context, kind: MeasureKind | None
) -> Wrong | None:
    type_ = context.properties.get(name)
    if type_ is None:
        known = context.properties
        meant = PROPERTY_SYNONYMS.get(name, "") or _like(name, known)
        guess = f'did you mean "{of_what}.{meant}"?' if meant in known else ""
        message = f'"{of_what}.{name}" reads nothing: there is no property "{name}"'
        if readable := _readable(of_what, kind):
            message += f", but {readable}"
        likely = ValueType.NUMBER if kind is MeasureKind.SUM else ValueType.STRING
        return Wrong(message, guess or f"declare it: properties: {{{name}: {likely.value}}}")
    if kind is MeasureKind.SUM and type_ not in NUMBERS:
        instead = f"{MeasureKind.DISTINCT}{of_what.removeprefix(kind)}.{name}"
        told = f'"{name}" is of type {type_.value}, and only numbers add up'
        return Wrong(told, f'did you mean "{instead}"?')
    if kind is None and type_ is ValueType.LIST:
        return Wrong(f'"{name}" is a list, which has no latest value')
    return None


def _readable(of_what: str, kind: MeasureKind | None) -> str:
    """The properties of a standard event that can be read so, separated by commas."""
    having = STANDARD_EVENTS.get(of_what.partition(".")[2], "").split()
    if kind is MeasureKind.SUM:
        having = [name for name in having if STANDARD_PROPERTIES.get(name) in NUMBERS]
    return ", ".join(having)


def too_long(name: str) -> Wrong | None:
    """What is wrong with a number that is asked for a part of it: ``visits_30d.page.path``."""
    measured, _, last = name.rpartition(".")
    measure = parse_measure(measured)
    if measure is None:
        return None
    told = f'"{measured}" is a number, and has no "{last}"'
    if measure.of_property:
        return Wrong(told)
    return Wrong(told, f'did you mean "distinct_{measure.days}d.{measure.label}.{last}"?')


def _like(name: str, known: Iterable[str]) -> str:
    told = did_you_mean(name, known) or did_you_mean(name.lower(), known)
    return told.removeprefix('did you mean "').removesuffix('"?')
