"""What sales tells besides its word: budget, authority, need, timing, and a note."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from warmlead.domain.event import Trust
from warmlead.domain.sales import MAX_DETAIL_LENGTH
from warmlead.ports import RawRequest, Translation
from warmlead.senders.pipedrive import PipedriveSettings, PipedriveSource
from warmlead.senders.sales import GenericSalesSettings, GenericSalesSource
from warmlead.senders.statement_parts import MAX_TRAIT, details_of, traits_of

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
SOURCE = GenericSalesSource(GenericSalesSettings(allow_unsigned=True))


def posted(**fields: Any) -> Translation:
    said = {"said": "accepted", "email": "ada@example.com", **fields}
    headers = {"content-type": "application/json"}
    body = json.dumps(said).encode()
    request = RawRequest("POST", "/generic", "", headers, body, NOW, "request")
    return SOURCE.translate(request, Trust.SIGNED)


def test_what_sales_tells_is_in_the_statement_and_all_but_the_note_a_trait() -> None:
    told = {
        "budget": 50_000,
        "authority": "decision maker",
        "need": "one score for two products",
        "timing": "this quarter",
    }
    ((_, event),) = posted(**told, note=" Wants SSO. ").events
    assert event.name == "sales_accepted"
    assert event.properties == {**told, "note": "Wants SSO."}
    assert event.traits == told


def test_a_rejection_keeps_its_reason_beside_the_words() -> None:
    ((_, event),) = posted(said="rejected", reason="not_ready", note="Come back in Q3").events
    assert event.properties == {"reason": "not_ready", "note": "Come back in Q3"}
    assert event.traits == {}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"note": ["a"]}, "note must be a text, a number, or true or false."),
        ({"need": {"a": 1}}, "need must be a text, a number, or true or false."),
        ({"note": "x" * 1_001}, "note has more than 1000 characters. Send a shorter text."),
        ({"timing": "x" * 201}, "timing has more than 200 characters. Send a shorter text."),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_to_do(
    fields: dict[str, Any], message: str
) -> None:
    (refused,) = posted(**fields).refused
    assert (refused.error.reason, refused.error.message) == ("field_invalid", message)


def test_a_crm_that_cannot_correct_it_has_its_text_cut() -> None:
    told = details_of({"note": "x" * 5_000, "need": ["a"], "budget": "", "timing": None}, cut=True)
    assert told == {"note": "x" * MAX_DETAIL_LENGTH["note"]}


def test_the_settings_of_a_crm_name_the_properties_that_hold_it() -> None:
    settings = PipedriveSettings(
        user="warmlead",
        passwords=("a-password-of-the-tests",),
        companies=(77_001,),
        stages={"status": {"lost": "not_ready"}},
        details={"budget": "a1b2", "timing": "c3d4", "note": "lost_reason"},
    )
    deal = {"id": 12, "person_id": 3, "status": "lost", "lost_reason": "Ask again in July"}
    webhook = {
        "meta": {
            "action": "change",
            "entity": "deal",
            "version": "2.0",
            "company_id": 77_001,
            "entity_id": 12,
            "id": "w1",
            "timestamp": "2026-03-02T09:59:05Z",
        },
        "data": {**deal, "custom_fields": {"a1b2": {"value": 50_000}, "c3d4": None}},
        "previous": {"status": "open"},
    }
    body = json.dumps(webhook).encode()
    request = RawRequest("POST", "/pipedrive", "", {}, body, NOW, "request")
    ((_, event),) = PipedriveSource(settings).translate(request, Trust.SIGNED).events
    assert event.name == "sales_rejected"
    assert event.properties == {
        "reason": "not_ready",
        "budget": 50_000,
        "note": "Ask again in July",
    }
    assert event.traits == {"budget": 50_000}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" +44 20 7946 0000 ", "+44 20 7946 0000"),
        (442079460000, "442079460000"),
        ([{"value": "1", "primary": False}, {"value": "2", "primary": True}], "2"),
        ([{"value": "1"}, {"value": "2"}], "1"),
        (["1", "2"], "1"),
        ({"value": "1"}, "1"),
        ("9" * 100_000, "9" * MAX_TRAIT),
    ],
)
def test_a_property_that_the_settings_name_is_a_trait(given: object, kept: str) -> None:
    assert traits_of({"phones": given, "name": "Ada"}, {"phones": "phone"}) == {"phone": kept}


@pytest.mark.parametrize("given", [None, "", " ", [], {}, [[]], [{}], {"value": {"value": "1"}}])
def test_what_is_empty_or_no_single_value_is_no_trait(given: object) -> None:
    assert traits_of({"phones": given}, {"phones": "phone"}) == {}
