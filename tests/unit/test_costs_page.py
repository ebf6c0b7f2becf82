"""The costs of a month on the page for operators are those of the bench's formula."""

import re
from pathlib import Path

import pytest

from bench.cost import EVENTS_A_MESSAGE, Month, month
from bench.run import Use

ROOT = Path(__file__).parents[2]
OPERATE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
MEASURED = Use(reads=1, writes=1, deletes=0, messages=1, accept_cpu_s=42e-5, apply_cpu_s=71e-5)
"""As docs/performance.md says it: an ordinary event, and its processor time under load."""

MONTHS = (10_000, 1_000_000, 100_000_000)
ROWS = {
    "Firestore, Pub/Sub, requests": "events",
    "instances, each request alone": "alone",
    "instances, requests together": "busy",
    "a message to one tool for each hundred events": "tools",
    "archive: written, and kept for 400 days": "archive",
    "topics that keep a week": "topics",
    "logs, above 50 GiB that are free": "logs",
    "schedules, secrets": "clocks",
}


def written(row: str) -> list[float]:
    """The three figures of a row of the page."""
    [line] = re.findall(rf"^\| \*?\*?{re.escape(row)}\*?\*? \|(.*)\|$", OPERATE, re.MULTILINE)
    return [float(cell.strip(" *").replace("–", "0")) for cell in line.split("|")]


def as_written(dollars: float) -> float:
    return round(dollars) if dollars >= 10 else round(dollars, 2)


@pytest.mark.parametrize(("row", "part"), ROWS.items())
def test_a_row_is_what_the_formula_gives(row: str, part: str) -> None:
    assert written(row) == [as_written(getattr(month(n, MEASURED), part)) for n in MONTHS]


@pytest.mark.parametrize(
    ("row", "alone"), [("all, each request alone", True), ("all, requests together", False)]
)
def test_the_sum_is_of_all_rows(row: str, alone: bool) -> None:
    sums = [month(n, MEASURED).together(alone=alone) for n in MONTHS]
    assert written(row) == [as_written(each) for each in sums]


def test_every_part_of_a_month_has_a_row() -> None:
    assert set(ROWS.values()) == set(Month._fields)
    assert EVENTS_A_MESSAGE == 100
