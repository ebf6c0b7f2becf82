"""What an import says beside what is known: nothing is sent, and no lead gets worse."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from builders import NOW, an_event, keeping, lead_ids
from effort import examples
from unit.application.history.persons import (
    DAY,
    NEVER_LEFT,
    THEN,
    a_store,
    importing,
    of_then,
    taken_in,
    was,
)
from unit.application.living import HOUR, LIVING
from warmlead.application.apply import Applied, Decision, Scoring
from warmlead.application.history.taking_back import take_back
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.imports import imports_of
from warmlead.domain.lead import Lead
from warmlead.ports import LeadStore, Tombstone

ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))


async def happens(store: LeadStore, *events: Event) -> Applied:
    """New events, as they come in."""
    decision = Decision(events, Scoring(LIVING, lead_ids), max(e.received_at for e in events))
    applied: Applied = await store.update([ADA], decision)
    return applied


def views_now(count: int = 3) -> list[Event]:
    return [an_event(id=f"now-{n}") for n in range(count)]


async def stages_of(store: LeadStore, lead_id: str = ADA) -> list[str]:
    return [move.to_stage for move in await store.transitions(lead_id)]


async def lead_of(store: LeadStore, lead_id: str = ADA) -> Lead:
    lead = await store.get(lead_id)
    assert lead is not None
    return lead


HISTORY = [of_then("page_viewed", 0), was("mql", 1), of_then("sales_won", 9)]


async def test_a_new_lead_has_its_history_and_rests(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        taken = await taken_in(store, HISTORY)
        assert (taken.leads, taken.moves) == (1, 3)
        moves = await store.transitions(ADA)
        assert [(move.to_stage, (move.at - THEN) / DAY) for move in moves] == [
            ("lead", 0),
            ("mql", 1),
            ("customer", 9),
        ]
        assert {(move.imported, move.learnt) for move in moves} == {("demo", NOW)}
        lead = await lead_of(store)
        assert lead.progress.rest is not None
        assert lead.outbox == ()
        assert imports_of(lead) == ["demo"]


async def test_an_imported_mql_that_acts_is_offered_then(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, [of_then("page_viewed", 0), was("mql", 1)])
        applied = await happens(store, an_event(id="back"))
        topics = [trigger.topic for _, trigger in applied.triggers]
        assert "mql" in topics
        assert (await lead_of(store)).offer is not None


@pytest.mark.parametrize("trust", Trust)
async def test_a_user_id_is_signed_by_an_import_only_if_its_rows_are(
    tmp_path: Path, trust: Trust
) -> None:
    seen = of_then("page_viewed", 0)
    row = structs.replace(seen, trust=trust, email=None, user_id="42", anonymous_id="v1")
    async with a_store(tmp_path) as store:
        await taken_in(store, [row])
        lead = await lead_of(store, lead_ids.of(Identifier(Kind.USER, "42")))
        named = [t for t in lead.trails.values() if t.identifier.kind is Kind.USER]
        assert [trail.is_signed for trail in named] == [trust is Trust.SIGNED]


async def test_doing_it_twice_is_doing_it_once(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, HISTORY)
        before, moves = await lead_of(store), await store.transitions(ADA)
        again = await taken_in(store, HISTORY, using=importing(now=NOW + 3 * DAY))
        assert (again.leads, again.moves, again.known) == (0, 0, 1)
        assert await lead_of(store) == before
        assert await store.transitions(ADA) == moves


async def test_rows_that_were_corrected_are_added_as_of_then(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, [HISTORY[0], HISTORY[2]])
        assert await stages_of(store) == ["lead", "customer"]
        await taken_in(store, HISTORY)
        assert await stages_of(store) == ["lead", "mql", "customer"]


async def test_later_rows_alone_move_the_lead_on(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, HISTORY[:2])
        await taken_in(store, HISTORY[2:])
        moves = await store.transitions(ADA)
        assert [move.to_stage for move in moves] == ["lead", "mql", "customer"]
        assert moves[-1].at == THEN + 9 * DAY


async def test_a_living_lead_is_told_of_nothing_and_keeps_its_stage(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await happens(store, *views_now())
        before = await lead_of(store)
        assert before.progress.stage == "mql"
        old = [of_then("page_viewed", 0), of_then("sales_accepted", 1), of_then("sales_lost", 2)]
        soon = NOW - HOUR + HOUR / 60  # before any promise of sales falls due
        await taken_in(store, old, using=importing(now=soon))
        after = await lead_of(store)
        assert after.progress.stage == "mql"
        assert after.outbox == before.outbox
        assert after.offer == before.offer
        assert after.enrolments == before.enrolments
        assert [m.to_stage for m in await store.transitions(ADA) if m.imported] == [
            "lead",
            "sql",
            "recycled",
        ]


async def test_a_living_lead_that_was_won_is_a_customer(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await happens(store, an_event())
        await taken_in(store, HISTORY)
        lead = await lead_of(store)
        assert lead.progress.stage == "customer"
        assert lead.outbox == ()


async def test_the_last_word_of_sales_stays_whatever_is_imported(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        said = an_event(id="no", name="sales_rejected", properties={"reason": "bad_data"})
        await happens(store, an_event(), said)
        await taken_in(store, HISTORY)
        assert (await lead_of(store)).progress.stage == "disqualified"


async def test_who_was_erased_does_not_come_back(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await store.update([ADA], keeping(tombstones={ADA: Tombstone(NOW)}))
        taken = await taken_in(store, HISTORY)
        assert (taken.leads, taken.erased) == (0, len(HISTORY))
        assert await store.get(ADA) is None


async def test_persons_whom_an_import_ties_are_one_lead_until_it_is_taken_back(
    tmp_path: Path,
) -> None:
    async with a_store(tmp_path) as store:
        await happens(store, an_event())
        bob = an_event(id="bob", email="bob@example.com")
        decision = Decision([bob], Scoring(LIVING, lead_ids), NOW)
        bobs = lead_ids.of(Identifier(Kind.EMAIL, "bob@example.com"))
        await store.update([bobs], decision)
        ties = [
            of_then("page_viewed", 0, email="ada@example.com", user_id="7"),
            of_then("page_viewed", 1, email="bob@example.com", user_id="7"),
        ]
        ties.append(of_then("sales_won", 2, email="ada@example.com"))
        await taken_in(store, ties)
        assert (await lead_of(store)).id == (await lead_of(store, bobs)).id
        assert (await lead_of(store, bobs)).progress.stage == "customer"
        await take_back("demo", store=store, rules=LIVING, now=NOW)
        assert (await lead_of(store)).email == "ada@example.com"
        assert (await lead_of(store, bobs)).email == "bob@example.com"
        assert (await lead_of(store)).id != (await lead_of(store, bobs)).id
        for id_ in (ADA, bobs):
            assert (await lead_of(store, id_)).progress.stage == "lead"
            assert (await lead_of(store, id_)).outbox == ()


async def test_a_browser_of_then_belongs_to_who_it_turns_out_to_be(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, [of_then("page_viewed", 0, anonymous_id="browser")])
        browser = lead_ids.of(Identifier(Kind.ANONYMOUS, "browser"))
        assert (await lead_of(store, browser)).progress.stage == "anonymous"
        said = an_event(
            id="me", trust=Trust.PUBLIC, email="ada@example.com", anonymous_id="browser"
        )
        await happens(store, said)
        lead = await lead_of(store)
        assert lead.id == (await lead_of(store, browser)).id == ADA
        assert sum(lead.tally().signals["page_viewed"].values()) == 2
        await take_back("demo", store=store, rules=LIVING, now=NOW)
        assert sum((await lead_of(store)).tally().signals["page_viewed"].values()) == 1


PERSONS = ("ada@example.com", "bob@example.com")
ROWS = st.lists(
    st.builds(
        lambda name, day, number, email, user: of_then(
            name, day, id=f"{name}-{day}-{number}-{email}", email=email, user_id=user
        ),
        st.sampled_from(["page_viewed", "sales_accepted", "sales_won", "email_unsubscribed"]),
        st.integers(0, 40),
        st.integers(0, 2),
        st.sampled_from(PERSONS),
        st.sampled_from([None, None, "7", "8"]),
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda event: event.id,
)


async def _whole(store: LeadStore) -> list[tuple[Any, ...]]:
    """All leads and moves, as far as they do not say when they were learnt."""
    found = []
    async for lead in store.leads():
        moves = await store.transitions(lead.id)
        found.append((lead.id, lead.traits, lead.tally(), lead.statements, lead.progress, moves))
    return found


def _one_person(rows: Sequence[Event]) -> list[list[Event]]:
    """The rows by person: those that a user id ties are one."""
    if len({e.email for e in rows if e.user_id}) > 1:
        return [list(rows)]
    return [own for who in PERSONS if (own := [e for e in rows if e.email == who])]


@settings(max_examples=examples(60), deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
async def test_any_order_of_rows_gives_the_same_leads_and_moves(
    rows: list[Event], random: Random
) -> None:
    shuffled = sorted(rows, key=lambda _: random.random())
    found = []
    for each in (rows, shuffled):
        with TemporaryDirectory() as folder:
            async with a_store(Path(folder)) as store:
                await taken_in(store, *_one_person(each), using=importing(NEVER_LEFT))
                found.append(await _whole(store))
    assert found[0] == found[1]


@settings(max_examples=examples(60), deadline=None)
@given(ROWS, st.integers(1, 3), st.sampled_from(["", "accepted", "opportunity", "won", "lost"]))
async def test_a_living_lead_never_gets_worse(rows: list[Event], views: int, said: str) -> None:
    with TemporaryDirectory() as folder:
        async with a_store(Path(folder)) as store:
            await happens(store, *views_now(views))
            if said:
                await happens(store, an_event(id="said", name=f"sales_{said}"))
            before = await lead_of(store)
            soon = NOW - HOUR + HOUR / 60  # before any promise of sales falls due
            for person in _one_person(rows):
                await taken_in(store, person, using=importing(now=soon))
            after = await lead_of(store)
            order = LIVING.stage_order
            assert order.index(after.progress.stage) >= order.index(before.progress.stage)
            assert set(after.outbox) <= set(before.outbox)  # who refuses mail gets none
            assert after.enrolments.keys() == before.enrolments.keys()


@settings(max_examples=examples(60), deadline=None)
@given(ROWS, st.integers(0, 3))
async def test_taking_back_leaves_a_living_lead_as_it_was(rows: list[Event], views: int) -> None:
    with TemporaryDirectory() as folder:
        async with a_store(Path(folder)) as store:
            if views:
                await happens(store, *views_now(views))
            rows = [e for e in rows if e.name != "email_unsubscribed"]  # a refusal stays
            before = await _whole(store)
            for person in _one_person(rows):
                await taken_in(store, person)
            await take_back("demo", store=store, rules=LIVING, now=NOW)
            assert _without_peaks(await _whole(store)) == _without_peaks(before)


def _without_peaks(whole: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The highest score is that of a move: what was reached in between is not known any more."""
    return [
        (*said, replace(progress, peak_score=0, moved=None, rest=None), moves)
        for *said, progress, moves in whole
    ]


async def test_a_refusal_of_mail_stays_with_the_person(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await taken_in(store, [of_then("page_viewed", 0), of_then("email_unsubscribed", 1)])
        await take_back("demo", store=store, rules=LIVING, now=NOW)
        lead = await lead_of(store)
        assert not lead.consent(LIVING.suppression).may_be_mailed
        assert lead.tally().signals == {}
