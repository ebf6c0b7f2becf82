"""Limits of the data of one person: no lead outgrows its store, and no stranger can fill one up.

Anybody with a public key can send events and traits of any name for a known address. Data that the
model does not know has limits of its own, so it never takes the room of data that the model knows.
Signed data has its own limits, towards which public data does not count.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum, auto
from operator import add, sub
from typing import NamedTuple

from msgspec import Struct, structs

from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import AUTOMATED_EVENTS, Event, Trust
from warmlead.domain.history import History
from warmlead.domain.journey import NotableStep
from warmlead.domain.lead import Lead, Touch, Trail
from warmlead.domain.packed_history import RECORD, KeptEvent, Packed, Shape
from warmlead.domain.readings import bytes_of_readings
from warmlead.domain.recording import Recorded
from warmlead.domain.rules import Rules
from warmlead.domain.traits import TraitFact
from warmlead.domain.unjudged import Unjudged

MAX_UNKNOWN_EVENTS = 2_000
"""The limit of kept events of names that the model does not know: 64 a day, each day."""

MAX_UNKNOWN_NAMES = 300
"""The limit of names that the model does not know; some senders put an id into each name."""

MAX_KNOWN_EVENTS = 6_000
"""The limit of kept events that the model knows."""

RESERVED_EVENTS = 50
"""Of each signal this number of events is kept, however many there are of others."""

MAX_WEIGHT_BYTES = 128_000
"""Limit of data about a person from public events: traits, names, consent.

Firestore takes documents of 1 MiB, and a lead's traits stand in each of its unsent triggers too.
"""

MAX_ORIGIN_BYTES = 64_000
"""The limit of the origins of visits, notes on input, steps of the journey and readings.

It is for a person's weaker identifiers, of which there may be many.
"""

MAX_IDENTIFIER_BYTES = 64_000
"""The limit of the identifiers of one trust that are tied to a person."""

MAX_LEAD_BYTES = {Trust.PUBLIC: 700_000, Trust.SIGNED: 750_000}
"""Limits of all data about a person, from any sender.

A store takes no more beside the messages that one evaluation makes: see ``outbox``.
"""

SIGNED_SHARE = 2
"""Signed events may fill a limit twice, so strangers cannot displace a CRM's data."""

MAX_JOINED_NAMES = {
    Trust.PUBLIC: MAX_UNKNOWN_NAMES * 2,
    Trust.SIGNED: MAX_UNKNOWN_NAMES * 3,
}
"""The limit of unknown names of leads that one event may tie to each other."""

MAX_JOINED_BYTES = {Trust.PUBLIC: 450_000, Trust.SIGNED: 650_000}
"""The limit of all that is kept of leads that one event may tie to each other."""

# A kept event does not record its sender, and several flooded leads may be tied.
_SIGNED_EVENTS = MAX_UNKNOWN_EVENTS * 4
_SIGNED_NAMES = MAX_UNKNOWN_NAMES * 4  # more than may be tied: some are always left
_BYTES_OF_AN_ESCAPE = 6
_BYTES_OF_A_FACT = 80
_BYTES_OF_A_DAY = 8  # that is counted under a label: its number and its count
_BYTES_OF_A_NAME = 16  # beside the name itself: its last day, and what counts it
_BYTES_OF_A_TRAIT = 48  # beside the name and the value: what decides which value wins
_BYTES_OF_A_TRAIL = 200
_BYTES_OF_AN_EVENT = 80  # that is not packed
_BYTES_OF_A_MARK = 20  # and of not being packed for it
_UNPACKED_EVENTS = 80  # of a trail with more events so many are not packed, on average
_BYTES_OF_A_CLAIM = 100
_BYTES_OF_A_STEP = 48  # beside its names and details: when, in which event, how trusted


class Excess(Enum):
    """The kind of data of which an event has too much."""

    UNKNOWN = auto()  # traits that the model does not know
    KNOWN = auto()  # traits that it knows
    ORIGIN = auto()  # where visits came from, notes on the input, steps of the journey, readings
    ALL = auto()


