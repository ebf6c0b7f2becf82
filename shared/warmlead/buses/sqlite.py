"""Messages in an SQLite file: the log of everything published, and what is still to be done.

The log is kept after delivery, so it is also the archive. Others work on the messages.
"""

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime

from warmlead.buses.sqlite_messages import (
    MESSAGE,
    SCHEMA,
    Leasing,
    Postponement,
    Pruned,
    Pruning,
    Publication,
    Pull,
    Revival,
    acknowledge_all,
    erase_all,
    finish_all,
    give_back_all,
    pause_ms,
    postpone_all,
    prune_all,
    pruned_until_ms,
    published_of,
    revive_all,
)
from warmlead.domain.history import from_ms, to_ms
from warmlead.ports import Clock, Delivery, Message, Published
from warmlead.sqlite_file import SqliteFile

MAX_ATTEMPTS = 5
LEASE_S = 10.0
"""Seconds after which another process takes over the messages of one that was killed."""

PAGE_MESSAGES = 500


class SqliteBus:
    """The ``EventBus``, ``Archive`` and ``Subscriptions`` of one machine, for several processes.

    ``subscriptions`` map a name to its topic, and are the same in every process on the file.
    A message that was returned ``max_attempts`` times is dead.
    """

    def __init__(
        self,
        file: SqliteFile,
        clock: Clock,
        subscriptions: Mapping[str, str],
        *,
        lease_s: float = LEASE_S,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        file.define(SCHEMA)
        self._file = file
        self._clock = clock
        self._subscriptions = dict(subscriptions)
        self._leasing = Leasing(round(lease_s * 1000), max_attempts)
        self._max_attempts = max_attempts
        self._arrivals: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See ``EventBus``; calls that wait at the same time share one commit."""
        if not messages:
            return []
        named = [(uuid.uuid4().hex, message) for message in messages]
        publication = Publication(topic, to_ms(self._clock.now()), named)
        await self._file.write(self._publish_all, publication)
        self._wake_subscribers(topic)
        return [message_id for message_id, _ in named]

    async def read(self, topic: str, *, after: int = 0) -> AsyncIterator[Published]:
        """See ``MessageLog``; only messages with a number above ``after``."""

        def page(connection: sqlite3.Connection) -> list[Published]:
            rows = connection.execute(
                f"SELECT {MESSAGE} FROM messages m WHERE topic = ? AND number > ?"  # noqa: S608  # constants
                " ORDER BY number LIMIT ?",
                (topic, after, PAGE_MESSAGES),
            )
            return [published_of(row) for row in rows.fetchall()]

        while messages := await self._file.read(page):
            for message in messages:
                yield message
            after = messages[-1].number

    async def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[Published]:
        """See ``Archive``; looks through the whole log."""
        after, wanted = 0, json.dumps(sorted(lead_ids))

        def page(connection: sqlite3.Connection) -> list[Published]:
            rows = connection.execute(
                f"SELECT {MESSAGE} FROM messages m WHERE number > ?"  # noqa: S608  # constants
                " AND attributes ->> 'lead_id' IN (SELECT value FROM json_each(?))"
                " ORDER BY number LIMIT ?",
                (after, wanted, PAGE_MESSAGES),
            )
            return [published_of(row) for row in rows.fetchall()]

        while messages := await self._file.read(page):
            for message in messages:
                yield message
            after = messages[-1].number

    async def erase(self, messages: Sequence[Published]) -> Sequence[Published]:
        """See ``Archive``; deletes them from all subscriptions too."""
        await self._file.write(erase_all, [each.number for each in messages])
        return ()

    async def drop(self, message_id: str) -> None:
        """Deletes a message that was published not long ago from the log and all subscriptions."""
        query = "SELECT number FROM messages WHERE message_id = ? ORDER BY number DESC LIMIT 1"

        def ask(connection: sqlite3.Connection) -> list[int]:
            row = connection.execute(query, (message_id,)).fetchone()
            return [row[0]] if row else []

        await self._file.write(erase_all, await self._file.read(ask))

    async def whole_since(self, topic: str) -> datetime | None:  # noqa: ARG002  # all are alike
        """See ``MessageLog``."""
        until_ms = await self._file.read(pruned_until_ms)
        return None if until_ms is None else from_ms(until_ms)

    async def prune(
        self,
        *,
        done_before: datetime | None,
        set_aside_before: datetime | None,
        holding: Sequence[str],
        after: int = 0,
    ) -> Pruned:
        """Deletes a page of old messages from the log, those behind the number ``after``.

        These are finished messages from before ``done_before``; and messages from before
        ``set_aside_before`` that were given up or are in a subscription of ``holding``. ``None``
        keeps them. Unfinished messages stay, however old they are.
        """
        done_ms, aside_ms = _maybe_ms(done_before), _maybe_ms(set_aside_before)
        names = sorted(self._subscriptions)
        pruning = Pruning(after, done_ms, aside_ms, names, holding, PAGE_MESSAGES)
        return await self._file.write(prune_all, pruning)

    async def tidy(self) -> None:
        """Gives the room of deleted rows back to the system, and empties the write-ahead log."""
        left = await self._file.write(give_back_all, None)
        while left > (left := await self._file.write(give_back_all, None)):
            pass
        await self._file.empty_log()

    async def pull(self, subscription: str, *, most: int, now: datetime) -> Sequence[Delivery]:
        """See ``Subscriptions``."""
        self._arrival_of(subscription).clear()
        pull = Pull(subscription, most, to_ms(now))
        return await self._file.write(self._leasing.pull_all, pull)

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See ``Subscriptions``; without effect on a message that has been leased anew."""
        await self._file.write(acknowledge_all, [delivery.token for delivery in deliveries])

    async def retry_later(self, delivery: Delivery, *, why: str, now: datetime) -> None:
        """See ``Subscriptions``; without effect on a message that has been leased anew."""
        due_ms = to_ms(now) + pause_ms(delivery.published.message_id, delivery.attempt)
        dead = delivery.attempt >= self._max_attempts
        await self._file.write(postpone_all, Postponement(delivery.token, due_ms, dead, why))

    async def dead(self, subscription: str) -> Sequence[tuple[Published, str]]:
        """See ``Subscriptions``."""

        def ask(connection: sqlite3.Connection) -> list[tuple[Published, str]]:
            rows = connection.execute(
                f"SELECT {MESSAGE}, last_error FROM deliveries d JOIN messages m USING (number)"  # noqa: S608  # constants
                " WHERE subscription = ? AND dead ORDER BY number",
                (subscription,),
            )
            return [(published_of(row[:-1]), row[-1]) for row in rows.fetchall()]

        return await self._file.read(ask)

    async def outstanding(self, subscription: str) -> Sequence[Published]:
        """See ``Subscriptions``."""

        def ask(connection: sqlite3.Connection) -> list[Published]:
            rows = connection.execute(
                f"SELECT {MESSAGE} FROM deliveries d JOIN messages m USING (number)"  # noqa: S608  # constants
                " WHERE subscription = ? AND NOT dead ORDER BY number",
                (subscription,),
            )
            return [published_of(row) for row in rows.fetchall()]

        return await self._file.read(ask)

    async def counts(self, subscription: str) -> tuple[int, int]:
        """How many messages of a subscription wait, and were given up; counted, not read."""
        query = "SELECT dead, count(*) FROM deliveries WHERE subscription = ? GROUP BY dead"

        def ask(connection: sqlite3.Connection) -> tuple[int, int]:
            found = dict(connection.execute(query, (subscription,)))
            return found.get(0, 0), found.get(1, 0)

        return await self._file.read(ask)

    async def finish(self, subscription: str, numbers: Sequence[int]) -> None:
        """See ``Subscriptions``."""
        await self._file.write(finish_all, [(subscription, number) for number in numbers])

    async def revive(self, subscription: str, numbers: Sequence[int], *, now: datetime) -> int:
        """See ``Subscriptions``."""
        revival = Revival(subscription, numbers, to_ms(now))
        revived = await self._file.write(revive_all, revival)
        self._wake_subscribers(self._subscriptions.get(subscription, ""))
        return revived

    async def arrival(self, subscription: str, *, within_s: float) -> None:
        """Returns when something was published in this process since the last pull, or time is up.

        Messages of other processes, and those that are due again, are not noticed: pull then.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._arrival_of(subscription).wait()
        except TimeoutError:
            return

    def _arrival_of(self, subscription: str) -> asyncio.Event:
        loop = asyncio.get_running_loop()
        known = self._arrivals.get(subscription)
        if known is None or known[0] is not loop:
            known = self._arrivals[subscription] = (loop, asyncio.Event())
        return known[1]

    def _wake_subscribers(self, topic: str) -> None:
        for subscription, (loop, event) in list(self._arrivals.items()):
            if self._subscriptions.get(subscription) == topic and not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _publish_all(
        self, connection: sqlite3.Connection, publications: Sequence[Publication]
    ) -> Sequence[None]:
        for topic, at_ms, messages in publications:
            listening = [name for name, of in self._subscriptions.items() if of == topic]
            for message_id, message in messages:
                number = connection.execute(
                    "INSERT INTO messages (topic, message_id, at_ms, attributes, body)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (topic, message_id, at_ms, json.dumps(dict(message.attributes)), message.body),
                ).lastrowid
                connection.executemany(
                    "INSERT INTO deliveries (subscription, number, due_ms) VALUES (?, ?, ?)",
                    [(name, number, at_ms) for name in listening],
                )
        return [None] * len(publications)


def _maybe_ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)
