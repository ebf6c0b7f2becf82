"""Charts of a report: places and lengths in thousandths of the width, and no drawing."""

from collections.abc import Mapping, Sequence
from math import ceil

from msgspec import Struct

from warmlead.messages.kpis import KpiReport
from warmlead.reporting.statistics import SMALL_SAMPLE

WIDTH = 1000


class Bar(Struct, frozen=True):
    """A labelled bar, as long as its share of the longest."""

    label: str
    value: int
    length: int


class Whisker(Struct, frozen=True):
    """A rate with the range in which the true one is likely."""

    label: str
    words: str
    low: int
    at: int
    high: int
    is_small: bool


class RateChart(Struct, frozen=True):
    """Rates by month on one scale; ``ideal`` is a range, and ``usual`` a line, of other companies.

    ``most_percent`` is the right end of the scale.
    """

    title: str
    whiskers: Sequence[Whisker]
    ideal: tuple[int, int]
    most_percent: int
    usual: int | None = None


_OTHERS: Mapping[str, tuple[str, tuple[int, int], int | None]] = {
    "mql_to_sql": ("MQL → SQL by month of the MQL", (20, 40), 13),
    "sql_to_customer": ("SQL → customer by month of the SQL", (20, 30), None),
}
"""The title, the ideal range and the usual rate in percent."""

_TEN = 10


def funnel(report: KpiReport) -> list[Bar]:
    """How many persons made each step of the funnel in the period."""
    if report.cohort is None:
        return []
    steps = {
        "Became known": report.cohort.lead_to_mql.ever.of,
        "MQLs": report.cohort.mql_to_sql.ever.of,
        "SQLs": report.cohort.sql_to_customer.ever.of,
        "Customers": report.cohort.customers,
    }
    most = max(*steps.values(), 1)
    return [Bar(name, count, WIDTH * count // most) for name, count in steps.items()]


def rates(report: KpiReport) -> list[RateChart]:
    """The conversions that others publish, by month; of periods with several months alone."""
    charts = []
    for name, (title, ideal, usual) in _OTHERS.items():
        months = [
            (month, found)
            for month, cohort in report.cohorts.items()
            if (found := getattr(cohort, name).ever).of
        ]
        ends = [found.high_per_mille or 0 for _, found in months if found.of >= SMALL_SAMPLE]
        highest = max([ideal[1], *(end / _TEN for end in ends)])
        most = min(100, _TEN * ceil(highest / _TEN))

        def place(per_mille: int, most: int = most) -> int:
            return min(WIDTH, per_mille * WIDTH // (_TEN * most))

        whiskers = [
            Whisker(
                label=month,
                words=f"{found.reached:,} of {found.of:,}",
                low=place(found.low_per_mille or 0),
                at=place(found.per_mille or 0),
                high=place(found.high_per_mille or 0),
                is_small=found.of < SMALL_SAMPLE,
            )
            for month, found in months
        ]
        band = (place(_TEN * ideal[0]), place(_TEN * ideal[1]))
        line = None if usual is None else place(_TEN * usual)
        charts.append(RateChart(title, whiskers, band, most, line))
    return [chart for chart in charts if chart.whiskers]
