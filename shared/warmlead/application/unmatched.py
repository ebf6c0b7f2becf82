"""Finds events that came and that no signal of the model wanted, most frequent first.

Reads the archive where the bus keeps one, with the values of properties; elsewhere the histories
of the leads, which keep the names of events and no values.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from warmlead.application.explain import Shape
from warmlead.application.replay import archived_events, first_copies
from warmlead.application.seen_keys import SeenKeys
from warmlead.domain.errors import UnreadableError
from warmlead.domain.event import AUTOMATED_EVENTS, Event, Trust
from warmlead.domain.event_names import in_our_words
from warmlead.domain.history import from_ms
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.packed_history import DAY_MS, own_signals
from warmlead.domain.packed_history import Shape as PackedShape
from warmlead.domain.rules import Rules
from warmlead.domain.text import one_line
from warmlead.model.document import closest
from warmlead.model.wants import Wants
from warmlead.ports import LeadStore
from warmlead.ports.archiving import MessageLog

MAX_NAMES = 1_000
"""The most names of events that are told apart; those that come after are counted together."""

MAX_LEADS = 1_000
"""The most leads of one name that are told apart."""

MAX_VALUES = 200
"""The most values of one property that are told apart."""

MAX_VALUE = 100
"""The longest value that is shown, in characters; more of it is cut."""

_OF_PROGRAMS = frozenset(AUTOMATED_EVENTS.values())

SHOWN_VALUES = 5
"""How many values of an event people are shown."""

_ALIKE = 0.7


class UnmatchedValue(Shape):
    """A value of a property that conditions name, in events for which none of them held.

    ``like`` is a value with which a condition compares that is spelt nearly the same; or empty.
    """

    property: str
    value: str
    times: int
    like: str


class UnmatchedEvent(Shape):
    """Events of one name that no signal wanted.

    ``public`` of the ``times`` came without a signature. ``leads`` is exact below 1,000.
    ``signals`` are those of this event, whose conditions did not hold; without any, ``like`` is an
    event of some signal with nearly the same name, or empty.
    """

    event: str
    times: int
    public: int
    leads: int
    last_seen: datetime
    signals: list[str]
    like: str
    values: list[UnmatchedValue]


class UnmatchedReport(Shape):
    """All of them, most frequent first.

    ``source`` is ``archive`` or ``histories``; the latter have no values, know the last 31 days,
    and do not tell ``public`` events. ``events`` is how many were looked at, ``matched`` how many
    of them were some signal. ``automated`` came from programs, which is no mistake of the model.
    ``others`` is the number of events under further names.
    """

    source: str
    events: int
    matched: int
    automated: int
    others: int
    unmatched: list[UnmatchedEvent]


@dataclass(slots=True)
class _Seen:
    times: int = 0
    public: int = 0
    last_ms: int = 0
    leads: set[str] = field(default_factory=set)
    values: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, lead_id: str, at_ms: int, *, public: bool = False, times: int = 1) -> None:
        self.times += times
        self.public += public
        self.last_ms = max(self.last_ms, at_ms)
        if len(self.leads) < MAX_LEADS:
            self.leads.add(lead_id)

    def add_value(self, name: str, value: object) -> None:
        shown = value[0] if isinstance(value, list) and len(value) == 1 else value
        text = one_line(str(shown)[: 8 * MAX_VALUE])[:MAX_VALUE]
        counts = self.values.setdefault(name, Counter())
        if text in counts or len(counts) < MAX_VALUES:
            counts[text] += 1


class _Holders:
    """Tells whose an identifier is, by the leads as they are now."""

    def __init__(self, store: LeadStore) -> None:
        self._store = store
        self._lead_ids: dict[str, str] = {}

    async def of(self, id_: str) -> str:
        """The id of the lead that holds an identifier's id; that id if the store has none."""
        if id_ not in self._lead_ids:
            try:
                lead = await self._store.get(id_)
            except UnreadableError:
                lead = None
            self._lead_ids[id_] = lead.id if lead else id_
        return self._lead_ids[id_]


