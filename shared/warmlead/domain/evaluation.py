"""The evaluation of a lead: its score and stage now and later, and the day of its next review."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import NamedTuple

from msgspec import Struct

from warmlead.domain.consent import Consent
from warmlead.domain.history import NAME_DAYS, DayCounts, Tally, day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.measures import Measure
from warmlead.domain.nurture import would_change
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Refusal, Statement, verdict
from warmlead.domain.scoring import (
    BonusPoints,
    FitPoints,
    Score,
    ScoreByDay,
    ScoreTotals,
    ScoringPolicy,
    score_of,
)
from warmlead.domain.stages import (
    DISQUALIFIED,
    LEAD,
    MODEL,
    RECYCLED,
    Facts,
    MoveCause,
    Progress,
    Standing,
    Transition,
    Why,
    cool_down,
    move,
    next_stage,
)


@dataclass(frozen=True)  # without slots, for the score that is made when it is asked for
class Evaluation:
    """The score of a lead on a UTC day number, and the facts that conditions may name."""

    totals: ScoreTotals
    standing: Standing
    tally: Tally
    day: int
    fit: tuple[FitPoints, ...]
    bonuses: tuple[BonusPoints, ...]
    policy: ScoringPolicy
    consent: Consent
    points: ScoreByDay = field(compare=False, repr=False)

    @cached_property
    def score(self) -> Score:
        """The score with every contribution; computed when somebody asks for it."""
        return score_of(self.policy, self.tally, self.fit, self.day, self.bonuses)

    @property
    def grade(self) -> str:
        """How well the lead fits, by the model's grades; empty if it has none."""
        return self.policy.grade_of(self.totals.fit)

    def totals_on(self, day: int, bonus: int) -> ScoreTotals:
        """The score on another UTC day number, if nothing happens until then but bonuses change."""
        return self.points.on(day, self.totals.fit, bonus)

    @property
    def facts(self) -> Facts:
        """What conditions may name."""
        return self.standing.facts


def evaluation_of(
    lead: Lead, rules: Rules, now: datetime, *, known_at: datetime | None = None
) -> Evaluation:
    """The lead's score and facts at a moment: a pure function of history, traits, model and now.

    The lead's snapshot is not used. With ``known_at`` only events that were received by then count.
    """
    today = to_ms(now) // DAY_MS
    counts = lead.tally(known_at)
    known = rules.know({**lead.traits, **({"email": lead.email} if lead.email else {})})
    consent = lead.consent(rules.suppression, known_at)
    stated = {
        "suppressed": not consent.may_be_mailed,
        "mail_refused": consent.refused,
        "consent_status": str(consent.status),
    }
    if rules.reads_origin:
        from warmlead.domain.attribution import origin_facts  # noqa: PLC0415  # lists of sites

        known = {**known, **origin_facts(lead)}
    fit = rules.fit({**known, **stated})
    points = ScoreByDay(rules.scoring, counts)
    fit_points = sum([rule.points for rule in fit])
    identified = lead.identified
    facts: dict[str, object] = {
        **known,
        **stated,
        "fit": fit_points,
        "stage": lead.progress.stage,
        "identified": identified,
    }
    if rules.scoring.grades:
        facts["grade"] = rules.scoring.grade_of(fit_points)
    if (idle := points.days_inactive(today)) is not None:
        facts["days_inactive"] = idle
    last_days = {signal: max(days) for signal, days in counts.signals.items() if days}
    for name in rules.scoring.signals:
        facts[name] = name in last_days
    for each in windows(counts, rules):
        facts[each.fact] = each.on(today)
    bonuses = rules.bonus(facts) if rules.bonuses else ()
    totals = points.on(today, fit_points, sum([rule.points for rule in bonuses]))
    facts["score"] = totals.score
    facts["engagement"] = totals.engagement
    facts["peak_score"] = max(lead.progress.peak_score, totals.score)
    standing = Standing(identified, facts, last_days, partial(_seen_later, lead, known_at))
    return Evaluation(totals, standing, counts, today, fit, bonuses, rules.scoring, consent, points)


