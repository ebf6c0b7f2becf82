"""The history of one identifier: what scoring needs of its events, under any model, and no more.

Events received in the last 31 days are kept one by one, so that each is counted once, however often
and in any order it arrives. Older ones are folded into a count per signal and day. All operations
are pure, and the result depends on the set of events alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from msgspec import Struct, structs

from warmlead.domain.mail_scans import APART_MS, ARE_WORTHLESS, MachinePolicy, judged, moments
from warmlead.domain.packed_history import (
    DAY_MS,
    NONE_PACKED,
    RECENT,
    KeptEvent,
    Packed,
    by_receipt,
    packed_prefix,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

EXACT_DAYS = 31
"""How long an event is kept by itself, from its receipt: longer than any sender retries."""

MAX_PER_DAY = 20
"""Limit of events of one signal or name on one day that are kept; no model may count more."""

MANY_RECENT = 4 * RECENT
"""With more unpacked events than this, some are packed at once: many may come in one request."""

NAME_DAYS = 90
"""Days for which the counts of every event name are kept; longer of names that a model measures."""

DayCounts: TypeAlias = Mapping[int, int]  # day number since 1970-01-01 UTC → count
Counts: TypeAlias = Mapping[str, DayCounts]


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MS


def from_ms(moment_ms: int) -> datetime:
    """The aware UTC time of milliseconds since 1970-01-01."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def day_of(moment_ms: int) -> int:
    """The UTC day number of a time in milliseconds."""
    return moment_ms // DAY_MS


def day_at(moment: datetime) -> int:
    """The UTC day number of a moment."""
    return day_of(to_ms(moment))


def to_date(day: int) -> date:
    """The calendar date of a day number."""
    return date.fromordinal(day + _EPOCH.toordinal())


