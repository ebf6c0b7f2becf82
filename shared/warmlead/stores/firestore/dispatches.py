"""Dispatches and circuits in Firestore: one document each."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime

from warmlead.domain.dispatch import FARTHEST, Circuit, Dispatch, DispatchState
from warmlead.google_api import Message
from warmlead.ports.dispatching import Decide, DecideCircuit, DispatchKey, KeptDispatch
from warmlead.stores.dispatch_codec import (
    read_circuit,
    read_dispatch_at,
    readable,
    write_circuit,
    write_dispatch,
)
from warmlead.stores.firestore.client import MOST_DELETED
from warmlead.stores.firestore.codec import (
    AFTER,
    AND,
    EQUAL,
    NOT_AFTER,
    CountRequest,
    QueryRequest,
    StructuredQuery,
    Write,
    any_of,
    by_chunks,
    order_by,
    provided_unchanged,
)
from warmlead.stores.firestore.store import InFirestore

DISPATCHES = "dispatches"
CIRCUITS = "circuits"


class FirestoreDispatchStore(InFirestore):
    """The ``DispatchStore`` of a Google Cloud project, in the same database as its leads."""

    async def change(self, key: DispatchKey, decide: Decide) -> Dispatch | None:
        """See ``DispatchStore``."""
        name = self._name(DISPATCHES, f"{key.destination}:{key.id}")

        async def attempt() -> Dispatch | None:
            document = await self._calls.get(name)
            before = None if document is None else readable(_read(document))
            after = decide(before)
            if after is not None and after != before:
                await self._calls.write([written_dispatch(name, after, document)])
            return after

        return await self._calls.patiently(attempt)

    async def set_aside(self, key: DispatchKey, now: datetime, until: datetime) -> None:
        """See ``DispatchStore``."""
        name = self._name(DISPATCHES, f"{key.destination}:{key.id}")

        async def attempt() -> None:
            document = await self._calls.get(name)
            if document is not None:
                await self._calls.write([set_aside_write(document, now, until)])

        await self._calls.patiently(attempt)

    async def due(self, destination: str, now: datetime, *, most: int) -> Sequence[KeptDispatch]:
        """See ``DispatchStore``."""
        found = await self._find(by_time_query("due_at", destination, now, most))
        if len(found) < most:
            ahead = now + FARTHEST
            query = by_time_query("due_at", destination, ahead, most - len(found), AFTER)
            found += await self._find(query)
        return [_read(each) for each in found]

    async def in_state(
        self, destination: str, state: DispatchState, *, most: int, after: str = ""
    ) -> Sequence[KeptDispatch]:
        """See ``DispatchStore``."""
        query = in_state_query(destination, state)
        order_by(query, "__name__")
        query.limit.value = most
        if after:
            place = self._name(DISPATCHES, f"{destination}:{after}")
            query.start_at.values.add().reference_value = place
        return [_read(each) for each in await self._find(query)]

    async def destinations(self) -> Sequence[str]:
        """See ``DispatchStore``."""
        names: list[str] = []
        while found := await self._find(next_destination_query(names[-1] if names else "")):
            names.append(found[0].fields["destination"].string_value)
        return names

    async def counts(self, destination: str) -> Mapping[DispatchState, int]:
        """See ``DispatchStore``."""
        return {state: await self._count(destination, state) for state in DispatchState}

    async def circuit(self, destination: str) -> Circuit:
        """See ``DispatchStore``."""
        return _circuit(await self._calls.get(self._name(CIRCUITS, destination)))

    async def change_circuit(self, destination: str, decide: DecideCircuit) -> Circuit:
        """See ``DispatchStore``."""
        name = self._name(CIRCUITS, destination)

        async def attempt() -> Circuit:
            document = await self._calls.get(name)
            before = _circuit(document)
            after = decide(before)
            if after != before:
                await self._calls.write([written_circuit(name, after, document)])
            return after

        return await self._calls.patiently(attempt)

    async def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[KeptDispatch]:
        """See ``DispatchStore``."""
        async for page in self._pages_of(lead_ids):
            for document in page:
                yield _read(document)

    async def erase(self, lead_ids: Collection[str]) -> int:
        """See ``DispatchStore``."""
        count = 0
        async for page in self._pages_of(lead_ids):
            count += await self._delete(page)
        return count

    async def prune(self, destination: str, before: datetime, *, most: int) -> int:
        """See ``DispatchStore``."""
        query = by_time_query("ended_at", destination, before, min(most, MOST_DELETED))
        return await self._delete(await self._find(query))

    async def _pages_of(self, lead_ids: Collection[str]) -> AsyncIterator[Sequence[Message]]:
        for chunk in by_chunks(lead_ids):
            after = None
            while page := await self._find(of_leads_query(chunk, after)):
                yield page
                after = page[-1]

    async def _delete(self, documents: Sequence[Message]) -> int:
        if documents:
            writes = [{"delete": each.name} for each in documents]
            await self._calls.patiently(lambda: self._calls.write(writes))
        return len(documents)

    async def _count(self, destination: str, state: DispatchState) -> int:
        request = CountRequest(parent=self._database.documents)
        counting = request.structured_aggregation_query
        counting.structured_query.CopyFrom(in_state_query(destination, state))
        counting.aggregations.add(alias="dispatches").count.SetInParent()
        return await self._calls.count(request)

    async def _find(self, query: Message) -> list[Message]:
        request = QueryRequest(parent=self._database.documents, structured_query=query)
        return await self._calls.query(request)

    def _name(self, collection: str, id_: str) -> str:
        return f"{self._database.documents}/{collection}/{id_}"


def _read(document: Message) -> KeptDispatch:
    fields = document.fields
    destination, _, id_ = document.name.rpartition("/")[2].partition(":")
    key = DispatchKey(destination, id_)
    return read_dispatch_at(key, fields["record"].string_value, fields["body"].bytes_value)


def _text(document: Message) -> str | None:
    return None if document is None else document.fields["record"].string_value


def _circuit(document: Message) -> Circuit:
    return read_circuit(_text(document))


def _write(name: str, document: Message) -> Message:
    """A write of a whole document, provided that it has not changed since it was read."""
    write = Write()
    write.update.name = name
    provided_unchanged(write, None if document is None else document.update_time)
    return write


def written_dispatch(name: str, dispatch: Dispatch, document: Message) -> Message:
    """The write of a dispatch, provided that it has not changed since it was read."""
    write = _write(name, document)
    fields = write.update.fields
    fields["destination"].string_value = dispatch.destination
    fields["state"].string_value = dispatch.state
    fields["lead_id"].string_value = dispatch.lead_id
    if dispatch.due_at is not None:
        fields["due_at"].timestamp_value.FromDatetime(dispatch.due_at)
    if dispatch.ended_at is not None:
        fields["ended_at"].timestamp_value.FromDatetime(dispatch.ended_at)
    fields["record"].string_value = write_dispatch(dispatch, _text(document))
    fields["body"].bytes_value = dispatch.body
    return write


def written_circuit(name: str, circuit: Circuit, document: Message) -> Message:
    """The write of a circuit, provided that it has not changed since it was read."""
    write = _write(name, document)
    write.update.fields["record"].string_value = write_circuit(circuit, _text(document))
    return write


def set_aside_write(document: Message, now: datetime, until: datetime) -> Message:
    """The write that sets a dispatch aside, whose record nobody here can read."""
    write = _write(document.name, document)
    fields = write.update.fields
    if document.fields["state"].string_value != DispatchState.UNREADABLE:
        fields["ended_at"].timestamp_value.FromDatetime(now)
    fields["state"].string_value = DispatchState.UNREADABLE
    fields["due_at"].timestamp_value.FromDatetime(until)
    write.update_mask.field_paths.extend(sorted(fields))
    return write


def _dispatches() -> Message:
    query = StructuredQuery()
    query.from_.add().collection_id = DISPATCHES
    return query


def _equal(both: Message, field: str, text: str) -> None:
    condition = both.filters.add().field_filter
    condition.field.field_path, condition.op = field, EQUAL
    condition.value.string_value = text


def in_state_query(destination: str, state: DispatchState) -> Message:
    """A destination's dispatches in a state."""
    query = _dispatches()
    both = query.where.composite_filter
    both.op = AND
    _equal(both, "destination", destination)
    _equal(both, "state", state)
    return query


