"""``warmlead model backtest``: judges models by what became of past leads."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.cli.learned_charts import aucs, charts, figures
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
from warmlead.learning.backtest import backtest_of
from warmlead.learning.backtest_report import (
    UNKNOWN_PAST,
    BacktestReport,
    ChangedLead,
    JudgedModel,
    ModelChange,
    UnderModel,
)
from warmlead.learning.observing import Observed
from warmlead.model.loading import Model

MOST_MODELS = 10


def backtest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help=f"Model files, names of ready-made models, or {IN_USE}. The first is compared "
            "with each of the others.",
        ),
    ],
    *,
    outcome: Outcome = "customer",
    since: Since = None,
    until: Until = None,
    after: After = "7d",
    within: Within = None,
    trust: Trusted = TrustedLeads.ANY,
    at: Annotated[
        int | None,
        typer.Option(
            metavar="SCORE",
            help="Let pass who has this score; by default who would enter a stage of the model.",
        ),
    ] = None,
    as_if_none: AsIfNone = False,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Judge models by what became of past leads, as known at the time.

    Every lead is scored as it was known some days after it became known, or before it was won.
    What was learnt later is not used. Leads that still have time are left out. Shows how well each
    model tells winners from others, what its bar lets pass, and for whom another model would decide
    otherwise. Changes nothing. Needs 100 leads that are ripe, 30 of them won and 30 not.

    ```text
    warmlead model backtest in-use model.yaml
    warmlead model backtest in-use b2b-saas --outcome sql --within 60d
    warmlead model backtest in-use model.yaml --page backtest.html
    ```
    """
    question = question_of(outcome, since, until, after, within, trust=trust)
    demand_folder(page)
    models = _models(files)

    async def judged(leads: LeadsSeen) -> BacktestReport:
        return await backtest_of(
            leads.system.store,
            leads.system.reports,
            models,
            question,
            now=leads.system.clock.now(),
            bar=at,
            as_if_none=as_if_none,
            observed=leads.observed,
            progress=leads.progress,
        )

    report, observed = asyncio.run(over_leads(question, judged, is_told=not as_json))
    if page is not None:
        written(page, _page(report))
    if as_json:
        print_json(report)
        return
    _print(report, observed)
    if page is not None:
        console.print(f"The page is {escape(str(page))}.", soft_wrap=True)


def _page(report: BacktestReport) -> str:
    return as_page(
        "backtest.html.j2",
        report,
        rows=figures(report.models),
        auc=aucs(report),
        charts=charts(report),
    )


def _models(names: Sequence[str]) -> list[Model]:
    """The models that are named, each once; ends the command if there are too many."""
    if len(names) > MOST_MODELS:
        raise fail(f"At most {MOST_MODELS} models are judged at once.", code=EXIT_MISUSE)
    if len(set(names)) < len(names):
        raise fail("Name each model once.", code=EXIT_MISUSE)
    return [model_named(name) for name in names]


# --- the terminal --------------------------------------------------------------------------


def _print(report: BacktestReport, observed: Observed) -> None:
    rate = per_cent(report.won / report.leads)
    console.print(
        f"[bold]{count_of(report.leads, 'lead')}[/], {report.won} of them ({rate}) reached "
        f"{escape(report.outcome)} within {report.within_days:g} days; they became known in "
        f"{weeks_of(report.weeks)}."
    )
    print_left_out(observed)
    print_unknown(
        {model.name: model.gaps for model in report.models}, report.left_out.get(UNKNOWN_PAST, 0)
    )
    console.print()
    console.print(_table(report.models))
    for model in report.models:
        _print_tenths(model)
    for change in report.changes:
        _print_change(change)
    if not report.changes:
        console.print(
            f"\n[dim]To see for whom a model would decide otherwise, name two: "
            f"warmlead model backtest {IN_USE} FILE[/]"
        )


def _table(models: Sequence[JudgedModel]) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("")
    for model in models:
        shown.add_column(escape(model.name), justify="right", overflow="fold")
    for row in figures(models):
        shown.add_row(row.label, *map(escape, row.cells))
    return shown


def _print_tenths(model: JudgedModel) -> None:
    console.print(f"\n[bold]{escape(model.name)}[/] [dim]by tenths of leads, the best first[/]")
    most = max((tenth.rate for tenth in model.tenths), default=0) or 1
    for tenth in model.tenths:
        bar = "█" * round(30 * tenth.rate / most)
        console.print(
            f"  from {tenth.least_score:>5}  {per_cent(tenth.rate):>6}  {tenth.lift:4.1f} × {bar}"
        )


def _print_change(change: ModelChange) -> None:
    before, after = escape(change.before), escape(change.after)
    for found, words in (
        (change.more, f"pass with {after}, and not with {before}"),
        (change.fewer, f"pass with {before}, and not with {after}"),
    ):
        won = f"{found.won} of them won, {spread(found.rate)}" if found.leads else "nobody"
        console.print(f"\n[bold]{count_of(found.leads, 'lead')}[/] {words}: {won}")
        for lead in found.examples:
            _print_lead(lead)


def _print_lead(lead: ChangedLead) -> None:
    won = "[green]won[/]" if lead.won else "not won"
    who = escape(lead.who) or "(no name)"
    console.print(
        f"  {who}  [dim]{lead.id}[/]  as of {lead.judged_at:%Y-%m-%d}, {won}", soft_wrap=True
    )
    for score in (lead.before, lead.after):
        console.print(f"    {_reasons(score)}", soft_wrap=True)


def _reasons(seen: UnderModel) -> str:
    return escape(f"{seen.score}: {'; '.join(seen.reasons) or 'nothing'}")
