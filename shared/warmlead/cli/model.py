"""``warmlead model``: checks the reviewed file, shows it, simulates it, applies it to everyone."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from warmlead.application.apply import Scoring
from warmlead.application.due import EvaluationContext, RunProgress, rescore
from warmlead.application.explain import Shape, shaped
from warmlead.cli.commands import ModelCommands
from warmlead.cli.environment import place_of
from warmlead.cli.output import (
    EXIT_MISUSE,
    EXIT_WRONG,
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    fail,
    print_json,
    unreadable_ids,
)
from warmlead.cli.rebuild import kept_too_briefly, needs_replay
from warmlead.cli.story import draw
from warmlead.cli.unmatched import unmatched
from warmlead.domain.identity import LeadIds
from warmlead.model.document import Finding, Severity
from warmlead.model.loading import Model, check, json_schema, load
from warmlead.model.plan import Plan
from warmlead.model.wants import is_wanted, wants_of
from warmlead.runtime import backends
from warmlead.settings import why_unreadable
from warmlead.simulation.play import Story, StoryClock, simulate
from warmlead.simulation.ready import GOLDEN_MONTH, ready_stories, ready_story
from warmlead.simulation.report import report_of
from warmlead.simulation.story import (
    MAX_DAYS,
    Script,
    read_story,
)

_SECRET = b"nobody real is in a story"

RESTART = (
    "A server uses the model that it read at its start: if the model has changed, restart it too."
)
"""Printed after a model was applied: an old server takes each lead back to the old model."""


def simulate_story(
    script: Annotated[
        str,
        typer.Argument(
            metavar="SCRIPT", help="A story in YAML or JSON, or the name of a ready-made one."
        ),
    ] = GOLDEN_MONTH,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A model file, or the name of a ready-made model; by default the model in use.",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=MAX_DAYS, help="How many days the story takes in all."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The last day of the story (UTC).")
    ] = None,
    *,
    show: Annotated[
        bool, typer.Option("--show", help="Print the text of the story, and play nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play one lead's story forward, day by day.

    Shows its scores, stages and messages. Warmlead runs the code of production on a temporary
    store, with a clock of its own. It reads your model, and changes none of your data.

    Begin with the story that comes with Warmlead, and then make it yours:

    ```text
    warmlead model simulate
    warmlead model simulate --show > story.yaml
    warmlead model simulate story.yaml --model model.yaml
    ```

    A story states who the lead is, and what happens at which time (UTC):

    ```text
    lead: {email: ada@example.com, traits: {employees: 120}}
    events:
      - {at: day 1 10:00, event: page_viewed, properties: {path: /pricing}}
      - {at: day 2 9:30, event: webinar_attended, times: 2}
      - {at: day 3 16:00, sales: rejected, reason: not_ready}
    ```

    `sales` is `touched`, `accepted`, `rejected`, `opportunity`, `won` or `lost`. Exits with 1 if
    the story has a fault, and prints its line and column.
    """
    text = _text(script)
    if show:
        typer.echo(text, nl=False)
        return
    chosen = backends.load_model(model or backends.settings().model)
    checked = _checked(text, script, chosen)
    ends = _ends(checked, days, until)
    story = asyncio.run(_play(checked, ends, chosen))
    report = report_of(story, chosen.rules, about=checked.about, model=chosen.name)
    if as_json:
        print_json(report)
    else:
        draw(report, console)


def _text(script: str) -> str:
    if script in ready_stories():
        return ready_story(script)
    try:
        return Path(script).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(
            f"{script}: {why_unreadable(error)}.",
            hint=f"To begin with a ready-made story: warmlead model simulate --show > story.yaml; "
            f"ready-made stories: {', '.join(ready_stories())}.",
            code=EXIT_MISUSE,
        ) from error


def _checked(text: str, script: str, model: Model) -> Script:
    """The story in the file; ends the command if it has faults."""
    wants = wants_of(model.plan)
    read = read_story(
        text, known_events=wants.signals, is_wanted=is_wanted(wants, model.rules.classify)
    )
    for found in read.findings:
        _print_finding(found, file=script, on=errors)
    if read.script is None:
        raise typer.Exit(EXIT_WRONG)
    return read.script


_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


