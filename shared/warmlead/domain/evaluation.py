"""The evaluation of a lead: its score and stage now and later, and the day of its next review."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import NamedTuple

from msgspec import Struct, structs

from warmlead.domain.consent import Consent
from warmlead.domain.history import (
    NAME_DAYS,
    DayCounts,
    Tally,
    day_at,
    day_of,
    from_ms,
    to_ms,
    with_days_of,
)
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.mail_scans import judged, possible_scans
from warmlead.domain.measures import Measure
from warmlead.domain.nurture import Enrolments, would_change
from warmlead.domain.packed_history import DAY_MS, KeptEvent
from warmlead.domain.readings import NO_READINGS, Readings, measured, with_amounts_once
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
    ANONYMOUS,
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
from warmlead.domain.traits import TraitFact
from warmlead.domain.unjudged import Unjudged, readings_with, steps_with


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
    windows: tuple["Window", ...] = field(default=(), compare=False, repr=False)

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
    lead = as_judged(lead, rules)
    counts = _counted(lead, rules, known_at)
    traits = lead.traits if known_at is None else lead.traits_as_of(day_at(known_at))
    known = rules.know({**traits, **({"email": lead.email} if lead.email else {})})
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
        **rules.unseen,
        "fit": fit_points,
        "stage": lead.progress.stage,
        "identified": identified,
    }
    if rules.scoring.grades:
        facts["grade"] = rules.scoring.grade_of(fit_points)
    if (idle := points.days_inactive(today)) is not None:
        facts["days_inactive"] = idle
    last_days = {signal: max(days) for signal, days in counts.signals.items() if days}
    for name in last_days.keys() & rules.scoring.signals.keys():
        facts[name] = True
    readings = with_amounts_once(lead.readings(known_at)) if rules.meters else NO_READINGS
    counted = tuple(windows(counts, readings, rules))
    for each in counted:
        facts[each.fact] = each.on(today)
    for name, meter in rules.latest.items():
        if meter in readings.latest:
            facts[name] = readings.latest[meter].value
    if rules.before:
        facts |= _traits_before(lead.facts_by_day(), rules, today)
    bonuses = rules.bonus(facts) if rules.bonuses else ()
    totals = points.on(today, fit_points, sum([rule.points for rule in bonuses]))
    facts["score"] = totals.score
    facts["engagement"] = totals.engagement
    facts["peak_score"] = max(lead.progress.peak_score, totals.score)
    standing = Standing(identified, facts, last_days, partial(_seen_later, lead, known_at, rules))
    return Evaluation(
        totals,
        standing,
        counts,
        today,
        fit,
        bonuses,
        rules.scoring,
        consent,
        points,
        counted,
    )


def _counted(lead: Lead, rules: Rules, known_at: datetime | None) -> Tally:
    """The counts of a lead's events as the model names them, by what was known at a time."""
    counts = lead.tally(known_at, rules.machines)
    if rules.labels:
        counts = _by_name(counts, rules.labels)
    return counts if known_at is None else with_days_of(counts, rules.acts)


def _by_name(counts: Tally, labels: Mapping[str, str]) -> Tally:
    """The counts with signals that are kept under other labels by their names."""
    signals = {name: days for name, days in counts.signals.items() if name not in labels}
    for name, label in labels.items():
        if label in counts.signals:
            signals[name] = counts.signals[label]
    return structs.replace(counts, signals=signals)


def _traits_before(
    facts_on: Callable[[int], Mapping[str, TraitFact]], rules: Rules, today: int
) -> dict[str, object]:
    """The traits as they were some days before a UTC day number, as conditions name them."""
    found: dict[str, object] = {}
    for name, (trait, days) in rules.before.items():
        fact = facts_on(today - days).get(trait)
        known = rules.know({trait: fact.value if fact else None})
        if trait in known:
            found[name] = known[trait]
    return found


class Window(Struct, frozen=True):
    """A number that conditions read of events: of the days on which there are any, or readings."""

    fact: str
    measure: Measure
    meter: str
    days: DayCounts
    readings: Readings

    def on(self, today: int) -> int:
        """The number on a UTC day number."""
        if self.meter:
            return measured(self.measure, self.meter, self.readings, today)
        return self.measure.of(self.days, today)


