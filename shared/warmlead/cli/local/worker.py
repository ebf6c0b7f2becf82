"""Does on one machine what Pub/Sub and Cloud Scheduler do in the cloud.

Hands each message of the bus to its function, as Pub/Sub would push it, and calls the scheduled
functions of the table. The bus or the next call tries again what fails.
"""

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp, Message

from warmlead.application.due import Budget
from warmlead.application.quarantine import QUARANTINE
from warmlead.buses.sqlite import SqliteBus
from warmlead.cli.local.supervision import Watchdog
from warmlead.domain.errors import WarmleadError
from warmlead.domain.history import day_of, to_ms
from warmlead.ports import Delivery
from warmlead.runtime.functions import run_of
from warmlead.runtime.runs import Run, RunContext, log_failures
from warmlead.runtime.table import SHORTEST_S, Function, scheduled
from warmlead.web.logging import log_event

MOST_AT_ONCE = 256
MOST_BYTES_AT_ONCE = 512_000
"""Messages that are decided together share a commit; posts that arrive meanwhile wait for it."""

MOST_OUTSIDE = 64
"""Messages on their way to tools at the same time."""

LOOK_EVERY_S = 0.5
"""How often to look for messages of other processes, and for those due again."""

FOLLOW_UP_EVERY_S = 30.0
"""Seconds between two calls of what the clock of the cloud calls every minute."""

OUTSIDE_EVERY_S = 5.0
"""How often to look for messages to tools that are due again: their first pause is as long."""

TURN_S = 2.0
"""The longest turn of a scheduled function: the end of the process waits no longer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days the archive and the quarantine are kept; 0: for good."""

    archive_days: int
    quarantine_days: int


KEEPS_ALL = Retention(0, 0)


def before(now: datetime, days: int) -> datetime | None:
    """The time before which messages are too old; ``None`` if they are kept for good."""
    return now - timedelta(days=days) if days else None


