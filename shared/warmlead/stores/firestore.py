"""Leads in Firestore. Refuses to know how a lead is written down: see ``firestore_documents``.

No transactions: they lock, and a hot lead would stand still. A commit carries the times of
update of what it was decided on, and fails if somebody was faster; then it is decided anew.
What arrives for a lead while a commit of it is in flight is decided together in the next one.
"""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import grpc
import grpc.aio

from warmlead.domain.errors import UnavailableError
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.google_api import GoogleApi, Interceptors
from warmlead.ports import Change, DueLead, Update
from warmlead.stores.documents import LeadDocument
from warmlead.stores.firestore_documents import (
    LEADS,
    NOTHING,
    SHARDS,
    TRANSITIONS,
    CommitRequest,
    CommitResponse,
    Database,
    Document,
    GetRequest,
    ListRequest,
    ListResponse,
    QueryResponse,
    Stored,
    by_chunks,
    read_due,
    read_move,
    read_record,
)
from warmlead.stores.unit_of_work import Alias, UnitOfWork
from warmlead.stores.warm import Warm

T = TypeVar("T")

PATIENCE_S = 8.0
"""So long an update may take with all its attempts; then its caller should come again."""

CALL_S = 4.0
PAGE_S = 60.0
PAGE_LEADS = 200
MOST_TOGETHER = 256
"""So many updates share a commit at most."""

MOST_DELETED = 400

_FIRST_PAUSE_S = 0.004
_LONGEST_PAUSE_S = 0.5

