"""Old facts never act on the present, in whatever order they come, and however often."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import NOW, an_event, lead_ids
from effort import examples
from unit.application.test_concurrent_requests import decide
from warmlead.application.apply import Decision, Scoring
from warmlead.application.evaluate import Reevaluation
from warmlead.domain.event import SALES_EVENTS, Event, Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.model.loading import load
from warmlead.stores.base import Record, UnitOfWork
from warmlead.stores.codec import LeadDocument

UPDATED = "warmlead.lead.updated.v1"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))
EAGER = load(
    """
signals:
  page_viewed: {on: page_viewed, points: 20, per_day: 1, half_life: 60d}
  demo_requested: {on: demo_requested, points: 30, per_day: 1, half_life: 60d}
fit:
  in_germany: {when: country == "DE", points: 30}
stages:
  mql: {enter: score >= 50, leave: score < 20, cooldown: 1d, bypass: [demo_requested]}
handoff: {first_touch_within: 1h, accept_within: 24h, routes: [{owner: ann}]}
alerts:
  asked: {on: demo_requested, again_after: 1h}
sequences:
  education: {start: stage == "mql", stop: stage == "sql", steps: [{after: 0d, message: welcome}]}
updates: {at_most_every: 1h}
acts_within: 7d
""",
    name="eager",
).rules
SCORING = Scoring(EAGER, lead_ids)


class Life:
    """A lead in memory, to which requests come at their times."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.now = NOW

    def learn(self, *events: Event) -> None:
        _, unit = decide(self.records, Decision(events, SCORING, self.now))
        self.records |= unit.changed

    def look(self) -> None:
        """Time alone: decay and followup evaluate the lead."""
        unit = UnitOfWork()
        unit.learn({ADA: self.records.get(ADA)})
        for wanted in unit.decide_all([([ADA], Reevaluation(ADA, EAGER, self.now))]):
            unit.learn({id_: self.records.get(id_) for id_ in wanted})
        self.records |= unit.changed

    @property
    def messages(self) -> list[str]:
        leads = [each.lead for each in self.records.values() if isinstance(each, LeadDocument)]
        return [dict(trigger.attributes)["type"] for lead in leads for trigger in lead.outbox]

    @property
    def stage(self) -> str:
        """The stage of Ada."""
        lead = self.records[ADA]
        assert isinstance(lead, LeadDocument)
        return lead.lead.progress.stage

    def event(self, number: int, name: str, ago: timedelta, **others: Any) -> Event:
        return an_event(
            id=f"event-{number}",
            name=name,
            occurred_at=self.now - ago,
            received_at=self.now,
            **others,
        )


def test_a_repeat_of_an_old_event_with_more_fields_makes_no_offer() -> None:
    life = Life()
    life.learn(life.event(1, "page_viewed", 10 * DAY), life.event(2, "page_viewed", 11 * DAY))
    life.learn(life.event(1, "page_viewed", 10 * DAY, traits={"country": "DE"}))
    assert life.messages == []
    life.now += HOUR
    life.learn(life.event(3, "page_viewed", timedelta(0)))
    assert "warmlead.handoff.offered.v1" in life.messages


def test_a_repeat_of_an_old_event_on_another_day_makes_no_offer() -> None:
    life = Life()
    views = [life.event(n, "page_viewed", 10 * DAY - n * HOUR) for n in range(1, 4)]
    life.learn(*views)
    life.learn(life.event(1, "page_viewed", 12 * DAY))
    life.learn(life.event(2, "page_viewed", 14 * DAY))
    assert life.stage == "mql"
    assert life.messages == []


def test_a_repeat_with_an_old_fact_does_not_make_it_new() -> None:
    life = Life()
    recent = life.event(1, "form_submitted", timedelta(0))
    life.learn(recent)
    before = life.messages
    life.learn(recent, *(life.event(n, "page_viewed", n * DAY) for n in (10, 11, 12, 13)))
    assert life.stage == "mql"
    assert life.messages == before


def test_what_recent_repeats_tell_is_told() -> None:
    life = Life()
    life.learn(*(life.event(n, "page_viewed", n * DAY) for n in (1, 2)))
    life.learn(life.event(1, "page_viewed", DAY, traits={"country": "DE"}))
    assert "warmlead.handoff.offered.v1" in life.messages


OLD_FACTS = st.lists(
    st.tuples(
        st.integers(1, 6),  # the same number comes again, as a copy with other times and fields
        st.sampled_from(
            (
                *("page_viewed", "page_viewed", "demo_requested", "form_submitted"),
                *("email_unsubscribed", "email_subscribed", "sales_touched"),
                *("sales_rejected", "sales_accepted", "sales_lost"),
            )
        ),
        st.integers(7 * 24 + 1, 30 * 24),  # hours ago
        st.sampled_from(({}, {}, {"country": "DE"}, {"country": "FR"})),
        st.sampled_from(Trust),
        st.sampled_from((None, "browser")),
    ),
    min_size=1,
    max_size=4,
)
LIVES = st.lists(st.tuples(st.integers(0, 60), OLD_FACTS), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=examples(1_000), suppress_health_check=[HealthCheck.too_slow])
@given(requests=LIVES, is_live=st.booleans())
def test_old_facts_send_nothing_in_any_order(
    requests: Sequence[tuple[int, Any]], is_live: bool
) -> None:
    life = Life()
    if is_live:  # a lead that tools know, and that has done nothing of worth
        life.learn(life.event(100, "form_submitted", timedelta(0)))
    for hours, facts in requests:
        life.now += hours * HOUR
        life.look()
        life.learn(
            *(
                life.event(
                    number,
                    name,
                    ago * HOUR,
                    traits=traits,
                    trust=Trust.SIGNED if name in SALES_EVENTS else trust,
                    email="ada@example.com",
                    anonymous_id=browser,
                )
                for number, name, ago, traits, trust, browser in facts
            )
        )
        assert set(life.messages) <= ({UPDATED} if is_live else set())
    for _ in range(10):
        life.now += DAY
        life.look()
        assert set(life.messages) <= ({UPDATED} if is_live else set())
