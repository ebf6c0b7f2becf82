"""The table of odd bodies from CRMs: what is sent, and what it is answered.

Each row: a name, a path, a body, its headers, the expected status, and the code in the answer.
"""

import base64
import gzip
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from warmlead.parsing.signatures import HmacScheme, sign_standard_webhooks
from warmlead.senders.hubspot.source import sign as sign_hubspot

CANARY = "c4nary-7be1"
EMAIL = f"{CANARY}@hostile.example"
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes!").decode()
CLIENT_SECRET = "the-client-secret-of-the-tests"
TOKEN = "a-token-of-the-tests-0123456789"
PASSWORD = "a-password-of-the-tests"
URL = "https://warmlead.example/sales/hubspot"
APEX = HmacScheme(header="X-Warmlead-Signature")
PORTAL, COMPANY, ORGANIZATION = 4711, 77001, "00D5g000004AbCdEAK"

SALES: Mapping[str, Any] = {
    "generic": {"signature": {"secrets": [SECRET]}},
    "hubspot": {
        "secrets": [CLIENT_SECRET],
        "url": URL,
        "portals": [PORTAL],
        "stages": {
            "lifecyclestage": {"salesqualifiedlead": "accepted"},
            "dealstage": {"closedwon": "won"},
        },
    },
    "salesforce": {
        "organizations": [ORGANIZATION],
        "tokens": [TOKEN],
        "signature": {"scheme": "hmac", "secrets": ["apex"], "hmac": {"header": APEX.header}},
        "stages": {"Status": {"Working": "touched"}, "StageName": {"Closed Won": "won"}},
    },
    "pipedrive": {
        "user": "warmlead",
        "passwords": [PASSWORD],
        "companies": [COMPANY],
        "stages": {"status": {"won": "won", "lost": "lost"}},
    },
}
"""The file of the server that is asked."""

JSON = {"Content-Type": "application/json"}


class Row(NamedTuple):
    name: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    status: int
    code: str = ""


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def said(**fields: object) -> dict[str, object]:
    """A sound statement of the canary's, but for the fields given; ``None`` leaves one out."""
    whole = {"email": EMAIL, "said": "won", "value": 10, "currency": "EUR", "id": CANARY, **fields}
    return {name: value for name, value in whole.items() if value is not None}


def generic(name: str, body: object, status: int, code: str = "", **changes: Any) -> Row:
    raw = _bytes(body)
    at = datetime.fromtimestamp(time.time(), UTC) - timedelta(seconds=changes.get("ago_s", 0))
    secret = changes.get("secret", SECRET)
    headers = sign_standard_webhooks(raw, message_id="msg_1", at=at, secret=secret)
    return Row(f"generic: {name}", "/sales/generic", raw, {**JSON, **headers}, status, code)


def hubspot(name: str, body: object, status: int, code: str = "", **changes: Any) -> Row:
    raw = _bytes(body)
    at_ms = str(int((time.time() - changes.get("ago_s", 0)) * 1000))
    signature = sign_hubspot("POST", changes.get("url", URL), raw, at_ms, CLIENT_SECRET)
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at_ms}
    headers |= changes.get("headers", {})
    return Row(f"hubspot: {name}", "/sales/hubspot", raw, {**JSON, **headers}, status, code)


def change(**fields: object) -> dict[str, object]:
    """A sound change of a contact of HubSpot's, but for the fields given."""
    return {
        "eventId": 1,
        "subscriptionId": 2,
        "portalId": PORTAL,
        "occurredAt": int(time.time() * 1000),
        "subscriptionType": "contact.propertyChange",
        "objectId": 301,
        "propertyName": "lifecyclestage",
        "propertyValue": "salesqualifiedlead",
        **fields,
    }


def salesforce(name: str, body: bytes | str, status: int, code: str = "", **changes: Any) -> Row:
    raw = body if isinstance(body, bytes) else body.encode()
    path = f"/sales/salesforce?token={changes.get('token', TOKEN)}"
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    return Row(f"salesforce: {name}", path, raw, headers, status, code)


def envelope(*notifications: str, organization: str = ORGANIZATION, dtd: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{dtd}'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId>{''.join(notifications)}"
        "</notifications></s:Body></s:Envelope>"
    )


def notification(number: int = 1, **fields: str) -> str:
    whole = {"Id": "00Q5g00000AbCdEEAV", "Email": EMAIL, "Status": "Working", **fields}
    inner = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in whole.items())
    return (
        f"<Notification><Id>04l{number:012}</Id><sObject"
        ' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="sf:Lead">'
        f"{inner}</sObject></Notification>"
    )


def apex(name: str, body: object, status: int, code: str = "", **headers: str) -> Row:
    raw = _bytes(body)
    signed = {APEX.header: APEX.sign(raw, "apex")} | headers
    return Row(f"salesforce: {name}", "/sales/salesforce", raw, {**JSON, **signed}, status, code)


