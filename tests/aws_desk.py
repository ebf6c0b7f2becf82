"""Messages to send to AWS, and the queue of dispatches that sends them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from builders import RULES, StandingClock
from warmlead.application.deliver import Delivered, Dispatching, deliver, outgoing_of
from warmlead.application.redeliver import redeliver
from warmlead.domain.dispatch import Circuit, Dispatch
from warmlead.messages.contract import MESSAGES
from warmlead.ports import Message
from warmlead.ports.dispatching import Destination, DispatchKey, OutgoingMessage
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore

Made: TypeAlias = Callable[..., Destination]
"""Makes a destination of the settings in a section."""

Topic: TypeAlias = Callable[..., str]
"""Makes a topic to which a queue subscribes, with a filter policy if one is given; its ARN."""

KINDS = tuple(MESSAGES)

STAGE_ENTERED = "warmlead.lead.stage_entered.v1"
KPI_REPORTED = "warmlead.kpi.reported.v1"

_FOLDER = Path(__file__).parents[1] / "docs/messages"


def example(kind: str = STAGE_ENTERED, **changed: Any) -> dict[str, Any]:
    """The published example of a kind, with some of its attributes changed."""
    found: dict[str, Any] = json.loads((_FOLDER / f"{kind}.example.json").read_bytes())
    return {**found, **changed}


def body_of(kind: str = STAGE_ENTERED, **changed: Any) -> bytes:
    """The same as the body of a message."""
    return json.dumps(example(kind, **changed), ensure_ascii=False).encode()


def outgoing(kind: str = STAGE_ENTERED, **changed: Any) -> OutgoingMessage:
    """The same on its way out."""
    return outgoing_of(body_of(kind, **changed))


class Desk:
    """One process that delivers to one destination."""

    def __init__(self, file: SqliteFile) -> None:
        self.clock = StandingClock()
        self.failed: list[BaseException] = []
        self._file = file
        self._dispatches = SqliteDispatchStore(file)

    def of(self, *destinations: Destination) -> Dispatching:
        return Dispatching(
            dispatches=self._dispatches,
            leads=SqliteLeadStore(self._file, self.clock),
            destinations={each.name: each for each in destinations},
            rules=RULES,
            clock=self.clock,
            failed=lambda _, error: self.failed.append(error),
        )

    async def deliver(self, body: bytes, to: Destination) -> Delivered:
        return await deliver(Message(body, {}), self.of(to))

    async def redeliver(self, to: Destination) -> Delivered:
        return await redeliver(self.of(to))

    async def dispatch(self, to: Destination, id_: str) -> Dispatch:
        found = await self._dispatches.change(DispatchKey(to.name, id_), lambda known: known)
        assert found is not None
        return found

    async def circuit(self, to: Destination) -> Circuit:
        return await self._dispatches.circuit(to.name)
