"""Settling: one trigger per crossing, in the commit of the move, the same bytes for ever."""

import json
from dataclasses import replace

import jsonschema
import pytest

from builders import StandingClock
from unit.application.conftest import DAY, RULES, World
from warmlead.application.apply import Decision
from warmlead.application.evaluate import Evaluated, evaluate
from warmlead.application.trigger_builder import MAX_TRAIT_BYTES
from warmlead.domain.event import Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.trigger import trigger_id
from warmlead.messages.contract import StageEnteredMessage
from warmlead.messages.journey import MAX_JOURNEY_BYTES, journey_in_message, journey_of
from warmlead.ports import Commit
from warmlead.stores.codec import write_lead


async def test_a_crossing_publishes_one_trigger(world: World) -> None:
    await world.pages(1, 2)
    assert await world.triggers() == []
    await world.pages(3, 2)
    (told,) = await world.triggers()
    lead = await world.lead()
    assert (told["data"]["stage"], told["data"]["cycle"], told["data"]["score"]) == ("mql", 1, 40)
    assert told["id"] == trigger_id(lead.id, "stage:mql", 1)
    await world.pages(1, 6)
    assert await world.triggers() == [told]
    assert lead.outbox == ()


@pytest.mark.slow
async def test_a_trigger_is_a_cloudevent_with_everything_a_tool_needs(world: World) -> None:
    await world.pages(1, 3, traits={"company": "Engines"}, attribution={"utm_source": "google"})
    (published,) = await world.published("mql")
    event = json.loads(published.message.body)
    jsonschema.validate(event, StageEnteredMessage.model_json_schema())
    assert event["data"]["lead"]["traits"] == {"company": "Engines"}
    assert event["data"]["attribution"]["first"] == {
        "utm_source": "google",
        "channel": "Organic Search",
        "source": "google",
    }
    assert event["data"]["reasons"][0].startswith("+30 Page viewed 3 times")
    attributes = published.message.attributes
    assert attributes["lead_id"] == event["subject"] == (await world.lead()).id
    assert (attributes["stage"], attributes["cycle"]) == ("mql", "1")
    assert "ada" not in str(attributes).lower()


@pytest.mark.slow
async def test_a_trigger_with_too_many_traits_keeps_those_of_the_model(
    world: World,
) -> None:
    world.use(replace(world.rules, traits=frozenset({"title"})))
    for number in range(8):
        traits = {f"a{number}{i}": '"\\é' * 500 for i in range(10)}
        await world.pages(10 + number, 1, traits={**traits, "title": "CTO", "zeal": "much"})
    (told,) = await world.triggers()
    sent = told["data"]["lead"]["traits"]
    assert (sent["title"], sent["zeal"]) == ("CTO", "much")
    assert 0 < len(sent) < len((await world.lead()).traits)
    assert len(json.dumps(json.dumps(sent))) < MAX_TRAIT_BYTES + 1_000


SHOWING = replace(
    RULES, shown={"page_viewed": ("message",)}, titles={"page_viewed": "asked for a demo"}
)
"""The same model, in which the signal shows the words of a form."""


@pytest.mark.slow
async def test_a_trigger_tells_the_journey_and_the_ids_of_a_crm(
    world: World, clock: StandingClock
) -> None:
    world.use(SHOWING)
    record = "crm:hubspot:4711:contact:501"
    await world.apply(world.seen(1, "sales_identified", user_id=record, email="ada@example.com"))
    words = {"message": "We need <b>SSO</b>."}
    await world.pages(2, 3, properties=words, trust=Trust.PUBLIC)
    (told, *_) = await world.triggers()
    lead = told["data"]["lead"]
    assert lead["crm_ids"] == {"hubspot": "501"}
    assert lead["journey"] == [
        {
            "at": clock.now().isoformat().replace("+00:00", "Z"),
            "what": "page_viewed",
            "title": "Asked for a demo",
            "details": {"message": "We need SSO ."},
            "trust": "public",
        }
    ]
    assert told["data"]["reasons"][0].startswith("+30 Asked for a demo 3 times, on ")


async def test_a_step_of_a_signal_that_the_model_has_no_more_is_told_by_its_event(
    world: World, clock: StandingClock
) -> None:
    renamed = replace(SHOWING, classify=lambda _: ("asked",), shown={"asked": ()})
    world.use(renamed)
    await world.apply(world.seen(1, "demo_requested"))
    (step,) = journey_of((await world.lead()).steps, RULES, clock.now())
    assert (step.what, step.title) == ("demo_requested", "Demo requested")
    assert journey_of((await world.lead()).steps, RULES, clock.now() - DAY) == []


@pytest.mark.slow
async def test_a_journey_of_long_words_leaves_a_message_small(world: World) -> None:
    world.use(SHOWING)
    for number in range(60):
        trust = Trust.SIGNED if number % 2 else Trust.PUBLIC
        words = {"message": f"{number} " + "é" * 5_000}
        await world.apply(world.seen(number, trust=trust, properties=words))
    (told,) = (each for each in await world.triggers() if each["data"]["stage"] == "mql")
    assert told["data"]["lead"]["journey"]
    lead = await world.lead()
    sent = journey_in_message(lead.steps, world.rules)
    assert {step["trust"] for step in sent} == {Trust.SIGNED, Trust.PUBLIC}
    assert len(json.dumps(json.dumps(sent, default=str))) < MAX_JOURNEY_BYTES + 1_000
    assert len(write_lead(lead)) < 20_000


async def test_each_crossing_has_its_cycle(world: World, clock: StandingClock) -> None:
    await world.pages(1, 4)
    await world.apply(
        *(
            world.seen(10 + i, "email_unsubscribed", occurred_at=clock.now() - i * DAY)
            for i in range(2)
        )
    )
    clock.forward(DAY)
    await world.pages(20, 3)
    moves = [(each["data"]["stage"], each["data"]["cycle"]) for each in await world.triggers()]
    assert moves == [("mql", 1), ("lead", 1), ("mql", 2)]
    assert len({each["id"] for each in await world.triggers()}) == 3
    lead = await world.lead()
    assert dict(lead.progress.entered) == {"mql": 2, "lead": 1}
    transitions = await world.store.transitions(lead.id)
    assert [(t.from_stage, t.to_stage, t.cycle) for t in transitions] == [
        ("anonymous", "mql", 1),
        ("mql", "lead", 1),
        ("lead", "mql", 2),
    ]
    assert transitions[2].hours_in_stage == 24


async def test_becoming_known_publishes_no_trigger(world: World) -> None:
    await world.pages(1, 1)
    assert (await world.lead()).progress.stage == "lead"
    assert await world.triggers() == []


async def test_evaluating_again_changes_nothing(world: World, clock: StandingClock) -> None:
    await world.pages(1, 3)
    lead = await world.lead()
    again = evaluate(lead, world.rules, clock.now())
    assert again == Evaluated(lead, (), ())


async def test_a_decision_that_runs_again_decides_the_same_bytes(
    world: World, clock: StandingClock
) -> None:
    events = [world.seen(i) for i in range(3)]
    decide = Decision(events, world.scoring, clock.now())
    nobody: dict[str, Lead | None] = {world.ids.of(i): None for i in identifiers_of(events[0])}
    first, second = decide(nobody), decide(nobody)
    assert isinstance(first, Commit)
    assert first == second
    (lead,) = first.leads
    (trigger,) = lead.outbox
    assert first.result.triggers == ((lead.id, trigger),)
    assert json.loads(trigger.body)["id"] == trigger.id
