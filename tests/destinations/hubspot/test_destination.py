"""What only HubSpot does: merges, second addresses, scopes, and two kinds of limits."""

import asyncio
from collections.abc import Iterator

import pytest

from builders import NOW
from destinations.crm_server import Said, Trouble, running
from destinations.crms import ENTERED, OFFERED, HubSpotPlace, example, outgoing
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Declined, Postponed, Sent
from warmlead.domain.errors import ConfigurationError
from warmlead.settings import Settings

MESSAGE = outgoing(example(OFFERED))


@pytest.fixture
def bare() -> Iterator[HubSpotPlace]:
    place = HubSpotPlace()
    with running(place.server):
        yield place


@pytest.fixture
async def place(bare: HubSpotPlace) -> HubSpotPlace:
    await bare.made().setup()
    return bare


async def test_a_burst_waits_for_its_interval_and_a_day_for_an_hour(place: HubSpotPlace) -> None:
    destination = place.made()
    place.server.left = 0
    burst = await destination.send(MESSAGE, NOW)
    place.server.policy = "DAILY"
    day = await destination.send(MESSAGE, NOW)
    assert isinstance(burst, Postponed)
    assert isinstance(day, Postponed)
    assert (burst.after_s, day.after_s) == (10.0, 3_600.0)


async def test_a_stated_pause_comes_before_a_known_one(place: HubSpotPlace) -> None:
    place.server.troubles.append(Trouble("", answer=Said(429, {}, {"Retry-After": "7"})))
    result = await place.made().send(MESSAGE, NOW)
    assert isinstance(result, Postponed)
    assert result.after_s == 7


async def test_a_missing_scope_is_for_a_person(place: HubSpotPlace) -> None:
    place.server.scopes_missing = True
    result = await place.made().send(MESSAGE, NOW)
    assert result == Postponed("the token lacks a scope: see the README of the destination")


async def test_an_address_that_hubspot_refuses_is_given_up_without_being_told(
    place: HubSpotPlace,
) -> None:
    message = outgoing(example(OFFERED, lead={"email": "ada@engines"}))
    result = await place.made().send(message, NOW)
    assert isinstance(result, Declined)
    assert "INVALID_EMAIL of email" in result.why
    assert "ada" not in result.why


async def test_a_merged_contact_is_written_where_it_went(place: HubSpotPlace) -> None:
    id_ = place.add("ada@home.example")
    place.server.merged["77"] = id_
    message = outgoing(example(OFFERED, lead={"crm_ids": {"hubspot": "77"}}))
    assert await place.made().send(message, NOW) == Sent(id_)
    assert len(place.server.contacts) == 1


async def test_a_second_address_of_a_contact_is_found_by_hubspots_own_words(
    place: HubSpotPlace,
) -> None:
    id_ = place.add("ada@home.example")
    place.server.secondary_emails["ada@example.com"] = id_
    assert await place.made().send(MESSAGE, NOW) == Sent(id_)
    (record,) = place.held()
    assert (record.email, record.score) == ("ada@home.example", "55")


async def test_two_processes_make_one_contact(place: HubSpotPlace) -> None:
    one, other = place.made(), place.made()
    messages = (MESSAGE, outgoing(example(ENTERED)))
    await asyncio.gather(one.send(messages[0], NOW), other.send(messages[1], NOW))
    assert len(place.server.contacts) == len(place.server.tasks) == 1


async def test_a_task_that_is_done_stays_done(place: HubSpotPlace) -> None:
    destination = place.made()
    await destination.send(MESSAGE, NOW)
    (task,) = place.server.tasks.values()
    task |= {"hs_task_status": "COMPLETED", "hs_task_subject": "Called her"}
    await destination.send(MESSAGE, NOW)
    (task,) = place.server.tasks.values()
    assert (task["hs_task_status"], task["hs_task_subject"]) == ("COMPLETED", "Called her")


async def test_words_of_visitors_are_no_html_in_a_task(place: HubSpotPlace) -> None:
    message = outgoing(example(OFFERED, data={"reasons": ["+1 <img src=x onerror=alert(1)>"]}))
    await place.made().send(message, NOW)
    (task,) = place.server.tasks.values()
    assert "&lt;img" in task["hs_task_body"]
    assert "<img" not in task["hs_task_body"]


async def test_an_owner_that_the_contact_has_stays(place: HubSpotPlace) -> None:
    id_ = place.add("ada@example.com")
    place.server.contacts[id_]["hubspot_owner_id"] = "99"
    await place.made().send(MESSAGE, NOW)
    assert place.server.contacts[id_]["hubspot_owner_id"] == "99"
    (task,) = place.tasks()
    assert task.owner == "71"


async def test_the_id_of_tasks_is_unique_by_the_set_up(bare: HubSpotPlace) -> None:
    await bare.made().setup()
    assert bare.server.unique["tasks"] == {"warmlead_message_id"}
    assert bare.server.types["contacts"]["warmlead_score"] == "number"
    assert bare.server.types["contacts"]["warmlead_touch_by"] == "datetime"


def test_every_fault_of_a_section_is_told_at_once() -> None:
    section = {"to": "hubspot", "owner": {}, "tasks": "perhaps", "messages": ["lead.alert"]}
    with pytest.raises(ConfigurationError) as refusal:
        destinations_in({"crm": section}, Settings())
    told = " ".join(refusal.value.problems)
    assert "tokens" in told
    assert "tasks" in told
    assert "owner" in told


def test_another_address_is_only_for_ones_own_machine() -> None:
    token = "pat-eu1-8d2e0c31-7f5a-4c1b-9e64-2b7a90c3d1f5"
    section = {"to": "hubspot", "tokens": [token], "address": "https://api.example.com"}
    assert destinations_in({"crm": section}, Settings())
    with pytest.raises(ConfigurationError, match="only for one's own machine"):
        destinations_in({"crm": section}, Settings(env="production"))
    with pytest.raises(ConfigurationError, match="must begin with https"):
        destinations_in({"crm": {**section, "address": "http://api.example.com"}}, Settings())


def test_a_token_is_never_shown(bare: HubSpotPlace) -> None:
    destination = bare.made()
    assert "pat-" not in repr(destination)
    assert "pat-" not in repr(destination._settings)  # type: ignore[attr-defined]  # noqa: SLF001  # what a traceback shows
