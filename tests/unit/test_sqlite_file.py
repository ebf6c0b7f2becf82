import asyncio
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.sqlite_file import FILE_VERSION, Failed, SqliteFile

NUMBERS = ["CREATE TABLE IF NOT EXISTS numbers (number INTEGER NOT NULL UNIQUE)"]
LETTERS = ["CREATE TABLE IF NOT EXISTS letters (letter TEXT NOT NULL)"]


def insert_all(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[int | Failed]:
    """Odd numbers are written, even ones are refused one by one."""
    answers: list[int | Failed] = []
    for number in numbers:
        if number % 2 == 0:
            answers.append(Failed(ValueError("even")))
        else:
            connection.execute("INSERT INTO numbers VALUES (?)", (number,))
            answers.append(number)
    return answers


def numbers_in(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY 1")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


@pytest.fixture
def outsider(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_nothing_is_opened_before_it_is_used(path: Path) -> None:
    file = SqliteFile(path)
    file.define(NUMBERS)
    asyncio.run(file.close())
    assert not path.exists()


async def test_a_commit_is_flushed_to_the_disk(path: Path) -> None:
    def settings(connection: sqlite3.Connection, items: Sequence[None]) -> list[tuple[str, int]]:
        journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return [(journal, connection.execute("PRAGMA synchronous").fetchone()[0]) for _ in items]

    async with SqliteFile(path) as file:
        assert await file.write(settings, None) == ("wal", 2)


async def test_each_of_many_writes_gets_its_own_answer(path: Path) -> None:
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        writes = (file.write(insert_all, number) for number in range(100))
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert answers[1::2] == list(range(1, 100, 2))
        assert all(isinstance(answer, ValueError) for answer in answers[::2])
        assert await file.read(numbers_in) == list(range(1, 100, 2))


async def test_a_write_that_the_database_refuses_costs_no_other(path: Path) -> None:
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        writes = (file.write(insert_all, number) for number in (1, 3, 3, 5))
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert [isinstance(answer, UnavailableError) for answer in answers] == [
            *(False, False, True, False)
        ]
        assert await file.read(numbers_in) == [1, 3, 5]


async def test_tables_may_be_defined_after_the_first_use(path: Path) -> None:
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        await file.write(insert_all, 1)
        await file.read(numbers_in)
        file.define(LETTERS)
        assert await file.read(lambda c: c.execute("SELECT * FROM letters").fetchall()) == []


async def test_a_file_of_a_newer_release_is_refused_and_left_alone(
    path: Path, outsider: sqlite3.Connection
) -> None:
    outsider.execute(f"PRAGMA user_version = {FILE_VERSION + 1}")
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        with pytest.raises(ConfigurationError, match="newer release"):
            await file.write(insert_all, 1)
        with pytest.raises(ConfigurationError, match="newer release"):
            await file.read(numbers_in)
    assert outsider.execute("SELECT * FROM sqlite_master").fetchall() == []
    assert outsider.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    file = SqliteFile(path)
    with pytest.raises(ConfigurationError, match="not a data file"):
        asyncio.run(file.read(numbers_in))
    asyncio.run(file.close())


async def test_a_folder_that_is_missing_is_unavailable(tmp_path: Path) -> None:
    async with SqliteFile(tmp_path / "missing" / "data.db") as file:
        with pytest.raises(UnavailableError):
            await file.write(insert_all, 1)


async def test_a_write_gives_up_while_another_process_holds_the_lock(
    path: Path, outsider: sqlite3.Connection
) -> None:
    async with SqliteFile(path, patience_s=0.05) as file:
        file.define(NUMBERS)
        await file.write(insert_all, 1)
        outsider.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError):
            await file.write(insert_all, 3)
        assert await file.read(numbers_in) == [1]
        outsider.execute("ROLLBACK")
        assert await file.write(insert_all, 5) == 5
        assert await file.read(numbers_in) == [1, 5]


async def test_reading_does_not_wait_for_another_process_that_writes(
    path: Path, outsider: sqlite3.Connection
) -> None:
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        await file.write(insert_all, 1)
    outsider.execute("BEGIN IMMEDIATE")
    async with SqliteFile(path, patience_s=0) as file:
        file.define(NUMBERS)
        assert await file.read(numbers_in) == [1]


def is_full(error: BaseException) -> bool:
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL


async def test_a_file_that_may_not_grow_is_unavailable_until_it_may(path: Path) -> None:
    def fill_up(connection: sqlite3.Connection, items: Sequence[int]) -> list[None]:
        connection.execute("PRAGMA max_page_count = 1")  # of this connection, as a full disk is
        connection.executemany("INSERT INTO numbers VALUES (?)", [(i,) for i in range(10_000)])
        return [None for _ in items]

    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        with pytest.raises(UnavailableError) as raised:
            await file.write(fill_up, 0)
        assert is_full(raised.value)
        assert await file.write(insert_all, 1) == 1
        assert await file.read(numbers_in) == [1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def insert_texts(connection: sqlite3.Connection, texts: Sequence[str]) -> list[str]:
    for text in texts:
        connection.execute("INSERT INTO letters VALUES (?)", (text,))
    return list(texts)


async def test_writes_fail_on_a_full_disk_and_succeed_when_there_is_room(
    small_disk: Path,
) -> None:
    path, filler = small_disk / "data.db", small_disk / "filler"
    texts = [letter * 100_000 for letter in "abcdef"]
    async with SqliteFile(path) as file:
        file.define(LETTERS)
        await file.write(insert_texts, "kept")
        filler.write_bytes(bytes(600_000))

        together = [file.write(insert_texts, text) for text in texts]
        answers = await asyncio.gather(*together, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, UnavailableError)]
        assert any(is_full(each) for each in refused)
        assert [each for each in answers if each not in refused] == [
            text for text in texts if text in answers
        ]

        def letters(connection: sqlite3.Connection) -> list[str]:
            return [text for (text,) in connection.execute("SELECT letter FROM letters")]

        assert await file.read(letters) == ["kept", *(text for text in texts if text in answers)]
        filler.write_bytes(b"")
        left = [text for text in texts if text not in answers]
        assert await asyncio.gather(*(file.write(insert_texts, each) for each in left)) == left
        assert sorted(await file.read(letters)) == sorted(["kept", *texts])


async def test_a_start_on_a_full_disk_says_that_it_is_full(small_disk: Path) -> None:
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4_096)):
            pass
    async with SqliteFile(small_disk / "data.db") as file:
        file.define(NUMBERS)
        with pytest.raises(ConfigurationError, match="the disk is full"):
            await file.check()


