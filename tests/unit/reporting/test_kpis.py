"""The KPIs of a day, every number of them counted by hand; the day is 2026-03-10."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_lead_named
from warmlead.domain.lead import Lead, Touch
from warmlead.domain.sales import Refusal, SalesStatus, Statement, state
from warmlead.domain.stages import MODEL, MoveCause, Transition
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.funnel import WonDeal, deal_won
from warmlead.reporting.kpis import MOST_SOURCES, KpiTally
from warmlead.reporting.periods import Period

DAY = Period("2026-03-10", datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC))
ORDER = (
    *("anonymous", "recycled", "lead", "mql", "pql"),
    *("disqualified", "sql", "opportunity", "customer"),
)
REJECTED: dict[str, Any] = {"cause": MoveCause.REJECTED, "detail": "not_ready"}


def at(hour: float) -> datetime:
    """A time of the day; hours below 0 are of the day before."""
    return DAY.start + timedelta(hours=hour)


def moved(hour: float, stages: str, **others: Any) -> Transition:
    """``moved(9, "lead > mql")``: a first move at nine, after two hours in the stage."""
    start, _, end = stages.partition(" > ")
    cause = others.pop("cause", MoveCause.LEFT)
    source = others.pop("source", "hubspot" if cause in set(SalesStatus) else MODEL)
    plain = Transition(at(hour), start, end, 1, "words", 50, 20, 2.0, "m", source, cause=cause)
    return replace(plain, **others)


def offered(hour: float, stages: str = "lead > mql", **others: Any) -> Transition:
    """A move that offers the lead: to be touched within an hour, answered within a day."""
    due = {"touch_by": at(hour + 1), "accept_by": at(hour + 24)}
    return moved(hour, stages, **{**due, **others})


def says(said: SalesStatus, hour: float, **others: Any) -> Statement:
    at_ms = round(at(hour).timestamp() * 1000)
    return state(said, at_ms=at_ms, key=f"{said}-{hour}", source="hubspot", **others)


@dataclass(frozen=True)
class Known:
    """A lead, its moves, and what sales said of it."""

    moves: Sequence[Transition]
    said: Sequence[Statement] = ()
    utm_source: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)
    direct: bool = False


def lead_of(name: str, known: Known) -> Lead:
    lead = a_lead_named(name)
    ((id_, trail),) = lead.trails.items()
    kept = {**known.origin, **({"utm_source": known.utm_source} if known.utm_source else {})}
    touch = Touch(1, "k", tuple(sorted(kept.items()))) if kept else None
    told = {each.key: each for each in known.said}
    trail = replace(trail, statements=told, first_touch=touch, direct=known.direct)
    return replace(lead, trails={id_: trail})


def kpis(leads_in: Mapping[str, int] | None = None, /, **people: Known) -> KpiReport:
    records = [(name, move) for name, known in people.items() for move in known.moves]
    return counted(
        records, {name: lead_of(name, known) for name, known in people.items()}, leads_in
    )


def counted(
    records: Iterable[tuple[str, Transition]],
    leads: Mapping[str, Lead],
    leads_in: Mapping[str, int] | None = None,
) -> KpiReport:
    tally = KpiTally(DAY, ORDER, DAY.end)
    for name, move in records:
        tally.add(name, move)
    for name in tally.risen:
        lives = {name: [move for of, move in records if of == name]}
        tally.tell([*lives], lives[name])
    for name in tally.in_question:
        tally.know(name, leads.get(name))
    return tally.report(leads_in or {})


def test_a_day_on_which_nothing_happens_is_all_zeros() -> None:
    report = kpis({"mql": 3})
    assert report.became_known == 0
    assert report.stages["mql"].model_dump() == {
        "at_end": 3, "entered": 0, "first_time": 0, "again": 0,
    }  # fmt: skip
    assert report.conversions.mql_to_sql.model_dump() == {
        "of": 0, "reached": 0, "per_mille": None,
    }  # fmt: skip
    assert report.times.mql_to_sql.model_dump() == {
        "count": 0, "median_minutes": None, "p90_minutes": None, "mean_minutes": None,
    }  # fmt: skip
    assert list(report.stages) == [stage for stage in ORDER if stage != "anonymous"]


def test_a_report_says_what_sales_had_told_when_it_answered() -> None:
    asked = (("budget", "50000"), ("note", "keen"))
    all_four = (("authority", "yes"), ("need", "SSO"), ("timing", "this quarter"))
    accepted, rejected = moved(11, "mql > sql", cause=MoveCause.ACCEPTED), "mql > recycled"
    told_before = [
        says(SalesStatus.TOUCHED, 10, details=asked),
        says(SalesStatus.ACCEPTED, 11, details=all_four),
        says(SalesStatus.TOUCHED, 12, details=(("need", "later"),)),
    ]
    report = kpis(
        ada=Known([moved(9, "lead > mql"), accepted], told_before),
        bob=Known([accepted], [says(SalesStatus.ACCEPTED, 11)]),
        cyn=Known(
            [moved(8, rejected, **REJECTED)],
            [says(SalesStatus.REJECTED, 8, details=(("timing", "next year"),))],
        ),
        dan=Known([moved(-3, rejected, **REJECTED)], [says(SalesStatus.REJECTED, -3)]),
    )
    assert {answer: found.model_dump() for answer, found in report.bant.items()} == {
        "accepted": {
            "answers": 2, "budget": 1, "authority": 1, "need": 1, "timing": 1, "all_four": 1,
        },
        "rejected": {
            "answers": 1, "budget": 0, "authority": 0, "need": 0, "timing": 1, "all_four": 0,
        },
    }  # fmt: skip


def test_only_moves_within_the_period_count() -> None:
    report = kpis(
        before=Known([moved(-0.001, "lead > mql")]),
        first=Known([moved(0, "lead > mql")]),
        last=Known([moved(23.999, "lead > mql")]),
        after=Known([moved(24, "lead > mql")]),
    )
    assert report.stages["mql"].entered == 2


def test_a_move_counts_when_it_was_so_however_late_it_was_learnt() -> None:
    # Sales says tomorrow that it took ada today at nine; and today, that it took bob yesterday.
    report = kpis(
        {"sql": 2},
        ada=Known([moved(8, "lead > mql"), moved(9, "mql > sql", learnt=at(30))]),
        bob=Known([moved(-3, "mql > sql", learnt=at(9))]),
    )
    assert (report.stages["sql"].entered, report.stages["sql"].at_end) == (1, 2)
    assert (report.conversions.mql_to_sql.of, report.conversions.mql_to_sql.reached) == (1, 1)


def test_promises_and_offers_count_from_when_they_were_made() -> None:
    # What ada did at 23:30 yesterday was learnt at 8: she was offered then, until 9.
    promised = {"learnt": at(8), "touch_by": at(9), "accept_by": at(32)}
    told = [says(SalesStatus.TOUCHED, 8.5)]
    report = kpis(ada=Known([moved(-0.5, "lead > mql", **promised)], told))
    assert report.stages["mql"].entered == 0
    assert (report.handoffs.offers, report.handoffs.first_touch.kept) == (1, 1)


def test_an_offer_ends_when_it_is_learnt_that_the_lead_has_left() -> None:
    # Sales did not speak to ada by 10. At 11 it says that she asked at 9:30 to be left alone:
    # the promise was broken by then. Of bob it says so at 9:45.
    left = {"cause": MoveCause.REJECTED, "detail": "not_ready"}
    report = kpis(
        ada=Known([offered(9), moved(9.5, "mql > recycled", learnt=at(11), **left)]),
        bob=Known([offered(9), moved(9.5, "mql > recycled", learnt=at(9.75), **left)]),
    )
    touch = report.handoffs.first_touch
    assert (touch.due, touch.breached, touch.lapsed) == (2, 1, 1)


def test_an_offer_in_the_stage_of_before_is_an_offer_and_no_move() -> None:
    again = {"cycle": 1, "cause": MoveCause.OFFERED}
    report = kpis(
        {"mql": 1}, ada=Known([moved(-50, "lead > mql"), offered(9, "mql > mql", **again)])
    )
    assert report.stages["mql"].model_dump() == {
        "at_end": 1, "entered": 0, "first_time": 0, "again": 0,
    }  # fmt: skip
    assert report.backward == {}
    assert report.conversions.mql_to_sql.of == 0
    assert (report.handoffs.offers, report.handoffs.first_touch.breached) == (1, 1)


def test_a_customer_who_enters_mql_is_a_move_and_no_step_of_the_funnel() -> None:
    report = kpis(
        ada=Known(
            [
                moved(-90, "mql > customer"),
                moved(8, "customer > recycled"),
                moved(9, "recycled > mql", cycle=2),
                moved(10, "mql > sql", cycle=2),
            ],
            [says(SalesStatus.TOUCHED, 9.5)],
        ),
        bob=Known([moved(9, "lead > mql")]),
    )
    assert report.stages["mql"].entered == 2
    assert (report.conversions.mql_to_sql.of, report.conversions.mql_to_sql.reached) == (1, 0)
    assert report.conversions.sql_to_customer.of == 1
    assert {name: (each.mql, each.sql) for name, each in report.sources.items()} == {
        "(unknown)": (1, 1)
    }
    assert report.times.mql_to_first_touch.count == 1


def test_who_became_known_at_midnight_is_of_the_day_that_begins() -> None:
    # The time in a stage is kept in thousandths of an hour: 9.459 are more than 9:27:32.
    tick, later = timedelta(milliseconds=1), timedelta(hours=9, minutes=27, seconds=32)
    report = kpis(
        ada=Known(
            [
                replace(moved(0, "anonymous > lead"), at=DAY.start),
                replace(moved(0, "lead > mql", hours_in_stage=9.459), at=DAY.start + later),
            ]
        ),
        bob=Known(
            [
                replace(moved(0, "anonymous > lead"), at=DAY.start - tick),
                replace(moved(9, "lead > mql", hours_in_stage=8.999)),
                moved(10, "mql > lead"),
            ]
        ),
    )
    assert (report.conversions.lead_to_mql.of, report.conversions.lead_to_mql.reached) == (1, 1)


def test_requalified_leads_are_counted_separately() -> None:
    report = kpis(
        new=Known([moved(9, "anonymous > lead"), moved(10, "lead > mql")]),
        back=Known([moved(11, "recycled > mql", cycle=2)]),
    )
    mql = report.stages["mql"]
    assert (mql.entered, mql.first_time, mql.again) == (2, 1, 1)
    assert report.became_known == 1


def test_moves_back_are_counted_by_cause_without_free_text() -> None:
    lost: dict[str, Any] = {"cause": MoveCause.LOST, "detail": "Bob Smith of Acme said no"}
    report = kpis(
        faded=Known([moved(1, "mql > lead")]),
        refused=Known([moved(2, "mql > recycled", **REJECTED)]),
        unfit=Known([moved(3, "sql > disqualified", cause=MoveCause.REJECTED, detail="bad_fit")]),
        odd=Known([moved(4, "sql > recycled", cause=MoveCause.REJECTED, detail="Bob is rude")]),
        gone=Known([moved(5, "customer > recycled", **lost)]),
        up=Known([moved(6, "recycled > mql"), moved(7, "disqualified > lead")]),
        renamed=Known([moved(8, "old > lead", cause=MoveCause.DROPPED)]),
        aside=Known([moved(9, "disqualified > recycled", **REJECTED)]),
    )
    assert report.backward == {
        "leave_condition": 1,
        "lost": 1,
        "model": 1,
        "rejected_bad_fit": 1,
        "rejected_not_ready": 1,
        "rejected_other": 1,
    }
    assert report.rejections == {"bad_fit": 1, "not_ready": 2, "other": 1}
    assert "Bob" not in report.model_dump_json()


@pytest.mark.parametrize("refusal", Refusal)
def test_every_rejection_of_sales_has_its_cause(refusal: Refusal) -> None:
    told = moved(9, "mql > recycled", cause=MoveCause.REJECTED, detail=refusal)
    report = kpis(ada=Known([told]))
    assert report.rejections == {refusal: 1}


def test_moves_into_sql_are_counted_by_cause() -> None:
    report = kpis(
        ada=Known([moved(1, "lead > sql", cause=MoveCause.BYPASSED, detail="demo_requested")]),
        bob=Known([moved(1, "mql > sql", cause=MoveCause.ENTERED)]),
        cyn=Known([moved(1, "mql > sql", cause=MoveCause.ACCEPTED)]),
        dan=Known([moved(1, "mql > sql", cause=MoveCause.ACCEPTED)]),
        eve=Known([moved(1, "lead > mql", cause=MoveCause.BYPASSED)]),
    )
    assert report.sql_causes == {"accepted": 2, "bypassed": 1, "entered": 1}
    assert report.stages["sql"].entered == 4


def test_the_funnel_counts_persons_who_went_on_in_the_period() -> None:
    # MQL: ada, bob, cyn, dan. Of these SQL: ada, bob, and dan, who skipped it. 3 of 4 = 750 ‰.
    # SQL: ada, bob, dan, and eve, an MQL of before. Opportunity: ada, dan: 2 of 4 = 500 ‰.
    # Opportunity: ada, dan. Customer: dan: 1 of 2. Customer of the 4 MQLs: dan: 250 ‰, and of the
    # 4 SQLs as well.
    report = kpis(
        ada=Known([moved(1, "lead > mql"), moved(2, "mql > sql"), moved(3, "sql > opportunity")]),
        bob=Known([moved(1, "lead > mql"), moved(2, "mql > sql")]),
        cyn=Known([moved(1, "lead > mql"), moved(2, "mql > recycled", **REJECTED)]),
        dan=Known([moved(1, "lead > mql"), moved(9, "mql > customer")]),
        eve=Known([moved(-9, "lead > mql"), moved(2, "mql > sql")]),
    )
    found = {name: tuple(step.values()) for name, step in report.conversions.model_dump().items()}
    assert found == {
        "lead_to_mql": (0, 0, None),
        "mql_to_sql": (4, 3, 750),
        "sql_to_opportunity": (4, 2, 500),
        "opportunity_to_customer": (2, 1, 500),
        "mql_to_customer": (4, 1, 250),
        "sql_to_customer": (4, 1, 250),
    }


def test_stages_reached_before_the_period_do_not_count() -> None:
    report = kpis(ada=Known([moved(1, "lead > sql"), moved(2, "recycled > mql")]))
    assert report.conversions.mql_to_sql.model_dump(exclude={"per_mille"}) == {
        "of": 1, "reached": 0,
    }  # fmt: skip


def test_a_lead_that_sales_takes_directly_is_not_counted_as_an_mql() -> None:
    report = kpis(ada=Known([moved(1, "lead > opportunity")]))
    assert report.conversions.mql_to_sql.of == 0
    assert report.conversions.sql_to_opportunity.model_dump() == {
        "of": 1, "reached": 1, "per_mille": 1000,
    }  # fmt: skip


def test_new_leads_that_qualify_are_those_of_the_period() -> None:
    # ada and bob became known today, bob as an MQL at once; cyn three days ago.
    report = kpis(
        ada=Known([moved(1, "anonymous > lead"), moved(5, "lead > mql", hours_in_stage=4.0)]),
        bob=Known([moved(6, "anonymous > mql")]),
        cyn=Known([moved(7, "lead > mql", hours_in_stage=72.0)]),
        dan=Known([moved(8, "anonymous > lead")]),
    )
    assert report.conversions.lead_to_mql.model_dump() == {
        "of": 3, "reached": 2, "per_mille": 667,
    }  # fmt: skip


def test_stages_of_the_model_between_the_fixed_ones_are_no_funnel_steps() -> None:
    report = kpis(ada=Known([moved(1, "lead > mql"), moved(2, "mql > pql"), moved(3, "pql > sql")]))
    assert report.conversions.mql_to_sql.of == 1
    assert report.backward == {}


def test_medians_are_nearest_ranks_in_whole_minutes() -> None:
    # Ten waits of 1 … 10 hours: rank 5 of 10 is 300 min, rank 9 is 540 min.
    waits = {f"p{n}": Known([moved(1, "mql > sql", hours_in_stage=float(n))]) for n in range(1, 11)}
    found = kpis(**waits).times.mql_to_sql
    assert (found.count, found.median_minutes, found.p90_minutes) == (10, 300, 540)
    one = kpis(ada=Known([moved(1, "mql > customer", hours_in_stage=0.025)])).times.mql_to_sql
    assert (one.count, one.median_minutes, one.p90_minutes) == (1, 2, 2)  # 90 s, half up


def test_the_first_statement_of_sales_after_an_mql_is_the_first_contact() -> None:
    # ada: 30 min. bob: none yet. cyn: twice an MQL, at 2 and 12; 1 h and 2 h.
    # dan's word was before, eve's is of the next day.
    report = kpis(
        ada=Known(
            [moved(1, "lead > mql")],
            [says(SalesStatus.TOUCHED, 1.5), says(SalesStatus.ACCEPTED, 4)],
        ),
        bob=Known([moved(1, "lead > mql")]),
        cyn=Known(
            [moved(2, "lead > mql"), moved(12, "recycled > mql", cycle=2)],
            [says(SalesStatus.REJECTED, 3, reason="not_ready"), says(SalesStatus.TOUCHED, 14)],
        ),
        dan=Known([moved(8, "lead > mql")], [says(SalesStatus.TOUCHED, 7)]),
        eve=Known([moved(23, "lead > mql")], [says(SalesStatus.TOUCHED, 24.1)]),
    )
    found = report.times.mql_to_first_touch
    assert (found.count, found.median_minutes, found.p90_minutes) == (3, 60, 120)


def test_promises_count_when_they_fall_due() -> None:
    # First touch due today: ada (kept), bob (late), cyn (never), old (offered at 23:30 the day
    # before, kept), dan (withdrawn first). eve's is due at 0:30 tomorrow.
    # Acceptance due today: only of old and elder; elder's was kept, old's was not.
    report = kpis(
        ada=Known([offered(1)], [says(SalesStatus.TOUCHED, 2)]),
        bob=Known([offered(1)], [says(SalesStatus.TOUCHED, 2.1)]),
        cyn=Known([offered(1)]),
        dan=Known([offered(1), moved(1.5, "mql > lead")]),
        eve=Known([offered(23.5)], [says(SalesStatus.TOUCHED, 23.6)]),
        old=Known([offered(-0.5)], [says(SalesStatus.TOUCHED, 0.25)]),
        elder=Known(
            [offered(-20), moved(-1, "mql > sql", cause=MoveCause.ACCEPTED)],
            [says(SalesStatus.ACCEPTED, -1)],
        ),
    )
    assert report.handoffs.offers == 5
    assert report.handoffs.first_touch.model_dump() == {
        "due": 5, "kept": 2, "breached": 2, "lapsed": 1,
    }  # fmt: skip
    assert report.handoffs.acceptance.model_dump() == {
        "due": 2, "kept": 1, "breached": 1, "lapsed": 0,
    }  # fmt: skip


def test_a_superseded_offer_lapses_unless_it_was_touched_or_overdue_before() -> None:
    # Each is offered as mql at 1, to be touched by 2, and as pql later, within an hour.
    # At 1.5: ada is touched by neither time, bob in time for both, cyn in time for the second only.
    # dan was superseded when the first promise was broken; eve by a stage that makes no offers.
    def superseded(hour: float) -> list[Transition]:
        return [offered(1), offered(hour, "mql > pql")]

    report = kpis(
        ada=Known(superseded(1.5)),
        bob=Known(superseded(1.5), [says(SalesStatus.TOUCHED, 1.9)]),
        cyn=Known(superseded(1.5), [says(SalesStatus.TOUCHED, 2.3)]),
        dan=Known(superseded(2.5), [says(SalesStatus.TOUCHED, 3)]),
        eve=Known([offered(1), moved(1.5, "mql > pql")]),
    )
    assert report.handoffs.offers == 9
    # bob twice, cyn's and dan's second; ada's second and dan's first; ada's, cyn's, eve's first
    assert report.handoffs.first_touch.model_dump() == {
        "due": 9, "kept": 4, "breached": 2, "lapsed": 3,
    }  # fmt: skip


def test_deals_are_added_up_by_currency_and_never_across() -> None:
    won: dict[str, Any] = {"cause": MoveCause.WON}
    report = kpis(
        ada=Known(
            [moved(1, "sql > customer", **won)],
            [says(SalesStatus.WON, 1, value_cents=1_999, currency="EUR")],
        ),
        bob=Known(
            [moved(2, "sql > customer", **won)],
            [says(SalesStatus.WON, 2, value_cents=1, currency="EUR")],
        ),
        cyn=Known(
            [moved(3, "sql > customer", **won)],
            [says(SalesStatus.WON, 3, value_cents=50_000, currency="JPY")],
        ),
        dan=Known([moved(4, "sql > customer", **won)], [says(SalesStatus.WON, 4)]),
    )
    assert report.won.model_dump() == {
        "deals": 4,
        "without_value": 1,
        "values": {
            "EUR": {"deals": 2, "smallest_units": 2_000, "largest": 1_999},
            "JPY": {"deals": 1, "smallest_units": 50_000, "largest": 50_000},
        },
    }


def test_the_last_stated_value_of_a_deal_counts() -> None:
    first = says(SalesStatus.WON, 1, value_cents=100, currency="EUR")
    mended = says(SalesStatus.WON, 2, value_cents=120, currency="EUR")
    silent = says(SalesStatus.WON, 3)
    lost = says(SalesStatus.LOST, 10)
    second = says(SalesStatus.WON, 20, value_cents=900, currency="USD")
    said = [first, mended, says(SalesStatus.TOUCHED, 2.5), silent, lost, second]
    assert deal_won(said, at(1)) == WonDeal(120, "EUR")
    assert deal_won(said, at(20)) == WonDeal(900, "USD")
    assert deal_won([lost], at(1)) == WonDeal()
    assert deal_won([], at(1)) == WonDeal()


def test_persons_are_grouped_by_the_source_of_their_first_touch() -> None:
    report = kpis(
        ada=Known([moved(1, "lead > mql"), moved(2, "mql > sql")], utm_source="Google"),
        bob=Known([moved(1, "lead > mql")], utm_source="google "),
        cyn=Known([moved(1, "lead > mql"), moved(2, "mql > customer")]),
        dan=Known([moved(1, "lead > mql")], utm_source="bob@example.com"),
        eve=Known([moved(1, "lead > mql")], utm_source="x" * 61),
    )
    assert {name: tuple(found.model_dump().values()) for name, found in report.sources.items()} == {
        "google": (2, 1, 0),
        "(unknown)": (1, 1, 1),
        "(other)": (2, 0, 0),
    }


def test_persons_are_grouped_by_the_channel_of_their_first_touch() -> None:
    mql, sql = moved(1, "lead > mql"), moved(2, "mql > sql")
    report = kpis(
        ada=Known([mql, sql], origin={"utm_source": "Google", "utm_medium": "cpc"}),
        bob=Known([mql], origin={"gclid": "G1"}),
        cyn=Known([mql], origin={"msclkid": "M1"}),
        dan=Known([mql], origin={"referrer": "https://www.google.de/"}),
        eve=Known([mql], origin={"referrer": "https://www.partner.example/post"}),
        fay=Known([mql, sql], direct=True),
        gus=Known([mql]),
        hal=Known([mql], origin={"utm_source": "bob@example.com", "utm_medium": "email"}),
        ivy=Known([moved(1, "anonymous > lead")], origin={"gclid": "G2"}),
    )
    assert {
        channel: (found.mql, found.sql, {name: each.mql for name, each in found.sources.items()})
        for channel, found in report.channels.items()
    } == {
        "(unknown)": (1, 0, {"(unknown)": 1}),
        "Direct": (1, 1, {"(direct)": 1}),
        "Email": (1, 0, {"(other)": 1}),
        "Organic Search": (1, 0, {"google": 1}),
        "Paid Search": (3, 1, {"bing": 1, "google": 2}),
        "Referral": (1, 0, {"partner.example": 1}),
    }
    assert {name: found.mql for name, found in report.sources.items()} == {
        "(direct)": 1, "(other)": 1, "(unknown)": 1, "bing": 1, "google": 3, "partner.example": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_made_up_sources_do_not_make_a_report_longer() -> None:
    people = {
        f"p{n}": Known([moved(1, "lead > mql")], utm_source=f"made-up-{n:03}") for n in range(60)
    }
    report = kpis(**people)
    for sources in (report.sources, report.channels["Unassigned"].sources):
        assert len(sources) == MOST_SOURCES + 1
        assert sources["(other)"].mql == 10
    assert report.channels["Unassigned"].mql == 60


def test_one_person_under_two_ids_is_one_person() -> None:
    # Was known by an email, then by a user id: the older id leads to the same lead.
    ada = lead_of("ada", Known([], [says(SalesStatus.TOUCHED, 2)]))
    records = [("by-email", moved(1, "lead > mql")), ("by-user", moved(3, "mql > sql"))]
    report = counted(records, {"by-email": ada, "by-user": ada})
    assert report.conversions.mql_to_sql.model_dump() == {
        "of": 1, "reached": 1, "per_mille": 1000,
    }  # fmt: skip
    assert report.times.mql_to_first_touch.median_minutes == 60


def test_a_person_erased_meanwhile_leaves_only_numbers() -> None:
    report = counted([("gone", offered(1))], {})
    assert report.stages["mql"].entered == 1
    assert report.handoffs.first_touch.breached == 1


# --- whatever comes, in whatever order -----------------------------------------------------

STAGES = [*ORDER, "former"]
CAUSES = [
    *((cause, "") for cause in MoveCause),
    (MoveCause.LOST, "secret"),
    (MoveCause.REJECTED, "not_ready"),
    (MoveCause.REJECTED, "secret"),
]


@st.composite
def any_moves(draw: st.DrawFn) -> list[tuple[str, Transition]]:
    moves = st.builds(
        lambda hour, start, end, cycle, why, offers: (offered if offers else moved)(
            hour, f"{start} > {end}", cycle=cycle, cause=why[0], detail=why[1]
        ),
        st.integers(-30, 30),
        *(st.sampled_from(STAGES), st.sampled_from(STAGES), st.integers(1, 3)),
        *(st.sampled_from(CAUSES), st.booleans()),
    )
    return draw(st.lists(st.tuples(st.sampled_from("abc"), moves), max_size=25))


STATEMENTS = st.lists(
    st.builds(
        lambda said, hour, value: says(said, hour, value_cents=value, currency="EUR"),
        *(st.sampled_from(SalesStatus), st.integers(-30, 30), st.none() | st.integers(0, 10**12)),
    ),
    max_size=6,
)


@given(any_moves(), st.tuples(STATEMENTS, STATEMENTS, STATEMENTS), st.randoms())
def test_order_and_repetition_of_records_make_no_difference(
    records: list[tuple[str, Transition]],
    said: tuple[list[Statement], ...],
    chance: random.Random,
) -> None:
    leads = {name: lead_of(name, Known([], of)) for name, of in zip("abc", said, strict=True)}
    once = {(id_, move.at, move.to_stage, move.cycle): (id_, move) for id_, move in records}
    plain = counted(once.values(), leads)
    mixed = [*once.values(), *chance.choices([*once.values()], k=5)] if once else []
    chance.shuffle(mixed)
    assert counted(mixed, leads) == plain
    assert "secret" not in plain.model_dump_json()
    for promise in (plain.handoffs.first_touch, plain.handoffs.acceptance):
        assert promise.due == promise.kept + promise.breached + promise.lapsed
    for step in (plain.conversions.mql_to_sql, plain.conversions.mql_to_customer):
        assert step.reached <= step.of


INSTANT = timedelta(microseconds=1)
NO_TIME = timedelta(0)


@pytest.mark.parametrize(
    ("done", "left", "kept", "breached", "lapsed"),
    [  # each as it lies to the deadline; None: it never was
        (-INSTANT, None, 1, 0, 0),
        (NO_TIME, None, 1, 0, 0),
        (INSTANT, None, 0, 1, 0),
        (None, None, 0, 1, 0),
        (None, -INSTANT, 0, 0, 1),
        (None, NO_TIME, 0, 1, 0),
        (None, INSTANT, 0, 1, 0),
    ],
)
@pytest.mark.parametrize("promise", ["first_touch", "acceptance"])
def test_promises_are_counted_by_the_rule_by_which_breaches_are_sent(
    promise: str, done: timedelta | None, left: timedelta | None, *, kept: int, breached: int,
    lapsed: int,
) -> None:  # fmt: skip
    due = at(12)
    said = [] if done is None else [says(SalesStatus.ACCEPTED, 12)]  # of whole milliseconds
    if done is not None:
        due -= done
    moves = [offered(9, touch_by=due, accept_by=due)]
    if left is not None:
        moves.append(replace(moved(12, "mql > lead"), at=due + left))

    found = getattr(kpis(ada=Known(moves, said)).handoffs, promise)
    assert (found.kept, found.breached, found.lapsed) == (kept, breached, lapsed)


def test_a_lead_that_left_and_was_offered_again_at_one_moment_has_not_left_the_new_offer() -> None:
    moves = [moved(9, "mql > recycled"), offered(9, "recycled > mql", cycle=2)]
    found = kpis(ada=Known(moves)).handoffs.first_touch
    assert (found.breached, found.lapsed) == (1, 0)
