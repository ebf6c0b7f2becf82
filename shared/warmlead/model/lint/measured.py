"""Checks what conditions measure of events: how much it is, and whether the events have it."""

import re
from collections.abc import Iterator, Sequence

from warmlead.domain.event_names import our_name
from warmlead.domain.measures import COUNTS, parse_measure
from warmlead.domain.readings import Meter, MeterKind
from warmlead.model.condition_syntax import Token, words
from warmlead.model.conditions import Context, Contexts
from warmlead.model.document import Path, closest
from warmlead.model.lint.expressions import conditions_of
from warmlead.model.measuring import (
    MAX_METERS,
    MAX_NUMBERS,
    label_in,
    parse_before,
    parse_latest,
    property_in,
)
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report
from warmlead.model.vocabulary import STANDARD_EVENTS, STANDARD_PROPERTIES, ValueType


class MeasureCheck:
    """Judges what the conditions of one model measure."""

    def __init__(self, file: ModelFile, contexts: Contexts, report: Report) -> None:
        self._file = file
        self._contexts = contexts
        self._report = report

    def check(self) -> None:
        """Finds that too much is measured; doubts properties that the events do not have."""
        meters: set[str] = set()
        numbers: set[str] = set()
        for path, text, context in conditions_of(self._file, self._contexts):
            for token, name in _named(text, context):
                meters |= {self._meter_of(name)} - {""}
                if parse_measure(name):
                    numbers.add(name)
                if len(meters) > MAX_METERS or len(numbers) > MAX_NUMBERS:
                    self._report_excess(path, token, name, of_numbers=len(numbers) > MAX_NUMBERS)
                    return
                if asked := property_in(name):
                    of_type = context.properties[asked]
                    self._check_property(path, token, name, of_type, text[token.at :])

    def _report_excess(self, path: Path, token: Token, name: str, *, of_numbers: bool) -> None:
        too_many = (
            f"asks for more than {MAX_NUMBERS} numbers, each kind and window being another one"
            if of_numbers
            else f"measures more than {MAX_METERS} things besides the numbers of events"
        )
        message = f"the model {too_many}, of which {name} is one too many"
        self._report.error(path, message, "measure fewer of them", at=token.at)

    def _meter_of(self, name: str) -> str:
        """What has to be kept of each lead for a name, besides counts; empty: nothing has to be."""
        if before := parse_before(name):
            return Meter(MeterKind.BEFORE, "", before[0]).name
        measure = parse_measure(name)
        if measure and measure.kind not in COUNTS:
            is_signal = measure.label in self._file.signals
            label = measure.label if is_signal else our_name(measure.label)
            return Meter(MeterKind(measure.kind), label, measure.of_property).name
        latest = parse_latest(name)
        return latest.name if latest else ""

    def _check_property(
        self, path: Path, token: Token, name: str, type_: ValueType, rest: str
    ) -> None:
        """Doubts a property that no sender gives to the events of which it is read.

        ``rest`` is the condition from the name on.
        """
        asked, events = property_in(name), self._events_of(label_in(name))
        if asked in self._file.properties or not STANDARD_EVENTS.keys() >= {*events}:
            return
        given = [each for event in events for each in STANDARD_EVENTS[event].split()]
        if asked in given:
            return
        message = f'no sender gives {" or ".join(events)} a property "{asked}"'
        of_type = [each for each in given if STANDARD_PROPERTIES.get(each) == type_]
        if meant := _meant(asked, of_type):
            guess = _in_units_of(meant, asked, name, rest)
            self._report.warn(path, message, guess, at=token.at)
        else:
            told = f"if you send it, declare it: properties: {{{asked}: {type_.value}}}"
            self._report.note(path, message, told, at=token.at)

    def _events_of(self, label: str) -> list[str]:
        signal = self._file.signals.get(label)
        return sorted(map(our_name, signal.on if signal else [label]))


def _named(text: str, context: Context) -> Iterator[tuple[Token, str]]:
    """What a condition of leads names, each where it stands."""
    if context.countable:
        for token in words(text):
            if name := context.name_in(token):
                yield token, name


_MUCH_THE_SAME = (
    frozenset({"amount", "price", "value", "total", "revenue"}),
    frozenset({"seconds", "minutes"}),
    frozenset({"path", "url"}),
)
"""Properties of which people write one for another."""


_SECONDS = {"seconds": 1, "minutes": 60}
_COMPARED = re.compile(r"\s*(?:[<>]=?|==)\s*(\d{1,9})(?![\d.])", re.ASCII)


def _in_units_of(meant: str, asked: str, name: str, rest: str) -> str:
    """What to write for a name at the beginning of a text, and for the number of its unit."""
    instead = name.removesuffix(asked) + meant
    compared = _COMPARED.match(rest, len(name)) if rest.startswith(name) else None
    if compared and asked in _SECONDS and meant in _SECONDS:
        seconds = int(compared[1]) * _SECONDS[asked]
        if seconds % _SECONDS[meant] == 0:
            until = rest[len(name) : compared.start(1)]
            return (
                f"write {instead}{until}{seconds // _SECONDS[meant]} for {rest[: compared.end()]}"
            )
    return f'did you mean "{instead}"?'


def _meant(asked: str, given: Sequence[str]) -> str:
    """The property that is much the same as the one that is asked for; empty if there is none."""
    alike = {asked}.union(*(each for each in _MUCH_THE_SAME if asked in each))
    return next((each for each in given if each in alike), "") or closest(asked, given)
