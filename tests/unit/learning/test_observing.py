"""What is seen of a lead is what was known at its moment, and what is left out is counted."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from builders import NOW, an_event, lead_ids
from effort import examples
from unit.application.history.persons import THEN
from unit.learning.leads import DAY, MODEL, QUESTION, RULES, books, did, says
from warmlead.application.explain import as_it_stood, view
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event
from warmlead.domain.history import from_ms, to_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.learning.cases import LeftOut, as_known, turn_of
from warmlead.learning.observations import ACCEPTED, Question
from warmlead.model.loading import load


async def test_a_lead_is_seen_as_it_was_a_week_after_it_became_known(tmp_path: Path) -> None:
    # Two views on day 0, one on day 3: 2 × 5 × 2^(−7/14) + 5 × 2^(−4/14) = 11.2, and a bonus of 7.
    # Nothing for four days: a fifth would cost half of it. Only signals still say that.
    history = [
        did("ada", "form_submitted", 0, traits={"employees": 400}, attribution={"gclid": "1"}),
        *(did("ada", "page_viewed", day) for day in (0.1, 0.2, 3, 8, 30)),
        did("ada", "demo_requested", 20, traits={"country": "DE"}),
        did("ada", "sales_won", 40),
    ]
    async with books(tmp_path) as kept:
        await kept.imported(history)
        seen = await kept.one()
    assert (seen.at - THEN, seen.known_at, seen.reached_at) == (7 * DAY, THEN, THEN + 40 * DAY)
    assert seen.won
    assert (seen.score, seen.engagement, seen.fit, seen.days_inactive) == (38, 18, 20, 4)
    assert seen.worths == {
        "signal:page_viewed": pytest.approx(2 * 2**-0.5 + 2 ** (-4 / 14), abs=1e-6),
        "bonus:regular": 1,
        "fit:large": 1,
    }
    assert (seen.signals, seen.recent_signals) == ({"page_viewed": 3}, {"page_viewed": 3})
    assert seen.facts["employees"] == 400
    assert seen.facts["first.channel"] == "Paid Search"
    assert "country" not in seen.facts


async def test_counts_of_names_have_the_events_of_the_last_weeks_apart(tmp_path: Path) -> None:
    began = NOW - 60 * DAY
    async with books(tmp_path) as kept:
        for day, name in ((0, "form_submitted"), (1, "page_viewed"), (35, "page_viewed")):
            kept.clock.time = began + day * DAY
            await kept.happens(says("ada", name, kept.clock.now()))
        kept.clock.time = began + 36 * DAY
        await kept.happens(says("ada", "sales_touched", kept.clock.now()))
        (seen,), _ = await kept.observed(
            Question(outcome="customer", after=40 * DAY, within=50 * DAY)
        )
    assert seen.counts == {"form_submitted": 1, "page_viewed": 2}
    assert seen.recent == {"page_viewed": 1}


async def test_who_reaches_the_outcome_earlier_is_judged_before(tmp_path: Path) -> None:
    history = [did("ada", "page_viewed", day) for day in (0, 1, 4)]
    async with books(tmp_path) as kept:
        await kept.imported([*history, did("ada", "sales_won", 4.1)])
        seen = await kept.one()
    assert seen.won
    assert seen.at == from_ms(to_ms((THEN + 4 * DAY).replace(hour=0)) - 1)
    assert seen.signals == {"page_viewed": 2}  # nobody knows if the third came before


async def test_what_is_kept_event_by_event_is_seen_until_the_outcome(tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        start = kept.clock.now()
        for hours, name in enumerate(
            ("page_viewed", "demo_requested", "sales_accepted", "chatted")
        ):
            kept.clock.time = start + timedelta(hours=hours)
            await kept.happens(says("ada", name, kept.clock.now()))
        question = Question(outcome="sql", within=2 * DAY)
        (seen,), _ = await kept.observed(question, now=start + 3 * DAY)
    assert seen.reached_at == start + timedelta(hours=2)
    assert seen.at == seen.reached_at - timedelta(milliseconds=1)
    assert seen.counts == {"page_viewed": 1, "demo_requested": 1}


async def test_only_ripe_leads_of_the_period_are_seen_and_the_others_are_counted(
    tmp_path: Path,
) -> None:
    young = (NOW - THEN) / DAY - 30
    async with books(tmp_path) as kept:
        await kept.imported(
            [did("slow", "page_viewed", 0), did("slow", "sales_won", 200)],
            [did("lost", "page_viewed", 0.5)],
            [did("early", "page_viewed", -9)],
            [did("open", "page_viewed", young)],
            [did("quick", "page_viewed", young), did("quick", "sales_won", young + 9)],
            [did("at-once", "page_viewed", 3), did("at-once", "sales_won", 3.01)],
            [did("before", "page_viewed", 9), did("before", "sales_won", 3)],
        )
        kept.clock.time = NOW - 200 * DAY
        at = kept.clock.now()
        await kept.happens(an_event(anonymous_id="b-1", occurred_at=at, received_at=at))
        asked = structs.replace(QUESTION, since=THEN - DAY)
        seen, told = await kept.observed(asked)
    assert {each.lead_id: each.won for each in seen} == {
        lead_ids.of(Identifier(Kind.EMAIL, f"{who}@example.com")): False for who in ("slow", "lost")
    }
    assert told.left_out == Counter(
        {
            LeftOut.AT_ONCE: 2,
            LeftOut.OPEN: 1,
            LeftOut.YOUNG: 1,
            LeftOut.ELSEWHEN: 1,
            LeftOut.ANONYMOUS: 1,
        }
    )
    assert (told.ripe, told.won, told.seen) == (2, 0, 8)


async def test_without_a_horizon_nine_of_ten_winners_decide_how_long_a_lead_is_open(
    tmp_path: Path,
) -> None:
    # Nine winners after 10, 20 … 90 days, and one after 300: within 90 days nine of ten have won.
    waits = [*range(10, 100, 10), 300]
    history = [
        [did(f"p-{wait}", "page_viewed", 0), did(f"p-{wait}", "sales_won", wait)] for wait in waits
    ]
    new = (NOW - THEN) / DAY - 89
    async with books(tmp_path) as kept:
        await kept.imported(*history, [did("new", "page_viewed", new)])
        seen, told = await kept.observed(Question(outcome="customer"))
        nobody, nothing = await kept.observed(Question(outcome="disqualified"))
    assert told.horizon == 90 * DAY
    assert (told.ripe, told.won, told.left_out) == (10, 9, Counter({LeftOut.OPEN: 1}))
    assert [each.reached_at for each in seen if not each.won] == [None]
    assert (nobody, nothing.horizon, nothing.left_out[LeftOut.OPEN]) == ([], None, 11)


async def test_a_further_stage_is_the_outcome_too_and_a_dead_end_is_not(tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        await kept.imported(
            [did("won", "page_viewed", 0), did("won", "sales_won", 30)],
            [
                did("unfit", "page_viewed", 0),
                did("unfit", "sales_rejected", 30, properties={"reason": "bad_fit"}),
            ],
        )
        reached = {}
        for outcome in ("mql", "sql", "opportunity", "customer", "disqualified"):
            seen, _ = await kept.observed(Question(outcome=outcome, within=90 * DAY))
            reached[outcome] = sum(each.won for each in seen)
    assert reached == {"mql": 1, "sql": 1, "opportunity": 1, "customer": 1, "disqualified": 1}


async def test_the_first_answer_of_sales_is_an_outcome_too(tmp_path: Path) -> None:
    def answered(who: str, name: str, **properties: str) -> list[Event]:
        return [did(who, "page_viewed", 0), did(who, name, 20, properties=properties)]

    async with books(tmp_path) as kept:
        await kept.imported(
            [*answered("taken", "sales_accepted"), did("taken", "sales_lost", 30)],
            answered("refused", "sales_rejected", reason="not_ready"),
            answered("twice", "sales_rejected", reason="duplicate"),
            [did("alone", "page_viewed", 0)],
        )
        seen, told = await kept.observed(Question(outcome=ACCEPTED, within=90 * DAY))
    assert sorted(each.won for each in seen) == [False, True]
    assert told.left_out == Counter({LeftOut.UNUSABLE: 1, LeftOut.UNOFFERED: 1})


async def test_an_offer_that_nobody_answers_is_a_refusal(tmp_path: Path) -> None:
    promised = load(
        f"{MODEL}handoff: {{first_touch_within: 1h, accept_within: 24h}}", name="offers"
    )
    async with books(tmp_path, promised.rules) as kept:
        await kept.happens(says("ada", "demo_requested", NOW), says("ada", "page_viewed", NOW))
        await kept.happens(*(says("ada", "page_viewed", NOW + n * DAY / 90) for n in (1, 2)))
        asked = Question(outcome=ACCEPTED, within=9 * DAY)
        (seen,), _ = await kept.observed(asked, now=NOW + 10 * DAY)
    assert not seen.won


async def test_a_lead_that_cannot_be_read_is_named_and_costs_no_other(tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        await kept.imported([did("ada", "page_viewed", 0)], [did("bob", "page_viewed", 0)])
        bob = lead_ids.of(Identifier(Kind.EMAIL, "bob@example.com"))
        await kept.spoil(bob)
        seen, told = await kept.observed()
    assert (len(seen), told.left_out) == (1, Counter({LeftOut.UNREADABLE: 1}))
    assert told.unreadable.keys() == {bob}


async def test_traits_of_which_only_a_later_statement_is_known_are_counted(tmp_path: Path) -> None:
    history = [did("ada", "form_submitted", day, traits={"employees": 400}) for day in (0, 20)]
    async with books(tmp_path) as kept:
        await kept.imported(history)
        (seen,), told = await kept.observed()
    assert (seen.fit, told.stated_later) == (0, Counter({"employees": 1}))


def lives(choose: Random, who: str, until: float) -> list[Event]:
    """What somebody does in the first days: views, requests, traits and visits of all kinds."""
    events = [did(who, "form_submitted", 0, traits={"employees": choose.choice((5, 500))})]
    for _ in range(choose.randrange(8)):
        name = choose.choice(("page_viewed", "page_viewed", "demo_requested", "chatted"))
        came = {"gclid": "1"} if choose.random() < 0.3 else {}
        events.append(did(who, name, round(choose.uniform(0, until), 6), attribution=came))
    return events


LATER = [
    did("ada", "page_viewed", 8.2, attribution={"utm_source": "google", "utm_medium": "organic"}),
    did("ada", "demo_requested", 9, traits={"country": "DE", "title": "CEO", "budget": "yes"}),
    did("ada", "email_unsubscribed", 9.5),
    did("ada", "sales_accepted", 10, properties={"budget": "yes", "note": "was won"}),
    did("ada", "sales_won", 12),
]


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(st.randoms(use_true_random=False))
async def test_nothing_that_comes_later_changes_what_is_seen(choose: Random) -> None:
    first, later = lives(choose, "ada", 7), choose.sample(LATER, choose.randrange(1, 6))
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        async with books(Path(one)) as kept:
            await kept.imported(first)
            before = await kept.one()
        async with books(Path(other)) as kept:
            await kept.imported([*first, *later])
            after = await kept.one()
    assert structs.replace(after, won=False, reached_at=None) == before


def a_day_of(people: list[str], day: datetime, choose: Random, silent: set[str]) -> list[Event]:
    """What some of the people do on a day, in order; each states the number of employees once."""
    told = []
    for who in choose.sample(people, len(people) // 3):
        name = choose.choice(("page_viewed", "page_viewed", "demo_requested", "chatted"))
        traits = {"employees": 500} if who in silent and choose.random() < 0.3 else {}
        silent -= {who} if traits else set()
        told.append(says(who, name, day + choose.random() * DAY, traits=traits))
    return sorted(told, key=lambda event: event.occurred_at)


@pytest.mark.slow
async def test_the_score_of_any_day_is_the_one_that_was_shown_that_day(tmp_path: Path) -> None:
    # Told as it happens; then nothing for a month and more, so that all of it is counts.
    choose, people = Random(4), [f"p-{number}" for number in range(15)]
    days = [NOW.replace(hour=0) + number * DAY for number in range(25)]
    ends = [day + DAY - timedelta(milliseconds=1) for day in days]
    shown: dict[tuple[str, datetime], int] = {}
    silent = {*people}
    async with books(tmp_path) as kept:
        for day, end in zip(days, ends, strict=True):
            kept.clock.time = end
            await kept.happens(*a_day_of(people, day, choose, silent))
            async for lead in kept.store.leads():
                shown[lead.id, end] = evaluation_of(lead, RULES, end).totals.score
        kept.clock.time = ends[-1] + 40 * DAY
        await kept.happens(*(says(who, "chatted", kept.clock.now()) for who in people))
        again, listed = {}, {}
        async for lead in kept.store.leads():
            moves = await kept.store.transitions(lead.id)
            turns = [turn_of(move) for move in moves]
            for end in (each for each in ends if (lead.id, each) in shown):
                then = as_known(lead, turns, to_ms(end))
                again[lead.id, end] = evaluation_of(then, RULES, end, known_at=end).totals.score
                if "employees" in then.traits:  # a list shows the traits of today
                    stood = as_it_stood(lead, moves, end)
                    listed[lead.id, end] = view(stood, RULES, end, known_at=end).score
    assert again == shown
    assert listed.items() <= shown.items()
    assert len(listed) > 50
