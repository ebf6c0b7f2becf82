"""The handoff: what sales promised, what it is reminded of, and what it failed to keep."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from warmlead.domain.handoff import (
    Deadline,
    HandoffPolicy,
    Offer,
    RoutePolicy,
    follow,
    merge_offers,
    next_deadline,
)
from warmlead.domain.history import to_ms
from warmlead.domain.sales import SalesStatus, Statement, state
from warmlead.domain.stages import Facts

OFFERED = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
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


def test_each_deadline_is_told_once() -> None:
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


def test_a_touch_in_time_keeps_the_first_promise_but_not_the_second() -> None:
    touched = (10 * MINUTE, said(SalesStatus.TOUCHED, 10 * MINUTE))
    assert followed([30 * MINUTE, HOUR, 24 * HOUR], touched) == [[], [], [Deadline.ACCEPT_BREACHED]]


def test_an_answer_keeps_both() -> None:
    accepted = (10 * MINUTE, said(SalesStatus.ACCEPTED, 10 * MINUTE))
    assert followed([30 * MINUTE, HOUR, 24 * HOUR], accepted) == [[], [], []]


def test_a_touch_that_came_too_late_is_a_breach() -> None:
    touched = (2 * HOUR, said(SalesStatus.TOUCHED, 2 * HOUR))
    assert followed([HOUR, 2 * HOUR, 3 * HOUR], touched)[0] == [
        Deadline.REMINDER,
        Deadline.TOUCH_BREACHED,
    ]


def test_a_touch_that_was_in_time_but_is_heard_of_late_is_no_breach_any_more() -> None:
    touched = (3 * HOUR, said(SalesStatus.TOUCHED, 10 * MINUTE))
    assert followed([3 * HOUR], touched) == [[]]


def test_an_answer_closes_the_offer() -> None:
    answer = said(SalesStatus.REJECTED, 2 * HOUR)
    offer, _ = follow(OFFER, POLICY, [answer], OFFERED + 3 * HOUR)
    assert (offer.closed_at, offer.answer) == (OFFERED + 2 * HOUR, "rejected")
    assert next_deadline(offer, POLICY) is None


def test_an_earlier_answer_that_is_heard_of_later_is_the_answer() -> None:
    won, accepted = said(SalesStatus.WON, 9 * HOUR, "w"), said(SalesStatus.ACCEPTED, 2 * HOUR, "a")
    now = OFFERED + 10 * HOUR
    offer, _ = follow(OFFER, POLICY, [won], now)
    assert (offer.closed_at, offer.answer) == (OFFERED + 9 * HOUR, "won")
    assert follow(offer, POLICY, [won, accepted], now)[0].answer == "accepted"
    assert follow(offer, POLICY, [won, said(SalesStatus.LOST, 9 * HOUR + MINUTE)], now)[0] == offer


def test_an_offer_that_was_withdrawn_stays_so_whatever_is_said_afterwards() -> None:
    withdrawn = replace(OFFER, closed_at=OFFERED + HOUR, answer="withdrawn")
    later = [said(SalesStatus.TOUCHED, 2 * HOUR, "t"), said(SalesStatus.ACCEPTED, 3 * HOUR)]
    offer, _ = follow(withdrawn, POLICY, later, OFFERED + 4 * HOUR)
    assert (offer.answer, offer.touched_at) == ("withdrawn", None)
    in_time = [said(SalesStatus.ACCEPTED, 30 * MINUTE)]
    assert follow(withdrawn, POLICY, in_time, OFFERED + HOUR)[0].answer == "accepted"


def test_what_was_said_of_an_earlier_offer_does_not_count() -> None:
    old = said(SalesStatus.ACCEPTED, -HOUR)
    offer, passed = follow(OFFER, POLICY, [old], OFFERED + HOUR)
    assert [each.deadline for each in passed] == [Deadline.REMINDER, Deadline.TOUCH_BREACHED]
    assert offer.closed_at is None


def test_the_next_deadline_is_the_first_that_was_not_told() -> None:
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
    assert policy.owner_of("lead", {"country": "DE"}) == "anna"
    owners = [policy.owner_of(f"lead-{i}", {}) for i in range(1_000)]
    assert owners == [policy.owner_of(f"lead-{i}", {}) for i in range(1_000)]
    assert 400 < owners.count("bo") < 600
    assert POLICY.owner_of("lead", {}) == ""


def test_an_open_offer_outlasts_a_closed_one_and_remembers_the_answer_of_sales() -> None:
    accepted = Offer(1, "mql", OFFERED, closed_at=OFFERED, answer="accepted")
    withdrawn = replace(accepted, answer="withdrawn")
    still_open = Offer(1, "mql", OFFERED + HOUR)
    assert merge_offers([accepted, still_open]) == replace(still_open, otherwise=accepted)
    assert merge_offers([withdrawn, still_open]) == still_open
    assert merge_offers([withdrawn, accepted]) in (withdrawn, accepted)
    assert merge_offers([]) is None
