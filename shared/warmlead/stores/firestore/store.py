"""Leads, moves and reports in Firestore."""

import asyncio
import uuid
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from datetime import UTC, datetime
from functools import partial
from itertools import chain, pairwise
from typing import Any, TypeVar

import grpc
import grpc.aio

from warmlead.domain.errors import UnreadableError
from warmlead.domain.lead import Lead
from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.google_api import Interceptors
from warmlead.ports import Change, DueLead, Evaluating, Loaded, Tombstone, Unreadable, Until, Update
from warmlead.ports.listing import LeadQuery, Listed, ListPlace
from warmlead.ports.reporting import Life
from warmlead.stores.base import Alias, UnitOfWork, erasures_at, passed_on
from warmlead.stores.codec import LeadDocument, lead_of
from warmlead.stores.firestore.client import OVERTAKEN, PATIENCE_S, FirestoreCalls, Pages
from warmlead.stores.firestore.codec import (
    FROM_STAGE,
    LATE_AT,
    LEADS,
    TO_STAGE,
    TRANSITIONS,
    Database,
    Queries,
    Stored,
    by_chunks,
    place_in,
    read_due,
    read_move,
    read_record,
)
from warmlead.stores.firestore.commit_queue import Answers, CommitQueue, RecordCache, Waiting
from warmlead.stores.firestore.fields import SHARDS, mark_at
from warmlead.stores.firestore.nurture import (
    NURTURE_AT,
    is_move,
    read_record_of_nurture,
    written_nurture,
)
from warmlead.stores.firestore.relisting import relist
from warmlead.stores.firestore.seen import SeenRecords

PAGE_MOVES = 500

CHUNKS_AT_ONCE = 8
"""How many queries for the lives of persons are asked side by side."""

_AFTER_ALL = datetime(9999, 1, 1, tzinfo=UTC)


class InFirestore:
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

    async def _moves_of(self, ids: Iterable[str]) -> list[Any]:
        chunks = by_chunks(ids)
        pages = [await self._calls.query(self._queries.moves_of(chunk)) for chunk in chunks]
        return [document for page in pages for document in page]


