"""What a subscription of Stripe costs: its plan, its interval, and the amount of one period."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from warmlead.domain.errors import RejectedError
from warmlead.domain.money import currency_code, smallest_units
from warmlead.senders.webhooks import group, records, text

_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE = "BHD JOD KWD OMR TND"
_DECIMALS = {
    code: decimals for decimals, codes in ((0, _ZERO), (3, _THREE)) for code in codes.split()
}
"""How many decimals Stripe's amounts have, where it is not two (https://docs.stripe.com/currencies).

Not all are as in ISO 4217: of Icelandic crowns and Ugandan shillings Stripe counts hundredths, of
ariary none.
"""

_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)
_MOST = 10**12
_MOST_SEATS = 10**7


class Money(Struct, frozen=True):
    """An amount in a currency of ISO 4217."""

    amount: Decimal
    currency: str

    @property
    def number(self) -> int | float:
        """The amount as a number in JSON: 99, or 99.5."""
        return int(self.amount) if self.amount == int(self.amount) else float(self.amount)

    @property
    def cents(self) -> int:
        """The amount in the smallest unit of its currency."""
        return smallest_units(self.amount, self.currency)


class Price(Struct, frozen=True):
    """What is paid for one period of a subscription; ``total`` is ``None`` if it is not known."""

    plan: str = ""
    interval: str = ""
    seats: int | None = None
    total: Money | None = None

    @property
    def is_free(self) -> bool:
        """Whether nothing is paid."""
        return self.total is not None and self.total.amount == 0


def money_of(amount: Any, currency: Any) -> Money | None:  # noqa: ANN401  # whatever JSON holds
    """An amount in Stripe's smallest units; ``None`` if it is none, or of no known currency."""
    try:
        code = currency_code(text(currency)[:10])
    except RejectedError:
        return None
    number = _number(amount)
    return None if number is None else Money(number.scaleb(-_DECIMALS.get(code, 2)), code)


def price_of(subscription: Mapping[str, Any]) -> Price:
    """What is paid for one period of a subscription, or of what it was before.

    What is charged by use or in tiers has no known amount.
    """
    items = records(group(subscription, "items").get("data"))
    if not items and group(subscription, "plan"):
        items = [dict(subscription)]  # what Stripe sent before a subscription had several items
    if not items:
        return Price()
    first = _terms(items[0])
    totals = [_total(item) for item in items]
    known = [one for one in totals if one]
    total = None
    if len(known) == len(totals) and len({one.currency for one in known}) == 1:
        summed = sum((one.amount for one in known), Decimal())
        total = Money(summed, known[0].currency) if summed < _MOST else None
    names = (first.get(name) for name in ("nickname", "lookup_key", "name", "id"))
    return Price(
        plan=next((name for name in map(text, names) if name), ""),
        interval=_interval(first),
        seats=_quantity(items[0]),
        total=total,
    )


def _terms(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The price of an item; with older versions of the API, its plan."""
    return {**group(item, "plan"), **group(item, "price")}


def _total(item: Mapping[str, Any]) -> Money | None:
    terms, quantity = _terms(item), _quantity(item)
    amounts = (terms.get(name) for name in ("unit_amount", "unit_amount_decimal", "amount"))
    amount = next((one for one in amounts if one is not None), None)
    single = money_of(amount, terms.get("currency"))
    if single is None or quantity is None:
        return None
    return Money(single.amount * quantity, single.currency)


def _quantity(item: Mapping[str, Any]) -> int | None:
    quantity = item.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        return None
    return quantity if 0 <= quantity < _MOST_SEATS else None


def _interval(terms: Mapping[str, Any]) -> str:
    """``month``, or ``3 months`` where more than one is paid at once."""
    recurring = group(terms, "recurring") or terms
    interval, count = text(recurring.get("interval")), recurring.get("interval_count")
    return f"{count} {interval}s" if interval and isinstance(count, int) and count > 1 else interval


def _number(amount: Any) -> Decimal | None:  # noqa: ANN401  # whatever JSON holds
    if isinstance(amount, int) and not isinstance(amount, bool):
        return Decimal(amount) if 0 <= amount < _MOST else None
    is_decimal = isinstance(amount, str) and _DECIMAL.fullmatch(amount)
    return Decimal(amount) if is_decimal else None
