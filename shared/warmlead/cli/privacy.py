"""``warmlead lead erase`` and ``export``: what a person may ask of whoever keeps data on them."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from warmlead import backends
from warmlead.application import erase as erasing
from warmlead.application.archived import about
from warmlead.application.export import export as collect
from warmlead.application.exported import Export
from warmlead.cli import elsewhere
from warmlead.cli.another_shell import place_of
from warmlead.cli.lead import Who
from warmlead.cli.output import Json, console, count_of, errors, fail, print_json, unreadable
from warmlead.cli.person import Person, find, known_as
from warmlead.domain.errors import UnreadableError
from warmlead.domain.text import swept
from warmlead.ports import Archive

_PRIVATE = 0o600

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there, for its owner alone."),
]


def erase(who: Who, yes: Yes = False, as_json: Json = False) -> None:
    """Erase all that is kept about one person, for good.

    What happened before can never bring them back, however late it comes; what they do from now
    on makes a new lead. Safe to stop and to run again.

    ```text
    warmlead lead export ada@example.com
    warmlead lead erase ada@example.com
    ```
    """
    person = asyncio.run(_look_up(who))
    _tell_of_others(person)
    if not yes:
        typer.confirm(_question(who, person), abort=True, err=True)
    erased, log_emptied = asyncio.run(_erase(person))
    left = elsewhere.to_erase(erased.buried) if backends.settings().backend == "gcp" else []
    if as_json:
        print_json({**_as_json(erased, left), "log_emptied": log_emptied})
    else:
        _print(who, person, erased)
        for line in left:
            console.print(escape(line), soft_wrap=True)
    if log_emptied is False:
        raise fail(
            "The write-ahead log of the data file may still hold what was erased: another "
            "process reads it all the time.",
            hint="Run this again; or stop the servers, which empties the log.",
        )


def _tell_of_others(person: Person) -> None:
    """Says who else bears the text: they are left alone, as anybody can send such an id."""
    for other in person.others:
        errors.print(f"[yellow]{escape(other)}[/]", soft_wrap=True)


def _question(who: str, person: Person) -> str:
    if person.unread:
        return f"{UnreadableError(person.unread).message}. Erase for good what is kept about {who}?"
    if person.lead is None:
        state = "was erased before" if person.erased else "is not known"
        return f"{who} {state}. Erase what is under way, so that it makes no lead?"
    return f"Erase for good all that is kept about {known_as(person.lead)}?"


async def _erase(person: Person) -> tuple[erasing.Erased, bool | None]:
    """What was erased; and whether the data file's log was emptied, where there is one."""
    async with backends.opened() as system:
        erased = await erasing.erase(
            person.ids,
            store=system.store,
            archive=_archive(system),
            of=system.ids,
            clock=system.clock,
        )
        emptied = None
        if isinstance(system, backends.Embedded):
            emptied = await system.file.empty_log()
        return erased, emptied


def _archive(system: backends.System) -> Archive | None:
    return system.bus if isinstance(system, backends.Embedded) else None


def _print(who: str, person: Person, erased: erasing.Erased) -> None:
    buried = erased.buried
    for lead in buried.leads:
        console.print(f"Erased the lead [bold]{lead.id}[/] with")
        for trail in lead.trails.values():
            console.print(
                f"  {trail.identifier.kind.name.lower()} {escape(trail.identifier.value)}"
            )
        moves = count_of(erased.moves, "recorded move")
        console.print(
            f"  {count_of(lead.kept_events, 'kept event')}, {moves}, "
            f"{count_of(len(lead.outbox), 'unsent trigger')}"
        )
    for lead_id in buried.unreadable:
        console.print(
            f"Erased the lead [bold]{lead_id}[/], which could not be read: its other identifiers "
            "are not known. Run this again with each that you know."
        )
    if not buried.leads and not buried.unreadable:
        was = f"{who} was erased before." if person.erased else f"There was no lead {who}."
        console.print(escape(was))
    archived = ", ".join(f"{number} of {topic}" for topic, number in erased.messages.items())
    if archived:
        console.print(f"Erased messages of the archive: {archived}.")
    console.print(
        f"Nothing that happened before {buried.erased_at:%Y-%m-%d %H:%M:%S} UTC can bring them "
        f"back ({count_of(len(buried.ids), 'tombstone')})."
    )
    if buried.again:
        console.print("Seen again since they were erased, and kept: " + ", ".join(buried.again))


def _as_json(erased: erasing.Erased, left: list[str]) -> Mapping[str, object]:
    buried = erased.buried
    return {
        "erased_at": buried.erased_at.isoformat(),
        "leads": [lead.id for lead in buried.leads],
        "unreadable": list(buried.unreadable),
        "ids": list(buried.ids),
        "again": list(buried.again),
        "events": sum(lead.kept_events for lead in buried.leads),
        "moves": erased.moves,
        "triggers": sum(len(lead.outbox) for lead in buried.leads),
        "archive": dict(erased.messages),
        "left_to_do": left,
    }


def export(who: Who, output: Output = None) -> None:
    """Print all that is kept about one person, as one JSON document.

    ```text
    warmlead lead export ada@example.com --output ada.json
    ```
    """
    exported, person = asyncio.run(_export(who))
    unread = person.unread
    _tell_of_others(person)
    if exported.lead is None and not exported.archive and not unread:
        place = place_of(backends.settings())
        raise fail(
            f"Nothing is kept about {who!r} in {place}.",
            hint="warmlead lead list shows who there is.",
        )
    if person.lead:
        errors.print(f"This is kept about {escape(known_as(person.lead))}.", soft_wrap=True)
    kept = swept(exported.model_dump(mode="json"))
    text = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        try:
            _write_private(output, text)
        except OSError as error:
            raise fail(f"{output} cannot be written: {error.strerror}.") from None
        console.print(f"Written to {escape(str(output))}, readable by its owner alone.")
    if unread:
        raise unreadable(UnreadableError(unread))


def _write_private(path: Path, text: str) -> None:
    """Writes a file that nobody else may read, not even while it is written."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, _PRIVATE), "wb") as file:
        os.fchmod(file.fileno(), _PRIVATE)
        file.truncate()
        file.write(text.encode())


async def _export(who: str) -> tuple[Export, Person]:
    """What is kept of the person, and who that is."""
    async with backends.opened() as system:
        person = await find(who, system)
        lead, archive = person.lead, _archive(system)
        ids = {*person.ids, *(lead.ids if lead else ())}
        exported = collect(
            lead,
            await system.store.transitions(lead.id) if lead else (),
            await about(ids, archive=archive, of=system.ids) if archive else None,
            rules=system.model.rules,
            titles=system.model.titles,
            now=system.clock.now(),
            elsewhere=[] if archive else elsewhere.to_look(sorted(ids)),
        )
        return exported, person


async def _look_up(who: str) -> Person:
    async with backends.opened() as system:
        return await find(who, system)
