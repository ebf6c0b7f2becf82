"""Offers to sales of leads that move between stages of the model: each its own, none twice."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, an_event, lead_ids
from effort import examples
from warmlead.application.evaluate import evaluate
from warmlead.domain.event import Event
from warmlead.domain.handoff import Offer
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.domain.rules import Rules
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Trigger
from warmlead.model.loading import load

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MODEL = """\
signals:
  page_viewed: {on: page_viewed, points: 10, half_life: 7d}
  called: {on: demo_requested, points: 40, half_life: 7d}
stages:
  mql: {enter: score >= 10, leave: score < 5, cooldown: 1d}
  pql: {enter: score >= 40, leave: score < 30, bypass: [called]}
  hot: {enter: score >= 80, leave: score < 60}
handoff:
  first_touch_within: 1h
  accept_within: 8h
  routes: [{owner: inside}]
  stages:
    pql: {first_touch_within: 20m, routes: [{owner: field}]}
"""


def rules(text: str = MODEL) -> Rules:
    return load(text, name="model").rules


RULES = rules()
SILENT = rules(MODEL.replace("    pql:", "    hot: none\n    pql:"))
"""The same, but ``hot`` makes no offers."""


@dataclass
class Life:
    """A lead that is evaluated whenever something happens or is due."""

    rules: Rules = RULES
    lead: Lead | None = None
    sent: list[Trigger] = field(default_factory=list)
    moves: list[Transition] = field(default_factory=list)
    numbers: ClassVar = itertools.count()  # no two events of two leads are the same

    @property
    def offer(self) -> Offer:
        assert self.lead is not None
        assert self.lead.offer is not None
        return self.lead.offer

    def happens(self, name: str, after: timedelta, **fields: Any) -> None:
        at = NOW + after
        known = {"email": "ada@example.com", "occurred_at": at, "received_at": at, **fields}
        event = an_event(id=f"e{next(self.numbers)}", name=name, **known)
        before = [self.lead] if self.lead else []
        trails = dict(self.lead.trails) if self.lead else {}
        (self.lead,) = resolve_identities(before, told_of(event, trails), self.rules, at)
        self.look(after)

    def look(self, after: timedelta) -> None:
        assert self.lead is not None
        evaluated = evaluate(self.lead, self.rules, NOW + after)
        self.lead = replace(evaluated.lead, outbox=())
        self.sent += evaluated.triggers
        self.moves += evaluated.transitions

    def wait(self, until: timedelta) -> None:
        """Follows the lead up whenever it is due."""
        while self.lead and self.lead.due_at and self.lead.due_at <= NOW + until:
            self.look(self.lead.due_at - NOW)

    def told(self) -> list[str]:
        """What sales was told: ``offered 2 as pql to field``."""
        kinds = [dict(trigger.attributes) for trigger in self.sent]
        return [
            f"{kind['type'].split('.')[2]} {kind['cycle']} as {kind['stage']} to {kind['owner']}"
            for kind in kinds
            if "handoff" in kind["type"]
        ]


def told_of(event: Event, trails: dict[str, Trail]) -> dict[str, Trail]:
    ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
    return touch_trails(trails, event, ids, RULES)


def an_mql(model: Rules = RULES) -> Life:
    life = Life(model)
    life.happens("page_viewed", 0 * MINUTE)
    return life


def test_moving_up_closes_the_open_offer_and_makes_a_new_one() -> None:
    life = an_mql()
    life.happens("demo_requested", 10 * MINUTE)

    assert life.told() == ["offered 1 as mql to inside", "offered 2 as pql to field"]
    assert '"supersedes":1' in life.sent[-1].body
    assert (life.offer.cycle, life.offer.at) == (2, NOW + 10 * MINUTE)
    life.wait(2 * DAY)
    assert life.told()[2:] == [
        "reminder 2 as pql to field",
        "breached 2 as pql to field",
        "breached 2 as pql to field",
    ]


def test_a_promise_that_was_broken_before_stays_broken() -> None:
    life = an_mql()
    life.happens("demo_requested", 70 * MINUTE)  # nobody has looked in between

    assert life.told() == [
        "offered 1 as mql to inside",
        "reminder 1 as mql to inside",
        "breached 1 as mql to inside",
        "offered 2 as pql to field",
    ]


def test_an_answered_offer_is_not_superseded() -> None:
    life = an_mql()
    life.happens("sales_rejected", 5 * MINUTE, properties={"reason": "not_ready"})
    life.happens("demo_requested", DAY)

    assert life.told() == ["offered 1 as mql to inside", "offered 2 as pql to field"]
    assert '"supersedes":null' in life.sent[-1].body


def test_the_move_that_offers_has_the_promises_of_its_stage() -> None:
    life = an_mql()
    life.happens("demo_requested", 10 * MINUTE)

    due = {
        move.to_stage: (move.touch_by - move.at, move.accept_by - move.at)
        for move in life.moves
        if move.touch_by and move.accept_by
    }
    assert due == {"mql": (HOUR, 8 * HOUR), "pql": (20 * MINUTE, 8 * HOUR)}


def test_a_stage_without_offers_closes_the_open_one_and_makes_none() -> None:
    life = an_mql(SILENT)
    for _ in range(7):
        life.happens("page_viewed", 10 * MINUTE)
    assert life.lead is not None
    assert (life.lead.progress.stage, life.offer.cycle) == ("hot", 2)
    life.wait(20 * DAY)

    assert life.told() == ["offered 1 as mql to inside", "offered 2 as pql to field"]
    assert life.offer.answer == "the hot stage's enter condition holds"
    assert life.moves[-1].touch_by is None


def test_falling_back_is_an_offer_too() -> None:
    life = Life()
    for _ in range(4):
        life.happens("page_viewed", 0 * MINUTE)
    assert life.told() == [
        "offered 1 as mql to inside",
        "offered 2 as pql to field",
    ]
    life.look(4 * DAY)
    assert life.lead is not None
    assert life.lead.progress.stage == "mql"
    assert life.told()[-1] == "offered 3 as mql to inside"


def test_a_stage_that_a_changed_model_no_longer_offers_has_its_offers_withdrawn() -> None:
    life = an_mql()
    life.rules = rules(MODEL.replace("    pql:", "    mql: none\n    pql:"))
    life.wait(DAY)

    assert (life.offer.answer, life.offer.closed_at) == ("withdrawn", NOW + HOUR / 2)
    life.wait(9 * DAY)
    assert life.told() == ["offered 1 as mql to inside", "reminder 1 as mql to inside"]


def test_looking_again_offers_nobody_again() -> None:
    life = an_mql()
    life.happens("demo_requested", 10 * MINUTE)
    before, told = life.lead, life.told()
    life.look(10 * MINUTE)
    assert (life.lead, life.told()) == (before, told)


MOMENTS = st.lists(
    st.tuples(
        st.integers(0, 6 * 24 * 60),
        st.sampled_from(
            ["page_viewed"] * 6 + ["demo_requested", "sales_touched", "sales_accepted"]
            + ["sales_rejected"]
        ),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=examples(150))
@given(MOMENTS, st.sampled_from([RULES, SILENT]))
def test_whoever_stands_in_an_offered_stage_has_one_open_offer_of_it(
    happened: Sequence[tuple[int, str]], model: Rules
) -> None:
    life = Life(model)
    for minute, name in sorted(happened):
        life.wait(minute * MINUTE)
        life.happens(name, minute * MINUTE, properties={"reason": "not_ready"})
        assert life.lead is not None
        stage, offer = life.lead.progress.stage, life.lead.offer
        assert model.handoff is not None
        if stage in ("mql", "pql", "hot") and model.handoff.promises_of(stage):
            assert (life.offer.stage, life.offer.closed_at) == (stage, None)
        else:
            assert offer is None or offer.closed_at is not None

    assert life.lead is not None
    ids = [trigger.id for trigger in life.sent]
    assert len(set(ids)) == len(ids)
    offered = [move for move in life.moves if move.touch_by]
    made = [told for told in life.told() if told.startswith("offered")]
    assert len(offered) == len(made) == (life.lead.offer.cycle if life.lead.offer else 0)


@pytest.mark.parametrize("is_rejected", [False, True])
def test_two_leads_that_are_one_person_have_one_offer(*, is_rejected: bool) -> None:
    one, other = Life(), Life()
    one.happens("page_viewed", 0 * MINUTE)
    other.happens("demo_requested", 5 * MINUTE, email=None, user_id="u-1")
    if is_rejected:
        one.happens("sales_rejected", 6 * MINUTE, properties={"reason": "not_ready"})
    assert one.lead is not None
    assert other.lead is not None
    now = NOW + HOUR / 6
    known = {"email": "ada@example.com", "user_id": "u-1"}
    both = an_event(id="both", name="identified", occurred_at=now, received_at=now, **known)
    trails = told_of(both, {**one.lead.trails, **other.lead.trails})
    (lead,), again = (
        resolve_identities(leads, trails, RULES, now)
        for leads in ([one.lead, other.lead], [other.lead, one.lead])
    )
    assert again == [lead]

    life = Life(lead=lead)
    life.look(HOUR / 6)
    assert (life.offer.stage, life.offer.at) == ("pql", NOW + 5 * MINUTE)
    assert life.offer.closed_at == (NOW + 6 * MINUTE if is_rejected else None)
    assert life.told() == []
