"""Amounts are whole numbers of a currency's smallest unit: of yen, cents and fils alike."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.money import (
    DECIMALS,
    Amount,
    Numbers,
    currency_code,
    smallest_units,
    written_amount,
)


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("5000", "JPY", 5_000),
        ("5000.5", "JPY", 5_001),
        ("12", "EUR", 1_200),
        ("12.345", "EUR", 1_235),
        ("0.30000000000000004", "EUR", 30),
        ("1.234", "KWD", 1_234),
        ("1.0E7", "USD", 1_000_000_000),
        ("999999999999999", "BHD", 999_999_999_999_999_000),
        ("0", "USD", 0),
        ("1E-400", "USD", 0),
    ],
)
def test_an_amount_is_in_the_smallest_unit_of_its_currency(
    amount: str, currency: str, units: int
) -> None:
    assert smallest_units(Decimal(amount), currency) == units
    assert units < 2**63


@pytest.mark.parametrize("amount", ["-0.01", "1E15", "NaN", "sNaN", "Infinity", "1E+999999"])
def test_an_invalid_amount_is_refused(amount: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        smallest_units(Decimal(amount), "EUR")
    assert refusal.value.reason is Reason.VALUE_INVALID


def test_codes_are_those_in_use() -> None:
    assert currency_code(" eur ") == "EUR"
    assert len(DECIMALS) > 150
    for unknown in ("", "EURO", "XXX", "DEM", "€"):
        with pytest.raises(RejectedError) as refusal:
            currency_code(unknown)
        assert refusal.value.reason is Reason.CURRENCY_UNKNOWN


@pytest.mark.parametrize("numbers", ["either", "1,234.56", "1.234,56"])
@pytest.mark.parametrize(
    ("text", "number", "currency"),
    [
        ("1.200,00", "1200", ""),
        ("1,200.00", "1200", ""),
        ("1200,5", "1200.5", ""),
        ("1 200,00 €", "1200", "EUR"),
        ("1\u202f200,00\u00a0€", "1200", "EUR"),
        ("1'200.00", "1200", ""),
        ("CHF 1’200.00", "1200", "CHF"),
        ("1200 eur", "1200", "EUR"),
        ("$12.50", "12.5", ""),
        ("12,00,000", "1200000", ""),
        ("1200.505", "1200.505", ""),
        ("1.0E7", "1E7", ""),
        ("+5", "5", ""),
        ("-5", "-5", ""),
        ("-€5", "-5", "EUR"),
        ("USD -5", "-5", "USD"),
    ],
)
def test_an_unambiguous_amount_is_read(
    numbers: Numbers, text: str, number: str, currency: str
) -> None:
    assert written_amount(text, numbers) == Amount(Decimal(number), currency)


@pytest.mark.parametrize("text", ["1.200", "1,200", "€ 1.200", "1,200 USD"])
def test_an_ambiguous_amount_is_refused_unless_the_settings_decide(text: str) -> None:
    with pytest.raises(RejectedError, match=r"1\.200 is 1\.2 or 1200.*numbers: ") as refusal:
        written_amount(text, "either")
    assert refusal.value.reason is Reason.VALUE_INVALID
    told: set[Numbers] = {"1,234.56", "1.234,56"}
    read = {written_amount(text, numbers).number for numbers in told}
    assert read == {Decimal("1.2"), Decimal(1200)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a lot",
        "€",
        "1 2",
        "12.5.2024",
        "5 apples",
        "5€ EUR",
        "9" * 41,
        "1e",
        "10²",
        "0x10",
        "--5",
    ],
)
def test_a_text_without_an_amount_is_refused(text: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        written_amount(text, "1,234.56")
    assert refusal.value.reason is Reason.VALUE_INVALID


@given(st.integers(0, 10**12))
def test_cents_written_with_any_separators_read_back(cents: int) -> None:
    whole, rest = divmod(cents, 100)
    for group, point in ((",", "."), (".", ","), ("'", "."), (" ", ","), ("", "."), ("", ",")):
        text = f"{whole:,}".replace(",", group) + f"{point}{rest:02}"
        assert smallest_units(written_amount(text, "either").number, "EUR") == cents


@given(st.text(max_size=60))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    with suppress(RejectedError):
        assert written_amount(text, "either").number.is_finite()
