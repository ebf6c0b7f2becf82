"""The figures of the overview: what the last weeks were like, and where leads stand now."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from pydantic import ValidationError

from warmlead.application.explain import Shape
from warmlead.application.listing import ListPage, page_of
from warmlead.dashboard.parts import Parts
from warmlead.domain.stages import ANONYMOUS, MoveCause, Transition
from warmlead.messages.kpis import KpiReport, Promise
from warmlead.ports.listing import LeadQuery
from warmlead.reporting.cohorts import Milestone, made_in
from warmlead.reporting.funnel import Level
from warmlead.reporting.periods import Span, last_period

WEEKS = 8
"""How many finished weeks are compared."""

MONTHS = 6
"""How many finished months' cohorts are shown."""

WINDOWS_DAYS = (1, 7, 28)
"""For how many days moves are counted: the longest for which there are not too many."""

MOST_MOVES = 2_000
"""The most moves that are added up: in Firestore each is paid for whenever somebody looks."""

BAND_POINTS = 10
BANDS = 21
"""Scores are counted in bands of ten points, from 0 to 199, and 200 or more."""

MOST_WAITING = 6
MOST_SOURCES = 8


class FunnelMoves(Struct, frozen=True):
    """What moved in the last ``days`` days, today the last.

    ``entered`` are leads' entries into each level of the funnel, a day each; into MQL, the first
    ones alone. ``scores`` are those with which leads became MQL. ``answers`` are those of sales.
    """

    days: int
    entered: Mapping[Level, Sequence[int]]
    scores: Sequence[int]
    answers: Mapping[MoveCause, int]

    def last(self, level: Level, days: int, *, before: int = 0) -> int:
        """How many entered a level in the last days, or in as many days before those."""
        end = self.days - before
        return sum(self.entered[level][max(0, end - days) : end])


class SourceRow(Shape):
    """How many persons of a source became MQL, and of these SQL, over the weeks."""

    name: str
    mql: int
    sql: int


class Overview(Struct, frozen=True):
    """Everything that the first page shows.

    ``reports`` are of finished weeks, and ``months`` of finished months; the latest first.
    """

    now: datetime
    stages: Mapping[str, int]
    moves: FunnelMoves
    reports: Sequence[KpiReport]
    months: Sequence[KpiReport]
    sources: Sequence[SourceRow]
    waiting: ListPage

    @property
    def leads(self) -> int:
        """How many leads are known, without anonymous visitors."""
        return sum(self.stages.values())


async def overview(parts: Parts, now: datetime) -> Overview:
    """The figures as of now: counts, moves of the last weeks, reports that were kept, few leads."""
    stages = [name for name in parts.rules.stage_order if name != ANONYMOUS]
    overdue = LeadQuery(overdue=True)
    counted, moves, kept, months, waiting = await asyncio.gather(
        parts.reports.leads_in(stages),
        funnel_moves(parts, now),
        kept_reports(parts, Span.WEEK, WEEKS, now),
        kept_reports(parts, Span.MONTH, MONTHS, now),
        page_of(parts.leads, parts.rules, now, overdue, most=MOST_WAITING, after=None),
    )
    return Overview(now, counted, moves, kept, months, sources_of(kept), waiting)


async def leads_by_band(parts: Parts) -> Sequence[int]:
    """How many leads have a score in each band; what is below the first one is not counted."""
    scores = await parts.reports.scores([band * BAND_POINTS for band in range(BANDS)])
    return scores[1:]


async def funnel_moves(parts: Parts, now: datetime, *, most: int = MOST_MOVES) -> FunnelMoves:
    """The moves of the longest window that has no more than ``most``, or of the shortest one."""
    shortest, *longer = WINDOWS_DAYS
    days, found = shortest, (await _moves_of(parts, now, shortest, most))[:most]
    for more in longer:
        wider = await _moves_of(parts, now, more, most)
        if len(wider) > most:
            break
        days, found = more, wider
    return _added_up(found, now, days)


async def _moves_of(parts: Parts, now: datetime, days: int, most: int) -> list[Transition]:
    """The moves of the last days; one more than ``most`` if they are too many."""
    found: list[Transition] = []
    async for _, move in parts.reports.moves(
        _first_day(now, days), now + timedelta(microseconds=1)
    ):
        found.append(move)
        if len(found) > most:
            break
    return found


def _first_day(now: datetime, days: int) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def _added_up(moves: Sequence[Transition], now: datetime, days: int) -> FunnelMoves:
    start = _first_day(now, days)
    entered = {level: [0] * days for level in Level}
    scores, answers = [], Counter[MoveCause]()
    for move in moves:
        answers[move.cause] += 1
        for step in made_in(move):
            is_mql = step is Milestone.MQL
            if is_mql:
                scores.append(move.score)
            if not is_mql or move.cycle == 1:
                entered[Level(step)][(move.at - start).days] += 1
    return FunnelMoves(days, entered, scores, answers)


async def kept_reports(parts: Parts, span: Span, most: int, now: datetime) -> list[KpiReport]:
    """The reports of the last finished weeks or months that were made, the latest first."""
    periods = [last_period(span, now)]
    while len(periods) < most:
        periods.append(last_period(span, periods[-1].start))
    texts = await asyncio.gather(*(parts.reports.report(period.name) for period in periods))
    read = [read_report(text) for text in texts if text is not None]
    return [report for report in read if report is not None]


def read_report(text: str) -> KpiReport | None:
    """A report; ``None`` for one of another release, which is made anew when it is due."""
    try:
        return KpiReport.model_validate_json(text)
    except ValidationError:
        return None


def sources_of(reports: Sequence[KpiReport]) -> list[SourceRow]:
    """The sources with the most MQLs, over all the reports together."""
    mql, sql = Counter[str](), Counter[str]()
    for report in reports:
        for name, figures in report.sources.items():
            mql[name] += figures.mql
            sql[name] += min(figures.sql, figures.mql)
    return [SourceRow(name=name, mql=of, sql=sql[name]) for name, of in mql.most_common() if of][
        :MOST_SOURCES
    ]


def promises(reports: Sequence[KpiReport], name: str) -> Promise:
    """What became of a promise over all the reports together."""
    each = [getattr(report.handoffs, name) for report in reports]
    fields = ("due", "kept", "breached", "lapsed")
    return Promise(**{field: sum(getattr(one, field) for one in each) for field in fields})
