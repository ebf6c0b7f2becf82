"""The data of one identifier, as its part of a lead's JSON text."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from operator import sub
from typing import Any, NotRequired, TypeAlias, TypedDict

import msgspec

from warmlead.domain.consent import Cause, ConsentFact, facts_of_days
from warmlead.domain.event_names import our_name
from warmlead.domain.history import Counts, DayCounts, History
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.lead import NoteFact, Touch, Trail
from warmlead.domain.packed_history import NONE_PACKED, RECORD, KeptEvent, Packed, Shape
from warmlead.domain.sales import SalesStatus, Statement
from warmlead.domain.traits import TraitFact
from warmlead.domain.unjudged import Unjudged
from warmlead.stores.readings_codec import ReadingsV1, read_readings, write_readings

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values, as JSON has them: lists of two."""

_ENCODER = msgspec.json.Encoder()
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_to_us(moment: datetime | None) -> int | None:
    """Microseconds since 1970, of a time if there is one."""
    return None if moment is None else to_us(moment)


def maybe_from_us(moment_us: int | None) -> datetime | None:
    """The time of microseconds since 1970, if there are any."""
    return None if moment_us is None else from_us(moment_us)


def from_us(moment_us: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment_us)


def pairs(lists: Pairs) -> tuple[tuple[str, str], ...]:
    """The pairs of JSON's lists."""
    return tuple([(name, value) for name, value in lists])


def dump(document: object) -> str:
    """A document as one JSON text in ASCII, without spaces.

    ``msgspec`` takes a fifth of the time of ``json``, but writes other characters as they are, and
    does not take half a surrogate pair, which a sender's text may hold and no store takes.
    """
    with suppress(UnicodeEncodeError):
        text = _ENCODER.encode(document)
        if text.isascii():
            return text.decode()
    return _ASCII_ENCODER.encode(document)


Shapes: TypeAlias = dict[Shape, int]
"""Pairs of name and signals, numbered: the columns of events name them by number."""

_TouchV1: TypeAlias = tuple[int, str, Pairs] | None


_StatementV2: TypeAlias = tuple[int, int, str, str, str, str, int | None, str]
"""The fields of a ``Statement``, in order, without its details."""

_ConsentV3: TypeAlias = tuple[int, int, str, str, str, str, int]
"""When, rank, key, cause, source, mailing list, and how long after it was received."""


_StepV3: TypeAlias = tuple[int, str, int, str, str, Pairs]
"""The fields of a ``NotableStep``, in order."""

_StepV4: TypeAlias = _StepV3 | tuple[int, int, int, *tuple[Pairs, ...]]
"""If its event is kept: the event's place, the trust's rank, which of the signals, and details."""

_KEY_CHARS = 16
"""The length of an event's key."""


class _KeptV4(TypedDict):
    at: list[int]
    received: NotRequired[list[int]]  # without it: each as it happened
    keys: str | list[str]  # one text of keys of the usual length
    shapes: list[int]
    marks: NotRequired[list[str]]  # if some event has one


class _PackedV3(TypedDict):
    count: int
    days: list[tuple[int, list[int]]]


class TrailV1(TypedDict):
    """A trail, as JSON has it. What there is none of is absent, but present up to version 3."""

    who: tuple[int, str]
    links: NotRequired[list[str]]
    claim: NotRequired[tuple[int, int, str, str] | None]
    kept: NotRequired[_KeptV4]
    signals: NotRequired[dict[str, list[int]]]
    names: NotRequired[dict[str, list[int]]]
    last: NotRequired[dict[str, int]]
    traits: NotRequired[dict[str, tuple[int, int, str, str]]]
    first_touch: NotRequired[_TouchV1]
    last_touch: NotRequired[_TouchV1]
    lost: NotRequired[list[tuple[int, int, str, str]]]
    packed: NotRequired[_PackedV3]
    landing: NotRequired[_TouchV1]
    direct: NotRequired[bool]
    statements: NotRequired[list[_StatementV2]]
    notes: NotRequired[list[NoteFact]]
    erased: NotRequired[int]
    signed: NotRequired[bool]
    former: NotRequired[list[str]]
    consent: NotRequired[list[_ConsentV3]]
    told: NotRequired[tuple[int, int]]
    steps: NotRequired[list[_StepV4]]
    sales_details: NotRequired[dict[str, Pairs]]
    readings: NotRequired[ReadingsV1]
    unjudged: NotRequired[dict[str, tuple[_StepV3 | None, ReadingsV1]]]


