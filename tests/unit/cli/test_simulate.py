"""``warmlead model simulate``: what it draws, says of a faulty story, and leaves alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
MODEL = """\
signals:
  page_viewed: {on: page_viewed, points: 10, half_life: 30d}
stages:
  mql: {enter: score >= 20, leave: score < 15, cooldown: 5d}
sequences:
  thanks: {start: stage == "mql", stop: stage == "recycled", steps: [{after: 1h, message: thanks}]}
"""
STORY = """\
days: 40
lead: {email: ada@example.com}
events:
  - {at: day 2 10:00, event: page_viewed, times: 2}
"""


def kinds(day: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(line["at"][11:16], line["kind"], line["text"]) for line in day["lines"]]


@pytest.mark.slow
def test_a_story_is_played_under_a_model(workspace: Workspace) -> None:
    model = workspace.write("model.yaml", MODEL)
    story = workspace.write("story.yaml", STORY)
    played = workspace.json("model", "simulate", str(story), "--model", str(model))

    first, second, *_ = days = played["days"]
    assert (len(days), first["date"], first["score"]) == (40, "2026-01-05", None)
    assert (second["score"], second["engagement"], second["stage"]) == (20, 20, "mql")
    assert kinds(second) == [
        ("10:00", "did", "page_viewed ×2"),
        ("10:00", "moved", "mql: the mql stage's enter condition holds"),
        ("10:00", "sequence", "thanks begins"),
        ("10:00", "sent", "stage entered: mql"),
        ("11:00", "sent", "thanks (1 of 1)"),
        ("11:00", "sequence", "thanks ends: finished"),
    ]
    (lost,) = [day for day in days[2:] if day["lines"]]
    # 20 × 2^(−13/30) = 14.81 shows as 15; a day later 20 × 2^(−14/30) = 14.47 is below it
    assert (lost["day"], lost["score"], lost["stage"]) == (2 + 14, 14, "lead")
    assert kinds(lost)[0] == ("00:00", "moved", "lead: the mql stage's leave condition holds")
    assert days[-1]["score"] == 8  # 20 × 2^(−38/30) = 8.31
    assert played["summary"]["moved_back"] == 1


@pytest.mark.slow
def test_an_event_of_which_no_condition_holds_is_noted(workspace: Workspace) -> None:
    plain = "page_viewed: {on: page_viewed,"
    model = MODEL.replace(plain, 'prices: {on: page_viewed, when: path == "/prices",')
    story = STORY.replace("times: 2", "properties: {path: /price}, times: 2")
    path = workspace.write("story.yaml", story)
    done = workspace.run(
        "model", "simulate", str(path), "--model", str(workspace.write("model.yaml", model))
    )

    assert done.code == 0
    assert done.err.count(" note events[0].event: no condition of a signal holds") == 1
    assert "story.yaml:4:30 note" in done.err


@pytest.mark.slow
def test_without_arguments_it_shows_the_golden_month(workspace: Workspace) -> None:
    drawn = workspace.run("model", "simulate")

    assert drawn.code == 0
    assert "Grace" in drawn.out
    assert "mql again once" in drawn.out
    assert drawn.out == workspace.run("model", "simulate", "golden-month").out


@pytest.mark.slow
def test_what_is_drawn_fits_80_columns_without_colours(workspace: Workspace) -> None:
    workspace.settings |= {"COLUMNS": "80", "NO_COLOR": "1"}
    drawn = workspace.run("model", "simulate").out

    assert max(len(line) for line in drawn.splitlines()) <= 80
    assert "\x1b" not in drawn
    words = " ".join(drawn.split())
    for text in ("6 quiet days", "→ recycled", "» sales is reminded", "█", "░", "50+25"):
        assert text in words


@pytest.mark.slow
def test_the_parts_that_are_shown_add_up_to_the_score(workspace: Workspace) -> None:
    workspace.settings |= {"COLUMNS": "80", "NO_COLOR": "1"}
    low = "fit: {far: {when: country == 'NZ', points: -45}}\nbase: 20\nstages:"
    text = MODEL.replace("stages:", low).replace("score >= 20", "score >= 30")
    model = workspace.write("model.yaml", text)
    told = "  - {at: day 3 10:00, event: form_submitted, traits: {country: NZ}}\n"
    story = workspace.write("story.yaml", STORY.replace("days: 40", "days: 3") + told)
    asked = ("model", "simulate", str(story), "--model", str(model))

    _, second, third = workspace.json(*asked)["days"]
    drawn = workspace.run(*asked).out

    parts = ("score", "engagement", "fit", "base", "floor")
    assert [second[part] for part in parts] == [40, 20, 0, 20, 0]
    assert [third[part] for part in parts] == [0, 20, -45, 20, 5]
    assert "did+is+base+floor" in drawn
    assert " 20+0+20+0 " in drawn
    assert " 20-45+20+5 " in drawn
    assert "████▒▒▒▒" in drawn
    assert max(len(line) for line in drawn.splitlines()) <= 80


@pytest.mark.slow
def test_a_day_is_one_line_with_its_score_and_quiet_ones_are_one_together(
    workspace: Workspace,
) -> None:
    drawn = workspace.run("model", "simulate").out
    played = workspace.json("model", "simulate")["days"]

    numbers = re.findall(
        r"^ *(\d+)(?:–(\d+))? [A-Z][a-z]{2} +\d+ [A-Z][a-z]{2} +(\d+)", drawn, re.MULTILINE
    )
    ends = [(int(last or first), int(score)) for first, last, score in numbers]
    assert ends == [(each, played[each - 1]["score"]) for each, _ in ends]
    covered = sum(int(last or first) - int(first) + 1 for first, last, _ in numbers)
    assert covered == len(played)
    assert {day["day"] for day in played if day["lines"]} <= {each for each, _ in ends}


@pytest.mark.slow
def test_the_simulation_ends_at_the_given_time(workspace: Workspace) -> None:
    assert len(workspace.json("model", "simulate", "--days", "5")["days"]) == 5
    assert len(workspace.json("model", "simulate", "--until", "2026-03-31")["days"]) == 30
    longer = workspace.json("model", "simulate", "--days", "90")["days"]
    assert (len(longer), longer[-1]["stage"]) == (90, "customer")
    for wrong in (["--days", "0"], ["--until", "soon"], ["--until", "2026-03-01"]):
        assert workspace.run("model", "simulate", *wrong).code == 2
    assert workspace.run("model", "simulate", "--days", "5", "--until", "2026-03-31").code == 2


@pytest.mark.slow
def test_the_printed_story_can_be_played(workspace: Workspace) -> None:
    text = workspace.run("model", "simulate", "--show").out
    copy = workspace.write("story.yaml", text)

    assert workspace.json("model", "simulate", str(copy)) == workspace.json("model", "simulate")


@pytest.mark.slow
def test_a_story_may_be_json(workspace: Workspace) -> None:
    story = {
        "lead": {"user_id": "u-1"},
        "events": [{"at": "2026-02-03T10:00", "event": "demo_requested"}],
    }
    path = workspace.write("story.json", json.dumps(story))
    days = workspace.json("model", "simulate", str(path))["days"]

    assert (days[0]["date"], days[0]["stage"]) == ("2026-02-03", "mql")
    assert len(days) == 1 + 14


@pytest.mark.slow
def test_nothing_of_the_installation_is_touched(ada: Workspace) -> None:
    before = {path: path.read_bytes() for path in ada.data.rglob("*") if path.is_file()}
    leads = ada.json("lead", "list")
    ada.run("model", "simulate")

    assert ada.json("lead", "list") == leads
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_it_needs_no_installation(workspace: Workspace) -> None:
    assert workspace.run("model", "simulate", "--days", "3").code == 0
    assert not workspace.data.exists()


@pytest.mark.slow
def test_the_documented_story_is_played_and_so_is_its_shape(workspace: Workspace) -> None:
    found = re.search(r"<!-- story.*?```yaml\n(.*?)```", DOCUMENTED, re.DOTALL)
    assert found
    path = workspace.write("story.yaml", found[1])
    played = workspace.json("model", "simulate", str(path))
    assert len(played["days"]) == 30
    assert played["summary"]["value"] == "12,000.00 EUR"

    section = DOCUMENTED.partition("### model simulate")[2].partition("\n## ")[0]
    shapes = [set(keys.split(", ")) for keys in re.findall(r"`\{([a-z_, ]+)\}`", section)]
    day = played["days"][0]
    assert shapes == [set(each) for each in (played, day, day["lines"][0], played["summary"])]


def test_every_fault_of_a_story_is_named_with_its_place(workspace: Workspace) -> None:
    faulty = """\
