"""The number that a person wrote: ``10k``, ``1.001-5.000``, ``> 500``, ``ca. 250 Mitarbeiter``.

One scan from left to right makes a shape of the text, such as ``n-n``; the shape decides.
What fits no shape is unknown. A lower bound counts as the number.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from warmlead.domain.letters import PLAIN
from warmlead.domain.numerals import Style, in_ascii_digits, numeral_at, value_of
from warmlead.model.number_words import LABELS, LONGEST, PHRASES, SCALES, Part

MAX_TEXT = 100
"""A longer text is no number. This is looked at before anything else."""

_MAX_PARTS = 8
_LOWER = frozenset({"n", "n+", "gn", "gn+", "n-n", "gn-n", "nln", "bn&n", "bn-n", "gn&n"})
_UPPER = frozenset({"<n", "n<", "ln", "-n", "n_", "ln_"})
_DASHES = "-‐‑‒–—―−"
_MINUS = "-−"
_PLAIN = str.maketrans(dict(PLAIN))
_NO_RANGE = frozenset({*_DASHES, "~", "〜", "a"})
"""Before a number: a dash behind a label, ``~200``, an article."""


class _Item(NamedTuple):
    """A part of the text; ``value`` is a number's, ``unscaled`` the one before its ``k``."""

    part: Part
    value: Decimal = Decimal(0)
    unscaled: Decimal = Decimal(0)


def written_number(text: str, *, whole: bool) -> Decimal | None:
    """The number that the text states, or the lower bound of what it states; else ``None``.

    ``whole`` says that things are counted: ``1.200`` is 1200, ``> 500`` is 501, and ``< 10`` at
    least 1. Otherwise ``1.200`` may be two numbers, and such bounds are none: all are unknown.
    """
    if len(text) > MAX_TEXT:
        return None
    plain = in_ascii_digits(text.strip())
    if plain is None or len(plain) > MAX_TEXT:
        return None
    return _without_label(_folded(plain, whole=whole), whole=whole)


def _folded(text: str, *, whole: bool) -> str:
    """Lower case, no accents, single blanks. ``text`` has been held to its limit."""
    text = " ".join(_spaced(text.replace("’", "'"), whole=whole).casefold().split())
    if text.isascii():
        return text
    # Hangul syllables and ``й`` come apart as well: what is not Latin is put together again.
    kept, is_latin = [], False
    for letter in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(letter):
            is_latin = letter.isascii()
        elif is_latin:
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_PLAIN)


def _spaced(text: str, *, whole: bool) -> str:
    """``SIZE_51_TO_200`` with blanks, and the option ``51_200`` of counts as the range it is.

    What goes on with a zero behind ``_`` is no upper bound: ``10_000`` keeps it, and is no number.
    """
    pieces = text.split("_")
    for at, piece in enumerate(pieces[1:], 1):
        is_between = pieces[at - 1][-1:].isdecimal() and piece[:1].isdecimal()
        mark = " " if not is_between else "-" if whole and piece[0] != "0" else "_"
        pieces[at] = mark + piece
    return "".join(pieces)


def _without_label(text: str, *, whole: bool) -> Decimal | None:
    """``SMB (50-200)`` is what stands in its brackets, and ``50-200 (SMB)`` what stands before."""
    before, opened, rest = text.partition("(")
    if not opened:
        return _stated(text, whole=whole)
    inner, _, after = rest.partition(")")
    if after.strip():  # salarié(e)s
        return _stated(before + inner + after, whole=whole)
    if _has_digit(before):
        return None if _has_digit(inner) else _stated(before, whole=whole)
    inside, alone = _stated(inner, whole=whole), _stated(before, whole=whole)
    return inside if alone in (None, inside) else None


def _has_digit(text: str) -> bool:
    return any(letter.isdecimal() for letter in text)


