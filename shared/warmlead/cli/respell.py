"""``warmlead lead respell``: brings together leads whose identifiers are spelt in one way today."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from warmlead import backends
from warmlead.application.apply import Scoring
from warmlead.application.respell import MisspeltLead, Respelt
from warmlead.application.respell import respell as bring_together
from warmlead.cli.output import Json, console, count_of, errors, print_json

EVERY = 10_000
"""After so many leads the progress is told."""

Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without this, nothing is written.")]


def respell(apply: Apply = False, as_json: Json = False) -> None:
    """Bring together leads kept apart by spellings of one address.

    For data that was kept before addresses had one spelling, once. Look first, then run it with
    --apply. Safe to stop and to run again, and beside running servers.

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
    for each in found:
        console.print(escape(_line(each)), soft_wrap=True)
    _print_sum(done, applied=apply)


async def _respell(found: list[MisspeltLead], *, is_rehearsal: bool) -> Respelt:
    async with backends.opened() as system:
        return await bring_together(
            store=system.store,
            bus=system.bus,
            scoring=Scoring(system.model.rules, system.model.titles, system.ids),
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
            f"{each.lead_id}: {values} was erased in today's spelling. Left as it is: erase it"
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
