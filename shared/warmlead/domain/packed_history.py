"""Kept events in a compact form, which an event is added to without unpacking the others."""

import hashlib
import re
import struct
import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from msgspec import Struct

DAY_MS = 86_400_000

RECORD = 32
"""The length of a packed event: key, time, delay of the receipt and shape, in base64."""

RECENT = 64
"""At least this number of events, those received last, stay unpacked."""

_BOUNDARY_EVERY = 16
"""The mean number of events from one boundary to the next; packing may stop behind one."""

_KEY_CHARS = 10
"""The characters of a record that its key alone decides: 60 of the key's 64 bits."""

_KEY = re.compile(r"[0-9a-f]{16}")
_KEY_BYTES, _TIME_BYTES, _DELAY_BYTES, _SHAPE_BYTES = 8, 6, 5, 5
_AFTER_TIME_BITS = 16
"""The bits of a delay that share eight bytes with the time."""

_SHAPE_BITS = 8 * _SHAPE_BYTES
_SHAPE_MASK = (1 << _SHAPE_BITS) - 1
_DELAY_BITS = 8 * _DELAY_BYTES - _AFTER_TIME_BITS
_DELAY_MASK = (1 << _AFTER_TIME_BITS) - 1
_WORDS = struct.Struct(">8sQQ")
"""A record as its key, its time with the beginning of its delay, and the rest with its shape."""

_FEW = 8
"""Number of keys up to which each is searched by itself; for more keys all records are decoded."""

_AT_ONCE = 64
"""Number of records that are decoded at a time: often only the first is needed."""

_AHEAD_MS = DAY_MS
"""An event may happen after its receipt, by a clock that runs ahead; delays begin there."""

OF_SHADOW = "~"
"""What a label begins with that only a second model's signal has; no model can name one so."""

Shape: TypeAlias = tuple[str, tuple[str, ...]]
"""The labels of an event: its name, and its signals."""


def own_signals(signals: Iterable[str]) -> tuple[str, ...]:
    """The signals of an event without those that only a second model has."""
    return tuple([signal for signal in signals if signal[:1] != OF_SHADOW])


class KeptEvent(NamedTuple):
    """One event as the history keeps it; ordered by its fields from first to last.

    ``mark`` says of which mail and link it is (``mail_scans``). Events with a mark are not packed.
    """

    at_ms: int
    key: str
    received_ms: int
    name: str
    signals: tuple[str, ...]
    mark: str = ""

    @property
    def day(self) -> int:
        """The UTC day on which it happened."""
        return self.at_ms // DAY_MS

    @property
    def labels(self) -> tuple[tuple[bool, str], ...]:
        """All its labels: its name, and its signals."""
        return _labels_of((self.name, self.signals))

    @property
    def shape(self) -> Shape:
        """What it is counted as."""
        return self.name, self.signals


@lru_cache(maxsize=10_000)
def _labels_of(shape: Shape) -> tuple[tuple[bool, str], ...]:
    name, signals = shape
    return ((False, name), *((True, signal) for signal in signals))


def by_receipt(event: KeptEvent) -> tuple[int, KeptEvent]:
    """The order in which events are packed, and in which the first of a day are kept."""
    return event.received_ms, event


