"""Outbound messages: SOAP as Salesforce writes it, and the answer that it wants.

XML is read without a DTD, so there are only XML's own five entities.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
"""

from typing import Any, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from warmlead.domain.errors import Reason, RejectedError
from warmlead.senders.crm import MAX_ITEMS, too_many_items

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


class OutboundMessage(NamedTuple):
    """Who sent it, and its records: fields by name, with ``attributes`` as Salesforce's JSON has.

    Their ``notification`` is the id of the notification in which the record came.
    """

    organization: str
    records: list[dict[str, Any]]


class Element(NamedTuple):
    """One element of a document; ``name`` is that in its namespace."""

    namespace: str
    name: str
    attributes: dict[str, str]
    children: "list[Element]"
    texts: list[str]

    @property
    def text(self) -> str:
        """What stands in it."""
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
    """The message in a body; raises ``RejectedError`` if it is not a message."""
    envelope = read_xml(body)
    content = envelope.first("Body") if envelope.name == "Envelope" else None
    message = content.first("notifications") if content else None
    if message is None or message.namespace != OUTBOUND:
        raise RejectedError(Reason.XML_INVALID, "This is no outbound message of Salesforce.")
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
    """Builds elements while expat reads; stops at a DTD, and at too many or too deep ones.

    It also stops at more notifications than a request may have.
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
