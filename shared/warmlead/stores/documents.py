"""A lead as one JSON text, and back: the format in which every store keeps leads.

Refuses to know where the text is kept. The text is compact, because it is read and written
with every event, and the same for the same lead, in whatever order its events came.

Version 2. Version 1 is the same without what sales said, offers, enrolments and the times at
which the lead must be looked at again; what is empty of these is left out. Times of events are
milliseconds, others microseconds since 1970. Kept events are columns, sorted by time: a time is
the difference from the one before, a receipt that from the event's time, and a shape is the
number of a pair of name and signals in ``shapes``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from warmlead.domain.errors import UnavailableError
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import Counts, History, KeptEvent
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.lead import Lead, Snapshot, Touch, Trail, TraitFact
from warmlead.domain.lifecycle import MODEL, Cooling, Progress, Transition
from warmlead.domain.nurture import Enrolment
from warmlead.domain.sales import Said, Statement
from warmlead.domain.trigger import Topic, Trigger

VERSION = 2

LONG_AGO = 0
"""The ``decay_on`` of leads that were written before there was any."""

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


_StatementV2: TypeAlias = tuple[int, int, str, str, str, str, int | None, str]
"""The fields of a ``Statement``, in order."""


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
    statements: NotRequired[list[_StatementV2]]


class _ProgressV1(TypedDict):
    stage: str
    since: int
    entered: dict[str, int]
    peak: int
    cooling: tuple[int, int] | None
    verdict: NotRequired[str]
    grounds: NotRequired[str]


class _EnrolmentV2(TypedDict):
    run: int
    started: int
    position: int
    next: int | None
    ended: int | None
    ending: str


class _OfferV2(TypedDict):
    cycle: int
    stage: str
    at: int
    owner: str
    told: list[str]
    touched: int | None
    closed: int | None
    answer: str


class _LeadV1(TypedDict):
    v: int
    id: str
    created: int
    progress: _ProgressV1
    snapshot: tuple[int, int, int, int, str] | None
    outbox: list[tuple[str, str, int, str, _Pairs]]
    shapes: list[_Shape]
    trails: dict[str, _TrailV1]
    enrolments: NotRequired[dict[str, _EnrolmentV2]]
    offer: NotRequired[_OfferV2]
    decay_on: NotRequired[int]
    due_at: NotRequired[int]


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
    source: NotRequired[str]
    attribution: NotRequired[_Pairs]


def write_lead(lead: Lead, extra: Mapping[str, object] | None = None) -> str:
    """The lead's text, in ASCII; ``extra`` are the fields that its last reading left over."""
    shapes: _Shapes = {}
    trails = {id_: _write_trail(trail, shapes) for id_, trail in sorted(lead.trails.items())}
    document: _LeadV1 = {
        "v": VERSION,
        "id": lead.id,
        "created": to_us(lead.created_at),
        "progress": _write_progress(lead.progress),
        "snapshot": _snapshot_fields(lead.snapshot) if lead.snapshot else None,
        "outbox": [(t.id, t.topic, to_us(t.at), t.body, t.attributes) for t in lead.outbox],
        "shapes": list(shapes),
        "trails": trails,
    }
    if lead.enrolments:
        ordered = sorted(lead.enrolments.items())
        document["enrolments"] = {name: _write_enrolment(each) for name, each in ordered}
    if lead.offer:
        document["offer"] = _write_offer(lead.offer)
    if lead.decay_on is not None:
        document["decay_on"] = lead.decay_on
    if lead.due_at is not None:
        document["due_at"] = to_us(lead.due_at)
    return _dump({**(extra or {}), **document})


def read_lead(text: str) -> LeadDocument:
    """The lead of a text. Raises ``UnavailableError`` if only a newer release can read it."""
    document = json.loads(text)
    reader = _READERS.get(document["v"])
    if reader is None:
        raise UnavailableError("a newer release of Warmlead has written this lead")
    return reader(document)


def _read_v2(document: _LeadV1) -> LeadDocument:
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
        enrolments={
            name: _read_enrolment(name, each)
            for name, each in document.get("enrolments", {}).items()
        },
        offer=_read_offer(document["offer"]) if "offer" in document else None,
        decay_on=document.get("decay_on"),
        due_at=_maybe_from_us(document.get("due_at")),
    )
    known = _LeadV1.__annotations__
    return LeadDocument(lead, {k: value for k, value in document.items() if k not in known})


