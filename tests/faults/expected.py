"""What must be true in the end, worked out from what the client knows and from nothing else.

Keys, ids and arithmetic are written here a second time, from the documentation: what the product
makes of them is what is under test. What a sender's request means is taken from its adapter.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from builders import lead_ids
from faults.deployment import MODEL, sender_of
from faults.journal import Journal
from faults.workload import Request, Workload
from unit.domain.brute_force import worth_of
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.history import KeptEvent, to_ms
from warmlead.domain.identity import Kind, identifiers_of
from warmlead.domain.lead import Lead, Trail, regroup, touch_trails
from warmlead.domain.rules import Rules

SIGNALS = {
    "page_viewed": ("page_viewed",),
    "content_downloaded": ("downloaded",),
    "webinar_attended": ("webinar_attended",),
    "form_submitted": ("form_submitted",),
    "demo_requested": ("demo_requested",),
    "email_unsubscribed": ("unsubscribed",),
}
"""What the campaign's model says of each event's name."""


ENTERS_AT = 25
"""And of the score from which a lead is an MQL."""


class Aside(NamedTuple):
    """Something that must lie in quarantine, at least once: its reason, and what was sent."""

    reason: str
    content: str


@dataclass
class Expected:
    """Every accepted event by its key, with each form in which it was sent; and the rest."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    latest: dict[str, Event] = field(default_factory=dict)
    """Of each event the earliest form that was answered with 2xx: none later may be kept."""
    aside: set[Aside] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)
    unsettled: list[int] = field(default_factory=list)


def key_of(event: Event) -> str:
    """The key of an event, as the documentation says."""
    text = f"{event.source}\n{event.trust}\n{event.id}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def trigger_id_of(lead_id: str, stage: str, cycle: int) -> str:
    """The id of a trigger, as the documentation says."""
    return hashlib.sha256(f"{lead_id}\nstage:{stage}\n{cycle}".encode()).hexdigest()[:32]


def expected_of(plan: Workload, journal: Journal) -> Expected:
    """What the client may expect of all that it was answered."""
    expected = Expected()
    for number, attempts in sorted(journal.attempts.items()):
        statuses = {status for _, status in attempts if status is not None and status < 500}
        if not statuses:
            expected.unsettled.append(number)
        elif any(status >= 400 for status in statuses):
            expected.refused.append(number)
        else:
            _expect(expected, plan.requests[number], attempts)
    return expected


def _expect(
    expected: Expected, request: Request, attempts: Sequence[tuple[datetime, int | None]]
) -> None:
    if request.late:
        expected.aside.add(Aside("received_too_long_ago", request.late.id))
        return
    if request.foreign:
        expected.aside.add(Aside("message_invalid", request.body.decode()))
        return
    sender = sender_of(request.path)
    for at, status in attempts:
        raw = request.at(at, "")
        translation = sender.translate(raw, sender.verify(raw))
        for _, event in translation.events:
            key = key_of(event)
            expected.events.setdefault(key, []).append(event)
            if status is not None and status < 300:
                known = expected.latest.get(key, event)
                expected.latest[key] = min(event, known, key=lambda e: as_kept(e, MODEL.rules))
        for item in translation.refused:
            expected.aside.add(Aside(item.error.reason, item.raw.decode()))


def as_kept(event: Event, rules: Rules) -> KeptEvent:
    """An event as a history keeps it."""
    at_ms, received_ms = to_ms(event.occurred_at), to_ms(event.received_at)
    return KeptEvent(at_ms, key_of(event), received_ms, event.name, rules.classify(event))


def is_refused(request: Request, at: datetime) -> bool:
    """Whether the sender's adapter can make nothing of the request."""
    if not request.over_http:
        return False
    raw = request.at(at, "")
    sender = sender_of(request.path)
    try:
        translation = sender.translate(raw, sender.verify(raw))
    except RejectedError:
        return True
    return bool(translation.refused) and not translation.events


def leads_of(events: Iterable[Event], rules: Rules, now: datetime) -> list[Lead]:
    """The leads that the events make, each event taken once, one after the other, from nothing."""
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    return regroup([], trails, rules, now)


class Brute(NamedTuple):
    """What a lead is worth by the formula alone, and where it must stand in the end."""

    score: int
    stage: str


def brute_force(lead: Lead, events: Mapping[str, Event], rules: Rules, now: datetime) -> Brute:
    """The score and stage of a lead from its events, by the formula and the model's own words."""
    keys = {key for trail in lead.trails.values() for key in trail.history.kept}
    mine = [events[key] for key in keys]
    employees = lead.traits.get("employees")
    fits = isinstance(employees, int) and 50 <= employees <= 500
    worth = worth_of(mine, SIGNALS, rules.scoring, rules.fit_rules[0].points * fits, now.date())
    names = {event.name for event in mine}
    known = any(trail.identifier.kind is not Kind.ANONYMOUS for trail in lead.trails.values())
    if not known:
        return Brute(worth.score, "anonymous")
    opened = "demo_requested" in names
    warm = worth.score >= ENTERS_AT and "email_unsubscribed" not in names
    return Brute(worth.score, "mql" if opened or warm else "lead")


def disputed(events: Iterable[Event]) -> set[str]:
    """The ids of browsers that several people were said to use, and of these people.

    Their browser's events move to whoever has the best claim, and take points with them.
    """
    owners: dict[str, set[str]] = {}
    for event in events:
        owner, *others = (lead_ids.of(identifier) for identifier in identifiers_of(event))
        if event.anonymous_id and others:
            owners.setdefault(others[-1], set()).add(owner)
    contested = {browser: by for browser, by in owners.items() if len(by) > 1}
    return contested.keys() | {owner for by in contested.values() for owner in by}
