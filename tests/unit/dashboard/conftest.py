"""A dashboard for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.dashboard.seen import Seen, a_dashboard


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[Seen]:
    async with a_dashboard(tmp_path) as seen:
        yield seen
