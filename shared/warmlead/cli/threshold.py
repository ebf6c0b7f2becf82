"""``warmlead model threshold``: where the bar of a model could be, and what that brings."""

import asyncio
import re
from collections.abc import Sequence
from math import isfinite
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.cli.learned_charts import drawing
from warmlead.cli.learned_forms import as_page, demand_folder, per_cent, spread, weeks_of, written
from warmlead.cli.output import EXIT_MISUSE, Json, console, count_of, fail, print_json
from warmlead.cli.questions import (
    IN_USE,
    After,
    AsIfNone,
    LeadsSeen,
    Outcome,
    Page,
    Since,
    Trusted,
    TrustedLeads,
    Until,
    Within,
    model_named,
    over_leads,
    print_left_out,
    print_unknown,
    question_of,
)
from warmlead.learning.backtest_report import UNKNOWN_PAST
from warmlead.learning.bar_report import BarReport, BarView, CurveStep
from warmlead.learning.bar_views import Wanted, bar_views
from warmlead.learning.observing import Observed

_A_WEEK = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(?:/week)?")
_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%")

_WIDTH = 30
"""How many characters the longest bar of the curve has in the terminal."""

_ROWS = 15
"""How many steps of the curve the terminal shows."""

_PAGE_ROWS = 25
"""The same of the page."""


