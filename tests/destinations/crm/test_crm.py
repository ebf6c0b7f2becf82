"""What every CRM has to do alike: one record a person, one task an offer, whatever goes wrong."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import example as hypothesis_example
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW
from destinations.crm_server import Said, Trouble
from destinations.crms import (
    ENTERED,
    OF_LEADS,
    OFFERED,
    PLACES,
    UPDATED,
    Delivery,
    Place,
    a_person,
    a_place,
    at,
    delivering,
    example,
    outgoing,
)
from effort import examples
from warmlead.destinations.crm import news_of
from warmlead.destinations.registry import TOOLS, destinations_in
from warmlead.domain.dispatch import DispatchState, Postponed, Sent, Skipped
from warmlead.domain.errors import ConfigurationError
from warmlead.settings import Settings

PAGES = Path(__file__).parents[3] / "shared/warmlead/destinations"
REASONS = (
    "+10 Pricing page viewed once, on 2026-03-10\n"
    "+20 Whitepaper downloaded once, on 2026-03-08\n"
    "+15 Fits: 50 to 500 employees\n+10 Fits: in usa"
)


# --- what is written -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", OF_LEADS)
async def test_each_message_about_a_lead_brings_its_record_up_to_date(
    place: Place, kind: str
) -> None:
    message = example(kind)
    result = await place.made().send(outgoing(message), NOW)
    (record,) = place.held()
    assert result == Sent(record.id)
    assert record.email == "ada@example.com"
    assert float(record.score) == message["data"]["score"]
    assert record.stage == message["data"]["stage"]
    assert record.reasons == "\n".join(message["data"]["reasons"])
    assert record.first_channel == message["data"]["attribution"]["first"]["channel"]
    assert record.last_source == message["data"]["attribution"]["last"]["source"]
    assert record.message_id == message["id"]
    for told, promised in ((record.touch_by, "touch_by"), (record.accept_by, "accept_by")):
        wanted = message["data"].get(promised)
        assert (at(told) if told else None) == (at(wanted) if wanted else None)
    assert len(place.tasks()) == (1 if kind == OFFERED else 0)


async def test_a_new_record_has_the_name_of_the_person(place: Place) -> None:
    await place.made().send(outgoing(example(OFFERED)), NOW)
    (record,) = place.held()
    assert (record.first_name, record.last_name) == ("Ada", "Lovelace")
    assert record.reasons == REASONS


async def test_an_offer_makes_a_task_for_its_owner_until_the_promised_time(place: Place) -> None:
    await place.made().send(outgoing(example(OFFERED)), NOW)
    (record,), (task,) = place.held(), place.tasks()
    assert task.subject == "Warmlead: speak to Ada Lovelace (mql, 55 points)"
    assert (task.due, task.owner, task.record) == ("2026-03-10T14:00", place.ann, record.id)
    assert "Speak to the lead by 2026-03-10 14:00 UTC." in task.text
    assert "Accept or reject it by 2026-03-11 13:00 UTC." in task.text
    assert "Whitepaper downloaded once" in task.text


async def test_owners_of_the_settings_come_before_their_email(place: Place) -> None:
    other = {"hubspot": "72", "pipedrive": 92, "salesforce": "005Hp00000aBobXAAU"}[place.name]
    destination = place.made(owners={"ann@example.com": other})
    await destination.send(outgoing(example(OFFERED)), NOW)
    assert [task.owner for task in place.tasks()] == [str(other)]


async def test_an_owner_whom_the_crm_does_not_know_is_no_reason_to_wait(place: Place) -> None:
    message = example(OFFERED, data={"owner": "nobody@example.com"})
    assert isinstance(await place.made().send(outgoing(message), NOW), Sent)
    assert len(place.tasks()) == 1


async def test_without_tasks_an_offer_makes_none(place: Place) -> None:
    await place.made(tasks=False).send(outgoing(example(OFFERED)), NOW)
    assert place.tasks() == []
    assert len(place.held()) == 1


async def test_what_stands_in_the_crm_stays_and_what_is_empty_is_filled(place: Place) -> None:
    id_ = place.add("ada@example.com", first_name="Augusta", last_name="King")
    await place.made().send(outgoing(example(OFFERED)), NOW)
    (record,) = place.held()
    assert (record.id, record.first_name, record.last_name) == (id_, "Augusta", "King")
    assert float(record.score) == 55


async def test_the_id_that_the_message_has_comes_before_the_email(place: Place) -> None:
    place.add("ada@example.com")
    id_ = place.add("ada@old.example")
    message = example(OFFERED, lead={"crm_ids": {place.name: id_}})
    assert await place.made().send(outgoing(message), NOW) == Sent(id_)
    scores = {record.email: record.score for record in place.held()}
    assert float(scores["ada@old.example"]) == 55
    assert scores["ada@example.com"] == ""


async def test_an_id_that_is_no_more_is_no_obstacle(place: Place) -> None:
    id_ = place.add("ada@example.com")
    gone = {"hubspot": "999", "pipedrive": "999", "salesforce": "003Hp00000aGoneIAE"}[place.name]
    message = example(OFFERED, lead={"crm_ids": {place.name: gone}})
    assert await place.made().send(outgoing(message), NOW) == Sent(id_)


async def test_a_lead_without_an_address_is_skipped(place: Place) -> None:
    result = await place.made().send(outgoing(example(ENTERED, lead={"email": None})), NOW)
    assert isinstance(result, Skipped)
    assert place.held() == []


async def test_a_report_is_no_message_for_a_crm(place: Place) -> None:
    message = outgoing(example("warmlead.kpi.reported.v1"))
    destination = place.made()
    assert not destination.wants(message)
    assert isinstance(await destination.send(message, NOW), Skipped)


async def test_texts_are_cut_to_what_every_crm_takes(place: Place) -> None:
    long = {"stage": "m" * 300, "reasons": ["r" * 5_000]}
    message = example(OFFERED, data=long, lead={"traits": {"name": "Ada " + "L" * 300}})
    assert isinstance(await place.made().send(outgoing(message), NOW), Sent)
    (record,) = place.held()
    assert (record.stage, len(record.reasons)) == ("m" * 255, 3_000)


# --- the page ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLACES)
def test_the_page_shows_a_section_that_works_and_names_every_setting(name: str) -> None:
    page = (PAGES / name / "README.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert name in destinations_in(yaml.safe_load(block), Settings())
    (tool,) = (tool for tool in TOOLS if tool.name == name)
    (table,) = re.findall(r"\| setting \| \|\n(.*?)\n\n", page, re.DOTALL)
    named = {
        each for row in table.splitlines() for each in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == {*tool.settings_type().__struct_fields__} - {"to"}


# --- setting up ----------------------------------------------------------------------------


async def test_setting_up_makes_what_is_missing_once(bare: Place) -> None:
    destination = bare.made()
    made = await destination.setup()
    assert any("score" in each.lower() for each in made)
    assert await destination.setup() == []


async def test_a_message_waits_until_the_crm_is_set_up(bare: Place, tmp_path: Path) -> None:
    destination, message = bare.made(), example(OFFERED)
    async with delivering(destination, tmp_path) as delivery:
        await delivery.send(message)
        waiting = await delivery.dispatch(message)
        assert waiting.state is DispatchState.WAITING
        assert f"warmlead destination setup {bare.name}" in waiting.why
        await destination.setup()
        delivery.clock.forward(timedelta(hours=1))
        assert (await delivery.again()).sent == 1
    assert len(bare.held()) == len(bare.tasks()) == 1


async def test_setting_up_says_why_it_cannot(bare: Place) -> None:
    wrong = {"secrets": ["a-secret-of-nobody"]} if bare.name == "salesforce" else None
    destination = bare.made(**(wrong or {"tokens": ["a-token-of-nobody"]}))
    with pytest.raises(ConfigurationError, match="cannot be set up"):
        await destination.setup()


# --- repeats -------------------------------------------------------------------------------


async def test_a_repeat_changes_nothing(place: Place) -> None:
    destination, message = place.made(), outgoing(example(OFFERED))
    first = await destination.send(message, NOW)
    held, tasks = place.held(), place.tasks()
    assert await destination.send(message, NOW) == first
    assert (place.held(), place.tasks()) == (held, tasks)


@pytest.mark.parametrize(
    ("step", "hangs"), [("creates", False), ("creates_task", False), ("creates_task", True)]
)
async def test_a_step_whose_answer_is_lost_is_done_once(
    place: Place, delivery: Delivery, step: str, hangs: bool
) -> None:
    place.server.troubles.append(Trouble(getattr(place, step), hangs=hangs))
    message = example(OFFERED)
    assert (await delivery.send(message)).waiting == 1
    assert len(place.held()) == 1
    delivery.clock.forward(timedelta(minutes=1))
    assert (await delivery.again()).sent == 1
    assert len(place.held()) == len(place.tasks()) == 1
    assert (await delivery.dispatch(message)).reference == place.held()[0].id


async def test_messages_about_one_new_person_side_by_side_make_one_record(
    place: Place, delivery: Delivery
) -> None:
    messages = [example(ENTERED), example(OFFERED), example(UPDATED, time="2026-03-10T13:00:05Z")]
    await asyncio.gather(*map(delivery.send, messages))
    assert len(place.held()) == len(place.tasks()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
@settings(max_examples=examples(25))
@hypothesis_example(order=[3, 1, 2, 0], repeats=[0])
@given(order=st.permutations(range(4)), repeats=st.lists(st.integers(0, 3), max_size=3))
def test_the_record_holds_the_latest_message_in_whatever_order_they_come(
    name: str, order: list[int], repeats: list[int]
) -> None:
    messages = [
        outgoing(
            example(
                OFFERED,
                id=f"message-{number}",
                time=f"2026-03-10T1{number}:00:00Z",
                data={"score": 50 + number, "stage": "mql" if number % 2 else "lead"},
            )
        )
        for number in range(4)
    ]

    async def sent() -> None:
        with a_place(name) as place:
            destination = place.made()
            await destination.setup()
            for number in (*order, *repeats):
                assert isinstance(await destination.send(messages[number], NOW), Sent)
            (record,) = place.held()
            assert (float(record.score), record.stage) == (53, "mql")
            assert record.message_id == "message-3"
            assert len(place.tasks()) == 4

    asyncio.run(sent())


# --- when the CRM does not do as it should -------------------------------------------------


async def test_a_limit_is_honoured(place: Place, delivery: Delivery) -> None:
    place.server.left = 0
    message = example(OFFERED)
    assert (await delivery.send(message)).waiting == 1
    assert "limit" in (await delivery.dispatch(message)).why
    asked = len(place.server.asked)
    await delivery.again()
    await delivery.send(example(ENTERED))
    assert len(place.server.asked) == asked, "nothing is asked while the limit holds"
    place.server.left = None
    delivery.clock.forward(timedelta(hours=1))
    assert (await delivery.again()).sent == 2
    assert len(place.held()) == len(place.tasks()) == 1


@pytest.mark.slow
async def test_a_flood_beyond_the_limit_arrives_whole(place: Place, delivery: Delivery) -> None:
    messages = [a_person(number) for number in range(20)]
    place.server.left = 25
    await asyncio.gather(*map(delivery.send, messages))
    for _ in range(40):
        place.server.left = 25
        delivery.clock.forward(timedelta(hours=2))
        if len(place.tasks()) == 20:
            break
        await delivery.again()
    assert sorted(record.email for record in place.held()) == sorted(
        message["data"]["lead"]["email"] for message in messages
    )
    assert len({task.record for task in place.tasks()}) == len(place.tasks()) == 20


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_error_of_the_crm_is_waited_for(place: Place, status: int) -> None:
    place.server.troubles.append(Trouble("", answer=Said(status, b"<html>oops</html>")))
    destination, message = place.made(), outgoing(example(OFFERED))
    assert isinstance(await destination.send(message, NOW), Postponed)
    assert isinstance(await destination.send(message, NOW), Sent)


async def test_a_record_that_goes_between_two_requests_is_made_anew(place: Place) -> None:
    id_ = place.add("ada@example.com")
    place.server.troubles.append(Trouble("PATCH", answer=Said(404, place.not_found)))
    destination, message = place.made(), outgoing(example(OFFERED))
    assert isinstance(await destination.send(message, NOW), Postponed)
    assert await destination.send(message, NOW) == Sent(id_)


async def test_a_success_that_is_not_json_is_waited_for(place: Place) -> None:
    place.server.troubles.append(Trouble("GET", answer=Said(200, b"<html>login</html>")))
    destination, message = place.made(), outgoing(example(OFFERED))
    assert isinstance(await destination.send(message, NOW), Postponed)
    assert isinstance(await destination.send(message, NOW), Sent)
    assert len(place.held()) == 1


async def test_a_refused_login_loses_nothing_and_says_what_to_do(
    place: Place, tmp_path: Path
) -> None:
    wrong = {"secrets": ["an-old-one"]} if place.name == "salesforce" else None
    destination = place.made(**(wrong or {"tokens": ["an-old-one"]}))
    message = example(OFFERED)
    async with delivering(destination, tmp_path) as delivery:
        await delivery.send(message)
        waiting = await delivery.dispatch(message)
    assert waiting.state is DispatchState.WAITING
    assert "secrets" in waiting.why or "tokens" in waiting.why
    assert "an-old-one" not in waiting.why


_BEFALLS = {
    "nothing": Trouble("", spares=True),
    "lost": Trouble(""),
    "error": Trouble("", answer=Said(503, b"")),
    "limit": Trouble("", answer=Said(429, b"", {"Retry-After": "3"})),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
@settings(max_examples=examples(40))
@hypothesis_example(befalls=["nothing", "nothing", "lost", "nothing", "lost", "lost"])
@given(befalls=st.lists(st.sampled_from(sorted(_BEFALLS)), max_size=9))
def test_whatever_befalls_the_requests_there_is_one_record_and_one_task(
    name: str, befalls: list[str]
) -> None:
    async def delivered(folder: Path) -> None:
        with a_place(name) as place:
            await place.made().setup()
            place.server.troubles = [replace(_BEFALLS[each]) for each in befalls]
            async with delivering(place.made(), folder) as delivery:
                message = example(OFFERED)
                await delivery.send(message)
                for _ in befalls:
                    delivery.clock.forward(timedelta(days=2))
                    await delivery.again()
                assert (await delivery.dispatch(message)).state is DispatchState.SENT
                assert (await delivery.dispatch(message)).attempts <= len(befalls) + 1
            (record,), (task,) = place.held(), place.tasks()
            assert (float(record.score), task.record) == (55, record.id)

    with TemporaryDirectory() as folder:
        asyncio.run(delivered(Path(folder)))


# --- many ----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_fifty_leads_have_one_record_each_with_the_right_fields(
    place: Place, delivery: Delivery
) -> None:
    messages = [
        a_person(
            number, kind, time=f"2026-03-10T13:00:0{step}Z", data={"score": 100 * step + number}
        )
        for number in range(50)
        for step, kind in enumerate((ENTERED, OFFERED, UPDATED))
    ]
    await asyncio.gather(*map(delivery.send, messages))
    await delivery.again()
    records = {record.email: record for record in place.held()}
    assert len(place.held()) == len(records) == 50
    assert {email: float(record.score) for email, record in records.items()} == {
        f"person{number}@example.com": 200 + number for number in range(50)
    }
    assert sorted(task.record for task in place.tasks()) == sorted(
        record.id for record in records.values()
    )


def test_a_person_without_a_last_name_has_the_parts_that_there_are() -> None:
    for traits, wanted in (
        ({"name": "Ada"}, ("Ada", "")),
        ({"name": "Ada King Lovelace"}, ("Ada", "King Lovelace")),
        ({"first_name": "Ada", "name": "Countess Lovelace"}, ("Ada", "Lovelace")),
        ({"last_name": "Lovelace"}, ("", "Lovelace")),
        ({}, ("", "")),
    ):
        person = news_of(outgoing(example(OFFERED, lead={"traits": traits}))).person
        assert (person.first_name, person.last_name) == wanted


@given(st.text(max_size=400), st.lists(st.text(max_size=4_000), max_size=5))
def test_whatever_a_message_says_texts_keep_their_limits(stage: str, reasons: list[str]) -> None:
    message = example(OFFERED, data={"stage": stage, "reasons": reasons, "grade": stage})
    news = news_of(outgoing(message))
    assert all(len(str(value)) <= 3_000 for value in news.fields.values())
    assert len(str(news.fields["stage"])) <= 255
    assert news.task is not None
    assert len(news.task.subject) <= 255
