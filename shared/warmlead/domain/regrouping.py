"""Which leads some trails make up: one person each, merged, split or new, as their ties say.

Refuses to score them, and to move them between stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from warmlead.domain.handoff import merge_offers
from warmlead.domain.history import KeptEvent, fold, to_ms
from warmlead.domain.identity import group_people
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.lifecycle import Progress, merge_progress
from warmlead.domain.nurture import merge_enrolments
from warmlead.domain.rules import Rules


def regroup(
    leads: Sequence[Lead], trails: Mapping[str, Trail], rules: Rules, now: datetime
) -> list[Lead]:
    """The leads that the trails make up: merged, split or new, as their ties say.

    ``leads`` are those from which the trails came. A lead that goes on keeps its progress; one
    into which others merge gets the furthest of theirs, and all of their unsent triggers.
    """
    person_of = group_people({id_: trail.ties for id_, trail in trails.items()})
    groups: dict[str, dict[str, Trail]] = {}
    for id_, trail in trails.items():
        groups.setdefault(person_of[id_], {})[id_] = trail
    return [
        _assemble(id_, group, [lead for lead in leads if person_of[lead.id] == id_], rules, now)
        for id_, group in groups.items()
    ]


def _assemble(
    id_: str, trails: Mapping[str, Trail], sources: Sequence[Lead], rules: Rules, now: datetime
) -> Lead:
    now_ms = to_ms(now)
    folded = {
        key: replace(t, history=fold(t.history, now_ms)) for key, t in _each_once(trails).items()
    }
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


def _each_once(trails: Mapping[str, Trail]) -> Mapping[str, Trail]:
    """The trails, with an event that was sent under several identifiers kept in one of them."""
    if len(trails) == 1:
        return trails
    homes: dict[str, tuple[KeptEvent, str]] = {}
    copies = 0
    for id_, trail in trails.items():
        for key, event in trail.history.kept.items():
            copies += key in homes
            homes[key] = min((event, id_), homes.get(key, (event, id_)))
    if not copies:
        return trails
    return {
        id_: replace(
            trail, history=trail.history.only(key for key in homes if homes[key][1] == id_)
        )
        for id_, trail in trails.items()
    }
