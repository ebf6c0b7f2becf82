"""Reports of leads that really lived: their events, offers, and what sales said of them."""

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builders import NOW, an_event, lead_ids
from unit.application.living import DAY, HOUR, LIVING, Place, place
from warmlead.application import report as reports
from warmlead.application.apply import Scoring, apply
from warmlead.application.report import Reporting, add_up, make_again, report, report_due
from warmlead.domain.errors import UnavailableError, UnreadableError
from warmlead.domain.lead import Lead
from warmlead.messages.contract import message_schema
from warmlead.messages.kpis import KpiReport
from warmlead.ports import Commit, Loaded, Message
from warmlead.ports.imports import Spend
from warmlead.reporting.kpis import CALCULATION
from warmlead.reporting.periods import Span, last_period, period_of, read_period
from warmlead.stores.sqlite_reports import SqliteReportStore

SCORING = Scoring(LIVING, lead_ids)


class Newsroom:
    """A place where leads live, and where it is reported on them."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self.reports = SqliteReportStore(here.file)
        self.reporting = Reporting(here.store, self.reports, here.bus, LIVING)

    async def happens(self, name: str, *, who: str = "ada", **others: Any) -> None:
        now = self.here.clock.now()
        id_ = f"{who}-{name}-{now.isoformat()}"
        fields = {"id": id_, "name": name, "email": f"{who}@example.com"}
        event = an_event(**{**fields, "occurred_at": now, "received_at": now, **others})
        await apply(
            [event],
            store=self.here.store,
            bus=self.here.bus,
            scoring=SCORING,
            clock=self.here.clock,
        )

    async def qualifies(self, who: str, source: str = "google") -> None:
        for _ in range(3):
            await self.happens("page_viewed", who=who, attribution={"utm_source": source})
            self.here.clock.forward(timedelta(minutes=1))

    async def of_today(self) -> KpiReport:
        """The report of the day of the clock, made the day after."""
        now = self.here.clock.now() + DAY
        return await report(self.reporting, last_period(Span.DAY, now), now)

    async def told(self) -> list[Message]:
        return [each.message async for each in self.here.bus.read("kpi")]


@pytest.fixture
async def news(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with place(tmp_path / "w.db", NOW) as here:
        yield Newsroom(here)


@pytest.mark.slow
async def test_a_report_of_real_leads_has_the_expected_numbers(news: Newsroom) -> None:
    # Noon: ada and bob qualify in three minutes each, and are offered. Sales speaks to ada after
    # half an hour, takes her after two hours and wins 500 EUR after three; nobody speaks to bob
    # within the hour.
    await news.qualifies("ada")
    await news.qualifies("bob", "news")
    await news.happens("page_viewed", who="cyn")
    news.here.clock.forward(HOUR / 2)
    await news.happens("sales_touched")
    news.here.clock.forward(1.5 * HOUR)
    await news.happens("sales_accepted")
    news.here.clock.forward(HOUR)
    await news.happens("sales_won", properties={"value_cents": 50_000, "currency": "EUR"})

    made = await news.of_today()

    assert made.became_known == 3
    assert {name: found.at_end for name, found in made.stages.items() if found.at_end} == {
        "lead": 1,
        "mql": 1,
        "customer": 1,
    }
    assert made.conversions.lead_to_mql.model_dump() == {"of": 3, "reached": 2, "per_mille": 667}
    assert made.conversions.mql_to_customer.per_mille == 500
    # Her third view made ada an MQL; four minutes and half an hour later sales spoke to her.
    assert made.times.mql_to_first_touch.model_dump() == {
        "count": 1, "median_minutes": 34, "p90_minutes": 34, "mean_minutes": 34,
    }  # fmt: skip
    assert made.handoffs.offers == 2
    touch = made.handoffs.first_touch
    assert (touch.due, touch.kept, touch.breached) == (2, 1, 1)
    assert made.handoffs.acceptance.due == 0  # tomorrow
    assert made.won.model_dump() == {
        "deals": 1,
        "without_value": 0,
        "values": {"EUR": {"deals": 1, "smallest_units": 50_000, "largest": 50_000}},
    }
    assert {name: found.mql for name, found in made.sources.items()} == {"google": 1, "news": 1}
    assert made.cohort is not None
    of_known = (made.cohort.lead_to_mql.ever, made.cohort.lead_to_customer.ever)
    assert [(found.reached, found.of) for found in of_known] == [(2, 3), (1, 3)]  # cyn counts
    young, ever = made.cohort.mql_to_sql.within_30_days, made.cohort.mql_to_sql.ever
    assert (young.reached, young.of, young.is_finished) == (0, 0, False)
    assert (ever.reached, ever.of, ever.low_per_mille, ever.high_per_mille) == (1, 2, 95, 905)
    assert await ripe_cohort(news) == (1, 2)

    news.here.clock.forward(21 * DAY)
    await news.happens("sales_accepted", who="bob")
    assert await ripe_cohort(news) == (2, 2)


async def ripe_cohort(news: Newsroom) -> tuple[int, int]:
    """Who of the MQLs of 10 March was an SQL within 30 days, and of how many; on 10 April."""
    made = await add_up(news.reporting, period_of(Span.DAY, NOW), NOW + 31 * DAY)
    assert made.cohort is not None
    assert made.cohort.mql_to_sql.within_30_days.is_finished
    return made.cohort.mql_to_sql.within_30_days.reached, made.cohort.mql_to_sql.ever.of


@pytest.mark.slow
async def test_a_promise_is_reported_on_the_day_on_which_it_falls_due(news: Newsroom) -> None:
    await news.qualifies("ada")
    news.here.clock.forward(DAY)
    made = await news.of_today()
    assert made.handoffs.offers == 0
    assert (made.handoffs.acceptance.due, made.handoffs.acceptance.breached) == (1, 1)


@pytest.mark.slow
async def test_a_repeated_report_is_byte_identical_despite_later_moves(news: Newsroom) -> None:
    await news.qualifies("ada")
    first = await news.of_today()
    kept = await news.reports.report("2026-03-10")
    assert kept == first.model_dump_json()
    day = last_period(Span.DAY, NOW + DAY)
    news.here.clock.forward(2 * DAY)
    await news.qualifies("bob")
    await news.happens("sales_rejected", properties={"reason": "not_ready"})

    assert await report(news.reporting, day, NOW + 3 * DAY) == first

    assert await news.reports.report("2026-03-10") == kept
    told, again = await news.told()
    assert told == again


async def test_a_report_with_other_content_has_another_id(news: Newsroom) -> None:
    await news.of_today()
    await news.qualifies("ada")
    await news.of_today()
    ids = [message.attributes["id"] for message in await news.told()]
    assert len(set(ids)) == 2


async def test_the_kpi_message_matches_its_schema_and_names_nobody(news: Newsroom) -> None:
    await news.qualifies("ada", "ada@example.com")
    await news.happens("sales_lost", properties={"reason": "Ada Lovelace hung up"})
    await news.of_today()
    (message,) = await news.told()
    event = json.loads(message.body)
    Draft202012Validator(message_schema("warmlead.kpi.reported.v1")).validate(event)
    assert (event["id"], event["subject"]) == (message.attributes["id"], "2026-03-10")
    assert event["time"] == "2026-03-11T00:00:00Z"
    assert dict(message.attributes) == {
        "type": "warmlead.kpi.reported.v1",
        "period": "2026-03-10",
        "content-type": "application/cloudevents+json",
        "id": event["id"],
    }
    text = message.body.decode().lower()
    assert "ada" not in text
    assert "lovelace" not in text
    assert all(lead.id not in text for lead in await news.here.leads())


async def test_what_was_spent_in_the_period_is_reported(news: Newsroom) -> None:
    book = [
        Spend(
            key=str(day),
            day=date(2026, 3, day),
            amount_cents=10**day,
            currency="EUR",
            source="Google",
        )
        for day in range(1, 12)
    ]

    class Book:
        async def spend(self, start: date, end: date) -> AsyncIterator[Spend]:
            for each in book:
                if start <= each.day < end:
                    yield each

    period = read_period("2026-03-09..2026-03-10", NOW)
    made = await add_up(replace(news.reporting, spend=Book()), period, NOW)
    assert made.spend is not None
    assert made.spend.total == {"EUR": 11_000_000_000}
    assert made.spend.source == {"google": {"EUR": 11_000_000_000}}
    assert (await add_up(news.reporting, period, NOW)).spend is None


async def test_weeks_and_months_are_reported_once_and_days_each_time(news: Newsroom) -> None:
    first = await report_due(news.reporting, NOW)
    assert [made.period for made in first] == ["2026-03-09", "2026-W10", "2026-02"]
    again = await report_due(news.reporting, NOW)
    assert [made.period for made in again] == ["2026-03-09"]
    monday = await report_due(news.reporting, NOW + 6 * DAY)
    assert [made.period for made in monday] == ["2026-03-15", "2026-W11"]


async def test_what_sales_reports_late_moves_the_report_of_its_own_month(news: Newsroom) -> None:
    # Noon of 10 March: ada is an MQL. On 3 April sales says that it took her on 20 March.
    await news.qualifies("ada")
    news.here.clock.forward(24 * DAY - HOUR)  # 3 April
    now = news.here.clock.now()
    (march,) = [m for m in await report_due(news.reporting, now) if m.period == "2026-03"]
    assert (march.revision, march.conversions.mql_to_sql.reached) == (1, 0)
    days = [last_period(Span.DAY, NOW + 11 * DAY), last_period(Span.DAY, NOW + 12 * DAY)]
    before = [await report(news.reporting, day, now) for day in days]

    await news.happens("sales_accepted", occurred_at=NOW + 10 * DAY)
    made = await report_due(news.reporting, now + DAY)

    assert [each.period for each in made] == ["2026-04-03", "2026-03", "2026-03-20"]
    _, again, of_day = made
    assert (again.revision, again.conversions.mql_to_sql.reached) == (2, 1)
    assert (again.stages["sql"].entered, again.times.mql_to_sql.median_minutes) == (1, 14_398)
    assert (of_day.revision, before[0].revision) == (2, 1)
    assert await news.reports.report("2026-03") == again.model_dump_json()
    told = [json.loads(message.body)["data"] for message in await news.told()]
    assert [each["revision"] for each in told if each["period"] == "2026-03"] == [1, 2]


async def test_a_month_is_reported_again_when_its_cohort_has_come_to_an_age(news: Newsroom) -> None:
    # Ada is an MQL of 10 March, and sales takes her on 9 April: within 30 days, in another month.
    await news.qualifies("ada")
    april = NOW + 22 * DAY
    await report_due(news.reporting, april)
    news.here.clock.forward(30 * DAY - HOUR)
    await news.happens("sales_accepted")
    ripe = {}
    for day in (23, 51, 52, 53, 81, 82, 83, 111, 112, 113, 150):
        for made in await report_due(news.reporting, NOW + day * DAY):
            if made.period == "2026-03":
                assert made.cohort is not None
                ripe[day] = made.cohort.mql_to_sql
    # All of March is 30 days old on 1 May, 60 on 31 May, and 90 on 30 June.
    assert [(NOW + day * DAY).date().isoformat() for day in ripe] == [
        "2026-05-01", "2026-05-31", "2026-06-30",
    ]  # fmt: skip
    assert [each.within_30_days.reached for each in ripe.values()] == [1, 1, 1]
    assert [each.within_90_days.is_finished for each in ripe.values()] == [False, False, True]
    told = [json.loads(message.body)["data"] for message in await news.told()]
    revisions = [each["revision"] for each in told if each["period"] == "2026-03"]
    assert revisions == [1, 2, 3, 4]


async def test_a_late_fact_and_an_age_reach_every_kept_period_that_holds_them(
    news: Newsroom,
) -> None:
    # Ada is an MQL of 10 March; on 3 April of the next year sales says that it took her in May.
    await news.qualifies("ada")
    news.here.clock.forward(389 * DAY)
    now = news.here.clock.now()
    kept = ["2026", "2026-Q2", "2026-05", "2026-W20", "2026-05-14"]
    for name in [*kept, "2026-Q3"]:
        await report(news.reporting, read_period(name, now), now)
    await report_due(news.reporting, now)

    await news.happens("sales_accepted", occurred_at=NOW + 65 * DAY)
    made = await report_due(news.reporting, now + DAY)
    assert [each.period for each in made[1:]] == kept
    assert {each.stages["sql"].entered for each in made[1:]} == {1}
    made = await report_due(news.reporting, now + 2 * DAY)
    assert [each.period for each in made] == ["2027-04-04", "2027-W13"]


async def test_a_run_that_ends_early_loses_nothing(news: Newsroom) -> None:
    await report_due(news.reporting, NOW)
    days = [period_of(Span.DAY, NOW - ago * DAY) for ago in (20, 21)]
    for number, day in enumerate(days):
        await report(news.reporting, day, NOW)
        await news.happens("page_viewed", who=f"lead-{number}", occurred_at=day.start)

    class Ending:
        def __init__(self) -> None:
            self.published = 0

        async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
            self.published += 1
            if self.published > 3:
                raise UnavailableError("the run ends")
            return await news.here.bus.publish(topic, messages)

    with pytest.raises(UnavailableError):  # after yesterday, February and one day
        await report_due(replace(news.reporting, bus=Ending()), NOW + DAY)
    (rest,) = [each async for each in due_on(news, "2026-03-12")]
    assert [each.period for each in rest] == [days[1].name]


async def test_a_late_fact_reaches_the_cohort_that_no_further_age_would_correct(
    news: Newsroom,
) -> None:
    # Ada is an MQL of 10 March. Of a deal of 20 May it is learnt in September.
    await news.qualifies("ada")
    news.here.clock.forward(180 * DAY)
    now = news.here.clock.now()
    for name in ("2026-03", "2026-04", "2026-08"):
        await report(news.reporting, read_period(name, now), now)
    await report_due(news.reporting, now)
    await news.happens("sales_won", occurred_at=NOW + 71 * DAY)
    made = await report_due(news.reporting, now + DAY)
    assert [each.period for each in made[1:]] == ["2026-W36", "2026-03"]
    assert made[2].cohort
    assert made[2].cohort.mql_to_customer.within_90_days.reached == 1


async def test_a_year_and_its_last_quarter_come_to_an_age_together(news: Newsroom) -> None:
    news.here.clock.forward(296 * DAY)  # noon of 31 December
    await news.qualifies("ada")
    await report_due(news.reporting, NOW + 300 * DAY)
    made = NOW + 384 * DAY  # 29 March
    for name in ("2026", "2026-Q4", "2026-W53"):
        await report(news.reporting, read_period(name, made), made)
    ripe = [each async for each in due_on(news, "2027-03-30", "2027-04-01", "2027-04-02")]
    of_2026 = [[each for each in due if each.period.startswith("2026")] for due in ripe]
    assert [[each.period for each in due] for due in of_2026] == [
        ["2026-12"],  # it was kept in January
        ["2026", "2026-Q4", "2026-12"],
        [],
    ]
    for each in of_2026[1]:
        assert each.cohort
        assert each.cohort.mql_to_sql.within_90_days.is_finished


async def due_on(news: Newsroom, *days: str) -> AsyncIterator[list[KpiReport]]:
    """What the runs of these days make, but for the days before them."""
    for day in days:
        yield (await report_due(news.reporting, read_period(day, NOW).start))[1:]


async def test_what_may_be_wrong_in_ways_that_no_move_tells_is_made_again(news: Newsroom) -> None:
    await news.qualifies("ada")
    now = NOW + 30 * DAY
    await report_due(news.reporting, now)
    wrong = ["2026-03", "2026-W11", "2026-03-10"]
    for name in wrong:
        right = await report(news.reporting, read_period(name, now), now)
        await news.reports.keep(name, right.model_copy(update={"cohort": None}).model_dump_json())
    assert len(await report_due(news.reporting, now + DAY)) == 1

    agenda = json.loads(await news.reports.report("agenda") or "")
    await news.reports.keep("agenda", json.dumps({**agenda, "calculation": CALCULATION - 1}))
    assert [each.period for each in await due_again(news, now)] == wrong
    for name in wrong:  # as if moves were gone, of which nothing tells
        kept = json.loads(await news.reports.report(name) or "")
        await news.reports.keep(name, json.dumps({**kept, "became_known": 9}))
    assert len(await report_due(news.reporting, now + DAY)) == 1
    await make_again(news.reports, now)
    assert [each.period for each in await due_again(news, now)] == wrong
    assert len(await report_due(news.reporting, now + DAY)) == 1


async def due_again(news: Newsroom, now: datetime) -> list[KpiReport]:
    """What the run of the day after makes again."""
    _, *made = await report_due(news.reporting, now + DAY)
    assert all(each.cohort and each.cohort.mql_to_sql.ever.of == 1 for each in made)
    assert {each.became_known for each in made} == {1}
    return made


@pytest.mark.parametrize("kept", ['{"revision": 4}', '{"cohort": null, "of a later release": 1}'])
async def test_a_month_that_another_release_reported_is_reported_again_with_its_cohort(
    news: Newsroom, kept: str
) -> None:
    await news.reports.keep("2026-01", kept)
    made = {each.period: each for each in await report_due(news.reporting, NOW)}
    assert made["2026-01"].cohort is not None
    assert made["2026-01"].revision == (5 if "revision" in kept else 2)
    assert "2026-01" not in {each.period for each in await report_due(news.reporting, NOW)}


async def test_a_report_that_nothing_has_changed_is_not_published_again(news: Newsroom) -> None:
    await news.qualifies("ada")
    news.here.clock.forward(24 * DAY)
    now = news.here.clock.now()
    await report_due(news.reporting, now)
    await news.happens("sales_accepted", occurred_at=NOW + 10 * DAY)
    assert len(await report_due(news.reporting, now + DAY)) == 2
    assert [made.period for made in await report_due(news.reporting, now + 2 * DAY)] == [
        "2026-04-04"
    ]


async def test_a_run_makes_no_more_past_periods_again_than_the_limit_and_the_next_goes_on(
    news: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was learnt of five leads is of five days of last year, and each day was reported on.
    monkeypatch.setattr(reports, "MOST_CORRECTED", 3)
    days = [period_of(Span.DAY, NOW - (300 + day) * DAY) for day in range(5)]
    await report_due(news.reporting, NOW)
    for number, day in enumerate(days):
        await report(news.reporting, day, NOW)
        await news.happens("page_viewed", who=f"lead-{number}", occurred_at=day.start)
    again = [each async for each in due_on(news, "2026-03-11", "2026-03-12", "2026-03-13")]
    assert [[each.period for each in made] for made in again] == [
        [day.name for day in days[:3]],
        [day.name for day in days[3:]],
        [],
    ]
    assert {each.became_known for made in again for each in made} == {1}


@pytest.mark.slow
async def test_only_leads_that_went_through_the_funnel_are_read(news: Newsroom) -> None:
    await news.qualifies("ada")
    for i in range(20):
        await news.happens("page_viewed", who=f"visitor-{i}")
    read: list[str] = []

    class Counting:
        async def get(self, lead_id: str) -> Lead | None:
            read.append(lead_id)
            return await news.here.store.get(lead_id)

    day = last_period(Span.DAY, NOW + DAY)
    made = await report(replace(news.reporting, leads=Counting()), day, NOW + DAY)  # type: ignore[arg-type]  # no more is asked of it
    assert made.became_known == 21
    assert len(read) == 1
    await report(replace(news.reporting, leads=Counting()), last_period(Span.DAY, NOW), NOW)  # type: ignore[arg-type]  # the same
    assert len(read) == 1


async def test_a_merged_lead_is_one_person(news: Newsroom) -> None:
    await news.qualifies("ada")
    news.here.clock.forward(HOUR)
    await news.happens("page_viewed", user_id="user-1")
    await news.happens("sales_accepted", user_id="user-1")
    made = await news.of_today()
    assert (made.conversions.mql_to_sql.of, made.conversions.mql_to_sql.reached) == (1, 1)


async def test_a_lead_that_is_gone_does_not_stop_a_report(news: Newsroom) -> None:
    await news.qualifies("ada")
    (lead,) = await news.here.leads()

    def gone(_: Loaded) -> Commit[None]:
        return Commit(None, aliases={lead.id: "nobody"})

    await news.here.store.update([lead.id], gone)
    made = await news.of_today()
    assert made.conversions.mql_to_sql.of == 1


async def test_a_lead_that_cannot_be_read_counts_by_its_moves_and_is_named(news: Newsroom) -> None:
    await news.qualifies("ada")
    await news.qualifies("bob")
    whole = await news.of_today()
    ada, _ = await news.here.leads()

    def spoil(connection: sqlite3.Connection, ids: Sequence[str]) -> Sequence[None]:
        row = ("damaged", ids[0])
        connection.execute("UPDATE leads SET document = ? WHERE id = ?", row)
        return [None]

    await news.here.file.write(spoil, ada.id)
    told: list[UnreadableError] = []
    reporting = replace(news.reporting, on_unreadable=told.append)
    made = await report(reporting, last_period(Span.DAY, NOW + DAY), NOW + DAY)
    assert [list(error.problems) for error in told] == [[ada.id]]
    assert made.stages == whole.stages
