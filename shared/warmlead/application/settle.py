"""Brings a lead up to date: score, stage, handoff and sequences as of now, and what they trigger.

Pure: the same lead at the same moment settles in the same way, and settling twice is settling
once. Whatever changes a lead ends here.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from warmlead.application.announce import Announcer
from warmlead.domain.ahead import brought_back
from warmlead.domain.assessment import Assessment, assess
from warmlead.domain.attention import decay_day
from warmlead.domain.handoff import HandoffPolicy, Offer, follow, next_deadline
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead, Snapshot
from warmlead.domain.lifecycle import ANONYMOUS, LEAD, Transition
from warmlead.domain.nurture import Enrolments, next_due, nurture
from warmlead.domain.placement import place
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Topic, Trigger


class Settled(NamedTuple):
    """A lead brought up to date, and the moves and triggers that it took."""

    lead: Lead
    transitions: tuple[Transition, ...]
    triggers: tuple[Trigger, ...]


def settle(lead: Lead, rules: Rules, titles: Mapping[str, str], now: datetime) -> Settled:
    """The lead as of ``now``: scored, in the stage in which it belongs, offered and nurtured.

    What that triggers is added to the outbox, so that it is committed with its cause.
    """
    lead = brought_back(lead, now)
    found = assess(lead, rules, now)
    score = found.worth
    today = day_of(to_ms(now))
    snapshot = Snapshot(score.score, score.engagement, score.fit, today, rules.version)
    progress, moves = place(lead, found, rules, now)
    settled = replace(lead, snapshot=snapshot, progress=progress)
    announcer = Announcer(settled, found, rules, titles, now)
    for moved in moves:
        if (moved.from_stage, moved.to_stage) != (ANONYMOUS, LEAD):  # that is no news to a tool
            announcer.stage_entered(moved)
    offer = _offered(settled, moves, rules, announcer, now)
    moves = _with_promises(moves, lead.offer, offer, rules)
    facts = {**found.facts, "stage": progress.stage}
    enrolments, due = nurture(
        rules.sequences,
        lead.enrolments,
        facts,
        now,
        suppressed=not found.consent.may_be_mailed,
    )
    for step in due:
        announcer.step_due(step)
    triggers = announcer.triggers
    settled = replace(
        settled,
        outbox=(*_still_wanted(lead.outbox, found), *triggers),
        offer=offer,
        enrolments=enrolments,
        due_at=_next_moment(offer, enrolments, rules),
    )
    settled = replace(settled, decay_on=decay_day(settled, found, rules, now))
    return Settled(settled, moves, triggers)


def _still_wanted(outbox: tuple[Trigger, ...], found: Assessment) -> tuple[Trigger, ...]:
    """The triggers that are still to be sent: no message to who must not be written to any more."""
    if found.consent.may_be_mailed:
        return outbox
    return tuple(trigger for trigger in outbox if trigger.topic is not Topic.NURTURE)


def _offered(
    lead: Lead,
    moves: tuple[Transition, ...],
    rules: Rules,
    announcer: Announcer,
    now: datetime,
) -> Offer | None:
    """The lead's offer to sales as of now: made, followed up, answered or withdrawn."""
    offer, policy = lead.offer, rules.handoff
    if policy is None:
        return offer
    of_model = {stage.name for stage in rules.stages}
    if offer is not None:
        offer = _followed(offer, lead, policy, announcer, now)
        if offer.closed_at is None and lead.progress.stage not in of_model:
            answer = moves[-1].reason if moves else "withdrawn"
            withdrawn = replace(offer, closed_at=now, answer=answer)
            answered = offer.otherwise
            offer = _followed(answered, lead, policy, announcer, now) if answered else withdrawn
        offer = replace(offer, otherwise=None)
    entered = [moved for moved in moves if moved.to_stage in of_model]
    if entered and lead.progress.stage in of_model and (offer is None or offer.closed_at):
        cycle = offer.cycle + 1 if offer else 1
        owner = policy.owner_of(lead.id, announcer.facts)
        offer = Offer(cycle, lead.progress.stage, now, owner=owner)
        announcer.offered(offer)
        offer = _followed(offer, lead, policy, announcer, now)  # the time of a word may be ahead
    return offer


def _with_promises(
    moves: tuple[Transition, ...], before: Offer | None, offer: Offer | None, rules: Rules
) -> tuple[Transition, ...]:
    """The moves, the one that offered the lead to sales with what was promised of it."""
    is_new = offer is not None and (before is None or offer.cycle > before.cycle)
    if offer is None or not is_new or rules.handoff is None:
        return moves
    last = max(place for place, moved in enumerate(moves) if moved.to_stage == offer.stage)
    offering = replace(
        moves[last],
        touch_by=offer.at + rules.handoff.first_touch_within,
        accept_by=offer.at + rules.handoff.accept_within,
    )
    return (*moves[:last], offering, *moves[last + 1 :])


def _followed(
    offer: Offer, lead: Lead, policy: HandoffPolicy, announcer: Announcer, now: datetime
) -> Offer:
    """The offer as of now, the deadlines that it has passed announced."""
    offer, passed = follow(offer, policy, lead.statements, now)
    for deadline in passed:
        announcer.deadline_passed(offer, deadline)
    return offer


def _next_moment(offer: Offer | None, enrolments: Enrolments, rules: Rules) -> datetime | None:
    moments = [next_due(enrolments)]
    if offer is not None and rules.handoff is not None:
        moments.append(next_deadline(offer, rules.handoff))
    return min((moment for moment in moments if moment), default=None)
