"""``warmlead quarantine``: input that could not be counted, and trying it again."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.application.explain import Shape, shaped
from warmlead.application.quarantine import Entry, Release, entries
from warmlead.cli.environment import place_of
from warmlead.cli.output import Json, console, fail, print_json
from warmlead.runtime import backends, functions

app = typer.Typer(
    no_args_is_help=True,
    help="""What could not be counted and why, and how to try it again.

```text
warmlead quarantine list
warmlead quarantine replay
```
""",
)

INSTEAD = (
    "what was set aside waits in a subscription: "
    "gcloud pubsub subscriptions pull quarantine --limit=100 (with --auto-ack it is done with)"
)


MOST_SHOWN = 500
"""Number of entries that a table shows, the latest; a flood may set tens of thousands aside."""


class EntryRow(Shape):
    """One thing set aside. ``number`` is what ``replay`` takes."""

    number: int
    at: str
    reason: str
    message: str
    source: str
    kind: str
    content: str


@app.command("list")
def list_entries(as_json: Json = False) -> None:
    """List what was set aside, the oldest first.

    Each with its number and the reason; what was released is not listed any more. The table shows
    the latest 500.

    ```text
    warmlead quarantine list
    warmlead quarantine list --json | jq -r '.[0].content'
    ```
    """
    rows = [_row(entry) for entry in asyncio.run(_entries())]
    if as_json:
        print_json(rows)
        return
    if not rows:
        place = escape(place_of(backends.settings()))
        console.print(f"Nothing is in quarantine in {place}.", soft_wrap=True)
        console.print("Everything that was accepted there has been counted.")
        return
    table = Table(box=None, header_style="bold")
    for heading in ("number", "at", "reason", "source", "why"):
        table.add_column(heading)
    for row in rows[-MOST_SHOWN:]:
        table.add_row(
            str(row.number), row.at[:19], row.reason, escape(row.source), escape(row.message)
        )
    if earlier := len(rows[:-MOST_SHOWN]):
        console.print(f"{earlier} earlier ones are not shown; --json tells all {len(rows)}.")
    console.print(table)
    console.print("[dim]try again, once the cause is mended: warmlead quarantine replay[/]")


async def _entries() -> list[Entry]:
    async with backends.embedded(instead=INSTEAD) as system:
        return await entries(system.bus)


def _row(entry: Entry) -> EntryRow:
    return shaped(EntryRow, entry, at=entry.at.isoformat())


@app.command()
def replay(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="NUMBER", help="Which ones; all of them if none is given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Try set-aside input again, received now.

    Once its cause is mended, such as the settings of a form. What still fails stays.

    ```text
    warmlead quarantine replay
    warmlead quarantine replay 3 4
    ```
    """
    outcome = asyncio.run(_release(numbers))
    if as_json:
        print_json({"released": outcome[0], "kept": outcome[1]})
        return
    released, kept = outcome
    console.print(f"{released} released to be counted, {kept} still cannot be used.")


def _demand_there(numbers: Sequence[int], there: Sequence[Entry]) -> None:
    """Ends the command, before anything is tried, if one of the numbers is not in quarantine."""
    if missing := sorted(set(numbers) - {entry.number for entry in there}):
        named = ", ".join(map(str, missing))
        hint = "Nothing was tried. To see what there is: warmlead quarantine list"
        raise fail(f"Not in quarantine, or released before: {named}.", hint=hint)


async def _release(numbers: list[int] | None) -> tuple[int, int]:
    async with backends.embedded(instead=INSTEAD) as system:
        there = await entries(system.bus)
        _demand_there(numbers or (), there)
        chosen = [entry for entry in there if not numbers or entry.number in numbers]
        release = Release(
            bus=system.bus,
            subscriptions=system.bus,
            sources=functions.sources(system.settings),
            ids=system.ids,
            clock=system.clock,
        )
        return await release(chosen)
