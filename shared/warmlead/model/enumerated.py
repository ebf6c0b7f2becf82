"""Words compared as words: ``eBook``, ``e-book`` and ``E Book`` are one kind of content.

Concerns only properties and traits that hold one of a few words, never paths, titles or texts.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from warmlead.model.clauses import Token, compared_with
from warmlead.model.vocabulary import ENUMERATED

MAX_WORD = 100
"""A longer text is none of a few words, and is compared as it is."""

_BETWEEN = str.maketrans(dict.fromkeys(" \t\n\u00a0\u202f-‐‑–_"))
_CONTENTS = {
    "whitepaper": "whitepapers livreblanc libroblanco librobianco weissbuch",
    "ebook": "ebooks electronicbook",
    "casestudy": "casestudies customerstory successstory fallstudie etudedecas casodeestudio",
    "guide": "guides howto howtoguide leitfaden ratgeber",
    "checklist": "checklists checkliste",
    "report": "reports",
}
_INTERVALS = {
    "month": "monthly months",
    "year": "yearly annual annually years",
    "quarter": "quarterly",
    "week": "weekly",
}


def _by_synonym(words: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({other: word for word, text in words.items() for other in text.split()})


_SYNONYMS = MappingProxyType({"kind": _by_synonym(_CONTENTS), "interval": _by_synonym(_INTERVALS)})


def word_of(name: str, text: str) -> str | None:
    """What is compared of a value of ``name``: no case, no blanks, hyphens or underscores.

    ``None`` for a text beyond the limit, which is looked at first.
    """
    if len(text) > MAX_WORD:
        return None
    word = text.casefold().translate(_BETWEEN)
    if not word.isascii():
        apart = unicodedata.normalize("NFD", word)
        word = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _SYNONYMS.get(name, {}).get(word, word)


class Spellings:
    """How a condition writes the words with which it compares one name.

    A value that is the same word is taken as the condition writes it, so that it may say
    ``"case study"`` or ``case_study`` as it likes. Any other value stays as it was sent.
    """

    __slots__ = ("_as_written", "_name", "_written")

    def __init__(self, name: str, literals: Iterable[str]) -> None:
        self._name = name
        self._written = frozenset(literals)
        self._as_written = {word_of(name, literal): literal for literal in sorted(self._written)}

    def __call__(self, value: object) -> object:
        """The value as the condition writes it."""
        if not isinstance(value, str) or value in self._written:
            return value
        word = word_of(self._name, value)
        return value if word is None else self._as_written.get(word, value)


def spellings_of(text: str, names: Iterable[str]) -> dict[str, Spellings]:
    """The spellings of a condition, for each enumerated name that it compares with words."""
    found = {
        name: [literal for token in compared_with(name, text) if (literal := _plain(token))]
        for name in names
        if name in ENUMERATED
    }
    return {name: Spellings(name, literals) for name, literals in found.items() if literals}


def _plain(token: Token) -> str:
    """The text of a literal; empty for one with escapes, which is compared as it is."""
    text = token.text
    return text[1:-1] if text[0] in "\"'" and text[1:2] != text[0] and "\\" not in text else ""
