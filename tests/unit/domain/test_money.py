"""Amounts are whole numbers of a currency's smallest unit: of yen, cents and fils alike."""

from decimal import Decimal

import pytest

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.money import DECIMALS, currency_code, smallest_units


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
def test_what_is_no_amount_is_refused(amount: str) -> None:
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
