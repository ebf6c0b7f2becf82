"""Whatever fails, the worker waits before it tries again: counted in a minute of virtual time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from builders import NOW, StandingClock
from unit.application.living import LIVING
from unit.cli.local.virtual_time import MOST_TURNS, SpinError, run_virtually
from warmlead.cli.local.worker import (
    FOLLOW_UP_EVERY_S,
    LOOK_EVERY_S,
    MOST_OUTSIDE,
    OUTSIDE_EVERY_S,
    Worker,
)
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Delivery, Message, Published
from warmlead.runtime.runs import RunContext

LONG_S = 60.0
SCORE, DELIVER = "score", "deliver-mql"


class Bus:
    """A bus that counts what it is asked; ``pulls`` is what it hands out, ``away`` what fails."""

    def __init__(self, *, away: Sequence[str] = (), pulls: int = 0) -> None:
        self.calls: Counter[str] = Counter()
        self._away = away
        self._pulls = pulls
        self._number = 0

    def _called(self, what: str) -> None:
        self.calls[what] += 1
        if what in self._away:
            raise UnavailableError(f"{what} does not work")

    async def pull(self, subscription: str, *, most: int, now: object) -> Sequence[Delivery]:
        del now
        self._called(f"pull {subscription}")
        self._number += 1
        message = Message(b"{}", {})
        return [
            Delivery(f"{self._number}-{i}", Published(i, str(i), "t", NOW, message), 1)
            for i in range(min(most, self._pulls))
        ]

    async def arrival(self, subscription: str, *, within_s: float) -> None:
        self._called(f"arrival {subscription}")
        await asyncio.sleep(0 if self._pulls else within_s)  # what has arrived is there

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        del deliveries
        self._called("acknowledge")

    async def retry_later(self, delivery: Delivery, *, why: str, now: object) -> None:
        del delivery, why, now
        self._called("retry_later")

    async def prune(self, **_: object) -> NoReturn:
        self.calls["prune"] += 1
        raise UnavailableError("the file is full")


class Away:
    """A store, or whatever else a run needs, of which nothing works, at once."""

    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls

    shards = 1

    def __getattr__(self, name: str) -> Any:
        def fails(*_: object, **__: object) -> NoReturn:
            self._calls["store"] += 1
            raise UnavailableError("the file is full")

        return fails


def answering(after_s: float) -> ASGIApp:
    """A function whose tool fails after some time."""

    async def answers(_: Scope, __: Receive, send: Send) -> None:
        await asyncio.sleep(after_s)
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    return answers


async def a_while(bus: Bus, *, after_s: float = 1) -> Counter[str]:
    """What was asked for in a minute, with tools that fail after some time."""
    app = answering(after_s)
    away: Any = Away(bus.calls)
    context = RunContext(
        store=away,
        reports=away,
        bus=away,
        rules=LIVING,
        clock=StandingClock(),
        dispatches=lambda: away,
        destinations=dict,
        imports=lambda: away,
    )
    embedded: Any = bus
    async with Worker({SCORE: app, DELIVER: app}, bus=embedded, context=context, outside=[DELIVER]):
        await asyncio.sleep(LONG_S)
        return Counter(bus.calls)


def pulls_of(calls: Counter[str]) -> int:
    return calls[f"pull {SCORE}"] + calls[f"pull {DELIVER}"]


def test_a_bus_that_does_not_answer_is_asked_at_its_pace() -> None:
    calls = run_virtually(a_while(Bus(away=[f"pull {SCORE}", f"pull {DELIVER}"])))
    assert LONG_S < pulls_of(calls) <= 2 * LONG_S / LOOK_EVERY_S + 2


def test_runs_that_fail_at_once_are_repeated_at_their_pace() -> None:
    calls = run_virtually(a_while(Bus()))
    most = LONG_S / OUTSIDE_EVERY_S + 8 * LONG_S / FOLLOW_UP_EVERY_S
    assert LONG_S / OUTSIDE_EVERY_S <= calls["store"] <= 2 * most
    assert calls["prune"] <= LONG_S / FOLLOW_UP_EVERY_S + 1


def test_tools_that_hang_hold_their_places_and_nothing_turns_meanwhile() -> None:
    calls = run_virtually(a_while(Bus(pulls=9), after_s=2 * LONG_S))
    assert calls[f"pull {DELIVER}"] <= MOST_OUTSIDE


@pytest.mark.slow
def test_tools_that_fail_at_once_and_whose_failures_cannot_be_kept() -> None:
    calls = run_virtually(a_while(Bus(pulls=1, away=["retry_later"])))
    assert calls["retry_later"] <= 3 * MOST_OUTSIDE * LONG_S


def test_a_loop_that_does_not_wait_is_found() -> None:
    async def spins() -> None:
        for _ in range(10 * MOST_TURNS):
            await asyncio.sleep(0)

    with pytest.raises(SpinError):
        run_virtually(spins())
