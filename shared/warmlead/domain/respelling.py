"""Trails under ids of identifiers that are spelt in another way today, and where they belong now.

Ids are hashes of identifiers, so a rule of spelling that changes gives some people another id.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from warmlead.domain.consent import together
from warmlead.domain.identity import (
    Identifier,
    Kind,
    LeadIds,
    best_claims,
    normalise_email,
    normalise_id,
    respelt,
)
from warmlead.domain.lead import (
    Lead,
    Touch,
    Trail,
    TraitFact,
    kept_traits,
    latest_notes,
    told_together,
)
from warmlead.domain.recording import union
from warmlead.domain.sales import MAX_STATEMENTS, in_order

T = TypeVar("T")


class Misspelt(NamedTuple):
    """An identifier of a lead that is spelt in another way today, and its id then and now."""

    before: Identifier
    today: Identifier
    old_id: str
    new_id: str


def misspelt(lead: Lead, ids: LeadIds) -> list[Misspelt]:
    """The identifiers of a lead that are spelt in another way today."""
    found = []
    for old_id, trail in sorted(lead.trails.items()):
        today = respelt(trail.identifier)
        if today != trail.identifier:
            found.append(Misspelt(trail.identifier, today, old_id, ids.of(today)))
    return found


def is_nobody(lead: Lead) -> bool:
    """Whether none of a lead's identifiers would be taken as one today: strangers may share it."""
    return not any(map(_is_known, (trail.identifier for trail in lead.trails.values())))


def _is_known(identifier: Identifier) -> bool:
    spell = normalise_email if identifier.kind is Kind.EMAIL else normalise_id
    return spell(identifier.value) is not None


def respelt_leads(leads: Sequence[Lead], moved: Sequence[Misspelt]) -> tuple[Lead, ...]:
    """The leads with the ids of today in all that names one; trails that meet are not joined."""
    ids = {each.old_id: each.new_id for each in moved}
    return tuple(replace(lead, id=ids.get(lead.id, lead.id)) for lead in leads)


def respelt_trails(
    leads: Sequence[Lead], moved: Sequence[Misspelt], known: frozenset[str]
) -> dict[str, Trail]:
    """The trails of leads under the ids of today; those that meet under one are joined.

    ``known`` are the traits that the model knows.
    """
    of_old = {each.old_id: each for each in moved}
    ids = {each.old_id: each.new_id for each in moved}
    after: dict[str, Trail] = {}
    for lead in leads:
        for id_, trail in sorted(lead.trails.items()):
            spelt = _respelt(trail, id_, of_old.get(id_), ids)
            home = ids.get(id_, id_)
            after[home] = joined(after[home], spelt, known) if home in after else spelt
    return after


def _respelt(trail: Trail, id_: str, moved: Misspelt | None, ids: Mapping[str, str]) -> Trail:
    claims = [claim._replace(owner=ids.get(claim.owner, claim.owner)) for claim in trail.claims]
    trail = replace(
        trail,
        links=frozenset(ids.get(link, link) for link in trail.links),
        claims=best_claims(claims),
    )
    if moved is None:
        return trail
    former_ids = trail.former_ids | {id_}
    return replace(trail, identifier=moved.today, former_ids=former_ids)


def joined(one: Trail, other: Trail, known: frozenset[str]) -> Trail:
    """What is known of one identifier that was kept in two trails.

    Of more traits than are kept those that the model knows (``known``) come first.
    """
    both: dict[str, Any] = {
        field.name: _JOINED[field.name](getattr(one, field.name), getattr(other, field.name))
        for field in fields(Trail)
    }
    return Trail(**{**both, "traits": kept_traits(both["traits"], known)})


def _best_facts(
    one: Mapping[str, TraitFact], other: Mapping[str, TraitFact]
) -> dict[str, TraitFact]:
    return {n: max(filter(None, (one.get(n), other.get(n)))) for n in {**one, **other}}


def _earliest(one: Touch | None, other: Touch | None) -> Touch | None:
    return min(filter(None, (one, other)), default=None)


def _latest(one: T | None, other: T | None) -> T | None:
    return max((each for each in (one, other) if each is not None), default=None)  # type: ignore[type-var]  # touches, and numbers


_JOINED: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "identifier": min,
        "links": frozenset.union,
        "claims": lambda *claims: best_claims(claim for some in claims for claim in some),
        "history": union,
        "traits": _best_facts,
        "first_touch": _earliest,
        "last_touch": _latest,
        "statements": lambda *said: {e.key: e for e in in_order(said)[-MAX_STATEMENTS:]},
        "erased_ms": _latest,
        "is_signed": max,
        "former_ids": frozenset.union,
        "consent": lambda *facts: together(facts),
        "told": told_together,
        "direct": max,
        "notes": lambda *notes: latest_notes(note for some in notes for note in some),
    }
)
"""How each field of two trails becomes one. A test sees to it that none is missing."""
