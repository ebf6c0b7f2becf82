"""What is kept of one identifier, as its part of a lead's JSON text: see ``documents``.

Kept events are columns, sorted by time: a time is the difference from the one before, a receipt
that from the event's time, and a shape is the number of a pair of name and signals in ``shapes``.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NotRequired, TypeAlias, TypedDict

from warmlead.domain.history import Counts, History, KeptEvent
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.lead import Touch, Trail, TraitFact
from warmlead.domain.sales import Said, Statement
from warmlead.stores.notation import Pairs, pairs

Shape: TypeAlias = tuple[str, tuple[str, ...]]
Shapes: TypeAlias = dict[Shape, int]
"""Pairs of name and signals, numbered: the columns of events name them by number."""

_TouchV1: TypeAlias = tuple[int, str, Pairs] | None


_StatementV2: TypeAlias = tuple[int, int, str, str, str, str, int | None, str]
"""The fields of a ``Statement``, in order."""


class _KeptV1(TypedDict):
    at: list[int]
    received: list[int]
    keys: list[str]
    shapes: list[int]


class TrailV1(TypedDict):
    """A trail, as JSON has it."""

    who: tuple[int, str]
    links: list[str]
    claim: tuple[int, int, str, str] | None
    kept: _KeptV1
    signals: dict[str, list[int]]
    names: dict[str, list[int]]
    last: dict[str, int]
    traits: dict[str, tuple[int, int, str, str]]
    first_touch: _TouchV1
    last_touch: _TouchV1
    direct: NotRequired[bool]
    statements: NotRequired[list[_StatementV2]]
    erased: NotRequired[int]


def write_trail(trail: Trail, shapes: Shapes) -> TrailV1:
    """The trail's part of a lead's document; adds its shapes to the lead's."""
    history = trail.history
    document: TrailV1 = {
        "who": (int(trail.identifier.kind), trail.identifier.value),
        "links": sorted(trail.links),
        "claim": trail.claim,
        "kept": _write_kept(sorted(history.kept.values()), shapes),
        "signals": _write_counts(history.signal_days),
        "names": _write_counts(history.name_days),
        "last": dict(sorted(history.last_day.items())),
        "traits": dict(sorted(trail.traits.items())),
        "first_touch": trail.first_touch,
        "last_touch": trail.last_touch,
    }
    if trail.direct:
        document["direct"] = True
    if trail.statements:
        document["statements"] = sorted(trail.statements.values())
    if trail.erased_ms is not None:
        document["erased"] = trail.erased_ms
    return document


def read_trail(document: TrailV1, shapes: Sequence[Shape]) -> Trail:
    """The trail of its part of a lead's document."""
    kind, value = document["who"]
    return Trail(
        identifier=Identifier(Kind(kind), value),
        links=frozenset(document["links"]),
        claim=Claim(*document["claim"]) if document["claim"] else None,
        history=History(
            kept=_read_kept(document["kept"], shapes),
            signal_days=_read_counts(document["signals"]),
            name_days=_read_counts(document["names"]),
            last_day=document["last"],
        ),
        traits={name: TraitFact(*fact) for name, fact in document["traits"].items()},
        first_touch=_read_touch(document["first_touch"]),
        last_touch=_read_touch(document["last_touch"]),
        direct=document.get("direct", False),
        statements={
            each.key: each for each in map(_read_statement, document.get("statements", ()))
        },
        erased_ms=document.get("erased"),
    )


def _write_kept(events: Sequence[KeptEvent], shapes: Shapes) -> _KeptV1:
    return {
        "at": _differences([event.at_ms for event in events]),
        "received": [event.received_ms - event.at_ms for event in events],
        "keys": [event.key for event in events],
        "shapes": [shapes.setdefault((e.name, e.signals), len(shapes)) for e in events],
    }


def _read_kept(columns: _KeptV1, shapes: Sequence[Shape]) -> dict[str, KeptEvent]:
    times = accumulate(columns["at"])
    rows = zip(times, columns["received"], columns["keys"], columns["shapes"], strict=True)
    return {key: KeptEvent(at, key, at + delay, *shapes[shape]) for at, delay, key, shape in rows}


def _write_counts(counts: Counts) -> dict[str, list[int]]:
    """Label → the days, each as the difference from the one before, then their counts."""
    flat = {}
    for label, of_days in sorted(counts.items()):
        days = sorted(of_days)
        flat[label] = [*_differences(days), *(of_days[day] for day in days)]
    return flat


def _read_counts(flat: Mapping[str, list[int]]) -> dict[str, dict[int, int]]:
    counts = {}
    for label, values in flat.items():
        half = len(values) // 2
        counts[label] = dict(zip(accumulate(values[:half]), values[half:], strict=True))
    return counts


def _differences(values: Sequence[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise((0, *values))]


def _read_touch(fields: _TouchV1) -> Touch | None:
    return Touch(fields[0], fields[1], pairs(fields[2])) if fields else None


def _read_statement(fields: _StatementV2) -> Statement:
    at_ms, rank, key, said, source, reason, value_cents, currency = fields
    return Statement(at_ms, rank, key, Said(said), source, reason, value_cents, currency)
