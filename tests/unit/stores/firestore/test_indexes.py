"""The deployed indexes against the store's own queries: the emulator needs none, so misses none."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, a_lead, a_transition, a_trigger
from warmlead.domain.dispatch import Circuit, Dispatch, DispatchState
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.snapshot import Snapshot
from warmlead.ports import DueLead, Tombstone
from warmlead.ports.imports import ImportRecord, Spend
from warmlead.ports.listing import LeadQuery, ListPlace, Order
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import LeadDocument
from warmlead.stores.firestore.codec import AFTER, NOTHING, Database, Queries
from warmlead.stores.firestore.dispatches import (
    by_time_query,
    in_state_query,
    next_destination_query,
    of_leads_query,
    written_circuit,
    written_dispatch,
)
from warmlead.stores.firestore.imports import (
    by_day_query,
    of_import_query,
    written_import,
    written_spend,
)
from warmlead.stores.firestore.nurture import NURTURE_AT, written_nurture

INDEXES = json.loads((Path(__file__).parents[4] / "infra/firestore.indexes.json").read_text())
DATABASE = Database("warmlead-tests", "(default)")
ASKING = Queries(DATABASE)
EQUAL, IN, CONTAINS = 5, 8, 7
"""Firestore's numbers for these ways of comparing."""
DIRECTIONS = {0: "ASCENDING", 1: "ASCENDING", 2: "DESCENDING"}

DISPATCH = Dispatch(
    destination="zapier",
    id="m1",
    kind="k",
    lead_id="ada",
    body=b"{}",
    begun_at=NOW,
    due_at=NOW,
    ended_at=NOW,
)
OF_DISPATCHES = {
    "due": by_time_query("due_at", "zapier", NOW, 10),
    "due, by a clock that ran ahead": by_time_query("due_at", "zapier", NOW, 10, AFTER),
    "prune": by_time_query("ended_at", "zapier", NOW, 10),
    "destinations": next_destination_query("zapier"),
    "in_state, counts": in_state_query("zapier", DispatchState.DEAD),
    "of_leads, erase": of_leads_query(["ada", "bob"], None),
}

SPENT = Spend(key="a", day=NOW.date(), amount_cents=1, currency="EUR", imported="demo")
IMPORTED = ImportRecord(name="demo", files={}, content="", began_at=NOW)
OF_IMPORTS = {
    "spend": by_day_query(NOW.date(), NOW.date(), None),
    "forget": of_import_query("demo"),
}
CONDITIONS: dict[str, Any] = {
    **dict.fromkeys(("stage", "grade", "source", "owner"), "a"),
    "overdue": True,
}
ORDERS: tuple[Order, ...] = ("score", "since", "active")

A_RECORD = NurtureRecord(NOW, "mql", (NurtureFact(NurtureTurn.STARTED, "welcome", 1),))
LATE = a_transition(learnt=NOW + timedelta(days=1))

QUERIES = {
    "leads_by_id": ASKING.leads_by_id(10),
    "records": ASKING.records(10),
    "leads_of_shard": ASKING.leads_of_shard(shard=3, after=DueLead(3, "a")),
    "leads_listed by score": ASKING.leads_listed(LeadQuery(), 10, after=ListPlace(50, "a")),
    "leads_listed by since": ASKING.leads_listed(LeadQuery(order="since"), 10),
    **{
        f"leads_listed of one {name}, {order}": ASKING.leads_listed(
            LeadQuery(**{name: value}, order=order), 10, after=ListPlace(50, "a")
        )
        for name, value in CONDITIONS.items()
        for order in ORDERS
    },
    "leads_listed by activity": ASKING.leads_listed(LeadQuery(order="active"), 10),
    "leads_found": ASKING.leads_found("ada", 10),
    "leads_by_outbox": ASKING.leads_by_outbox(10),
    "leads_by_decay": ASKING.leads_by_decay(20_522, shard=3, after=DueLead(7, "a")),
    "leads_by_due_time": ASKING.leads_by_due_time(NOW, shard=3, after=DueLead(7, "a")),
    "moves_of": ASKING.moves_of(["a", "b"]),
    "moves_by_time": ASKING.moves_by_time(NOW, NOW, shard=3, most=10),
    "moves_by_time, late": ASKING.moves_by_time(NOW, NOW, shard=3, most=10, time="late_at"),
    "moves_by_time, nurture": ASKING.moves_by_time(NOW, NOW, shard=3, most=10, time=NURTURE_AT),
}


COUNTS = {
    "leads_in": ASKING.leads_in("mql"),
    "leads_scored": ASKING.leads_scored(0, 25),
    "leads_scored, from a score on": ASKING.leads_scored(100, None),
    "moves_since": ASKING.moves_since(NOW),
    "moves_since, into a stage": ASKING.moves_since(NOW, "to_stage", "mql"),
    "moves_since, out of a stage": ASKING.moves_since(NOW, "from_stage", "mql"),
}


