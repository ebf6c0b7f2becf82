"""Queries of Firestore: leads by id and by what is due, moves, counts; others send them.

Time fields are asked for behind a shard, as they are indexed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from warmlead.google_api import Message, message_types
from warmlead.ports import DueLead
from warmlead.stores.firestore.codec import LEADS, SHARDS, TRANSITIONS, Database

MOST_IN = 30
"""Limit of values that Firestore takes in one ``in``."""

_firestore = message_types("google.cloud.firestore_v1", "firestore")
_query = message_types("google.cloud.firestore_v1", "query")

CountRequest = _firestore.RunAggregationQueryRequest.pb()
CountResponse = _firestore.RunAggregationQueryResponse.pb()
QueryRequest = _firestore.RunQueryRequest.pb()
QueryResponse = _firestore.RunQueryResponse.pb()
StructuredQuery = _query.StructuredQuery.pb()

_ASCENDING = _query.StructuredQuery.Direction.ASCENDING
_DESCENDING = _query.StructuredQuery.Direction.DESCENDING
_AND = _query.StructuredQuery.CompositeFilter.Operator.AND
_EQUAL = _query.StructuredQuery.FieldFilter.Operator.EQUAL
_EQUAL_TO_ANY = _query.StructuredQuery.FieldFilter.Operator.IN
_AFTER = _query.StructuredQuery.FieldFilter.Operator.GREATER_THAN
_NOT_AFTER = _query.StructuredQuery.FieldFilter.Operator.LESS_THAN_OR_EQUAL


class Queries:
    """The queries on a database."""

    def __init__(self, database: Database) -> None:
        self._parent = database.documents
        self._lead_name = database.lead_name

    def leads_by_id(self, most: int, *, after: Message = None) -> Message:
        """The query for a page of leads in order of id, after a document of the page before."""
        query = _leads(most)
        _order(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = after.name
        return self._request(query)

    def leads_of_shard(self, *, shard: int, after: DueLead | None = None) -> Message:
        """The query for the leads of a shard in order of id."""
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        own = query.where.field_filter
        own.field.field_path, own.op, own.value.integer_value = "shard", _EQUAL, shard
        _order(query, "__name__")
        if after is not None:
            query.start_at.values.add().reference_value = self._lead_name(after.id)
        return self._request(query)

    def leads_by_score(
        self, most: int, *, stage: str | None, after: tuple[int, str] | None
    ) -> Message:
        """The query for a page of leads, the highest (score, id) first; of a stage, if it is given.

        ``after`` is the score and the id of the last lead of the page before. Only leads have a
        score: aliases and tombstones are not read.
        """
        query = StructuredQuery()
        query.from_.add().collection_id = LEADS
        if stage is not None:
            there = query.where.field_filter
            there.field.field_path, there.op, there.value.string_value = "stage", _EQUAL, stage
        for field in ("score", "__name__"):
            _order(query, field, direction=_DESCENDING)
        if after is not None:
            score, id_ = after
            query.start_at.values.add().integer_value = score
            query.start_at.values.add().reference_value = self._lead_name(id_)
        query.limit.value = most
        return self._request(query)

    def leads_by_outbox(self, most: int, *, after: Message = None) -> Message:
        """The query for a page of leads with unsent triggers, the longest waiting first."""
        query = _leads(most)
        _order(query, "outbox_at")
        _order(query, "__name__")
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
        due.field_filter.op = _AFTER
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
        values = _any_of(query, "lead_id")
        for lead_id in lead_ids:
            values.add().string_value = lead_id
        return self._request(query)

    def moves_by_time(
        self,
        start: datetime,
        *,
        shard: int,
        most: int,
        after: Message = None,
    ) -> Message:
        """The query for a page of a shard's moves from ``start`` on, after one of the last page."""
        query = StructuredQuery()
        query.from_.add().collection_id = TRANSITIONS
        own = query.where.field_filter
        own.field.field_path, own.op, own.value.integer_value = "shard", _EQUAL, shard
        _order(query, "at")
        _order(query, "__name__")
        if after is None:
            query.start_at.values.add().timestamp_value.FromDatetime(start)
            query.start_at.before = True
        else:
            query.start_at.values.add().CopyFrom(after.fields["at"])
            query.start_at.values.add().reference_value = after.name
        query.limit.value = most
        return self._request(query)

    def leads_in(self, stage: str) -> Message:
        """The query that counts the leads in a stage."""
        request = CountRequest(parent=self._parent)
        counting = request.structured_aggregation_query
        counting.structured_query.from_.add().collection_id = LEADS
        there = counting.structured_query.where.field_filter
        there.field.field_path, there.op, there.value.string_value = "stage", _EQUAL, stage
        counting.aggregations.add(alias="leads").count.SetInParent()
        return request

    def _request(self, query: Message) -> Message:
        return QueryRequest(parent=self._parent, structured_query=query)


def read_due(document: Message, field: str) -> DueLead:
    """The place in a queue of a lead's document; ``field`` is that by which the queue goes."""
    value = document.fields[field]
    is_time = value.WhichOneof("value_type") == "timestamp_value"
    since = value.timestamp_value.ToMicroseconds() if is_time else value.integer_value
    return DueLead(since, document.name.rpartition("/")[2])


def _leads(most: int) -> Message:
    """Leads alone have a shard: aliases and tombstones are not read."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    values = _any_of(query, "shard")
    for shard in range(SHARDS):
        values.add().integer_value = shard
    query.limit.value = most
    return query


def _queue(field: str, shard: int, after: DueLead | None) -> Message:
    """A shard's leads by a field, and the values to be set: its limit, and the place."""
    query = StructuredQuery()
    query.from_.add().collection_id = LEADS
    both = query.where.composite_filter
    both.op = _AND
    own, due = both.filters.add().field_filter, both.filters.add().field_filter
    own.field.field_path, own.op, own.value.integer_value = "shard", _EQUAL, shard
    due.field.field_path, due.op = field, _NOT_AFTER
    _order(query, field)
    _order(query, "__name__")
    place = [] if after is None else [query.start_at.values.add(), query.start_at.values.add()]
    return query, due.value, place


def _any_of(query: Message, field: str) -> Message:
    condition = query.where.field_filter
    condition.field.field_path = field
    condition.op = _EQUAL_TO_ANY
    return condition.value.array_value.values


def _order(query: Message, field: str, *, direction: int = _ASCENDING) -> None:
    query.order_by.add(direction=direction).field.field_path = field


def by_chunks(ids: Iterable[str]) -> list[list[str]]:
    """The ids, as many at a time as one query takes."""
    ordered = sorted(ids)
    return [ordered[i : i + MOST_IN] for i in range(0, len(ordered), MOST_IN)]
