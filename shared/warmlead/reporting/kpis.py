"""Adds a period's moves between stages up to its KPIs; each number is defined in docs/kpis.md.

Whole numbers only. Moves may come in any order and more than once. Of what a person wrote only
names of sources are reported.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from warmlead.domain.attribution import DIRECT_SOURCE, NOT_KNOWN, UNKNOWN, first_origin
from warmlead.domain.handoff import SlaOutcome
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.sales import Refusal, Statement
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
from warmlead.messages.contract import (
    ChannelFigures,
    Conversion,
    Conversions,
    Handoffs,
    KpiReport,
    Promise,
    SourceFigures,
    StageFigures,
    Times,
    Value,
    Waits,
    Won,
)
from warmlead.reporting.funnel import (
    FunnelPath,
    Level,
    Period,
    WonDeal,
    deal_won,
    level_of,
)

MOST_SOURCES = 50
"""Number of sources that a report names, those with the most MQLs; visitors can invent more."""

MAX_SOURCE_LETTERS = 60
OTHER_SOURCES = "(other)"

_THOUSANDTH_OF_AN_HOUR_MS = 3_600
_MINUTE_MS = 60_000
_ENDS = (RECYCLED, DISQUALIFIED)

_Counts: TypeAlias = dict[tuple[str, str], Counter[Level]]
"""By channel and source: how many persons reached each level of the funnel."""


class FunnelPerson:
    """What is known of a person besides the moves, as of the end of the period."""

    __slots__ = ("channel", "said", "source")

    def __init__(self, lead: Lead | None, period: Period) -> None:
        origin = first_origin(lead) if lead else NOT_KNOWN
        self.said: Sequence[Statement] = [
            each for each in (lead.statements if lead else ()) if each.at < period.end
        ]
        self.channel = origin.channel
        self.source = _presentable(origin.source)


class KpiTally:
    """Counts moves, then persons, then returns the KPIs."""

    def __init__(self, period: Period, stage_order: Sequence[str]) -> None:
        """``stage_order`` is the order of all stages, the furthest last."""
        self._period = period
        self._rank = {stage: 2 * place for place, stage in enumerate(stage_order)}
        self._stages = [stage for stage in stage_order if stage != ANONYMOUS]
        self._seen: set[int] = set()
        self._entered: Counter[tuple[str, bool]] = Counter()
        self._since_end: Counter[str] = Counter()
        self._became_known = self._offers = 0
        self._new_lead_to_mql = 0
        self._backward: Counter[str] = Counter()
        self._rejections: Counter[str] = Counter()
        self._sql_causes: Counter[str] = Counter()
        self._waits_for_sql_ms: list[int] = []
        self._ways: dict[str, FunnelPath] = {}
        self._persons: dict[str, tuple[FunnelPath, FunnelPerson]] = {}

    def add(self, lead_id: str, move: Transition) -> None:
        """Counts a move: one in the period, after it, or before it but still of interest."""
        key = hash((lead_id, move.at, move.to_stage, move.cycle))
        if key in self._seen:
            return
        self._seen.add(key)
        if move.at >= self._period.end:
            self._since_end[move.to_stage] += 1
            self._since_end[move.from_stage] -= 1
            return
        if self._period.holds(move.at):
            self._count(move)
        if level_of(move.from_stage) or level_of(move.to_stage):
            self._ways.setdefault(lead_id, FunnelPath()).add(move, self._period)

    def _count(self, move: Transition) -> None:
        before, after = level_of(move.from_stage), level_of(move.to_stage)
        self._entered[move.to_stage, move.cycle == 1] += 1
        self._became_known += move.from_stage == ANONYMOUS
        self._offers += move.touch_by is not None
        if self._is_backward(move):
            self._backward[_why(move)] += 1
        if refusal := _refusal(move):
            self._rejections[refusal] += 1
        if move.to_stage == SQL:
            self._sql_causes[move.cause] += 1
        waited_ms = round(move.hours_in_stage * 1000) * _THOUSANDTH_OF_AN_HOUR_MS
        if before is Level.MQL and after > Level.MQL:
            self._waits_for_sql_ms.append(waited_ms)
        if after is Level.MQL and before is Level.NONE and move.cycle == 1:
            began_ms = to_ms(move.at) - waited_ms
            is_new = move.from_stage == LEAD and began_ms >= to_ms(self._period.start)
            self._new_lead_to_mql += is_new or move.from_stage == ANONYMOUS

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
        return [id_ for id_, way in self._ways.items() if way.matters(self._period)]

    def know(self, lead_id: str, lead: Lead | None) -> None:
        """Adds the lead of an id; ``None``: it no longer exists."""
        way = self._ways[lead_id]
        person_id = lead.id if lead else lead_id
        if person_id in self._persons:
            self._persons[person_id][0].merge(way)
        else:
            self._persons[person_id] = (way, FunnelPerson(lead, self._period))

    def report(self, leads_in: Mapping[str, int]) -> KpiReport:
        """The KPIs, once all is known; ``leads_in`` are the leads in each stage now."""
        persons = list(self._persons.values())
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
            times=Times(
                mql_to_first_touch=_waits(
                    wait for way, person in persons for wait in way.touch_waits_ms(person.said)
                ),
                mql_to_sql=_waits(self._waits_for_sql_ms),
            ),
            handoffs=Handoffs(
                offers=self._offers,
                first_touch=_promise(
                    each for way, who in persons for each in way.touches(who.said, period)
                ),
                acceptance=_promise(
                    each for way, who in persons for each in way.acceptances(who.said, period)
                ),
            ),
            won=_won(deal_won(who.said, at) for way, who in persons for at in way.won),
            sources=_sources(origins),
            channels=_channels(origins),
            sql_causes=dict(sorted(self._sql_causes.items())),
        )

    def _all_stages(self) -> list[str]:
        """The model's stages, and those of before that leads have entered in the period."""
        former = {stage for stage, _ in self._entered} - {*self._stages, ANONYMOUS}
        return [*self._stages, *sorted(former)]

    def _figures(self, stage: str, leads_in: Mapping[str, int]) -> StageFigures:
        first, again = self._entered[stage, True], self._entered[stage, False]
        at_end = max(0, leads_in.get(stage, 0) - self._since_end[stage])
        return StageFigures(at_end=at_end, entered=first + again, first_time=first, again=again)

    def _conversions(self, ways: Sequence[FunnelPath]) -> Conversions:
        def between(start: Level, end: Level) -> Conversion:
            of = sum(start in way.first for way in ways)
            return _conversion(of, sum(way.leads(start, end) for way in ways))

        return Conversions(
            lead_to_mql=_conversion(self._became_known, self._new_lead_to_mql),
            mql_to_sql=between(Level.MQL, Level.SQL),
            sql_to_opportunity=between(Level.SQL, Level.OPPORTUNITY),
            opportunity_to_customer=between(Level.OPPORTUNITY, Level.CUSTOMER),
            mql_to_customer=between(Level.MQL, Level.CUSTOMER),
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
    per_mille = (2000 * reached + of) // (2 * of) if of else None
    return Conversion(of=of, reached=reached, per_mille=per_mille)


def _waits(waits_ms: Iterable[int]) -> Waits:
    ordered = sorted(waits_ms)

    def rank(percent: int) -> int | None:
        if not ordered:
            return None
        nearest = -(-percent * len(ordered) // 100)
        return (ordered[nearest - 1] + _MINUTE_MS // 2) // _MINUTE_MS

    return Waits(count=len(ordered), median_minutes=rank(50), p90_minutes=rank(90))


def _promise(outcomes: Iterable[SlaOutcome]) -> Promise:
    count = Counter(outcomes)
    return Promise(
        due=count.total(),
        kept=count[SlaOutcome.KEPT],
        breached=count[SlaOutcome.BREACHED],
        lapsed=count[SlaOutcome.LAPSED],
    )


def _won(deals: Iterable[WonDeal]) -> Won:
    count = without = 0
    values: dict[str, list[int]] = {}
    for deal in deals:
        count += 1
        if deal.value_cents is None:
            without += 1
        else:
            values.setdefault(deal.currency, []).append(deal.value_cents)
    return Won(
        deals=count,
        without_value=without,
        values={
            currency: Value(deals=len(amounts), smallest_units=sum(amounts))
            for currency, amounts in sorted(values.items())
        },
    )


def _by_origin(persons: Iterable[tuple[FunnelPath, FunnelPerson]]) -> _Counts:
    """How many reached which level, by channel and source; of sources the largest by name."""
    counts: _Counts = {}
    sizes: Counter[str] = Counter()
    for way, who in persons:
        counts.setdefault((who.channel, who.source), Counter()).update(way.first.keys())
        sizes[who.source] += Level.MQL in way.first
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


def _presentable(name: str) -> str:
    """A source's name as a report may show it: none that could name a person."""
    safe = len(name) <= MAX_SOURCE_LETTERS and "@" not in name and name.isprintable()
    return name if safe else OTHER_SOURCES
