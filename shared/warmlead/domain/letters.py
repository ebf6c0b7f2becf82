"""Letters without their accents, so that words compare in whichever spelling they come."""

import unicodedata
from types import MappingProxyType

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
