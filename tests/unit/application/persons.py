"""Ada, of whom much is kept, and Bob, of whom nothing may be lost. Holds no assertion."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import lead_ids
from unit.application.conftest import World
from warmlead.application.accept import Quarantined, by_lead, to_quarantine
from warmlead.application.privacy.erase import Erased, erase
from warmlead.domain.errors import Reason
from warmlead.domain.event import Event
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.trigger import Topic

EMAIL = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))
USER = lead_ids.of(Identifier(Kind.USER, "u-42"))
BROWSER = lead_ids.of(Identifier(Kind.ANONYMOUS, "browser-1"))
ADA = frozenset([EMAIL, USER, BROWSER])
BOB = lead_ids.of(Identifier(Kind.EMAIL, "bob@example.com"))

MINUTE = timedelta(minutes=1)


async def accept(world: World, *events: Event) -> None:
    """Archives the events, counts them, and has nothing left to do."""
    await world.sqlite_bus.publish(Topic.LEAD_EVENTS, by_lead(events, lead_ids))
    await world.apply(*events)
    due = await world.sqlite_bus.pull("score", most=100, now=world.clock.now())
    await world.sqlite_bus.acknowledge(due)


async def set_aside(world: World, raw: str, source: str = "segment") -> None:
    entry = Quarantined(
        reason=Reason.EVENT_NAME_MISSING,
        message="A track call needs an event.",
        source=source,
        received_at=world.clock.now(),
        raw=raw,
        path="/v1/batch",
    )
    await world.bus.publish(Topic.QUARANTINE, [to_quarantine(entry)])


async def ada_and_bob(world: World) -> None:
    """Ada was an anonymous visitor, became an MQL, and a trigger of hers waits. So does Bob's."""
    origin = {"utm_source": "google"}
    first: dict[str, Any] = {"email": None, "anonymous_id": "browser-1", "attribution": origin}
    await accept(world, world.seen(1, **first), world.seen(2, **first))
    known = {"email": "ada@example.com", "user_id": "u-42", "anonymous_id": "browser-1"}
    world.clock.forward(MINUTE)
    await accept(world, world.seen(3, **known, traits={"company": "Analytical Engines"}))
    await accept(world, *(world.seen(i, email="bob@example.com") for i in range(10, 13)))
    world.clock.forward(MINUTE)
    await set_aside(world, '{"traits": {"Mail": " ADA@Example.com"}}')
    await set_aside(world, '{"userId": "u-42", "type": "track"}')
    await set_aside(world, '{"email": "bob@example.com", "note": "u-42"}')
    world.clock.forward(MINUTE)


async def erased(world: World, *ids: str) -> Erased:
    return await erase(
        ids or [EMAIL],
        store=world.store,
        archive=world.sqlite_bus,
        of=lead_ids,
        clock=world.clock,
    )


TABLES = ("leads", "aliases", "tombstones", "transitions", "messages", "deliveries")


def everything(path: Path) -> dict[str, Sequence[Any]]:
    """Every row of a data file."""
    with closing(sqlite3.connect(path)) as connection:
        return {t: sorted(connection.execute(f"SELECT * FROM {t}"), key=repr) for t in TABLES}


def seen_by(world: World, number: int, moment: datetime, **fields: Any) -> Event:
    return world.seen(number, occurred_at=moment, received_at=moment, **fields)
