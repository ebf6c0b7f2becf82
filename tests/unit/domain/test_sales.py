"""What sales says: the last word decides, in whatever order and however often it is heard."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations

import pytest
from msgspec import structs

from builders import NOW, RULES, a_lead, an_event
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Trust
from warmlead.domain.history import to_ms
from warmlead.domain.sales import (
    MAX_DETAIL_LENGTH,
    MAX_DETAILED,
    MAX_STATEMENTS,
    Refusal,
    SalesStatus,
    Statement,
    in_order,
    state,
    verdict,
    with_statement,
)

EMAIL = "ada@example.com"


def said(what: SalesStatus, at_ms: int, reason: str = "") -> Statement:
    return state(what, at_ms=at_ms, key=f"{what}-{at_ms}", source="crm", reason=reason)


@pytest.mark.parametrize(
    ("statement", "stage"),
    [
        (said(SalesStatus.TOUCHED, 1), ""),
        (said(SalesStatus.ACCEPTED, 1), "sql"),
        (said(SalesStatus.OPPORTUNITY, 1), "opportunity"),
        (said(SalesStatus.WON, 1), "customer"),
        (said(SalesStatus.LOST, 1), "recycled"),
        (said(SalesStatus.REJECTED, 1, Refusal.NOT_READY), "recycled"),
        (said(SalesStatus.REJECTED, 1, Refusal.UNREACHABLE), "recycled"),
        (said(SalesStatus.REJECTED, 1, Refusal.BAD_FIT), "disqualified"),
        (said(SalesStatus.REJECTED, 1, Refusal.BAD_DATA), "disqualified"),
        (said(SalesStatus.REJECTED, 1, Refusal.DUPLICATE), "disqualified"),
    ],
)
def test_each_statement_of_sales_has_its_stage(statement: Statement, stage: str) -> None:
    assert statement.stage == stage


def test_the_last_statement_decides_in_any_order_of_arrival() -> None:
    words = [
        said(SalesStatus.ACCEPTED, 1),
        said(SalesStatus.OPPORTUNITY, 2),
        said(SalesStatus.WON, 3),
        said(SalesStatus.TOUCHED, 4),
    ]
    for order in permutations(words):
        found = verdict(order)
        assert found
        assert found.said is SalesStatus.WON


def test_of_simultaneous_statements_the_one_with_the_later_stage_decides() -> None:
    for order in permutations([said(SalesStatus.WON, 5), said(SalesStatus.ACCEPTED, 5)]):
        assert verdict(order) == said(SalesStatus.WON, 5)


def test_a_contact_alone_is_no_answer() -> None:
    assert verdict([said(SalesStatus.TOUCHED, 1)]) is None
    assert verdict([]) is None


def test_a_repeated_signed_event_of_sales_is_one_statement() -> None:
    event = an_event(
        name="sales_won", properties={"value_cents": 120_000, "currency": "EUR", "reason": "price"}
    )
    once = with_statement({}, event)
    assert with_statement(once, event) == once
    (statement,) = once.values()
    assert statement.said is SalesStatus.WON
    assert (statement.value_cents, statement.currency, statement.reason) == (
        120_000,
        "EUR",
        "price",
    )
    assert statement.at_ms == to_ms(event.occurred_at)


def test_a_repeat_with_a_later_time_does_not_move_a_statement() -> None:
    first = an_event(name="sales_won")
    repeat = an_event(name="sales_won", occurred_at=NOW)
    assert with_statement(with_statement({}, first), repeat) == with_statement({}, first)
    assert with_statement(with_statement({}, repeat), first) == with_statement({}, first)


def test_one_statement_in_two_trails_counts_once() -> None:
    worth = an_event(name="sales_won", properties={"value_cents": 5, "currency": "EUR"})
    trails = [with_statement({}, worth), with_statement({}, an_event(name="sales_won"))]
    assert in_order(trails) == in_order(reversed(trails))
    assert len(in_order(trails)) == 1


def test_statements_of_sales_are_no_activity_of_the_lead() -> None:
    idle = a_lead(an_event(occurred_at=NOW - timedelta(days=20)))
    spoken = a_lead(
        an_event(occurred_at=NOW - timedelta(days=20)), an_event(id="said", name="sales_touched")
    )
    assert evaluation_of(idle, RULES, NOW).score.days_inactive == 20
    assert evaluation_of(spoken, RULES, NOW).score.days_inactive == 20


def test_a_lead_is_known_by_our_user_id_before_a_crms() -> None:
    contacts = [f"crm:hubspot:1:contact:{n}" for n in range(9)]
    events = [an_event(id=f"e-{id_}", email=EMAIL, user_id=id_) for id_ in contacts]
    assert a_lead(*events).user_id in contacts
    assert a_lead(*events, an_event(id="ours", email=EMAIL, user_id="u-17")).user_id == "u-17"


@pytest.mark.parametrize(
    "event",
    [
        structs.replace(an_event(name="sales_won"), trust=Trust.PUBLIC),  # refused at the edge
        an_event(name="sales_danced"),
        an_event(name="won"),
    ],
)
def test_unsigned_and_unknown_events_are_no_statements(event: object) -> None:
    assert with_statement({}, event) == {}  # type: ignore[arg-type]  # parametrised


@pytest.mark.slow
def test_only_the_latest_statements_are_kept() -> None:
    statements: dict[str, Statement] = {}
    for i in range(MAX_STATEMENTS + 5):
        event = an_event(
            id=f"e{i}", name="sales_touched", occurred_at=NOW.replace(microsecond=i * 1000)
        )
        statements = dict(with_statement(statements, event))
    assert len(statements) == MAX_STATEMENTS
    assert min(each.at_ms for each in statements.values()) == to_ms(NOW) + 5


def test_a_statement_keeps_what_sales_tells_of_the_lead() -> None:
    told = {"budget": 50_000.0, "need": True, "timing": "", "note": "x" * 2_000, "other": "no"}
    (statement,) = with_statement({}, an_event(name="sales_accepted", properties=told)).values()
    assert statement.details == (
        ("budget", "50000"),
        ("need", "yes"),
        ("note", "x" * MAX_DETAIL_LENGTH["note"]),
    )


def test_the_details_of_the_latest_statements_are_kept_in_any_order_of_arrival() -> None:
    events = [
        an_event(
            id=f"e{n}",
            name="sales_touched",
            properties={"note": f"call {n}"},
            occurred_at=NOW - timedelta(days=50 - n),
        )
        for n in range(MAX_DETAILED + 15)
    ]
    forward: Mapping[str, Statement] = {}
    backward: Mapping[str, Statement] = {}
    for event in events:
        forward = with_statement(forward, event)
    for event in reversed(events):
        backward = with_statement(backward, event)
    assert dict(forward) == dict(backward)
    notes = [dict(each.details).get("note") for each in in_order([forward])]
    assert notes == [None] * 15 + [f"call {n}" for n in range(15, MAX_DETAILED + 15)]
