"""Spend and the record of imports in Firestore: one document each."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

import msgspec

from warmlead.google_api import Message
from warmlead.ports.imports import ImportRecord, Spend
from warmlead.stores.firestore.client import MOST_DELETED
from warmlead.stores.firestore.codec import (
    EQUAL,
    QueryRequest,
    StructuredQuery,
    Write,
    order_by,
)
from warmlead.stores.firestore.store import InFirestore

SPEND = "spend"
IMPORTS = "imports"
PAGE_SPENDS = 500


class FirestoreImportStore(InFirestore):
    """The ``ImportStore`` of a Google Cloud project, in the same database as its leads."""

    async def keep(self, record: ImportRecord) -> None:
        """See ``ImportStore``."""
        write = written_import(self._name(IMPORTS, record.name), record)
        await self._calls.patiently(lambda: self._calls.write([write]))

    async def imports(self) -> Sequence[ImportRecord]:
        """See ``ImportStore``."""
        query = _all_of(IMPORTS)
        order_by(query, "__name__")
        return [
            msgspec.json.decode(each.fields["record"].string_value, type=ImportRecord)
            for each in await self._find(query)
        ]

    async def keep_spend(self, spends: Sequence[Spend]) -> None:
        """See ``ImportStore``."""
        for start in range(0, len(spends), MOST_DELETED):
            some = spends[start : start + MOST_DELETED]
            writes = [written_spend(self._name(SPEND, each.key), each) for each in some]
            await self._calls.patiently(lambda writes=writes: self._calls.write(writes))  # type: ignore[misc]  # bound at once

    async def spend(self, start: date, end: date) -> AsyncIterator[Spend]:
        """See ``ImportStore``."""
        after = None
        while page := await self._find(by_day_query(start, end, after)):
            for document in page:
                yield _spend_in(document)
            after = page[-1]

    async def forget(self, name: str) -> int:
        """See ``ImportStore``."""
        count = 0
        query = of_import_query(name)
        while page := await self._find(query):
            deletes = [Write(delete=document.name) for document in page]
            await self._calls.patiently(lambda deletes=deletes: self._calls.write(deletes))  # type: ignore[misc]  # bound at once
            count += len(page)
        gone = Write(delete=self._name(IMPORTS, name))
        await self._calls.patiently(lambda: self._calls.write([gone]))
        return count

    def _name(self, collection: str, id_: str) -> str:
        return f"{self._database.documents}/{collection}/{id_}"

    async def _find(self, query: Message) -> list[Message]:
        request = QueryRequest(parent=self._database.documents, structured_query=query)
        return await self._calls.query(request)


def written_import(name: str, record: ImportRecord) -> Message:
    """The write of the record of an import."""
    write = Write()
    write.update.name = name
    write.update.fields["record"].string_value = msgspec.json.encode(record).decode()
    return write


def written_spend(name: str, spend: Spend) -> Message:
    """The write of what was spent."""
    write = Write()
    write.update.name = name
    write.update.fields["day"].string_value = spend.day.isoformat()
    write.update.fields["imported"].string_value = spend.imported
    write.update.fields["record"].string_value = msgspec.json.encode(spend).decode()
    return write


def of_import_query(name: str) -> Message:
    """Some of the spend of an import."""
    query = _all_of(SPEND)
    own = query.where.field_filter
    own.field.field_path, own.op, own.value.string_value = "imported", EQUAL, name
    query.limit.value = MOST_DELETED
    return query


def _all_of(collection: str) -> Message:
    query = StructuredQuery()
    query.from_.add().collection_id = collection
    return query


def by_day_query(start: date, end: date, after: Message) -> Message:
    """The query for a page of spend on some days, after one of the last page."""
    query = _all_of(SPEND)
    order_by(query, "day")
    order_by(query, "__name__")
    if after is None:
        query.start_at.values.add().string_value = start.isoformat()
        query.start_at.before = True
    else:
        query.start_at.values.add().CopyFrom(after.fields["day"])
        query.start_at.values.add().reference_value = after.name
    query.end_at.values.add().string_value = end.isoformat()
    query.end_at.before = True
    query.limit.value = PAGE_SPENDS
    return query


def _spend_in(document: Message) -> Spend:
    return msgspec.json.decode(document.fields["record"].string_value, type=Spend)
