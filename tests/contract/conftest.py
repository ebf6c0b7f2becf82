"""The fixtures of the contract suites. A new adapter is one more parameter here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from builders import StandingClock
from contract.backends import (
    Archives,
    Books,
    Bus,
    Buses,
    Dispatches,
    History,
    OpenBus,
    OpenStore,
    Place,
    bigquery_archives,
    firestore_books,
    firestore_dispatches,
    firestore_history,
    firestore_stores,
    pubsub_buses,
    sqlite_archives,
    sqlite_books,
    sqlite_buses,
    sqlite_dispatches,
    sqlite_history,
    sqlite_stores,
)
from warmlead.cli.local.emulators import Service
from warmlead.ports import EventBus, LeadStore
from warmlead.ports.archiving import Archive
from warmlead.ports.dispatching import DispatchStore


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock) -> Place:
    def emulator(service: Service) -> str:
        assert request.node.get_closest_marker("emulator"), "a fast run would start an emulator"
        address: str = request.getfixturevalue(f"{service}_emulator")
        return address

    return Place(tmp_path, clock, emulator)


@pytest.fixture(
    params=[
        pytest.param(sqlite_stores, id="sqlite"),
        pytest.param(firestore_stores, id="firestore", marks=pytest.mark.emulator),
    ]
)
async def open_store(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[OpenStore]:
    async with request.param(place) as open_store:
        yield open_store


@pytest.fixture
def store(open_store: OpenStore) -> LeadStore:
    return open_store()


@pytest.fixture(
    params=[
        pytest.param(sqlite_books, id="sqlite"),
        pytest.param(firestore_books, id="firestore", marks=pytest.mark.emulator),
    ]
)
async def books(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Books]:
    async with request.param(place) as books:
        yield books


@pytest.fixture(
    params=[
        pytest.param(sqlite_dispatches, id="sqlite"),
        pytest.param(firestore_dispatches, id="firestore", marks=pytest.mark.emulator),
    ]
)
async def kept(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Dispatches]:
    async with request.param(place) as kept:
        yield kept


@pytest.fixture
def dispatches(kept: Dispatches) -> DispatchStore:
    return kept.store


@pytest.fixture(
    params=[
        pytest.param(sqlite_history, id="sqlite"),
        pytest.param(firestore_history, id="firestore", marks=pytest.mark.emulator),
    ]
)
async def history(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[History]:
    async with request.param(place) as history:
        yield history


@pytest.fixture(
    params=[
        pytest.param(sqlite_buses, id="sqlite"),
        pytest.param(pubsub_buses, id="pubsub", marks=pytest.mark.emulator),
    ]
)
async def buses(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Buses]:
    """Every ``EventBus``, with whatever delivers its messages."""
    async with request.param(place) as buses:
        yield buses


@pytest.fixture
def event_bus(buses: Buses) -> EventBus:
    return buses.open()


@pytest.fixture(params=[pytest.param(sqlite_buses, id="sqlite")])
async def open_bus(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[OpenBus]:
    """Every bus that is a ``MessageLog`` and ``Subscriptions`` too."""
    async with request.param(place) as buses:
        yield buses.open


@pytest.fixture
def bus(open_bus: OpenBus) -> Bus:
    return open_bus()


@pytest.fixture(
    params=[
        pytest.param(sqlite_archives, id="sqlite"),
        pytest.param(bigquery_archives, id="bigquery"),
    ]
)
async def archives(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Archives]:
    async with request.param(place) as archives:
        yield archives


@pytest.fixture
async def archive(archives: Archives) -> Archive:
    return await archives.open()
