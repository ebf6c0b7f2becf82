"""Numbers as people write them: ``1,200``, ``1.200,50``, ``1'200``, ``1,00,000``, ``１２００``.

One scan from left to right. What can mean two numbers is told apart only by the caller.
"""

import unicodedata
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

MAX_NUMERAL = 40
"""Longer runs of digits are no quantity. A caller cuts its text before it asks."""

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
    """Two numbers are possible, so it is none."""
    WHOLE = "whole"
    """The number counts things, so the sign separates thousands."""
    DECIMAL = "decimal"
    """A decimal number: ``1,200`` separates thousands, as hardly anybody writes three decimals
    behind a comma; ``1.200`` may come from a program that does behind a point, and is none."""
    POINT = "1,234.56"
    COMMA = "1.234,56"


class Numeral(NamedTuple):
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
        return fraction  # 1200,5 and 12.50 mean one number, whatever the style
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
