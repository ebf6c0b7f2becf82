"""``warmlead replay`` and ``warmlead lead respell``: leads made anew from what is kept."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn

from warmlead.application.apply import Scoring
from warmlead.application.replay import Replayed
from warmlead.application.replay import replay as rebuild
from warmlead.application.respell import MisspeltLead, Respelt
from warmlead.application.respell import respell as bring_together
from warmlead.cli.output import (
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    print_json,
    unreadable_ids,
)
from warmlead.domain.errors import ConfigurationError
from warmlead.model.document import with_quotes
from warmlead.model.loading import Model, load, measured_longer, reclassified
from warmlead.runtime import backends
from warmlead.runtime.archive import archive_of, why_no_archive
from warmlead.settings import Settings

CLASSIFIED_BY = "classified-by.yaml"
"""The file beside the data that has the model by which the histories there were classified."""


def needs_replay(new: Model, using: Settings) -> list[str]:
    """The signals that ``new`` takes for other events than the histories that are kept do."""
    try:
        old = _model_before(using)
    except ConfigurationError:  # it was valid for another release
        return [] if using.backend == "gcp" else sorted(new.rules.scoring.signals)
    return reclassified(old, new) if old else []


def kept_too_briefly(new: Model, using: Settings) -> list[str]:
    """What ``new`` measures of events that was not kept yet, or for fewer days."""
    try:
        old = _model_before(using)
    except ConfigurationError:
        return []
    return measured_longer(old, new) if old else []


def _model_before(using: Settings) -> Model | None:
    """The model by which the histories were kept, if it is known.

    Raises ``ConfigurationError`` if it cannot be read: in the cloud there may be none yet, or only
    a compiled one.
    """
    if using.backend == "gcp":
        return backends.load_model(using.model)
    record = _record(using)
    if not record.exists():
        return None
    return load(with_quotes(record.read_text(encoding="utf-8")), name=str(record))


def remember_model(using: Settings) -> None:
    """Notes that the histories kept here are classified by the model in the settings.

    Raises ``ConfigurationError`` if the data folder cannot be written.
    """
    backends.make_data_folder(using)
    record = _record(using)
    fresh = record.with_suffix(f".{os.getpid()}")
    text = backends.model_text(using.model)
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(record)  # whole at any moment: another process may be starting
    except OSError as error:
        problem = f"nothing can be written there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {using.data}", problem) from error


def _record(using: Settings) -> Path:
    return using.data / CLASSIFIED_BY


def replay(as_json: Json = False) -> None:
    """Rebuild every lead from the archive, under the model in use.

    Needed when a model changes which events are a signal (`on` or `when`). Stages, the record of
    moves and sent triggers stay. You may run it beside live traffic, stop it, and run it again. On
    Google's cloud it reads the archive in BigQuery, which charges for each query.

    ```text
    WARMLEAD_MODEL=model.yaml warmlead replay
    ```
    """
    outcome = asyncio.run(_run())
    if as_json:
        print_json(
            {
                "events": outcome.events,
                "unreadable": outcome.unreadable,
                "leads": outcome.leads,
                "moved": outcome.moved,
                "failed": outcome.failed,
                "unreadable_leads": unreadable_ids(outcome.failures),
            }
        )
        end_with_failures(outcome.failed, outcome.failures)
        return
    console.print(
        f"{count_of(outcome.events, 'event')} read again, {count_of(outcome.leads, 'lead')} "
        f"rebuilt, another stage for {outcome.moved}."
    )
    if outcome.unreadable:
        console.print(f"{outcome.unreadable} archived messages could not be read and were skipped.")
    end_with_failures(outcome.failed, outcome.failures)


async def _run() -> Replayed:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    is_seen = errors.is_terminal  # elsewhere the end of the bar would be an empty line
    with Progress(*columns, console=errors, transient=True, disable=not is_seen) as bar:
        task = bar.add_task("reading the archive …")

        def told(events: int) -> None:
            bar.update(task, description=f"{events:,} events read again")

        async with (
            backends.opened() as system,
            archive_of(system) as archive,
            backends.scratch_store() as scratch,
        ):
            if archive is None:
                why = why_no_archive(system.settings)
                raise ConfigurationError.one("There is nothing to replay from:", why)
            model = system.model
            outcome = await rebuild(
                archive=archive,
                scratch=scratch,
                store=system.store,
                bus=system.bus,
                scoring=Scoring(model.rules, system.ids),
                clock=system.clock,
                progress=told,
            )
            if system.settings.backend == "sqlite":
                remember_model(system.settings)
            return outcome


EVERY = 10_000
"""Number of leads between two reports of progress."""

MOST_SHOWN = 50
"""Number of leads that are shown to a person: when the secret is rotated, they are all leads."""

Apply = Annotated[
    bool, typer.Option("--apply", help="Write the changes; without it nothing is written.")
]


def respell(apply: Apply = False, as_json: Json = False) -> None:
    """Put leads under the ids of today, and merge those that meet.

    Needed for data from before addresses had one spelling, and when WARMLEAD_ID_SECRET is rotated
    (`new;former=old`). Without --apply it only shows what it would do. Safe to stop, to run again,
    and to run beside servers.

    ```text
    warmlead lead respell
    warmlead lead respell --apply
    ```
    """
    found: list[MisspeltLead] = []
    done = asyncio.run(_respell(found, is_rehearsal=not apply))
    if as_json:
        print_json(_as_json(found, done, applied=apply))
        return
    for each in found[:MOST_SHOWN]:
        console.print(escape(_line(each)), soft_wrap=True)
    if more := found[MOST_SHOWN:]:
        console.print(f"and {len(more):,} more: --json has all of them.")
    _print_sum(done, applied=apply)


async def _respell(found: list[MisspeltLead], *, is_rehearsal: bool) -> Respelt:
    async with backends.opened() as system:
        return await bring_together(
            store=system.store,
            bus=system.bus,
            scoring=Scoring(system.model.rules, system.ids),
            clock=system.clock,
            is_rehearsal=is_rehearsal,
            found=found.append,
            progress=_tell,
        )


def _tell(seen: int) -> None:
    if seen % EVERY == 0:
        errors.print(f"[dim]{seen:,} leads looked at[/]")


def _line(each: MisspeltLead) -> str:
    values = ", ".join(one.today.value for one in [*each.identifiers, *each.erased])
    if each.erased:
        return (
            f"{each.lead_id}: {values} was erased under today's id. Left as it is: erase it"
            f" too with warmlead lead erase {each.lead_id}, if it is the same person."
        )
    if each.joins:
        return f"{each.lead_id}: {values} is the same person as {', '.join(each.joins)}"
    return f"{each.lead_id}: {values} gets today's id"


def _print_sum(done: Respelt, *, applied: bool) -> None:
    was = "were" if applied else "would be"
    console.print(
        f"{count_of(done.leads, 'lead')} looked at: {done.renamed} {was} put under today's ids,"
        f" {done.joined} {was} joined with them, {done.left} left."
    )
    if done.nobodies:
        console.print(
            f"{count_of(len(done.nobodies), 'lead')} known by nothing that is an identity today,"
            " so several people may share it; nothing new comes to it. Look, and erase it if so:"
        )
        for lead_id in done.nobodies:
            console.print(f"  {lead_id}")
    if done.renamed and not applied:
        console.print("Nothing was written. To do it: [bold]warmlead lead respell --apply[/]")


def _as_json(found: list[MisspeltLead], done: Respelt, *, applied: bool) -> dict[str, object]:
    return {
        "applied": applied,
        "leads": done.leads,
        "renamed": done.renamed,
        "joined": done.joined,
        "left": done.left,
        "nobodies": list(done.nobodies),
        "found": [
            {
                "lead_id": each.lead_id,
                "ids": {one.old_id: one.new_id for one in each.identifiers},
                "joins": list(each.joins),
                "erased": [one.new_id for one in each.erased],
            }
            for each in found
        ],
    }
