"""Numbers as people write them in conditions: ``1,000``, ``12,5``, ``$50.000``, ``10k``, ``5 min``.

Asked only of conditions that CEL cannot compile, as the ways of ``slips`` are.
"""

import math
import re
from collections.abc import Mapping, Sequence

from warmlead.model.condition_syntax import Token
from warmlead.model.vocabulary import ValueType

_COMPARING = ("==", "!=", "<", "<=", ">", ">=", "=", "=>", "=<", "≥", "≤")
_WORDS = ("than", "least", "most", "to", "between", "and", "above", "over", "below", "under", "is")
_AFTER = ("", ")", "&&", "||", "and", "or")
_CURRENCIES = ("$", "€", "£", "¥")
_COUNTED = frozenset(
    ["time", "times", "visit", "visits", "view", "views", "page", "pages", "session", "sessions"]
)
_COUNTED |= {"days", "day", "d"}
_UNITS = frozenset(
    (
        *_COUNTED,
        *("point", "points", "pts", "seats", "employees", "people", "staff", "users", "percent"),
        *("eur", "euro", "euros", "usd", "gbp", "chf", "dollar", "dollars", "pounds"),
        *_CURRENCIES,
        "%",
    )
)
_THOUSANDS = {
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "k": 1_000,
    "tsd": 1_000,
    "m": 1_000_000,
    "mio": 1_000_000,
    "mn": 1_000_000,
}
_SPANS = {"s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "mins": 60}
_SPANS |= {"minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600}
_TIMES = ("seconds", "duration", "time_on_page")
_LONGEST = 12
"""How many words and signs an amount has at most."""

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:([,.'_ ])\d{3}(?!\d))(?:\1\d{3}(?!\d))*", re.ASCII)
_DECIMALS = re.compile(r"(\d+)[.,](\d+)", re.ASCII)


def amount(
    text: str, tokens: Sequence[Token], i: int, types: Mapping[str, ValueType]
) -> tuple[int, str]:
    """How many words a number with signs, separators or a unit has, and the number as CEL reads it.

    0 if no number is written otherwise there. ``types`` are those of the names.
    """
    before = _text(tokens, i - 1).lower()
    n = i + (_text(tokens, i) in _CURRENCIES)
    if before not in (*_COMPARING, *_WORDS) or n >= len(tokens) or tokens[n].kind != "number":
        return 0, ""
    last = n
    while last + 1 < min(len(tokens), n + _LONGEST) and _goes_on(tokens, last + 1):
        last += 1
    subject = _subject(tokens, i)
    is_time = subject.rpartition(".")[2] in _TIMES
    times, units = _unit(tokens, last + 1, is_time=is_time)
    if _text(tokens, last + 1 + units).lower() not in _AFTER:
        times, units = 1, 0
    elif units == 1 and before in _WORDS and _text(tokens, last + 1).lower() in _COUNTED:
        units = 0
    digits = text[tokens[n].at : tokens[last].end]
    number = (_clock(digits) if is_time else "") or _read(digits, types.get(subject), times, before)
    end = last + units
    written = text[tokens[i].at : tokens[end].end]
    is_plain = written.isdigit() or not number or number == written
    return (0, "") if is_plain else (end + 1 - i, number)


def _subject(tokens: Sequence[Token], i: int) -> str:
    """The name with which the number at a place is compared; empty if none is near."""
    names = (t.text for t in reversed(tokens[max(0, i - _LONGEST) : i]) if t.kind == "name")
    return next((name for name in names if name.lower() not in _WORDS), "")


def _text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _goes_on(tokens: Sequence[Token], n: int) -> bool:
    """Whether a number goes on with that word: it touches the one before, and has digits in it."""
    if tokens[n].at != tokens[n - 1].end:
        return False
    is_mark = tokens[n].text in (",", ":", "'") and n + 1 < len(tokens)
    after = tokens[n + 1] if is_mark else tokens[n]
    if is_mark and (after.kind != "number" or after.at != tokens[n].end):
        return False
    return bool(re.fullmatch(r"[\d.,:'_]+(?:e\d+)?", tokens[n].text, re.ASCII | re.IGNORECASE))


def _unit(tokens: Sequence[Token], n: int, *, is_time: bool) -> tuple[int, int]:
    """How many times the number a unit is, and of how many words it is made."""
    word = _text(tokens, n).lower()
    if is_time and word in _SPANS:
        return _SPANS[word], 1
    if word in _THOUSANDS:
        return _THOUSANDS[word], 1 + (_text(tokens, n + 1).lower() in _UNITS)
    if word not in _UNITS:
        return 1, 0
    return 1, 1 + (_text(tokens, n + 1).lower() == "ago")


def _clock(digits: str) -> str:
    """The seconds of ``1:30``; else empty."""
    found = _CLOCK.fullmatch(digits)
    return str(int(found[1]) * 60 + int(found[2])) if found else ""


def _read(digits: str, type_: ValueType | None, times: int, sign: str) -> str:
    """The number as CEL reads it, of the type that it is compared with; empty if it is none."""
    if _GROUPED.fullmatch(digits) and not (type_ is ValueType.NUMBER and "." in digits):
        digits = re.sub(r"\D", "", digits)
    elif found := _DECIMALS.fullmatch(digits):
        digits = f"{found[1]}.{found[2]}"
    try:
        number = float(digits.replace("_", "")) * times
    except ValueError:
        return ""
    if type_ is ValueType.NUMBER:
        return f"{number:.10g}" if "." in f"{number:.10g}" else f"{number:.0f}.0"
    return str(math.ceil(number) if sign in (">=", "<") else math.floor(number))
