"""A crowd of persons whose outcomes one can count by hand. Holds no assertion."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from builders import NOW, StandingClock
from unit.learning.leads import DAY, Books, says
from warmlead.domain.event import Event
from warmlead.model.loading import load
from warmlead.sqlite_file import SqliteFile

HAND = """
signals:
  demo_requested: {on: demo_requested, points: 30}
stages:
  mql: {enter: score >= 30}
"""

READERS = 25


def person(
    number: int, began: datetime, *, asked: bool, won: bool, read: bool = False
) -> list[Event]:
    """One who became known half a day after the one before."""
    who, known = f"lead-{number:03}", began + number * DAY / 2
    did = {
        "form_submitted": timedelta(0),
        **({"page_viewed": timedelta(hours=1)} if read else {}),
        **({"demo_requested": timedelta(hours=2)} if asked else {}),
        **({"sales_won": 40 * DAY} if won else {}),
    }
    return [says(who, name, known + since) for name, since in did.items()]


def crowd(now: datetime = NOW) -> list[Event]:
    """What 120 persons did, 40 of them won: 30 of the 40 who asked for a demo, and 10 others.

    They came in 8½ weeks, from 200 days ago on, those of each kind at all times.
    """
    kinds = [(True, True)] * 30 + [(False, True)] * 10 + [(True, False)] * 10
    kinds += [(False, False)] * 70
    persons = [
        person(
            number * 7 % len(kinds), now - 200 * DAY, asked=asked, won=won, read=number < READERS
        )
        for number, (asked, won) in enumerate(kinds)
    ]
    return sorted((event for each in persons for event in each), key=lambda e: e.occurred_at)


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in which the crowd has lived, under ``HAND``; nobody writes to it."""
    folder = tmp_path_factory.mktemp("crowd")
    asyncio.run(live(folder / "leads.sqlite3", crowd()))
    return folder


async def live(path: Path, events: Sequence[Event]) -> None:
    """Lets the events come, each at its time, into a store in a file."""
    async with SqliteFile(path, durable=False) as file:
        kept = Books(file, StandingClock(), load(HAND, name="hand").rules)
        for event in events:
            kept.clock.time = event.occurred_at
            await kept.happens(event)
