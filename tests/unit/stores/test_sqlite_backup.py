"""Copies of a data file: whole, of one moment, checked, and never in the place of another file."""

import asyncio
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from builders import NOW, StandingClock, lead_ids
from contract.test_dispatch_store import a_dispatch, at, keep, sent
from unit.application.conftest import World
from unit.application.persons import ada_and_bob, erased, everything
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.identity import LeadIds
from warmlead.sqlite_file import FILE_VERSION, SqliteFile
from warmlead.stores.sqlite_backup import (
    carry_over_ended,
    close_for_others,
    contents_of,
    copy_whole,
    knows_its_leads,
    take_beside,
)
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "warmlead.sqlite3"

    async def fill() -> None:
        async with SqliteFile(path) as file:
            await ada_and_bob(World(file, StandingClock()))

    asyncio.run(fill())
    return path


def test_a_copy_has_every_row_and_only_its_owner_can_read_it(data: Path, tmp_path: Path) -> None:
    told: list[float] = []
    copy = tmp_path / "copy.sqlite3"
    copy_whole(data, copy, told=told.append)
    assert everything(copy) == everything(data)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(told) == told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.sqlite3", "warmlead.sqlite3"]


def test_what_was_erased_is_not_in_the_bytes_of_a_copy(data: Path, tmp_path: Path) -> None:
    async def forget() -> None:
        async with SqliteFile(data) as file:
            await erased(World(file, StandingClock()))

    asyncio.run(forget())
    copy_whole(data, tmp_path / "copy.sqlite3")
    content = (tmp_path / "copy.sqlite3").read_bytes()
    assert b"bob@example.com" in content
    assert b"ada@example.com" not in content


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Another connection commits two rows at a time, as often as it can."""
    begun, over = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
            nth = 0
            while not over.is_set():
                nth += 1
                connection.execute("BEGIN IMMEDIATE")
                for side in "ab":
                    connection.execute("INSERT INTO aliases VALUES (?, '')", (f"{side}{nth}",))
                connection.execute("COMMIT")
                begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        over.set()
        thread.join()


def test_a_copy_is_of_one_moment_while_others_write(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data)) as connection:
        before = connection.execute("SELECT count(*) FROM aliases").fetchone()[0]
    sizes = []
    with writing(data):
        for nth in range(5):
            copy = tmp_path / f"{nth}.sqlite3"
            copy_whole(data, copy)
            with closing(sqlite3.connect(copy)) as connection:
                [size] = connection.execute("SELECT count(*) FROM aliases").fetchone()
            sizes.append(size - before)
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0
    assert [size % 2 for size in sizes] == [0] * 5


def test_no_file_is_overwritten(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    with pytest.raises(ConfigurationError, match="exists already"):
        copy_whole(data, other)
    assert other.read_text() == "mine"


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {FILE_VERSION + 1}")


def of_somebody_else(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")


def with_a_trigger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER t AFTER INSERT ON leads BEGIN DELETE FROM tombstones; END"
        )


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (newer, "newer release"),
        (of_somebody_else, "is not a data file"),
        (with_a_trigger, "is not a data file"),
        (lambda path: path.write_text("no database" * 1000), "is not a data file"),
        (torn, "damaged"),
        (lambda path: path.unlink(), "is it there"),
    ],
)
def test_what_is_not_a_whole_data_file_is_not_copied(
    data: Path, tmp_path: Path, spoil: Callable[[Path], object], problem: str
) -> None:
    spoil(data)
    with pytest.raises(ConfigurationError, match=problem):
        copy_whole(data, tmp_path / "copy.sqlite3")
    assert not (tmp_path / "copy.sqlite3").exists()
    assert not list(tmp_path.glob("*.part"))


def test_texts_beside_the_data_are_kept_and_taken_out(data: Path, tmp_path: Path) -> None:
    copy, again = tmp_path / "copy.sqlite3", tmp_path / "again.sqlite3"
    copy_whole(data, copy, beside={"model.yaml": "signals: {}"})
    copy_whole(copy, again)
    assert take_beside(again) == {"model.yaml": "signals: {}"}
    assert take_beside(again) == {}
    assert everything(again) == everything(data)


async def test_dispatches_that_ended_are_carried_over_and_others_are_not(tmp_path: Path) -> None:
    before, after = tmp_path / "before.sqlite3", tmp_path / "after.sqlite3"
    waits = a_dispatch("waits").claimed("c", NOW)
    ended = [sent(a_dispatch(id_).claimed("c", NOW)) for id_ in ("waits", "since")]
    for path, kept in (
        (before, [*ended, a_dispatch("new")]),
        (after, [waits, sent(a_dispatch("old").claimed("c", NOW))]),
    ):
        async with SqliteFile(path) as file:
            await keep(SqliteDispatchStore(file), *kept)
    assert carry_over_ended(before, after) == 2
    assert carry_over_ended(before, after) == 0
    async with SqliteFile(after) as file:
        store = SqliteDispatchStore(file)
        found = {id_: await at(store, id_) for id_ in ("waits", "since", "old", "new")}
    assert [found["waits"], found["since"], found["new"]] == [*ended, None]
    assert found["old"] is not None


def test_contents_are_counted(data: Path) -> None:
    contents = contents_of(data)
    rows = everything(data)
    assert (contents.leads, contents.messages) == (len(rows["leads"]), len(rows["messages"]))
    assert contents.waiting == len(rows["deliveries"])
    assert (contents.given_up, contents.to_tools, contents.erasures) == (0, 0, 0)
    assert contents.until is not None


def test_the_secret_of_the_ids_is_known_by_the_leads(data: Path, tmp_path: Path) -> None:
    assert knows_its_leads(data, lead_ids) is True
    assert knows_its_leads(data, LeadIds(b"another")) is False
    assert knows_its_leads(data, LeadIds(b"another", b"a secret of the tests")) is True
    empty = tmp_path / "empty.sqlite3"
    shutil.copy(data, empty)
    with closing(sqlite3.connect(empty)) as connection, connection:
        connection.execute("DELETE FROM leads")
    assert knows_its_leads(empty, lead_ids) is None


def test_a_file_that_somebody_has_open_is_not_closed_for_others(data: Path) -> None:
    async def try_it() -> None:
        async with SqliteFile(data) as file:
            await file.check()
            with pytest.raises(ConfigurationError, match="another process has it open"):
                close_for_others(data)
        close_for_others(data)

    asyncio.run(try_it())
    assert not Path(f"{data}-wal").exists()
