"""The lead: one person, one aggregate. What events do to it, and what it is worth.

A lead is made of *trails*, one for each identifier by which the person is known. A trail keeps
what was done under its identifier, so when it turns out whose identifier it is, the trail moves
as a whole, and nothing is counted twice or left behind.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from warmlead.domain.event import CRM_ID, Event, Property, Trust
from warmlead.domain.handoff import Offer
from warmlead.domain.history import (
    History,
    KeptEvent,
    Tally,
    record,
    tally,
    to_ms,
)
from warmlead.domain.identity import (
    Claim,
    Identifier,
    Kind,
    Ties,
    best_claim,
    identifiers_of,
    ties_of,
)
from warmlead.domain.lifecycle import Progress
from warmlead.domain.nurture import Enrolments
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Statement, in_order, with_statement
from warmlead.domain.trigger import Trigger

MAX_KEPT_EVENTS = 1_000
"""A lead with so many events kept is flooding: further public ones go to quarantine.

Signed ones may be as many again, so that nobody can shut out what a CRM says of a lead.
"""

MAX_TRAILS = 200
"""So many identifiers may one person have; no more are tied to a lead that has them."""

MAX_TRAITS = 250
"""So many traits are kept of an identifier: signed ones first, then by name."""


class TraitFact(NamedTuple):
    """A trait's value with what decides which value wins: the greatest fact does."""

    rank: int  # 1 signed, 0 public
    at_ms: int
    key: str
    value_json: str

    @property
    def value(self) -> Property:
        """The value itself."""
        value: Property = json.loads(self.value_json)
        return value


class Touch(NamedTuple):
    """Where a visit came from; touches are ordered by time."""

    at_ms: int
    key: str
    attribution: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known of one identifier, and what was done under it.

    ``direct`` is whether some visit is known to have come from nowhere. ``erased_ms`` is until when
    all of it was erased, if it was: nothing of before may come back.
    """

    identifier: Identifier
    links: frozenset[str] = frozenset()
    claim: Claim | None = None
    history: History = field(default_factory=History)
    traits: Mapping[str, TraitFact] = field(default_factory=dict)
    first_touch: Touch | None = None
    last_touch: Touch | None = None
    direct: bool = False
    statements: Mapping[str, Statement] = field(default_factory=dict)
    erased_ms: int | None = None

    @property
    def ties(self) -> Ties:
        """What the trail says of its belonging."""
        return Ties(self.identifier.kind, self.links, self.claim)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The score as of the last update: for lists and queries, never for decisions."""

    score: int
    engagement: int
    fit: int
    day: int
    model_version: str


