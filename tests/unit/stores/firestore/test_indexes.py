"""The deployed indexes against the store's own queries: the emulator needs none, so misses none."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, a_lead, a_transition, a_trigger
from warmlead.domain.lead import Snapshot
from warmlead.ports import DueLead, Tombstone
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import LeadDocument
from warmlead.stores.firestore.codec import NOTHING, Database, Queries

INDEXES = json.loads((Path(__file__).parents[4] / "infra/firestore.indexes.json").read_text())
DATABASE = Database("warmlead-tests", "(default)")
ASKING = Queries(DATABASE)
EQUAL, IN = 5, 8
"""Firestore's numbers for these ways of comparing."""
DIRECTIONS = {0: "ASCENDING", 1: "ASCENDING", 2: "DESCENDING"}

QUERIES = {
    "leads_by_id": ASKING.leads_by_id(10),
    "leads_of_shard": ASKING.leads_of_shard(shard=3, after=DueLead(3, "a")),
    "leads_by_score": ASKING.leads_by_score(10, stage=None, after=(50, "a")),
    "leads_by_score in a stage": ASKING.leads_by_score(10, stage="mql", after=(50, "a")),
    "leads_by_outbox": ASKING.leads_by_outbox(10),
    "leads_by_decay": ASKING.leads_by_decay(20_522, shard=3, after=DueLead(7, "a")),
    "leads_by_due_time": ASKING.leads_by_due_time(NOW, shard=3, after=DueLead(7, "a")),
    "moves_of": ASKING.moves_of(["a", "b"]),
    "moves_by_time": ASKING.moves_by_time(NOW, shard=3, most=10),
}


def used(query: Any) -> tuple[str, list[dict[str, str]]]:
    """A query's collection, and the fields of the index that it needs, in their order.

    Firestore's rule: first what is compared for equality, then what is sorted by, of which the
    first may be compared otherwise; the name of the document ends every index by itself.
    """
    (source,) = query.from_
    filters = [each.field_filter for each in query.where.composite_filter.filters]
    compared = filters or [query.where.field_filter]
    equal = [each for each in compared if each.op in (EQUAL, IN)]
    otherwise = [each for each in compared if each.op not in (EQUAL, IN) and each.op]
    assert [each.field.field_path for each in otherwise] in ([], sorted_by(query)[:1])
    fields = [{"fieldPath": each.field.field_path, "order": "ASCENDING"} for each in equal]
    for order in query.order_by:
        if order.field.field_path != "__name__":
            direction = DIRECTIONS[order.direction]
            fields.append({"fieldPath": order.field.field_path, "order": direction})
    return source.collection_id, fields


def sorted_by(query: Any) -> list[str]:
    return [order.field.field_path for order in query.order_by]


def exempt(collection: str) -> set[str]:
    return {
        override["fieldPath"]
        for override in INDEXES["fieldOverrides"]
        if override["collectionGroup"] == collection and override["indexes"] == []
    }


def composites() -> list[tuple[str, list[dict[str, str]]]]:
    return [(index["collectionGroup"], index["fields"]) for index in INDEXES["indexes"]]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_the_store_has_its_index(name: str) -> None:
    collection, fields = used(QUERIES[name].structured_query)

    if len(fields) == 1:
        assert fields[0]["fieldPath"] not in exempt(collection)
    else:
        assert (collection, fields) in composites()


def test_the_queries_here_are_all_that_the_store_can_ask() -> None:
    asking = [
        name
        for name, method in vars(Queries).items()
        if callable(method) and "_request" in method.__code__.co_names
    ]

    assert asking == [*dict.fromkeys(name.partition(" ")[0] for name in QUERIES)]


def test_every_composite_index_serves_a_query() -> None:
    asked = [used(query.structured_query) for query in QUERIES.values()]

    assert [index for index in composites() if index not in asked] == []


def records() -> list[Record]:
    scored = Snapshot(score=5, engagement=5, fit=0, day=1, model_version="v")
    lead = a_lead(outbox=(a_trigger(),), snapshot=scored, decay_on=20_522, due_at=NOW)
    return [LeadDocument(lead, {}), Alias(lead.id), Tombstone(NOW + timedelta(days=1), (lead.id,))]


def written() -> set[tuple[str, str, str]]:
    """Collection, field and kind of value of everything that the store writes."""
    writes = [DATABASE.write_record("an id", record, NOTHING, "c-1") for record in records()]
    updates = [("leads", write.update) for write in writes]
    updates.append(("transitions", DATABASE.write_move("an id", a_transition()).update))
    updates.append(("reports", DATABASE.write_report("2026-03-10", "{}").update))
    return {
        (collection, name, value.WhichOneof("value_type"))
        for collection, update in updates
        for name, value in update.fields.items()
    }


def test_what_is_counted_is_indexed() -> None:
    counting = ASKING.leads_in("mql").structured_aggregation_query.structured_query
    collection, fields = used(counting)

    assert (collection, [each["fieldPath"] for each in fields]) == ("leads", ["stage"])
    assert "stage" not in exempt("leads")


def test_fields_that_grow_with_time_are_not_indexed_by_themselves() -> None:
    times = {(where, field) for where, field, kind in written() if kind == "timestamp_value"}

    assert len(times) == 4
    days = {("leads", "decay_on")}
    growing = times | days
    assert {(where, field) for where, field in growing if field not in exempt(where)} == set()


def test_only_what_can_be_asked_for_is_indexed() -> None:
    indexed = {(where, field) for where, field, _ in written() if field not in exempt(where)}

    assert indexed == {
        *(("leads", field) for field in ("stage", "score", "shard")),
        ("transitions", "lead_id"),
    }


def test_what_is_exempt_is_written() -> None:
    fields = {(where, field) for where, field, _ in written()}

    for override in INDEXES["fieldOverrides"]:
        assert (override["collectionGroup"], override["fieldPath"]) in fields
