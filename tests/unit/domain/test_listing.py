"""What lists can be asked for, of a lead as it was last evaluated."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_lead_named
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import day_at
from warmlead.domain.listing import is_overdue, listed_as
from warmlead.domain.snapshot import Snapshot

OFFER = Offer(cycle=1, stage="mql", at=NOW, owner="eve")
TOUCH, ANSWER = Deadline.TOUCH_BREACHED, Deadline.ACCEPT_BREACHED


@pytest.mark.parametrize(
    ("offer", "overdue"),
    [
        (OFFER, False),
        (replace(OFFER, told=frozenset({Deadline.REMINDER})), False),
        (replace(OFFER, told=frozenset({TOUCH})), True),
        (replace(OFFER, told=frozenset({TOUCH}), touched_at=NOW), False),
        (replace(OFFER, told=frozenset({TOUCH, ANSWER}), touched_at=NOW), True),
        (replace(OFFER, told=frozenset({TOUCH, ANSWER}), closed_at=NOW), False),
    ],
)
def test_sales_owes_what_it_has_not_made_up_for(offer: Offer, *, overdue: bool) -> None:
    assert is_overdue(offer) is overdue


def test_a_lead_is_listed_as_it_was_evaluated() -> None:
    snapshot = Snapshot(score=52, engagement=30, fit=22, day=1, model_version="v", grade="B")
    lead = a_lead_named("ada", snapshot=snapshot, offer=OFFER)
    lead = replace(lead, progress=replace(lead.progress, stage="mql", since=NOW))
    facts = listed_as(lead)
    assert facts
    assert (facts.stage, facts.score, facts.grade, facts.owner) == ("mql", 52, "B", "eve")
    assert facts.since_day == day_at(NOW)
    later = replace(lead, progress=replace(lead.progress, since=NOW + timedelta(days=1)))
    assert listed_as(later) == facts._replace(since_day=facts.since_day + 1)


def test_a_lead_that_was_never_evaluated_is_in_no_list() -> None:
    assert listed_as(a_lead_named("ada")) is None


def test_leads_are_ordered_by_the_day_of_their_last_activity_and_then_by_score() -> None:
    def active(day: int | None, score: int) -> int | None:
        facts = listed_as(a_lead_named("ada", snapshot=Snapshot(score, 0, 0, 9, "v", "", day)))
        assert facts
        return facts.active

    ranks = [active(0, 900), active(8, -20), active(8, 3), active(8, 10**9), active(9, 0)]
    assert ranks == sorted(ranks, key=lambda rank: rank or 0)
    assert active(None, 50) is None  # as an earlier release left it
