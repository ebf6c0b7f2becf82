"""How many more identifiers may be tied to a lead, so that nobody can make it too large to keep.

There is as much room for signed ties as for public ones, each for itself: no stranger can take
the room in which a CRM's id is tied.
"""

from collections.abc import Mapping
from typing import NamedTuple

from warmlead.domain.capacity import (
    MAX_IDENTIFIER_BYTES,
    MAX_JOINED_BYTES,
    MAX_JOINED_NAMES,
    Capacity,
    bytes_of,
)
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, identifiers_of, naming_only
from warmlead.domain.lead import MAX_TRAILS, Lead, Trail
from warmlead.domain.rules import Rules
from warmlead.ports import Loaded


class Room:
    """The room that is left for the identifiers of some events of one lead, in their order."""

    def __init__(self, loaded: Loaded, ids: Mapping[Identifier, str], rules: Rules) -> None:
        self._loaded = loaded
        self._ids = ids
        self._rules = rules
        self._new: set[str] = set()
        self._trails: dict[str, Trail] = {}
        self._taken = dict.fromkeys(Trust, NO_TIES)
        self._refused: set[tuple[str, Trust]] = set()  # later there is no more room than before
        self._capacity: Capacity | None = None
        self.held: set[str] = set()
        """The ids of the identifiers that these leads have already."""

    def tied(self, event: Event) -> Event:
        """The event, without those of its weaker identifiers for which there is no room."""
        strongest, *weaker = identifiers_of(event)
        self._open(self._ids[strongest])
        kept = [strongest, *(i for i in weaker if self._takes(i, event.trust))]
        return naming_only(event, kept) if len(kept) <= len(weaker) else event

    def _open(self, home: str) -> None:
        """Makes the lead at an id one whose identifiers are here already."""
        found = self._loaded.get(home)
        if isinstance(found, Lead) and home not in self.held:
            self._add(found)
        self._new.add(home)

    def _takes(self, identifier: Identifier, trust: Trust) -> bool:
        """Whether there is room for the identifier, with all that belong to it; takes it if so."""
        id_ = self._ids[identifier]
        if id_ in self.held or id_ in self._new:
            return True
        if (id_, trust) in self._refused:
            return False
        if self._has_room(identifier, trust):
            return True
        self._refused.add((id_, trust))
        return False

    def _has_room(self, identifier: Identifier, trust: Trust) -> bool:
        id_ = self._ids[identifier]
        found = self._loaded.get(id_)
        own = _Ties(1, bytes_of(identifier.value))
        needed = own
        if isinstance(found, Lead):
            needed = max(own, _ties_of(found, trust))
            if not self._can_join(found, trust):
                return False
        taken = self._taken[trust].and_(needed)
        if taken.number > MAX_TRAILS or taken.size_bytes > MAX_IDENTIFIER_BYTES:
            return False
        if isinstance(found, Lead):
            self._add(found)
        else:
            self._taken[trust] = taken
            self._new.add(id_)
        return True

    def _can_join(self, lead: Lead, trust: Trust) -> bool:
        """Whether what is kept of the lead has room beside what is kept of these."""
        if not self.held:
            return True
        if self._capacity is None:
            self._capacity = Capacity(self._trails, self._rules)
        names, size = self._capacity.joined_with(Capacity(lead.trails, self._rules))
        return names <= MAX_JOINED_NAMES[trust] and size <= MAX_JOINED_BYTES[trust]

    def _add(self, lead: Lead) -> None:
        for trust in Trust:
            self._taken[trust] = self._taken[trust].and_(_ties_of(lead, trust))
        self._trails.update(lead.trails)
        if self._capacity is not None:
            self._capacity.keep(lead.trails, lead.trails)
        self.held.update(lead.trails)


class _Ties(NamedTuple):
    """How many identifiers, and what they take."""

    number: int
    size_bytes: int

    def and_(self, others: "_Ties") -> "_Ties":
        """The sum."""
        return _Ties(self.number + others.number, self.size_bytes + others.size_bytes)


NO_TIES = _Ties(0, 0)


def _ties_of(lead: Lead, trust: Trust) -> _Ties:
    """The identifiers of a lead that are signed, or are not."""
    is_signed = trust is Trust.SIGNED
    values = [t.identifier.value for t in lead.trails.values() if t.is_signed is is_signed]
    return _Ties(len(values), sum(map(bytes_of, values)))
