"""``warmlead run``: what Cloud Scheduler has done, by hand, and as of any time.

A run as of a time to come is no rehearsal: it moves leads, and tools are told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from warmlead import backends
from warmlead.application.decay import decay
from warmlead.application.due import Progress, Settling
from warmlead.application.follow_up import FollowedUp, follow_up
from warmlead.application.report import Reporting, add_up, report
from warmlead.cli.as_of import moment
from warmlead.cli.kpi_table import print_report
from warmlead.cli.output import (
    EXIT_MISUSE,
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    fail,
    print_json,
    unreadable,
)
from warmlead.domain.errors import UnreadableError
from warmlead.domain.kpi_report import KpiReport
from warmlead.domain.period import Span, last_period

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="""Run what is scheduled now, or as of another time.

`warmlead serve` does all of it by itself, and Cloud Scheduler in the cloud.

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
        help="As if it were this time: 2026-03-31 or 2026-03-31T09:00Z (UTC). Leads are moved.",
    ),
]


class _StandingClock:
    """A clock that tells the time it was set to."""

    def __init__(self, time: datetime) -> None:
        self._time = time

    def now(self) -> datetime:
        """That time."""
        return self._time


@app.command("decay")
def run_decay(as_of: AsOf = None, as_json: Json = False) -> None:
    """Let leads fade: settle all whom this day changes.

    Reads only leads that are due. May run beside `serve`, be stopped, and be run again.

    ```text
    warmlead run decay
    ```
    """
    run = asyncio.run(_run(as_of, decay))
    if as_json:
        print_json(run.counts)
    else:
        console.print(f"{_in_words(run)}.")
    end_with_failures(run.failed, run.failures)


@app.command("followup")
def run_followup(as_of: AsOf = None, as_json: Json = False) -> None:
    """Do what is due: nurture steps, deadlines, unsent triggers.

    Deadlines are those that sales promised; unsent are triggers that a crash left so. Reads only
    leads that are due. May run beside `serve`, be stopped, and be run again.

    ```text
    warmlead run followup
    ```
    """
    run: FollowedUp = asyncio.run(_run(as_of, follow_up))
    if as_json:
        print_json({**run.due.counts, "swept": run.swept, "done": run.done})
    else:
        left = f"; {count_of(run.swept, 'trigger')} left unsent before" if run.swept else ""
        console.print(f"{_in_words(run.due)}{left}.")
    end_with_failures(run.due.failed, run.due.failures)


@app.command("report")
def run_report(
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="Of the last period before this time: 2026-03-31 or 2026-03-31T09:00Z (UTC).",
        ),
    ] = None,
    period: Annotated[Span, typer.Option(help="How long the period is.")] = Span.DAY,
    as_json: Json = False,
) -> None:
    """Report the KPIs of the last day, week or month.

    Of the last that is over (UTC): shows, keeps and publishes them. Moves no leads. Made again,
    the report takes the place of the one before. As of a time to come, a period that is not over
    is shown so far, and neither kept nor published.

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
                "has happened so far. It is neither kept nor published.[/]"
            )
        make = report if is_over else add_up
        with errors.status(f"adding up {period.name} …"):
            return await make(reporting, period), problems


async def _run(as_of: str | None, use_case: Callable[[Settling], Awaitable[T]]) -> T:
    time = moment(as_of)
    async with backends.opened() as system:
        if time is not None and time > system.clock.now():
            _warn(time, production=system.settings.production)
        model = system.model
        clock = _StandingClock(time) if time else system.clock
        settling = Settling(system.store, system.bus, model.rules, model.titles, clock)
        with errors.status("looking at leads that are due …"):
            return await use_case(settling)


def _warn(time: datetime, *, production: bool) -> None:
    """Tells what a run as of a time to come does; in production it is refused."""
    if production:
        raise fail(
            "In production leads are not moved as of a time to come.",
            hint="To try it, work on a copy: warmlead run … with another WARMLEAD_DATA.",
            code=EXIT_MISUSE,
        )
    errors.print(
        f"[yellow]This moves leads for real, as if it were {time:%Y-%m-%d %H:%M} UTC:[/] stages, "
        "messages and deadlines stay as they come about, and tools are told. The next run as of "
        "the present takes times back to it. To only look: warmlead lead explain WHO --as-of T."
    )


def _in_words(run: Progress) -> str:
    looked = f"{count_of(run.looked_at, 'lead')} due: another score for {run.changed}"
    return f"{looked}, another stage for {run.moved}, {count_of(run.triggers, 'trigger')} sent"
