"""The names under which traits arrive, and the ones under which we keep them.

Forms and SDKs call the same thing by many names. The standard ones are those that models know;
what a trait's value means is for the model, except where it must be said once: countries.
"""

from collections.abc import Mapping
from functools import lru_cache

from warmlead.domain.event import Property
from warmlead.domain.spelling import visible
from warmlead.sources.countries import country_code
from warmlead.sources.fields import MAX_KEY, field_name
from warmlead.sources.labels import is_salutation, trait_of_name

_NAMES = ("name", "first_name", "last_name")

_OF_APPLICATIONS = frozenset(("role",))
"""In a record of a user these say what they may do in an application; in a form, their job."""


@lru_cache(maxsize=1024)
def standard_name(name: str) -> str | None:
    """The trait that a field of this label or flat name means; ``None`` if it is none we know.

    Groupings around it, as in ``contact[email]``, Jotform's ``q4_email``, and questions such as
    ``What is your email?`` are seen through. ``friend_email`` and ``email_subject`` are none.
    """
    return trait_of_name(field_name(name[:MAX_KEY]))


def as_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """All fields as traits: known ones under their standard names, others under their own.

    A standard name wins over other spellings of it; of ``consent`` they stay besides, since one
    box may say yes and another no. Empty texts are unknown, not values.
    """
    traits: dict[str, Property] = {}
    for field, value in flat.items():
        name = field if field in _OF_APPLICATIONS else standard_name(field) or field
        if value in ("", []):
            continue
        if only_addresses(name, value):
            traits.setdefault("salutation", value)
            continue
        if name == field or name not in flat:
            taken = name in traits and name == "consent"  # two boxes are asked two things
            traits.setdefault(field if taken else name, trait_value(name, value))
        elif name == "consent":
            traits.setdefault(field, value)
    return traits


def only_addresses(trait: str, value: Property) -> bool:
    """Whether what came as a title or a name is no more than how somebody is addressed."""
    if not isinstance(value, str):
        return False
    if trait in _NAMES:
        return is_salutation(value, may_be_a_name=False)
    return trait == "title" and is_salutation(value)


def company_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """What is said of a company as traits of its people: its name is ``company``."""
    of_company = {
        name if name.startswith("company") else f"company_{name}": value
        for name, value in flat.items()
    }
    return {name: value for name, value in as_traits(of_company).items() if name != "email"}


def trait_value(name: str, value: Property) -> Property:
    """A trait's value in the one form that conditions compare with."""
    if isinstance(value, str):
        value = visible(value).strip()
        if name == "country":
            return country_code(value) or value
        if name == "consent" and standard_name(value) == name:
            return True  # a box that is ticked may send its own label
    return value
