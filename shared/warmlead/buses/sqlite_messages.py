"""The messages of one machine in SQL: statements, leases, retention."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct, structs

from warmlead.domain.history import from_ms
from warmlead.ports import Delivery, Message, Published
from warmlead.sqlite_file import Column

FIRST_PAUSE_S = 2.0
PAUSE_GROWTH = 4.0
"""The pauses between five attempts are about 2 s, 8 s, 32 s and 2 minutes."""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS messages (
         number INTEGER PRIMARY KEY AUTOINCREMENT,
         topic TEXT NOT NULL,
         message_id TEXT NOT NULL,
         at_ms INTEGER NOT NULL,
         attributes TEXT NOT NULL,
         body BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS messages_of_topic ON messages (topic, number)",
    """CREATE TABLE IF NOT EXISTS deliveries (
         subscription TEXT NOT NULL,
         number INTEGER NOT NULL REFERENCES messages,
         due_ms INTEGER NOT NULL,
         attempts INTEGER NOT NULL DEFAULT 0,
         leases INTEGER NOT NULL DEFAULT 0,
         dead INTEGER NOT NULL DEFAULT 0,
         last_error TEXT NOT NULL DEFAULT '',
         PRIMARY KEY (subscription, number)) WITHOUT ROWID""",
    # The last lease that was given back; one that is over and was not is that of a dead process.
    Column("deliveries", "returned", "INTEGER NOT NULL DEFAULT 0"),
    # How often it was handed out alone, of a message that may have ended a process; else null.
    Column("deliveries", "alone", "INTEGER"),
    """CREATE TABLE IF NOT EXISTS retention (
         id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
         pruned_until_ms INTEGER NOT NULL)""",
    "DROP INDEX IF EXISTS deliveries_due",
    """CREATE INDEX IF NOT EXISTS deliveries_waiting
         ON deliveries (subscription, due_ms, number) WHERE NOT dead AND alone IS NULL""",
    """CREATE INDEX IF NOT EXISTS deliveries_alone
         ON deliveries (subscription, alone, due_ms, number)
         WHERE NOT dead AND alone IS NOT NULL""",
)

MESSAGE = "m.number, m.message_id, m.topic, m.at_ms, m.body, m.attributes"


class Publication(NamedTuple):
    """Messages for a topic, each with its id; unpacked."""

    topic: str
    at_ms: int
    messages: Sequence[tuple[str, Message]]


class Postponement(Struct, frozen=True):
    """When a leased message is due again, or that it is dead, and why."""

    token: str
    due_ms: int
    dead: bool
    why: str


class Revival(Struct, frozen=True):
    """Dead messages that are due again."""

    subscription: str
    numbers: Sequence[int]
    now_ms: int


def pause_ms(message_id: str, attempt: int) -> int:
    """The pause after a failed attempt: four times the one before.

    Up to a quarter is added, by the message's id, so that messages that failed together spread out.
    """
    spread = hashlib.blake2b(f"{message_id}.{attempt}".encode(), digest_size=2).digest()
    jitter = 1 + int.from_bytes(spread) / 65_536 / 4
    return round(FIRST_PAUSE_S * 1000 * PAUSE_GROWTH ** (attempt - 1) * jitter)


def token_of(number: int, lease: int, subscription: str) -> str:
    """Names one lease of one message, so that its holder can check whether it is still valid."""
    return f"{number} {lease} {subscription}"


def leased(token: str) -> tuple[int, int, str]:
    """The number, lease and subscription that a token names."""
    number, lease, subscription = token.split(" ", 2)
    return int(number), int(lease), subscription


def published_of(row: tuple[int, str, str, int, bytes, str]) -> Published:
    """The message in a row of ``MESSAGE``."""
    number, message_id, topic, at_ms, body, attributes = row
    return Published(
        number, message_id, topic, from_ms(at_ms), Message(body, json.loads(attributes))
    )


def acknowledge_all(
    connection: sqlite3.Connection, calls: Sequence[Sequence[str]]
) -> Sequence[None]:
    """Forgets the deliveries whose lease is still the one that the token names."""
    connection.executemany(
        "DELETE FROM deliveries WHERE number = ? AND leases = ? AND subscription = ?",
        [leased(token) for tokens in calls for token in tokens],
    )
    return [None] * len(calls)


def erase_all(connection: sqlite3.Connection, calls: Sequence[Sequence[int]]) -> Sequence[int]:
    """Deletes messages with their deliveries; returns the number for each call."""
    erased = []
    for numbers in calls:
        rows = [(number,) for number in numbers]
        connection.executemany("DELETE FROM deliveries WHERE number = ?", rows)
        erased.append(
            connection.executemany("DELETE FROM messages WHERE number = ?", rows).rowcount
        )
    return [max(0, count) for count in erased]


def finish_all(
    connection: sqlite3.Connection, calls: Sequence[Sequence[tuple[str, int]]]
) -> Sequence[None]:
    """Forgets deliveries, even if somebody holds them."""
    connection.executemany(
        "DELETE FROM deliveries WHERE subscription = ? AND number = ?",
        [finished for call in calls for finished in call],
    )
    return [None] * len(calls)


def postpone_all(
    connection: sqlite3.Connection, postponements: Sequence[Postponement]
) -> Sequence[None]:
    """Makes deliveries due later, or dead, whose lease is still the one of the token."""
    connection.executemany(
        "UPDATE deliveries SET due_ms = ?, dead = ?, last_error = ?, returned = leases,"
        " alone = NULL"
        " WHERE number = ? AND leases = ? AND subscription = ? AND NOT dead",
        [(p.due_ms, p.dead, p.why, *leased(p.token)) for p in postponements],
    )
    return [None] * len(postponements)


def revive_all(connection: sqlite3.Connection, revivals: Sequence[Revival]) -> Sequence[int]:
    """Makes dead deliveries due again; how many, for each call."""
    return [
        connection.executemany(
            "UPDATE deliveries SET dead = 0, attempts = 0, due_ms = ?, returned = leases,"
            " alone = NULL"
            " WHERE subscription = ? AND number = ? AND dead",
            [(revival.now_ms, revival.subscription, number) for number in revival.numbers],
        ).rowcount
        for revival in revivals
    ]


ALONE_LEASE_MS = 60_000
"""The lease of a message that is handed out alone: it may take long, and must end unshared."""

MOST_ALONE = 2
"""Number of ends of the process, while a message was alone, after which it is given up."""

PATIENCE_MS = 60_000
"""Longest time that a message to be delivered alone waits for others."""

DEADLY = (
    f"the process ended or stood still {MOST_ALONE} times while it worked on this message alone"
)


class Pull(Struct, frozen=True):
    """How many messages of a subscription to lease at most, of those that are due."""

    subscription: str
    most: int
    now_ms: int


class Leasing:
    """Leases messages for ``lease_ms``; at most ``max_attempts`` that fail are ahead of each."""

    def __init__(self, lease_ms: int, max_attempts: int) -> None:
        self._lease_ms = lease_ms
        longest_pause_ms = pause_ms("", max(1, max_attempts - 1)) * 5 // 4  # with all its jitter
        self._farthest_ms = max(lease_ms, ALONE_LEASE_MS, longest_pause_ms)

    def pull_all(
        self, connection: sqlite3.Connection, pulls: Sequence[Pull]
    ) -> list[list[Delivery]]:
        """The messages for each pull: several, or one that must be worked on alone."""
        return [self._pull(connection, pull) for pull in pulls]

    def _pull(self, connection: sqlite3.Connection, pull: Pull) -> list[Delivery]:
        if not pull.most:
            return []
        self._bring_back(connection, pull)
        waiting = _waiting(connection, pull)
        while left := [row for row in waiting if row.leases > row.returned]:
            _set_apart(connection, pull, left)
            waiting = _waiting(connection, pull)
        overdue = structs.replace(pull, now_ms=pull.now_ms - PATIENCE_MS) if waiting else pull
        if alone := self._alone(connection, overdue, pull.now_ms):
            return [alone]
        return _lease(connection, waiting, pull, self._lease_ms)

    def _bring_back(self, connection: sqlite3.Connection, pull: Pull) -> None:
        """Makes messages due whose time is too far ahead. Costs a look at each index's end."""
        for index in ("alone IS NULL", "alone IS NOT NULL"):
            connection.execute(
                "UPDATE deliveries SET due_ms = :now WHERE subscription = :name AND NOT dead"  # noqa: S608  # constants
                f" AND {index} AND due_ms > :farthest",
                {**_named(pull), "farthest": pull.now_ms + self._farthest_ms},
            )

    def _alone(self, connection: sqlite3.Connection, pull: Pull, now_ms: int) -> Delivery | None:
        """The next message to be worked on alone, the least suspect first."""
        while row := _first_alone(connection, pull):
            if row.alone < MOST_ALONE:
                pull = structs.replace(pull, now_ms=now_ms)
                return _lease(connection, [row], pull, ALONE_LEASE_MS)[0]
            connection.execute(
                "UPDATE deliveries SET dead = 1, last_error = ?, alone = NULL, returned = leases"
                " WHERE subscription = ? AND number = ?",
                (DEADLY, pull.subscription, row.number),
            )
        return None


