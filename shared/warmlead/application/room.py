"""How many more identifiers may be tied to a lead, so that nobody can make it too large to keep.

There is as much room for signed ties as for public ones, each for itself: no stranger can take
the room in which a CRM's id is tied.
"""

from collections.abc import Mapping

from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, identifiers_of, naming_only
from warmlead.domain.lead import MAX_TRAILS, Lead
from warmlead.ports import Loaded


class Room:
    """The room that is left for the identifiers of some events of one lead, in their order."""

    def __init__(self, loaded: Loaded, ids: Mapping[Identifier, str]) -> None:
        self._loaded = loaded
        self._ids = ids
        self._new: set[str] = set()
        self._taken = dict.fromkeys(Trust, 0)
        self.held: set[str] = set()
        """The ids of the identifiers that these leads have already."""

    def tied(self, event: Event) -> Event:
        """The event, without those of its weaker identifiers for which there is no room."""
        strongest, *weaker = identifiers_of(event)
        self._open(self._ids[strongest])
        kept = [strongest, *(i for i in weaker if self._takes(self._ids[i], event.trust))]
        return naming_only(event, kept) if len(kept) <= len(weaker) else event

    def _open(self, home: str) -> None:
        """Makes the lead at an id one whose identifiers are here already."""
        found = self._loaded.get(home)
        if isinstance(found, Lead) and home not in self.held:
            self._add(found)
        self._new.add(home)

    def _takes(self, id_: str, trust: Trust) -> bool:
        """Whether there is room for the identifier, with all that belong to it; takes it if so."""
        if id_ in self.held or id_ in self._new:
            return True
        found = self._loaded.get(id_)
        needed = max(1, _count(found, trust)) if isinstance(found, Lead) else 1
        if self._taken[trust] + needed > MAX_TRAILS:
            return False
        if isinstance(found, Lead):
            self._add(found)
        else:
            self._taken[trust] += 1
            self._new.add(id_)
        return True

    def _add(self, lead: Lead) -> None:
        for trust in Trust:
            self._taken[trust] += _count(lead, trust)
        self.held.update(lead.trails)


def _count(lead: Lead, trust: Trust) -> int:
    """How many identifiers of a lead are signed, or are not."""
    is_signed = trust is Trust.SIGNED
    return sum(trail.is_signed is is_signed for trail in lead.trails.values())
