"""Persons whose history is imported, and what to import it with. Holds no assertion."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import NOW, StandingClock, an_event, lead_ids
from unit.application.living import LIVING
from warmlead.application.history.living import Living
from warmlead.application.history.taking_in import Importing, TakenIn, TakingIn
from warmlead.domain.event import Event
from warmlead.domain.rules import Rules
from warmlead.ports import LeadStore
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

DAY = timedelta(days=1)
THEN = NOW - 800 * DAY
"""Long ago: no event of then could come in as a new one."""


def of_then(name: str, day: float = 0, **fields: Any) -> Event:
    """An imported event, so many days after ``THEN``."""
    at = THEN + day * DAY
    fields = {"id": f"{name}-{day}", "source": "import:demo", **fields}
    return an_event(name=name, occurred_at=at, received_at=at, **fields)


def was(stage: str, day: float, **fields: Any) -> Event:
    """The records say that the person was in a stage."""
    return of_then("sales_qualified", day, properties={"reason": stage}, **fields)


def importing(rules: Rules = LIVING, name: str = "demo", now: datetime = NOW) -> Importing:
    return Importing(name, rules, lead_ids, Living(rules, lead_ids), now)


async def taken_in(
    store: LeadStore, *persons: Sequence[Event], using: Importing | None = None
) -> TakenIn:
    """Takes the persons in; what became of all of them together."""
    total: dict[str, int] = {}
    for events in persons:
        change = TakingIn(events, using or importing())
        taken = await store.update(change.ids, change)
        for name in TakenIn.__slots__:
            total[name] = total.get(name, 0) + getattr(taken, name)
    return TakenIn(**total)


@asynccontextmanager
async def a_store(folder: Path) -> AsyncIterator[LeadStore]:
    async with SqliteFile(folder / "leads.sqlite3", durable=False) as file:
        yield SqliteLeadStore(file, StandingClock())


NEVER_LEFT = replace(LIVING, stages=(replace(LIVING.stages[0], leave=None),))
"""The same model, in which nobody leaves the stage by a condition."""
