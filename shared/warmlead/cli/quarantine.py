"""``warmlead quarantine``: lists input that could not be counted, and tries it again."""

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
from warmlead.domain.errors import Reason
from warmlead.runtime import backends, functions

app = typer.Typer(
    no_args_is_help=True,
    help="""List input that could not be counted, and try it again.

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
"""How many entries a table shows, the latest; a flood may set tens of thousands aside."""


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
    """List the input in quarantine, the oldest first.

    Each entry has a number and a reason. Released entries are not listed. The table shows the
    latest 500.

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
        console.print(f"{earlier} earlier entries are not shown; --json prints all {len(rows)}.")
    console.print(table)
    console.print("[dim]to see what a post becomes: warmlead source inspect NUMBER[/]")
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
        typer.Argument(
            metavar="NUMBER",
            help="The numbers of the entries to try; by default all but those of spam checks.",
        ),
    ] = None,
    reason: Annotated[
        Reason | None, typer.Option(help="Try all entries of this reason.", show_choices=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Try input in quarantine again, as if it were received now.

    First mend the cause, such as the settings of a form. Entries that still fail stay. Posts that
    did not pass a spam check are released only by their number or reason, and are not checked
    again.

    ```text
    warmlead quarantine replay
    warmlead quarantine replay 3 4
    warmlead quarantine replay --reason captcha_unchecked
    ```
    """
    if numbers and reason:
        raise fail("Give numbers or a reason, not both.")
    released, kept, untried = asyncio.run(_release(numbers, reason))
    if as_json:
        print_json({"released": released, "kept": kept})
        return
    console.print(f"{released} released to be counted, {kept} still fail and stay.")
    if untried:
        console.print(f"{untried} that passed no spam check were not tried: name their numbers.")


def _demand_there(numbers: Sequence[int], there: Sequence[Entry]) -> None:
    """Ends the command, before anything is tried, if one of the numbers is not in quarantine."""
    if missing := sorted(set(numbers) - {entry.number for entry in there}):
        named = ", ".join(map(str, missing))
        hint = "Nothing was tried. To see what there is: warmlead quarantine list"
        raise fail(f"Not in quarantine, or released before: {named}.", hint=hint)


async def _release(numbers: Sequence[int] | None, reason: Reason | None) -> tuple[int, int, int]:
    """How many were released, still fail, and were not tried since they are for a person."""
    async with backends.embedded(instead=INSTEAD) as system:
        there = await entries(system.bus)
        _demand_there(numbers or (), there)
        if numbers or reason:
            chosen = [one for one in there if one.number in (numbers or ()) or one.reason == reason]
            untried = 0
        else:
            chosen = [one for one in there if not one.is_for_a_person]
            untried = len(there) - len(chosen)
        release = Release(
            bus=system.bus,
            subscriptions=system.bus,
            sources=functions.sources(system.settings),
            ids=system.ids,
            clock=system.clock,
        )
        return (*await release(chosen), untried)
