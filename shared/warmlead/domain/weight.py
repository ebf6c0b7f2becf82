"""How much is known of a person, the count of events aside: no lead may outgrow its store.

Refuses to know how a lead is written down: it weighs what senders put in.
"""

from collections.abc import Mapping

from warmlead.domain.event import Trust
from warmlead.domain.lead import Touch, Trail

MAX_WEIGHT_BYTES = 128_000
"""So much may be known of a person: identifiers, traits, names of events, where they came from.

Signed events may add as much again, so that nobody can shut out what a CRM says of a lead.
Firestore takes documents of 1 MiB, and a lead's traits stand in each of its unsent triggers too.
"""

_BYTES_OF_AN_ESCAPE = 6


def outgrows(before: Mapping[str, Trail], after: Mapping[str, Trail], trust: Trust) -> bool:
    """Whether a person becomes heavier than events of this trust may make them."""
    most = MAX_WEIGHT_BYTES * (2 if trust is Trust.SIGNED else 1)
    weight = _weight_bytes(after)
    return weight > most and weight > _weight_bytes(before)


def _weight_bytes(trails: Mapping[str, Trail]) -> int:
    return sum(map(_weight_of_trail, trails.values()))


def _weight_of_trail(trail: Trail) -> int:
    traits = sum(len(name) + len(fact.value_json) for name, fact in trail.traits.items())
    names = sum(map(len, trail.history.last_day))
    touches = _weight_of_touch(trail.first_touch) + _weight_of_touch(trail.last_touch)
    notes = sum(len(note.text) for note in trail.notes)
    return _bytes(trail.identifier.value) + traits + names + touches + notes


def _weight_of_touch(touch: Touch | None) -> int:
    return sum(len(name) + _bytes(value) for name, value in touch.attribution) if touch else 0


def _bytes(text: str) -> int:
    return len(text) * (1 if text.isascii() else _BYTES_OF_AN_ESCAPE)
