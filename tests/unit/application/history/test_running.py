"""A run of an import: in groups, with its place noted; stopped anywhere, it goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import NOW
from unit.application.history.persons import DAY, a_store, importing, of_then, was
from warmlead.application.history.running import Pace, Person, take_in
from warmlead.domain.errors import UnavailableError
from warmlead.ports import LeadStore, Update
from warmlead.ports.imports import ImportRecord
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite_imports import SqliteImportStore

PACE = Pace(together=4, noted_every=3)
MANY = PACE.unnoted + 2 * PACE.together - 1


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


@pytest.mark.parametrize("groups", [1, PACE.noted_every, PACE.noted_every + 1])
async def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, groups: int) -> None:
    async with a_store(tmp_path) as store, SqliteFile(tmp_path / "imports") as file:
        imports = SqliteImportStore(file)
        record = ImportRecord(name="demo", files={}, content="", began_at=NOW)
        told: list[int] = []
        with pytest.raises(UnavailableError):
            await take_in(
                persons(),
                [],
                record,
                importing(),
                store=Failing(store, groups),  # type: ignore[arg-type]  # nothing else is asked of it
                imports=imports,
                progress=told.append,
                pace=PACE,
            )
        (noted,) = await imports.imports()
        assert noted.ended_at is None
        assert told[-1] == groups * PACE.together
        assert noted.persons == (0 if groups == 1 else PACE.unnoted)
        left = [each for each in persons() if each[0] > noted.placed]
        assert len(left) == MANY - noted.persons
        await take_in(
            left,
            [],
            noted,
            importing(now=NOW + DAY),
            store=store,
            imports=imports,
            progress=told.append,
            goes_on=True,
            pace=PACE,
        )
        (ended,) = await imports.imports()
        assert (ended.persons, ended.moves, ended.ended_at) == (MANY, 2 * MANY, NOW + DAY)
        assert len([lead async for lead in store.leads()]) == MANY


async def test_what_an_earlier_run_has_noted_is_not_counted_again(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store, SqliteFile(tmp_path / "imports") as file:
        imports = SqliteImportStore(file)
        first = ImportRecord(name="demo", files={}, content="", began_at=NOW)
        for record, now, goes_on in (
            (first, NOW, False),
            (replace(first, began_at=NOW + DAY, moves=2 * MANY), NOW + 2 * DAY, True),
        ):
            await take_in(
                persons(),
                [],
                record,
                importing(now=now),
                store=store,
                imports=imports,
                progress=lambda _: None,
                goes_on=goes_on,
                pace=PACE,
            )
            (ended,) = await imports.imports()
            assert (ended.persons, ended.moves) == (MANY, 2 * MANY)
