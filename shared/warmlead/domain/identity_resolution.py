"""Identity resolution: which trails are one person, and which leads they make."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from msgspec import Struct

from warmlead.domain.alerts import merge_alerted
from warmlead.domain.consent import REFUSALS, Cause, ConsentFact, together, with_facts
from warmlead.domain.evaluation import judged_trail
from warmlead.domain.handoff import merge_offers, parted_offer
from warmlead.domain.history import NO_HISTORY, day_of, fold, to_ms
from warmlead.domain.identity import (
    Claim,
    Identifier,
    Kind,
    LeadIds,
    best_claims,
    group_people,
    looks_like_address,
    normalise_email,
    normalise_id,
    respelt,
)
from warmlead.domain.journey import kept_steps
from warmlead.domain.knowledge import known_together
from warmlead.domain.lead import (
    Lead,
    Touch,
    Trail,
    latest_notes,
    told_together,
)
from warmlead.domain.merged_progress import merge_progress, most_entered
from warmlead.domain.mirror import merge_mirrors
from warmlead.domain.nurture import merge_enrolments, parted
from warmlead.domain.readings import joined_readings, kept_readings
from warmlead.domain.recording import union
from warmlead.domain.rules import Rules
from warmlead.domain.sales import in_order, kept_statements
from warmlead.domain.shadow_rules import merged_shadow
from warmlead.domain.stages import Progress
from warmlead.domain.traits import TraitFact, kept_traits
from warmlead.domain.trigger import Trigger
from warmlead.domain.unjudged import joined_unjudged


def with_refusals_shared(trails: Mapping[str, Trail]) -> dict[str, Trail]:
    """The trails, each with the refusals of those that it claims."""
    after = dict(trails)
    if not any(trail.consent and trail.claims for trail in trails.values()):
        return after
    told: dict[str, list[ConsentFact]] = {}
    for id_ in sorted(trails, key=lambda id_: -trails[id_].identifier.kind):  # owners come later
        _hear(after, id_, told.pop(id_, ()))
        refused = _refusals(after[id_])
        for claim in after[id_].claims if refused else ():
            if claim.owner in after:
                heard = told.setdefault(claim.owner, [])
                heard += [as_claimed(fact, claim) for fact in refused]
    for id_, heard in told.items():
        _hear(after, id_, heard)
    return after


def _hear(trails: dict[str, Trail], id_: str, refused: Iterable[ConsentFact]) -> None:
    """Adds refusals to a trail, all at once."""
    trail = trails[id_]
    new = set(refused).difference(trail.consent)
    if new and (consent := with_facts(trail.consent, sorted(new))) != trail.consent:
        trails[id_] = replace(trail, consent=consent)


def still_to_be_told(before: Mapping[str, Trail], after: Mapping[str, Trail]) -> frozenset[str]:
    """The ids of owners outside the trails that have not heard of a refusal in ``after``."""
    owners: set[str] = set()
    for id_, trail in after.items():
        known = before.get(id_) or Trail(trail.identifier)
        refused = _refusals(trail)
        if refused and (refused != _refusals(known) or trail.claims != known.claims):
            owners.update(claim.owner for claim in trail.claims)
    return frozenset(owners - after.keys())


def as_claimed(fact: ConsentFact, claim: Claim) -> ConsentFact:
    """The refusal as it counts for the owner: with no more trust than the claim.

    A public claim of an identifier can do no more to the address than a public unsubscription. A
    complaint of a signed sender becomes such a refusal.
    """
    if not (claim.distrust and fact.rank):
        return fact
    return ConsentFact.of(
        Cause.UNSUBSCRIBED,
        at_ms=fact.at_ms,
        rank=0,
        key=fact.key,
        source=fact.source,
        mailing_list=fact.mailing_list,
        received_ms=fact.received_ms,
    )


def _refusals(trail: Trail) -> list[ConsentFact]:
    return [fact for fact in trail.consent if fact.cause in REFUSALS]


def resolve_identities(
    leads: Sequence[Lead], trails: Mapping[str, Trail], rules: Rules, now: datetime
) -> list[Lead]:
    """The leads that the trails make up: merged, split or new, as their ties say.

    ``leads`` are those from which the trails came. A lead that goes on keeps its progress; one into
    which others merge gets their furthest progress, and all of their unsent triggers. A lead that
    is separated from another starts again, but continues the counts, because no trigger may have
    the id of an earlier one.
    """
    return _assembled(leads, _people(with_refusals_shared(trails)), frozenset(), rules, now)


def resolve_changed(
    leads: Sequence[Lead], trails: Mapping[str, Trail], rules: Rules, now: datetime
) -> list[Lead]:
    """As ``resolve_identities``, but only the leads that change; the others cost little."""
    people = _people(with_refusals_shared(trails))
    unchanged = {lead.id for lead in leads if people.get(lead.id) == lead.trails}
    return _assembled(leads, people, unchanged, rules, now)


def _people(trails: Mapping[str, Trail]) -> dict[str, dict[str, Trail]]:
    """The trails of each person, by the person's id."""
    person_of = group_people({id_: trail.ties for id_, trail in trails.items()})
    people: dict[str, dict[str, Trail]] = {}
    for id_, trail in trails.items():
        people.setdefault(person_of[id_], {})[id_] = trail
    return people


