"""Works the bus of one machine: delivers each message to ``score`` as Pub/Sub would push it.

Also runs the scheduled functions: decay, followup and report. Failed work is tried again later, by
the bus or the next run.
"""

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self

from starlette.types import ASGIApp, Message

from warmlead.application.decay import decay
from warmlead.application.due import Budget, EvaluationContext, RunProgress
from warmlead.application.followup import follow_up
from warmlead.application.quarantine import QUARANTINE, SCORE
from warmlead.application.report import Reporting, report_due
from warmlead.buses.sqlite import SqliteBus
from warmlead.cli.local.supervision import Watchdog
from warmlead.domain.errors import WarmleadError
from warmlead.domain.history import day_of, to_ms
from warmlead.ports import Delivery
from warmlead.runtime import functions, table
from warmlead.web.logging import log_event

MOST_AT_ONCE = 256
MOST_BYTES_AT_ONCE = 512_000
"""Messages that are decided together share a commit; posts that arrive meanwhile wait for it."""

LOOK_EVERY_S = 0.5
"""How often to look for messages of other processes, and for those due again."""

FOLLOW_UP_EVERY_S = 30.0
TURN_S = 2.0
"""Time of one turn: the end of the process waits no longer than this."""

_log = logging.getLogger(__name__)


class Retention(NamedTuple):
    """For how many days the archive, and what was set aside, are kept; 0: for good."""

    archive_days: int
    quarantine_days: int


KEEPS_ALL = Retention(0, 0)


def before(now: datetime, days: int) -> datetime | None:
    """The time before which messages are too old; ``None`` if they are kept for good."""
    return now - timedelta(days=days) if days else None


class Worker:
    """Runs while its context is open; leaving it finishes what is under way."""

    def __init__(
        self,
        score: ASGIApp,
        *,
        bus: SqliteBus,
        settling: EvaluationContext,
        reporting: Reporting,
        follow_up_every_s: float = FOLLOW_UP_EVERY_S,
        watchdog: Watchdog | None = None,
        retention: Retention = KEEPS_ALL,
    ) -> None:
        self._score = score
        self._bus = bus
        self._settling = settling
        self._follow_up_every_s = follow_up_every_s
        self._clock = settling.clock
        self._reporting = reporting
        self._watchdog = watchdog
        self._retention = retention
        self._pruned_on: int | None = None
        self._pruned_to = 0
        self._faded_on: int | None = None
        self._reported_on: int | None = None
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        turns = {
            table.DECAY: self._fade,
            table.FOLLOWUP: self._follow_up,
            table.REPORT: self._report,
        }
        self._turns = [turns[each] for each in table.TABLE if each.every_s is not None]

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._keep_up())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ending.set()
        await asyncio.gather(*self._tasks)

    async def _work(self) -> None:
        while not self._ending.is_set():
            try:
                due = await self._bus.pull(SCORE, most=MOST_AT_ONCE, now=self._clock.now())
                with self._bounded(due):
                    await self._deliver(due)
            except WarmleadError as error:
                log_event(_log, "bus_unavailable", level=logging.WARNING, error=error)
                due = []
            if not due:
                await self._bus.arrival(SCORE, within_s=LOOK_EVERY_S)

    def _bounded(self, due: Sequence[Delivery]) -> AbstractContextManager[None]:
        if not due or self._watchdog is None:
            return contextlib.nullcontext()
        return self._watchdog.work(alone=due[0].is_alone)

    async def _keep_up(self) -> None:
        while not self._ending.is_set():
            done = True
            try:
                for turn in (*self._turns, self._prune):
                    done = await turn() and done
            except WarmleadError as error:
                log_event(_log, "settling_failed", level=logging.WARNING, error=error)
            if done:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), self._follow_up_every_s)

    async def _fade(self) -> bool:
        """Runs decay, at the start and once per UTC day; returns whether it is done."""
        today = day_of(to_ms(self._clock.now()))
        if self._faded_on == today:
            return True
        run = await decay(self._settling, budget_s=TURN_S)
        if run.looked_at:
            _tell("decayed", run)
        if run.done:
            self._faded_on = today
        return run.done

    async def _follow_up(self) -> bool:
        run = await follow_up(self._settling, budget_s=TURN_S)
        if run.due.looked_at or run.swept:
            _tell("followed_up", run.due, swept=run.swept)
        return run.done

    async def _report(self) -> bool:
        """Reports finished periods, at the start and once per UTC day; it is always done."""
        now = self._clock.now()
        if self._reported_on == day_of(to_ms(now)):
            return True
        made = await report_due(self._reporting, now)
        self._reported_on = day_of(to_ms(now))
        log_event(_log, "reported", error=None, count=len(made))
        return True

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

    async def _deliver(self, due: Sequence[Delivery]) -> None:
        for some in in_turns(due):
            await self._deliver_at_once(some)

    async def _deliver_at_once(self, due: Sequence[Delivery]) -> None:
        answers = await asyncio.gather(*(self._push(delivery) for delivery in due))
        outcomes = list(zip(due, answers, strict=True))
        done = [delivery for delivery, answer in outcomes if answer.is_success]
        if done:
            await self._bus.acknowledge(done)
        for delivery, answer in outcomes:
            if not answer.is_success:
                await self._bus.retry_later(delivery, why=answer.why, now=self._clock.now())

    async def _push(self, delivery: Delivery) -> "Answered":
        """How ``score`` answers the message, in Pub/Sub's push envelope."""
        published = delivery.published
        envelope = {
            "message": {
                "data": base64.b64encode(published.message.body).decode(),
                "attributes": dict(published.message.attributes),
                "messageId": published.message_id,
                "publishTime": published.at.isoformat(),
            },
            "subscription": SCORE,
            "deliveryAttempt": delivery.attempt,
        }
        return await post(self._score, json.dumps(envelope).encode())


def in_turns(due: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """The messages in their order, no more at once than hold up other writers for a moment."""
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


def _tell(event: str, progress: RunProgress, **others: int) -> None:
    log_event(_log, event, error=None, **progress.counts, **others)
    functions.tell_failures(progress)


class Answered(NamedTuple):
    """The answer to a push."""

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
            return f"score answered {self.status}"
        return f"score answered {self.status}: {message}"


async def post(app: ASGIApp, body: bytes) -> Answered:
    """Posts a JSON body to an application in this process."""
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
        "server": ("score", 80),
        "client": ("bus", 0),
    }
    await app(scope, receive, send)
    return Answered(statuses[0], b"".join(parts))