class Weight(NamedTuple):
    """What is known of a person in bytes, by what it is and who told it; added up by place."""

    known: int = 0
    unknown: int = 0
    signed_known: int = 0
    signed_unknown: int = 0
    origin: int = 0
    other: int = 0

    def of(self, trust: Trust) -> tuple[int, int]:
        """Size of the data of one trust, with and without data that the model does not know."""
        if trust is Trust.SIGNED:
            return self.signed_known + self.signed_unknown, self.signed_known
        return self.known + self.unknown, self.known

    def changed(self, before: "Weight", after: "Weight") -> "Weight":
        """The sum of several weights, after one of them changed."""
        return Weight(*map(add, map(sub, self, before), after))


NOTHING = Weight()


class Capacity:
    """How much is kept of some people, as running sums: an event costs what its own trails cost.

    With ``many`` events to come all keys are unpacked, so that each is found at once.
    """

    def __init__(self, trails: Mapping[str, Trail], rules: Rules, *, many: bool = False) -> None:
        self._rules = rules
        self._many = many
        self._trails: dict[str, Trail] = {}
        self._weights: dict[str, Weight] = {}
        self._tried: dict[str, tuple[Trail, Weight]] = {}
        self._told: dict[str, tuple[Mapping[str, TraitFact], _OfTraits]] = {}
        self._weight = NOTHING
        self._counts: Counter[str] = Counter()
        self._events_bytes = 0
        self._keys: Counter[str] = Counter()
        self._packed: list[Packed] = []
        self._gone: set[str] = set()
        self._unknown_names: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._known = self._unknown = 0
        self.keep(trails, trails)

    def copied(self) -> "Capacity":
        """A copy that changes independently."""
        one = Capacity.__new__(Capacity)
        for name, value in vars(self).items():
            own = value.copy() if isinstance(value, dict | list | set) else value
            setattr(one, name, own)
        return one

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
        """The approximate size in a store."""
        return self._size_with(self._weight)

    def joined_with(self, others: "Capacity") -> tuple[int, int]:
        """The number of unknown names, and the size, of these people and others together."""
        names = self.unknown_names | others.unknown_names
        return len(names), self.size_bytes + others.size_bytes

    def has_event(self, key: str) -> bool:
        """Whether an event of the key is kept."""
        if key in self._keys:
            return True
        return key not in self._gone and any(packed.find(key) for packed in self._packed)

    def has_room_for(self, event: Event) -> bool:
        """Whether a new event of this name may be kept at all.

        Only names that the model does not know have this limit; it is checked before any work.
        """
        name = _kept_name(event, self._rules)
        if name in self._rules.names or name in self._unknown_names:
            return True
        most = _SIGNED_NAMES if event.trust is Trust.SIGNED else MAX_UNKNOWN_NAMES
        return len(self.unknown_names) < most

    def has_room(self, trust: Trust, kept: KeptEvent | None) -> bool:
        """Whether what a history has ``kept`` of a new event may stay there."""
        if self._known + self._unknown < MAX_UNKNOWN_EVENTS:
            return True
        if kept is None:
            return True  # it is beyond the first of its day: only the day is kept
        share = _share(trust)
        if not self._rules.recognises(kept.shape):
            is_signed = trust is Trust.SIGNED
            return self._unknown < (_SIGNED_EVENTS if is_signed else MAX_UNKNOWN_EVENTS)
        if self._known < MAX_KNOWN_EVENTS * share:
            return True
        counts = [self._labels[label] for label in self._rules.labels_of(kept.shape)]
        return min(counts) < RESERVED_EVENTS * share

    def excess(
        self,
        after: Mapping[str, Trail],
        changed: Collection[str],
        event: Event,
        recorded: Recorded,
    ) -> frozenset[Excess]:
        """What the event tells too much of, if it makes the trails ``changed`` what ``after`` says.

        An event that adds nothing is never too much, however much is kept already. The event is
        ``recorded`` in the history of the first of the trails.
        """
        weight = self._weight
        for id_ in changed:
            weight = weight.changed(self._weights.get(id_, NOTHING), self._weighed(id_, after[id_]))
        if recorded.came:
            weight = weight.changed(NOTHING, _weight_of_name(recorded.came, self._rules))
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
        if is_crowded and not event.email:
            found.add(Excess.ORIGIN)
        if (
            self.size_bytes < (size := self._size_with(weight))
            and size > MAX_LEAD_BYTES[event.trust]
        ):
            found.add(Excess.ALL)
        return frozenset(found)

    def keep(self, after: Mapping[str, Trail], changed: Iterable[str]) -> None:
        """Replaces the trails by ``changed``.

        Only histories of new trails are counted: see ``keep_recorded``.
        """
        for id_ in changed:
            before, trail = self._trails.get(id_), after[id_]
            if before is trail:
                continue
            weight = self._weighed(id_, trail)
            self._weight = self._weight.changed(self._weights.get(id_, NOTHING), weight)
            self._weights[id_] = weight
            if before is None:
                self._count(id_, trail.history)
            self._trails[id_] = trail

    def keep_recorded(self, id_: str, recorded: Recorded) -> None:
        """Takes what was recorded in the history of a trail."""
        for event in recorded.gone:
            self._forget_key(event.key)
            self._add(event.shape, -1)
        if recorded.come:
            self._keys[recorded.come.key] += 1
            self._add(recorded.come.shape, 1)
        self._count_events(id_, (1 if recorded.come else 0) - len(recorded.gone))
        come = 1 if recorded.come and recorded.come.mark else 0
        marked = come - sum(bool(event.mark) for event in recorded.gone)
        self._events_bytes += _BYTES_OF_A_MARK * marked
        if recorded.came:
            self._add_name(recorded.came, 1)
        if recorded.left:
            self._add_name(recorded.left, -1)

    def _size_with(self, weight: Weight) -> int:
        return sum(weight) + self._events_bytes

    def _weighed(self, id_: str, trail: Trail) -> Weight:
        """The weight of a trail; kept until another is weighed in its place."""
        tried = self._tried.get(id_)
        if tried is None or tried[0] is not trail:
            told = self._told.get(id_)
            if told is None or told[0] is not trail.traits:
                told = self._told[id_] = trail.traits, _weights_of_traits(trail.traits, self._rules)
            tried = self._tried[id_] = trail, _weight_of_trail(trail, told[1])
        return tried[1]

    def _count(self, id_: str, history: History) -> None:
        """Counts what is in the history of a trail."""
        self._add_names(history.last_day)
        self._keys.update(history.recent.keys())
        if self._many:
            self._keys.update(history.packed.keys())
        elif history.packed:
            self._packed.append(history.packed)
        for shape, count in Counter([event.shape for event in history.recent.values()]).items():
            self._add(shape, count)
        for shape, days in history.packed.days.items():
            self._add(shape, sum(days.values()))
        self._count_events(id_, history.count)
        self._events_bytes += _BYTES_OF_A_MARK * sum(bool(e.mark) for e in history.recent.values())
        for counts in (history.signal_days, history.name_days):
            self._events_bytes += _BYTES_OF_A_DAY * sum(map(len, counts.values()))

    def _count_events(self, id_: str, more: int) -> None:
        before = self._counts[id_]
        self._counts[id_] = now = before + more
        self._events_bytes += _bytes_of_events(now) - _bytes_of_events(before)

    def _forget_key(self, key: str) -> None:
        """Forgets a key that a trail less keeps; it may have been packed."""
        self._keys[key] -= 1
        if self._keys[key] <= 0:
            del self._keys[key]
            self._gone.add(key)

    def _add_names(self, names: Collection[str]) -> None:
        """Counts the names of a trail's events, each once more."""
        unknown = [name for name in names if name not in self._rules.names]
        unknown_bytes, all_bytes = sum(map(len, unknown)), sum(map(len, names))
        weight = Weight(
            known=all_bytes - unknown_bytes,
            unknown=unknown_bytes,
            other=_BYTES_OF_A_NAME * len(names),
        )
        self._weight = self._weight.changed(NOTHING, weight)
        self._unknown_names.update(unknown)

    def _add_name(self, name: str, sign: int) -> None:
        """Counts a name of a trail's events once more, or once less."""
        weight = _weight_of_name(name, self._rules)
        before, after = (NOTHING, weight) if sign > 0 else (weight, NOTHING)
        self._weight = self._weight.changed(before, after)
        if name in self._rules.names:
            return
        self._unknown_names[name] += sign
        if not self._unknown_names[name]:
            del self._unknown_names[name]

    def _add(self, shape: Shape, count: int) -> None:
        if self._rules.recognises(shape):
            self._known += count
        else:
            self._unknown += count
        for label in self._rules.labels_of(shape):
            self._labels[label] += count


