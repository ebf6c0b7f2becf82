"""Salesforce: what is configured, its records as events, and what it is answered."""

import hmac
import re
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qs

from msgspec import Meta

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.parsing.strict_json import parse, text_of
from warmlead.parsing.times import parse_time
from warmlead.ports import Accepted, Ignored, RawRequest
from warmlead.senders.configuration import SignatureSettings, verify_signature
from warmlead.senders.crm import (
    NOT_ABOUT_SALES,
    CrmSettings,
    Items,
    Record,
    SalesSender,
    crm_id,
    deal_value,
    identification,
    known_by,
    sayings,
    telling_of,
    value_text,
)
from warmlead.senders.person import event_id, long_hash
from warmlead.senders.salesforce.soap import ACK, fault, read_outbound
from warmlead.web.answers import Answer

MIN_TOKEN = 24


class SalesforceSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tokens`` are for outbound messages and named credentials, ``signature`` is for Apex."""

    organizations: Annotated[tuple[str, ...], Meta(min_length=1)]
    tokens: tuple[Annotated[str, Meta(min_length=MIN_TOKEN)], ...] = ()
    signature: SignatureSettings | None = None
    email: tuple[str, ...] = ("Email",)
    amount: str = "Amount"
    amount_currency: str = "CurrencyIsoCode"
    reason: str | None = None
    time: str = "LastModifiedDate"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tokens and self.signature is None:
            raise ValueError("give tokens, a signature, or both")

    def __repr__(self) -> str:
        return f"SalesforceSettings(organizations={self.organizations!r})"


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
    deal = deal_value(
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
    """An id of 15 or 18 characters as the one of 18; ``None`` if the text is not an id.

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


XML = "text/xml; charset=utf-8"


class SalesforceSource(SalesSender):
    """Outbound messages, and records as JSON, at ``/salesforce``."""

    name = NAME
    path = "/salesforce"

    def __init__(self, settings: SalesforceSettings) -> None:
        self._settings = settings
        self._organizations = [full_id(id_) or id_ for id_ in settings.organizations]

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless it has a token of ours, or is signed."""
        offered = _token(request)
        if offered is not None:
            valid = False
            for token in self._settings.tokens:  # to the end: constant time
                valid |= hmac.compare_digest(offered.encode(), token.encode())
            if not valid:
                raise RejectedError(Reason.UNAUTHORIZED, "The token is none of ours.")
            return
        if self._settings.signature is None:
            raise RejectedError(Reason.UNAUTHORIZED, "The token is missing.")
        verify_signature(request, self._settings.signature)

    def read(self, request: RawRequest) -> Items:
        """The records of an outbound message, or those in JSON."""
        if not _is_xml(request):
            document = parse(request.body)
            values = document.value if isinstance(document.value, list) else [document.value]
            return Items(values, document.suspect)
        message = read_outbound(request.body)
        if full_id(message.organization) not in self._organizations:
            text = "The organisation is none of those that are configured."
            raise RejectedError(Reason.ACCOUNT_UNKNOWN, text)
        return Items(message.records)

    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:
        """The events of a record."""
        return translate_record(item, index, request, self._settings)

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for JSON; an outbound message is acknowledged, or it would come again for a day."""
        answer = super().answer(request, accepted)
        return replace(answer, body=ACK, content_type=XML) if _is_xml(request) else answer

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The failure; for an outbound message as a SOAP fault."""
        if not _is_xml(request):
            return failure
        told = failure.body.decode("utf-8", "replace")
        return replace(failure, body=fault(told), content_type=XML)


def _is_xml(request: RawRequest) -> bool:
    start = request.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start == b"<" or "xml" in request.headers.get("content-type", "").lower()


def _token(request: RawRequest) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    try:
        given = parse_qs(request.query, max_num_fields=20, errors="replace").get("token")
    except ValueError:
        return None
    return given[0] if given else None
