"""A late event, put among packed ones without unpacking those that were received after it.

Pushes come in any order, and a sender may name any time. Each such event would otherwise cost as
much as all that is kept of its lead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from warmlead.domain.packing import KeptEvent, Packed, by_receipt, is_packable

Label: TypeAlias = tuple[bool, str]
Folded = Callable[[Label], int]
"""How many older events of a label there were on the day; they are kept as a number."""


class Kept(NamedTuple):
    """Kept events: those that are packed, and by key those that were received after them.

    ``gone`` are those that have given way to others.
    """

    packed: Packed
    recent: Mapping[str, KeptEvent]
    gone: Sequence[KeptEvent] = ()


def with_late(kept: Kept, event: KeptEvent, folded: Folded, most: int) -> Kept | None:
    """The events with a late one among the packed; ``None`` if these have to be unpacked for it.

    A larger copy of it gives way, and so do those beyond the first ``most`` of all their labels
    on its day. The last of the packed has to stay: it says where packing stops.
    """
    packed: Packed | None = kept.packed
    recent = {key: each for key, each in kept.recent.items() if key != event.key}
    place = kept.packed.place_of(event.key)
    if place is not None:
        packed = _without(kept.packed, place)
    if packed is None or not is_packable(event) or packed.place_for(event) == len(packed):
        return None
    packed = packed.with_one(packed.place_for(event), event)
    beyond = list(_beyond(Kept(packed, recent), event, folded, most))
    for gone in beyond:
        if recent.pop(gone.key, None) is None:
            place = packed.place_of(gone.key)
            packed = None if place is None else _without(packed, place)
            if packed is None:
                return None
    return Kept(packed, recent, beyond)


def _without(packed: Packed, place: int) -> Packed | None:
    return None if place == len(packed) - 1 else packed.without(place)


def _beyond(kept: Kept, event: KeptEvent, folded: Folded, most: int) -> Iterable[KeptEvent]:
    """Those events that are beyond the first of all their labels on the event's day."""
    of_day = [each for each in kept.recent.values() if each.day == event.day]
    counts = Counter(kept.packed.on_day(event.day))
    counts.update(label for each in of_day for label in each.labels)
    over = {label for label, count in counts.items() if count + folded(label) > most}
    if over.isdisjoint(event.labels):
        return []
    packed = kept.packed.of_day(event.day, lambda labels: not over.isdisjoint(labels))
    seen: Counter[Label] = Counter()
    beyond = []
    for each in sorted([*packed, *of_day], key=by_receipt):
        seen.update(each.labels)
        if all(label in over and seen[label] + folded(label) > most for label in each.labels):
            beyond.append(each)
    return beyond
