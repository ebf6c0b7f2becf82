"""How a report is shown in a terminal. Computes nothing that is not in it."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from warmlead.cli.output import console
from warmlead.domain.attribution import DIRECT_SOURCE, UNKNOWN
from warmlead.domain.kpi_report import Conversion, KpiReport, Promise, SourceFigures, Value, Waits
from warmlead.domain.money import DECIMALS


def print_report(report: KpiReport) -> None:
    """The report as tables; parts in which nothing happened are left out."""
    console.print(
        f"[bold]{report.period}[/], {report.start:%Y-%m-%d} until before {report.end:%Y-%m-%d} UTC"
    )
    counts = [
        *_counts("Refused by sales", report.rejections),
        *_counts("Moved backward", report.backward),
        *_won(report),
    ]
    parts: list[RenderableType] = [_stages(report), _funnel(report), _promises(report)]
    parts += ["\n".join(counts)] if counts else []
    parts += [_sources(report)] if report.sources else []
    for part in parts:
        console.print()
        console.print(part)


def _stages(report: KpiReport) -> Table:
    table = _table(f"{report.became_known} became known", "at the end", "entered", "first", "again")
    for stage, found in report.stages.items():
        numbers = (found.at_end, found.entered, found.first_time, found.again)
        table.add_row(escape(stage), *map(str, numbers))
    return table


def _funnel(report: KpiReport) -> Table:
    table = _table("Funnel", "of", "reached", "rate", "median", "90 % within")
    times = {
        "mql_to_sql": report.times.mql_to_sql,
        "mql_to_first_touch": report.times.mql_to_first_touch,
    }
    for name in type(report.conversions).model_fields:
        conversion: Conversion = getattr(report.conversions, name)
        rate = "" if conversion.per_mille is None else f"{conversion.per_mille / 10:.1f} %"
        waits = _spans(times[name]) if name in times else ("", "")
        row = (str(conversion.of), str(conversion.reached), rate, *waits)
        table.add_row(name.replace("_", " "), *row)
    touched = times["mql_to_first_touch"]
    table.add_row("mql to first touch", "", str(touched.count), "", *_spans(touched))
    return table


def _spans(waits: Waits) -> tuple[str, str]:
    return _span(waits.median_minutes), _span(waits.p90_minutes)


def _span(minutes: int | None) -> str:
    if minutes is None:
        return ""
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"  # noqa: PLR2004  # easier to read


def _promises(report: KpiReport) -> Table:
    offers = report.handoffs
    table = _table(f"{offers.offers} offered to sales", "due", "kept", "breached", "lapsed")
    rows: dict[str, Promise] = {"first touch": offers.first_touch, "acceptance": offers.acceptance}
    for name, found in rows.items():
        table.add_row(name, *map(str, (found.due, found.kept, found.breached, found.lapsed)))
    return table


def _sources(report: KpiReport) -> Table:
    """The sources by channel; those of a report of before channels were told have none."""
    table = _table("First touch", "mql", "sql", "customer")
    for channel, found in report.channels.items():
        table.add_row(f"[bold]{escape(channel)}[/]", *_persons(found))
        for source, figures in found.sources.items():
            if source not in (DIRECT_SOURCE, UNKNOWN):  # their channel says it already
                table.add_row(f"  {escape(source)}", *_persons(figures))
    if not report.channels:
        for source, figures in report.sources.items():
            table.add_row(escape(source), *_persons(figures))
    return table


def _persons(found: SourceFigures) -> tuple[str, str, str]:
    return str(found.mql), str(found.sql), str(found.customer)


def _counts(title: str, counts: dict[str, int]) -> Iterator[str]:
    if counts:
        parts = (f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        yield f"{title}: {escape(', '.join(parts))}"


def _won(report: KpiReport) -> Iterator[str]:
    won = report.won
    if not won.deals:
        return
    values = [f"{_amount(value, currency)} {currency}" for currency, value in won.values.items()]
    unknown = [f"{won.without_value} without a value"] if won.without_value else []
    yield f"Won: {won.deals}, {', '.join([*values, *unknown])}"


def _amount(value: Value, currency: str) -> str:
    decimals = DECIMALS.get(currency, 0)
    whole, rest = divmod(value.smallest_units, 10**decimals)
    return f"{whole:,}.{rest:0{decimals}}" if decimals else f"{whole:,}"


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(title)
    for column in columns:
        table.add_column(column, justify="right")
    return table
