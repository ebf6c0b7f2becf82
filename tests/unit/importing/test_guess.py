"""What is guessed of files, from names of columns in many languages and from first rows."""

from pathlib import Path
from typing import Any

import pytest

from warmlead.importing.guess import guessed, in_yaml, is_usable
from warmlead.importing.mapping import read_mapping
from warmlead.importing.reading import open_table

DEMO = Path(__file__).parents[3] / "docs/import"


def guess_of(tmp_path: Path, *texts: str) -> dict[str, Any]:
    tables = []
    for place, text in enumerate(texts):
        path = tmp_path / f"{place}.csv"
        path.write_text(text, encoding="utf-8")
        tables.append(open_table(path))
    content = guessed(tables, ["mql"])
    return content["files"]  # type: ignore[return-value]  # a mapping of files


def test_the_demo_is_guessed_so_that_it_can_be_imported() -> None:
    content = guessed([open_table(DEMO / f"{n}.csv") for n in ("leads", "deals", "spend")], ["mql"])
    assert is_usable(content)
    mapping = read_mapping(in_yaml(content), name="guess")
    leads, deals, spend = mapping.files.values()
    assert (leads.email, leads.user_id, deals.user_id) == ("Email", "Lead ID", "Lead ID")
    assert [fact.stage or fact.event for fact in leads.facts] == ["contact_requested", "mql"]
    assert [fact.said for fact in deals.facts] == ["opportunity", "won", "lost"]
    assert spend.spend is not None
    assert (spend.spend.day, spend.spend.amount) == ("Day", "Cost")


@pytest.mark.parametrize(
    ("column", "trait"), [("Vorname", "first_name"), ("会社名", "company"), ("Pays", "country")]
)
def test_traits_are_known_in_other_languages(tmp_path: Path, column: str, trait: str) -> None:
    part = guess_of(tmp_path, f"E-Mail-Adresse,{column},Datum\na@example.com,x,2018-01-02\n")[
        "0.csv"
    ]
    assert part["email"] == "E-Mail-Adresse"
    assert part["traits"] == {column: trait}


CONTACTS = "Record ID,Email,Create Date\n51,a@example.com,2025-01-02\n52,b@example.com,2025-01-03\n"
DEALS = (
    "Record ID,Deal Stage,Amount,Close Date,Associated Contact IDs\n"
    "901,Closed Won,10.00,2025-02-02,51;52\n902,Closed Lost,,2025-02-03,\n"
)


@pytest.mark.parametrize(
    "files", [(CONTACTS, DEALS), (DEALS, CONTACTS), (CONTACTS, DEALS, CONTACTS)]
)
def test_a_deal_is_its_contact_s_and_not_a_person(tmp_path: Path, files: tuple[str, ...]) -> None:
    for text, part in zip(files, guess_of(tmp_path, *files).values(), strict=True):
        assert part["user_id"] == ("Record ID" if text == CONTACTS else "Associated Contact IDs")


def test_the_id_by_which_deals_name_a_lead_is_the_lead_s(tmp_path: Path) -> None:
    leads = "Id,Email,CreatedDate,ConvertedContactId\n00Q1,a@example.com,2025-01-02,003A\n"
    deals = "Id,ContactId,CreatedDate,CloseDate\n0061,003A,2025-01-02,2025-01-03\n"
    lead, deal = guess_of(tmp_path, leads, deals).values()
    assert (lead["user_id"], lead["merged_user_id"]) == ("Id", "ConvertedContactId")
    assert deal["user_id"] == "ContactId"


def test_two_ids_that_are_numbers_are_not_taken_for_one_person_s(tmp_path: Path) -> None:
    leads = "Id,Email,Created,User ID\n1,a@example.com,2025-01-02,7\n7,b@example.com,2025-01-02,1\n"
    lead, _ = guess_of(tmp_path, leads, "User ID,Created\n1,2025-01-02\n").values()
    assert (lead["user_id"], lead.get("merged_user_id")) == ("User ID", None)


def test_an_id_names_those_who_have_no_address(tmp_path: Path) -> None:
    leads = "Record ID,Email,Created\n51,a@example.com,2025-01-02\n52,{},2025-01-03\n"
    for missing, id_ in (("", "Record ID"), ("b@example.com", None)):
        part = guess_of(tmp_path, leads.format(missing))["0.csv"]
        assert (part["email"], part.get("user_id")) == ("Email", id_)


def test_what_cannot_be_guessed_is_left_out(tmp_path: Path) -> None:
    files = guess_of(tmp_path, "colour,size\nred,1\n")
    assert files == {"0.csv": {}}
    assert not is_usable({"files": files})


CREATED = "2025-01-08"


