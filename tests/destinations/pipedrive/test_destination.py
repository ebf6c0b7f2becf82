"""What only Pipedrive does: no unique address, a search that comes late, keys of its own."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from builders import NOW
from destinations.crm_server import Said, Trouble, running
from destinations.crms import ENTERED, OFFERED, PipedrivePlace, a_person, example, outgoing
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Declined, Postponed, Sent
from warmlead.domain.errors import ConfigurationError
from warmlead.ports.dispatching import UnansweredError
from warmlead.settings import Settings

MESSAGE = outgoing(example(OFFERED))


@pytest.fixture
def bare() -> Iterator[PipedrivePlace]:
    place = PipedrivePlace()
    with running(place.server):
        yield place


@pytest.fixture
async def place(bare: PipedrivePlace) -> PipedrivePlace:
    await bare.made().setup()
    return bare


async def test_a_person_whom_the_search_does_not_know_yet_is_found(place: PipedrivePlace) -> None:
    place.server.index_lag = timedelta(minutes=1)
    place.server.troubles.append(Trouble(place.creates))
    destination = place.made()
    with pytest.raises(UnansweredError):
        await destination.send(MESSAGE, NOW)
    assert isinstance(await destination.send(MESSAGE, NOW), Sent)
    assert len(place.server.persons) == len(place.tasks()) == 1


async def test_of_twins_that_two_processes_make_the_older_one_stays(place: PipedrivePlace) -> None:
    place.server.index_lag = timedelta(minutes=1)
    one, other = place.made(), place.made()
    await one.send(outgoing(a_person(1)), NOW)  # both know the keys of our fields from now on
    await other.send(outgoing(a_person(2)), NOW)
    await asyncio.gather(one.send(MESSAGE, NOW), other.send(outgoing(example(ENTERED)), NOW))
    persons = place.server.persons.values()
    same = [each for each in persons if each["emails"][0]["value"] == "ada@example.com"]
    kept = [each["id"] for each in same if not each["is_deleted"]]
    assert kept == [min(each["id"] for each in same)]
    assert [task.record for task in place.tasks()].count(str(kept[0])) == 1
    (record,) = (each for each in place.held() if each.id == str(kept[0]))
    assert float(record.score) == 55


async def test_a_twin_is_met_again_when_the_requests_cross(place: PipedrivePlace) -> None:
    """A second process makes its person between our search and our own."""
    destination, server = place.made(), place.server
    await destination.send(outgoing(a_person(1)), NOW)
    handle = server.handle
    older: list[int] = []

    def crossed(asked):  # type: ignore[no-untyped-def]  # stands in for the server's own
        if asked.method == "POST" and asked.path == "/api/v2/persons" and not older:
            older.append(server.add_person("ada@example.com", name="Ada", update_time=NOW))
        return handle(asked)

    server.handle = crossed  # type: ignore[method-assign]  # as another writer would
    assert await destination.send(MESSAGE, NOW) == Sent(str(older[0]))
    assert [each.email for each in place.held()].count("ada@example.com") == 1
    assert [task.record for task in place.tasks() if task.record == str(older[0])]


async def test_the_pause_is_what_pipedrive_states(place: PipedrivePlace) -> None:
    place.server.left, place.server.reset_s = 0, 4
    result = await place.made().send(MESSAGE, NOW)
    assert isinstance(result, Postponed)
    assert result.after_s == 4


@pytest.mark.parametrize(("status", "word"), [(401, "token"), (402, "not paid"), (403, "blocks")])
async def test_what_a_person_must_mend_is_waited_for(
    place: PipedrivePlace, status: int, word: str
) -> None:
    place.server.troubles.append(Trouble("", answer=Said(status, b"<html>no</html>")))
    result = await place.made().send(MESSAGE, NOW)
    assert isinstance(result, Postponed)
    assert word in result.why


async def test_fields_that_somebody_made_anew_are_found_again(place: PipedrivePlace) -> None:
    destination, server = place.made(), place.server
    await destination.send(MESSAGE, NOW)
    del server.fields[server.key_of("Warmlead score")]
    await destination.setup()
    other = place.made()
    stale = outgoing(example(ENTERED, time="2026-03-10T15:00:00Z", data={"score": 70}))
    assert isinstance(await other.send(stale, NOW), Sent)
    assert float(place.held()[0].score) == 70


async def test_a_process_with_old_keys_waits_and_learns(place: PipedrivePlace) -> None:
    destination, server = place.made(), place.server
    await destination.send(MESSAGE, NOW)
    del server.fields[server.key_of("Warmlead score")]
    later = outgoing(example(ENTERED, time="2026-03-10T15:00:00Z", data={"score": 70}))
    waiting = await destination.send(later, NOW)
    assert isinstance(waiting, Postponed)
    assert "run warmlead destination setup pipedrive" in waiting.why
    await place.made().setup()
    assert isinstance(await destination.send(later, NOW), Sent)
    assert float(place.held()[0].score) == 70


async def test_what_pipedrive_refuses_for_good_is_given_up(place: PipedrivePlace) -> None:
    refused = {"success": False, "error": "ada@example.com is wrong", "code": "ERR_SCHEMA"}
    place.server.troubles.append(Trouble(place.creates, answer=Said(400, refused)))
    result = await place.made().send(MESSAGE, NOW)
    assert result == Declined("Pipedrive refused it: ERR_SCHEMA")


async def test_fields_and_activities_beyond_one_page_are_seen(bare: PipedrivePlace) -> None:
    for number in range(45):
        bare.server.fields[f"{number:040d}"] = (f"Field {number}", "varchar")
    destination = bare.made()
    await destination.setup()
    assert await destination.setup() == []
    id_ = bare.server.add_person("ada@example.com")
    await destination.send(MESSAGE, NOW)
    (task,) = list(bare.server.activities.values())
    others = {number: {**task, "id": number, "note": "A call"} for number in range(1_000, 1_030)}
    bare.server.activities = {**others, **bare.server.activities}
    await destination.send(MESSAGE, NOW)
    mine = [one for one in bare.server.activities.values() if one["note"] != "A call"]
    assert len(mine) == 1
    assert mine[0]["person_id"] == id_


async def test_a_deleted_person_is_made_anew(place: PipedrivePlace) -> None:
    id_ = place.server.add_person("ada@example.com", is_deleted=True)
    message = outgoing(example(OFFERED, lead={"crm_ids": {"pipedrive": str(id_)}}))
    result = await place.made().send(message, NOW)
    assert isinstance(result, Sent)
    assert result.reference != str(id_)


async def test_a_telephone_number_is_given_to_who_has_none(place: PipedrivePlace) -> None:
    none = place.server.add_person("ada@example.com")
    some = [{"value": "+1 555", "primary": True, "label": "work"}]
    other = place.server.add_person("bob@example.com", phones=some)
    for email in ("ada@example.com", "bob@example.com"):
        lead = {"email": email, "traits": {"phone": "+44 20"}}
        await place.made().send(outgoing(example(OFFERED, lead=lead, id=email[:3])), NOW)
    assert place.server.persons[none]["phones"][0]["value"] == "+44 20"
    assert place.server.persons[other]["phones"] == some


async def test_words_of_visitors_are_no_html_in_a_note(place: PipedrivePlace) -> None:
    message = outgoing(example(OFFERED, data={"reasons": ["+1 <img src=x>"]}))
    await place.made().send(message, NOW)
    (task,) = place.tasks()
    assert "&lt;img" in task.text
    assert "<img" not in task.text


def test_owners_are_numbers() -> None:
    section = {"to": "pipedrive", "tokens": ["t"], "owners": {"ann": "Ann"}}
    with pytest.raises(ConfigurationError, match="must be a user's number"):
        destinations_in({"crm": section}, Settings())
