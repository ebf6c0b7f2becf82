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
    leads = "Id,Email,CreatedDate,ConvertedContactId\n00Q1,a@example.com,2025-01-02,0031\n"
    deals = "Id,ContactId,CreatedDate,CloseDate\n0061,0031,2025-01-02,2025-01-03\n"
    lead, deal = guess_of(tmp_path, leads, deals).values()
    assert (lead["user_id"], deal["user_id"]) == ("ConvertedContactId", "ContactId")


def test_what_cannot_be_guessed_is_left_out(tmp_path: Path) -> None:
    files = guess_of(tmp_path, "colour,size\nred,1\n")
    assert files == {"0.csv": {}}
    assert not is_usable({"files": files})
