"""The overview as a page: cards with what is usual, funnel, sources, promises, a threshold."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from types import MappingProxyType
from typing import Literal, TypeAlias

from markupsafe import Markup
from msgspec import Struct

from warmlead.dashboard import charts, cohorts, sequences
from warmlead.dashboard.figures import (
    BAND_POINTS,
    BANDS,
    MONTHS,
    Overview,
    leads_by_band,
    overview,
    promises,
)
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import counted, number, page
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.money import DECIMALS
from warmlead.domain.stages import as_shown
from warmlead.messages.kpis import KpiReport
from warmlead.messages.revenue import Won
from warmlead.reporting.cohorts import AGES_DAYS
from warmlead.reporting.funnel import Level
from warmlead.reporting.periods import Span, last_period
from warmlead.reporting.sequences import AFTERWARDS_DAYS
from warmlead.reporting.statistics import SMALL_SAMPLE, wilson
from warmlead.web.answers import Answer

WEEK_DAYS = 7
_MILLION = 1_000_000
MOST_POINTS = (BANDS - 1) * BAND_POINTS

Rate: TypeAlias = Literal["mql_to_sql", "sql_to_customer"]


class Usual(Struct, frozen=True):
    """From which shares on, in thousandths, a rate is fair, and good."""

    fair: int
    good: int
    words: str

    def tone(self, per_mille: int) -> str:
        """How good a share is, as a class of the style."""
        return "good" if per_mille >= self.good else "fair" if per_mille >= self.fair else "poor"


USUAL: Mapping[Rate, Usual] = MappingProxyType(
    {
        "mql_to_sql": Usual(130, 200, "13 % is usual, 20–40 % is good"),
        "sql_to_customer": Usual(150, 200, "20–30 % is good"),
    }
)
"""What is usual for companies that sell to companies."""


WAITS: Mapping[str, str] = MappingProxyType(
    {"mql": "lead_to_mql", "sql": "mql_to_sql", "customer": "sql_to_customer"}
)
"""The time that a report has of the way into a stage."""


class Card(Struct, frozen=True):
    """One figure: ``tone`` is ``good``, ``fair``, ``poor``, or empty if nothing is usual."""

    title: str
    value: str
    note: str
    unit: str = ""
    tone: str = ""
    spark: Markup = Markup("")  # it does not change


class FunnelRow(Struct, frozen=True):
    """A stage of the funnel: how many leads stand in it now, and how many entered it.

    ``took`` is how long half of those took who came to it in the last month that has any.
    """

    name: str
    now: int
    share: float
    entered: int | None
    took: str = ""


async def first_page(parts: Parts, query: Mapping[str, str], now: datetime) -> Answer:
    """The overview; ``at`` of the query is a threshold to try."""
    at = _threshold(query.get("at", ""))
    seen = await overview(parts, now)
    of_moves = _in_bands(seen.moves.scores)
    weeks = max(1.0, seen.moves.days / WEEK_DAYS)
    return page(
        "overview.html",
        here="overview",
        seen=seen,
        cards=cards(seen),
        funnel=funnel(seen),
        weeks_reported=len(seen.reports),
        cohorts=cohorts.rows(seen.months),
        earlier=earlier_month(seen),
        ages=AGES_DAYS,
        sequences=sequences.sequence_rows(seen.months),
        steps=sequences.step_rows(seen.months)[: sequences.MOST_STEPS],
        afterwards_days=AFTERWARDS_DAYS,
        sources=seen.sources,
        whiskers=[(row, *wilson(row.sql, row.mql)) for row in seen.sources],
        touch=promises(seen.reports, "first_touch"),
        answer=promises(seen.reports, "acceptance"),
        at=at if at is not None else _usual_threshold(seen.moves.scores),
        of_moves=of_moves,
        counts=json.dumps(of_moves),
        weeks=weeks,
        a_week=round(len(seen.moves.scores) / weeks),
        kept=round(sum(score >= (at or 0) for score in seen.moves.scores) / weeks),
        width=BAND_POINTS,
        most=MOST_POINTS,
        tried=at is not None,
        now=now,
    )


async def scores_page(parts: Parts) -> Answer:
    """How many leads have how many points now."""
    points = await leads_by_band(parts)
    return page("scores.html", here="overview", points=points, width=BAND_POINTS, most=MOST_POINTS)


def _threshold(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii() or int(text[:6]) > MOST_POINTS:
        raise RejectedError(Reason.QUERY_INVALID, f"at must be a number from 0 to {MOST_POINTS}.")
    return int(text)


def _usual_threshold(scores: Sequence[int]) -> int:
    """Where the slider begins: at the band of the lowest score with which a lead became MQL."""
    lowest = min(scores, default=0)
    return max(0, min(MOST_POINTS, lowest // BAND_POINTS * BAND_POINTS))


def _in_bands(scores: Sequence[int]) -> list[int]:
    counts = [0] * BANDS
    for score in scores:
        counts[max(0, min(BANDS - 1, score // BAND_POINTS))] += 1
    return counts


def cards(seen: Overview) -> list[Card]:
    """The figures at the top."""
    reports = list(reversed(seen.reports))
    return [
        _new_mqls(seen),
        _conversion("MQL to SQL", "mql_to_sql", 60, seen.months),
        _conversion("SQL to customer", "sql_to_customer", 90, seen.months),
        _won(seen.months),
        _first_touch(reports),
    ]


def _new_mqls(seen: Overview) -> Card:
    moves = seen.moves
    week = moves.last(Level.MQL, WEEK_DAYS)
    before = moves.last(Level.MQL, WEEK_DAYS, before=WEEK_DAYS)
    note = "in the last 7 days"
    if moves.days >= 2 * WEEK_DAYS:
        note += f"; {before} in the 7 before"
    line = charts.spark(moves.entered[Level.MQL], label=f"New MQLs a day, {moves.days} days")
    return Card("New MQLs", number(week), note, spark=line)


def _conversion(title: str, name: Rate, age_days: int, months: Sequence[KpiReport]) -> Card:
    """Of those who have had the time: how many made the step, over the months' cohorts."""
    found = cohorts.summed(months, name, age_days)
    if not found.of:
        who = f"Of the months that are reported no {title.partition(' ')[0]}"
        return Card(title, "–", f"{who} has had {age_days} days yet. {USUAL[name].words}")
    per_mille = found.reached * 1_000 // found.of
    low, high = (100 * end for end in wilson(found.reached, found.of))
    tone = USUAL[name].tone(per_mille) if found.of >= SMALL_SAMPLE else ""
    line = charts.spark(found.by_month, label=f"{title} by month")
    note = f"{found.reached} of {found.of} within {age_days} days; likely {low:.0f} to {high:.0f} %"
    return Card(title, f"{per_mille / 10:.0f}", f"{note}. {USUAL[name].words}", "%", tone, line)


