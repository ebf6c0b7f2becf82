"""``warmlead model calibrate``: points learned from outcomes, as a change that a person accepts."""

import asyncio
import difflib
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from warmlead.cli.learned_forms import as_page, demand_folder, per_cent, spread, written
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
    over_leads,
    print_left_out,
    print_unknown,
    question_of,
)
from warmlead.learning.backtest_report import UNKNOWN_PAST
from warmlead.learning.calibrating import Wish, calibrated, usual_limits
from warmlead.learning.calibration_report import (
    CalibrationReport,
    LearnedCondition,
    report_of,
)
from warmlead.learning.gathering import gathered
from warmlead.learning.observations import Question
from warmlead.learning.observing import Observed
from warmlead.learning.weighing import PointLimits
from warmlead.model.loading import Model, ready_names
from warmlead.runtime import backends


class PointStep(StrEnum):
    """How points are written: any whole numbers, or multiples of five."""

    INTEGERS = "integers"
    FIVES = "fives"


class PointLimit(StrEnum):
    """The most points that a condition may be worth, on either side."""

    TWENTY = "20"
    FIFTY = "50"


def calibrate(
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
    points: Annotated[
        PointStep, typer.Option(help="Write whole numbers, or multiples of five.")
    ] = PointStep.INTEGERS,
    limit: Annotated[
        PointLimit | None,
        typer.Option(help="The most points of a condition; by default what is next to yours."),
    ] = None,
    candidates: Annotated[
        bool,
        typer.Option(
            "--candidates/--no-candidates", help="Propose new conditions that the data suggest."
        ),
    ] = True,
    as_if_none: AsIfNone = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print the change of the file alone, as a patch.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="NEW.yaml", help="Write the changed model to a new file.")
    ] = None,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Learn a model's points from what became of past leads.

    Points are learned from older leads, and judged by the newest 30 %. Shows of each condition how
    many leads it held for, how many of them were won, and its points before and after. The change
    keeps your comments and order. The points that stages ask for are changed too, so that as many
    leads as before pass. Puts nothing to use: read the change, and accept it or not. Needs 100
    leads that are ripe, 30 of them won and 30 not; for new conditions 200.

    ```text
    warmlead model calibrate model.yaml
    warmlead model calibrate model.yaml --out new.yaml --page calibration.html
    warmlead model calibrate model.yaml --outcome sql --points fives
    warmlead model calibrate model.yaml --diff > calibration.patch
    ```
    """
    question = question_of(outcome, since, until, after, within, trust=trust)
    model, text = _model(name)
    limits = _limits(model, points, limit)
    demand_folder(page)
    _demand_new(out)

    async def learned(leads: LeadsSeen) -> CalibrationReport:
        now = leads.system.clock.now()
        evidence = await gathered(
            leads.system.store,
            leads.system.reports,
            model,
            question,
            now=now,
            observed=leads.observed,
            as_if_none=as_if_none,
            progress=leads.progress,
        )
        asked = _with_horizon(question, leads.observed)
        made = calibrated(
            text,
            model,
            evidence,
            Wish(limits, candidates=candidates),
            question=asked,
            stated_later=leads.observed.stated_later,
        )
        return report_of(made, model, asked, leads.observed, now)

    report, observed = asyncio.run(over_leads(question, learned, is_told=not (as_json or diff)))
    if page is not None:
        written(page, _page(report, text, name))
    if out is not None:
        _keep(out, report.text)
    if as_json:
        print_json(report)
    elif diff:
        typer.echo("".join(_diff(report, text, name)), nl=False)
    else:
        _print(report, observed)
        _print_diff(_diff(report, text, name))
        _print_next(report, name, out, page)


def _model(name: str) -> tuple[Model, str]:
    """The model that is named, and its text."""
    named = backends.settings().model if name == IN_USE else name
    return backends.load_model(named), backends.model_text(named)


def _limits(model: Model, points: PointStep, limit: PointLimit | None) -> PointLimits:
    step = 5 if points is PointStep.FIVES else 1
    return usual_limits(model, step) if limit is None else PointLimits(int(limit), step)


def _with_horizon(question: Question, observed: Observed) -> Question:
    return structs.replace(question, within=question.within or observed.horizon)


def _keep(path: Path, text: str) -> None:
    """Writes the changed model; never over a file that is there."""
    _demand_new(path)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise fail(f"{path} cannot be written: {why}.", code=EXIT_MISUSE) from error


def _demand_new(path: Path | None) -> None:
    """Ends the command, before it works for minutes, if the file is there or has no folder."""
    if path is None:
        return
    if path.exists():
        hint = "Choose a new name: what is in a file is never overwritten."
        raise fail(f"{path} is there already.", hint=hint, code=EXIT_MISUSE)
    if not path.absolute().parent.is_dir():
        raise fail(f"{path} cannot be written: there is no such folder.", code=EXIT_MISUSE)


def _page(report: CalibrationReport, text: str, name: str) -> str:
    """The page, which can be printed."""
    return as_page("calibrate.html.j2", report, diff=_diff(report, text, name))


def _diff(report: CalibrationReport, text: str, name: str) -> list[str]:
    """The change of the file, line by line."""
    lines = (text.splitlines(keepends=True), report.text.splitlines(keepends=True))
    made = difflib.unified_diff(*lines, *_headers(name))
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made
    ]


def _headers(name: str) -> tuple[str, str]:
    """The names of both sides of the change, by which `patch -p1` and `git apply` find the file.

    They are as seen from here; of a file elsewhere as seen from its folder.
    """
    named = backends.settings().model if name == IN_USE else name
    path = Path(f"{named}.yaml" if named in ready_names() else named).absolute()
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else Path(path.name)
    return f"a/{shown.as_posix()}", f"b/{shown.as_posix()}"


# --- the terminal --------------------------------------------------------------------------


def _print(report: CalibrationReport, observed: Observed) -> None:
    rate = per_cent(report.won / report.leads)
    console.print(
        f"[bold]{count_of(report.leads, 'lead')}[/], {report.won} of them ({rate}) reached "
        f"{escape(report.outcome)} within {report.within_days:g} days. Learned from the older "
        f"{report.older}, judged by the newer {report.newer}.",
        soft_wrap=True,
    )
    print_left_out(observed)
    print_unknown({report.model: report.unknown}, report.left_out.get(UNKNOWN_PAST, 0))
    console.print()
    console.print(_conditions(report.conditions))
    for leak in report.too_much:
        refused = "nothing is learned of it" if leak.is_refused else "look whether that can be"
        console.print(
            f"[yellow]says too much:[/] {escape(leak.name)}: {escape(leak.why)}; {refused}",
            soft_wrap=True,
        )
    console.print()
    console.print(_judged(report))
    _print_bars(report)


_STYLES = {"few": "dim", "uncertain": "dim", "added": "cyan", "against_author": "bold yellow"}


def _conditions(lines: Sequence[LearnedCondition]) -> Table:
    """Each condition; what was too rare to learn from is grey."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("condition", overflow="fold", max_width=34)
    for column in ("leads", "won", "lift", "before", "after"):
        shown.add_column(column, justify="right")
    shown.add_column("likely")
    shown.add_column("", overflow="fold")
    for line in lines:
        style = (
            "dim" if line.is_small else next((_STYLES[m] for m in line.marks if m in _STYLES), "")
        )
        shown.add_row(
            escape(line.name),
            f"{line.leads:,}",
            per_cent(line.rate.value),
            "–" if line.lift is None else f"{line.lift:.1f} ×",
            "new" if line.before is None else f"{line.before:+d}",
            f"{line.after:+d}",
            _range(line),
            "; ".join(line.notes),
            style=style,
        )
    return shown


