"""MQLs and deals by origin, owner and score, and how fast sales was, counted by hand."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from unit.reporting.test_kpis import DAY, ORDER, Known, at, lead_of, moved, offered, says
from warmlead.domain.handoff import Offer
from warmlead.domain.office_hours import OfficeHours
from warmlead.domain.sales import SalesStatus
from warmlead.domain.stages import MoveCause
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.breakdowns import MOST_VALUES, SpendTally, band
from warmlead.reporting.kpis import KpiTally
from warmlead.reporting.periods import Period
from warmlead.reporting.sheet import Comparison, sheet
from warmlead.reporting.tables import ReportTable


def reported(
    people: Mapping[str, Known],
    *,
    owners: Mapping[str, str] | None = None,
    period: Period = DAY,
    hours: OfficeHours | None = None,
    now: datetime | None = None,
) -> KpiReport:
    """The report of a period, made as the use case does: moves, lives, then leads."""
    tally = KpiTally(period, ORDER, now or period.end, hours)
    for name, known in people.items():
        for move in known.moves:
            tally.add(name, move)
    for name in tally.risen:
        tally.tell([name, lead_of(name, people[name]).id], people[name].moves)
    for name in tally.in_question:
        lead = lead_of(name, people[name])
        if owner := (owners or {}).get(name):
            lead = replace(lead, offer=Offer(1, "mql", at(9), owner))
        tally.know(name, lead)
    return tally.report({})


def won(hour: float, units: int | None = None, **origin: str) -> Known:
    """An MQL at one that was won at an hour; its last touch before is of ``utm_source`` bing."""
    value: dict[str, Any] = {} if units is None else {"value_cents": units, "currency": "EUR"}
    kept = (("utm_medium", "cpc"), ("utm_source", "bing"))
    moves = [
        moved(1, "lead > mql", score=60),
        moved(hour, "mql > customer", cause=MoveCause.WON, attribution=kept),
    ]
    return Known(moves, [says(SalesStatus.WON, hour, **value)], origin=origin)


def test_mqls_and_deals_are_counted_by_each_facet() -> None:
    google = {"utm_source": "google", "utm_medium": "organic", "landing_page": "/pricing"}
    people = {
        "ada": won(5, 500, **google, utm_campaign="spring"),
        "bob": won(30, 900, **google),  # tomorrow: a customer of today's MQLs, not a deal of today
        "cyn": Known([moved(2, "lead > mql", score=20)]),
        "dan": Known([moved(3, "lead > mql", score=80), moved(4, "mql > sql")], origin=google),
    }
    found = reported(people, owners={"ada": "amy", "dan": "amy"}).breakdowns

    def counts(facet: str) -> dict[str, tuple[int, int, int, int]]:
        return {
            value: (each.mql, each.became_sql, each.became_customer, each.won.deals)
            for value, each in found[facet].items()
        }

    assert counts("channel") == {"Organic Search": (3, 3, 2, 1), "(unknown)": (1, 0, 0, 0)}
    assert counts("source") == {"google": (3, 3, 2, 1), "(unknown)": (1, 0, 0, 0)}
    assert counts("campaign") == {"(none)": (3, 2, 1, 0), "spring": (1, 1, 1, 1)}
    assert counts("landing_page") == {"/pricing": (3, 3, 2, 1), "(none)": (1, 0, 0, 0)}
    assert counts("owner") == {"amy": (2, 2, 1, 1), "(none)": (2, 1, 1, 0)}
    assert counts("score") == {"50-74": (2, 2, 2, 1), "0-24": (1, 0, 0, 0), "75-99": (1, 1, 0, 0)}
    assert found["source"]["google"].won.values["EUR"].smallest_units == 500


def test_bands_of_scores_are_in_their_order_whatever_is_in_them() -> None:
    points = {"ada": 130, "bob": 30, "cyn": -1, "dan": 99, "eve": 7, "fay": 99}
    refused = {"cause": MoveCause.REJECTED, "detail": "bad_fit"}
    people = {
        name: Known(
            [
                moved(2, "lead > mql", score=score),
                moved(3, "mql > recycled", score=score, **refused),
            ]
        )
        for name, score in points.items()
    }
    customer = Known([moved(4, "lead > customer", cause=MoveCause.WON)])
    found = reported({**people, "gus": customer})
    in_order = ["-", "0-24", "25-49", "75-99", "125-149"]
    assert [*found.breakdowns["score"]] == [*in_order, "(none)"]
    assert [*found.feedback.by_score] == in_order


def test_a_deal_of_an_older_mql_counts_without_its_mql() -> None:
    known = Known(
        [moved(-30, "lead > mql"), moved(3, "mql > customer", cause=MoveCause.WON)],
        [says(SalesStatus.WON, 3)],
    )
    (found,) = reported({"ada": known}).breakdowns["channel"].values()
    assert (found.mql, found.became_customer, found.won.deals) == (0, 0, 1)
    assert found.won.without_value == 1


def test_facets_that_visitors_write_are_limited_and_name_nobody() -> None:
    people = {f"p{i}": won(5, utm_source=f"s{i:03}") for i in range(MOST_VALUES + 5)}
    people["eve"] = won(5, utm_source="eve@example.com", utm_campaign="x" * 200)
    found = reported(people).breakdowns
    assert len(found["source"]) == MOST_VALUES + 1
    assert found["source"]["(other)"].mql == 6
    assert "eve@example.com" not in found["source"]
    assert found["campaign"]["(other)"].mql == 1
    assert sum(each.mql for each in found["source"].values()) == len(people)


def test_deals_are_counted_by_the_last_touch_before_they_were_won() -> None:
    found = reported({"ada": won(5, 500, utm_source="google"), "bob": won(6, 300)})
    assert {name: each.deals for name, each in found.won_by_last_touch.items()} == {
        "Paid Search": 2
    }
    value = found.won_by_last_touch["Paid Search"].values["EUR"]
    assert (value.smallest_units, value.largest) == (800, 500)


def test_what_is_kept_of_the_last_touch_counts_if_the_move_has_none() -> None:
    moves = [moved(3, "mql > customer", cause=MoveCause.WON)]
    known = Known(moves, [says(SalesStatus.WON, 3)], direct=True)
    assert [*reported({"ada": known}).won_by_last_touch] == ["Direct"]


def test_it_is_told_how_fast_sales_was_once_the_lead_is_a_day_old() -> None:
    # Offered yesterday, at hours before the day: touched after half an hour, after an hour, after
    # ten hours, after a day and a half, and never. Those of today and of two days ago do not count.
    touched = SalesStatus.TOUCHED
    people = {
        "ada": Known([offered(-10)], [says(touched, -9.5)]),
        "bob": Known([offered(-10)], [says(touched, -9)]),
        "cyn": Known([offered(-10)], [says(touched, 0)]),
        "dan": Known([offered(-20)], [says(touched, 16)]),
        "eve": Known([offered(-1)]),
        "fay": Known([offered(1)], [says(touched, 1.1)]),
        "gus": Known([offered(-25)], [says(touched, -24.5)]),
    }
    found = reported(people).contact_times
    assert found is not None
    assert found.model_dump() == {
        "offers": 5, "within_1_hour": 2, "within_24_hours": 3, "later": 1, "never": 1,
    }  # fmt: skip


def test_what_is_not_due_yet_is_no_broken_promise() -> None:
    people = {"ada": Known([offered(-20)]), "bob": Known([offered(3)])}
    early, late = (reported(people, now=at(hour)) for hour in (3.5, 24))
    found = [
        (each.handoffs.first_touch.breached, each.contact_times and each.contact_times.never)
        for each in (early, late)
    ]
    assert found == [(0, 0), (1, 1)]
    assert not early.first_touch_by_owner


def test_the_hour_is_of_working_time() -> None:
    # 2026-03-10 is a Tuesday. Offered on Friday at 16:30; office hours end at 17:00.
    nine_to_five = OfficeHours(frozenset(range(5)), time(9), time(17), "UTC")
    week = Period("2026-W11", DAY.start - timedelta(days=1), DAY.start + timedelta(days=6))
    friday = -4 * 24 + 16.5
    people = {
        "ada": Known([offered(friday)], [says(SalesStatus.TOUCHED, -24 + 9.5)]),
        "bob": Known([offered(friday)], [says(SalesStatus.TOUCHED, -24 + 9.75)]),
    }
    found = reported(people, period=week, hours=nine_to_five).contact_times
    assert found is not None
    assert (found.offers, found.within_1_hour, found.within_24_hours) == (2, 1, 2)


def test_promises_are_counted_by_owner() -> None:
    people = {
        "ada": Known([offered(1)], [says(SalesStatus.TOUCHED, 1.5)]),
        "bob": Known([offered(1)]),
        "cyn": Known([offered(2)]),
    }
    found = reported(people, owners={"ada": "amy", "bob": "amy"}).first_touch_by_owner
    assert {owner: (each.due, each.kept, each.breached) for owner, each in found.items()} == {
        "(none)": (1, 0, 1),
        "amy": (2, 1, 1),
    }


def test_bands_are_of_25_points() -> None:
    bands = {-1: "-", 0: "0-24", 24: "0-24", 25: "25-49", 100: "100-124"}
    assert {score: band(score) for score in bands} == bands


def test_spend_is_added_up_under_the_names_of_attribution() -> None:
    assert SpendTally().figures is None
    tally = SpendTally()
    tally.add({"channel": "paid search", "source": "Google", "campaign": "Spring"}, 1_000, "EUR")
    tally.add({"channel": "Paid Search", "source": "google ", "campaign": ""}, 500, "EUR")
    tally.add({"channel": "Fair", "source": "", "campaign": ""}, 900, "USD")
    assert tally.figures is not None
    assert tally.figures.model_dump() == {
        "total": {"EUR": 1_500, "USD": 900},
        "channel": {"Fair": {"USD": 900}, "Paid Search": {"EUR": 1_500}},
        "source": {"google": {"EUR": 1_500}},
        "campaign": {"Spring": {"EUR": 1_000}},
    }


def test_spend_on_a_medium_belongs_to_the_channel_of_such_visits() -> None:
    tally = SpendTally()
    google = {"source": "google", "medium": "cpc", "campaign": "Spring"}
    tally.add({"channel": "", **google}, 1_000, "EUR")
    tally.add({"channel": "Fair", **google}, 20, "EUR")
    tally.add({"channel": "", **google, "medium": ""}, 3, "EUR")  # a site alone has several
    assert tally.figures is not None
    assert tally.figures.channel == {"Fair": {"EUR": 20}, "Paid Search": {"EUR": 1_000}}


def test_the_cost_of_an_mql_is_shown_also_where_there_was_none() -> None:
    made = reported({"ada": won(5, 500, utm_source="google"), "bob": won(5, utm_source="google")})
    silent = {table.title: table for table in sheet(Comparison(made))}
    assert cells_of(silent["At a glance"], "Cost per MQL")[0] == "no spend entered"
    assert "per MQL" not in silent["Source of the first touch"].columns
    tally = SpendTally()
    for source, amount in {"google": 2_001, "bing": 700}.items():
        tally.add({"channel": "", "source": source, "campaign": ""}, amount, "EUR")
    told = sheet(Comparison(made.model_copy(update={"spend": tally.figures})))
    tables = {table.title: table for table in told}
    assert cells_of(tables["At a glance"], "Cost per MQL")[0] == "13.51 EUR"
    assert cells_of(tables["At a glance"], "Cost per customer")[0] == "13.51 EUR"
    sources = tables["Source of the first touch"]
    assert sources.columns[-1] == "per MQL"
    assert cells_of(sources, "google")[-1] == "10.01 EUR"
    assert cells_of(sources, "bing")[-1] == "7.00 EUR for none"


def cells_of(table: ReportTable, label: str) -> list[str]:
    (row,) = [row for row in table.rows if row.label == label]
    return [cell.text for cell in row.cells]


stages = st.sampled_from(["anonymous", "lead", "mql", "pql", "sql", "customer", "recycled"])
lives = st.lists(
    st.builds(
        lambda hour, before, after, score: moved(hour, f"{before} > {after}", score=score),
        st.integers(-40, 40),
        stages,
        stages,
        st.integers(-5, 99),
    ),
    max_size=6,
)
people_with_moves = st.dictionaries(
    st.sampled_from(["ada", "bob", "cyn", "dan", "eve"]),
    st.builds(Known, lives, utm_source=st.sampled_from(["", "google", "bing"])),
)


@given(people_with_moves, st.randoms(use_true_random=False))
def test_every_breakdown_adds_up_to_the_whole_in_any_order(
    people: dict[str, Known], chance: random.Random
) -> None:
    made = reported(people)
    assert made.cohort is not None
    for values in made.breakdowns.values():
        assert sum(each.mql for each in values.values()) == made.cohort.mql_to_sql.ever.of
        reached = sum(each.became_sql for each in values.values())
        assert reached == made.cohort.mql_to_sql.ever.reached
        assert sum(each.won.deals for each in values.values()) == made.won.deals
    assert sum(each.deals for each in made.won_by_last_touch.values()) == made.won.deals
    shuffled = {
        name: replace(people[name], moves=chance.sample([*people[name].moves] * 2, k=2 * n))
        for name in chance.sample(sorted(people), k=len(people))
        for n in [len(people[name].moves)]
    }
    assert reported(shuffled) == made
