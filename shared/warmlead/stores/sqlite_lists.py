"""What lists and searches ask an SQLite file: each question reads the rows that it finds."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from warmlead.ports.listing import LeadQuery, Listed, ListPlace, Order
from warmlead.stores.codec import lead_of, read_lead_at

_ORDERS: Mapping[Order, str] = {"score": "score", "since": "since_day", "active": "active"}

_LAST = "\U0010ffff"
"""Comes after every letter of a word."""


def listed(
    asked: LeadQuery, most: int, after: ListPlace | None
) -> Callable[[sqlite3.Connection], list[Listed]]:
    """The question for a page of a list."""
    column = _ORDERS[asked.order]
    # Few leads are overdue. SQLite, left alone, sometimes sorts all that a list may show.
    index = "leads_listed_overdue" if asked.overdue else f"leads_listed_by_{asked.order}"
    conditions, values = [f"{column} IS NOT NULL"], list[object]()
    for name, value in asked.conditions.items():
        if name == "overdue":
            conditions.append("overdue")  # as the index has it
        else:
            conditions.append(f"{name} = ?")
            values.append(value)
    if after is not None:
        conditions.append(f"({column}, id) < (?, ?)")
        values += after
    query = (
        f"SELECT shown.{column}, id, document FROM (SELECT {column}, id FROM leads"  # noqa: S608  # constants
        f" INDEXED BY {index} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {column} DESC, id DESC LIMIT ?) AS shown"
        f" JOIN leads USING (id) ORDER BY shown.{column} DESC, id DESC"
    )

    def ask(connection: sqlite3.Connection) -> list[Listed]:
        rows = connection.execute(query, (*values, most))
        return [
            Listed(ListPlace(value, id_), lead_of(read_lead_at(id_, text)))
            for value, id_, text in rows
        ]

    return ask


def found(word: str, most: int) -> Callable[[sqlite3.Connection], list[tuple[str, str]]]:
    """The question for leads one of whose words begins so: their ids and documents."""
    query = (
        "SELECT id, document FROM"
        " (SELECT DISTINCT lead_id AS id FROM lead_words WHERE word >= ? AND word < ? LIMIT ?)"
        " JOIN leads USING (id)"
    )

    def ask(connection: sqlite3.Connection) -> list[tuple[str, str]]:
        return connection.execute(query, (word, word + _LAST, most)).fetchall() if word else []

    return ask


def unlisted(after: str, most: int) -> Callable[[sqlite3.Connection], Sequence[str]]:
    """The question for the ids of leads that an earlier release evaluated last."""
    query = "SELECT id FROM leads WHERE active IS NULL AND id > ? ORDER BY id LIMIT ?"

    def ask(connection: sqlite3.Connection) -> list[str]:
        return [id_ for (id_,) in connection.execute(query, (after, most))]

    return ask
