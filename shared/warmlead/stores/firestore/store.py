"""Leads, moves and reports in Firestore."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

import grpc
import grpc.aio

from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.google_api import Interceptors
from warmlead.ports import Change, DueLead, Ranked, Unreadable, Update
from warmlead.stores.base import Alias, Deciding, UnitOfWork, passed_on
from warmlead.stores.codec import LeadDocument, lead_of
from warmlead.stores.firestore.client import OVERTAKEN, PATIENCE_S, FirestoreCalls, Pages
from warmlead.stores.firestore.codec import (
    LEADS,
    SHARDS,
    TRANSITIONS,
    Database,
    Queries,
    Stored,
    by_chunks,
    read_due,
    read_move,
    read_record,
)
from warmlead.stores.firestore.commit_queue import Answers, CommitQueue, RecordCache, Waiting

PAGE_MOVES = 500


class _InFirestore:
    """A connection to the database of a Google Cloud project."""

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
        self._queries = Queries(self._database)
        self._calls = FirestoreCalls(
            self._database, emulator=emulator, interceptors=interceptors, patience_s=patience_s
        )

    async def close(self) -> None:
        """Closes the connection."""
        await self._calls.close()


class FirestoreReportStore(_InFirestore):
    """The ``ReportStore`` of a Google Cloud project, in the same database as its leads."""

    async def moves(self, start: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; a shard after the other."""
        for shard in range(SHARDS):
            after = None
            while page := await self._calls.query(
                self._queries.moves_by_time(start, shard=shard, most=PAGE_MOVES, after=after)
            ):
                for document in page:
                    yield document.fields["lead_id"].string_value, read_move(document)
                after = page[-1]

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""
        counts = await asyncio.gather(
            *(self._calls.count(self._queries.leads_in(stage)) for stage in stages)
        )
        return dict(zip(stages, counts, strict=True))

    async def keep(self, period: str, report: str) -> None:
        """See ``ReportStore``."""
        write = self._database.write_report(period, report)
        await self._calls.patiently(lambda: self._calls.write([write]))

    async def report(self, period: str) -> str | None:
        """See ``ReportStore``."""
        document = await self._calls.get(self._database.report_name(period))
        return None if document is None else str(document.fields["report"].string_value)


T = TypeVar("T")

PAGE_LEADS = 200


