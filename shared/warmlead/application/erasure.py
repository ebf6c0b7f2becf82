"""What an erasure leaves behind: until when each identifier was erased, so that nothing comes back.

Erasing itself is in ``erase``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from warmlead.domain.event import Event
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.identity import Identifier, LeadIds, identifiers_of, in_todays_spelling
from warmlead.domain.lead import Lead, Trail
from warmlead.ports import Commit, LeadStore, Loaded, Tombstone


def erasures_in(loaded: Loaded) -> dict[str, datetime]:
    """When each identifier was erased, by its id: as its tombstone says, or what came after it."""
    erased: dict[str, datetime] = {}
    for id_, found in loaded.items():
        if isinstance(found, Tombstone):
            erased[id_] = found.erased_at
        elif isinstance(found, Lead):
            trails = found.trails.items()
            erased |= {i: from_ms(t.erased_ms) for i, t in trails if t.erased_ms is not None}
    return erased


def came_too_late(
    event: Event,
    ids: Mapping[Identifier, str],
    erased: Mapping[str, datetime],
    *,
    former_ids: Collection[str] = (),
) -> bool:
    """Whether a person whom the event names was erased after it happened or was received.

    ``former_ids`` are the ids of identifiers as the event spelt them when it was accepted.
    """
    named = [*(ids[identifier] for identifier in identifiers_of(event)), *former_ids]
    earliest = min(event.occurred_at, event.received_at)
    return any(earliest <= erased[id_] for id_ in named if id_ in erased)


def begun_anew(trails: Mapping[str, Trail], erased: Mapping[str, datetime]) -> Mapping[str, Trail]:
    """The trails; those of erased identifiers remember it, since their tombstones are gone."""
    if not erased:
        return trails
    return {
        id_: replace(trail, erased_ms=to_ms(erased[id_])) if id_ in erased else trail
        for id_, trail in trails.items()
    }


class Look:
    """The change that changes nothing: it answers with what is at the ids, readable or not."""

    sees_unreadable = True

    def __call__(self, loaded: Loaded) -> Commit[Loaded]:
        """What is at the ids."""
        return Commit(dict(loaded))


async def unerased(events: Sequence[Event], *, store: LeadStore, ids: LeadIds) -> list[Event]:
    """Those of the events that did not come too late."""
    spelt = [(event, in_todays_spelling(event)) for event in events]
    named = {i: ids.of(i) for both in spelt for event in both for i in identifiers_of(event)}
    wanted = frozenset(named.values())
    erased = erasures_in(await store.update(sorted(wanted), Look()))
    return [
        event
        for event, today in spelt
        if not came_too_late(event, named, erased) and not came_too_late(today, named, erased)
    ]
