"""Leads of one person whose address was spelt in two ways are brought together, in any store."""

from datetime import timedelta

import pytest

from builders import (
    NOW,
    RULES,
    StandingClock,
    a_lead,
    a_transition,
    an_event,
    keeping,
    kept_before,
    lead_ids,
)
from warmlead.application.apply import Decision, Scoring
from warmlead.application.privacy.erase import EraseLeads
from warmlead.application.respell import Respelling
from warmlead.domain.event import Event
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead
from warmlead.ports import LeadStore

SCORING = Scoring(RULES, lead_ids)
COMPOSED = "josé@example.com"
OLD = kept_before(
    a_lead(
        an_event(id="old-1", email="ada@example.com", user_id="u-1", traits={"name": "José"}),
        an_event(id="old-2", email="ada@example.com", name="sales_touched"),
    ),
    "jose\u0301@example.com",
)
NEW = a_lead(an_event(id="new-1", email=COMPOSED, traits={"country": "ES"}))


@pytest.fixture
def change() -> Respelling:
    return Respelling(OLD.id, SCORING, StandingClock())


async def written(store: LeadStore, *leads: Lead) -> None:
    for lead in leads:
        aliases = {id_: lead.id for id_ in lead.trails if id_ != lead.id}
        moves = [(lead.id, a_transition(reason=lead.id))]
        await store.update([lead.id], keeping(lead, aliases=aliases, transitions=moves))


async def test_two_leads_become_one_with_all_that_both_had(
    store: LeadStore, change: Respelling
) -> None:
    await written(store, OLD, NEW)

    found = await store.update([OLD.id], change)

    assert list(found.joins) == [NEW.id]
    (lead,) = [lead async for lead in store.leads()]
    assert lead.email == COMPOSED
    assert lead.traits == {"country": "ES", "name": "José"}
    assert lead.kept_events == 3
    assert len(lead.statements) == 1
    user = lead_ids.of(Identifier(Kind.USER, "u-1"))
    for id_ in (OLD.id, NEW.id, user):
        assert await store.get(id_) == lead
    reasons = {move.reason for move in await store.transitions(lead.id)}
    assert {OLD.id, NEW.id} <= reasons


async def test_a_lead_alone_gets_the_id_of_today_and_is_found_by_both(
    store: LeadStore, change: Respelling
) -> None:
    await written(store, OLD)

    await store.update([OLD.id], change)

    (lead,) = [lead async for lead in store.leads()]
    assert lead.id == NEW.id
    assert await store.get(OLD.id) == await store.get(NEW.id) == lead
    assert OLD.id in {move.reason for move in await store.transitions(lead.id)}


async def test_doing_it_again_changes_nothing(store: LeadStore, change: Respelling) -> None:
    await written(store, OLD, NEW)
    await store.update([OLD.id], change)
    before = [lead async for lead in store.leads()]

    again = await store.update([OLD.id], change)

    assert not again.identifiers
    assert [lead async for lead in store.leads()] == before


async def test_a_rehearsal_writes_nothing(store: LeadStore) -> None:
    await written(store, OLD, NEW)

    found = await store.update(
        [OLD.id], Respelling(OLD.id, SCORING, StandingClock(), is_rehearsal=True)
    )

    assert list(found.joins) == [NEW.id]
    assert {lead.id async for lead in store.leads()} == {OLD.id, NEW.id}


async def test_respell_leaves_a_lead_erased_under_its_new_spelling_to_a_human(
    store: LeadStore, change: Respelling
) -> None:
    await written(store, OLD)
    await store.update([NEW.id], EraseLeads([NEW.id], NOW))

    found = await store.update([OLD.id], change)

    assert [each.new_id for each in found.erased] == [NEW.id]
    assert [lead async for lead in store.leads()] == [OLD]


async def test_erasing_the_person_afterwards_takes_both_ids(
    store: LeadStore, change: Respelling
) -> None:
    await written(store, OLD, NEW)
    await store.update([OLD.id], change)

    buried = await store.update([NEW.id], EraseLeads([NEW.id], NOW))

    assert {OLD.id, NEW.id} <= set(buried.ids)
    assert await store.get(OLD.id) is None
    assert [lead async for lead in store.leads()] == []


async def test_an_event_accepted_in_an_old_spelling_counts_for_the_person(
    store: LeadStore, change: Respelling
) -> None:
    await written(store, OLD, NEW)
    await store.update([OLD.id], change)

    (applied,) = [await store.update([NEW.id], Decision([late()], SCORING, NOW))]

    assert applied.counted == 1
    (lead,) = [lead async for lead in store.leads()]
    assert lead.kept_events == 4


async def test_an_event_in_an_old_spelling_does_not_restore_an_erased_person(
    store: LeadStore,
) -> None:
    await written(store, OLD)
    await store.update([OLD.id], EraseLeads([OLD.id], NOW))

    applied = await store.update([NEW.id], Decision([late()], SCORING, NOW + timedelta(hours=1)))

    assert applied.erased == 1
    assert [lead async for lead in store.leads()] == []


def late() -> Event:
    """What an earlier release accepted, and what only now is counted."""
    return an_event(id="late", email="jose\u0301@example.com")
