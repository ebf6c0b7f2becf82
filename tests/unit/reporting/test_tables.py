"""Cells and tables as people read them, and their values for programs."""

import pytest

from unit.reporting.test_breakdowns import cells_of, reported
from unit.reporting.test_cohorts import FIRST, moved, tallied
from warmlead.reporting.periods import read_period
from warmlead.reporting.sheet import Comparison, sheet
from warmlead.reporting.tables import (
    BLANK,
    MOST_ROWS,
    Doubt,
    ReportTable,
    TableRow,
    cost,
    money,
    number,
    share,
    span,
)


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (0, "0 min"),
        (119, "119 min"),
        (120, "2.0 h"),
        (2_879, "48.0 h"),
        (2_880, "2.0 d"),
        (-2_880, "-2.0 d"),
        (-5, "-5 min"),
        (None, "–"),
    ],
)
def test_times_are_shown_as_they_are_easiest_to_read(minutes: int | None, shown: str) -> None:
    assert (span(minutes).text, span(minutes).value) == (shown, minutes)


def test_a_rate_of_few_is_doubted_and_one_of_nobody_is_blank() -> None:
    assert (share(3, 29).text, share(3, 29).doubt) == ("10.3 %", Doubt.FEW)
    assert (share(3, 30).value, share(3, 30).doubt) == (0.1, Doubt.NONE)
    assert share(0, 0) == BLANK
    assert (number(0).text, number(None).text) == ("0", "–")


@pytest.mark.parametrize(
    ("units", "currency", "shown"),
    [
        (123_456_789, "EUR", "1,234,567.89 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (1_250_000, "JPY", "1,250,000 JPY"),
        (5, "TND", "0.005 TND"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(units: int, currency: str, shown: str) -> None:
    assert (money(units, currency).text, money(units, currency).value) == (shown, units)


def test_costs_are_of_one_person_and_currencies_are_never_added() -> None:
    assert cost({"EUR": 1_001}, 2).text == "5.01 EUR"
    assert cost({"EUR": 1_000, "JPY": 30}, 2).text == "5.00 EUR, 15 JPY"
    assert cost({"EUR": 1_000}, 0).text == "10.00 EUR for none"
    assert cost({}, 3) == BLANK


def test_a_long_table_is_cut_for_people_and_says_so() -> None:
    rows = [TableRow(str(i), [number(i)]) for i in range(MOST_ROWS + 2)]
    cut = ReportTable("t", ["n"], rows, ["note"], is_long=True).shortened
    assert len(cut.rows) == MOST_ROWS
    assert cut.notes == ["And 2 more rows, which CSV has.", "note"]
    assert len(ReportTable("t", ["n"], rows).shortened.rows) == MOST_ROWS + 2


def test_a_young_cohort_is_marked_and_notes_say_what_is_odd() -> None:
    lives = [
        [moved(0, "lead > mql"), moved(1, "mql > sql")],
        [moved(40, "lead > mql"), moved(39, "mql > sql")],
    ]
    tally = tallied(*lives, now=read_period("2026-02-20", FIRST.start).start)
    found = {"cohort": tally.whole(), "cohorts": tally.by_month()}
    report = reported({}).model_copy(update=found)
    (table,) = [t for t in sheet(Comparison(report)) if t.title.startswith("MQL → SQL")]
    assert cells_of(table, "2026-01") == [
        *("1", "100.0 %", "…", "…", "100.0 %", "20.7–100.0 %"),
    ]
    assert cells_of(table, "2026-02")[1] == "…"
    assert cells_of(table, "together")[1] == "1 of 1 …"  # which is far from being 100 %
    assert table.notes[0] == "Others: 13 %, ideal 20–40 %."
    assert table.notes[-1] == "1 made the second step before the first; they are counted."


def test_stages_beside_the_way_to_a_sale_come_last() -> None:
    (table,) = [t for t in sheet(Comparison(reported({}))) if t.title == "Stages"]
    shown = [row.label for row in table.rows]
    assert (shown[0], shown[-2:]) == ("lead", ["recycled", "disqualified"])
