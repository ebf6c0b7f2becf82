"""Puts a crowd of leads where the daily run will find it, and measures what plain writing takes.

Plain: the same documents in batches of the same size, on no condition and without a decision.
"""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from google.cloud.firestore import Client

from bench.crowd import Copied, Person, asleep, due, people
from warmlead.google_api import GoogleApi
from warmlead.sqlite_file import Column, Missing
from warmlead.stores.firestore.codec import LEADS, CommitRequest, CommitResponse, Database
from warmlead.stores.firestore.store import FirestoreLeadStore
from warmlead.stores.sqlite import WRITE_LEAD
from warmlead.stores.sqlite_schema import SCHEMA

T = TypeVar("T")

COMMIT_S = 60.0


class Project(NamedTuple):
    """A project of Firestore's emulator at host:port."""

    emulator: str
    name: str


class Pace(NamedTuple):
    """So many documents in a commit, and so many commits under way."""

    together: int
    at_once: int


QUICKEST = Pace(500, 4)
"""When it need only be quick; Firestore takes no more in one commit."""


def fill_file(path: Path, leads: int, of_them_due: int) -> None:
    """Makes a data file of so many leads; those that are due are spread among the others."""
    crowd, waiting, resting = people(leads), due(), asleep()
    every = leads // of_them_due
    kinds = (waiting if number % every == 0 else resting for number in range(leads))
    rows = (kind.row_for(person).values for kind, person in zip(kinds, crowd, strict=True))
    filled(path, rows).close()


def filled(path: Path, rows: Iterable[tuple[object, ...]]) -> sqlite3.Connection:
    """A data file with these rows of leads, opened."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")  # KB: a million leads are 2 GB
    _define(connection)
    connection.execute("BEGIN")
    connection.executemany(WRITE_LEAD, rows)
    connection.execute("COMMIT")
    return connection


def rewrite_file(path: Path, crowd: Sequence[Person], kind: Copied, batch: int) -> float:
    """Seconds of writing every lead again, durably, so many in a transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        start = time.perf_counter()
        for some in _batches((kind.row_for(person).values for person in crowd), batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(WRITE_LEAD, some)
            connection.execute("COMMIT")
        return time.perf_counter() - start


def _define(connection: sqlite3.Connection) -> None:
    for part in SCHEMA:
        match part:
            case Column(table, name, declaration):
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declaration}")
            case Missing(_, statement):
                connection.execute(statement)
            case _:
                connection.execute(part)


def fill_project(project: Project, leads: int, of_them_due: int) -> None:
    """Makes a project of so many leads; those that are due are spread among the others."""
    asyncio.run(_has_no_older_leads(project))
    crowd = people(leads)
    every = leads // of_them_due
    waiting = [person for number, person in enumerate(crowd) if number % every == 0]
    resting = [person for number, person in enumerate(crowd) if number % every]
    for kind, some in ((due(), waiting), (asleep(), resting)):
        rewrite_project(project, some, kind, QUICKEST)


async def _has_no_older_leads(project: Project) -> None:
    """Has a new project know that no release before this one has written to it."""
    store = FirestoreLeadStore(project.name, emulator=project.emulator)
    await store.relist(_evaluate_none, most=1, until=lambda: False)
    await store.close()


async def _evaluate_none(ids: Sequence[str]) -> None:
    raise RuntimeError(f"a new project has leads: {ids}")


def rewrite_project(project: Project, crowd: Sequence[Person], kind: Copied, pace: Pace) -> float:
    """Seconds of writing leads, at a pace."""
    return asyncio.run(_commit_all(project, crowd, kind, pace))


def rewrite_with_client(
    client: Client, crowd: Sequence[Person], kind: Copied, together: int
) -> float:
    """Seconds of the same with Google's own client, as its guide tells: one batch at a time."""
    leads = client.collection(LEADS)
    start = time.perf_counter()
    for some in _batches(crowd, together):
        writing = client.batch()
        for person in some:
            writing.set(leads.document(person.id), kind.fields_for(person))
        writing.commit()
    return time.perf_counter() - start


async def _commit_all(project: Project, crowd: Sequence[Person], kind: Copied, pace: Pace) -> float:
    api = GoogleApi("firestore.googleapis.com", emulator=project.emulator)
    database = Database(project.name, "(default)")
    batches = _batches(kind.writes_for(crowd, database), pace.together)
    start = time.perf_counter()
    await asyncio.gather(*(_commit_each(api, database.name, batches) for _ in range(pace.at_once)))
    took_s = time.perf_counter() - start
    await api.close()
    return took_s


async def _commit_each(api: GoogleApi, database: str, batches: Iterable[list[Any]]) -> None:
    """Commits batches, one after the other, until others and this one have taken them all."""
    for writes in batches:
        await api.call(
            "/google.firestore.v1.Firestore/Commit",
            CommitRequest(database=database, writes=writes),
            CommitResponse,
            routing={"database": database},
            timeout_s=COMMIT_S,
        )


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := [*itertools.islice(iterator, size)]:
        yield some
