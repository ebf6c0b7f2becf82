"""What a CRM says of a lead, as the event that says so; and the words in which it is configured.

No CRM is known here: how a record is read is for its sender.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import CRM_ID, Event, Property, Trust
from warmlead.domain.identity import normalise_email
from warmlead.domain.money import Amount, Numbers, currency_code, smallest_units, written_amount
from warmlead.domain.sales import EVENT_PREFIX, IDENTIFIED, Refusal, Said
from warmlead.sources.times import occurred_at

Word: TypeAlias = Literal[
    "touched",
    "accepted",
    "not_ready",
    "bad_fit",
    "bad_data",
    "duplicate",
    "unreachable",
    "opportunity",
    "won",
    "lost",
    "nothing",
]
"""What a stage or status of a CRM says of a lead; a rejection is said by its reason."""

WORDS: tuple[str, ...] = get_args(Word)
NOTHING = "nothing"

Stages: TypeAlias = Mapping[str, Mapping[str, Word]]
"""Property of a CRM's record → its value → what that says."""

MAX_REASON = 100
"""A reason for a loss is cut after so many characters."""


_BEYOND_ALL = 10**18  # as text such a number may take long to write


class Who(NamedTuple):
    """By what the lead is known; at least one of them."""

    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None

    def __bool__(self) -> bool:
        return any(self)


class Deal(NamedTuple):
    """What a deal is worth, in the smallest unit of its currency, and why it was lost."""

    value_cents: int | None = None
    currency: str = ""
    reason: str = ""


class Telling(NamedTuple):
    """Who tells it, when we received it, and by which id and time of the sender's it goes."""

    source: str
    received_at: datetime
    id: str
    at: datetime | None


def statement(telling: Telling, who: Who, word: str, deal: Deal = Deal()) -> Event:  # noqa: B008  # it is frozen
    """The event by which sales says a word of ``WORDS`` of a lead."""
    refused = word in set(Refusal)
    said = Said.REJECTED if refused else Said(word)
    properties: dict[str, Property] = {}
    if refused:
        properties["reason"] = word
    elif said is Said.LOST and deal.reason:
        properties["reason"] = deal.reason[:MAX_REASON]
    if deal.value_cents is not None:
        properties |= {"value_cents": deal.value_cents, "currency": deal.currency}
    return _event(telling, who, f"{EVENT_PREFIX}{said}", properties)


def identification(telling: Telling, who: Who, *, merged_user_id: str | None = None) -> Event:
    """The event that says no more than by what one lead is known, two merged records among it."""
    return _event(telling, who, IDENTIFIED, {}, merged_user_id)


def _event(
    telling: Telling,
    who: Who,
    name: str,
    properties: dict[str, Property],
    merged_user_id: str | None = None,
) -> Event:
    return Event.checked(
        id=telling.id,
        source=telling.source,
        trust=Trust.SIGNED,
        name=name,
        occurred_at=occurred_at(telling.at, telling.received_at, "The time"),
        received_at=telling.received_at,
        email=who.email,
        user_id=who.user_id,
        anonymous_id=who.anonymous_id,
        properties=properties,
        merged_user_id=merged_user_id,
    )


def crm_id(*parts: object) -> str:
    """The id of a record of a CRM, among the user ids (people) and anonymous ids (deals)."""
    return CRM_ID + ":".join(map(str, parts))


def email_in(value: Any) -> str | None:  # noqa: ANN401  # whatever a CRM holds
    """The address; ``None`` for none. Raises ``RejectedError`` for what is no address."""
    if value is None or value == "":
        return None
    email = normalise_email(value) if isinstance(value, str) else None
    if email is None:
        raise RejectedError(Reason.EMAIL_INVALID, "The email is no email address.")
    return email


def worth(
    value: Any,  # noqa: ANN401  # whatever a CRM holds
    currency: Any,  # noqa: ANN401  # the same
    *,
    otherwise: str = "",
    reason: str = "",
    numbers: Numbers = "either",
) -> Deal:
    """What a deal is worth; ``otherwise`` is the currency if none is named.

    ``numbers`` says how the sender writes amounts that come as text. Raises ``RejectedError`` for
    what is no amount or may be two, and for an amount in no known currency.
    """
    if value is None or value == "":
        return Deal(reason=reason)
    amount = _amount(value, numbers)
    named = currency if currency not in (None, "") else amount.currency or otherwise
    if not isinstance(named, str) or not named:
        message = "The value has no currency. Send its code, such as EUR, beside it."
        raise RejectedError(Reason.CURRENCY_UNKNOWN, message)
    code = currency_code(named)
    if amount.currency not in ("", code):
        message = "The value names another currency than the field for it."
        raise RejectedError(Reason.CURRENCY_UNKNOWN, message)
    return Deal(smallest_units(amount.number, code), code, reason)


def _amount(value: Any, numbers: Numbers) -> Amount:  # noqa: ANN401  # whatever a CRM holds
    if isinstance(value, str):
        return written_amount(value, numbers)
    if isinstance(value, float):
        return Amount(Decimal(repr(value)))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BEYOND_ALL:
        return Amount(Decimal(value))
    raise RejectedError(Reason.VALUE_INVALID, "The value is not a number.")


def value_text(value: Any) -> str:  # noqa: ANN401  # whatever a CRM holds
    """A property's value as it is written in the configured stages; empty for none."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def word_for(stages: Stages, name: str, value: Any) -> str | None:  # noqa: ANN401  # whatever a CRM holds
    """What the value of a property says; ``None`` if the stages do not say."""
    said = stages.get(name, {})
    text = value_text(value).casefold()
    return next((word for known, word in said.items() if known.casefold() == text), None)
