"""Tools that act as a test says, and all that delivering to them needs, on a clock of the test."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from builders import NOW, StandingClock
from unit.application.living import LIVING
from warmlead.application.deliver import Delivered, Dispatching, deliver
from warmlead.application.redeliver import redeliver
from warmlead.domain.dispatch import AttemptResult, DispatchState, Postponed, Sent
from warmlead.ports import Message
from warmlead.ports.dispatching import Destination, OutgoingMessage, UnansweredError
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore

BUSY = Postponed("it answered 503")
Answer = AttemptResult | Exception | Callable[[], Any]


class Tool(Destination):
    """A destination that acts as it is told, and remembers what it did, and when."""

    def __init__(self, name: str, clock: StandingClock, *answers: Answer) -> None:
        super().__init__(name)
        self.answers = list(answers)
        self.attempts: list[tuple[datetime, str]] = []
        self.acted: list[str] = []
        self._clock = clock

    def wants(self, message: OutgoingMessage) -> bool:
        return bool(message.data.get("score", 100) >= 10)

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        assert now == self._clock.now()
        self.attempts.append((now, message.id))
        answer = self.answers.pop(0) if self.answers else Sent()
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Sent | UnansweredError):
            self.acted.append(message.id)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Place:
    """Everything that delivering needs, on a clock that the test moves."""

    def __init__(self, path: Path, file: SqliteFile) -> None:
        self.path = path
        self.file = file
        self.clock = StandingClock()
        self.leads = SqliteLeadStore(file, self.clock)
        self.dispatches = SqliteDispatchStore(file)
        self.tools: dict[str, Tool] = {}
        self.failed: list[str] = []

    def tool(self, name: str, *answers: Answer) -> Tool:
        self.tools[name] = Tool(name, self.clock, *answers)
        return self.tools[name]

    def using_with(self, **others: Any) -> Dispatching:
        return replace(self.using, **others)

    @property
    def using(self) -> Dispatching:
        return Dispatching(
            dispatches=self.dispatches,
            leads=self.leads,
            destinations=self.tools,
            rules=LIVING,
            clock=self.clock,
            failed=lambda name, _: self.failed.append(name),
        )

    async def deliver(self, message: Message) -> Delivered:
        return await deliver(message, self.using)

    async def wait(self, total: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
        """Lets time pass, with redeliver called as a clock calls it."""
        until = self.clock.time + total
        while self.clock.time < until:
            self.clock.time += step
            await redeliver(self.using)

    async def has_been_asked(self, tool: Tool, times: int) -> bool:
        return len(tool.attempts) >= times

    async def has_acted(self, tool: Tool) -> bool:
        return bool(tool.acted)

    async def state(self, name: str) -> Mapping[DispatchState, int]:
        return {s: n for s, n in (await self.dispatches.counts(name)).items() if n}


def a_message(id_: str = "m1", lead: str = "", **data: object) -> Message:
    about = {"lead": {"id": lead, "email": "ada@example.com"}} if lead else {}
    event = {
        "id": id_,
        "type": "warmlead.lead.stage_entered.v1",
        "subject": lead or "2026-11",
        "time": NOW.isoformat(),
        "data": {**about, "score": 60, **data},
    }
    return Message(json.dumps(event).encode(), {})