start: soon
lead: {email: nobody}
events:
  - {at: day 3, event: page_viewed}
  - {at: day 2 10:00, event: page_viewed}
  - {at: day 1 10:00, event: page_viewed}
  - {at: day 4 10:00}
  - {at: day 5 10:00, sales: rejected}
  - {at: day 5 10:00, sales: adored}
  - {at: day 6 10:00, sales: won, value: -5, currency: EUR}
  - {at: day 6 10:00, sales: won, value: 5, currency: Taler}
  - {at: day 7 10:00, event: page_viewed, reason: not_ready}
  - {at: day 7 10:00, event: page_viewed, attribution: {utm_sauce: google}}
  - {at: day 7 10:00, event: page_viewed, attribution: {landing_page: /fair}}
  - {at: day 8 10:00, event: page_veiwed}
"""
    path = workspace.write("story.yaml", faulty)
    done = workspace.run("model", "simulate", str(path))

    assert (done.code, done.out) == (1, "")
    places = re.findall(r"story\.yaml:(\d+):(\d+) (error|warning) ([\w.\[\]]+): ", done.err)
    assert [(int(line), kind, what) for line, _, kind, what in places] == [
        (2, "error", "lead.email"),
        (1, "error", "start"),
        (4, "error", "events[0].at"),
        (6, "error", "events[2].at"),
        (7, "error", "events[3]"),
        (8, "error", "events[4].reason"),
        (9, "error", "events[5].sales"),
        (10, "error", "events[6].value"),
        (11, "error", "events[7].currency"),
        (12, "error", "events[8].reason"),
        (13, "error", "events[9].attribution.utm_sauce"),
        (14, "error", "events[10].attribution.landing_page"),
        (15, "warning", "events[11].event"),
    ]
    assert all(faulty.splitlines()[int(line) - 1][int(column) - 1 :] for line, column, *_ in places)
    assert 'did you mean "page_viewed"?' in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a story is a mapping"),
        ("[1, 2]", "a story is a mapping"),
        ("lead: {email: a@example.com}\n", '"events" is missing'),
        ("lead: {mail: a@example.com}\nevents: []\n", 'did you mean "email"?'),
        (STORY.replace("times: 2", "times: 21"), "must be at most 20"),
        (STORY.replace("times: 2", "tmes: 2"), 'did you mean "times"?'),
        (STORY.replace("page_viewed", "Page Viewed"), 'write "page_viewed"'),
        (STORY.replace("day 2 10:00", "day 2 25:00"), "is not a time"),
        (STORY.replace("day 2 10:00", "day 0 10:00"), "is earlier than the first day"),
        (STORY.replace("times: 2", "anonymous: true"), "the lead has no anonymous_id"),
        (STORY.replace("{email: ada@example.com}", "{}"), "has no identity"),
        (STORY.replace("days: 40", "days: 4000"), "must be at most 400"),
        ("lead: &a {email: a@example.com}\n", "anchors and aliases"),
        ("lead: {email\n", "not readable as YAML"),
    ],
)
def test_a_story_that_cannot_be_played_is_explained(
    workspace: Workspace, text: str, message: str
) -> None:
    path = workspace.write("story.yaml", text)
    done = workspace.run("model", "simulate", str(path))

    assert done.code == 1
    assert message in done.err
    assert re.search(r"story\.yaml:\d+:\d+ error ", done.err)


def test_a_file_that_is_not_a_story_is_named_as_such(workspace: Workspace) -> None:
    done = workspace.run("model", "simulate", "nothing.yaml")

    assert done.code == 2
    assert "nothing.yaml: it cannot be read: No such file or directory." in done.err
    assert "golden-month" in done.err
    with pytest.raises(Exception, match=r"ready-made ones .* No such file"):  # told in words
        workspace.run("model", "simulate", "--model", "nothing.yaml")


@pytest.mark.slow
def test_a_story_tells_what_sales_has_learnt(workspace: Workspace) -> None:
    story = """