_MOST_WEIGHED = 16
"""Number of the last weighed leads that are remembered, at most a megabyte each."""


class Weighed:
    """The capacities of the leads seen last, so that an unchanged lead is counted only once.

    Updates of many persons may name the same full lead, one after the other.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._latest: dict[str, tuple[Mapping[str, Trail], Capacity]] = {}

    def capacity_of(self, lead: Lead) -> Capacity:
        """What is kept of a lead; not to be changed."""
        trails, capacity = self._latest.pop(lead.id, (None, None))
        if capacity is None or trails is not lead.trails:
            capacity = Capacity(lead.trails, self._rules)
        self._latest[lead.id] = lead.trails, capacity
        if len(self._latest) > _MOST_WEIGHED:
            self._latest.pop(next(iter(self._latest)), None)
        return capacity

    def together(self, leads: Collection[Lead]) -> Capacity:
        """What is kept of several leads; it may change."""
        if not leads:
            return Capacity({}, self._rules)
        largest, *others = sorted(leads, key=lambda lead: -len(lead.trails))
        capacity = self.capacity_of(largest).copied()
        for lead in others:
            capacity.keep(lead.trails, lead.trails)
        return capacity


def without_excess(event: Event, excess: Collection[Excess], rules: Rules) -> Event | None:
    """The event without data beyond limits; ``None`` if the model does not know the event.

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


