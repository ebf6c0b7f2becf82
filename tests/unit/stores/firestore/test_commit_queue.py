"""Which updates share a commit, and who hears of what, whatever becomes of the commits."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from effort import examples
from patience import PATIENCE_S
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Commit, Loaded
from warmlead.stores.base import Raised
from warmlead.stores.firestore.commit_queue import (
    AT_ONCE,
    MOST_TOGETHER,
    Answers,
    CommitQueue,
    Waiting,
)


def change(_: Loaded) -> Commit[None]:
    return Commit(None)


class Commits:
    """Commits that end when they are told to; what each was of, in the order of their beginning."""

    def __init__(self) -> None:
        self.together: list[list[str]] = []
        self.alone: list[list[str]] = []
        self.contested: set[str] = set()
        self.refuse: Callable[[Sequence[str]], Exception | None] = lambda _: None
        self.gate = asyncio.Event()
        self.lines = CommitQueue(self._once, self._patiently, lambda line: line in self.contested)

    async def ask(self, name: str) -> Any:
        """The answer to an update of the lead of whom the name's first letter tells."""
        return await self.lines.join([name], change, queue=name[0])

    async def begun(self, commits: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.together) + len(self.alone) < commits:  # noqa: ASYNC110  # turn by turn
                await asyncio.sleep(0)

    async def _once(self, some: Sequence[Waiting]) -> Answers:
        return await self._end(self.together, some)

    async def _patiently(self, line: list[Waiting], others: Callable[[], list[Waiting]]) -> Answers:
        line.extend(others())
        return await self._end(self.alone, line)

    async def _end(self, kind: list[list[str]], some: Sequence[Waiting]) -> Answers:
        names = [waiting.ids[0] for waiting in some]
        kind.append(names)
        await self.gate.wait()
        if error := self.refuse(names):
            raise error
        return names


@pytest.fixture
async def commits() -> Commits:
    return Commits()


async def test_one_update_is_committed_at_once(commits: Commits) -> None:
    commits.gate.set()
    assert await commits.ask("a1") == "a1"
    assert commits.together == [["a1"]]


async def test_updates_that_arrive_during_a_commit_share_the_next_one(commits: Commits) -> None:
    first = asyncio.create_task(commits.ask("a1"))
    await commits.begun(1)
    rest = [asyncio.create_task(commits.ask(f"a{n}")) for n in range(2, 6)]
    await asyncio.sleep(0)
    commits.gate.set()
    assert await asyncio.gather(first, *rest) == ["a1", "a2", "a3", "a4", "a5"]
    assert commits.together == [["a1"], ["a2", "a3", "a4", "a5"]]


async def test_leads_that_wait_for_a_commit_share_the_next_one(
    commits: Commits,
) -> None:
    leads = [chr(ord("a") + n) for n in range(AT_ONCE + 5)]
    asked = []
    for n, lead in enumerate(leads[:AT_ONCE]):
        asked.append(asyncio.create_task(commits.ask(f"{lead}1")))
        await commits.begun(n + 1)
    asked += [asyncio.create_task(commits.ask(f"{lead}1")) for lead in leads[AT_ONCE:]]
    await asyncio.sleep(0)
    assert len(commits.together) == AT_ONCE
    commits.gate.set()
    await asyncio.gather(*asked)
    assert [len(names) for names in commits.together] == [*[1] * AT_ONCE, 5]


@pytest.mark.slow
async def test_a_commit_has_at_most_the_allowed_number_of_updates(commits: Commits) -> None:
    asked = [asyncio.create_task(commits.ask(f"a{n}")) for n in range(2 * MOST_TOGETHER)]
    commits.gate.set()
    await asyncio.gather(*asked)
    assert max(map(len, commits.together)) == MOST_TOGETHER


async def test_updates_of_several_leads_fill_a_commit_and_no_more(commits: Commits) -> None:
    first = []
    for n in range(AT_ONCE):
        first.append(asyncio.create_task(commits.ask(f"{'uvwxyz'[n]}1")))
        await commits.begun(n + 1)
    a, b, c = (
        [f"{lead}{n}" for n in range(size)]
        for lead, size in (("a", MOST_TOGETHER - 28), ("b", 100), ("c", MOST_TOGETHER))
    )
    asked = [asyncio.create_task(commits.ask(each)) for each in (*a, *b, *c)]
    await asyncio.sleep(0)
    commits.gate.set()
    commits.gate = asyncio.Event()  # of the commits to come
    await commits.begun(AT_ONCE + 2)
    assert commits.together[AT_ONCE:] == [a + b[:28], c]
    commits.gate.set()
    await asyncio.gather(*first, *asked)
    assert commits.together[AT_ONCE + 2 :] == [b[28:]]


