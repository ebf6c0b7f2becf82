"""What must be true in the end, worked out from what the client knows and from nothing else.

Keys, ids and arithmetic are written here a second time, from the documentation: what the product
makes of them is what is under test. What a sender's request means is taken from its adapter.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from builders import lead_ids
from faults.deployment import MODEL, sender_of
from faults.journal import Journal
from faults.workload import Request, Workload
from unit.domain.brute_force import worth_of
from warmlead.domain.consent import REFUSALS
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.event_names import in_our_words
from warmlead.domain.history import to_ms
from warmlead.domain.identity import Kind, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.mail_scans import mark_of
from warmlead.domain.packed_history import KeptEvent
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
PQL_AT = 60
LEAVES_BELOW = 15
"""And of the scores from which a lead is an MQL, and below which it is one no longer."""

COOLDOWN = timedelta(days=10)
STAGES_OF_WORDS = {
    "sales_accepted": "sql",
    "sales_won": "customer",
    "sales_lost": "recycled",
    "not_ready": "recycled",
    "unreachable": "recycled",
    "bad_data": "disqualified",
}
"""Where a lead stands after what sales said of it, or after the reason for which it refused it."""


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


def trigger_id_of(lead_id: str, kind: str, cycle: int) -> str:
    """The id of a trigger, as the documentation says."""
    return hashlib.sha256(f"{lead_id}\n{kind}\n{cycle}".encode()).hexdigest()[:32]


def expected_of(plan: Workload, journal: Journal) -> Expected:
    """What the client may expect of all that it was answered."""
    expected = Expected()
    for number, attempts in sorted(journal.attempts.items()):
        statuses = {status for _, status in attempts if status is not None and status < 500}
        if not statuses:
            expected.unsettled.append(number)
        elif is_refused(plan.requests[number], attempts[0][0]):
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
        for _, sent in translation.events:
            event = in_our_words(sent)
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
    signals, mark = rules.classify(event), mark_of(event)
    return KeptEvent(at_ms, key_of(event), received_ms, event.name, signals, mark)


def is_refused(request: Request, at: datetime) -> bool:
    """Whether the sender's adapter can make nothing of the request, and keeps nothing of it."""
    if not request.over_http:
        return False
    raw = request.at(at, "")
    sender = sender_of(request.path)
    try:
        translation = sender.translate(raw, sender.verify(raw))
    except RejectedError:
        return True
    return bool(translation.refused) and not (translation.events or translation.keeps_refused)


def leads_of(events: Iterable[Event], rules: Rules, now: datetime) -> list[Lead]:
    """The leads that the events make, each event taken once, one after the other, from nothing."""
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    return resolve_identities([], trails, rules, now)


class Brute(NamedTuple):
    """What a lead is worth by the formula alone, and in which of the stages it may be."""

    score: int
    stages: frozenset[str]
    suppressed: bool


def brute_force(lead: Lead, events: Mapping[str, Event], rules: Rules, now: datetime) -> Brute:
    """The score and stages of a lead from its events, by the formula and the model's own words."""
    keys = {key for trail in lead.trails.values() for key in trail.history.kept}
    mine = [events[key] for key in keys]
    doings = [event for event in mine if not event.name.startswith("sales_")]
    employees = lead.traits.get("employees")
    fits = isinstance(employees, int) and 50 <= employees <= 500
    points = rules.fit_rules[0].points * fits
    score = worth_of(doings, SIGNALS, rules.scoring, points, now.date()).score
    passed_on = any(f.cause in REFUSALS and f.key not in keys for f in lead.consent_facts)
    unsubscribed = any(event.name == "email_unsubscribed" for event in mine)  # the model's signal
    known = any(trail.identifier.kind is not Kind.ANONYMOUS for trail in lead.trails.values())
    stages = _stages(mine, score, now, unsubscribed=unsubscribed) if known else {"anonymous"}
    return Brute(score, frozenset(stages), suppressed=unsubscribed or passed_on)


def _stages(mine: Sequence[Event], score: int, now: datetime, *, unsubscribed: bool) -> set[str]:
    """Where a known person may stand: one stage, but between the model's two thresholds."""
    word = last_word(mine)
    said = stage_of(word) if word else ""
    if word and said != "recycled":
        return {said}
    since = word.occurred_at if word else None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    is_open = since is None or midnight >= since + COOLDOWN  # it is looked at once a day
    may_be_open = since is None or now >= since + COOLDOWN
    is_pql = score >= PQL_AT and not unsubscribed
    further = {"pql"} if is_pql and may_be_open else set()
    if is_pql and is_open:
        return {"pql"}
    asked = [event.occurred_at.date() for event in mine if event.name == "demo_requested"]
    if any(since is None or day > since.date() for day in asked):
        return {"mql", *further}  # all of a trial lies within the thirty days for which that is so
    outside = {"lead", "recycled"} if word else {"lead"}
    if (score < LEAVES_BELOW or unsubscribed) and not asked:
        return outside
    if is_open and score >= ENTERS_AT and not unsubscribed:
        return {"mql"}
    return {"mql", *outside, *further}


def last_word(events: Iterable[Event]) -> Event | None:
    """The last thing that sales said that moves a lead; of two at once the one further on."""
    rank = ["sales_touched", "sales_accepted", "sales_rejected", "sales_won", "sales_lost"]
    words = [event for event in events if event.name in rank and stage_of(event)]
    return max(
        words,
        key=lambda e: (to_ms(e.occurred_at), rank.index(e.name), key_of(e)),
        default=None,
    )


def stage_of(word: Event) -> str:
    """The stage into which something that sales said puts a lead; empty if it moves none."""
    if word.name == "sales_rejected":
        return STAGES_OF_WORDS[str(word.properties["reason"])]
    return STAGES_OF_WORDS.get(word.name, "")


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