_SERVICE = "/google.firestore.v1.Firestore"
_REFUSED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""What will not get better: a fault of ours, or a document that is too large."""


_OVERTAKEN = (
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
)
"""Somebody else has written what was decided on."""


class _Waiting(NamedTuple):
    ids: Sequence[str]
    change: Change[Any]
    done: "asyncio.Future[Any]"


class _Raised(NamedTuple):
    """The answer to an update whose change raised an error: it wrote nothing."""

    error: Exception


class FirestoreLeadStore:
    """The ``LeadStore`` of a Google Cloud project: safe for many tasks and many instances.

    An ordinary update is one read and one commit; a lead that this instance has just written
    is not read again, since the commit fails if another has written it meanwhile. Nor are
    leads that were found due.
    """

    shards = SHARDS

    def __init__(
        self,
        project: str,
        database: str = "(default)",
        *,
        emulator: str = "",
        interceptors: Interceptors = (),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = Database(project, database)
        self._api = GoogleApi(
            "firestore.googleapis.com", emulator=emulator, interceptors=interceptors
        )
        self._patience_s = patience_s
        self._warm = Warm()
        self._lines: dict[object, deque[_Waiting]] = {}
        self._working: set[asyncio.Task[None]] = set()

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        """See ``LeadStore``."""
        waiting = _Waiting(ids, change, asyncio.get_running_loop().create_future())
        key = self._warm.home_of(ids[0]) if ids else object()
        line = self._lines.get(key)
        if line is not None:
            line.append(waiting)
        else:
            self._lines[key] = deque([waiting])
            task = asyncio.create_task(self._work(key))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        result: T = await waiting.done
        return result

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        """See ``LeadStore``: one commit, unless another writer was faster at any of the leads."""
        loop = asyncio.get_running_loop()
        group = [_Waiting(ids, change, loop.create_future()) for ids, change in updates]
        try:
            answers = await self._commit(group, contend=False) if group else ()
        except Exception:  # noqa: BLE001  # one of them may be in the way of all others
            answers = await asyncio.gather(
                *(self.update(ids, change) for ids, change in updates), return_exceptions=True
            )
        return [answer.error if isinstance(answer, _Raised) else answer for answer in answers]

    async def get(self, lead_id: str) -> Lead | None:
        """See ``LeadStore``."""
        unit = UnitOfWork()
        finding = unit.find(lead_id)
        while True:
            try:
                wanted = next(finding)
            except StopIteration as found:
                return found.value if isinstance(found.value, Lead) else None
            stored = await self._patiently(partial(self._read, wanted))
            unit.learn({id_: each.record for id_, each in stored.items()})

    async def leads(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages(self._database.leads_by_id):
            yield lead

    async def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages(self._database.leads_by_outbox):
            yield lead

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        query = self._database.leads_by_decay(day, shard=shard, most=most, after=after)
        return await self._queue(query, "decay_on")

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        query = self._database.leads_by_due_time(now, shard=shard, most=most, after=after)
        return await self._queue(query, "due_at")

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""
        lead = await self.get(lead_id)
        ids = {lead_id, *(lead.trails if lead else ())}
        pages = [await self._query(self._database.moves_of(chunk)) for chunk in by_chunks(ids)]
        moves = [read_move(document) for page in pages for document in page]
        return sorted(moves, key=lambda move: move.at)

    async def clear(self) -> None:
        """See ``LeadStore``."""
        self._warm.forget_all()
        for collection in (LEADS, TRANSITIONS):
            while names := await self._patiently(partial(self._names, collection)):
                await self._patiently(partial(self._delete, names))

    async def close(self) -> None:
        """Finishes what is under way and closes the connection."""
        while self._working:
            await asyncio.gather(*self._working)
        await self._api.close()

    # --- updating ------------------------------------------------------------------------

    async def _work(self, key: object) -> None:
        """Settles what waits in a line, and what arrives meanwhile, until nothing does."""
        line = self._lines[key]
        try:
            while line:
                together = [line.popleft() for _ in range(min(len(line), MOST_TOGETHER))]
                try:
                    await self._settle(together)
                except UnavailableError as error:  # those behind have waited as long
                    _answer([*together, *line], [_Raised(error)] * (len(together) + len(line)))
                    line.clear()
        finally:
            del self._lines[key]

    async def _settle(self, group: Sequence[_Waiting]) -> None:
        try:
            _answer(group, await self._commit(group))
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # whoever waits must hear of every failure
            if len(group) == 1:
                _answer(group, [_Raised(error)])
                return
            for each in group:  # one of them cannot be written: it fails alone
                await self._settle([each])

    async def _commit(self, group: Sequence[_Waiting], *, contend: bool = True) -> Sequence[Any]:
        """Decides and commits until it is known to be written; the answers to the group.

        With ``contend`` also when somebody was faster; otherwise that is raised.
        """
        sent: dict[str, Sequence[Any]] = {}
        trust_warm = True

        async def attempt() -> Sequence[Any]:
            nonlocal trust_warm
            deciding = _Deciding(self._warm if trust_warm else None, self._read)
            trust_warm = False
            answers = [await deciding.decide(waiting) for waiting in group]
            for stored in deciding.stored.values():
                if stored.commit in sent:  # it was written, and the answer was lost
                    return sent[stored.commit]
            unit = deciding.unit
            if not (unit.changed or unit.moves):
                return await attempt() if deciding.used_warm else answers
            commit = uuid.uuid4().hex
            sent[commit] = answers
            try:
                await self._write(deciding, commit)
            except grpc.aio.AioRpcError:
                self._warm.contested(deciding.stored)
                raise
            return answers

        return await self._patiently(attempt, but_not=() if contend else _OVERTAKEN)

    async def _write(self, deciding: "_Deciding", commit: str) -> None:
        unit, seen = deciding.unit, deciding.stored
        changed = unit.changed
        writes = [
            self._database.write_record(id_, record, seen[id_], commit)
            for id_, record in changed.items()
        ]
        if changed:
            writes += [self._database.rely_on(id_, seen[id_]) for id_ in unit.relied_on]
        writes += [self._database.write_move(id_, move) for id_, move in unit.moves]
        response = await self._send(writes)
        versions = [result.update_time for result in response.write_results]
        written = {
            id_: Stored(record, version, commit)
            for (id_, record), version in zip(changed.items(), versions, strict=False)
        }
        self._warm.keep(written)
        self._warm.keep({i: s for i, s in seen.items() if isinstance(s.record, Alias)} | written)

    # --- calls ---------------------------------------------------------------------------

    async def _patiently(
        self, attempt: Callable[[], Awaitable[T]], *, but_not: Sequence[grpc.StatusCode] = ()
    ) -> T:
        """What the attempt returns as soon as it succeeds, with jittered pauses in between."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    return await attempt()
            except TimeoutError as error:
                raise UnavailableError("Firestore does not answer") from error
            except grpc.aio.AioRpcError as error:
                if error.code() in but_not:
                    raise
                if error.code() in _REFUSED:
                    raise RuntimeError(f"Firestore refuses it: {error.code().name}") from error
                if loop.time() + pause_s > deadline:
                    raise UnavailableError(f"Firestore: {error.code().name}") from error
            await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311  # no secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _read(self, ids: Iterable[str]) -> dict[str, Stored]:
        ordered = list(ids)
        stored = await asyncio.gather(*(self._read_one(id_) for id_ in ordered))
        return dict(zip(ordered, stored, strict=True))

    async def _read_one(self, id_: str) -> Stored:
        name = self._database.lead_name(id_)
        try:
            document = await self._call("GetDocument", GetRequest(name=name), Document, name=name)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return NOTHING
            raise
        return read_record(document)

    async def _send(self, writes: Sequence[Any]) -> Any:  # noqa: ANN401  # protobuf's
        request = CommitRequest(database=self._database.name, writes=writes)
        return await self._call("Commit", request, CommitResponse, database=self._database.name)

    async def _call(self, method: str, request: Any, answer: Any, **routing: str) -> Any:  # noqa: ANN401  # protobuf's
        path = f"{_SERVICE}/{method}"
        return await self._api.call(path, request, answer, routing=routing, timeout_s=CALL_S)

    async def _names(self, collection: str) -> list[str]:
        parent = self._database.documents
        request = ListRequest(parent=parent, collection_id=collection, page_size=MOST_DELETED)
        request.mask.field_paths.append("__name__")
        response = await self._call("ListDocuments", request, ListResponse, parent=parent)
        return [document.name for document in response.documents]

    async def _delete(self, names: Sequence[str]) -> None:
        await self._send([{"delete": name} for name in names])

    async def _query(self, request: Any) -> list[Any]:  # noqa: ANN401  # protobuf's
        async def ask() -> list[Any]:
            routing = {"parent": request.parent}
            answers = self._api.stream(
                f"{_SERVICE}/RunQuery", request, QueryResponse, routing=routing, timeout_s=PAGE_S
            )
            return [answer.document async for answer in answers if answer.HasField("document")]

        return await self._patiently(ask)

    async def _queue(self, query: Any, field: str) -> Sequence[DueLead]:  # noqa: ANN401  # protobuf's
        """A page of leads that are due; they are kept warm, and need not be read once more."""
        page = await self._query(query)
        for document in page:
            with suppress(UnavailableError):  # what only a newer release can read
                self._warm.keep({document.name.rpartition("/")[2]: read_record(document)})
        return [read_due(document, field) for document in page]

    async def _pages(self, query: Callable[..., Any]) -> AsyncIterator[Lead]:
        after = None
        while page := await self._query(query(PAGE_LEADS, after=after)):
            for document in page:
                record = read_record(document).record
                if isinstance(record, LeadDocument):
                    yield record.lead
            after = page[-1]


