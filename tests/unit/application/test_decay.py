"""Decay: leads fade on their day, all of them, once, whatever stops a run."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, keeping
from unit.application.living import DAY, PAGE_LEADS, a_reader, place, readers
from warmlead.application.due import RunProgress
from warmlead.domain.errors import UnreadableError
from warmlead.domain.history import day_at
from warmlead.domain.lead import Lead
from warmlead.ports import Change, DueLead, LeadStore, Update

MANY = 2 * PAGE_LEADS + 7


@pytest.fixture
async def full(tmp_path: Path) -> Path:
    """A file with leads who fade on different days, and one who has long gone."""
    path = tmp_path / "full.db"
    async with place(path, NOW) as before:
        leads = [*readers(MANY, 3, NOW), a_reader("late", 4, NOW - 30 * DAY)]
        await before.store.update([], keeping(*leads))
    return path


async def test_a_lead_leaves_its_stage_on_its_day_with_one_message(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        lead = a_reader("ada", 3, NOW)
        await here.store.update([], keeping(lead))
        assert lead.decay_on
        for _ in range(12):
            here.clock.forward(DAY)
            await here.decay()
        moves = await here.store.transitions(lead.id)
        assert [(m.from_stage, m.to_stage) for m in moves] == [("mql", "lead")]
        # 30 points, halved in seven days, are below 20 after five days: 30 × 2^(−5/7) = 18.3
        assert moves[0].at == NOW.replace(hour=0) + 5 * DAY  # at midnight, not when decay ran
        assert moves[0].learnt_at == NOW + 5 * DAY
        told = Counter(m.attributes["type"] for m in await here.triggers())
        assert told["warmlead.lead.stage_entered.v1"] == 1


async def test_no_lead_is_read_before_its_review_day(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(*readers(3, 3, NOW)))
        assert await here.decay() == RunProgress()
        here.clock.forward(timedelta(hours=11, minutes=59))
        assert await here.decay() == RunProgress()


async def test_leads_of_an_earlier_release_are_evaluated_once_in_as_many_runs_as_it_takes(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        leads = [left_by_an_earlier_release(lead) for lead in readers(MANY, 3, NOW)]
        await here.store.update([], keeping(*leads))
        spent = await here.decay(budget_s=0)
        assert (spent.looked_at, spent.done) == (0, False)
        assert await here.decay() == RunProgress(looked_at=MANY)  # nothing else has changed
        assert await here.decay() == RunProgress()
        assert [lead.snapshot for lead in await here.leads() if not is_listed(lead)] == []


def left_by_an_earlier_release(lead: Lead) -> Lead:
    assert lead.snapshot
    return replace(lead, snapshot=replace(lead.snapshot, active_day=None))


def is_listed(lead: Lead) -> bool:
    return lead.snapshot is not None and lead.snapshot.active_day == day_at(NOW)


@pytest.mark.slow
async def test_a_run_evaluates_every_due_lead_and_a_second_run_finds_none(full: Path) -> None:
    async with place(full, NOW + 6 * DAY) as here:
        first = await here.decay()
        assert (first.looked_at, first.moved) == (MANY + 1, MANY + 1)
        assert (first.failed, first.done) == (0, True)
        state = await here.state()
        assert await here.decay() == RunProgress()
        assert await here.state() == state
        assert all(not lead.outbox for lead in state["leads"])


@pytest.mark.slow
async def test_two_concurrent_runs_do_everything_once(full: Path, tmp_path: Path) -> None:
    shutil.copy(full, tmp_path / "alone.db")
    later = NOW + 6 * DAY
    async with place(tmp_path / "alone.db", later) as alone:
        await alone.decay()
        expected, told = await alone.state(), len(await alone.triggers())
    async with place(full, later) as one, place(full, later) as other:
        runs = await asyncio.gather(one.decay(), other.decay())
        assert await one.state() == expected
        assert len(await one.triggers()) == told
        assert sum(run.moved for run in runs) == sum(map(len, expected["moves"].values()))


async def test_a_lead_evaluated_since_it_was_found_is_left_alone(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + DAY) as here:
        lead = a_reader("ada", 3, NOW + 2 * DAY)
        await here.store.update([], keeping(lead))
        here.store = Stale(here.store, [DueLead(1, lead.id)])  # type: ignore[assignment]  # it has all its methods
        run = await here.decay()
        assert (run.looked_at, run.changed, run.moved) == (1, 0, 0)
        assert await here.leads() == [lead]


@pytest.mark.slow
async def test_a_lead_that_fails_is_looked_at_once_in_a_run(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        leads = readers(PAGE_LEADS + 1, 3, NOW)
        await here.store.update([], keeping(*leads))
        here.clock.forward(6 * DAY)
        queue = await here.store.due_for_decay(10**6, shard=0, most=PAGE_LEADS + 1)
        failing = {lead_id for _, lead_id in queue[:PAGE_LEADS]}
        asked: list[str] = []
        here.store = Failing(here.store, failing, asked)  # type: ignore[assignment]  # as above
        run = await here.decay()
        assert (run.failed, run.moved, run.done) == (PAGE_LEADS, 1, True)
        assert sorted(id_ for id_ in asked if id_ in failing) == sorted(failing)


class Failing:
    """A store that cannot update some leads."""

    def __init__(self, store: LeadStore, failing: set[str], asked: list[str]) -> None:
        self._store = store
        self._failing = failing
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def update_each(self, updates: Sequence[Update[Any]]) -> Sequence[Any]:
        self._asked += [ids[0] for ids, _ in updates]
        return [await self._updated(*update) for update in updates]

    async def _updated(self, ids: Sequence[str], change: Change[Any]) -> Any:
        if ids[0] in self._failing:
            return UnreadableError({ids[0]: "it is damaged"})
        return await self._store.update(ids, change)


class Stale:
    """A store whose first page is older than what is in it."""

    def __init__(self, store: LeadStore, page: list[DueLead]) -> None:
        self._store = store
        self._page = page

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def due_for_decay(self, *_: int, **__: Any) -> list[DueLead]:
        page, self._page = self._page, []
        return page


@pytest.mark.slow
async def test_a_run_stops_when_its_time_is_up_and_the_next_goes_on(full: Path) -> None:
    async with place(full, NOW + 6 * DAY) as here:
        assert await here.decay(budget_s=0.0) == RunProgress(done=False)
        run = await here.decay(budget_s=60.0)
        assert run.done
        assert run.looked_at >= MANY
