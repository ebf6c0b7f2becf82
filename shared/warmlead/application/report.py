"""Makes the report of a period: reads its moves, stores the KPIs and publishes them.

The same moves and leads make the same bytes, so a report may be made again at any time.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.stages import ANONYMOUS
from warmlead.domain.trigger import Topic
from warmlead.messages.contract import KpiReportedMessage
from warmlead.messages.kpis import KpiReport
from warmlead.ports import EventBus, LeadStore, Message
from warmlead.ports.reporting import ReportStore, SpendBook
from warmlead.reporting.breakdowns import BAND_POINTS, FIRST_DAY, SPENT_ON, band
from warmlead.reporting.cohorts import AGES_DAYS, has_steps
from warmlead.reporting.kpis import CALCULATION, KpiTally
from warmlead.reporting.periods import (
    BEGINNING,
    Period,
    Span,
    last_period,
    period_of,
    read_period,
)
from warmlead.reporting.sequences import WAITING

AT_ONCE = 16
"""Leads, or reports, that are read side by side."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What a report needs; ``on_unreadable`` is called for each lead that cannot be read.

    Without a book of ``spend`` none has been entered.
    """

    leads: LeadStore
    reports: ReportStore
    bus: EventBus
    rules: Rules
    on_unreadable: Callable[[UnreadableError], None] = lambda _: None
    spend: SpendBook | None = None


MOST_CORRECTED = 40
"""Limit of past periods that one run makes again: the longest first, of these the latest."""

RIPENING = (Span.MONTH, Span.QUARTER, Span.YEAR)
"""The spans whose reports are made again when their cohorts have come to an age."""

LOOKED_BACK: Mapping[Span, int] = {
    Span.DAY: 92,
    Span.WEEK: 53,
    Span.MONTH: 36,
    Span.QUARTER: 12,
    Span.YEAR: 3,
}
"""How many past periods of each span are made again when all of them may be wrong."""

_AGENDA = "agenda"
_ANEW = "agenda-anew"
_OVERLAP = timedelta(hours=1)  # a commit may take a while, and clocks differ


class Agenda(Struct, frozen=True):
    """What a run has still to do, and leaves for the next one; it is kept beside the reports.

    Of what was learnt before ``until`` no report knows too little, but for those of ``periods``,
    whose names these are. ``calculation`` is the last one that all others were made by. ``anew`` is
    the last wish of ``make_again`` that was heard.
    """

    calculation: int = 0
    until: datetime | None = None
    periods: Sequence[str] = ()
    anew: str = ""


async def make_again(reports: ReportStore, now: datetime) -> None:
    """Has the next daily runs make kept reports again, as after a release that counts differently.

    For imports: no move tells of spend, nor of what is taken away, and moves that are all learnt at
    its beginning are written for hours. Kept apart from the agenda, so that a run that is under way
    cannot lose it. Raises ``UnavailableError``.
    """
    await reports.keep(_ANEW, now.isoformat())


async def report_due(reporting: Reporting, now: datetime) -> list[KpiReport]:
    """Reports yesterday, and the last week and month if they were not reported yet (UTC).

    Reports of before, of any span, are made again if a move of their period was learnt late, if
    their cohorts have come to an age, if a release that counted differently has made them, and
    after ``make_again``. They are kept and published if that has changed them.
    """
    made = [await report(reporting, last_period(Span.DAY, now), now)]
    for span in (Span.WEEK, Span.MONTH):
        period = last_period(span, now)
        if await reporting.reports.report(period.name) is None:
            made.append(await report(reporting, period, now))
    agenda, anew = await _agenda(reporting), await reporting.reports.report(_ANEW) or ""
    is_anew = agenda.calculation < CALCULATION or agenda.anew != anew
    stale = await _stale(reporting, agenda, now, is_anew=is_anew)
    stale -= {each.period for each in made}
    left = [each async for each in _kept(reporting, sorted(stale, key=_weight, reverse=True))]
    calculation = max(CALCULATION, agenda.calculation)
    await _keep_agenda(reporting, Agenda(calculation, now, left, anew))
    for name in left[:MOST_CORRECTED]:
        made += await _corrected(reporting, read_period(name, now), now)
        left = left[1:]
        await _keep_agenda(reporting, Agenda(calculation, now, left, anew))
    return made


def _weight(name: str) -> tuple[timedelta, datetime]:
    period = read_period(name, BEGINNING)
    return period.end - period.start, period.start


async def _kept(reporting: Reporting, periods: Sequence[str]) -> AsyncIterator[str]:
    """Those periods of which a report is kept."""
    for start in range(0, len(periods), AT_ONCE):
        some = periods[start : start + AT_ONCE]
        texts = await asyncio.gather(*map(reporting.reports.report, some))
        for period in (name for name, text in zip(some, texts, strict=True) if text is not None):
            yield period


async def _agenda(reporting: Reporting) -> Agenda:
    kept = await reporting.reports.report(_AGENDA)
    return msgspec.json.decode(kept, type=Agenda) if kept else Agenda()


async def _keep_agenda(reporting: Reporting, agenda: Agenda) -> None:
    await reporting.reports.keep(_AGENDA, msgspec.json.encode(agenda).decode())


async def _stale(reporting: Reporting, agenda: Agenda, now: datetime, *, is_anew: bool) -> set[str]:
    """The names of the periods whose reports, if there are any, may no longer be right."""
    since = min(agenda.until or now, now)
    found = {*agenda.periods}
    if is_anew:
        for span, count in LOOKED_BACK.items():
            found |= {period.name for period in _last_periods(span, count, now)}
    found |= {period.name for span in RIPENING for period in _ripe(span, since, now)}
    late = reporting.reports.late_moves(since - _OVERLAP, now + timedelta(days=1))
    stepped = set()
    async for lead_id, move in late:
        found |= {period_of(span, move.at).name for span in Span}
        if has_steps(move):
            stepped.add(lead_id)
    return found | {each.name async for each in _cohorts_of(reporting, stepped, now)}


async def _cohorts_of(
    reporting: Reporting, lead_ids: Collection[str], now: datetime
) -> AsyncIterator[Period]:
    """The periods in which these persons made steps, if they come to no further age."""
    async for life in reporting.reports.lives(lead_ids):
        for at in {move.at for move in life.moves if has_steps(move)}:
            for period in (period_of(span, at) for span in RIPENING):
                if period.end + timedelta(days=AGES_DAYS[-1]) <= now:
                    yield period


def _last_periods(span: Span, count: int, now: datetime) -> list[Period]:
    found = [last_period(span, now)]
    while len(found) < count:
        found.append(last_period(span, found[-1].start))
    return found


def _ripe(span: Span, since: datetime, now: datetime) -> Iterator[Period]:
    """The periods whose cohorts have come to an age since a moment."""
    period = last_period(span, now)
    while period.end + timedelta(days=AGES_DAYS[-1]) > since:
        if any(since < period.end + timedelta(days=age) <= now for age in AGES_DAYS):
            yield period
        period = last_period(span, period.start)


async def _corrected(reporting: Reporting, period: Period, now: datetime) -> list[KpiReport]:
    """The report of a period, made again and published, unless it is as it was kept."""
    kept = await reporting.reports.report(period.name)
    made = _revised(await add_up(reporting, period, now), kept)
    if made.model_dump_json() == kept:
        return []
    await _publish(reporting, made)
    return [made]


async def report(reporting: Reporting, period: Period, now: datetime) -> KpiReport:
    """Makes the report of a period, keeps it and publishes it.

    If it is killed and run again, the result is the same. Raises ``UnavailableError`` if it should
    be run again.
    """
    made = await add_up(reporting, period, now)
    made = _revised(made, await reporting.reports.report(period.name))
    await _publish(reporting, made)
    return made


async def _publish(reporting: Reporting, made: KpiReport) -> None:
    await reporting.bus.publish(Topic.KPI, [to_message(made)])
    await reporting.reports.keep(made.period, made.model_dump_json())  # last: then it is done


def _revised(made: KpiReport, kept: str | None) -> KpiReport:
    """The report with its number: the one of before if it is the same, or the next one."""
    if kept is None:
        return made
    before = json.loads(kept)
    revision = before.pop("revision", 1)
    is_same = before == made.model_dump(mode="json", exclude={"revision"})
    return made.model_copy(update={"revision": revision + (not is_same)})


async def add_up(reporting: Reporting, period: Period, now: datetime) -> KpiReport:
    """The report of a period, neither kept nor published; so far, if the period is not over.

    ``now`` is the moment as of which cohorts have ripened.

    Raises ``UnavailableError`` if it should be tried again.
    """
    stages = reporting.rules.stage_order
    handoff = reporting.rules.handoff
    tally = KpiTally(period, stages, now, handoff.hours if handoff else None)
    leads_in = await _leads_at(reporting, period.end)
    oldest = period.start
    if handoff:
        longest = max(handoff.accept_within, FIRST_DAY)
        oldest = replace(handoff, accept_within=longest).oldest_open(period.start)
    since = period_of(Span.DAY, oldest).start
    of_before = reporting.reports.late_moves(since, period.end)  # offers are made when learnt
    for moves in (reporting.reports.moves(since, period.end), of_before):
        async for lead_id, move in moves:
            tally.add(lead_id, move)
    nurtured = reporting.reports.nurtured(period.start, period.end + WAITING)
    async for lead_id, record in nurtured:
        tally.nurture(lead_id, record)
    if reporting.spend:
        async for spent in reporting.spend.spend(period.start.date(), period.end.date()):
            names = {facet: getattr(spent, facet) for facet in SPENT_ON}
            tally.spend(names, spent.amount_cents, spent.currency)
    async for life in reporting.reports.lives(tally.risen):
        tally.tell(life.ids, life.moves)
    asked = sorted(tally.in_question)
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        found = await asyncio.gather(*(_readable(reporting, id_) for id_ in some))
        for lead_id, lead in zip(some, found, strict=True):
            tally.know(lead_id, lead)
    return tally.report(leads_in)


async def score_bands(reporting: Reporting) -> dict[str, int]:
    """How many leads have which score now, by band; those above the last one together."""
    *bounds, last = range(0, _LAST_BAND + BAND_POINTS, BAND_POINTS)
    counts = await reporting.reports.scores([*bounds, last])
    names = [band(-1), *map(band, bounds), f"{last} and more"]
    return dict(zip(names, counts, strict=True))


_LAST_BAND = 200
"""From this score on leads are counted together."""


async def _leads_at(reporting: Reporting, moment: datetime) -> Mapping[str, int]:
    """How many leads were in each stage at a moment: those there now, without what came since."""
    stages = reporting.rules.stage_order
    now_in, grown = await asyncio.gather(
        reporting.reports.leads_in([stage for stage in stages if stage != ANONYMOUS]),
        reporting.reports.grown_since(moment, stages),
    )
    return {stage: count - grown[stage] for stage, count in now_in.items()}


async def _readable(reporting: Reporting, lead_id: str) -> Lead | None:
    """The lead, or ``None`` if it cannot be read: then it counts by its recorded moves alone."""
    try:
        return await reporting.leads.get(lead_id)
    except UnreadableError as error:
        reporting.on_unreadable(error)
        return None


def to_message(made: KpiReport) -> Message:
    """The message about a report; its id is the hash of its content."""
    content = made.model_dump_json()
    id_ = hashlib.sha256(f"kpi\n{made.period}\n{content}".encode()).hexdigest()[:32]
    event = KpiReportedMessage(id=id_, subject=made.period, time=made.end, data=made)
    attributes = {
        "type": event.type,
        "period": made.period,
        "content-type": "application/cloudevents+json",
        "id": id_,
    }
    return Message(event.model_dump_json().encode(), attributes)
