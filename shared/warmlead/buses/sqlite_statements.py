"""The statements with which the bus keeps messages and their deliveries in an SQLite file.

Each takes what waits at the same time, so that one commit serves all. Handing out messages is in
``sqlite_leases``.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from warmlead.domain.history import from_ms
from warmlead.ports import Message, Published
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
    """Messages for a topic, each with its id."""

    topic: str
    at_ms: int
    messages: Sequence[tuple[str, Message]]


class Postponement(NamedTuple):
    """When a leased message is due again, or that it is dead, and why."""

    token: str
    due_ms: int
    dead: bool
    why: str


class Revival(NamedTuple):
    """Dead messages that are due again."""

    subscription: str
    numbers: Sequence[int]
    now_ms: int


def pause_ms(message_id: str, attempt: int) -> int:
    """How long to wait after a failed attempt: four times as long as after the one before.

    Up to a quarter is added, by the message's id, so that what failed together comes apart.
    """
    spread = hashlib.blake2b(f"{message_id}.{attempt}".encode(), digest_size=2).digest()
    jitter = 1 + int.from_bytes(spread) / 65_536 / 4
    return round(FIRST_PAUSE_S * 1000 * PAUSE_GROWTH ** (attempt - 1) * jitter)


def token_of(number: int, lease: int, subscription: str) -> str:
    """Names one lease of one message: whoever holds it can tell whether it is still theirs."""
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
    """Forgets messages, and who has yet to work on them; how many, for each call."""
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
    """Forgets deliveries, whoever holds them."""
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
