"""While messages cannot be sent, a lead still fits its store, and no crossing loses its message."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import lead_ids
from unit.application.conftest import World
from unit.application.living import settling
from warmlead.application.due import EvaluationContext, follow_up, rescore
from warmlead.domain.capacity import MAX_LEAD_BYTES
from warmlead.domain.errors import UnavailableError, UnsentError
from warmlead.domain.event import Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead
from warmlead.domain.outbox import (
    MAX_AT_ONCE,
    MAX_SMALL_BYTES,
    MAX_STORED_BYTES,
    MAX_WAITING_BYTES,
    bytes_of_waiting,
    is_full,
    must_be_small,
)
from warmlead.domain.trigger import TRIGGER_TOPICS, Trigger
from warmlead.model.loading import load
from warmlead.ports import Commit
from warmlead.stores.codec import LeadDocument, read_lead, write_lead
from warmlead.stores.firestore.codec import Database, Stored

pytestmark = pytest.mark.slow  # a queue that is full costs a lot to make

ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))
MOVING = ("DE", "FR") * 15
"""Countries that move a lead to and fro."""

MINUTE = timedelta(minutes=1)
DAY_AND_A_HALF = timedelta(hours=36)
FIRESTORE_DOCUMENT = 1 << 20

BUSY = load(
    """
signals: {page_viewed: {on: page_viewed, points: 10, half_life: 30d, show: [path, title]}}
stages:
  mql: {enter: score >= 10 && country == "DE", leave: country != "DE"}
handoff: {first_touch_within: 10m, accept_within: 30m, remind_after: 5m, routes: [{owner: ann}]}
updates: {at_most_every: 1m}
probability: {outcome: customer, within: 90d, intercept: -3, slope: 0.05, leads: 84200, won: 9100}
alerts:
"""
    + "".join(f"  a{number}: {{on: page_viewed, again_after: 1m}}\n" for number in range(20)),
    name="busy",
).rules
"""An event may cause the most messages: alerts, a move, an offer, an update; deadlines follow."""


def wordy(world: World, number: int, **fields: Any) -> Any:
    """A public event with as many words as are kept of one."""
    words = f"{number}" + '"é' * 240
    return world.seen(
        number,
        trust=Trust.PUBLIC,
        properties={"path": words, "title": words},
        attribution=dict.fromkeys(("campaign", "source", "medium", "term"), "é" * 250),
        **{"traits": {f"trait_{number}": words * 2}, **fields},
    )


def in_firestore(lead: Lead) -> int:
    """The size of the lead's document."""
    write = Database("p", "d").write_record(
        lead.id, LeadDocument(lead, {}), Stored(None, None, ""), "commit"
    )
    return int(write.update.ByteSize())


async def outage(world: World, *countries: str) -> None:
    """An event in ten minutes, each from a country; no message can be sent."""
    world.bus.away = frozenset(TRIGGER_TOPICS)
    for number, country in enumerate(countries, start=1_000):
        world.clock.forward(10 * MINUTE)
        traits: dict[str, Any] = {"country": country}
        with suppress(UnavailableError):
            await world.apply(world.seen(number, trust=Trust.PUBLIC, traits=traits))
    world.bus.away = frozenset()


def context(world: World) -> EvaluationContext:
    return replace(settling(world.store, world.bus, world.clock), rules=world.rules)


