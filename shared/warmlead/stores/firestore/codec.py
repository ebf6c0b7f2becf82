"""How leads, aliases, tombstones and moves lie in Firestore, and the queries for them.

One document an id, in ``leads``: a lead, an alias or a tombstone, so that one read tells what is
at an id. What a lead is made of is one text; beside it are the few fields that are queried. Time
fields are queried behind a shard, as they are indexed. ``client`` sends what is built here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from warmlead.domain.stages import Transition
from warmlead.google_api import Message, message_types
from warmlead.ports import DueLead, Tombstone
from warmlead.ports.listing import LeadQuery, ListPlace, Order
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import read_lead_at
from warmlead.stores.firestore.fields import SHARDS, WORDS_MARK, shard_of, write_fields
from warmlead.stores.move_codec import read_transition, write_transition

LEADS = "leads"
TRANSITIONS = "transitions"
LATE_AT = "late_at"
"""When a move was learnt, if that was on a later UTC day than that on which it was so."""
FROM_STAGE, TO_STAGE = "from_stage", "to_stage"
"""The fields by which moves are counted; those of earlier releases have none."""
REPORTS = "reports"

MOST_IN = 30
"""The most values that Firestore takes in one ``in``."""

_firestore = message_types("google.cloud.firestore_v1", "firestore")
_document = message_types("google.cloud.firestore_v1", "document")
_query = message_types("google.cloud.firestore_v1", "query")
_write = message_types("google.cloud.firestore_v1", "write")

BatchGetRequest = _firestore.BatchGetDocumentsRequest.pb()
BatchGetResponse = _firestore.BatchGetDocumentsResponse.pb()
CommitRequest = _firestore.CommitRequest.pb()
CommitResponse = _firestore.CommitResponse.pb()
CountRequest = _firestore.RunAggregationQueryRequest.pb()
CountResponse = _firestore.RunAggregationQueryResponse.pb()
Document = _document.Document.pb()
GetRequest = _firestore.GetDocumentRequest.pb()
ListRequest = _firestore.ListDocumentsRequest.pb()
ListResponse = _firestore.ListDocumentsResponse.pb()
QueryRequest = _firestore.RunQueryRequest.pb()
QueryResponse = _firestore.RunQueryResponse.pb()
StructuredQuery = _query.StructuredQuery.pb()
Write = _write.Write.pb()

_ASCENDING = _query.StructuredQuery.Direction.ASCENDING
_DESCENDING = _query.StructuredQuery.Direction.DESCENDING
AND = _query.StructuredQuery.CompositeFilter.Operator.AND
EQUAL = _query.StructuredQuery.FieldFilter.Operator.EQUAL
_EQUAL_TO_ANY = _query.StructuredQuery.FieldFilter.Operator.IN
_CONTAINS = _query.StructuredQuery.FieldFilter.Operator.ARRAY_CONTAINS
AFTER = _query.StructuredQuery.FieldFilter.Operator.GREATER_THAN
_BEFORE = _query.StructuredQuery.FieldFilter.Operator.LESS_THAN
_SINCE = _query.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL
NOT_AFTER = _query.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL


_ORDERS: Mapping[Order, str] = {"score": "score", "since": "since_day", "active": "active"}


class Stored(Struct, frozen=True):
    """A record as it was read: ``version`` is its time of update, ``None`` if it is not there.

    ``commit`` names the commit that wrote it. ``words_mark`` stands for the words beside it.
    """

    record: Record
    version: Message = None
    commit: str = ""
    words_mark: int = 0


NOTHING = Stored(None)


class Database:
    """The names of a database's documents, and the writes and queries on them."""

    def __init__(self, project: str, database: str) -> None:
        self.name = f"projects/{project}/databases/{database}"
        self.documents = f"{self.name}/documents"

    def lead_name(self, id_: str) -> str:
        """The full name of the document at an id."""
        return f"{self.documents}/{LEADS}/{id_}"

    def write_record(self, id_: str, record: Record, before: Stored, commit: str) -> Message:
        """Writes a record, provided that it has not changed since it was read."""
        write = Write()
        if record is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.field_paths.extend(
                write_fields(write.update.fields, id_, record, before.words_mark)
            )
            write.update.fields["commit"].string_value = commit
        provided_unchanged(write, before.version)
        return write

    def rely_on(self, id_: str, seen: Stored) -> Message:
        """A write that changes nothing, and fails if the document has changed since it was read."""
        write = Write()
        if seen.version is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.SetInParent()
        provided_unchanged(write, seen.version)
        return write

    def write_move(self, lead_id: str, move: Transition) -> Message:
        """Writes the record of a move; the same one again is the same document."""
        write = Write()
        at_us = round(move.at.timestamp() * 1_000_000)
        name = f"{lead_id}-{at_us}-{move.to_stage}-{move.cycle}"
        write.update.name = f"{self.documents}/{TRANSITIONS}/{name}"
        fields = write.update.fields
        fields["lead_id"].string_value = lead_id
        fields["shard"].integer_value = shard_of(lead_id)
        fields["at"].timestamp_value.FromDatetime(move.at)
        if move.is_late:
            fields[LATE_AT].timestamp_value.FromDatetime(move.learnt_at)
        fields[FROM_STAGE].string_value = move.from_stage
        fields[TO_STAGE].string_value = move.to_stage
        fields["record"].string_value = write_transition(move)
        return write

    def report_name(self, period: str) -> str:
        """The full name of the document of a period's report."""
        return f"{self.documents}/{REPORTS}/{period}"

    def write_report(self, period: str, report: str) -> Message:
        """Writes the report of a period, in place of the one before."""
        write = Write()
        write.update.name = self.report_name(period)
        write.update.fields["report"].string_value = report
        return write


