"""Updates that wait for their commit, and the records that this instance has just written."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from warmlead.domain.errors import UnavailableError
from warmlead.ports import Change
from warmlead.stores.base import Alias, Raised
from warmlead.stores.firestore.codec import NOTHING, Stored

MOST_KEPT = 1_024
KEPT_S = 5.0
"""Time for which a record is kept; later another instance has probably written it."""


class RecordCache:
    """Records by id, for some seconds; those that other instances write too are not kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, Stored | None]] = OrderedDict()

    def at(self, ids: Iterable[str]) -> dict[str, Stored]:
        """What is kept of these ids."""
        return {id_: stored for id_ in ids if (stored := self._at(id_))}

    def home_of(self, id_: str) -> str:
        """The id of the lead that holds the identifier, as far as it is known here."""
        stored = self._at(id_)
        return stored.record.lead_id if stored and isinstance(stored.record, Alias) else id_

    def keep(self, written: Mapping[str, Stored]) -> None:
        """Keeps records, as they are now known to be."""
        now = time.monotonic()
        for id_, stored in written.items():
            until, known = self._kept.get(id_, (0.0, stored))
            if known is None and until > now:
                continue  # contested
            self._kept[id_] = (now + KEPT_S, stored)
            self._kept.move_to_end(id_)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def contested(self, ids: Iterable[str]) -> None:
        """Other instances write these records too, so they are not kept for a while."""
        now = time.monotonic()
        self._kept.update(dict.fromkeys(ids, (now + KEPT_S, None)))

    def is_contested(self, id_: str) -> bool:
        """Whether another instance was recently faster here."""
        until, stored = self._kept.get(id_, (0.0, NOTHING))
        return stored is None and until > time.monotonic()

    def forget_all(self) -> None:
        """Forgets all records."""
        self._kept.clear()

    def _at(self, id_: str) -> Stored | None:
        until, stored = self._kept.get(id_, (0.0, None))
        return stored if until > time.monotonic() else None


AT_ONCE = 4
"""The most commits of several queues that are under way; those of one queue come on top."""

MOST_TOGETHER = 128
"""Limit of updates that share a commit: deciding them delays others by some 30 ms."""


class Waiting:
    """An update whose caller waits for its answer.

    ``sent`` are the answers that it was given in commits of which it is not known whether they
    were written, by the commit; ``begun_at`` is when the first was tried.
    """

    __slots__ = ("answer", "begun_at", "change", "ids", "sent")

    def __init__(self, ids: Sequence[str], change: Change[Any]) -> None:
        self.ids = ids
        self.change = change
        self.begun_at: float | None = None
        self.sent: dict[str, Any] = {}
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


Answers: TypeAlias = Sequence[Any]
"""In order; ``Raised`` for an update whose change raised an error."""


class CommitQueue:
    """Updates that wait for their commit, in one queue for each lead.

    ``commit_once`` tries the updates of several queues in one commit. If it fails, ``commit``
    commits each queue by itself until that succeeds. Before each of its attempts it may add the
    updates that came meanwhile: it is given a function that takes them from the queue.
    ``is_contested`` tells whether other instances write a queue's lead too: then the queue is
    committed by itself, so that it does not hold up the others.
    """

    def __init__(
        self,
        commit_once: Callable[[Sequence[Waiting]], Awaitable[Answers]],
        commit: Callable[[list[Waiting], Callable[[], list[Waiting]]], Awaitable[Answers]],
        is_contested: Callable[[str], bool],
    ) -> None:
        self._commit_once = commit_once
        self._commit = commit
        self._is_contested = is_contested
        self._queues: dict[object, deque[Waiting]] = {}
        self._ready: deque[object] = deque()
        self._together = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def join(
        self, ids: Sequence[str], change: Change[Any], *, queue: str | None
    ) -> "asyncio.Future[Any]":
        """What the change answers once it is committed, or the error that it raised.

        Updates of one ``queue`` are committed in order; one without a queue waits for nobody.
        """
        key: object = object() if queue is None else queue
        waiting = Waiting(ids, change)
        if key in self._queues:
            self._queues[key].append(waiting)
        else:
            self._queues[key] = deque([waiting])
            self._is_ready(key)
        return waiting.answer

    async def rest(self) -> None:
        """Waits until no update waits."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _is_ready(self, key: object) -> None:
        if isinstance(key, str) and self._is_contested(key):
            self._start(self._commit_alone(key, self._taken_from(key)))
            return
        self._ready.append(key)
        if self._together < AT_ONCE:
            self._together += 1
            self._start(self._work())

    def _start(self, work: Any) -> None:  # noqa: ANN401  # a coroutine
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        """Commits queues together until none is ready."""
        try:
            while self._ready:
                await self._commit_together(self._next_batch())
        finally:
            self._together -= 1

    def _next_batch(self) -> dict[object, list[Waiting]]:
        taken: dict[object, list[Waiting]] = {}
        room = MOST_TOGETHER
        while self._ready and room:
            key = self._ready.popleft()
            taken[key] = self._taken_from(key, room)
            room -= len(taken[key])
        return taken

    def _taken_from(self, key: object, most: int = MOST_TOGETHER) -> list[Waiting]:
        queue = self._queues[key]
        return [queue.popleft() for _ in range(min(len(queue), max(0, most)))]

    async def _commit_together(self, batch: dict[object, list[Waiting]]) -> None:
        together = [waiting for some in batch.values() for waiting in some]
        try:
            answers = await self._commit_once(together)
        except Exception:  # noqa: BLE001  # one of them may be in the way of all others
            for key, some in batch.items():
                self._start(self._commit_alone(key, some))
            return
        _answer(together, answers)
        for key in batch:
            self._go_on(key)

    async def _commit_alone(self, key: object, some: list[Waiting]) -> None:
        """Commits updates of one queue with patience; if that fails, the whole queue fails."""
        try:
            await self._commit_or_part(
                some, lambda: self._taken_from(key, MOST_TOGETHER - len(some))
            )
        except UnavailableError as error:  # those behind have waited as long
            some += self._taken_from(key, len(self._queues[key]))
            _answer(some, [Raised(error)] * len(some))
        self._go_on(key)

    async def _commit_or_part(
        self, some: list[Waiting], others: Callable[[], list[Waiting]]
    ) -> None:
        try:
            _answer(some, await self._commit(some, others))
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # every failure must reach the callers that wait
            if len(some) == 1:
                _answer(some, [Raised(error)])
                return
            for each in some:  # one of them cannot be written: it fails alone
                await self._commit_or_part([each], list)

    def _go_on(self, key: object) -> None:
        if self._queues[key]:
            self._is_ready(key)
        else:
            del self._queues[key]


def _answer(some: Sequence[Waiting], answers: Answers) -> None:
    for waiting, answer in zip(some, answers, strict=True):
        if waiting.answer.done():
            continue  # its caller has gone, or it was answered before
        if isinstance(answer, Raised):
            waiting.answer.set_exception(answer.error)
        else:
            waiting.answer.set_result(answer)
