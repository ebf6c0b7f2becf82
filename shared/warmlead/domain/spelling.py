"""Names and addresses in one spelling: composed, and without characters that nobody sees.

They come by copying from pages, mails and spreadsheets. A person who is known with such a
character and without it would be two leads that look the same.
"""

import re
import unicodedata

MAX_TEXT = 500
"""A longer text is no identifier. Whoever spells it looks at this first: composing costs time."""

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
