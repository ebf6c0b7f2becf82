"""Whom WHO means where it matters most: who is exported or erased, and who is left alone."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from warmlead import backends
from warmlead.application.erasure import Look
from warmlead.cli.output import fail
from warmlead.domain.identity import Identifier, Kind, named_by
from warmlead.domain.lead import Lead
from warmlead.domain.meant import is_meant
from warmlead.ports import Loaded, Tombstone, Unreadable

_LEAD_ID = re.compile(r"[a-z2-7]{26}")
_MOST_NAMES = 20
_SAID = {Kind.EMAIL: "an e-mail", Kind.USER: "a user id", Kind.ANONYMOUS: "an anonymous id"}


class Person(NamedTuple):
    """Whom WHO names: the ids asked about, the lead at them, and whether they were erased.

    ``unread`` says what is wrong with a lead at them that cannot be read, by its id. ``others``
    are sentences on leads that bear the text too, and are not meant.
    """

    ids: frozenset[str]
    lead: Lead | None
    erased: bool
    unread: Mapping[str, str] = {}
    others: tuple[str, ...] = ()


def known_as(lead: Lead) -> str:
    """The identifiers of a lead with their kinds, the strongest and the signed ones first."""
    trails = sorted(
        lead.trails.values(), key=lambda t: (t.identifier.kind, not t.is_signed, t.identifier.value)
    )
    known = [f"{t.identifier.kind.name.lower()} {t.identifier.value}" for t in trails]
    more = [f"and {len(known) - _MOST_NAMES} more"] if len(known) > _MOST_NAMES else []
    return ", ".join([*known[:_MOST_NAMES], *more])


async def find(who: str, system: backends.System) -> Person:
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
        return Person(at_it, lead, erased=False, others=others)
    if unread:
        return Person(meant | unread.keys(), None, erased=False, unread=unread, others=others)
    sure = {id_ for id_, identifier in named.items() if _may_be(identifier, id_, None)}
    graves = frozenset(id_ for id_ in sure if isinstance(found[id_], Tombstone))
    free = frozenset(id_ for id_ in sure if found[id_] is None)
    if not graves and not free:
        raise fail(f"{who!r} can be nobody's e-mail.", hint=" ".join(others))
    return Person(graves or free, None, erased=bool(graves), others=others)


def _named(who: str, system: backends.System) -> dict[str, Identifier | None]:
    """The ids that the text may stand for, with what it is there; a lead's id is no identifier."""
    named: dict[str, Identifier | None] = {system.ids.of(each): each for each in named_by(who)}
    if not named:
        raise fail(f"{who!r} can be the name of nobody.")
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
        hint="Say which one by its id; or see: warmlead lead respell",
    )


def _others(
    who: str, named: Mapping[str, Identifier | None], found: Loaded, meant: set[str]
) -> tuple[str, ...]:
    """What is to be said of leads that bear the text too."""
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
