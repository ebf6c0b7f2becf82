"""What the product runs on in a trial: opened once for each life of the application.

A backend is one class with two methods. ``Installed`` is what it gives: the adapters, and the
part of the world that brings messages to ``score`` and remembers everything that was published.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from builders import StandingClock
from faults.sites import Switches
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.sqlite_messages import DEADLY
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.ports import Delivery, EventBus, LeadStore, Message, Published
from warmlead.ports.dispatching import DispatchStore
from warmlead.ports.imports import ImportStore
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.stores.sqlite_imports import SqliteImportStore

SCORE = "score"


class Installed(Protocol):
    """One life's connections."""

    @property
    def store(self) -> LeadStore:
        """Where leads are kept."""
        ...

    @property
    def bus(self) -> EventBus:
        """Over which everything is published."""
        ...

    @property
    def dispatches(self) -> DispatchStore:
        """Where messages on their way to tools are kept."""
        ...

    @property
    def imports(self) -> ImportStore:
        """Where the record of imports is kept, and spend."""
        ...

    async def due(self, now: datetime, most: int) -> Sequence[Delivery]:
        """Messages for ``score`` that nobody has finished, as far as they are due."""
        ...

    async def done(self, delivery: Delivery) -> None:
        """The message was answered with 2xx."""
        ...

    async def failed(self, delivery: Delivery, now: datetime) -> None:
        """The message was not: it comes again, or after the fifth time lies dead."""
        ...

    async def dead(self) -> Sequence[Message]:
        """The messages that were given up."""
        ...

    async def redrive(self, now: datetime) -> int:
        """Makes the dead ones due again; how many."""
        ...

    async def absolve(self, now: datetime) -> int:
        """Makes those due again that were given up only because processes ended over them."""
        ...

    async def outstanding(self) -> int:
        """How many messages are not finished and not dead."""
        ...

    async def published(self, topic: str) -> Sequence[Message]:
        """Everything that was ever published to a topic, repeats included."""
        ...

    async def spoil(self, lead_id: str) -> None:
        """Puts a lead there that only a newer release can read."""
        ...

    async def mend(self, lead_id: str) -> None:
        """Takes it away again."""
        ...


class Backend(Protocol):
    """Somewhere to run a trial."""

    name: str
    sites: Mapping[str, int]
    """Its own sites, inside the adapters, with about how often half a trial comes by."""
    trial_ms: int
    """About how long a trial takes."""

    def open(
        self, folder: Path, clock: StandingClock, switches: Switches
    ) -> AbstractAsyncContextManager[Installed]:
        """Connects a new process to the trial in the folder."""
        ...

    def forget(self, folder: Path) -> None:
        """Frees what the trial has taken outside its folder."""
        ...


# --- SQLite ----------------------------------------------------------------------------------

_STATEMENTS = {
    "INSERT INTO messages": "file.message",
    "INSERT INTO leads": "file.lead",
    "UPDATE leads": "file.lead",
    "INSERT INTO aliases": "file.alias",
    "INSERT INTO transitions": "file.transition",
    "INSERT INTO nurture": "file.nurture",
    "INSERT INTO dispatches": "file.dispatch",
    "DELETE FROM dispatches": "file.forget",
    "INSERT INTO circuits": "file.circuit",
    "DELETE FROM deliveries": "file.acknowledge",
    "UPDATE deliveries": "file.lease",
    "COMMIT": "file.commit",
}


class SqliteBackend:
    """One file in the trial's folder; sites before each statement of a transaction."""

    name = "sqlite"
    sites: Mapping[str, int] = {
        "file.message": 16,
        "file.lead": 14,
        "file.alias": 3,
        "file.transition": 3,
        "file.nurture": 1,
        "file.acknowledge": 8,
        "file.lease": 8,
        "file.commit": 40,
    }
    trial_ms = 50

    @asynccontextmanager
    async def open(
        self, folder: Path, clock: StandingClock, switches: Switches
    ) -> AsyncIterator[Installed]:
        async with SqliteFile(folder / "warmlead.sqlite3") as file:
            installed = _InFile(file, clock)

            def statement_begins(statement: str) -> None:
                for start, site in _STATEMENTS.items():
                    if statement.startswith(start):
                        switches.visit(site)

            def trace(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[None]:
                connection.set_trace_callback(statement_begins)
                return calls

            await file.write(trace, None)
            yield installed

    def forget(self, folder: Path) -> None:
        """There is nothing outside."""


class _InFile:
    def __init__(self, file: SqliteFile, clock: StandingClock) -> None:
        self._file = file
        self.store = SqliteLeadStore(file, clock)
        self.dispatches = SqliteDispatchStore(file)
        self.imports = SqliteImportStore(file)
        self.bus = self._bus = SqliteBus(file, clock, topics_of_subscriptions())

    async def due(self, now: datetime, most: int) -> Sequence[Delivery]:
        return await self._bus.pull(SCORE, most=most, now=now)

    async def done(self, delivery: Delivery) -> None:
        await self._bus.acknowledge([delivery])

    async def failed(self, delivery: Delivery, now: datetime) -> None:
        await self._bus.retry_later(delivery, why="it failed", now=now)

    async def dead(self) -> Sequence[Message]:
        return [published.message for published, _ in await self._bus.dead(SCORE)]

    async def redrive(self, now: datetime) -> int:
        numbers = [published.number for published, _ in await self._bus.dead(SCORE)]
        return await self._bus.revive(SCORE, numbers, now=now)

    async def absolve(self, now: datetime) -> int:
        dead = await self._bus.dead(SCORE)
        numbers = [published.number for published, why in dead if why == DEADLY]
        return await self._bus.revive(SCORE, numbers, now=now) if numbers else 0

    async def outstanding(self) -> int:
        return len(await self._bus.outstanding(SCORE))

    async def published(self, topic: str) -> Sequence[Message]:
        found: list[Published] = [each async for each in self._bus.read(topic)]
        return [each.message for each in found]

    async def spoil(self, lead_id: str) -> None:
        def write(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[None]:
            connection.execute(
                "INSERT INTO leads (id, stage, unsent, updated_ms, document)"
                " VALUES (?, 'lead', 0, 0, '{\"v\": 999}')",
                (lead_id,),
            )
            return calls

        await self._file.write(write, None)

    async def mend(self, lead_id: str) -> None:
        def write(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[None]:
            connection.execute("DELETE FROM leads WHERE id = ?", (lead_id,))
            return calls

        await self._file.write(write, None)
