"""Clicks in mails that only a program can have made, by what is kept of one mail's events together.

A gateway opens the links of a mail when it delivers it, or several links at one moment. No report
of the mail tool says so by itself, and several reports may come in several requests, in any order.
So a kept event of a mail has a *mark* of the mail and the link, and the verdict is a function of
the set of kept events: it is passed whenever they are counted, and for good when they are folded.
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

from msgspec import Struct

from warmlead.domain.event import AUTOMATED_EVENTS, Automation, Event, Trust
from warmlead.domain.packed_history import DAY_MS, KeptEvent

BURST_MS = 3_000
"""Clicks on different links that are no farther apart are one program's: nobody reads so fast."""

AT_DELIVERY_MS = 5_000
"""A click that is no farther from the delivery is a scanner's: it looks before the mail is shown.

Either may come first by its time, since a gateway scans before it confirms the delivery.
"""

MOMENT_MS = max(BURST_MS, AT_DELIVERY_MS)
"""Events of a mail that are farther apart say nothing about each other."""

APART_MS = 3 * DAY_MS
"""Reports that were received farther apart say nothing about each other.

So it is known when nothing can come any more that says something about a click: this long after
the last day on which an event of that time is accepted.
"""

CLICKED = "email_clicked"
DELIVERED = "email_delivered"

MESSAGE_ID = "message_id"
"""The property that says which mail an event is about; without it nothing is judged."""

_HASH_CHARS = 4  # 24 bits: events are compared within one mail and a few seconds


class MachinePolicy(Struct, frozen=True):
    """What a click of a program counts as: the signals that count programs too, and its name."""

    keeps_name: bool = False
    signals: frozenset[str] = frozenset()


ARE_WORTHLESS = MachinePolicy()
"""No signal counts what programs do."""


def mark_of(event: Event) -> str:
    """The mark of a mail's delivery or click; empty for any other event.

    It begins with a hash of the mail's id; that of a click has a hash of the link behind it. What
    is public has none, so that nobody can undo a person's clicks.
    """
    if event.name not in (CLICKED, DELIVERED) or event.trust is not Trust.SIGNED:
        return ""
    message = event.properties.get(MESSAGE_ID)
    if not message:
        return ""
    mail = _hash_of(f"{event.source}\n{message}")
    return mail if event.name == DELIVERED else mail + _hash_of(str(event.properties.get("url")))


def may_be_a_scan(mark: str) -> bool:
    """Whether it is the mark of a click: a delivery says something about others alone."""
    return len(mark) > _HASH_CHARS


def _hash_of(text: str) -> str:
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=3).digest()
    return base64.urlsafe_b64encode(digest).decode()


def moments(
    events: Iterable[KeptEvent], apart_ms: float = APART_MS
) -> Iterator[Sequence[KeptEvent]]:
    """The marked ones of some events, by what may say something about each other.

    These are events of one mail, each at most five seconds, and three days by receipt, from some
    other one. The result depends on the set of events alone.
    """
    of_mails: defaultdict[str, list[KeptEvent]] = defaultdict(list)
    for event in events:
        if event.mark:
            of_mails[event.mark[:_HASH_CHARS]].append(event)
    for of_mail in of_mails.values():
        yield from _near_each_other(sorted(of_mail), MOMENT_MS, apart_ms)


def _near_each_other(
    events: Sequence[KeptEvent], at_most_ms: int, apart_ms: float
) -> Iterator[list[KeptEvent]]:
    """The groups of events, in order of time, of which each is near another one."""
    near: list[KeptEvent] = []
    for event in events:
        if near and event.at_ms - near[-1].at_ms > at_most_ms:
            yield from _received_near_each_other(near, at_most_ms, apart_ms)
            near = []
        near.append(event)
    if near:
        yield from _received_near_each_other(near, at_most_ms, apart_ms)


def _received_near_each_other(
    events: list[KeptEvent], at_most_ms: int, apart_ms: float
) -> Iterable[list[KeptEvent]]:
    if len(events) == 1:
        return [events]
    receipts = [event.received_ms for event in events]
    if max(receipts) - min(receipts) <= apart_ms:
        return [events]
    groups: list[list[KeptEvent]] = []
    for event in events:
        near = [
            group
            for group in groups
            if any(_are_near(event, x, at_most_ms, apart_ms) for x in group)
        ]
        groups = [group for group in groups if group not in near]
        groups.append([*(one for group in near for one in group), event])
    return groups


def _are_near(one: KeptEvent, other: KeptEvent, at_most_ms: int, apart_ms: float) -> bool:
    return (
        abs(one.at_ms - other.at_ms) <= at_most_ms
        and abs(one.received_ms - other.received_ms) <= apart_ms
    )


def scans_among(events: Iterable[KeptEvent], apart_ms: float = APART_MS) -> dict[str, Automation]:
    """The keys of those clicks that only a program can have made, each with the reason."""
    found: dict[str, Automation] = {}
    for moment in moments(events, apart_ms):
        if len(moment) == 1:
            continue
        clicks = sorted(event for event in moment if may_be_a_scan(event.mark))
        deliveries = [event for event in moment if not may_be_a_scan(event.mark)]
        for near in _near_each_other(clicks, BURST_MS, apart_ms):
            if len({event.mark for event in near}) > 1:
                found.update(dict.fromkeys([event.key for event in near], Automation.BURST))
        for event in clicks:
            if any(_are_near(event, each, AT_DELIVERY_MS, apart_ms) for each in deliveries):
                found[event.key] = Automation.SCAN
    return found


def judged(events: Mapping[str, KeptEvent], policy: MachinePolicy) -> Mapping[str, KeptEvent]:
    """The events by key, with clicks of programs as they count; the same mapping without any."""
    scans = scans_in(events, policy)
    return {**events, **scans} if scans else events


def scans_in(events: Mapping[str, KeptEvent], policy: MachinePolicy) -> dict[str, KeptEvent]:
    """Those clicks by key that turn out to be a program's, as they count.

    One that was known to be a program's when it came stays what it is.
    """
    if not any(event.mark for event in events.values()):
        return {}
    return {
        key: _as_scan(events[key], why, policy)
        for key, why in scans_among(events.values()).items()
        if events[key].name == CLICKED
    }


def possible_scans(events: Mapping[str, KeptEvent], policy: MachinePolicy) -> frozenset[str]:
    """The keys of clicks that are a program's, whenever the reports were received.

    Further reports add to them and never take one away, so what is not needed of them may go.
    """
    if policy.keeps_name or not any(event.mark for event in events.values()):
        return frozenset()
    return frozenset(scans_among(events.values(), inf))


def _as_scan(event: KeptEvent, why: Automation, policy: MachinePolicy) -> KeptEvent:
    signals = tuple(signal for signal in event.signals if signal in policy.signals)
    name = event.name if policy.keeps_name else AUTOMATED_EVENTS[why]
    return event._replace(name=name, signals=signals)
