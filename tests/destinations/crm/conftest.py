"""Each of the CRMs, set up, for a test that says the same of all."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from destinations.crms import PLACES, Delivery, Place, a_place, delivering


@pytest.fixture(params=PLACES)
def bare(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A CRM in which nobody has set up anything of ours."""
    with a_place(request.param) as place:
        yield place


@pytest.fixture
async def place(bare: Place) -> Place:
    """A CRM with our fields."""
    await bare.made().setup()
    bare.server.asked.clear()
    return bare


@pytest.fixture
async def delivery(place: Place, tmp_path: Path) -> AsyncIterator[Delivery]:
    """Deliveries to a CRM with our fields."""
    async with delivering(place.made(), tmp_path) as using:
        yield using
