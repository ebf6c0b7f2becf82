"""Exports everything that is kept about one person as one document, always in the same order."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, JsonValue

from warmlead.application.explain import Explanation, MoveView, S, Shape, explain, shaped
from warmlead.application.privacy.erase import Mention
from warmlead.application.privacy.exported_readings import ExportedReadings, exported_readings
from warmlead.application.privacy.exported_standing import (
    ExportedKnowledge,
    ExportedNurture,
    ExportedShadow,
    ExportedStage,
    knowledge_row,
    nurture_rows,
    shadow_row,
    stage_row,
)
from warmlead.domain.dispatch import Dispatch
from warmlead.domain.event import Property, event_stating
from warmlead.domain.history import History, from_ms, to_date
from warmlead.domain.identity import Claim
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.rules import Rules
from warmlead.domain.stages import MoveCause, Transition

FORMAT: Literal["warmlead.lead_export.v1"] = "warmlead.lead_export.v1"

Trust = Literal["signed", "public"]
Pairs = Annotated[dict[str, str], BeforeValidator(dict)]
"""Attribution and attributes, which are kept as pairs."""

Sorted = Annotated[list[str], BeforeValidator(sorted)]
"""What is kept in no order."""

_KEPT_AS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "at": ("at_ms", from_ms),
    "received_at": ("received_ms", from_ms),
    "event": ("key", str),
    "trust": ("rank", lambda rank: "signed" if rank else "public"),
}
"""Fields of rows that are kept under another name and in another form."""


def row(shape: type[S], kept: object, **others: Any) -> S:  # noqa: ANN401  # as the fields are
    """A row of the export, of what is kept under the same names or as ``_KEPT_AS`` says.

    ``others`` are fields that are made in another way. Raises ``AttributeError`` if a field is
    not kept at all, so that no field can be forgotten here.
    """
    for name in shape.model_fields:
        if name not in others and not hasattr(kept, name):
            own_name, form = _KEPT_AS.get(name, (name, str))
            others[name] = form(getattr(kept, own_name))
    return shaped(shape, kept, **others)


class ExportedTrait(Shape):
    """A trait as one event stated it: how trusted, in which event, true from when on."""

    name: str
    value: Property
    trust: Trust
    at: datetime
    event: str


class ExportedEvent(Shape):
    """An event that is kept by itself; ``key`` is the hash by which it is counted once.

    ``mark`` are hashes of the mail and the link that it is about, if it is about any.
    """

    key: str
    name: str
    signals: list[str]
    at: datetime
    received_at: datetime
    mark: str


class ExportedCount(Shape):
    """How often something happened on a UTC day, of which the events are no longer kept."""

    kind: Literal["signal", "event"]
    name: str
    day: str
    count: int


class ExportedTouch(Shape):
    """Where a visit came from."""

    at: datetime
    event: str
    attribution: Pairs


class ExportedClaim(Shape):
    """The statement by which an identifier belongs to another; ``owner`` is that one's id."""

    owner: str
    trust: Trust
    at: datetime
    event: str


class ExportedStatement(Shape):
    """A statement of sales; ``value_cents`` is in the smallest unit of ``currency``."""

    said: str
    at: datetime
    source: str
    reason: str
    value_cents: int | None
    currency: str
    event: str
    details: Pairs


class ExportedConsent(Shape):
    """What was stated of writing to the person; ``event`` is empty if only the day was kept."""

    cause: str
    at: datetime
    received_at: datetime
    source: str
    trust: Trust
    mailing_list: str
    event: str


class ExportedNote(Shape):
    """What of an event's input was cut or left out."""

    text: str
    at: datetime
    event: str


class ExportedStep(Shape):
    """A notable thing that was done, with the details that are kept of it."""

    name: str
    signal: str
    at: datetime
    event: str
    trust: Trust
    details: Pairs


class ExportedUnjudged(Shape):
    """What is kept of a click in a mail apart, until it is known whether a person clicked."""

    event: str
    step: ExportedStep | None
    readings: ExportedReadings