class _Tally:
    """Counts what no signal wanted."""

    def __init__(self, wants: Wants) -> None:
        self.events = self.matched = self.automated = self.others = 0
        self._wants = wants
        self._seen: dict[str, _Seen] = {}

    def of(self, name: str, times: int = 1) -> _Seen | None:
        """Where to count an event of this name; ``None`` if nobody need hear of it."""
        if name in self._wants.passed_over:
            return None
        if name not in self._seen and len(self._seen) >= MAX_NAMES:
            self.others += times
            return None
        return self._seen.setdefault(name, _Seen())

    def asked(self, name: str) -> tuple[str, ...]:
        """The properties that signals of this event name."""
        return tuple(self._wants.asked.get(name, ()))

    def count_kept(self, shape: PackedShape, times: int, at_ms: int, lead_id: str) -> None:
        """Counts some events of a history, which have the same name and signals."""
        name, signals = shape
        self.events += times
        if own_signals(signals):
            self.matched += times
        elif name in _OF_PROGRAMS:
            self.automated += times
        elif seen := self.of(name, times):
            seen.add(lead_id, at_ms, times=times)

    def report(self, source: str) -> UnmatchedReport:
        """All that was counted, in words."""
        ranked = sorted(self._seen.items(), key=lambda each: (-each[1].times, each[0]))
        return UnmatchedReport(
            source=source,
            events=self.events,
            matched=self.matched,
            automated=self.automated,
            others=self.others,
            unmatched=[self._event(name, seen) for name, seen in ranked],
        )

    def _event(self, name: str, seen: _Seen) -> UnmatchedEvent:
        signals = list(self._wants.signals.get(name, ()))
        like = "" if signals else closest(name, self._wants.signals, alike=_ALIKE)
        values = [
            self._value(name, of, value, times)
            for of, counts in sorted(seen.values.items())
            for value, times in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        ]
        return UnmatchedEvent(
            event=name,
            times=seen.times,
            public=seen.public,
            leads=len(seen.leads),
            last_seen=from_ms(seen.last_ms),
            signals=signals,
            like=like,
            values=values,
        )

    def _value(self, name: str, of: str, value: str, times: int) -> UnmatchedValue:
        literals = self._wants.asked[name][of]
        like = closest(value.casefold(), literals, alike=_ALIKE)
        return UnmatchedValue(property=of, value=value, times=times, like=like)


async def unmatched_in_archive(
    *,
    archive: MessageLog,
    rules: Rules,
    wants: Wants,
    ids: LeadIds,
    store: LeadStore,
    progress: Callable[[int], None],
) -> UnmatchedReport:
    """What no signal wanted of all archived events, as the model sees them now.

    ``progress`` is called with the number of events read. The ``store`` says which lead each
    identifier belongs to, so a person counts once.
    """
    tally, seen, holders = _Tally(wants), SeenKeys(), _Holders(store)
    async for messages in archived_events(archive, ids):
        for message in messages:
            for event in first_copies(message or (), seen):
                ours = in_our_words(event)
                if found := _count(ours, tally, rules):
                    lead_id = ids.of(identifiers_of(ours)[0])
                    if len(found.leads) < MAX_LEADS:
                        lead_id = await holders.of(lead_id)
                    at_ms = int(ours.occurred_at.timestamp() * 1000)
                    found.add(lead_id, at_ms, public=ours.trust is Trust.PUBLIC)
        progress(tally.events)
    return tally.report("archive")


def _count(event: Event, tally: _Tally, rules: Rules) -> _Seen | None:
    """Counts an event and its values; returns where to count whose it is, if nothing wanted it."""
    tally.events += 1
    if rules.classify(event):
        tally.matched += 1
        return None
    if event.automated is not None:
        tally.automated += 1
        return None
    seen = tally.of(event.name)
    if seen is None:
        return None
    for name in tally.asked(event.name):
        if (value := event.properties.get(name)) not in (None, "", []):
            seen.add_value(name, value)
    return seen


async def unmatched_in_histories(
    leads: AsyncIterator[Lead], *, wants: Wants, progress: Callable[[int], None]
) -> UnmatchedReport:
    """What no signal wanted of the events of the last 31 days that leads keep: 20 a name and day.

    ``progress`` is called with the number of leads looked at. Signals are those that the events had
    when they were counted: after a change of the model see ``replay``.
    """
    tally, looked_at = _Tally(wants), 0
    async for lead in leads:
        looked_at += 1
        for trail in lead.trails.values():
            history = trail.history
            for event in history.recent.values():
                tally.count_kept(event.shape, 1, event.at_ms, lead.id)
            for shape, days in history.packed.days.items():
                last_ms = max(days, default=0) * DAY_MS
                tally.count_kept(shape, sum(days.values()), last_ms, lead.id)
        progress(looked_at)
    return tally.report("histories")