class _Row(Struct, frozen=True):
    """A delivery and its message, as columns of ``MESSAGE``."""

    message: tuple[Any, ...]
    attempts: int
    leases: int
    returned: int
    alone: Any

    @property
    def number(self) -> int:
        """The message's place in the log."""
        number: int = self.message[0]
        return number

    @property
    def attempt(self) -> int:
        """Which attempt the next is: one that never ended is not counted."""
        return self.attempts + (self.leases == self.returned)


_ROW = (
    f"{MESSAGE}, attempts, leases, returned, alone FROM deliveries d JOIN messages m USING (number)"
)


def _named(pull: Pull) -> dict[str, object]:
    return {"name": pull.subscription, "now": pull.now_ms, "most": pull.most}


def _rows(connection: sqlite3.Connection, condition: str, pull: Pull) -> list[_Row]:
    query = f"SELECT {_ROW} WHERE subscription = :name AND NOT dead AND {condition}"
    rows = connection.execute(query, _named(pull)).fetchall()
    return [_Row(row[:-4], *row[-4:]) for row in rows]


def _waiting(connection: sqlite3.Connection, pull: Pull) -> list[_Row]:
    condition = "alone IS NULL AND due_ms <= :now ORDER BY due_ms, number LIMIT :most"
    return _rows(connection, condition, pull)


