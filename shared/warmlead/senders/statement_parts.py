"""The parts of a statement of sales besides its word: a deal's value, and what sales tells."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Property
from warmlead.domain.money import Amount, Numbers, currency_code, smallest_units, written_amount
from warmlead.domain.sales import MAX_DETAIL_LENGTH

_BEYOND_ALL = 10**18  # as text such a number may take long to write

NO_DETAILS: Mapping[str, Property] = MappingProxyType({})


class CrmDeal(Struct, frozen=True):
    """The value of a deal, in the smallest unit of its currency, and why it was lost."""

    value_cents: int | None = None
    currency: str = ""
    reason: str = ""


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
        message = "The value has no currency. Send its code, such as EUR, beside it."
        raise RejectedError(Reason.CURRENCY_UNKNOWN, message)
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
