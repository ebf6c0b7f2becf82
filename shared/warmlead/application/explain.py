"""Explains a lead's score: every contribution, every deduction, and what is missing.

The points of the contributions add up to the score exactly. Here is also the base of all documents
that Warmlead hands out about leads, and promises to keep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from warmlead.domain.attribution import described, first_origin, last_origin
from warmlead.domain.capacity import Capacity
from warmlead.domain.consent import Consent, known_by
from warmlead.domain.crm_ids import crm_ids_of
from warmlead.domain.evaluation import Evaluation, as_judged, evaluation_of
from warmlead.domain.event import AUTOMATED_EVENTS, Automation, Property
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import Tally, day_of, to_date, to_ms
from warmlead.domain.knowledge import known_since
from warmlead.domain.lead import Lead
from warmlead.domain.move_order import moved_back
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import MICRO, Contribution
from warmlead.domain.shadow_rules import is_shadowed
from warmlead.domain.stages import (
    ANONYMOUS,
    MAX_MOVES_A_DAY,
    SALES_STAGES,
    StagePolicy,
    Transition,
    bypassing,
    has_moved_enough,
)
from warmlead.messages.journey import journey_of
from warmlead.messages.wording import describe, losses, reasons, such_leads, title_of


class Shape(BaseModel):
    """A document whose fields are promised: they are only ever added to."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], of: object, **others: Any) -> S:  # noqa: ANN401  # as the fields are
    """The shape with the attributes of an object that bear its fields' names, and ``others``.

    Raises ``AttributeError`` if a field is among neither.
    """
    same = {name: getattr(of, name) for name in shape.model_fields if name not in others}
    return shape(**same, **others)


class ExplainedContribution(Shape):
    """One line of the sum. ``points`` are whole, ``exact`` is the same unrounded.

    ``raw_points`` are the points without any loss; ``per_day``, ``max_count`` and ``decay`` say
    what the daily limit, the limit in all and age took from it (each is 0 or has the sign of the
    loss).
    """

    kind: str
    name: str
    points: int
    exact: float
    because: str
    raw_points: int
    per_day: float
    max_count: float
    decay: float
    lowered_by: list[str]
    count: int
    group: str | None
    first_day: str | None
    last_day: str | None


class ProbabilityView(Shape):
    """What the score has meant so far: of 100 leads with it so many reached the outcome.

    They reached it within some days since they became known. It was learned of a number of
    ``leads``. ``text`` says it in words.
    """

    outcome: str
    of_100: int
    within_days: int
    leads: int
    text: str


class NextStage(Shape):
    """The next stage of the model that the lead has not reached, and what is missing for it.

    ``bypasses`` says of each bypass signal of the last 30 days why it does not open the stage.
    """

    name: str
    missing: list[str]
    bypasses: list[str] = []


class ConsentStatement(Shape):
    """One statement about mailing the person: cause, time, sender and trust.

    ``source`` is empty if an earlier release kept only the day.
    """

    cause: str
    at: datetime
    source: str
    trust: str
    mailing_list: str


class ConsentView(Shape):
    """Whether the person may be written to, the deciding statement, and all statements."""

    status: str
    may_be_mailed: bool
    decided_by: ConsentStatement | None
    statements: list[ConsentStatement]


class Explanation(Shape):
    """A score with everything that made it: ``sum(points) == score``.

    ``automated`` counts events of programs, which bring no points. ``not_understood`` names the
    traits whose values could not be read, so that no condition over them holds. ``stage_because``
    says what keeps the lead in a stage of the model; it is empty in all other stages. ``grade`` is
    empty if the model has no grades. ``known_since`` names signals and events that the model needs
    from before a day, and that the lead's history has only from that day on.
    """

    id: str
    email: str | None
    stage: str
    score: int
    engagement: int
    fit: int
    grade: str
    days_inactive: int | None
    contributions: list[ExplainedContribution]
    automated: dict[Automation, int]
    not_understood: list[str]
    next_stage: NextStage | None
    stage_because: str = ""
    consent: ConsentView
    known_since: dict[str, date]
    as_of: datetime
    model_version: str
    probability: ProbabilityView | None = None


