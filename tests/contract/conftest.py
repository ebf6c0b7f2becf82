"""The fixtures of the contract suites. A new adapter is one more parameter here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from builders import StandingClock
from contract.backends import (
    Books,
    Bus,
    Buses,
    OpenBus,
    OpenStore,
    Place,
    firestore_books,
    firestore_stores,
    pubsub_buses,
    sqlite_books,
    sqlite_buses,
    sqlite_stores,
)
from warmlead.cli.local.emulators import Service
from warmlead.ports import EventBus, LeadStore


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
