"""How much is kept of one person: no lead outgrows its store, and nobody can be shut out of one.

Anybody with a public key can send events of any name and traits of any name for a known address.
What the model does not know has limits of its own, so that it never takes the room of what the
model knows; and what is signed has its own, which nothing public counts towards.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum, auto
from typing import NamedTuple

from msgspec import structs

from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import AUTOMATED_EVENTS, Event, Trust
from warmlead.domain.history import History
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Touch, Trail, TraitFact
from warmlead.domain.packing import RECORD, Packed, Shape
from warmlead.domain.rules import Rules

MAX_UNKNOWN_EVENTS = 2_000
"""The limit of kept events of names that the model does not know: 64 a day, each day."""

MAX_UNKNOWN_NAMES = 300
"""The limit of names that the model does not know; some senders put an id into each name."""

MAX_KNOWN_EVENTS = 6_000
"""The limit of kept events that the model knows."""

RESERVED_EVENTS = 50
"""Of each signal this number of events is kept, however many there are of others."""

MAX_WEIGHT_BYTES = 128_000
"""The limit of what public events tell of a person: traits, names, consent.

Firestore takes documents of 1 MiB, and a lead's traits stand in each of its unsent triggers too.
"""

MAX_ORIGIN_BYTES = 64_000
"""The limit of the origins of visits and the notes on input of a person's weaker identifiers."""

MAX_IDENTIFIER_BYTES = 64_000
"""The limit of the identifiers of one trust that are tied to a person."""

MAX_LEAD_BYTES = {Trust.PUBLIC: 700_000, Trust.SIGNED: 900_000}
"""The limits of all that is kept of a person, whoever told it: a store takes no more."""

SIGNED_SHARE = 2
"""Signed events may fill a limit twice: what a CRM says cannot be shut out by strangers."""

MAX_JOINED_NAMES = {
    Trust.PUBLIC: MAX_UNKNOWN_NAMES * 2,
    Trust.SIGNED: MAX_UNKNOWN_NAMES * 3,
}
"""The limit of unknown names of leads that one event may tie to each other."""

MAX_JOINED_BYTES = {Trust.PUBLIC: 450_000, Trust.SIGNED: 650_000}
"""The limit of all that is kept of leads that one event may tie to each other."""

# What is kept of an event does not say who told it, and several flooded leads may be tied.
_SIGNED_EVENTS = MAX_UNKNOWN_EVENTS * 4
_SIGNED_NAMES = MAX_UNKNOWN_NAMES * 4  # more than may be tied: some are always left
_BYTES_OF_AN_ESCAPE = 6
_BYTES_OF_A_FACT = 80
_BYTES_OF_A_NAME = 16  # beside the name itself: its last day, and what counts it
_BYTES_OF_A_TRAIT = 48  # beside the name and the value: what decides which value wins
_BYTES_OF_A_TRAIL = 200
_BYTES_OF_AN_EVENT = 80  # that is not packed
_BYTES_OF_A_CLAIM = 100


class Excess(Enum):
    """Of what an event tells too much."""

    UNKNOWN = auto()  # traits that the model does not know
    KNOWN = auto()  # traits that it knows
    ORIGIN = auto()  # where visits came from, and notes on the input
    ALL = auto()


class Weight(NamedTuple):
    """What is known of a person in bytes, by what it is and who told it."""

    known: int = 0
    unknown: int = 0
    signed_known: int = 0
    signed_unknown: int = 0
    origin: int = 0
    other: int = 0

    def of(self, trust: Trust) -> tuple[int, int]:
        """What events of a trust told, with what the model does not know, and without it."""
        if trust is Trust.SIGNED:
            return self.signed_known + self.signed_unknown, self.signed_known
        return self.known + self.unknown, self.known

    def changed(self, before: "Weight", after: "Weight") -> "Weight":
        """The sum of several weights, after one of them changed."""
        return Weight(*(s - b + a for s, b, a in zip(self, before, after, strict=True)))


NOTHING = Weight()


