"""The form in which names are compared, whatever their script, case and spelling."""

import unicodedata

from warmlead.domain.letters import PLAIN

_PLAIN = str.maketrans(dict(PLAIN))


def key_of(name: str) -> str:
    """A name without case, accents, blanks and signs. The caller has looked at its length."""
    if name.isascii():
        return "".join(filter(str.isalnum, name.lower()))
    apart = unicodedata.normalize("NFKD", name.casefold()).translate(_PLAIN)
    return "".join(c for c in apart if c.isalnum() or _is_vowel(c))


def _is_vowel(letter: str) -> bool:
    """Vowel signs of Indic scripts tell names apart; accents do not."""
    return not unicodedata.combining(letter) and unicodedata.category(letter) in ("Mn", "Mc")