def _stated(text: str, *, whole: bool) -> Decimal | None:
    style = Style.WHOLE if whole else Style.DECIMAL
    items: list[_Item] = []
    for item in _items(text, style):
        if item is None or len(items) == _MAX_PARTS:
            return None
        items.append(item)
    shape = "".join(item.part.value for item in items)
    numbers = [item for item in items if item.part is Part.NUMBER]
    if shape in _LOWER and _is_rising(numbers):
        return _lower(numbers)
    if not whole:
        return None
    return _bounded(shape, numbers)


def _bounded(shape: str, numbers: Sequence[_Item]) -> Decimal | None:
    """What is only bounded, of things that are counted: at least one is there."""
    if shape in {">n", "n>"}:
        return Decimal(math.floor(numbers[0].value) + 1)
    if shape in _UPPER:
        most = math.ceil(numbers[0].value) - 1 if Part.BELOW.value in shape else numbers[0].value
        return min(Decimal(1), Decimal(math.floor(most)))
    if shape in {"1", "n1", "1n"} and all(number.value == 1 for number in numbers):
        return Decimal(1)
    return None


def _is_rising(numbers: Sequence[_Item]) -> bool:
    return len(numbers) == 1 or numbers[0].value < numbers[1].value


def _lower(numbers: Sequence[_Item]) -> Decimal:
    """The first number. In ``1-5k`` what stands behind the second counts for both."""
    first, last = numbers[0], numbers[-1]
    unscaled = first.value == first.unscaled
    if unscaled and last.value != last.unscaled and first.value < last.unscaled:
        return first.value * (last.value / last.unscaled)
    return first.value


def _items(text: str, style: Style) -> Iterator[_Item | None]:
    """The parts that mean something; ``None`` for what cannot be understood."""
    at, numbers = 0, 0
    while at < len(text):
        letter = text[at]
        if letter == " " or unicodedata.category(letter) == "Sc":
            at += 1
        elif letter.isdecimal() or _is_signed(text, at):
            found, at = _number(text, at, style)
            numbers += 1
            yield found
        else:
            phrase = _phrase_at(text, at)
            yield from _meaning(phrase, at, is_before=numbers == 0)
            at += len(phrase) or 1


def _is_signed(text: str, at: int) -> bool:
    return at == 0 and text[at] in _MINUS + "+" and text[1:2].isdecimal()


def _number(text: str, at: int, style: Style) -> tuple[_Item | None, int]:
    sign = -1 if text[at] in _MINUS else 1
    numeral = numeral_at(text, at if text[at].isdecimal() else at + 1)
    value = value_of(numeral, style)
    word = _word_at(text, numeral.end, SCALES)
    factor = SCALES.get(word.strip(), Decimal(1))
    if factor != 1:  # 1.200k is 1,200 or 1,200,000
        value = value_of(numeral, Style.UNKNOWN)
    if value is None:
        return None, numeral.end + len(word)
    value *= sign
    return _Item(Part.NUMBER, value * factor, value), numeral.end + len(word)


def _meaning(phrase: str, at: int, *, is_before: bool) -> Iterator[_Item | None]:
    """What a phrase says; ``is_before`` tells that no number has come yet."""
    part = PHRASES.get(phrase)
    if part is None:
        if phrase not in LABELS or not is_before:
            yield None
    elif part is Part.TO and is_before and phrase in _NO_RANGE:
        if at == 0 and phrase in _DASHES:
            yield None  # "- 5" may be five less than nothing
    elif part is not Part.UNIT:
        yield _Item(part)


def _phrase_at(text: str, at: int) -> str:
    return _word_at(text, at, PHRASES) or _word_at(text, at, LABELS)


def _word_at(text: str, at: int, known: object) -> str:
    """The longest known phrase that begins here, with a blank before it, and ends here too."""
    start = at + (text[at : at + 1] == " ")
    for end in range(min(len(text), start + LONGEST), start, -1):
        phrase = text[start:end]
        if phrase in known and _ends(text, end):  # type: ignore[operator]  # a set or a mapping
            return text[at:end]
    return ""


def _ends(text: str, end: int) -> bool:
    """Whether a word may end here. Scripts without blanks have no ends of words."""
    return not (
        text[end - 1].isalpha() and text[end : end + 1].isalpha() and text[end - 1] < "\u0e00"
    )
