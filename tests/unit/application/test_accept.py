"""Accepting: all or nothing for a request, one message a lead, unusable items set aside."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, lead_ids
from unit.application.conftest import World
from warmlead.application.accept import (
    MAX_SET_ASIDE_BYTES,
    MAX_SET_ASIDE_OF_ALL_BYTES,
    LeadEvents,
    accept,
    read_events,
    set_aside,
)
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Event, Trust
from warmlead.domain.trigger import Topic
from warmlead.ports import Accepted, CompletedSource, RawRequest
from warmlead.senders.generic import FormSettings, GenericSource
from warmlead.senders.segment import SegmentSource

EVENT_FIELDS = {
    *("id", "source", "trust", "name", "occurred_at", "received_at", "v"),
    *("email", "user_id", "anonymous_id", "merged_user_id", "direct"),
    *("traits", "properties", "attribution", "automated", "notes"),
}
"""The fields of an event in version 1 of the message."""

SOURCE = SegmentSource({"key": Trust.PUBLIC})


def call(who: str, number: int, **fields: object) -> Mapping[str, object]:
    sound = {"type": "track", "event": "Site Searched", "messageId": f"m-{number}"}
    return {**sound, "anonymousId": who, **fields}


async def accepted(world: World, *calls: Mapping[str, object], key: str = "key") -> Accepted:
    body = json.dumps({"batch": calls, "writeKey": key}).encode()
    request = RawRequest("POST", "/v1/batch", "", {}, body, NOW, "request-1")
    return await accept(request, SOURCE, bus=world.bus, ids=lead_ids)


async def test_the_events_of_a_lead_are_one_message_in_their_order(world: World) -> None:
    outcome = await accepted(world, call("a", 1), call("b", 2), call("a", 3))
    assert (outcome.events, outcome.items, list(outcome.refused)) == (3, 3, [])
    first, second = await world.published(Topic.LEAD_EVENTS)
    assert [event.id for event in read_events(first.message.body)] == ["m-1", "m-3"]
    assert [event.id for event in read_events(second.message.body)] == ["m-2"]
    assert first.message.attributes["events"] == "2"
    assert first.message.attributes["lead_id"] != second.message.attributes["lead_id"]


async def test_attributes_hold_no_personal_data(world: World) -> None:
    await accepted(world, call("a", 1, userId="ada@example.com"))
    (message,) = await world.published(Topic.LEAD_EVENTS)
    assert "ada" not in str(message.message.attributes)


async def test_unusable_items_are_set_aside_whole_without_the_key(world: World) -> None:
    outcome = await accepted(world, call("a", 1), call("a", 2, event=None, writeKey="key"))
    assert (outcome.events, len(outcome.refused)) == (1, 1)
    (entry,) = await world.published(Topic.QUARANTINE)
    kept = json.loads(entry.message.body)
    assert kept["reason"] == entry.message.attributes["reason"] == "event_name_missing"
    assert kept["path"] == "/v1/batch"
    assert json.loads(kept["raw"]) == call("a", 2, event=None)
    assert kept["trust"] == "public"


async def test_notes_on_cut_fields_are_answered_and_published(world: World) -> None:
    outcome = await accepted(world, call("a", 1), call("a", 2, timestamp="soon"))
    assert outcome.notes == ((1, "timestamp: was left out (time_invalid)"),)
    (message,) = await world.published(Topic.LEAD_EVENTS)
    notes = [event.notes for event in read_events(message.message.body)]
    assert notes == [(), ("timestamp: was left out (time_invalid)",)]


@pytest.mark.slow
async def test_quarantined_items_have_a_limit_of_size(world: World) -> None:
    source = SegmentSource({"key": Trust.PUBLIC}, max_event_bytes=1_000)
    body = json.dumps({"batch": [call("a", 1), call("a", 2, x="y" * 400_000)]}).encode()
    request = RawRequest("POST", "/v1/batch", "writeKey=key", {}, body, NOW, "request-1")
    await accept(request, source, bus=world.bus, ids=lead_ids)
    (entry,) = await world.published(Topic.QUARANTINE)
    assert len(json.loads(entry.message.body)["raw"]) == MAX_SET_ASIDE_BYTES


@pytest.mark.slow
async def test_a_packed_post_of_unusable_calls_takes_little_room(world: World) -> None:
    bad = [call("a", n, event=None, properties={"a": "x" * 800}) for n in range(2_400)]
    await accepted(world, call("a", 2_401), *bad)
    kept = await world.published(Topic.QUARANTINE)
    assert sum(len(each.message.body) for each in kept) < 130_000


async def test_large_unusable_calls_take_no_more_room_together(world: World) -> None:
    """And an ``@`` alone makes no address: only what may become a lead is kept first."""
    bad = [call("a", n, event=None, properties={"a": "@" * 5_000}) for n in range(100)]
    person = call("a", 100, event=None, properties={"mail": "ada@example.com"})
    await accepted(world, call("a", 101), *bad, person)

    *kept, more = [json.loads(e.message.body) for e in await world.published(Topic.QUARANTINE)]

    assert "ada@example.com" in kept[-1]["raw"]
    assert sum(len(entry["raw"]) for entry in kept) < MAX_SET_ASIDE_OF_ALL_BYTES
    assert f"and {101 - len(kept)} more" in more["message"]


@pytest.mark.slow
async def test_a_small_packed_post_takes_a_lot_of_room(world: World) -> None:
    calls = [call("a", n, properties={"a": "x" * 800}) for n in range(2_500)]
    packed = gzip.compress(json.dumps({"batch": calls}).encode())
    assert (await accepted(world, *calls)).events == 2500
    kept = sum(len(each.message.body) for each in await world.published(Topic.LEAD_EVENTS))
    assert len(packed) < 25_000
    assert kept > 2_000_000


FORM = GenericSource({"contact": FormSettings(allow_unsigned=True)})


async def test_a_refused_post_that_names_nobody_is_quarantined(world: World) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = RawRequest("POST", "/generic/contact", "", headers, b"name=Ada", NOW, "request-1")
    outcome = await accept(request, FORM, bus=world.bus, ids=lead_ids)
    assert (outcome.events, len(outcome.refused)) == (0, 1)
    assert FORM.answer(request, outcome).status == 400
    (entry,) = await world.published(Topic.QUARANTINE)
    kept = json.loads(entry.message.body)
    assert (kept["reason"], json.loads(kept["raw"])) == ("identity_missing", {"name": "Ada"})


async def test_a_robot_in_the_honeypot_leaves_nothing(world: World) -> None:
    body = b'{"name": "Ada", "_gotcha": "x"}'
    request = RawRequest("POST", "/generic/contact", "", {}, body, NOW, "request-1")
    assert (
        FORM.answer(request, await accept(request, FORM, bus=world.bus, ids=lead_ids)).status == 200
    )
    assert world.bus.asked == []


@pytest.mark.parametrize("good", [0, 1])
@pytest.mark.parametrize(
    ("bad", "kept", "more"), [(1, 1, ""), (100, 100, ""), (250, 100, "and 150 more ")]
)
async def test_only_the_first_unusable_calls_are_quarantined_and_the_rest_are_counted(
    world: World, good: int, bad: int, kept: int, more: str
) -> None:
    calls = [call("a", i, event=None) for i in range(bad - 1)]
    named = call("a", bad, event=None, traits={"email": "ada@example.com"})
    outcome = await accepted(world, *calls, named, *[call("a", bad + 1)] * good)
    assert (outcome.events, outcome.items, len(outcome.refused)) == (good, bad + good, bad)
    assert {one.error.reason for one in outcome.refused} == {Reason.EVENT_NAME_MISSING}
    entries = [json.loads(each.message.body) for each in await world.published(Topic.QUARANTINE)]
    assert len([entry for entry in entries if "raw" in entry]) == kept
    assert any("ada@example.com" in entry.get("raw", "") for entry in entries), "kept first"
    assert [e["message"][: len(more)] for e in entries if "raw" not in e] == (
        [more] if more else []
    )


@pytest.mark.parametrize("path", ["/v1/identify", "/v1/i"])
async def test_a_single_unusable_call_is_quarantined(world: World, path: str) -> None:
    body = b'{"traits": {"email": "q12 at e.com"}, "writeKey": "key"}'
    request = RawRequest("POST", path, "", {}, body, NOW, "request-1")
    outcome = await accept(request, SOURCE, bus=world.bus, ids=lead_ids)
    answer = SOURCE.answer(request, outcome)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "email_invalid")
    (entry,) = await world.published(Topic.QUARANTINE)
    assert json.loads(json.loads(entry.message.body)["raw"]) == {
        "traits": {"email": "q12 at e.com"}
    }


async def test_the_quarantined_part_of_a_single_call_is_bounded(world: World) -> None:
    await accepted(world, call("a", 1, x="y" * 400_000))
    (entry,) = await world.published(Topic.QUARANTINE)
    assert len(json.loads(entry.message.body)["raw"]) == 60_000


@pytest.mark.parametrize("empty", [{}, None, 5, "text"])
async def test_empty_calls_leave_no_trace(world: World, empty: Any) -> None:
    with pytest.raises(RejectedError):
        await accepted(world, empty)
    assert world.bus.asked == []


@pytest.mark.parametrize("kind", ["Track", "TRACK", " track "])
async def test_the_type_of_a_call_counts_in_any_case(world: World, kind: str) -> None:
    assert (await accepted(world, call("a", 1, type=kind))).events == 1


async def test_an_unverified_request_has_no_effect(world: World) -> None:
    with pytest.raises(RejectedError) as caught:
        await accepted(world, call("a", 1), key="another")
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert world.bus.asked == []


@pytest.mark.parametrize("away", [Topic.LEAD_EVENTS, Topic.QUARANTINE])
async def test_nothing_is_accepted_before_it_is_durable(world: World, away: Topic) -> None:
    world.bus.away = frozenset([away])
    calls = [call("a", 1), call("a", 2, event=None)]
    with pytest.raises(UnavailableError):
        await accepted(world, *calls)
    world.bus.away = frozenset()
    assert (await accepted(world, *calls)).events == 1  # the sender sends it again
    for message in await world.published(Topic.LEAD_EVENTS):
        await world.apply(*read_events(message.message.body))
    (lead,) = [lead async for lead in world.store.leads()]
    assert lead.kept_events == 1


async def test_a_request_with_nothing_to_do_is_accepted(world: World) -> None:
    assert await accepted(world) == Accepted(0, [], 0)
    assert world.bus.asked == []


async def test_a_robots_unusable_item_is_quarantined_as_automated(world: World) -> None:
    body = json.dumps({"batch": [call("a", 1), call("", 2)], "writeKey": "key"}).encode()
    robot = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    request = RawRequest("POST", "/v1/batch", "", robot, body, NOW, "request-1")
    await accept(request, SOURCE, bus=world.bus, ids=lead_ids)
    (entry,) = await world.published(Topic.QUARANTINE)
    assert json.loads(entry.message.body)["automated"] == "robot"


class Completing(SegmentSource, CompletedSource):
    """A source whose requests name their calls by ids; ``calls`` has what is fetched."""

    def __init__(self, *calls: Mapping[str, object], error: Exception | None = None) -> None:
        super().__init__({"key": Trust.PUBLIC})
        self._calls = calls
        self._error = error

    async def completed(self, request: RawRequest) -> RawRequest:
        if self._error:
            raise self._error
        body = json.dumps({"batch": self._calls, "writeKey": "key"}).encode()
        return replace(request, body=body)


def named_by_ids(key: str = "key") -> RawRequest:
    body = json.dumps({"batch": [{"id": 1}], "writeKey": key}).encode()
    return RawRequest("POST", "/v1/batch", "", {}, body, NOW, "request-1")


async def test_a_request_of_ids_is_completed_before_it_is_read(world: World) -> None:
    source = Completing(call("a", 1), call("a", 2, event=None))

    outcome = await accept(named_by_ids(), source, bus=world.bus, ids=lead_ids)

    assert (outcome.events, len(outcome.refused)) == (1, 1)
    assert len(await world.published(Topic.LEAD_EVENTS)) == 1
    assert len(await world.published(Topic.QUARANTINE)) == 1


async def test_nothing_is_fetched_for_a_stranger_and_nothing_is_kept_of_a_failure(
    world: World,
) -> None:
    source = Completing(error=UnavailableError("the vendor does not answer"))

    with pytest.raises(RejectedError):
        await accept(named_by_ids("another"), source, bus=world.bus, ids=lead_ids)
    with pytest.raises(UnavailableError):
        await accept(named_by_ids(), source, bus=world.bus, ids=lead_ids)

    assert not await world.published(Topic.LEAD_EVENTS)
    assert not await world.published(Topic.QUARANTINE)


@pytest.mark.parametrize(
    ("body", "is_newer"),
    [
        (b'{"v": 2, "events": [], "seen": {"by": 1}}', True),
        (b'{"v": 1, "events": [{"colour": "red"}]}', False),
        (b'{"v": "2"}', False),
        (b'{"events": "none of ours"}', False),
        (b"\xff", False),
        (b"[" * 5_000, False),
    ],
)
async def test_only_what_a_newer_release_wrote_is_left_to_it(
    world: World, body: bytes, is_newer: bool
) -> None:
    with pytest.raises(RejectedError) as refused:
        read_events(body)
    if is_newer:
        with pytest.raises(UnavailableError, match="a newer release"):
            await set_aside(body, refused.value, bus=world.bus, now=NOW)
    else:
        await set_aside(body, refused.value, bus=world.bus, now=NOW)
    assert len(await world.published(Topic.QUARANTINE)) == (not is_newer)


def test_a_message_of_lead_events_has_the_fields_of_its_version() -> None:
    """A field more takes the next version: a release that does not know it must see so."""
    assert LeadEvents.__struct_fields__ == ("v", "events")
    assert set(Event.__struct_fields__) == EVENT_FIELDS
