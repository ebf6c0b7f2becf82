"""Text in one spelling, without the characters that steer a terminal, a page or a reader's eye."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

_Scalar: TypeAlias = str | int | float | bool | None
_Value: TypeAlias = _Scalar | list[_Scalar]

_NONCHARACTERS = "".join(chr((plane << 16) + low) for plane in range(17) for low in (65534, 65535))
_FORMATS = (
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"  # directions, annotations
    f"\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}\U000e0000-\U000e007f"
)
_REMOVED = f"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f{_FORMATS}"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")

_UNWANTED = re.compile(f"[{_REMOVED}]+")
_UNWANTED_BUT_FLAGS = re.compile(f"({_FLAGS})|[{_REMOVED}]+")

UNPRINTABLE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_FORMATS}]")
"""A character that no single line of text may have."""


def printable(text: str) -> str:
    """The text without what may not leave; other ends of lines than line feeds become such."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text  # nearly every text: found out in a hundredth of the time
    for line_end in _LINE_ENDS:
        text = text.replace(line_end, "\n")
    if "\U0001f3f4" in text:
        return _UNWANTED_BUT_FLAGS.sub(r"\1", text)
    return _UNWANTED.sub("", text)  # in half the time


def one_line(text: str) -> str:
    """The same on one line: each run of white space is a space."""
    return text if text.isprintable() else " ".join(printable(text).split())


def cleaned(fields: Mapping[str, _Value]) -> dict[str, _Value]:
    """Fields by name, their texts ``printable``; one of which nothing is left is left out."""
    kept: dict[str, _Value] = {}
    for name, value in fields.items():
        if isinstance(value, list):
            kept[name] = [printable(one) if isinstance(one, str) else one for one in value]
        elif not isinstance(value, str) or value.isprintable():
            kept[name] = value
        elif text := printable(value):
            kept[name] = text
    return kept


def swept(value: object) -> object:
    """A value of JSON, its texts ``printable``, and so the names of its fields."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {swept(name): swept(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [swept(inner) for inner in value]
    return value


MAX_TEXT = 500
"""A longer text is not an identifier.

The length is checked before normalizing, which costs time.
"""

_INVISIBLE = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]+"
)
"""Unicode's Default_Ignorable_Code_Point without the two joiners, and U+FFF9 to U+FFFB.

https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
"""

_WITHIN_WORDS = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))

_OF_OTHER_WIDTH = re.compile("[\u3000\uff01-\uffee]")
"""The only characters that Unicode has in another width."""

_JOINERS = "\u200c\u200d"
_MOST_JOINERS = 8  # of a name; to look at each costs time


def visible(text: str) -> str:
    """The text without what separates, joins or hyphenates words and is never seen.

    What chooses between forms of a letter or an emoji stays.
    """
    return text if text.isascii() else text.translate(_WITHIN_WORDS)


def in_one_spelling(text: str) -> str:
    """The text in Unicode's form C, without invisible characters.

    A joiner stays where it changes how a word is written (IDNA 2008, RFC 5892 appendix A.1 and
    A.2), as in Persian; anywhere else it goes.
    """
    if text.isascii():
        return text
    seen = _INVISIBLE.sub("", text)
    joiners = sum(map(seen.count, _JOINERS))
    if joiners:
        may_join = joiners <= _MOST_JOINERS
        seen = "".join(
            letter
            for place, letter in enumerate(seen)
            if letter not in _JOINERS or (may_join and _joins(seen, place))
        )
    return unicodedata.normalize("NFC", seen)


def _joins(text: str, place: int) -> bool:
    from idna import valid_contextj  # noqa: PLC0415  # few texts have a joiner; 13 ms of a cold start

    try:
        return valid_contextj(text, place)
    except ValueError:  # the letter before it is in no table
        return False


def in_usual_width(text: str) -> str:
    """The text with full-width and half-width letters as the usual ones: ``ａ＠ｂ`` is ``a@b``.

    The width mapping of PRECIS, the IETF's rules for user names (RFC 8265, section 3.3).
    """
    return text if text.isascii() else _OF_OTHER_WIDTH.sub(_in_usual_width, text)


def _in_usual_width(letter: re.Match[str]) -> str:
    width, _, usual = unicodedata.decomposition(letter[0]).partition(" ")
    return chr(int(usual, 16)) if width in ("<wide>", "<narrow>") else letter[0]


PLAIN = MappingProxyType(
    {
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "ĸ": "k",
        "ə": "e",
        "ɛ": "e",
        "ɔ": "o",
        "ɖ": "d",
        "ƒ": "f",
        "ɓ": "b",
        "ɗ": "d",
        "ƙ": "k",
        "ƴ": "y",
        "ʼ": "'",
        "ß": "ss",
        "ẞ": "ss",
    }
)
"""Small letters that Unicode does not take apart, as they are written where a keyboard lacks them.

After the Latin letters of CLDR's ``Latin-ASCII``. ``Ø`` is a small ``ø`` first.
"""


def without_marks(letter: str) -> str:
    """A small letter without its accents; nothing of a mark that stands by itself.

    For one letter at a time: a whole text takes quadratic time to decompose, because its marks
    are put in order.
    """
    apart = unicodedata.normalize("NFKD", letter)
    return "".join(PLAIN.get(part, part) for part in apart if not unicodedata.combining(part))
