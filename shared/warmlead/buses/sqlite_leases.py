"""Handing out the messages of the bus of one machine, and finding the one that ends processes.

A lease that is over, and was neither acknowledged nor given back, was that of a process that has
ended, or that hangs. Any of its messages may be the cause. So from then on each of them is handed
out *alone*, when nothing else waits: the innocent are done with, none has lost an attempt, and
the one with which processes end time and again is given up.

A time that is farther ahead than any lease or pause was written under a clock that ran ahead.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from warmlead.buses.sqlite_statements import MESSAGE, pause_ms, published_of, token_of
from warmlead.ports import Delivery

ALONE_LEASE_MS = 60_000
"""The lease of a message that is handed out alone: it may take long, and must end unshared."""

MOST_ALONE = 2
"""A message during which the process ended so often while it was alone is given up."""

PATIENCE_MS = 60_000
"""A message that is to be handed out alone waits for others so long at most."""

DEADLY = (
    f"the process ended or stood still {MOST_ALONE} times while it worked on this message alone"
)


class Pull(NamedTuple):
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
        """What each pull is handed: several messages, or one that must be worked on alone."""
        return [self._pull(connection, pull) for pull in pulls]

    def _pull(self, connection: sqlite3.Connection, pull: Pull) -> list[Delivery]:
        if not pull.most:
            return []
        self._bring_back(connection, pull)
        waiting = _waiting(connection, pull)
        while left := [row for row in waiting if row.leases > row.returned]:
            _set_apart(connection, pull, left)
            waiting = _waiting(connection, pull)
        overdue = pull._replace(now_ms=pull.now_ms - PATIENCE_MS) if waiting else pull
        if alone := self._alone(connection, overdue, pull.now_ms):
            return [alone]
        return _lease(connection, waiting, pull, self._lease_ms)

    def _bring_back(self, connection: sqlite3.Connection, pull: Pull) -> None:
        """Makes due what is farther ahead than it can be. Costs a look at each index's end."""
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
                pull = pull._replace(now_ms=now_ms)
                return _lease(connection, [row], pull, ALONE_LEASE_MS)[0]
            connection.execute(
                "UPDATE deliveries SET dead = 1, last_error = ?, alone = NULL, returned = leases"
                " WHERE subscription = ? AND number = ?",
                (DEADLY, pull.subscription, row.number),
            )
        return None


class _Row(NamedTuple):
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
