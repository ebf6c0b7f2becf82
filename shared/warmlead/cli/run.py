"""``warmlead run``: runs a scheduled function by hand, now or as of another time."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from warmlead.application.report import Reporting, add_up, report
from warmlead.cli.output import (
    EXIT_MISUSE,
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    fail,
    moment,
    print_json,
    unreadable,
)
from warmlead.domain.attribution import DIRECT_SOURCE, UNKNOWN
from warmlead.domain.errors import UnreadableError
from warmlead.domain.money import DECIMALS
from warmlead.messages.contract import Conversion, KpiReport, Promise, SourceFigures, Value, Waits
from warmlead.reporting.funnel import Span, last_period
from warmlead.runtime import backends, functions
from warmlead.runtime.table import REPORT, Function, scheduled


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
    """The sources by channel; reports from before channels have none."""
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


app = typer.Typer(
    no_args_is_help=True,
    help="""Run a scheduled function now, or as of another time.

You rarely need this: `warmlead serve` and Cloud Scheduler run them by themselves.

```text
warmlead run decay
warmlead run followup
warmlead run report --period week
```
""",
)

AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="T",
        help="Act as if it were this time: 2026-03-31 or 2026-03-31T09:00Z (UTC). Moves leads.",
    ),
]


class _StandingClock:
    """A clock that stands at the time to which it was set."""

    def __init__(self, time: datetime) -> None:
        self._time = time

    def now(self) -> datetime:
        """That time."""
        return self._time


def _command_of(function: Function) -> Callable[..., None]:
    """The command that calls a scheduled function; its help is the function's docstring."""

    def command(as_of: AsOf = None, as_json: Json = False) -> None:
        result = asyncio.run(_run(as_of, functions.run_of(function)))
        if as_json:
            print_json(result.answer)
        else:
            console.print(f"{_in_words(result.facts)}.")
        end_with_failures(result.facts.get("failed", 0), result.failures)

    about = inspect.getdoc(getattr(functions, function.name))
    command.__doc__ = (
        f"{about}\n\nMay run beside `serve`, be stopped, and be run again.\n\n"
        f"```text\nwarmlead run {function.name}\n```\n"
    )
    return command


def run_report(
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="Report the last period before this time: 2026-03-31 or 2026-03-31T09:00Z (UTC).",
        ),
    ] = None,
    period: Annotated[Span, typer.Option(help="How long the period is.")] = Span.DAY,
    as_json: Json = False,
) -> None:
    """Report the KPIs of the last day, week or month.

    Shows, stores and publishes the report of the last period that is over (UTC). Moves no leads.
    A second run replaces the report of the first. With --as-of in the future, shows what has
    happened so far in a period that is not over, and neither stores nor publishes it.

    ```text
    warmlead run report --period week
    warmlead run report --as-of 2026-03-31 --json
    ```
    """
    made, problems = asyncio.run(_report(as_of, period))
    if as_json:
        print_json(made)
    else:
        print_report(made)
    if problems:
        raise unreadable(UnreadableError(problems))


OWN = {REPORT: run_report}
"""Commands that do more than call their function."""

for _function in scheduled():
    app.command(_function.name)(OWN.get(_function) or _command_of(_function))


async def _report(as_of: str | None, span: Span) -> tuple[KpiReport, Mapping[str, str]]:
    """The report, and what is wrong with leads that cannot be read: they count by their moves."""
    time = moment(as_of)
    async with backends.opened() as system:
        period = last_period(span, time or system.clock.now())
        problems: dict[str, str] = {}
        reporting = Reporting(
            system.store,
            system.reports,
            system.bus,
            system.model.rules,
            lambda error: problems.update(error.problems),
        )
        is_over = period.end <= system.clock.now()
        if not is_over:
            errors.print(
                f"[yellow]{period.name} is over at {period.end:%Y-%m-%d %H:%M} UTC: this is what "
                "has happened so far. It is neither stored nor published.[/]"
            )
        make = report if is_over else add_up
        with errors.status(f"adding up {period.name} …"):
            return await make(reporting, period), problems


async def _run(as_of: str | None, run: functions.Run) -> functions.RunResult:
    time = moment(as_of)
    async with backends.opened() as system:
        if time is not None and time > system.clock.now():
            _warn(time, production=system.settings.production)
        context = functions.RunContext(
            store=system.store,
            reports=system.reports,
            bus=system.bus,
            rules=system.model.rules,
            clock=_StandingClock(time) if time else system.clock,
        )
        with errors.status("looking at what is due …"):
            return await run(context, None)


def _warn(time: datetime, *, production: bool) -> None:
    """Tells what a run as of a time to come does; in production it is refused."""
    if production:
        raise fail(
            "In production, --as-of must not be in the future: it would move leads.",
            hint="To try it, use a copy of the data: set WARMLEAD_DATA to another folder.",
            code=EXIT_MISUSE,
        )
    errors.print(
        f"[yellow]This moves leads for real, as if it were {time:%Y-%m-%d %H:%M} UTC:[/] stages, "
        "messages and deadlines stay, and tools get the triggers. The next run without --as-of "
        "sets times back to the present. To only look: warmlead lead explain WHO --as-of T."
    )


def _in_words(facts: Mapping[str, int]) -> str:
    """The counts of a run over leads as a sentence; other counts by their names."""
    if "looked_at" not in facts:
        return ", ".join(f"{name} {count}" for name, count in facts.items()) or "done"
    looked = f"{count_of(facts['looked_at'], 'lead')} due: the score changed for {facts['changed']}"
    sent = count_of(facts["triggers"], "trigger")
    swept = facts.get("swept", 0)
    left = f"; {count_of(swept, 'trigger')} left unsent before" if swept else ""
    return f"{looked}, the stage for {facts['moved']}, {sent} sent{left}"
