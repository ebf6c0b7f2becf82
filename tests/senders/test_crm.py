"""What is common to senders of sales: ids of a CRM are not for the public, unsigned is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import convert

from builders import an_event
from senders.configured import sales_senders
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import SALES_EVENTS, Trust
from warmlead.domain.sales import EVENT_PREFIX, IDENTIFIED, SalesStatus
from warmlead.parsing.signatures import HmacScheme
from warmlead.ports import RawRequest
from warmlead.senders.hubspot.source import Change
from warmlead.senders.statement_parts import CrmDeal, deal_value

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("field", ["user_id", "anonymous_id"])
def test_the_public_cannot_claim_ids_of_a_crm(field: str) -> None:
    fields = {field: "crm:hubspot:4711:contact:301", "email": "mallory@example.com"}
    with pytest.raises(RejectedError) as refusal:
        an_event(trust=Trust.PUBLIC, **fields)
    assert refusal.value.reason is Reason.IDENTITY_INVALID
    assert an_event(trust=Trust.SIGNED, **fields)


@pytest.mark.parametrize("name", sorted(SALES_EVENTS))
def test_the_public_cannot_send_statements_of_sales(name: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        an_event(trust=Trust.PUBLIC, name=name)
    assert refusal.value.reason is Reason.EVENT_INVALID
    assert an_event(trust=Trust.SIGNED, name=name)


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ({"changeSource": "INTEGRATION", "sourceId": "90210"}, True),
        ({"changeSource": "INTEGRATION", "sourceId": "appId:90210"}, True),
        ({"changeSource": "INTEGRATION", "sourceId": 90210}, True),
        ({"changeSource": "INTEGRATION", "sourceId": "90211"}, False),
        ({"changeSource": "INTEGRATION"}, False),
        ({"changeSource": "CRM_UI", "sourceId": "userId:90210"}, False),
        ({}, False),
    ],
)
def test_a_change_at_hubspot_is_ours_if_one_of_our_apps_made_it(
    told: dict[str, Any], ours: bool
) -> None:
    change = convert({"portalId": 1, "occurredAt": 1, **told}, Change)
    assert change.is_by((7, 90210)) is ours
    assert not change.is_by(())


def test_event_names_of_sales_are_reserved_for_it() -> None:
    assert {f"{EVENT_PREFIX}{said}" for said in SalesStatus} | {IDENTIFIED} == SALES_EVENTS
    assert an_event(trust=Trust.PUBLIC, name="sales_page_viewed")


def posted(**headers: str) -> RawRequest:
    body = json.dumps({"said": "touched", "email": "ada@example.com"}).encode()
    return RawRequest("POST", "/generic", "", headers, body, NOW, "req")


def test_a_signature_is_required_unless_the_settings_say_otherwise() -> None:
    scheme = HmacScheme()
    signature = {"scheme": "hmac", "secrets": ["s"]}
    (strict,) = sales_senders({"generic": {"signature": signature}})
    signed = posted(**{"x-signature": scheme.sign(posted().body, "s")})
    assert strict.verify(signed) is Trust.SIGNED
    with pytest.raises(RejectedError) as refusal:
        strict.verify(posted())
    assert refusal.value.reason is Reason.SIGNATURE_MISSING
    (lenient,) = sales_senders({"generic": {"signature": signature, "allow_unsigned": True}})
    assert lenient.verify(posted()) is Trust.SIGNED
    with pytest.raises(RejectedError) as wrong:
        lenient.verify(posted(**{"x-signature": "00"}))
    assert wrong.value.reason is Reason.SIGNATURE_INVALID


def test_the_same_statement_without_id_and_time_counts_once_a_day() -> None:
    (sender,) = sales_senders({"generic": {"allow_unsigned": True}})
    first, same, next_day = (
        sender.translate(RawRequest("POST", "/generic", "", {}, body, at, "req"), Trust.SIGNED)
        for body, at in (
            (posted().body, NOW),
            (b'{"email": "ada@example.com", "said": "touched"}', NOW.replace(hour=23)),
            (posted().body, NOW.replace(day=3)),
        )
    )
    assert first.events[0][1].key == same.events[0][1].key != next_day.events[0][1].key


def test_the_currency_of_an_amount_is_the_one_that_is_named() -> None:
    assert deal_value("1.200,00 €", None, otherwise="USD") == CrmDeal(120_000, "EUR")
    assert deal_value("1.200,00 €", "eur") == CrmDeal(120_000, "EUR")
    assert deal_value("$5", None, otherwise="USD") == CrmDeal(500, "USD")
    assert deal_value(1.2, "EUR") == deal_value("1.20", "EUR") == CrmDeal(120, "EUR")
    for value, currency in (("5 €", "USD"), ("5", None), ("5", ["EUR"])):
        with pytest.raises(RejectedError) as refusal:
            deal_value(value, currency)
        assert refusal.value.reason is Reason.CURRENCY_UNKNOWN


@pytest.mark.parametrize("value", [True, [5], {"amount": 5}, 10**40, float("nan"), "9" * 5000])
def test_an_invalid_amount_is_refused(value: object) -> None:
    with pytest.raises(RejectedError) as refusal:
        deal_value(value, "EUR")
    assert refusal.value.reason is Reason.VALUE_INVALID


def test_how_a_sender_writes_numbers_is_a_setting() -> None:
    body = b'{"email": "ada@example.com", "said": "won", "value": "1.200", "currency": "EUR"}'
    request = RawRequest("POST", "/generic", "", {}, body, NOW, "req")
    (strict,) = sales_senders({"generic": {"allow_unsigned": True}})
    (german,) = sales_senders({"generic": {"allow_unsigned": True, "numbers": "1.234,56"}})

    refused = strict.translate(request, Trust.SIGNED).refused
    (event,) = (event for _, event in german.translate(request, Trust.SIGNED).events)

    assert [one.error.reason for one in refused] == [Reason.VALUE_INVALID]
    assert event.properties["value_cents"] == 120_000
