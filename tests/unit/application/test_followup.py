"""Following up: steps and deadlines at their time, each once, and what was left unsent."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import NOW, a_lead_named, a_trigger, an_event, keeping, lead_ids
from effort import examples
from unit.application.living import DAY, HOUR, LIVING, Place, a_reader, place, readers
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import FollowedUp, RunProgress
from warmlead.application.send import GRACE
from warmlead.domain.errors import UnavailableError, UnreadableError
from warmlead.domain.event import Event
from warmlead.domain.nurture_record import NurtureTurn
from warmlead.domain.sales import SalesStatus
from warmlead.ports import EventBus, Message

MINUTE = timedelta(minutes=1)
NOTHING = FollowedUp(RunProgress(), 0, done=True)


async def told(here: Place) -> list[str]:
    """What the triggers so far say, in a word each."""
    words = []
    for message in await here.triggers():
        data = json.loads(message.body)["data"]
        kind = message.attributes["type"].removeprefix("warmlead.").removesuffix(".v1")
        words.append(data.get("message") or data.get("promise") or kind)
    return sorted(words)


async def after_a_while(here: Place, *, hours: int) -> list[str]:
    """What is told if it is run every ten minutes; each run once more than it needs."""
    before = await told(here)
    for _ in range(hours * 6):
        here.clock.forward(10 * MINUTE)
        await here.follow_up()
        assert await here.follow_up() == NOTHING
    after = await told(here)
    for word in before:
        after.remove(word)
    return after


@pytest.mark.slow
async def test_steps_and_deadlines_come_at_their_time(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 5, NOW)))
        assert await after_a_while(here, hours=1) == ["first_touch", "handoff.reminder"]
        assert await after_a_while(here, hours=22) == []
        assert await after_a_while(here, hours=2) == ["acceptance"]
        assert await after_a_while(here, hours=49) == ["study"]
        assert await after_a_while(here, hours=69) == []
        assert await after_a_while(here, hours=3) == ["offer"]


@pytest.mark.slow
async def test_a_promise_kept_in_time_is_not_reported_as_missed(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 3, NOW)))
        here.clock.forward(20 * MINUTE)
        now = here.clock.now()
        event = an_event(
            id="s-1", name=f"sales_{SalesStatus.TOUCHED}", occurred_at=now, received_at=now
        )
        scoring = Scoring(LIVING, lead_ids)
        await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)
        assert await after_a_while(here, hours=22) == []
        assert await after_a_while(here, hours=2) == ["acceptance"]


@pytest.mark.slow
async def test_after_an_outage_a_person_gets_one_message_at_a_time(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + 8 * DAY) as here:
        await here.store.update([], keeping(a_reader("ada", 9, NOW)))
        await here.follow_up()
        assert (await told(here)).count("study") == 1
        assert "offer" not in await told(here)
        assert await after_a_while(here, hours=72) == ["news", "offer"]


class Away:
    """A bus that is away now and then; whether what it refuses was published is not known."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.fails: Sequence[str] = ()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        if "before" in self.fails:
            raise UnavailableError("away")
        published = await self._bus.publish(topic, messages)
        if "after" in self.fails:
            raise UnavailableError("its answer was lost")
        return published

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)


MOMENTS = st.tuples(
    st.sampled_from(("read", "read a lot", "refuse", "agree", "sold", "nothing")),
    st.integers(0, 1),
    st.sampled_from((MINUTE, HOUR, DAY, 3 * DAY, 9 * DAY)),
    st.sampled_from(((), (), (), ("before",), ("after",))),
)


WAITED_AND_REFUSED = [
    ("read a lot", 0, HOUR, ("before",)),
    ("refuse", 0, HOUR, ()),
    ("nothing", 0, DAY, ()),
]


