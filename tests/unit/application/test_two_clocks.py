"""When something was so, and when it was learnt: moves go by both, and old facts never act."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import NOW, an_event, lead_ids
from effort import examples
from unit.application.living import DAY, HOUR, LIVING, Place, place, settling
from unit.application.test_concurrent_requests import decide
from warmlead.application.apply import Decision, Scoring, apply
from warmlead.application.due import decay, follow_up
from warmlead.application.passages import MAX_STOPS, stops_among
from warmlead.domain.event import Event
from warmlead.domain.lead import Lead
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.move_order import in_order_learnt
from warmlead.domain.rules import Rules
from warmlead.domain.stages import StagePolicy, Transition
from warmlead.stores.base import Record
from warmlead.stores.codec import LeadDocument

SCORING = Scoring(LIVING, lead_ids)
MINUTE = timedelta(minutes=1)


class Days:
    """A place in which things happen at one time and are learnt at another."""

    def __init__(self, here: Place, rules: Rules = LIVING) -> None:
        self.here = here
        self.rules = rules
        self._made = 0

    @property
    def now(self) -> datetime:
        return self.here.clock.now()

    def event(self, name: str, ago: timedelta = timedelta(0), **others: Any) -> Event:
        """Something that happened some time ago, and is received now."""
        self._made += 1
        at = self.now - ago
        fields = {"id": f"event-{self._made}", "name": name, "occurred_at": at}
        return an_event(**{**fields, "received_at": self.now, **others})

    def views(self, count: int, ago: timedelta = timedelta(0), **others: Any) -> list[Event]:
        """Page views, a minute apart, the last of them some time ago."""
        return [
            self.event("page_viewed", ago + (count - 1 - i) * MINUTE, **others)
            for i in range(count)
        ]

    async def learn(self, *events: Event) -> None:
        scoring = Scoring(self.rules, lead_ids)
        store, bus, clock = self.here.store, self.here.bus, self.here.clock
        await apply(events, store=store, bus=bus, scoring=scoring, clock=clock)

    async def lead(self) -> Lead:
        (lead,) = await self.here.leads()
        return lead

    async def moves(self) -> Sequence[Transition]:
        return await self.here.store.transitions((await self.lead()).id)

    async def told(self) -> list[Mapping[str, Any]]:
        return [json.loads(message.body) for message in await self.here.triggers()]

    async def kinds(self) -> Counter[str]:
        return Counter(each["type"].removeprefix("warmlead.") for each in await self.told())

    async def live(self, days: int) -> None:
        """Time goes by: twice a day everything that is due is done."""
        context = replace(settling(self.here.store, self.here.bus, self.here.clock))
        context = replace(context, rules=self.rules)
        for _ in range(2 * days):
            self.here.clock.forward(DAY / 2)
            await decay(context)
            await follow_up(context)


@pytest.fixture
async def days(tmp_path: Path) -> AsyncIterator[Days]:
    async with place(tmp_path / "w.db", NOW) as here:
        yield Days(here)


def path(moves: Sequence[Transition]) -> list[tuple[str, datetime]]:
    return [(move.to_stage, move.at) for move in moves]


# --- since when it was so ---------------------------------------------------------------------


async def test_a_statement_of_sales_is_so_from_its_own_time_on(days: Days) -> None:
    await days.learn(*days.views(3))
    days.here.clock.forward(4 * DAY)
    said = days.event("sales_accepted", 2 * DAY)
    await days.learn(said)
    *_, sql = await days.moves()
    assert (sql.to_stage, sql.at, sql.learnt_at) == ("sql", NOW + 2 * DAY, NOW + 4 * DAY)
    assert sql.hours_in_stage == 48
    progress = (await days.lead()).progress
    assert (progress.since, progress.learnt_at) == (sql.at, sql.learnt_at)


async def test_a_statement_is_so_from_its_own_time_on_whatever_the_model_did_since(
    days: Days,
) -> None:
    # Bought on the 5th, which is learnt on the 10th; the model made her an MQL on the 8th.
    await days.learn(*days.views(4, 2 * DAY))
    await days.learn(days.event("sales_won", 5 * DAY))
    *_, won = await days.moves()
    assert (won.to_stage, won.at, won.hours_in_stage) == ("customer", NOW - 5 * DAY, 0)


async def test_a_move_by_events_was_so_when_the_last_of_them_happened(days: Days) -> None:
    await days.learn(*days.views(2, 3 * HOUR))
    await days.learn(*days.views(1, HOUR))
    assert path(await days.moves()) == [
        ("lead", NOW - 3 * HOUR - MINUTE),
        ("mql", NOW - HOUR),
    ]
    assert {move.learnt_at for move in await days.moves()} == {NOW}


async def test_the_model_moves_nobody_before_the_move_before(days: Days) -> None:
    # At 11 she is an MQL. At noon a view of 10 is learnt, and that she asked to be left alone.
    await days.learn(*days.views(3, HOUR))
    await days.learn(days.event("sales_rejected", 30 * MINUTE, properties={"reason": "bad_fit"}))
    days.here.clock.forward(MINUTE)
    await days.learn(days.event("form_submitted", 2 * HOUR, traits={"company": "Analytical"}))
    moves = await days.moves()
    assert [move.at for move in moves] == sorted(move.at for move in moves)


async def test_a_message_says_since_when_it_is_so_and_its_time_when_it_was_learnt(
    days: Days,
) -> None:
    await days.learn(*days.views(4, 2 * DAY))
    (entered,) = [each for each in await days.told() if "stage_entered" in each["type"]]
    assert entered["data"]["effective_at"] == "2026-03-08T12:00:00Z"
    assert entered["time"] == "2026-03-10T12:00:00Z"


async def test_promises_are_counted_from_when_the_move_was_learnt(days: Days) -> None:
    await days.learn(*days.views(4, 2 * DAY))
    *_, mql = await days.moves()
    assert (mql.at, mql.touch_by, mql.accept_by) == (NOW - 2 * DAY, NOW + HOUR, NOW + DAY)
    assert not [kind for kind in await days.kinds() if "breached" in kind]


# --- what comes together ----------------------------------------------------------------------

LEAVING = replace(
    LIVING,
    version="leaving",
    stages=(
        StagePolicy(
            "mql",
            enter=lambda facts: facts["score"] >= 30,  # type: ignore[arg-type]  # a condition
            leave=lambda facts: bool(facts["mail_refused"]),  # type: ignore[arg-type]  # a condition
        ),
    ),
)


def refused(days: Days, ago: timedelta) -> Event:
    return days.event("email_unsubscribed", ago)


async def test_a_stage_that_was_entered_and_left_within_a_commit_is_recorded(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        days = Days(here, LEAVING)
        await days.learn(*days.views(3, 2 * HOUR), refused(days, 2 * HOUR - 5 * MINUTE))
        assert path(await days.moves()) == [
            ("lead", NOW - 2 * HOUR - 2 * MINUTE),
            ("mql", NOW - 2 * HOUR),
            ("lead", NOW - 2 * HOUR + 5 * MINUTE),
        ]
        lead = await days.lead()
        assert dict(lead.progress.entered) == {"lead": 2, "mql": 1}
        assert lead.offer is None
        kinds = [(each["type"], each["data"]["stage"]) for each in await days.told()]
        assert kinds == [("warmlead.lead.stage_entered.v1", "lead")]


async def test_what_sales_said_one_after_the_other_is_recorded_one_after_the_other(
    days: Days,
) -> None:
    said = [
        days.event("sales_accepted", 3 * HOUR),
        days.event("sales_opportunity", 2 * HOUR),
        days.event("sales_won", HOUR),
    ]
    await days.learn(*reversed(said))
    assert path(await days.moves()) == [
        ("sql", NOW - 3 * HOUR),
        ("opportunity", NOW - 2 * HOUR),
        ("customer", NOW - HOUR),
    ]
    assert [each["data"]["stage"] for each in await days.told()] == ["customer"]


async def test_a_stage_is_told_of_once_however_often_it_was_crossed(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        days = Days(here, LEAVING)
        views = days.views(3, 3 * HOUR)
        back = days.event("email_subscribed", HOUR)
        await days.learn(*views, refused(days, 2 * HOUR), back)
        assert [stage for stage, _ in path(await days.moves())] == ["lead", "mql", "lead", "mql"]
        entered = [each for each in await days.told() if "stage_entered" in each["type"]]
        assert [(each["data"]["stage"], each["data"]["cycle"]) for each in entered] == [("mql", 2)]
        offer = (await days.lead()).offer
        assert offer
        assert (offer.cycle, offer.at) == (1, NOW)


HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, 6 * 24 * 60 - 1),
        st.sampled_from(
            (
                *("page_viewed", "page_viewed", "page_viewed", "email_unsubscribed"),
                *("email_subscribed", "sales_accepted", "sales_rejected", "sales_won"),
                *("sales_touched", "form_submitted"),
            )
        ),
    ),
    min_size=2,
    max_size=MAX_STOPS + 1,
    unique_by=lambda happening: happening[0],
)


def lived(requests: Sequence[Sequence[Event]], rules: Rules) -> tuple[Lead, list[Transition]]:
    """The lead and its moves when requests come one after the other, all of them now."""
    records: dict[str, Record] = {}
    moves: list[Transition] = []
    for events in requests:
        _, unit = decide(records, Decision(events, Scoring(rules, lead_ids), NOW))
        records |= unit.changed
        moves += [move for _, move in unit.moves]
    (lead,) = [each.lead for each in records.values() if isinstance(each, LeadDocument)]
    return lead, in_order_learnt(moves)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])
@given(happenings=HAPPENINGS, data=st.data())
def test_events_in_one_commit_move_a_lead_as_if_they_came_one_by_one(
    happenings: Sequence[tuple[int, str]], data: st.DataObject
) -> None:
    events = [
        an_event(
            id=f"event-{number}",
            name=name,
            occurred_at=NOW - timedelta(minutes=minutes),
            received_at=NOW,
        )
        for number, (minutes, name) in enumerate(happenings)
    ]
    as_they_happened = sorted(events, key=lambda event: event.occurred_at)
    by_one, one_by_one = lived([[event] for event in as_they_happened], LEAVING)
    at_once, together = lived([data.draw(st.permutations(events))], LEAVING)
    assert path(together) == path(one_by_one)
    assert [move.cycle for move in together] == [move.cycle for move in one_by_one]
    assert at_once.trails == by_one.trails
    assert at_once.snapshot == by_one.snapshot
    assert replace(at_once.progress, rest=None) == replace(by_one.progress, rest=None)


@pytest.mark.parametrize("minutes", [(1,), (1, 2)])
def test_views_that_move_nobody_are_evaluated_once_whenever_they_were(
    minutes: Sequence[int],
) -> None:
    evaluated = Counter[str]()

    def know(traits: Mapping[str, Any]) -> dict[str, object]:
        evaluated["times"] += 1
        return dict(traits)

    first = Decision([an_event(id="first", name="form_submitted")], Scoring(LEAVING, lead_ids), NOW)
    _, known = decide({}, first)
    times = [NOW - timedelta(minutes=each) for each in minutes]
    events = [an_event(id=f"e{i}", occurred_at=at) for i, at in enumerate(times)]
    decide(known.changed, Decision(events, Scoring(replace(LEAVING, know=know), lead_ids), NOW))
    assert evaluated["times"] == 1


def test_of_many_events_those_of_sales_are_looked_at_first() -> None:
    events = [
        an_event(
            id=f"event-{i}",
            name="sales_accepted" if i == 57 else "page_viewed",
            occurred_at=NOW + i * MINUTE,
        )
        for i in range(100)
    ]
    stops = stops_among(events)
    assert {56, 57} <= stops
    assert len(stops) == MAX_STOPS
    assert stops_among(events[:1]) == frozenset()
    at_once = [replace_time(event, NOW) for event in events]
    assert stops_among(at_once) == frozenset()


def replace_time(event: Event, at: datetime) -> Event:
    return an_event(id=event.id, name=event.name, occurred_at=at)


# --- old facts never act ----------------------------------------------------------------------

OLD = 10 * DAY


@pytest.mark.slow
async def test_old_facts_are_recorded_and_make_no_offer_and_no_mail(days: Days) -> None:
    # Eight views of ten days ago: 80 × 2^(−10/7) = 29.7 points, an MQL.
    await days.learn(*days.views(8, OLD))
    lead = await days.lead()
    assert (lead.progress.stage, lead.snapshot and lead.snapshot.score) == ("mql", 30)
    assert (lead.offer, dict(lead.enrolments), lead.due_at) == (None, {}, None)
    *_, mql = await days.moves()
    assert (mql.at, mql.learnt_at, mql.touch_by) == (NOW - OLD, NOW, None)
    await days.live(40)
    assert await days.told() == []
    assert (await days.lead()).progress.stage == "lead"  # it fades all the same


async def test_who_is_an_mql_by_old_facts_is_offered_when_it_next_acts(days: Days) -> None:
    await days.learn(*days.views(8, OLD))
    days.here.clock.forward(HOUR)
    await days.learn(*days.views(1))
    assert await days.kinds() == {
        "lead.stage_entered.v1": 1,
        "handoff.offered.v1": 1,
        "nurture.step_due.v1": 1,
    }
    (entered,) = [each for each in await days.told() if "stage_entered" in each["type"]]
    data = entered["data"]
    assert (data["from_stage"], data["stage"], data["cycle"]) == ("lead", "mql", 1)
    assert (data["effective_at"], entered["time"]) == (
        "2026-02-28T12:00:00Z",
        "2026-03-10T13:00:00Z",
    )
    lead = await days.lead()
    assert lead.offer
    assert (lead.offer.at, lead.progress.since) == (NOW + HOUR, NOW - OLD)
    offer = (await days.moves())[-1]
    assert (offer.is_move, offer.at, offer.touch_by) == (False, NOW + HOUR, NOW + 2 * HOUR)
    await days.learn(*days.views(1))  # once
    assert (await days.kinds())["handoff.offered.v1"] == 1


async def test_old_and_new_that_come_together_are_told_like_new(days: Days) -> None:
    await days.learn(*days.views(8, OLD), *days.views(1))
    assert (await days.kinds())["handoff.offered.v1"] == 1
    moves = await days.moves()
    assert [move.to_stage for move in moves] == ["lead", "mql"]
    assert moves[-1].touch_by == NOW + HOUR


async def test_a_lead_of_old_facts_that_something_recent_moves_is_told_of(days: Days) -> None:
    await days.learn(*days.views(4, OLD))
    assert (await days.lead()).progress.stage == "lead"
    await days.learn(*days.views(2))  # 40 × 2^(−10/7) + 20 = 34.9
    assert (await days.kinds())["handoff.offered.v1"] == 1


async def test_what_happens_to_a_lead_without_its_doing_does_not_end_its_rest(days: Days) -> None:
    passive = replace(LIVING.scoring, passive=frozenset({"email_delivered"}))
    days.rules = replace(LIVING, scoring=passive)
    await days.learn(*days.views(8, OLD))
    for name in ("email_delivered", "sales_touched", "sales_identified"):
        await days.learn(days.event(name))
        assert await days.told() == []
        assert (await days.lead()).progress.rest
    await days.learn(days.event("sales_accepted"))
    entered = [each for each in await days.told() if "stage_entered" in each["type"]]
    assert [each["data"]["stage"] for each in entered] == ["sql"]


@pytest.mark.slow
async def test_what_time_does_to_a_lead_at_rest_is_not_taken_for_what_it_did(days: Days) -> None:
    # Eight views of 10 days ago: 30 points now, and 80 × 2^(−15/7) = 18 in five days.
    scoring = replace(LIVING.scoring, passive=frozenset({"email_delivered"}))
    days.rules = replace(LIVING, scoring=scoring)
    await days.learn(*days.views(8, OLD))
    days.here.clock.forward(5 * DAY)
    await days.learn(days.event("email_delivered"))
    lead = await days.lead()
    assert lead.progress.stage == "lead"
    assert lead.progress.rest
    await days.live(3)
    assert await days.told() == []


@pytest.mark.slow
async def test_a_live_lead_that_old_facts_move_rests_in_its_new_stage(days: Days) -> None:
    await days.learn(*days.views(1))
    await days.learn(*days.views(8, OLD))
    assert (await days.lead()).progress.stage == "mql"
    await days.live(1)
    assert await days.told() == []
    await days.learn(*days.views(1))
    assert (await days.kinds())["handoff.offered.v1"] == 1


@pytest.mark.slow
async def test_an_old_view_leaves_a_live_lead_as_it_is(days: Days) -> None:
    await days.learn(*days.views(1))
    await days.learn(*days.views(1, OLD))
    assert (await days.lead()).progress.rest is None
    await days.live(12)
    assert (await days.kinds())["nurture.step_due.v1"] == 2  # it has been quiet for nine days


async def test_an_old_statement_closes_an_offer_and_is_not_told(days: Days) -> None:
    await days.learn(*days.views(3))
    days.here.clock.forward(MINUTE)
    before = await days.kinds()
    await days.learn(days.event("sales_lost", 8 * DAY))
    lead = await days.lead()
    assert (lead.progress.stage, lead.progress.since) == ("recycled", NOW + MINUTE - 8 * DAY)
    assert lead.offer
    assert lead.offer.closed_at == NOW + MINUTE
    assert await days.kinds() == before
    assert lead.progress.rest is None
    await days.live(3)
    assert "handoff.breached.v1" not in await days.kinds()


async def test_the_model_says_how_old_a_fact_may_be(days: Days) -> None:
    days.rules = replace(LIVING, acts_within=11 * DAY)
    await days.learn(*days.views(8, OLD))
    assert (await days.kinds())["handoff.offered.v1"] == 1


async def test_no_tool_is_sent_a_lead_of_old_facts(days: Days) -> None:
    days.rules = replace(LIVING, updates=UpdatePolicy())
    await days.learn(*days.views(8, OLD))
    await days.live(2)
    assert await days.told() == []
    await days.learn(*days.views(1))
    assert (await days.kinds())["lead.updated.v1"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("count", [200, examples(8_000)])
async def test_a_year_that_is_loaded_in_a_day_sends_nothing(days: Days, count: int) -> None:
    """Leads of last year: what they did, and what sales said of every third."""
    days.rules = replace(
        LIVING,
        updates=UpdatePolicy(),
        scoring=replace(LIVING.scoring, signals=without_decay(LIVING), inactivity=None),
    )
    for number in range(count):
        email = f"lead-{number}@example.com"
        ago = timedelta(days=20 + number * 345 // count)
        events = days.views(4, ago, email=email)
        if number % 3 == 0:
            events.append(days.event("sales_accepted", ago - 5 * DAY, email=email))
        if number % 9 == 0:
            events.append(days.event("sales_won", ago - 9 * DAY, email=email))
        await days.learn(*events)
    await days.live(8)
    assert await days.told() == []
    stages = Counter(lead.progress.stage for lead in await days.here.leads())
    won = -(-count // 9)
    sql = -(-count // 3) - won
    assert stages == {"mql": count - sql - won, "sql": sql, "customer": won}
    moved: Counter[str] = Counter()
    for lead in await days.here.leads():
        for move in await days.here.store.transitions(lead.id):
            moved[move.to_stage] += move.at < NOW - DAY and move.touch_by is None
    assert moved == {"lead": count, "mql": count, "sql": sql + won, "customer": won}


def without_decay(rules: Rules) -> Mapping[str, Any]:
    return {
        name: replace(signal, half_life_days=None) for name, signal in rules.scoring.signals.items()
    }
