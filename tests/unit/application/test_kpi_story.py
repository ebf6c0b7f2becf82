"""A month of four leads, a nightly CRM and two stages of the model: each number by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from builders import an_event, lead_ids
from unit.application.living import Place, place
from warmlead.application.apply import Scoring, apply
from warmlead.application.report import Reporting, add_up
from warmlead.messages.kpis import KpiReport
from warmlead.model.loading import load
from warmlead.reporting.periods import Span, last_period
from warmlead.stores.sqlite_reports import SqliteReportStore

RULES = load(
    dedent(
        """\
        signals:
          downloaded: {on: content_downloaded, points: 25, decay: never}
          activated: {on: product_activated, points: 30, decay: never}
        stages:
          mql: {enter: score >= 50, leave: score < 35, cooldown: 30d}
          pql: {enter: activated && score >= 60, leave: score < 35}
        handoff: {first_touch_within: 1h, accept_within: 24h}
        """
    ),
    name="kpis",
).rules
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
HOUR_MIN = 60


def march(day: int, hour: int, minute: int = 0) -> datetime:
    return MARCH + timedelta(days=day - 1, hours=hour, minutes=minute)


class Month:
    """Events as they come in, and the report of the month."""

    def __init__(self, here: Place) -> None:
        self._here = here

    async def come(self, who: str, name: str, at: datetime, *, told: datetime, **how: Any) -> None:
        self._here.clock.time = told
        event = an_event(
            id=f"{who}-{name}-{at.isoformat()}",
            name=name,
            email=f"{who}@acme.example",
            occurred_at=at,
            received_at=told,
            **how,
        )
        scoring = Scoring(RULES, lead_ids)
        here = self._here
        await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)

    async def downloads(self, who: str, at: datetime, source: str) -> None:
        """Two papers make an MQL, the second a minute after the first."""
        for minute in (-1, 0):
            then = at + timedelta(minutes=minute)
            touch = {"utm_source": source}
            await self.come(who, "content_downloaded", then, told=then, attribution=touch)

    async def of_march(self) -> KpiReport:
        reports = SqliteReportStore(self._here.file)
        reporting = Reporting(self._here.store, reports, self._here.bus, RULES)
        return await add_up(reporting, last_period(Span.MONTH, march(32, 1)), march(32, 1))


@pytest.fixture
async def month(tmp_path: Path) -> AsyncIterator[Month]:
    async with place(tmp_path / "w.db", MARCH) as here:
        yield Month(here)


async def played(month: Month) -> KpiReport:
    """Ada is an MQL on 2 March at 14:00, a PQL on the 4th at 9:00, accepted at 10:00, and won.

    Her CRM tells of the acceptance in the night of the 5th. Bob and Cyn are MQLs on the 3rd at
    10:00. Sales takes Bob after two hours, and refuses Cyn after five. It takes Dan, who is no MQL,
    on the 6th, and wins him.
    """
    await month.downloads("ada", march(2, 14), "linkedin")
    await month.downloads("bob", march(3, 10), "google")
    await month.downloads("cyn", march(3, 10), "google")
    await month.come("bob", "sales_accepted", march(3, 12), told=march(3, 12))
    refused = {"properties": {"reason": "not_ready"}}
    await month.come("cyn", "sales_rejected", march(3, 15), told=march(3, 15), **refused)
    await month.come("ada", "product_activated", march(4, 9), told=march(4, 9))
    await month.come("ada", "sales_accepted", march(4, 10), told=march(5, 20))
    await month.come("dan", "content_downloaded", march(6, 8), told=march(6, 8))
    await month.come("dan", "sales_accepted", march(6, 9), told=march(6, 9))
    await month.come("dan", "sales_won", march(9, 9), told=march(9, 9))
    await month.come("ada", "sales_won", march(20, 9), told=march(20, 9))
    return await month.of_march()


async def test_the_way_from_sql_to_customer_counts_whoever_was_an_sql(month: Month) -> None:
    found = (await played(month)).conversions
    assert found.mql_to_sql.model_dump() == {"of": 3, "reached": 2, "per_mille": 667}
    assert found.sql_to_customer.model_dump() == {"of": 3, "reached": 2, "per_mille": 667}
    assert found.mql_to_customer.model_dump() == {"of": 3, "reached": 1, "per_mille": 333}
    # nobody stated an opportunity: who is won without one has been one
    assert found.sql_to_opportunity.reached == found.opportunity_to_customer.reached == 2


async def test_an_mql_waits_from_when_it_first_was_one_by_the_times_of_the_crm(
    month: Month,
) -> None:
    # Ada: from the 2nd, 14:00, to the 4th, 10:00: 44 h, of them one as a PQL. Bob: 2 h.
    found = (await played(month)).times
    assert found.mql_to_sql.model_dump() == {
        "count": 2, "median_minutes": 2 * HOUR_MIN, "p90_minutes": 44 * HOUR_MIN,
        "mean_minutes": 23 * HOUR_MIN,
    }  # fmt: skip
    # Sales first spoke to Cyn when it refused her, after 5 h.
    assert found.mql_to_first_touch.model_dump() == {
        "count": 3, "median_minutes": 5 * HOUR_MIN, "p90_minutes": 44 * HOUR_MIN,
        "mean_minutes": 17 * HOUR_MIN,
    }  # fmt: skip


async def test_answers_of_sales_are_counted_by_what_the_model_said(month: Month) -> None:
    # Ada had 80 points, Bob and Cyn 50, Dan 25.
    found = (await played(month)).feedback.model_dump()
    yes, no = {"accepted": 1, "rejected": 0}, {"accepted": 0, "rejected": 1}
    both = {"accepted": 1, "rejected": 1}
    assert found["by_score"] == {"25-49": yes, "50-74": both, "75-99": yes}
    assert found["by_signal"] == {
        "activated": yes,
        "downloaded": {"accepted": 3, "rejected": 1},
    }
    assert found["by_source"] == {"(unknown)": yes, "google": both, "linkedin": yes}
    assert sum(each["rejected"] for each in found["by_channel"].values()) == no["rejected"]


async def test_a_signal_that_came_after_the_answer_is_not_counted_for_it(month: Month) -> None:
    await month.downloads("eve", march(3, 10), "google")
    await month.come("eve", "sales_accepted", march(3, 12), told=march(3, 12))
    await month.come("eve", "product_activated", march(4, 9), told=march(4, 9))
    found = (await month.of_march()).feedback
    assert set(found.by_signal) == {"downloaded"}
