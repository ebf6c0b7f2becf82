"""Salesforce: tokens and signatures, XML without surprises, ids of two lengths, the answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from senders.configured import sales_senders
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.ports import Accepted, RawRequest
from warmlead.senders.salesforce import SalesforceSource
from warmlead.senders.salesforce.source import MAX_DEPTH, full_id, read_xml
from warmlead.web.answers import Answer

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
TOKENS = ["a-token-of-the-tests-0123456789", "another-token-of-the-tests-01234"]


def source(**changes: object) -> SalesforceSource:
    settings = {
        "organizations": ["00D5g000004AbCdEAK"],
        "tokens": TOKENS,
        "stages": {"Status": {"Working": "touched"}},
        **changes,
    }
    (made,) = sales_senders({"salesforce": settings})
    assert isinstance(made, SalesforceSource)
    return made


def posted(body: str, query: str = "", **headers: str) -> RawRequest:
    raw = body.encode()
    return RawRequest("POST", "/salesforce", query, headers, raw, NOW, "req")


@pytest.mark.parametrize(
    "request_",
    [
        *(posted("<a/>", f"token={token}") for token in TOKENS),
        posted("{}", authorization=f"Bearer {TOKENS[1]}"),
    ],
)
def test_a_token_is_taken_from_the_address_or_a_header(request_: RawRequest) -> None:
    assert source().verify(request_) is Trust.SIGNED


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (posted("<a/>"), Reason.UNAUTHORIZED),
        (posted("<a/>", "token="), Reason.UNAUTHORIZED),
        (posted("<a/>", "token=guessed"), Reason.UNAUTHORIZED),
        (posted("<a/>", "&".join(["a=1"] * 50)), Reason.UNAUTHORIZED),
        (posted("{}", authorization="Bearer "), Reason.UNAUTHORIZED),
        (posted("{}", f"token={TOKENS[0]}", authorization="Bearer x"), Reason.UNAUTHORIZED),
    ],
)
def test_anybody_else_is_refused(request_: RawRequest, reason: Reason) -> None:
    with pytest.raises(RejectedError) as refusal:
        source().verify(request_)
    assert refusal.value.reason is reason


def test_without_configured_tokens_none_is_valid() -> None:
    signed_only = source(tokens=[], signature={"scheme": "hmac", "secrets": ["s"]})
    with pytest.raises(RejectedError) as refusal:
        signed_only.verify(posted("<a/>", "token="))
    assert refusal.value.reason is Reason.SIGNATURE_MISSING


@pytest.mark.parametrize(
    "full",
    ["0015000000Gv7qJAAR", "00D5g000004AbCdEAK", "aaaaaaaaaaaaaaaAAA", "AAAAAAAAAAAAAAA555"],
)
def test_ids_of_both_lengths_are_one(full: str) -> None:
    assert full_id(full[:15]) == full_id(full) == full


@pytest.mark.parametrize("value", [None, 3, "", "0015g00000AbCd", "0015g00000AbCd!"])
def test_an_invalid_id_is_refused(value: object) -> None:
    assert full_id(value) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a/><b/>",
        b"<a>&nbsp;</a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * 20_000 + b"</a>",
        b"<a>" + b"<b/>" * 2_000 + b"</a>",  # shorter ones than Salesforce ever sends
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)
def test_xml_that_is_odd_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        read_xml(body)
    assert refusal.value.reason is Reason.XML_INVALID


def test_plain_xml_is_read() -> None:
    element = read_xml(b'\xef\xbb\xbf<x:a xmlns:x="urn:x"><b>1 &lt; <![CDATA[2 & ]]>3</b></x:a>')
    assert (element.namespace, element.name) == ("urn:x", "a")
    assert [child.text for child in element.all("b")] == ["1 < 2 & 3"]


def test_an_outbound_message_is_acknowledged_and_a_refused_one_is_not() -> None:
    fixture = json.loads((HERE / "fixtures" / "outbound__leads.json").read_text())
    request = posted(fixture["body"])
    answer = source().answer(request, Accepted(1, [], 1))
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    ack = read_xml(answer.body).children[0].children[0]
    assert (ack.namespace, ack.name) == (
        "http://soap.sforce.com/2005/09/outbound",
        "notificationsResponse",
    )
    assert [child.text for child in ack.all("Ack")] == ["true"]
    failure = Answer(
        503, b'{"code": "unavailable", "message": "a < b"}', headers={"Retry-After": "5"}
    )
    refused = source().answer_failure(request, failure)
    fault = read_xml(refused.body).children[0].children[0]
    assert (refused.status, fault.name, refused.headers) == (503, "Fault", {"Retry-After": "5"})
    assert source().answer_failure(replace(request, body=b"{}"), failure) == failure


def test_a_refused_record_can_be_tried_again() -> None:
    fixture = json.loads((HERE / "fixtures" / "outbound__leads.json").read_text())
    (refused,) = source().translate(posted(fixture["body"]), Trust.SIGNED).refused
    path, raw = source().resend("/salesforce", refused.raw)
    again = posted(
        raw.replace(b"no address", b"eve@example.com")
        .decode()
        .replace("Working - Contacted", "Working")
    )
    ((_, event),) = source().translate(replace(again, path=path), Trust.PUBLIC).events
    assert (event.email, event.id, event.trust) == (
        "eve@example.com",
        "04l5g00000AAAAAAA4-Status",
        Trust.SIGNED,
    )


LEAD, OTHER, CONTACT = "00Q5g00000AbCdEEAV", "00Q5g00000ZyXwVEAV", "0035g00000AbCdEAAV"


@pytest.mark.parametrize(
    ("field", "other"), [("MasterRecordId", OTHER), ("ConvertedContactId", CONTACT)]
)
def test_a_record_that_was_merged_or_converted_is_the_same_person(field: str, other: str) -> None:
    record = {"Id": LEAD, field: other[:15], "LastModifiedDate": "2026-03-02T09:57:00.000+0000"}
    ((_, event),) = source().translate(posted(json.dumps(record)), Trust.SIGNED).events
    assert event.user_id == f"crm:salesforce:{full_id(LEAD)}"
    assert event.merged_user_id == f"crm:salesforce:{full_id(other[:15])}"
    assert (
        source().translate(posted(json.dumps({**record, field: None})), Trust.SIGNED).events == []
    )


def test_a_merge_is_stated_beside_the_records_own_events() -> None:
    record = {"Id": LEAD, "MasterRecordId": OTHER, "Status": "Working"}
    events = [e for _, e in source().translate(posted(json.dumps(record)), Trust.SIGNED).events]
    assert [event.name for event in events] == ["sales_touched", "sales_identified"]
