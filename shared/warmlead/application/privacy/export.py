"""Exports everything that is kept about one person as one document, always in the same order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from pydantic import JsonValue

from warmlead.application.explain import Explanation, Shape, explain, shaped
from warmlead.application.privacy.erase import Mention
from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import Property, event_stating
from warmlead.domain.handoff import Offer
from warmlead.domain.history import History, from_ms, to_date
from warmlead.domain.identity import Claim
from warmlead.domain.lead import Lead, Touch, Trail, TraitFact
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Statement
from warmlead.domain.stages import MoveCause, Progress, Transition

FORMAT: Literal["warmlead.lead_export.v1"] = "warmlead.lead_export.v1"


class ExportedTrait(Shape):
    """What was said of a trait: by whom, in which event, true from when on."""

    name: str
    value: Property
    trust: Literal["signed", "public"]
    at: datetime
    event: str


class ExportedEvent(Shape):
    """An event that is kept by itself; ``key`` is the hash by which it is counted once."""

    key: str
    name: str
    signals: list[str]
    at: datetime
    received_at: datetime


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
    attribution: dict[str, str]


class ExportedClaim(Shape):
    """The statement by which an identifier belongs to another; ``owner`` is that one's id."""

    owner: str
    trust: Literal["signed", "public"]
    at: datetime
    event: str


class ExportedStatement(Shape):
    """What sales said; ``value_cents`` is in the smallest unit of ``currency``."""

    said: str
    at: datetime
    source: str
    reason: str
    value_cents: int | None
    currency: str
    event: str


class ExportedConsent(Shape):
    """What was stated of writing to the person; ``event`` is empty if only the day was kept."""

    cause: str
    at: datetime
    received_at: datetime
    source: str
    trust: Literal["signed", "public"]
    mailing_list: str
    event: str


class ExportedNote(Shape):
    """What of an event's input was cut or left out."""

    text: str
    at: datetime
    event: str


class ExportedIdentifier(Shape):
    """One way in which the person is known, and all that is kept under it."""

    id: str
    kind: str
    value: str
    linked_to: list[str]
    claim: ExportedClaim | None
    lost_claims: list[ExportedClaim]
    is_signed: bool
    former_ids: list[str]
    erased_before: datetime | None
    traits: list[ExportedTrait]
    events: list[ExportedEvent]
    counts: list[ExportedCount]
    last_days: dict[str, str]
    first_touch: ExportedTouch | None
    last_touch: ExportedTouch | None
    direct: bool
    statements: list[ExportedStatement]
    consent: list[ExportedConsent]
    named_first: datetime | None
    named_last: datetime | None
    notes: list[ExportedNote]


class ExportedStage(Shape):
    """Where the person stands."""

    stage: str
    since: datetime
    entered: dict[str, int]
    peak_score: int
    cooling_since: datetime | None
    cooling_until: datetime | None
    verdict: str
    grounds: str | None


class ExportedTransition(Shape):
    """A recorded move between stages."""

    at: datetime
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    source: str
    score: int
    fit: int
    hours_in_stage: float
    model_version: str
    attribution: dict[str, str]
    touch_by: datetime | None
    accept_by: datetime | None
    cause: MoveCause
    detail: str


class ExportedOffer(Shape):
    """The last offer to sales; ``told`` are the deadlines of which sales was told."""

    cycle: int
    stage: str
    at: datetime
    owner: str
    told: list[str]
    touched_at: datetime | None
    closed_at: datetime | None
    answer: str


class ExportedEnrolment(Shape):
    """The last way through a sequence; ``position`` counts the messages that are done."""

    sequence: str
    run: int
    started_at: datetime
    position: int
    next_at: datetime | None
    ended_at: datetime | None
    ending: str


class ExportedTrigger(Shape):
    """A message to automation tools; ``event`` is the CloudEvent."""

    topic: str
    at: datetime
    attributes: dict[str, str]
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


class Export(Shape):
    """Everything about one person; ``archive`` is null where it is not kept by Warmlead itself."""

    format: Literal["warmlead.lead_export.v1"] = FORMAT
    as_of: datetime
    lead: ExportedLead | None
    archive: list[ExportedMessage] | None
    elsewhere: list[str]


def export(
    lead: Lead | None,
    moves: Sequence[Transition],
    found: Sequence[Mention] | None,
    *,
    rules: Rules,
    now: datetime,
    elsewhere: Sequence[str],
) -> Export:
    """The lead, its recorded moves and what of the archive is about it; ``None``: no archive.

    ``elsewhere`` says in words where else there may be something.
    """
    return Export(
        as_of=now,
        lead=None if lead is None else _lead(lead, moves, rules, now),
        archive=None if found is None else [_message(each) for each in found],
        elsewhere=list(elsewhere),
    )


