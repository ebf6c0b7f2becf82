"""A report as tables for a meeting: the few numbers first, then what they are made of.

``docs/kpis.md`` defines each number.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from warmlead.domain.attribution import DIRECT_SOURCE, UNKNOWN
from warmlead.domain.stages import as_shown
from warmlead.messages.cohorts import Cohort, CohortConversion
from warmlead.messages.kpis import Conversion, KpiReport, Promise, SourceFigures
from warmlead.messages.revenue import Amounts, MqlFigures, SpendFigures, Won
from warmlead.reporting.nurture_tables import nurture_tables
from warmlead.reporting.periods import Period, months_of
from warmlead.reporting.persons import NONE_STATED
from warmlead.reporting.tables import (
    BLANK,
    Cell,
    Cells,
    ReportTable,
    TableRow,
    amounts,
    cost,
    likely,
    money,
    number,
    rate,
    share,
    span,
    text,
    waits,
)

BENCHMARKS: Mapping[str, str] = {
    "mql_to_sql": "13 %, ideal 20–40 %",
    "sql_to_customer": "20–30 %",
}
"""What other companies reach: figures that B2B marketing reports repeat, no law."""

_NAMES = {
    "lead_to_mql": "Lead → MQL",
    "mql_to_sql": "MQL → SQL",
    "sql_to_opportunity": "SQL → opportunity",
    "opportunity_to_customer": "Opportunity → customer",
    "mql_to_customer": "MQL → customer",
    "sql_to_customer": "SQL → customer",
    "lead_to_customer": "Lead → customer",
    "mql_to_first_touch": "MQL → first touch",
}
"""Conversions and times, by the names of their fields."""

_OF_COHORTS = (
    *("mql_to_sql", "sql_to_customer", "mql_to_customer"),
    *("lead_to_mql", "lead_to_customer"),
)


class Goals(Struct, frozen=True):
    """What is to be reached: ``counts`` in a month, and shares in millionths, by name."""

    counts: Mapping[str, int]
    ppm: Mapping[str, int]


class Comparison(Struct, frozen=True):
    """A report, ``others`` to compare it with, and what was to be reached.

    The others are the period before and the same of the year before. ``scores`` are the numbers of
    leads by the band of their score, now. ``more`` are tables of others, which come last.
    """

    report: KpiReport
    others: Sequence[KpiReport] = ()
    goals: Goals | None = None
    scores: Mapping[str, int] = {}
    more: Sequence[ReportTable] = ()


def sheet(compared: Comparison) -> list[ReportTable]:
    """All tables of a report; a table in which nothing happened is left out."""
    report = compared.report
    tables = [
        _glance(compared),
        *_cohorts(report),
        _within(report),
        _times(report),
        _stages(report),
        _contact_times(report),
        _promises(report),
        _won(report.won),
        *_breakdowns(report),
        _last_touch(report),
        _channels(report),
        _counts("Refused by sales", report.rejections),
        _counts("Moved backward", report.backward),
        _scores(compared.scores),
        _bant(report),
        _feedback(report),
        *nurture_tables(report),
        *compared.more,
    ]
    return [table for table in tables if table.rows]


def _glance(compared: Comparison) -> ReportTable:
    shown = [compared.report, *compared.others]
    found = [_few_numbers(report) for report in shown]
    columns = [report.period for report in shown]
    if compared.goals:
        found.append(_goals(compared.goals, compared.report))
        columns.append("target")
    rows = [
        TableRow(
            label, [*(one.get(label, BLANK) for one in found), text(_BENCHMARK_OF.get(label, ""))]
        )
        for label in dict.fromkeys(label for one in found for label in one)
    ]
    return ReportTable("At a glance", [*columns, "others"], rows)


COUNTED = {"mql": "Became MQLs", "sql": "Became SQLs", "customers": "Became customers"}
"""Targets that are counts of persons, and the rows beside which they stand."""

_TOUCHED = "First touch in time"

_PPM = 1_000_000


def _goals(goals: Goals, report: KpiReport) -> dict[str, Cell]:
    """The targets for the period; counts are those of whole months alone."""
    months = months_of(Period(report.period, report.start, report.end))
    cells = {
        COUNTED[name]: number(months * count) for name, count in goals.counts.items() if months
    }
    for name, ppm in goals.ppm.items():
        label = _TOUCHED if name == "first_touch" else _NAMES[name]
        cells[label] = Cell(f"{100 * ppm / _PPM:.1f} %", ppm / _PPM)
    return cells


_BENCHMARK_OF = {_NAMES[name]: words for name, words in BENCHMARKS.items()}


def _few_numbers(report: KpiReport) -> dict[str, Cell]:
    cells = {"Became known": number(report.became_known)}
    if cohort := report.cohort:
        cells["Became MQLs"] = number(cohort.mql_to_sql.ever.of)
        cells["Became SQLs"] = number(cohort.sql_to_customer.ever.of)
        cells["Became customers"] = number(cohort.customers)
    cells["Deals won"] = number(report.won.deals)
    for currency, value in report.won.values.items():
        cells[f"Revenue, {currency}"] = money(value.smallest_units, currency)
    if cohort:
        for name in ("mql_to_sql", "sql_to_customer", "lead_to_customer"):
            cells[_NAMES[name]] = rate(getattr(cohort, name).ever)
        cells |= _costs(cohort, report.spend)
    times = report.times
    cells["Time to MQL, median"] = span(times.lead_to_mql.median_minutes)
    cells["Whole cycle, median"] = span(times.lead_to_customer.median_minutes)
    touch = report.handoffs.first_touch
    cells[_TOUCHED] = share(touch.kept, touch.due)
    return cells


def _costs(cohort: Cohort, spend: SpendFigures | None) -> dict[str, Cell]:
    """What an MQL, an SQL and a customer of the period cost."""
    if spend is None:
        return {"Cost per MQL": Cell("no spend entered")}
    counts = {
        "MQL": cohort.mql_to_sql.ever.of,
        "SQL": cohort.sql_to_customer.ever.of,
        "customer": cohort.customers,
    }
    return {f"Cost per {name}": cost(spend.total, count) for name, count in counts.items()}


def _cohorts(report: KpiReport) -> Iterator[ReportTable]:
    """One table a conversion: by month, if there are several, then all together."""
    columns = ("persons", "30 days", "60 days", "90 days", "ever", "likely")
    whole = report.cohort
    for name in _OF_COHORTS if whole else ():
        found: CohortConversion = getattr(whole, name)
        months = [(month, getattr(cohort, name)) for month, cohort in report.cohorts.items()]
        of_months = [TableRow(month, _ages(each)) for month, each in months if each.ever.of]
        rows = [*of_months, TableRow("together", _ages(found))] if found.ever.of else []
        yield ReportTable(
            f"{_NAMES[name]}, by month of the first step", columns, rows, _doubts(name, report)
        )


def _ages(found: CohortConversion) -> Cells:
    ages = (found.within_30_days, found.within_60_days, found.within_90_days, found.ever)
    return [number(found.ever.of), *map(rate, ages), likely(found.ever)]


def _doubts(name: str, report: KpiReport) -> list[str]:
    """What to know about a conversion of the cohorts."""
    if (whole := report.cohort) is None:
        return []
    found: CohortConversion = getattr(whole, name)
    notes = [f"Others: {BENCHMARKS[name]}."] if name in BENCHMARKS else []
    if not found.within_90_days.is_finished:
        notes.append("… some have not had the time yet; those who have are counted.")
    if found.before:
        notes.append(f"{found.before} made the second step before the first; they are counted.")
    months = [each for each in report.cohorts.values() if getattr(each, name).ever.of]
    if found.first_at and months and found.first_at >= months[0].end:
        notes.append(
            f"Nobody made the second step before {found.first_at:%Y-%m-%d}: if that is when records"
            " begin, the rates of the months before are too low."
        )
    if name == "sql_to_customer" and whole.without_opportunity:
        notes.append(f"{whole.without_opportunity} were never an opportunity.")
    return notes


def _within(report: KpiReport) -> ReportTable:
    rows = []
    for name in type(report.conversions).model_fields:
        found: Conversion = getattr(report.conversions, name)
        if found.of:
            cells = [number(found.of), number(found.reached), share(found.reached, found.of)]
            rows.append(TableRow(_NAMES[name], cells))
    note = "Who made both steps in the period; cohorts also count those who need longer."
    return ReportTable("Funnel of the period", ("of", "reached", "rate"), rows, [note])


def _times(report: KpiReport) -> ReportTable:
    order = (
        *("lead_to_mql", "mql_to_first_touch", "mql_to_sql", "sql_to_customer"),
        *("mql_to_customer", "lead_to_customer"),
    )
    found = [(name, getattr(report.times, name)) for name in order]
    rows = [TableRow(_NAMES[name], waits(each)) for name, each in found if each.count]
    return ReportTable("Times", ("persons", "median", "90 % within", "mean"), rows)


def _stages(report: KpiReport) -> ReportTable:
    rows = [
        TableRow(stage, [*map(number, (each.at_end, each.entered, each.first_time, each.again))])
        for stage, each in [(stage, report.stages[stage]) for stage in as_shown(report.stages)]
    ]
    return ReportTable("Stages", ("at the end", "entered", "first", "again"), rows)


def _contact_times(report: KpiReport) -> ReportTable:
    found = report.contact_times
    counts = (
        {
            "within 1 hour": found.within_1_hour,
            "within 24 hours": found.within_24_hours,
            "later": found.later,
            "never": found.never,
        }
        if found and found.offers
        else {}
    )
    of = found.offers if found else 0
    rows = [TableRow(name, [number(count), share(count, of)]) for name, count in counts.items()]
    note = (
        "In working time, if the model has office hours. Within 24 hours counts the first hour too."
    )
    return ReportTable(
        f"First contact (of {of} offers that are a day old)", ("leads", "share"), rows, [note]
    )


def _promises(report: KpiReport) -> ReportTable:
    offers = report.handoffs
    found = {"first touch": offers.first_touch, "acceptance": offers.acceptance}
    rows = [
        TableRow(name, _promise(each))
        for name, each in found.items()
        if each.due or offers.offers  # of offers that are young nothing is due yet
    ]
    if rows:
        of_owners = report.first_touch_by_owner.items()
        rows[1:1] = [TableRow(owner, _promise(each), depth=1) for owner, each in of_owners]
    columns = ("due", "kept", "overdue", "lapsed", "kept, %")
    return ReportTable(f"Promises of sales (offers: {offers.offers})", columns, rows)


def _promise(found: Promise) -> Cells:
    counts = (found.due, found.kept, found.breached, found.lapsed)
    return [*map(number, counts), share(found.kept, found.due)]


def _won(won: Won) -> ReportTable:
    rows = [
        TableRow(
            currency,
            [
                number(value.deals),
                money(value.smallest_units, currency),
                share(value.largest, value.smallest_units) if value.largest else BLANK,
            ],
        )
        for currency, value in won.values.items()
    ]
    if won.without_value:
        rows.append(TableRow("value not stated", [number(won.without_value), BLANK, BLANK]))
    notes = []
    if 2 * won.without_value > won.deals:
        notes.append(f"Of most deals ({won.without_value} of {won.deals}) sales stated no value.")
    return ReportTable("Deals won", ("deals", "value", "largest deal, %"), rows, notes)


_FACETS = {
    "channel": "Channel of the first touch",
    "source": "Source of the first touch",
    "campaign": "Campaign of the first touch",
    "landing_page": "Landing page of the first touch",
    "owner": "Owner",
    "score": "Score on becoming an MQL",
}


def _breakdowns(report: KpiReport) -> Iterator[ReportTable]:
    """MQLs of the period, how far they have come, and the deals of the period."""
    for facet, title in _FACETS.items():
        values = report.breakdowns.get(facet, {})
        spend: Mapping[str, Amounts] = getattr(report.spend, facet, {})
        if not [*spend] and [*values] == [NONE_STATED]:
            continue  # nobody states it
        names = [*values, *(name for name in spend if name not in values)]
        rows = [TableRow(name, _mqls(values.get(name, NO_MQLS), spend.get(name))) for name in names]
        columns = ["MQLs", "SQLs", "SQL %", "won", "won %", "deals", "revenue"]
        note = "SQLs, won: of these MQLs, so far. Deals, revenue: of the period."
        if spend:
            columns.append("per MQL")
        else:
            rows = [TableRow(row.label, row.cells[:-1]) for row in rows]
        yield ReportTable(title, columns, rows, [note], is_long=True)


NO_MQLS = MqlFigures(
    mql=0, became_sql=0, became_customer=0, won=Won(deals=0, without_value=0, values={})
)


def _mqls(found: MqlFigures, spend: Amounts | None) -> Cells:
    return [
        number(found.mql),
        number(found.became_sql),
        share(found.became_sql, found.mql),
        number(found.became_customer),
        share(found.became_customer, found.mql),
        number(found.won.deals),
        _revenue(found.won),
        cost(spend or {}, found.mql),
    ]


def _revenue(won: Won) -> Cell:
    return amounts({name: value.smallest_units for name, value in won.values.items()})


def _last_touch(report: KpiReport) -> ReportTable:
    rows = [
        TableRow(channel, [number(won.deals), _revenue(won), number(won.without_value)])
        for channel, won in report.won_by_last_touch.items()
    ]
    columns = ("deals", "revenue", "value not stated")
    return ReportTable("Deals by the channel of the last touch", columns, rows)


def _channels(report: KpiReport) -> ReportTable:
    """The sources by channel; reports from before channels have none."""
    rows = []
    for channel, found in report.channels.items():
        rows.append(TableRow(channel, _persons(found)))
        rows += [
            TableRow(source, _persons(figures), depth=1)
            for source, figures in found.sources.items()
            if source not in (DIRECT_SOURCE, UNKNOWN)  # their channel says it already
        ]
    if not report.channels:
        rows = [TableRow(source, _persons(figures)) for source, figures in report.sources.items()]
    return ReportTable("Moves by first touch", ("MQLs", "SQLs", "customers"), rows, is_long=True)


def _persons(found: SourceFigures) -> Cells:
    return [number(found.mql), number(found.sql), number(found.customer)]


def _counts(title: str, counts: Mapping[str, int]) -> ReportTable:
    rows = [TableRow(name.replace("_", " "), [number(count)]) for name, count in counts.items()]
    return ReportTable(title, ("leads",), rows)


def _scores(scores: Mapping[str, int]) -> ReportTable:
    """The leads by their score; bands beyond the last that has one are left out."""
    filled = [name for name, count in scores.items() if count]
    names = [*scores][: [*scores].index(filled[-1]) + 1] if filled else []
    of = sum(scores.values())
    rows = [TableRow(name, [number(scores[name]), share(scores[name], of)]) for name in names]
    return ReportTable("Leads by score, now", ("leads", "share"), rows)


def _bant(report: KpiReport) -> ReportTable:
    """What sales had told by its answers."""
    parts = ("budget", "authority", "need", "timing", "all_four")
    rows = [
        TableRow(answer, [number(found.answers), *(number(getattr(found, part)) for part in parts)])
        for answer, found in report.bant.items()
        if any(getattr(found, part) for part in parts)
    ]
    columns = ("answers", *(part.replace("_", " ") for part in parts))
    return ReportTable("What sales had told when it answered", columns, rows)


def _feedback(report: KpiReport) -> ReportTable:
    """How sales answered, by what the model had said of the leads."""
    rows: list[TableRow] = []
    for name, figures in report.feedback:
        for value, found in figures.items():
            answers: Sequence[int] = (found.accepted, found.rejected)
            cells = [*map(number, answers), share(found.accepted, sum(answers))]
            rows.append(TableRow(f"{name.removeprefix('by_')} {value}", cells))
    columns = ("accepted", "rejected", "accepted, %")
    return ReportTable("Answers of sales", columns, rows, is_long=True)
