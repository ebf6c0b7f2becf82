"""How much is kept of one person: each limit at its last byte, and who may pass it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from unit.domain.worlds import NOON, event_of, id_of, rules_of
from warmlead.domain.capacity import (
    MAX_KNOWN_EVENTS,
    MAX_LEAD_BYTES,
    MAX_ORIGIN_BYTES,
    MAX_UNKNOWN_EVENTS,
    MAX_UNKNOWN_NAMES,
    MAX_WEIGHT_BYTES,
    RESERVED_EVENTS,
    Capacity,
    Excess,
    bytes_of,
    without_excess,
)
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import History
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Touch, Trail
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.recording import NOTHING_RECORDED
from warmlead.domain.traits import TraitFact

ADA = Identifier(Kind.EMAIL, "ada@example.com")
HOME = id_of(ADA)
KNOWN, UNKNOWN = "title", "shoe"
RULES = replace(rules_of(), names=frozenset({"page_viewed"}), traits=frozenset({KNOWN}))
PUBLIC, SIGNED = Trust.PUBLIC, Trust.SIGNED


def weighing(trait: str, trust: Trust, size: int) -> Mapping[str, TraitFact]:
    """A trait that weighs exactly so many bytes, its name included; none if it weighs nothing."""
    if not size:
        return {}
    value_json = json.dumps("x" * (size - len(trait) - 2))
    return {trait: TraitFact(1 if trust is SIGNED else 0, 1, "k", value_json)}


def excess_of(before: Trail, after: Trail, trust: Trust, **fields: Any) -> set[Excess]:
    """What the event that makes one trail the other tells too much of."""
    event = event_of("e", NOON, trust=trust, email=fields.pop("email", ADA.value), **fields)
    capacity = Capacity({HOME: before}, RULES)
    return set(capacity.excess({HOME: after}, [HOME], event, NOTHING_RECORDED))


@pytest.mark.parametrize(("trust", "limit"), [(PUBLIC, 1), (SIGNED, 2)])
@pytest.mark.parametrize(
    ("trait", "excess"), [(KNOWN, {Excess.UNKNOWN, Excess.KNOWN}), (UNKNOWN, {Excess.UNKNOWN})]
)
@pytest.mark.parametrize(
    ("before", "after", "is_too_much"),
    [  # in bytes beside the limit
        (-1, 0, False),
        (0, 1, True),
        (5, 6, True),
        (5, 5, False),  # too heavy already, and no heavier for the event
        (6, 5, False),
    ],
)
def test_an_event_may_not_make_a_lead_heavier_than_its_limit(
    trait: str, excess: set[Excess], trust: Trust, *, limit: int, before: int, after: int,
    is_too_much: bool,
) -> None:  # fmt: skip
    most = MAX_WEIGHT_BYTES * limit

    def trail(size: int) -> Trail:
        return Trail(ADA, traits=weighing(trait, trust, most + size))

    assert excess_of(trail(before), trail(after), trust) == (excess if is_too_much else set())


def test_what_a_crm_told_leaves_the_room_of_strangers_as_it_is() -> None:
    heavy = weighing(KNOWN, SIGNED, MAX_WEIGHT_BYTES * 2 + 1)
    before = Trail(ADA, traits=heavy)
    after = Trail(ADA, traits={**heavy, **weighing(UNKNOWN, PUBLIC, 100)})

    assert excess_of(before, before, PUBLIC) == set()  # a page view
    assert excess_of(before, after, PUBLIC) == set()


def visited(size: int) -> Touch | None:
    """A visit whose origin weighs exactly so many bytes."""
    return Touch(1, "k", (("utm", "x" * (size - 3)),)) if size else None


@pytest.mark.parametrize(("trust", "limit"), [(PUBLIC, 1), (SIGNED, 2)])
@pytest.mark.parametrize(
    ("email", "before", "after", "is_too_much"),
    [
        (None, -1, 0, False),
        (None, 0, 1, True),
        (None, 5, 5, False),
        (ADA.value, 0, 1, False),  # a form with an address is never without its origin
    ],
)
def test_origins_of_visits_have_a_limit_of_their_own(
    trust: Trust, *, limit: int, email: str | None, before: int, after: int, is_too_much: bool
) -> None:
    most = MAX_ORIGIN_BYTES * limit
    told = excess_of(
        Trail(ADA, first_touch=visited(most + before)),
        Trail(ADA, first_touch=visited(most + after)),
        trust,
        email=email,
        anonymous_id="browser",
    )
    assert told == ({Excess.ORIGIN} if is_too_much else set())


@pytest.mark.parametrize(
    ("trust", "more", "is_too_much"),
    [(PUBLIC, 0, False), (PUBLIC, 1, True), (SIGNED, 1, False)],
)
def test_all_of_a_lead_must_fit_its_store(trust: Trust, *, more: int, is_too_much: bool) -> None:
    bare = Trail(ADA)
    room = MAX_LEAD_BYTES[PUBLIC] - Capacity({HOME: bare}, RULES).size_bytes
    full = Trail(ADA, first_touch=visited(room + more), last_touch=None)

    assert (Excess.ALL in excess_of(bare, full, trust)) == is_too_much
    assert Excess.ALL not in excess_of(full, full, trust)


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("abc", 3), ("é", 6), ("aé", 12)]
)  # every letter may become \\uXXXX
def test_a_text_takes_six_bytes_a_letter_if_any_is_not_ascii(text: str, size: int) -> None:
    assert bytes_of(text) == size


TOLD = {KNOWN: 1, UNKNOWN: 2}
KEPT = {KNOWN: 1}


@pytest.mark.parametrize(
    ("name", "excess", "traits", "origin"),
    [
        ("page_viewed", set(), TOLD, True),
        ("page_viewed", {Excess.UNKNOWN}, KEPT, True),
        ("page_viewed", {Excess.UNKNOWN, Excess.KNOWN}, {}, True),
        ("page_viewed", {Excess.ORIGIN}, TOLD, False),
        ("page_viewed", {Excess.ORIGIN, Excess.UNKNOWN}, KEPT, False),
        ("page_viewed", {Excess.ALL}, None, False),
        ("odd", {Excess.ORIGIN}, TOLD, False),
        ("odd", {Excess.UNKNOWN}, None, False),  # the model does not know the event
    ],
)
def test_what_an_event_tells_too_much_is_taken_from_it(
    name: str, excess: set[Excess], traits: Mapping[str, Any] | None, *, origin: bool
) -> None:
    event = event_of(
        "e", NOON, name=name, email=ADA.value, traits=TOLD, attribution={"utm_source": "x"}
    )
    left = without_excess(event, excess, RULES)
    if traits is None:
        assert left is None
    else:
        assert left is not None
        assert (left.traits, bool(left.attribution)) == (traits, origin)


def holding(count: int, name: str = "page_viewed", *, signal: str = "") -> Capacity:
    """What is kept of a person of whom so many events of one name are kept."""
    signals = (signal,) if signal else ()
    recent = {f"k{i}": KeptEvent(i, f"k{i}", i, name, signals) for i in range(count)}
    history = History(recent, last_day={name: 1})
    return Capacity({HOME: Trail(ADA, history=history)}, RULES)


def kept(name: str, *, signal: str = "") -> KeptEvent:
    return KeptEvent(1, "new", 1, name, (signal,) if signal else ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trust", "count", "name", "has_room"),
    [
        (PUBLIC, MAX_UNKNOWN_EVENTS - 1, "odd", True),
        (PUBLIC, MAX_UNKNOWN_EVENTS, "odd", False),
        (SIGNED, MAX_UNKNOWN_EVENTS, "odd", True),
        (SIGNED, MAX_UNKNOWN_EVENTS * 4 - 1, "odd", True),
        (SIGNED, MAX_UNKNOWN_EVENTS * 4, "odd", False),
        (PUBLIC, MAX_KNOWN_EVENTS - 1, "page_viewed", True),
        (PUBLIC, MAX_KNOWN_EVENTS, "page_viewed", False),
        (SIGNED, MAX_KNOWN_EVENTS, "page_viewed", True),
        (SIGNED, MAX_KNOWN_EVENTS * 2 - 1, "page_viewed", True),
        (SIGNED, MAX_KNOWN_EVENTS * 2, "page_viewed", False),
    ],
)
def test_events_of_a_kind_have_room_up_to_their_limit(
    trust: Trust, count: int, name: str, *, has_room: bool
) -> None:
    assert holding(count, name).has_room(trust, kept(name)) == has_room
    assert holding(count, name).has_room(trust, None)  # nothing is kept of it but its day


@pytest.mark.parametrize(
    ("trust", "others", "has_room"),
    [
        (PUBLIC, RESERVED_EVENTS - 1, True),
        (PUBLIC, RESERVED_EVENTS, False),
        (SIGNED, RESERVED_EVENTS * 2 - 1, True),
        (SIGNED, RESERVED_EVENTS * 2, False),
    ],
)
def test_a_few_events_of_each_signal_have_room_however_full_the_lead_is(
    trust: Trust, others: int, *, has_room: bool
) -> None:
    flood = {f"k{i}": KeptEvent(i, f"k{i}", i, "page_viewed", ()) for i in range(12_000)}
    rare = {f"r{i}": KeptEvent(i, f"r{i}", i, "page_viewed", ("demo",)) for i in range(others)}
    capacity = Capacity({HOME: Trail(ADA, history=History({**flood, **rare}))}, RULES)

    assert not capacity.has_room(trust, kept("page_viewed"))
    assert capacity.has_room(trust, kept("page_viewed", signal="demo")) == has_room


@pytest.mark.parametrize(
    ("trust", "names", "name", "has_room"),
    [
        (PUBLIC, MAX_UNKNOWN_NAMES - 1, "new", True),
        (PUBLIC, MAX_UNKNOWN_NAMES, "new", False),
        (PUBLIC, MAX_UNKNOWN_NAMES, "odd_1", True),  # a name that is kept already
        (PUBLIC, MAX_UNKNOWN_NAMES, "page_viewed", True),  # a name that the model knows
        (SIGNED, MAX_UNKNOWN_NAMES * 4 - 1, "new", True),
        (SIGNED, MAX_UNKNOWN_NAMES * 4, "new", False),
    ],
)
def test_new_names_have_room_up_to_their_limit(
    trust: Trust, names: int, name: str, *, has_room: bool
) -> None:
    history = History(last_day={f"odd_{i}": 1 for i in range(names)})
    capacity = Capacity({HOME: Trail(ADA, history=history)}, RULES)
    event: Event = event_of("e", NOON, name=name, trust=trust, email=ADA.value)
    assert capacity.has_room_for(event) == has_room
