"""Runs of digits and separators: which number they are, and which may be two."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.money import Style, in_ascii_digits, numeral_at, value_of


def values(text: str) -> list[Decimal | None]:
    """The number in each style: unknown, of things, with a decimal point, with a comma."""
    plain = in_ascii_digits(text)
    assert plain is not None
    numeral = numeral_at(plain, 0)
    return [
        value_of(numeral, style) if numeral.end == len(plain) else None
        for style in (Style.UNKNOWN, Style.WHOLE, Style.POINT, Style.COMMA)
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.200,00", "1200"),
        ("1,200.00", "1200"),
        ("1200,5", "1200.5"),
        ("1200.505", "1200.505"),
        ("1 200,00", "1200"),
        ("1'200.00", "1200"),
        ("1.234.567", "1234567"),
        ("1,00,000.5", "100000.5"),
        ("0.500", "0.5"),
        ("١٬٢٠٠٫٥", "1200.5"),
    ],
)
def test_most_numerals_mean_one_number_in_every_style(text: str, number: str) -> None:
    assert values(text) == [Decimal(number)] * 4


@pytest.mark.parametrize(
    ("text", "with_point", "with_comma"), [("1.200", "1.2", "1200"), ("1,200", "1200", "1.2")]
)
def test_one_sign_before_three_digits_means_what_the_style_says(
    text: str, with_point: str, with_comma: str
) -> None:
    assert values(text) == [None, 1200, Decimal(with_point), Decimal(with_comma)]


@pytest.mark.parametrize(
    "text", ["12.5.2024", "1,2,3", "1.000,000,000", "0,000,000", "1'2", "9" * 41]
)
def test_wrongly_grouped_digits_are_not_a_number(text: str) -> None:
    assert values(text) == [None] * 4


def test_raised_digits_are_no_digits() -> None:
    assert in_ascii_digits("10²") is None


@given(
    st.text(alphabet="0123456789.,' ’٫٬", max_size=100).filter(lambda text: text[:1].isdecimal())
)
def test_any_run_is_a_number_or_none(text: str) -> None:
    assert len(values(text)) == 4
