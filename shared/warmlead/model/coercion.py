"""Values as senders write them, turned into values of a declared type.

What cannot be turned is unknown, never an error: a condition over it does not hold.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal

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