def windows(counts: Tally, readings: Readings, rules: Rules) -> Iterator[Window]:
    """The numbers that conditions read of events; those without any events are 0."""
    for each in rules.counted:
        by_label = counts.signals if each.is_signal else counts.names
        days = by_label.get(each.label)
        if days or each.meter:
            yield Window(each.fact, each.measure, each.meter, days or {}, readings)


def _seen_later(
    lead: Lead, known_at: datetime | None, rules: Rules, signal: str, moment: datetime
) -> bool:
    """Whether an event was a signal after a moment, on the same UTC day; only kept ones say."""
    signal = rules.labels.get(signal, signal)
    moment_ms = to_ms(moment)
    day = day_of(moment_ms)
    known_ms = None if known_at is None else to_ms(known_at)
    return any(
        event.day == day
        and event.at_ms > moment_ms
        and signal in event.signals
        and (known_ms is None or event.received_ms <= known_ms)
        for trail in lead.trails.values()
        for event in judged(trail.history.kept, rules.machines).values()
    )


def as_judged(lead: Lead, rules: Rules) -> Lead:
    """The lead with those steps and readings of clicks in mails that are a person's by now."""
    if not any(trail.unjudged for trail in lead.trails.values()):
        return lead
    return replace(lead, trails={i: judged_trail(t, rules, {}) for i, t in lead.trails.items()})


def judged_trail(trail: Trail, rules: Rules, kept: Mapping[str, KeptEvent]) -> Trail:
    """The trail with the steps and readings of clicks of people; those of programs are left out.

    What is still ``kept`` with a mark may turn out to be a program's and stays apart.
    """
    history = trail.history
    scans = possible_scans(history.recent, rules.machines)
    waiting: dict[str, Unjudged] = {}
    of_people: list[Unjudged] = []
    for key, each in trail.unjudged.items():
        if key in scans or not history.find(key):
            continue
        if key in kept and kept[key].mark:
            waiting[key] = each
        else:
            of_people.append(each)
    if len(waiting) == len(trail.unjudged):
        return trail
    return replace(
        trail,
        steps=steps_with(trail.steps, of_people),
        readings=readings_with(trail.readings, of_people),
        unjudged=waiting,
    )


class StageMove(NamedTuple):
    """The progress as of now, and the moves that it took; unpacked where it is used."""

    progress: Progress
    moves: tuple[Transition, ...]


def move_stage(
    lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime, *, at: datetime | None = None
) -> StageMove:
    """Moves the lead to its stage: first by statements of sales, then by the model.

    A statement of sales is true from its own time on. ``at`` is when that was so because of which
    the model moves the lead now; ``None``: now.
    """
    peak = max(lead.progress.peak_score, evaluation.totals.score)
    progress = lead.progress
    if peak != progress.peak_score:
        progress = replace(progress, peak_score=peak)
    mover = _Mover(progress, lead, evaluation, rules, now, at=at or now)
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
        self,
        progress: Progress,
        lead: Lead,
        evaluation: Evaluation,
        rules: Rules,
        now: datetime,
        *,
        at: datetime,
    ) -> None:
        self.progress = progress
        self.moves: list[Transition] = []
        self._lead = lead
        self._evaluation = evaluation
        self._rules = rules
        self._now = now
        self._at = at
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
        why = Why(MoveCause(said.said), said.words, said.reason)
        self.to(said.stage, why, said.source, at=said.at)
        if not said.is_by_sales:
            self.progress = replace(self.progress, held=True)

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

    def to(self, stage: str, why: Why, source: str, *, at: datetime | None = None) -> None:
        """Moves to a stage, unless the lead is there; the model, not before the lead's last move.

        What sales states is true from its own time on, whatever the model has made of the lead.
        """
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
            at=at or max(self._at, self.progress.since),
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
        self._facts_on = lead.facts_by_day() if rules.before else None
        self._facts = {**evaluation.facts, "stage": lead.progress.stage}
        for name in rules.before:
            self._facts.pop(name, None)

    def on(self, day: int) -> tuple[ScoreTotals, Standing]:
        """The score, and what conditions will know of the lead, on a later UTC day number."""
        facts = self._facts.copy()
        idle = self._evaluation.points.days_inactive(day)
        if idle is not None:
            facts["days_inactive"] = idle
        for each in self._evaluation.windows:
            facts[each.fact] = each.on(day)
        if self._facts_on:
            facts |= _traits_before(self._facts_on, self._rules, day)
        bonus = 0
        if self._rules.bonuses:
            bonus = sum([rule.points for rule in self._rules.bonus(facts)])
        totals = self._evaluation.totals_on(day, bonus)
        facts["score"] = score = totals.score
        facts["engagement"] = totals.engagement
        facts["peak_score"] = max(self._peak_score, score)
        now = self._evaluation.standing
        return totals, Standing(self._identified, facts, now.last_days, now.seen_later)