def _answer(group: Sequence[_Waiting], answers: Sequence[Any]) -> None:
    for waiting, answer in zip(group, answers, strict=True):
        if waiting.done.done():
            continue  # its caller has gone, or it was answered before
        if isinstance(answer, _Raised):
            waiting.done.set_exception(answer.error)
        else:
            waiting.done.set_result(answer)


class _Deciding:
    """A unit of work that learns from what is warm, or reads; and what it has learnt."""

    def __init__(self, warm: Warm | None, read: Callable[..., Any]) -> None:
        self.unit = UnitOfWork()
        self.stored: dict[str, Stored] = {}
        self.used_warm = False
        self._warm = warm
        self._read = read

    async def decide(self, waiting: _Waiting) -> Any:  # noqa: ANN401  # whatever was decided
        """What the change answers; its own error is an answer too."""
        deciding = self.unit.decide(waiting.ids, waiting.change)
        while True:
            try:
                wanted = next(deciding)
            except StopIteration as decided:
                return decided.value
            except Exception as error:  # noqa: BLE001  # a change's own error, for its own caller
                return _Raised(error)
            await self._learn(wanted)

    async def _learn(self, ids: frozenset[str]) -> None:
        found = self._warm.at(ids) if self._warm else {}
        self.used_warm = self.used_warm or bool(found)
        if cold := sorted(ids - found.keys()):
            found |= await self._read(cold)
        self.stored |= found
        self.unit.learn({id_: stored.record for id_, stored in found.items()})
