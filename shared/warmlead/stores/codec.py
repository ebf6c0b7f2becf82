"""Leads and moves between stages as JSON text and back: the format of every store."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from warmlead.domain.alerts import AlertRecord
from warmlead.domain.errors import UnavailableError
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.knowledge import MARK, Knowledge
from warmlead.domain.lead import Lead
from warmlead.domain.mirror import NOT_MIRRORED, Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import Shape
from warmlead.domain.shadow import Shadow, ShadowMove
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import Cooling, DayOfMoves, MoveCause, Progress, Rest
from warmlead.domain.traits import stored_value
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

VERSION = 4

LONG_AGO = 0
"""The ``decay_on`` of leads that were written before there was any."""


class LeadDocument(NamedTuple):
    """A lead, and what a newer release keeps beside it, written back untouched; unpacked."""

    lead: Lead
    extra: Mapping[str, object]


class _ProgressV1(TypedDict):
    stage: str
    since: int
    entered: NotRequired[dict[str, int]]
    peak: int
    cooling: NotRequired[tuple[int, int] | None]
    verdict: NotRequired[str]
    grounds: NotRequired[str]
    learnt: NotRequired[int]
    rest: NotRequired[tuple[int, str, str]]
    moved: NotRequired[tuple[int, int]]
    qualified: NotRequired[int]
    held: NotRequired[bool]


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
    owed: NotRequired[int]


class _MirrorV3(TypedDict):
    prints: dict[str, str]
    count: int
    at: int | None
    due: int | None


_MoveV4: TypeAlias = tuple[int, str, str, int, int, str, str, str, int | None]


class _ShadowV4(TypedDict):
    v: str
    since: int
    progress: _ProgressV1
    scored: NotRequired[tuple[int, int, int, int]]
    knows: NotRequired[tuple[str, dict[str, int]]]
    moves: NotRequired[list[_MoveV4]]


class _LeadV1(TypedDict):
    v: int
    id: str
    created: int
    progress: _ProgressV1
    snapshot: NotRequired[tuple[int, int, int, int, str] | None]
    grade: NotRequired[str]
    active: NotRequired[int]
    outbox: NotRequired[list[tuple[str, str, int, str, Pairs]]]
    shapes: NotRequired[list[Shape]]
    trails: dict[str, TrailV1]
    enrolments: NotRequired[dict[str, _EnrolmentV2]]
    offer: NotRequired[_OfferV2]
    alerted: NotRequired[dict[str, tuple[int, int]]]
    mirror: NotRequired[_MirrorV3]
    decay_on: NotRequired[int]
    due_at: NotRequired[int]
    knows: NotRequired[tuple[str, dict[str, int]]]
    """The marks in hexadecimal digits; since version 4 in Base64."""
    shadow: NotRequired[_ShadowV4]


_KNOWN = frozenset(_LeadV1.__annotations__)


def write_lead(lead: Lead, extra: Mapping[str, object] | None = None) -> str:
    """The lead's text, in ASCII; ``extra`` are the fields that its last reading left over."""
    shapes: Shapes = {}
    trails = {id_: write_trail(trail, shapes) for id_, trail in sorted(lead.trails.items())}
    document: _LeadV1 = {
        "v": VERSION,
        "id": lead.id,
        "created": to_us(lead.created_at),
        "progress": _write_progress(lead.progress),
        "trails": trails,
    }
    if shapes:
        document["shapes"] = list(shapes)
    _write_state(document, lead)
    if lead.decay_on is not None:
        document["decay_on"] = lead.decay_on
    if lead.due_at is not None:
        document["due_at"] = to_us(lead.due_at)
    if lead.knowledge is not None:
        document["knows"] = _write_knowledge(lead.knowledge)
    if lead.shadow is not None:
        document["shadow"] = _write_shadow(lead.shadow)
    packed = [t.history.packed.text for _, t in sorted(lead.trails.items()) if t.history.packed]
    text = dump({**(extra or {}), **document})
    return "".join((text, "\n", *packed)) if packed else text


def _write_state(document: _LeadV1, lead: Lead) -> None:
    """What is decided about the lead, and what waits to be sent."""
    if lead.snapshot:
        s = lead.snapshot
        document["snapshot"] = s.score, s.engagement, s.fit, s.day, s.model_version
        if s.grade:
            document["grade"] = s.grade
        if s.active_day is not None:
            document["active"] = s.active_day
    if lead.outbox:
        document["outbox"] = [
            (t.id, t.topic, to_us(t.at), t.body, t.attributes) for t in lead.outbox
        ]
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


def read_lead(text: str) -> LeadDocument:
    """The lead of a text. Raises ``UnavailableError`` if only a newer release can read it."""
    head, _, packed = text.partition("\n")
    document = stored_value(head)
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


def _read_v4(document: _LeadV1, packed: str) -> LeadDocument:
    return _read(document, packed, _read_knowledge)


