"""What an address asks for: filters, an order and a place, read from a query and written to one."""

import re
from collections.abc import Mapping
from typing import get_args
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports.listing import LeadQuery, ListPlace, Order

MAX_VALUE = 320
"""The longest value of a query, in characters: an address with its host has 254."""

_PLACE = re.compile(r"(-?[0-9]{1,12})\.([a-z0-9]{1,64})")
_TEXTS = ("stage", "grade", "source", "owner")


def read_query(query: str) -> dict[str, str]:
    """The values in a query, the first of each name; too long ones raise ``RejectedError``."""
    try:
        pairs = parse_qsl(query, keep_blank_values=False, errors="replace", max_num_fields=50)
    except ValueError as error:
        raise RejectedError(Reason.QUERY_INVALID, "The query has too many parts.") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if len(value) > MAX_VALUE:
            raise RejectedError(Reason.QUERY_INVALID, f"{name[:40]} is too long.")
        found.setdefault(name, value.strip())
    return found


class ListQuery(Struct, frozen=True):
    """What a list is asked for; ``after`` is where its page begins."""

    asked: LeadQuery = LeadQuery()
    after: ListPlace | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "ListQuery":
        """The list that a query asks for; raises ``RejectedError`` for what nobody can ask."""
        order = query.get("order", "score")
        if order not in get_args(Order):
            text = f"order must be one of {', '.join(get_args(Order))}."
            raise RejectedError(Reason.QUERY_INVALID, text)
        overdue = query.get("overdue", "")
        if overdue not in ("", "1", "true", "0", "false"):
            raise RejectedError(Reason.QUERY_INVALID, "overdue must be 1 or 0.")
        texts = {name: query.get(name, "") for name in _TEXTS}
        asked = LeadQuery(**texts, overdue=overdue in ("1", "true"), order=order)  # type: ignore[arg-type]  # looked at above
        return cls(asked, _place(query.get("after", "")))

    def query(self, **others: str) -> str:
        """The query that asks for this list, with other values where they are given."""
        own = {name: "1" if value is True else str(value) for name, value in self._own().items()}
        values = {name: value for name, value in {**own, **others}.items() if value}
        return f"?{urlencode(values)}" if values else ""

    def _own(self) -> dict[str, str | bool]:
        order = self.asked.order
        return {**self.asked.conditions, **({} if order == "score" else {"order": order})}


def _place(text: str) -> ListPlace | None:
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise RejectedError(Reason.QUERY_INVALID, "after is not a place in a list.")
    return ListPlace(int(found[1]), found[2])


def cursor(place: ListPlace | None) -> str:
    """A place as a query holds it; empty for none."""
    return f"{place.value}.{place.id}" if place else ""
