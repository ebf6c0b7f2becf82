"""Evaluates a lead: score, stage, handoff and sequences as of now, and what they trigger."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from warmlead.application.notices import Notice, alert_notice, refreshed_mirror, update_notice
from warmlead.domain.alerts import AlertsRaised, DueAlert, News, raise_alerts
from warmlead.domain.clock_skew import brought_back
from warmlead.domain.crm_ids import crm_ids_of
from warmlead.domain.evaluation import Evaluation, evaluation_of, move_stage, next_review_day
from warmlead.domain.event import Property
from warmlead.domain.handoff import (
    SUPERSEDED,
    Deadline,
    HandoffPolicy,
    Offer,
    Passed,
    follow,
    next_deadline,
    restarted,
)
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.knowledge import learnt
from warmlead.domain.lead import Lead, Snapshot
from warmlead.domain.mirror import Refreshed
from warmlead.domain.nurture import Due, Enrolments, next_due, nurture
from warmlead.domain.rules import Rules
from warmlead.domain.sales import verdict
from warmlead.domain.stages import ANONYMOUS, LEAD, SALES_STAGES, Facts, Transition
from warmlead.domain.text import cleaned, printable
from warmlead.domain.trigger import Topic, Trigger, trigger_id
from warmlead.messages.wording import reasons
from warmlead.ports import Commit, Loaded

if TYPE_CHECKING:  # pydantic's models take longer to import than a lead takes to evaluate
    from warmlead.messages.contract import CloudEvent

MAX_TRAIT_BYTES = 32_000
"""The limit of the traits in a message, as they stand in the lead until it is sent.

