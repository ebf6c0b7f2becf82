"""``warmlead import``: history from files, as of its own time, and back again."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from warmlead.application.history.living import Living
from warmlead.application.history.running import Imported, begun, take_in
from warmlead.application.history.taking_back import TakenBack, take_back
from warmlead.application.history.taking_in import Importing
from warmlead.application.report import make_again
from warmlead.cli.import_lines import as_json_of, month_tables, outcome_lines, survey_lines
from warmlead.cli.output import (
    EXIT_MISUSE,
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    fail,
    print_json,
)
from warmlead.domain.errors import ConfigurationError
from warmlead.importing.guess import guessed, in_yaml, is_usable
from warmlead.importing.mapping import ImportMapping, read_mapping
from warmlead.importing.reading import ERRORS_SUFFIX, Table, digest_of, open_table
from warmlead.importing.ready import ready_mapping, ready_mappings
from warmlead.importing.spool import Spool
from warmlead.importing.survey import Survey, survey
from warmlead.ports.imports import ImportRecord, ImportStore
from warmlead.runtime import backends
from warmlead.settings import why_unreadable

app = typer.Typer(
    no_args_is_help=True,
    help="""Import history from files, as of its own time.

```text
warmlead import guess leads.csv deals.csv > mapping.yaml
warmlead import run *.csv --mapping mapping.yaml --dry-run
warmlead import run *.csv --mapping mapping.yaml
warmlead import undo demo
```

CSV, JSON lines and Parquet. Nothing is sent, nobody is enrolled, nothing is promised.
""",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet.")]
MappingName = Annotated[
    str | None,
    typer.Option("--mapping", metavar="M", help="A file, or hubspot, salesforce, pipedrive, ga4."),
]
Named = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The import's name; else the mapping's."),
]
Currency = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Of amounts that name none: EUR, USD …"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is written.")]
Yes = Annotated[bool, typer.Option("--yes", help="Import with the guessed mapping.")]
ErrorsIn = Annotated[
    Path | None, typer.Option("--errors", metavar="DIR", help="Where files of errors go.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the import.")]

PATIENCE_S = 60.0
"""Seconds that an update of leads may take: nobody's request waits for it, so it need not fail."""

_SLUG = re.compile(r"[^a-z0-9]+")


@app.command()
def run(
    files: Files,
    *,
    mapping: MappingName = None,
    name: Named = None,
    currency: Currency = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    errors_in: ErrorsIn = None,
    as_json: Json = False,
) -> None:
    """Import files: each row as of its own time, in order over all files.

    Without a mapping one is guessed and shown; --yes uses it. Rows with errors are written to
    FILE.errors.csv: correct them there, and run again with all files. What is known is not counted
    twice. Stop it when you like: run again, it goes on.

    ```text
    warmlead import run *.csv --mapping mapping.yaml --dry-run
    warmlead import run contacts.csv deals.csv --mapping hubspot
    ```
    """
    tables = _tables(files)
    using = backends.settings()
    stages = [each.name for each in backends.load_model(using.model).rules.stages]
    chosen = _chosen(mapping, tables, stages, as_json=as_json)
    if currency is not None:
        chosen = chosen.model_copy(update={"currency": currency})
    chosen.demand_stages([each for each in stages if each != "sql"])
    acts = not dry_run and (mapping is not None or yes)
    asyncio.run(
        _run(
            tables,
            chosen,
            _name_of(name, chosen, tables),
            errors_in,
            acts=acts,
            as_json=as_json,
        )
    )


@app.command()
def guess(files: Files) -> None:
    """Print a guessed mapping, to correct and save.

    It looks at the names of columns, and at the first rows.

    ```text
    warmlead import guess leads.csv deals.csv > mapping.yaml
    ```
    """
    stages = [each.name for each in backends.load_model(backends.settings().model).rules.stages]
    content = guessed(_tables(files), [each for each in stages if each != "sql"])
    typer.echo(in_yaml(content), nl=False)
    if not is_usable(content):
        errors.print("[yellow]Not complete yet:[/] docs/import.md says what a mapping needs.")


@app.command()
def mapping(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="hubspot, salesforce …")],
) -> None:
    """Print the ready mapping for the exports of a tool.

    ```text
    warmlead import mapping hubspot > mapping.yaml
    ```
    """
    typer.echo(ready_mapping(tool), nl=False)


@app.command("list")
def list_imports(as_json: Json = False) -> None:
    """List the imports, and whether each is done.

    ```text
    warmlead import list
    ```
    """
    records = asyncio.run(_records())
    if as_json:
        print_json([as_json_of(each) for each in records])
        return
    for each in records:
        state = f"done {each.ended_at:%Y-%m-%d %H:%M}" if each.ended_at else "stopped: run it again"
        console.print(
            f"[bold]{escape(each.name)}[/]  {count_of(each.persons, 'person')}, "
            f"{count_of(each.events, 'event')}, {count_of(each.moves, 'move')}, "
            f"{count_of(each.spend, 'row')} of spend; {state}",
            soft_wrap=True,
        )
    if not records:
        console.print("Nothing was imported yet. Begin with: warmlead import guess FILE")


@app.command()
def undo(name: Name, as_json: Json = False) -> None:
    """Take an import back as a whole.

    Every lead is as if it had never come. Refusals of mail stay. It looks at every lead. Safe to
    stop and to run again.

    ```text
    warmlead import undo demo
    ```
    """
    taken, spends = asyncio.run(_undo(name))
    if as_json:
        print_json({"leads": taken.leads, "removed": taken.removed, "spend": spends})
        return
    if not taken.leads and not spends:
        console.print(f"Nothing of an import {escape(name)} was found.")
        return
    console.print(
        f"Taken back from {count_of(taken.leads, 'lead')}, {taken.removed} of which are gone with "
        f"it; {count_of(spends, 'row')} of spend deleted."
    )