lead: {email: ada@example.com}
events:
  - {at: day 1 10:00, event: demo_requested, properties: {message: We need SSO}}
  - {at: day 1 10:20, sales: rejected, reason: not_ready, budget: 50000, note: Call in July}
"""
    told = workspace.run("model", "simulate", str(workspace.write("story.yaml", story)))
    words = " ".join(told.out.split())
    assert "sales: rejected (not ready), budget 50000, note Call in July" in words
    days = workspace.json("model", "simulate", str(workspace.folder / "story.yaml"))["days"]
    sent = [
        line["data"]["event"] for day in days for line in day["lines"] if line["kind"] == "sent"
    ]
    offered = next(each for each in sent if each["type"] == "warmlead.handoff.offered.v1")
    (step,) = offered["data"]["lead"]["journey"]
    assert (step["title"], step["details"]) == ("Demo requested", {"message": "We need SSO"})


@pytest.mark.slow
@pytest.mark.parametrize("model", ["b2b-saas", "ecommerce", "product-led"])
def test_the_month_can_be_played_under_every_ready_made_model(
    workspace: Workspace, model: str
) -> None:
    assert len(workspace.json("model", "simulate", "--model", model)["days"]) == 46


def test_the_help_teaches_how_to_begin(workspace: Workspace) -> None:
    text = " ".join(workspace.run("model", "simulate", "--help").out.split())

    for words in (
        "--show > story.yaml",
        "sales: rejected",
        "day 1 10:00",
        "changes none of your data",
    ):
        assert words in text
