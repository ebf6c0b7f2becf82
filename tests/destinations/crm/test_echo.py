"""What we write to a CRM comes back by its webhooks, and causes nothing.

A lead becomes an MQL, its messages go to the CRM's server, the server's webhooks to our sender,
and what that makes of them to the lead.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, StandingClock, an_event, lead_ids
from destinations.crms import (
    OFFERED,
    HubSpotPlace,
    PipedrivePlace,
    Place,
    SalesforcePlace,
    delivering,
    example,
    outgoing,
)
from destinations.hubspot_server import APP, PORTAL
from destinations.pipedrive_server import COMPANY
from destinations.pipedrive_server import USER as PIPEDRIVE_USER
from destinations.salesforce_server import ORGANIZATION, USER
from senders.configured import sales_senders
from unit.application.conftest import RULES, World
from warmlead.application.accept import accept, read_events
from warmlead.application.due import EvaluationContext, follow_up
from warmlead.domain.crm_ids import crm_ids_of
from warmlead.domain.dispatch import Sent
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Event
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.sales import IDENTIFIED
from warmlead.domain.trigger import Topic
from warmlead.ports import Accepted, RawRequest
from warmlead.senders.crm import SalesSender
from warmlead.sqlite_file import SqliteFile

MIRRORING = replace(RULES, updates=UpdatePolicy(at_most_every=timedelta(minutes=10)))
PEOPLE = 3

SECTIONS: Mapping[str, dict[str, Any]] = {
    "hubspot": {
        "secrets": ["a-clients-secret-of-the-tests"],
        "url": "https://warmlead.example/sales/hubspot",
        "portals": [PORTAL],
        "stages": {"lifecyclestage": {"lead": "touched", "opportunity": "opportunity"}},
    },
    "pipedrive": {
        "user": "warmlead",
        "passwords": ["a-password-of-the-tests"],
        "companies": [COMPANY],
        "stages": {"done": {"false": "touched", "true": "touched"}, "owner_id": {88: "touched"}},
    },
    "salesforce": {
        "organizations": [ORGANIZATION],
        "tokens": ["a-token-of-the-tests-0123456789"],
        "stages": {"Status": {"Open - Not Contacted": "touched", "Qualified": "accepted"}},
    },
}
OWN: Mapping[str, dict[str, Any]] = {
    "hubspot": {"own_apps": [APP]},
    "pipedrive": {"own_users": [PIPEDRIVE_USER]},
    "salesforce": {"own_users": [USER[:15]]},
}
"""The settings that name us. Without them each of the stages above would count what we write."""


def sender(name: str, **own: Any) -> SalesSender[Any]:
    (found,) = sales_senders({name: {**SECTIONS[name], **own}})
    assert isinstance(found, SalesSender)
    return found


def webhooks_of(place: Place) -> list[dict[str, Any]]:
    assert isinstance(place, HubSpotPlace | PipedrivePlace | SalesforcePlace)
    told, place.server.webhooks = place.server.webhooks, []
    return told


async def heard(
    place: Place, told: list[dict[str, Any]], world: World, **own: Any
) -> tuple[list[Accepted], list[Event]]:
    """The sender's answers to a CRM's webhooks, signed by it, and the events that it made."""
    source = sender(place.name, **own)
    before = len(await world.published(Topic.LEAD_EVENTS))
    answers = []
    for each in told:
        content = json.dumps([each] if place.name == "hubspot" else each).encode()
        parts = ("POST", source.path, "")
        rest = (content, world.clock.now(), "request")
        signed = source.sign(RawRequest(*parts, {}, *rest)).items()
        request = RawRequest(*parts, {k.lower(): v for k, v in signed}, *rest)
        answers.append(await accept(request, source, bus=world.sqlite_bus, ids=lead_ids))
    published = (await world.published(Topic.LEAD_EVENTS))[before:]
    return answers, [event for one in published for event in read_events(one.message.body)]


def email_of(number: int) -> str:
    return f"person{number}@example.com"


async def people(world: World, count: int) -> None:
    """So many people who become MQLs."""
    for number in range(count):
        email = email_of(number)
        events = [world.seen(10 * number + page, email=email) for page in range(4)]
        await world.apply(*events)


async def new_messages(world: World, sent: set[str]) -> list[Mapping[str, Any]]:
    found = [each for each in await world.triggers() if each["id"] not in sent]
    sent.update(str(each["id"]) for each in found)
    return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with SqliteFile(tmp_path / "leads.sqlite3") as file:
        yield World(file, StandingClock(), MIRRORING)


async def standing(world: World, count: int) -> dict[str, tuple[int, str]]:
    """Everybody's score and stage."""
    found = {}
    for email in map(email_of, range(count)):
        lead = await world.lead(an_event(email=email))
        assert lead.snapshot is not None
        found[email] = (lead.snapshot.score, lead.progress.stage)
    return found


