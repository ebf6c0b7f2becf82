"""``warmlead run``: runs a scheduled function by hand, now or as of another time."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from warmlead.application.report import add_up, report
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
from warmlead.cli.report_forms import print_tables
from warmlead.domain.errors import UnreadableError
from warmlead.learning.watching import watch_due
from warmlead.messages.kpis import KpiReport
from warmlead.messages.watch import MonthlyLook
from warmlead.reporting.periods import Span, last_period
from warmlead.reporting.sheet import Comparison
from warmlead.runtime import backends, functions
from warmlead.runtime.runs import Run, RunContext, RunResult, reporting_of
from warmlead.runtime.table import REPORT, Function, scheduled

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
    """Report the KPIs of the last day, week, month, quarter or year.

    Shows, stores and publishes the report of the last period that is over (UTC). Moves no leads.
    A second run replaces the report of the first. With --as-of in the future, shows what has
    happened so far in a period that is not over, and neither stores nor publishes it. With the
    report of a month, looks at the model as `warmlead model watch` does, and keeps that.

    ```text
    warmlead run report --period week
    warmlead run report --as-of 2026-03-31 --json
    ```
    """
    made, look, problems = asyncio.run(_report(as_of, period))
    if as_json:
        print_json(made)
    else:
        print_tables(console, Comparison(made))
        for told in look.reasons if look else ():
            console.print(f"\n[bold red]Alarm.[/] {escape(told)}")
    if problems:
        raise unreadable(UnreadableError(problems))


OWN = {REPORT: run_report}
"""Commands that do more than call their function."""

for _function in scheduled():
    app.command(_function.name)(OWN.get(_function) or _command_of(_function))


async def _report(
    as_of: str | None, span: Span
) -> tuple[KpiReport, MonthlyLook | None, Mapping[str, str]]:
    """The report, the look at the model, and what is wrong with leads that cannot be read.

    Such leads count by their moves. The model is looked at with the report of a month.
    """
    time = moment(as_of)
    async with backends.opened() as system:
        period = last_period(span, time or system.clock.now())
        problems: dict[str, str] = {}
        reporting = reporting_of(system, lambda error: problems.update(error.problems))
        is_over = period.end <= system.clock.now()
        if not is_over:
            errors.print(
                f"[yellow]{period.name} is over at {period.end:%Y-%m-%d %H:%M} UTC: this is what "
                "has happened so far. It is neither stored nor published.[/]"
            )
        make = report if is_over else add_up
        with errors.status(f"adding up {period.name} …"):
            made = await make(reporting, period, system.clock.now())
        watches = is_over and span is Span.MONTH
        look = await watch_due(reporting, time or system.clock.now()) if watches else None
        return made, look, problems


async def _run(as_of: str | None, run: Run) -> RunResult:
    time = moment(as_of)
    async with backends.opened() as system:
        if time is not None and time > system.clock.now():
            _warn(time, production=system.settings.production)
        context = RunContext(
            store=system.store,
            reports=system.reports,
            bus=system.bus,
            rules=system.model.rules,
            clock=_StandingClock(time) if time else system.clock,
            dispatches=lambda: system.dispatches,
            imports=lambda: system.imports,
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
