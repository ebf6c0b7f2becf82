"""What an import says of its files before it acts: counts by month beside the texts', and money."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.mapping import ImportMapping
from warmlead.importing.reading import open_table
from warmlead.importing.spool import Spool
from warmlead.importing.survey import MAX_UNASKED, Survey, missing_text, survey

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DEALS: dict[str, Any] = {
    "id": "Deal",
    "user_id": "Id",
    "facts": [
        {"event": "sales_identified", "at": "Created"},
        {"said": "won", "at": "Closed", "when": {"Stage": "Won"}, "value": "Amount"},
    ],
}


def surveyed(folder: Path, *texts: str, **others: Any) -> Survey:
    mapping = ImportMapping.model_validate({"currency": "EUR", "files": {"*": DEALS}, **others})
    tables = []
    for place, text in enumerate(texts):
        path = folder / f"deals{place}.csv"
        path.write_text(text, encoding="utf-8")
        tables.append(open_table(path))
    with Spool(folder / "spool") as spool:
        return survey(tables, mapping, spool, name="demo", now=NOW)


def test_a_deal_that_stands_there_twice_is_worth_its_amount_once(tmp_path: Path) -> None:
    head = "Deal;Id;Created;Closed;Stage;Amount\n"
    one, two = "1;a;2026-01-02;2026-01-09;Won;1.500,50\n", "2;b;2026-01-03;2026-01-09;Won;10,00\n"
    assert surveyed(tmp_path, head + one + one + two, head + one).amounts == {"EUR": 151_050}


def test_of_two_amounts_of_a_deal_that_which_is_imported_counts(tmp_path: Path) -> None:
    head = "Deal,Id,Created,Closed,Stage,Amount\n"
    rows = ["1,a,2026-01-02,2026-01-09,Won,10.00\n", "1,a,2026-01-02,2026-01-09,Won,20.00\n"]
    found = []
    for name, order in (("one", rows), ("other", rows[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        found.append(surveyed(folder, head + "".join(order)).amounts)
        with Spool(folder / "again") as spool:
            mapping = ImportMapping.model_validate({"currency": "EUR", "files": {"*": DEALS}})
            survey([open_table(folder / "deals0.csv")], mapping, spool, name="demo", now=NOW)
            kept = [
                e.properties for _, own in spool.persons() for e in own if e.name == "sales_won"
            ]
        assert found[-1] == {"EUR": kept[0]["value_cents"]}
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("written", "dates"),
    [
        ("2025-03-04 10:00", None),
        ("2025-3-4", None),
        ("2025/03/04", None),
        ("20250304", None),
        ("04.03.2025 10:00", None),
        ("04/03/2025", "day-first"),
        ("03/04/2025", "month-first"),
        ("3/14/2025", None),
        ("14/3/2025", None),
    ],
)
def test_the_month_that_stands_in_a_text_is_seen(
    tmp_path: Path, written: str, dates: str | None
) -> None:
    text = f"Deal,Id,Created,Closed,Stage,Amount\n1,a,{written},,,\n"
    (counts,) = surveyed(tmp_path, text, dates=dates).files
    assert counts.errors == 0
    assert counts.own == counts.read == {("identified", "2025-03"): 1}
    assert counts.unseen == set()


def test_of_texts_that_show_no_month_nothing_is_compared(tmp_path: Path) -> None:
    head = "Deal,Id,Created,Closed,Stage,Amount\n"
    rows = '1,a,2025-03-04,,,\n2,b,"March 5, 2025",,,\n'
    (counts,) = surveyed(tmp_path, head + rows).files
    assert counts.read == {("identified", "2025-03"): 2}
    assert counts.unseen == {"identified"}


def test_a_text_that_cannot_be_read_leaves_the_comparison(tmp_path: Path) -> None:
    head = "Deal,Id,Created,Closed,Stage,Amount\n"
    (counts,) = surveyed(tmp_path, f"{head}1,a,2025-03-04,,,\n2,b,soon,,,\n").files
    assert (counts.errors, counts.unseen) == (1, set())


def test_a_column_that_is_not_there_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (counts,) = surveyed(tmp_path, "Id,Created,closed\na,2025-03-04,\n").files
    assert missing_text(counts.missing) == (
        '"Deal" (id), "Closed" (facts[1]; did you mean "closed"?), "Amount" (facts[1]), '
        '"Stage" (facts[1])'
    )


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("ID,Created", 'no column that names the person: "Id" (user_id); it has ID, Created'),
        ("Id,Creation", 'no column with a time: "Closed" (facts[1]), "Created" (facts[0]; did you'),
    ],
)
def test_a_file_without_what_every_row_needs_is_refused(
    tmp_path: Path, head: str, told: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        surveyed(tmp_path, f"{head}\n1,2025-03-04\n")
    assert told in str(raised.value)


def test_spend_needs_its_day_and_its_amount(tmp_path: Path) -> None:
    files = {"*": {"spend": {"day": "Day", "amount": "Cost", "campaign": "Campaign"}}}
    with pytest.raises(ConfigurationError, match=r'no column for the amount: "Cost"'):
        surveyed(tmp_path, "Day\n2025-03-04\n", files=files)
    (tmp_path / "spool").unlink()
    (counts,) = surveyed(tmp_path, "Day,Cost\n2025-03-04,1.00\n", files=files).files
    assert list(counts.missing) == ["Campaign"]


def test_values_for_which_no_fact_asks_are_told(tmp_path: Path) -> None:
    head = "Deal,Id,Created,Closed,Stage,Amount\n"
    stages = ["won", "Sold", "Sold", "", "false", *(f"S{n}" for n in range(MAX_UNASKED))]
    rows = (f"{place},a,2025-03-04,,{stage},\n" for place, stage in enumerate(stages))
    (counts,) = surveyed(tmp_path, head + "".join(rows)).files
    assert counts.unasked.most_common(2) == [(("Stage", "Sold"), 2), (("Stage", "S0"), 1)]
    assert len(counts.unasked) == MAX_UNASKED
