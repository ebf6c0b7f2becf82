"""What is kept of the events of one identifier: enough to score it under any model, no more.

Events received in the last 31 days are kept one by one, so that each is counted once however
often and in whatever order it arrives. Older ones are folded into a count per signal and day.
All operations are pure, and the result depends on the set of events alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeAlias

from msgspec import Struct

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

EXACT_DAYS = 31
"""How long an event is kept by itself, from its receipt: longer than any sender retries."""

MAX_PER_DAY = 20
"""So many events of one signal or name on one day are kept; no model may count more."""

MAX_NAME_DAYS = 90
"""For so long the days of bare event names matter: the longest window a condition can ask for."""

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


def to_date(day: int) -> date:
    """The calendar date of a day number."""
    return date.fromordinal(day + _EPOCH.toordinal())


class KeptEvent(NamedTuple):
    """One event as the history keeps it; the order of the fields is the order of events."""

    at_ms: int
    key: str
    received_ms: int
    name: str
    signals: tuple[str, ...]

    @property
    def day(self) -> int:
        """The UTC day on which it happened."""
        return day_of(self.at_ms)

    @property
    def labels(self) -> tuple[tuple[bool, str], ...]:
        """Everything it is counted as: its name, and its signals."""
        return ((False, self.name), *((True, signal) for signal in self.signals))


class History(Struct, frozen=True):
    """The kept events by key, the folded counts, and the last day of each event name."""

    kept: Mapping[str, KeptEvent] = {}
    signal_days: Counts = {}
    name_days: Counts = {}
    last_day: Mapping[str, int] = {}

    def only(self, keys: Iterable[str]) -> "History":
        """The history without the kept events of other keys."""
        kept = {key: self.kept[key] for key in keys if key in self.kept}
        return History(kept, self.signal_days, self.name_days, self.last_day)


def record(history: History, events: Iterable[KeptEvent]) -> History:
    """The history with the events in it; one that is there already changes nothing.

    Of two copies of an event the smaller one stays, so that it does not matter which came
    first. Of each label and day the first 20 by (time of receipt, time, key) stay, those that
    were folded among them: they were received before all that are kept.
    """
    kept = dict(history.kept)
    last_day = dict(history.last_day)
    touched: set[int] = set()
    for event in events:
        present = kept.get(event.key)
        if present is not None and event >= present:
            continue
        kept[event.key] = event
        touched.add(event.day)
        if present is not None and last_day.get(present.name) == present.day:
            del last_day[present.name]  # that copy counts no more
            if days := _days_of(present.name, kept.values(), history):
                last_day[present.name] = max(days)
        last_day[event.name] = max(event.day, last_day.get(event.name, event.day))
    if not touched and last_day == history.last_day:
        return history
    for key in _beyond_the_first(history, kept.values(), touched):
        del kept[key]
    return History(kept, history.signal_days, history.name_days, last_day)


def _days_of(name: str, kept: Iterable[KeptEvent], history: History) -> set[int]:
    """The days on which events of a name happened."""
    days = {event.day for event in kept if event.name == name}
    return days.union(history.name_days.get(name, ()))


def _beyond_the_first(history: History, kept: Iterable[KeptEvent], days: set[int]) -> Sequence[str]:
    """The keys of those events of the days that are beyond the first 20 of all their labels."""
    of_days = [event for event in kept if event.day in days]
    seen: defaultdict[tuple[int, bool, str], int] = defaultdict(int)
    beyond = []
    for event in sorted(of_days, key=lambda event: (event.received_ms, event)):
        needed = False
        for is_signal, label in event.labels:
            folded = history.signal_days if is_signal else history.name_days
            slot = (event.day, is_signal, label)
            seen[slot] += 1
            rank = seen[slot] + folded.get(label, {}).get(event.day, 0)
            needed = needed or rank <= MAX_PER_DAY
        if not needed:
            beyond.append(event.key)
    return beyond


def fold(history: History, now_ms: int) -> History:
    """The history as of now: events received more than 31 days ago become counts."""
    horizon_ms = now_ms - EXACT_DAYS * DAY_MS
    due = [event for event in history.kept.values() if event.received_ms < horizon_ms]
    oldest_day = day_of(now_ms) - MAX_NAME_DAYS
    outdated = any(day <= oldest_day for days in history.name_days.values() for day in days)
    if not due and not outdated:
        return history
    signals = {signal: dict(days) for signal, days in history.signal_days.items()}
    names = {name: dict(days) for name, days in history.name_days.items()}
    for event in due:
        for is_signal, label in event.labels:
            days = (signals if is_signal else names).setdefault(label, {})
            days[event.day] = min(MAX_PER_DAY, days.get(event.day, 0) + 1)
    recent = {
        name: fresh
        for name, days in names.items()
        if (fresh := {day: count for day, count in days.items() if day > oldest_day})
    }
    kept = {k: e for k, e in history.kept.items() if e.received_ms >= horizon_ms}
    return History(kept, signals, recent, history.last_day)


def union(one: History, other: History) -> History:
    """What two histories keep of one person; an event that both keep is kept once."""
    parts = (one, other)
    counts = History(
        signal_days=_sum([part.signal_days for part in parts]),
        name_days=_sum([part.name_days for part in parts]),
        last_day=_latest([part.last_day for part in parts]),
    )
    return record(counts, [event for part in parts for event in part.kept.values()])


class Tally(Struct, frozen=True):
    """How often what happened on which day, over all of a lead's histories; counts to 20."""

    signals: Counts
    names: Counts
    last_day: Mapping[str, int]


