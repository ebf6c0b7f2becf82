"""Collects everything that is kept about one person into one document, always in the same order.

Where the document is written to is for its caller.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from pydantic import JsonValue

from warmlead.application.archived import Mention
from warmlead.application.explain import explain
from warmlead.application.exported import (
    Export,
    ExportedClaim,
    ExportedConsent,
    ExportedCount,
    ExportedEnrolment,
    ExportedEvent,
    ExportedIdentifier,
    ExportedLead,
    ExportedMessage,
    ExportedNote,
    ExportedOffer,
    ExportedStage,
    ExportedStatement,
    ExportedTouch,
    ExportedTrait,
    ExportedTransition,
    ExportedTrigger,
)
from warmlead.application.shapes import shaped
from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import event_stating
from warmlead.domain.handoff import Offer
from warmlead.domain.history import History, from_ms, to_date
from warmlead.domain.identity import Claim
from warmlead.domain.lead import Lead, Touch, Trail, TraitFact
from warmlead.domain.lifecycle import Progress, Transition
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Statement


def export(
    lead: Lead | None,
    moves: Sequence[Transition],
    found: Sequence[Mention] | None,
    *,
    rules: Rules,
    titles: Mapping[str, str],
    now: datetime,
    elsewhere: Sequence[str],
) -> Export:
    """The lead, its recorded moves and what of the archive is about it; ``None``: no archive.

    ``elsewhere`` says in words where else there may be something.
    """
    return Export(
        as_of=now,
        lead=None if lead is None else _lead(lead, moves, rules, titles, now),
        archive=None if found is None else [_message(each) for each in found],
        elsewhere=list(elsewhere),
    )


def _lead(
    lead: Lead,
    moves: Sequence[Transition],
    rules: Rules,
    titles: Mapping[str, str],
    now: datetime,
) -> ExportedLead:
    return ExportedLead(
        id=lead.id,
        email=lead.email,
        user_id=lead.user_id,
        created_at=lead.created_at,
        traits=lead.traits,
        identifiers=[_identifier(id_, trail) for id_, trail in sorted(lead.trails.items())],
        score=explain(lead, rules, titles, now),
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