def _bytes_of_events(count: int) -> int:
    """The size of this number of events of a trail: all but the latest are packed."""
    unpacked = min(count, _UNPACKED_EVENTS)
    return _BYTES_OF_AN_EVENT * unpacked + RECORD * (count - unpacked)


def _weight_of_name(name: str, rules: Rules) -> Weight:
    """What a name of a trail's events weighs."""
    if name in rules.names:
        return Weight(known=len(name), other=_BYTES_OF_A_NAME)
    return Weight(unknown=len(name), other=_BYTES_OF_A_NAME)


def _weight_of_trail(trail: Trail, traits: "_OfTraits") -> Weight:
    """What a trail weighs without its history."""
    kept = (trail.first_touch, trail.last_touch, trail.last_landing)
    touches = sum(map(_weight_of_touch, kept))
    notes = sum(len(note.text) for note in trail.notes)
    losing = _BYTES_OF_A_CLAIM * max(0, len(trail.claims) - 1)
    around = _BYTES_OF_A_TRAIL + _BYTES_OF_A_TRAIT * len(trail.traits) + losing
    return Weight(
        known=traits.known + _weight_of_facts(trail.consent),
        unknown=traits.unknown,
        signed_known=traits.signed_known,
        signed_unknown=traits.signed_unknown,
        origin=touches
        + notes
        + sum(map(_weight_of_step, trail.steps))
        + bytes_of_readings(trail.readings)
        + sum(map(_weight_of_unjudged, trail.unjudged.values())),
        other=bytes_of(trail.identifier.value) + around + _bytes_of_details(trail),
    )


class _OfTraits(Struct, frozen=True):
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


def _weight_of_facts(facts: Sequence[ConsentFact]) -> int:
    around = sum([_BYTES_OF_A_FACT + len(fact.source) for fact in facts])
    return around + sum([bytes_of(fact.mailing_list) for fact in facts if fact.mailing_list])


def _weight_of_touch(touch: Touch | None) -> int:
    return sum(len(name) + bytes_of(value) for name, value in touch.attribution) if touch else 0


def _weight_of_step(step: NotableStep) -> int:
    details = sum(len(name) + bytes_of(text) for name, text in step.details)
    return _BYTES_OF_A_STEP + len(step.name) + len(step.signal) + details


def _weight_of_unjudged(click: Unjudged) -> int:
    step = _weight_of_step(click.step) if click.step else 0
    return _BYTES_OF_A_STEP + step + bytes_of_readings(click.readings)


def _bytes_of_details(trail: Trail) -> int:
    """What sales told of the person in words."""
    told = (text for said in trail.statements.values() for _, text in said.details)
    return sum(map(bytes_of, told))


def bytes_of(text: str) -> int:
    """The most bytes that a text may take in JSON."""
    return len(text) * (1 if text.isascii() else _BYTES_OF_AN_ESCAPE)