def moved_by_time(lead: Lead, rules: Rules, now: datetime) -> datetime | None:
    """When time alone began to move the lead, if it was after its last evaluation; a midnight.

    ``None`` if that is not known: it happened today, or the model has changed.
    """
    last, today = lead.snapshot, day_of(to_ms(now))
    if last is None or last.model_version != rules.version:
        return None
    evaluated = from_ms(last.day * DAY_MS)
    projection = Projection(lead, evaluation_of(lead, rules, evaluated), rules)
    for day in range(last.day + 1, min(today, last.day + MOST_DAYS_LATE) + 1):
        _, standing = projection.on(day)
        midnight = from_ms(day * DAY_MS)
        stage, _ = next_stage(rules.stages, lead.progress, standing, midnight)
        if stage != lead.progress.stage:
            return midnight
    return None


MOST_DAYS_LATE = 31
"""How late a run of ``decay`` may be and still find the day on which a lead moved."""

MOST_DAYS_AHEAD = 7
"""A lead whose score still decays is reviewed once a week at least."""

VISIBLE_POINTS = 5
"""How many points the stored score may be off. Scores that people read are computed anew."""

REST_AFTER_DAYS = 400
"""After this much inactivity a lead is reviewed only if time still changes something."""

FAR_DAYS = 3_650
"""How far ahead to look for a last change; what has not changed by then never will."""


def next_review_day(
    lead: Lead, evaluation: Evaluation, rules: Rules, now: datetime, *, enrolments: Enrolments
) -> int | None:
    """The next UTC day number on which time alone changes the lead noticeably; ``None``: never.

    ``evaluation`` is that of ``lead`` at ``now``; its ``enrolments`` are those from then on. The
    day is the first, at most a week ahead, on which its stage, a sequence or five points of its
    score change, or the last day of that week.
    Every day is looked at: a condition may hold for some days of the week only.
    """
    today = day_of(to_ms(now))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    suppressed = not evaluation.consent.may_be_mailed  # time alone changes nothing of it
    projection = Projection(lead, evaluation, rules)
    # An anonymous lead stays so and starts no sequence, whatever its facts are: most visitors.
    is_unknown = lead.progress.stage == ANONYMOUS and not (lead.identified or enrolments)
    by_score_alone = is_unknown and not rules.bonuses

    def changes(days: int) -> bool:
        if by_score_alone:
            score = evaluation.totals_on(today + days, 0).score
            return abs(score - evaluation.totals.score) >= VISIBLE_POINTS
        then = midnight + timedelta(days=days)
        totals, standing = projection.on(today + days)
        if abs(totals.score - evaluation.totals.score) >= VISIBLE_POINTS:
            return True
        stage, _ = next_stage(rules.stages, lead.progress, standing, then)
        return stage != lead.progress.stage or would_change(
            rules.sequences,
            enrolments,
            standing.facts,
            then,
            suppressed=suppressed,
            may_start=lead.progress.rest is None,
        )

    if _is_silent(evaluation, rules, today) and not changes(FAR_DAYS):
        return None
    return today + next(filter(changes, range(1, MOST_DAYS_AHEAD)), MOST_DAYS_AHEAD)


def _is_silent(evaluation: Evaluation, rules: Rules, today: int) -> bool:
    """Whether the lead has long done nothing, and no event falls out of a window any more."""
    idle = evaluation.totals.days_inactive
    if idle is not None and idle <= REST_AFTER_DAYS:
        return False
    reach = [measure.reach_days for measure in rules.counters]
    measured = max([*reach, *(meter.days for meter in rules.meters.values())], default=0)
    last = max(evaluation.tally.last_day.values(), default=0)
    return last <= today - max(NAME_DAYS, measured)
