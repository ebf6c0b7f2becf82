"""What meters have read of one identifier, as its part of a lead's JSON text."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NotRequired, TypeAlias, TypedDict

from warmlead.domain.readings import NO_READINGS, LatestValue, Readings, Spans
from warmlead.domain.traits import TraitFact

_HASH = 8

_Flat: TypeAlias = list[int | str]
"""Of one UTC day its number, then what was read: times in pairs, hashes as one text, amounts."""


class ReadingsV1(TypedDict):
    """Readings, as JSON has them; by meter, a list for each day."""

    visits: NotRequired[dict[str, list[list[int]]]]
    values: NotRequired[dict[str, list[tuple[int, str]]]]
    amounts: NotRequired[dict[str, list[_Flat]]]
    latest: NotRequired[dict[str, tuple[int, str, str]]]
    traits: NotRequired[dict[str, list[tuple[int, TraitFact]]]]


def write_readings(readings: Readings) -> ReadingsV1:
    """The readings' part of a document; what there is none of is absent."""
    document: ReadingsV1 = {}
    if readings.visits:
        document["visits"] = {
            name: [[day, *chain.from_iterable(spans)] for day, spans in sorted(days.items())]
            for name, days in sorted(readings.visits.items())
        }
    if readings.values:
        document["values"] = {
            name: [(day, "".join(hashes)) for day, hashes in sorted(days.items())]
            for name, days in sorted(readings.values.items())
        }
    if readings.amounts:
        document["amounts"] = {
            name: [[day, *_flat(each)] for day, each in sorted(days.items())]
            for name, days in sorted(readings.amounts.items())
        }
    if readings.latest:
        document["latest"] = dict(sorted(readings.latest.items()))
    if readings.traits:
        document["traits"] = {
            name: sorted(days.items()) for name, days in sorted(readings.traits.items())
        }
    return document


def read_readings(document: ReadingsV1 | None) -> Readings:
    """The readings of their part of a document."""
    if not document:
        return NO_READINGS
    return Readings(
        {
            name: {day: _spans(times) for day, *times in days}
            for name, days in document.get("visits", {}).items()
        },
        {
            name: {day: _hashes(text) for day, text in days}
            for name, days in document.get("values", {}).items()
        },
        {
            name: {int(day): _amounts(flat) for day, *flat in days}
            for name, days in document.get("amounts", {}).items()
        },
        {name: LatestValue(*value) for name, value in document.get("latest", {}).items()},
        {
            name: {day: TraitFact(*fact) for day, fact in days}
            for name, days in document.get("traits", {}).items()
        },
    )


def _flat(amounts: Mapping[str, int]) -> list[int | str]:
    return [each for pair in amounts.items() for each in pair]


def _spans(times: Sequence[int]) -> Spans:
    return tuple(zip(times[::2], times[1::2], strict=True))


def _hashes(text: str) -> tuple[str, ...]:
    return tuple(text[at : at + _HASH] for at in range(0, len(text), _HASH))


def _amounts(flat: Sequence[int | str]) -> Mapping[str, int]:
    return {str(key): int(n) for key, n in zip(flat[::2], flat[1::2], strict=True)}
