"""Valid things to test with: say only what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, LeadIds, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import Change, Commit

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

lead_ids = LeadIds(b"a secret of the tests")

RULES = Rules(
    version="rules-of-tests",
    classify=lambda event: (
        () if event.automated or event.name == "ignored" else (f"{event.name}_signal",)
    ),
    know=dict,
    fit_rules=(),
    scoring=ScoringPolicy({"page_viewed_signal": SignalPolicy(points=5)}, {}),
    stages=(),
    counters=frozenset(),
)
"""One signal that is worth something, no fit, no stages of the model."""


class StandingClock:
    """A clock that tells the time it was set to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def forward(self, by: timedelta) -> datetime:
        self.time += by
        return self.time


def an_event(**overrides: Any) -> Event:
    """A signed page view of Ada's, an hour ago."""
    fields: dict[str, Any] = {
        "id": "event-1",
        "source": "generic",
        "trust": Trust.SIGNED,
        "name": "page_viewed",
        "occurred_at": NOW - timedelta(hours=1),
        "received_at": NOW - timedelta(hours=1),
    }
    if not overrides.keys() & {"email", "user_id", "anonymous_id"}:
        fields["email"] = "ada@example.com"
    return Event.checked(**{**fields, **overrides})


def a_lead(*events: Event, **overrides: Any) -> Lead:
    """The one lead that the events make (Ada's page view, if none are given)."""
    trails: dict[str, Trail] = {}
    for event in events or (an_event(),):
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, RULES)
    (lead,) = resolve_identities([], trails, RULES, NOW)
    return replace(lead, **overrides)


def a_lead_named(name: str, **overrides: Any) -> Lead:
    """The lead of a person with this local part of an email."""
    return a_lead(an_event(email=f"{name}@example.com"), **overrides)


def a_trigger(**overrides: Any) -> Trigger:
    """An MQL trigger that waits to be sent."""
    waiting = Trigger("trigger-1", Topic.MQL, NOW, '{"specversion":"1.0"}', ())
    return replace(waiting, **overrides)


def a_transition(**overrides: Any) -> Transition:
    """Ada's first move from lead to MQL."""
    first = Transition(NOW, "lead", "mql", 1, "the stage's enter condition holds", 60, 20, 2.5, "m")
    return replace(first, **overrides)


def keeping(*leads: Lead, **others: Any) -> Change[None]:
    """A change that writes these leads, whatever was there."""
    return lambda _: Commit(None, leads, **others)


def kept_before(lead: Lead, value: str, of: str = "ada@example.com") -> Lead:
    """The lead as an earlier release kept it: an identifier spelt in another way, under its id."""
    old = next(id_ for id_, trail in lead.trails.items() if trail.identifier.value == of)
    kind = lead.trails[old].identifier.kind
    new = lead_ids.of(Identifier(kind, value))

    def named(id_: str) -> str:
        return new if id_ == old else id_

    trails = {
        named(id_): replace(
            trail,
            identifier=Identifier(kind, value) if id_ == old else trail.identifier,
            links=frozenset(map(named, trail.links)),
            claims=tuple(claim._replace(owner=named(claim.owner)) for claim in trail.claims),
        )
        for id_, trail in lead.trails.items()
    }
    return replace(lead, id=named(lead.id), trails=trails)