async def test_closing_finishes_waiting_writes(path: Path) -> None:
    file = SqliteFile(path)
    file.define(NUMBERS)
    writes = [asyncio.create_task(file.write(insert_all, number)) for number in (1, 3, 5)]
    await asyncio.sleep(0)  # lets the tasks begin
    await file.close()
    assert await asyncio.gather(*writes) == [1, 3, 5]
    with pytest.raises(UnavailableError):
        await file.write(insert_all, 7)
    with pytest.raises(UnavailableError):
        await file.read(numbers_in)
    await file.close()


def test_several_event_loops_may_use_one_file(path: Path) -> None:
    file = SqliteFile(path)
    file.define(NUMBERS)

    async def write_from(start: int) -> None:
        numbers = range(start, start + 100, 2)
        await asyncio.gather(*(file.write(insert_all, number) for number in numbers))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda start: asyncio.run(write_from(start)), (1, 1001, 2001, 3001)))
    assert len(asyncio.run(file.read(numbers_in))) == 200
    asyncio.run(file.close())


async def test_deleted_rows_are_overwritten_and_their_space_is_released(path: Path) -> None:
    def settings(connection: sqlite3.Connection, items: Sequence[None]) -> list[tuple[int, int]]:
        secure = connection.execute("PRAGMA secure_delete").fetchone()[0]
        return [(secure, connection.execute("PRAGMA auto_vacuum").fetchone()[0]) for _ in items]

    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        assert await file.write(settings, None) == (1, 2)


async def test_the_log_is_emptied_once_no_reader_needs_it(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    async with SqliteFile(path) as file:
        file.define(NUMBERS)
        await file.write(insert_all, 1)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM numbers").fetchall()
            await file.write(insert_all, 3)
            assert not await file.empty_log(patience_s=0.1)
            assert log.stat().st_size
            reader.execute("ROLLBACK")
            assert await file.empty_log()
        assert log.stat().st_size == 0
        assert await file.read(numbers_in) == [1, 3]