def threshold(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A model file, the name of a ready-made model, or in-use."
        ),
    ] = IN_USE,
    *,
    outcome: Outcome = "customer",
    since: Since = None,
    until: Until = None,
    after: After = "7d",
    within: Within = None,
    trust: Trusted = TrustedLeads.ANY,
    capacity: Annotated[
        str | None,
        typer.Option(metavar="N/week", help="How many MQLs sales can call in a week: 50/week."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="RATE", help="The share of MQLs that should be won: 30%."),
    ] = None,
    contact_cost: Annotated[
        float | None,
        typer.Option(metavar="COST", min=0, help="What it costs to work on one MQL."),
    ] = None,
    deal_value: Annotated[
        float | None,
        typer.Option(metavar="VALUE", min=0, help="What one that is won is worth."),
    ] = None,
    as_if_none: AsIfNone = False,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Show where the bar of a model could be, and what that brings.

    The bar is the score that the first stage asks for (`score >= 50`). What else its condition
    asks stays as it is. Shows what each bar would have let pass, as known at the time, and the bar
    that fits what sales can call, the rate that you want, or what contacts cost and deals are
    worth. Changes nothing.

    ```text
    warmlead model threshold --capacity 50/week
    warmlead model threshold model.yaml --outcome sql --target 30%
    warmlead model threshold --contact-cost 20 --deal-value 4000 --page bar.html
    ```
    """
    question = question_of(outcome, since, until, after, within, trust=trust)
    demand_folder(page)
    wanted = _wanted(capacity, target, contact_cost, deal_value)
    model = model_named(name)

    async def viewed(leads: LeadsSeen) -> BarReport:
        return await bar_views(
            leads.system.store,
            leads.system.reports,
            model,
            question,
            wanted,
            now=leads.system.clock.now(),
            as_if_none=as_if_none,
            observed=leads.observed,
            progress=leads.progress,
        )

    report, observed = asyncio.run(over_leads(question, viewed, is_told=not as_json))
    if page is not None:
        written(page, _page(report))
    if as_json:
        print_json(report)
        return
    _print(report, observed)
    if page is not None:
        console.print(f"The page is {escape(str(page))}.", soft_wrap=True)


def _page(report: BarReport) -> str:
    steps = _some(report.curve, _PAGE_ROWS)
    return as_page("threshold.html.j2", report, drawn=drawing(report), steps=steps)


def _some(steps: Sequence[CurveStep], most: int) -> list[CurveStep]:
    """Steps at equal distances, the first and the last among them."""
    every = max(1, -(-(len(steps) - 1) // (most - 1)))
    return [*steps[:-1:every], steps[-1]]


def _wanted(
    capacity: str | None, target: str | None, cost: float | None, value: float | None
) -> Wanted:
    """What was typed; ends the command if it cannot be understood."""
    if (cost is None) is not (value is None):
        raise fail("--contact-cost and --deal-value belong together.", code=EXIT_MISUSE)
    if not all(map(isfinite, (cost or 0, value or 0))):
        raise fail("--contact-cost and --deal-value are numbers.", code=EXIT_MISUSE)
    a_week, rate = _number(_A_WEEK, capacity), _number(_PER_CENT, target)
    if capacity is not None and not a_week:
        hint = "Write one such as 50/week."
        raise fail(f"--capacity: {capacity!r} is not a number.", hint=hint, code=EXIT_MISUSE)
    if target is not None and not (rate and rate <= 100):  # noqa: PLR2004  # per cent
        hint = "Write one such as 30%."
        raise fail(f"--target: {target!r} is not a rate.", hint=hint, code=EXIT_MISUSE)
    return Wanted(
        mqls_a_week=a_week,
        rate=None if rate is None else rate / 100,
        contact_cost=cost,
        deal_value=value,
    )


def _number(shape: re.Pattern[str], typed: str | None) -> float | None:
    found = shape.fullmatch(typed or "")
    return float(found[1]) if found else None


# --- the terminal --------------------------------------------------------------------------


def _print(report: BarReport, observed: Observed) -> None:
    console.print(
        f"[bold]{escape(report.model)}[/]: {count_of(report.leads, 'lead')}, {report.won} of them "
        f"({per_cent(report.won / report.leads)}) reached {escape(report.outcome)} within "
        f"{report.within_days:g} days; they became known in {weeks_of(report.weeks)}."
    )
    print_left_out(observed)
    print_unknown({report.model: report.gaps}, report.left_out.get(UNKNOWN_PAST, 0))
    if report.stage:
        console.print(
            f"[dim]Of the stage {escape(report.stage)}: {report.always:,} pass by a signal, "
            f"whatever the bar is; {report.never:,} lack something else that "
            "it asks, or would leave at once.[/]"
        )
    else:
        console.print("[dim]No stage asks for a score: the score alone decides here.[/]")
    console.print()
    if report.views:
        console.print(_views(report))
        for view in report.views:
            console.print(f"[dim]{view.view}: {escape(view.why)}[/]")
        console.print()
    _print_curve(report)


def _views(report: BarReport) -> Table:
    """The views as columns, so that their figures stand below each other."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    shown.add_column("")
    for view in report.views:
        shown.add_column(view.view, justify="right", overflow="fold")
    worth = [f"{view.value_a_week:,.0f}" if view.value_a_week else "" for view in report.views]
    rows = {
        "asked": [view.asked for view in report.views],
        "bar": ["–" if view.bar is None else str(view.bar) for view in report.views],
        "likely": [_range(view) for view in report.views],
        "MQLs a week": [f"{view.mqls_a_week:.1f}" for view in report.views],
        "precision: of these won": [spread(view.precision) for view in report.views],
        "recall: of winners passed": [spread(view.recall) for view in report.views],
        **({"worth a week": worth} if any(worth) else {}),
    }
    for label, cells in rows.items():
        shown.add_row(f"[dim]{label}[/]", *map(escape, cells))
    return shown


def _range(view: BarView) -> str:
    return "" if view.range is None else f"{view.range.low}–{view.range.high}"


def _print_curve(report: BarReport) -> None:
    """Some steps of the curve, each with its rate as a bar."""
    steps = _some(report.curve, _ROWS)
    most = max(step.precision.value or 0 for step in steps) or 1
    bars = {view.bar: view.view for view in reversed(report.views)}
    console.print("[dim]  bar  MQLs a week  precision[/]")
    for step in steps:
        rate = step.precision.value or 0
        drawn = "█" * round(_WIDTH * rate / most)
        mark = f"  ← {bars[step.bar]}" if step.bar in bars else ""
        console.print(
            f"{step.bar:>5}  {step.mqls_a_week:>11.1f}  {per_cent(rate):>6} {drawn}{mark}"
        )