@pytest.mark.slow
@settings(max_examples=examples(120))
@given(story=st.lists(MOMENTS, min_size=3, max_size=14))
@example(story=WAITED_AND_REFUSED)
def test_the_steps_that_are_published_are_those_that_are_recorded(
    story: Sequence[tuple[str, int, timedelta, Sequence[str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """However events, outages of the bus, refusals and runs come about."""
    path = tmp_path_factory.mktemp("nurture") / "w.db"
    sent, recorded, withheld, enrolled = asyncio.run(_steps_of(story, path))
    assert sent - recorded == Counter()
    assert recorded - sent <= withheld
    assert enrolled


async def _steps_of(
    story: Sequence[tuple[str, int, timedelta, Sequence[str]]], path: Path
) -> tuple[Counter[Any], Counter[Any], Counter[Any], bool]:
    scoring = Scoring(LIVING, lead_ids)
    async with place(path, NOW) as here:
        here.bus = bus = Away(here.bus)  # type: ignore[assignment]  # it has all its methods
        for i, (act, who, later, fails) in enumerate(story):
            here.clock.forward(later)
            bus.fails = fails
            with suppress(UnavailableError):
                events = _events_of(act, f"{i}", f"p{who}@example.com", here.clock.now())
                if events:
                    await apply(
                        events, store=here.store, bus=here.bus, scoring=scoring, clock=here.clock
                    )
            for run in (here.decay, here.follow_up):
                with suppress(UnavailableError):
                    await run()
        bus.fails = ()
        here.clock.forward(GRACE)
        await here.follow_up()
        messages = {m.attributes["id"]: m.attributes for m in await here.triggers()}
        leads = await here.leads()
        records = [
            (lead.id, fact)
            for lead in leads
            for each in await here.store.nurtured(lead.id)
            for fact in each.facts
        ]
    sent = Counter(
        (said["lead_id"], said["sequence"], int(said["run"]), int(said["step"]), said["message"])
        for said in messages.values()
        if said["type"] == "warmlead.nurture.step_due.v1"
    )

    def of(turn: NurtureTurn) -> Counter[Any]:
        found = ((i, fact) for i, fact in records if fact.turn is turn)
        return Counter((i, f.sequence, f.run, f.number, f.message) for i, f in found)

    started = Counter((i, f.sequence, f.run) for i, f in records if f.turn is NurtureTurn.STARTED)
    ended = {(i, f.sequence, f.run) for i, f in records if f.turn is NurtureTurn.ENDED}
    runs = {(lead.id, e.sequence, run) for lead in leads for e in lead.enrolments.values()
            for run in range(1, e.run + 1)}  # fmt: skip
    running = {(lead.id, e.sequence, e.run) for lead in leads for e in lead.enrolments.values()
               if e.ended_at is None}  # fmt: skip
    is_whole = started == Counter(runs) and ended == runs - running
    return sent, of(NurtureTurn.SENT), of(NurtureTurn.WITHHELD), is_whole


def _events_of(act: str, id_: str, email: str, now: datetime) -> list[Event]:
    def one(name: str, part: str = "", **others: Any) -> Event:
        times = {"occurred_at": now, "received_at": now}
        return an_event(id=f"{id_}{part}", name=name, email=email, **times, **others)

    match act:
        case "read":
            return [one("page_viewed")]
        case "read a lot":
            return [one("page_viewed", f"-{i}") for i in range(4)]
        case "refuse":
            return [one("email_unsubscribed")]
        case "agree":
            return [one("newsletter_subscribed")]
        case "sold":
            return [one("deal_won")]
    return []


@pytest.mark.slow
async def test_two_concurrent_runs_publish_everything_once(tmp_path: Path) -> None:
    path, later = tmp_path / "w.db", NOW + HOUR
    async with place(path, later) as one, place(path, later) as other:
        await one.store.update([], keeping(*readers(120, 3, NOW)))
        runs = await asyncio.gather(one.follow_up(), other.follow_up())
        assert sum(run.due.triggers for run in runs) == 240
        assert await told(one) == ["first_touch"] * 120 + ["handoff.reminder"] * 120
        assert await one.follow_up() == NOTHING


async def test_what_a_crash_left_unsent_is_sent_too(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + GRACE) as here:
        lead = replace(a_lead_named("ada"), outbox=(a_trigger(),))
        await here.store.update([], keeping(lead))
        assert await here.follow_up() == FollowedUp(RunProgress(), 1, done=True)
        assert await here.follow_up() == NOTHING


async def test_a_run_whose_time_is_up_says_that_it_is_not_done(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + HOUR) as here:
        await here.store.update([], keeping(*readers(3, 3, NOW)))
        assert not (await here.follow_up(budget_s=0.0)).done
        assert (await here.follow_up(budget_s=60.0)).due.looked_at == 3


def spoil(connection: sqlite3.Connection, lead_ids: Sequence[str]) -> list[None]:
    """Makes documents unreadable, as those of a newer release are."""
    query = "UPDATE leads SET document = json_set(document, '$.v', 99) WHERE id = ?"
    connection.executemany(query, [(id_,) for id_ in lead_ids])
    return [None for _ in lead_ids]


@pytest.mark.slow
async def test_a_lead_that_cannot_be_evaluated_is_reported_and_the_others_are_processed(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW + HOUR) as here:
        leads = sorted(readers(120, 3, NOW), key=lambda lead: lead.id)
        await here.store.update([], keeping(*leads))
        await here.file.write(spoil, leads[0].id)
        run = (await here.follow_up()).due
        assert (run.looked_at, run.failed, run.done) == (120, 1, True)
        ((failed, error),) = run.failures
        assert (failed, type(error)) == (leads[0].id, UnreadableError)
        assert (await told(here)).count("first_touch") == 119


async def test_a_store_that_is_away_ends_the_run(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + HOUR) as here:
        leads = readers(3, 3, NOW)
        await here.store.update([], keeping(*leads))
        await here.file.close()
        with pytest.raises(UnavailableError):
            await here.follow_up()


async def test_a_run_goes_on_even_if_no_lead_can_be_read(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + HOUR) as here:
        leads = readers(3, 3, NOW)
        await here.store.update([], keeping(*leads))
        for lead in leads:
            await here.file.write(spoil, lead.id)
        run = await here.follow_up()
        assert (run.due.failed, run.done) == (3, True)
        assert {id_ for id_, _ in run.due.failures} == {lead.id for lead in leads}


async def test_an_unreadable_lead_does_not_hold_back_other_triggers(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW + HOUR) as here:
        leads = [a_lead_named(name, outbox=(a_trigger(id=name),)) for name in ("ada", "bob")]
        await here.store.update([], keeping(*leads))
        await here.file.write(spoil, leads[0].id)
        run = await here.follow_up()
        assert (run.swept, run.due.failed) == (1, 1)
        assert [id_ for id_, _ in run.due.failures] == [leads[0].id]
