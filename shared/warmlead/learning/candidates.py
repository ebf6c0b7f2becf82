"""Conditions that the data suggest: counts, bands of numbers, channels, common values of traits.

Each is a condition of the model language, beside what it says of each observed lead.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from warmlead.domain.event import snake_case
from warmlead.learning.algebra import Indexes, Vector
from warmlead.learning.bands import monotone_bands
from warmlead.learning.evidence import Evidence, Flags
from warmlead.model.coercion import word_of
from warmlead.model.conditions import contexts_of
from warmlead.model.schema import ModelFile
from warmlead.model.vocabulary import ENUMERATED, ValueType
from warmlead.reporting.statistics import SMALL_SAMPLE

RECENT = "last_30d"

_MOST_VALUES = 40
"""Values of one trait that are looked at: the most common ones."""

_LONGEST_NAME = 60
_NO_REASON = frozenset({"referrer", "landing_page", "term", "content"})
"""What of an origin is too particular to be a rule."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A condition that a model might have, and the leads for which it holds.

    ``basis`` is the number or the text that it looks at. ``rising`` says of a step of a number
    whether more of it is better; ``None`` of anything else.
    """

    section: str
    name: str
    when: str
    title: str
    basis: str
    holds: Flags = field(compare=False, repr=False)
    rising: bool | None = None

    @property
    def key(self) -> str:
        """As conditions are called in observations: ``fit:NAME``, ``bonus:NAME``."""
        return f"{'bonus' if self.section == 'bonuses' else 'fit'}:{self.name}"


@dataclass(slots=True)
class _Suggesting:
    """The leads from which conditions are suggested, and the names that are taken."""

    file: ModelFile
    evidence: Evidence
    rows: Indexes
    won: Vector
    taken: set[str]
    types: Mapping[str, ValueType]

    def is_common(self, holds: Flags) -> bool:
        """Whether it holds for enough of the leads, and does not for enough of them."""
        count = int(np.count_nonzero(holds[self.rows]))
        return SMALL_SAMPLE <= count <= len(self.rows) - SMALL_SAMPLE

    def name(self, *parts: str) -> str:
        """A name that no other condition, signal or trait has."""
        text = snake_case(" ".join(parts))[:_LONGEST_NAME].strip("_")
        stem = text if text[:1].isalpha() else f"is_{text}".strip("_")
        made, number = stem, 2
        while made in self.taken:
            made, number = f"{stem[: _LONGEST_NAME - 3]}_{number}", number + 1
        self.taken.add(made)
        return made


def suggested(
    file: ModelFile, evidence: Evidence, rows: Indexes, refused: Collection[str]
) -> list[Candidate]:
    """The conditions that these leads suggest; none over what is ``refused``.

    Each holds for at least ``SMALL_SAMPLE`` of them, and does not hold for as many.
    """
    taken = {*file.signals, *file.fit, *file.bonuses, *file.groups, *file.stages}
    types = contexts_of(file).fit.types
    won = evidence.outcomes
    asking = _Suggesting(file, evidence, rows, won, taken | types.keys(), types)
    written = {rule.when for section in (file.fit, file.bonuses) for rule in section.values()}
    made = [*_of_counts(asking)]
    for name in sorted({*evidence.numbers, *evidence.words} - set(refused)):
        if name in types and name.rpartition(".")[2] not in _NO_REASON:
            made += _of_fact(asking, name, types[name])
    return [each for each in made if each.when not in written]


def _of_counts(asking: _Suggesting) -> Iterator[Candidate]:
    """Bonuses for the number of a signal's events in 30 days; signals are counted for ever."""
    evidence = asking.evidence
    for label in sorted(evidence.recent.keys() & asking.file.signals.keys()):
        values = evidence.recent[label].dense(len(evidence))
        asked, title = f"{RECENT}.{label}", asking.file.signals[label].title
        words = title or _in_words(label)
        for least, rising in _steps(asking, values):
            holds = values >= least
            if asking.is_common(holds):
                number = ceil(least)
                name = asking.name(label, str(number), "in 30d")
                said = f"{words}: {number} or more in 30 days"
                when = f"{asked} >= {number}"
                yield Candidate("bonuses", name, when, said, asked, holds, rising)


