"""A run that is killed at any call and run again: every effect once, as if undisturbed."""

import itertools
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, keeping
from unit.application.living import DAY, HOUR, PAGE_LEADS, Place, place, readers
from warmlead.application.send import GRACE
from warmlead.domain.lead import Lead

MANY = PAGE_LEADS + 7


class KilledError(Exception):
    """Stands for the end of the process."""


class Killer:
    """Ends the process at its n-th call to store or bus: before it, or when it has been done."""

    def __init__(self, at: int, *, afterwards: bool) -> None:
        self._at = at
        self._afterwards = afterwards
        self.calls = 0

    async def call(self, method: Any, *given: Any, **named: Any) -> Any:
        self.calls += 1
        killed = self.calls >= self._at
        if killed and not self._afterwards:
            raise KilledError
        answer = await method(*given, **named)
        if killed:
            raise KilledError
        return answer


class Breaking:
    """A store or a bus whose calls a killer may end; what is read page by page is one call."""

    def __init__(self, whole: Any, killer: Killer) -> None:
        self._whole = whole
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._whole, name)
        if name in ("shards", "with_unsent_triggers"):
            return method

        async def call(*given: Any, **named: Any) -> Any:
            return await self._killer.call(method, *given, **named)

        return call


def broken(here: Place, killer: Killer) -> Place:
    here.store = Breaking(here.store, killer)  # type: ignore[assignment]  # it has all its methods
    here.bus = Breaking(here.bus, killer)  # type: ignore[assignment]  # the same
    return here


async def finished(here: Place) -> Mapping[str, Any]:
    """The state once the sweep has sent what the killed run left behind."""
    here.clock.forward(GRACE)
    await here.follow_up()
    return await here.state()


RUNS = {
    "decay": (NOW + 6 * DAY, Place.decay),
    "follow_up": (NOW + 3 * DAY, Place.follow_up),
    "reminders": (NOW + HOUR, Place.follow_up),
}


@pytest.mark.slow
@pytest.mark.parametrize("afterwards", [False, True])
@pytest.mark.parametrize("name", RUNS)
async def test_a_run_killed_at_any_call_and_run_again_does_everything_once(
    tmp_path: Path, name: str, afterwards: bool
) -> None:
    later, run = RUNS[name]
    full = await full_file(tmp_path, readers(MANY, 3, NOW))
    async with place(copied(full, "undisturbed"), later) as here:
        await run(here)
        expected = await finished(here)
        assert len(expected["triggers"]) >= MANY
        assert any(expected["nurture"].values()) == (name != "reminders")
    for at in itertools.count(1):
        path = copied(full, f"killed-{at}")
        killer = Killer(at, afterwards=afterwards)
        async with place(path, later) as here:
            try:
                await run(broken(here, killer))
            except KilledError:
                pass
            else:
                assert at > 9, "each page finds, settles, publishes and clears"
                return
        async with place(path, later) as here:
            await run(here)
            state = await finished(here)
            assert state["moves"] == expected["moves"]
            assert state["triggers"] == expected["triggers"]
            assert state["nurture"] == expected["nurture"]
            assert state["leads"] == expected["leads"]
        path.unlink()


async def full_file(folder: Path, leads: Sequence[Lead]) -> Path:
    path = folder / "full.db"
    async with place(path, NOW) as here:
        await here.store.update([], keeping(*leads))
    return path


def copied(full: Path, name: str) -> Path:
    return Path(shutil.copy(full, full.with_name(f"{name}.db")))
