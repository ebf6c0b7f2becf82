"""Leads and moves between stages as JSON text and back: the format of every store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, NotRequired, TypedDict

from warmlead.domain.alerts import AlertRecord
from warmlead.domain.errors import UnavailableError
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.lead import Lead, Snapshot
from warmlead.domain.mirror import NOT_MIRRORED, Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import Shape
from warmlead.domain.stages import MODEL, Cooling, MoveCause, Progress, Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import Unreadable
from warmlead.stores.trail_codec import (
    Pairs,
    Shapes,
    TrailV1,
    dump,
    from_us,
    maybe_from_us,
    maybe_to_us,
    packed_texts,
    pairs,
    read_trail,
    to_us,
    with_consent_of_days,
    with_trust_of_facts,
    write_trail,
)

MOVE_VERSION = 3


class _Document(TypedDict):
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
    attribution: NotRequired[Pairs]
    touch_by: NotRequired[int]
    accept_by: NotRequired[int]
    cause: NotRequired[str]  # not in version 2: it stands in the reason
    detail: NotRequired[str]


def write_transition(transition: Transition) -> str:
    """The record of a move as one JSON text."""
    document: _Document = {
        "v": MOVE_VERSION,
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
    if transition.touch_by is not None:
        document["touch_by"] = to_us(transition.touch_by)
    if transition.accept_by is not None:
        document["accept_by"] = to_us(transition.accept_by)
    if transition.cause is not MoveCause.UNKNOWN:
        document["cause"] = transition.cause
    if transition.detail:
        document["detail"] = transition.detail
    return dump(document)


def read_transition(text: str) -> Transition:
    """The move of a text; fields of a newer release are ignored."""
    document: _Document = json.loads(text)
    cause, detail = _cause_of(document)
    return Transition(
        at=from_us(document["at"]),
        from_stage=document["from_stage"],
        to_stage=document["to_stage"],
        cycle=document["cycle"],
        reason=document["reason"],
        score=document["score"],
        fit=document["fit"],
        hours_in_stage=document["hours"],
        model_version=document["model"],
        source=document.get("source", MODEL),
        attribution=pairs(document.get("attribution", ())),
        touch_by=maybe_from_us(document.get("touch_by")),
        accept_by=maybe_from_us(document.get("accept_by")),
        cause=cause,
        detail=detail,
    )


_CAUSES_IN_WORDS = (
    ("became known by", MoveCause.KNOWN),
    ("stage's enter condition holds", MoveCause.ENTERED),
    ("stage's leave condition holds", MoveCause.LEFT),
    ("opens the", MoveCause.BYPASSED),
    ("the model has no", MoveCause.DROPPED),
    ("what spoke against the lead's fit", MoveCause.FIT_CHANGED),
)
"""The sentences of version 2."""


def _cause_of(document: _Document) -> tuple[MoveCause, str]:
    """Why a lead moved; of a move of version 2 it is read from the sentence."""
    if document["v"] >= MOVE_VERSION:
        known = document.get("cause", "") in set(MoveCause)
        return MoveCause(document["cause"]) if known else MoveCause.UNKNOWN, document.get(
            "detail", ""
        )
    reason = document["reason"]
    if document.get("source", MODEL) == MODEL:
        found = (cause for words, cause in _CAUSES_IN_WORDS if words in reason)
        cause = next(found, MoveCause.UNKNOWN)
        return cause, reason.partition(" ")[0] if cause is MoveCause.BYPASSED else ""
    said, _, detail = reason.removeprefix("sales: ").partition(" (")
    if said not in set(MoveCause):
        return MoveCause.UNKNOWN, ""
    detail = detail.removesuffix(")")
    return MoveCause(said), detail.replace(" ", "_") if said == MoveCause.REJECTED else detail


VERSION = 3

LONG_AGO = 0
"""The ``decay_on`` of leads that were written before there was any."""


class LeadDocument(NamedTuple):
    """A lead, and what a newer release keeps beside it, written back untouched; unpacked."""

    lead: Lead
    extra: Mapping[str, object]


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


class _MirrorV3(TypedDict):
    prints: dict[str, str]
    count: int
    at: int | None
    due: int | None


class _LeadV1(TypedDict):
    v: int
    id: str
    created: int
    progress: _ProgressV1
    snapshot: tuple[int, int, int, int, str] | None
    outbox: list[tuple[str, str, int, str, Pairs]]
    shapes: list[Shape]
    trails: dict[str, TrailV1]
    enrolments: NotRequired[dict[str, _EnrolmentV2]]
    offer: NotRequired[_OfferV2]
    alerted: NotRequired[dict[str, tuple[int, int]]]
    mirror: NotRequired[_MirrorV3]
    decay_on: NotRequired[int]
    due_at: NotRequired[int]
    knows: NotRequired[tuple[str, dict[str, int]]]


def write_lead(lead: Lead, extra: Mapping[str, object] | None = None) -> str:
    """The lead's text, in ASCII; ``extra`` are the fields that its last reading left over."""
    shapes: Shapes = {}
    trails = {id_: write_trail(trail, shapes) for id_, trail in sorted(lead.trails.items())}
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
    if lead.alerted:
        records = sorted(lead.alerted.items())
        document["alerted"] = {name: (each.count, to_us(each.at)) for name, each in records}
    if lead.mirror != NOT_MIRRORED:
        document["mirror"] = _write_mirror(lead.mirror)
    if lead.decay_on is not None:
        document["decay_on"] = lead.decay_on
    if lead.due_at is not None:
        document["due_at"] = to_us(lead.due_at)
    if lead.knowledge is not None:
        document["knows"] = (lead.knowledge.marks, dict(sorted(lead.knowledge.since.items())))
    packed = [t.history.packed.text for _, t in sorted(lead.trails.items()) if t.history.packed]
    text = dump({**(extra or {}), **document})
    return "".join((text, "\n", *packed)) if packed else text