def _first_alone(connection: sqlite3.Connection, pull: Pull) -> _Row | None:
    condition = "alone IS NOT NULL AND due_ms <= :now ORDER BY alone, due_ms, number LIMIT 1"
    return next(iter(_rows(connection, condition, pull)), None)


def _set_apart(connection: sqlite3.Connection, pull: Pull, rows: Sequence[_Row]) -> None:
    connection.executemany(
        "UPDATE deliveries SET alone = 0 WHERE subscription = ? AND number = ?",
        [(pull.subscription, row.number) for row in rows],
    )


def _lease(
    connection: sqlite3.Connection, rows: Sequence[_Row], pull: Pull, lease_ms: int
) -> list[Delivery]:
    name, until_ms = pull.subscription, pull.now_ms + lease_ms
    connection.executemany(
        "UPDATE deliveries SET attempts = ?, leases = leases + 1, due_ms = ?, alone = alone + 1"
        " WHERE subscription = ? AND number = ?",
        [(row.attempt, until_ms, name, row.number) for row in rows],
    )
    return [
        Delivery(
            token_of(row.number, row.leases + 1, name),
            published_of(row.message),
            row.attempt,
            is_alone=row.alone is not None,
        )
        for row in rows
    ]


PAGES_GIVEN_BACK = 1_000
"""Limit of free pages that one commit gives back to the system."""


