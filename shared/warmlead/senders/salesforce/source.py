"""Salesforce: its settings, its records as events, its SOAP, and the answers to it."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qs
from xml.parsers import expat
from xml.sax.saxutils import escape

from msgspec import Meta, Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.parsing.signatures import SignatureSettings
from warmlead.parsing.strict_json import parse, text_of
from warmlead.parsing.times import parse_time
from warmlead.ports import Accepted, Ignored, RawRequest
from warmlead.senders.base import MESSAGE_IDS, Profile, sign_as_configured
from warmlead.senders.crm import (
    MAX_ITEMS,
    NOT_ABOUT_SALES,
    OF_CRMS,
    CrmSettings,
    Items,
    Record,
    SalesSender,
    deal_of,
    identification,
    known_by,
    of_own_change,
    origin_in,
    statements,
    too_many_items,
)
from warmlead.senders.person import event_id, long_hash
from warmlead.senders.statement_parts import crm_id
from warmlead.web.answers import Answer

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
MAX_DEPTH = 16
MAX_ELEMENTS = 20_000
_NOTIFICATION = f"{OUTBOUND} Notification"
LEAST_ELEMENT_BYTES = 12
"""No element of an outbound message is shorter: more of them in a body are not Salesforce's."""

_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}">'
    "<soapenv:Body>%s</soapenv:Body></soapenv:Envelope>"
)
ACK = (
    _ANSWER % f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
).encode()
_FAULT = _ANSWER % (
    "<soapenv:Fault><faultcode>soapenv:Client</faultcode>"
    "<faultstring>%s</faultstring></soapenv:Fault>"
)


class OutboundMessage(Struct, frozen=True):
    """Who sent it, and its records: fields by name, with ``attributes`` as Salesforce's JSON has.

    Their ``notification`` is the id of the notification in which the record came.
    """

    organization: str
    records: list[dict[str, Any]]


