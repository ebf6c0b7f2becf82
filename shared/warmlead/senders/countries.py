"""Countries by name, so that a condition can say ``country == "US"`` for any spelling in a form.

Names in the languages of Unicode's CLDR, from the file beside this one (`make countries`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from warmlead.domain.country_codes import CODES
from warmlead.senders.labels import key_of

DATA = Path(__file__).with_name("country_names.txt")
"""A line is the key of a name, a tab and the country's code, in the order of bytes."""

MAX_TEXT = 100
"""The longest text, in characters, that is looked up as a country."""

ABBREVIATED = MappingProxyType({"UK": "GB", "EL": "GR", "VS": "US", "VK": "GB"})
"""Two letters that mean a country but are not its code: the European Union's, and Dutch ones."""

_CODE_LENGTH = 2
_LOCALE = re.compile(r"[a-z]{2,3}[-_](?:[A-Z][a-z]{3}[-_])?([A-Z]{2})")
_SHORT_NAMES = MappingProxyType(
    {"mỹ": "US", "úc": "AU", "áo": "AT", "ý": "IT", "bỉ": "BE", "čr": "CZ"}
)
"""Names that would be another country's code without their accents."""

_FLAG = range(0x1F1E6, 0x1F1E6 + 26)
_TAG = range(0xE0061, 0xE0061 + 26)  # of the flags of England, Scotland and Wales
_BLACK_FLAG = 0x1F3F4
_BORDERS = str.maketrans(dict.fromkeys("()[]{}/|,;:-–—·", ","))
_ARTICLES = frozenset(
    {"the", "die", "der", "das", "la", "le", "les", "l", "el", "los", "las", "il", "lo", "gli"}
    | {"o", "os", "as", "de", "het"}
)


def country_code(text: str) -> str | None:
    """The two-letter code of a country, from its name or its code; ``None`` if it is unknown.

    Codes are those of ISO 3166-1, with two letters, three letters or three digits. In ``DE -
    Germany``, ``United States (US)`` and ``Germany 🇩🇪`` all parts have to mean the same country. A
    locale such as ``pt-BR`` or ``en_US`` means the country of its region.
    """
    if len(text) > MAX_TEXT:
        return None
    plain = text.strip().replace(".", "")
    if len(plain) <= _CODE_LENGTH and plain.isalpha():
        return _of_letters(plain)
    if locale := _LOCALE.fullmatch(plain):
        return _of_letters(locale[1])
    return _found(text)


def _of_letters(plain: str) -> str | None:
    """The country of one or two letters: of a code, or of a name as short as one."""
    composed = unicodedata.normalize("NFKC", plain)
    if not composed.isascii():
        return _SHORT_NAMES.get(composed.lower()) or _looked_up(key_of(composed))
    code = composed.upper()
    return code if code in CODES else ABBREVIATED.get(code)


@lru_cache(maxsize=1024)
def _found(text: str) -> str | None:
    plain = _with_letters_for_flags(text)
    return _named(plain) or _agreed(plain)


def _named(text: str) -> str | None:
    """The country of a whole name, with or without an article."""
    key = key_of(text)
    plain = text.strip().replace(".", "")
    if len(key) <= _CODE_LENGTH and key.isascii():  # N/A is not Namibia
        return _of_letters(plain) if len(plain) <= _CODE_LENGTH and plain.isalpha() else None
    if code := _looked_up(key):
        return code
    first, _, rest = text.strip().replace("'", " ").replace("’", " ").partition(" ")
    return _looked_up(key_of(rest)) if first.lower() in _ARTICLES else None


def _agreed(text: str) -> str | None:
    """The country that every part of the text names, besides a prefix for telephones."""
    parts = [part.strip() for part in text.translate(_BORDERS).split(",")]
    named = {_named(part) for part in parts if key_of(part) and not part.startswith("+")}
    return named.pop() if len(named) == 1 else None


def _looked_up(key: str) -> str | None:
    """Halves the file until the line is found: 15 steps, and nothing to build at a cold start."""
    wanted, names = key.encode(), _names()
    low, high = 0, len(names)
    while low < high:
        start = names.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = names.index(b"\n", start)
        found, _, code = names[start:end].partition(b"\t")
        if found == wanted:
            return code.decode()
        low, high = (end + 1, high) if found < wanted else (low, start)
    return None


@cache
def _names() -> bytes:
    """The file as it is, 0.7 MB, read when the first name comes."""
    return DATA.read_bytes()


def _with_letters_for_flags(text: str) -> str:
    return text if text.isascii() else "".join(_letters(text))


def _letters(text: str) -> Iterator[str]:
    """Flags as the letters of which they are made, apart from the rest of the text."""
    inside = 0
    for letter in text:
        point = ord(letter)
        if point in _FLAG:
            inside += 1
            yield ("," if inside % 2 else "") + chr(ord("a") + point - _FLAG.start)
            yield "" if inside % 2 else ","
        elif point in _TAG:
            yield chr(ord("a") + point - _TAG.start)
        else:
            yield "," if point == _BLACK_FLAG else letter
