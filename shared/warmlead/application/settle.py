"""Brings a lead up to date: its score as of now, the stage it belongs in, what that triggers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from warmlead.domain.assessment import Assessment, assess
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead, Snapshot, Touch
from warmlead.domain.lifecycle import ANONYMOUS, LEAD, Transition, move, next_stage
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Topic, Trigger, trigger_id
from warmlead.domain.wording import reasons


class Settled(NamedTuple):
    """A lead brought up to date, and the moves and triggers that it took."""

    lead: Lead
    transitions: tuple[Transition, ...]
    triggers: tuple[Trigger, ...]


def settle(lead: Lead, rules: Rules, titles: Mapping[str, str], now: datetime) -> Settled:
    """The lead with its snapshot as of ``now``, moved to the stage in which it belongs.

    What a move triggers is added to the outbox, so that it is committed with the move.
    """
    found = assess(lead, rules, now)
    score = found.score
    snapshot = Snapshot(score.score, score.engagement, score.fit, day_of(to_ms(now)), rules.version)
    progress = replace(lead.progress, peak_score=max(lead.progress.peak_score, score.score))
    settled = replace(lead, snapshot=snapshot, progress=progress)
    stage, why = next_stage(rules.stages, progress, found.standing, now)
    if stage == progress.stage:
        return Settled(settled, (), ())
    progress, transition = move(
        progress, stage, why, now, score=score.score, fit=score.fit, model_version=rules.version
    )
    settled = replace(settled, progress=progress)
    if (transition.from_stage, stage) == (ANONYMOUS, LEAD):
        return Settled(settled, (transition,), ())  # becoming known is no news to a tool
    trigger = _stage_entered(settled, found, transition, rules, titles)
    settled = replace(settled, outbox=(*settled.outbox, trigger))
    return Settled(settled, (transition,), (trigger,))


def _stage_entered(
    lead: Lead, found: Assessment, transition: Transition, rules: Rules, titles: Mapping[str, str]
) -> Trigger:
    from warmlead.domain.message import (  # noqa: PLC0415  # pydantic: few requests need it
        LeadInMessage,
        StageEntered,
        StageEnteredMessage,
        Touches,
    )

    stage, cycle = transition.to_stage, transition.cycle
    id_ = trigger_id(lead.id, f"stage:{stage}", cycle)
    message = StageEnteredMessage(
        id=id_,
        subject=lead.id,
        time=transition.at,
        data=StageEntered(
            lead=LeadInMessage(
                id=lead.id, email=lead.email, user_id=lead.user_id, traits=lead.traits
            ),
            stage=stage,
            from_stage=transition.from_stage,
            cycle=cycle,
            reason=transition.reason,
            score=found.score.score,
            engagement=found.score.engagement,
            fit=found.score.fit,
            reasons=list(reasons(found.score, titles)),
            attribution=Touches(first=_origin(lead.first_touch), last=_origin(lead.last_touch)),
            model_version=rules.version,
        ),
    )
    qualifies = any(policy.name == stage for policy in rules.stages)
    attributes = {
        "type": message.type,
        "lead_id": lead.id,
        "stage": stage,
        "cycle": str(cycle),
        "content-type": "application/cloudevents+json",
    }
    topic = Topic.MQL if qualifies else Topic.LIFECYCLE
    body = message.model_dump_json()
    return Trigger(id_, topic, transition.at, body, tuple(attributes.items()))


def _origin(touch: Touch | None) -> dict[str, str]:
    return dict(touch.attribution) if touch else {}
