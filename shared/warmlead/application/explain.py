"""Explains a lead's score: every contribution, every deduction, and what is missing.

The points of the contributions add up to the score exactly. Here is also the base of all documents
that Warmlead hands out about leads, and promises to keep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from warmlead.domain.attribution import described, first_origin, last_origin
from warmlead.domain.capacity import Capacity
from warmlead.domain.consent import Consent, known_by
from warmlead.domain.evaluation import Evaluation, evaluation_of
from warmlead.domain.event import AUTOMATED_EVENTS, Automation, Property
from warmlead.domain.history import Tally, day_of, to_date, to_ms
from warmlead.domain.knowledge import known_since
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import MICRO, Contribution
from warmlead.domain.stages import ANONYMOUS, SALES_STAGES, Transition, moved_back
from warmlead.messages.wording import describe, losses


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


class NextStage(Shape):
    """The next stage of the model that the lead has not reached, and what is missing for it."""

    name: str
    missing: list[str]


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
    traits whose values could not be read, so that no condition over them holds. ``grade`` is empty
    if the model has no grades. ``known_since`` names signals and events that the model needs from
    before a day, and that the lead's history has only from that day on.
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
    consent: ConsentView
    known_since: dict[str, date]
    as_of: datetime
    model_version: str


class MoveView(Shape):
    """One recorded move; ``cycle`` counts the entries into ``to_stage``, this one included."""

    at: datetime
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    source: str
    score: int
    fit: int
    hours_in_stage: float


class LeadView(Shape):
    """A lead as people see it, its score as of ``as_of``."""

    id: str
    email: str | None
    user_id: str | None
    stage: str
    stage_since: datetime
    score: int
    engagement: int
    fit: int
    grade: str
    days_inactive: int | None
    traits: dict[str, Property]
    not_understood: list[str]
    signals: dict[str, int]
    events: dict[str, int]
    automated: dict[Automation, int]
    first_touch: dict[str, str]
    last_touch: dict[str, str]
    consent: ConsentView
    identifiers: dict[str, list[str]]
    entered: dict[str, int]
    moved_back: int
    moves: list[MoveView]
    flooding: bool
    notes: list[str]
    known_since: dict[str, date]
    created_at: datetime
    as_of: datetime
    model_version: str


def as_it_stood(lead: Lead, moves: Sequence[Transition], at: datetime) -> Lead:
    """The lead in the stage in which it was at a past time, after its recorded moves."""
    before = [move for move in moves if move.at <= at]
    if len(before) == len(moves):
        return lead
    stage, since = (before[-1].to_stage, before[-1].at) if before else (ANONYMOUS, lead.created_at)
    return replace(lead, progress=replace(lead.progress, stage=stage, since=since))


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
    return LeadView(
        id=lead.id,
        email=lead.email,
        user_id=lead.user_id,
        stage=lead.progress.stage,
        stage_since=lead.progress.since,
        score=evaluation.score.score,
        engagement=evaluation.score.engagement,
        fit=evaluation.score.fit,
        grade=evaluation.grade,
        days_inactive=evaluation.score.days_inactive,
        traits=lead.traits,
        not_understood=list(rules.not_understood(lead.traits)),
        signals=_totals(evaluation.tally.signals),
        events=_totals(evaluation.tally.names),
        automated=_automated(evaluation.tally),
        consent=_consent(lead, evaluation.consent, known_at),
        first_touch=described(lead.first_touch, first_origin(lead)),
        last_touch=described(lead.last_touch, last_origin(lead)),
        identifiers=identifiers,
        entered=dict(lead.progress.entered),
        moved_back=moved_back(moves, rules.stage_order),
        moves=[shaped(MoveView, move) for move in moves],
        flooding=Capacity(lead.trails, rules).is_flooding,
        notes=list(dict.fromkeys(note.text for note in lead.notes)),
        known_since=_known_since(lead, rules, now),
        created_at=lead.created_at,
        as_of=now,
        model_version=rules.version,
    )


def _automated(tally: Tally) -> dict[Automation, int]:
    totals = _totals(tally.names)
    return {why: totals[name] for why, name in AUTOMATED_EVENTS.items() if name in totals}


def _totals(counts: Mapping[str, Mapping[int, int]]) -> dict[str, int]:
    return {label: sum(days.values()) for label, days in sorted(counts.items())}


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
        next_stage=_next_stage(lead, rules, evaluation),
        consent=_consent(lead, evaluation.consent, known_at),
        known_since=_known_since(lead, rules, now),
        as_of=now,
        model_version=rules.version,
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


def _next_stage(lead: Lead, rules: Rules, evaluation: Evaluation) -> NextStage | None:
    stage = lead.progress.stage
    names = [policy.name for policy in rules.stages]
    rank = names.index(stage) + 1 if stage in names else 0
    if stage in SALES_STAGES or rank >= len(names):
        return None
    policy = rules.stages[rank]
    missing = list(policy.enter.missing(evaluation.facts))
    if stage == ANONYMOUS:
        missing.insert(0, "an email or a user id (the visitor is anonymous)")
    return NextStage(name=policy.name, missing=missing)
