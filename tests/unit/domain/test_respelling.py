"""Trails that meet under one id, because their identifiers are spelt in one way today."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from builders import NOW, a_lead, an_event, kept_before, lead_ids
from warmlead.domain.event import Trust
from warmlead.domain.history import fold, to_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.identity_resolution import is_nobody, joined, misspelt, respelt_trails
from warmlead.domain.lead import Trail
from warmlead.domain.traits import MAX_TRAITS

DECOMPOSED = "jose\u0301@example.com"
COMPOSED = "josé@example.com"
NOTHING: frozenset[str] = frozenset()
HIDDEN = "jos\u00adé@example.com"


def the_trail(*, id_: str, hours_ago: int, trust: Trust = Trust.PUBLIC) -> Trail:
    at = NOW - timedelta(hours=hours_ago)
    event = an_event(
        id=id_,
        email="ada@example.com",
        trust=trust,
        occurred_at=at,
        received_at=at,
        traits={"name": id_, id_: 1},
        attribution={"utm_source": id_},
    )
    (trail,) = a_lead(event).trails.values()
    return trail


def test_no_field_of_a_trail_is_lost_when_two_are_joined() -> None:
    one = the_trail(id_="one", hours_ago=3)
    assert joined(one, one, NOTHING) == one
    assert {field.name for field in fields(Trail)} <= set(joined.__globals__["_JOINED"])


def test_joining_is_the_union_and_the_order_does_not_matter() -> None:
    one, other = the_trail(id_="one", hours_ago=3), the_trail(id_="two", hours_ago=1)
    one = replace(one, erased_ms=5, former_ids=frozenset({"x"}))
    both = joined(one, replace(other, is_signed=True), NOTHING)
    assert both == joined(replace(other, is_signed=True), one, NOTHING)
    assert both.history.kept == {**one.history.kept, **other.history.kept}
    assert both.traits["name"].value == "two"
    assert {"one", "two"} <= both.traits.keys()
    assert both.first_touch == one.first_touch
    assert both.last_touch == other.last_touch
    assert (both.erased_ms, both.is_signed) == (5, True)
    assert both.former_ids == frozenset({"x"})


def test_an_event_in_both_trails_counts_once_and_folded_counts_add_up() -> None:
    one, other = the_trail(id_="one", hours_ago=3), the_trail(id_="two", hours_ago=1)
    later_ms = to_ms(NOW + timedelta(days=40))
    old, new = (replace(each, history=fold(each.history, later_ms)) for each in (one, other))
    (counts,) = joined(old, new, NOTHING).history.name_days.values()
    assert sum(counts.values()) == 2
    assert len(joined(one, one, NOTHING).history.kept) == 1


@pytest.mark.parametrize("told", [DECOMPOSED, HIDDEN])
def test_a_lead_with_an_old_spelling_is_found_under_its_new_id(told: str) -> None:
    lead = kept_before(a_lead(), told)
    (found,) = misspelt(lead, lead_ids)
    assert found.today == Identifier(Kind.EMAIL, COMPOSED)
    assert found.new_id == lead_ids.of(Identifier(Kind.EMAIL, COMPOSED))
    assert misspelt(a_lead(an_event(email=COMPOSED)), lead_ids) == []


def test_every_reference_to_an_old_id_becomes_one_to_the_new_id() -> None:
    told = an_event(user_id="u-1", anonymous_id="b-1", trust=Trust.SIGNED)
    lead = kept_before(a_lead(told), "u\u200b-1", of="u-1")
    moved = misspelt(lead, lead_ids)
    trails = respelt_trails([lead], moved, NOTHING, {})
    user = lead_ids.of(Identifier(Kind.USER, "u-1"))
    browser = lead_ids.of(Identifier(Kind.ANONYMOUS, "b-1"))
    claim = trails[browser].claim
    assert claim is not None
    assert claim.owner == user
    assert trails[user].former_ids == {lead_ids.of(Identifier(Kind.USER, "u\u200b-1"))}


@pytest.mark.parametrize(("value", "is_none"), [("null@null.com", True), ("a@b.com", False)])
def test_a_lead_without_identifiers_is_distinguished_from_others(value: str, is_none: bool) -> None:
    assert is_nobody(kept_before(a_lead(), value)) is is_none


def test_joining_trails_with_too_many_traits_keeps_those_of_the_model() -> None:
    def told(prefix: str, **more: int) -> Trail:
        traits = {f"{prefix}{i}": i for i in range(MAX_TRAITS - 10)} | more
        (trail,) = a_lead(an_event(id=prefix, trust=Trust.PUBLIC, traits=traits)).trails.values()
        return trail

    parts = told("a", zip_code=1), told("b", employees=300)
    for one, other in (parts, parts[::-1]):
        both = joined(one, other, frozenset({"zip_code", "employees"}))
        assert len(both.traits) == MAX_TRAITS
        assert {"zip_code", "employees"} <= both.traits.keys()
