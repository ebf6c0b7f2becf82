"""Every adapter under test: what opens it, as often as a test needs instances."""

import json
import sqlite3
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bigquery_server import BigQueryServer
from builders import StandingClock
from contract.subscribers import PubSubSubscriber, SqliteSubscriber, Subscriber
from destinations.crm_server import running
from patience import PATIENCE_S
from warmlead.buses.bigquery import BigQueryArchive, open_archive
from warmlead.buses.bigquery_jobs import BigQueryJobs
from warmlead.buses.pubsub import PubSubBus
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import Subscription, create_topology
from warmlead.cli.local.emulators import Service
from warmlead.google_api import GoogleApi
from warmlead.ports import EventBus, LeadStore, Message, Published, Subscriptions
from warmlead.ports.archiving import Archive
from warmlead.ports.dispatching import DispatchKey, DispatchStore
from warmlead.ports.imports import ImportStore
from warmlead.ports.reporting import ReportStore
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.codec import CommitRequest, CommitResponse, Database, Write
from warmlead.stores.firestore.dispatches import FirestoreDispatchStore
from warmlead.stores.firestore.imports import FirestoreImportStore
from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.stores.sqlite_imports import SqliteImportStore
from warmlead.stores.sqlite_reports import SqliteReportStore


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
        await overwrite(self._project, self._emulator, f"leads/{lead_id}", {"document": document})


async def overwrite(project: str, emulator: str, name: str, texts: Mapping[str, str]) -> None:
    """Puts texts into fields of a document that is there, past the adapter."""
    database = Database(project, "(default)")
    write = Write()
    write.update.name = f"{database.documents}/{name}"
    write.update_mask.field_paths.extend(texts)
    for field, text in texts.items():
        write.update.fields[field].string_value = text
    write.current_document.exists = True
    api = GoogleApi("firestore.googleapis.com", emulator=emulator)
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


# --- dispatches --------------------------------------------------------------------------


Spoil = Callable[[DispatchKey, str], Awaitable[None]]
"""Puts a text in the place of a dispatch's record, past the adapter."""


@dataclass(frozen=True)
class Dispatches:
    """The dispatches of a test, whoever keeps them."""

    store: DispatchStore
    spoil: Spoil
    record: Callable[[DispatchKey], str]
    """The record as it lies in the store."""


@asynccontextmanager
async def sqlite_dispatches(place: Place) -> AsyncIterator[Dispatches]:
    async def spoil(key: DispatchKey, record: str) -> None:
        with closing(sqlite3.connect(place.path)) as connection, connection:
            query = "UPDATE dispatches SET record = ? WHERE destination = ? AND id = ?"
            assert connection.execute(query, (record, key.destination, key.id)).rowcount == 1

    def record(key: DispatchKey) -> str:
        with closing(sqlite3.connect(place.path)) as connection:
            query = "SELECT record FROM dispatches WHERE destination = ? AND id = ?"
            return str(connection.execute(query, (key.destination, key.id)).fetchone()[0])

    async with SqliteFile(place.path) as file:
        yield Dispatches(SqliteDispatchStore(file), spoil, record)


@asynccontextmanager
async def firestore_dispatches(place: Place) -> AsyncIterator[Dispatches]:
    project, emulator = a_project(), place.emulator("firestore")

    async def spoil(key: DispatchKey, record: str) -> None:
        name = f"dispatches/{key.destination}:{key.id}"
        await overwrite(project, emulator, name, {"record": record})

    def record(key: DispatchKey) -> str:
        documents = Database(project, "(default)").documents
        path = f"v1/{documents}/dispatches/{key.destination}:{key.id}"
        with urllib.request.urlopen(f"http://{emulator}/{path}", timeout=PATIENCE_S) as answer:
            return str(json.load(answer)["fields"]["record"]["stringValue"])

    store = FirestoreDispatchStore(project, emulator=emulator, patience_s=PATIENCE_S)
    yield Dispatches(store, spoil, record)
    await store.close()


# --- imports -----------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """Imports, and the leads and moves that they make."""

    leads: LeadStore
    reports: ReportStore
    imports: ImportStore


@asynccontextmanager
async def sqlite_history(place: Place) -> AsyncIterator[History]:
    async with SqliteFile(place.path) as file:
        leads = SqliteLeadStore(file, place.clock)
        yield History(leads, SqliteReportStore(file), SqliteImportStore(file))


@asynccontextmanager
async def firestore_history(place: Place) -> AsyncIterator[History]:
    project, emulator = a_project(), place.emulator("firestore")
    leads = FirestoreLeadStore(project, emulator=emulator, patience_s=PATIENCE_S)
    reports = FirestoreReportStore(project, emulator=emulator, patience_s=PATIENCE_S)
    imports = FirestoreImportStore(project, emulator=emulator, patience_s=PATIENCE_S)
    yield History(leads, reports, imports)
    for store in (leads, reports, imports):
        await store.close()


# --- messages ----------------------------------------------------------------------------

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription("readers", "news", ack_deadline_s=10, attempts=5),
    Subscription("archivists", "news", ack_deadline_s=10, attempts=5),
    Subscription("listeners", "gossip", ack_deadline_s=10, attempts=5),
)


class Bus(EventBus, Archive, Subscriptions, Protocol):
    """A bus that delivers and archives by itself."""

    def read(self, topic: str, *, after: int = 0) -> AsyncIterator[Published]:
        """Only what has a number above ``after``."""
        ...


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


# --- the archive -------------------------------------------------------------------------


ARCHIVED = ("news", "gossip", "lead-events")


class Archives(Protocol):
    """One archive of these topics, whoever writes it."""

    async def open(self) -> Archive:
        """Opens it once more, as another process does."""
        ...

    async def write(self, topic: str, *messages: Message) -> Sequence[str]:
        """Archives messages that are published at the time of the test's clock; their ids."""
        ...


class SqliteArchives(SqliteBuses):
    async def open(self) -> Archive:  # type: ignore[override]  # a bus is an archive too
        return super().open()

    async def write(self, topic: str, *messages: Message) -> Sequence[str]:
        return await super().open().publish(topic, messages)


class BigQueryArchives:
    def __init__(self, server: BigQueryServer, clock: StandingClock) -> None:
        self._server = server
        self._clock = clock
        self.archives: list[BigQueryArchive] = []

    async def open(self) -> Archive:
        jobs = BigQueryJobs(self._server.project, address=self._server.address)
        archive = await open_archive(
            jobs,
            self._server.dataset,
            self._clock,
            most_bytes=10**9,
            topics=ARCHIVED,
        )
        assert archive
        self.archives.append(archive)
        return archive

    async def write(self, topic: str, *messages: Message) -> Sequence[str]:
        table = topic.replace("-", "_")
        return self._server.write(table, messages, self._clock.now(), copies=2)


@asynccontextmanager
async def sqlite_archives(place: Place) -> AsyncIterator[Archives]:
    archives = SqliteArchives(place)
    yield archives
    await archives.close()


@asynccontextmanager
async def bigquery_archives(place: Place) -> AsyncIterator[Archives]:
    """Each message has two rows: Pub/Sub delivers it at least once."""
    tables = [topic.replace("-", "_") for topic in ARCHIVED]
    with running(BigQueryServer(a_project(), "archive", tables)) as server:
        archives = BigQueryArchives(server, place.clock)
        yield archives
        for each in archives.archives:
            await each.close()


def a_project() -> str:
    """A project that no other test uses."""
    return f"test-{uuid.uuid4().hex[:16]}"