def _of_fact(asking: _Suggesting, name: str, type_: ValueType) -> Iterator[Candidate]:
    evidence = asking.evidence
    if type_ in (ValueType.INTEGER, ValueType.NUMBER) and name in evidence.numbers:
        yield from _of_number(asking, name, type_)
    elif type_ is ValueType.BOOLEAN and name in evidence.numbers:
        yield from _of_yes_or_no(asking, name)
    elif name in evidence.words:
        yield from _of_words(asking, name, type_)


def _of_number(asking: _Suggesting, name: str, type_: ValueType) -> Iterator[Candidate]:
    """Steps of a number that is known of a lead: what is unknown reaches none of them."""
    values = asking.evidence.numbers[name].dense(len(asking.evidence), missing=np.nan)
    for least, rising in _steps(asking, values):
        number = str(ceil(least)) if type_ is ValueType.INTEGER else repr(round(least, 2))
        holds = values >= float(number)
        if asking.is_common(holds):
            said = f"{_in_words(name)}: {number} or more"
            named = asking.name(name, number.replace(".0", ""))
            yield Candidate("fit", named, f"{name} >= {number}", said, name, holds, rising)


def _of_yes_or_no(asking: _Suggesting, name: str) -> Iterator[Candidate]:
    values = asking.evidence.numbers[name].dense(len(asking.evidence), missing=np.nan)
    for wanted, when in ((1.0, name), (0.0, f"!{name}")):
        holds = values == wanted
        if asking.is_common(holds):
            named = asking.name("is" if wanted else "not", name)
            said = _in_words(name) if wanted else f"Not: {_in_words(name).lower()}"
            yield Candidate("fit", named, when, said, name, holds)


def _of_words(asking: _Suggesting, name: str, type_: ValueType) -> Iterator[Candidate]:
    """The common values of a text or a list."""
    rows = _by_word(name, asking.evidence.words[name].rows)
    common = sorted(rows, key=lambda value: (-len(rows[value]), value))[:_MOST_VALUES]
    for value in common:
        holds = asking.evidence.flags(rows[value])
        if not _may_be_named(value) or not asking.is_common(holds):
            continue
        literal = f'"{value}"'
        when = f"{literal} in {name}" if type_ is ValueType.LIST else f"{name} == {literal}"
        said = f"{_in_words(name)}: {value}"
        yield Candidate("fit", asking.name(name, value), when, said, name, holds)


def _by_word(name: str, rows: Mapping[str, Collection[int]]) -> dict[str, Collection[int]]:
    """The leads of each value; spellings that conditions take for one word are put together."""
    if name not in ENUMERATED:
        return dict(rows)
    spellings: dict[str, list[str]] = {}
    for value in rows:
        spellings.setdefault(word_of(name, value) or value, []).append(value)
    made: dict[str, Collection[int]] = {}
    for values in spellings.values():
        written = max(values, key=lambda value: (len(rows[value]), value))
        made[written] = sorted({row for value in values for row in rows[value]})
    return made


def _may_be_named(value: str) -> bool:
    """Whether a text that somebody sent can stand in a condition as it is."""
    return bool(value.strip()) and value.isprintable() and not set(value) & {'"', "\\"}


def _steps(asking: _Suggesting, values: Vector) -> list[tuple[float, bool]]:
    """Where monotone bands begin, and whether their chances rise."""
    some = values[asking.rows]
    known = ~np.isnan(some)
    if np.count_nonzero(known) < 2 * SMALL_SAMPLE:
        return []
    bands = monotone_bands(some[known], asking.won[asking.rows][known], most=6)
    rising = bands[-1].log_odds > bands[0].log_odds
    lows = [band.low for band in bands if band.low is not None]
    first = float(some[known].min())
    if known.all() or bands[0].low is not None:
        return [(low, rising) for low in lows]
    return [(first, rising), *((low, rising) for low in lows)]


def _in_words(name: str) -> str:
    return name.replace(".", " ").replace("_", " ").capitalize()
