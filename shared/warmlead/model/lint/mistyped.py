"""What people write for a value of another type: a yes in quotes, null, a number with its unit.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.lint.synonyms import REGIONS, our_word
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
        *(_of_a_region, _of_ranges, _switch, _known, _in_a_text, _of_a_list, _of_a_switch),
        *(_unclosed, _colon, _without_comma),
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


_SPAN = re.compile(r"(\d{1,9})\s*(?:-|–|to)\s*(\d{1,9})|(\d{1,9})\s*\+", re.ASCII)


def _of_ranges(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``employees == "51-200"``, ``employees in ["51-200", "201+"]``."""
    name, sign, last = tokens[i].text, _text(tokens, i + 1), i + 2
    name = name if name in context.types else our_word(name, context.types)
    if context.types.get(name) not in (ValueType.INTEGER, ValueType.NUMBER):
        return None
    if sign == "in" and _text(tokens, last) in ("[", "("):
        closing = (k for k in range(last, len(tokens)) if tokens[k].text in ("]", ")"))
        last = next(closing, last)
    elif sign not in ("==", "="):
        return None
    said = [
        token.text.strip("\"' ") for token in tokens[i + 2 : last + 1] if token.kind == "string"
    ]
    spans = [found for text in said if (found := _SPAN.fullmatch(text))]
    if not spans or len(spans) < len(said):
        return None
    asked = [f"{name} >= {s[1] or s[3]}" + (f" && {name} <= {s[2]}" if s[2] else "") for s in spans]
    whole = asked[0] if len(asked) == 1 else f"({' || '.join(asked)})"
    return Mended(last, whole, f'"{name}" is a number, and a range is two comparisons')


def _of_a_region(tokens: Sequence[Token], i: int, context: Context) -> Mended | None:
    """``country in EU``, ``country is in DACH``: the countries of a region."""
    n = i + 1 + (_text(tokens, i + 1) == "is")
    n += _text(tokens, n) in ("in", "==", "=")
    codes = REGIONS.get(_text(tokens, n).strip("\"'").upper(), "")
    name = our_word(tokens[i].text, context.types) or tokens[i].text
    if name != "country" or name not in context.types or not codes or n == i + 1:
        return None
    listed = ", ".join(f'"{code}"' for code in codes.split())
    return Mended(n, f"country in [{listed}]", "a country is one, and a region is a list of them")


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