HEADINGS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "Email,Original Traffic Source,Drill-Down 1,Last Activity Date,Create Date",
        f"a@x.example,Paid Social,LinkedIn,2025-02-01,{CREATED}",
        {
            "origin": {"channel": "Original Traffic Source"},
            "facts": [{"event": "contact_requested", "at": "Create Date"}],
        },
    ),
    (
        "Lead ID,Email,Customer Created Date,Opportunity ID,Stage",
        f"00Q1,a@x.example,{CREATED},0061,Open",
        {"facts": [{"event": "contact_requested", "at": "Customer Created Date"}]},
    ),
    (
        (
            "E-Mail,Erstellungsdatum,Ursprüngliche Traffic-Quelle,Wurde ein Kunde am,"
            "Wurde ein Marketing-qualifizierter Lead am"
        ),
        f"a@x.example,{CREATED},Organische Suche,{CREATED},{CREATED}",
        {
            "origin": {"channel": "Ursprüngliche Traffic-Quelle"},
            "facts": [
                {"event": "contact_requested", "at": "Erstellungsdatum"},
                {"said": "won", "at": "Wurde ein Kunde am"},
                {"stage": "mql", "at": "Wurde ein Marketing-qualifizierter Lead am"},
            ],
        },
    ),
    (
        "Email,LeadSource,HasOptedOutOfEmail,CreatedDate,ConvertedDate",
        f"a@x.example,Web,true,{CREATED},{CREATED}",
        {
            "origin": {"channel": "LeadSource"},
            "traits": {"HasOptedOutOfEmail": "has_opted_out_of_email"},
            "facts": [
                {"event": "contact_requested", "at": "CreatedDate"},
                {"said": "accepted", "at": "ConvertedDate"},
            ],
        },
    ),
    (
        (
            "Deal - ID,Deal - Value,Deal - Currency of Value,Deal - Deal created,"
            "Deal - Won time,Deal - Expected close date,Deal - Lost time,Deal - Lost reason,"
            "Deal - Source channel"
        ),
        f"7,GBP 12,GBP,{CREATED},{CREATED},{CREATED},{CREATED},Price,Web forms",
        {
            "origin": {"channel": "Deal - Source channel"},
            "facts": [
                {"said": "opportunity", "at": "Deal - Deal created"},
                {
                    "said": "won",
                    "at": "Deal - Won time",
                    "value": "Deal - Value",
                    "currency": "Deal - Currency of Value",
                },
                {"said": "lost", "at": "Deal - Lost time", "reason": "Deal - Lost reason"},
            ],
        },
    ),
    (
        "Email Address,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,LAST_CHANGED",
        f"a@x.example,,{CREATED},{CREATED},{CREATED}",
        {
            "facts": [
                {"event": "newsletter_subscribed", "at": "CONFIRM_TIME"},
                {"event": "email_unsubscribed", "at": "UNSUB_TIME"},
            ]
        },
    ),
    (
        "Time,Email,Event,utm_source,Page URL,Topic",
        f"{CREATED},a@x.example,Webinar attended,google,https://x.example/,CRM",
        {
            "origin": {"source": "utm_source", "url": "Page URL"},
            "facts": [
                {
                    "event_from": "Event",
                    "properties": {"Page URL": "url", "Topic": "topic"},
                    "at": "Time",
                }
            ],
        },
    ),
    (
        "event_timestamp,event_name,user_pseudo_id",
        "1736327700000000,page_view,1.2",
        {"anonymous_id": "user_pseudo_id", "trust": "public"},
    ),
    (
        "Email;Firma;Kanal;Währung;Auftragswert;Status;Eingang am;Abschlussdatum",
        "a@x.example;X;Email;EUR;1.200,50;Gewonnen;08.01.2025;14.02.2025",
        {
            "origin": {"channel": "Kanal"},
            "facts": [
                {"event": "contact_requested", "at": "Eingang am"},
                {
                    "said": "won",
                    "at": "Abschlussdatum",
                    "value": "Auftragswert",
                    "currency": "Währung",
                    "when": {"Status": "Gewonnen"},
                },
            ],
        },
    ),
]


@pytest.mark.parametrize(
    ("head", "row", "expected"),
    HEADINGS,
    ids=[
        "hubspot",
        "lead report",
        "hubspot in German",
        "salesforce",
        "pipedrive",
        "mailchimp",
        "events",
        "ga4",
        "german",
    ],
)
def test_usual_headings_are_known(
    tmp_path: Path, head: str, row: str, expected: dict[str, Any]
) -> None:
    part = guess_of(tmp_path, f"{head}\n{row}\n")["0.csv"]
    assert {name: part.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("25/02/2025;1.200,50", "03/04/2025;9,5"), {"dates": "day-first", "numbers": "1.234,56"}),
        (("03/25/2025;1,200.50", "03/04/2025;9"), {"dates": "month-first"}),
        (("03/04/2025;1.200,50", "03/04/2025;9.50"), {}),
    ],
)
def test_how_days_and_amounts_are_written_is_seen(
    tmp_path: Path, rows: tuple[str, ...], said: dict[str, str]
) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("\n".join(["Email;Created;Value", *(f"a@x.example;{row}" for row in rows)]))
    content = guessed([open_table(path)], ["mql"])
    assert {name: content[name] for name in content if name != "files"} == said
    assert is_usable(content)


def test_a_source_that_holds_names_of_channels_states_the_channel(tmp_path: Path) -> None:
    rows = "Email,Created,Source\na@x.example,2025-01-02,{}\nb@x.example,2025-01-02,{}\n"
    for values, field in ((("direct_traffic", "paid_search"), "channel"), (("g2", "x"), "source")):
        part = guess_of(tmp_path, rows.format(*values))["0.csv"]
        assert part["origin"] == {field: "Source"}
