"""The parts of a statement of sales besides its word: ids, values, a deal, what sales tells."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import CRM_ID, Property
from warmlead.domain.identity import normalise_email
from warmlead.domain.money import Amount, Numbers, currency_code, smallest_units, written_amount
from warmlead.domain.sales import MAX_DETAIL_LENGTH
from warmlead.senders.event_choice import EVENT_NAME
from warmlead.senders.person import trait_value

TraitName: TypeAlias = Annotated[str, Meta(pattern=EVENT_NAME)]
"""A trait's name in snake_case."""

_BEYOND_ALL = 10**18  # as text such a number may take long to write

NO_DETAILS: Mapping[str, Property] = MappingProxyType({})


class CrmDeal(Struct, frozen=True):
    """The value of a deal, in the smallest unit of its currency, and why it was lost."""

    value_cents: int | None = None
    currency: str = ""
    reason: str = ""


NO_CURRENCY = "The value has no currency. Send its code, such as EUR, beside it."


def deal_value(
    value: Any,  # noqa: ANN401  # whatever a CRM holds
    currency: Any,  # noqa: ANN401  # the same
    *,
    otherwise: str = "",
    reason: str = "",
    numbers: Numbers = "either",
) -> CrmDeal:
    """What a deal is worth; ``otherwise`` is the currency if none is named.

    ``numbers`` is how the sender writes amounts in texts. Raises ``RejectedError`` for an invalid
    or ambiguous amount, and for an unknown currency.
    """
    if value is None or value == "":
        return CrmDeal(reason=reason)
    amount = _amount(value, numbers)
    named = currency if currency not in (None, "") else amount.currency or otherwise
    if not isinstance(named, str) or not named:
        raise RejectedError(Reason.CURRENCY_UNKNOWN, NO_CURRENCY)
    code = currency_code(named)
    if amount.currency not in ("", code):
        message = "The value names another currency than the field for it."
        raise RejectedError(Reason.CURRENCY_UNKNOWN, message)
    return CrmDeal(smallest_units(amount.number, code), code, reason)


def _amount(value: Any, numbers: Numbers) -> Amount:  # noqa: ANN401  # whatever a CRM holds
    if isinstance(value, str):
        return written_amount(value, numbers)
    if isinstance(value, float):
        return Amount(Decimal(repr(value)))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BEYOND_ALL:
        return Amount(Decimal(value))
    raise RejectedError(Reason.VALUE_INVALID, "The value is not a number.")


def details_of(told: Mapping[str, Any], *, cut: bool) -> dict[str, Property]:
    """The details that sales tells, by their names; empty ones are left out.

    A text that is too long is cut, or else raises ``RejectedError``, as any value does that is
    neither a text nor a number nor a yes or no.
    """
    found: dict[str, Property] = {}
    for name, value in told.items():
        kept = value.strip() if isinstance(value, str) else value
        if kept is None or kept == "":
            continue
        if not isinstance(kept, str | int | float):
            if cut:
                continue
            message = f"{name} must be a text, a number, or true or false."
            raise RejectedError(Reason.FIELD_INVALID, message)
        if isinstance(kept, str) and len(kept) > (most := MAX_DETAIL_LENGTH[name]):
            if not cut:
                message = f"{name} has more than {most} characters. Send a shorter text."
                raise RejectedError(Reason.FIELD_INVALID, message)
            kept = kept[:most]
        found[name] = kept
    return found


MAX_TRAIT = 1_000
"""The longest text of a trait, in characters; a longer one is cut."""


def traits_of(properties: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Property]:
    """The traits that some properties of a record are, by the CRM's name of each property.

    Of a list, such as Pipedrive's telephones, the primary value counts, or else the first. What is
    empty is left out.
    """
    said = {trait: _first(properties.get(own)) for own, trait in named.items()}
    told = {trait: one[:MAX_TRAIT] if isinstance(one, str) else one for trait, one in said.items()}
    kept = {trait: trait_value(trait, one) for trait, one in told.items() if one is not None}
    return {trait: one for trait, one in kept.items() if one != ""}


def _first(value: Any) -> str | int | float | None:  # noqa: ANN401  # whatever a CRM holds
    if isinstance(value, list):
        primary = (one for one in value if isinstance(one, dict) and one.get("primary") is True)
        value = next(primary, value[0] if value else None)
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str | int | float) else None


def word_for(stages: Mapping[str, Mapping[str, str]], name: str, value: Any) -> str | None:  # noqa: ANN401  # whatever a CRM holds
    """The word that the stages map the value of a property to; ``None`` for an unmapped value."""
    said = stages.get(name, {})
    text = value_text(value).casefold()
    return next((word for known, word in said.items() if known.casefold() == text), None)


def crm_id(*parts: object) -> str:
    """The id of a record of a CRM, among the user ids (people) and anonymous ids (deals)."""
    return CRM_ID + ":".join(map(str, parts))


def email_in(value: Any) -> str | None:  # noqa: ANN401  # whatever a CRM holds
    """The address; ``None`` if the field is empty. Raises ``RejectedError`` for an invalid one."""
    if value is None or value == "":
        return None
    email = normalise_email(value) if isinstance(value, str) else None
    if email is None:
        raise RejectedError(Reason.EMAIL_INVALID, "The email address is not valid.")
    return email


def value_text(value: Any) -> str:  # noqa: ANN401  # whatever a CRM holds
    """A property's value as it is written in the configured stages; empty for none."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()
