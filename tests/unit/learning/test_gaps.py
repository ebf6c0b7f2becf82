"""What a history does not know of a past moment is named, and nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOW
from unit.learning.leads import DAY, Books, books, says
from warmlead.domain.lead import Lead
from warmlead.learning.gaps import NO_GAPS, Gaps, KnownPast
from warmlead.model.loading import load

BEFORE = "signals: {demo_requested: {on: demo_requested, points: 30}}\n"
READ = """
signals:
  demo_requested: {on: demo_requested, points: 30}
  read: {on: page_viewed, points: POINTS}
"""
COUNTED = """
signals: {demo_requested: {on: demo_requested, points: 30}}
bonuses: {keen: {when: last_30d.page_viewed >= 3, points: 10}}
stages: {mql: {enter: last_60d.page_viewed >= 3}}
"""
MEASURED = """
signals: {demo_requested: {on: demo_requested, points: 30}}
bonuses: {long: {when: sum_30d.page_viewed.seconds >= 60, points: 10}}
"""


async def lead_of(kept: Books, *days: int, name: str = "page_viewed") -> Lead:
    """Ada, who became known 200 days ago, and did something on some days since."""
    began = NOW - 200 * DAY
    for day, event in sorted({0: "form_submitted", **dict.fromkeys(days, name)}.items()):
        kept.clock.time = began + day * DAY
        await kept.happens(says("ada", event, kept.clock.time))
    (lead,) = [each async for each in kept.store.leads()]
    return lead


def gaps(lead: Lead, text: str, day: int) -> Gaps:
    """What is not known so many days after Ada became known, if the model is used now."""
    past = KnownPast(load(text, name="new"), NOW)
    return past.gaps(lead, NOW - 200 * DAY + day * DAY + timedelta(hours=1))


async def test_a_new_signal_is_unknown_of_those_who_may_have_done_it(tmp_path: Path) -> None:
    async with books(tmp_path, load(BEFORE, name="before").rules) as kept:
        lead = await lead_of(kept, 1)
        worth, worthless = (READ.replace("POINTS", points) for points in ("5", "0"))
        assert gaps(lead, BEFORE, 7) is NO_GAPS
        assert gaps(lead, worth, 7) == Gaps(of_score=frozenset({"read"}))
        assert gaps(lead, worthless, 7) == Gaps(of_stage=frozenset({"read"}))
        other = worth.replace("page_viewed", "webinar_attended")
        assert gaps(lead, other, 7) is NO_GAPS


@pytest.mark.parametrize(
    ("days", "judged_on", "found"),
    [
        ((1, 190), 7, Gaps(frozenset({"page_viewed"}))),  # what was on day 1 is forgotten
        ((1, 190), 195, NO_GAPS),  # all 60 days before are kept
        ((1, 100), 170, NO_GAPS),  # nothing in the 60 days before
    ],
)
async def test_names_of_events_are_known_for_as_long_as_they_are_kept(
    tmp_path: Path, days: tuple[int, ...], judged_on: int, found: Gaps
) -> None:
    async with books(tmp_path, load(COUNTED, name="before").rules) as kept:
        lead = await lead_of(kept, *days)
        assert gaps(lead, COUNTED, judged_on) == found


async def test_what_was_not_measured_is_unknown_of_those_who_did_it(tmp_path: Path) -> None:
    async with books(tmp_path, load(BEFORE, name="before").rules) as kept:
        lead = await lead_of(kept, 1)
        assert gaps(lead, MEASURED, 7) == Gaps(frozenset({"sum.page_viewed.seconds"}))
        assert gaps(lead, MEASURED.replace("page_viewed", "page_left"), 7) is NO_GAPS