def used(query: Any) -> tuple[str, list[dict[str, str]]]:
    """A query's collection, and the fields of the index that it needs, in their order.

    Firestore's rule: first what is compared for equality, then what is sorted by, of which the
    first may be compared otherwise; the name of the document ends every index by itself.
    """
    (source,) = query.from_
    filters = [each.field_filter for each in query.where.composite_filter.filters]
    compared = filters or [query.where.field_filter]
    equal = [each for each in compared if each.op in (EQUAL, IN, CONTAINS)]
    otherwise = [each for each in compared if each.op and each not in equal]
    assert {each.field.field_path for each in otherwise} <= {*sorted_by(query)[:1]}
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


ASKED = {
    **{name: query.structured_query for name, query in QUERIES.items()},
    **{name: query.structured_aggregation_query.structured_query for name, query in COUNTS.items()},
    **OF_DISPATCHES,
    **OF_IMPORTS,
}


@pytest.mark.parametrize("name", ASKED)
def test_every_query_of_the_stores_has_its_index(name: str) -> None:
    collection, fields = used(ASKED[name])

    if len(fields) <= 1:
        assert not exempt(collection) & {each["fieldPath"] for each in fields}
    else:
        assert (collection, fields) in composites()


def test_the_queries_here_are_all_that_the_store_can_ask() -> None:
    asking = [
        name
        for name, method in vars(Queries).items()
        if callable(method) and {"_request", "CountRequest"} & {*method.__code__.co_names}
    ]

    named = [*QUERIES, *COUNTS]
    assert sorted(asking) == sorted({name.partition(" ")[0].strip(",") for name in named})


def test_every_composite_index_serves_a_query() -> None:
    asked = [used(query) for query in ASKED.values()]

    assert [index for index in composites() if index not in asked] == []


def records() -> list[Record]:
    scored = Snapshot(
        score=5, engagement=5, fit=0, day=1, model_version="v", grade="A", active_day=3
    )
    late = Offer(cycle=1, stage="mql", at=NOW, owner="eve", told=frozenset(Deadline))
    lead = a_lead(outbox=(a_trigger(),), snapshot=scored, decay_on=20_522, due_at=NOW, offer=late)
    return [LeadDocument(lead, {}), Alias(lead.id), Tombstone(NOW + timedelta(days=1), (lead.id,))]


def written() -> set[tuple[str, str, str]]:
    """Collection, field and kind of value of everything that the store writes."""
    writes = [DATABASE.write_record("an id", record, NOTHING, "c-1") for record in records()]
    updates = [("leads", write.update) for write in writes]
    updates.append(("transitions", DATABASE.write_move("an id", LATE).update))
    updates.append(("transitions", written_nurture(DATABASE, "an id", A_RECORD).update))
    updates.append(("reports", DATABASE.write_report("2026-03-10", "{}").update))
    updates.append(("dispatches", written_dispatch("an id", DISPATCH, None).update))
    updates.append(("circuits", written_circuit("an id", Circuit(failures=1), None).update))
    updates.append(("spend", written_spend("an id", SPENT).update))
    updates.append(("imports", written_import("an id", IMPORTED).update))
    return {
        (collection, name, value.WhichOneof("value_type"))
        for collection, update in updates
        for name, value in update.fields.items()
    }


def test_several_conditions_need_no_index_of_their_own() -> None:
    """Firestore merges indexes that have one condition each and the same order."""
    asked = LeadQuery(stage="mql", grade="A", source="google", owner="eve", overdue=True)
    collection, fields = used(ASKING.leads_listed(asked, 10).structured_query)

    *equal, order = fields
    assert len(equal) == len(CONDITIONS)
    assert [each for each in equal if (collection, [each, order]) not in composites()] == []


def test_fields_that_grow_with_time_are_not_indexed_by_themselves() -> None:
    times = {(where, field) for where, field, kind in written() if kind == "timestamp_value"}

    assert len(times) == 8
    days = {("leads", "decay_on")}
    growing = times | days
    assert {(where, field) for where, field in growing if field not in exempt(where)} == set()


def test_only_what_can_be_asked_for_is_indexed() -> None:
    indexed = {(where, field) for where, field, _ in written() if field not in exempt(where)}

    assert indexed == {
        *(
            ("leads", field)
            for field in ("stage", "score", "shard", "since_day", "active", "words")
        ),
        ("transitions", "lead_id"),
        ("dispatches", "lead_id"),
        ("spend", "day"),
        ("spend", "imported"),
    }


def test_what_is_exempt_is_written() -> None:
    fields = {(where, field) for where, field, _ in written()}

    for override in INDEXES["fieldOverrides"]:
        assert (override["collectionGroup"], override["fieldPath"]) in fields