def is_due(function: Function, done_at: datetime | None, now: datetime) -> bool:
    """Whether to call a scheduled function, whose last complete run began at ``done_at``.

    A daily one is called once a UTC day. What the clock calls as often as it can is due always:
    then the caller's own pause counts.
    """
    if done_at is None or function.every_s is None:
        return True
    if function.daily:
        return day_of(to_ms(now)) != day_of(to_ms(done_at))
    waited_s = (now - done_at).total_seconds()
    return function.every_s <= SHORTEST_S or not 0 <= waited_s < function.every_s


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Logs that something needed does not answer; the turn after the pause tries again."""
    try:
        yield
    except WarmleadError as error:
        log_event(_log, "run_failed", level=logging.WARNING, error=error)


class Worker:
    """Runs while its context is open; leaving it finishes what is under way.

    ``pushed`` are the functions to which messages are handed, by subscription; ``outside`` are
    those subscriptions whose functions wait for tools of others.
    """

    def __init__(
        self,
        pushed: Mapping[str, ASGIApp],
        *,
        bus: SqliteBus,
        context: RunContext,
        outside: Collection[str] = (),
        follow_up_every_s: float = FOLLOW_UP_EVERY_S,
        watchdog: Watchdog | None = None,
        retention: Retention = KEEPS_ALL,
    ) -> None:
        self._pushed = pushed
        self._bus = bus
        self._context = context
        self._follow_up_every_s = follow_up_every_s
        self._clock = context.clock
        self._watchdog = watchdog
        self._retention = retention
        self._pruned_on: int | None = None
        self._pruned_to = 0
        self._outside = frozenset(outside)
        runs = [(function, run_of(function)) for function in scheduled()]
        self._runs = [each for each in runs if not each[0].reaches_out]
        self._runs_outside = [each for each in runs if each[0].reaches_out]
        self._done_at: dict[str, datetime] = {}
        self._one_at_a_time = asyncio.Lock()  # a watchdog watches one piece of work
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        import warmlead.messages.contract  # noqa: F401, PLC0415  # heavy: no message should wait for it

        work = [
            self._work_outside(each) if each in self._outside else self._work(each)
            for each in self._pushed
        ]
        work += [self._keep_up(), self._keep_up_outside()]
        self._tasks = [asyncio.create_task(each) for each in work]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ending.set()
        await asyncio.gather(*self._tasks)

    async def _work_outside(self, subscription: str) -> None:
        """Hands messages to a function that waits for tools: no message waits for another."""
        under_way: set[asyncio.Task[None]] = set()
        while not self._ending.is_set():
            due: Sequence[Delivery] = ()
            if not (most := MOST_OUTSIDE - len(under_way)):
                await asyncio.wait(
                    under_way, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                continue
            try:
                due = await self._bus.pull(subscription, most=most, now=self._clock.now())
            except WarmleadError as error:
                log_event(_log, "bus_unavailable", level=logging.WARNING, error=error)
            for each in due:
                task = asyncio.create_task(self._deliver_outside(subscription, each))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            if not due:
                await self._bus.arrival(subscription, within_s=LOOK_EVERY_S)
        await asyncio.gather(*under_way)

    async def _deliver_outside(self, subscription: str, delivery: Delivery) -> None:
        try:
            await self._deliver_at_once(subscription, [delivery])
        except WarmleadError as error:
            log_event(_log, "bus_unavailable", level=logging.WARNING, error=error)

    async def _work(self, subscription: str) -> None:
        while not self._ending.is_set():
            try:
                due = await self._bus.pull(subscription, most=MOST_AT_ONCE, now=self._clock.now())
                async with self._one_at_a_time:
                    with self._bounded(due):
                        await self._deliver(subscription, due)
            except WarmleadError as error:
                log_event(_log, "bus_unavailable", level=logging.WARNING, error=error)
                due = []
            if not due:
                await self._bus.arrival(subscription, within_s=LOOK_EVERY_S)

    def _bounded(self, due: Sequence[Delivery]) -> AbstractContextManager[None]:
        if not due or self._watchdog is None:
            return contextlib.nullcontext()
        return self._watchdog.work(alone=due[0].is_alone)

    async def _keep_up(self) -> None:
        while not self._ending.is_set():
            done = await self._call_due(self._runs)
            with _logged():
                done = await self._prune() and done
            if done:
                await self._pause(self._follow_up_every_s)

    async def _keep_up_outside(self) -> None:
        """Calls the scheduled functions that wait for tools, apart from all others."""
        while not self._ending.is_set():
            await self._call_due(self._runs_outside)
            await self._pause(OUTSIDE_EVERY_S)

    async def _call_due(self, runs: Sequence[tuple[Function, Run]]) -> bool:
        """Calls those functions that are due; whether to pause: no call has left work undone.

        One that fails is called again after the pause, and keeps no other from its turn.
        """
        done = True
        for function, run in runs:
            if is_due(function, self._done_at.get(function.name), self._clock.now()):
                with _logged():
                    done = await self._call(function, run) and done
        return done

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _call(self, function: Function, run: Run) -> bool:
        """Whether the function has done everything; otherwise its next call continues."""
        began = self._clock.now()
        result = await run(self._context, TURN_S)
        if result.has_effect:
            log_event(_log, "run_done", error=None, function=function.name, **result.facts)
        log_failures(result)
        if result.done:
            self._done_at[function.name] = began
        return result.done

    async def _prune(self) -> bool:
        """Deletes old messages, at the start and once per UTC day; returns whether it is done."""
        now = self._clock.now()
        if self._pruned_on == day_of(to_ms(now)):
            return True
        budget, count = Budget(TURN_S), 0
        after: int | None = self._pruned_to
        while after is not None and not budget.is_spent():
            self._pruned_to = after
            pruned = await self._bus.prune(
                done_before=before(now, self._retention.archive_days),
                set_aside_before=before(now, self._retention.quarantine_days),
                holding=[QUARANTINE],
                after=after,
            )
            count, after = count + pruned.gone, pruned.after
        if count:
            log_event(_log, "pruned", error=None, count=count)
        if after is not None:
            return False
        self._pruned_on, self._pruned_to = day_of(to_ms(now)), 0
        await self._bus.tidy()
        return True

    async def _deliver(self, subscription: str, due: Sequence[Delivery]) -> None:
        for some in in_turns(due):
            await self._deliver_at_once(subscription, some)

    async def _deliver_at_once(self, subscription: str, due: Sequence[Delivery]) -> None:
        app = self._pushed[subscription]
        answers = await asyncio.gather(*(push(app, each, subscription) for each in due))
        outcomes = list(zip(due, answers, strict=True))
        done = [delivery for delivery, answer in outcomes if answer.is_success]
        if done:
            await self._bus.acknowledge(done)
        for delivery, answer in outcomes:
            if not answer.is_success:
                await self._bus.retry_later(delivery, why=answer.why, now=self._clock.now())


def in_turns(due: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """The messages in their order, in groups small enough for other writers to wait."""
    some: list[Delivery] = []
    size = 0
    for delivery in due:
        size += len(delivery.published.message.body)
        if some and size > MOST_BYTES_AT_ONCE:
            yield some
            some, size = [], len(delivery.published.message.body)
        some.append(delivery)
    if some:
        yield some


@dataclass(frozen=True, slots=True)
class Answered:
    """How a function answers a push."""

    by: str
    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the message is finished."""
        return 200 <= self.status < 300  # noqa: PLR2004  # HTTP's class of success

    @property
    def why(self) -> str:
        """The error text of a message that failed; an error's body has no personal data."""
        try:
            message = json.loads(self.body)["message"]
        except (ValueError, TypeError, KeyError):
            return f"{self.by} answered {self.status}"
        return f"{self.by} answered {self.status}: {message}"


async def push(app: ASGIApp, delivery: Delivery, subscription: str) -> Answered:
    """Posts a message to a function in Pub/Sub's push envelope; returns the answer."""
    published = delivery.published
    envelope = {
        "message": {
            "data": base64.b64encode(published.message.body).decode(),
            "attributes": dict(published.message.attributes),
            "messageId": published.message_id,
            "publishTime": published.at.isoformat(),
        },
        "subscription": subscription,
        "deliveryAttempt": delivery.attempt,
    }
    return await post(app, json.dumps(envelope).encode(), to=subscription)


async def post(app: ASGIApp, body: bytes, *, to: str) -> Answered:
    """Posts a JSON body to an application in this process, whose name is ``to``."""
    statuses: list[int] = []
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        else:
            parts.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "server": (to, 80),
        "client": ("bus", 0),
    }
    await app(scope, receive, send)
    return Answered(to, statuses[0], b"".join(parts))