@dataclass(frozen=True, slots=True)
class Lead:
    """One person. ``id`` is the id of the strongest identifier, a key of ``trails``.

    ``decay_on`` is the UTC day number on which it must be looked at although nothing happens,
    ``due_at`` the moment of its next nurture step or deadline; ``None``: never.
    """

    id: str
    trails: Mapping[str, Trail]
    progress: Progress
    created_at: datetime
    snapshot: Snapshot | None = None
    outbox: tuple[Trigger, ...] = ()
    enrolments: Enrolments = field(default_factory=dict)
    offer: Offer | None = None
    decay_on: int | None = None
    due_at: datetime | None = None

    @property
    def statements(self) -> list[Statement]:
        """What sales has said of the lead, the earliest first."""
        return in_order(trail.statements for trail in self.trails.values())

    @property
    def identified(self) -> bool:
        """Whether the person has an email or a user id."""
        return any(t.identifier.kind is not Kind.ANONYMOUS for t in self.trails.values())

    @property
    def kept_events(self) -> int:
        """How many events are kept one by one."""
        return sum(len(trail.history.kept) for trail in self.trails.values())

    @property
    def email(self) -> str | None:
        """The address by which the lead is known, the one of the lead's id if there are several."""
        return self._value_of(Kind.EMAIL)

    @property
    def user_id(self) -> str | None:
        """The user id by which the lead is known."""
        return self._value_of(Kind.USER)

    def _value_of(self, kind: Kind) -> str | None:
        found = [
            (t.identifier.value.startswith(CRM_ID), id_, t.identifier.value)  # ours before a CRM's
            for id_, t in self.trails.items()
            if t.identifier.kind is kind
        ]
        return min(found)[2] if found else None

    @property
    def traits(self) -> dict[str, Property]:
        """The value of each known trait: signed before public, then the latest."""
        best: dict[str, TraitFact] = {}
        for trail in self.trails.values():
            for name, fact in trail.traits.items():
                best[name] = max(fact, best.get(name, fact))
        known = {name: fact.value for name, fact in sorted(best.items())}
        return {name: value for name, value in known.items() if value is not None}

    def learnt_since(self, at_ms: int) -> bool:
        """Whether a trait was said of the person after a moment."""
        facts = (fact for trail in self.trails.values() for fact in trail.traits.values())
        return any(fact.at_ms > at_ms for fact in facts)

    @property
    def first_touch(self) -> Touch | None:
        """The earliest visit with an origin."""
        return min((t.first_touch for t in self.trails.values() if t.first_touch), default=None)

    @property
    def last_touch(self) -> Touch | None:
        """The latest visit with an origin."""
        return max((t.last_touch for t in self.trails.values() if t.last_touch), default=None)

    @property
    def direct(self) -> bool:
        """Whether some visit is known to have come from nowhere."""
        return any(trail.direct for trail in self.trails.values())

    def tally(self, known_at: datetime | None = None) -> Tally:
        """How often what happened on which day; as it was known at a past time, if given."""
        histories = [trail.history for trail in self.trails.values()]
        return tally(histories, known_at_ms=None if known_at is None else to_ms(known_at))


def is_flooding(trails: Mapping[str, Trail], trust: Trust) -> bool:
    """Whether a person of these trails may have no further events of this trust."""
    kept = sum(len(trail.history.kept) for trail in trails.values())
    return kept >= MAX_KEPT_EVENTS * (2 if trust is Trust.SIGNED else 1)


def has_event(trails: Mapping[str, Trail], key: str) -> bool:
    """Whether an event of the key is kept in any of the trails."""
    return any(key in trail.history.kept for trail in trails.values())


def touch_trails(
    trails: Mapping[str, Trail], event: Event, ids: Mapping[Identifier, str], rules: Rules
) -> dict[str, Trail]:
    """The trails after one event: kept under its strongest identifier, tied to the others.

    Applying an event twice is applying it once, and order does not matter.
    """
    after = dict(trails)
    for identifier in identifiers_of(event):
        after.setdefault(ids[identifier], Trail(identifier))
    claims, links = ties_of(event, ids)
    for id_, claim in claims.items():
        after[id_] = replace(after[id_], claim=best_claim([after[id_].claim, claim]))
    for one, other in links:
        after[one] = replace(after[one], links=after[one].links | {other})
        after[other] = replace(after[other], links=after[other].links | {one})
    home = ids[identifiers_of(event)[0]]
    after[home] = _with_event(after[home], event, rules)
    return after


def _with_event(trail: Trail, event: Event, rules: Rules) -> Trail:
    at_ms = to_ms(event.occurred_at)
    kept = KeptEvent(at_ms, event.key, to_ms(event.received_at), event.name, rules.classify(event))
    rank = 1 if event.trust is Trust.SIGNED else 0
    traits = dict(trail.traits)
    for name, value in event.traits.items():
        fact = TraitFact(rank, at_ms, event.key, json.dumps(value, sort_keys=True))
        traits[name] = max(fact, traits.get(name, fact))
    if len(traits) > MAX_TRAITS:
        by_rank = sorted(traits.items(), key=lambda item: (-item[1].rank, item[0]))
        traits = dict(by_rank[:MAX_TRAITS])
    first, last = trail.first_touch, trail.last_touch
    if event.attribution:
        touch = Touch(at_ms, event.key, tuple(sorted(event.attribution.items())))
        first = min(touch, first or touch)
        last = max(touch, last or touch)
    history = record(trail.history, [kept])
    statements = with_statement(trail.statements, event)
    return replace(
        trail,
        history=history,
        traits=traits,
        first_touch=first,
        last_touch=last,
        direct=trail.direct or event.direct,
        statements=statements,
    )
