"""HubSpot: its signature, and the time at which what a record says became so."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from senders.configured import sales_senders
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_AGE, Trust
from warmlead.ports import RawRequest
from warmlead.senders.hubspot import HubSpotSource
from warmlead.senders.hubspot.source import sign

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
SETTINGS = {
    "secrets": ["old", SECRET],
    "url": "https://warmlead.example/sales/hubspot",
    "portals": [4711],
    "stages": {"dealstage": {"closedwon": "won"}},
}


def source(**changes: object) -> HubSpotSource:
    (made,) = sales_senders({"hubspot": {**SETTINGS, **changes}})
    assert isinstance(made, HubSpotSource)
    return made


def posted(body: object, query: str = "", *, secret: str = SECRET) -> RawRequest:
    raw = json.dumps(body).encode()
    at_ms = str(int(NOW.timestamp() * 1000))
    url = f"{SETTINGS['url']}?{query}" if query else str(SETTINGS["url"])
    signature = sign("POST", url, raw, at_ms, secret)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": at_ms}
    return RawRequest("POST", "/hubspot", query, headers, raw, NOW, "req")


def test_the_signature_is_that_of_hubspot() -> None:
    """The text as HubSpot documents it, hashed with ``openssl dgst -sha256 -hmac``."""
    url = "https://warmlead.example/sales/hubspot?a=1%402%2F3"
    signature = sign("POST", url, b'[{"eventId":1}]', "1772445600000", SECRET)
    assert signature == "iAIndRUIC8kTgPgLCmR59B2QthUYb0IE7f+yAN3L4P8="


@pytest.mark.parametrize("query", ["", "a=1%402%2F3", "a=%20b"])
@pytest.mark.parametrize("secret", ["old", SECRET])
def test_a_signature_of_any_of_the_secrets_is_valid(query: str, secret: str) -> None:
    assert source().verify(posted([], query, secret=secret)) is Trust.SIGNED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"body": b"[ ]"}, Reason.SIGNATURE_INVALID),
        ({"query": "a=2"}, Reason.SIGNATURE_INVALID),
        ({"method": "PUT"}, Reason.METHOD_NOT_ALLOWED),
        ({"headers": {}}, Reason.SIGNATURE_MISSING),
        ({"received_at": NOW + timedelta(seconds=301)}, Reason.SIGNATURE_EXPIRED),
        ({"received_at": NOW - timedelta(seconds=301)}, Reason.SIGNATURE_EXPIRED),
        ({"path": "/hubspot/x"}, Reason.NOT_FOUND),
    ],
)
def test_anything_else_is_refused(change: dict[str, object], reason: Reason) -> None:
    request = replace(posted([]), **change)  # type: ignore[arg-type]  # parametrised
    with pytest.raises(RejectedError) as refusal:
        source().verify(request)
    assert refusal.value.reason is reason


def test_a_retry_counts_once_though_it_is_signed_anew() -> None:
    fixture = json.loads((HERE / "fixtures" / "workflow__contact.json").read_text())
    request = posted(json.loads(fixture["body"]))
    stages = {"hs_lead_status": {"BAD_TIMING": "not_ready"}}
    told = [
        source(stages=stages).translate(one, Trust.SIGNED).events
        for one in (request, replace(request, received_at=NOW + timedelta(days=3)))
    ]
    ((_, first),), ((_, second),) = told
    assert (first.key, first.occurred_at) == (second.key, second.occurred_at)


def test_a_chosen_property_may_tell_the_time() -> None:
    body = {"email": "ada@example.com", "dealstage": "closedwon", "hs_lastmodifieddate": 1772445600}
    request = posted(body)
    ((_, dated),) = source(time="hs_lastmodifieddate").translate(request, Trust.SIGNED).events
    ((_, undated),) = source().translate(request, Trust.SIGNED).events
    assert dated.occurred_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert undated.occurred_at == NOW


def test_our_own_user_id_wins_over_hubspots() -> None:
    record = {
        "vid": 301,
        "portal-id": 4711,
        "properties": {
            "warmlead_id": {"value": "u-17", "versions": []},
            "dealstage": {"value": "closedwon", "versions": []},
        },
    }
    ((_, event),) = source(user_id="warmlead_id").translate(posted(record), Trust.SIGNED).events
    assert event.user_id == "u-17"


def test_a_removed_association_or_address_changes_nothing() -> None:
    change = {"portalId": 4711, "occurredAt": 1772445600000, "eventId": 1, "subscriptionId": 2}
    gone = {
        **change,
        "subscriptionType": "contact.associationChange",
        "fromObjectId": 1,
        "toObjectId": 2,
        "associationType": "CONTACT_TO_DEAL",
        "associationRemoved": True,
    }
    empty = {
        **change,
        "subscriptionType": "contact.propertyChange",
        "objectId": 1,
        "propertyName": "email",
        "propertyValue": "",
    }
    request = posted([gone, empty])
    translation = source().translate(request, Trust.SIGNED)
    assert translation.events == []
    told = json.loads(source().answer(request, translation.accepted).body)
    assert [one["code"] for one in told["ignored"]] == ["association_removed", "email_removed"]


@pytest.mark.parametrize(
    ("name", "value", "is_heard"),
    [
        ("hs_email_optout", "true", True),
        ("hs_email_optout", "false", False),
        ("hs_email_optout", "", False),
        ("favourite_colour", "true", False),
    ],
)
def test_a_hubspot_opt_out_suppresses_the_person(name: str, value: str, *, is_heard: bool) -> None:
    change = {
        "portalId": 4711,
        "occurredAt": 1772445600000,
        "eventId": 1,
        "subscriptionId": 2,
        "subscriptionType": "contact.propertyChange",
        "objectId": 1,
        "propertyName": name,
        "propertyValue": value,
    }
    record = {
        "vid": 2,
        "portal-id": 4711,
        "properties": {"email": {"value": "ada@example.com"}, name: {"value": value}},
    }
    for body in (change, record):
        events = source().translate(posted(body), Trust.SIGNED).events
        refused = [event.name for _, event in events if event.name == "email_unsubscribed"]
        assert refused == ["email_unsubscribed"] * is_heard


LONG_AGO, TODAY = 1_461_611_608_401, 1_772_444_460_000


def since(value: str, at_ms: int) -> dict[str, object]:
    return {"value": value, "versions": [{"value": value, "timestamp": at_ms}]}


@pytest.mark.parametrize("is_won", [True, False])
def test_a_status_of_ten_years_ago_costs_a_record_nothing_else(is_won: bool) -> None:
    """An old contact that wants no mail, and may have become a customer today."""
    properties = {
        "email": since("ada@example.com", LONG_AGO),
        "hs_lead_status": since("IN_PROGRESS", LONG_AGO),
        "hs_email_optout": since("true", LONG_AGO),
        **({"dealstage": since("closedwon", TODAY)} if is_won else {}),
    }
    request = posted({"vid": 301, "portal-id": 4711, "properties": properties})
    stages = {"hs_lead_status": {"IN_PROGRESS": "touched"}, "dealstage": {"closedwon": "won"}}

    translation = source(stages=stages).translate(request, Trust.SIGNED)

    names = [event.name for _, event in translation.events]
    assert names == ["email_unsubscribed", "sales_won"][: 1 + is_won]
    assert [why.code for _, why in translation.ignored] == ["so_for_long"]
    assert translation.refused == []


def test_an_address_of_ten_years_ago_still_says_whose_a_record_is() -> None:
    change = {
        "portalId": 4711,
        "objectId": 301,
        "subscriptionType": "contact.propertyChange",
        "propertyName": "email",
        "propertyValue": "ada@example.com",
        "occurredAt": LONG_AGO,
    }

    ((_, event),) = source().translate(posted([change]), Trust.SIGNED).events

    assert (event.name, event.email) == ("sales_identified", "ada@example.com")
    assert event.occurred_at == NOW - MAX_AGE