def _read(
    document: _LeadV1, packed: str, knowledge: Callable[[str, Mapping[str, int]], Knowledge]
) -> LeadDocument:
    shapes = [(name, tuple(signals)) for name, signals in document.get("shapes", ())]
    snapshot = document.get("snapshot")
    texts = packed_texts(document["trails"].values(), packed)
    lead = Lead(
        id=document["id"],
        trails={id_: read_trail(trail, shapes, texts) for id_, trail in document["trails"].items()},
        progress=_read_progress(document["progress"]),
        created_at=from_us(document["created"]),
        snapshot=Snapshot(*snapshot, document.get("grade", ""), document.get("active"))
        if snapshot
        else None,
        outbox=tuple(
            Trigger(id_, Topic(topic), from_us(at), body, pairs(attributes))
            for id_, topic, at, body, attributes in document.get("outbox", ())
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
        knowledge=knowledge(*document["knows"]) if "knows" in document else None,
        shadow=_read_shadow(document["shadow"]) if "shadow" in document else None,
    )
    if document.keys() <= _KNOWN:
        return LeadDocument(lead, {})
    return LeadDocument(lead, {k: value for k, value in document.items() if k not in _KNOWN})


def _read_v3(document: _LeadV1, packed: str) -> LeadDocument:
    """A lead of a release that wrote all fields, and the marks of its knowledge as digits."""
    return _read(document, packed, Knowledge)


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
    4: _read_v4,
}
"""Readers for the versions of this and earlier releases; only the present one is written."""


def _write_progress(progress: Progress) -> _ProgressV1:
    cooling = progress.cooling
    document: _ProgressV1 = {
        "stage": progress.stage,
        "since": to_us(progress.since),
        "peak": progress.peak_score,
    }
    if progress.entered:
        document["entered"] = dict(sorted(progress.entered.items()))
    if cooling:
        document["cooling"] = (to_us(cooling.since), to_us(cooling.until))
    if progress.verdict:
        document["verdict"] = progress.verdict
    if progress.grounds is not None:
        document["grounds"] = progress.grounds
    if progress.learnt is not None:
        document["learnt"] = to_us(progress.learnt)
    if rest := progress.rest:
        document["rest"] = (to_us(rest.since), rest.from_stage, rest.reason)
    if moved := progress.moved:
        document["moved"] = (moved.day, moved.count)
    if progress.qualified is not None:
        document["qualified"] = to_us(progress.qualified)
    if progress.held:
        document["held"] = True
    return document


def _read_progress(document: _ProgressV1) -> Progress:
    cooling, rest = document.get("cooling"), document.get("rest")
    return Progress(
        stage=document["stage"],
        since=from_us(document["since"]),
        entered=document.get("entered", {}),
        peak_score=document["peak"],
        cooling=Cooling(from_us(cooling[0]), from_us(cooling[1])) if cooling else None,
        verdict=document.get("verdict", ""),
        grounds=document.get("grounds"),
        learnt=maybe_from_us(document.get("learnt")),
        rest=Rest(from_us(rest[0]), *rest[1:]) if rest else None,
        moved=DayOfMoves(*document["moved"]) if "moved" in document else None,
        qualified=maybe_from_us(document.get("qualified")),
        held=document.get("held", False),
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
    document: _OfferV2 = {
        "cycle": offer.cycle,
        "stage": offer.stage,
        "at": to_us(offer.at),
        "owner": offer.owner,
        "told": sorted(offer.told),
        "touched": maybe_to_us(offer.touched_at),
        "closed": maybe_to_us(offer.closed_at),
        "answer": offer.answer,
    }
    if offer.owed_since is not None:
        document["owed"] = to_us(offer.owed_since)
    return document


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
        owed_since=maybe_from_us(document.get("owed")),
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


def _write_shadow(shadow: Shadow) -> _ShadowV4:
    document: _ShadowV4 = {
        "v": shadow.version,
        "since": to_us(shadow.since),
        "progress": _write_progress(shadow.progress),
    }
    if shadow.day is not None:
        document["scored"] = shadow.score, shadow.engagement, shadow.fit, shadow.day
    if shadow.knowledge is not None:
        document["knows"] = _write_knowledge(shadow.knowledge)
    if shadow.moves:
        document["moves"] = [
            (
                *(to_us(move.at), move.from_stage, move.to_stage, move.score, move.fit),
                *(move.cause, move.reason, move.detail, maybe_to_us(move.learnt)),
            )
            for move in shadow.moves
        ]
    return document


def _read_shadow(document: _ShadowV4) -> Shadow:
    score, engagement, fit, day = document.get("scored", (0, 0, 0, None))
    return Shadow(
        document["v"],
        from_us(document["since"]),
        _read_progress(document["progress"]),
        score,
        engagement,
        fit,
        day,
        knowledge=_read_knowledge(*document["knows"]) if "knows" in document else None,
        moves=tuple(
            ShadowMove(
                *(from_us(at), from_stage, to_stage, score, fit),
                *(_cause(cause), reason, detail, maybe_from_us(learnt)),
            )
            for at, from_stage, to_stage, score, fit, cause, reason, detail, learnt in document.get(
                "moves", ()
            )
        ),
    )


def _cause(written: str) -> MoveCause:
    return MoveCause(written) if written in set(MoveCause) else MoveCause.UNKNOWN


def _write_knowledge(knowledge: Knowledge) -> tuple[str, dict[str, int]]:
    digits = knowledge.marks
    marks = b64encode(bytes.fromhex(digits + "0" * (len(digits) % 2))).decode()
    return marks, dict(sorted(knowledge.since.items()))


def _read_knowledge(marks: str, since: Mapping[str, int]) -> Knowledge:
    return Knowledge(_marks(marks), since)


@lru_cache(maxsize=64)
def _marks(encoded: str) -> str:
    """The marks of a model; a digit behind the last whole one is there to fill a byte."""
    digits = b64decode(encoded).hex()
    return digits[: len(digits) // MARK * MARK]
