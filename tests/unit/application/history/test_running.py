"""A run of an import: in groups, with its place noted; stopped anywhere, it goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from builders import NOW
from unit.application.history.persons import a_store, importing, of_then, was
from warmlead.application.history import running
from warmlead.application.history.running import Person, take_in
from warmlead.domain.errors import UnavailableError
from warmlead.ports import LeadStore, Update
from warmlead.ports.imports import ImportRecord
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite_imports import SqliteImportStore

MANY = running.PERSONS_TOGETHER * running.NOTED_EVERY + 3


class Failing:
    """A store of leads that answers so many groups, and then is away."""

    def __init__(self, store: LeadStore, groups: int) -> None:
        self._store = store
        self._left = groups

    async def update_each(self, updates: Sequence[Update[object]]) -> Sequence[object]:
        self._left -= 1
        if self._left < 0:
            raise UnavailableError("the store is away")
        return await self._store.update_each(updates)


def persons() -> list[Person]:
    found: list[Person] = []
    for number in range(MANY):
        who = {"email": f"{number}@example.com"}
        events = [of_then("page_viewed", 0, **who), was("mql", 1, **who)]
        found.append((f"{number:05}", events))
    return found


@pytest.mark.slow
async def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store, SqliteFile(tmp_path / "imports") as file:
        imports = SqliteImportStore(file)
        record = ImportRecord(name="demo", files={}, content="", began_at=NOW)
        failing = Failing(store, running.NOTED_EVERY)
        told: list[int] = []
        with pytest.raises(UnavailableError):
            await take_in(
                persons(),
                [],
                record,
                importing(),
                store=failing,  # type: ignore[arg-type]  # nothing else is asked of it
                imports=imports,
                progress=told.append,
            )
        (noted,) = await imports.imports()
        assert noted.ended_at is None
        assert noted.persons == told[-1] == MANY - 3
        left = [each for each in persons() if each[0] > noted.placed]
        assert len(left) == 3
        await take_in(
            left, [], noted, importing(), store=store, imports=imports, progress=told.append
        )
        (ended,) = await imports.imports()
        assert (ended.persons, ended.moves, ended.ended_at) == (MANY, 2 * MANY, NOW)
        assert len([lead async for lead in store.leads()]) == MANY
