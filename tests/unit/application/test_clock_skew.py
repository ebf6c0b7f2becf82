"""What was written under a clock that ran ahead: once it is put right, all goes on at once."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, a_trigger, an_event, keeping, lead_ids
from unit.application.living import DAY, HOUR, LIVING, Place, a_reader, place
from warmlead.application.apply import Scoring, apply
from warmlead.application.privacy.erase import erase
from warmlead.domain.clock_skew import AHEAD, brought_back, received_by
from warmlead.domain.event import Trust
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead

YEAR = timedelta(days=365)
ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))


async def happens(here: Place, id_: str, at: datetime, **fields: Any) -> None:
    """An event that some clock says was received at a time is applied now."""
    event = an_event(id=id_, occurred_at=at, received_at=at, **fields)
    scoring = Scoring(LIVING, lead_ids)
    await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)


async def ada(here: Place) -> Lead:
    lead = await here.store.get(ADA)
    assert lead
    return lead


async def steps_told(here: Place) -> int:
    return sum("nurture" in m.attributes["type"] for m in await here.triggers())


def moments(lead: Lead) -> list[datetime]:
    """All times in a lead that say when something happened."""
    found = [lead.created_at, lead.progress.since]
    found += [each.started_at for each in lead.enrolments.values()]
    found += [lead.offer.at] if lead.offer else []
    return found


@pytest.mark.parametrize("ahead", [2 * HOUR, 3 * DAY, YEAR, 30 * YEAR])
async def test_an_event_that_was_accepted_ahead_of_time_counts_now(
    tmp_path: Path, ahead: timedelta
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await happens(here, "1", NOW + ahead, traits={"company": "Ahead"})
        lead = await ada(here)
        assert lead.snapshot
        assert lead.snapshot.score == 10
        assert all(e.received_ms / 1000 <= NOW.timestamp() for e in kept(lead))
        here.clock.forward(HOUR)
        await happens(here, "2", here.clock.now(), traits={"company": "Newer"})
        assert (await ada(here)).traits == {"company": "Newer"}


def kept(lead: Lead) -> list[Any]:
    return [event for trail in lead.trails.values() for event in trail.history.kept.values()]


def test_clocks_that_differ_a_little_are_believed() -> None:
    for ahead in (timedelta(0), timedelta(minutes=1), AHEAD):
        event = an_event(occurred_at=NOW + ahead, received_at=NOW + ahead)
        assert received_by(event, NOW) is event


def test_an_event_that_happened_before_keeps_its_time() -> None:
    event = an_event(occurred_at=NOW - DAY, received_at=NOW + YEAR)
    taken = received_by(event, NOW)
    assert (taken.occurred_at, taken.received_at) == (NOW - DAY, NOW)
    assert taken.key == event.key


@pytest.mark.parametrize("ahead", [10 * DAY, 40 * DAY, YEAR])
async def test_a_lead_written_by_a_fast_clock_continues_normally(
    tmp_path: Path, ahead: timedelta
) -> None:
    async with place(tmp_path / "w.db", NOW + ahead) as here:
        for number in "123":
            await happens(here, number, NOW + ahead, traits={"company": "Ahead"})
        assert await steps_told(here) == 1
        here.clock.time = NOW
        run = await here.decay()
        assert (run.looked_at, run.failed) == (1, 0)
        lead = await ada(here)
        assert max(moments(lead)) <= NOW
        assert lead.decay_on is not None
        assert lead.snapshot
        assert lead.decay_on - lead.snapshot.day <= 7
        assert (await here.decay()).looked_at == 0
        here.clock.forward(4 * DAY)  # the next step was three days away
        await here.follow_up()
        assert await steps_told(here) == 2
        await happens(here, "4", here.clock.now(), traits={"company": "Newer"})
        assert (await ada(here)).traits == {"company": "Newer"}
        assert len(kept(await ada(here))) == 4


async def test_an_event_corrects_a_lead_written_by_a_fast_clock(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + YEAR) as here:
        await happens(here, "1", NOW + YEAR, traits={"company": "Ahead"})
        here.clock.time = NOW
        await happens(here, "2", NOW, traits={"company": "Newer", "title": "CEO"})
        lead = await ada(here)
        assert max(moments(lead)) <= NOW
        assert lead.traits["title"] == "CEO"
        assert lead.snapshot
        assert lead.snapshot.score == 20


async def test_the_same_event_again_counts_once_after_all(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + YEAR) as here:
        await happens(here, "1", NOW + YEAR)
        here.clock.time = NOW
        await here.decay()
        await happens(here, "1", NOW + YEAR)
        await happens(here, "1", NOW)
        assert len(kept(await ada(here))) == 1


async def test_a_trigger_left_unsent_by_a_fast_clock_is_sent(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + YEAR) as here:
        for number in "123":
            await happens(here, number, NOW + YEAR)
        stuck = replace(await ada(here), outbox=(a_trigger(at=NOW + YEAR),))
        await here.store.update([], keeping(stuck))
        here.clock.time = NOW
        assert (await here.follow_up()).swept == 1


async def test_a_statement_dated_in_the_future_yields_to_a_present_one(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW + YEAR) as here:
        signed = {"trust": Trust.SIGNED}
        await happens(here, "1", NOW + YEAR, name="sales_accepted", **signed)
        assert (await ada(here)).progress.stage == "sql"
        here.clock.time = NOW
        await here.decay()
        here.clock.forward(HOUR)
        await happens(here, "2", here.clock.now(), name="sales_won", **signed)
        assert (await ada(here)).progress.stage == "customer"


async def test_erasing_again_corrects_a_tombstone_dated_in_the_future(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + YEAR) as here:
        bury = {"store": here.store, "archive": None, "of": lead_ids, "clock": here.clock}
        await erase([ADA], **bury)  # type: ignore[arg-type]  # of several types
        here.clock.time = NOW
        await erase([ADA], **bury)  # type: ignore[arg-type]  # the same
        here.clock.forward(HOUR)
        await happens(here, "1", here.clock.now())
        assert await here.store.get(ADA)


def test_a_lead_of_today_or_tomorrow_is_left_alone() -> None:
    for days in (-400, -1, 0, 1):
        lead = a_reader("ada", 3, NOW + days * DAY)
        assert brought_back(lead, NOW) is lead
    assert brought_back(a_reader("ada", 3, NOW + 2 * DAY), NOW).created_at <= NOW
