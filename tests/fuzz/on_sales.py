"""Attacks on the senders of sales, and on what scores: items, XML, pushes."""

import base64
import json
from random import Random
from typing import Any

from fuzz.corpus import an_event, push_of
from fuzz.long import Text
from fuzz.sent import Sent
from fuzz.shapes import EVENT_BYTES, TEXT_BYTES, TRAITS, any_wrap, encoded, in_json, posted, within

_HUBSPOT = {"subscriptionType": "contact.propertyChange", "portalId": 4711, "objectId": 1,
            "occurredAt": 1_764_700_000_000, "eventId": 1, "subscriptionId": 1,
            "propertyName": "lifecyclestage", "propertyValue": "customer"}  # fmt: skip
_STATEMENT = {"said": "won", "email": "ada@example.com", "value": "100", "currency": "EUR",
              "budget": "10k", "note": "Call in July"}  # fmt: skip
_PIPEDRIVE = {"meta": {"action": "change", "entity": "deal", "version": "2.0", "company_id": 77001,
                       "entity_id": 1, "id": "a", "timestamp": "2026-03-02T10:00:00Z"},
              "data": {"id": 1, "person_id": 2, "status": "won", "value": 100, "currency": "EUR"},
              "previous": {"status": "open"}}  # fmt: skip
_SALESFORCE = {
    "attributes": {"type": "Lead"},
    "Id": "00Q5g000004AbCdEAF",
    "Email": "ada@example.com",
    "Status": "Completed",
    "Amount": 1,
    "LastModifiedDate": "2026-03-02T10:00:00Z",
}
_PATHS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "generic": (b"/generic", _STATEMENT),
    "hubspot": (b"/hubspot", _HUBSPOT),
    "workflow": (b"/hubspot", {"email": "ada@example.com", "lifecyclestage": "customer"}),
    "pipedrive": (b"/pipedrive", _PIPEDRIVE),
    "salesforce": (b"/salesforce?token=a-token-of-the-tests-0123456789", _SALESFORCE),
}
_PIPEDRIVES = b"Basic " + base64.b64encode(b"warmlead:a-password-of-the-tests")


def said_by_sales(random: Random, text: Text, size: int) -> Sent:
    """Items of a CRM, each with the text in one of its fields, or in the name of one."""
    name = random.choice(list(_PATHS))
    target, item = _PATHS[name]
    make = any_wrap(random, text)
    count = 1 if name == "pipedrive" else random.choice((1, 10, 100))
    each = max(8, min(size // count - 300, random.choice((200, 5_000, size))))
    items = [_with_text(item, make, each, random) for _ in range(count)]
    sent = posted("sales", target, in_json(items if count > 1 else items[0]), "application/json")
    return sent.with_header(b"authorization", _PIPEDRIVES) if name == "pipedrive" else sent


def _with_text(item: dict[str, Any], make: Text, size: int, random: Random) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(item))
    inner = random.choice(
        [changed, *(value for value in changed.values() if isinstance(value, dict))]
    )
    if random.random() < 0.1:
        inner[within(make, size)] = 1
    else:
        inner[random.choice(list(inner))] = within(make, size)
    return changed


_SOAP = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"{}><e:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<OrganizationId>00D5g000004AbCd</OrganizationId>{}</notifications></e:Body></e:Envelope>"
)
_NOTIFIED = "<Notification><Id>04l{}</Id><sObject>{}</sObject></Notification>"


def in_xml(random: Random, text: Text, size: int) -> Sent:
    said = "".join(
        sign
        for sign in within(any_wrap(random, text), size)
        if sign.isprintable() and sign not in "<&"
    )
    shape = random.randrange(7)
    attributes = ""
    if shape == 0:
        inside = _NOTIFIED.format("1", f"<Email>{said}</Email>")
    elif shape == 1:
        inside = _NOTIFIED.format("1", "<a/>" * (size // 4))
    elif shape == 2:
        inside = "<a>" * (size // 7) + "</a>" * (size // 7)
    elif shape == 3:
        attributes = "".join(f' a{i}="b"' for i in range(size // 12))
        inside = _NOTIFIED.format("1", "<Email>ada@example.com</Email>")
    elif shape == 4:
        inside = "".join(
            _NOTIFIED.format(i, "<Email>ada@example.com</Email>") for i in range(size // 100)
        )
    elif shape == 5:
        attributes = "".join(f' xmlns:n{i}="u{i}"' for i in range(size // 16))
        inside = _NOTIFIED.format("1", "<Email>ada@example.com</Email>")
    else:
        inside = _NOTIFIED.format("1", "<Email>" + "&lt;&#65;" * (size // 10) + "</Email>")
    target = b"/salesforce?token=a-token-of-the-tests-0123456789"
    return posted("sales", target, encoded(_SOAP.format(attributes, inside)), "text/xml")


# --- what scores -------------------------------------------------------------------------


def pushed_event(random: Random, text: Text, size: int) -> Sent:
    """Events of one lead with the text among their traits, properties, names and origin."""
    events = []
    each = min(size, random.choice((2_000, TEXT_BYTES, EVENT_BYTES)))
    for number in range(max(1, min(40, size // each))):
        names = random.sample(TRAITS, random.choice((1, 4)))
        values = {name: within(any_wrap(random, text, name), each // len(names)) for name in names}
        where = random.choice(("traits", "properties", "attribution"))
        event = an_event(id=f"e-{number}", trust=random.choice(("signed", "public")))
        events.append({**event, where: {**event[where], **values}})
    return push_of(in_json({"events": events}))


def pushed_list(random: Random, text: Text, size: int) -> Sent:
    one = text(random.choice((1, 10)))
    number = random.choice(("", "{}"))  # all alike, or none
    values = [one + number.format(i) for i in range(size // 20)]
    event = an_event(traits={random.choice(TRAITS): values, "employees": values[:1]})
    return push_of(in_json({"events": [event]}))


def pushed_many(random: Random, _: Text, size: int) -> Sent:
    """As many events of one lead as go in, of one name or of many, on one day or on many."""
    names = random.choice((("page_viewed",), tuple(f"a_{i}" for i in range(50))))
    base = an_event(properties={}, traits={})
    days = random.choice((1, 200))
    events = [
        {**base, "id": f"e-{i}", "name": names[i % len(names)], "occurred_at": _day(i % days)}
        for i in range(size // 300)
    ]
    return push_of(in_json({"events": events}))


def _day(number: int) -> str:
    return f"2026-{1 + number % 9:02}-{1 + number % 27:02}T00:00:00Z"
