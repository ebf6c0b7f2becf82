"""How much is kept of one person: no lead outgrows its store, and nobody can be shut out of one.

Anybody with a public key can send events of any name and traits of any name for a known address.
What the model does not know has limits of its own, so that it never takes the room of what the
model knows.
"""

from collections.abc import Iterator, Mapping

from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import Event, Trust
from warmlead.domain.lead import Touch, Trail
from warmlead.domain.packing import Shape
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
"""The limit of what is known of a person: identifiers, traits, names, consent, origins.

Firestore takes documents of 1 MiB, and a lead's traits stand in each of its unsent triggers too.
"""

SIGNED_SHARE = 2
"""Signed events may fill every limit twice: what a CRM says cannot be shut out by strangers."""

_BYTES_OF_AN_ESCAPE = 6
_BYTES_OF_A_FACT = 80
_BYTES_OF_A_CLAIM = 100


def is_flooding(trails: Mapping[str, Trail], rules: Rules) -> bool:
    """Whether further public events of some kind go to quarantine."""
    known, unknown = _totals(trails, rules)
    names = {name for trail in trails.values() for name in trail.history.last_day}
    return (
        known >= MAX_KNOWN_EVENTS
        or unknown >= MAX_UNKNOWN_EVENTS
        or len(names - rules.names) >= MAX_UNKNOWN_NAMES
    )


def has_room_for(trails: Mapping[str, Trail], event: Event, rules: Rules) -> bool:
    """Whether a new event of this name may be kept at all, whatever it turns out to be.

    Only of names that the model does not know there may be too many; looked at before any work.
    """
    if event.name in rules.names:
        return True
    share = _share(event.trust)
    if not any(event.name in trail.history.last_day for trail in trails.values()):
        names = {name for trail in trails.values() for name in trail.history.last_day}
        return len(names - rules.names) < MAX_UNKNOWN_NAMES * share
    return True


def has_room(
    before: Mapping[str, Trail], after: Mapping[str, Trail], event: Event, home: str, rules: Rules
) -> bool:
    """Whether a new event, kept ``after`` on the trail ``home``, may be kept."""
    kept = after[home].history.recent.get(event.key)
    if kept is None:
        return True  # it is beyond the first of its day: nothing is kept of it but the day
    if sum(trail.history.count for trail in after.values()) <= MAX_UNKNOWN_EVENTS:
        return True
    share = _share(event.trust)
    known, unknown = _totals(before, rules)
    if not rules.recognises(kept.shape):
        return unknown < MAX_UNKNOWN_EVENTS * share
    if known < MAX_KNOWN_EVENTS * share:
        return True
    counts = _counts_of(before, rules.labels_of(kept.shape), rules)
    return min(counts) < RESERVED_EVENTS * share


def _share(trust: Trust) -> int:
    return SIGNED_SHARE if trust is Trust.SIGNED else 1


def outgrows(
    before: Mapping[str, Trail],
    after: Mapping[str, Trail],
    trust: Trust,
    *,
    known_to: Rules | None = None,
) -> bool:
    """Whether a person becomes heavier than events of this trust may make them.

    With ``known_to`` only traits and names that the model knows are weighed.
    """
    most = MAX_WEIGHT_BYTES * _share(trust)
    weight = _weight_bytes(after, known_to)
    return weight > most and weight > _weight_bytes(before, known_to)


def _shapes(trails: Mapping[str, Trail]) -> Iterator[tuple[Shape, int]]:
    """What the kept events are counted as, and how many of them."""
    for trail in trails.values():
        for shape, days in trail.history.packed.days.items():
            yield shape, sum(days.values())
        for event in trail.history.recent.values():
            yield event.shape, 1


def _totals(trails: Mapping[str, Trail], rules: Rules) -> tuple[int, int]:
    """The numbers of kept events that the model knows, and of others."""
    known = unknown = 0
    for shape, count in _shapes(trails):
        if rules.recognises(shape):
            known += count
        else:
            unknown += count
    return known, unknown


def _counts_of(trails: Mapping[str, Trail], labels: frozenset[str], rules: Rules) -> list[int]:
    """The number of kept events of each label."""
    counts = dict.fromkeys(labels, 0)
    for shape, count in _shapes(trails):
        for label in rules.labels_of(shape) & labels:
            counts[label] += count
    return list(counts.values())


def _weight_bytes(trails: Mapping[str, Trail], known_to: Rules | None) -> int:
    return sum(_weight_of_trail(trail, known_to) for trail in trails.values())


def _weight_of_trail(trail: Trail, known_to: Rules | None) -> int:
    traits = sum(
        len(name) + len(fact.value_json)
        for name, fact in trail.traits.items()
        if known_to is None or name in known_to.traits
    )
    names = sum(
        len(name) for name in trail.history.last_day if known_to is None or name in known_to.names
    )
    touches = _weight_of_touch(trail.first_touch) + _weight_of_touch(trail.last_touch)
    consent = sum(map(_weight_of_fact, trail.consent))
    notes = sum(len(note.text) for note in trail.notes)
    losing = _BYTES_OF_A_CLAIM * max(0, len(trail.claims) - 1)
    return _bytes(trail.identifier.value) + traits + names + touches + consent + notes + losing


def _weight_of_fact(fact: ConsentFact) -> int:
    return _BYTES_OF_A_FACT + len(fact.source) + _bytes(fact.mailing_list)


def _weight_of_touch(touch: Touch | None) -> int:
    return sum(len(name) + _bytes(value) for name, value in touch.attribution) if touch else 0


def _bytes(text: str) -> int:
    return len(text) * (1 if text.isascii() else _BYTES_OF_AN_ESCAPE)
