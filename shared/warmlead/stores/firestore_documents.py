"""How leads, aliases, tombstones and transitions lie in Firestore. Refuses to send anything.

One document an id, in ``leads``: a lead, an alias or a tombstone, so that one read tells what is
at an id. What a lead is made of is one text; beside it are the few fields that are queried.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.google_api import message_types
from warmlead.ports import DueLead, Tombstone
from warmlead.stores.documents import (
    LeadDocument,
    read_lead,
    read_transition,
    to_us,
    write_lead,
    write_transition,
)
from warmlead.stores.unit_of_work import Alias, Record

LEADS = "leads"
TRANSITIONS = "transitions"

SHARDS = 8
"""Time fields are indexed behind the shard only: one index takes 500 writes a second."""

LEAD_FIELDS = (
    *("document", "alias", "erased_at", "commit"),
    *("stage", "score", "shard", "outbox_at", "decay_on", "due_at"),
)
"""All fields that this release writes; others, of a newer one, stay as they are."""

MOST_IN = 30
"""So many values Firestore takes in one ``in``."""

_firestore = message_types("google.cloud.firestore_v1", "firestore")
_document = message_types("google.cloud.firestore_v1", "document")
_query = message_types("google.cloud.firestore_v1", "query")
_write = message_types("google.cloud.firestore_v1", "write")

BatchGetRequest = _firestore.BatchGetDocumentsRequest.pb()
CommitRequest = _firestore.CommitRequest.pb()
CommitResponse = _firestore.CommitResponse.pb()
Document = _document.Document.pb()
GetRequest = _firestore.GetDocumentRequest.pb()
ListRequest = _firestore.ListDocumentsRequest.pb()
ListResponse = _firestore.ListDocumentsResponse.pb()
QueryRequest = _firestore.RunQueryRequest.pb()
QueryResponse = _firestore.RunQueryResponse.pb()
StructuredQuery = _query.StructuredQuery.pb()
Write = _write.Write.pb()

_AND = _query.StructuredQuery.CompositeFilter.Operator.AND
_EQUAL = _query.StructuredQuery.FieldFilter.Operator.EQUAL
_EQUAL_TO_ANY = _query.StructuredQuery.FieldFilter.Operator.IN
_NOT_AFTER = _query.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL


class Stored(NamedTuple):
    """A record as it was read: ``version`` is its time of update, ``None`` if it is not there.

    ``commit`` names the commit that wrote it.
    """

    record: Record
    version: Any = None
    commit: str = ""


NOTHING = Stored(None)


class Database:
    """The names of a database's documents, and the writes and queries on them."""

    def __init__(self, project: str, database: str) -> None:
        self.name = f"projects/{project}/databases/{database}"
        self.documents = f"{self.name}/documents"

    def lead_name(self, id_: str) -> str:
        """The full name of the document at an id."""
        return f"{self.documents}/{LEADS}/{id_}"

    def write_record(self, id_: str, record: Record, before: Stored, commit: str) -> Any:  # noqa: ANN401  # protobuf's classes are made at run time
        """Writes a record, provided that what is there is still what was read."""
        write = Write()
        if record is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.field_paths.extend(LEAD_FIELDS)
            _write_fields(write.update.fields, id_, record)
            write.update.fields["commit"].string_value = commit
        _provided_unchanged(write, before)
        return write

    def rely_on(self, id_: str, seen: Stored) -> Any:  # noqa: ANN401
        """A write that changes nothing, and fails if what was read is there no longer."""
        write = Write()
        if seen.version is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.SetInParent()
        _provided_unchanged(write, seen)
        return write

    def write_move(self, lead_id: str, move: Transition) -> Any:  # noqa: ANN401
        """Writes the record of a move; the same one again is the same document."""
        write = Write()
        at_us = round(move.at.timestamp() * 1_000_000)
        name = f"{lead_id}-{at_us}-{move.to_stage}-{move.cycle}"
        write.update.name = f"{self.documents}/{TRANSITIONS}/{name}"
        fields = write.update.fields
        fields["lead_id"].string_value = lead_id
        fields["at"].timestamp_value.FromDatetime(move.at)
        fields["record"].string_value = write_transition(move)
        return write

    def leads_by_id(self, most: int, *, after: Any = None) -> Any:  # noqa: ANN401
        """The query for a page of leads in order of id, after a document of the page before."""
        query = _leads(most)
        _order(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def leads_by_outbox(self, most: int, *, after: Any = None) -> Any:  # noqa: ANN401
        """The query for a page of leads with unsent triggers, the longest waiting first."""
        query = _leads(most)
        _order(query, "outbox_at")
        _order(query, "__name__")
        if after is not None:
            query.start_at.values.add().CopyFrom(after.fields["outbox_at"])
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def leads_by_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Any:  # noqa: ANN401
        """The query for a page of the leads of a shard that are due on a UTC day."""
        query, limit, place = _queue("decay_on", shard, most, after)
        limit.integer_value = day
        if after is not None:
            place[0].integer_value = after.since
            place[1].reference_value = self.lead_name(after.id)
        return self._request(query)

    def leads_by_due_time(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Any:  # noqa: ANN401
        """The query for a page of the leads of a shard that are due at a moment."""
        query, limit, place = _queue("due_at", shard, most, after)
        limit.timestamp_value.FromDatetime(now)
        if after is not None:
            place[0].timestamp_value.FromMicroseconds(after.since)
            place[1].reference_value = self.lead_name(after.id)
        return self._request(query)

    def moves_of(self, lead_ids: Sequence[str]) -> Any:  # noqa: ANN401
        """The query for the transitions of at most ``MOST_IN`` leads."""
        query = StructuredQuery()
        query.from_.add().collection_id = TRANSITIONS
        values = _any_of(query, "lead_id")
        for lead_id in lead_ids:
            values.add().string_value = lead_id
        return self._request(query)

    def _request(self, query: Any) -> Any:  # noqa: ANN401
        return QueryRequest(parent=self.documents, structured_query=query)


def read_record(document: Any) -> Stored:  # noqa: ANN401
    """What lies in a document. Raises ``UnavailableError`` if only a newer release can read it."""
    fields = document.fields
    record: Record = None
    if "document" in fields:
        record = read_lead(fields["document"].string_value)
    elif "alias" in fields:
        record = Alias(fields["alias"].string_value)
    elif "erased_at" in fields:
        record = Tombstone(fields["erased_at"].timestamp_value.ToDatetime(tzinfo=UTC))
    return Stored(record, document.update_time, fields["commit"].string_value)


def read_due(document: Any, field: str) -> DueLead:  # noqa: ANN401
    """The place in a queue of a lead's document; ``field`` is that by which the queue goes."""
    value = document.fields[field]
    is_time = value.WhichOneof("value_type") == "timestamp_value"
    since = value.timestamp_value.ToMicroseconds() if is_time else value.integer_value
    return DueLead(since, document.name.rpartition("/")[2])


def read_move(document: Any) -> Transition:  # noqa: ANN401
    """The transition in a document."""
    return read_transition(document.fields["record"].string_value)


def _write_fields(fields: Any, id_: str, record: Record) -> None:  # noqa: ANN401
    if isinstance(record, LeadDocument):
        lead = record.lead
        fields["document"].string_value = write_lead(lead, record.extra)
        fields["stage"].string_value = lead.progress.stage
        fields["shard"].integer_value = zlib.crc32(id_.encode()) % SHARDS
        if lead.snapshot:
            fields["score"].integer_value = lead.snapshot.score
        if lead.outbox:
            fields["outbox_at"].timestamp_value.FromDatetime(_waiting_since(lead))
        if lead.decay_on is not None:
            fields["decay_on"].integer_value = lead.decay_on
        if lead.due_at is not None:
            fields["due_at"].timestamp_value.FromMicroseconds(to_us(lead.due_at))
    elif isinstance(record, Alias):
        fields["alias"].string_value = record.lead_id
    elif isinstance(record, Tombstone):
        fields["erased_at"].timestamp_value.FromDatetime(record.erased_at)


def _waiting_since(lead: Lead) -> datetime:
    return min(trigger.at for trigger in lead.outbox)


def _provided_unchanged(write: Any, seen: Stored) -> None:  # noqa: ANN401
    if seen.version is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(seen.version)


def _leads(most: int) -> Any:  # noqa: ANN401
    """Leads alone have a shard: aliases and tombstones are not read."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    values = _any_of(query, "shard")
    for shard in range(SHARDS):
        values.add().integer_value = shard
    query.limit.value = most
    return query


def _queue(field: str, shard: int, most: int, after: DueLead | None) -> Any:  # noqa: ANN401
    """A page of a shard's leads by a field, and the values to be set: its limit, and the place."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    both = query.where.composite_filter
    both.op = _AND
    own, due = both.filters.add().field_filter, both.filters.add().field_filter
    own.field.field_path, own.op, own.value.integer_value = "shard", _EQUAL, shard
    due.field.field_path, due.op = field, _NOT_AFTER
    _order(query, field)
    _order(query, "__name__")
    query.limit.value = most
    place = [] if after is None else [query.start_at.values.add(), query.start_at.values.add()]
    return query, due.value, place


def _any_of(query: Any, field: str) -> Any:  # noqa: ANN401
    condition = query.where.field_filter
    condition.field.field_path = field
    condition.op = _EQUAL_TO_ANY
    return condition.value.array_value.values


def _order(query: Any, field: str) -> None:  # noqa: ANN401
    query.order_by.add(direction=1).field.field_path = field


def by_chunks(ids: Iterable[str]) -> list[list[str]]:
    """The ids, as many at a time as one query takes."""
    ordered = sorted(ids)
    return [ordered[i : i + MOST_IN] for i in range(0, len(ordered), MOST_IN)]
