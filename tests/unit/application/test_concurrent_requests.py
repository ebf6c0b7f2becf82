"""Requests that come at once for a lead are settled once: to the lead that one by one they make.

But for its stage, which depends on when it was looked at: that is a record of what was known.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from builders import StandingClock, an_event, lead_ids
from effort import examples
from unit.application.conftest import RULES
from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.ports import Change, Commit, Loaded, Need
from warmlead.stores.base import Raised, Record, UnitOfWork
from warmlead.stores.codec import LeadDocument

SCORING = Scoring(RULES, lead_ids)


def decide(records: Mapping[str, Record], *changes: Decision) -> tuple[list[Any], UnitOfWork]:
    """What the changes answer when they wait for the same commit, and what it would write."""
    unit = UnitOfWork()
    deciding = unit.decide_all(
        [([lead_ids.of(identifiers_of(change.events[0])[0])], change) for change in changes]
    )
    while True:
        try:
            wanted = next(deciding)
        except StopIteration as decided:
            return decided.value, unit
        unit.learn({id_: records.get(id_) for id_ in wanted})


def a_pool(random: Random, clock: StandingClock) -> list[Event]:
    """Events of a few people who share a browser now and then."""
    return [
        an_event(
            id=f"event-{n}",
            name=random.choice(["page_viewed", "unsubscribed", "form_submitted"]),
            trust=random.choice(list(Trust)),
            email=random.choice([None, "ada@example.com", "bob@example.com"]),
            anonymous_id=random.choice(["browser-1", "browser-2"]),
            occurred_at=clock.now() - timedelta(days=random.randrange(40)),
            received_at=clock.now() - timedelta(days=random.choice([0, 0, 0, 35])),
            traits={"company": random.choice("xyz")},
        )
        for n in range(15)
    ]


def a_request(random: Random, pool: Sequence[Event]) -> list[Event]:
    """Some events, which others may have brought as well."""
    return random.choices(pool, k=random.randrange(1, 6))


def leads_in(records: Mapping[str, Record]) -> dict[str, Lead]:
    return {i: r.lead for i, r in records.items() if isinstance(r, LeadDocument)}


@pytest.mark.parametrize("seed", range(examples(150)))
def test_joint_decisions_equal_separate_ones(seed: int, clock: StandingClock) -> None:
    random = Random(seed)
    pool = a_pool(random, clock)
    before: dict[str, Record] = {}
    for _ in range(random.randrange(3)):
        _, unit = decide(before, Decision(a_request(random, pool), SCORING, clock.now()))
        before |= unit.changed
    requests = [a_request(random, pool) for _ in range(random.randrange(2, 6))]
    one_by_one, answers = dict(before), []
    for events in requests:
        answer, unit = decide(one_by_one, Decision(events, SCORING, clock.now()))
        answers += answer
        one_by_one |= unit.changed
    joined, unit = decide(before, *(Decision(r, SCORING, clock.now()) for r in requests))
    together = before | unit.changed
    assert together.keys() == one_by_one.keys()
    for id_, lead in leads_in(one_by_one).items():
        same = leads_in(together)[id_]
        assert same.trails == lead.trails
        assert same.snapshot == lead.snapshot
    assert sum(each.counted for each in joined) == sum(each.counted for each in answers)
    assert sum(each.duplicates for each in joined) == sum(each.duplicates for each in answers)
    for got, expected in zip(joined, answers, strict=True):
        assert got.quarantined == expected.quarantined


def test_many_requests_that_cross_together_publish_one_trigger(clock: StandingClock) -> None:
    requests = [
        Decision([an_event(id=f"event-{n}", name="page_viewed")], SCORING, clock.now())
        for n in range(20)
    ]
    answers, unit = decide({}, *requests)
    assert [answer.counted for answer in answers] == [1] * 20
    triggers = [trigger for answer in answers for trigger in answer.triggers]
    (lead,) = leads_in(unit.changed).values()
    assert [trigger for _, trigger in triggers] == list(lead.outbox)
    assert [trigger.topic for _, trigger in triggers] == ["mql"]


class Faulty(Decision):
    """Cannot decide about what a robot did, nor can who is decided together with it."""

    def __call__(self, loaded: Loaded) -> Commit[Applied] | Need:
        if self.events[0].name == "robot":
            raise ArithmeticError
        return super().__call__(loaded)

    def joined_with(self, others: Sequence[Decision]) -> Change[Sequence[Applied]]:
        def fail(_: Loaded) -> Commit[Sequence[Applied]]:
            raise ArithmeticError(len(others))

        return fail


def test_a_request_that_cannot_decide_leaves_the_others_unaffected(clock: StandingClock) -> None:
    names = ("page_viewed", "robot", "page_viewed", "page_viewed")
    requests = [
        Faulty([an_event(id=f"event-{n}", name=name)], SCORING, clock.now())
        for n, name in enumerate(names)
    ]
    answers, unit = decide({}, *requests)
    assert [type(answer) for answer in answers] == [Applied, Raised, Applied, Applied]
    (lead,) = leads_in(unit.changed).values()
    assert lead.kept_events == 3