def pipedrive(name: str, body: object, status: int, code: str = "", **changes: Any) -> Row:
    credentials = f"warmlead:{changes.get('password', PASSWORD)}".encode()
    headers = {**JSON, "Authorization": "Basic " + base64.b64encode(credentials).decode()}
    headers |= changes.get("headers", {})
    return Row(f"pipedrive: {name}", "/sales/pipedrive", _bytes(body), headers, status, code)


def webhook(
    data: Mapping[str, object] | None = None,
    previous: Mapping[str, object] | None = None,
    **meta: object,
) -> dict[str, object]:
    """A sound webhook of a deal of Pipedrive's that was won, but for what is given."""
    deal = {"id": 12, "person_id": 3, "status": "won", "value": 10, "currency": "EUR"}
    known = {"action": "change", "entity": "deal", "company_id": str(COMPANY), "version": "2.0"}
    times = {"id": "5f0", "timestamp": datetime.now(UTC).isoformat()}
    return {
        "meta": {**known, **times, **meta},
        "data": {**deal, **(data or {})},
        "previous": {"status": "open"} if previous is None else previous,
    }


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{LAUGHS}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>'


def rows() -> Sequence[Row]:
    """All rows; signed now, so made when they are sent."""
    return [*_of_generic(), *_of_hubspot(), *_of_salesforce(), *_of_pipedrive()]


def _of_generic() -> Sequence[Row]:
    lost = {"said": "lost", "value": None, "currency": None}
    return [
        Row("generic: unsigned", "/sales/generic", _bytes(said()), JSON, 401, "signature_missing"),
        generic("signed by another", said(), 401, "signature_invalid", secret="other"),
        generic("signed an hour ago", said(), 401, "signature_expired", ago_s=3600),
        generic("signed for an hour ahead", said(), 401, "signature_expired", ago_s=-3600),
        generic("empty", b"", 400, "body_empty"),
        generic("empty list", [], 400, "body_empty"),
        generic("not JSON", b"said=won", 400, "json_invalid"),
        generic("a number", 3, 400, "event_invalid"),
        generic("a key twice", b'{"said": "won", "said": "lost"}', 400, "json_duplicate_key"),
        generic("101 statements", [said(id=str(n)) for n in range(101)], 400, "too_many_events"),
        generic("an unknown word", said(said="danced"), 400, "said_unknown"),
        generic("no word", said(said=None), 400, "said_unknown"),
        generic("a word that is a list", said(said=["won"]), 400, "said_unknown"),
        generic("nobody", said(email=None), 400, "identity_missing"),
        generic("no address", said(email="not an address"), 400, "email_invalid"),
        generic("a user id that is a list", said(user_id=[1]), 400, "identity_invalid"),
        generic("a rejection without reason", said(said="rejected"), 400, "reason_invalid"),
        generic("an unknown reason", said(said="rejected", reason="moody"), 400, "reason_invalid"),
        generic("a reason for winning", said(reason="price"), 400, "reason_invalid"),
        generic("a reason that is a number", said(**lost, reason=7), 400, "reason_invalid"),
        generic("a negative value", said(value=-1), 400, "value_invalid"),
        generic("a value that is a text", said(value="a lot"), 400, "value_invalid"),
        generic("a value with commas", said(value="1,200.50", id="commas"), 200),
        generic("a value that may be two", said(value="1.200"), 400, "value_invalid"),
        generic("a value beyond all sums", said(value="1e300"), 400, "value_invalid"),
        generic("a value that is true", said(value=True), 400, "value_invalid"),
        generic("an infinite value", b'{"said": "won", "value": 1e999}', 400, "json_not_a_number"),
        generic("a currency that is none", said(currency="XXL"), 400, "currency_unknown"),
        generic("a value without currency", said(currency=None), 400, "currency_unknown"),
        generic("ten years ago", said(occurred_at="2010-01-01"), 400, "time_out_of_range"),
        generic("a time that is none", said(occurred_at="soon"), 400, "time_invalid"),
        generic("a misspelt field", said(occured_at="2026-01-01"), 400, "field_invalid"),
        generic("an id that is a list", said(id=[1]), 400, "event_id_invalid"),
        generic("one of two is odd", [said(), said(said="danced")], 200, "said_unknown"),
        generic("next year", said(occurred_at="2099-01-01", id="next-year"), 200),
    ]