class Capacity:
    """What is kept of some people as running sums: an event costs what its own trails cost."""

    def __init__(self, trails: Mapping[str, Trail], rules: Rules) -> None:
        self._rules = rules
        self._trails: dict[str, Trail] = {}
        self._weights: dict[str, Weight] = {}
        self._tried: dict[str, tuple[Trail, Weight]] = {}
        self._told: dict[str, tuple[Mapping[str, TraitFact], _OfTraits]] = {}
        self._weight = NOTHING
        self._keys: Counter[str] = Counter()
        self._packed: dict[str, Packed] = {}
        self._unknown_names: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._known = self._unknown = 0
        self.keep(trails, trails)

    @property
    def is_flooding(self) -> bool:
        """Whether further public events of some kind go to quarantine."""
        return (
            self._known >= MAX_KNOWN_EVENTS
            or self._unknown >= MAX_UNKNOWN_EVENTS
            or len(self.unknown_names) >= MAX_UNKNOWN_NAMES
        )

    @property
    def unknown_names(self) -> AbstractSet[str]:
        """The event names that the model does not know."""
        return self._unknown_names.keys()

    @property
    def size_bytes(self) -> int:
        """What all of it takes in a store, about."""
        return self._size_with(self._weight)

    def joined_with(self, others: "Capacity") -> tuple[int, int]:
        """The number of unknown names, and the size, of these people and others together."""
        names = self.unknown_names | others.unknown_names
        return len(names), self.size_bytes + others.size_bytes

    def has_event(self, key: str) -> bool:
        """Whether an event of the key is kept."""
        return key in self._keys or any(packed.find(key) for packed in self._packed.values())

    def has_room_for(self, event: Event) -> bool:
        """Whether a new event of this name may be kept at all, whatever it turns out to be.

        Only of names that the model does not know there may be too many; looked at before any
        work.
        """
        name = _kept_name(event, self._rules)
        if name in self._rules.names or name in self._unknown_names:
            return True
        most = _SIGNED_NAMES if event.trust is Trust.SIGNED else MAX_UNKNOWN_NAMES
        return len(self.unknown_names) < most

    def has_room(self, home: Trail, event: Event) -> bool:
        """Whether a new event, with which the trail ``home`` comes to be as it is, may be kept."""
        if self._known + self._unknown < MAX_UNKNOWN_EVENTS:
            return True
        kept = home.history.find(event.key)
        if kept is None:
            return True  # it is beyond the first of its day: nothing is kept of it but the day
        share = _share(event.trust)
        if not self._rules.recognises(kept.shape):
            is_signed = event.trust is Trust.SIGNED
            return self._unknown < (_SIGNED_EVENTS if is_signed else MAX_UNKNOWN_EVENTS)
        if self._known < MAX_KNOWN_EVENTS * share:
            return True
        counts = [self._labels[label] for label in self._rules.labels_of(kept.shape)]
        return min(counts) < RESERVED_EVENTS * share

    def excess(
        self, after: Mapping[str, Trail], changed: Collection[str], event: Event, home: str
    ) -> frozenset[Excess]:
        """Of what an event tells too much, if with it the trails ``changed`` become as given."""
        weight = self._weight
        for id_ in changed:
            weight = weight.changed(self._weights.get(id_, NOTHING), self._weighed(id_, after[id_]))
        share = _share(event.trust)
        found = set()
        limits = zip(
            (Excess.UNKNOWN, Excess.KNOWN),
            self._weight.of(event.trust),
            weight.of(event.trust),
            strict=True,
        )
        for excess, before, now in limits:
            if now > MAX_WEIGHT_BYTES * share and now > before:
                found.add(excess)
        origin = weight.origin
        is_crowded = origin > MAX_ORIGIN_BYTES * share and origin > self._weight.origin
        if is_crowded and after[home].identifier.kind is not Kind.EMAIL:
            found.add(Excess.ORIGIN)
        if (
            self.size_bytes < (size := self._size_with(weight))
            and size > MAX_LEAD_BYTES[event.trust]
        ):
            found.add(Excess.ALL)
        return frozenset(found)

    def keep(self, after: Mapping[str, Trail], changed: Iterable[str]) -> None:
        """Takes the trails ``changed`` as they are from now on."""
        for id_ in changed:
            before, trail = self._trails.get(id_), after[id_]
            if before is trail:
                continue
            weight = self._weighed(id_, trail)
            self._weight = self._weight.changed(self._weights.get(id_, NOTHING), weight)
            self._weights[id_] = weight
            self._count(before.history if before else History(), trail.history)
            self._trails[id_] = trail
            self._packed.pop(id_, None)
            if trail.history.packed:
                self._packed[id_] = trail.history.packed

    def _size_with(self, weight: Weight) -> int:
        recent = len(self._keys)
        packed = self._known + self._unknown - recent
        return sum(weight) + _BYTES_OF_AN_EVENT * recent + RECORD * packed

    def _weighed(self, id_: str, trail: Trail) -> Weight:
        """The weight of a trail; kept until another is weighed in its place."""
        tried = self._tried.get(id_)
        if tried is None or tried[0] is not trail:
            told = self._told.get(id_)
            if told is None or told[0] is not trail.traits:
                told = self._told[id_] = trail.traits, _weights_of_traits(trail.traits, self._rules)
            tried = self._tried[id_] = trail, _weight_of_trail(trail, told[1], self._rules)
        return tried[1]

    def _count(self, before: History, after: History) -> None:
        """Counts what of a history has changed."""
        known = self._rules.names
        self._unknown_names.update(after.last_day.keys() - before.last_day.keys() - known)
        _take_away(self._unknown_names, before.last_day.keys() - after.last_day.keys() - known)
        self._keys.update(after.recent.keys() - before.recent.keys())
        _take_away(self._keys, before.recent.keys() - after.recent.keys())
        for one, other, sign in ((before, after, -1), (after, before, 1)):
            for key, event in one.recent.items():
                if other.recent.get(key) is not event:
                    self._add(event.shape, sign)
            if before.packed is not after.packed:
                for shape, days in one.packed.days.items():
                    self._add(shape, sign * sum(days.values()))

    def _add(self, shape: Shape, count: int) -> None:
        if self._rules.recognises(shape):
            self._known += count
        else:
            self._unknown += count
        for label in self._rules.labels_of(shape):
            self._labels[label] += count