@pytest.mark.parametrize("count", [5, pytest.param(50, marks=pytest.mark.slow)])
async def test_what_we_write_comes_back_and_causes_nothing(
    place: Place, world: World, tmp_path: Path, count: int
) -> None:
    sent = set[str]()
    await people(world, count)
    before = await standing(world, count)
    messages = await new_messages(world, sent)
    async with delivering(place.made(), tmp_path) as delivery:
        delivered = await asyncio.gather(*map(delivery.send, messages))
    assert sum(each.sent for each in delivered) == len(messages) >= 2 * count
    told = webhooks_of(place)
    assert len(told) >= count
    answers, events = await heard(place, told, world, **OWN[place.name])
    assert {event.name for event in events} == {IDENTIFIED}, "only whose a record is"
    assert [each for answer in answers for each in answer.refused] == []
    await world.apply(*events)
    context = EvaluationContext(world.store, world.bus, world.rules, world.clock)
    for _ in range(12):
        world.clock.forward(timedelta(minutes=10))
        await follow_up(context)
    assert await new_messages(world, sent) == []
    assert await standing(world, count) == before
    held = {record.email: (int(float(record.score)), record.stage) for record in place.held()}
    assert held == before
    assert len(place.held()) == count
    for record in place.held():
        lead = await world.lead(an_event(email=record.email))
        assert crm_ids_of(lead) == {place.name: record.id}


async def test_without_the_settings_that_name_us_our_changes_count_as_of_sales(
    place: Place, world: World
) -> None:
    await place.made().send(outgoing(example(OFFERED)), NOW)
    _, events = await heard(place, webhooks_of(place), world)
    assert "sales_touched" in {event.name for event in events}


async def test_a_change_by_sales_counts_though_we_are_named(place: Place, world: World) -> None:
    await place.made().send(outgoing(example(OFFERED)), NOW)
    told = webhooks_of(place)
    for each in told:
        if place.name == "hubspot":
            each |= {"changeSource": "CRM_UI", "sourceId": "userId:7"}
        elif place.name == "pipedrive":
            each["meta"] |= {"change_source": "app"}
        else:
            each |= {"LastModifiedById": "005Hp00000aAnnXIAS"}
    _, events = await heard(place, told, world, **OWN[place.name])
    assert "sales_touched" in {event.name for event in events}


async def test_the_next_message_finds_the_record_by_its_id(place: Place, world: World) -> None:
    destination, sent = place.made(), set[str]()
    await people(world, PEOPLE)
    for each in await new_messages(world, sent):
        await destination.send(outgoing(each), NOW)
    _, events = await heard(place, webhooks_of(place), world, **OWN[place.name])
    await world.apply(*events)
    world.clock.forward(timedelta(hours=1))
    await world.apply(world.seen(900, email=email_of(0)))
    (update,) = await new_messages(world, sent)
    (record,) = (each for each in place.held() if each.email == email_of(0))
    assert update["data"]["lead"]["crm_ids"] == {place.name: record.id}
    assert await destination.send(outgoing(update), NOW) == Sent(record.id)
    assert len(place.held()) == PEOPLE


@pytest.mark.parametrize("name", SECTIONS)
def test_our_own_fields_cannot_be_what_sales_says(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is written by Warmlead"):
        sender(name, stages={"Warmlead_Stage__c": {"mql": "accepted"}})