class MoveView(Shape):
    """One recorded move; ``cycle`` counts the entries into ``to_stage``, this one included.

    It was so from ``at`` on, and learnt at ``learnt_at``.
    """

    at: datetime
    learnt_at: datetime
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    source: str
    score: int
    fit: int
    hours_in_stage: float


class OfferView(Shape):
    """The last offer of a lead to sales, and by when sales promised what."""

    cycle: int
    stage: str
    at: datetime
    owner: str
    touch_by: datetime
    accept_by: datetime
    touched_at: datetime | None
    closed_at: datetime | None
    answer: str


class StepView(Shape):
    """One notable thing that the lead did: ``what`` is the signal's name, or the event's."""

    at: datetime
    what: str
    title: str
    details: dict[str, str]
    trust: str


class SaidView(Shape):
    """One statement of sales; ``details`` are what it told besides, such as its ``note``."""

    said: str
    at: datetime
    source: str
    reason: str
    details: dict[str, str]


class LeadView(Shape):
    """A lead as people see it, its score as of ``as_of``. ``alerts`` count those that were sent."""

    id: str
    email: str | None
    user_id: str | None
    stage: str
    stage_since: datetime
    stage_learnt_at: datetime
    resting_since: datetime | None
    score: int
    base: int
    engagement: int
    fit: int
    grade: str
    days_inactive: int | None
    reasons: list[str]
    journey: list[StepView]
    statements: list[SaidView]
    traits: dict[str, Property]
    not_understood: list[str]
    signals: dict[str, int]
    events: dict[str, int]
    automated: dict[Automation, int]
    first_touch: dict[str, str]
    last_touch: dict[str, str]
    consent: ConsentView
    offer: OfferView | None
    identifiers: dict[str, list[str]]
    crm_ids: dict[str, str]
    entered: dict[str, int]
    moved_back: int
    moves: list[MoveView]
    alerts: dict[str, int]
    flooding: bool
    notes: list[str]
    known_since: dict[str, date]
    created_at: datetime
    as_of: datetime
    model_version: str
    probability: ProbabilityView | None = None


def as_it_stood(lead: Lead, moves: Sequence[Transition], at: datetime) -> Lead:
    """The lead in the stage in which it was at a past time, after its recorded moves."""
    before = [move for move in moves if move.learnt_at <= at]
    if len(before) == len(moves):
        return lead
    progress = replace(
        lead.progress, stage=ANONYMOUS, since=lead.created_at, learnt=None, rest=None
    )
    if before:
        last = before[-1]
        progress = replace(progress, stage=last.to_stage, since=last.at, learnt=last.learnt)
    return replace(lead, progress=progress)


