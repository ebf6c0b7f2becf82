"""What the ready mappings make of the exports of the tools for which they are."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warmlead.domain.attribution import NOWHERE, Channel, origin_of
from warmlead.domain.consent_fields import says_no
from warmlead.domain.event import Event
from warmlead.domain.identity import identifiers_of
from warmlead.importing.facts import Reader
from warmlead.importing.mapping import read_mapping
from warmlead.importing.reading import Row
from warmlead.importing.ready import ready_mapping
from warmlead.senders.ga4.source import UNWANTED

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def said(tool: str, pattern: str, row: dict[str, Any]) -> tuple[Event, ...]:
    mapping = read_mapping(ready_mapping(tool), name=tool)
    reader = Reader(mapping, mapping.files[pattern], name=tool, now=NOW)
    return reader.read(Row(1, row)).events


HUBSPOT = [
    ("Organic Search", "", "google", Channel.ORGANIC_SEARCH, "google"),
    ("ORGANIC_SEARCH", "", "", Channel.ORGANIC_SEARCH, "(not set)"),
    ("Paid Search", "Webshop", "crm software", Channel.PAID_SEARCH, "(not set)"),
    ("Paid Social", "LinkedIn", "Spring", Channel.PAID_SOCIAL, "linkedin"),
    ("Organic Social", "YouTube", "", Channel.ORGANIC_SOCIAL, "youtube"),
    ("Social Media", "Facebook", "", Channel.ORGANIC_SOCIAL, "facebook"),
    ("Email Marketing", "Webshop news", "", Channel.EMAIL, "(not set)"),
    ("Referrals", "partner.example", "", Channel.REFERRAL, "partner.example"),
    ("AI Referrals", "chatgpt.com", "", Channel.AI_ASSISTANT, "chatgpt.com"),
    ("Direct Traffic", "www.example.com/shop", "", Channel.DIRECT, "(direct)"),
    ("Other Campaigns", "Fair", "", Channel.UNASSIGNED, "other campaigns"),
    ("Offline Sources", "IMPORT", "", Channel.UNASSIGNED, "offline sources"),
]


@pytest.mark.parametrize(("source", "one", "two", "channel", "shown"), HUBSPOT)
def test_a_contact_of_hubspot_has_the_channel_of_its_traffic_source(
    source: str, one: str, two: str, channel: Channel, shown: str
) -> None:
    told = "Original Traffic Source"
    row = {"Record ID": "7", "Create Date": "2025-01-08 09:15", told: source}
    row |= {f"{told} Drill-Down 1": one, f"{told} Drill-Down 2": two}
    (event,) = said("hubspot", "*contact*", row)
    origin = NOWHERE if event.direct else origin_of(event.attribution.items())
    assert (origin.channel, origin.source) == (channel, shown)


LEAD = {"Id": "00Q1", "CreatedDate": "2025-01-08", "IsConverted": "false", "Status": "Open"}


def test_a_lead_of_salesforce_without_an_address_is_somebody() -> None:
    (event,) = said("salesforce", "*[Ll]ead*", LEAD)
    assert event.user_id == "crm:salesforce:00Q1"


def test_a_converted_lead_of_salesforce_is_the_contact_of_its_opportunity() -> None:
    converted = {"IsConverted": "true", "ConvertedDate": "2025-01-20", "ConvertedContactId": "0031"}
    converted |= {"ConvertedOpportunityId": "0061"}
    lead = said("salesforce", "*[Ll]ead*", {**LEAD, **converted})
    opened = {"Id": "0061", "CreatedDate": "2025-02-01"}
    deal = said("salesforce", "*[Oo]pportunit*", {**opened, "ContactId": "0031"})
    alone = said("salesforce", "*[Oo]pportunit*", opened)
    before = said("salesforce", "*[Ll]ead*", LEAD)
    for one, other in ((lead, deal), (lead, alone), (before, lead)):
        assert {*identifiers_of(one[0])} & {*identifiers_of(other[0])}


def test_an_opportunity_of_salesforce_is_its_primary_contact_s() -> None:
    mapping = read_mapping(ready_mapping("salesforce"), name="salesforce")
    row = {"ContactId": "0031", "OpportunityId": "0061", "CreatedDate": "2025-02-01"}
    patterns = {
        name: next(pattern for pattern, part in mapping.files.items() if part is found)
        for name in ("OpportunityContactRole.csv", "Opportunity.csv", "Contact.csv", "Lead.csv")
        if (found := mapping.of_file(Path(name)))
    }
    assert len({*patterns.values()}) == len(mapping.files) == 4
    role = patterns["OpportunityContactRole.csv"]
    (tie,) = said("salesforce", role, {**row, "IsPrimary": "true"})
    (contact,) = said("salesforce", patterns["Contact.csv"], {**row, "Id": "0031"})
    (deal,) = said(
        "salesforce", patterns["Opportunity.csv"], {"Id": "0061", "CreatedDate": "2025-02-01"}
    )
    assert {*identifiers_of(tie)} == {*identifiers_of(contact), *identifiers_of(deal)}
    assert said("salesforce", role, {**row, "IsPrimary": "false"}) == ()


SAYING_NO = {
    "hubspot": (
        "*contact*",
        {"Record ID": "7", "Create Date": "2025-01-08", "Unsubscribed from all email": "true"},
        "Last Modified Date",
    ),
    "salesforce": ("*[Ll]ead*", {**LEAD, "HasOptedOutOfEmail": "true"}, "LastModifiedDate"),
    "pipedrive": (
        "*people*",
        {
            "Person - ID": "7",
            "Person - Person created": "2025-01-08",
            "Person - Marketing status": "Unsubscribed",
        },
        "Person - Update time",
    ),
}


@pytest.mark.parametrize("tool", SAYING_NO)
def test_who_wants_no_mail_is_known_to_want_none_since_the_latest_change(tool: str) -> None:
    pattern, row, changed = SAYING_NO[tool]
    (first,) = said(tool, pattern, row)
    assert says_no(first)
    *_, last = said(tool, pattern, {**row, changed: "2025-03-01"})
    assert (last.name, last.occurred_at) == ("email_unsubscribed", datetime(2025, 3, 1, tzinfo=UTC))
    words = {"true": "false", "Unsubscribed": "Subscribed"}
    fine = {column: words.get(value, value) for column, value in row.items()}
    (only,) = said(tool, pattern, {**fine, changed: "2025-03-01"})
    assert not says_no(only)


def test_the_same_events_of_google_analytics_count_as_those_that_it_sends() -> None:
    (fact,) = read_mapping(ready_mapping("ga4"), name="ga4").files["*events*"].facts
    assert {*fact.unless["event_name"]} == {*UNWANTED.split()}


def test_an_event_of_google_analytics_has_its_page_and_where_it_came_from() -> None:
    row = {
        "event_name": "page_view",
        "event_timestamp": "1736327700000000",
        "user_pseudo_id": "1.2",
        "event_params.page_location": "https://www.example.com/pricing?plan=pro",
    }
    for nothing in ({"event_name": "session_start"}, {"user_pseudo_id": ""}):
        assert said("ga4", "*events*", {**row, **nothing}) == ()
    (event,) = said("ga4", "*events*", row)
    assert (event.properties["path"], event.direct) == ("/pricing", True)
    for site, referrer in (("google", "https://www.google.com/"), ("", "https://www.example.com/")):
        (event,) = said("ga4", "*events*", {**row, "event_params.page_referrer": referrer})
        origin = origin_of(event.attribution.items())
        assert (origin.source, event.direct) == (site or "(unknown)", False)
    (event,) = said(
        "ga4", "*events*", {**row, "collected_traffic_source.manual_source": "(direct)"}
    )
    assert (event.attribution, event.direct) == ({}, True)
