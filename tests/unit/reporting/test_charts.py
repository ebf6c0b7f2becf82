"""Charts of a report: lengths and places, and what is left out."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from unit.reporting.test_breakdowns import reported
from unit.reporting.test_cohorts import FIRST, NOW, moved, tallied
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.charts import WIDTH, funnel, rates

DAY = timedelta(days=1)


def of_months(*counts: tuple[int, int]) -> KpiReport:
    """A report in whose months so many of so many MQLs became SQLs."""
    lives = [
        [moved(31 * month, "lead > mql"), *([moved(31 * month + 1, "mql > sql")] * (i < reached))]
        for month, (reached, of) in enumerate(counts)
        for i in range(of)
    ]
    tally = tallied(*lives, period=FIRST, now=NOW)
    found = {"cohort": tally.whole(), "cohorts": tally.by_month()}
    return reported({}).model_copy(update=found)


def test_the_longest_bar_is_as_wide_as_the_chart() -> None:
    bars = funnel(of_months((10, 40), (0, 40)))
    assert [(bar.label, bar.value, bar.length) for bar in bars] == [
        ("Became known", 0, 0),
        ("MQLs", 80, WIDTH),
        ("SQLs", 10, WIDTH // 8),
        ("Customers", 0, 0),
    ]
    assert all(bar.length == 0 for bar in funnel(reported({})))


def test_rates_stand_on_one_scale_with_what_is_usual() -> None:
    (chart, _) = rates(of_months((10, 40), (3, 10)))
    assert chart.title == "MQL → SQL by month of the MQL"
    # 10 of 40: 14.2–40.2 %, so the scale ends at 50 %; 13 % is at 260 thousandths of it.
    assert (chart.most_percent, chart.usual, chart.ideal) == (50, 260, (400, 800))
    january, february = chart.whiskers
    assert (january.label, january.words, january.at) == ("2026-01", "10 of 40", 500)
    assert (january.is_small, february.is_small) == (False, True)


def test_a_period_of_one_month_has_no_chart_of_months() -> None:
    assert rates(reported({})) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=2, max_size=3))
def test_no_whisker_leaves_the_chart(counts: list[tuple[int, int]]) -> None:
    for chart in rates(of_months(*((min(reached, of), of) for reached, of in counts))):
        for each in chart.whiskers:
            assert 0 <= each.low <= each.at <= each.high <= WIDTH