def write_trail(trail: Trail, shapes: Shapes) -> TrailV1:
    """The trail's part of a lead's document; adds its shapes to the lead's."""
    document: TrailV1 = {"who": (int(trail.identifier.kind), trail.identifier.value)}
    recent = sorted(trail.history.recent.values())
    _write_history(document, trail.history, recent, shapes)
    if trail.traits:
        document["traits"] = dict(sorted(trail.traits.items()))
    if trail.notes:
        document["notes"] = list(trail.notes)
    if trail.erased_ms is not None:
        document["erased"] = trail.erased_ms
    if trail.steps:
        document["steps"] = _write_steps(trail.steps, recent)
    if readings := write_readings(trail.readings):
        document["readings"] = readings
    if trail.unjudged:
        document["unjudged"] = {
            key: (each.step, write_readings(each.readings))
            for key, each in sorted(trail.unjudged.items())
        }
    _write_stated(document, trail)
    _write_origin(document, trail)
    _write_belonging(document, trail)
    return document


def _write_history(
    document: TrailV1, history: History, recent: Sequence[KeptEvent], shapes: Shapes
) -> None:
    if recent:
        document["kept"] = _write_kept(recent, shapes)
    if history.signal_days:
        document["signals"] = _write_counts(history.signal_days)
    if history.name_days:
        document["names"] = _write_counts(history.name_days)
    if history.last_day:
        document["last"] = dict(sorted(history.last_day.items()))
    if history.packed:
        document["packed"] = _write_packed(history.packed, shapes)


def _write_stated(document: TrailV1, trail: Trail) -> None:
    """What sales has stated, and what was said about mailing."""
    if trail.statements:
        document["statements"] = [_bare(each) for each in sorted(trail.statements.values())]
    if details := {key: each.details for key, each in trail.statements.items() if each.details}:
        document["sales_details"] = dict(sorted(details.items()))
    if trail.consent:
        document["consent"] = [_write_fact(fact) for fact in trail.consent]


def _write_origin(document: TrailV1, trail: Trail) -> None:
    """Where visits came from."""
    if trail.first_touch:
        document["first_touch"] = trail.first_touch
    if trail.last_touch:
        document["last_touch"] = trail.last_touch
    if trail.last_landing:
        document["landing"] = trail.last_landing
    if trail.direct:
        document["direct"] = True


def _write_belonging(document: TrailV1, trail: Trail) -> None:
    """Whose the identifier is."""
    if trail.links:
        document["links"] = sorted(trail.links)
    if trail.claim:
        document["claim"] = trail.claim
    if trail.claims[1:]:
        document["lost"] = list(trail.claims[1:])
    if trail.is_signed:
        document["signed"] = True
    if trail.former_ids:
        document["former"] = sorted(trail.former_ids)
    if trail.told:
        document["told"] = trail.told


def read_trail(document: TrailV1, shapes: Sequence[Shape], packed: Iterator[str]) -> Trail:
    """The trail of its part of a lead's document; takes the text of its packed events."""
    kind, value = document["who"]
    recent = _read_kept(document["kept"], shapes) if "kept" in document else {}
    return Trail(
        identifier=Identifier(Kind(kind), value),
        links=frozenset(document.get("links", ())),
        claims=_read_claims(document),
        history=History(
            recent,
            _read_counts(document.get("signals", {})),
            _read_counts(document.get("names", {})),
            document.get("last", {}),
            _read_packed(document, shapes, packed),
        ),
        traits={name: TraitFact(*fact) for name, fact in document.get("traits", {}).items()},
        first_touch=_read_touch(document.get("first_touch")),
        last_touch=_read_touch(document.get("last_touch")),
        last_landing=_read_touch(document.get("landing")),
        direct=document.get("direct", False),
        statements=_read_statements(document) if "statements" in document else {},
        notes=tuple([NoteFact(*note) for note in document.get("notes", ())]),
        erased_ms=document.get("erased"),
        is_signed=document.get("signed", False),
        former_ids=frozenset(document.get("former", ())),
        consent=tuple(map(_read_fact, document.get("consent", ()))),
        told=_read_told(document.get("told")),
        steps=_read_steps(document["steps"], list(recent.values())) if "steps" in document else (),
        readings=read_readings(document.get("readings")),
        unjudged={
            key: Unjudged(_read_step(step, ()) if step else None, read_readings(readings))
            for key, (step, readings) in document.get("unjudged", {}).items()
        },
    )


