"""Delivery as it is: the use case, SQLite stores, a clock that stands, and HTTP to this machine."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from builders import RULES, StandingClock, a_lead, an_event, keeping
from warmlead.application.deliver import Dispatching, deliver, outgoing_of
from warmlead.application.redeliver import redeliver
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Dispatch
from warmlead.domain.event import Event
from warmlead.domain.lead import Lead
from warmlead.ports import Message
from warmlead.ports.dispatching import DispatchKey, OutgoingMessage
from warmlead.settings import Settings
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.web.outbound import HttpOutbound

MESSAGES = Path(__file__).parents[2] / "docs/messages"
NAME = "tool"


def example(kind: str) -> dict[str, Any]:
    """The published example of a kind, such as ``handoff.offered``."""
    path = MESSAGES / f"warmlead.{kind}.v1.example.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def changed(
    like: Mapping[str, Any],
    /,
    *,
    id_: str = "",
    lead: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """A message with another id or other data; ``lead`` are other fields of its lead."""
    new = {**like["data"], **data}
    new["lead"] = {**new["lead"], **(lead or {})}
    return {**like, "id": id_ or like["id"], "subject": new["lead"]["id"], "data": new}


def outgoing(message: Mapping[str, Any]) -> OutgoingMessage:
    """The message as a destination gets it."""
    return outgoing_of(json.dumps(message).encode())


class Delivering:
    """One destination, and what became of its messages."""

    def __init__(self, file: SqliteFile, section: Mapping[str, Any], timeout_s: float) -> None:
        self.clock = StandingClock()
        self.leads = SqliteLeadStore(file, self.clock)
        self.dispatches = SqliteDispatchStore(file)
        self.errors: list[BaseException] = []
        self._timeout_s = timeout_s
        self.configure(section)

    def configure(self, section: Mapping[str, Any]) -> None:
        """Starts anew with other settings."""
        outbound = HttpOutbound(allow_local=True, timeout_s=self._timeout_s)
        self.using = Dispatching(
            dispatches=self.dispatches,
            leads=self.leads,
            destinations=destinations_in({NAME: section}, Settings(), outbound),
            rules=RULES,
            clock=self.clock,
            failed=lambda _, error: self.errors.append(error),
        )

    async def deliver(self, message: Mapping[str, Any]) -> Dispatch:
        """What became of a message after its first attempt."""
        await deliver(Message(json.dumps(message).encode(), {}), self.using)
        assert self.errors == []
        return await self.of(message)

    async def later(self, seconds: float, message: Mapping[str, Any]) -> Dispatch:
        """What became of a message some seconds later."""
        self.clock.forward(timedelta(seconds=seconds))
        await redeliver(self.using)
        assert self.errors == []
        return await self.of(message)

    async def of(self, message: Mapping[str, Any]) -> Dispatch:
        """What became of a message."""
        found = await self.dispatches.change(
            DispatchKey(NAME, message["id"]), lambda dispatch: dispatch
        )
        assert found is not None
        return found

    async def known(self, *events: Event) -> Lead:
        """A lead in the store."""
        lead = a_lead(*(events or (an_event(),)))
        await self.leads.update([lead.id], keeping(lead))
        return lead


@asynccontextmanager
async def delivering(
    folder: Path, section: Mapping[str, Any], *, timeout_s: float = 5.0
) -> AsyncIterator[Delivering]:
    """Delivery to one destination."""
    async with SqliteFile(folder / "warmlead.sqlite3") as file:
        yield Delivering(file, section, timeout_s)