def _print_finding(found: Finding, *, file: str, on: Console) -> None:
    """One fault or doubt: where it is, what it is, and what may have been meant."""
    colour = _COLOURS[found.severity]
    where = f"{file}:{found.line}:{found.column}"
    subject = f"{found.path}: " if found.path else ""
    told = escape(subject + found.message)
    on.print(f"[bold]{escape(where)}[/] [{colour}]{found.severity}[/] {told}", soft_wrap=True)
    if found.suggestion:
        on.print(f"    [dim]{escape(found.suggestion)}[/]", soft_wrap=True)


def _ends(script: Script, days: int | None, until: str | None) -> datetime:
    if days is not None and until is not None:
        raise fail("Give --days or --until, not both.", code=EXIT_MISUSE)
    if days is not None:
        return script.begins + timedelta(days=days)
    if until is None:
        return script.ends
    try:
        ends = datetime.combine(date.fromisoformat(until), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        hint = "Write one such as 2026-03-31."
        raise fail(f"{until!r} is not a date.", hint=hint, code=EXIT_MISUSE) from None
    if not script.begins < ends <= script.begins + timedelta(days=MAX_DAYS):
        began = f"The story begins on {script.begins:%Y-%m-%d}, and goes on for {MAX_DAYS} days."
        raise fail(f"{until} is not in the script.", hint=began, code=EXIT_MISUSE)
    return ends


async def _play(script: Script, ends: datetime, model: Model) -> Story:
    clock = StoryClock(script.begins)
    scoring = Scoring(model.rules, LeadIds(_SECRET))
    async with backends.rehearsal(clock) as (store, bus):
        return await simulate(
            script.events, until=ends, store=store, bus=bus, scoring=scoring, clock=clock
        )


app = typer.Typer(
    cls=ModelCommands,
    no_args_is_help=True,
    help="""Check, simulate and apply the model file.

It says what behavior scores, which leads fit, when a lead is an MQL, and what follows.

```text
warmlead model show b2b-saas > model.yaml
warmlead model check model.yaml
warmlead model simulate --model model.yaml
WARMLEAD_MODEL=model.yaml warmlead model apply
```
""",
)
app.command("simulate")(simulate_story)
app.command("unmatched")(unmatched)


class FindingRow(Shape):
    """One fault, doubt or note, where it is, and what may have been meant."""

    severity: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str


class CheckReport(Shape):
    """All findings in a model file."""

    file: str
    version: str | None
    errors: int
    warnings: int
    notes: int
    findings: list[FindingRow]
    needs_replay: list[str]
    kept_too_briefly: list[str]


@app.command("check")
def check_file(
    file: Annotated[
        Path, typer.Argument(help="The model file, or one that was compiled.", metavar="FILE")
    ],
    as_json: Json = False,
) -> None:
    """Find every fault of a model file, and warn of what looks wrong.

    Exits with 1 if there is a fault.

    A fault comes with its line and column, and with what to write instead. Also names signals
    whose events have changed since the leads here were counted. After you put the file to use,
    run `warmlead replay`, so that past events count for them too.

    Of a compiled model (`model.json` of a staged function) it says whether this release can use
    it, and warns when the public holidays that it knows will soon be over.

    ```text
    warmlead model show b2b-saas > model.yaml
    warmlead model check model.yaml
    ```
    """
    if plan := backends.compiled_model(str(file)):
        _show(_report_of_compiled(file, plan), as_json=as_json)
        return
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "To begin with a ready-made model: warmlead model show b2b-saas > model.yaml"
        raise fail(f"{file}: {why_unreadable(error)}.", hint=hint, code=EXIT_MISUSE) from error
    report = _report(file, text, check(text))
    _show(report, as_json=as_json)
    if report.errors:
        raise typer.Exit(EXIT_WRONG)


def _show(report: CheckReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
    else:
        _print(report)


def _report_of_compiled(file: Path, plan: Plan) -> CheckReport:
    """The report on a model that was checked when it was compiled."""
    found = []
    if plan.holidays_run_out(datetime.now(UTC).date()):
        message = f"knows public holidays until {plan.holidays_until} only"
        suggestion = "compile it again: make stage"
        found.append(Finding(Severity.WARNING, 1, 1, "", message, suggestion))
    return CheckReport(
        file=str(file),
        version=plan.version,
        errors=0,
        warnings=len(found),
        notes=0,
        findings=[shaped(FindingRow, finding) for finding in found],
        needs_replay=[],
        kept_too_briefly=[],
    )


def _report(file: Path, text: str, found: list[Finding]) -> CheckReport:
    of = Counter(finding.severity for finding in found)
    faults = of[Severity.ERROR]
    version, stale, brief = None, list[str](), list[str]()
    if not faults:
        checked = load(text, name=str(file))
        version = checked.version
        stale = needs_replay(checked, backends.settings())
        brief = kept_too_briefly(checked, backends.settings())
    rows = [shaped(FindingRow, finding) for finding in found]
    return CheckReport(
        file=str(file),
        version=version,
        errors=faults,
        warnings=of[Severity.WARNING],
        notes=of[Severity.NOTE],
        findings=rows,
        needs_replay=stale,
        kept_too_briefly=brief,
    )


def _print(report: CheckReport) -> None:
    for row in report.findings:
        finding = Finding(**{**row.model_dump(), "severity": Severity(row.severity)})
        _print_finding(finding, file=report.file, on=console)
    if report.errors:
        found = f"{count_of(report.errors, 'fault')}, {count_of(report.warnings, 'warning')}"
        console.print(f"{found}: the model cannot be used.")
        return
    warnings = f", {count_of(report.warnings, 'warning')}" if report.warnings else ""
    console.print(
        f"[green]{escape(report.file)} is valid[/], version {report.version}{warnings}.",
        soft_wrap=True,
    )
    if report.needs_replay:
        names = ", ".join(report.needs_replay)
        settings = backends.settings()
        before = (
            f"The model in the settings ({settings.model}) takes"
            if settings.backend == "gcp"
            else f"The leads in {place_of(settings)} were counted under a model that takes"
        )
        console.print(
            f"{escape(before)} these signals for other events: {escape(names)}.\n"
            f"Once WARMLEAD_MODEL is {escape(report.file)}, run [bold]warmlead replay[/], so that "
            "past events count too.",
            soft_wrap=True,
        )
    if report.kept_too_briefly:
        names = escape(", ".join(report.kept_too_briefly))
        console.print(
            f"This model measures what was not kept yet, or for fewer days: {names}.\n"
            "These are too low at first. Run [bold]warmlead replay[/], or wait so long.",
            soft_wrap=True,
        )


@app.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A ready-made model, or a file; by default the model in use."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the text of a model.

    The ready-made models are b2b-saas, ecommerce and product-led. Copy one, and change it:

    ```text
    warmlead model show b2b-saas > model.yaml
    warmlead model check model.yaml
    export WARMLEAD_MODEL=model.yaml
    ```
    """
    chosen = name or backends.settings().model
    text = backends.model_text(chosen)
    if as_json:
        loaded = load(text, name=chosen)
        print_json({"name": chosen, "version": loaded.version, "text": text})
        return
    typer.echo(text, nl=False)


@app.command()
def apply(as_json: Json = False) -> None:
    """Re-evaluate every lead under the model in use.

    Uses the kept history of each lead, and reads no raw events. You may run it beside `serve`,
    stop it, and run it again. A server uses the model that it read at its start: restart or
    deploy it first.

    ```text
    WARMLEAD_MODEL=model.yaml warmlead model apply
    ```
    """
    done = asyncio.run(_apply())
    leads = done.looked_at - done.failed
    counts = {"leads": leads, "changed": done.changed, "moved": done.moved}
    if as_json:
        print_json({**counts, "failed": done.failed, "unreadable": unreadable_ids(done.failures)})
    else:
        console.print(
            f"{count_of(leads, 'lead')} re-evaluated: the score changed for {done.changed}, "
            f"the stage for {done.moved}."
        )
        _print_unknown_past()
        console.print(RESTART, style="dim")
    end_with_failures(done.failed, done.failures)


def _print_unknown_past() -> None:
    """Says which counts are incomplete under the model in use, because leads lack older events."""
    model, settings = backends.model(), backends.settings()
    lacking = [*needs_replay(model, settings), *kept_too_briefly(model, settings)]
    if lacking:
        names = escape(", ".join(lacking))
        console.print(
            f"Events from before this model are not counted in full for {names}: run "
            "[bold]warmlead replay[/].",
            soft_wrap=True,
        )


async def _apply() -> RunProgress:
    looked_at = 0
    async with backends.opened() as system:
        with errors.status("applying the model …") as status:

            def told(run: RunProgress) -> None:
                nonlocal looked_at
                looked_at += run.looked_at
                status.update(f"applying the model … {count_of(looked_at, 'lead')}")

            context = EvaluationContext(system.store, system.bus, system.model.rules, system.clock)
            return await rescore(context, progress=told)


@app.command()
def schema() -> None:
    """Print the JSON Schema of model files, for editors.

    ```text
    warmlead model schema > model.schema.json
    ```
    """
    print_json(json_schema())