def read_lead(text: str) -> LeadDocument:
    """The lead of a text. Raises ``UnavailableError`` if only a newer release can read it."""
    head, _, packed = text.partition("\n")
    document = json.loads(head)
    reader = _READERS.get(document["v"])
    if reader is None:
        raise UnavailableError(f"written by another release, in version {document['v']}")
    return reader(document, packed)


def read_lead_at(id_: str, text: str) -> LeadDocument | Unreadable:
    """The lead of a text at an id, or the error in the text."""
    try:
        read = read_lead(text)
    except UnavailableError as error:
        return Unreadable(id_, error.message)
    except Exception as error:  # noqa: BLE001  # what is damaged may fail in any way
        return Unreadable(id_, f"damaged: {type(error).__name__}")
    return read if read.lead.id == id_ else Unreadable(id_, "damaged: it is another lead's")


def lead_of(read: LeadDocument | Unreadable) -> Lead | Unreadable:
    """The lead, without what a newer release keeps beside it."""
    return read.lead if isinstance(read, LeadDocument) else read


def _read_v3(document: _LeadV1, packed: str) -> LeadDocument:
    shapes = [(name, tuple(signals)) for name, signals in document["shapes"]]
    snapshot = document["snapshot"]
    texts = packed_texts(document["trails"].values(), packed)
    lead = Lead(
        id=document["id"],
        trails={id_: read_trail(trail, shapes, texts) for id_, trail in document["trails"].items()},
        progress=_read_progress(document["progress"]),
        created_at=from_us(document["created"]),
        snapshot=Snapshot(*snapshot) if snapshot else None,
        outbox=tuple(
            Trigger(id_, Topic(topic), from_us(at), body, pairs(attributes))
            for id_, topic, at, body, attributes in document["outbox"]
        ),
        enrolments={
            name: _read_enrolment(name, each)
            for name, each in document.get("enrolments", {}).items()
        },
        offer=_read_offer(document["offer"]) if "offer" in document else None,
        alerted={
            name: AlertRecord(count, from_us(at))
            for name, (count, at) in document.get("alerted", {}).items()
        },
        mirror=_read_mirror(document["mirror"]) if "mirror" in document else NOT_MIRRORED,
        decay_on=document.get("decay_on"),
        due_at=maybe_from_us(document.get("due_at")),
        knowledge=Knowledge(*document["knows"]) if "knows" in document else None,
    )
    known = _LeadV1.__annotations__
    return LeadDocument(lead, {k: value for k, value in document.items() if k not in known})


