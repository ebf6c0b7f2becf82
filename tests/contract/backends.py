"""Every adapter under test: a function that opens it, as often as a test needs instances."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from builders import StandingClock
from warmlead.buses.sqlite import SqliteBus
from warmlead.ports import EventBus, LeadStore, MessageLog, Subscriptions
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore


class Bus(EventBus, MessageLog, Subscriptions, Protocol):
    """A bus that delivers and archives by itself."""


OpenStore = Callable[[], LeadStore]
"""Opens the same leads once more, as another process does."""

OpenBus = Callable[[], Bus]
"""Opens the same bus once more. Topic ``news`` goes to ``readers`` and ``archivists``."""


@asynccontextmanager
async def sqlite_stores(folder: Path, clock: StandingClock) -> AsyncIterator[OpenStore]:
    files: list[SqliteFile] = []

    def open_store() -> LeadStore:
        files.append(SqliteFile(folder / "warmlead.db"))
        return SqliteLeadStore(files[-1], clock)

    yield open_store
    for file in files:
        await file.close()


@asynccontextmanager
async def sqlite_buses(folder: Path, clock: StandingClock) -> AsyncIterator[OpenBus]:
    files: list[SqliteFile] = []

    def open_bus() -> Bus:
        files.append(SqliteFile(folder / "warmlead.db"))
        return SqliteBus(files[-1], clock, {"readers": "news", "archivists": "news"})

    yield open_bus
    for file in files:
        await file.close()
