"""Adds a period's moves between stages up to its KPIs; each number is defined in docs/kpis.md.

Whole numbers only. Moves may come in any order and more than once. Of what a person wrote only
names of sources are reported.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import starmap
from typing import TypeAlias

from warmlead.domain.attribution import DIRECT_SOURCE, OTHER_SOURCES, UNKNOWN
from warmlead.domain.handoff import SlaOutcome
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.office_hours import OfficeHours
from warmlead.domain.sales import BANT, Refusal
from warmlead.domain.stages import (
    ANONYMOUS,
    BUILT_IN_STAGES,
    DISQUALIFIED,
    LEAD,
    MODEL,
    RECYCLED,
    SQL,
    MoveCause,
    Transition,
)
from warmlead.messages.feedback import AnswerFigures, Feedback
from warmlead.messages.kpis import (
    BantFigures,
    ChannelFigures,
    Conversion,
    Conversions,
    Handoffs,
    KpiReport,
    Promise,
    SourceFigures,
    StageFigures,
    Times,
    Waits,
)
from warmlead.reporting.breakdowns import (
    FIRST_DAY,
    SpendTally,
    band,
    breakdowns,
    by_band,
    contact_times,
    won,
    won_by_last_touch,
    worked,
)
from warmlead.reporting.cohorts import (
    NO_MILESTONES,
    CohortTally,
    Milestone,
    Milestones,
    has_steps,
    milestones,
)
from warmlead.reporting.funnel import (
    ANSWERS,
    FunnelPath,
    Level,
    SalesAnswer,
    deal_won,
    level_of,
)
from warmlead.reporting.periods import Period
from warmlead.reporting.persons import FunnelPerson
from warmlead.reporting.sequences import NurtureTally
from warmlead.reporting.statistics import mean, nearest_rank, per_mille

CALCULATION = 1
"""Grows when the same moves make other numbers: then the daily run makes kept reports again."""

MOST_SOURCES = 50
"""Number of sources that a report names, those with the most MQLs; visitors can invent more."""

_THOUSANDTH_OF_AN_HOUR_MS = 3_600
_MINUTE_MS = 60_000
_ENDS = (RECYCLED, DISQUALIFIED)

_Counts: TypeAlias = dict[tuple[str, str], Counter[Level]]
"""By channel and source: how many persons reached each level of the funnel."""


class KpiTally:
    """Counts moves, then persons, then returns the KPIs."""

    def __init__(
        self,
        period: Period,
        stage_order: Sequence[str],
        now: datetime,
        hours: OfficeHours | None = None,
    ) -> None:
        """``stage_order`` is the order of all stages, the furthest last.

        ``now`` is the moment as of which cohorts have ripened, and promises have fallen due.
        ``hours`` are the office hours of sales; without them all time is working time.
        """
        self._period = period
        self._so_far = period.so_far(now)
        self._cohorts = CohortTally(period, now)
        self._nurture = NurtureTally(period, now)
        self._hours = hours
        self._spend = SpendTally()
        self._risen: set[str] = set()
        self._steps: dict[str, Milestones] = {}
        self._rank = {stage: 2 * place for place, stage in enumerate(stage_order)}
        self._stages = [stage for stage in stage_order if stage != ANONYMOUS]
        self._seen: set[int] = set()
        self._entered: Counter[tuple[str, bool]] = Counter()
        self._became_known = self._offers = 0
        self._new_lead_to_mql = 0
        self._became_lead: dict[str, datetime] = {}
        self._mql_after_lead: list[tuple[str, datetime, int]] = []
        self._backward: Counter[str] = Counter()
        self._rejections: Counter[str] = Counter()
        self._sql_causes: Counter[str] = Counter()
        self._waits_for_sql_ms: list[int] = []
        self._ways: dict[str, FunnelPath] = {}
        self._persons: dict[str, tuple[FunnelPath, FunnelPerson]] = {}

    def add(self, lead_id: str, move: Transition) -> None:
        """Counts a move: one in the period, or before it but still of interest."""
        key = hash((lead_id, move.at, move.from_stage, move.to_stage, move.cycle))
        if key in self._seen:
            return
        self._seen.add(key)
        if move.at >= self._period.end:
            return
        self._offers += move.touch_by is not None and self._period.holds(move.learnt_at)
        if self._period.holds(move.at) and move.is_move:
            self._count(lead_id, move)
        if level_of(move.from_stage) or level_of(move.to_stage):
            self._ways.setdefault(lead_id, FunnelPath()).add(move, self._period)

    def _count(self, lead_id: str, move: Transition) -> None:
        before, after = level_of(move.from_stage), level_of(move.to_stage)
        self._entered[move.to_stage, move.cycle == 1] += 1
        if has_steps(move):
            self._risen.add(lead_id)
        self._became_known += move.from_stage == ANONYMOUS
        if self._is_backward(move):
            self._backward[_why(move)] += 1
        if refusal := _refusal(move):
            self._rejections[refusal] += 1
        if move.to_stage == SQL:
            self._sql_causes[move.cause] += 1
        waited_ms = round(move.hours_in_stage * 1000) * _THOUSANDTH_OF_AN_HOUR_MS
        if before is Level.MQL and after > Level.MQL:
            since = move.qualified
            self._waits_for_sql_ms.append(
                waited_ms if since is None else max(0, to_ms(move.at) - to_ms(since))
            )
        if move.to_stage == LEAD:
            self._became_lead[lead_id] = min(move.at, self._became_lead.get(lead_id, move.at))
        if after is Level.MQL and before is Level.NONE and move.cycle == 1:
            since_start_ms = to_ms(move.at) - waited_ms - to_ms(self._period.start)
            if move.from_stage == LEAD:
                self._mql_after_lead.append((lead_id, move.at, since_start_ms))
            self._new_lead_to_mql += move.from_stage == ANONYMOUS

    def _is_backward(self, move: Transition) -> bool:
        if move.to_stage in _ENDS:
            return move.from_stage not in _ENDS
        return move.from_stage not in _ENDS and self._at(move.to_stage) < self._at(move.from_stage)

    def _at(self, stage: str) -> int:
        """The place of a stage; one that the model has no longer is just behind ``lead``."""
        return self._rank.get(stage, self._rank[LEAD] + 1)

    @property
    def in_question(self) -> Collection[str]:
        """The ids of the leads that must be read."""
        return [id_ for id_, way in self._ways.items() if self._matters(way)]

    def _matters(self, way: FunnelPath) -> bool:
        ends = (worked(offer.at, FIRST_DAY, self._hours) for offer in way.offers)
        return way.matters(self._period) or any(map(self._period.holds, ends))

    @property
    def risen(self) -> Collection[str]:
        """The ids of the leads that made a step of the funnel, or were nurtured.

        Their lives must be told.
        """
        return self._risen.union(self._nurture.ids)

    def nurture(self, lead_id: str, record: NurtureRecord) -> None:
        """Adds what became of a lead's sequences in the period, or in the days after it."""
        self._nurture.add(lead_id, record)

    def tell(self, ids: Collection[str], moves: Sequence[Transition]) -> None:
        """Adds all moves of a person who has such an id, and all ids of the person."""
        self._nurture.tell(ids, moves)
        person = milestones(moves)
        self._cohorts.add(person)
        self._steps.update(dict.fromkeys(ids, person))

    def spend(self, names: Mapping[str, str], amount: int, currency: str) -> None:
        """Adds what was spent on something, in the smallest unit of a currency."""
        self._spend.add(names, amount, currency)

    def know(self, lead_id: str, lead: Lead | None) -> None:
        """Adds the lead of an id; ``None``: it no longer exists."""
        way = self._ways[lead_id]
        person_id = lead.id if lead else lead_id
        known = self._persons.get(person_id)
        if known is None or (way.answers and not known[0].answers):
            person = FunnelPerson(lead, self._period, is_answered=bool(way.answers))
        else:
            person = known[1]
        if steps := self._steps.get(lead_id):
            way.leave_out(Level.MQL, steps.regained)
        if known:
            known[0].merge(way)
        self._persons[person_id] = (known[0] if known else way, person)

    def report(self, leads_in: Mapping[str, int]) -> KpiReport:
        """The KPIs, once all is known; ``leads_in`` were in each stage at the end of the period."""
        persons = list(self._persons.values())
        in_full = [
            (way, who, self._steps.get(id_, NO_MILESTONES))
            for id_, (way, who) in self._persons.items()
        ]
        period = self._period
        origins = _by_origin(persons)
        return KpiReport(
            period=period.name,
            start=period.start,
            end=period.end,
            became_known=self._became_known,
            stages={stage: self._figures(stage, leads_in) for stage in self._all_stages()},
            backward=dict(sorted(self._backward.items())),
            rejections=dict(sorted(self._rejections.items())),
            conversions=self._conversions([way for way, _ in persons]),
            times=self._times(persons),
            handoffs=Handoffs(
                offers=self._offers,
                first_touch=_promise(
                    each for way, who in persons for each in way.touches(who.said, self._so_far)
                ),
                acceptance=_promise(
                    each for way, who in persons for each in way.acceptances(who.said, self._so_far)
                ),
            ),
            won=won(deal_won(who.said, each.at) for way, who in persons for each in way.won),
            sources=_sources(origins),
            channels=_channels(origins),
            sql_causes=dict(sorted(self._sql_causes.items())),
            bant=_bant(persons),
            feedback=_feedback(persons, origins),
            breakdowns=breakdowns(in_full, period),
            spend=self._spend.figures,
            won_by_last_touch=won_by_last_touch(in_full),
            contact_times=contact_times(in_full, self._so_far, self._hours),
            first_touch_by_owner=self._promises_by_owner(persons),
            cohort=self._cohorts.whole(),
            nurture=self._nurture.figures(),
            cohorts=months if len(months := self._cohorts.by_month()) > 1 else {},
        )

    def _was_new(self, lead_id: str, at: datetime, since_start_ms: int) -> bool:
        """Whether an MQL of a moment had entered ``lead`` in the period, so long after its start.

        The time in a stage is kept in thousandths of an hour: at the border the moves decide.
        """
        if abs(since_start_ms) <= _THOUSANDTH_OF_AN_HOUR_MS:
            return lead_id in self._became_lead and self._became_lead[lead_id] <= at
        return since_start_ms > 0

    def _promises_by_owner(
        self, persons: Iterable[tuple[FunnelPath, FunnelPerson]]
    ) -> dict[str, Promise]:
        found: dict[str, list[SlaOutcome]] = {}
        for way, who in persons:
            outcomes = list(way.touches(who.said, self._so_far))
            if outcomes:
                found.setdefault(who.facets["owner"], []).extend(outcomes)
        return {owner: _promise(outcomes) for owner, outcomes in sorted(found.items())}

    def _times(self, persons: Sequence[tuple[FunnelPath, FunnelPerson]]) -> Times:
        between = self._cohorts.waits_ms
        return Times(
            mql_to_first_touch=_waits(
                wait for way, person in persons for wait in way.touch_waits_ms(person.said)
            ),
            mql_to_sql=_waits(self._waits_for_sql_ms),
            lead_to_mql=_waits(between(Milestone.KNOWN, Milestone.MQL)),
            sql_to_customer=_waits(between(Milestone.SQL, Milestone.CUSTOMER)),
            mql_to_customer=_waits(between(Milestone.MQL, Milestone.CUSTOMER)),
            lead_to_customer=_waits(between(Milestone.KNOWN, Milestone.CUSTOMER)),
        )

    def _all_stages(self) -> list[str]:
        """The model's stages, and those of before that leads have entered in the period."""
        former = {stage for stage, _ in self._entered} - {*self._stages, ANONYMOUS}
        return [*self._stages, *sorted(former)]

    def _figures(self, stage: str, leads_in: Mapping[str, int]) -> StageFigures:
        first, again = self._entered[stage, True], self._entered[stage, False]
        at_end = max(0, leads_in.get(stage, 0))
        return StageFigures(at_end=at_end, entered=first + again, first_time=first, again=again)

    def _conversions(self, ways: Sequence[FunnelPath]) -> Conversions:
        def between(start: Level, end: Level) -> Conversion:
            of = sum(way.entered(start) for way in ways)
            return _conversion(of, sum(way.leads(start, end) for way in ways))

        new = self._new_lead_to_mql + sum(starmap(self._was_new, self._mql_after_lead))
        return Conversions(
            lead_to_mql=_conversion(self._became_known, new),
            mql_to_sql=between(Level.MQL, Level.SQL),
            sql_to_opportunity=between(Level.SQL, Level.OPPORTUNITY),
            opportunity_to_customer=between(Level.OPPORTUNITY, Level.CUSTOMER),
            mql_to_customer=between(Level.MQL, Level.CUSTOMER),
            sql_to_customer=between(Level.SQL, Level.CUSTOMER),
        )