class Window(Struct, frozen=True):
    """A number that conditions read of events, and the days on which there are any."""

    fact: str
    measure: Measure
    days: DayCounts

    def on(self, today: int) -> int:
        """The number on a UTC day number."""
        return self.measure.of(self.days, today)


def windows(counts: Tally, rules: Rules) -> Iterator[Window]:
    """The numbers that conditions read of events."""
    for measure in rules.counters:
        label = measure.label
        if label in rules.scoring.signals:
            days = counts.signals.get(label, {})
        else:
            days = counts.names.get(rules.kept_as.get(label, label), {})
        yield Window(measure.fact, measure, days)


def _seen_later(lead: Lead, known_at: datetime | None, signal: str, moment: datetime) -> bool:
    """Whether an event was a signal after a moment, on the same UTC day; only kept ones say."""
    moment_ms = to_ms(moment)
    day = day_of(moment_ms)
    known_ms = None if known_at is None else to_ms(known_at)
    return any(
        event.day == day
        and event.at_ms > moment_ms
        and signal in event.signals
        and (known_ms is None or event.received_ms <= known_ms)
        for trail in lead.trails.values()
        for event in trail.history.kept.values()
    )


class StageMove(NamedTuple):
    """The progress as of now, and the moves that it took; unpacked where it is used."""

    progress: Progress
    moves: tuple[Transition, ...]


def move_stage(lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime) -> StageMove:
    """Moves the lead to its stage: first by statements of sales, then by the model."""
    peak = max(lead.progress.peak_score, evaluation.totals.score)
    progress = lead.progress
    if peak != progress.peak_score:
        progress = replace(progress, peak_score=peak)
    mover = _Mover(progress, lead, evaluation, rules, now)
    said = verdict(lead.statements)
    if said is not None and said.key != mover.progress.verdict:
        mover.follow(said)
    elif mover.progress.grounds is not None and mover.progress.grounds != _grounds(evaluation):
        mover.reconsider(said)
    stage, why = next_stage(rules.stages, mover.progress, evaluation.standing, now)
    mover.to(stage, why, MODEL)
    return StageMove(mover.progress, tuple(mover.moves))


class _Mover:
    """A lead's progress while it is moved."""

    def __init__(
        self, progress: Progress, lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime
    ) -> None:
        self.progress = progress
        self.moves: list[Transition] = []
        self._lead = lead
        self._evaluation = evaluation
        self._rules = rules
        self._now = now
        touch = lead.last_touch
        self._attribution = touch.attribution if touch else ()

    def follow(self, said: Statement) -> None:
        """Moves the lead as sales stated; only the last statement decides."""
        unfit = said.reason == Refusal.BAD_FIT
        progress = replace(self.progress, verdict=said.key, cooling=None, grounds=None)
        if said.stage == RECYCLED:
            progress = cool_down(progress, self._rules.stages, said.at)
        elif said.stage == DISQUALIFIED and unfit:
            progress = replace(progress, grounds=_grounds(self._evaluation))
        self.progress = progress
        self.to(said.stage, Why(MoveCause(said.said), said.words, said.reason), said.source)

    def reconsider(self, said: Statement | None) -> None:
        """Lifts a disqualification if the lead's traits have changed since.

        Older facts that arrive only now do not count: sales knew them.
        """
        if said is not None and not self._lead.learnt_since(said.at_ms):
            self.progress = replace(self.progress, grounds=_grounds(self._evaluation))
            return
        self.progress = replace(self.progress, grounds=None)
        why = Why(MoveCause.FIT_CHANGED, "what spoke against the lead's fit has changed")
        self.to(LEAD, why, MODEL)

    def to(self, stage: str, why: Why, source: str) -> None:
        """Moves to a stage, unless the lead is there."""
        if stage == self.progress.stage:
            return
        totals = self._evaluation.totals
        self.progress, transition = move(
            self.progress,
            stage,
            why,
            self._now,
            score=totals.score,
            fit=totals.fit,
            model_version=self._rules.version,
            source=source,
            attribution=self._attribution,
        )
        self.moves.append(transition)


