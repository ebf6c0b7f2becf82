"""Which leads some trails make up: one person each, merged, split or new, as their ties say.

It neither scores them nor moves them between stages.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from warmlead.domain.handoff import merge_offers, parted_offer
from warmlead.domain.history import NO_HISTORY, fold, to_ms
from warmlead.domain.identity import Kind, group_people
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.lifecycle import Progress, merge_progress, most_entered
from warmlead.domain.nurture import merge_enrolments, parted
from warmlead.domain.refusals import with_refusals_shared
from warmlead.domain.rules import Rules


def regroup(
    leads: Sequence[Lead], trails: Mapping[str, Trail], rules: Rules, now: datetime
) -> list[Lead]:
    """The leads that the trails make up: merged, split or new, as their ties say.

    ``leads`` are those from which the trails came. A lead that goes on keeps its progress; one
    into which others merge gets the furthest of theirs, and all of their unsent triggers. One that
    parts from another begins anew, but counts on from there: no trigger may have the id of one
    that was sent under its name before.
    """
    trails = with_refusals_shared(trails)
    person_of = group_people({id_: trail.ties for id_, trail in trails.items()})
    groups: dict[str, dict[str, Trail]] = {}
    for id_, trail in trails.items():
        groups.setdefault(person_of[id_], {})[id_] = trail
    found = []
    for id_, group in groups.items():
        own = [lead for lead in leads if person_of[lead.id] == id_]
        others = [lead for lead in leads if person_of[lead.id] != id_ and id_ in lead.trails]
        lead = _assemble(id_, group, own, rules, now)
        was_told_of = group[id_].identifier.kind is not Kind.ANONYMOUS
        found.append(_counting_on(lead, others[0], now) if others and was_told_of else lead)
    return found


def _counting_on(lead: Lead, parted_from: Lead, now: datetime) -> Lead:
    """The lead with the counters of the one from which its strongest identifier parts."""
    entered = most_entered([lead.progress, parted_from.progress])
    left = {name: parted(each, now) for name, each in parted_from.enrolments.items()}
    offers = [lead.offer, parted_from.offer and parted_offer(parted_from.offer)]
    return replace(
        lead,
        progress=replace(lead.progress, entered=entered),
        enrolments=merge_enrolments([lead.enrolments, left]),
        offer=merge_offers(offer for offer in offers if offer),
    )


def _assemble(
    id_: str, trails: Mapping[str, Trail], sources: Sequence[Lead], rules: Rules, now: datetime
) -> Lead:
    now_ms = to_ms(now)
    before = sources[0].trails if len(sources) == 1 else {}
    folded = {key: _folded(t, now_ms) for key, t in _each_once(trails, before).items()}
    if not sources:
        return Lead(id_, folded, Progress("anonymous", now), now)
    first, *others = sorted(sources, key=lambda lead: lead.id != id_)
    if not others:
        return replace(first, id=id_, trails=folded)
    outbox = {trigger.id: trigger for lead in sources for trigger in lead.outbox}
    return replace(
        first,
        id=id_,
        trails=folded,
        progress=merge_progress(rules.stage_order, [lead.progress for lead in sources]),
        created_at=min(lead.created_at for lead in sources),
        outbox=tuple(outbox.values()),
        enrolments=merge_enrolments([lead.enrolments for lead in sources]),
        offer=merge_offers(lead.offer for lead in sources if lead.offer),
    )


def _folded(trail: Trail, now_ms: int) -> Trail:
    history = fold(trail.history, now_ms)
    return trail if history is trail.history else replace(trail, history=history)


def _each_once(trails: Mapping[str, Trail], before: Mapping[str, Trail]) -> Mapping[str, Trail]:
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
