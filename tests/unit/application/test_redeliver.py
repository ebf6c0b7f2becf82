"""What cannot be delivered holds up nothing else: dispatches that nobody reads, tools that left."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import NOW
from unit.application.delivery import BUSY, Place, a_message
from warmlead.application.deliver import Delivered, deliver
from warmlead.application.redeliver import LOOKED_AT_AGAIN, dispatches_in, redeliver, revive
from warmlead.domain.dispatch import (
    KEPT,
    LEFT_FOR,
    MAX_ATTEMPTS,
    Dispatch,
    DispatchState,
    Gone,
)
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Message
from warmlead.ports.dispatching import DispatchKey, UnreadableDispatch
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.dispatch_codec import readable

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Place]:
    async with SqliteFile(tmp_path / "w.db") as file:
        yield Place(tmp_path / "w.db", file)


def spoil(here: Place, id_: str, column: str, text: str | bytes, to: str = "crm") -> str:
    """Puts something else into a dispatch, as another release or a fault would; what was there."""
    key, which = (to, id_), "WHERE destination = ? AND id = ?"
    with closing(sqlite3.connect(here.path)) as connection, connection:
        [(before,)] = connection.execute(f"SELECT {column} FROM dispatches {which}", key).fetchall()
        connection.execute(f"UPDATE dispatches SET {column} = ? {which}", (text, *key))
    return str(before)


async def only(here: Place, name: str, state: DispatchState) -> Dispatch:
    [kept] = [each async for each in dispatches_in(name, state, here.dispatches)]
    return readable(kept)


# --- what cannot be read -------------------------------------------------------------------


async def test_those_that_cannot_be_read_hold_up_no_other(here: Place) -> None:
    many = 3 * here.tool("crm", *[BUSY] * 30).at_once
    for number in range(many + 1):
        await here.deliver(a_message(f"m{number:02}"))
    here.tools["crm"].answers.clear()
    for number in range(many):
        spoil(here, f"m{number:02}", "record", "not what it was")
    here.clock.time += timedelta(minutes=20)
    unread: list[UnreadableDispatch] = []
    done = await redeliver(here.using_with(unread=unread.append))
    assert done == Delivered(sent=1, unreadable=many)
    assert sorted(each.id for each in unread) == [f"m{number:02}" for number in range(many)]
    assert here.tools["crm"].acted == [f"m{many:02}"]
    assert await redeliver(here.using) == Delivered()
    here.clock.time += LOOKED_AT_AGAIN
    assert await redeliver(here.using) == Delivered(unreadable=many)


async def test_one_that_was_set_aside_goes_on_where_somebody_can_read_it(here: Place) -> None:
    tool = here.tool("crm", BUSY)
    await here.deliver(a_message())
    record = spoil(here, "m1", "record", "{")
    here.clock.time += MINUTE
    await redeliver(here.using)
    assert await here.state("crm") == {DispatchState.UNREADABLE: 1}
    spoil(here, "m1", "record", record)
    await here.wait(LOOKED_AT_AGAIN + MINUTE)
    assert tool.acted == ["m1"]
    assert await here.state("crm") == {DispatchState.SENT: 1}


async def test_a_push_is_done_when_its_dispatch_is_kept_though_nobody_reads_it(
    here: Place,
) -> None:
    here.tool("crm", BUSY)
    slack = here.tool("slack", BUSY)
    await here.deliver(a_message())
    spoil(here, "m1", "record", "{}")
    here.clock.time += MINUTE
    unread: list[UnreadableDispatch] = []
    again = await deliver(a_message(), here.using_with(unread=unread.append))
    assert again == Delivered(sent=1, unreadable=1)
    assert [each.destination for each in unread] == ["crm"]
    assert slack.acted == ["m1"]


async def test_a_message_that_was_damaged_where_it_is_kept_is_given_up(here: Place) -> None:
    tool = here.tool("crm", BUSY, BUSY)
    await here.deliver(a_message("m1"))
    await here.deliver(a_message("m2"))
    spoil(here, "m1", "body", b'{"id": "m1"')
    here.clock.time += MINUTE
    assert await redeliver(here.using) == Delivered(sent=1, dead=1)
    assert tool.acted == ["m2"]
    dead = await only(here, "crm", DispatchState.DEAD)
    assert (dead.id, dead.body) == ("m1", b'{"id": "m1"')
    assert dead.why.startswith("the kept message cannot be read")


async def test_a_message_of_a_newer_release_comes_again(here: Place) -> None:
    here.tool("crm")
    body = a_message().body.replace(b"stage_entered.v1", b"stage_entered.v2")
    told = "warmlead.lead.stage_entered.v2 is a message of a newer release"
    with pytest.raises(UnavailableError, match=told):
        await here.deliver(Message(body, {}))
    assert await here.state("crm") == {}


# --- destinations that left the file ---------------------------------------------------------


async def test_what_waits_for_a_tool_that_left_is_given_up_and_then_pruned(here: Place) -> None:
    here.tool("crm", *[BUSY] * MAX_ATTEMPTS)
    await here.deliver(a_message("m1"))
    crm = here.tools.pop("crm")
    asked = len(crm.attempts)
    await here.wait(LEFT_FOR - timedelta(hours=1), step=timedelta(minutes=30))
    assert await here.state("crm") == {DispatchState.WAITING: 1}
    await here.wait(timedelta(hours=2), step=timedelta(minutes=30))
    dead = await only(here, "crm", DispatchState.DEAD)
    assert (dead.why, dead.body) == (
        "the destination is no longer in the file",
        a_message("m1").body,
    )
    assert len(crm.attempts) == asked
    await here.wait(KEPT + timedelta(hours=1), step=timedelta(days=1))
    assert await here.state("crm") == {}
    assert await here.dispatches.destinations() == []


async def test_a_tool_that_comes_back_in_time_has_missed_nothing(here: Place) -> None:
    crm = here.tool("crm", BUSY)
    await here.deliver(a_message("m1"))
    del here.tools["crm"]
    await here.wait(LEFT_FOR - timedelta(hours=1), step=timedelta(minutes=30))
    here.tools["crm"] = crm
    await here.wait(MINUTE)
    assert crm.acted == ["m1"]
    crm.answers.append(BUSY)
    await here.deliver(a_message("m2"))
    del here.tools["crm"]  # its absence counts anew
    await here.wait(LEFT_FOR - timedelta(hours=1), step=timedelta(minutes=30))
    assert (await here.state("crm"))[DispatchState.WAITING] == 1


async def test_what_was_given_up_after_a_tool_left_is_sent_when_it_is_back(here: Place) -> None:
    crm = here.tool("crm", BUSY)
    await here.deliver(a_message("m1"))
    del here.tools["crm"]
    await here.wait(LEFT_FOR + timedelta(hours=1), step=timedelta(minutes=30))
    here.tools["crm"] = crm
    assert await revive("crm", None, here.dispatches, here.clock.now()) == 1
    await here.wait(MINUTE)
    assert crm.acted == ["m1"]


async def test_an_attempt_that_was_under_way_when_its_tool_left_is_told_as_in_doubt(
    here: Place,
) -> None:
    here.tool("crm", BUSY)
    await here.deliver(a_message("m1"))
    await here.dispatches.change(
        DispatchKey("crm", "m1"), lambda known: known and known.claimed("c", NOW + MINUTE)
    )
    del here.tools["crm"]
    await here.wait(LEFT_FOR + timedelta(hours=1), step=timedelta(minutes=30))
    assert (await only(here, "crm", DispatchState.DEAD)).why.endswith("; it may have succeeded")


async def test_a_tool_that_left_and_is_disabled_holds_up_no_other(here: Place) -> None:
    here.tool("crm", Gone("it answered 410"))
    await here.deliver(a_message("m1"))
    del here.tools["crm"]
    slack = here.tool("slack", BUSY)
    await here.deliver(a_message("m2"))
    await here.wait(2 * MINUTE)
    assert slack.acted == ["m2"]
    assert (await here.dispatches.circuit("crm")).disabled_at == NOW


async def test_clearing_up_ends_with_the_time_of_its_run(here: Place) -> None:
    here.tool("crm", *[BUSY] * 9)
    for number in range(9):
        await here.deliver(a_message(f"m{number}"))
    del here.tools["crm"]
    await here.wait(LEFT_FOR - MINUTE, step=timedelta(hours=1))
    here.clock.time += timedelta(hours=1)
    assert await redeliver(here.using, budget_s=0) == Delivered()
    assert await redeliver(here.using) == Delivered(dead=9)


def test_a_dispatch_that_is_over_is_not_given_up() -> None:
    over = replace(
        Dispatch(destination="crm", id="m1", kind="k", lead_id="", body=b"", begun_at=NOW),
        state=DispatchState.SENT,
    )
    assert over.given_up("why", NOW) is over
