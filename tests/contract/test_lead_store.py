"""What every ``LeadStore`` promises; the tests never ask which adapter they hold."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from builders import (
    NOW,
    a_lead,
    a_lead_named,
    a_transition,
    a_trigger,
    an_event,
    keeping,
    lead_ids,
)
from contract.backends import OpenStore
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import to_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.lead import Lead
from warmlead.domain.listing import listed_as
from warmlead.domain.nurture import Ending
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.readings import NO_READINGS
from warmlead.domain.search import sought_word
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.unjudged import Unjudged
from warmlead.ports import Change, Commit, DueLead, LeadStore, Loaded, Need, Tombstone, Until
from warmlead.ports.listing import LeadQuery, Listed, ListPlace, Order

ADA = a_lead_named("ada")
BOB = a_lead_named("bob")
CYN = a_lead_named("cyn")

BROWSER = lead_ids.of(Identifier(Kind.ANONYMOUS, "browser-1"))
DAN = lead_ids.of(Identifier(Kind.EMAIL, "dan@example.com"))
SAID_OF_MAILS = ("delivered", "opened", "clicked")
VISITOR = a_lead(an_event(id="event-2", anonymous_id="browser-1"))


def one_more(lead_id: str) -> Change[int]:
    """Counts on the lead, in a field that stands for any: a read-modify-write."""

    def change(loaded: Loaded) -> Commit[int]:
        lead = loaded[lead_id]
        assert isinstance(lead, Lead)
        count = lead.progress.peak_score + 1
        return Commit(count, [replace(lead, progress=replace(lead.progress, peak_score=count))])

    return change


def looking_at(into: list[Loaded]) -> Change[None]:
    def change(loaded: Loaded) -> Commit[None]:
        into.append(dict(loaded))
        return Commit(None)

    return change


async def count_of(store: LeadStore, lead_id: str) -> int:
    lead = await store.get(lead_id)
    assert isinstance(lead, Lead)
    return lead.progress.peak_score


async def all_ids(store: LeadStore) -> list[str]:
    return [lead.id async for lead in store.leads()]


async def test_a_written_lead_is_read_back_exactly(store: LeadStore) -> None:
    lead = a_lead(
        an_event(
            traits={"company": "Łódź & Söhne 株式会社 🚀", "employees": 80, "tags": ["a", None]}
        ),
        an_event(id="event-2", anonymous_id="browser-1", email="ada@example.com"),
        outbox=(a_trigger(body='{"name":"Ж"}', attributes=(("stage", "mql"),)),),
        created_at=NOW + timedelta(microseconds=1),
    )
    await store.update([lead.id], keeping(lead))
    assert await store.get(lead.id) == lead


async def test_the_journey_and_the_words_of_sales_are_read_back_exactly(store: LeadStore) -> None:
    told = {"note": "Ruft im Juli an 🚀", "budget": 50_000}
    lead = a_lead(an_event(name="sales_rejected", properties={"reason": "not_ready", **told}))
    details = (("message", "Wir brauchen SSO – 株式会社"), ("path", "/pricing"))
    step = NotableStep(1_773_144_000_000, "k", 1, "form_submitted", "form", details)
    trail = replace(lead.trails[lead.id], steps=(step,))
    lead = replace(lead, trails={**lead.trails, lead.id: trail})
    assert lead.statements[0].details
    await store.update([lead.id], keeping(lead))
    found = await store.get(lead.id)
    assert found == lead
    assert found.steps == (step,)


async def test_clicks_in_mails_are_read_back_exactly(store: LeadStore) -> None:
    sent = {"message_id": "m1", "url": "https://shop.example/a"}
    lead = a_lead(*(an_event(id=n, name=f"email_{n}", properties=sent) for n in SAID_OF_MAILS))
    step = NotableStep(1_773_144_000_000, "k", 1, "email_clicked", "click", (("url", "a"),))
    trail = replace(lead.trails[lead.id], unjudged={"k": Unjudged(step, NO_READINGS)})
    lead = replace(lead, trails={**lead.trails, lead.id: trail})
    await store.update([lead.id], keeping(lead))
    found = await store.get(lead.id)
    assert found == lead
    assert {len(event.mark) for event in trail.history.kept.values()} == {0, 4, 8}


async def test_another_instance_reads_a_written_lead(open_store: OpenStore) -> None:
    await open_store().update([ADA.id], keeping(ADA))
    assert await open_store().get(ADA.id) == ADA


async def test_reading_an_unknown_lead_returns_none(store: LeadStore) -> None:
    seen: list[Loaded] = []
    await store.update([ADA.id], looking_at(seen))
    assert seen[-1] == {ADA.id: None}
    assert await store.get(ADA.id) is None


async def test_an_update_returns_what_the_change_decided(store: LeadStore) -> None:
    answer = await store.update([ADA.id], lambda _: Commit("decided", [ADA]))
    assert answer == "decided"


async def test_an_error_as_a_result_is_a_result(store: LeadStore) -> None:
    error = ValueError("found, not raised")
    assert await store.update([], lambda _: Commit(error)) is error


async def test_an_error_of_the_change_passes_through_and_nothing_is_written(
    store: LeadStore,
) -> None:
    def flooded(_: Loaded) -> Commit[None]:
        raise RejectedError(Reason.LEAD_FLOODED, "too many events")

    await store.update([ADA.id], keeping(ADA))
    with pytest.raises(RejectedError) as caught:
        await store.update([ADA.id], flooded)
    assert caught.value.reason is Reason.LEAD_FLOODED
    assert await store.get(ADA.id) == ADA


async def test_an_error_of_one_change_costs_no_other_that_runs_at_the_same_time(
    store: LeadStore,
) -> None:
    def fails(_: Loaded) -> Commit[int]:
        raise RejectedError(Reason.LEAD_FLOODED, "too many events")

    await store.update([ADA.id], keeping(ADA))
    changes = [fails if i % 3 == 0 else one_more(ADA.id) for i in range(30)]
    updates = (store.update([ADA.id], change) for change in changes)
    answers = await asyncio.gather(*updates, return_exceptions=True)
    assert [isinstance(answer, RejectedError) for answer in answers] == [True, False, False] * 10
    assert await count_of(store, ADA.id) == 20


async def test_an_update_that_cannot_be_written_fails_alone_and_leaves_nothing(
    store: LeadStore,
) -> None:
    unwritable = replace(ADA, created_at="not a time")  # type: ignore[arg-type]  # that is the test
    changes = [keeping(VISITOR), keeping(BOB), keeping(CYN, unwritable), keeping(BOB)]
    updates = (store.update([], change) for change in changes)
    answers = await asyncio.gather(*updates, return_exceptions=True)
    assert [isinstance(answer, TypeError) for answer in answers] == [False, False, True, False]
    assert await all_ids(store) == sorted([BOB.id, BROWSER])


async def test_fifty_tasks_on_one_lead_lose_nothing(store: LeadStore) -> None:
    await store.update([ADA.id], keeping(ADA))
    answers = await asyncio.gather(*(store.update([ADA.id], one_more(ADA.id)) for _ in range(50)))
    assert sorted(answers) == list(range(1, 51))
    assert await count_of(store, ADA.id) == 50


async def test_two_instances_on_one_lead_lose_nothing(
    open_store: OpenStore,
) -> None:
    stores = [open_store(), open_store()]
    await stores[0].update([ADA.id], keeping(ADA))

    async def ten_times(store: LeadStore) -> list[int]:
        return [await store.update([ADA.id], one_more(ADA.id)) for _ in range(10)]

    answers = await asyncio.gather(*(ten_times(store) for store in stores * 5))
    assert sorted(count for counts in answers for count in counts) == list(range(1, 101))
    assert await count_of(stores[1], ADA.id) == 100


@pytest.mark.slow
async def test_tasks_on_many_leads_lose_nothing(store: LeadStore) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(40)]
    await asyncio.gather(*(store.update([lead.id], keeping(lead)) for lead in leads))
    await asyncio.gather(
        *(store.update([lead.id], one_more(lead.id)) for _ in range(5) for lead in leads)
    )
    assert [await count_of(store, lead.id) for lead in leads] == [5] * 40


async def test_two_leads_change_together_or_not_at_all(store: LeadStore) -> None:
    def move_one(loaded: Loaded) -> Commit[None]:
        ada, bob = loaded[ADA.id], loaded[BOB.id]
        assert isinstance(ada, Lead)
        assert isinstance(bob, Lead)
        less, more = ada.progress.peak_score - 1, bob.progress.peak_score + 1
        return Commit(
            None,
            [
                replace(ada, progress=replace(ada.progress, peak_score=less)),
                replace(bob, progress=replace(bob.progress, peak_score=more)),
            ],
        )

    await store.update([], keeping(ADA, BOB))
    await asyncio.gather(*(store.update([ADA.id, BOB.id], move_one) for _ in range(25)))
    assert await count_of(store, ADA.id) == -25
    assert await count_of(store, BOB.id) == 25


async def test_a_change_may_ask_for_more_leads(store: LeadStore) -> None:
    def ada_then_bob_then_cyn(loaded: Loaded) -> Commit[list[str | None]] | Need:
        for wanted in (BOB.id, CYN.id):
            if wanted not in loaded:
                return Need(frozenset([wanted]))
        emails = [
            lead.email if isinstance(lead, Lead) else None
            for lead in map(loaded.get, (ADA.id, BOB.id, CYN.id))
        ]
        return Commit(emails)

    await store.update([], keeping(ADA, BOB))
    answer = await store.update([ADA.id], ada_then_bob_then_cyn)
    assert answer == ["ada@example.com", "bob@example.com", None]


async def test_a_change_that_asks_for_what_it_has_is_stopped(store: LeadStore) -> None:
    with pytest.raises(RuntimeError):
        await store.update([ADA.id], lambda _: Need(frozenset([ADA.id])))


async def test_an_alias_leads_to_the_lead(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={BROWSER: ADA.id}))
    seen: list[Loaded] = []
    await store.update([BROWSER, ADA.id], looking_at(seen))
    assert seen[-1] == {BROWSER: ADA, ADA.id: ADA}
    assert await store.get(BROWSER) == ADA


async def test_an_alias_of_an_alias_leads_to_the_lead(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={BROWSER: ADA.id}))
    await store.update([], keeping(BOB, aliases={ADA.id: BOB.id}))
    await store.update([], keeping(CYN, aliases={BOB.id: CYN.id}))
    assert [await store.get(id_) for id_ in (BROWSER, ADA.id, BOB.id)] == [CYN, CYN, CYN]
    assert await all_ids(store) == [CYN.id]


async def test_an_alias_of_nobody_and_a_circle_of_aliases_are_no_lead(store: LeadStore) -> None:
    await store.update([], keeping(aliases={ADA.id: BOB.id, BOB.id: ADA.id, BROWSER: CYN.id}))
    assert [await store.get(id_) for id_ in (ADA.id, BOB.id, BROWSER)] == [None, None, None]


async def test_an_alias_of_a_lead_to_itself_changes_nothing(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={ADA.id: ADA.id}))
    assert await store.get(ADA.id) == ADA


async def test_a_lead_merged_into_another_stops_being_one(store: LeadStore) -> None:
    await store.update([], keeping(ADA, VISITOR))
    merged = replace(ADA, trails={**ADA.trails, **VISITOR.trails})
    await store.update([ADA.id, BROWSER], keeping(merged, aliases={BROWSER: ADA.id}))
    assert await store.get(BROWSER) == merged
    assert await all_ids(store) == [ADA.id]


async def test_an_alias_that_becomes_a_lead_again_stops_being_an_alias(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={BROWSER: ADA.id}))
    await store.update([], keeping(VISITOR))
    assert await store.get(BROWSER) == VISITOR
    assert await store.get(ADA.id) == ADA


async def test_updates_through_an_alias_and_by_id_meet_in_one_lead(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={BROWSER: ADA.id}))
    await asyncio.gather(
        *(store.update([id_], one_more(id_)) for _ in range(20) for id_ in (ADA.id, BROWSER))
    )
    assert await count_of(store, ADA.id) == 40


async def test_merges_among_updates_lose_nothing(store: LeadStore) -> None:
    def merge(loaded: Loaded) -> Commit[int]:
        ada, visitor = loaded[ADA.id], loaded[BROWSER]
        assert isinstance(ada, Lead)
        assert isinstance(visitor, Lead)
        if ada == visitor:
            return Commit(0)
        total = ada.progress.peak_score + visitor.progress.peak_score
        merged = replace(ada, progress=replace(ada.progress, peak_score=total))
        return Commit(total, [merged], {BROWSER: ADA.id})

    await store.update([], keeping(ADA, VISITOR))
    counting = [(id_, one_more(id_)) for _ in range(20) for id_ in (ADA.id, BROWSER)]
    await asyncio.gather(
        *(store.update([id_], change) for id_, change in counting[:20]),
        store.update([ADA.id, BROWSER], merge),
        *(store.update([id_], change) for id_, change in counting[20:]),
        store.update([BROWSER, ADA.id], merge),
    )
    assert await all_ids(store) == [ADA.id]
    assert await count_of(store, BROWSER) == 40


async def test_transitions_are_read_in_the_order_of_time(store: LeadStore) -> None:
    first, second, third = (
        a_transition(at=NOW + timedelta(days=day), cycle=day, reason=f"Grund № {day}")
        for day in (1, 2, 3)
    )
    await store.update([], keeping(ADA, transitions=[(ADA.id, first)]))
    await store.update([], keeping(transitions=[(ADA.id, third), (BOB.id, first)]))
    await store.update([], keeping(transitions=[(ADA.id, second)]))
    assert await store.transitions(ADA.id) == [first, second, third]
    assert await store.transitions(BOB.id) == [first]
    assert await store.transitions(CYN.id) == []


async def test_transitions_of_a_merged_lead_are_those_of_both(store: LeadStore) -> None:
    early, late = a_transition(at=NOW), a_transition(at=NOW + timedelta(days=1))
    await store.update([], keeping(ADA, transitions=[(ADA.id, late)]))
    await store.update([], keeping(VISITOR, transitions=[(BROWSER, early)]))
    merged = replace(ADA, trails={**ADA.trails, **VISITOR.trails})
    await store.update([], keeping(merged, aliases={BROWSER: ADA.id}))
    assert await store.transitions(ADA.id) == [early, late]
    assert await store.transitions(BROWSER) == [early, late]


@pytest.mark.slow
async def test_every_lead_comes_once_in_order_of_id(store: LeadStore) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(450)]
    await store.update([], keeping(*leads, aliases={BROWSER: leads[0].id}))
    found = [lead async for lead in store.leads()]
    assert found == sorted(leads, key=lambda lead: lead.id)


def scored(name: str, score: int, stage: str = "lead") -> Lead:
    snapshot = Snapshot(
        score=score, engagement=score, fit=0, day=1, model_version="v1", active_day=1
    )
    lead = a_lead_named(name)
    return replace(lead, snapshot=snapshot, progress=replace(lead.progress, stage=stage))


async def listed(store: LeadStore, asked: LeadQuery, most: int) -> list[Lead]:
    """All leads that are asked for, page by page."""
    found: list[Listed] = []
    while page := await store.listed(asked, most=most, after=found[-1].place if found else None):
        assert len(page) <= most
        found += page
    leads = [each.lead for each in found if isinstance(each.lead, Lead)]
    assert [value_of(lead, asked) for lead in leads] == [each.place.value for each in found]
    return leads


def value_of(lead: Lead, asked: LeadQuery) -> int:
    facts = listed_as(lead)
    assert facts
    assert facts.active is not None
    return {"score": facts.score, "since": facts.since_day, "active": facts.active}[asked.order]


@pytest.mark.parametrize("most", [1, 7, 100])
async def test_pages_by_score_hold_every_lead_once_the_highest_first(
    store: LeadStore, most: int
) -> None:
    leads = [
        scored(f"person-{i}", score=i * 7 % 5, stage="mql" if i % 3 else "lead") for i in range(30)
    ]
    await store.update(
        [], keeping(*leads, aliases={BROWSER: leads[0].id}, tombstones={ADA.id: Tombstone(NOW)})
    )
    ordered = sorted(
        leads, key=lambda lead: (lead.snapshot.score if lead.snapshot else 0, lead.id), reverse=True
    )
    assert await listed(store, LeadQuery(), most) == ordered
    in_mql = [lead for lead in ordered if lead.progress.stage == "mql"]
    assert await listed(store, LeadQuery(stage="mql"), most) == in_mql
    assert await listed(store, LeadQuery(stage="customer"), most) == []


async def test_a_list_by_score_follows_what_is_written(store: LeadStore) -> None:
    await store.update([], keeping(scored("ada", 10), scored("bob", 20)))
    assert [each.lead.id for each in await store.listed(LeadQuery(), most=5)] == [BOB.id, ADA.id]
    await store.update([ADA.id], keeping(scored("ada", 30, stage="mql")))
    assert [each.lead.id for each in await store.listed(LeadQuery(), most=1)] == [ADA.id]
    assert await store.listed(LeadQuery(stage="lead"), most=5) == [
        Listed(ListPlace(20, BOB.id), scored("bob", 20))
    ]


def a_varied_lead(number: int) -> Lead:
    """One of the leads of which every condition of a list picks some, and none picks all."""
    lead = scored(f"person-{number}", score=number % 4, stage="mql" if number % 2 else "lead")
    sources = ("google", "linkedin", None)
    if source := sources[number % 3]:
        event = an_event(
            email=f"person-{number}@example.com", attribution={"utm_source": source}, direct=False
        )
        lead = replace(a_lead(event), snapshot=lead.snapshot, progress=lead.progress)
    told = frozenset({Deadline.TOUCH_BREACHED} if number % 5 == 0 else ())
    offer = Offer(cycle=1, stage="mql", at=NOW, owner=f"owner-{number % 2}", told=told)
    assert lead.snapshot
    return replace(
        lead,
        snapshot=replace(lead.snapshot, grade="AB"[number % 2], active_day=number % 3),
        progress=replace(lead.progress, since=NOW - timedelta(days=number % 6)),
        offer=offer if number % 4 else None,
    )


@pytest.mark.parametrize("order", ["score", "since", "active"])
@pytest.mark.parametrize(
    "asked",
    [
        LeadQuery(),
        LeadQuery(grade="A"),
        LeadQuery(source="google"),
        LeadQuery(owner="owner-1"),
        LeadQuery(overdue=True),
        LeadQuery(stage="mql", grade="B", source="linkedin", owner="owner-1"),
        LeadQuery(stage="lead", overdue=True),
        LeadQuery(owner="nobody"),
    ],
    ids=lambda asked: ",".join(asked.conditions) or "all",
)
async def test_a_list_holds_exactly_what_is_asked_for_in_its_order(
    store: LeadStore, asked: LeadQuery, order: Order
) -> None:
    asked = structs.replace(asked, order=order)
    leads = [a_varied_lead(number) for number in range(40)]
    await store.update([], keeping(*leads, aliases={BROWSER: leads[0].id}))

    def holds(lead: Lead) -> bool:
        facts = listed_as(lead)
        assert facts
        return all(getattr(facts, name) == value for name, value in asked.conditions.items())

    wanted = [lead for lead in leads if holds(lead)]
    wanted.sort(key=lambda lead: (value_of(lead, asked), lead.id), reverse=True)
    assert await listed(store, asked, 7) == wanted


def called(name: str, company: str = "", email: str = "ada@example.com", **fields: Any) -> Lead:
    traits = {"name": name, "company": company}
    return a_lead(an_event(email=email, traits=traits), **fields)


async def found(store: LeadStore, text: str, most: int = 9) -> set[str]:
    leads = await store.found(sought_word(text), most=most)
    assert len(leads) <= most
    return {lead.id for lead in leads}


async def test_leads_are_found_by_the_beginning_of_a_word(store: LeadStore) -> None:
    ada = called("Ada Lovelace", "Analytical Engines")
    bob = called("Bob Adams", "Acme", email="bob@acme.example")
    await store.update([], keeping(ada, bob, VISITOR))
    for text, ids in (
        ("ada", {ada.id, bob.id}),
        ("LOVE", {ada.id}),
        ("ada lovelace", {ada.id}),
        ("engine", {ada.id}),
        ("bob@acme", {bob.id}),
        ("acme.example", {bob.id}),
        *((text, set()) for text in ("lace", "a", "", "adz", "ada x%", "browser")),
    ):
        assert await found(store, text) == ids, text
    assert len(await found(store, "ada", most=1)) == 1


async def test_a_lead_is_found_by_what_it_is_called_now(store: LeadStore) -> None:
    await store.update([], keeping(called("Ada Byron", "Acme")))
    await store.update([ADA.id], one_more(ADA.id))
    assert await found(store, "byron") == {ADA.id}
    await store.update([ADA.id], keeping(called("Ada Lovelace", "Acme")))
    assert await found(store, "byron") == set()
    assert await found(store, "lovelace") == await found(store, "acme") == {ADA.id}
    await store.update([ADA.id], keeping(ADA))
    assert await found(store, "lovelace") == set()


async def test_nobody_finds_an_erased_or_a_merged_lead(store: LeadStore) -> None:
    await store.update([], keeping(called("Ada"), called("Bob", email="bob@example.com")))
    await store.update([ADA.id], keeping(tombstones={ADA.id: Tombstone(NOW)}))
    await store.update([BOB.id], keeping(CYN, aliases={BOB.id: CYN.id}))
    assert await found(store, "ada") == await found(store, "bob") == set()
    await store.clear()
    assert await found(store, "cyn") == set()


def of_an_earlier_release(name: str) -> Lead:
    lead = scored(name, score=5)
    assert lead.snapshot
    return replace(lead, snapshot=replace(lead.snapshot, active_day=None))


async def relisted(store: LeadStore, most: int, *, until: Until = lambda: False) -> list[str]:
    """The ids in groups, each lead evaluated; the last is whether all of them were."""
    groups = []

    async def evaluate(ids: Sequence[str]) -> None:
        groups.append(len(ids))
        leads = [await store.get(id_) for id_ in ids]
        await store.update(ids, keeping(*(scored_now(lead) for lead in leads if lead)))

    done = await store.relist(evaluate, most=most, until=until)
    return [*map(str, groups), "done" if done else "more"]


def scored_now(lead: Lead) -> Lead:
    assert lead.snapshot
    return replace(lead, snapshot=replace(lead.snapshot, active_day=7))


async def test_leads_of_an_earlier_release_are_handed_out_once_to_be_listed(
    open_store: OpenStore,
) -> None:
    store, ids = open_store(), [f"person-{number}" for number in range(5)]
    await store.update([], keeping(*map(of_an_earlier_release, ids), scored("ada", 9)))
    assert len(await listed_ids(store, "score")) == 6
    assert len(await listed_ids(store, "active")) == 1
    turns = iter([False, False, True])
    groups = await relisted(store, 2, until=lambda: next(turns))
    assert groups[-1] == "more"
    more = await relisted(open_store(), 100)  # another process goes on
    assert sum(map(int, [*groups[:-1], *more[:-1]])) == 5
    assert more[-1] == "done"
    assert len(await listed_ids(store, "active")) == 6
    assert await relisted(store, 2) == ["done"]


async def test_leads_that_could_not_be_evaluated_come_again(store: LeadStore) -> None:
    await store.update([], keeping(of_an_earlier_release("ada")))

    async def fail(_: Sequence[str]) -> None:
        raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        await store.relist(fail, most=5, until=lambda: False)
    assert await relisted(store, 5) == ["1", "done"]


async def listed_ids(store: LeadStore, order: Order) -> list[str]:
    return [each.place.id for each in await store.listed(LeadQuery(order=order), most=99)]


@pytest.mark.parametrize("most", [1, 7, 100])
async def test_the_shards_hold_every_lead_once_in_order_of_id(store: LeadStore, most: int) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(30)]
    await store.update([], keeping(*leads, aliases={BROWSER: leads[0].id}))
    found: list[str] = []
    for shard in range(store.shards):
        after: DueLead | None = None
        of_shard: list[str] = []
        while page := await store.by_id(shard=shard, most=most, after=after):
            of_shard += [due.id for due in page]
            after = page[-1]
        assert of_shard == sorted(of_shard)
        found += of_shard
    assert sorted(found) == sorted(lead.id for lead in leads)


@pytest.mark.slow
async def test_leads_may_change_while_they_are_gone_through(store: LeadStore) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(250)]
    await store.update([], keeping(*leads))
    found = []
    async for lead in store.leads():
        found.append(lead.id)
        await store.update([lead.id], one_more(lead.id))
    assert found == sorted(lead.id for lead in leads)


async def test_an_erased_lead_leaves_a_tombstone_and_nothing_else(store: LeadStore) -> None:
    grave = Tombstone(NOW)
    await store.update([], keeping(ADA, BOB, aliases={BROWSER: ADA.id}))
    await store.update([ADA.id], keeping(tombstones={ADA.id: grave, BROWSER: grave}))
    seen: list[Loaded] = []
    await store.update([ADA.id, BROWSER, BOB.id], looking_at(seen))
    assert seen[-1] == {ADA.id: grave, BROWSER: grave, BOB.id: BOB}
    assert await store.get(BROWSER) is None
    assert await all_ids(store) == [BOB.id]


async def test_a_tombstone_knows_what_was_erased_together(store: LeadStore) -> None:
    together = Tombstone(NOW, tuple(sorted([ADA.id, BROWSER])))
    await store.update([], keeping(tombstones=dict.fromkeys(together.ids, together)))
    seen: list[Loaded] = []
    await store.update([BROWSER], looking_at(seen))
    assert seen[-1] == {BROWSER: together}


async def test_erasures_are_known_by_tombstones_and_by_leads_that_came_again(
    store: LeadStore,
) -> None:
    alone, together = Tombstone(NOW), Tombstone(NOW, tuple(sorted([ADA.id, BROWSER])))
    begun_anew = {id_: replace(t, erased_ms=to_ms(NOW)) for id_, t in CYN.trails.items()}
    again = replace(CYN, trails=begun_anew)
    others = [a_lead_named(f"person-{i}") for i in range(250)]
    nobody = {**dict.fromkeys(together.ids, together), DAN: alone}
    await store.update([], keeping(BOB, again, *others, aliases={"alias": BOB.id}))
    await store.update([], keeping(tombstones=nobody))
    found = {each async for each in store.erasures()}
    assert found == {together, Tombstone(NOW, (DAN,)), Tombstone(NOW, (CYN.id,))}


async def test_with_a_tombstone_go_the_moves_recorded_under_its_id(open_store: OpenStore) -> None:
    store = open_store()
    moves = [a_transition(at=NOW + timedelta(seconds=i), cycle=i) for i in range(450)]
    await store.update([], keeping(ADA, BOB, transitions=[(ADA.id, move) for move in moves]))
    kept = [(BOB.id, moves[0]), (BROWSER, moves[1]), (CYN.id, moves[2])]
    await store.update([], keeping(transitions=kept))
    grave = Tombstone(NOW)
    await open_store().update([ADA.id], keeping(tombstones={ADA.id: grave, BROWSER: grave}))
    left = [await store.transitions(id_) for id_ in (ADA.id, BROWSER, BOB.id, CYN.id)]
    assert left == [[], [], [moves[0]], [moves[2]]]


async def test_moves_that_come_with_or_after_a_tombstone_stay(store: LeadStore) -> None:
    first, again, last = (a_transition(cycle=i, at=NOW + timedelta(days=i)) for i in (1, 2, 3))
    await store.update([], keeping(ADA, transitions=[(ADA.id, first)]))
    await asyncio.gather(
        store.update([ADA.id], keeping(ADA, transitions=[(ADA.id, again)])),
        store.update([ADA.id], keeping(tombstones={ADA.id: Tombstone(NOW)})),
        store.update([ADA.id], keeping(ADA, transitions=[(ADA.id, last)])),
    )
    assert await store.transitions(ADA.id) == [last]
    assert await store.get(ADA.id) == ADA


async def test_a_lead_erased_during_other_writes_stays_erased(
    open_store: OpenStore,
) -> None:
    stores = [open_store(), open_store(), open_store()]

    def unless_erased(number: int) -> Change[bool]:
        move = a_transition(at=NOW + timedelta(seconds=number), cycle=number)

        def change(loaded: Loaded) -> Commit[bool]:
            lead = loaded[ADA.id]
            if isinstance(lead, Tombstone):
                return Commit(False)
            return Commit(True, [ADA], transitions=[(ADA.id, move)])

        return change

    def buried(_: Loaded) -> Commit[bool]:
        return Commit(True, tombstones={ADA.id: Tombstone(NOW)})

    await stores[0].update([ADA.id], unless_erased(0))
    await asyncio.gather(
        *(stores[i % 2].update([ADA.id], unless_erased(i)) for i in range(1, 20)),
        stores[2].update([ADA.id], buried),
        *(stores[i % 2].update([ADA.id], unless_erased(i)) for i in range(20, 40)),
    )
    assert await stores[0].get(ADA.id) is None
    assert await stores[1].transitions(ADA.id) == []


async def test_an_erased_person_who_returns_is_a_lead(store: LeadStore) -> None:
    await store.update([], keeping(tombstones={ADA.id: Tombstone(NOW), BROWSER: Tombstone(NOW)}))
    await store.update([ADA.id], keeping(ADA, aliases={BROWSER: ADA.id}))
    assert await store.get(BROWSER) == ADA


async def test_a_lead_that_was_only_read_has_not_changed_at_commit(
    open_store: OpenStore,
) -> None:
    """Whoever sees the other's count at zero adds to its own: only one of them may."""
    stores = [open_store(), open_store()]

    def alone(own: Lead, other: Lead) -> Change[bool]:
        def change(loaded: Loaded) -> Commit[bool]:
            seen, rival = loaded[own.id], loaded[other.id]
            assert isinstance(seen, Lead)
            assert isinstance(rival, Lead)
            if rival.progress.peak_score:
                return Commit(False)
            return Commit(True, [replace(seen, progress=replace(seen.progress, peak_score=1))])

        return change

    for i in range(10):
        ada, bob = a_lead_named(f"ada-{i}"), a_lead_named(f"bob-{i}")
        await stores[0].update([], keeping(ada, bob))
        done = await asyncio.gather(
            stores[0].update([ada.id, bob.id], alone(ada, bob)),
            stores[1].update([bob.id, ada.id], alone(bob, ada)),
        )
        assert sorted(done) == [False, True]


