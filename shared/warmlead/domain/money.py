"""Numbers as people write them, and amounts of money in a currency's smallest unit."""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError

MAX_NUMERAL = 40
"""Longer runs of digits are not a quantity. Callers cut their text before."""

GROUPING = " '’`٬"
"""Separate thousands and nothing else. The Arabic ``٬`` is one of them."""
DECIMAL_ONLY = "٫"
"""The Arabic decimal separator."""
_POINTS = ".,"
_SEPARATORS = GROUPING + DECIMAL_ONLY + _POINTS
_THOUSAND = 3


class Style(Enum):
    """What ``1.200`` and ``1,200`` mean: the one sign before exactly three digits."""

    UNKNOWN = "unknown"
    """Two readings are possible, so it is not a number."""
    WHOLE = "whole"
    """The number counts things, so the sign separates thousands."""
    DECIMAL = "decimal"
    """A decimal number: ``1,200`` separates thousands, as hardly anybody writes three decimals
    behind a comma; ``1.200`` may come from a program that does behind a point, and is none."""
    POINT = "1,234.56"
    COMMA = "1.234,56"


class Numeral(Struct, frozen=True):
    """A run of digits and separators, and where it ends in its text."""

    groups: tuple[str, ...]
    signs: tuple[str, ...]
    end: int


def in_ascii_digits(text: str) -> str | None:
    """The text with digits of any script as ``0`` to ``9``, and each kind of blank as one space.

    ``None`` where digits stand raised or lowered: ``10²`` is not 102.
    """
    if text.isascii():
        return text
    if any(letter.isdigit() and not letter.isdecimal() for letter in text):
        return None
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)


def numeral_at(text: str, start: int) -> Numeral:
    """The longest numeral that begins at ``start``, where a digit stands."""
    groups: list[str] = []
    signs: list[str] = []
    at = start
    while True:
        end = at
        while end < len(text) and text[end].isdecimal():
            end += 1
        groups.append(text[at:end])
        if not _goes_on(text, end):
            return Numeral(tuple(groups), tuple(signs), end)
        signs.append(text[end])
        at = end + 1


def _goes_on(text: str, end: int) -> bool:
    """Whether a separator stands here, and digits behind it; behind a blank exactly three."""
    if text[end : end + 1] not in _SEPARATORS or not text[end + 1 : end + 2].isdecimal():
        return False
    following = text[end + 1 : end + 5]
    return text[end] != " " or (
        following[:_THOUSAND].isdecimal()
        and len(following[:_THOUSAND]) == _THOUSAND
        and not following[_THOUSAND:].isdecimal()
    )


def value_of(numeral: Numeral, style: Style) -> Decimal | None:
    """The number; ``None`` if the digits are grouped like no number, or may mean two."""
    groups, signs = numeral.groups, numeral.signs
    if sum(map(len, groups)) > MAX_NUMERAL:
        return None
    if not signs:
        return Decimal(groups[0])
    last, before = signs[-1], signs[:-1]
    if last in before or last in GROUPING:
        return _whole(groups, signs)
    if before:  # another sign than those before it: the decimal one
        whole = _whole(groups[:-1], before)
        return None if whole is None else Decimal(f"{whole}.{groups[-1]}")
    return _one_sign(groups, last, style)


def _one_sign(groups: tuple[str, ...], sign: str, style: Style) -> Decimal | None:
    fraction = Decimal(".".join(groups))
    if sign == DECIMAL_ONLY or _whole(groups, (sign,)) is None:
        return fraction  # 1200,5 and 12.50 mean one number in any style
    if style is Style.UNKNOWN or (style is Style.DECIMAL and sign == "."):
        return None
    decimal = {Style.POINT: ".", Style.COMMA: ","}.get(style)
    return fraction if sign == decimal else Decimal("".join(groups))


def _whole(groups: tuple[str, ...], signs: tuple[str, ...]) -> Decimal | None:
    """Groups of three digits; in India, only the last one, and pairs before it."""
    first, middle, last = groups[0], groups[1:-1], groups[-1]
    if len(groups) == 1:
        return Decimal(first)
    alike = len(set(signs)) == 1 and signs[0] != DECIMAL_ONLY
    size = len(middle[0]) if middle else _THOUSAND
    even = size in (2, _THOUSAND) and all(len(group) == size for group in middle)
    begun = 1 <= len(first) <= size and not first.startswith("0")
    if not (alike and even and begun and len(last) == _THOUSAND):
        return None
    return Decimal("".join(groups))


_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS = MappingProxyType(
    {
        code: decimals
        for decimals, codes in ((2, _TWO), (0, _NONE), (3, _THREE))
        for code in codes.split()
    }
)
"""The currencies in use (ISO 4217), and how many decimals an amount in each has."""