def _take_away(counts: Counter[str], gone: Iterable[str]) -> None:
    """Counts each of some names once less, and forgets those of which none is left."""
    for name in gone:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]


def without_excess(event: Event, excess: Collection[Excess], rules: Rules) -> Event | None:
    """The event without that of which it tells too much; ``None`` if the model does not know it.

    An event that the model knows counts in any case, unless a store could not take the lead.
    """
    if Excess.ALL in excess:
        return None
    if Excess.ORIGIN in excess:
        event = structs.replace(event, attribution={}, notes=())
    if Excess.KNOWN not in excess and Excess.UNKNOWN not in excess:
        return event
    if _kept_name(event, rules) not in rules.names:
        return None
    if Excess.KNOWN in excess:
        return structs.replace(event, traits={})
    known = {name: value for name, value in event.traits.items() if name in rules.traits}
    return structs.replace(event, traits=known)


def _kept_name(event: Event, rules: Rules) -> str:
    """The name under which an event is kept."""
    if event.automated is None or rules.robots_count:
        return event.name
    return AUTOMATED_EVENTS[event.automated]


def _share(trust: Trust) -> int:
    return SIGNED_SHARE if trust is Trust.SIGNED else 1


def _weight_of_trail(trail: Trail, traits: "_OfTraits", rules: Rules) -> Weight:
    names = trail.history.last_day
    known_names = sum(map(len, names.keys() & rules.names))
    unknown_names = sum(map(len, names)) - known_names
    touches = _weight_of_touch(trail.first_touch) + _weight_of_touch(trail.last_touch)
    notes = sum(len(note.text) for note in trail.notes)
    losing = _BYTES_OF_A_CLAIM * max(0, len(trail.claims) - 1)
    around = _BYTES_OF_A_TRAIL + _BYTES_OF_A_TRAIT * len(trail.traits) + losing
    return Weight(
        known=traits.known + known_names + sum(map(_weight_of_fact, trail.consent)),
        unknown=traits.unknown + unknown_names,
        signed_known=traits.signed_known,
        signed_unknown=traits.signed_unknown,
        origin=touches + notes,
        other=bytes_of(trail.identifier.value) + around + _BYTES_OF_A_NAME * len(names),
    )


class _OfTraits(NamedTuple):
    """What the traits of one identifier weigh in bytes."""

    unknown: int
    known: int
    signed_unknown: int
    signed_known: int


def _weights_of_traits(traits: Mapping[str, TraitFact], rules: Rules) -> _OfTraits:
    weights = [0, 0, 0, 0]
    for name, fact in traits.items():
        weights[2 * fact.rank + (name in rules.traits)] += len(name) + len(fact.value_json)
    return _OfTraits(*weights)


def _weight_of_fact(fact: ConsentFact) -> int:
    return _BYTES_OF_A_FACT + len(fact.source) + bytes_of(fact.mailing_list)


def _weight_of_touch(touch: Touch | None) -> int:
    return sum(len(name) + bytes_of(value) for name, value in touch.attribution) if touch else 0


def bytes_of(text: str) -> int:
    """What a text takes in JSON at most, about."""
    return len(text) * (1 if text.isascii() else _BYTES_OF_AN_ESCAPE)
