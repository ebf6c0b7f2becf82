"""What a row says by its mapping, and why a row is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust
from warmlead.importing.facts import OF_A_TOOL, Reader, RowContent, RowError
from warmlead.importing.mapping import ImportMapping, read_mapping
from warmlead.importing.reading import Row
from warmlead.importing.ready import ready_mapping

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

LEADS: dict[str, Any] = {
    "email": "Email",
    "user_id": "Id",
    "prefix": "crm:demo:",
    "traits": {"Land": "country", "Size": "employees"},
    "origin": {"source": "Source"},
    "blank": ["n/a"],
    "facts": [
        {"event": "contact_requested", "at": "Created", "properties": {"Topic": "topic"}},
        {"stage": "mql", "at": "MQL"},
        {"said": "won", "at": "Closed", "when": {"State": ["Won"]}, "value": "Worth"},
        {"said": "not_ready", "at": "Closed", "when": {"State": "Later"}},
    ],
}


def said(values: dict[str, Any], part: dict[str, Any] = LEADS, **others: Any) -> RowContent:
    mapping = ImportMapping.model_validate({"files": {"*": part}, **others})
    reader = Reader(mapping, mapping.files["*"], name="demo", now=NOW)
    return reader.read(Row(1, values))


def problems(values: dict[str, Any], **others: Any) -> tuple[str, ...]:
    with pytest.raises(RowError) as raised:
        said(values, **others)
    return raised.value.problems


ADA = {"Email": "Ada@Example.com", "Id": "7", "Created": "2018-02-01"}


def test_a_row_says_events_as_of_their_own_time_however_old() -> None:
    (event,) = said({**ADA, "Topic": "price"}).events
    assert event.occurred_at == event.received_at == datetime(2018, 2, 1, tzinfo=UTC)
    assert (event.email, event.user_id) == ("ada@example.com", "crm:demo:7")
    assert (event.name, event.properties) == ("contact_requested", {"topic": "price"})
    assert (event.source, event.trust) == ("import:demo", Trust.SIGNED)


TRACKED: dict[str, Any] = {
    "user_id": "Id",
    "anonymous_id": "Visitor",
    "facts": [{"event_from": "Name", "at": "Time"}],
}
HIT = {"Id": "42", "Visitor": "v1", "Name": "page_view", "Time": "2026-02-01"}


def test_rows_that_visitors_wrote_are_public() -> None:
    (event,) = said(HIT, {**TRACKED, "trust": "public"}).events
    assert (event.trust, event.user_id) == (Trust.PUBLIC, "42")


@pytest.mark.parametrize("name", ["sales_won", "Sales Won", "sales_qualified"])
@pytest.mark.parametrize("trust", ["public", "signed"])
def test_a_column_of_event_names_never_says_what_sales_says(name: str, trust: str) -> None:
    with pytest.raises(RowError):
        said({**HIT, "Name": name}, {**TRACKED, "trust": trust})


@pytest.mark.parametrize("id_", ["crm:hubspot:7", "intercom:5f1c"])
@pytest.mark.parametrize("column", ["Id", "Visitor"])
def test_rows_that_visitors_wrote_bear_no_id_of_a_tool(column: str, id_: str) -> None:
    (problem,) = problems({**HIT, column: id_}, part={**TRACKED, "trust": "public"})
    assert problem == f"{column}: {OF_A_TOOL}"


def test_a_mapping_may_say_whose_ids_the_rows_of_visitors_bear() -> None:
    (event,) = said(HIT, {**TRACKED, "trust": "public", "prefix": "intercom:"}).events
    assert event.user_id == "intercom:42"


@pytest.mark.parametrize("fact", [{"stage": "mql", "at": "T"}, {"said": "won", "at": "T"}])
def test_a_mapping_cannot_have_visitors_say_what_sales_says(fact: dict[str, str]) -> None:
    part = {**TRACKED, "trust": "public", "facts": [fact]}
    with pytest.raises(ValidationError, match="rows of visitors"):
        ImportMapping.model_validate({"files": {"*": part}})


def test_the_ready_mapping_of_a_tracker_takes_its_rows_for_those_of_visitors() -> None:
    mapping = read_mapping(ready_mapping("ga4"), name="ga4")
    assert mapping.files["*events*"].trust is Trust.PUBLIC


def test_traits_and_origin_are_told_with_the_first_fact_alone() -> None:
    row = {**ADA, "Land": "Deutschland", "Source": "google", "MQL": "2018-03-01"}
    first, second = said(row).events
    assert first.traits == {"country": "DE"}
    assert first.attribution == {"utm_source": "google"}
    assert (second.traits, second.attribution) == ({}, {})


def test_a_blank_source_is_not_one_that_says_unknown() -> None:
    assert said({**ADA, "Source": "unknown"}).events[0].attribution == {"utm_source": "unknown"}
    for blank in ("", "  ", "N/A", None):
        assert said({**ADA, "Source": blank}).events[0].attribution == {}


def test_a_stage_is_asserted_and_a_deal_is_stated_with_its_value() -> None:
    row = {
        **ADA,
        "MQL": "2018-02-03",
        "Closed": "2018-04-05 10:30",
        "State": "won",
        "Worth": "12.50",
    }
    _, mql, won = said(row, currency="EUR").events
    assert (mql.name, mql.properties) == ("sales_qualified", {"reason": "mql"})
    assert won.name == "sales_won"
    assert won.properties == {"value_cents": 1250, "currency": "EUR"}


def test_a_refusal_is_a_rejection_with_its_reason() -> None:
    event = said({**ADA, "Created": "", "Closed": "2018-04-05", "State": "later"}).events[0]
    assert (event.name, event.properties) == ("sales_rejected", {"reason": "not_ready"})


def test_a_row_whose_times_are_empty_says_nothing() -> None:
    assert said({"Email": "ada@example.com", "Created": ""}) == RowContent()


def test_the_same_row_has_the_same_ids_wherever_it_stands() -> None:
    first = said(ADA).events[0]
    assert said(dict(reversed(ADA.items()))).events[0].key == first.key
    assert said({**ADA, "Land": "DE"}).events[0].key != first.key
    part = {**LEADS, "id": "Id"}
    of_id = said(ADA, part).events[0]
    assert said({**ADA, "Land": "DE"}, part).events[0].key == of_id.key


def test_every_fault_of_a_row_is_told_by_its_column() -> None:
    row = {"Email": "ada at example", "Created": "soon", "MQL": "2099-01-01", "Closed": ""}
    assert problems(row) == (
        "Email: the email address is not valid",
        "Created: cannot be read as a time; write it as 2026-11-26 or 2026-11-26T19:21:00Z",
        "MQL: the time is in the future",
    )
    assert problems({**ADA, "Created": "1900-01-01"}) == ("Created: the time is before 1970",)
    assert problems({"Created": "2018-02-01"}) == ("Email, Id: nobody is named",)
    row = {**ADA, "Closed": "2018-04-05", "State": "Won", "Worth": "1,2,3"}
    assert problems(row, currency="EUR")[0].startswith("Worth: ")
    assert "add --currency EUR" in problems({**row, "Worth": "12"})[0]


def test_a_day_that_may_be_a_month_needs_a_word_in_the_mapping() -> None:
    row = {**ADA, "Created": "03/04/2018"}
    assert "dates: day-first or month-first" in problems(row)[0]
    day, month = (
        said(row, dates=dates).events[0].occurred_at for dates in ("day-first", "month-first")
    )
    assert (day, month) == (datetime(2018, 4, 3, tzinfo=UTC), datetime(2018, 3, 4, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_a_day_stays_that_day_in_utc_in_whatever_zone_and_however_written(zone: str) -> None:
    days = ("2018-02-01", "20180201", "01.02.2018", "01/02/2018", "1-2-2018", "Feb 1, 2018")
    for day in (*days, "2018-02-01 00:00:00", "2018-02-01T00:00", date(2018, 2, 1)):
        (event,) = said({**ADA, "Created": day}, time_zone=zone, dates="day-first").events
        assert event.occurred_at == datetime(2018, 2, 1, tzinfo=UTC), day


def test_a_time_without_a_zone_is_that_of_the_mapping() -> None:
    def at(text: str) -> datetime:
        row = {**ADA, "Created": text}
        return said(row, time_zone="America/New_York").events[0].occurred_at

    assert at("2018-02-01 10:00") == datetime(2018, 2, 1, 15, tzinfo=UTC)
    assert at("2018-02-01T10:00Z") == datetime(2018, 2, 1, 10, tzinfo=UTC)
    assert at("2018-02-01T00:00:00+01:00") == datetime(2018, 1, 31, 23, tzinfo=UTC)
    assert at("1517479200") == datetime(2018, 2, 1, 10, tzinfo=UTC)


def test_an_unknown_time_zone_is_told() -> None:
    with pytest.raises(ConfigurationError, match="is not a time zone"):
        said(ADA, time_zone="Mars/Olympus")


def test_spend_is_an_amount_of_a_day_in_its_currency() -> None:
    part = {"spend": {"day": "Day", "amount": "Cost", "source": "From"}}
    row = {"Day": "2018-02-28", "Cost": "1.234,50 €", "From": "google"}
    spend = said(row, part, numbers="1.234,56").spend
    assert spend is not None
    assert (spend.day, spend.amount_cents, spend.currency) == (date(2018, 2, 28), 123450, "EUR")
    assert (spend.source, spend.campaign, spend.imported) == ("google", "", "demo")
    assert said({**row, "Cost": ""}, part).spend is None


STATED: dict[str, Any] = {
    **LEADS,
    "origin": [
        {"when": {"Came by": ["Paid Social"]}, "channel": "Came by", "source": "Detail"},
        {"channel": "Came by", "campaign": "Detail"},
    ],
}


@pytest.mark.parametrize(
    ("came_by", "attribution"),
    [
        ("PAID_SOCIAL", {"channel": "Paid Social", "utm_campaign": "LinkedIn"}),
        ("paid social", {"channel": "Paid Social", "utm_source": "LinkedIn"}),
        ("Email Marketing", {"channel": "Email", "utm_campaign": "LinkedIn"}),
        ("Trade Show", {"utm_source": "Trade Show", "utm_campaign": "LinkedIn"}),
        ("(unknown)", {"utm_campaign": "LinkedIn"}),
        ("", {"utm_campaign": "LinkedIn"}),
    ],
)
def test_a_stated_channel_is_kept_and_any_other_word_is_a_source(
    came_by: str, attribution: dict[str, str]
) -> None:
    (event,) = said({**ADA, "Came by": came_by, "Detail": "LinkedIn"}, STATED).events
    assert (event.attribution, event.direct) == (attribution, False)


@pytest.mark.parametrize("word", ["Direct Traffic", "DIRECT", "(direct)"])
def test_a_stated_direct_visit_has_no_origin(word: str) -> None:
    (event,) = said({**ADA, "Came by": word, "Detail": "www.example.com/shop"}, STATED).events
    assert (event.attribution, event.direct) == ({}, True)


def test_of_two_ids_of_a_person_either_is_enough() -> None:
    part = {**LEADS, "merged_user_id": "Contact"}
    row = {"Created": "2018-02-01", "Id": "00Q1", "Contact": "0031"}
    (both,) = said(row, part).events
    assert (both.user_id, both.merged_user_id) == ("crm:demo:00Q1", "crm:demo:0031")
    for only in ({**row, "Id": ""}, {**row, "Id": "0031"}):
        (one,) = said(only, part).events
        assert (one.user_id, one.merged_user_id) == ("crm:demo:0031", None)
    (lead,) = said({**row, "Contact": "null"}, part).events
    assert (lead.user_id, lead.merged_user_id) == ("crm:demo:00Q1", None)


@pytest.mark.parametrize("id_", ["null", " ; ", "N/A"])
def test_a_placeholder_is_nobody_whatever_stands_before_it(id_: str) -> None:
    assert problems({"Created": "2018-02-01", "Id": id_}) == ("Email, Id: nobody is named",)


def test_of_several_ids_the_first_counts_also_behind_an_empty_one() -> None:
    (event,) = said({"Created": "2018-02-01", "Id": "; 102; 103"}).events
    assert event.user_id == "crm:demo:102"


@pytest.mark.parametrize(
    "more", [{"merged_user_id": "Other"}, {"origin": {"channel": "Medium"}}], ids=str
)
def test_visitors_state_neither_a_channel_nor_who_is_the_same_person(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="rows of visitors"):
        ImportMapping.model_validate({"files": {"*": {**TRACKED, "trust": "public", **more}}})


@pytest.mark.parametrize("prefix", ["", "deal:", "hubspot:"])
def test_the_ids_of_deals_are_such_as_no_browser_can_bear(prefix: str) -> None:
    part = {"deal_id": "Deal", "prefix": prefix, "facts": [{"said": "won", "at": "Closed"}]}
    with pytest.raises(ValidationError, match="deal_id needs a prefix"):
        ImportMapping.model_validate({"files": {"*": part}})