async def test_a_contested_lead_does_not_delay_others(commits: Commits) -> None:
    commits.contested = set("abcdefgh")
    slow = [asyncio.create_task(commits.ask(f"{lead}1")) for lead in "abcdefgh"]
    await commits.begun(8)
    assert commits.together == []
    fast = asyncio.create_task(commits.ask("z1"))
    await commits.begun(9)
    assert commits.together == [["z1"]]
    commits.gate.set()
    await asyncio.gather(fast, *slow)


async def test_a_retried_commit_includes_updates_that_arrived_meanwhile(
    commits: Commits,
) -> None:
    commits.refuse = lambda names: ConnectionError() if names == ["a1"] else None
    first = asyncio.create_task(commits.ask("a1"))
    await commits.begun(1)
    second = asyncio.create_task(commits.ask("a2"))
    await asyncio.sleep(0)
    commits.gate.set()
    assert [await first, await second] == ["a1", "a2"]
    assert commits.alone == [["a1", "a2"]]


async def test_an_update_that_cannot_be_written_fails_alone(commits: Commits) -> None:
    commits.refuse = lambda names: RuntimeError("too large") if "b1" in names else None
    asked = [asyncio.create_task(commits.ask(f"x{n}")) for n in range(AT_ONCE)]
    await commits.begun(1)
    asked += [asyncio.create_task(commits.ask(name)) for name in ("a1", "b1", "b2", "c1")]
    await asyncio.sleep(0)
    commits.gate.set()
    answers = await asyncio.gather(*asked[-4:], return_exceptions=True)
    assert [str(answer) for answer in answers] == ["a1", "too large", "b2", "c1"]


async def test_every_waiting_caller_hears_that_the_store_is_unavailable(
    commits: Commits,
) -> None:
    commits.refuse = lambda names: UnavailableError("away") if names[0][0] == "a" else None
    asked = [asyncio.create_task(commits.ask(name)) for name in ("a1", "a2", "b1")]
    await commits.begun(1)
    commits.gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away", "away", "b1"]
    commits.refuse = lambda _: None
    assert await commits.ask("a3") == "a3"


async def test_an_error_of_a_change_reaches_its_caller() -> None:
    async def raised(some: Sequence[Waiting]) -> Answers:
        return [Raised(KeyError(waiting.ids[0])) for waiting in some]

    lines = CommitQueue(raised, lambda line, _: raised(line), lambda _: False)
    with pytest.raises(KeyError, match="a1"):
        await lines.join(["a1"], change, queue="a")


async def test_a_cancelled_caller_does_not_disturb_others(commits: Commits) -> None:
    gone = asyncio.create_task(commits.ask("a1"))
    stays = asyncio.create_task(commits.ask("a2"))
    await commits.begun(1)
    gone.cancel()
    commits.gate.set()
    assert await stays == "a2"
    await commits.lines.rest()


@pytest.mark.parametrize("seed", range(examples(30)))
async def test_each_caller_is_answered_once_and_commits_of_one_lead_never_overlap(
    seed: int,
) -> None:
    random = Random(seed)
    under_way: Counter[str] = Counter()
    written: Counter[str] = Counter()

    async def commit(some: Sequence[Waiting], failing: float) -> Answers:
        names = [waiting.ids[0] for waiting in some]
        leads = {name[0] for name in names}
        assert not any(under_way[lead] for lead in leads)
        under_way.update(leads)
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
        under_way.subtract(leads)
        if "e13" in names:
            raise RuntimeError("can never be written")
        if random.random() < failing:
            raise ConnectionError
        written.update(names)
        return names

    async def patiently(line: list[Waiting], others: Callable[[], list[Waiting]]) -> Answers:
        while True:
            line.extend(others())
            try:
                return await commit(line, 0.5)
            except ConnectionError:
                continue

    contested = set(random.sample("abcdefgh", 2))
    lines = CommitQueue(lambda some: commit(some, 0.3), patiently, lambda line: line in contested)
    names = [f"{lead}{n}" for lead in "abcdefgh" for n in range(random.randrange(14, 40))]
    random.shuffle(names)
    asked = []
    for name in names:
        asked.append(lines.join([name], change, queue=name[0]))
        if random.random() < 0.3:
            await asyncio.sleep(0)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(answer) for answer in answers] == [
        "can never be written" if name == "e13" else name for name in names
    ]
    assert written == Counter(name for name in names if name != "e13")
