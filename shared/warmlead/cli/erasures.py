"""``warmlead lead erased`` and ``erase-again``: erasures that a restored store must not forget."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from warmlead.application.privacy import erase_again as again
from warmlead.cli.output import (
    EXIT_WRONG,
    Json,
    console,
    count_of,
    fail,
    moment,
    print_json,
    print_json_line,
)
from warmlead.ports import Tombstone
from warmlead.runtime import backends

Since = Annotated[
    str | None, typer.Option(metavar="T", help="Only those from this date or time on.")
]
Listed = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `erased` printed.")
]

MAX_LINE_BYTES = 100_000
"""The longest line that is read: a person with a thousand identifiers has some 30 KB."""

MOST_FAULTS = 10
"""Number of lines whose fault is printed."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    erased_at: Annotated[datetime, msgspec.Meta(tz=True)]
    ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^[a-z2-7]{26}$")], ...],
        msgspec.Meta(min_length=1),
    ]


def erased(since: Since = None) -> None:
    """List the erasures, for a store that forgot them.

    A line of JSON each: when, and the ids (keyed hashes), without any name. After a restore,
    list those of the store before, and erase them again in the restored one.

    ```text
    warmlead lead erased --since 2026-11-29 > erased.jsonl
    ```
    """
    asyncio.run(_list(moment(since)))


async def _list(since: datetime | None) -> None:
    async with backends.opened() as system:
        async for erasure in again.known_erasures(system.store, since=since):
            at = erasure.erased_at.isoformat()
            print_json_line({"erased_at": at, "ids": list(erasure.ids)})


def erase_again(listed: Listed, as_json: Json = False) -> None:
    """Erase whom a restored store forgot to have erased.

    Run it before the restored store gets events: leads that are there now are taken for leads
    from before the erasure. Whom the store knows as erased is left alone. Safe to run again.

    ```text
    warmlead lead erase-again erased.jsonl
    ```
    """
    erasures: list[Tombstone] = []
    faults: list[str] = []
    for number, read in enumerate(_lines(listed), 1):
        if isinstance(read, Tombstone):
            erasures.append(read)
        else:
            faults.append(f"line {number}: {read}")
    count = asyncio.run(_erase_again(erasures))
    if as_json:
        print_json({"erasures": len(erasures), "erased_again": count, "faults": faults})
    else:
        known = len(erasures) - count
        console.print(f"{count_of(count, 'erasure')} made again; {known} known already.")
    if faults:
        shown = "\n".join(faults[:MOST_FAULTS])
        raise fail(
            f"{count_of(len(faults), 'line')} of {listed} cannot be read:\n{shown}",
            hint="The others are done. To make the file anew: warmlead lead erased",
            code=EXIT_WRONG,
        )


def _lines(path: Path) -> Iterator[Tombstone | str]:
    """The erasure of each line, or what is wrong with it."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            if len(line) == MAX_LINE_BYTES:
                yield f"is longer than {MAX_LINE_BYTES} bytes"
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
                continue
            try:
                read = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                yield str(error)
            else:
                yield Tombstone(read.erased_at, read.ids)


async def _erase_again(erasures: list[Tombstone]) -> int:
    count = 0
    async with backends.opened() as system:
        archive = system.bus if isinstance(system, backends.Embedded) else None
        for erasure in erasures:
            count += await again.erase_again(
                erasure,
                store=system.store,
                archive=archive,
                dispatches=system.dispatches,
                of=system.ids,
            )
    return count
