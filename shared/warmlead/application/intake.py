"""Adds events to trails, one by one: each is counted, known already, or there is no room for it.

If many events come at once, the cost of an event does not depend on the history of its lead.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from warmlead.domain.capacity import Capacity, Excess, Weighed, without_excess
from warmlead.domain.event import Event
from warmlead.domain.identity import Identifier, identifiers_of
from warmlead.domain.journey import repeats
from warmlead.domain.lead import Lead, Trail, heed_refusal, touched
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.recording import Recordings, are_many
from warmlead.domain.rules import Rules


class Taken(Enum):
    """The outcome for an event."""

    COUNTED = auto()
    KNOWN = auto()
    REFUSED = auto()


class Intake:
    """The trails of some leads while a number of ``events`` comes in; ``ids`` are by identifier."""

    def __init__(
        self,
        leads: Collection[Lead],
        ids: Mapping[Identifier, str],
        rules: Rules,
        weighed: Weighed,
        *,
        events: int,
    ) -> None:
        trails = {id_: trail for lead in leads for id_, trail in lead.trails.items()}
        histories = {id_: trail.history for id_, trail in trails.items()}
        many = are_many(events, sum(history.count for history in histories.values()))
        self._trails: Mapping[str, Trail] = trails  # but for the histories in which is recorded
        self._recordings = Recordings(histories, many=many)
        self._capacity = Capacity(trails, rules, many=True) if many else weighed.together(leads)
        self._ids = ids
        self._rules = rules
        self.beyond: dict[str, list[KeptEvent]] = {}
        """New events that are not kept, by trail: on their day there were enough of their kind."""
        self.telling: list[Event] = []
        """Events that do not count, but told something new: repeats, and refusals of mail."""
        self.signals: set[str] = set()
        """The signals of the events that were taken in."""

    @property
    def trails(self) -> Mapping[str, Trail]:
        """The trails after all events."""
        histories = self._recordings.changed
        changed = {
            id_: replace(trail, history=histories[id_])
            for id_, trail in self._trails.items()
            if id_ in histories and histories[id_] is not trail.history
        }
        return {**self._trails, **changed} if changed else self._trails

    def take(self, event: Event) -> Taken:
        """Adds an event, if there is room for it, without the parts that exceed limits."""
        key = event.key
        is_known = self._capacity.has_event(key)
        named = [self._ids[identifier] for identifier in identifiers_of(event)]
        if self._touched(event, named, is_known=is_known):
            return Taken.KNOWN if is_known else Taken.COUNTED
        if is_known:
            return Taken.KNOWN
        self.refuse(event)
        return Taken.REFUSED

    def refuse(self, event: Event) -> None:
        """Takes only the refusal of mail from an event."""
        after = heed_refusal(self._trails, event, self._ids)
        if after is not self._trails:
            self.telling.append(event)
            self._keep(after, identifiers_of(event))

    def _differs(self, after: Mapping[str, Trail], named: Sequence[str]) -> bool:
        """Whether one of the trails would change, apart from its history."""
        return any(after[id_] != self._trails.get(id_) for id_ in named)

    def _touched(self, event: Event, named: Sequence[str], *, is_known: bool) -> bool:
        capacity = self._capacity
        if not is_known and not capacity.has_room_for(event):
            return False
        lighter: Event | None = event
        has_room = True
        as_step = not (is_known and repeats(self._recordings.find(named[0], event.key), event))
        for _ in Excess:  # each round leaves out more of the event
            if lighter is None:
                return False
            after, home, kept = touched(
                self._trails, lighter, self._ids, self._rules, as_step=as_step, in_detail=has_room
            )
            recorded, take_back = self._recordings.add(home, kept)
            present = [id_ for id_ in named if id_ in after]
            excess = capacity.excess(after, present, event, recorded)
            if not excess and (is_known or capacity.has_room(event.trust, recorded.come)):
                if is_known and (recorded.gone or self._differs(after, present)):
                    self.telling.append(event)
                self._trails = after
                self.signals.update(kept.signals)
                capacity.keep(after, present)
                capacity.keep_recorded(home, recorded)
                if recorded.come is None and not is_known:
                    self.beyond.setdefault(home, []).append(kept)
                return True
            take_back()
            if not excess:
                return False
            has_room = has_room and Excess.ORIGIN not in excess
            lighter = without_excess(lighter, excess, self._rules)
        return False

    def _keep(self, trails: Mapping[str, Trail], named: Sequence[Identifier]) -> None:
        self._trails = trails
        ids = (self._ids[identifier] for identifier in named)
        self._capacity.keep(trails, (id_ for id_ in ids if id_ in trails))