def view(
    lead: Lead,
    rules: Rules,
    now: datetime,
    *,
    moves: Sequence[Transition] = (),
    known_at: datetime | None = None,
) -> LeadView:
    """The lead as of ``now``; with ``known_at`` as far as its events were known by then.

    ``moves`` are its recorded ones, if they are needed.
    """
    evaluation = evaluation_of(lead, rules, now, known_at=known_at)
    identifiers: dict[str, list[str]] = {}
    for _, trail in sorted(lead.trails.items()):
        kind = trail.identifier.kind.name.lower()
        identifiers.setdefault(kind, []).append(trail.identifier.value)
    steps = as_judged(lead, rules).steps
    return LeadView(
        id=lead.id,
        email=lead.email,
        user_id=lead.user_id,
        stage=lead.progress.stage,
        stage_since=lead.progress.since,
        stage_learnt_at=lead.progress.learnt_at,
        resting_since=lead.progress.rest.since if lead.progress.rest else None,
        score=evaluation.score.score,
        base=rules.scoring.base,
        engagement=evaluation.score.engagement,
        fit=evaluation.score.fit,
        grade=evaluation.grade,
        days_inactive=evaluation.score.days_inactive,
        reasons=list(reasons(evaluation.score, rules.titles, rules.shown, steps)),
        journey=[shaped(StepView, step) for step in journey_of(steps, rules, now)],
        statements=[
            shaped(SaidView, said, details=dict(said.details))
            for said in lead.statements
            if said.at <= now
        ],
        traits=lead.traits,
        not_understood=list(rules.not_understood(lead.traits)),
        signals=_totals(evaluation.tally.signals),
        events=_totals(evaluation.tally.names),
        automated=_automated(evaluation.tally),
        consent=_consent(lead, evaluation.consent, known_at),
        offer=_offer(lead.offer, rules, now),
        first_touch=described(lead.first_touch, first_origin(lead)),
        last_touch=described(lead.last_touch, last_origin(lead)),
        identifiers=identifiers,
        crm_ids=crm_ids_of(lead),
        entered=dict(lead.progress.entered),
        moved_back=moved_back(moves, rules.stage_order),
        moves=[shaped(MoveView, move) for move in moves if move.is_move],
        alerts={name: each.count for name, each in sorted(lead.alerted.items()) if each.count},
        flooding=Capacity(lead.trails, rules).is_flooding,
        notes=list(dict.fromkeys(note.text for note in lead.notes)),
        known_since=_known_since(lead, rules, now),
        created_at=lead.created_at,
        as_of=now,
        model_version=rules.version,
        probability=_probability(rules, evaluation.score.score),
    )


def _offer(offer: Offer | None, rules: Rules, now: datetime) -> OfferView | None:
    """The last offer, if it was made by then and the model still says what was promised."""
    if offer is None or rules.handoff is None or offer.at > now:
        return None
    due = partial(rules.handoff.deadline_of, offer)
    touch_by, accept_by = due(Deadline.TOUCH_BREACHED), due(Deadline.ACCEPT_BREACHED)
    return shaped(OfferView, offer, touch_by=touch_by, accept_by=accept_by)


def _automated(tally: Tally) -> dict[Automation, int]:
    totals = _totals(tally.names)
    return {why: totals[name] for why, name in AUTOMATED_EVENTS.items() if name in totals}


def _totals(counts: Mapping[str, Mapping[int, int]]) -> dict[str, int]:
    told = ((label, days) for label, days in sorted(counts.items()) if not is_shadowed(label))
    return {label: sum(days.values()) for label, days in told}


def explain(
    lead: Lead,
    rules: Rules,
    now: datetime,
    *,
    known_at: datetime | None = None,
) -> Explanation:
    """Why the lead has its score at ``now``, and what keeps it from the next stage."""
    evaluation = evaluation_of(lead, rules, now, known_at=known_at)
    score = evaluation.score
    return Explanation(
        id=lead.id,
        email=lead.email,
        stage=lead.progress.stage,
        score=score.score,
        engagement=score.engagement,
        fit=score.fit,
        grade=evaluation.grade,
        days_inactive=score.days_inactive,
        contributions=[_explained(line, rules.titles) for line in score.contributions],
        automated=_automated(evaluation.tally),
        not_understood=list(rules.not_understood(lead.traits)),
        next_stage=_next_stage(lead, rules, evaluation, now),
        stage_because=_stage_because(lead, rules, evaluation, now),
        consent=_consent(lead, evaluation.consent, known_at),
        known_since=_known_since(lead, rules, now),
        as_of=now,
        model_version=rules.version,
        probability=_probability(rules, score.score),
    )


def _probability(rules: Rules, score: int) -> ProbabilityView | None:
    learned = rules.probability
    if learned is None:
        return None
    return shaped(
        ProbabilityView,
        learned,
        of_100=learned.of_100(score),
        within_days=learned.within.days,
        text=such_leads(learned, score),
    )


def _known_since(lead: Lead, rules: Rules, now: datetime) -> dict[str, date]:
    days = known_since(lead.knowledge, rules, day_of(to_ms(now)))
    return {label: to_date(day) for label, day in days.items()}


