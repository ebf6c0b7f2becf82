"""A file in which nothing is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.dashboard.csv_file import as_csv, inert

STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "\n=1",
        "＝1",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert inert(text) == f"'{' '.join(text.split()) if not text.isprintable() else text}"


def test_no_formula_begins_where_excel_takes_a_semicolon_for_a_separator() -> None:
    assert inert("Acme;=1+1; @SUM(A1);x-y") == "Acme;'=1+1;' @SUM(A1);x-y"


@given(st.text(max_size=30))
def test_no_cell_of_a_text_begins_a_formula(text: str) -> None:
    body = as_csv(["a"], [[text]]).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(body))
    assert head == ["a"]
    cell = row[0] if row else ""
    assert not any(part.lstrip().startswith(STARTS) for part in cell.split(";"))


def test_numbers_stay_numbers() -> None:
    assert as_csv(["a"], [[-5]]).decode("utf-8-sig").split() == ["a", "-5"]