def _read_claims(document: TrailV1) -> tuple[Claim, ...]:
    """The claim that wins, and behind it those that lost; an earlier release kept none of them."""
    best = document.get("claim")
    return tuple([Claim(*claim) for claim in (best, *document.get("lost", ())) if claim])


def with_trust_of_facts(trails: Mapping[str, Trail]) -> dict[str, Trail]:
    """The trails of a lead without marks of signed sources and without times of receipt.

    Signed traits, statements, links and signed claims show the first. A public claim gets the time
    of receipt of its event, if that event is still kept.
    """
    return {
        id_: replace(
            trail,
            is_signed=bool(
                trail.links
                or trail.statements
                or (trail.claim and not trail.claim.distrust)
                or any(fact.rank for fact in trail.traits.values())
            ),
            claims=tuple(_as_received(claim, trails) for claim in trail.claims),
        )
        for id_, trail in trails.items()
    }


def _as_received(claim: Claim, trails: Mapping[str, Trail]) -> Claim:
    owner = trails.get(claim.owner)
    event = owner.history.kept.get(claim.key) if owner else None
    return claim._replace(at_ms=event.received_ms) if claim.distrust and event else claim


def with_consent_of_days(trail: Trail) -> Trail:
    """A trail of a release that kept no consent, with the consent from the days of its events."""
    days = ((our_name(name), day) for name, day in trail.history.last_day.items())
    return replace(trail, consent=facts_of_days(days))


def _write_kept(events: Sequence[KeptEvent], shapes: Shapes) -> _KeptV4:
    keys = [event.key for event in events]
    document: _KeptV4 = {
        "at": _differences([event.at_ms for event in events]),
        "keys": "".join(keys) if all(len(key) == _KEY_CHARS for key in keys) else keys,
        "shapes": [shapes.setdefault((e.name, e.signals), len(shapes)) for e in events],
    }
    delays = [event.received_ms - event.at_ms for event in events]
    if any(delays):
        document["received"] = delays
    if any(marks := [event.mark for event in events]):
        document["marks"] = marks
    return document


def _read_kept(columns: _KeptV4, shapes: Sequence[Shape]) -> dict[str, KeptEvent]:
    keys = columns["keys"]
    if isinstance(keys, str):
        keys = [keys[at : at + _KEY_CHARS] for at in range(0, len(keys), _KEY_CHARS)]
    delays = columns.get("received") or (0,) * len(keys)
    marks = columns.get("marks") or ("",) * len(keys)
    times = accumulate(columns["at"])
    rows = zip(times, delays, keys, columns["shapes"], marks, strict=True)
    return {
        key: KeptEvent(at, key, at + delay, *shapes[shape], mark)
        for at, delay, key, shape, mark in rows
    }


def _write_packed(packed: Packed, shapes: Shapes) -> _PackedV3:
    return {
        "count": len(packed),
        "days": [
            (shapes.setdefault(shape, len(shapes)), _write_days(days))
            for shape, days in sorted(packed.days.items())
        ],
    }


def _read_packed(document: TrailV1, shapes: Sequence[Shape], texts: Iterator[str]) -> Packed:
    fields = document.get("packed")
    if fields is None:
        return NONE_PACKED
    days = {shapes[number]: _read_days(flat) for number, flat in fields["days"]}
    return Packed(next(texts), days)