def _refusal(move: Transition) -> str:
    """The reason for which sales rejected the lead; empty if the move is not a rejection."""
    if move.cause is not MoveCause.REJECTED:
        return ""
    return move.detail if move.detail in set(Refusal) else "other"


def _why(move: Transition) -> str:
    """Why a lead moved backward, in one of few words, without free text."""
    if move.source == MODEL:
        is_known = move.from_stage not in BUILT_IN_STAGES
        return "leave_condition" if is_known and move.cause is MoveCause.LEFT else "model"
    if refusal := _refusal(move):
        return f"rejected_{refusal}"
    return "lost" if move.cause is MoveCause.LOST else "sales"


def _conversion(of: int, reached: int) -> Conversion:
    return Conversion(of=of, reached=reached, per_mille=per_mille(reached, of))


def _waits(waits_ms: Iterable[int]) -> Waits:
    ordered = sorted(waits_ms)

    def in_minutes(wait_ms: int | None) -> int | None:
        return None if wait_ms is None else (wait_ms + _MINUTE_MS // 2) // _MINUTE_MS

    return Waits(
        count=len(ordered),
        median_minutes=in_minutes(nearest_rank(ordered, 50)),
        p90_minutes=in_minutes(nearest_rank(ordered, 90)),
        mean_minutes=in_minutes(mean(ordered)),
    )


def _promise(outcomes: Iterable[SlaOutcome]) -> Promise:
    count = Counter(outcomes)
    return Promise(
        due=count.total(),
        kept=count[SlaOutcome.KEPT],
        breached=count[SlaOutcome.BREACHED],
        lapsed=count[SlaOutcome.LAPSED],
    )


def _bant(persons: Iterable[tuple[FunnelPath, FunnelPerson]]) -> dict[str, BantFigures]:
    """What sales had told of leads when it answered, by the answer."""
    found: dict[str, Counter[str]] = {}
    for way, who in persons:
        for answer in way.answers:
            told = {name for each in who.said if each.at <= answer.at for name, _ in each.details}
            count = found.setdefault(answer.cause, Counter())
            count.update(["answers", *(told & set(BANT))])
            count["all_four"] += told.issuperset(BANT)
    fields = BantFigures.model_fields
    return {
        answer: BantFigures(**{name: count[name] for name in fields})
        for answer, count in sorted(found.items())
    }


def _feedback(persons: Iterable[tuple[FunnelPath, FunnelPerson]], origins: _Counts) -> Feedback:
    """The answers of sales, by score, signal, channel and source."""
    found: dict[str, dict[str, Counter[str]]] = {name: {} for name in Feedback.model_fields}

    def count(name: str, value: str, answer: SalesAnswer) -> None:
        found[name].setdefault(value, Counter())[answer.cause] += 1

    shown = {source for _, source in origins}
    for way, who in persons:
        source = who.source if who.source in shown else OTHER_SOURCES
        for answer in way.answers:
            count("by_score", band(answer.score), answer)
            count("by_channel", who.channel, answer)
            count("by_source", source, answer)
            for signal in who.signals_by(answer.at):
                count("by_signal", signal, answer)
    in_order = {name: dict(sorted(figures.items())) for name, figures in found.items()}
    in_order["by_score"] = by_band(found["by_score"])
    return Feedback(**{name: _answers(figures) for name, figures in in_order.items()})


def _answers(counts: Mapping[str, Counter[str]]) -> dict[str, AnswerFigures]:
    return {
        value: AnswerFigures(**{answer: count[answer] for answer in ANSWERS})
        for value, count in counts.items()
    }


def _by_origin(persons: Iterable[tuple[FunnelPath, FunnelPerson]]) -> _Counts:
    """How many reached which level, by channel and source; of sources the largest by name."""
    counts: _Counts = {}
    sizes: Counter[str] = Counter()
    for way, who in persons:
        counts.setdefault((who.channel, who.source), Counter()).update(filter(way.entered, Level))
        sizes[who.source] += way.entered(Level.MQL)
    by_size = sorted(sizes, key=lambda name: (-sizes[name], name))
    kept = {UNKNOWN, DIRECT_SOURCE, OTHER_SOURCES, *by_size[:MOST_SOURCES]}
    shown: _Counts = {}
    for (channel, source), found in counts.items():
        name = source if source in kept else OTHER_SOURCES
        shown.setdefault((channel, name), Counter()).update(found)
    return {origin: found for origin, found in sorted(shown.items()) if found}


def _sources(counts: _Counts) -> dict[str, SourceFigures]:
    found: dict[str, Counter[Level]] = {}
    for (_, source), of_levels in counts.items():
        found.setdefault(source, Counter()).update(of_levels)
    return {name: SourceFigures(**_persons(found[name])) for name in sorted(found)}


def _channels(counts: _Counts) -> dict[str, ChannelFigures]:
    found: dict[str, _Counts] = {}
    for origin, of_levels in counts.items():
        found.setdefault(origin[0], {})[origin] = of_levels
    return {
        name: ChannelFigures(
            **_persons(sum(of_sources.values(), Counter())), sources=_sources(of_sources)
        )
        for name, of_sources in found.items()
    }


def _persons(found: Counter[Level]) -> dict[str, int]:
    return {"mql": found[Level.MQL], "sql": found[Level.SQL], "customer": found[Level.CUSTOMER]}
