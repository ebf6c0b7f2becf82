"""``warmlead report``: the KPIs of any period, for a terminal, a program or a meeting."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from warmlead.application.report import add_up, score_bands
from warmlead.cli.output import EXIT_MISUSE, console, errors, fail, print_json, unreadable
from warmlead.cli.report_forms import as_csv, as_page, print_tables
from warmlead.domain.errors import UnreadableError
from warmlead.learning.kept_looks import MONTHS, WatchedMonth, table_of, watched_months
from warmlead.learning.watching import last_due, question_of
from warmlead.model.schema import Targets
from warmlead.reporting.periods import ALL, Period, before, read_period, year_before
from warmlead.reporting.sheet import COUNTED, Comparison, Goals
from warmlead.runtime import backends
from warmlead.runtime.runs import reporting_of


class Format(StrEnum):
    """The forms of a report."""

    TERMINAL = "terminal"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


def report(
    period: Annotated[
        str,
        typer.Argument(
            metavar="PERIOD",
            help="2026-11, 2026-W47, 2026-Q4, 2026, last-week, all, A..B …",
        ),
    ] = "last-month",
    form: Annotated[
        Format, typer.Option("--format", help="HTML is one file that can be printed.")
    ] = Format.TERMINAL,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Beside the period before, and the year before."),
    ] = False,
) -> None:
    """Report the KPIs of any period, with cohorts that ripen.

    Without a period it is the last month. Counts when things were so, in UTC. Keeps and publishes
    nothing: `warmlead run report` does.

    ```text
    warmlead report
    warmlead report 2026-Q3 --compare
    warmlead report 2026-01-15..2026-03-31
    warmlead report all --format csv > report.csv
    warmlead report last-month --format html > report.html
    ```
    """
    made, months, now, problems = asyncio.run(_compared(period, compare=compare))
    match form:
        case Format.TERMINAL:
            print_tables(console, made)
        case Format.JSON:
            told = {"report": made.report, "others": made.others, "scores": made.scores}
            print_json({**told, "looks": [each.look for each in months]})
        case Format.CSV:
            sys.stdout.write(as_csv(made))
        case Format.HTML:
            sys.stdout.write(as_page(made, now))
    if problems:
        raise unreadable(UnreadableError(problems))


async def _compared(
    typed: str, *, compare: bool
) -> tuple[Comparison, Sequence[WatchedMonth], datetime, Mapping[str, str]]:
    """The reports, the looks at the model, when they were made, and what cannot be read."""
    async with backends.opened() as system:
        now = system.clock.now()
        period = _period(typed, now)
        problems: dict[str, str] = {}
        reporting = reporting_of(system, lambda error: problems.update(error.problems))
        if period.end > now and period.name != ALL:
            errors.print(f"[yellow]{period.name} is not over: this is what happened so far.[/]")
        others = dict.fromkeys([before(period), year_before(period)] if compare else [])
        made = []
        for one in (period, *filter(None, others)):
            with errors.status(f"adding up {one.name} …"):
                made.append(await add_up(reporting, one, now))
        goals, scores = _goals(system.model.file.targets), await score_bands(reporting)
        months = await _months(system, period, now)
        more = [table_of(months)]
        return Comparison(made[0], made[1:], goals, scores, more), months, now, problems


async def _months(system: backends.System, period: Period, now: datetime) -> list[WatchedMonth]:
    """The months of the period of the last two years in which the model was looked at."""
    rules = system.model.rules
    last = last_due(question_of(rules.probability), now)
    found = await watched_months(system.reports, rules.version, last, 2 * MONTHS)
    return [each for each in found if period.holds(read_period(each.name, now).start)]


def _goals(targets: Targets | None) -> Goals | None:
    """The targets that the model file states."""
    if targets is None:
        return None
    stated: dict[str, int] = targets.model_dump(exclude_none=True)
    return Goals(
        {name: count for name, count in stated.items() if name in COUNTED},
        {name: share for name, share in stated.items() if name not in COUNTED},
    )


def _period(typed: str, now: datetime) -> Period:
    try:
        return read_period(typed, now)
    except ValueError as error:
        said, _, hint = str(error).partition(". ")
        raise fail(f"{said}.", hint=hint, code=EXIT_MISUSE) from None
