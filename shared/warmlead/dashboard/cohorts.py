"""The cohorts of the overview: what has become of each month's MQLs, at the same ages."""

from collections.abc import Sequence

from msgspec import Struct

from warmlead.messages.cohorts import Cohort, CohortConversion, Reached, Ripening
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.cohorts import AGES_DAYS, rated
from warmlead.reporting.statistics import SMALL_SAMPLE


class Share(Struct, frozen=True):
    """A rate in percent, ``None`` of nobody; an unfinished one may still grow."""

    percent: float | None
    title: str
    is_small: bool = False
    is_finished: bool = True


class MonthRow(Struct, frozen=True):
    """The persons who became MQL in a month: of these SQL by age and so far, and customers."""

    month: str
    mqls: int
    by_age: Sequence[Share]
    so_far: Share
    customers: Share


class Together(Struct, frozen=True):
    """Persons of several months together: of those who have had the time, who made the step."""

    of: int
    reached: int
    by_month: Sequence[float | None]


def rows(months: Sequence[KpiReport]) -> list[MonthRow]:
    """A row for each month that has a cohort of MQLs, in the order of the reports."""
    return [
        MonthRow(
            f"{cohort.start:%b %Y}",
            cohort.mql_to_sql.ever.of,
            [_ripening(within(cohort.mql_to_sql, age)) for age in AGES_DAYS],
            _cell(cohort.mql_to_sql.ever),
            _cell(cohort.mql_to_customer.ever),
        )
        for cohort in _cohorts(months)
        if cohort.mql_to_sql.ever.of
    ]


def summed(months: Sequence[KpiReport], conversion: str, age_days: int) -> Together:
    """The months' cohorts together at an age in days; the months the earliest first."""
    found = [within(getattr(cohort, conversion), age_days) for cohort in reversed(_cohorts(months))]
    return Together(
        sum(each.of for each in found),
        sum(each.reached for each in found),
        [100 * each.reached / each.of if each.of else None for each in found],
    )


def within(conversion: CohortConversion, age_days: int) -> Ripening:
    """How many had made the step at an age in days: one of ``AGES_DAYS``."""
    found: Ripening = getattr(conversion, f"within_{age_days}_days")
    return found


def share_of(parts: Sequence[Ripening]) -> Share:
    """The rate of several months together, of those who have had the time."""
    reached, of = sum(each.reached for each in parts), sum(each.of for each in parts)
    is_finished = all(each.is_finished for each in parts)
    return _cell(Reached(**rated(reached, of)), is_finished=is_finished)


def _cohorts(months: Sequence[KpiReport]) -> list[Cohort]:
    return [report.cohort for report in months if report.cohort is not None]


def _ripening(reached: Ripening) -> Share:
    return _cell(reached, is_finished=reached.is_finished)


def _cell(reached: Reached, *, is_finished: bool = True) -> Share:
    if reached.per_mille is None:
        return Share(None, "nobody has had the time", is_finished=is_finished)
    low, high = (reached.low_per_mille or 0) / 10, (reached.high_per_mille or 0) / 10
    words = f"{reached.reached} of {reached.of}; likely {low:.0f} to {high:.0f} %"
    if not is_finished:
        words += "; not all have had the time"
    return Share(reached.per_mille / 10, words, reached.of < SMALL_SAMPLE, is_finished)
