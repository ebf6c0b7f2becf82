"""``warmlead quarantine``: input that could not be counted, and trying it again."""

import asyncio
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.markup import escape
from rich.table import Table

from warmlead import backends, wiring
from warmlead.application.quarantine import Entry, Release, entries
from warmlead.cli.output import Json, console, print_json

app = typer.Typer(
    no_args_is_help=True,
    help="What could not be counted and why, and how to try it again.",
)

INSTEAD = (
    "what was set aside waits in a subscription: "
    "gcloud pubsub subscriptions pull quarantine --limit=100 (with --auto-ack it is done with)"
)


class EntryRow(BaseModel):
    """One thing set aside. ``number`` is what ``replay`` takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    at: str
    reason: str
    message: str
    source: str
    kind: str
    content: str


@app.command("list")
def list_entries(as_json: Json = False) -> None:
    """List what was set aside and is not yet released, the oldest first."""
    rows = [_row(entry) for entry in asyncio.run(_entries())]
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print("Quarantine is empty: everything that was accepted has been counted.")
        return
    table = Table(box=None, header_style="bold")
    for heading in ("number", "at", "reason", "source", "why"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            str(row.number), row.at[:19], row.reason, escape(row.source), escape(row.message)
        )
    console.print(table)
    console.print("[dim]try again, once the cause is mended: warmlead quarantine replay[/]")


async def _entries() -> list[Entry]:
    async with backends.embedded(instead=INSTEAD) as system:
        return await entries(system.bus)


def _row(entry: Entry) -> EntryRow:
    return EntryRow(
        number=entry.number,
        at=entry.at.isoformat(),
        reason=entry.reason,
        message=entry.message,
        source=entry.source,
        kind=entry.kind,
        content=entry.content,
    )


@app.command()
def replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Which ones; all of them if none is given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Try set-aside input again, received now. What still fails stays."""
    outcome = asyncio.run(_release(numbers))
    if as_json:
        print_json({"released": outcome[0], "kept": outcome[1]})
        return
    released, kept = outcome
    console.print(f"{released} released to be counted, {kept} still cannot be used.")


async def _release(numbers: list[int] | None) -> tuple[int, int]:
    async with backends.embedded(instead=INSTEAD) as system:
        chosen = [
            entry for entry in await entries(system.bus) if not numbers or entry.number in numbers
        ]
        release = Release(
            bus=system.bus,
            subscriptions=system.bus,
            sources=wiring.sources(system.settings),
            ids=system.ids,
            clock=system.clock,
        )
        return await release(chosen)