async def test_two_instances_that_make_one_lead_make_it_once(open_store: OpenStore) -> None:
    def first_or_more(loaded: Loaded) -> Commit[int]:
        lead = loaded[ADA.id]
        before = lead if isinstance(lead, Lead) else ADA
        count = before.progress.peak_score + 1
        kept = replace(before, progress=replace(before.progress, peak_score=count))
        return Commit(count, [kept])

    stores = [open_store(), open_store()]
    answers = await asyncio.gather(*(s.update([ADA.id], first_or_more) for s in stores * 4))
    assert await count_of(stores[0], ADA.id) == max(answers)
    assert max(answers) == 8


async def test_leads_with_unsent_triggers_are_found_until_they_are_sent(store: LeadStore) -> None:
    waiting = replace(ADA, outbox=(a_trigger(),))
    await store.update([], keeping(waiting, BOB))
    assert [lead async for lead in store.with_unsent_triggers()] == [waiting]
    await store.update([], keeping(ADA, BOB))
    assert [lead async for lead in store.with_unsent_triggers()] == []


@pytest.mark.slow
async def test_many_leads_with_unsent_triggers_are_all_found(store: LeadStore) -> None:
    leads = [
        a_lead_named(f"person-{i}", outbox=(a_trigger(at=NOW + timedelta(seconds=i % 7)),))
        for i in range(450)
    ]
    for start in range(0, 450, 150):
        await store.update([], keeping(*leads[start : start + 150]))
    found = {lead.id async for lead in store.with_unsent_triggers()}
    assert found == {lead.id for lead in leads}


