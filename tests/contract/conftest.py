"""The fixtures of the contract suites. A new adapter is one more parameter here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from builders import StandingClock
from contract.backends import Bus, OpenBus, OpenStore, sqlite_buses, sqlite_stores
from warmlead.ports import LeadStore


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(params=[pytest.param(sqlite_stores, id="sqlite")])
async def open_store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock
) -> AsyncIterator[OpenStore]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(request.param(tmp_path, clock))


@pytest.fixture
def store(open_store: OpenStore) -> LeadStore:
    return open_store()


@pytest.fixture(params=[pytest.param(sqlite_buses, id="sqlite")])
async def open_bus(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock
) -> AsyncIterator[OpenBus]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(request.param(tmp_path, clock))


@pytest.fixture
def bus(open_bus: OpenBus) -> Bus:
    return open_bus()
