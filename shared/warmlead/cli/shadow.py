"""``warmlead model shadow``: the model in force beside the second one, on the same leads."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.cli.learned_forms import as_page, demand_folder, spread, written
from warmlead.cli.output import EXIT_MISUSE, Json, console, count_of, fail, print_json
from warmlead.cli.questions import Page, looking, read_time
from warmlead.domain.rules import Rules
from warmlead.learning.beside import (
    LetPass,
    PassedByOne,
    SeenByBoth,
    ShadowQuestion,
    ShadowReport,
    compared,
)
from warmlead.runtime import backends

NOT_OFFERED = (
    "Sales was never offered the leads that only the second model lets pass, so fewer of them go "
    "on than would otherwise."
)


def shadow(
    *,
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            show_default=False,
            help="Compare who enters this stage; by default the first one of the model.",
        ),
    ] = None,
    outcome: Annotated[
        str, typer.Option(metavar="STAGE", help="What those who enter should reach.")
    ] = "sql",
    within: Annotated[
        str, typer.Option(metavar="TIME", help="In which time they should: 30d, 12h.")
    ] = "30d",
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Compare the model in force with the one in its shadow.

    A second model, named by WARMLEAD_SHADOW_MODEL, sees the same leads for weeks, and nothing is
    sent because of it. Shows how many leads a week each of the two lets pass, whom only one of them
    lets pass and why, and what became of those who entered the stage long enough ago.

    ```text
    warmlead model shadow
    warmlead model shadow --outcome customer --within 90d --page shadow.html
    ```
    """
    demand_folder(page)
    report = asyncio.run(_compared(stage, outcome, within))
    if page is not None:
        written(page, as_page("shadow.html.j2", report, not_offered=NOT_OFFERED))
    if as_json:
        print_json(report)
        return
    _print(report)
    if page is not None:
        console.print(f"The page is {escape(str(page))}.", soft_wrap=True)


async def _compared(stage: str | None, outcome: str, within: str) -> ShadowReport:
    time = read_time("--within", within)
    with looking() as bar:
        task = bar.add_task("looking at leads", total=None)

        def progress(leads: int) -> None:
            bar.update(task, description=f"looking at leads … {leads:,}")

        async with backends.opened() as system:
            rules = system.model.rules
            _demand_second(rules, system.settings.shadow_model)
            chosen = stage or _first_stage(rules)
            for each in (chosen, outcome):
                _demand_stage(each, rules)
            question = ShadowQuestion(stage=chosen, outcome=outcome, within=time)
            return await compared(
                system.store, rules, question, system.clock.now(), progress=progress
            )


def _demand_second(rules: Rules, name: str) -> None:
    """Ends the command if no second model runs."""
    if rules.shadow is not None:
        return
    if name:
        raise fail(f"{name} is the model in force itself.", code=EXIT_MISUSE)
    hint = "Name one: WARMLEAD_SHADOW_MODEL=next.yaml, for the functions as for this command."
    raise fail("No second model runs beside the one in force.", hint=hint, code=EXIT_MISUSE)


def _first_stage(rules: Rules) -> str:
    if not rules.stages:
        raise fail("The model in force has no stage that a lead could enter.", code=EXIT_MISUSE)
    return rules.stages[0].name


def _demand_stage(stage: str, rules: Rules) -> None:
    if stage not in rules.stage_order:
        known = f"The stages are {', '.join(rules.stage_order)}."
        raise fail(f"There is no stage {stage!r}.", hint=known, code=EXIT_MISUSE)


# --- the terminal --------------------------------------------------------------------------


def _print(report: ShadowReport) -> None:
    if not report.leads:
        console.print(
            "Both models have seen no lead yet. A lead is seen at its next event, and all leads "
            "at once by [bold]warmlead model apply[/].",
            soft_wrap=True,
        )
        return
    console.print(
        f"[bold]{count_of(report.leads, 'lead')}[/] seen by both models, the first of them on "
        f"{report.since:%Y-%m-%d}"
        f"{f'; {report.not_seen} not yet' if report.not_seen else ''}."
    )
    console.print(_table(report))
    console.print(
        f"[dim]entered {escape(report.stage)}:[/] both {report.both}, only in force "
        f"{report.only_in_force}, only shadow {report.only_shadow}, neither {report.neither}"
    )
    console.print(f"[dim]{NOT_OFFERED}[/]", soft_wrap=True)
    _print_examples("Only the model in force let pass", report.examples_in_force)
    _print_examples("Only the second model let pass", report.examples_shadow)


def _table(report: ShadowReport) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("")
    for name in (f"in force {report.in_force}", f"shadow {report.shadow}"):
        shown.add_column(name, justify="right")
    sides = (report.by_in_force, report.by_shadow)
    shown.add_row(f"entered {escape(report.stage)}", *(f"{side.leads:,}" for side in sides))
    at_start = any(side.at_start for side in sides)
    if at_start:
        shown.add_row("as soon as both saw them", *(f"{side.at_start:,}" for side in sides))
    weekly = (side.a_week for side in sides)
    words = "a week, all others" if at_start else "a week"
    shown.add_row(words, *("–" if each is None else f"{each:g}" for each in weekly))
    shown.add_row(f"longer than {report.within_days:g} days ago", *(f"{s.ripe:,}" for s in sides))
    shown.add_row(f"of these {escape(report.outcome)}", *map(_won, sides))
    return shown


def _won(side: LetPass) -> str:
    return f"{side.won:,}: {spread(side.precision)}" if side.ripe else "–"


def _print_examples(title: str, examples: Sequence[PassedByOne]) -> None:
    if not examples:
        return
    console.print(f"\n[bold]{title}[/] [dim](the latest)[/]")
    for each in examples:
        console.print(
            f"{each.id}  {each.entered_at:%Y-%m-%d}  {escape(each.because)}", soft_wrap=True
        )
        for label, seen in (("in force", each.in_force), ("shadow", each.shadow)):
            console.print(f"  [dim]{label}[/] {escape(_in_words(seen))}", soft_wrap=True)


def _in_words(seen: SeenByBoth) -> str:
    return f"{seen.score}, {seen.stage}: {'; '.join(seen.reasons) or 'nothing counts'}"
