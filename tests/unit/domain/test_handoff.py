"""The handoff: what sales promised, what it is reminded of, and what it failed to keep."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from warmlead.domain.handoff import (
    SUPERSEDED,
    Deadline,
    HandoffPolicy,
    Offer,
    PromisesPolicy,
    RoutePolicy,
    SlaOutcome,
    follow,
    merge_offers,
    next_deadline,
    sla_outcome,
)
from warmlead.domain.history import to_ms
from warmlead.domain.sales import SalesStatus, Statement, state
from warmlead.domain.stages import Facts

OFFERED = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
NO_TIME = timedelta(0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POLICY = HandoffPolicy(HOUR, 24 * HOUR, 30 * MINUTE)
OFFER = Offer(1, "mql", OFFERED)


def said(what: SalesStatus, after: timedelta, key: str = "k") -> Statement:
    return state(what, at_ms=to_ms(OFFERED + after), key=key, source="crm")


def followed(
    times: Sequence[timedelta], *statements: tuple[timedelta, Statement]
) -> list[list[Deadline]]:
    """The deadlines that each look finds passed; a statement is known from a time on."""
    offer, found = OFFER, []
    for after in times:
        known = [statement for since, statement in statements if since <= after]
        offer, passed = follow(offer, POLICY, known, OFFERED + after)
        found.append([each.deadline for each in passed])
    return found


KEPT, BREACHED, LAPSED = SlaOutcome.KEPT, SlaOutcome.BREACHED, SlaOutcome.LAPSED


@pytest.mark.parametrize(
    ("done", "withdrawn", "outcome"),
    [  # each as it lies to the deadline; None: it never was
        (-INSTANT, None, KEPT),
        (NO_TIME, None, KEPT),
        (INSTANT, None, BREACHED),
        (None, None, BREACHED),
        (None, -INSTANT, LAPSED),
        (None, NO_TIME, BREACHED),
        (None, INSTANT, BREACHED),
        (NO_TIME, -INSTANT, KEPT),
        (INSTANT, -INSTANT, LAPSED),
        (INSTANT, NO_TIME, BREACHED),
    ],
)
def test_a_promise_is_kept_by_its_deadline_or_breached_unless_the_offer_ended_before(
    done: timedelta | None, withdrawn: timedelta | None, outcome: SlaOutcome
) -> None:
    due = OFFERED + HOUR

    def at(after: timedelta | None) -> datetime | None:
        return None if after is None else due + after

    assert sla_outcome(due, done=at(done), withdrawn=at(withdrawn)) is outcome


DEADLINES = [
    (Deadline.REMINDER, 30 * MINUTE, SalesStatus.TOUCHED),
    (Deadline.TOUCH_BREACHED, HOUR, SalesStatus.TOUCHED),
    (Deadline.ACCEPT_BREACHED, 24 * HOUR, SalesStatus.ACCEPTED),
]


@pytest.mark.parametrize(("deadline", "within", "done"), DEADLINES)
@pytest.mark.parametrize(
    ("to_deadline", "is_passed"), [(-INSTANT, False), (NO_TIME, False), (INSTANT, True)]
)
def test_what_is_done_at_the_exact_deadline_is_in_time(
    deadline: Deadline, within: timedelta, done: SalesStatus, *, to_deadline: timedelta,
    is_passed: bool,
) -> None:  # fmt: skip
    offer = replace(OFFER, at=OFFERED - to_deadline)  # statements are of whole milliseconds
    _, passed = follow(offer, POLICY, [said(done, within)], OFFERED + 48 * HOUR)

    assert (deadline in {each.deadline for each in passed}) == is_passed


@pytest.mark.parametrize(("deadline", "within"), [row[:2] for row in DEADLINES])
@pytest.mark.parametrize(
    ("to_deadline", "is_passed"), [(-INSTANT, False), (NO_TIME, True), (INSTANT, True)]
)
def test_a_deadline_passes_at_its_exact_moment(
    deadline: Deadline, within: timedelta, *, to_deadline: timedelta, is_passed: bool
) -> None:
    offer, passed = follow(OFFER, POLICY, [], OFFERED + within + to_deadline)

    assert (deadline in {each.deadline for each in passed}) == is_passed
    assert (next_deadline(offer, POLICY) == OFFERED + within) == (not is_passed)


@pytest.mark.parametrize(("deadline", "within"), [row[:2] for row in DEADLINES])
@pytest.mark.parametrize(
    ("to_deadline", "is_passed"), [(-INSTANT, False), (NO_TIME, True), (INSTANT, True)]
)
def test_only_an_offer_that_ended_before_a_deadline_never_passes_it(
    deadline: Deadline, within: timedelta, *, to_deadline: timedelta, is_passed: bool
) -> None:
    withdrawn = replace(OFFER, closed_at=OFFERED + within + to_deadline, answer="withdrawn")
    _, passed = follow(withdrawn, POLICY, [], OFFERED + 48 * HOUR)

    assert (deadline in {each.deadline for each in passed}) == is_passed


def test_each_deadline_is_announced_once() -> None:
    looks = [29 * MINUTE, 30 * MINUTE, 59 * MINUTE, HOUR, 23 * HOUR, 24 * HOUR, 48 * HOUR]
    assert followed(looks) == [
        [],
        [Deadline.REMINDER],
        [],
        [Deadline.TOUCH_BREACHED],
        [],
        [Deadline.ACCEPT_BREACHED],
        [],
    ]


def test_a_timely_contact_keeps_the_first_promise_but_not_the_second() -> None:
    touched = (10 * MINUTE, said(SalesStatus.TOUCHED, 10 * MINUTE))
    assert followed([30 * MINUTE, HOUR, 24 * HOUR], touched) == [[], [], [Deadline.ACCEPT_BREACHED]]


def test_an_answer_keeps_both_promises() -> None:
    accepted = (10 * MINUTE, said(SalesStatus.ACCEPTED, 10 * MINUTE))
    assert followed([30 * MINUTE, HOUR, 24 * HOUR], accepted) == [[], [], []]


def test_a_late_contact_is_a_breach() -> None:
    touched = (2 * HOUR, said(SalesStatus.TOUCHED, 2 * HOUR))
    assert followed([HOUR, 2 * HOUR, 3 * HOUR], touched)[0] == [
        Deadline.REMINDER,
        Deadline.TOUCH_BREACHED,
    ]


def test_a_timely_contact_that_is_reported_late_undoes_the_breach() -> None:
    touched = (3 * HOUR, said(SalesStatus.TOUCHED, 10 * MINUTE))
    assert followed([3 * HOUR], touched) == [[]]


def test_an_answer_closes_the_offer() -> None:
    answer = said(SalesStatus.REJECTED, 2 * HOUR)
    offer, _ = follow(OFFER, POLICY, [answer], OFFERED + 3 * HOUR)
    assert (offer.closed_at, offer.answer) == (OFFERED + 2 * HOUR, "rejected")
    assert next_deadline(offer, POLICY) is None


def test_the_earlier_of_two_answers_counts_even_if_it_arrives_later() -> None:
    won, accepted = said(SalesStatus.WON, 9 * HOUR, "w"), said(SalesStatus.ACCEPTED, 2 * HOUR, "a")
    now = OFFERED + 10 * HOUR
    offer, _ = follow(OFFER, POLICY, [won], now)
    assert (offer.closed_at, offer.answer) == (OFFERED + 9 * HOUR, "won")
    assert follow(offer, POLICY, [won, accepted], now)[0].answer == "accepted"
    assert follow(offer, POLICY, [won, said(SalesStatus.LOST, 9 * HOUR + MINUTE)], now)[0] == offer


def test_a_withdrawn_offer_stays_withdrawn() -> None:
    withdrawn = replace(OFFER, closed_at=OFFERED + HOUR, answer="withdrawn")
    later = [said(SalesStatus.TOUCHED, 2 * HOUR, "t"), said(SalesStatus.ACCEPTED, 3 * HOUR)]
    offer, _ = follow(withdrawn, POLICY, later, OFFERED + 4 * HOUR)
    assert (offer.answer, offer.touched_at) == ("withdrawn", None)
    in_time = [said(SalesStatus.ACCEPTED, 30 * MINUTE)]
    assert follow(withdrawn, POLICY, in_time, OFFERED + HOUR)[0].answer == "accepted"


def test_a_statement_on_an_earlier_offer_does_not_count() -> None:
    old = said(SalesStatus.ACCEPTED, -HOUR)
    offer, passed = follow(OFFER, POLICY, [old], OFFERED + HOUR)
    assert [each.deadline for each in passed] == [Deadline.REMINDER, Deadline.TOUCH_BREACHED]
    assert offer.closed_at is None


def test_the_next_deadline_is_the_first_unannounced_one() -> None:
    assert next_deadline(OFFER, POLICY) == OFFERED + 30 * MINUTE
    offer, _ = follow(OFFER, POLICY, [], OFFERED + HOUR)
    assert next_deadline(offer, POLICY) == OFFERED + 24 * HOUR
    touched, _ = follow(OFFER, POLICY, [said(SalesStatus.TOUCHED, MINUTE)], OFFERED + MINUTE)
    assert next_deadline(touched, POLICY) == OFFERED + 24 * HOUR


class InGermany:
    def __call__(self, facts: Facts) -> bool:
        return facts.get("country") == "DE"

    def missing(self, facts: Facts) -> tuple[str, ...]:
        return () if self(facts) else ("country",)


def test_the_first_route_that_holds_names_the_owner() -> None:
    routes = (RoutePolicy(("anna",), InGermany()), RoutePolicy(("bo", "cy")))
    policy = HandoffPolicy(HOUR, HOUR, HOUR, routes)
    assert policy.owner_of("lead", "mql", {"country": "DE"}) == "anna"
    owners = [policy.owner_of(f"lead-{i}", "mql", {}) for i in range(1_000)]
    assert owners == [policy.owner_of(f"lead-{i}", "mql", {}) for i in range(1_000)]
    assert 400 < owners.count("bo") < 600
    assert POLICY.owner_of("lead", "mql", {}) == ""


def test_of_two_open_offers_that_of_the_stage_counts_in_which_the_person_stands() -> None:
    first = Offer(1, "mql", OFFERED, told=frozenset([Deadline.REMINDER]))
    second = Offer(2, "pql", OFFERED + HOUR)
    as_second = replace(first, cycle=2)
    assert merge_offers([first, second], "pql") == merge_offers([second, first], "pql") == second
    assert merge_offers([first, second], "mql") == merge_offers([second, first], "mql") == as_second
    closed = replace(second, closed_at=OFFERED + 2 * HOUR, answer=SUPERSEDED)
    assert merge_offers([first, closed], "pql") == as_second


def test_an_offer_is_due_by_the_promises_of_its_stage() -> None:
    own = PromisesPolicy(HOUR / 2, 8 * HOUR, HOUR / 4)
    policy = replace(POLICY, stages={"pql": own})
    due = {
        stage: [
            policy.deadline_of(replace(OFFER, stage=stage), each) - OFFERED for each in Deadline
        ]
        for stage in ("mql", "pql")
    }
    assert due == {
        "mql": [30 * MINUTE, HOUR, 24 * HOUR],
        "pql": [15 * MINUTE, 30 * MINUTE, 8 * HOUR],
    }
    pql = replace(OFFER, stage="pql")
    assert next_deadline(pql, policy) == OFFERED + 15 * MINUTE
    _, passed = follow(pql, policy, [], OFFERED + 40 * MINUTE)
    assert [each.due - OFFERED for each in passed] == [15 * MINUTE, 30 * MINUTE]


def test_a_superseded_offer_is_not_followed_beyond_its_end() -> None:
    touched = [said(SalesStatus.TOUCHED, 50 * MINUTE)]
    superseded = replace(OFFER, closed_at=OFFERED + 20 * MINUTE, answer=SUPERSEDED)
    assert follow(superseded, POLICY, touched, OFFERED + 48 * HOUR) == (superseded, [])
    assert next_deadline(superseded, POLICY) is None


def test_merging_keeps_the_open_offer_and_the_answer_of_sales() -> None:
    accepted = Offer(1, "mql", OFFERED, closed_at=OFFERED, answer="accepted")
    withdrawn = replace(accepted, answer="withdrawn")
    still_open = Offer(1, "mql", OFFERED + HOUR)
    assert merge_offers([accepted, still_open]) == replace(still_open, otherwise=accepted)
    assert merge_offers([withdrawn, still_open]) == still_open
    assert merge_offers([withdrawn, accepted]) in (withdrawn, accepted)
    assert merge_offers([]) is None
