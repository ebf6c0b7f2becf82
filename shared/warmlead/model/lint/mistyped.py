"""What people write for a value of another type: a yes in quotes, null, a number with its unit.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.vocabulary import ValueType

_TRUE = frozenset({"true", "yes", "1", "on"})
_FALSE = frozenset({"false", "no", "0", "off"})
_EQUALITY = ("==", "!=")
_JOINED = re.compile(r"&&|\|\||[)\]]")
_NOTHING = ("null", "none", "nil", "undefined")


class Mended(NamedTuple):
    """What to write from a place up to the ``last`` token, and why; unpacked where it is used."""

    last: int
    instead: str
    message: str


def mistyped(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """What is meant by the words at a place, if they are a value of another type."""
    ways = (
        _switch,
        _known,
        _in_a_text,
        _of_a_list,
        _of_a_switch,
        _unclosed,
        _colon,
        _without_comma,
    )
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


def _of_a_list(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``tags == "hot"``."""
    name, sign, literal = tokens[i].text, _text(tokens, i + 1), tokens[i + 2 : i + 3]
    if context.types.get(name) is not ValueType.LIST or sign not in (*_EQUALITY, "="):
        return None
    if not literal or literal[0].kind != "string":
        return None
    asked = f"({literal[0].text} in {name})" + (" == false" if sign == "!=" else "")
    return Mended(i + 2, asked, f"`{sign}` does not work on list and string")


def _of_a_switch(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``authority == true`` of a text: whether there is one."""
    name, sign, said = (_text(tokens, i + n) for n in range(3))
    if context.types.get(name) is not ValueType.STRING or (sign, said) != ("==", "true"):
        return None
    return Mended(i + 2, f'{name} != ""', f'"{name}" is a text, and neither true nor false')


def _unclosed(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:  # noqa: ARG001  # one of several ways
    """``country == "US``; the text ends where a clause does."""
    token = tokens[i]
    quote = token.text[:1]
    if token.kind != "string" or quote not in "\"'" or token.text[1:].endswith(quote):
        return None
    found = _JOINED.search(token.text)
    end = found.start() if found else len(token.text)
    said, rest = token.text[1:end].rstrip(), token.text[end:]
    instead = f"{quote}{said}{quote} {rest}".rstrip()
    return Mended(i, instead, "a quotation mark is missing")


def _colon(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``country: "US"``."""
    name, literal = tokens[i].text, tokens[i + 2 : i + 3]
    if name not in context.types or _text(tokens, i + 1) != ":" or _text(tokens, i - 2) == "?":
        return None
    if not literal or literal[0].kind not in ("string", "number"):
        return None
    return Mended(i + 2, f"{name} == {literal[0].text}", "values are compared by ==")


def _without_comma(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:  # noqa: ARG001  # one of several ways
    """``["US" "CA"]``."""
    if tokens[i].kind != "string" or not tokens[i + 1 :] or tokens[i + 1].kind != "string":
        return None
    if _text(tokens, i - 1) not in ("[", ",", "("):
        return None
    instead = f"{tokens[i].text}, {tokens[i + 1].text}"
    return Mended(i + 1, instead, "a comma stands between the values of a list")