# --- leads that are due ---------------------------------------------------------------------

TODAY = 20_522
Page = Callable[[LeadStore, int, int, DueLead | None], Awaitable[Sequence[DueLead]]]


def decay_page(
    store: LeadStore, shard: int, most: int, after: DueLead | None
) -> Awaitable[Sequence[DueLead]]:
    return store.due_for_decay(TODAY, shard=shard, most=most, after=after)


def followup_page(
    store: LeadStore, shard: int, most: int, after: DueLead | None
) -> Awaitable[Sequence[DueLead]]:
    return store.due_for_followup(NOW, shard=shard, most=most, after=after)


def fading(lead: Lead, day: int | None) -> Lead:
    return replace(lead, decay_on=day)


def waiting(lead: Lead, seconds: float | None) -> Lead:
    return replace(lead, due_at=None if seconds is None else NOW + timedelta(seconds=seconds))


async def due(store: LeadStore, page: Page, most: int = 100) -> list[DueLead]:
    """All that are due, page by page, one shard after the other."""
    found: list[DueLead] = []
    for shard in range(store.shards):
        after, got = None, None
        while got is None or len(got) == most:
            got = await page(store, shard, most, after)
            assert len(got) <= most
            assert [*got] == sorted(got), "the longest overdue first"
            found += got
            after = got[-1] if got else None
    return found


