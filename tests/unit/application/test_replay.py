"""Replay: histories anew from the archive; stages, moves and sent triggers as they were."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import StandingClock, keeping
from unit.application.conftest import DAY, RULES, World
from unit.domain.worlds import values_of
from warmlead.application.accept import by_lead
from warmlead.application.replay import Replayed
from warmlead.application.replay import replay as rebuild
from warmlead.domain.consent import Status, SuppressionPolicy
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Event
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.identity import Identifier, Kind, LeadIds
from warmlead.domain.measures import Measure, MeasureKind
from warmlead.domain.readings import Meter, MeterKind, measured, meter_of, meters_of
from warmlead.domain.trigger import Topic
from warmlead.ports import Message
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.codec import read_lead, write_lead
from warmlead.stores.sqlite import SqliteLeadStore


async def replay(
    world: World, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> Replayed:
    async with SqliteFile(folder / "scratch.sqlite3") as file:
        outcome = await rebuild(
            archive=world.sqlite_bus,
            scratch=SqliteLeadStore(file, world.clock),
            store=world.store,
            bus=world.bus,
            scoring=world.scoring,
            clock=world.clock,
            progress=progress,
        )
    (folder / "scratch.sqlite3").unlink()
    return outcome


async def arrive(world: World, *events: Event) -> None:
    """Archived and counted, as when they came."""
    await world.bus.publish(Topic.LEAD_EVENTS, by_lead(events, world.ids))
    await world.apply(*events)


async def a_long_story(world: World, clock: StandingClock) -> None:
    """Two people over four months, one of them first unknown, across the fold of histories."""
    for day in range(120):
        browser: dict[str, Any] = {"email": None, "anonymous_id": "browser-1"}
        await arrive(world, world.seen(day, **(browser if day < 60 else {})))
        if day % 7 == 0:
            await arrive(world, world.seen(1000 + day, email="bob@example.com", traits={"d": day}))
        if day == 60:
            known = {"email": "ada@example.com", "anonymous_id": "browser-1"}
            await arrive(world, world.seen(2000, "identified", **known))
        clock.forward(DAY)


@pytest.mark.slow
async def test_rebuilt_leads_are_identical(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    await a_long_story(world, clock)
    before = {lead.id: lead async for lead in world.store.leads()}
    told = await world.triggers()
    progress: list[int] = []
    outcome = await replay(world, tmp_path, progress.append)
    assert (outcome.leads, outcome.moved, outcome.unreadable) == (2, 0, 0)
    assert progress[-1] == outcome.events == 120 + 18 + 1
    after = {lead.id: lead async for lead in world.store.leads()}
    for id_, lead in after.items():
        assert lead.tally() == before[id_].tally()
        assert lead.traits == before[id_].traits
        assert lead.progress == before[id_].progress
        assert lead.trails.keys() == before[id_].trails.keys()
    assert await world.triggers() == told


@pytest.mark.slow
async def test_lost_leads_are_restored_without_publishing_again(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    await a_long_story(world, clock)
    before = {lead.id: lead async for lead in world.store.leads()}
    moves = {id_: await world.store.transitions(id_) for id_ in before}
    told = await world.triggers()
    await world.store.clear()
    await replay(world, tmp_path)
    after = {lead.id: lead async for lead in world.store.leads()}
    assert after.keys() == before.keys()
    for id_, lead in after.items():
        assert lead.tally() == before[id_].tally()
        assert lead.progress.stage == before[id_].progress.stage
        assert lead.progress.entered == before[id_].progress.entered
        assert await world.store.transitions(id_) == moves[id_]
        assert lead.outbox == ()
        assert [await world.store.get(each) for each in lead.trails] == [lead] * len(lead.trails)
    assert await world.triggers() == told


@pytest.mark.slow
async def test_replay_reads_what_a_new_model_measures(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    """As if it had been the model from the start."""
    measures = [
        Measure(MeasureKind.VISITS, 200, "page_viewed"),
        Measure(MeasureKind.DISTINCT, 200, "page_viewed", "path"),
        Measure(MeasureKind.SUM, 200, "page_viewed", "seconds"),
    ]
    past = Meter(MeterKind.BEFORE, "", "plan", 200)
    meters = {**meters_of(measures, {}), past.name: past}
    measuring = replace(RULES, version="v2", meters=meters, values_of=values_of)

    async def view(day: int) -> None:
        told: dict[str, Any] = {"path": f"/{day % 7}", "seconds": day}
        await arrive(world, world.seen(day, properties=told, traits={"plan": f"p{day // 20}"}))
        clock.forward(DAY)

    for day in range(40):
        await view(day)
    world.use(measuring)
    for day in range(40, 43):
        await view(day)
    readings = (await world.lead()).readings()
    assert (
        measured(measures[0], meter_of(measures[0], "page_viewed").name, readings, today(clock))
        == 3
    )

    await replay(world, tmp_path)

    lead = await world.lead()
    found = [
        measured(each, meter_of(each, each.label).name, lead.readings(), today(clock))
        for each in measures
    ]
    assert found == [43, 7, sum(range(43))]
    assert lead.traits_as_of(today(clock) - 30)["plan"] == "p0"


def today(clock: StandingClock) -> int:
    return day_of(to_ms(clock.now()))


@pytest.mark.slow
async def test_replay_classifies_events_again(world: World, tmp_path: Path) -> None:
    await arrive(world, *(world.seen(i) for i in range(3)), world.seen(3, "searched"))
    lead = await world.lead()
    world.use(replace(RULES, version="v2", classify=lambda _: ("unsubscribed",)))
    outcome = await replay(world, tmp_path)
    assert (outcome.leads, outcome.moved) == (1, 1)
    rebuilt = await world.lead()
    assert rebuilt.progress.stage == "lead"
    assert {name: sum(days.values()) for name, days in rebuilt.tally().signals.items()} == {
        "unsubscribed": 4
    }
    assert rebuilt.created_at == lead.created_at
    assert [told["data"]["stage"] for told in await world.triggers()] == ["mql", "lead"]


async def test_replay_makes_the_steps_of_the_journey_anew(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    world.use(replace(RULES, shown={"page_viewed": ("path",)}))
    await arrive(world, world.seen(1, properties={"path": "/pricing", "title": "Prices"}))
    clock.forward(40 * DAY)
    world.use(replace(RULES, shown={"page_viewed": ("title",)}))
    await world.apply(world.seen(2, properties={"title": "Not in the archive"}))
    await replay(world, tmp_path)
    told = [step.details for step in (await world.lead()).steps]
    assert told == [(("title", "Not in the archive"),), (("title", "Prices"),)]


async def test_steps_of_messages_that_were_pruned_stay(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    world.use(replace(RULES, shown={"page_viewed": ("path",)}))
    await arrive(world, world.seen(1, properties={"path": "/pricing"}))
    clock.forward(100 * DAY)
    await arrive(world, world.seen(2, properties={"path": "/docs"}))
    numbers = [each.number for each in await world.sqlite_bus.outstanding("score")]
    await world.sqlite_bus.finish("score", numbers)
    pruned = await world.sqlite_bus.prune(
        done_before=clock.now() - DAY, set_aside_before=None, holding=()
    )
    assert pruned.gone
    await replay(world, tmp_path)
    told = [step.details for step in (await world.lead()).steps]
    assert told == [(("path", "/docs"),), (("path", "/pricing"),)]


@pytest.mark.slow
async def test_replaying_twice_equals_replaying_once(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    await a_long_story(world, clock)
    await replay(world, tmp_path)
    first = [lead async for lead in world.store.leads()]
    await replay(world, tmp_path)
    assert [lead async for lead in world.store.leads()] == first


@pytest.mark.slow
async def test_events_pruned_from_the_archive_stay_counted(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    await a_long_story(world, clock)
    before = {lead.id: lead async for lead in world.store.leads()}
    numbers = [each.number for each in await world.sqlite_bus.outstanding("score")]
    await world.sqlite_bus.finish("score", numbers)
    pruned = await world.sqlite_bus.prune(
        done_before=clock.now() - 40 * DAY, set_aside_before=None, holding=()
    )
    assert pruned.gone > 80
    outcome = await replay(world, tmp_path)
    assert outcome.events < 60
    after = {lead.id: lead async for lead in world.store.leads()}
    assert after.keys() == before.keys()
    for id_, lead in after.items():
        assert lead.tally() == before[id_].tally()
        assert lead.traits == before[id_].traits


async def test_events_that_arrive_during_a_replay_stay(world: World, tmp_path: Path) -> None:
    await arrive(world, world.seen(1))
    await world.apply(world.seen(2))  # counted, but after the archive was read
    await replay(world, tmp_path)
    assert (await world.lead()).kept_events == 2


async def test_what_cannot_be_read_is_counted_and_skipped(world: World, tmp_path: Path) -> None:
    await world.bus.publish(
        Topic.LEAD_EVENTS, [Message(b"not ours", {}), Message(b'{"events": []}', {})]
    )
    await arrive(world, world.seen(1))
    assert await replay(world, tmp_path) == Replayed(1, 2, 1, 0)


@pytest.mark.parametrize("copies", [1, 3])
async def test_duplicate_messages_in_the_archive_count_once(
    world: World, tmp_path: Path, copies: int
) -> None:
    for _ in range(copies):
        await arrive(world, world.seen(1))
    await replay(world, tmp_path)
    assert (await world.lead()).kept_events == 1


async def test_an_archive_of_another_secret_is_refused_before_anything_is_rebuilt(
    world: World, tmp_path: Path
) -> None:
    others = LeadIds(b"of another deployment, or forgotten")
    await world.bus.publish(Topic.LEAD_EVENTS, by_lead([world.seen(1)], others))
    with pytest.raises(ConfigurationError, match="WARMLEAD_ID_SECRET is another one"):
        await replay(world, tmp_path)
    assert await world.store.get(world.ids.of(Identifier(Kind.EMAIL, "ada@example.com"))) is None


async def test_a_message_that_names_no_lead_proves_nothing(world: World, tmp_path: Path) -> None:
    (message,) = by_lead([world.seen(1)], world.ids)
    await world.bus.publish(Topic.LEAD_EVENTS, [Message(message.body, {})])
    assert (await replay(world, tmp_path)).leads == 1


async def test_replay_restores_statements_of_which_only_the_day_was_kept(
    world: World, clock: StandingClock, tmp_path: Path
) -> None:
    await arrive(world, world.seen(1, "unsubscribed"))
    clock.forward(timedelta(minutes=5))
    await arrive(world, world.seen(2, "newsletter_subscribed"))
    lead = await world.lead()
    of_days = json.loads(write_lead(lead))
    del of_days["trails"][lead.id]["consent"]
    old = read_lead(json.dumps({**of_days, "v": 2})).lead
    await world.store.update([], keeping(old))
    assert old.consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED  # on the same day

    await replay(world, tmp_path)

    assert (await world.lead()).consent_facts == lead.consent_facts
    assert lead.consent(SuppressionPolicy()).status is Status.SUBSCRIBED
