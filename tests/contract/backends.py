"""Every adapter under test: what opens it, as often as a test needs instances."""

import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builders import StandingClock
from contract.subscribers import PubSubSubscriber, SqliteSubscriber, Subscriber
from patience import PATIENCE_S
from warmlead.buses.pubsub import PubSubBus
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import Subscription, create_topology
from warmlead.cli.local.emulators import Service
from warmlead.google_api import GoogleApi
from warmlead.ports import Archive, EventBus, LeadStore, ReportStore, Subscriptions
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.codec import CommitRequest, CommitResponse, Database, Write
from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore
from warmlead.stores.sqlite import SqliteLeadStore, SqliteReportStore


@dataclass(frozen=True)
class Place:
    """What an adapter may use: a folder and a clock of the test, and the run's emulators."""

    folder: Path
    clock: StandingClock
    emulator: Callable[[Service], str]

    @property
    def path(self) -> Path:
        """Where the data file lies."""
        return self.folder / "warmlead.db"


class SqliteFiles:
    """The one data file of a test, opened as often as it needs instances."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._opened: list[SqliteFile] = []

    def open_file(self) -> SqliteFile:
        """Opens it once more, as another process does."""
        self._opened.append(SqliteFile(self.place.path))
        return self._opened[-1]

    async def close(self) -> None:
        for file in self._opened:
            await file.close()


# --- leads -------------------------------------------------------------------------------


class OpenStore(Protocol):
    """The leads of a test, whoever keeps them."""

    def __call__(self) -> LeadStore:
        """Opens the same leads once more, as another process does."""
        ...

    async def spoil(self, lead_id: str, document: str) -> None:
        """Puts a text in the place of a lead's document, past the adapter."""
        ...


class SqliteStores(SqliteFiles):
    def __call__(self) -> LeadStore:
        return SqliteLeadStore(self.open_file(), self.place.clock)

    async def spoil(self, lead_id: str, document: str) -> None:
        with closing(sqlite3.connect(self.place.path)) as connection, connection:
            row = (document, lead_id)
            done = connection.execute("UPDATE leads SET document = ? WHERE id = ?", row)
            assert done.rowcount == 1


class FirestoreStores:
    def __init__(self, project: str, emulator: str) -> None:
        self._project = project
        self._emulator = emulator
        self.stores: list[FirestoreLeadStore] = []

    def __call__(self) -> LeadStore:
        self.stores.append(
            FirestoreLeadStore(self._project, emulator=self._emulator, patience_s=PATIENCE_S)
        )
        return self.stores[-1]

    async def spoil(self, lead_id: str, document: str) -> None:
        database = Database(self._project, "(default)")
        write = Write()
        write.update.name = database.lead_name(lead_id)
        write.update_mask.field_paths.append("document")
        write.update.fields["document"].string_value = document
        write.current_document.exists = True
        api = GoogleApi("firestore.googleapis.com", emulator=self._emulator)
        await api.call(
            "/google.firestore.v1.Firestore/Commit",
            CommitRequest(database=database.name, writes=[write]),
            CommitResponse,
            routing={"database": database.name},
            timeout_s=120,
        )
        await api.close()


@asynccontextmanager
async def sqlite_stores(place: Place) -> AsyncIterator[OpenStore]:
    stores = SqliteStores(place)
    yield stores
    await stores.close()


@asynccontextmanager
async def firestore_stores(place: Place) -> AsyncIterator[OpenStore]:
    stores = FirestoreStores(a_project(), place.emulator("firestore"))
    yield stores
    for store in stores.stores:
        await store.close()


# --- reports -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Books:
    """Leads, and the reports that are made of them."""

    leads: LeadStore
    reports: ReportStore


@asynccontextmanager
async def sqlite_books(place: Place) -> AsyncIterator[Books]:
    async with SqliteFile(place.path) as file:
        yield Books(SqliteLeadStore(file, place.clock), SqliteReportStore(file))


@asynccontextmanager
async def firestore_books(place: Place) -> AsyncIterator[Books]:
    project, emulator = a_project(), place.emulator("firestore")
    leads = FirestoreLeadStore(project, emulator=emulator, patience_s=PATIENCE_S)
    reports = FirestoreReportStore(project, emulator=emulator, patience_s=PATIENCE_S)
    yield Books(leads, reports)
    await leads.close()
    await reports.close()


# --- messages ----------------------------------------------------------------------------

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription("readers", "news", ack_deadline_s=10, attempts=5),
    Subscription("archivists", "news", ack_deadline_s=10, attempts=5),
    Subscription("listeners", "gossip", ack_deadline_s=10, attempts=5),
)


class Bus(EventBus, Archive, Subscriptions, Protocol):
    """A bus that delivers and archives by itself."""


OpenBus = Callable[[], Bus]
"""Opens the same bus once more."""


class Buses(Protocol):
    """One bus, whoever delivers its messages."""

    def open(self) -> EventBus:
        """Opens it once more, as another process does."""
        ...

    def subscriber(self, subscription: str) -> Subscriber:
        """Somebody who works on what a subscription hands out."""
        ...


class SqliteBuses(SqliteFiles):
    def open(self) -> Bus:
        topics = {each.name: each.topic for each in SUBSCRIPTIONS}
        return SqliteBus(self.open_file(), self.place.clock, topics)

    def subscriber(self, subscription: str) -> Subscriber:
        return SqliteSubscriber(self.open(), subscription, self.place.clock.now())


class PubSubBuses:
    def __init__(self, project: str, emulator: str) -> None:
        self._project = project
        self._emulator = emulator
        self.buses: list[PubSubBus] = []
        self.subscribers: list[PubSubSubscriber] = []

    def open(self) -> EventBus:
        self.buses.append(
            PubSubBus(
                self._project, emulator=self._emulator, budget_s=PATIENCE_S, attempt_s=PATIENCE_S
            )
        )
        return self.buses[-1]

    def subscriber(self, subscription: str) -> Subscriber:
        self.subscribers.append(PubSubSubscriber(self._project, subscription, self._emulator))
        return self.subscribers[-1]


@asynccontextmanager
async def sqlite_buses(place: Place) -> AsyncIterator[SqliteBuses]:
    buses = SqliteBuses(place)
    yield buses
    await buses.close()


@asynccontextmanager
async def pubsub_buses(place: Place) -> AsyncIterator[PubSubBuses]:
    project, emulator = a_project(), place.emulator("pubsub")
    topics = sorted({each.topic for each in SUBSCRIPTIONS})
    create_topology(project, {}, emulator=emulator, topics=topics, subscriptions=SUBSCRIPTIONS)
    buses = PubSubBuses(project, emulator)
    yield buses
    for subscriber in buses.subscribers:
        subscriber.close()
    for bus in buses.buses:
        await bus.close()


def a_project() -> str:
    """A project that no other test uses."""
    return f"test-{uuid.uuid4().hex[:16]}"