async def test_leads_whose_day_has_come_are_due_and_no_others(store: LeadStore) -> None:
    dan = a_lead_named("dan")
    yesterday, today = fading(ADA, TODAY - 1), fading(BOB, TODAY)
    tomorrow, never = fading(CYN, TODAY + 1), fading(dan, None)
    await store.update([], keeping(yesterday, today, tomorrow, never))
    found = await due(store, decay_page)
    assert sorted(found) == [(TODAY - 1, ADA.id), (TODAY, BOB.id)]
    assert await due(store, followup_page) == []


async def test_leads_whose_moment_has_come_are_due_and_no_others(store: LeadStore) -> None:
    dan = a_lead_named("dan")
    before, now = waiting(ADA, -0.000_001), waiting(BOB, 0)
    after, never = waiting(CYN, 0.000_001), waiting(dan, None)
    await store.update([], keeping(before, now, after, never))
    assert [id_ for _, id_ in sorted(await due(store, followup_page))] == [ADA.id, BOB.id]
    assert await due(store, decay_page) == []


async def test_a_lead_is_due_no_longer_once_it_is_written_so(store: LeadStore) -> None:
    for lead in (fading(ADA, TODAY), fading(ADA, TODAY + 7), fading(ADA, 5), fading(ADA, None)):
        await store.update([ADA.id], keeping(waiting(lead, -60)))
        is_due = lead.decay_on is not None and lead.decay_on <= TODAY
        assert [id_ for _, id_ in await due(store, decay_page)] == [ADA.id] * is_due
        assert [id_ for _, id_ in await due(store, followup_page)] == [ADA.id]
    await store.update([ADA.id], keeping(ADA))
    assert await due(store, followup_page) == []
    assert await store.get(ADA.id) == ADA