def _won(months: Sequence[KpiReport]) -> Card:
    """What was won in the last month that is reported, beside the month before."""
    title = "Won in a month"
    if not months:
        return Card(title, "–", "No month is reported yet")
    (amount, unit), *others = worth(months[0].won) or [("–", "")]
    notes = [_deals(months[0])]
    notes += [f"besides {' '.join(other)}" for other in others]
    if months[0].won.without_value:
        notes.append(f"{number(months[0].won.without_value)} without a value")
    notes += [_deals(month) for month in months[1:2]]
    line = charts.spark([month.won.deals for month in reversed(months)], label="Deals by month")
    return Card(title, amount, "; ".join(notes), unit, spark=line)


def _deals(month: KpiReport) -> str:
    return f"{counted(month.won.deals, 'deal')} in {month.start:%b %Y}"


def worth(won: Won) -> list[tuple[str, str]]:
    """What deals are worth in each currency, the most first: number and unit."""
    found = [
        (value.smallest_units // 10 ** DECIMALS.get(currency, 0), currency)
        for currency, value in won.values.items()
    ]
    return [
        (f"{whole / _MILLION:.2f}", f"M {currency}")
        if whole >= _MILLION
        else (number(whole), currency)
        for whole, currency in sorted(found, reverse=True)
    ]


def _first_touch(reports: Sequence[KpiReport]) -> Card:
    waits = [report.times.mql_to_first_touch for report in reports]
    known = [wait.median_minutes for wait in waits if wait.median_minutes is not None]
    if not known:
        nobody = "Nobody was touched in the weeks that are reported"
        return Card("First touch by sales", "–", f"{nobody}. Within the hour is good")
    minutes = median(known)
    tone = "good" if minutes <= 60 else "fair" if minutes <= 24 * 60 else "poor"  # noqa: PLR2004  # an hour, a day
    values = [None if wait.median_minutes is None else wait.median_minutes for wait in waits]
    line = charts.spark(values, label="Minutes to the first touch by week")
    value, unit = in_units(minutes)
    return Card(
        "First touch by sales",
        value,
        "typical of a week. Within the hour is good",
        unit,
        tone,
        line,
    )


def in_units(minutes: float) -> tuple[str, str]:
    """A time in the unit in which it is read best."""
    if minutes < 120:  # noqa: PLR2004  # two hours
        return f"{minutes:.0f}", "min"
    if minutes < 48 * 60:
        return f"{minutes / 60:.1f}".removesuffix(".0"), "h"
    return f"{minutes / 1_440:.1f}".removesuffix(".0"), "days"


def earlier_month(seen: Overview) -> datetime | None:
    """The end of the last month that is not reported; ``None`` if all that are shown are."""
    if len(seen.months) >= MONTHS:
        return None
    end = last_period(Span.MONTH, seen.now).end
    for month in seen.months:
        if month.end != end:
            break
        end = month.start
    return end


def _took(months: Sequence[KpiReport], wait: str) -> str:
    """The median of the last month that has one, in words; empty if none has."""
    for report in months if wait else ():
        minutes: int | None = getattr(report.times, wait).median_minutes
        if minutes is not None:
            return " ".join(in_units(minutes))
    return ""


def funnel(seen: Overview) -> list[FunnelRow]:
    """The stages as they are shown, with the leads in them now."""
    most = max(seen.stages.values(), default=0) or 1
    week = seen.reports[0] if seen.reports else None
    return [
        FunnelRow(
            name,
            seen.stages[name],
            seen.stages[name] / most,
            week.stages[name].entered if week and name in week.stages else None,
            _took(seen.months, WAITS.get(name, "")),
        )
        for name in as_shown(seen.stages)
    ]
