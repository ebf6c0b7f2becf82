"""The stories in the documentation, row by row as they are played."""

import re
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace

pytestmark = pytest.mark.slow  # plays a page of the documentation

DOCS = Path(__file__).parents[3] / "docs"
ALERTS = (DOCS / "alerts.md").read_text(encoding="utf-8")
LATE = (DOCS / "two-clocks.md").read_text(encoding="utf-8")
DEMO = (DOCS / "demo-requests.md").read_text(encoding="utf-8")
READINGS = ["An MQL", "Sales-ready", "An SQL"]


def examples(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)


def rows(section: str) -> list[list[str]]:
    """The table of what happens at which time."""
    lines = [line for line in section.splitlines() if line.startswith("| day ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def played(workspace: Workspace, model: str, story: str) -> tuple[list[list[str]], Any]:
    """A row for each moment at which tools were sent something, with the score of that day."""
    path = workspace.write("story.yaml", story)
    under = workspace.write("the-model.yaml", model)
    assert workspace.json("model", "check", str(under))["findings"] == []
    told = workspace.json("model", "simulate", str(path), "--model", str(under))
    found: dict[str, list[str]] = {}
    for day in told["days"]:
        for line in day["lines"]:
            if line["kind"] == "sent":
                at = f"day {day['day']} {line['at'][11:16]}"
                data = line["data"]["event"]["data"]
                row = found.setdefault(at, [at, f"{data['score']}, {data['stage']}", ""])
                row[2] = "; ".join(filter(None, [row[2], line["text"]]))
    return list(found.values()), told["summary"]


def test_every_row_of_the_page_of_alerts_is_played(workspace: Workspace) -> None:
    model, story = examples(ALERTS)
    found, summary = played(workspace, model, story)
    assert rows(ALERTS) == found
    assert summary["alerts"] == {"asked-again": 2, "back-at-pricing": 1}


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_of_a_demo_request_is_played(workspace: Workspace, reading: str) -> None:
    shared, story, *stages = examples(DEMO)
    section = DEMO.partition(f"\n## {reading}\n")[2].partition("\n## ")[0]
    (of_reading,) = examples(section)
    assert of_reading in stages
    found, summary = played(workspace, shared + of_reading, story)
    assert rows(section) == found
    assert summary["sales"] == {"offered": 1, "reminder": 0, "breached": 0}


@pytest.mark.parametrize("number", [1, 2])
def test_every_row_of_what_is_learnt_late_is_played(workspace: Workspace, number: int) -> None:
    model, *stories = examples(LATE)
    section = LATE.split("\n### ")[number]
    found, _ = played(workspace, model, stories[number - 1])
    assert rows(section) == found


def test_a_story_says_since_when_a_stage_is_so(workspace: Workspace) -> None:
    model, late, _ = examples(LATE)
    path = workspace.write("story.yaml", late)
    under = workspace.write("the-model.yaml", model)
    told = workspace.json("model", "simulate", str(path), "--model", str(under))
    lines = [line for line in told["days"][11]["lines"] if line["kind"] in ("said", "moved")]
    assert [line["text"] for line in lines] == [
        "sales: accepted, on 27 Feb 16:00",
        "sql since 27 Feb",
    ]
    assert lines[1]["data"]["effective_at"] == "2026-02-27T16:00:00+00:00"
    assert lines[1]["data"]["hours_in_stage"] == 7 * 24 + 7


def test_what_is_learnt_before_it_is_so_is_a_fault(workspace: Workspace) -> None:
    model, late, _ = examples(LATE)
    path = workspace.write("story.yaml", late.replace("2026-03-03T08:00", "2026-02-26T08:00"))
    under = workspace.write("the-model.yaml", model)
    told = workspace.run("model", "simulate", str(path), "--model", str(under))
    assert told.code == 1
    assert "is earlier than at" in told.out + told.err
