"""Reads a server's data folder while it runs, or is dead: cheaper than a command for each lead."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

from patience import until
from served import Served
from warmlead.application.explain import view
from warmlead.application.send import GRACE, sweep
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.ports import Published
from warmlead.runtime import backends
from warmlead.settings import read_settings
from warmlead.sqlite_file import SqliteFile

T = TypeVar("T")


def now_run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs it in a thread of its own: Playwright's loop runs in the one of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def drain(server: Served) -> None:
    """Waits until everything that was accepted has been worked on."""
    until(lambda: now_run(_backlog(server)) == 0)


def events_by_email(server: Served) -> dict[str, Counter[str]]:
    """How often which event is on which lead; up to 20 of a name and day are counted."""
    return now_run(_events_by_email(server))


@asynccontextmanager
async def books(server: Served) -> AsyncIterator[backends.Embedded]:
    """The server's own file, opened by this process too."""
    async with backends.embedded(read_settings(server.environment)) as system:
        yield system


async def _backlog(server: Served) -> int:
    async with SqliteFile(server.data / "warmlead.sqlite3") as file:
        bus = SqliteBus(file, backends.SystemClock(), topics_of_subscriptions())
        return len(await bus.outstanding("score"))


async def _events_by_email(server: Served) -> dict[str, Counter[str]]:
    async with books(server) as system:
        now, rules = system.clock.now(), system.model.rules
        seen = [view(lead, rules, now) async for lead in system.store.leads()]
        return {lead.email or lead.id: Counter(lead.events) for lead in seen}


def triggers_sent(server: Served) -> dict[str, list[Published]]:
    """What was published to automation tools, by the id of the trigger."""
    return now_run(_triggers_sent(server))


async def _triggers_sent(server: Served) -> dict[str, list[Published]]:
    found: dict[str, list[Published]] = {}
    async with books(server) as system:
        for topic in TRIGGER_TOPICS:
            async for published in system.bus.read(topic):
                id_ = published.message.attributes["id"]
                found.setdefault(id_, []).append(published)
    return found


def sweep_later(server: Served) -> None:
    """Does what a server does half a minute later: sends the triggers that a crash left unsent."""
    now_run(_sweep_later(server))


async def _sweep_later(server: Served) -> None:
    async with books(server) as system:
        await sweep(store=system.store, bus=system.bus, now=system.clock.now() + 2 * GRACE)


def under_way(server: Served) -> int:
    """How many messages a server has begun to work on and not finished."""
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as file:
        count: int = file.execute("SELECT count(*) FROM deliveries WHERE attempts").fetchone()[0]
        return count


def end_leases(server: Served) -> None:
    """As if a minute had gone by: what a dead server was at work on is free to be worked on."""
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as file, file:
        file.execute("UPDATE deliveries SET due_ms = 0 WHERE NOT dead")