class ExportedIdentifier(Shape):
    """One way in which the person is known, and all that is kept under it."""

    id: str
    kind: str
    value: str
    linked_to: list[str]
    claim: ExportedClaim | None
    lost_claims: list[ExportedClaim]
    is_signed: bool
    former_ids: Sorted
    erased_before: datetime | None
    traits: list[ExportedTrait]
    events: list[ExportedEvent]
    counts: list[ExportedCount]
    last_days: dict[str, str]
    first_touch: ExportedTouch | None
    last_touch: ExportedTouch | None
    last_landing: ExportedTouch | None
    direct: bool
    statements: list[ExportedStatement]
    consent: list[ExportedConsent]
    named_first: datetime | None
    named_last: datetime | None
    notes: list[ExportedNote]
    steps: list[ExportedStep]
    readings: ExportedReadings
    unjudged: list[ExportedUnjudged]


class ExportedTransition(MoveView):
    """A recorded move between stages."""

    model_version: str
    attribution: Pairs
    touch_by: datetime | None
    accept_by: datetime | None
    cause: MoveCause
    detail: str
    qualified: datetime | None
    imported: str


class ExportedOffer(Shape):
    """The last offer to sales; ``told`` are the deadlines that were reported to sales.

    ``owed_since`` is from when on the time for an answer counts, if not from the offer on.
    """

    cycle: int
    stage: str
    at: datetime
    owner: str
    told: Sorted
    touched_at: datetime | None
    closed_at: datetime | None
    answer: str
    owed_since: datetime | None


class ExportedEnrolment(Shape):
    """The last way through a sequence; ``position`` counts the messages that are done."""

    sequence: str
    run: int
    started_at: datetime
    position: int
    next_at: datetime | None
    ended_at: datetime | None
    ending: str


class ExportedAlert(Shape):
    """How often an alert was sent; ``at`` is when sales last heard of its acts."""

    alert: str
    count: int
    at: datetime


class ExportedMirror(Shape):
    """What tools that mirror the lead know: fingerprints of the fields, as they were sent last."""

    prints: dict[str, str]
    count: int
    at: datetime | None
    due: datetime | None


class ExportedTrigger(Shape):
    """A message to automation tools; ``event`` is the CloudEvent."""

    topic: str
    at: datetime
    attributes: Pairs
    event: JsonValue


class ExportedLead(Shape):
    """The lead document."""

    id: str
    email: str | None
    user_id: str | None
    created_at: datetime
    traits: dict[str, Property]
    identifiers: list[ExportedIdentifier]
    score: Explanation
    stage: ExportedStage
    transitions: list[ExportedTransition]
    offer: ExportedOffer | None
    enrolments: list[ExportedEnrolment]
    nurture: list[ExportedNurture]
    alerted: list[ExportedAlert]
    mirror: ExportedMirror
    knowledge: ExportedKnowledge | None
    shadow: ExportedShadow | None = None
    unsent_triggers: list[ExportedTrigger]
    decay_on: str | None
    due_at: datetime | None


class ExportedMessage(Shape):
    """A message of the archive."""

    number: int
    topic: str
    published_at: datetime
    message_id: str
    attributes: dict[str, str]
    content: JsonValue


class ExportedDispatch(Shape):
    """A message to a tool, and what became of it; ``event`` is kept until it is sent."""

    destination: str
    id: str
    kind: str
    state: str
    attempts: int
    begun_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    why: str
    reference: str
    event: JsonValue


class Export(Shape):
    """Everything about one person; ``archive`` is null where it is not kept by Warmlead itself."""

    format: Literal["warmlead.lead_export.v1"] = FORMAT
    as_of: datetime
    lead: ExportedLead | None
    archive: list[ExportedMessage] | None
    dispatches: list[ExportedDispatch]
    elsewhere: list[str]


def export(
    lead: Lead | None,
    moves: Sequence[Transition],
    found: Sequence[Mention] | None,
    *,
    rules: Rules,
    now: datetime,
    elsewhere: Sequence[str],
    dispatches: Sequence[Dispatch] = (),
    nurtured: Sequence[NurtureRecord] = (),
) -> Export:
    """The lead, its recorded moves and what of the archive is about it; ``None``: no archive.

    ``elsewhere`` says in words where else there may be something, ``dispatches`` are the messages
    about it to tools, and ``nurtured`` is what became of its sequences.
    """
    return Export(
        as_of=now,
        lead=None if lead is None else _lead(lead, moves, nurtured, rules, now),
        archive=None if found is None else [_message(each) for each in found],
        dispatches=[_dispatch(each) for each in dispatches],
        elsewhere=list(elsewhere),
    )