def _assembled(
    leads: Sequence[Lead],
    people: Mapping[str, Mapping[str, Trail]],
    left_out: AbstractSet[str],
    rules: Rules,
    now: datetime,
) -> list[Lead]:
    """The leads of the people, but for those of the ids ``left_out``."""
    person_of = {key: id_ for id_, group in people.items() for key in group}
    outboxes = _outboxes(leads, person_of, left_out)
    found = []
    for id_, group in people.items():
        if id_ in left_out:
            continue
        own = [lead for lead in leads if person_of[lead.id] == id_]
        others = [lead for lead in leads if person_of[lead.id] != id_ and id_ in lead.trails]
        lead = _assemble(id_, group, own, rules, now, outbox=outboxes.get(id_, ()))
        was_told_of = group[id_].identifier.kind is not Kind.ANONYMOUS
        found.append(_counting_on(lead, others[0], now) if others and was_told_of else lead)
    return found


def _outboxes(
    leads: Sequence[Lead], person_of: Mapping[str, str], left_out: AbstractSet[str]
) -> Mapping[str, tuple[Trigger, ...]]:
    """The unsent triggers of each person: a trigger stays with the lead of which it speaks.

    There it is cleared by the process that is sending it, also if the lead was merged into another
    and separated again meanwhile.
    """
    found: dict[str, dict[str, Trigger]] = {}
    for lead in leads:
        held_by = person_of[lead.id]
        if held_by in left_out:
            continue  # it stays as it is, with all that it holds
        for trigger in lead.outbox:
            told_of = person_of.get(trigger.lead_id, held_by)
            holder = held_by if told_of in left_out else told_of
            found.setdefault(holder, {})[trigger.id] = trigger
    return {id_: tuple(triggers.values()) for id_, triggers in found.items()}


def _counting_on(lead: Lead, parted_from: Lead, now: datetime) -> Lead:
    """The lead, with the counters of the lead that its strongest identifier leaves."""
    entered = most_entered([lead.progress, parted_from.progress])
    left = {name: parted(each, now) for name, each in parted_from.enrolments.items()}
    offers = [lead.offer, parted_from.offer and parted_offer(parted_from.offer)]
    return replace(
        lead,
        progress=replace(lead.progress, entered=entered),
        enrolments=merge_enrolments([lead.enrolments, left]),
        offer=merge_offers((offer for offer in offers if offer), lead.progress.stage),
        alerted=merge_alerted([lead.alerted, parted_from.alerted]),
        mirror=merge_mirrors([lead.mirror, parted_from.mirror]),
    )


def _assemble(
    id_: str,
    trails: Mapping[str, Trail],
    sources: Sequence[Lead],
    rules: Rules,
    now: datetime,
    *,
    outbox: tuple[Trigger, ...],
) -> Lead:
    now_ms = to_ms(now)
    before = sources[0].trails if len(sources) == 1 else {}
    kept = {key: folded(t, now_ms, rules) for key, t in each_once(trails, before).items()}
    if not sources:
        return Lead(id_, kept, Progress("anonymous", now), now, outbox=outbox)
    first, *others = sorted(sources, key=lambda lead: lead.id != id_)
    if not others:
        return replace(first, id=id_, trails=kept, outbox=outbox)
    progress = merge_progress(rules.stage_order, [lead.progress for lead in sources])
    return replace(
        first,
        id=id_,
        trails=kept,
        progress=progress,
        created_at=min(lead.created_at for lead in sources),
        outbox=outbox,
        enrolments=merge_enrolments([lead.enrolments for lead in sources]),
        offer=merge_offers((lead.offer for lead in sources if lead.offer), progress.stage),
        alerted=merge_alerted(lead.alerted for lead in sources),
        mirror=merge_mirrors(lead.mirror for lead in sources),
        knowledge=known_together(lead.knowledge for lead in sources),
        shadow=merged_shadow(sources, rules, now),
    )


def folded(trail: Trail, now_ms: int, rules: Rules) -> Trail:
    """The trail as it is kept at a time: older events are counts."""
    history = fold(trail.history, now_ms, rules.kept_days, rules.machines)
    if trail.unjudged:
        trail = judged_trail(trail, rules, history.recent)
    readings = kept_readings(trail.readings, day_of(now_ms), rules.meters)
    if history is trail.history and readings is trail.readings:
        return trail
    return replace(trail, history=history, readings=readings)


