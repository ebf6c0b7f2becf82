"""What only Salesforce does: logins, converted leads, duplicate rules, queries of text."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from destinations.crm_server import Said, Trouble, running
from destinations.crms import ENTERED, OFFERED, SalesforcePlace, a_person, example, outgoing
from destinations.salesforce_server import USER
from warmlead.destinations.registry import destinations_in
from warmlead.destinations.salesforce.api import soql_text
from warmlead.domain.dispatch import Declined, Postponed, Sent
from warmlead.domain.errors import ConfigurationError
from warmlead.settings import Settings

MESSAGE = outgoing(example(OFFERED))


@pytest.fixture
def bare() -> Iterator[SalesforcePlace]:
    place = SalesforcePlace()
    with running(place.server):
        yield place


@pytest.fixture
async def place(bare: SalesforcePlace) -> SalesforcePlace:
    await bare.made().setup()
    bare.server.logins = 0
    return bare


# --- the login -----------------------------------------------------------------------------


async def test_one_login_serves_many_messages(place: SalesforcePlace) -> None:
    destination = place.made()
    await asyncio.gather(*(destination.send(outgoing(a_person(n)), NOW) for n in range(8)))
    assert place.server.logins == 1


async def test_a_token_that_has_ended_is_replaced(place: SalesforcePlace) -> None:
    destination = place.made()
    await destination.send(MESSAGE, NOW)
    place.server.tokens.clear()
    later = outgoing(example(ENTERED, time="2026-03-10T15:00:00Z", data={"score": 70}))
    assert isinstance(await destination.send(later, NOW), Sent)
    assert place.server.logins == 2
    assert place.held()[0].score == "70"


async def test_a_token_is_not_used_beyond_its_stated_end(place: SalesforcePlace) -> None:
    place.server.expires_in = 600
    destination = place.made()
    for minutes in (0, 9, 11):
        await destination.send(MESSAGE, NOW + timedelta(minutes=minutes))
    assert place.server.logins == 2


async def test_a_login_that_fails_for_now_is_waited_for(place: SalesforcePlace) -> None:
    answer = Said(503, {"error": "unavailable"}, {"Retry-After": "30"})
    place.server.troubles.append(Trouble("POST /services/oauth2", answer=answer))
    result = await place.made().send(MESSAGE, NOW)
    assert isinstance(result, Postponed)
    assert result.after_s == 30


# --- records -------------------------------------------------------------------------------


async def test_a_contact_comes_before_a_lead_of_the_same_address(place: SalesforcePlace) -> None:
    place.server.add("Lead", Email="ada@example.com", LastName="Lovelace", Company="Engines")
    contact = place.server.add("Contact", Email="ada@example.com", LastName="Lovelace")
    assert await place.made().send(MESSAGE, NOW) == Sent(contact)


async def test_a_lead_of_sales_is_taken_up(place: SalesforcePlace) -> None:
    lead = place.server.add("Lead", Email="ADA@example.com", LastName="L", Company="[not provided]")
    assert await place.made().send(MESSAGE, NOW) == Sent(lead)
    held = place.server.records["Lead"][lead]
    assert (held["LastName"], held["Company"]) == ("L", "Analytical Engines")
    assert held["Warmlead_Score__c"] == 55


async def test_a_converted_lead_is_written_on_its_contact(place: SalesforcePlace) -> None:
    destination = place.made()
    made = await destination.send(MESSAGE, NOW)
    assert isinstance(made, Sent)
    contact = place.server.add("Contact", Email="ada@new.example", LastName="Lovelace")
    converted = {"IsConverted": True, "ConvertedContactId": contact}
    place.server.records["Lead"][made.reference] |= converted
    later = {"time": "2026-03-10T15:00:00Z", "data": {"score": 70}}
    for crm_ids in ({}, {"salesforce": made.reference}):
        message = outgoing(example(ENTERED, lead={"crm_ids": crm_ids}, **later))
        assert await destination.send(message, NOW) == Sent(contact)
    assert place.server.records["Contact"][contact]["Warmlead_Score__c"] == 70
    assert len(place.server.records["Lead"]) == 1


async def test_two_processes_make_one_lead(place: SalesforcePlace) -> None:
    one, other = place.made(), place.made()
    await asyncio.gather(one.send(MESSAGE, NOW), other.send(outgoing(example(ENTERED)), NOW))
    assert len(place.server.records["Lead"]) == len(place.server.records["Task"]) == 1


async def test_what_salesforce_demands_and_nobody_knows_is_filled_later(
    place: SalesforcePlace,
) -> None:
    destination = place.made()
    await destination.send(outgoing(example(ENTERED, lead={"traits": {}})), NOW)
    (lead,) = place.server.records["Lead"].values()
    assert (lead["LastName"], lead["Company"]) == ("[not provided]", "[not provided]")
    await destination.send(MESSAGE, NOW)
    assert (lead["LastName"], lead["Company"]) == ("Lovelace", "Analytical Engines")


async def test_names_are_cut_to_salesforces_lengths(place: SalesforcePlace) -> None:
    traits = {"first_name": "A" * 100, "last_name": "B" * 100, "title": "C" * 200}
    assert isinstance(
        await place.made().send(outgoing(example(OFFERED, lead={"traits": traits})), NOW), Sent
    )
    (lead,) = place.server.records["Lead"].values()
    assert [len(lead[name]) for name in ("FirstName", "LastName", "Title")] == [40, 80, 128]


async def test_an_address_with_an_apostrophe_is_found(place: SalesforcePlace) -> None:
    contact = place.server.add("Contact", Email="o'brien@example.com", LastName="O'Brien")
    message = outgoing(example(OFFERED, lead={"email": "o'brien@example.com"}))
    assert await place.made().send(message, NOW) == Sent(contact)


@given(st.text())
def test_a_text_in_a_query_ends_where_it_should(text: str) -> None:
    literal = soql_text(text)
    inner = literal[1:-1]
    assert literal[0] == literal[-1] == "'"
    unescaped = inner.replace("\\\\", "").replace("\\'", "")
    assert "'" not in unescaped
    assert "\\" not in unescaped


async def test_a_task_that_is_done_stays_done(place: SalesforcePlace) -> None:
    destination = place.made()
    await destination.send(MESSAGE, NOW)
    (task,) = place.server.records["Task"].values()
    task |= {"Status": "Completed", "Subject": "Called her"}
    await destination.send(MESSAGE, NOW)
    (task,) = place.server.records["Task"].values()
    assert (task["Status"], task["Subject"]) == ("Completed", "Called her")


# --- errors --------------------------------------------------------------------------------


async def test_the_limit_of_requests_is_waited_for(place: SalesforcePlace) -> None:
    destination = place.made()
    place.server.left = 0
    result = await destination.send(MESSAGE, NOW)
    assert result == Postponed("Salesforce's limit of requests is used up", 900.0)


async def test_a_duplicate_rule_is_for_a_person_and_tells_no_address(
    place: SalesforcePlace,
) -> None:
    place.server.duplicate_rule = True
    result = await place.made().send(MESSAGE, NOW)
    assert result == Declined("Salesforce refused it: DUPLICATES_DETECTED")


async def test_an_address_that_salesforce_refuses_is_given_up(place: SalesforcePlace) -> None:
    message = outgoing(example(OFFERED, lead={"email": "ada@engines"}))
    result = await place.made().send(message, NOW)
    assert result == Declined("Salesforce refused it: INVALID_EMAIL_ADDRESS at Email")


async def test_a_locked_record_is_tried_again(place: SalesforcePlace) -> None:
    locked = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable", "fields": []}]
    place.server.troubles.append(Trouble(place.creates, answer=Said(400, locked)))
    destination = place.made()
    assert isinstance(await destination.send(MESSAGE, NOW), Postponed)
    assert isinstance(await destination.send(MESSAGE, NOW), Sent)


async def test_a_user_without_rights_loses_nothing(place: SalesforcePlace) -> None:
    denied = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no", "fields": []}]
    place.server.troubles.append(Trouble(place.creates, answer=Said(403, denied)))
    result = await place.made().send(MESSAGE, NOW)
    assert result == Postponed("the app's user may not do this: INSUFFICIENT_ACCESS")


# --- set-up --------------------------------------------------------------------------------


async def test_the_set_up_lets_the_apps_user_at_every_field(bare: SalesforcePlace) -> None:
    await bare.made().setup()
    (set_id,) = bare.server.records["PermissionSet"]
    permitted = {one["Field"] for one in bare.server.records["FieldPermissions"].values()}
    made = {f"{kind}.{name}" for kind, own in bare.server.custom.items() for name in own}
    assert permitted == made
    assert "Task.Warmlead_Message_Id__c" in made
    (assigned,) = bare.server.records["PermissionSetAssignment"].values()
    assert (assigned["AssigneeId"], assigned["PermissionSetId"]) == (USER, set_id)


async def test_a_set_up_that_ended_half_way_is_completed(bare: SalesforcePlace) -> None:
    place = "POST /services/data/v62.0/sobjects/FieldPermissions"
    bare.server.troubles.append(Trouble(place, answer=Said(500, [])))
    with pytest.raises(ConfigurationError):
        await bare.made().setup()
    made = await bare.made().setup()
    assert [each for each in made if each.startswith("field")] == []
    assert [each for each in made if each.startswith("permission for")]
    assert isinstance(await bare.made().send(MESSAGE, NOW), Sent)


def test_every_fault_of_a_section_is_told_at_once() -> None:
    section = {
        "to": "salesforce",
        "domain": "https://acme.example.com",
        "client_id": "c",
        "secrets": ["s"],
        "owners": {"ann": "Ann"},
    }
    with pytest.raises(ConfigurationError) as refusal:
        destinations_in({"crm": section}, Settings())
    assert len(refusal.value.problems) == 2
    good = {**section, "owners": {"ann": "005Hp00000aAnnXIAS"}}
    for domain in ("acme.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"):
        assert destinations_in({"crm": {**good, "domain": domain}}, Settings())