async def test_neither_an_alias_nor_the_erased_are_due(store: LeadStore) -> None:
    await store.update([], keeping(*(waiting(fading(lead, 3), -9) for lead in (ADA, VISITOR, BOB))))
    await store.update([], keeping(aliases={BROWSER: BOB.id}, tombstones={ADA.id: Tombstone(NOW)}))
    assert [id_ for _, id_ in await due(store, decay_page)] == [BOB.id]
    assert [id_ for _, id_ in await due(store, followup_page)] == [BOB.id]


@pytest.mark.slow
@pytest.mark.parametrize("page", [decay_page, followup_page])
async def test_every_due_lead_is_on_one_page_of_one_shard(store: LeadStore, page: Page) -> None:
    leads = [
        waiting(fading(a_lead_named(f"person-{i}"), TODAY - i % 5), -(i % 7)) for i in range(150)
    ]
    await store.update([], keeping(*leads))
    found = await due(store, page, most=7)
    assert sorted(id_ for _, id_ in found) == sorted(lead.id for lead in leads)


@pytest.mark.slow
@pytest.mark.parametrize("page", [decay_page, followup_page])
async def test_leads_evaluated_during_a_walk_hide_no_others(store: LeadStore, page: Page) -> None:
    leads = [
        waiting(fading(a_lead_named(f"person-{i}"), TODAY - i % 3), -(i % 3)) for i in range(60)
    ]
    await store.update([], keeping(*leads))
    found: list[str] = []
    for shard in range(store.shards):
        after = None
        while got := await page(store, shard, 4, after):
            found += [id_ for _, id_ in got]
            await store.update([], keeping(*(lead for lead in (ADA, BOB))))
            settled = [lead for lead in leads if lead.id in {id_ for _, id_ in got[1:]}]
            await store.update(
                [], keeping(*(fading(waiting(each, None), None) for each in settled))
            )
            after = got[-1]  # the first of each page stays due: it could not be settled
    assert sorted(found) == sorted(lead.id for lead in leads)


