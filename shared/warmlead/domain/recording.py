"""Records events in a history: each is counted once, and of each label and day the first 20 stay.

Events of mails that have a mark do not take the place of others, nor do others take theirs: which
of them count is known only when all of a mail's are seen together (``mail_scans``).

A single event is put beside or among the packed ones, at a cost that hardly grows with their
number. If many events come at once, all packed ones are unpacked once, and each event costs the
same for any history.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Struct, structs

from warmlead.domain.history import (
    MANY_RECENT,
    MAX_PER_DAY,
    NO_HISTORY,
    History,
    counts_of_both,
    packed_anew,
    unpacked_from,
)
from warmlead.domain.packed_history import (
    DAY_MS,
    NONE_PACKED,
    Kept,
    KeptEvent,
    by_receipt,
    with_late,
)

_FEW = 8
MAX_MARKED = 100
"""Limit of events with a mark of one name on one day that are kept: a mail may have many links."""

_OPENED_FOR_ONE = 250
"""Number of kept events that can be unpacked at the cost of recording one by itself."""

_Slot: TypeAlias = tuple[int, tuple[bool, str]]
"""A UTC day number and a label."""

_Receipt: TypeAlias = tuple[int, KeptEvent]


class Recorded(Struct, frozen=True):
    """The changes of a history by one event.

    ``come`` is the event if it is kept, ``gone`` are the events that it displaced. ``came`` are
    names that are new, ``left`` names that are gone.
    """

    come: KeptEvent | None = None
    gone: tuple[KeptEvent, ...] = ()
    came: str | None = None
    left: str | None = None


NOTHING_RECORDED = Recorded()


def are_many(events: int, kept: int) -> bool:
    """Whether it costs less to unpack what is kept than to record the events one by one."""
    return events > _FEW + kept // _OPENED_FOR_ONE


def record(history: History, events: Iterable[KeptEvent]) -> History:
    """The history with the events in it; one that is there already changes nothing.

    Of two copies of an event the smaller one stays, so that it does not matter which came
    first. Of each label and day the first 20 by (time of receipt, time, key) stay, those that
    were folded or packed among them: they were received before all others. Of those with a mark
    the first 100 of each name and day stay.
    """
    some = list(events)
    if are_many(len(some), history.count):
        recording = Recording(history)
        for event in some:
            recording.add(event)
        return recording.history
    for event in some:
        history, _ = recorded_one(history, event)
    return history


def union(one: History, other: History) -> History:
    """What two histories keep of one person; an event that both keep is kept once."""
    return record(counts_of_both(one, other), [*one.kept.values(), *other.kept.values()])


# --- one event -----------------------------------------------------------------------------


def recorded_one(history: History, event: KeptEvent) -> tuple[History, Recorded]:
    """The history with an event in it, and what that has changed: see ``record``."""
    present = history.recent.get(event.key)
    if history.packed and (present is None or event < present):
        place = history.packed.place_of(event.key)
        late = not event.mark and history.packed.place_for(event) < len(history.packed)
        if place is not None or late:
            present = present if place is None else history.packed.at(place)
            if present is not None and event >= present:
                return history, NOTHING_RECORDED
            among = with_late(
                Kept(history.packed, history.recent),
                event,
                lambda label: folded_of(history, label, event.day),
                MAX_PER_DAY,
            )
            if among:
                after = structs.replace(history, recent=among.recent, packed=among.packed)
                return _recorded(history, after, event, present, among.gone)
            history = _opened(history, event, place)
    if present is not None and event >= present:
        return history, NOTHING_RECORDED
    recent = {**history.recent, event.key: event}
    after = structs.replace(history, recent=recent)
    gone = [recent.pop(key) for key in _beyond_the_first(after, event)]
    after, changed = _recorded(history, after, event, present, gone)
    return packed_anew(after) if len(recent) > MANY_RECENT else after, changed


def _recorded(
    before: History,
    after: History,
    event: KeptEvent,
    present: KeptEvent | None,
    beyond: Sequence[KeptEvent],
) -> tuple[History, Recorded]:
    """The history ``after`` with the last days of its names, and what has changed.

    A copy that was ``present`` has given way to the event, and what was ``beyond`` the first.
    """
    last_day = dict(before.last_day)
    if present is not None and not present.mark and last_day.get(present.name) == present.day:
        del last_day[present.name]  # that copy counts no more
        if days := _days_of(present.name, after):
            last_day[present.name] = max(days)
    if not event.mark:
        last_day[event.name] = max(event.day, last_day.get(event.name, event.day))
    gone = [each for each in beyond if each.key != event.key]
    return structs.replace(after, last_day=last_day), Recorded(
        come=event if len(gone) == len(beyond) else None,
        gone=tuple(gone if present is None else [present, *gone]),
        came=event.name if _is_new(event.name, before.last_day, last_day) else None,
        left=present.name if present and _is_new(present.name, last_day, before.last_day) else None,
    )


def _is_new(name: str, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    return name in after and name not in before


def _opened(history: History, event: KeptEvent, place: int | None) -> History:
    """The history, unpacked from where an event changes what is packed; a copy is at ``place``."""
    end = history.packed.place_for(event)
    end = end if place is None else min(end, place)
    return unpacked_from(history, history.packed.boundary_before(end))


def _days_of(name: str, history: History) -> set[int]:
    """The days on which events of a name happened."""
    days = {event.day for event in history.recent.values() if event.name == name and not event.mark}
    packed = (of for (known, _), of in history.packed.days.items() if known == name)
    return days.union(history.name_days.get(name, ()), *packed)


def folded_of(history: History, label: tuple[bool, str], day: int) -> int:
    """How many older events of a label there were on a UTC day; they are kept as a number."""
    is_signal, name = label
    folded = history.signal_days if is_signal else history.name_days
    return folded.get(name, {}).get(day, 0)


def _beyond_the_first(history: History, added: KeptEvent) -> Sequence[str]:
    """The keys of events that are beyond the first 20 of all their labels on the day of one.

    That one was ``added``: on other days nothing has changed.
    """
    if added.mark:
        like = (each for each in history.recent.values() if _slots_of(each) == _slots_of(added))
        return [each.key for each in sorted(like, key=by_receipt)[MAX_MARKED:]]
    day, packed = added.day, history.packed.on_day(added.day)
    of_day = [
        event
        for event in history.recent.values()
        if event.at_ms // DAY_MS == day and not event.mark
    ]

    def before(label: tuple[bool, str]) -> int:
        return packed.get(label, 0) + folded_of(history, label, day)

    room = MAX_PER_DAY - max(map(before, added.labels))
    if len(of_day) <= room:
        return ()
    counts = Counter(label for event in of_day for label in event.labels)
    if all(before(label) + counts[label] <= MAX_PER_DAY for label in added.labels):
        return ()
    seen = {label: before(label) for label in counts}
    beyond = []
    for event in sorted(of_day, key=by_receipt):
        for label in event.labels:
            seen[label] += 1
        if all(seen[label] > MAX_PER_DAY for label in event.labels):
            beyond.append(event.key)
    return beyond


# --- many events ---------------------------------------------------------------------------


class Recording:
    """A history in which many events are recorded. What one has changed can be taken back at once.

    The events of a day under a label are in order of receipt, so that a new one finds its place
    and whom it displaces without a look at the others.
    """

    def __init__(self, history: History) -> None:
        self._before = history
        self._is_changed = self._was_changed = False
        self._last_day = dict(history.last_day)
        self._last_day_before: list[tuple[str, int | None]] = []
        self._kept: dict[str, KeptEvent] = {}
        self._of_slot: defaultdict[_Slot, list[_Receipt]] = defaultdict(list)
        self._days: defaultdict[str, list[int]] = defaultdict(list)
        for receipt in sorted(map(by_receipt, history.kept.values())):
            self._put_in(receipt)

    @property
    def history(self) -> History:
        """The history as it is now."""
        if not self._is_changed:
            return self._before
        after = structs.replace(
            self._before, recent=dict(self._kept), last_day=dict(self._last_day), packed=NONE_PACKED
        )
        return packed_anew(after) if len(self._kept) > MANY_RECENT else after

    def find(self, key: str) -> KeptEvent | None:
        """The kept event of a key."""
        return self._kept.get(key)

    def add(self, event: KeptEvent) -> Recorded:
        """Records an event: see ``record``."""
        self._last_day_before.clear()
        self._was_changed = self._is_changed
        present = self._kept.get(event.key)
        if present is not None and event >= present:
            return NOTHING_RECORDED
        self._is_changed = True
        if present is not None:
            self._take_out(present)
        self._put_in(by_receipt(event))
        beyond = self._beyond_with(event)
        for each in beyond:
            self._take_out(each)
        left = self._name_left(present) if present and not present.mark else None
        came = None
        if not event.mark:
            came = event.name if event.name not in self._last_day else None
            last = max(event.day, self._last_day.get(event.name, event.day))
            self._note_last_day(event.name, last)
        gone = [each for each in beyond if each is not event]
        return Recorded(
            come=event if len(gone) == len(beyond) else None,
            gone=tuple(gone if present is None else [present, *gone]),
            came=came,
            left=left,
        )

    def take_back(self, recorded: Recorded) -> None:
        """Undoes the last ``add``, whose answer is given."""
        if recorded.come:
            self._take_out(recorded.come)
        for each in recorded.gone:
            self._put_in(by_receipt(each))
        for name, day in reversed(self._last_day_before):
            if day is None:
                del self._last_day[name]
            else:
                self._last_day[name] = day
        self._last_day_before.clear()
        self._is_changed = self._was_changed

    def _beyond_with(self, event: KeptEvent) -> list[KeptEvent]:
        """The events that an event displaces and no other label keeps; or the event itself."""
        receipt = by_receipt(event)
        displaced: dict[str, KeptEvent] = {}
        is_needed = False
        for slot in _slots_of(event):
            of_slot, room = self._of_slot[slot], self._room_in(slot)
            if bisect_left(of_slot, receipt) >= room:
                continue
            is_needed = True
            if len(of_slot) > room:
                next_one = of_slot[room][1]
                displaced[next_one.key] = next_one
        if not is_needed:
            return [event]
        return [each for each in displaced.values() if not self._is_needed(each)]

    def _is_needed(self, event: KeptEvent) -> bool:
        """Whether it is among the first of one of its labels."""
        receipt = by_receipt(event)
        return any(
            bisect_left(self._of_slot[slot], receipt) < self._room_in(slot)
            for slot in _slots_of(event)
        )

    def _room_in(self, slot: _Slot) -> int:
        day, label = slot
        if _is_of_mails(slot):
            return MAX_MARKED
        return MAX_PER_DAY - folded_of(self._before, label, day)

    def _name_left(self, gone: KeptEvent) -> str | None:
        """Notes the last day of the name of a copy that counts no more; the name if it has none."""
        name = gone.name
        if self._last_day.get(name) != gone.day:
            return None
        days = [*self._days[name][-1:], *self._before.name_days.get(name, ())]
        self._note_last_day(name, max(days, default=None))
        return None if days else name

    def _note_last_day(self, name: str, day: int | None) -> None:
        before = self._last_day.get(name)
        if before == day:
            return
        self._last_day_before.append((name, before))
        if day is None:
            del self._last_day[name]
        else:
            self._last_day[name] = day

    def _put_in(self, receipt: _Receipt) -> None:
        event = receipt[1]
        self._kept[event.key] = event
        for slot in _slots_of(event):
            of_slot = self._of_slot[slot]
            if not of_slot and _is_of_name(slot):
                insort(self._days[event.name], event.day)
            insort(of_slot, receipt)

    def _take_out(self, event: KeptEvent) -> None:
        del self._kept[event.key]
        receipt = by_receipt(event)
        for slot in _slots_of(event):
            of_slot = self._of_slot[slot]
            del of_slot[bisect_left(of_slot, receipt)]
            if not of_slot and _is_of_name(slot):
                self._days[event.name].remove(event.day)


_MAILS = "\n"
"""What begins the label of events with a mark; no name begins with it."""


def _slots_of(event: KeptEvent) -> list[_Slot]:
    day = event.day
    if event.mark:
        return [(day, (True, _MAILS + event.name))]
    return [(day, label) for label in event.labels]


def _is_of_mails(slot: _Slot) -> bool:
    return slot[1][1].startswith(_MAILS)


def _is_of_name(slot: _Slot) -> bool:
    is_signal, _ = slot[1]
    return not is_signal


# --- several histories ---------------------------------------------------------------------


class Recordings:
    """The histories of some trails while events are recorded in them, ``many`` or few."""

    def __init__(self, histories: Mapping[str, History], *, many: bool) -> None:
        self._before = histories
        self._many = many
        self._histories: dict[str, History] = {}
        self._recordings: dict[str, Recording] = {}

    @property
    def changed(self) -> dict[str, History]:
        """The histories in which events were recorded, by the id of their trail."""
        return {id_: each.history for id_, each in self._recordings.items()} | self._histories

    def find(self, id_: str, key: str) -> KeptEvent | None:
        """The event of a key that a trail keeps by now."""
        if recording := self._recordings.get(id_):
            return recording.find(key)
        history = self._histories.get(id_) or self._before.get(id_)
        return history.find(key) if history else None

    def add(self, id_: str, event: KeptEvent) -> tuple[Recorded, Callable[[], None]]:
        """Records an event of a trail; what it changed, and how to take that back at once."""
        if not self._many:
            before = self._histories.get(id_) or self._before.get(id_, NO_HISTORY)
            self._histories[id_], recorded = recorded_one(before, event)
            return recorded, partial(self._histories.__setitem__, id_, before)
        recording = self._recordings.get(id_)
        if recording is None:
            recording = self._recordings[id_] = Recording(self._before.get(id_, NO_HISTORY))
        recorded = recording.add(event)
        return recorded, partial(recording.take_back, recorded)
