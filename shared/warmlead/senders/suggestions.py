"""What a person may write into a form's settings, so that more of its fields are understood.

Only commands for people import this: it looks at the values of fields that no name explains.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from warmlead.domain.event import Event
from warmlead.model.job_titles import TitleLevel, title_level
from warmlead.senders.countries import country_code
from warmlead.senders.person import email_of, flatten

MAX_VALUE = 200
"""The longest text, in characters, that is looked at."""

_PHONE = re.compile(r"[+(0][0-9 ()./-]{6,24}")
_LEAST_DIGITS = 7
_SIZE = re.compile(
    r"[0-9]{1,3}(?:[.,' ]?[0-9]{3})*\s*(?:-|–|—|to|bis|a|à)\s*[0-9.,' ]{1,9}\+?", re.IGNORECASE
)
_SHORTEST_COUNTRY = 4


class Suggestion(Struct, frozen=True):
    """A line of the settings: the field's flat name, and what it seems to be.

    ``means`` is ``email``, or the name of a standard trait.
    """

    field: str
    means: str


def suggested(fields: Mapping[str, Any], known: frozenset[str] = frozenset()) -> list[Suggestion]:
    """What fields seem to be by their values; ``known`` are traits that were understood already.

    One suggestion a trait, and one a field.
    """
    found: dict[str, Suggestion] = {}
    for name, value in flatten(fields, lambda *_: None).items():
        means = next((one for one in _meanings(value) if one not in known), None)
        if means and means not in found:
            found[means] = Suggestion(name, means)
    return list(found.values())


def suggested_for(event: Event) -> list[Suggestion]:
    """What the properties of an event seem to be."""
    known = {*event.traits, *(["email"] if event.email else [])}
    others = {name: value for name, value in event.properties.items() if name not in _OURS}
    return suggested(others, frozenset(known))


_OURS = frozenset(("form", "form_title", "path"))


def as_settings(suggestions: list[Suggestion]) -> str:
    """The lines of a form's settings, as YAML; empty if there are none."""
    lines = [f"email: {one.field}" for one in suggestions if one.means == "email"]
    traits = [f"{one.field}: {one.means}" for one in suggestions if one.means != "email"]
    if traits:
        lines.append(f"traits: {{{', '.join(traits)}}}")
    return "\n".join(lines)


def _meanings(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_VALUE:
        return
    text = value.strip()
    if email_of(text):
        yield "email"
    elif _PHONE.fullmatch(text) and sum(map(str.isdigit, text)) >= _LEAST_DIGITS:
        yield "phone"
    elif _SIZE.fullmatch(text):
        yield "employees"
    elif len(text) >= _SHORTEST_COUNTRY and country_code(text):
        yield "country"
    elif title_level(text) not in (TitleLevel.OTHER, TitleLevel.OUTSIDE):
        yield "title"
