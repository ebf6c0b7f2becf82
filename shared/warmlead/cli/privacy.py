"""``warmlead lead erase`` and ``export``: the requests that a person may make."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from warmlead.application.privacy import erase as erasing
from warmlead.application.privacy.erase import Look, about
from warmlead.application.privacy.export import Export
from warmlead.application.privacy.export import export as collect
from warmlead.buses.topology import DAY_S, QUARANTINE, SCORE, UNDELETABLE, dead_letters_of
from warmlead.cli.environment import place_of
from warmlead.cli.lead import Who
from warmlead.cli.output import Json, console, count_of, errors, fail, print_json, unreadable
from warmlead.domain.dispatch import Dispatch
from warmlead.domain.errors import ConfigurationError, UnavailableError, UnreadableError
from warmlead.domain.identity import Identifier, Kind, named_by
from warmlead.domain.identity_resolution import is_meant
from warmlead.domain.lead import Lead
from warmlead.domain.text import swept
from warmlead.ports import Loaded, Tombstone, Unreadable
from warmlead.ports.archiving import Archive
from warmlead.runtime import backends
from warmlead.runtime.archive import archive_of, why_no_archive


def to_erase(no_archive: str = "") -> list[str]:
    """What is left to do in the cloud once the lead has gone, one thing an entry."""
    return ["Left to do, see docs/privacy.md:", *to_look(no_archive)]


def to_look(no_archive: str = "") -> list[str]:
    """Other places of the cloud with data of the person, one per entry."""
    return [
        *([no_archive] if no_archive else ()),
        *_in_subscriptions(),
        "subscriptions, tools and backups of your own",
    ]


def _in_subscriptions() -> list[str]:
    return [
        f"what waits in the subscription {each.name}, for {each.keeps_s // DAY_S} days at most: "
        f"gcloud pubsub subscriptions pull {each.name} --limit=100"
        for each in (QUARANTINE, dead_letters_of(SCORE))
    ]


LOOKING = "looking through the archive …"

_LEAD_ID = re.compile(r"[a-z2-7]{26}")
_MOST_NAMES = 20
_SAID = {Kind.EMAIL: "an e-mail", Kind.USER: "a user id", Kind.ANONYMOUS: "an anonymous id"}


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """The person whom WHO names: the ids, the lead at them, and whether they were erased.

    ``unread`` has the error of an unreadable lead at them, by its id. ``others`` are sentences
    about leads with the same text that are not meant.
    """

    ids: frozenset[str]
    lead: Lead | None
    erased: bool
    unread: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def known_as(lead: Lead) -> str:
    """The identifiers of a lead with their kinds, the strongest and the signed ones first."""
    trails = sorted(
        lead.trails.values(), key=lambda t: (t.identifier.kind, not t.is_signed, t.identifier.value)
    )
    known = [f"{t.identifier.kind.name.lower()} {t.identifier.value}" for t in trails]
    more = [f"and {len(known) - _MOST_NAMES} more"] if len(known) > _MOST_NAMES else []
    return ", ".join([*known[:_MOST_NAMES], *more])


async def find(who: str, system: backends.System) -> NamedPerson:
    """Whom WHO names. Raises ``typer.Exit`` if it names nobody, or several."""
    named = _named(who, system)
    found = await system.store.update(sorted(named), Look())
    meant = _meant(named, found)
    leads = {each.id: each for id_ in meant if isinstance(each := found[id_], Lead)}
    unread = {each.id: each.problem for i in meant if isinstance(each := found[i], Unreadable)}
    if len(leads) > 1:
        raise _several(who, leads)
    others = _others(who, named, found, {*leads, *unread})
    for lead in leads.values():
        at_it = frozenset(id_ for id_ in meant if isinstance(found[id_], Lead))
        return NamedPerson(at_it, lead, erased=False, others=others)
    if unread:
        return NamedPerson(meant | unread.keys(), None, erased=False, unread=unread, others=others)
    sure = {id_ for id_, identifier in named.items() if _may_be(identifier, id_, None)}
    tombstones = frozenset(id_ for id_ in sure if isinstance(found[id_], Tombstone))
    free = frozenset(id_ for id_ in sure if found[id_] is None)
    if not tombstones and not free:
        raise fail(f"{who!r} is not a valid email.", hint=" ".join(others))
    return NamedPerson(tombstones or free, None, erased=bool(tombstones), others=others)


def _named(who: str, system: backends.System) -> dict[str, Identifier | None]:
    """The ids that the text may stand for, with what it is there; a lead's id has no identifier."""
    named: dict[str, Identifier | None] = {
        id_: each
        for each in named_by(who)
        for id_ in (system.ids.of(each), *system.ids.former_of(each))
    }
    if not named:
        raise fail(
            f"{who!r} cannot identify a lead.",
            hint="Give an email, a lead id, a user id or an anonymous id.",
        )
    lead_id = who.strip().lower()
    return named | ({lead_id: None} if _LEAD_ID.fullmatch(lead_id) else {})


