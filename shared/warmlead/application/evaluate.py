"""Evaluates a lead: score, stage, handoff and sequences as of now, and what they trigger."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from warmlead.application.notices import has_update, refreshed_mirror, waiting_alerts
from warmlead.application.passages import Passage, moved
from warmlead.application.rest import record_of_offer, telling, with_promises
from warmlead.application.shadow import cast, next_review_of_shadow
from warmlead.application.trigger_builder import TriggerBuilder
from warmlead.domain.alerts import AlertsRaised, News, raise_alerts
from warmlead.domain.capacity import Capacity
from warmlead.domain.clock_skew import brought_back
from warmlead.domain.errors import UnsentError
from warmlead.domain.evaluation import (
    Evaluation,
    evaluation_of,
    next_review_day,
)
from warmlead.domain.handoff import (
    SUPERSEDED,
    HandoffPolicy,
    Offer,
    awaits_contact,
    follow,
    next_deadline,
    restarted,
)
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.knowledge import learnt
from warmlead.domain.lead import Lead
from warmlead.domain.nurture import Enrolments, next_due, nurture, would_start
from warmlead.domain.nurture_record import NurtureRecord, nurture_record
from warmlead.domain.outbox import MAX_WAITING_BYTES, bytes_of_waiting, is_full
from warmlead.domain.rules import Rules
from warmlead.domain.sales import verdict
from warmlead.domain.shadow import bytes_of_shadow
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import ANONYMOUS, LEAD, Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import Commit, Loaded


class Evaluated(Struct, frozen=True):
    """An evaluated lead, with its moves and triggers, and what became of its sequences."""

    lead: Lead
    transitions: tuple[Transition, ...]
    triggers: tuple[Trigger, ...]
    nurtured: NurtureRecord | None = None

    @property
    def records(self) -> list[tuple[str, NurtureRecord]]:
        """What became of its sequences, as a commit takes it."""
        return [] if self.nurtured is None else [(self.lead.id, self.nurtured)]


def evaluate(
    lead: Lead,
    rules: Rules,
    now: datetime,
    *,
    news: News | None = None,
    passage: Passage | None = None,
) -> Evaluated:
    """The lead as of ``now``, with its score, stage, offer, alerts and sequences.

    ``news`` are the events because of which it is evaluated, and ``passage`` is what they mean for
    the lead; ``None``: because of the time, or of a changed model. The triggers are added to the
    outbox, so that they are committed with their cause.
    """
    lead = cast(brought_back(lead, now), rules, now, passage)
    known = passage.evaluated if passage else None
    evaluation = known[1] if known and known[0] is lead else evaluation_of(lead, rules, now)
    totals = evaluation.totals
    today = day_of(to_ms(now))
    points, grade = (totals.score, totals.engagement, totals.fit), evaluation.grade
    active_day = 0 if totals.days_inactive is None else today - totals.days_inactive
    snapshot = Snapshot(*points, today, rules.version, grade, active_day)
    before = lead
    progress, last_moves = moved(lead, evaluation, rules, now, passage)
    moves = (*passage.moves, *last_moves) if passage else last_moves
    facts = {**evaluation.facts, "stage": progress.stage}
    suppressed = not evaluation.consent.may_be_mailed
    told = telling(
        lead if progress is lead.progress else replace(lead, progress=progress),
        evaluation,
        last_moves,
        passage=passage,
        rules=rules,
        now=now,
        would_start=lambda: would_start(
            rules.sequences, lead.enrolments, facts, now, suppressed=suppressed
        ),
    )
    if told.rest is not progress.rest:
        progress = replace(progress, rest=told.rest)
    knowledge = learnt(lead.knowledge, rules, today)
    lead = replace(lead, snapshot=snapshot, progress=progress, knowledge=knowledge)
    builder = TriggerBuilder(lead, evaluation, rules, now)
    unsent = lead.outbox if bytes_of_waiting(lead.outbox) > MAX_WAITING_BYTES else ()
    for move in told.moves:
        if (move.from_stage, move.to_stage) != (ANONYMOUS, LEAD):  # no message to tools
            builder.stage_entered(move)
    offer = _offered(lead, moves, rules, builder, now, is_told=bool(told.moves))
    if told.is_made_up_for:
        moves = (*moves, *(record_of_offer(each, now) for each in told.moves))
    moves = with_promises(moves, before.offer, offer, rules)
    alerted = lead.alerted
    if news:
        offered = offer is not None and offer.cycle > (before.offer.cycle if before.offer else 0)
        raised = raise_alerts(
            rules.alerts,
            lead.alerted,
            facts,
            news,
            now,
            offered=offered,
            waiting=waiting_alerts(unsent),
        )
        offer = _with_alerts(offer, raised, rules, builder, now)
        alerted = raised.records
    enrolments, due = nurture(
        rules.sequences,
        lead.enrolments,
        facts,
        now,
        suppressed=suppressed,
        may_start=told.rest is None,
    )
    for step in due:
        builder.step_due(step)
    wanted = _still_wanted(lead.outbox, evaluation)
    dropped = () if wanted is lead.outbox else [t for t in lead.outbox if t not in wanted]
    nurtured = nurture_record(
        lead.enrolments, enrolments, due, dropped, stage=progress.stage, now=now
    )
    refresh = refreshed_mirror(
        lead,
        offer,
        evaluation,
        rules.updates,
        now,
        at_once=news is not None,
        is_held=has_update(unsent),
    )
    if refresh.changed:
        builder.updated(refresh, offer)
    triggers = builder.triggers
    decay_on = next_review_day(lead, evaluation, rules, now, enrolments=enrolments)
    if decay_on is None:
        decay_on = next_review_of_shadow(lead, rules, now)
    lead = replace(
        lead,
        outbox=(*wanted, *triggers),
        offer=offer,
        enrolments=enrolments,
        alerted=alerted,
        mirror=refresh.mirror,
        decay_on=decay_on,
        due_at=_earliest(_next_moment(offer, enrolments, rules), refresh.mirror.due),
    )
    return Evaluated(lead, moves, triggers, nurtured)


def refuse_if_full(leads: Collection[Lead], rules: Rules) -> None:
    """Raises ``UnsentError`` if no more messages may wait in what some leads are together."""
    waiting = bytes_of_waiting(trigger for lead in leads for trigger in lead.outbox)
    if not waiting:
        return
    trails = {id_: trail for lead in leads for id_, trail in lead.trails.items()}
    shadows = sum(bytes_of_shadow(lead.shadow) for lead in leads)
    if is_full(waiting, Capacity(trails, rules).size_bytes + shadows):
        raise UnsentError


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
    *,
    is_told: bool,
) -> Offer | None:
    """The lead's offer to sales as of now: made, followed up, answered, superseded or withdrawn.

    An offer is made if tools are told of the move. It is of one stage: whoever enters another one
    that is offered has a new offer, and whoever enters one that is not has none.
    """
    offer, policy, stage = lead.offer, rules.handoff, lead.progress.stage
    if policy is None:
        return offer
    is_offered = _is_of_model(lead, rules) and policy.promises_of(stage) is not None
    is_new = is_offered and is_told
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
    by_sales = said is not None and said.is_by_sales and said.stage == stage
    return not by_sales and any(policy.name == stage for policy in rules.stages)


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
    """The offer, its clock restarted if an alert says so; adds the messages of the alerts.

    Who still waits for the first contact gets it no later for asking again.
    """
    restarts = any(alert.policy.restart_clock for alert in raised.alerts)
    is_open = offer is not None and offer.closed_at is None
    if restarts and rules.handoff and offer and is_open and not awaits_contact(offer):
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

    Another process may have evaluated it in the meantime: then there is nothing to write. Raises
    ``UnsentError`` if too many messages about the lead wait to be sent; then it stays due.
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
        refuse_if_full([lead], self._rules)
        evaluated = evaluate(lead, self._rules, self._now)
        if evaluated.lead == lead:
            return Commit(Outcome())
        old, new = lead.snapshot, evaluated.lead.snapshot
        changed = old is None or new is None or old.score != new.score
        triggers = [(lead.id, trigger) for trigger in evaluated.triggers]
        moves = [(lead.id, transition) for transition in evaluated.transitions]
        outcome = Outcome(changed, bool(moves), triggers)
        return Commit(outcome, [evaluated.lead], {}, moves, nurtured=evaluated.records)