def _range(line: LearnedCondition) -> str:
    if line.points.low is None or line.points.high is None:
        return ""
    return f"{line.points.low:+.0f} to {line.points.high:+.0f}"


def _judged(report: CalibrationReport) -> Table:
    """What the later leads say, before and after."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column(f"the newest {report.newer:,} leads")
    shown.add_column("before", justify="right")
    shown.add_column("after", justify="right")
    auc = (spread(report.auc_before, shape=".3f"), spread(report.auc_after, shape=".3f"))
    shown.add_row("AUC: winner above another", *auc)
    shown.add_row("gain", "", spread(report.auc_gain, shape="+.3f"))
    if report.bar_before is not None and report.bar_after is not None:
        bars = (report.bar_before, report.bar_after)
        shown.add_row(f"score for {escape(report.stage or '')}", *(f"{bar.bar}" for bar in bars))
        shown.add_row("with that score, a week", *(f"{bar.mqls_a_week:.1f}" for bar in bars))
        shown.add_row("precision: of these won", *(spread(bar.precision) for bar in bars))
        shown.add_row("recall: of winners passed", *(spread(bar.recall) for bar in bars))
    steps = report.steps
    shown.add_row("AUC of exact weights", "", f"{steps.weights:.3f}")
    shown.add_row("  rounded", "", f"{steps.points:.3f}")
    shown.add_row("  with groups and inactivity", "", f"{steps.limited:.3f}")
    shown.add_row("  with the floor", "", f"{steps.scores:.3f}")
    shown.add_row("AUC in five folds, all leads", "", f"{report.folded.points:.3f}")
    return shown


def _print_bars(report: CalibrationReport) -> None:
    """What was done to what conditions ask for, and what is left for a person."""
    for bar in report.bars:
        if bar.before != bar.after:
            console.print(
                f"{escape(bar.path)}: {bar.what} {escape(bar.sign)} {bar.before} becomes "
                f"{bar.after}: {bar.passed:,} leads were above, {bar.passing:,} are.",
                soft_wrap=True,
            )
    for path in report.unread_bars:
        console.print(
            f"[yellow]{escape(path)} asks for points otherwise: look at it yourself.[/]",
            soft_wrap=True,
        )
    for undone in report.undone:
        console.print(f"[yellow]left as it is: {escape(undone)}[/]", soft_wrap=True)


def _print_diff(lines: Sequence[str]) -> None:
    console.print()
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(line.rstrip("\r\n"), style=style), soft_wrap=True)


def _print_next(report: CalibrationReport, name: str, out: Path | None, page: Path | None) -> None:
    console.print()
    if page is not None:
        console.print(f"The page is {escape(str(page))}.", soft_wrap=True)
    if out is None:
        console.print("Nothing is changed. To keep it: --out new.yaml", style="dim")
        return
    console.print(
        f"{escape(str(out))} is the changed model; nothing uses it yet. Before you put it to use:\n"
        f"  warmlead model backtest {escape(name)} {escape(str(out))} --outcome {report.outcome} "
        f"--within {report.within_days:g}d --from {report.newer_from + timedelta(days=1):%Y-%m-%d}",
        soft_wrap=True,
    )
    console.print(
        "From that day on, because the points were learned from the leads before it.", style="dim"
    )
