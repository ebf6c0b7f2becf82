"""The comparison of the model in force with its shadow, of leads that lived under both."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, StandingClock, an_event, lead_ids
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.shadow_rules import with_shadow
from warmlead.learning.beside import ShadowQuestion, ShadowReport, compared
from warmlead.model.loading import load
from warmlead.reporting.statistics import wilson
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

FIRST = load(
    "signals: {demo: {on: demo_requested, points: 40, decay: never}}\n"
    "stages: {mql: {enter: score >= 40}}\n",
    name="first",
).rules
SECOND = load(
    "signals:\n"
    "  demo: {on: demo_requested, points: 20, decay: never}\n"
    "  webinar: {on: webinar_attended, points: 20, decay: never}\n"
    "stages: {mql: {enter: score >= 20 && last_30d.webinar >= 1}}\n",
    name="second",
).rules
BOTH = with_shadow(FIRST, SECOND)
DAY = timedelta(days=1)

Deed = tuple[int, str, str]
"""On which day, who, and what: a person's letter, and the name of an event."""

STORY: Sequence[Deed] = (
    *((0, person, "demo_requested") for person in "abc"),  # of these only the first says MQL
    *((1, person, "webinar_attended") for person in "bd"),  # of these the second
    (5, "a", "sales_accepted"),
    (6, "d", "sales_opportunity"),
    (9, "c", "sales_rejected"),
    (39, "e", "webinar_attended"),
    (40, "f", "page_viewed"),
)
QUESTION = ShadowQuestion(stage="mql", outcome="sql", within=30 * DAY)


async def lived(folder: Path, story: Sequence[Deed], *, shadow_from_day: int = 0) -> ShadowReport:
    """What is compared on day 41 of a story in which the second model came on some day."""
    clock = StandingClock()
    async with SqliteFile(folder / "leads.sqlite3") as file:
        store = SqliteLeadStore(file, clock)
        bus = SqliteBus(file, clock, {})
        for number, (day, person, name) in enumerate(story):
            clock.time = at = NOW + day * DAY
            named: dict[str, Any] = {"email": f"{person}@example.com", "name": name}
            event = an_event(id=f"e-{number}", occurred_at=at - DAY / 24, received_at=at, **named)
            scoring = Scoring(BOTH if day >= shadow_from_day else FIRST, lead_ids)
            await apply([event], store=store, bus=bus, scoring=scoring, clock=clock)
        return await compared(store, BOTH, QUESTION, NOW + 41 * DAY)


async def test_both_models_are_judged_by_those_whom_they_let_pass(tmp_path: Path) -> None:
    report = await lived(tmp_path, STORY)

    assert (report.leads, report.not_seen) == (6, 0)
    assert (report.both, report.only_in_force, report.only_shadow, report.neither) == (1, 2, 2, 1)
    first, second = report.by_in_force, report.by_shadow
    assert (first.leads, first.ripe, first.won) == (3, 3, 1)
    assert (second.leads, second.ripe, second.won) == (3, 2, 1)  # e entered two days ago
    assert (second.precision.value, second.precision.low) == (0.5, wilson(1, 2).low)
    assert first.a_week == second.a_week == round(3 / (41 / 7), 2)
    assert first.at_start == second.at_start == 0


async def test_whom_only_one_lets_pass_is_told_with_what_each_sees(tmp_path: Path) -> None:
    report = await lived(tmp_path, STORY)

    newest, other = report.examples_shadow
    assert newest.id == lead_ids.of(Identifier(Kind.EMAIL, "e@example.com"))
    assert newest.because == "the mql stage's enter condition holds"
    assert (newest.in_force.score, newest.in_force.reasons) == (0, [])
    assert newest.shadow.score == 20
    assert newest.shadow.reasons[0].startswith("+20 Webinar once")
    assert (other.in_force.stage, other.shadow.stage) == ("opportunity", "opportunity")
    assert {each.in_force.score for each in report.examples_in_force} == {40}
    assert "example.com" not in report.model_dump_json()


async def test_leads_of_before_enter_at_the_start_and_are_in_no_week(tmp_path: Path) -> None:
    story = [(0, "a", "demo_requested"), (20, "a", "webinar_attended"), (27, "b", "page_viewed")]

    report = await lived(tmp_path, story, shadow_from_day=20)

    assert (report.by_shadow.leads, report.by_shadow.at_start) == (0, 0)  # it was an MQL before
    assert (report.by_in_force.leads, report.leads, report.weeks) == (0, 2, 3)

    fresh = [(0, "a", "webinar_attended"), (20, "a", "webinar_attended"), (21, "b", "page_viewed")]
    (tmp_path / "more").mkdir()
    report = await lived(tmp_path / "more", fresh, shadow_from_day=20)
    assert (report.by_shadow.leads, report.by_shadow.at_start) == (1, 1)
    assert report.by_shadow.a_week == 0


async def test_without_a_second_model_there_is_nothing_to_compare(tmp_path: Path) -> None:
    async with SqliteFile(tmp_path / "leads.sqlite3") as file:
        with pytest.raises(ValueError, match="no second model"):
            await compared(SqliteLeadStore(file, StandingClock()), FIRST, QUESTION, NOW)
