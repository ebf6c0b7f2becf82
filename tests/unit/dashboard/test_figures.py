"""The figures of the overview."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import NOW, a_lead_named, a_transition, an_event, keeping
from unit.dashboard.seen import Seen
from warmlead.application.report import Reporting, report
from warmlead.dashboard.cohorts import rows
from warmlead.dashboard.figures import funnel_moves, overview
from warmlead.dashboard.first_page import cards, earlier_month, funnel, in_units, worth
from warmlead.domain.event import Trust
from warmlead.messages.revenue import Value, Won
from warmlead.reporting.funnel import Level
from warmlead.reporting.periods import Span, period_of

DAY = timedelta(days=1)


async def moved(seen: Seen, *moves: tuple[str, dict[str, Any]]) -> None:
    recorded = [(lead_id, a_transition(**fields)) for lead_id, fields in moves]
    await seen.parts.leads.update([], keeping(transitions=recorded))


async def test_entries_count_on_their_day_and_scores_with_them(seen: Seen) -> None:
    await moved(
        seen,
        ("a", {"at": NOW, "score": 55}),
        ("b", {"at": NOW - 8 * DAY, "score": 61}),
        ("c", {"at": NOW, "from_stage": "lead", "to_stage": "customer", "score": 70}),
        ("d", {"at": NOW - 40 * DAY}),
        ("e", {"at": NOW, "from_stage": "mql", "to_stage": "mql"}),
        ("f", {"at": NOW + DAY}),
        ("g", {"at": NOW, "from_stage": "sql", "to_stage": "mql"}),
        ("h", {"at": NOW, "from_stage": "recycled", "score": 72, "cycle": 2}),
    )
    found = await funnel_moves(seen.parts, NOW)
    assert found.days == 28
    assert sorted(found.scores) == [55, 61, 72]  # sales took c by itself: it has not been an MQL
    assert (found.last(Level.MQL, 7), found.last(Level.MQL, 7, before=7)) == (1, 1)
    assert found.last(Level.CUSTOMER, 28) == 1
    assert len(found.entered[Level.MQL]) == 28


async def test_many_moves_shorten_the_window(seen: Seen) -> None:
    await moved(seen, *((f"a{n}", {"at": NOW - n * DAY}) for n in range(5)))
    assert (await funnel_moves(seen.parts, NOW, most=3)).days == 1
    await moved(seen, *((f"b{n}", {"at": NOW}) for n in range(9)))
    found = await funnel_moves(seen.parts, NOW, most=3)
    assert (found.days, found.last(Level.MQL, 1)) == (1, 3)


async def test_an_empty_installation_has_an_overview_that_says_so(seen: Seen) -> None:
    found = await overview(seen.parts, NOW)
    assert found.leads == 0
    assert [card.value for card in cards(found)] == ["0", "–", "–", "–", "–"]
    assert b"No leads yet" in (await seen.get("/")).body


def test_what_was_won_is_told_by_currency_the_most_first() -> None:
    values = {
        "JPY": Value(deals=2, smallest_units=5_000),
        "EUR": Value(deals=1, smallest_units=123_456_700),
    }
    assert worth(Won(deals=3, without_value=0, values=values)) == [
        ("1.23", "M EUR"),
        ("5\u202f000", "JPY"),
    ]


async def test_leads_that_cannot_be_read_cost_no_other(seen: Seen) -> None:
    await seen.parts.leads.update([], keeping(a_lead_named("ada")))
    assert (await seen.get("/")).status == 200


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(5, ("5", "min")), (119, ("119", "min")), (120, ("2", "h")), (90 * 60, ("3.8", "days"))],
)
def test_a_time_is_told_in_the_unit_in_which_it_is_read_best(
    minutes: float, told: tuple[str, str]
) -> None:
    assert in_units(minutes) == told


async def test_the_conversions_are_those_of_persons_who_have_had_the_time(seen: Seen) -> None:
    """Four MQLs of December, 90 days old, and two of January, not yet 60 days old."""
    december, january = datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)
    to_sql = {"from_stage": "mql", "to_stage": "sql", "hours_in_stage": 2.5}
    await moved(
        seen,
        *((name, {"at": december}) for name in "abcd"),
        *((name, {"at": january}) for name in "ef"),
        ("a", {"at": december + 3 * DAY, **to_sql}),
        ("b", {"at": december + 70 * DAY, **to_sql}),
        ("e", {"at": january + DAY, **to_sql}),
        ("a", {"at": december + 40 * DAY, "from_stage": "sql", "to_stage": "customer"}),
    )
    reporting = Reporting(seen.parts.leads, seen.parts.reports, seen.parts.bus, seen.parts.rules)
    for month in (december, january):
        await report(reporting, period_of(Span.MONTH, month), NOW)
    found = await overview(seen.parts, NOW)
    card = cards(found)[1]
    assert (card.value, card.unit, card.tone) == ("25", "%", "")
    assert "1 of 4 within 60 days" in card.note

    assert cards(found)[3].note == "1 deal in Jan 2026; 1 without a value; 0 deals in Dec 2025"
    assert earlier_month(found) == datetime(2026, 3, 1, tzinfo=UTC)  # February is not reported

    late, early = rows(found.months)
    assert (late.month, late.mqls, early.month, early.mqls) == ("Jan 2026", 2, "Dec 2025", 4)
    assert [cell.percent for cell in early.by_age] == [25, 25, 50]
    assert [cell.percent for cell in late.by_age] == [50, None, None]
    assert [cell.is_finished for cell in late.by_age] == [True, False, False]
    assert (early.so_far.percent, early.customers.percent) == (50, 25)

    await seen.apply(an_event(email="ada@example.com", trust=Trust.SIGNED))
    page = (await seen.get("/")).body.decode()
    assert "Dec 2025" in page
    assert "1 of 4; likely" in page
    took = {row.name: row.took for row in funnel(found)}
    assert took["sql"] == "2.5 h"