class History(Struct, frozen=True):
    """The kept events, the folded counts, and the last day of each event name.

    ``recent`` are the kept events that were received last, by key; those before are ``packed``.
    """

    recent: Mapping[str, KeptEvent] = {}
    signal_days: Counts = {}
    name_days: Counts = {}
    last_day: Mapping[str, int] = {}
    packed: Packed = NONE_PACKED

    @property
    def kept(self) -> Mapping[str, KeptEvent]:
        """All kept events by key. Unpacks them: for work on all of them."""
        if not self.packed:
            return self.recent
        return {**{event.key: event for event in self.packed}, **self.recent}

    @property
    def count(self) -> int:
        """How many events are kept."""
        return len(self.packed) + len(self.recent)

    def find(self, key: str) -> KeptEvent | None:
        """The kept event of a key."""
        return self.recent.get(key) or self.packed.find(key)

    def keys_among(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Those of some keys that are the key of a kept event."""
        found = wanted & self.recent.keys()
        return found | self.packed.keys_among(wanted - found) if self.packed else found

    def without(self, keys: Collection[str]) -> "History":
        """The history without the kept events of some keys."""
        kept = {key: event for key, event in self.kept.items() if key not in keys}
        return History(kept, self.signal_days, self.name_days, self.last_day)


NO_HISTORY = History()


def unpacked_from(history: History, start: int) -> History:
    """The history, with the packed events from a place on unpacked."""
    opened = {event.key: event for event in history.packed.slice(start, len(history.packed))}
    recent = {**opened, **history.recent}
    return structs.replace(history, recent=recent, packed=history.packed.first(start))


def with_older(history: History, kept: History, day: int) -> History:
    """The history, which has nothing from before a UTC day, with the counts of another until then.

    Counts of both are not added, because both count the same events.
    """
    return structs.replace(
        history,
        signal_days=_with_older_counts(history.signal_days, kept.signal_days, day),
        name_days=_with_older_counts(history.name_days, kept.name_days, day),
        last_day={**{n: d for n, d in kept.last_day.items() if d <= day}, **history.last_day},
    )


def _with_older_counts(counts: Counts, kept: Counts, day: int) -> Counts:
    after = {label: dict(days) for label, days in counts.items()}
    for label, days in kept.items():
        for each, count in days.items():
            if each <= day:
                mine = after.setdefault(label, {})
                mine[each] = max(count, mine.get(each, 0))
    return after


ALL_ALIKE: Mapping[str, int] = {}
"""No event name is kept for longer than usual."""


def fold(
    history: History,
    now_ms: int,
    kept_days: Mapping[str, int] = ALL_ALIKE,
    machines: MachinePolicy = ARE_WORTHLESS,
) -> History:
    """The history as of now: events received more than 31 days ago become counts.

    Of those that are still kept all but the latest are packed. Counts of event names end after 90
    days, or after the days in ``kept_days``. Events of mails are kept for three days longer, until
    nothing can come any more that says who clicked. Then clicks become what ``machines`` says.
    """
    horizon_ms = now_ms - EXACT_DAYS * DAY_MS
    packed_due = _due_in(history.packed, horizon_ms)
    due = list(history.packed.slice(0, packed_due))
    old = {key: each for key, each in history.recent.items() if each.received_ms < horizon_ms}
    due += [event for event in old.values() if not event.mark]
    if len(due) < packed_due + len(old):
        final_ms = horizon_ms - APART_MS
        for moment in moments(history.recent.values()):
            if all(event.received_ms < final_ms for event in moment):
                due += judged({event.key: event for event in moment}, machines).values()
    today = day_of(now_ms)
    outdated = any(
        min(days, default=today) <= today - kept_days.get(name, NAME_DAYS)
        for name, days in history.name_days.items()
    )
    if due or outdated:
        history = _folded(history, due, packed_due, today, kept_days)
    return packed_anew(history)


def _due_in(packed: Packed, horizon_ms: int) -> int:
    """How many of the packed events were received before the horizon."""
    count = 0
    for event in packed:
        if event.received_ms >= horizon_ms:
            break
        count += 1
    return count


def _folded(
    history: History,
    due: Sequence[KeptEvent],
    packed_due: int,
    today: int,
    kept_days: Mapping[str, int],
) -> History:
    signals, names = dict(history.signal_days), dict(history.name_days)
    last_day = dict(history.last_day)
    copied: set[tuple[bool, str]] = set()
    for event in due:
        for is_signal, label in event.labels:
            counts = signals if is_signal else names
            if (is_signal, label) not in copied:
                counts[label] = dict(counts.get(label, {}))
                copied.add((is_signal, label))
            days: dict[int, int] = counts[label]  # type: ignore[assignment]  # a copy of ours
            days[event.day] = min(MAX_PER_DAY, days.get(event.day, 0) + 1)
        if event.mark:
            last_day[event.name] = max(event.day, last_day.get(event.name, event.day))
    fresh = {
        name: recent
        for name, days in names.items()
        if (recent := _after(days, today - kept_days.get(name, NAME_DAYS)))
    }
    gone = {event.key for event in due[packed_due:]}
    kept = {key: event for key, event in history.recent.items() if key not in gone}
    packed = history.packed.without_first(packed_due) if packed_due else history.packed
    return History(kept, signals, fresh, last_day, packed)


def _after(days: DayCounts, oldest_day: int) -> DayCounts:
    return {day: count for day, count in days.items() if day > oldest_day}


def packed_anew(history: History) -> History:
    """The history with as many of its kept events packed as the events themselves say."""
    if history.packed and len(_packable(history)) < RECENT:
        history = unpacked_from(history, 0)
    if len(history.recent) <= RECENT:
        return history
    ordered = sorted(_packable(history), key=by_receipt)
    packed = ordered[: packed_prefix(ordered)]
    if not packed:
        return history
    gone = {event.key for event in packed}
    recent = {key: event for key, event in history.recent.items() if key not in gone}
    return structs.replace(history, recent=recent, packed=history.packed.with_more(packed))


def _packable(history: History) -> list[KeptEvent]:
    """The recent events without a mark: the others stay as they are."""
    return [event for event in history.recent.values() if not event.mark]


def counts_of_both(one: History, other: History) -> History:
    """The folded counts of two histories of one person, and the last days of both."""
    parts = (one, other)
    signals, names = _Counting(), _Counting()
    for part in parts:
        signals.add_all(part.signal_days)
        names.add_all(part.name_days)
    last_day = _latest([part.last_day for part in parts])
    return History({}, signals.counts, names.counts, last_day)


class Tally(Struct, frozen=True):
    """Counts by label and day, over all histories of a lead; up to 20 each."""

    signals: Counts
    names: Counts
    last_day: Mapping[str, int]


def tally(
    histories: Iterable[History],
    *,
    known_at_ms: int | None = None,
    machines: MachinePolicy = ARE_WORTHLESS,
) -> Tally:
    """Counts a lead's events by label and UTC day, each event once.

    Clicks in mails that only a program can have made count as ``machines`` says. With
    ``known_at_ms`` only events that had been received by then (folded events: had happened on that
    day or before) are counted: the past as it was known then.
    """
    parts = list(histories)
    if known_at_ms is not None:
        return _tally_as_known(parts, known_at_ms, machines)
    signals, names = _Counting(), _Counting()
    for part in parts:
        signals.add_all(part.signal_days)
        names.add_all(part.name_days)
        for (name, labels), days in part.packed.days.items():
            names.add(name, days)
            for label in labels:
                signals.add(label, days)
    marked: dict[str, int] = {}
    for event in _each_once([judged(part.recent, machines) for part in parts]):
        day = event.at_ms // DAY_MS
        names.count((event.name,), day)
        signals.count(event.signals, day)
        if event.mark:
            marked[event.name] = max(day, marked.get(event.name, day))
    last_day = _latest([*(part.last_day for part in parts), marked])
    return Tally(signals.counts, names.counts, last_day)


def with_days_of(known: Tally, signals: Collection[str]) -> Tally:
    """The tally of a past time with the last days of some signals, under their names.

    Counts of event names end after a while, and of each only the last day of all is kept: what the
    lead did before is known by its signals alone.
    """
    last = {name: max(days) for name, days in known.signals.items() if days and name in signals}
    return structs.replace(known, last_day=_latest([known.last_day, last])) if last else known


def _each_once(parts: Sequence[Mapping[str, KeptEvent]]) -> Iterable[KeptEvent]:
    """The events of several histories; of one that is in several the smallest copy."""
    if len(parts) == 1:
        return parts[0].values()
    once: dict[str, KeptEvent] = {}
    for part in parts:
        for key, event in part.items():
            present = once.get(key)
            once[key] = event if present is None else min(event, present)
    return once.values()


class _Counting:
    """Counts by label and day, to 20; days that are not changed are shared with their source."""

    def __init__(self) -> None:
        self.counts: dict[str, Mapping[int, int]] = {}
        self._own: dict[str, dict[int, int]] = {}

    def add_all(self, counts: Counts) -> None:
        for label, days in counts.items():
            self.add(label, days)

    def add(self, label: str, days: DayCounts) -> None:
        if label not in self.counts:
            self.counts[label] = days
            return
        into = self._own_days(label)
        for day, count in days.items():
            into[day] = min(MAX_PER_DAY, into.get(day, 0) + count)

    def count(self, labels: Iterable[str], day: int) -> None:
        for label in labels:
            days = self._own.get(label)
            if days is None:
                days = self._own_days(label)
            count = days.get(day, 0)
            if count < MAX_PER_DAY:
                days[day] = count + 1

    def _own_days(self, label: str) -> dict[int, int]:
        days = self._own.get(label)
        if days is None:
            days = self.counts[label] = self._own[label] = dict(self.counts.get(label, {}))
        return days


def _tally_as_known(parts: Sequence[History], known_at_ms: int, machines: MachinePolicy) -> Tally:
    """The tally of events that had been received by then; of folded events, that had happened."""
    kept, unknown = _received_by(parts, known_at_ms, machines)
    last_known_day = day_of(known_at_ms)
    signals, names = _Counting(), _Counting()
    for part in parts:
        for counting, counts in ((signals, part.signal_days), (names, part.name_days)):
            for label, days in counts.items():
                counting.add(label, {d: n for d, n in days.items() if d <= last_known_day})
    for event in kept.values():
        names.count((event.name,), event.day)
        signals.count(event.signals, event.day)
    latest = _latest([part.last_day for part in parts])
    known = {n: d for n, d in latest.items() if d <= last_known_day and (n, d) not in unknown}
    counted = [{name: max(days)} for name, days in names.counts.items() if days]
    return Tally(_without_empty(signals), _without_empty(names), _latest([known, *counted]))


def _without_empty(counting: _Counting) -> Counts:
    return {label: days for label, days in counting.counts.items() if days}


def _received_by(
    parts: Iterable[History], known_at_ms: int, machines: MachinePolicy
) -> tuple[dict[str, KeptEvent], set[tuple[str, int]]]:
    """The kept events that had been received by then, and the names and days of the others."""
    kept: dict[str, KeptEvent] = {}
    unknown: set[tuple[str, int]] = set()
    for part in parts:
        known: dict[str, KeptEvent] = {}
        for key, event in part.kept.items():
            if event.received_ms > known_at_ms:
                unknown.add((event.name, event.day))
            else:
                known[key] = event
        for key, event in judged(known, machines).items():
            present = kept.get(key)
            kept[key] = event if present is None else min(event, present)
    return kept, unknown


def _latest(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    latest: dict[str, int] = {}
    for part in parts:
        for name, day in part.items():
            latest[name] = max(day, latest.get(name, day))
    return latest