def _dispatch(dispatch: Dispatch) -> ExportedDispatch:
    event = msgspec.json.decode(dispatch.body) if dispatch.body else None
    return row(ExportedDispatch, dispatch, event=event)


def _lead(
    lead: Lead,
    moves: Sequence[Transition],
    nurtured: Sequence[NurtureRecord],
    rules: Rules,
    now: datetime,
) -> ExportedLead:
    return row(
        ExportedLead,
        lead,
        identifiers=[_identifier(id_, trail) for id_, trail in sorted(lead.trails.items())],
        score=explain(lead, rules, now),
        stage=stage_row(lead.progress),
        transitions=[row(ExportedTransition, move) for move in moves],
        offer=row(ExportedOffer, lead.offer) if lead.offer else None,
        enrolments=[row(ExportedEnrolment, each) for _, each in sorted(lead.enrolments.items())],
        nurture=nurture_rows(nurtured),
        mirror=row(ExportedMirror, lead.mirror),
        knowledge=knowledge_row(lead.knowledge) if lead.knowledge else None,
        shadow=shadow_row(lead.shadow) if lead.shadow else None,
        alerted=[
            row(ExportedAlert, record, alert=name) for name, record in sorted(lead.alerted.items())
        ],
        unsent_triggers=[
            row(ExportedTrigger, trigger, event=msgspec.json.decode(trigger.body))
            for trigger in lead.outbox
        ],
        decay_on=None if lead.decay_on is None else _date(lead.decay_on),
    )


def _identifier(id_: str, trail: Trail) -> ExportedIdentifier:
    named_first, named_last = map(from_ms, trail.told) if trail.told else (None, None)
    last_days = sorted(trail.history.last_day.items())
    return row(
        ExportedIdentifier,
        trail,
        id=id_,
        kind=trail.identifier.kind.name.lower(),
        value=trail.identifier.value,
        linked_to=sorted(trail.links),
        claim=_claim(trail.claim) if trail.claim else None,
        lost_claims=[_claim(each) for each in trail.claims[1:]],
        erased_before=None if trail.erased_ms is None else from_ms(trail.erased_ms),
        traits=[row(ExportedTrait, fact, name=n) for n, fact in sorted(trail.traits.items())],
        events=[row(ExportedEvent, each) for each in sorted(trail.history.kept.values())],
        counts=_counts(trail.history),
        last_days={name: _date(day) for name, day in last_days},
        first_touch=row(ExportedTouch, trail.first_touch) if trail.first_touch else None,
        last_touch=row(ExportedTouch, trail.last_touch) if trail.last_touch else None,
        last_landing=row(ExportedTouch, trail.last_landing) if trail.last_landing else None,
        statements=[row(ExportedStatement, each) for each in sorted(trail.statements.values())],
        consent=[
            row(ExportedConsent, fact, event=event_stating(fact.key)) for fact in trail.consent
        ],
        named_first=named_first,
        named_last=named_last,
        notes=[row(ExportedNote, note) for note in trail.notes],
        steps=[row(ExportedStep, step) for step in trail.steps],
        readings=exported_readings(trail.readings),
        unjudged=[
            ExportedUnjudged(
                event=key,
                step=row(ExportedStep, each.step) if each.step else None,
                readings=exported_readings(each.readings),
            )
            for key, each in sorted(trail.unjudged.items())
        ],
    )


def _claim(claim: Claim) -> ExportedClaim:
    return row(ExportedClaim, claim, trust="public" if claim.distrust else "signed")


def _counts(history: History) -> list[ExportedCount]:
    kinds = (("signal", history.signal_days), ("event", history.name_days))
    return [
        ExportedCount(kind=kind, name=name, day=_date(day), count=count)
        for kind, counts in kinds
        for name, days in sorted(counts.items())
        for day, count in sorted(days.items())
    ]


def _date(day: int) -> str:
    return to_date(day).isoformat()


def _message(found: Mention) -> ExportedMessage:
    published = found.published
    return row(
        ExportedMessage,
        published,
        published_at=published.at,
        attributes=dict(sorted(published.message.attributes.items())),
        content=_content(published.message.body),
    )


def _content(body: bytes) -> JsonValue:
    """The message's JSON or, if it is none, its text."""
    try:
        content: JsonValue = msgspec.json.decode(body)
    except ValueError:  # msgspec's, and Python's for what is not UTF-8
        return body.decode("utf-8", "replace")
    return content
