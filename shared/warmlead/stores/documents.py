"""A lead as one JSON text, and back: the format in which every store keeps leads.

Refuses to know where the text is kept. The text is compact, because it is read and written
with every event, and the same for the same lead, in whatever order its events came.

Version 1. Times of events are milliseconds, others microseconds since 1970. Kept events are
columns, sorted by time: a time is the difference from the one before, a receipt that from
the event's time, and a shape is the number of a pair of name and signals in ``shapes``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias, TypedDict

from warmlead.domain.errors import UnavailableError
from warmlead.domain.history import Counts, History, KeptEvent
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.lead import Lead, Snapshot, Touch, Trail, TraitFact
from warmlead.domain.lifecycle import Cooling, Progress, Transition
from warmlead.domain.trigger import Topic, Trigger

VERSION = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class LeadDocument(NamedTuple):
    """A lead, and what a newer release keeps beside it, which is written back untouched."""

    lead: Lead
    extra: Mapping[str, object]


_Shape: TypeAlias = tuple[str, tuple[str, ...]]
_Shapes: TypeAlias = dict[_Shape, int]
_Pairs: TypeAlias = Sequence[tuple[str, str]]
_TouchV1: TypeAlias = tuple[int, str, _Pairs] | None


class _KeptV1(TypedDict):
    at: list[int]
    received: list[int]
    keys: list[str]
    shapes: list[int]


class _TrailV1(TypedDict):
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


class _ProgressV1(TypedDict):
    stage: str
    since: int
    entered: dict[str, int]
    peak: int
    cooling: tuple[int, int] | None


class _LeadV1(TypedDict):
    v: int
    id: str
    created: int
    progress: _ProgressV1
    snapshot: tuple[int, int, int, int, str] | None
    outbox: list[tuple[str, str, int, str, _Pairs]]
    shapes: list[_Shape]
    trails: dict[str, _TrailV1]


class _TransitionV1(TypedDict):
    v: int
    at: int
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    score: int
    fit: int
    hours: float
    model: str


def write_lead(lead: Lead, extra: Mapping[str, object] | None = None) -> str:
    """The lead's text, in ASCII; ``extra`` are the fields that its last reading left over."""
    shapes: _Shapes = {}
    trails = {id_: _write_trail(trail, shapes) for id_, trail in sorted(lead.trails.items())}
    document: _LeadV1 = {
        "v": VERSION,
        "id": lead.id,
        "created": _to_us(lead.created_at),
        "progress": _write_progress(lead.progress),
        "snapshot": _snapshot_fields(lead.snapshot) if lead.snapshot else None,
        "outbox": [(t.id, t.topic, _to_us(t.at), t.body, t.attributes) for t in lead.outbox],
        "shapes": list(shapes),
        "trails": trails,
    }
    return _dump({**(extra or {}), **document})


def read_lead(text: str) -> LeadDocument:
    """The lead of a text. Raises ``UnavailableError`` if only a newer release can read it."""
    document = json.loads(text)
    reader = _READERS.get(document["v"])
    if reader is None:
        raise UnavailableError("a newer release of Warmlead has written this lead")
    return reader(document)


def _read_v1(document: _LeadV1) -> LeadDocument:
    shapes = [(name, tuple(signals)) for name, signals in document["shapes"]]
    snapshot = document["snapshot"]
    lead = Lead(
        id=document["id"],
        trails={id_: _read_trail(trail, shapes) for id_, trail in document["trails"].items()},
        progress=_read_progress(document["progress"]),
        created_at=_from_us(document["created"]),
        snapshot=Snapshot(*snapshot) if snapshot else None,
        outbox=tuple(
            Trigger(id_, Topic(topic), _from_us(at), body, _pairs(attributes))
            for id_, topic, at, body, attributes in document["outbox"]
        ),
    )
    known = _LeadV1.__annotations__
    return LeadDocument(lead, {k: value for k, value in document.items() if k not in known})


_READERS: Mapping[int, Callable[[_LeadV1], LeadDocument]] = {1: _read_v1}
"""How to read what this release and the one before wrote; only the present version is written."""


def write_transition(transition: Transition) -> str:
    """The record of a move as one JSON text."""
    document: _TransitionV1 = {
        "v": VERSION,
        "at": _to_us(transition.at),
        "from_stage": transition.from_stage,
        "to_stage": transition.to_stage,
        "cycle": transition.cycle,
        "reason": transition.reason,
        "score": transition.score,
        "fit": transition.fit,
        "hours": transition.hours_in_stage,
        "model": transition.model_version,
    }
    return _dump(document)


def read_transition(text: str) -> Transition:
    """The move of a text; fields of a newer release are ignored."""
    document: _TransitionV1 = json.loads(text)
    return Transition(
        at=_from_us(document["at"]),
        from_stage=document["from_stage"],
        to_stage=document["to_stage"],
        cycle=document["cycle"],
        reason=document["reason"],
        score=document["score"],
        fit=document["fit"],
        hours_in_stage=document["hours"],
        model_version=document["model"],
    )


def _write_trail(trail: Trail, shapes: _Shapes) -> _TrailV1:
    history = trail.history
    return {
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


def _read_trail(document: _TrailV1, shapes: Sequence[_Shape]) -> Trail:
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
    )


def _write_kept(events: Sequence[KeptEvent], shapes: _Shapes) -> _KeptV1:
    return {
        "at": _differences([event.at_ms for event in events]),
        "received": [event.received_ms - event.at_ms for event in events],
        "keys": [event.key for event in events],
        "shapes": [shapes.setdefault((e.name, e.signals), len(shapes)) for e in events],
    }


def _read_kept(columns: _KeptV1, shapes: Sequence[_Shape]) -> dict[str, KeptEvent]:
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
    return Touch(fields[0], fields[1], _pairs(fields[2])) if fields else None


def _write_progress(progress: Progress) -> _ProgressV1:
    cooling = progress.cooling
    return {
        "stage": progress.stage,
        "since": _to_us(progress.since),
        "entered": dict(sorted(progress.entered.items())),
        "peak": progress.peak_score,
        "cooling": (_to_us(cooling.since), _to_us(cooling.until)) if cooling else None,
    }


def _read_progress(document: _ProgressV1) -> Progress:
    cooling = document["cooling"]
    return Progress(
        stage=document["stage"],
        since=_from_us(document["since"]),
        entered=document["entered"],
        peak_score=document["peak"],
        cooling=Cooling(_from_us(cooling[0]), _from_us(cooling[1])) if cooling else None,
    )


def _snapshot_fields(s: Snapshot) -> tuple[int, int, int, int, str]:
    return s.score, s.engagement, s.fit, s.day, s.model_version


def _pairs(lists: _Pairs) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in lists)


def _to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _from_us(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)


def _dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