def _consent(lead: Lead, consent: Consent, known_at: datetime | None) -> ConsentView:
    decided = consent.decided_by
    known_ms = None if known_at is None else to_ms(known_at)
    return ConsentView(
        status=consent.status,
        may_be_mailed=consent.may_be_mailed,
        decided_by=decided and shaped(ConsentStatement, decided),
        statements=[
            shaped(ConsentStatement, fact) for fact in known_by(lead.consent_facts, known_ms)
        ],
    )


def _explained(line: Contribution, titles: Mapping[str, str]) -> ExplainedContribution:
    return shaped(
        ExplainedContribution,
        line,
        kind=str(line.part),
        exact=line.exact_micro / MICRO,
        because=describe(line, titles),
        per_day=-line.per_day_took_micro / MICRO,
        max_count=-line.max_count_took_micro / MICRO,
        decay=-line.decay_took_micro / MICRO,
        lowered_by=list(losses(line)),
        first_day=line.first_day.isoformat() if line.first_day else None,
        last_day=line.last_day.isoformat() if line.last_day else None,
    )


ENTER_HOLDS = "its enter condition holds"
"""What keeps most leads in a stage."""

LEAVE_HOLDS = "its leave condition holds, so the lead leaves it at its next evaluation"
"""That nothing keeps the lead in its stage any more."""


def _stage_because(lead: Lead, rules: Rules, evaluation: Evaluation, now: datetime) -> str:
    """What keeps the lead in its stage of the model; empty in any other stage."""
    policy = next((one for one in rules.stages if one.name == lead.progress.stage), None)
    if policy is None:
        return ""
    if policy.enter(evaluation.facts):
        return ENTER_HOLDS
    known = bypassing(policy, lead.progress, evaluation.standing, now)
    if opening := next((each for each in known if each.opens), None):
        title = _capital(title_of(opening.signal, rules.titles))
        until = to_date(opening.until_day)
        return (
            f"{title} on {to_date(opening.day)} opens it at once, and keeps it open until {until}"
        )
    if policy.leave is None:
        return "it has no leave condition: only sales ends it"
    if policy.leave(evaluation.facts):  # as of another time, or before `decay` has run
        return LEAVE_HOLDS
    return "its leave condition does not hold either"


def _closed_bypasses(
    policy: StagePolicy, lead: Lead, rules: Rules, evaluation: Evaluation, now: datetime
) -> list[str]:
    """Why the recent bypass signals of a stage do not open it."""
    lines = []
    for each in bypassing(policy, lead.progress, evaluation.standing, now):
        title = _capital(title_of(each.signal, rules.titles))
        lacks = "it was before sales refused the lead" if each.is_cooling else ""
        if lacks := lacks or " and ".join(each.missing):
            lines.append(f"{title} on {to_date(each.day)} would open it at once, but: {lacks}")
    return lines


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _next_stage(
    lead: Lead, rules: Rules, evaluation: Evaluation, now: datetime
) -> NextStage | None:
    stage = lead.progress.stage
    names = [policy.name for policy in rules.stages]
    rank = names.index(stage) + 1 if stage in names else 0
    if stage in SALES_STAGES or rank >= len(names):
        return None
    policy = rules.stages[rank]
    missing = list(policy.enter.missing(evaluation.facts))
    cooling = lead.progress.cooling
    if cooling is not None and now < cooling.until:
        until = f"{cooling.until:%Y-%m-%d %H:%M} UTC"
        missing.insert(0, f"the end of the cooldown after sales refused the lead: {until}")
    if has_moved_enough(lead.progress, now):
        missing.insert(0, f"midnight UTC: it has moved {MAX_MOVES_A_DAY} times today")
    if stage == ANONYMOUS:
        missing.insert(0, "an email or a user id (the visitor is anonymous)")
    bypasses = _closed_bypasses(policy, lead, rules, evaluation, now)
    return NextStage(name=policy.name, missing=missing, bypasses=bypasses)
