"""Values as senders write them, turned into values of a declared type and words of a model.

What cannot be turned is unknown, never an error: a condition over it does not hold.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from warmlead.domain.consent_fields import answer
from warmlead.domain.country_codes import CODES
from warmlead.domain.event import Property
from warmlead.model.job_titles import title_level
from warmlead.model.vocabulary import DERIVED_TRAITS, ValueType, is_free_mailbox

_MOST = 2**63 - 1  # what fits a condition's integer
_SHORT = 18  # so many digits always fit


def coerce(value: Property, type_: ValueType) -> object | None:
    """The value as the type, or ``None`` if it is none.

    ``"1.000"``, ``250.0``, ``"10k"`` and ``"51-200 employees"`` are the integers 1000, 250, 10000
    and 51: of a range the lower bound counts. As a decimal number ``"1.000"`` is unknown.
    """
    if value is None:
        return None
    if type_ is ValueType.LIST:
        items = value if isinstance(value, list) else [value]
        texts = (_string(item) for item in items if not isinstance(item, list))
        return [text for text in texts if text is not None]
    if type_ is ValueType.BOOLEAN:
        return answer(value)
    if isinstance(value, list):
        return coerce(value[0], type_) if len(value) == 1 else None
    return _OF_TYPE[type_](value)


def _string(value: Property) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MOST:
        return str(int(value))
    return None if value is None else str(value)


def _integer(value: Property) -> int | None:
    if isinstance(value, str):
        if len(value) <= _SHORT and value.isascii() and value.isdecimal():
            return int(value)
        read = _written(value, whole=True)
        number = None if read is None else math.floor(read)
    else:
        given = _given_number(value)
        number = None if given is None else math.floor(given)
    return number if number is not None and abs(number) <= _MOST else None


def _decimal(value: Property) -> float | None:
    if isinstance(value, str):
        read = _written(value, whole=False)
        return None if read is None else float(read)
    given = _given_number(value)
    return None if given is None else float(given)


def _written(text: str, *, whole: bool) -> Decimal | None:
    # Its words take 3 ms to import, and most services are only ever sent numbers.
    from warmlead.model.written_numbers import written_number  # noqa: PLC0415  # see above

    return written_number(text, whole=whole)


def _given_number(value: Property) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value if abs(value) <= _MOST else None
    return value if math.isfinite(value) else None


_OF_TYPE: Mapping[ValueType, Callable[[Property], object | None]] = {
    ValueType.STRING: _string,
    ValueType.INTEGER: _integer,
    ValueType.NUMBER: _decimal,
}


def know(traits: Mapping[str, Property], types: Mapping[str, ValueType]) -> dict[str, object]:
    """Traits as conditions see them: of the declared types, unknown ones absent.

    ``email_domain`` and ``free_mailbox`` follow from ``email``, and ``title_level`` from ``title``,
    even if a sender states them. A ``country`` that is not a code of ISO 3166-1 was not recognized,
    so it is unknown.
    """
    known: dict[str, object] = {}
    for name, value in traits.items():
        typed = coerce(value, types[name]) if name in types else None
        if typed is not None and (name != "country" or _is_code(typed)):
            known[name] = typed
    for derived in ("email_domain", "free_mailbox", "title_level"):
        known.pop(derived, None)
    if isinstance(title := known.get("title"), str):
        known["title_level"] = title_level(title).value
    email = known.get("email")
    if isinstance(email, str) and "@" in email:
        domain = email.rpartition("@")[2].strip().lower()
        known["email_domain"] = domain
        known["free_mailbox"] = is_free_mailbox(domain)
    return known


def not_understood(
    traits: Mapping[str, Property], types: Mapping[str, ValueType]
) -> tuple[str, ...]:
    """The traits of which conditions see nothing, because their values could not be read."""
    known = know(traits, types).keys() | DERIVED_TRAITS
    said = (name for name in traits if name in types and traits[name] not in (None, "", []))
    return tuple(sorted(name for name in said if name not in known))


def _is_code(country: object) -> bool:
    return not isinstance(country, str) or country in CODES


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
