"""The reports that were kept: a page shows one beside those of the period and the year before."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from warmlead.dashboard.figures import kept_reports, read_report
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import page
from warmlead.domain.errors import Reason, RejectedError
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.periods import BEGINNING, Span, before, read_period, span_of, year_before
from warmlead.reporting.sheet import Comparison, sheet
from warmlead.reporting.tables import ReportTable
from warmlead.web.answers import Answer

LINKED = {Span.MONTH: 6, Span.WEEK: 4}
"""How many of the last months and weeks the page links to, as far as they are reported."""

PAGE_BYTES = 58_000
"""Above this weight the page leaves out its last tables."""

PERIODS = "a day, week, month, quarter or year: 2026-11-21, 2026-W47, 2026-11, 2026-Q4, 2026"
"""The periods whose reports are kept, and how each is named."""


async def kept_text(parts: Parts, name: str) -> str:
    """The report of a period as it was kept; raises ``RejectedError`` for none."""
    if not _is_name(name):
        raise RejectedError(Reason.NOT_FOUND, f"There is no such report. Name {PERIODS}.")
    kept = await parts.reports.report(name)
    if kept is None:
        text = f"No report of {name} is kept. To compute it, run: warmlead report {name}"
        raise RejectedError(Reason.NOT_FOUND, text)
    return kept


def _is_name(text: str) -> bool:
    """Whether it is the name of a period of the calendar; reports of no others are kept."""
    try:
        period = read_period(text, BEGINNING)
    except ValueError:
        return False
    return period.name == text and span_of(period) is not None


async def reports_page(parts: Parts, name: str, now: datetime) -> Answer:
    """The report of a period; without a name the last one of a month, or else of a week."""
    asked = (kept_reports(parts, span, most, now) for span, most in LINKED.items())
    found = await asyncio.gather(*asked)
    linked = [report.period for reports in found for report in reports]
    chosen = name or next(iter(linked), "")
    report = read_report(await kept_text(parts, chosen)) if chosen else None
    tables: Sequence[ReportTable] = ()
    if report:
        others = await _others(parts, report, now)
        tables = [table.shortened for table in sheet(Comparison(report, others))]

    def shown(count: int) -> Answer:
        return page(
            "reports.html",
            here="reports",
            linked=linked,
            chosen=chosen,
            report=report,
            last=report.end - timedelta(days=1) if report else None,
            tables=tables[:count],
            left=len(tables) - count,
            now=now,
        )

    fitting = (shown(count) for count in range(len(tables), -1, -1))
    return next(answer for answer in fitting if len(answer.body) <= PAGE_BYTES)


async def _others(parts: Parts, report: KpiReport, now: datetime) -> list[KpiReport]:
    """The reports of the period before and of the same one of the year before, if they are kept."""
    period = read_period(report.period, now)
    names = [other.name for other in (before(period), year_before(period)) if other]
    texts = await asyncio.gather(*(parts.reports.report(name) for name in dict.fromkeys(names)))
    read = [read_report(text) for text in texts if text is not None]
    return [other for other in read if other is not None]
