"""The page about counts that people mean: each number as it is played, each sum as it adds up."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from unit.cli.conftest import Workspace, happened
from warmlead.domain.measures import parse_measure

pytestmark = pytest.mark.slow  # plays a page of the documentation

PAGE = (Path(__file__).parents[3] / "docs" / "measures.md").read_text(encoding="utf-8")
NO_POINTS = "signals: {nothing: {on: nothing_done, points: 0, decay: never}}\nbonuses:\n"
SUM = re.compile(r"\d+( [+−×] \d+)*")
TERM = re.compile(r"([+−]?) ?(\d+)(?: × (\d+))?")
SHARE = re.compile(r"(\d+) × (\d+) / (\d+)")


class Played(NamedTuple):
    """A story of the page, the model that stands before it, and the table behind it."""

    model: str
    story: str
    rows: Sequence[dict[str, str]]

    def column(self, name: str) -> dict[str, str]:
        """The cells of a column, by day."""
        return {row["day"]: row[name] for row in self.rows if name in row}


def parts() -> Iterator[Played]:
    model = ""
    for part in PAGE.split("```yaml\n")[1:]:
        text, _, behind = part.partition("```")
        if not text.startswith("about:"):
            model = text
            continue
        yield Played(model, text, table(behind))


def table(text: str) -> list[dict[str, str]]:
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


STORIES = list(parts())
MEASURED = [
    pytest.param(story, column.strip("`"), id=column.strip("`"))
    for story in STORIES
    for column in story.rows[0]
    if parse_measure(column.strip("`"))
]
of_each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.story[7:20])


def days_of(workspace: Workspace, model: str, story: str) -> dict[str, dict[str, Any]]:
    under = str(workspace.write("model.yaml", model))
    path = str(workspace.write("story.yaml", story))
    played = workspace.json("model", "simulate", path, "--model", under)
    return {f"day {day['day']}": day for day in played["days"]}


def scores(days: dict[str, dict[str, Any]], asked: dict[str, str]) -> dict[str, str]:
    return {day: str(days[day]["score"]) for day in asked}


def value_of(text: str) -> int:
    """What a sum of the page comes to; a share is cut to a whole number."""
    if share := SHARE.fullmatch(text):
        of, part, whole = map(int, share.groups())
        return of * part // whole
    assert SUM.fullmatch(text), text
    signed = {"−": -1, "+": 1, "": 1}
    return sum(signed[sign] * int(a) * int(b or 1) for sign, a, b in TERM.findall(text))


@of_each_story
def test_a_story_of_the_page_is_played_as_its_table_says(
    workspace: Workspace, story: Played
) -> None:
    under = workspace.write("model.yaml", story.model)
    assert workspace.json("model", "check", str(under))["findings"] == []
    days = days_of(workspace, story.model, story.story)

    asked = story.column("score")
    assert scores(days, asked) == asked
    for name in ("stage", "what tools are sent"):
        said = story.column(name)
        assert {day: seen(name, days[day]) for day in said} == said


def seen(column: str, day: dict[str, Any]) -> str:
    if column == "stage":
        return str(day["stage"])
    return "; ".join(line["text"] for line in day["lines"] if line["kind"] == "sent")


@of_each_story
def test_the_sums_of_the_page_add_up(story: Played) -> None:
    for score, by_hand in (("score", "by hand"), ("`momentum_7d.page_viewed`", "momentum by hand")):
        sums = {day: str(value_of(text)) for day, text in story.column(by_hand).items()}
        assert sums == (story.column(score) if sums else {})


@pytest.mark.parametrize(("story", "measure"), MEASURED)
def test_a_measure_has_the_values_that_the_page_says(
    workspace: Workspace, story: Played, measure: str
) -> None:
    said = story.column(f"`{measure}`")
    values = ["none of them", *sorted(set(said.values()))]
    ladder = [
        f"  is_{value}: {{when: {measure} == {value}, points: {i}}}\n"
        for i, value in enumerate(values)
        if i
    ]
    found = scores(days_of(workspace, NO_POINTS + "".join(ladder), story.story), said)
    assert {day: values[int(score)] for day, score in found.items()} == said


@pytest.mark.parametrize("story", [each for each in STORIES if each.column("with `floor: 0`")])
def test_with_a_floor_the_order_below_it_is_lost(workspace: Workspace, story: Played) -> None:
    said = story.column("with `floor: 0`")
    floored = story.model.replace("floor: none", "floor: 0")
    assert floored != story.model
    assert scores(days_of(workspace, floored, story.story), said) == said


def test_a_lead_has_the_grade_and_the_origin_that_the_page_says(workspace: Workspace) -> None:
    (story,) = [each for each in STORIES if each.column("fit, grade")]
    days = days_of(workspace, story.model, story.story)
    fits = {day: str(days[day]["fit"]) for day in story.column("fit, grade")}
    grades = {"10": "B", "25": "A"}
    assert {day: f"{fit}, {grades[fit]}" for day, fit in fits.items()} == story.column("fit, grade")
    sent = {
        day: line["data"]["event"]["data"]
        for day, told in days.items()
        for line in told["lines"]
        if line["kind"] == "sent"
    }
    assert {day: data["grade"] for day, data in sent.items()} == {"day 5": "B", "day 20": "A"}
    origin = sent["day 20"]["attribution"]
    touches = [origin["first"], origin["last"]]
    assert [(each["channel"], each["landing_page"]) for each in touches] == [
        ("Referral", "/calculator"),
        ("Paid Search", "/ads"),
    ]
    assert "grades: {A: 25, B: 10, C: 0}" in story.model


def test_every_story_and_every_measure_of_the_page_is_played() -> None:
    assert [len(story.rows) for story in STORIES] == [8, 10, 6, 4, 11]
    measures = [parse_measure(str(case.values[1])) for case in MEASURED]
    assert {each and each.kind for each in measures} == {
        "last",
        "days",
        "visits",
        "distinct",
        "sum",
        "momentum",
    }


@pytest.mark.slow
def test_what_a_changed_model_cannot_know_is_said_as_on_the_page(workspace: Workspace) -> None:
    section = PAGE.partition("\n## What a changed model cannot know\n")[2]
    before, after = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    checked, unknown, replayed = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    path = workspace.write("model.yaml", before)
    workspace.settings["WARMLEAD_MODEL"] = "model.yaml"
    who = {"email": "ada@example.com"}
    workspace.take(
        *(happened("page_viewed", ago, id=f"page-{ago}", **who) for ago in (3, 2, 1)),
        happened("demo_watched", 1, id="demo", **who),
    )
    workspace.run("replay")

    path.write_text(after)
    told = workspace.run("model", "check", "model.yaml").out
    there = told.replace(str(workspace.data), "/srv/warmlead/data")
    assert without_version(there) == without_version(checked)
    applied = words(workspace.run("model", "apply").out)
    assert "demo_video_watched, page_viewed, visits.page_viewed: run warmlead replay." in applied
    since = workspace.json("lead", "explain", who["email"])["known_since"]
    today = date.fromisoformat(since["demo_video_watched"])
    assert since == {
        "demo_video_watched": str(today),
        "page_viewed": str(today - timedelta(days=89)),
        "visits.page_viewed": str(today),
    }
    assert explained(workspace, today) == words(unknown)
    workspace.run("replay")
    assert explained(workspace, today) == words(replayed)


def words(text: str) -> str:
    return " ".join(text.split())


def without_version(text: str) -> str:
    return re.sub(r"version \w+", "version", words(text))


def explained(workspace: Workspace, today: date) -> str:
    """What `explain` says on the day of the page, without the line of since when, and learnt."""
    told = words(workspace.run("lead", "explain", "ada@example.com").out)
    told = re.sub(r" lead since .*?, learnt [\d-]+ [\d:]+\.", "", told)
    of_the_page = {
        str(today - timedelta(days=ago)): str(date(2026, 11, 29) - timedelta(days=ago))
        for ago in (0, 1, 89)
    }
    return re.sub("|".join(of_the_page), lambda day: of_the_page[day[0]], told)