def each_once(trails: Mapping[str, Trail], before: Mapping[str, Trail]) -> Mapping[str, Trail]:
    """The trails, with an event that was sent under several identifiers kept in one of them.

    In the trails ``before`` that was so; only what is new since is looked for.
    """
    if len(trails) == 1:
        return trails
    new = {key for id_, trail in trails.items() for key in _new_keys(trail, before.get(id_))}
    holders: dict[str, list[str]] = {}
    for id_, trail in trails.items():
        for key in trail.history.keys_among(new):
            holders.setdefault(key, []).append(id_)
    twice: dict[str, set[str]] = {}
    for key, ids in holders.items():
        copies = [(trails[id_].history.find(key), id_) for id_ in ids] if ids[1:] else []
        for _, id_ in sorted(copies)[1:]:
            twice.setdefault(id_, set()).add(key)
    return {
        id_: replace(trail, history=trail.history.without(twice[id_])) if id_ in twice else trail
        for id_, trail in trails.items()
    }


def _new_keys(trail: Trail, before: Trail | None) -> AbstractSet[str]:
    """The keys of kept events that were not kept before."""
    history, known = trail.history, before.history if before else NO_HISTORY
    keys = history.recent.keys() - known.recent.keys()
    if history.packed is not known.packed:
        keys |= set(history.packed.keys()) - known.recent.keys()
        keys -= set(known.packed.keys())
    return keys


def is_meant(identifier: Identifier, id_: str, lead: Lead | None) -> bool:
    """Whether an identifier means the lead that is found by its id; ``None``: nobody can read it.

    It may be a former spelling of one of the lead's.
    """
    if identifier.kind is Kind.EMAIL or not looks_like_address(identifier.value):
        return True
    if identifier.kind is Kind.ANONYMOUS or lead is None:
        return False
    return any(
        trail.is_signed
        for trail_id, trail in lead.trails.items()
        if id_ == trail_id or id_ in trail.former_ids
    )


T = TypeVar("T")


class Misspelt(Struct, frozen=True):
    """An identifier of a lead that is under another id today, and its id then and now.

    It is spelt in another way today, or ids were made with another secret then.
    """

    before: Identifier
    today: Identifier
    old_id: str
    new_id: str


def misspelt(lead: Lead, ids: LeadIds) -> list[Misspelt]:
    """The identifiers of a lead that are spelt in another way today, or under a former id."""
    found = []
    for old_id, trail in sorted(lead.trails.items()):
        today = respelt(trail.identifier)
        if today != trail.identifier or old_id in ids.former_of(trail.identifier):
            found.append(Misspelt(trail.identifier, today, old_id, ids.of(today)))
    return found


def is_nobody(lead: Lead) -> bool:
    """Whether today none of a lead's identifiers would be accepted: strangers may share them."""
    return not any(map(_is_known, (trail.identifier for trail in lead.trails.values())))


def _is_known(identifier: Identifier) -> bool:
    spell = normalise_email if identifier.kind is Kind.EMAIL else normalise_id
    return spell(identifier.value) is not None


def respelt_leads(leads: Sequence[Lead], moved: Sequence[Misspelt]) -> tuple[Lead, ...]:
    """The leads with today's ids wherever an id stands; trails that meet are not joined."""
    ids = {each.old_id: each.new_id for each in moved}
    return tuple(replace(lead, id=ids.get(lead.id, lead.id)) for lead in leads)


def owners_elsewhere(leads: Sequence[Lead]) -> frozenset[str]:
    """The ids of others who claim identifiers of these leads, and lost."""
    trails = {id_: trail for lead in leads for id_, trail in lead.trails.items()}
    owners = {claim.owner for trail in trails.values() for claim in trail.claims}
    return frozenset(owners - trails.keys())


def owner_id_today(owner: str, lead: Lead, ids: LeadIds) -> str:
    """The id of today of an identifier of a lead, which may have been moved there already."""
    today = {each.old_id: each.new_id for each in misspelt(lead, ids)}
    found = (i for i, trail in lead.trails.items() if owner == i or owner in trail.former_ids)
    held = next(found, owner)
    return today.get(held, held)


def respelt_trails(
    leads: Sequence[Lead],
    moved: Sequence[Misspelt],
    known: frozenset[str],
    elsewhere: Mapping[str, str],
) -> dict[str, Trail]:
    """The trails of leads under the ids of today; those that meet under one are joined.

    ``known`` are the traits that the model knows, ``elsewhere`` the ids of today of owners that
    are identifiers of other leads.
    """
    of_old = {each.old_id: each for each in moved}
    ids = {**elsewhere, **{each.old_id: each.new_id for each in moved}}
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
        "last_landing": _latest,
        "statements": lambda *said: kept_statements({e.key: e for e in in_order(said)}),
        "erased_ms": _latest,
        "is_signed": max,
        "former_ids": frozenset.union,
        "consent": lambda *facts: together(facts),
        "told": told_together,
        "direct": max,
        "notes": lambda *notes: latest_notes(note for some in notes for note in some),
        "steps": lambda *steps: kept_steps(step for some in steps for step in some),
        "readings": joined_readings,
        "unjudged": joined_unjudged,
    }
)
"""How each field of two trails becomes one. A test checks that none is missing."""