def read_record(document: Message) -> Stored:
    """The record in a document."""
    fields = document.fields
    record: Record = None
    if "document" in fields:
        id_ = document.name.rpartition("/")[2]
        record = read_lead_at(id_, fields["document"].string_value)
    elif "alias" in fields:
        record = Alias(fields["alias"].string_value)
    elif "erased_at" in fields:
        erased_at = fields["erased_at"].timestamp_value.ToDatetime(tzinfo=UTC)
        ids = fields["erased_ids"].array_value.values
        record = Tombstone(erased_at, tuple(each.string_value for each in ids))
    commit, mark = fields["commit"].string_value, fields[WORDS_MARK].integer_value
    return Stored(record, document.update_time, commit, mark)


def read_move(document: Message) -> Transition:
    """The transition in a document."""
    return read_transition(document.fields["record"].string_value)


def provided_unchanged(write: Message, version: Message) -> None:
    """Makes a write fail if the document was changed since ``version``; ``None``: was created."""
    if version is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(version)


class Queries:
    """The queries on a database."""

    def __init__(self, database: Database) -> None:
        self._parent = database.documents
        self._lead_name = database.lead_name

    def leads_by_id(self, most: int, *, after: Message = None) -> Message:
        """The query for a page of leads in order of id, after a document of the page before."""
        query = _leads(most)
        order_by(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def records(self, most: int, *, after: Message = None) -> Message:
        """The query for a page of leads, aliases and tombstones in order of id."""
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        query.limit.value = most
        order_by(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def leads_of_shard(self, *, shard: int, after: DueLead | None = None) -> Message:
        """The query for the leads of a shard in order of id."""
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        own = query.where.field_filter
        own.field.field_path, own.op, own.value.integer_value = "shard", EQUAL, shard
        order_by(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = self._lead_name(after.id)
        return self._request(query)

    def leads_listed(
        self, asked: LeadQuery, most: int, *, after: ListPlace | None = None
    ) -> Message:
        """The query for a page of a list, behind a place in it.

        Only leads have the fields by which a list is ordered: aliases and tombstones are not read.
        """
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        if conditions := asked.conditions:
            query.where.composite_filter.op = AND
            for name, value in conditions.items():
                one = query.where.composite_filter.filters.add().field_filter
                one.field.field_path, one.op = name, EQUAL
                if isinstance(value, bool):
                    one.value.boolean_value = value
                else:
                    one.value.string_value = value
        for field in (_ORDERS[asked.order], "__name__"):
            order_by(query, field, direction=_DESCENDING)
        if after is not None:
            query.start_at.values.add().integer_value = after.value
            query.start_at.values.add().reference_value = self._lead_name(after.id)
        query.limit.value = most
        return self._request(query)

    def leads_found(self, word: str, most: int) -> Message:
        """The query for leads one of whose words begins so."""
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        has = query.where.field_filter
        has.field.field_path, has.op, has.value.string_value = "words", _CONTAINS, word
        query.limit.value = most
        return self._request(query)

    def leads_unlisted(self, most: int, *, after: str) -> Message:
        """The query for a page of all leads in order of id, only with whether they are listed."""
        last = Document(name=self._lead_name(after)) if after else None
        request = self.leads_by_id(most, after=last)
        request.structured_query.select.fields.add().field_path = "active"
        return request

    def leads_by_outbox(self, most: int, *, after: Message = None) -> Message:
        """The query for a page of leads with unsent triggers, the longest waiting first."""
        query = _leads(most)
        order_by(query, "outbox_at")
        order_by(query, "__name__")
        if after is not None:
            query.start_at.values.add().CopyFrom(after.fields["outbox_at"])
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def leads_by_decay(self, day: int, *, shard: int, after: DueLead | None = None) -> Message:
        """The query for the leads of a shard that are due on a UTC day."""
        query, limit, place = _queue("decay_on", shard, after)
        limit.integer_value = day
        if after is not None:
            place[0].integer_value = after.since
            place[1].reference_value = self._lead_name(after.id)
        return self._request(query)

    def leads_beyond(self, day: int, *, shard: int, after: DueLead | None = None) -> Message:
        """The query for the leads of a shard that are due after a UTC day."""
        request = self.leads_by_decay(day, shard=shard, after=after)
        _, due = request.structured_query.where.composite_filter.filters
        due.field_filter.op = AFTER
        return request

    def leads_by_due_time(
        self, now: datetime, *, shard: int, after: DueLead | None = None
    ) -> Message:
        """The query for the leads of a shard that are due at a moment."""
        query, limit, place = _queue("due_at", shard, after)
        limit.timestamp_value.FromDatetime(now)
        if after is not None:
            place[0].timestamp_value.FromMicroseconds(after.since)
            place[1].reference_value = self._lead_name(after.id)
        return self._request(query)

    def moves_of(self, lead_ids: Sequence[str]) -> Message:
        """The query for the transitions of at most ``MOST_IN`` leads."""
        query = StructuredQuery()
        query.from_.add().collection_id = TRANSITIONS
        values = any_of(query, "lead_id")
        for lead_id in lead_ids:
            values.add().string_value = lead_id
        return self._request(query)

    def moves_by_time(
        self,
        start: datetime,
        end: datetime,
        *,
        shard: int,
        most: int,
        time: str = "at",
        after: Message = None,
    ) -> Message:
        """The query for a page of a shard's moves from ``start`` until before ``end``.

        The page after a document of the one before, if it is given. Only moves that have the field
        ``time`` are found.
        """
        query = StructuredQuery()
        query.from_.add().collection_id = TRANSITIONS
        both = query.where.composite_filter
        both.op = AND
        own, until = both.filters.add().field_filter, both.filters.add().field_filter
        own.field.field_path, own.op, own.value.integer_value = "shard", EQUAL, shard
        until.field.field_path, until.op = time, _BEFORE
        until.value.timestamp_value.FromDatetime(end)
        order_by(query, time)
        order_by(query, "__name__")
        if after is None:
            query.start_at.values.add().timestamp_value.FromDatetime(start)
            query.start_at.before = True
        else:
            query.start_at.values.add().CopyFrom(after.fields[time])
            query.start_at.values.add().reference_value = after.name
        query.limit.value = most
        return self._request(query)

    def leads_in(self, stage: str) -> Message:
        """The query that counts the leads in a stage."""
        request = CountRequest(parent=self._parent)
        counting = request.structured_aggregation_query
        counting.structured_query.from_.add().collection_id = LEADS
        there = counting.structured_query.where.field_filter
        there.field.field_path, there.op, there.value.string_value = "stage", EQUAL, stage
        counting.aggregations.add(alias="leads").count.SetInParent()
        return request

    def leads_scored(self, least: int | None, below: int | None) -> Message:
        """The query that counts the leads with a score from ``least`` until below another."""
        request = CountRequest(parent=self._parent)
        counting = request.structured_aggregation_query
        query = counting.structured_query
        query.from_.add().collection_id = LEADS
        both = query.where.composite_filter
        both.op = AND
        for bound, compared in ((least, _SINCE), (below, _BEFORE)):
            if bound is not None:
                score = both.filters.add().field_filter
                score.field.field_path, score.op = "score", compared
                score.value.integer_value = bound
        order_by(query, "score")
        counting.aggregations.add(alias="leads").count.SetInParent()
        return request

    def moves_since(self, moment: datetime, field: str = "", stage: str = "") -> Message:
        """The query that counts the moves from a moment on; of a stage, if a field is given."""
        request = CountRequest(parent=self._parent)
        counting = request.structured_aggregation_query
        query = counting.structured_query
        query.from_.add().collection_id = TRANSITIONS
        all_of = query.where.composite_filter
        all_of.op = AND
        shards = all_of.filters.add().field_filter
        shards.field.field_path, shards.op = "shard", _EQUAL_TO_ANY
        for shard in range(SHARDS):
            shards.value.array_value.values.add().integer_value = shard
        if field:
            there = all_of.filters.add().field_filter
            there.field.field_path, there.op, there.value.string_value = field, EQUAL, stage
        since = all_of.filters.add().field_filter
        since.field.field_path, since.op = "at", _SINCE
        since.value.timestamp_value.FromDatetime(moment)
        order_by(query, "at")
        counting.aggregations.add(alias="moves").count.SetInParent()
        return request

    def _request(self, query: Message) -> Message:
        return QueryRequest(parent=self._parent, structured_query=query)


def read_due(document: Message, field: str) -> DueLead:
    """The place in a queue of a lead's document; ``field`` is that by which the queue goes."""
    value = document.fields[field]
    is_time = value.WhichOneof("value_type") == "timestamp_value"
    since = value.timestamp_value.ToMicroseconds() if is_time else value.integer_value
    return DueLead(since, document.name.rpartition("/")[2])


def place_in(document: Message, asked: LeadQuery) -> ListPlace:
    """The place of a lead's document in a list."""
    return ListPlace(
        document.fields[_ORDERS[asked.order]].integer_value, document.name.rpartition("/")[2]
    )


def _leads(most: int) -> Message:
    """Leads alone have a shard: aliases and tombstones are not read."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    values = any_of(query, "shard")
    for shard in range(SHARDS):
        values.add().integer_value = shard
    query.limit.value = most
    return query


def _queue(field: str, shard: int, after: DueLead | None) -> Message:
    """A shard's leads by a field, and the values to be set: its limit, and the place."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    both = query.where.composite_filter
    both.op = AND
    own, due = both.filters.add().field_filter, both.filters.add().field_filter
    own.field.field_path, own.op, own.value.integer_value = "shard", EQUAL, shard
    due.field.field_path, due.op = field, NOT_AFTER
    order_by(query, field)
    order_by(query, "__name__")
    place = [] if after is None else [query.start_at.values.add(), query.start_at.values.add()]
    return query, due.value, place


def any_of(query: Message, field: str) -> Message:
    """Demands that a field is one of some values, which are to be added to what this returns."""
    condition = query.where.field_filter
    condition.field.field_path = field
    condition.op = _EQUAL_TO_ANY
    return condition.value.array_value.values


def order_by(query: Message, field: str, *, direction: int = _ASCENDING) -> None:
    """Puts a query's documents in the order of a field, behind the orders before."""
    query.order_by.add(direction=direction).field.field_path = field


def by_chunks(ids: Iterable[str]) -> list[list[str]]:
    """The ids, as many at a time as one query takes."""
    ordered = sorted(ids)
    return [ordered[i : i + MOST_IN] for i in range(0, len(ordered), MOST_IN)]