MAX_DIGITS = 15
"""An amount has fewer digits before its point than this: a slip of the hand has more."""


MAX_AMOUNT_TEXT = 40
"""A longer text is not an amount. The length is checked first."""

Numbers: TypeAlias = Literal["1,234.56", "1.234,56", "either"]
"""How a sender writes numbers in texts. With ``either``, ``1.200`` may be two, and is refused."""

_STYLES: dict[str, Style] = {
    "1,234.56": Style.POINT,
    "1.234,56": Style.COMMA,
    "either": Style.UNKNOWN,
}
_PLAIN = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?[eE][+-]?[0-9]{1,3}", re.ASCII)
_SIGNS = MappingProxyType(
    {"€": "EUR", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS"}
    | {"₫": "VND", "₦": "NGN", "₱": "PHP", "฿": "THB", "₸": "KZT"}
)
"""The signs that belong to one currency. ``$``, ``£`` and ``¥`` belong to several."""


class Amount(Struct, frozen=True):
    """A number, and the code of the currency that stands beside it; empty where none does."""

    number: Decimal
    currency: str = ""


def written_amount(text: str, numbers: Numbers) -> Amount:
    """The amount that a text states: ``1.200,00 €``, ``EUR 1,200.00``, ``1 200``, ``1.0E7``.

    Raises ``RejectedError`` if the text is not an amount, or has two readings.
    """
    plain = in_ascii_digits(text.strip()) if len(text) <= MAX_AMOUNT_TEXT else None
    if plain is None:
        raise RejectedError(Reason.VALUE_INVALID, "The value is not a number.")
    if _PLAIN.fullmatch(plain):
        return Amount(Decimal(plain))
    before, digits, after = _around(plain)
    minus, before = _unsigned(before.strip())
    currency = _beside(before, after)
    if not digits or currency is None:
        raise RejectedError(Reason.VALUE_INVALID, "The value is not a number.")
    number = _number(digits, numbers)
    return Amount(-number if minus else number, currency)


def _around(text: str) -> tuple[str, str, str]:
    """What stands before the digits, the digits with their separators, and what stands after."""
    start = next((at for at, letter in enumerate(text) if letter.isdecimal()), None)
    if start is None:
        return text, "", ""
    end = numeral_at(text, start).end
    return text[:start], text[start:end], text[end:].strip()


def _unsigned(before: str) -> tuple[bool, str]:
    """Whether a minus stands before the digits, and what stands there besides."""
    for at in (0, -1):
        if before and before[at] in "+-−":
            rest = before[1:] if at == 0 else before[:-1]
            return before[at] != "+", rest.strip()
    return False, before


def _beside(before: str, after: str) -> str | None:
    """The currency that is named before or after the digits; ``None`` if anything else is."""
    if before and after:
        return None
    named = before or after
    if len(named) == 1 and unicodedata.category(named) == "Sc":
        return _SIGNS.get(named, "")
    return named.upper() if not named or named.upper() in DECIMALS else None


def _number(digits: str, numbers: Numbers) -> Decimal:
    numeral = numeral_at(digits, 0)
    number = value_of(numeral, _STYLES[numbers])
    if number is not None:
        return number
    if value_of(numeral, Style.WHOLE) is not None:
        message = (
            "The value may be two numbers: 1.200 is 1.2 or 1200. Send it as a JSON number or as "
            'text with two decimals (1200.00), or state numbers: "1.234,56" in the sales file.'
        )
        raise RejectedError(Reason.VALUE_INVALID, message)
    raise RejectedError(Reason.VALUE_INVALID, "The value is not a number.")


def currency_code(text: str) -> str:
    """The code of a currency, in capitals; raises ``RejectedError`` unless it is one in use."""
    code = text.strip().upper()
    if code not in DECIMALS:
        raise RejectedError(
            Reason.CURRENCY_UNKNOWN, "The currency is not a code of ISO 4217, such as EUR."
        )
    return code


def smallest_units(amount: Decimal, currency: str) -> int:
    """An amount in cents (yen, fils); finer amounts are rounded, halves away from zero.

    Raises ``RejectedError`` if it is negative, not a number, or absurdly large.
    """
    if not amount.is_finite() or amount < 0 or amount.adjusted() >= MAX_DIGITS:
        raise RejectedError(
            Reason.VALUE_INVALID, f"A value is a number from 0, of {MAX_DIGITS} digits at most."
        )
    if amount.adjusted() < -MAX_DIGITS:
        return 0
    one = Decimal(1).scaleb(-DECIMALS[currency])
    return int(amount.quantize(one, ROUND_HALF_UP).scaleb(DECIMALS[currency]))