class Element(Struct, frozen=True):
    """One element of a document; ``name`` is that in its namespace."""

    namespace: str
    name: str
    attributes: dict[str, str]
    children: "list[Element]"
    texts: list[str]

    @property
    def text(self) -> str:
        """Its text."""
        return "".join(self.texts).strip()

    def all(self, name: str) -> "list[Element]":
        """The children of a name."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Element | None":
        """The first child of a name."""
        return next(iter(self.all(name)), None)


def fault(text: str) -> bytes:
    """The answer to a message that is not acknowledged."""
    return (_FAULT % escape(text)).encode()


def read_outbound(body: bytes) -> OutboundMessage:
    """The message in a body; raises ``RejectedError`` if there is none."""
    envelope = read_xml(body)
    content = envelope.first("Body") if envelope.name == "Envelope" else None
    message = content.first("notifications") if content else None
    if message is None or message.namespace != OUTBOUND:
        raise RejectedError(Reason.XML_INVALID, "This is not an outbound message of Salesforce.")
    organization = message.first("OrganizationId")
    return OutboundMessage(
        organization.text if organization else "",
        [_record(notification) for notification in message.all("Notification")],
    )


def _record(notification: Element) -> dict[str, Any]:
    id_, object_ = notification.first("Id"), notification.first("sObject")
    if object_ is None:
        raise RejectedError(Reason.XML_INVALID, "A notification has no sObject.")
    type_ = next((v for k, v in object_.attributes.items() if k.rpartition(" ")[2] == "type"), "")
    record: dict[str, Any] = {"attributes": {"type": type_.rpartition(":")[2]}}
    if id_ is not None:
        record["attributes"]["notification"] = id_.text
    for child in object_.children:
        record.setdefault(child.name, child.text or None)
    return record


def read_xml(body: bytes) -> Element:
    """The document's outermost element; raises ``RejectedError`` if it is not plain XML."""
    reader = _Reader(most=min(MAX_ELEMENTS, 1 + len(body) // LEAST_ELEMENT_BYTES))
    try:
        reader.parser.Parse(body, True)  # this is all of it
    except expat.ExpatError as error:
        what = expat.errors.messages[error.code]
        raise _invalid(f"The body is not XML: {what} in line {error.lineno}.") from None
    except (ValueError, LookupError):  # an encoding that nobody knows
        raise _invalid("The body is not XML in an encoding that we know.") from None
    return reader.root.children[0]


def _invalid(message: str) -> RejectedError:
    return RejectedError(Reason.XML_INVALID, message)


class _Reader:
    """Builds elements while expat reads. Stops at a DTD, and at too many or too deep elements.

    It also stops at more notifications than a request may hold.
    """

    def __init__(self, *, most: int) -> None:
        self.root = Element("", "", {}, [], [])
        self._most = most
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._open = [self.root]
        self._count = self._notifications = 0

    def _refuse(self, *_: object) -> None:
        raise _invalid("XML with a DTD is not read.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > self._most or len(self._open) > MAX_DEPTH:
            raise _invalid("The XML has too many elements, or nests them too deep.")
        if tag == _NOTIFICATION:
            self._notifications += 1
            if self._notifications > MAX_ITEMS:
                raise too_many_items()
        namespace, _, name = tag.rpartition(" ")
        element = Element(namespace, name, attributes, [], [])
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)


MIN_TOKEN = 24


class SalesforceSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tokens`` are for outbound messages and named credentials, ``signature`` is for Apex.

    ``own_users`` are the users as whom Warmlead itself writes to Salesforce.
    """

    organizations: Annotated[tuple[str, ...], Meta(min_length=1)]
    tokens: tuple[Annotated[str, Meta(min_length=MIN_TOKEN)], ...] = ()
    signature: SignatureSettings | None = None
    email: tuple[str, ...] = ("Email",)
    amount: str = "Amount"
    amount_currency: str = "CurrencyIsoCode"
    time: str = "LastModifiedDate"
    own_users: tuple[str, ...] = ()

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
    deal = deal_of(fields, settings)
    at = parse_time(fields.get(settings.time), settings.time)
    id_ = _id(attributes, fields, index, request, is_dated=at is not None)
    record = Record(fields, who, id_, NAME, request.received_at, at, deal)
    own_users = {full_id(id_) for id_ in settings.own_users}
    if full_id(fields.get("LastModifiedById")) in own_users - {None}:
        said = of_own_change(record, settings, ties=True)
    else:
        said = statements(record, settings)
    same = _same_person(fields)
    if same is None or who.user_id is None:
        return said
    merged = identification(origin_in(record, "merged"), who, merged_user_id=same)
    return [*(one for one in said if one is not NOT_ABOUT_SALES), merged]


def full_id(value: Any) -> str | None:  # noqa: ANN401  # whatever a record holds
    """An id of 15 or 18 characters in its form of 18; ``None`` for anything else.

    The last three encode which of the others are capitals, five each: case may get lost.
    """
    found = _ID.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    id_ = found[1]
    fives = (id_[start : start + 5] for start in (0, 5, 10))
    sums = (sum(1 << at for at, letter in enumerate(five) if letter.isupper()) for five in fives)
    return id_ + "".join(_LETTERS[total] for total in sums)


def _person(fields: dict[str, Any]) -> str | None:
    """The person that a record is or names: a lead, a contact, the person of a task."""
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
    for header in MESSAGE_IDS:
        if found := event_id(request.headers.get(header), header):
            return f"{found}-{index}"
    # The same on one UTC day counts once, unless the record says when it became so.
    day = "" if is_dated else request.received_at.date().isoformat()
    return f"hash-{long_hash(text_of([day, *sorted(map(list, fields.items()), key=text_of)]))}"


XML = "text/xml; charset=utf-8"


class SalesforceSource(SalesSender[SalesforceSettings]):
    """Outbound messages, and records as JSON, at ``/salesforce``."""

    name = NAME
    path = "/salesforce"
    profile = Profile(
        proof="a token; JSON also with an HMAC or Standard Webhooks",
        once="the notification's `Id`; of JSON, record and time",
        retries="outbound messages: for 24 hours, until acknowledged",
        events=OF_CRMS,
    )

    def __init__(self, settings: SalesforceSettings) -> None:
        super().__init__(settings)
        self._organizations = [full_id(id_) or id_ for id_ in settings.organizations]

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless it bears a configured token, or is signed."""
        offered = _token(request)
        if offered is not None:
            valid = False
            for token in self._settings.tokens:  # to the end: constant time
                valid |= hmac.compare_digest(offered.encode(), token.encode())
            if not valid:
                raise RejectedError(Reason.UNAUTHORIZED, "The token is not valid.")
            return
        signature = self._settings.signature
        if signature is None:
            raise RejectedError(Reason.UNAUTHORIZED, "The token is missing.")
        signature.verify(request.headers, request.body, now=request.received_at)

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The signature of JSON, if one is configured; a token that is there already is enough."""
        if _token(request) is not None:
            return {}
        if self._settings.signature and not _is_xml(request):
            return sign_as_configured(self._settings.signature, request)
        tokens = self._settings.tokens
        return {"Authorization": f"Bearer {tokens[0]}"} if tokens else {}

    def read(self, request: RawRequest) -> Items:
        """The records of an outbound message, or those in JSON."""
        if not _is_xml(request):
            document = parse(request.body)
            values = document.value if isinstance(document.value, list) else [document.value]
            return Items(values, document.suspect)
        message = read_outbound(request.body)
        if full_id(message.organization) not in self._organizations:
            text = "The organisation is not configured."
            raise RejectedError(Reason.ACCOUNT_UNKNOWN, text)
        return Items(message.records)

    def events_of(
        self, item: dict[str, Any], index: int, request: RawRequest
    ) -> list[Event | Ignored]:
        """The events of a record."""
        return translate_record(item, index, request, self._settings)

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for JSON. An outbound message is acknowledged, or it is repeated for a day."""
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
