"""Leads get the ids of another secret, beside live traffic and in any store."""

from datetime import timedelta

import pytest
from msgspec import structs

from builders import NOW, RULES, StandingClock, an_event, lead_ids
from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.application.privacy.erase import EraseLeads, unerased
from warmlead.application.respell import MisspeltLead, Respelling
from warmlead.domain.errors import UnavailableError
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, Kind, LeadIds
from warmlead.domain.lead import Lead
from warmlead.ports import LeadStore

OLD = Scoring(RULES, lead_ids)
ROTATED = Scoring(RULES, LeadIds(b"another secret", former=b"a secret of the tests"))
FRESH = Scoring(RULES, LeadIds(b"another secret"))

EVENTS = [
    an_event(id="1", email=None, anonymous_id="browser-1", attribution={"utm_source": "google"}),
    an_event(id="2", email="ada@example.com", user_id="u-1", anonymous_id="browser-1"),
    an_event(id="3", email="ada@example.com", trust=Trust.SIGNED, name="sales_touched"),
    an_event(id="4", email="ada@work.example", user_id="u-1", trust=Trust.SIGNED),
    an_event(id="5", email="bob@example.com", anonymous_id="browser-1"),
    an_event(id="6", email=None, anonymous_id="browser-2"),
]


def test_the_builders_ids_are_those_of_the_former_secret() -> None:
    ada = Identifier(Kind.EMAIL, "ada@example.com")
    assert ROTATED.ids.former_of(ada) == (lead_ids.of(ada),)
    assert FRESH.ids.former_of(ada) == ()
    assert ROTATED.ids.of(ada) == FRESH.ids.of(ada) != lead_ids.of(ada)


async def count(store: LeadStore, scoring: Scoring, *events: Event) -> list[Applied]:
    done = []
    for event in events:
        decision = Decision([event], scoring, NOW)
        done.append(await store.update([next(iter(decision.ids.values()))], decision))
    return done


async def moved(store: LeadStore) -> list[MisspeltLead]:
    found = [lead.id async for lead in store.leads()]
    clock = StandingClock()
    return [await store.update([id_], Respelling(id_, ROTATED, clock)) for id_ in found]


def as_if_new(lead: Lead) -> tuple[object, ...]:
    """What is known of a lead, without the ids under which it was known before."""
    trails = {
        id_: {
            name: getattr(trail, name)
            for name in ("identifier", "links", "claims", "history", "traits", "is_signed")
        }
        for id_, trail in lead.trails.items()
    }
    assert lead.snapshot
    return lead.id, trails, lead.snapshot.score, lead.progress.stage, lead.email


async def test_rotated_leads_are_those_of_a_store_that_always_had_the_new_secret(
    store: LeadStore,
) -> None:
    await count(store, FRESH, *EVENTS)
    expected = [as_if_new(lead) async for lead in store.leads()]
    assert len(expected) == 3
    await store.clear()
    await count(store, OLD, *EVENTS)
    before = [lead async for lead in store.leads()]
    moves = {lead.id: len(await store.transitions(lead.id)) for lead in before}

    assert sum(bool(each.identifiers) for each in await moved(store)) == len(before)

    after = [lead async for lead in store.leads()]
    assert [as_if_new(lead) for lead in after] == expected
    for lead in before:
        now = await store.get(lead.id)  # links that were handed out still lead there
        assert now is not None
        assert set(lead.trails) <= now.ids
        assert len(await store.transitions(now.id)) == moves[lead.id]
    assert await count(store, ROTATED, *EVENTS) == [Applied(duplicates=1)] * len(EVENTS)
    assert await count(store, FRESH, *EVENTS) == [Applied(duplicates=1)] * len(EVENTS)
    assert [each.identifiers for each in await moved(store)] == [()] * len(after)


async def test_events_wait_until_their_lead_has_its_new_id(store: LeadStore) -> None:
    first, later, other = EVENTS[1], an_event(id="9", email="ada@example.com"), EVENTS[5]
    await count(store, OLD, first)
    with pytest.raises(UnavailableError, match="secret before"):
        await count(store, ROTATED, later)
    assert (await count(store, ROTATED, other))[0].counted == 1  # a stranger's do not
    await moved(store)
    assert (await count(store, ROTATED, later))[0].counted == 1
    assert sum([lead.kept_events async for lead in store.leads()]) == 3


async def test_an_erasure_under_the_secret_before_still_keeps_events_out(
    store: LeadStore,
) -> None:
    await count(store, OLD, EVENTS[1])
    [lead] = [lead async for lead in store.leads()]
    await store.update([lead.id], EraseLeads([lead.id], NOW))
    late = structs.replace(EVENTS[1], id="late")
    assert await count(store, ROTATED, late) == [Applied(erased=1)]
    assert await unerased([late], store=store, ids=ROTATED.ids) == []
    assert await unerased([late], store=store, ids=FRESH.ids) == [late]  # who forgets it, forgets
    later = NOW + timedelta(hours=1)
    back = structs.replace(late, id="back", occurred_at=later, received_at=later)
    assert (await count(store, ROTATED, back))[0].counted == 1
    assert await count(store, ROTATED, late) == [Applied(erased=1)]