def _of_hubspot() -> Sequence[Row]:
    unsigned = {"X-HubSpot-Request-Timestamp": "1"}
    return [
        Row(
            "hubspot: unsigned",
            "/sales/hubspot",
            b"[]",
            {**JSON, **unsigned},
            401,
            "signature_missing",
        ),
        hubspot(
            "signed for another address", [change()], 401, "signature_invalid", url="https://x"
        ),
        hubspot("signed an hour ago", [change()], 401, "signature_expired", ago_s=3600),
        hubspot(
            "a time that is none",
            [change()],
            401,
            "signature_invalid",
            headers={"X-HubSpot-Request-Timestamp": "soon"},
        ),
        hubspot("empty batch", [], 400, "body_empty"),
        hubspot("101 changes", [change(eventId=n) for n in range(101)], 400, "too_many_events"),
        hubspot("wrong portal", [change(portalId=1)], 200, "account_unknown"),
        hubspot("no portal", [change(portalId=None)], 200, "event_invalid"),
        hubspot("an unknown stage", [change(propertyValue="other")], 200, "stage_unknown"),
        hubspot("a property of no concern", [change(propertyName="city")], 200, "not_about_sales"),
        hubspot("a company", [change(subscriptionType="company.creation")], 200, "not_about_sales"),
        hubspot("no record", [change(objectId=None)], 200, "identity_missing"),
        hubspot("before there was HubSpot", [change(occurredAt=0)], 200, "time_out_of_range"),
        hubspot("no change at all", [{"a": 1}], 200, "identity_missing"),
        hubspot("a workflow without email", {"dealstage": "closedwon"}, 200, "identity_missing"),
        hubspot(
            "a workflow with a negative amount",
            {"email": EMAIL, "dealstage": "closedwon", "amount": "-5", "deal_currency_code": "EUR"},
            200,
            "value_invalid",
        ),
        hubspot(
            "a workflow without currency",
            {"email": EMAIL, "dealstage": "closedwon", "amount": "5"},
            200,
            "currency_unknown",
        ),
    ]


def _of_salesforce() -> Sequence[Row]:
    record = {"attributes": {"type": "Lead"}, "Email": EMAIL, "Status": "Working"}
    many = (notification(n) for n in range(101))
    deep = "<a>" * 100 + "</a>" * 100
    return [
        salesforce("wrong token", envelope(notification()), 401, "unauthorized", token="guessed"),
        Row(
            "salesforce: no token",
            "/sales/salesforce",
            envelope().encode(),
            {},
            401,
            "signature_missing",
        ),
        salesforce(
            "wrong organisation",
            envelope(notification(), organization="00D0"),
            403,
            "account_unknown",
        ),
        salesforce("not XML", "<said>won", 400, "xml_invalid"),
        salesforce("no XML at all", "said=won", 400, "xml_invalid"),
        salesforce("other XML", "<rss/>", 400, "xml_invalid"),
        salesforce("a bomb", envelope(notification(Status="&l9;"), dtd=BOMB), 400, "xml_invalid"),
        salesforce(
            "a file of ours",
            envelope(notification(Status="&file;"), dtd=OUTSIDE),
            400,
            "xml_invalid",
        ),
        salesforce("too deep", deep, 400, "xml_invalid"),
        salesforce(
            "an unknown encoding",
            '<?xml version="1.0" encoding="klingon"?><a/>',
            400,
            "xml_invalid",
        ),
        salesforce(
            "gzip that ends", gzip.compress(envelope().encode())[:-9], 400, "encoding_invalid"
        ),
        salesforce("no notification", envelope(), 400, "body_empty"),
        salesforce("101 notifications", envelope(*many), 400, "too_many_events"),
        salesforce("an unknown stage", envelope(notification(Status="Asleep")), 200),
        salesforce("no address", envelope(notification(Email="none")), 200),
        apex("JSON signed by another", record, 401, "signature_invalid", **{APEX.header: "00"}),
        apex("a record of nobody", {"Status": "Working"}, 200, "identity_missing"),
        apex("a record of no concern", {"Email": EMAIL, "Phone": "1"}, 200, "not_about_sales"),
        apex("a time that is none", {**record, "LastModifiedDate": "soon"}, 200, "time_invalid"),
    ]


def _of_pipedrive() -> Sequence[Row]:
    return [
        Row(
            "pipedrive: no password",
            "/sales/pipedrive",
            _bytes(webhook()),
            JSON,
            401,
            "unauthorized",
        ),
        pipedrive("wrong password", webhook(), 401, "unauthorized", password="guessed"),
        pipedrive(
            "no base64", webhook(), 401, "unauthorized", headers={"Authorization": "Basic \u00e9"}
        ),
        pipedrive("a list", [webhook()], 400, "event_invalid"),
        pipedrive(
            "version 1",
            {"v": 1, "current": {}, "meta": {"action": "updated"}},
            200,
            "event_invalid",
        ),
        pipedrive("version 1 in meta", webhook(version="1.0"), 200, "event_invalid"),
        pipedrive("wrong company", webhook(company_id=1), 200, "account_unknown"),
        pipedrive("deleted", webhook(action="delete"), 200, "deleted"),
        pipedrive("an unknown status", webhook({"status": "deleted"}), 200, "stage_unknown"),
        pipedrive("nothing changed", webhook(previous={}), 200, "not_about_sales"),
        pipedrive("a negative value", webhook({"value": -1}), 200, "value_invalid"),
        pipedrive("a currency that is none", webhook({"currency": "XXL"}), 200, "currency_unknown"),
        pipedrive("a time that is none", webhook(timestamp="soon"), 200, "time_invalid"),
        Row("nobody's path", "/sales/closeio", b"{}", JSON, 404, "not_found"),
        Row("a path below", "/sales/hubspot/more", b"{}", JSON, 404, "not_found"),
    ]
