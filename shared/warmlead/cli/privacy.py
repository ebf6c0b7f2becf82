"""``warmlead lead erase`` and ``export``: what a person may ask of whoever keeps data on them."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from warmlead import backends
from warmlead.application import erase as erasing
from warmlead.application.archived import about
from warmlead.application.erasure import Look
from warmlead.application.export import export as collect
from warmlead.application.exported import Export
from warmlead.cli import elsewhere
from warmlead.cli.lead import Who
from warmlead.cli.output import Json, console, count_of, fail, print_json, unreadable
from warmlead.domain.errors import UnreadableError
from warmlead.domain.identity import named_by
from warmlead.domain.lead import Lead
from warmlead.domain.text import swept
from warmlead.ports import Archive, Tombstone, Unreadable

_LEAD_ID = re.compile(r"[a-z2-7]{26}")
_PRIVATE = 0o600

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there, for its owner alone."),
]


class _Person(NamedTuple):
    """Whom WHO names: the ids asked about, the lead at them, and whether they were erased.

    ``unread`` says what is wrong with a lead at them that cannot be read, by its id.
    """

    ids: frozenset[str]
    lead: Lead | None
    erased: bool
    unread: Mapping[str, str] = {}


def erase(who: Who, yes: Yes = False, as_json: Json = False) -> None:
    """Erase all that is kept about one person, for good.

    What happened before can never bring them back, however late it comes; what they do from now
    on makes a new lead. Safe to stop and to run again.
    """
    person = asyncio.run(_look_up(who))
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


def _question(who: str, person: _Person) -> str:
    if person.unread:
        return f"{UnreadableError(person.unread).message}. Erase for good what is kept about {who}?"
    if person.lead is None:
        state = "was erased before" if person.erased else "is not known"
        return f"{who} {state}. Erase what is under way, so that it makes no lead?"
    known = ", ".join({trail.identifier.value: None for trail in person.lead.trails.values()})
    return f"Erase for good all that is kept about {known}?"


async def _erase(person: _Person) -> tuple[erasing.Erased, bool | None]:
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


def _print(who: str, person: _Person, erased: erasing.Erased) -> None:
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
    """Print all that is kept about one person, as one JSON document."""
    exported, unread = asyncio.run(_export(who))
    if exported.lead is None and not exported.archive and not unread:
        raise fail(f"Nothing is kept about {who!r}.", hint="warmlead lead list shows who there is.")
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


async def _export(who: str) -> tuple[Export, Mapping[str, str]]:
    """What is kept of the person, and what is wrong with a lead that cannot be read."""
    async with backends.opened() as system:
        person = await _find(who, system)
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
        return exported, person.unread


async def _look_up(who: str) -> _Person:
    async with backends.opened() as system:
        return await _find(who, system)


async def _find(who: str, system: backends.System) -> _Person:
    """Whom WHO names. Raises ``typer.Exit`` if it names nobody, or several."""
    named = _ids_of(who, system)
    found = await system.store.update(sorted(named), Look())
    unread = {each.id: each.problem for each in found.values() if isinstance(each, Unreadable)}
    leads = {each.id: each for each in found.values() if isinstance(each, Lead)}
    if len(leads) > 1:
        both = ", ".join(f"{lead.id} ({lead.email or lead.user_id})" for lead in leads.values())
        raise fail(
            f"{who} names several leads: {both}.",
            hint="Say which one by its id; or see: warmlead lead respell",
        )
    for lead in leads.values():
        at_it = frozenset(id_ for id_, each in found.items() if isinstance(each, Lead))
        return _Person(at_it, lead, erased=False)
    if unread:
        at_it = frozenset(id_ for id_, each in found.items() if isinstance(each, Unreadable))
        return _Person(at_it | unread.keys(), None, erased=False, unread=unread)
    graves = frozenset(id_ for id_, each in found.items() if isinstance(each, Tombstone))
    return _Person(graves or frozenset(named), None, erased=bool(graves))


def _ids_of(who: str, system: backends.System) -> set[str]:
    """The ids that the text may stand for, normalised as events are."""
    named = named_by(who)
    if not named:
        raise fail(f"{who!r} can be the name of nobody.")
    ids = {system.ids.of(identifier) for identifier in named}
    lead_id = who.strip().lower()
    return ids | {lead_id} if _LEAD_ID.fullmatch(lead_id) else ids