async def told_by_kind(world: World) -> Mapping[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in await world.triggers():
        found.setdefault(each["type"].removeprefix("warmlead."), []).append(each["data"])
    return found


async def test_in_a_long_outage_a_full_lead_fits_both_stores(world: World) -> None:
    world.use(BUSY)
    for number in range(120):
        await world.apply(wordy(world, number))
    await outage(world, *MOVING)
    lead = await world.lead()
    assert bytes_of_waiting(lead.outbox) > MAX_WAITING_BYTES
    assert len(write_lead(lead)) < MAX_STORED_BYTES
    assert in_firestore(lead) < FIRESTORE_DOCUMENT
    assert read_lead(write_lead(lead)).lead == lead
    last = [each for each in lead.outbox if each.at == lead.outbox[-1].at]
    assert max(bytes_of_waiting([each]) for each in last) < MAX_SMALL_BYTES


async def test_after_an_outage_every_crossing_is_told_once(world: World) -> None:
    world.use(BUSY)
    await world.apply(wordy(world, 1))
    await outage(world, *MOVING)
    world.clock.forward(MINUTE)
    for _ in range(3):
        await follow_up(context(world))
        world.clock.forward(MINUTE)
    lead, told = await world.lead(), await told_by_kind(world)
    assert lead.outbox == ()
    cycles = Counter((each["stage"], each["cycle"]) for each in told["lead.stage_entered.v1"])
    entered = range(1, lead.progress.entered["mql"] + 1)
    assert {(stage, n): 1 for stage, n in cycles if stage == "mql"} == {
        ("mql", n): 1 for n in entered
    }
    assert set(cycles.values()) == {1}
    assert [each["offer"] for each in told["handoff.offered.v1"]] == [*entered]


async def test_an_alert_that_waits_to_be_sent_goes_on_resting(world: World) -> None:
    world.use(BUSY)
    await world.apply(wordy(world, 1))
    await outage(world, *["FR"] * 14)
    waiting = Counter(dict(each.attributes).get("alert") for each in (await world.lead()).outbox)
    assert 1 <= min(waiting[f"a{n}"] for n in range(20)) <= max(waiting.values()) < 9
    world.clock.forward(MINUTE)
    await follow_up(context(world))
    await world.apply(world.seen(5_000))
    alerts = (await told_by_kind(world))["lead.alerted.v1"]
    times = Counter(
        each["alert"] for each in alerts for act in each["acts"] for _ in range(act["times"])
    )
    assert set(times.values()) == {16}  # each act stands in one alert of each name


async def test_an_update_that_waits_to_be_sent_holds_the_next_one(world: World) -> None:
    world.use(BUSY)
    await world.apply(wordy(world, 1))
    await outage(world, *MOVING)
    lead = await world.lead()
    updates = [t for t in lead.outbox if dict(t.attributes)["type"] == "warmlead.lead.updated.v1"]
    assert 1 <= len(updates) < 10
    world.clock.forward(MINUTE)
    for _ in range(3):
        await follow_up(context(world))
        world.clock.forward(MINUTE)
    lead, told = await world.lead(), (await told_by_kind(world))["lead.updated.v1"]
    assert [each["count"] for each in told] == [*range(1, lead.mirror.count + 1)]
    assert lead.snapshot
    assert (told[-1]["stage"], told[-1]["score"]) == (lead.progress.stage, lead.snapshot.score)


async def filled(world: World) -> Lead:
    """Ada with so many waiting messages that no more fit."""
    await world.apply(world.seen(1))
    world.clock.forward(DAY_AND_A_HALF)
    lead = await world.lead()
    at = world.clock.now() - timedelta(hours=1)
    body = "x" * 5_000
    named = (("type", "warmlead.lead.alerted.v1"), ("lead_id", lead.id))
    waiting = tuple(
        Trigger(f"{n:032}", TRIGGER_TOPICS[2], at, body, named)
        for n in range(MAX_STORED_BYTES // 5_000 - MAX_AT_ONCE)
    )
    full = replace(lead, outbox=waiting, due_at=at)
    await world.store.update([lead.id], lambda _: Commit(None, [full]))
    return full


async def test_a_full_lead_takes_no_event_until_its_messages_are_sent(world: World) -> None:
    full = await filled(world)
    own, others = world.seen(2), world.seen(3, email="bob@example.com")
    with pytest.raises(UnsentError):
        await world.apply(own, others)
    assert await world.lead() == full
    assert (await world.lead(others)).kept_events == 1
    await follow_up(context(world))
    (applied,) = await world.apply(own)
    assert applied.counted == 1
    assert len(write_lead(await world.lead())) < 5_000


async def test_a_full_lead_stays_due_and_keeps_no_other_waiting(world: World) -> None:
    await filled(world)
    first = await follow_up(context(world))
    assert (first.due.looked_at, first.due.failed) == (1, 1)
    assert first.swept > 100
    second = await follow_up(context(world))
    assert (second.due.looked_at, second.due.failed) == (1, 0)
    assert (await world.lead()).due_at is None


async def test_a_changed_model_says_of_which_lead_the_messages_wait(world: World) -> None:
    await filled(world)
    done = await rescore(context(world))
    assert [(id_, type(error)) for id_, error in done.failures] == [(ADA, UnsentError)]


async def test_a_full_lead_is_merged_once_its_messages_are_sent(world: World) -> None:
    await filled(world)
    await world.apply(world.seen(7, email=None, user_id="7"))
    tie = world.seen(8, email="ada@example.com", user_id="7")
    with pytest.raises(UnsentError):
        await world.apply(tie)
    await follow_up(context(world))
    await world.apply(tie)
    assert (await world.lead()).user_id == "7"


@pytest.mark.parametrize("lead_bytes", [0, 100_000, *MAX_LEAD_BYTES.values()])
def test_what_one_evaluation_adds_fits_beside_what_may_wait(lead_bytes: int) -> None:
    most = max(n for n in range(0, MAX_STORED_BYTES, 500) if not is_full(n, lead_bytes))
    assert lead_bytes + most + MAX_AT_ONCE * MAX_SMALL_BYTES < MAX_STORED_BYTES
    assert not is_full(0, lead_bytes)
    assert must_be_small(most + 1, lead_bytes)