def _lead(
    lead: Lead,
    moves: Sequence[Transition],
    rules: Rules,
    now: datetime,
) -> ExportedLead:
    return ExportedLead(
        id=lead.id,
        email=lead.email,
        user_id=lead.user_id,
        created_at=lead.created_at,
        traits=lead.traits,
        identifiers=[_identifier(id_, trail) for id_, trail in sorted(lead.trails.items())],
        score=explain(lead, rules, now),
        stage=_stage(lead.progress),
        transitions=[_transition(move) for move in moves],
        offer=_offer(lead.offer) if lead.offer else None,
        enrolments=[shaped(ExportedEnrolment, each) for _, each in sorted(lead.enrolments.items())],
        unsent_triggers=[
            ExportedTrigger(
                topic=trigger.topic,
                at=trigger.at,
                attributes=dict(trigger.attributes),
                event=msgspec.json.decode(trigger.body),
            )
            for trigger in lead.outbox
        ],
        decay_on=None if lead.decay_on is None else to_date(lead.decay_on).isoformat(),
        due_at=lead.due_at,
    )


def _identifier(id_: str, trail: Trail) -> ExportedIdentifier:
    return ExportedIdentifier(
        id=id_,
        kind=trail.identifier.kind.name.lower(),
        value=trail.identifier.value,
        linked_to=sorted(trail.links),
        claim=_claim(trail.claim) if trail.claim else None,
        lost_claims=[_claim(each) for each in trail.claims[1:]],
        is_signed=trail.is_signed,
        former_ids=sorted(trail.former_ids),
        erased_before=None if trail.erased_ms is None else from_ms(trail.erased_ms),
        traits=[_trait(name, fact) for name, fact in sorted(trail.traits.items())],
        events=_events(trail.history),
        counts=_counts(trail.history),
        last_days={
            n: to_date(day).isoformat() for n, day in sorted(trail.history.last_day.items())
        },
        first_touch=_touch(trail.first_touch),
        last_touch=_touch(trail.last_touch),
        direct=trail.direct,
        statements=[_statement(each) for each in sorted(trail.statements.values())],
        consent=[_consent(each) for each in trail.consent],
        named_first=from_ms(trail.told[0]) if trail.told else None,
        named_last=from_ms(trail.told[1]) if trail.told else None,
        notes=[
            ExportedNote(text=note.text, at=from_ms(note.at_ms), event=note.key)
            for note in trail.notes
        ],
    )


def _claim(claim: Claim) -> ExportedClaim:
    return ExportedClaim(
        owner=claim.owner,
        trust="public" if claim.distrust else "signed",
        at=from_ms(claim.at_ms),
        event=claim.key,
    )


def _trait(name: str, fact: TraitFact) -> ExportedTrait:
    trust = "signed" if fact.rank else "public"
    at = from_ms(fact.at_ms)
    return ExportedTrait(name=name, value=fact.value, trust=trust, at=at, event=fact.key)


def _events(history: History) -> list[ExportedEvent]:
    return [
        ExportedEvent(
            key=event.key,
            name=event.name,
            signals=list(event.signals),
            at=from_ms(event.at_ms),
            received_at=from_ms(event.received_ms),
        )
        for event in sorted(history.kept.values())
    ]


def _counts(history: History) -> list[ExportedCount]:
    kinds = (("signal", history.signal_days), ("event", history.name_days))
    return [
        ExportedCount(kind=kind, name=name, day=to_date(day).isoformat(), count=count)
        for kind, counts in kinds
        for name, days in sorted(counts.items())
        for day, count in sorted(days.items())
    ]


def _touch(touch: Touch | None) -> ExportedTouch | None:
    if touch is None:
        return None
    attribution = dict(touch.attribution)
    return ExportedTouch(at=from_ms(touch.at_ms), event=touch.key, attribution=attribution)


def _statement(statement: Statement) -> ExportedStatement:
    return shaped(ExportedStatement, statement, event=statement.key)


def _consent(fact: ConsentFact) -> ExportedConsent:
    return shaped(
        ExportedConsent,
        fact,
        received_at=from_ms(fact.received_ms),
        trust="signed" if fact.rank else "public",
        event=event_stating(fact.key),
    )


def _stage(progress: Progress) -> ExportedStage:
    cooling = progress.cooling
    return shaped(
        ExportedStage,
        progress,
        entered=dict(sorted(progress.entered.items())),
        cooling_since=cooling.since if cooling else None,
        cooling_until=cooling.until if cooling else None,
    )


def _transition(move: Transition) -> ExportedTransition:
    return shaped(ExportedTransition, move, attribution=dict(move.attribution))


def _offer(offer: Offer) -> ExportedOffer:
    return shaped(ExportedOffer, offer, told=sorted(offer.told))


def _message(found: Mention) -> ExportedMessage:
    published = found.published
    return ExportedMessage(
        number=published.number,
        topic=published.topic,
        published_at=published.at,
        message_id=published.message_id,
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