A lead may wait with several: it must not outgrow its store, 1 MiB in Firestore.
"""

Made: TypeAlias = "Callable[..., CloudEvent]"
"""A message without its id, lead and time."""


class TriggerBuilder:
    """Collects the triggers of one lead at one moment."""

    def __init__(
        self,
        lead: Lead,
        evaluation: Evaluation,
        rules: Rules,
        now: datetime,
    ) -> None:
        self.facts: Facts = {**evaluation.facts, "stage": lead.progress.stage}
        self._triggers: list[Trigger] = []
        self._lead = lead
        self._evaluation = evaluation
        self._rules = rules
        self._now = now

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """All triggers, in order."""
        return tuple(self._triggers)

    def stage_entered(self, moved: Transition) -> None:
        """Adds the message about a move between stages."""
        from warmlead.messages.contract import StageEntered, StageEnteredMessage  # noqa: PLC0415  # heavy

        stage, cycle = moved.to_stage, moved.cycle
        qualifies = any(p.name == stage for p in self._rules.stages if stage not in SALES_STAGES)
        data = StageEntered(
            **{**self._about(), "stage": stage},
            from_stage=moved.from_stage,
            cycle=cycle,
            reason=moved.reason,
        )
        self._add(
            Topic.MQL if qualifies else Topic.LIFECYCLE,
            f"stage:{stage}",
            cycle,
            partial(StageEnteredMessage, data=data),
            {"stage": stage, "cycle": str(cycle)},
            at=moved.at,  # it may be ahead of us: then another clock has moved the lead before
        )

    def step_due(self, due: Due) -> None:
        """Adds the message that tells a mail tool what to send."""
        from warmlead.messages.contract import StepDue, StepDueMessage  # noqa: PLC0415  # heavy

        name = due.policy.name
        data = StepDue(
            **self._about(),
            sequence=name,
            run=due.run,
            step=due.number,
            steps=len(due.policy.steps),
            message=due.step.message,
            title=due.step.title or due.step.message,
        )
        attributes = {"sequence": name, "message": due.step.message, "run": str(due.run)}
        self._add(
            Topic.NURTURE,
            f"nurture:{name}:{due.number}",
            due.run,
            partial(StepDueMessage, data=data),
            {**attributes, "step": str(due.number), "stage": self._lead.progress.stage},
        )

    def offered(self, offer: Offer, supersedes: int | None = None) -> None:
        """Adds the message that offers a lead to sales, perhaps in the place of another offer."""
        from warmlead.messages.contract import NewOffer, OfferedMessage  # noqa: PLC0415  # heavy

        data = NewOffer(**self._about(), **self._promised(offer), supersedes=supersedes)
        self._add_for_sales("offered", offer, partial(OfferedMessage, data=data))

    def deadline_passed(self, offer: Offer, passed: Passed) -> None:
        """Adds a reminder to sales, or the message that sales has not kept a promise."""
        from warmlead.messages.contract import (  # noqa: PLC0415  # heavy
            BreachedData,
            BreachedMessage,
            Offered,
            ReminderMessage,
        )

        fields = {**self._about(), **self._promised(offer)}
        if passed.deadline is Deadline.REMINDER:
            data = Offered(**fields)
            self._add_for_sales("reminder", offer, partial(ReminderMessage, data=data))
            return
        touch = passed.deadline is Deadline.TOUCH_BREACHED
        promise = "first_touch" if touch else "acceptance"
        breached = BreachedData(**fields, promise=promise)
        made = partial(BreachedMessage, data=breached)
        self._add_for_sales(f"breached:{promise}", offer, made)

    def alerted(self, alert: DueAlert, offer: Offer | None) -> None:
        """Adds the message about what the lead did, for sales to hear of at once."""
        is_open = offer is not None and offer.closed_at is None and self._rules.handoff is not None
        promised = self._promised(offer) if offer and is_open else {}
        owner = offer.owner if offer else ""
        self._add_notice(alert_notice(alert, owner, promised, self._rules.titles))

    def updated(self, refresh: Refreshed, offer: Offer | None) -> None:
        """Adds the message that tells tools what has changed of the lead."""
        self._add_notice(update_notice(refresh, offer.owner if offer else ""))

    def _add_notice(self, notice: Notice) -> None:
        attributes = {**notice.attributes, "stage": self._lead.progress.stage}
        made = notice.message(self._about())
        self._add(Topic.LIFECYCLE, notice.kind, notice.cycle, made, attributes)

    def _add_for_sales(self, kind: str, offer: Offer, message: "Made") -> None:
        attributes = {"stage": offer.stage, "cycle": str(offer.cycle), "owner": offer.owner}
        self._add(Topic.LIFECYCLE, f"handoff:{kind}", offer.cycle, message, attributes)

    def _promised(self, offer: Offer) -> dict[str, Any]:
        policy = self._rules.handoff
        if policy is None:
            raise ValueError("there is no offer without a handoff in the model")
        return {
            "offer": offer.cycle,
            "offered_at": offer.at,
            "owner": offer.owner,
            "touch_by": policy.deadline_of(offer, Deadline.TOUCH_BREACHED),
            "accept_by": policy.deadline_of(offer, Deadline.ACCEPT_BREACHED),
        }

    def _about(self) -> dict[str, Any]:
        from warmlead.domain.attribution import described, first_origin, last_origin  # noqa: PLC0415  # lists of sites
        from warmlead.messages.contract import LeadInMessage, Touches, consent_in_message  # noqa: PLC0415  # heavy
        from warmlead.messages.journey import journey_in_message  # noqa: PLC0415  # only here

        lead, score = self._lead, self._evaluation.score
        return {
            "lead": LeadInMessage(
                id=lead.id,
                email=_safe(lead.email),
                user_id=_safe(lead.user_id),
                traits=cleaned(_sent(lead.traits, self._rules.traits)),
                consent=consent_in_message(self._evaluation.consent),
                crm_ids=crm_ids_of(lead),
                journey=journey_in_message(lead.steps, self._rules),
            ),
            "stage": lead.progress.stage,
            "score": score.score,
            "engagement": score.engagement,
            "fit": score.fit,
            "grade": self._evaluation.grade,
            "reasons": list(reasons(score, self._rules.titles, self._rules.shown)),
            "attribution": Touches(
                first=_cleaned(described(lead.first_touch, first_origin(lead))),
                last=_cleaned(described(lead.last_touch, last_origin(lead))),
            ),
            "model_version": self._rules.version,
        }

    def _add(
        self,
        topic: Topic,
        kind: str,
        cycle: int,
        message: "Made",
        attributes: Mapping[str, str],
        *,
        at: datetime | None = None,
    ) -> None:
        id_ = trigger_id(self._lead.id, kind, cycle)
        event = message(id=id_, subject=self._lead.id, time=at or self._now)
        known = {
            "type": event.type,
            "lead_id": self._lead.id,
            **{name: value for name, value in attributes.items() if value},
            "content-type": "application/cloudevents+json",
        }
        body = event.model_dump_json()
        self._triggers.append(Trigger(id_, topic, self._now, body, tuple(known.items())))


def _sent(traits: Mapping[str, Property], known: Collection[str]) -> Mapping[str, Property]:
    """The traits that a message has room for: those that the model names come first."""
    sent: dict[str, Property] = {}
    left = MAX_TRAIT_BYTES
    for name in sorted(traits, key=lambda name: (name not in known, name)):
        size = len(json.dumps(json.dumps({name: traits[name]})))
        if size <= left:
            sent[name] = traits[name]
            left -= size
    return sent


def _cleaned(touch: Mapping[str, str]) -> dict[str, str]:
    return {name: printable(value) for name, value in touch.items()}


def _safe(text: str | None) -> str | None:
    """Cleans a text that an older release stored before texts were cleaned on receipt."""
    return None if text is None else printable(text)


class Evaluated(Struct, frozen=True):
    """An evaluated lead, with its moves and triggers."""

    lead: Lead
    transitions: tuple[Transition, ...]
    triggers: tuple[Trigger, ...]


def evaluate(lead: Lead, rules: Rules, now: datetime, *, news: News | None = None) -> Evaluated:
    """The lead as of ``now``, with its score, stage, offer, alerts and sequences.

    ``news`` are the events because of which it is evaluated; ``None``: because of the time, or of a
    changed model. The triggers are added to the outbox, so that they are committed with their
    cause.
    """
    lead = brought_back(lead, now)
    evaluation = evaluation_of(lead, rules, now)
    totals = evaluation.totals
    today = day_of(to_ms(now))
    snapshot = Snapshot(totals.score, totals.engagement, totals.fit, today, rules.version)
    before = lead
    progress, moves = move_stage(lead, evaluation, rules, now)
    knowledge = learnt(lead.knowledge, rules, today)
    lead = replace(lead, snapshot=snapshot, progress=progress, knowledge=knowledge)
    builder = TriggerBuilder(lead, evaluation, rules, now)
    for moved in moves:
        if (moved.from_stage, moved.to_stage) != (ANONYMOUS, LEAD):  # no message to tools
            builder.stage_entered(moved)
    offer = _offered(lead, moves, rules, builder, now)
    moves = _with_promises(moves, before.offer, offer, rules)
    facts = {**evaluation.facts, "stage": progress.stage}
    if news and news.events:
        offered = offer is not None and offer.cycle > (before.offer.cycle if before.offer else 0)
        raised = raise_alerts(rules.alerts, lead.alerted, facts, news, now, offered=offered)
        offer = _with_alerts(offer, raised, rules, builder, now)
        lead = replace(lead, alerted=raised.records)
    enrolments, due = nurture(
        rules.sequences,
        lead.enrolments,
        facts,
        now,
        suppressed=not evaluation.consent.may_be_mailed,
    )
    for step in due:
        builder.step_due(step)
    refresh = refreshed_mirror(
        lead, offer, evaluation, rules.updates, now, at_once=news is not None
    )
    if refresh.changed:
        builder.updated(refresh, offer)
    triggers = builder.triggers
    lead = replace(
        lead,
        outbox=(*_still_wanted(lead.outbox, evaluation), *triggers),
        offer=offer,
        enrolments=enrolments,
        mirror=refresh.mirror,
        due_at=_earliest(_next_moment(offer, enrolments, rules), refresh.mirror.due),
    )
    lead = replace(lead, decay_on=next_review_day(lead, evaluation, rules, now))
    return Evaluated(lead, moves, triggers)


def _still_wanted(outbox: tuple[Trigger, ...], evaluation: Evaluation) -> tuple[Trigger, ...]:
    """The triggers that are still to be sent: no mail to a person who refuses mail by now."""
    if evaluation.consent.may_be_mailed:
        return outbox
    return tuple(trigger for trigger in outbox if trigger.topic is not Topic.NURTURE)


def _offered(
    lead: Lead,
    moves: tuple[Transition, ...],
    rules: Rules,
    builder: TriggerBuilder,
    now: datetime,
) -> Offer | None:
    """The lead's offer to sales as of now: made, followed up, answered, superseded or withdrawn.

    An offer is of one stage: whoever enters another one that is offered has a new offer, and
    whoever enters one that is not has none.
    """
    offer, policy, stage = lead.offer, rules.handoff, lead.progress.stage
    if policy is None:
        return offer
    is_offered = _is_of_model(lead, rules) and policy.promises_of(stage) is not None
    is_new = is_offered and bool(moves)
    supersedes = None
    if offer is not None:
        offer = _followed(offer, lead, policy, builder, now)
        if offer.closed_at is None and is_new:
            supersedes = offer.cycle
            offer = replace(offer, closed_at=now, answer=SUPERSEDED)
        elif offer.closed_at is None and not is_offered:
            answer = moves[-1].reason if moves else "withdrawn"
            withdrawn = replace(offer, closed_at=now, answer=answer)
            answered = offer.otherwise
            offer = _followed(answered, lead, policy, builder, now) if answered else withdrawn
        offer = replace(offer, otherwise=None)
    if is_new:
        cycle = offer.cycle + 1 if offer else 1
        owner = policy.owner_of(lead.id, stage, builder.facts)
        offer = Offer(cycle, stage, now, owner=owner)
        builder.offered(offer, supersedes)
        offer = _followed(offer, lead, policy, builder, now)  # a statement's time may be ahead
    return offer


def _is_of_model(lead: Lead, rules: Rules) -> bool:
    """Whether the lead is in a stage of the model, and not because sales has put it there."""
    stage, said = lead.progress.stage, verdict(lead.statements)
    by_sales = said is not None and said.stage == stage
    return not by_sales and any(policy.name == stage for policy in rules.stages)


def _with_promises(
    moves: tuple[Transition, ...], before: Offer | None, offer: Offer | None, rules: Rules
) -> tuple[Transition, ...]:
    """The moves; the one that offered the lead to sales has the promises."""
    is_new = offer is not None and (before is None or offer.cycle > before.cycle)
    if offer is None or not is_new or rules.handoff is None:
        return moves
    last = max(index for index, moved in enumerate(moves) if moved.to_stage == offer.stage)
    offering = replace(
        moves[last],
        touch_by=rules.handoff.deadline_of(offer, Deadline.TOUCH_BREACHED),
        accept_by=rules.handoff.deadline_of(offer, Deadline.ACCEPT_BREACHED),
    )
    return (*moves[:last], offering, *moves[last + 1 :])


def _followed(
    offer: Offer, lead: Lead, policy: HandoffPolicy, builder: TriggerBuilder, now: datetime
) -> Offer:
    """The offer as of now; adds the messages of the deadlines that it has passed."""
    offer, passed = follow(offer, policy, lead.statements, now)
    for deadline in passed:
        builder.deadline_passed(offer, deadline)
    return offer


def _with_alerts(
    offer: Offer | None, raised: AlertsRaised, rules: Rules, builder: TriggerBuilder, now: datetime
) -> Offer | None:
    """The offer, its clock restarted if an alert says so; adds the messages of the alerts."""
    restarts = any(alert.policy.restart_clock for alert in raised.alerts)
    if restarts and rules.handoff and offer and offer.closed_at is None:
        offer = restarted(offer, now)
    for alert in raised.alerts:
        builder.alerted(alert, offer)
    return offer


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _next_moment(offer: Offer | None, enrolments: Enrolments, rules: Rules) -> datetime | None:
    moments = [next_due(enrolments)]
    if offer is not None and rules.handoff is not None:
        moments.append(next_deadline(offer, rules.handoff))
    return min((moment for moment in moments if moment), default=None)


class Outcome(Struct, frozen=True):
    """Result of an evaluation: whether the shown score and the stage changed, and the triggers."""

    changed: bool = False
    moved: bool = False
    triggers: Sequence[tuple[str, Trigger]] = ()


class Reevaluation:
    """Evaluates the lead at an id as of ``now``, if it still ``is_due`` when it is read.

    Another process may have evaluated it in the meantime: then there is nothing to write.
    """

    def __init__(
        self,
        lead_id: str,
        rules: Rules,
        now: datetime,
        *,
        is_due: Callable[[Lead], bool] = lambda _: True,
    ) -> None:
        self._lead_id = lead_id
        self._rules = rules
        self._now = now
        self._is_due = is_due

    def __call__(self, loaded: Loaded) -> Commit[Outcome]:
        """The lead's score, stage and triggers as of now."""
        lead = loaded[self._lead_id]
        if not isinstance(lead, Lead) or not self._is_due(lead):
            return Commit(Outcome())
        evaluated = evaluate(lead, self._rules, self._now)
        if evaluated.lead == lead:
            return Commit(Outcome())
        old, new = lead.snapshot, evaluated.lead.snapshot
        changed = old is None or new is None or old.score != new.score
        triggers = [(lead.id, trigger) for trigger in evaluated.triggers]
        moves = [(lead.id, transition) for transition in evaluated.transitions]
        outcome = Outcome(changed, bool(moves), triggers)
        return Commit(outcome, [evaluated.lead], {}, moves)