def _tables(files: Sequence[Path]) -> list[Table]:
    """The tables in some files; raises one ``ConfigurationError`` for all that have none."""
    tables, problems = [], []
    for path in files:
        try:
            tables.append(open_table(path))
        except ConfigurationError as error:
            problems += [f"{error.subject} {each}" for each in error.problems]
    if problems:
        raise ConfigurationError("Not every file can be imported:", problems)
    return tables


def _chosen(
    mapping: str | None, tables: Sequence[Table], stages: Sequence[str], *, as_json: bool
) -> ImportMapping:
    """The mapping that is named, or the guessed one, which is shown."""
    if mapping is not None:
        return read_mapping(_text_of(mapping), name=mapping)
    content = guessed(tables, [each for each in stages if each != "sql"])
    if not as_json:
        console.print("[bold]Guessed mapping[/], from names of columns and first rows:\n")
        console.print(escape(in_yaml(content)), soft_wrap=True)
    if not is_usable(content):
        hint = "warmlead import guess FILE… > mapping.yaml, correct it, and give it as --mapping"
        raise fail("The guess is not complete.", hint=hint, code=EXIT_MISUSE)
    return ImportMapping.model_validate(content)


def _text_of(mapping: str) -> str:
    if mapping in ready_mappings():
        return ready_mapping(mapping)
    try:
        return Path(mapping).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        ready = ", ".join(ready_mappings())
        problem = f"it is none of the ready ones ({ready}); as a file {why_unreadable(error)}"
        raise ConfigurationError.one(f"There is no mapping {mapping}:", problem) from error


def _name_of(name: str | None, mapping: ImportMapping, tables: Sequence[Table]) -> str:
    """The name of the import: the same files have the same one, in whatever order they stand."""
    stems = sorted(
        {each.path.name.removesuffix(ERRORS_SUFFIX).partition(".")[0] for each in tables}
    )
    found = _SLUG.sub("-", (name or mapping.name or "-".join(stems)).lower()).strip("-")[:40]
    return found.strip("-") or "import"


@dataclass(frozen=True, slots=True)
class _Read:
    """The files of an import, read; ``now`` is when it runs."""

    name: str
    now: datetime
    tables: Sequence[Table]
    mapping: ImportMapping
    spool: Spool
    found: Survey


async def _run(
    tables: Sequence[Table],
    mapping: ImportMapping,
    name: str,
    errors_in: Path | None,
    *,
    acts: bool,
    as_json: bool,
) -> None:
    now = backends.SystemClock().now()
    with (
        TemporaryDirectory(prefix="warmlead-import-") as folder,
        Spool(Path(folder, "events.sqlite3")) as spool,
        _bar() as bar,
    ):
        task = bar.add_task("reading rows", total=None)
        found = survey(
            tables,
            mapping,
            spool,
            name=name,
            now=now,
            errors_in=errors_in,
            progress=lambda rows: bar.update(task, completed=rows),
        )
        bar.remove_task(task)
        persons, repeated, done = spool.count, spool.repeated, None
        if not as_json:
            for line in survey_lines(found, name=name, persons=persons, repeated=repeated):
                console.print(line, soft_wrap=True)
            for table in month_tables(found, width=console.width):
                console.print(table)
        if acts:
            done = await _take_in(_Read(name, now, tables, mapping, spool, found), bar)
            for each in found.errors:
                each.write()
    if as_json:
        told = {"name": name, "persons": persons, "repeated": repeated}
        print_json({**told, **as_json_of(found), "imported": as_json_of(done)})
    else:
        for line in outcome_lines(done, found, name):
            console.print(line, soft_wrap=True)
    if done is not None:
        end_with_failures(done.failed, done.failures)


async def _take_in(read: _Read, bar: Progress) -> Imported:
    async with backends.opened(patience_s=PATIENCE_S) as system:
        rules = system.model.rules
        record, goes_on = await _begun(read, system.imports, rules.version)
        task = bar.add_task("importing persons", total=read.spool.count, completed=record.persons)
        living = Living(rules, system.ids)
        done = await take_in(
            read.spool.persons(after=record.placed),
            read.found.spends.values(),
            record,
            Importing(read.name, rules, system.ids, living, read.now),
            store=system.store,
            imports=system.imports,
            progress=lambda done: bar.update(task, completed=record.persons + done),
            goes_on=goes_on,
        )
        await make_again(system.reports, system.clock.now())
        return done


async def _begun(read: _Read, imports: ImportStore, model: str) -> tuple[ImportRecord, bool]:
    """The record of the import, and whether it is that of a run that was stopped."""
    text = f"{read.mapping.model_dump_json()}\n{model}"
    wanted = ImportRecord(
        name=read.name,
        files={each.path.name: digest_of(each.path) for each in read.tables},
        content=hashlib.sha256(text.encode()).hexdigest(),
        began_at=read.now,
        events=read.spool.added - read.spool.repeated,
        spend=len(read.found.spends),
        errors=sum(each.errors for each in read.found.files),
    )
    return begun(wanted, await imports.imports())


async def _records() -> Sequence[ImportRecord]:
    async with backends.opened() as system:
        return await system.imports.imports()


async def _undo(name: str) -> tuple[TakenBack, int]:
    with _bar() as bar:
        task = bar.add_task("looking at leads", total=None)
        async with backends.opened(patience_s=PATIENCE_S) as system:
            taken = await take_back(
                name,
                store=system.store,
                rules=system.model.rules,
                now=system.clock.now(),
                progress=lambda seen: bar.update(task, completed=seen),
            )
            spends = await system.imports.forget(name)
            await make_again(system.reports, system.clock.now())
            return taken, spends


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
