"""What people write for a value of another type: a yes in quotes, null, a number with its unit.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

from collections.abc import Sequence
from typing import NamedTuple

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.vocabulary import ValueType

_TRUE = frozenset({"true", "yes", "1", "on"})
_FALSE = frozenset({"false", "no", "0", "off"})
_EQUALITY = ("==", "!=")
_NOTHING = ("null", "none", "nil", "undefined")
_UNITS = frozenset(
    [
        "point",
        "points",
        "pts",
        "times",
        "visits",
        "views",
        "pages",
        "employees",
        "people",
        "staff",
        "days",
        "day",
        "d",
    ]
)
_COMPARING = ("==", "!=", "<", "<=", ">", ">=")
_AFTER = ("", ")", "&&", "||")


class Mended(NamedTuple):
    """What to write from a place up to the ``last`` token, and why; unpacked where it is used."""

    last: int
    instead: str
    message: str


def mistyped(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """What is meant by the words at a place, if they are a value of another type."""
    ways = (_switch, _known, _in_a_text, _with_unit)
    return next((meant for way in ways if (meant := way(tokens, i, context))), None)


def _text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _switch(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``consent == "yes"``, ``free_mailbox != 0``."""
    sign, plain = _text(tokens, i + 1), _text(tokens, i + 2).strip("\"'").lower()
    if context.types.get(tokens[i].text) is not ValueType.BOOLEAN or sign not in _EQUALITY:
        return None
    if tokens[i + 2 : i + 3] and tokens[i + 2].kind not in ("string", "number"):
        return None
    if plain not in _TRUE | _FALSE:
        return None
    told = f'"{tokens[i].text}" is true or false'
    return Mended(i + 2, f"{tokens[i].text} {sign} {str(plain in _TRUE).lower()}", told)


def _known(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``company != null``: what is not known does not hold, whatever is asked of it."""
    name, sign, nothing = (_text(tokens, i + n) for n in range(3))
    if nothing.lower() not in _NOTHING or sign not in _EQUALITY:
        return None
    known = {ValueType.STRING: f'{name} != ""', ValueType.INTEGER: f"{name} >= 0"}
    asked = known.get(context.types.get(name, ValueType.LIST), "")
    if not asked or sign == "==":
        return None
    return Mended(i + 2, asked, "what is not known is no value: a condition over it does not hold")


def _in_a_text(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``industry in "Software"``."""
    name, literal = tokens[i].text, tokens[i + 2 : i + 3]
    if context.types.get(name) is not ValueType.STRING or _text(tokens, i + 1) != "in":
        return None
    if not literal or literal[0].kind != "string":
        return None
    message = "`in` asks for one of a list, and this is one text"
    return Mended(i + 2, f"{name} == {literal[0].text}", message)


def _with_unit(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:  # noqa: ARG001  # one of several ways
    """``score >= 50 points``."""
    if tokens[i].kind != "number" or _text(tokens, i + 1).lower() not in _UNITS:
        return None
    if _text(tokens, i - 1) not in _COMPARING or _text(tokens, i + 2) not in _AFTER:
        return None
    return Mended(i + 1, tokens[i].text, "a number stands without its unit")
