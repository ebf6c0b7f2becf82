"""Answers that form builders send in parts: a name, a telephone number, a date, an address.

Jotform and Formstack do so: ``{"first": "Ada", "last": "Lovelace"}``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from warmlead.senders.person import MAX_KEY, standard_name
from warmlead.senders.webhooks import Asked, text

_OF_NAMES = ("prefix", "first", "initial", "middle", "last", "suffix")
_OF_DATES = ("year", "month", "day")
_RENAMED = {"postal": "postal_code", "full": "phone"}


def in_parts(names: tuple[str, ...], value: Any, kind: str = "") -> Iterator[Asked]:  # noqa: ANN401  # whatever JSON holds
    """The answer to a question of these names, the words that people see first.

    A name whose question asks for the person's own is two answers; any other is one text, because
    it may be somebody else's.
    """
    if not isinstance(value, dict) or not value:
        yield Asked(names, value, kind)
        return
    parts = {str(part)[:MAX_KEY]: one for part, one in value.items()}
    if parts.keys() <= {*_OF_NAMES} and parts.keys() & {"first", "last"}:
        yield from _name(names, parts, kind)
    elif parts.keys() >= {*_OF_DATES}:
        yield Asked(names, _date([text(parts[part]) for part in _OF_DATES]), kind)
    elif parts.keys() == {"full"} or "phone" in parts:
        yield Asked(names, _phone(parts), kind)
    else:
        yield Asked(names, {_RENAMED.get(part, part): one for part, one in parts.items()}, kind)


def _name(names: tuple[str, ...], parts: Mapping[str, Any], kind: str) -> Iterator[Asked]:
    if any(standard_name(name) == "name" for name in names):
        yield Asked(("first_name",), text(parts.get("first")))
        yield Asked(("last_name",), text(parts.get("last")))
        return
    said = (text(parts.get(part)) for part in _OF_NAMES)
    yield Asked(names, " ".join(filter(None, said)), kind)


def _date(said: Sequence[str]) -> str:
    """The day in ISO 8601; empty if a part is missing."""
    return "-".join(one.zfill(2) for one in said) if all(map(str.isdecimal, said)) else ""


def _phone(parts: Mapping[str, Any]) -> str:
    said = (text(parts.get(part)) for part in ("full", "country", "area", "phone"))
    return " ".join(filter(None, said))
