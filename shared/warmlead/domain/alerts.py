"""Alerts: what sales hears of at once, whatever the stage, and the rest between two of them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeAlias

from msgspec import Struct

from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.packed_history import KeptEvent, own_signals
from warmlead.domain.stages import Condition, ConditionT, Facts

ACTS_WITHIN = timedelta(days=7)
"""How old an act may be and still cause something, unless the model says otherwise."""

OTHER = "other"
"""The name of an act that is no signal, and that has no known name."""

MAX_ALERTS = 20
"""Limit of alerts of a model: the messages of all of them must fit into the lead at once."""

MAX_RECORDS = 100
"""Limit of alerts whose record a lead keeps; those that the model has come first."""


@dataclass(frozen=True, slots=True)
class AlertDefinition(Generic[ConditionT]):
    """The acts of which sales hears at once.

    ``on`` are the signals; without any, whatever the lead does. ``stages`` are those of the leads,
    as they stand after the act. After an alert there is none for ``again_after``.
    """

    name: str
    on: frozenset[str]
    stages: frozenset[str]
    again_after: timedelta
    when: ConditionT | None = None
    restart_clock: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class AlertPolicy(AlertDefinition[Condition]):
    """An alert whose condition can be asked."""


class AlertRecord(Struct, frozen=True):
    """How often an alert was sent for a lead, and when sales last heard of its acts.

    Sales may have heard of them by an offer.
    """

    count: int
    at: datetime


Alerted: TypeAlias = Mapping[str, AlertRecord]
"""The records of a lead, by the alert's name."""


class Act(Struct, frozen=True):
    """What a lead did: a signal (or the event, if it is none), when last, and how often."""

    name: str
    at: datetime
    times: int


class DueAlert(Struct, frozen=True):
    """An alert that is due, for the ``count``-th time; the latest of its ``acts`` comes first."""

    policy: AlertPolicy
    count: int
    acts: tuple[Act, ...]


class News(Struct, frozen=True):
    """The new events of a lead, and what finds those that were received after a moment.

    Those ``beyond`` the first of their day are not kept, so nobody can tell a repeat of them: they
    are new if they were received after sales last heard of the alert.
    The names in ``passive`` are those of events that are not the lead's doing. Names of events that
    are not ``known`` are not told: whoever sends them may write anything there.
    """

    events: Sequence[KeptEvent]
    received_after: Callable[[datetime], Iterable[KeptEvent]]
    passive: Collection[str] = ()
    known: Collection[str] = ()
    beyond: Sequence[KeptEvent] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.beyond)

    def acts(self, on: frozenset[str], events: Iterable[KeptEvent]) -> Iterator[KeptEvent]:
        """Those of some events that are one of the signals; without signals, the lead's doing."""
        for event in events:
            if not on.isdisjoint(event.signals) if on else event.name not in self.passive:
                yield event

    def new_acts(self, on: frozenset[str], told_at: datetime | None) -> list[KeptEvent]:
        """The new acts; ``told_at`` is when sales last heard of their alert."""
        told_ms = None if told_at is None else to_ms(told_at)
        later = (e for e in self.beyond if told_ms is None or e.received_ms > told_ms)
        return [*self.acts(on, self.events), *self.acts(on, later)]


class AlertsRaised(Struct, frozen=True):
    """The alerts that are due, and the records as of now."""

    alerts: tuple[DueAlert, ...]
    records: Alerted


def raise_alerts(
    policies: Sequence[AlertPolicy],
    records: Alerted,
    facts: Facts,
    news: News,
    now: datetime,
    *,
    offered: bool,
    waiting: Collection[str] = (),
) -> AlertsRaised:
    """The alerts that the new events of a lead cause; ``facts`` are those after them.

    An alert of a name in ``waiting`` could not be sent yet. Its rest goes on, so the next one has
    what is done meanwhile.

    If the lead was ``offered`` to sales because of the same events, the offer says it: there is no
    alert, and its rest begins.
    """
    alerts: list[DueAlert] = []
    after = dict(records)
    for policy in policies:
        record = records.get(policy.name)
        new = news.new_acts(policy.on, record.at if record else None)
        if not new or not _is_for(policy, facts):
            continue
        if offered:
            after[policy.name] = AlertRecord(record.count if record else 0, now)
            continue
        if record and (now < record.at + policy.again_after or policy.name in waiting):
            continue
        count = record.count + 1 if record else 1
        if record:
            new += news.acts(policy.on, news.received_after(record.at))
        alerts.append(DueAlert(policy, count, acts_of(policy.on, new, news.known)))
        after[policy.name] = AlertRecord(count, now)
    return AlertsRaised(tuple(alerts), _within_limit(after, {policy.name for policy in policies}))


def _is_for(policy: AlertPolicy, facts: Facts) -> bool:
    """Whether the alert is for a lead of which these facts are known."""
    return facts["stage"] in policy.stages and (policy.when is None or policy.when(facts))


def acts_of(
    on: Collection[str], events: Iterable[KeptEvent], known: Collection[str]
) -> tuple[Act, ...]:
    """What was done, by signal; an event that is in ``events`` twice counts once.

    Without ``on`` all signals count, and events that are none under their own name if it is known.
    """
    once = {event.key: event for event in events}
    by_name: dict[str, list[int]] = {}
    for event in once.values():
        for name in own_signals(event.signals) or (event.name if event.name in known else OTHER,):
            if not on or name in on:
                by_name.setdefault(name, []).append(event.at_ms)
    acts = (Act(name, from_ms(max(times)), len(times)) for name, times in by_name.items())
    return tuple(sorted(acts, key=lambda act: (-to_ms(act.at), act.name)))


def _within_limit(records: dict[str, AlertRecord], of_model: Collection[str]) -> Alerted:
    if len(records) <= MAX_RECORDS:
        return records
    ordered = sorted(records.items(), key=lambda i: (i[0] not in of_model, -to_ms(i[1].at), i[0]))
    return dict(ordered[:MAX_RECORDS])


def merge_alerted(parts: Iterable[Alerted]) -> Alerted:
    """The records of a person of whom several were kept: of each alert the most and the latest.

    No later alert has the number of an earlier one.
    """
    merged: dict[str, AlertRecord] = {}
    for part in parts:
        for name, record in part.items():
            other = merged.get(name, record)
            merged[name] = AlertRecord(max(record.count, other.count), max(record.at, other.at))
    return merged
