"""Makes the report of a period: reads its moves, stores the KPIs and publishes them.

The same moves and leads make the same bytes, so a report may be made again at any time.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from warmlead.reporting.cohorts import AGES_DAYS, CONVERSIONS
from warmlead.reporting.kpis import KpiTally
from warmlead.reporting.periods import Period, Span, last_period, period_of
from warmlead.reporting.sequences import AFTERWARDS_DAYS, WAITING

LEADS_AT_ONCE = 16
"""Leads that are read side by side, and are in memory at once."""


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


LATE_DAYS = 3
"""How long a move that was learnt late is looked for: a run or two may be left out."""

MOST_CORRECTED = 40
"""Limit of past periods that one run makes again: months first, then weeks, then days."""


async def report_due(reporting: Reporting, now: datetime) -> list[KpiReport]:
    """Reports yesterday, and the last week and month if they were not reported yet (UTC).

    Reports of before are made again if a move of their period was learnt in the last days, and
    months also when their cohorts have come to an age; they are kept and published if that has
    changed them.
    """
    made = [await report(reporting, last_period(Span.DAY, now), now)]
    for span in (Span.WEEK, Span.MONTH):
        period = last_period(span, now)
        if await reporting.reports.report(period.name) is None:
            made.append(await report(reporting, period, now))
    left = MOST_CORRECTED
    for period in [*await _ripe(reporting, now), *await _with_late_moves(reporting, now)]:
        kept = await reporting.reports.report(period.name)
        if left and kept is not None and period.name not in {each.period for each in made}:
            left -= 1
            made += await _corrected(reporting, period, kept, now)
    return made


async def _ripe(reporting: Reporting, now: datetime) -> list[Period]:
    """The months whose cohorts have come to an age since they were reported."""
    found = []
    month = last_period(Span.MONTH, now)
    while month.end + timedelta(days=AGES_DAYS[-1] + LATE_DAYS) > now:
        kept = await reporting.reports.report(month.name)
        if kept and any(month.end + timedelta(days=age) <= now for age in _unfinished(kept)):
            found.append(month)
        month = last_period(Span.MONTH, month.start)
    return found


def _unfinished(kept: str) -> list[int]:
    """The ages in days to which a kept report's persons had not come; all of an old report."""
    report = json.loads(kept)  # as any release kept it
    cohort = report.get("cohort") or {}
    conversions = [cohort.get(name, {}) for name in CONVERSIONS]
    ages = {
        days
        for days in AGES_DAYS
        if not all(each.get(f"within_{days}_days", {}).get("is_finished") for each in conversions)
    }
    sequences = (report.get("nurture") or {}).values()
    steps = [step for sequence in sequences for step in sequence.get("steps", ())]
    if not all(step.get("to_customer", {}).get("is_finished") for step in steps):
        ages.add(AFTERWARDS_DAYS)
    return sorted(ages)


async def _with_late_moves(reporting: Reporting, now: datetime) -> list[Period]:
    """The periods of moves that were learnt late in the last days."""
    today = period_of(Span.DAY, now).start
    found: dict[Span, dict[str, Period]] = {span: {} for span in (Span.MONTH, Span.WEEK, Span.DAY)}
    since, until = today - timedelta(days=LATE_DAYS), now + timedelta(days=1)
    async for _, move in reporting.reports.late_moves(since, until):
        for span, periods in found.items():
            period = period_of(span, move.at)
            periods[period.name] = period
    return [
        period
        for periods in found.values()
        for period in sorted(periods.values(), key=lambda p: p.start, reverse=True)
    ]


async def _corrected(
    reporting: Reporting, period: Period, kept: str, now: datetime
) -> list[KpiReport]:
    """The report of a period, made again and published, unless it is as it was ``kept``."""
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
    for start in range(0, len(asked), LEADS_AT_ONCE):
        some = asked[start : start + LEADS_AT_ONCE]
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