class Packed(Struct, frozen=True):
    """Events in order of receipt. ``days`` counts them by shape and UTC day."""

    text: str = ""
    days: Mapping[Shape, Mapping[int, int]] = {}

    def __len__(self) -> int:
        return len(self.text) // RECORD

    def __iter__(self) -> Iterator[KeptEvent]:
        return self.slice(0, len(self))

    def slice(self, start: int, end: int) -> Iterator[KeptEvent]:
        """The events of some places, the earliest received first."""
        shapes = {int.from_bytes(shape_id(shape), "big"): shape for shape in self.days}
        for place in range(start, end, _AT_ONCE):
            text = self.text[place * RECORD : min(end, place + _AT_ONCE) * RECORD]
            for key, time, rest in _WORDS.iter_unpack(b64decode(text)):
                at_ms = time >> _AFTER_TIME_BITS
                delay = (time & _DELAY_MASK) << _DELAY_BITS | rest >> _SHAPE_BITS
                received_ms = at_ms + delay - _AHEAD_MS
                yield KeptEvent(at_ms, key.hex(), received_ms, *shapes[rest & _SHAPE_MASK])

    def keys(self) -> Iterator[str]:
        """The keys of all of them."""
        return (key.hex() for key, _, _ in _WORDS.iter_unpack(b64decode(self.text)))

    def keys_among(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Those of some keys that are the key of one of them."""
        if len(wanted) > _FEW:
            return wanted & set(self.keys())
        return {key for key in wanted if self.place_of(key) is not None}

    def at(self, place: int) -> KeptEvent:
        """The event of a place."""
        at_ms, key, received_ms, id_ = _fields(self.text[place * RECORD : (place + 1) * RECORD])
        shape = next(shape for shape in self.days if shape_id(shape) == id_)
        return KeptEvent(at_ms, key, received_ms, *shape)

    def find(self, key: str) -> KeptEvent | None:
        """The event of a key, if it is among them."""
        place = self.place_of(key)
        return None if place is None else self.at(place)

    def place_of(self, key: str) -> int | None:
        """The place of the event of a key, if it is among them."""
        if not self.text or not _KEY.fullmatch(key):
            return None
        beginning = _key_text(key)
        found = self.text.find(beginning)
        while found >= 0:
            if found % RECORD == 0 and self.at(found // RECORD).key == key:
                return found // RECORD
            found = self.text.find(beginning, found + 1)
        return None

    def place_for(self, event: KeptEvent) -> int:
        """The number of events that were received before this one."""
        order = event.received_ms, event.at_ms, event.key
        if not self.text or self._order_at(len(self) - 1) < order:
            return len(self)
        return bisect_left(range(len(self)), order, key=self._order_at)

    def boundary_before(self, place: int) -> int:
        """The last place up to this one behind which packing may stop."""
        while place and not _is_boundary(self._order_at(place - 1)[2]):
            place -= 1
        return place

    def _order_at(self, place: int) -> tuple[int, int, str]:
        """What decides the order of an event by receipt; of two events the keys differ."""
        at_ms, key, received_ms, _ = _fields(self.text[place * RECORD : (place + 1) * RECORD])
        return received_ms, at_ms, key

    def on_day(self, day: int) -> dict[tuple[bool, str], int]:
        """How many of them happened on a UTC day, by name (``False``) and by signal (``True``)."""
        counts: dict[tuple[bool, str], int] = {}
        for (name, signals), days in self.days.items():
            if count := days.get(day):
                for label in _labels_of((name, signals)):
                    counts[label] = counts.get(label, 0) + count
        return counts

    def with_more(self, events: Sequence[KeptEvent]) -> "Packed":
        """These and later ones; ``events`` are in order of receipt."""
        text = self.text + b64encode(b"".join(map(_record_of, events))).decode()
        return Packed(text, _counted(self.days, events, 1))

    def without_first(self, count: int) -> "Packed":
        """All but the first ones."""
        gone = self.slice(0, count)
        return Packed(self.text[count * RECORD :], _counted(self.days, gone, -1))

    def with_one(self, place: int, event: KeptEvent) -> "Packed":
        """These and one more, inserted at a place."""
        start = place * RECORD
        text = self.text[:start] + _packed(event) + self.text[start:]
        return Packed(text, _counted(self.days, [event], 1))

    def without(self, place: int) -> "Packed":
        """All but the one at a place."""
        start = place * RECORD
        text = self.text[:start] + self.text[start + RECORD :]
        return Packed(text, _counted(self.days, [self.at(place)], -1))

    def of_day(
        self, day: int, wanted: Callable[[Iterable[tuple[bool, str]]], bool]
    ) -> Iterator[KeptEvent]:
        """Those of a UTC day whose labels are ``wanted``; no others are unpacked."""
        shapes = {
            shape_id(shape): shape
            for shape, days in self.days.items()
            if day in days and wanted(_labels_of(shape))
        }
        words = array("Q", b64decode(self.text))  # three for each: key, time, and the rest
        if sys.byteorder == "little":
            words.byteswap()
        begin, end = day * DAY_MS << _AFTER_TIME_BITS, (day + 1) * DAY_MS << _AFTER_TIME_BITS
        for place, word in enumerate(words[1::3]):
            if begin <= word < end:
                text = self.text[place * RECORD : (place + 1) * RECORD]
                if _fields(text)[3] in shapes:
                    yield _unpacked(text, shapes)

    def first(self, count: int) -> "Packed":
        """The first ones alone."""
        gone = self.slice(count, len(self))
        return Packed(self.text[: count * RECORD], _counted(self.days, gone, -1))


NONE_PACKED = Packed()


def packed_prefix(events: Sequence[KeptEvent]) -> int:
    """How many of some events, in order of receipt, are packed.

    Up to the last boundary that leaves enough of them unpacked. A boundary is made by an event's
    key, so that it stays where it is when events are added behind or folded away in front.
    """
    last = 0
    for place, event in enumerate(events[: max(0, len(events) - RECENT)]):
        if not is_packable(event):
            break
        if _is_boundary(event.key):
            last = place + 1
    return last


def _is_boundary(key: str) -> bool:
    return int(key[-2:], 16) % _BOUNDARY_EVERY == 0


def is_packable(event: KeptEvent) -> bool:
    """Whether an event's key and times fit into a record, and there is nothing else."""
    delay = event.received_ms - event.at_ms + _AHEAD_MS
    return (
        not event.mark
        and _KEY.fullmatch(event.key) is not None
        and 0 <= event.at_ms < 1 << (8 * _TIME_BYTES)
        and 0 <= delay < 1 << (8 * _DELAY_BYTES)
    )


@lru_cache(maxsize=10_000)
def shape_id(shape: Shape) -> bytes:
    """What stands for a shape in a record."""
    name, signals = shape
    text = "\n".join((name, *signals)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_SHAPE_BYTES).digest()


def _key_text(key: str) -> str:
    return b64encode(bytes.fromhex(key)).decode()[:_KEY_CHARS]


def _packed(event: KeptEvent) -> str:
    return b64encode(_record_of(event)).decode()


def _record_of(event: KeptEvent) -> bytes:
    delay = event.received_ms - event.at_ms + _AHEAD_MS
    return (
        bytes.fromhex(event.key)
        + event.at_ms.to_bytes(_TIME_BYTES, "big")
        + delay.to_bytes(_DELAY_BYTES, "big")
        + shape_id(event.shape)
    )


def _unpacked(text: str, shapes: Mapping[bytes, Shape]) -> KeptEvent:
    at_ms, key, received_ms, shape = _fields(text)
    return KeptEvent(at_ms, key, received_ms, *shapes[shape])


def _fields(text: str) -> tuple[int, str, int, bytes]:
    """A record's time, key, time of receipt and id of a shape."""
    record = b64decode(text)
    at_ms = int.from_bytes(record[8:14], "big")
    received_ms = at_ms + int.from_bytes(record[14:19], "big") - _AHEAD_MS
    return at_ms, record[:8].hex(), received_ms, record[19:]


def _counted(
    before: Mapping[Shape, Mapping[int, int]], events: Iterable[KeptEvent], by: int
) -> dict[Shape, Mapping[int, int]]:
    """The counts with some events added or removed; zeros are left out."""
    after: dict[Shape, Mapping[int, int]] = dict(before)
    touched: dict[Shape, dict[int, int]] = {}
    for event in events:
        days = touched.get(event.shape)
        if days is None:
            days = after[event.shape] = touched[event.shape] = dict(before.get(event.shape, {}))
        days[event.day] = days.get(event.day, 0) + by
    for shape, days in touched.items():
        left = {day: count for day, count in days.items() if count}
        if left:
            after[shape] = left
        else:
            del after[shape]
    return after


Label: TypeAlias = tuple[bool, str]
Folded = Callable[[Label], int]
"""How many older events of a label there were on the day; they are kept as a number."""


class Kept(Struct, frozen=True):
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
    of_day = [each for each in kept.recent.values() if each.day == event.day and not each.mark]
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