def _may_be(identifier: Identifier | None, id_: str, lead: Lead | None) -> bool:
    return identifier is None or is_meant(identifier, id_, lead)


def _meant(named: Mapping[str, Identifier | None], found: Loaded) -> frozenset[str]:
    """The ids by which somebody is meant: those of a lead's id, else of the strongest kind."""
    ranks: dict[str, int] = {}
    for id_, identifier in named.items():
        there = found[id_]
        lead = there if isinstance(there, Lead) else None
        if isinstance(there, Lead | Unreadable) and _may_be(identifier, id_, lead):
            ranks[id_] = -1 if identifier is None else identifier.kind
    strongest = min(ranks.values(), default=0)
    return frozenset(id_ for id_, rank in ranks.items() if rank == strongest)


def _several(who: str, leads: Mapping[str, Lead]) -> Exception:
    both = ", ".join(f"{lead.id} ({lead.email or lead.user_id})" for lead in leads.values())
    return fail(
        f"{who} names several leads: {both}.",
        hint="Give the id of one of them; or see: warmlead lead respell --help",
    )


def _others(
    who: str, named: Mapping[str, Identifier | None], found: Loaded, meant: set[str]
) -> tuple[str, ...]:
    """The sentences about other leads with the same text."""
    told: dict[str, str] = {}
    for id_, identifier in named.items():
        other = found[id_]
        if identifier and isinstance(other, Lead | Unreadable) and other.id not in meant:
            known = known_as(other) if isinstance(other, Lead) else "it cannot be read"
            told.setdefault(
                other.id,
                f"Left alone: the lead {other.id} ({known}), which has {who} as "
                f"{_SAID[identifier.kind]}. Anybody can send that. If you are sure that it is the "
                f"same person, give its id instead.",
            )
    return tuple(told.values())


_PRIVATE = 0o600

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write to this file, which only its owner can read."
    ),
]


def erase(who: Who, yes: Yes = False, as_json: Json = False) -> None:
    """Erase all that is kept about one person, for good.

    Events from before the erasure never bring the person back, however late they arrive. What the
    person does from now on makes a new lead. Safe to stop and to run again.

    ```text
    warmlead lead export ada@example.com
    warmlead lead erase ada@example.com
    ```
    """
    person = asyncio.run(_look_up(who))
    _tell_of_others(person)
    if not yes:
        typer.confirm(_question(who, person), abort=True, err=True)
    erased, left, log_emptied = asyncio.run(_erase(person))
    if as_json:
        print_json({**_as_json(erased, left), "log_emptied": log_emptied})
    else:
        _print(who, person, erased)
        for line in left:
            console.print(escape(line), soft_wrap=True)
    if erased.postponed:
        again_at = max(each.at for each in erased.postponed) + UNDELETABLE
        raise fail(
            f"BigQuery cannot delete {count_of(len(erased.postponed), 'message')} yet: they were "
            "written a short time ago.",
            hint=f"Run this again after {again_at:%Y-%m-%d %H:%M} UTC, or try it sooner.",
        )
    if log_emptied is False:
        raise fail(
            "The write-ahead log of the data file may still hold what was erased: another "
            "process reads it all the time.",
            hint="Run this again; or stop the servers, which empties the log.",
        )


