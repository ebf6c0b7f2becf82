"""``warmlead model features``: a table of past leads as they were known, for a data scientist."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from unit.cli.conftest import Workspace

MODEL = """
signals:
  page_viewed: {on: page_viewed, points: 5, half_life: 14d}
fit:
  large: {when: employees >= 100, points: 20}
stages:
  mql: {enter: score >= 40, leave: score < 20}
"""


MAPPING = """
name: past
files:
  "events*":
    email: Email
    traits: {Employees: employees, Industry: industry}
    facts:
      - {event: page_viewed, at: Viewed}
      - {said: won, at: Won}
"""


@pytest.fixture
def past(workspace: Workspace) -> Workspace:
    """Two leads of a month ago, one of them won after three weeks, and one of today."""
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", MODEL))
    ada, bob, cyn = (f"{who}@example.com" for who in ("ada", "bob", "cyn"))
    rows = [
        "Email,Viewed,Won,Employees,Industry",
        f"{ada},{ago(40)},,400,=cmd|' /C calc'!A0",
        f"{ada},{ago(39)},{ago(19)},,",
        f"{bob},{ago(30)},,,",
        f"{cyn},{ago(0)},,,",
    ]
    files = workspace.write("events.csv", "\n".join(rows)), workspace.write("m.yaml", MAPPING)
    done = workspace.run("import", "run", str(files[0]), "--mapping", str(files[1]))
    assert done.code == 0, done.err
    return workspace


def ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def test_the_file_has_a_row_for_each_ripe_lead_and_no_personal_data(past: Workspace) -> None:
    done = past.run("model", "features", "leads.csv", "--within", "25d")
    assert done.code == 0, done.err
    assert "leads.csv: 2 leads, 1 of them won" in done.out
    assert "left out: 1 lead, no outcome yet" in done.out
    text = (past.folder / "leads.csv").read_text(encoding="utf-8")
    rows = {row["won"]: row for row in csv.DictReader(text.splitlines())}
    assert (rows["1"]["count:page_viewed"], rows["0"]["count:page_viewed"]) == ("2", "1")
    assert (rows["1"]["fit:large"], rows["0"]["fact:employees"]) == ("1", "")
    assert float(rows["0"]["signal:page_viewed"]) == pytest.approx(2**-0.5, abs=1e-6)
    assert "example.com" not in text
    assert "=cmd" not in text.replace("'=cmd", "")


def test_parquet_holds_the_same_and_says_what_is_not_known(past: Workspace) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    told = past.json("model", "features", "leads.parquet", "--within", "25d")
    table = parquet.read_table(past.folder / "leads.parquet")
    assert (told["leads"], told["won"], told["within_days"]) == (2, 1, 25)
    assert told["columns"] == table.column_names
    assert sorted(table["won"].to_pylist()) == [False, True]
    assert sorted(table["fact:employees"].to_pylist(), key=str) == [400, None]


def test_another_kind_of_file_is_refused_before_any_work(past: Workspace) -> None:
    done = past.run("model", "features", "leads.xlsx")
    assert (done.code, "write .csv or .parquet" in done.err) == (2, True)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(past: Workspace) -> None:
    done = past.run("model", "features", str(Path("nowhere", "leads.csv")), "--within", "25d")
    assert done.code == 2
    assert not list(past.folder.rglob("*leads.csv*"))