def tally(histories: Iterable[History], *, known_at_ms: int | None = None) -> Tally:
    """Counts a lead's events by label and UTC day, each event once.

    With ``known_at_ms`` only what had been received by then (for folded events: had happened
    on that day or before) is counted: the past as it was known, not as it is known now.
    """
    parts = list(histories)
    unknown: set[tuple[str, int]] = set()
    if len(parts) == 1 and known_at_ms is None:
        kept = parts[0].kept
    else:
        kept, unknown = _received_by(parts, known_at_ms)
    last_known_day = None if known_at_ms is None else day_of(known_at_ms)
    signals = _sum([part.signal_days for part in parts], last_known_day)
    names = _sum([part.name_days for part in parts], last_known_day)
    for event in kept.values():
        day = event.at_ms // DAY_MS
        _count(names, (event.name,), day)
        _count(signals, event.signals, day)
    latest = _latest([part.last_day for part in parts])
    if last_known_day is not None:
        known = {n: d for n, d in latest.items() if d <= last_known_day and (n, d) not in unknown}
        counted = [{name: max(days)} for name, days in names.items() if days]
        latest = _latest([known, *counted])
    return Tally(signals, names, latest)


def _received_by(
    parts: Iterable[History], known_at_ms: int | None
) -> tuple[dict[str, KeptEvent], set[tuple[str, int]]]:
    """The kept events that had been received by then, and the names and days of the others."""
    kept: dict[str, KeptEvent] = {}
    unknown: set[tuple[str, int]] = set()
    for part in parts:
        for key, event in part.kept.items():
            if known_at_ms is not None and event.received_ms > known_at_ms:
                unknown.add((event.name, event.day))
                continue
            present = kept.get(key)
            kept[key] = event if present is None else min(event, present)
    return kept, unknown


def _count(counts: dict[str, dict[int, int]], labels: Iterable[str], day: int) -> None:
    for label in labels:
        days = counts.get(label)
        if days is None:
            days = counts[label] = {}
        count = days.get(day, 0)
        if count < MAX_PER_DAY:
            days[day] = count + 1


def _sum(parts: Iterable[Counts], last_day: int | None = None) -> dict[str, dict[int, int]]:
    total: dict[str, dict[int, int]] = {}
    for part in parts:
        for label, days in part.items():
            into = total.setdefault(label, {})
            for day, count in days.items():
                if last_day is None or day <= last_day:
                    into[day] = min(MAX_PER_DAY, into.get(day, 0) + count)
    return total


def _latest(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    latest: dict[str, int] = {}
    for part in parts:
        for name, day in part.items():
            latest[name] = max(day, latest.get(name, day))
    return latest