def packed_texts(document: Iterable[TrailV1], text: str) -> Iterator[str]:
    """The texts of packed events that stand behind the JSON, one for each trail that has some."""
    start = 0
    for trail in document:
        if "packed" in trail:
            end = start + trail["packed"]["count"] * RECORD
            yield text[start:end]
            start = end


def _write_counts(counts: Counts) -> dict[str, list[int]]:
    return {label: _write_days(of_days) for label, of_days in sorted(counts.items())}


def _write_days(counts: DayCounts) -> list[int]:
    """The days, each as the difference from the one before, then their counts."""
    days = sorted(counts)
    return [*_differences(days), *[counts[day] for day in days]]


def _read_counts(flat: Mapping[str, list[int]]) -> dict[str, dict[int, int]]:
    return {label: _read_days(values) for label, values in flat.items()}


def _read_days(values: list[int]) -> dict[int, int]:
    half = len(values) // 2
    return dict(zip(accumulate(values[:half]), values[half:], strict=True))


def _differences(values: Sequence[int]) -> list[int]:
    return list(map(sub, values, (0, *values)))


def _read_touch(fields: _TouchV1) -> Touch | None:
    return Touch(fields[0], fields[1], pairs(fields[2])) if fields else None


def _bare(said: Statement) -> _StatementV2:
    first = (said.at_ms, said.rank, said.key, str(said.said), said.source)
    return (*first, said.reason, said.value_cents, said.currency)


def _read_statements(document: TrailV1) -> dict[str, Statement]:
    """The statements; their details stand apart, since earlier releases had none."""
    details = document.get("sales_details", {})
    bare = map(_read_statement, document["statements"])
    return {each.key: each._replace(details=pairs(details.get(each.key, ()))) for each in bare}


def _read_statement(fields: _StatementV2) -> Statement:
    at_ms, rank, key, said, source, reason, value_cents, currency = fields
    return Statement(at_ms, rank, key, SalesStatus(said), source, reason, value_cents, currency)


def _write_steps(steps: Sequence[NotableStep], kept: Sequence[KeptEvent]) -> list[_StepV4]:
    """The steps; of those whose event is kept only what the event does not say."""
    places = {event.key: place for place, event in enumerate(kept)}
    return [_write_step(step, places.get(step.key), kept) for step in steps]


def _write_step(step: NotableStep, place: int | None, kept: Sequence[KeptEvent]) -> _StepV4:
    event = None if place is None else kept[place]
    same = event is not None and (event.at_ms, event.name) == (step.at_ms, step.name)
    if place is None or event is None or not same or step.signal not in event.signals:
        return step
    details = (step.details,) if step.details else ()
    return (place, step.rank, event.signals.index(step.signal), *details)


def _read_steps(steps: Iterable[_StepV4], kept: Sequence[KeptEvent]) -> tuple[NotableStep, ...]:
    return tuple([_read_step(fields, kept) for fields in steps])


def _read_step(fields: Sequence[Any], kept: Sequence[KeptEvent]) -> NotableStep:
    if len(fields) == len(NotableStep._fields):
        at_ms, key, rank, name, signal, details = fields
        return NotableStep(at_ms, key, rank, name, signal, pairs(details))
    place, rank, which, *more = fields
    event = kept[place]
    details = pairs(*more) if more else ()
    return NotableStep(event.at_ms, event.key, rank, event.name, event.signals[which], details)


def _write_fact(fact: ConsentFact) -> _ConsentV3:
    delay_ms = fact.received_ms - fact.at_ms
    return (
        *(fact.at_ms, fact.rank, fact.key, str(fact.cause)),
        *(fact.source, fact.mailing_list, delay_ms),
    )


def _read_fact(fields: _ConsentV3) -> ConsentFact:
    at_ms, rank, key, cause, source, mailing_list, delay_ms = fields
    return ConsentFact.of(
        Cause(cause),
        at_ms=at_ms,
        rank=rank,
        key=key,
        source=source,
        mailing_list=mailing_list,
        received_ms=at_ms + delay_ms,
    )


def _read_told(fields: tuple[int, int] | None) -> tuple[int, int] | None:
    return (fields[0], fields[1]) if fields else None
