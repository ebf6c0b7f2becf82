"""Makes the report of a period: reads its moves, stores the KPIs and publishes them.

The same moves and leads make the same bytes, so a report may be made again at any time.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.stages import ANONYMOUS
from warmlead.domain.trigger import Topic
from warmlead.messages.contract import KpiReport, KpiReportedMessage
from warmlead.ports import EventBus, LeadStore, Message, ReportStore
from warmlead.reporting.funnel import Period, Span, last_period
from warmlead.reporting.kpis import KpiTally

LEADS_AT_ONCE = 16
"""Leads that are read side by side, and are in memory at once."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What a report needs; ``on_unreadable`` is called for each lead that cannot be read."""

    leads: LeadStore
    reports: ReportStore
    bus: EventBus
    rules: Rules
    on_unreadable: Callable[[UnreadableError], None] = lambda _: None


async def report_due(reporting: Reporting, now: datetime) -> list[KpiReport]:
    """Reports yesterday, and the last week and month if they were not reported yet (UTC)."""
    made = [await report(reporting, last_period(Span.DAY, now))]
    for span in (Span.WEEK, Span.MONTH):
        period = last_period(span, now)
        if await reporting.reports.report(period.name) is None:
            made.append(await report(reporting, period))
    return made


async def report(reporting: Reporting, period: Period) -> KpiReport:
    """Makes the report of a period, keeps it and publishes it.

    If it is killed and run again, the result is the same. Raises ``UnavailableError`` if it should
    be run again.
    """
    made = await add_up(reporting, period)
    await reporting.bus.publish(Topic.KPI, [to_message(made)])
    await reporting.reports.keep(period.name, made.model_dump_json())  # last: then it is done
    return made


async def add_up(reporting: Reporting, period: Period) -> KpiReport:
    """The report of a period, neither kept nor published; so far, if the period is not over.

    Raises ``UnavailableError`` if it should be tried again.
    """
    stages = reporting.rules.stage_order
    tally = KpiTally(period, stages)
    leads_in = await reporting.reports.leads_in([name for name in stages if name != ANONYMOUS])
    handoff = reporting.rules.handoff
    since = handoff.oldest_open(period.start) if handoff else period.start
    async for lead_id, move in reporting.reports.moves(since):
        tally.add(lead_id, move)
    asked = sorted(tally.in_question)
    for start in range(0, len(asked), LEADS_AT_ONCE):
        some = asked[start : start + LEADS_AT_ONCE]
        found = await asyncio.gather(*(_readable(reporting, id_) for id_ in some))
        for lead_id, lead in zip(some, found, strict=True):
            tally.know(lead_id, lead)
    return tally.report(leads_in)


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