class FirestoreReportStore(InFirestore):
    """The ``ReportStore`` of a Google Cloud project, in the same database as its leads."""

    def moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; a shard after the other."""
        return self._moves(partial(self._queries.moves_by_time, start, end))

    def late_moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; a shard after the other."""
        return self._moves(partial(self._queries.moves_by_time, start, end, time=LATE_AT))

    async def _moves(self, query: Callable[..., Any]) -> AsyncIterator[tuple[str, Transition]]:
        async for lead_id, document in self._by_time(query):
            yield lead_id, read_move(document)

    async def _by_time(self, query: Callable[..., Any]) -> AsyncIterator[tuple[str, Any]]:
        """The documents that a query finds, each with the id of its lead."""
        for shard in range(SHARDS):
            after, is_last = None, False
            while not is_last:
                page = await self._calls.query(query(shard=shard, most=PAGE_MOVES, after=after))
                for document in page:
                    yield document.fields["lead_id"].string_value, document
                is_last = len(page) < PAGE_MOVES
                after = None if is_last else page[-1]

    async def nurtured(
        self, start: datetime, end: datetime
    ) -> AsyncIterator[tuple[str, NurtureRecord]]:
        """See ``ReportStore``; a shard after the other."""
        query = partial(self._queries.moves_by_time, start, end, time=NURTURE_AT)
        async for lead_id, document in self._by_time(query):
            yield lead_id, read_record_of_nurture(document)

    async def lives(self, lead_ids: Collection[str]) -> AsyncIterator[Life]:
        """See ``ReportStore``."""
        chunks = by_chunks(lead_ids)
        told: set[str] = set()
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            some = chunks[start : start + CHUNKS_AT_ONCE]
            for life in chain.from_iterable(await asyncio.gather(*map(self._lives_of, some))):
                if not told & life.ids:
                    told |= life.ids
                    yield life

    async def _lives_of(self, lead_ids: Sequence[str]) -> list[Life]:
        """The persons who have these ids; of some more than once."""
        persons = await self._persons(lead_ids)
        moves: dict[str, list[Transition]] = {}
        for document in await self._moves_of(frozenset().union(*persons)):
            if is_move(document):
                lead_id = document.fields["lead_id"].string_value
                moves.setdefault(lead_id, []).append(read_move(document))
        return [
            Life(ids, in_order_learnt([move for id_ in sorted(ids) for move in moves.get(id_, ())]))
            for ids in persons
        ]

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""
        counts = await asyncio.gather(
            *(self._calls.count(self._queries.leads_in(stage)) for stage in stages)
        )
        return dict(zip(stages, counts, strict=True))

    async def scores(self, bounds: Sequence[int]) -> Sequence[int]:
        """See ``ReportStore``."""
        return await asyncio.gather(
            *(
                self._calls.count(self._queries.leads_scored(*pair))
                for pair in pairwise([None, *bounds, None])
            )
        )

    async def grown_since(self, moment: datetime, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``.

        If there are moves that cannot be counted, because an earlier release recorded them or the
        stage is none of these, all are read.
        """
        since = partial(self._queries.moves_since, moment)
        every, *counts = await asyncio.gather(
            self._calls.count(since()),
            *(self._calls.count(since(TO_STAGE, stage)) for stage in stages),
            *(self._calls.count(since(FROM_STAGE, stage)) for stage in stages),
        )
        into, out_of = counts[: len(stages)], counts[len(stages) :]
        if sum(into) < every:
            return await self._grown_in_moves(moment, stages)
        return {stage: more - less for stage, more, less in zip(stages, into, out_of, strict=True)}

    async def _grown_in_moves(self, moment: datetime, stages: Sequence[str]) -> Mapping[str, int]:
        grown: Counter[str] = Counter()
        async for _, move in self.moves(moment, _AFTER_ALL):
            grown[move.to_stage] += 1
            grown[move.from_stage] -= 1
        return {stage: grown[stage] for stage in stages}

    async def _persons(self, ids: Sequence[str]) -> list[frozenset[str]]:
        """The ids of each person who has one of some; of a person who has two of them, twice."""

        async def find() -> list[frozenset[str]]:
            seen = SeenRecords(None, self._calls.read)
            held: Loaded = await seen.learn_all(seen.unit.find_all(ids))
            leads = {id_: lead for id_, lead in held.items() if isinstance(lead, Lead)}
            return [frozenset([id_, *(leads[id_].ids if id_ in leads else ())]) for id_ in ids]

        return await self._calls.patiently(find)

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


class FirestoreLeadStore(InFirestore):
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
            seen = SeenRecords(None, self._calls.read)
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

    async def listed(
        self, asked: LeadQuery, *, most: int, after: ListPlace | None = None
    ) -> Sequence[Listed]:
        """See ``LeadStore``."""
        page = await self._calls.query(self._queries.leads_listed(asked, most, after=after))
        return [
            Listed(place_in(each, asked), lead_of(record))
            for each in page
            if isinstance(record := read_record(each).record, LeadDocument | Unreadable)
        ]

    async def found(self, word: str, *, most: int) -> Sequence[Lead | Unreadable]:
        """See ``LeadStore``."""
        page = await self._calls.query(self._queries.leads_found(word, most)) if word else ()
        records = [read_record(each).record for each in page]
        return [lead_of(each) for each in records if isinstance(each, LeadDocument | Unreadable)]

    async def relist(self, evaluate: Evaluating, *, most: int, until: Until) -> bool:
        """See ``LeadStore``; goes through all leads once."""
        return await relist(self._calls, self._database, evaluate, most=most, until=until)

    async def transitions(self, lead_id: str) -> Sequence[Transition]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""
        lead = await self.get(lead_id)
        ids = {lead_id, *(lead.ids if lead else ())}
        moves = [read_move(each) for each in await self._moves_of(ids) if is_move(each)]
        return in_order_learnt(moves)

    async def nurtured(self, lead_id: str) -> Sequence[NurtureRecord]:
        """See ``LeadStore``; those of a lead that was merged into this one are among them."""
        lead = await self.get(lead_id)
        beside = await self._moves_of({lead_id, *(lead.ids if lead else ())})
        records = [read_record_of_nurture(each) for each in beside if not is_move(each)]
        return sorted(records, key=lambda record: record.at)

    async def erasures(self) -> AsyncIterator[Tombstone]:
        """See ``LeadStore``; reads every document, since erasures are not indexed."""
        after = None
        while page := await self._calls.query(self._queries.records(PAGE_LEADS, after=after)):
            for document in page:
                id_ = document.name.rpartition("/")[2]
                for erasure in erasures_at(id_, read_record(document).record):
                    yield erasure
            after = page[-1]

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
        seen = SeenRecords(cache, self._calls.read)
        answers: Answers = await seen.learn_all(
            seen.unit.decide_all([(waiting.ids, waiting.change) for waiting in some])
        )
        sent = {commit for waiting in some for commit in waiting.sent}
        for stored in seen.stored.values() if sent else ():
            if stored.commit in sent:
                return await self._beside(some, stored.commit)
        unit = seen.unit
        if not (unit.changed or unit.moves or unit.nurtured):
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

    async def _write(self, seen: SeenRecords, commit: str) -> None:
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
        anew = [self._database.write_move(id_, move) for id_, move in unit.moves]
        anew += [written_nurture(self._database, id_, record) for id_, record in unit.nurtured]
        names = {write.update.name for write in anew}  # a document is written once in a commit
        writes += [{"delete": n} for n in await self._moves_that_go(unit) if n not in names]
        writes += anew
        versions = await self._calls.write(writes)
        written = {
            id_: Stored(record, version, commit, mark_at(record))
            for (id_, record), version in zip(changed.items(), versions, strict=False)
        }
        known = {id_: each for id_, each in stored.items() if isinstance(each.record, Alias)}
        self._cache.keep(known | written)

    async def _moves_that_go(self, unit: UnitOfWork) -> list[str]:
        """The names of the moves of erased leads, and of imports that are taken back."""
        ids = unit.erased | {id_ for id_, _ in unit.retracted}
        found = await self._moves_of(ids) if ids else []
        of_lead = [(each, each.fields["lead_id"].string_value) for each in found]
        return [
            each.name
            for each, id_ in of_lead
            if id_ in unit.erased
            or (is_move(each) and (id_, read_move(each).imported) in unit.retracted)
        ]

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
