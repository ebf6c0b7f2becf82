"""``warmlead destination`` tells what waits for a tool that left, and what nobody can read."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from builders import NOW
from unit.cli.conftest import Workspace
from warmlead.domain.dispatch import Declined, Dispatch
from warmlead.ports.dispatching import DispatchKey
from warmlead.runtime import backends
from warmlead.settings import read_settings

SECRET = "whsec_c2VjcmV0IG9mIGFuIGVuZC10by1lbmQgdGVzdA=="


@pytest.fixture
def place(workspace: Workspace) -> Workspace:
    section = {"to": "webhook", "url": "https://hook.example.com/in", "secrets": ["env:SECRET"]}
    file = workspace.write("destinations.json", json.dumps({"zapier": section}))
    workspace.settings |= {"WARMLEAD_DESTINATIONS": str(file), "SECRET": SECRET}
    dead = a_dispatch("gone", "m1").after(Declined("no field x"), NOW, may_repeat=True)
    asyncio.run(keep(workspace, dead, a_dispatch("gone", "m2"), a_dispatch("zapier", "m3")))
    return workspace


def a_dispatch(to: str, id_: str) -> Dispatch:
    return Dispatch(
        destination=to,
        id=id_,
        kind="warmlead.lead.updated.v1",
        lead_id="ada",
        body=b"{}",
        begun_at=NOW,
        due_at=NOW,
    )


async def keep(workspace: Workspace, *dispatches: Dispatch) -> None:
    async with backends.embedded(read_settings(workspace.settings)) as system:
        for each in dispatches:
            key = DispatchKey(each.destination, each.id)
            await system.dispatches.change(key, lambda _, each=each: each)  # type: ignore[misc]  # a default


def set_aside(workspace: Workspace, to: str, id_: str) -> None:
    """Makes a record unreadable, and has it set aside as a run does."""
    with closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as file, file:
        file.execute("UPDATE dispatches SET record = '{}' WHERE id = ?", (id_,))

    async def aside() -> None:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            until = NOW + timedelta(hours=1)
            await system.dispatches.set_aside(DispatchKey(to, id_), NOW, until)

    asyncio.run(aside())


def test_a_tool_that_left_the_file_is_listed_with_what_waits_for_it(place: Workspace) -> None:
    rows = {row["name"]: row for row in place.json("destination", "list")}
    assert (rows["zapier"]["state"], rows["zapier"]["waiting"]) == ("enabled", 1)
    gone = rows["gone"]
    assert (gone["state"], gone["waiting"], gone["dead"]) == ("removed", 1, 1)
    assert "removed" in place.run("destination", "list").out


def test_what_was_given_up_for_a_tool_that_left_is_told(place: Workspace) -> None:
    [dead] = place.json("destination", "dead", "gone")
    assert (dead["id"], dead["why"]) == ("m1", "no field x")
    refused = place.run("destination", "replay", "gone")
    assert (refused.code, "There is no destination gone" in refused.err) == (1, True)
    never = place.run("destination", "dead", "never")
    assert (never.code, "There is no destination never" in never.err) == (1, True)


def test_what_cannot_be_read_is_told_with_its_reason(place: Workspace) -> None:
    set_aside(place, "zapier", "m3")
    [row] = [row for row in place.json("destination", "list") if row["name"] == "zapier"]
    assert (row["waiting"], row["dead"], row["unreadable"]) == (0, 0, 1)
    [unread] = place.json("destination", "dead", "zapier")
    assert unread["id"] == "m3"
    assert unread["why"] == "it cannot be read: written by another release, or damaged"
    shown = place.run("destination", "dead", "zapier").out
    assert "m3" in shown
