"""Texts that a spreadsheet would take for formulas."""

import pytest

from cost import measured
from warmlead.parsing.formulas import guarded, unguarded


@pytest.mark.parametrize(
    "text", ["=1+1", " =1+1", "@SUM(A1)", "-2+3", "'=x", "+49 30 / 12a", "－1"]
)
def test_what_could_be_a_formula_is_guarded_and_comes_back(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "Ada", "-5", " -1.5", "+49 (30) 123-45", "- 7", "'Ada'"])
def test_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


def test_a_text_costs_by_its_length() -> None:
    with measured() as spent:
        guarded(" " * 130_000 + "=x")  # a minute, if each blank were looked at from each other one
    assert spent.seconds < 0.05