def _read_v1(document: _LeadV1) -> LeadDocument:
    """A lead that was never asked when it must be looked at: it is due at once."""
    lead, extra = _read_v2(document)
    return LeadDocument(replace(lead, decay_on=LONG_AGO), extra)


_READERS: Mapping[int, Callable[[_LeadV1], LeadDocument]] = {1: _read_v1, 2: _read_v2}
"""How to read what this release and the one before wrote; only the present version is written."""


def write_transition(transition: Transition) -> str:
    """The record of a move as one JSON text."""
    document: _TransitionV1 = {
        "v": VERSION,
        "at": to_us(transition.at),
        "from_stage": transition.from_stage,
        "to_stage": transition.to_stage,
        "cycle": transition.cycle,
        "reason": transition.reason,
        "score": transition.score,
        "fit": transition.fit,
        "hours": transition.hours_in_stage,
        "model": transition.model_version,
    }
    if transition.source != MODEL:
        document["source"] = transition.source
    if transition.attribution:
        document["attribution"] = transition.attribution
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
        source=document.get("source", MODEL),
        attribution=_pairs(document.get("attribution", ())),
    )


def _write_trail(trail: Trail, shapes: _Shapes) -> _TrailV1:
    history = trail.history
    document: _TrailV1 = {
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
    if trail.statements:
        document["statements"] = sorted(trail.statements.values())
    return document


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
        statements={
            each.key: each for each in map(_read_statement, document.get("statements", ()))
        },
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


def _read_statement(fields: _StatementV2) -> Statement:
    at_ms, rank, key, said, source, reason, value_cents, currency = fields
    return Statement(at_ms, rank, key, Said(said), source, reason, value_cents, currency)


def _write_progress(progress: Progress) -> _ProgressV1:
    cooling = progress.cooling
    document: _ProgressV1 = {
        "stage": progress.stage,
        "since": to_us(progress.since),
        "entered": dict(sorted(progress.entered.items())),
        "peak": progress.peak_score,
        "cooling": (to_us(cooling.since), to_us(cooling.until)) if cooling else None,
    }
    if progress.verdict:
        document["verdict"] = progress.verdict
    if progress.grounds is not None:
        document["grounds"] = progress.grounds
    return document


def _read_progress(document: _ProgressV1) -> Progress:
    cooling = document["cooling"]
    return Progress(
        stage=document["stage"],
        since=_from_us(document["since"]),
        entered=document["entered"],
        peak_score=document["peak"],
        cooling=Cooling(_from_us(cooling[0]), _from_us(cooling[1])) if cooling else None,
        verdict=document.get("verdict", ""),
        grounds=document.get("grounds"),
    )


def _write_enrolment(enrolment: Enrolment) -> _EnrolmentV2:
    return {
        "run": enrolment.run,
        "started": to_us(enrolment.started_at),
        "position": enrolment.position,
        "next": _maybe_to_us(enrolment.next_at),
        "ended": _maybe_to_us(enrolment.ended_at),
        "ending": enrolment.ending,
    }


def _read_enrolment(name: str, document: _EnrolmentV2) -> Enrolment:
    return Enrolment(
        sequence=name,
        run=document["run"],
        started_at=_from_us(document["started"]),
        position=document["position"],
        next_at=_maybe_from_us(document["next"]),
        ended_at=_maybe_from_us(document["ended"]),
        ending=document["ending"],
    )


def _write_offer(offer: Offer) -> _OfferV2:
    return {
        "cycle": offer.cycle,
        "stage": offer.stage,
        "at": to_us(offer.at),
        "owner": offer.owner,
        "told": sorted(offer.told),
        "touched": _maybe_to_us(offer.touched_at),
        "closed": _maybe_to_us(offer.closed_at),
        "answer": offer.answer,
    }


def _read_offer(document: _OfferV2) -> Offer:
    return Offer(
        cycle=document["cycle"],
        stage=document["stage"],
        at=_from_us(document["at"]),
        owner=document["owner"],
        told=frozenset(Deadline(told) for told in document["told"]),
        touched_at=_maybe_from_us(document["touched"]),
        closed_at=_maybe_from_us(document["closed"]),
        answer=document["answer"],
    )


def _snapshot_fields(s: Snapshot) -> tuple[int, int, int, int, str]:
    return s.score, s.engagement, s.fit, s.day, s.model_version


def _pairs(lists: _Pairs) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in lists)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def _maybe_to_us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)


def _maybe_from_us(moment_us: int | None) -> datetime | None:
    return None if moment_us is None else _from_us(moment_us)


def _from_us(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)


def _dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
