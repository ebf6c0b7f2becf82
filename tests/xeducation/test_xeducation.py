"""The table becomes leads that were known, judged and won at their times; nothing leaks."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xeducation.__main__ import main
from xeducation.files import rows_of, write_files
from xeducation.made import write_made

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def written(folder: Path, leads: int, *, leaky: bool = False) -> dict[str, list[dict[str, str]]]:
    rows = rows_of(write_made(folder / "made.csv", leads))
    files = write_files(rows, folder, now=NOW, days=730, leaky=leaky)
    tables = {}
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


def test_later_numbers_became_known_later_and_all_outcomes_are_ripe(tmp_path: Path) -> None:
    tables = written(tmp_path, 40)
    known = [datetime.fromisoformat(row["Created"]) for row in tables["leads"]]
    assert known == sorted(known)
    assert (known[0], known[-1]) == (NOW - timedelta(days=800), NOW - timedelta(days=70))
    won = [row["Won"] for row in tables["outcomes"] if row["Won"]]
    assert 0 < len(won) < 40
    assert max(map(datetime.fromisoformat, won)) < NOW


def test_what_a_lead_did_lies_in_its_first_week_and_sales_speaks_later(tmp_path: Path) -> None:
    tables = written(tmp_path, 40)
    known = {row["Email"]: datetime.fromisoformat(row["Created"]) for row in tables["leads"]}
    for row in tables["events"]:
        assert timedelta(0) < datetime.fromisoformat(row["At"]) - known[row["Email"]]
        assert datetime.fromisoformat(row["At"]) - known[row["Email"]] < timedelta(days=7)
    for row in tables["outcomes"]:
        assert datetime.fromisoformat(row["Called"]) - known[row["Email"]] > timedelta(days=7)
        assert not row["Won"] or row["Called"] < row["Won"]


def test_what_sales_types_is_known_early_only_if_a_leak_is_asked_for(tmp_path: Path) -> None:
    for leaky in (False, True):
        tables = written(tmp_path, 20, leaky=leaky)
        for lead, outcome in zip(tables["leads"], tables["outcomes"], strict=True):
            waited = datetime.fromisoformat(outcome["Called"]) - datetime.fromisoformat(
                lead["Created"]
            )
            assert (waited < timedelta(days=7)) == leaky


def test_a_table_without_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    table = tmp_path / "leads.csv"
    table.write_text("Lead Number,Converted\n1,0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="Lead Origin"):
        rows_of(table)


@pytest.mark.slow  # the command itself imports
def test_a_table_is_imported_seen_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--made", "40", "--keep", str(tmp_path / "kept")]) == 0
    told = capsys.readouterr().out
    assert "ripe leads 40, won " in told
    assert "stated later, so not seen: tag of 40" in told
    assert "fit:professional" in told
    assert f"WARMLEAD_MODEL={tmp_path}/kept/seventeen.yaml" in told
