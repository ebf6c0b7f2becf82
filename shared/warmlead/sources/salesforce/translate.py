"""Records of Salesforce as events. Pure; the rules are in the README beside this file."""

import re
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.fields import event_id, long_hash
from warmlead.sources.records import NOT_ABOUT_SALES, Record, known_by, sayings, telling_of
from warmlead.sources.sales_sender import Ignored
from warmlead.sources.salesforce.settings import SalesforceSettings
from warmlead.sources.saying import crm_id, identification, value_text, worth
from warmlead.sources.times import parse_time
from warmlead.web.strict_json import text_of

NAME = "salesforce"

_ID = re.compile(r"([A-Za-z0-9]{15})(?:[A-Za-z0-5]{3})?")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_PEOPLE = {"00Q": "Lead", "003": "Contact"}
"""The prefixes of ids of records that are people."""


def translate_record(
    item: dict[str, Any], index: int, request: RawRequest, settings: SalesforceSettings
) -> list[Event | Ignored]:
    """One record as events; raises ``RejectedError`` if it cannot be understood."""
    attributes = item.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    fields = {name: value for name, value in item.items() if name != "attributes"}
    who = known_by(fields, settings, person=_person(fields), deal=_deal(fields))
    if not who:
        message = "The record names no email and no person; add such a field to the message."
        raise RejectedError(Reason.IDENTITY_MISSING, message)
    deal = worth(
        fields.get(settings.amount),
        fields.get(settings.amount_currency),
        otherwise=settings.currency,
        numbers=settings.numbers,
        reason=value_text(fields.get(settings.reason)) if settings.reason else "",
    )
    at = parse_time(fields.get(settings.time), settings.time)
    id_ = _id(attributes, fields, index, request, is_dated=at is not None)
    record = Record(fields, who, id_, NAME, request.received_at, at, deal)
    said = sayings(record, settings)
    same = _same_person(fields)
    if same is None or who.user_id is None:
        return said
    merged = identification(telling_of(record, "merged"), who, merged_user_id=same)
    return [*(one for one in said if one is not NOT_ABOUT_SALES), merged]


def full_id(value: Any) -> str | None:  # noqa: ANN401  # whatever a record holds
    """An id of 15 or 18 characters as the one of 18; ``None`` if it is none.

    The last three say which of the others are capitals, five each, so that case may get lost.
    """
    found = _ID.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    id_ = found[1]
    fives = (id_[start : start + 5] for start in (0, 5, 10))
    sums = (sum(1 << at for at, letter in enumerate(five) if letter.isupper()) for five in fives)
    return id_ + "".join(_LETTERS[total] for total in sums)


def _person(fields: dict[str, Any]) -> str | None:
    """The person that a record is, or names: a lead, a contact, whom a task is about."""
    for name in ("Id", "ContactId", "WhoId"):
        id_ = full_id(fields.get(name))
        if id_ and id_[:3] in _PEOPLE:
            return crm_id(NAME, id_)
    return None


def _same_person(fields: dict[str, Any]) -> str | None:
    """The record with which a person's record was merged, or to which a lead was converted.

    https://developer.salesforce.com/docs (Apex: Triggers for Merge Statements; Lead's fields)
    """
    for name in ("MasterRecordId", "ConvertedContactId"):
        id_ = full_id(fields.get(name))
        if id_ and id_[:3] in _PEOPLE:
            return crm_id(NAME, id_)
    return None


def _deal(fields: dict[str, Any]) -> str | None:
    id_ = full_id(fields.get("Id"))
    return crm_id(NAME, id_) if id_ and id_.startswith("006") else None


def _id(
    attributes: dict[str, Any],
    fields: dict[str, Any],
    index: int,
    request: RawRequest,
    *,
    is_dated: bool,
) -> str:
    if notification := event_id(attributes.get("notification"), "The notification's id"):
        return notification
    for header in ("webhook-id", "svix-id", "idempotency-key"):
        if found := event_id(request.headers.get(header), header):
            return f"{found}-{index}"
    # The same on one UTC day counts once, unless the record says when it became so.
    day = "" if is_dated else request.received_at.date().isoformat()
    return f"hash-{long_hash(text_of([day, *sorted(map(list, fields.items()), key=text_of)]))}"
