"""``warmlead model``: checks the reviewed file, shows it, applies it to everyone."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from warmlead import backends
from warmlead.application.due import Progress, Settling
from warmlead.application.rescore import rescore
from warmlead.application.shapes import Shape, shaped
from warmlead.cli.another_shell import place_of
from warmlead.cli.classification import needs_replay
from warmlead.cli.findings import print_finding
from warmlead.cli.output import (
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
from warmlead.cli.simulate import simulate_story
from warmlead.configuration import why_unreadable
from warmlead.model.findings import Finding, Severity
from warmlead.model.loading import check, json_schema, load

app = typer.Typer(
    no_args_is_help=True,
    help="""The reviewed file that says what is worth how much.

```text
warmlead model show b2b-saas > model.yaml
warmlead model check model.yaml
warmlead model simulate --model model.yaml
WARMLEAD_MODEL=model.yaml warmlead model apply
```
""",
)
app.command("simulate")(simulate_story)


class FindingRow(Shape):
    """One fault or doubt, where it is, and what may have been meant."""

    severity: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str


class CheckReport(Shape):
    """Everything that was found in a model file."""

    file: str
    version: str | None
    errors: int
    warnings: int
    findings: list[FindingRow]
    needs_replay: list[str]


@app.command("check")
def check_file(
    file: Annotated[Path, typer.Argument(help="The model file.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Find every fault and doubt in a model file.

    Exits with 1 if there is a fault.

    Also names the signals that are other events than when the leads here were counted: once the
    file is the model in the settings, these need `warmlead replay`.

    ```text
    warmlead model show b2b-saas > model.yaml
    warmlead model check model.yaml
    ```
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "A ready-made one to begin with: warmlead model show b2b-saas > model.yaml"
        raise fail(f"{file}: {why_unreadable(error)}.", hint=hint, code=EXIT_WRONG) from error
    report = _report(file, text, check(text))
    if as_json:
        print_json(report)
    else:
        _print(report)
    if report.errors:
        raise typer.Exit(EXIT_WRONG)


def _report(file: Path, text: str, found: list[Finding]) -> CheckReport:
    faults = sum(finding.severity is Severity.ERROR for finding in found)
    version, stale = None, []
    if not faults:
        checked = load(text, name=str(file))
        version = checked.version
        stale = needs_replay(checked, backends.settings())
    rows = [shaped(FindingRow, finding) for finding in found]
    return CheckReport(
        file=str(file),
        version=version,
        errors=faults,
        warnings=len(found) - faults,
        findings=rows,
        needs_replay=stale,
    )


def _print(report: CheckReport) -> None:
    for row in report.findings:
        finding = Finding(**{**row.model_dump(), "severity": Severity(row.severity)})
        print_finding(finding, file=report.file, on=console)
    if report.errors:
        found = f"{count_of(report.errors, 'fault')}, {count_of(report.warnings, 'warning')}"
        console.print(f"{found}: not usable yet.")
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


@app.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A ready-made model, or a file; the one in use if none is given."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a model as it is written.

    Ready-made are b2b-saas, ecommerce and product-led. Copy one, and make it yours:

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
    """Bring every lead up to date under the model in use.

    From what is kept of each: no raw event is read. May run beside `serve`, be stopped, and be
    run again.

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
            f"{count_of(leads, 'lead')} looked at: another score for {done.changed}, "
            f"another stage for {done.moved}."
        )
    end_with_failures(done.failed, done.failures)


async def _apply() -> Progress:
    looked_at = 0
    async with backends.opened() as system:
        with errors.status("applying the model …") as status:

            def told(settled: Progress) -> None:
                nonlocal looked_at
                looked_at += settled.looked_at
                status.update(f"applying the model … {count_of(looked_at, 'lead')}")

            settling = Settling(
                system.store, system.bus, system.model.rules, system.model.titles, system.clock
            )
            return await rescore(settling, progress=told)


@app.command()
def schema() -> None:
    """Print the JSON Schema of model files, for editors.

    ```text
    warmlead model schema > model.schema.json
    ```
    """
    print_json(json_schema())
