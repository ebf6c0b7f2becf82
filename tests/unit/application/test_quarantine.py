"""Quarantine: listed with its reason, tried again without doubling, never lost."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from builders import StandingClock, an_event
from captcha_server import SECRET, CaptchaVendor, a_vendor
from senders.configured import forms_in
from unit.application.conftest import DAY, World
from warmlead.application.accept import (
    Quarantined,
    accept,
    by_lead,
    read_events,
    set_aside,
    to_quarantine,
)
from warmlead.application.quarantine import Release, entries
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Automation, Event, Trust
from warmlead.domain.trigger import Topic
from warmlead.ports import Message, RawRequest, Source
from warmlead.senders.generic import FormSettings, GenericSource
from warmlead.senders.segment import SegmentSource

SOURCES: Mapping[str, Source] = {
    "segment": SegmentSource({"key": Trust.PUBLIC}),
    "generic": GenericSource({"generic": FormSettings(allow_unsigned=True)}),
}
CALL = '{"type": "track", "event": "Site Searched", "anonymousId": "browser-1"}'


def release(world: World) -> Release:
    return Release(world.bus, world.sqlite_bus, SOURCES, world.ids, world.clock)


def an_item(raw: str | None = CALL, *, event: Event | None = None, **changes: Any) -> Quarantined:
    fields: dict[str, Any] = {"source": "segment", "path": "/v1/batch", **changes}
    return Quarantined(
        reason=Reason.EVENT_INVALID,
        message="It makes no event.",
        received_at=an_event().received_at,
        raw=None if event else raw,
        event=event,
        **fields,
    )


async def lying(world: World, *items: Quarantined) -> None:
    await world.bus.publish(Topic.QUARANTINE, [to_quarantine(item) for item in items])


async def work_all(world: World) -> None:
    """What ``score`` does with what waits for it."""
    while found := await world.sqlite_bus.pull("score", most=100, now=world.clock.now()):
        for delivery in found:
            await world.apply(*read_events(delivery.published.message.body))
        await world.sqlite_bus.acknowledge(found)


async def test_an_item_is_released_counted_once_and_gone(world: World) -> None:
    await lying(world, an_item())
    assert await release(world)(await entries(world.sqlite_bus)) == (1, 0)
    assert await entries(world.sqlite_bus) == []
    await work_all(world)
    lead = await world.lead(an_event(anonymous_id="browser-1"))
    assert lead.kept_events == 1


@pytest.mark.parametrize("trust", [None, Trust.PUBLIC, Trust.SIGNED])
async def test_an_item_is_trusted_as_its_request_was(world: World, trust: Trust | None) -> None:
    await lying(world, an_item(trust=trust))
    await release(world)(await entries(world.sqlite_bus))
    (message,) = await world.published(Topic.LEAD_EVENTS)
    (event,) = read_events(message.message.body)
    assert event.trust is (trust or Trust.PUBLIC)


async def test_a_quarantined_post_becomes_a_lead_once_its_form_names_the_field(
    world: World,
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = b"contacto[0]=Ada+%3Cada%40example.com%3E&nombre=Ada&password=x"
    request = RawRequest("POST", "/generic/es", "", headers, body, world.clock.now(), "request-1")
    unnamed = GenericSource({"es": FormSettings(allow_unsigned=True)})
    await accept(request, unnamed, bus=world.bus, ids=world.ids)
    found = await entries(world.sqlite_bus)
    assert [entry.reason for entry in found] == ["identity_missing"]
    assert "contacto, nombre" in found[0].message
    settings = FormSettings(allow_unsigned=True, email="contacto", traits={"nombre": "first_name"})
    named = {"generic": GenericSource({"es": settings})}
    again = Release(world.bus, world.sqlite_bus, named, world.ids, world.clock)
    assert await again(found) == (1, 0)
    await work_all(world)
    lead = await world.lead(an_event(email="ada@example.com"))
    assert (lead.email, lead.traits) == ("ada@example.com", {"first_name": "Ada"})
    assert await entries(world.sqlite_bus) == []


async def test_two_items_of_one_request_stay_two_events(world: World) -> None:
    await lying(world, an_item(), an_item())
    await release(world)(await entries(world.sqlite_bus))
    await work_all(world)
    assert (await world.lead(an_event(anonymous_id="browser-1"))).kept_events == 2


async def test_a_release_that_is_cut_short_doubles_nothing(world: World) -> None:
    await lying(world, an_item())
    chosen = await entries(world.sqlite_bus)
    await release(world)(chosen)
    await release(world)(chosen)  # as if it had been killed before the entry was gone
    await work_all(world)
    assert (await world.lead(an_event(anonymous_id="browser-1"))).kept_events == 1


async def test_a_robots_item_stays_automated_when_it_is_released(world: World) -> None:
    await lying(world, an_item(automated=Automation.PREVIEW))
    await release(world)(await entries(world.sqlite_bus))
    await work_all(world)
    lead = await world.lead(an_event(anonymous_id="browser-1"))
    assert lead.tally().names.keys() == {"preview_request"}


async def test_an_item_that_cannot_be_published_stays(world: World) -> None:
    await lying(world, an_item())
    world.bus.away = frozenset([Topic.LEAD_EVENTS])
    with pytest.raises(UnavailableError):
        await release(world)(await entries(world.sqlite_bus))
    assert len(await entries(world.sqlite_bus)) == 1


@pytest.mark.parametrize(
    "item",
    [
        an_item("{}"),
        an_item("no JSON"),
        an_item(CALL, source="typeform"),
        an_item('{"email": "a@"}', source="generic", path="/generic"),
        an_item(CALL, source="lead-events"),
    ],
)
async def test_an_item_that_is_still_unusable_stays_with_its_reason(
    world: World, item: Quarantined
) -> None:
    await lying(world, item)
    (entry,) = await entries(world.sqlite_bus)
    assert (entry.kind, entry.reason, entry.content) == ("item", "event_invalid", item.raw)
    assert await release(world)([entry]) == (0, 1)
    assert await entries(world.sqlite_bus) == [entry]
    assert await world.published(Topic.LEAD_EVENTS) == []


async def test_an_expired_event_counts_after_its_release(
    world: World, clock: StandingClock
) -> None:
    late = world.seen(1)
    clock.forward(40 * DAY)
    await world.apply(late)
    (entry,) = await entries(world.sqlite_bus)
    assert entry.reason == "received_too_long_ago"
    assert json.loads(entry.content)["id"] == "event-1"
    assert await release(world)([entry]) == (1, 0)
    await work_all(world)
    lead = await world.lead()
    assert dict(lead.tally().names) == {
        "page_viewed": {late.occurred_at.date().toordinal() - 719163: 1}
    }


async def test_dead_messages_are_listed_and_retried(world: World, clock: StandingClock) -> None:
    await world.bus.publish(Topic.LEAD_EVENTS, by_lead([world.seen(1)], world.ids))
    while due := await world.sqlite_bus.pull("score", most=1, now=clock.now()):
        await world.sqlite_bus.retry_later(due[0], why="score answered 500", now=clock.now())
        clock.forward(DAY)
    (entry,) = await entries(world.sqlite_bus)
    assert (entry.kind, entry.reason, entry.message) == (
        "message",
        "given_up",
        "score answered 500",
    )
    assert await release(world)([entry]) == (1, 0)
    assert await entries(world.sqlite_bus) == []
    await work_all(world)
    assert (await world.lead()).kept_events == 1


async def test_a_foreign_message_lies_in_quarantine_unchanged(
    world: World, clock: StandingClock
) -> None:
    error = RejectedError(Reason.MESSAGE_INVALID, "not ours")
    await set_aside(b"\xff{}", error, bus=world.bus, now=clock.now())
    (entry,) = await entries(world.sqlite_bus)
    assert (entry.reason, entry.content) == ("message_invalid", "\ufffd{}")
    assert await release(world)([entry]) == (0, 1)


async def test_everything_is_listed_the_oldest_first(world: World) -> None:
    await lying(world, an_item("1"))
    await world.bus.publish(Topic.LEAD_EVENTS, [Message(b"{}", {})])
    await lying(world, an_item("2"), an_item(event=an_event()))
    found = await entries(world.sqlite_bus)
    assert [entry.content[:1] for entry in found] == ["1", "2", "{"]
    assert [entry.number for entry in found] == sorted(entry.number for entry in found)


async def test_an_item_that_cannot_be_read_is_listed_among_the_others_and_stays(
    world: World,
) -> None:
    await world.bus.publish("quarantine", [Message(b'{"v": 9}', {"source": "newer"})])
    (entry,) = await entries(world.sqlite_bus)
    assert (entry.reason, entry.source, entry.content) == ("unreadable", "newer", '{"v": 9}')
    assert await release(world)([entry]) == (0, 1)
    assert len(await entries(world.sqlite_bus)) == 1


def checked_form(vendor: CaptchaVendor) -> GenericSource:
    captcha = {
        "service": vendor.service,
        "secrets": [SECRET],
        "on_outage": "set_aside",
        "address": vendor.address,
    }
    return GenericSource(forms_in({"contact": {"allow_unsigned": True, "captcha": captcha}}))


async def posted(world: World, source: GenericSource, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    now = world.clock.now()
    request = RawRequest("POST", "/generic/contact", "", headers, body, now, "request-1")
    await accept(request, source, bus=world.bus, ids=world.ids)


async def test_what_passed_no_spam_check_is_released_without_asking_again(world: World) -> None:
    with a_vendor("turnstile") as vendor:
        source = checked_form(vendor)
        await posted(world, source, b"email=ada%40example.com&company=Engines")
        await posted(world, source, b"email=bob%40example.com&cf-turnstile-response=forged")
        vendor.answer = (503, b"")
        await posted(world, source, b"email=eve%40example.com&cf-turnstile-response=good")
        found = await entries(world.sqlite_bus)
        sources = {"generic": source}
        again = Release(world.bus, world.sqlite_bus, sources, world.ids, world.clock)
        assert await again(found) == (3, 0)
        assert len(vendor.asked) == 2

    assert [one.reason for one in found] == [
        "captcha_missing",
        "captcha_failed",
        "captcha_unchecked",
    ]
    assert all(one.is_for_a_person for one in found)
    assert not any(token in one.content for one in found for token in ("forged", "good"))
    await work_all(world)
    lead = await world.lead(an_event(email="ada@example.com"))
    assert (lead.traits, lead.kept_events) == ({"company": "Engines"}, 1)
    assert (await world.lead(an_event(email="eve@example.com"))).kept_events == 1


async def test_a_repeat_that_was_set_aside_is_not_counted_twice(world: World) -> None:
    body = b"email=ada%40example.com&g-recaptcha-response=good"
    with a_vendor("recaptcha") as vendor:
        first, second = checked_form(vendor), checked_form(vendor)  # two instances
        await posted(world, first, body)
        await posted(world, second, body)
        found = await entries(world.sqlite_bus)
        sources = {"generic": second}
        again = Release(world.bus, world.sqlite_bus, sources, world.ids, world.clock)
        assert await again(found) == (1, 0)
    assert [one.reason for one in found] == ["captcha_failed"]
    await work_all(world)
    assert (await world.lead(an_event(email="ada@example.com"))).kept_events == 1


async def test_a_failure_of_the_bus_costs_no_persons_token(world: World) -> None:
    body = b"email=ada%40example.com&g-recaptcha-response=good"
    with a_vendor("recaptcha") as vendor:
        source = checked_form(vendor)
        world.bus.away = frozenset({Topic.LEAD_EVENTS})
        with pytest.raises(UnavailableError):
            await posted(world, source, body)
        world.bus.away = frozenset()
        await posted(world, source, body)
        assert len(vendor.asked) == 1
    assert len(await world.published(Topic.LEAD_EVENTS)) == 1
    assert await entries(world.sqlite_bus) == []