def _tell_of_others(person: NamedPerson) -> None:
    """Names other leads with the same text: they are left alone, as anybody can send such an id."""
    for other in person.others:
        errors.print(f"[yellow]{escape(other)}[/]", soft_wrap=True)


def _question(who: str, person: NamedPerson) -> str:
    if person.unread:
        return f"{UnreadableError(person.unread).message}. Erase for good what is kept about {who}?"
    if person.lead is None:
        state = "was erased before" if person.erased else "is not known"
        return (
            f"{who} {state}. Erase events that are still on their way, so that they make no lead?"
        )
    return f"Erase for good all that is kept about {known_as(person.lead)}?"


async def _erase(person: NamedPerson) -> tuple[erasing.Erased, list[str], bool | None]:
    """What was erased, what is left to do; whether the data file's log was emptied, if any."""
    async with backends.opened() as system, archive_of(system) as archive:
        try:
            with errors.status(LOOKING):
                erased = await erasing.erase(
                    person.ids,
                    store=system.store,
                    archive=archive,
                    dispatches=system.dispatches,
                    of=system.ids,
                    clock=system.clock,
                )
        except (ConfigurationError, UnavailableError):
            errors.print("[yellow]Not all is erased. Run this again once this is mended:[/]")
            raise
        if isinstance(system, backends.Embedded):
            return erased, [], await system.file.empty_log()
        return erased, to_erase("" if archive else why_no_archive(system.settings)), None


def _print(who: str, person: NamedPerson, erased: erasing.Erased) -> None:
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
    if erased.dispatches:
        console.print(f"Erased {count_of(erased.dispatches, 'message')} to tools.")
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
        "postponed": len(erased.postponed),
        "dispatches": erased.dispatches,
        "left_to_do": left,
    }


def export(who: Who, output: Output = None) -> None:
    """Print all that is kept about one person, as one JSON document.

    ```text
    warmlead lead export ada@example.com --output ada.json
    ```
    """
    exported, person, unread_messages = asyncio.run(_export(who))
    unread = person.unread
    _tell_of_others(person)
    if exported.lead is None and not exported.archive and not unread:
        place = place_of(backends.settings())
        raise fail(
            f"Nothing is kept about {who!r} in {place}.",
            hint="To see the leads: warmlead lead list",
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
    if unread_messages:
        raise fail(f"{count_of(unread_messages, 'message')} to tools cannot be read.")


def _write_private(path: Path, text: str) -> None:
    """Writes a file that nobody else may read, not even while it is written."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, _PRIVATE), "wb") as file:
        os.fchmod(file.fileno(), _PRIVATE)
        file.truncate()
        file.write(text.encode())


async def _export(who: str) -> tuple[Export, NamedPerson, int]:
    """What is kept of the person, who that is, and how many messages to tools cannot be read."""
    async with backends.opened() as system, archive_of(system) as archive:
        person = await find(who, system)
        lead = person.lead
        ids = {*person.ids, *(lead.ids if lead else ())}
        dispatches = [each async for each in system.dispatches.of_leads(ids)]
        readable = [each for each in dispatches if isinstance(each, Dispatch)]
        with errors.status(LOOKING):
            found = await about(ids, archive=archive, of=system.ids) if archive else None
        exported = collect(
            lead,
            await system.store.transitions(lead.id) if lead else (),
            found,
            rules=system.model.rules,
            now=system.clock.now(),
            elsewhere=_elsewhere(system, archive),
            dispatches=readable,
            nurtured=await system.store.nurtured(lead.id) if lead else (),
        )
        return exported, person, len(dispatches) - len(readable)


def _elsewhere(system: backends.System, archive: Archive | None) -> list[str]:
    if isinstance(system, backends.Embedded):
        return []
    return to_look("" if archive else why_no_archive(system.settings))


async def _look_up(who: str) -> NamedPerson:
    async with backends.opened() as system:
        return await find(who, system)