async def test_a_due_lead_is_decided_on_as_it_is_now(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    await one.update([], keeping(fading(ADA, TODAY)))
    assert [id_ for _, id_ in await due(one, decay_page)] == [ADA.id]
    await other.update([ADA.id], one_more(ADA.id))
    assert await one.update([ADA.id], one_more(ADA.id)) == 2


# --- several updates ------------------------------------------------------------------------


@pytest.mark.slow
async def test_several_updates_are_answered_in_their_order(store: LeadStore) -> None:
    leads = [a_lead_named(f"person-{i}") for i in range(60)]
    await store.update([], keeping(*leads))
    for count in (1, 2):
        answers = await store.update_each([([lead.id], one_more(lead.id)) for lead in leads])
        assert [*answers] == [count] * 60
    assert [await count_of(store, lead.id) for lead in leads] == [2] * 60
    assert [*await store.update_each([])] == []


async def test_several_updates_of_one_lead_see_each_other(store: LeadStore) -> None:
    await store.update([], keeping(ADA, aliases={BROWSER: ADA.id}))
    answers = await store.update_each([([id_], one_more(id_)) for id_ in (ADA.id, BROWSER, ADA.id)])
    assert sorted(str(answer) for answer in answers) == ["1", "2", "3"]
    assert await count_of(store, ADA.id) == 3


async def test_an_update_that_fails_costs_none_of_the_others(store: LeadStore) -> None:
    def refuses(_: Loaded) -> Commit[int]:
        raise RejectedError(Reason.LEAD_FLOODED, "too many events")

    def breaks(_: Loaded) -> Commit[int]:
        return Commit(0, [replace(CYN, created_at="not a time")])  # type: ignore[arg-type]  # that is the test

    await store.update([], keeping(ADA, BOB, CYN))
    changes = [one_more(ADA.id), refuses, breaks, one_more(BOB.id)]
    ids = [ADA.id, VISITOR.id, CYN.id, BOB.id]
    answers = await store.update_each(
        [([id_], change) for id_, change in zip(ids, changes, strict=True)]
    )
    assert [type(answer) for answer in answers] == [int, RejectedError, TypeError, int]
    assert [await count_of(store, id_) for id_ in (ADA.id, BOB.id, CYN.id)] == [1, 1, 0]


@pytest.mark.slow
async def test_several_updates_among_those_of_others_lose_nothing(open_store: OpenStore) -> None:
    stores = [open_store(), open_store(), open_store()]
    leads = [a_lead_named(f"person-{i}") for i in range(12)]
    await stores[0].update([], keeping(*leads))

    async def together(store: LeadStore) -> None:
        for _ in range(4):
            answers = await store.update_each([([lead.id], one_more(lead.id)) for lead in leads])
            assert all(isinstance(answer, int) for answer in answers)

    async def alone(store: LeadStore) -> None:
        for _ in range(8):
            await store.update([leads[0].id], one_more(leads[0].id))

    await asyncio.gather(*(together(store) for store in stores), alone(stores[1]), alone(stores[2]))
    counts = [await count_of(stores[0], lead.id) for lead in leads]
    assert counts == [3 * 4 + 2 * 8] + [3 * 4] * 11


async def test_leads_that_are_due_beyond_a_day_are_found_page_by_page(store: LeadStore) -> None:
    leads = [a_lead_named(f"p{i}", decay_on=day) for i, day in enumerate((5, 10, 11, 12, 90_000))]
    await store.update([], keeping(*leads, a_lead_named("never")))

    async def beyond(day: int, most: int) -> list[str]:
        found: list[str] = []
        for shard in range(store.shards):
            after = None
            while page := await store.due_beyond(day, shard=shard, most=most, after=after):
                found += [each.id for each in page]
                after = page[-1]
        return sorted(found)

    for most in (1, 2, 10):
        assert await beyond(10, most) == sorted(lead.id for lead in leads[2:])
        assert await beyond(90_000, most) == []


async def test_clear_forgets_everything(store: LeadStore) -> None:
    await store.update(
        [], keeping(ADA, aliases={BROWSER: ADA.id}, transitions=[(ADA.id, a_transition())])
    )
    await store.update([], keeping(nurtured=[(ADA.id, a_record())]))
    await store.update([], keeping(tombstones={CYN.id: Tombstone(NOW)}))
    await store.clear()
    assert await all_ids(store) == []
    assert await store.get(BROWSER) is None
    assert await store.transitions(ADA.id) == []
    assert await store.nurtured(ADA.id) == []
    seen: list[Loaded] = []
    await store.update([CYN.id], looking_at(seen))
    assert seen[-1] == {CYN.id: None}
    await store.update([], keeping(VISITOR))
    assert await store.get(BROWSER) == VISITOR


def a_record(sequence: str = "welcome", *, run: int = 1, at: datetime = NOW) -> NurtureRecord:
    facts = (
        NurtureFact(NurtureTurn.STARTED, sequence, run),
        NurtureFact(NurtureTurn.SENT, sequence, run, 1, "hello"),
        NurtureFact(NurtureTurn.ENDED, sequence, run, ending=Ending.FINISHED),
    )
    return NurtureRecord(at, "mql", facts)


async def test_records_of_nurture_are_read_in_the_order_of_time(store: LeadStore) -> None:
    first, second = a_record(), a_record(run=2, at=NOW + timedelta(days=1))
    await store.update([], keeping(ADA, nurtured=[(ADA.id, second), (BOB.id, first)]))
    await store.update([], keeping(nurtured=[(ADA.id, first)]))
    assert await store.nurtured(ADA.id) == [first, second]
    assert await store.nurtured(BOB.id) == [first]
    assert await store.nurtured(CYN.id) == []
    assert await store.transitions(ADA.id) == []


async def test_two_records_of_one_moment_are_both_kept(store: LeadStore) -> None:
    both = [a_record("one"), a_record("two")]
    for each in both:
        await store.update([], keeping(nurtured=[(ADA.id, each)]))
    found = await store.nurtured(ADA.id)
    assert sorted(found, key=lambda each: each.facts[0].sequence) == both


async def test_records_of_a_merged_lead_are_those_of_both(store: LeadStore) -> None:
    late, early = a_record(at=NOW + timedelta(days=1)), a_record()
    await store.update([], keeping(ADA, nurtured=[(ADA.id, late)]))
    await store.update([], keeping(VISITOR, nurtured=[(BROWSER, early)]))
    merged = replace(ADA, trails={**ADA.trails, **VISITOR.trails})
    await store.update([], keeping(merged, aliases={BROWSER: ADA.id}))
    assert await store.nurtured(ADA.id) == [early, late]
    assert await store.nurtured(BROWSER) == [early, late]


async def test_a_change_that_is_made_of_none_records_nothing(store: LeadStore) -> None:
    def fail(_: Loaded) -> Commit[None]:
        raise RejectedError(Reason.BODY_EMPTY, "no")

    async def failing() -> None:
        await store.update([ADA.id], fail)

    recording = store.update([ADA.id], keeping(ADA, nurtured=[(ADA.id, a_record())]))
    outcomes = await asyncio.gather(recording, failing(), return_exceptions=True)
    assert isinstance(outcomes[1], RejectedError)
    assert await store.nurtured(ADA.id) == [a_record()]


async def test_with_a_tombstone_go_the_records_of_nurture_under_its_id(
    open_store: OpenStore,
) -> None:
    store = open_store()
    await store.update([], keeping(ADA, BOB, nurtured=[(ADA.id, a_record()), (BOB.id, a_record())]))
    await store.update([], keeping(tombstones={ADA.id: Tombstone(NOW)}))
    assert await store.nurtured(ADA.id) == []
    await store.update([], keeping(nurtured=[(ADA.id, a_record())]))
    again = Tombstone(NOW + timedelta(days=1))
    await open_store().update([], keeping(tombstones={ADA.id: again}))
    assert await store.nurtured(ADA.id) == []
    assert await store.nurtured(BOB.id) == [a_record()]


async def test_records_that_come_with_a_tombstone_stay(store: LeadStore) -> None:
    await store.update([], keeping(ADA, nurtured=[(ADA.id, a_record())]))
    later = a_record(run=2)
    grave = {ADA.id: Tombstone(NOW)}
    await store.update([], keeping(tombstones=grave, nurtured=[(ADA.id, later)]))
    assert await store.nurtured(ADA.id) == [later]


async def test_an_import_that_is_taken_back_takes_no_record_of_nurture(store: LeadStore) -> None:
    move = (ADA.id, a_transition(imported="one"))
    await store.update([], keeping(ADA, transitions=[move], nurtured=[(ADA.id, a_record())]))
    await store.update([ADA.id], keeping(replace(ADA, decay_on=9), retracted=[(ADA.id, "one")]))
    assert await store.nurtured(ADA.id) == [a_record()]
    assert await store.transitions(ADA.id) == []


async def test_moves_of_an_import_are_retracted_and_no_others(store: LeadStore) -> None:
    moves = [
        a_transition(imported="one", to_stage="mql"),
        a_transition(imported="two", to_stage="sql"),
        a_transition(to_stage="customer"),
    ]
    recorded = [(lead.id, move) for lead in (ADA, BOB) for move in moves]
    await store.update([ADA.id], keeping(ADA, BOB, transitions=recorded))
    again = a_transition(imported="one", to_stage="mql", score=99)
    change = keeping(
        replace(ADA, decay_on=9), transitions=[(ADA.id, again)], retracted=[(ADA.id, "one")]
    )
    await store.update([ADA.id], change)
    kept = sorted(await store.transitions(ADA.id), key=lambda move: move.to_stage)
    assert kept == [moves[2], again, moves[1]]
    assert len(await store.transitions(BOB.id)) == 3


async def test_nothing_stays_at_removed_ids(open_store: Callable[[], LeadStore]) -> None:
    store = open_store()
    alias = lead_ids.of(Identifier(Kind.USER, "7"))
    move = (ADA.id, a_transition(imported="one"))
    await store.update([ADA.id], keeping(ADA, aliases={alias: ADA.id}, transitions=[move]))
    gone = keeping(removed=[ADA.id, alias], retracted=[(ADA.id, "one")])
    await store.update([ADA.id], gone)
    for each in (store, open_store()):
        assert await each.get(ADA.id) is None
        assert await each.get(alias) is None
        assert await each.transitions(ADA.id) == []
        assert [lead async for lead in each.leads()] == []
    await store.update([ADA.id], keeping(ADA))
    assert await store.get(ADA.id) == ADA