def next_destination_query(after: str) -> Message:
    """One dispatch of the destination whose name comes next."""
    query = _dispatches()
    condition = query.where.field_filter
    condition.field.field_path, condition.op = "destination", AFTER
    condition.value.string_value = after
    order_by(query, "destination")
    order_by(query, "state")  # for the index of both: the name alone has none
    query.limit.value = 1
    return query


def by_time_query(
    field: str, destination: str, at: datetime, most: int, which: int = NOT_AFTER
) -> Message:
    """A destination's dispatches of which a time is so to ``at``, the earliest first."""
    query = _dispatches()
    both = query.where.composite_filter
    both.op = AND
    _equal(both, "destination", destination)
    condition = both.filters.add().field_filter
    condition.field.field_path, condition.op = field, which
    condition.value.timestamp_value.FromDatetime(at)
    order_by(query, field)
    query.limit.value = most
    return query


def of_leads_query(lead_ids: Sequence[str], after: Message) -> Message:
    """The dispatches about some leads, behind a document of the page before."""
    query = _dispatches()
    values = any_of(query, "lead_id")
    for lead_id in lead_ids:
        values.add().string_value = lead_id
    order_by(query, "__name__")
    if after is not None:
        query.start_at.values.add().reference_value = after.name
    query.limit.value = MOST_DELETED
    return query