def _read_v2(document: _LeadV1, packed: str) -> LeadDocument:
    """A lead of a release that did not record which identifiers a signed source named.

    Its facts show that. Of consent that release kept the days of statements.
    """
    lead, extra = _read_v3(document, packed)
    trails = with_trust_of_facts(lead.trails)
    trails = {id_: with_consent_of_days(trail) for id_, trail in trails.items()}
    return LeadDocument(replace(lead, trails=trails), extra)


def _read_v1(document: _LeadV1, packed: str) -> LeadDocument:
    """A lead without a review day: it is due at once."""
    lead, extra = _read_v2(document, packed)
    return LeadDocument(replace(lead, decay_on=LONG_AGO), extra)


_READERS: Mapping[int, Callable[[_LeadV1, str], LeadDocument]] = {
    1: _read_v1,
    2: _read_v2,
    3: _read_v3,
}
"""Readers for the versions of this and earlier releases; only the present one is written."""


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
        since=from_us(document["since"]),
        entered=document["entered"],
        peak_score=document["peak"],
        cooling=Cooling(from_us(cooling[0]), from_us(cooling[1])) if cooling else None,
        verdict=document.get("verdict", ""),
        grounds=document.get("grounds"),
    )


def _write_enrolment(enrolment: Enrolment) -> _EnrolmentV2:
    return {
        "run": enrolment.run,
        "started": to_us(enrolment.started_at),
        "position": enrolment.position,
        "next": maybe_to_us(enrolment.next_at),
        "ended": maybe_to_us(enrolment.ended_at),
        "ending": enrolment.ending,
    }


def _read_enrolment(name: str, document: _EnrolmentV2) -> Enrolment:
    return Enrolment(
        sequence=name,
        run=document["run"],
        started_at=from_us(document["started"]),
        position=document["position"],
        next_at=maybe_from_us(document["next"]),
        ended_at=maybe_from_us(document["ended"]),
        ending=document["ending"],
    )


def _write_offer(offer: Offer) -> _OfferV2:
    return {
        "cycle": offer.cycle,
        "stage": offer.stage,
        "at": to_us(offer.at),
        "owner": offer.owner,
        "told": sorted(offer.told),
        "touched": maybe_to_us(offer.touched_at),
        "closed": maybe_to_us(offer.closed_at),
        "answer": offer.answer,
    }


def _read_offer(document: _OfferV2) -> Offer:
    return Offer(
        cycle=document["cycle"],
        stage=document["stage"],
        at=from_us(document["at"]),
        owner=document["owner"],
        told=frozenset(Deadline(told) for told in document["told"]),
        touched_at=maybe_from_us(document["touched"]),
        closed_at=maybe_from_us(document["closed"]),
        answer=document["answer"],
    )


def _write_mirror(mirror: Mirror) -> _MirrorV3:
    return {
        "prints": dict(sorted(mirror.prints.items())),
        "count": mirror.count,
        "at": maybe_to_us(mirror.at),
        "due": maybe_to_us(mirror.due),
    }


def _read_mirror(document: _MirrorV3) -> Mirror:
    return Mirror(
        prints=document["prints"],
        count=document["count"],
        at=maybe_from_us(document["at"]),
        due=maybe_from_us(document["due"]),
    )


def _snapshot_fields(s: Snapshot) -> tuple[int, int, int, int, str]:
    return s.score, s.engagement, s.fit, s.day, s.model_version
