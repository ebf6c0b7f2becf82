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


def test_what_cannot_be_guessed_is_left_out(tmp_path: Path) -> None:
    files = guess_of(tmp_path, "colour,size\nred,1\n")
    assert files == {"0.csv": {}}
    assert not is_usable({"files": files})