def _grounds(evaluation: Evaluation) -> str:
    """The fit rules that hold, by name: an unfit lead stays disqualified until they change."""
    return ",".join(
        sorted(line.name for line in evaluation.score.contributions if line.part == "fit")
    )


class Projection:
    """The score and facts of a lead on later days, made of its evaluation as of now."""

    def __init__(self, lead: Lead, evaluation: Evaluation, rules: Rules) -> None:
        self._evaluation = evaluation
        self._rules = rules
        self._identified = lead.identified
        self._peak_score = lead.progress.peak_score
        self._facts = {**evaluation.facts, "stage": lead.progress.stage}
        self._counted = [each for each in windows(evaluation.tally, rules) if each.days]

    def on(self, day: int) -> tuple[ScoreTotals, Standing]:
        """The score, and what conditions will know of the lead, on a later UTC day number."""
        facts = self._facts.copy()
        idle = self._evaluation.points.days_inactive(day)
        if idle is not None:
            facts["days_inactive"] = idle
        for each in self._counted:
            facts[each.fact] = each.on(day)
        bonus = sum([rule.points for rule in self._rules.bonus(facts)])
        totals = self._evaluation.totals_on(day, bonus)
        facts["score"] = score = totals.score
        facts["engagement"] = totals.engagement
        facts["peak_score"] = max(self._peak_score, score)
        now = self._evaluation.standing
        return totals, Standing(self._identified, facts, now.last_days, now.seen_later)


MOST_DAYS_AHEAD = 7
"""A lead whose score still decays is reviewed once a week at least."""

VISIBLE_POINTS = 5
"""How many points the stored score may be off. Scores that people read are computed anew."""

REST_AFTER_DAYS = 400
"""After this much inactivity a lead is reviewed only if time still changes something."""

FAR_DAYS = 3_650
"""How far ahead to look for a last change; what has not changed by then never will."""


def next_review_day(lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime) -> int | None:
    """The next UTC day number on which time alone changes the lead noticeably; ``None``: never.

    ``evaluation`` is that of ``lead`` at ``now``. The day is the first, at most a week ahead, on
    which its stage, a sequence or five points of its score change, or the last day of that week.
    Every day is looked at: a condition may hold for some days of the week only.
    """
    today = day_of(to_ms(now))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    suppressed = not evaluation.consent.may_be_mailed  # time alone changes nothing of it
    projection = Projection(lead, evaluation, rules)

    def changes(days: int) -> bool:
        then = midnight + timedelta(days=days)
        totals, standing = projection.on(today + days)
        if abs(totals.score - evaluation.totals.score) >= VISIBLE_POINTS:
            return True
        stage, _ = next_stage(rules.stages, lead.progress, standing, then)
        return stage != lead.progress.stage or would_change(
            rules.sequences, lead.enrolments, standing.facts, then, suppressed=suppressed
        )

    if _is_silent(evaluation, rules, today) and not changes(FAR_DAYS):
        return None
    return today + next(filter(changes, range(1, MOST_DAYS_AHEAD)), MOST_DAYS_AHEAD)


def _is_silent(evaluation: Evaluation, rules: Rules, today: int) -> bool:
    """Whether the lead has long done nothing, and no event falls out of a window any more."""
    idle = evaluation.totals.days_inactive
    if idle is not None and idle <= REST_AFTER_DAYS:
        return False
    measured = max((measure.reach_days for measure in rules.counters), default=0)
    last = max(evaluation.tally.last_day.values(), default=0)
    return last <= today - max(NAME_DAYS, measured)