class Pruning(Struct, frozen=True):
    """Messages to delete: finished ones from before a time, behind a number.

    And those from before another time that were given up or are in a subscription of ``holding``.
    ``None``: delete nothing.
    """

    after: int
    done_before_ms: int | None
    set_aside_before_ms: int | None
    subscriptions: Sequence[str]
    holding: Sequence[str]
    most: int


class Pruned(Struct, frozen=True):
    """The number of deleted messages; and the number behind which others may follow, if any."""

    gone: int
    after: int | None


def prune_all(connection: sqlite3.Connection, prunings: Sequence[Pruning]) -> list[Pruned]:
    """Takes a page of messages out of the log, for each call."""
    return [_prune(connection, pruning) for pruning in prunings]


def _prune(connection: sqlite3.Connection, pruning: Pruning) -> Pruned:
    set_aside = _set_aside(connection, pruning)
    if len(set_aside) == pruning.most:
        return Pruned(_forget(connection, set_aside), pruning.after)
    page = _page(connection, pruning)
    before_ms = pruning.done_before_ms or 0
    done = [
        number for number, at_ms, is_waited_for in page if at_ms < before_ms and not is_waited_for
    ]
    count = _forget(connection, [*set_aside, *done])
    if done:
        connection.execute(
            "INSERT INTO retention (id, pruned_until_ms) VALUES (1, ?1) ON CONFLICT (id) DO"
            " UPDATE SET pruned_until_ms = max(pruned_until_ms, ?1)",
            (before_ms,),
        )
    is_last = len(page) < pruning.most or all(at_ms >= before_ms for _, at_ms, _ in page)
    return Pruned(count, None if is_last else page[-1][0])


def _set_aside(connection: sqlite3.Connection, pruning: Pruning) -> list[int]:
    if pruning.set_aside_before_ms is None:
        return []
    rows = connection.execute(
        "SELECT DISTINCT number FROM deliveries d JOIN messages m USING (number)"
        " WHERE subscription IN (SELECT value FROM json_each(?)) AND at_ms < ?"
        " AND (dead OR subscription IN (SELECT value FROM json_each(?))) LIMIT ?",
        (
            json.dumps(pruning.subscriptions),
            pruning.set_aside_before_ms,
            json.dumps(pruning.holding),
            pruning.most,
        ),
    )
    return [number for (number,) in rows]


def _page(connection: sqlite3.Connection, pruning: Pruning) -> list[tuple[int, int, bool]]:
    """The next messages: number, time, and whether somebody has yet to work on it."""
    if pruning.done_before_ms is None:
        return []
    rows = connection.execute(
        "SELECT number, at_ms, EXISTS (SELECT 1 FROM deliveries d WHERE d.number = m.number"
        "   AND subscription IN (SELECT value FROM json_each(?)))"
        " FROM messages m WHERE number > ? ORDER BY number LIMIT ?",
        (json.dumps(pruning.subscriptions), pruning.after, pruning.most),
    )
    return rows.fetchall()


def _forget(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    rows = [(number,) for number in numbers]
    connection.executemany("DELETE FROM deliveries WHERE number = ?", rows)
    return max(0, connection.executemany("DELETE FROM messages WHERE number = ?", rows).rowcount)


def give_back_all(connection: sqlite3.Connection, calls: Sequence[None]) -> Sequence[int]:
    """Gives free pages back to the system; how many are left, for each call."""
    connection.execute(f"PRAGMA incremental_vacuum({PAGES_GIVEN_BACK})").fetchall()
    left: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return [left for _ in calls]


def pruned_until_ms(connection: sqlite3.Connection) -> int | None:
    """Before when messages may be missing for their age; ``None``: none is."""
    row = connection.execute("SELECT pruned_until_ms FROM retention").fetchone()
    return row[0] if row else None
