"""How long the bus of one machine keeps what is done with, and what was set aside.

Whatever somebody has yet to work on is kept, however old it is.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

PAGES_GIVEN_BACK = 1_000
"""So many free pages of the file are given back to the system in one commit, at most."""


class Pruning(NamedTuple):
    """What is to go: messages of before a time that are done with, some behind a number.

    And what was given up, or lies in a subscription that is ``holding``, of before another time.
    ``None``: nothing is to go.
    """

    after: int
    done_before_ms: int | None
    set_aside_before_ms: int | None
    subscriptions: Sequence[str]
    holding: Sequence[str]
    most: int


class Pruned(NamedTuple):
    """How many messages went; and behind which number others may be to go, if any."""

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