class FirestoreLeadStore(_InFirestore):
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
        super().__init__(
            project,
            database,
            emulator=emulator,
            interceptors=interceptors,
            patience_s=patience_s,
        )
        self._due = Pages(self._calls)
        self._patience_s = patience_s
        self._cache = RecordCache()
        self._commits = CommitQueue(self._commit_once, self._commit, self._cache.is_contested)

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        """See ``LeadStore``."""
        result: T = await self._join(ids, change)
        return result

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        """See ``LeadStore``."""
        waiting = [self._join(ids, change) for ids, change in updates]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return [passed_on(answer) for answer in answers]

    async def get(self, lead_id: str) -> Lead | None:
        """See ``LeadStore``."""

        async def find() -> Lead | None:
            seen = _Seen(None, self._calls.read)
            held = await seen.learn_all(seen.unit.find(lead_id))
            return held if isinstance(held, Lead) else None

        return await self._calls.patiently(find)

    async def leads(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages(self._queries.leads_by_id):
            yield lead

    async def with_unsent_triggers(self) -> AsyncIterator[Lead]:
        """See ``LeadStore``."""
        async for lead in self._pages(self._queries.leads_by_outbox):
            yield lead

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        query = partial(self._queries.leads_by_decay, day)
        return await self._queue("decay_on", shard, query, most, after)

    async def due_beyond(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        query = partial(self._queries.leads_beyond, day)
        return await self._queue("decay_on", shard, query, most, after)

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        query = partial(self._queries.leads_by_due_time, now)
        return await self._queue("due_at", shard, query, most, after)

    async def by_id(
        self, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """See ``LeadStore``."""
        return await self._queue("shard", shard, self._queries.leads_of_shard, most, after)

    async def by_score(
        self, *, most: int, stage: str | None = None, after: Ranked | None = None
    ) -> Sequence[Ranked]:
        """See ``LeadStore``."""
        place = (after.score, after.lead.id) if after else None
        page = await self._calls.query(self._queries.leads_by_score(most, stage=stage, after=place))
        records = [(each.fields["score"], read_record(each).record) for each in page]
        return [
            Ranked(score.integer_value, lead_of(record))
            for score, record in records
            if isinstance(record, LeadDocument | Unreadable)
        ]

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""
        lead = await self.get(lead_id)
        ids = {lead_id, *(lead.ids if lead else ())}
        moves = [read_move(document) for document in await self._moves_of(ids)]
        return sorted(moves, key=lambda move: move.at)

    async def _moves_of(self, ids: Iterable[str]) -> list[Any]:
        chunks = by_chunks(ids)
        pages = [await self._calls.query(self._queries.moves_of(chunk)) for chunk in chunks]
        return [document for page in pages for document in page]

    async def clear(self) -> None:
        """See ``LeadStore``."""
        self._cache.forget_all()
        for collection in (LEADS, TRANSITIONS):
            await self._calls.delete_all(collection)

    async def close(self) -> None:
        """Finishes what is under way and closes the connection."""
        await self._commits.rest()
        await self._due.close()
        await super().close()

    # --- updating ------------------------------------------------------------------------

    def _join(self, ids: Sequence[str], change: Change[Any]) -> "asyncio.Future[Any]":
        queue = self._cache.home_of(ids[0]) if ids else None
        return self._commits.join(ids, change, queue=queue)

    async def _commit_once(self, some: Sequence[Waiting]) -> Answers:
        """Decides with cached records, and commits; another instance may be faster."""
        try:
            async with asyncio.timeout(self._patience_s / 2):
                return await self._attempt(some, self._cache)
        except grpc.aio.AioRpcError as error:
            if len(homes := {self._cache.home_of(w.ids[0]) for w in some if w.ids}) == 1:
                self._overtaken(error, homes)
            raise

    async def _commit(self, some: list[Waiting], others: Callable[[], list[Waiting]]) -> Answers:
        """Decides and commits until it is known to be written, with those who come meanwhile."""

        async def attempt() -> Answers:
            some.extend(others())
            return await self._attempt(some, None)

        begun = [waiting.begun_at for waiting in some if waiting.begun_at is not None]
        now = asyncio.get_running_loop().time()
        return await self._calls.patiently(
            attempt, until=min(begun, default=now) + self._patience_s
        )

    async def _attempt(self, some: Sequence[Waiting], cache: RecordCache | None) -> Answers:
        now = asyncio.get_running_loop().time()
        for waiting in some:
            waiting.begun_at = waiting.begun_at or now
        seen = _Seen(cache, self._calls.read)
        answers: Answers = await seen.learn_all(
            seen.unit.decide_all([(waiting.ids, waiting.change) for waiting in some])
        )
        sent = {commit for waiting in some for commit in waiting.sent}
        for stored in seen.stored.values() if sent else ():
            if stored.commit in sent:
                return await self._beside(some, stored.commit)
        unit = seen.unit
        if not (unit.changed or unit.moves):
            return await self._attempt(some, None) if seen.cached_ids else answers
        commit = uuid.uuid4().hex
        for waiting, answer in zip(some, answers, strict=True):
            waiting.sent[commit] = answer
        try:
            await self._write(seen, commit)
        except grpc.aio.AioRpcError as error:
            if cache is None:
                self._overtaken(error, seen.stored)
            raise
        return answers

    async def _beside(self, some: Sequence[Waiting], commit: str) -> Answers:
        """The answers to updates some of which were written by a commit whose answer was lost."""
        rest = [waiting for waiting in some if commit not in waiting.sent]
        answers = iter(await self._attempt(rest, None) if rest else ())
        return [w.sent[commit] if commit in w.sent else next(answers) for w in some]

    def _overtaken(self, error: grpc.aio.AioRpcError, ids: Iterable[str]) -> None:
        if error.code() in OVERTAKEN:
            self._cache.contested(ids)

    async def _write(self, seen: "_Seen", commit: str) -> None:
        unit, stored = seen.unit, seen.stored
        changed = unit.changed
        writes = [
            self._database.write_record(id_, record, stored[id_], commit)
            for id_, record in changed.items()
        ]
        if changed:
            relied_on = unit.relied_on | (unit.looked_at & seen.cached_ids)
            writes += [self._database.rely_on(id_, stored[id_]) for id_ in sorted(relied_on)]
        # None can come in between: a move is written with its lead, which must be unchanged.
        erased = await self._moves_of(unit.erased) if unit.erased else ()
        writes += [{"delete": document.name} for document in erased]
        writes += [self._database.write_move(id_, move) for id_, move in unit.moves]
        versions = await self._calls.write(writes)
        written = {
            id_: Stored(record, version, commit)
            for (id_, record), version in zip(changed.items(), versions, strict=False)
        }
        known = {id_: each for id_, each in stored.items() if isinstance(each.record, Alias)}
        self._cache.keep(known | written)

    # --- looking -------------------------------------------------------------------------

    async def _queue(
        self,
        field: str,
        shard: int,
        query: Callable[..., Any],
        most: int,
        after: DueLead | None,
    ) -> Sequence[DueLead]:
        """A page of leads that are due; they are cached, and need not be read again."""
        page = await self._due.page(field, shard, query, most=most, after=after)
        for document in page:
            stored = read_record(document)
            if not isinstance(stored.record, Unreadable):  # once repaired, it counts at once
                self._cache.keep({document.name.rpartition("/")[2]: stored})
        return [read_due(document, field) for document in page]

    async def _pages(self, query: Callable[..., Any]) -> AsyncIterator[Lead]:
        after = None
        unreadable: dict[str, str] = {}
        while page := await self._calls.query(query(PAGE_LEADS, after=after)):
            for document in page:
                record = read_record(document).record
                if isinstance(record, LeadDocument):
                    yield record.lead
                elif isinstance(record, Unreadable):
                    unreadable[record.id] = record.problem
            after = page[-1]
        if unreadable:
            raise UnreadableError(unreadable)


Reading: TypeAlias = Callable[[Sequence[str]], Awaitable[dict[str, Stored]]]


class _Seen:
    """A unit of work that learns from the cache or reads, and what it has learnt."""

    def __init__(self, cache: RecordCache | None, read: Reading) -> None:
        self.unit = UnitOfWork()
        self.stored: dict[str, Stored] = {}
        self.cached_ids: set[str] = set()
        self._cache = cache
        self._read = read

    async def learn_all(self, deciding: Deciding) -> Any:  # noqa: ANN401  # whatever was decided
        """The decision, once the unit has all records that it asks for."""
        while True:
            try:
                wanted = next(deciding)
            except StopIteration as decided:
                return decided.value
            await self._learn(wanted)

    async def _learn(self, ids: frozenset[str]) -> None:
        found = self._cache.at(ids) if self._cache else {}
        self.cached_ids |= found.keys()
        if cold := sorted(ids - found.keys()):
            found |= await self._read(cold)
        self.stored |= found
        self.unit.learn({id_: stored.record for id_, stored in found.items()})
